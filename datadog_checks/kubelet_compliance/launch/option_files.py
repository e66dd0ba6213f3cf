# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The options of k3s and RKE2, and the arguments that these give to a kubelet. Pure.

Follows k3s-io/k3s pkg/configfilearg/parser.go and pkg/daemons/agent/agent_linux.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml import DocumentError, DocumentTooLarge, Node
from datadog_checks.kubelet_compliance.kubelet.tables.programs import (
    ASK_CONFIGZ,
    CONFIG_OPTIONS,
    KUBELET_OPTION,
    PROGRAMS,
    READ_OPTIONS,
    OptionFiles,
    Program,
)
from datadog_checks.kubelet_compliance.model import Argument, File, Launch, Missing, Place, Unit, Unknown, Unreadable

OPTION_VARIABLES = frozenset(
    variable
    for program in PROGRAMS
    if isinstance(program.arguments, OptionFiles)
    for variable in (program.arguments.config_variable, program.arguments.data_variable)
)
"""The environment variables that matter to a kubelet. `kubelet-arg` has none (pkg/cli/cmds/agent.go)."""


@dataclass(slots=True)
class Options:
    """The options that matter to the kubelet. `places`: where each of its arguments is set, if that is known."""

    data: str
    """The data directory."""
    arguments: list[str] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    path: str = ''
    """The first config file that exists; '' for none."""
    has_kubelet: bool = True
    unread: list[str] = field(default_factory=list)
    """The files that could not be read, and why."""

    @property
    def drop_ins(self) -> str:
        """The drop-in folder that k3s 1.32 and later fills, and passes to the kubelet."""
        return f'{self.data}/agent/etc/kubelet.conf.d'


@dataclass(frozen=True, slots=True)
class Given:
    """What the service or the process gives to a program. `words`: its options; None if they are hidden.

    `places`: the file and line of each word. `environment`: the variables that set options.
    """

    words: Sequence[str] | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
    environment: Mapping[str, Argument] = field(default_factory=dict)

    def variable(self, name: str) -> str:
        return self.environment[name].text if name in self.environment else ''


def given_by(unit: Unit | Unknown | None, way: OptionFiles) -> Given:
    """What a service gives to the program that it starts."""
    if not isinstance(unit, Unit):
        return Given()
    command = () if isinstance(unit.command, Unknown) else unit.command
    texts = [word.text for word in command]
    is_plain = texts[1:2] in (['server'], ['agent']) and texts[0].rpartition('/')[2] == way.stem
    places = {word.text: word.place for word in command if word.place is not None}
    return Given(texts[2:] if is_plain else None, places, unit.environment)


def config_path(given: Given, way: OptionFiles) -> str:
    """The path of the config file. The variable has precedence (`findConfigFileFlag`)."""
    named = [value for name, value, _ in iter_options(given.words or ()) if name in CONFIG_OPTIONS]
    return given.variable(way.config_variable) or (named[-1] if named else way.config)


def read_options(given: Given, files: Sequence[File | Missing | Unreadable], way: OptionFiles) -> Options:
    """Merge the config file, the files of its `.d` folder, and the command line, in this order.

    A key of a later file replaces that of an earlier file. With a `+` at the end of its name, it is appended. The
    command line is appended to both.
    """
    values: dict[str, list[PlacedValue]] = {}
    unread = []
    for file in files:
        if isinstance(file, Missing) or isinstance(file, Unreadable) and file.absent:
            continue
        try:
            for key, found in iter_options_of_file(file):
                name = LONG_NAMES.get(key.removesuffix('+'), key.removesuffix('+'))
                values[name] = [*values.get(name, ()), *found] if key.endswith('+') else found
        except NotUnderstood as error:
            unread.append(f'{file.path} {error}')
    for name, value, word in iter_options(given.words or ()):
        values.setdefault(LONG_NAMES.get(name, name), []).append((value, given.places.get(word)))
    path = next((file.path for file in files if isinstance(file, File)), '')
    data = last_value(values, 'data-dir') or given.variable(way.data_variable) or way.data
    options = Options(data, unread=unread, path=path)
    for value, place in values.get(KUBELET_OPTION, ()):
        argument = passed_argument(value)
        options.arguments.append(argument)
        if place is not None:
            options.places[argument] = place
    options.has_kubelet = last_value(values, 'disable-agent').lower() not in ('true', '1', 't')
    return options


def passed_argument(value: str) -> str:
    """The argument that k3s passes to its kubelet for a value of `kubelet-arg`. It first removes one leading `--`."""
    value = value.removeprefix('--')
    return f'--{value}' if '=' in value else f'--{value}=true'


def contained_launch(
    program: Program,
    way: OptionFiles,
    given: Given,
    options: Options,
    *,
    with_drop_ins: bool,
    files: tuple[File, ...] = (),
) -> Launch:
    """How a program starts the kubelet that it contains.

    `with_drop_ins`: k3s 1.32 and later copies the files of `config` and `config-dir` into a folder, and passes that.
    """
    own = [f'--kubeconfig={options.data}/agent/kubelet.kubeconfig', '--read-only-port=0']
    given_arguments = options.arguments
    if with_drop_ins:
        own.append(f'--config-dir={options.drop_ins}')
        given_arguments = [argument for argument in given_arguments if not argument.startswith(CONFIG_FLAGS)]
    doubt = way.doubt if given.words is not None else way.doubt_if_hidden or way.doubt
    adds = next((argument for argument in given_arguments if argument.partition('=')[0].endswith(('+', '-'))), None)
    return Launch(
        program.name,
        (*own, *given_arguments)
        if adds is None
        else Unknown(f'{program.name} appends {adds} to its own flags', ASK_CONFIGZ),
        options.path,
        options.places,
        files,
        doubt=with_unread(doubt, options),
        drop_ins=options.drop_ins if with_drop_ins else '',
        is_whole=given.words is not None and not options.unread,
    )


def separate_launch(program: Program, way: OptionFiles, options: Options) -> Launch:
    """How a program starts a kubelet as its own process, before it runs: only the arguments in its options are known.

    The program also decides which files the kubelet reads, so none is read here.
    """
    given = tuple(argument for argument in options.arguments if not argument.startswith(CONFIG_FLAGS))
    return Launch(program.name, given, options.path, options.places, doubt=with_unread(way.doubt, options))


CONFIG_FLAGS = ('--config=', '--config-dir=')


def with_unread(doubt: Unknown, options: Options) -> Unknown:
    return Unknown(f'{doubt.reason}; {options.unread[0]}', doubt.remedy) if options.unread else doubt


PlacedValue = tuple[str, Place | None]
"""The value of an option, and where it is set, if that is known."""


class NotUnderstood(Exception):
    """A config file that could not be read or parsed. The text follows its path."""


LONG_NAMES = {'c': 'config', 'd': 'data-dir'}
OPTION = re.compile(r'--?([A-Za-z][A-Za-z0-9-]*)(?:=(.*))?', re.DOTALL)


def iter_options(arguments: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """The options `--name=value` and `--name value`: the name, the value, and the word that holds the value.

    Whether an option without `=` takes a value is unknown, so the next word counts as its value if it is no option.
    """
    for position, argument in enumerate(arguments):
        match = OPTION.fullmatch(argument)
        if match is None:
            continue
        following = arguments[position + 1] if position + 1 < len(arguments) else ''
        if match[2] is not None or following.startswith('-'):
            yield match[1], match[2] or '', argument
        else:
            yield match[1], following, following


def iter_options_of_file(file: File | Unreadable) -> Iterator[tuple[str, list[PlacedValue]]]:
    """The options in a config file, each with its values and their places. Raises NotUnderstood."""
    if not isinstance(file, File):
        raise NotUnderstood(f'could not be read: {file.why}')
    try:
        root = parse_document(file.data).root
    except (DocumentError, DocumentTooLarge) as error:
        raise NotUnderstood(f'is not valid: {error}') from None
    if not isinstance(root.value, dict):
        return
    for key, node in root.value.items():
        if key.removesuffix('+') not in {KUBELET_OPTION, *READ_OPTIONS}:
            continue
        items = node.value if isinstance(node.value, list) else [] if node.value is None else [node]
        yield key, [(scalar_text(item), Place(file.path, item.line or node.line or 0)) for item in items]


def scalar_text(node: Node) -> str:
    """Raises NotUnderstood."""
    if isinstance(node.value, dict | list):
        raise NotUnderstood('is not valid: expected text, not a list or a mapping')
    return ('true' if node.value else 'false') if isinstance(node.value, bool) else str(node.value or '')


def last_value(values: dict[str, list[PlacedValue]], name: str) -> str:
    found = values.get(name)
    return found[-1][0] if found else ''
