# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Kubelets inside another program: the arguments that it gives them, put together from its own files. Pure.

k3s: k3s-io/k3s pkg/configfilearg/parser.go, pkg/daemons/agent/agent_linux.go. MicroK8s: canonical/microk8s, the patch
`Kubelite-integration`. MicroShift: openshift/microshift pkg/node/kubelet.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml import DocumentError, DocumentTooLarge, Node
from datadog_checks.kubelet_compliance.kubelet.programs import MAX_ARGUMENTS, RKE2, Program
from datadog_checks.kubelet_compliance.model import Argument, File, Launch, Missing, Unit, Unknown, Unreadable

ASK_CONFIGZ = 'let the Agent read /configz'


@dataclass(frozen=True, slots=True)
class Rancher:
    """A program of the k3s family: k3s-io/k3s pkg/cli/cmds/config.go, rancher/rke2 pkg/cli/cmds."""

    name: str

    @property
    def config(self) -> str:
        return f'/etc/rancher/{self.name}/config.yaml'

    @property
    def data(self) -> str:
        return f'/var/lib/rancher/{self.name}'

    @property
    def config_variable(self) -> str:
        return f'{self.name.upper()}_CONFIG_FILE'

    @property
    def data_variable(self) -> str:
        return f'{self.name.upper()}_DATA_DIR'


K3S_PROGRAM = Rancher('k3s')
RKE2_PROGRAM = Rancher('rke2')
OPTION_VARIABLES = frozenset(
    variable for program in (K3S_PROGRAM, RKE2_PROGRAM) for variable in (program.config_variable, program.data_variable)
)
"""The variables that matter to a kubelet: `kubelet-arg` has none (pkg/cli/cmds/agent.go)."""
K3S_HIDDEN = Unknown('k3s hides its command line, where --kubelet-arg may say otherwise', ASK_CONFIGZ)
K3S_SHOWN = Unknown('what k3s itself passes to its kubelet differs from release to release', ASK_CONFIGZ)

RKE2_DOUBT = Unknown('RKE2 writes the command line and the drop-ins of its kubelet anew at each start', ASK_CONFIGZ)

MICROK8S_ARGUMENTS = '/var/snap/microk8s/current/args/kubelet'
ARGUMENTS_FLAG = 'kubelet-args-file'

MICROSHIFT_KUBELET = '/var/lib/microshift/resources/kubelet'
MICROSHIFT_ARGUMENTS = (
    f'--config={MICROSHIFT_KUBELET}/config/config.yaml',
    f'--kubeconfig={MICROSHIFT_KUBELET}/kubeconfig',
)
MICROSHIFT_DOUBT = Unknown('MicroShift writes the configuration of its kubelet anew at each start', ASK_CONFIGZ)

Seen = File | Missing | Unreadable


@dataclass(slots=True)
class K3s:
    """The options of k3s that matter to its kubelet. `places`: where each argument of the kubelet stands."""

    arguments: list[str] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    path: str = ''
    """The configuration file, where there is one."""
    data: str = K3S_PROGRAM.data
    has_kubelet: bool = True
    unread: list[str] = field(default_factory=list)

    @property
    def drop_ins(self) -> str:
        """The folder of drop-ins that k3s fills and passes, from 1.32 on."""
        return f'{self.data}/agent/etc/kubelet.conf.d'


@dataclass(frozen=True, slots=True)
class Told:
    """What a program is told by its service, or shows itself. `words`: its options, None where they are hidden.

    `places`: the file and line of each word. `environment`: the variables that it takes options from.
    """

    words: Sequence[str] | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Argument] = field(default_factory=dict)

    def variable(self, name: str) -> str:
        return self.environment[name].text if name in self.environment else ''


def told_by(unit: Unit | Unknown | None, program: Rancher) -> Told:
    """What the service that starts a program of the k3s family tells it."""
    if not isinstance(unit, Unit):
        return Told()
    command = () if isinstance(unit.command, Unknown) else unit.command
    texts = [word.text for word in command]
    is_plain = texts[1:2] in (['server'], ['agent']) and texts[0].rpartition('/')[2] == program.name
    places = {word.text: word.place for word in command}
    return Told(texts[2:] if is_plain else None, places, unit.environment)


def k3s_config(told: Told, program: Rancher = K3S_PROGRAM) -> str:
    """The configuration file that k3s is told to read; the variable wins (`findConfigFileFlag`)."""
    named = [value for name, value, _ in iter_options(told.words or ()) if name in ('config', 'c')]
    return told.variable(program.config_variable) or (named[-1] if named else program.config)


def read_k3s(told: Told, files: Sequence[Seen], program: Rancher = K3S_PROGRAM) -> K3s:
    """The options in the configuration file, in the files of its `.d` folder, and on the command line, in this order.

    A key of a later file takes the place of an earlier one's, with a `+` at its end it adds to it; the command line
    adds to both.
    """
    values: dict[str, list[tuple[str, str]]] = {}
    unread = []
    for file in files:
        if isinstance(file, Missing) or isinstance(file, Unreadable) and file.absent:
            continue
        try:
            for key, found in iter_settings(file):
                name = LONG.get(key.removesuffix('+'), key.removesuffix('+'))
                values[name] = [*values.get(name, ()), *found] if key.endswith('+') else found
        except NotUnderstood as error:
            unread.append(f'{file.path} {error}')
    for name, value, word in iter_options(told.words or ()):
        place = told.places.get(word) or f'--{name} on the command line of {program.name}'
        values.setdefault(LONG.get(name, name), []).append((value, place))
    k3s = K3s(unread=unread, path=next((file.path for file in files if isinstance(file, File)), ''))
    for value, place in values.get(KUBELET_ARGUMENT, ()):
        argument = as_argument(value)
        k3s.arguments.append(argument)
        k3s.places[argument] = place
    k3s.data = last(values, 'data-dir') or told.variable(program.data_variable) or program.data
    k3s.has_kubelet = last(values, 'disable-agent').lower() not in ('true', '1', 't')
    return k3s


def as_argument(value: str) -> str:
    """What k3s passes to its kubelet for a value of `kubelet-arg`: one leading `--` is taken off first."""
    value = value.removeprefix('--')
    return f'--{value}' if '=' in value else f'--{value}=true'


def k3s_launch(told: Told, k3s: K3s, *, with_drop_ins: bool, files: tuple[File, ...] = ()) -> Launch:
    """What k3s starts its kubelet with. From 1.32 on it copies what `config` and `config-dir` name into a folder."""
    own = [f'--kubeconfig={k3s.data}/agent/kubelet.kubeconfig', '--read-only-port=0']
    given = k3s.arguments
    if with_drop_ins:
        own.append(f'--config-dir={k3s.drop_ins}')
        given = [argument for argument in given if not argument.startswith(('--config=', '--config-dir='))]
    doubt = K3S_HIDDEN if told.words is None else K3S_SHOWN
    if k3s.unread:
        doubt = Unknown(f'{doubt.reason}; {k3s.unread[0]}', doubt.remedy)
    adds = next((argument for argument in given if argument.partition('=')[0].endswith(('+', '-'))), None)
    return Launch(
        Program.K3S,
        (*own, *given) if adds is None else Unknown(f'k3s adds {adds} to what it passes', ASK_CONFIGZ),
        k3s.path,
        k3s.places,
        files,
        doubt=doubt,
        drop_ins=k3s.drop_ins if with_drop_ins else '',
        is_whole=told.words is not None and not k3s.unread,
    )


def rke2_launch(rke2: K3s) -> Launch:
    """RKE2 reads its options as k3s does. Only the arguments that these give can be told before it runs."""
    doubt = RKE2_DOUBT
    if rke2.unread:
        doubt = Unknown(f'{doubt.reason}; {rke2.unread[0]}', doubt.remedy)
    # Which files the kubelet reads is decided by RKE2 too, so none is read here.
    given = tuple(each for each in rke2.arguments if not each.startswith(('--config=', '--config-dir=')))
    return Launch(RKE2, given, rke2.path, rke2.places, doubt=doubt)


class NotUnderstood(Exception):
    """A file of options that could not be read, or is none."""


LONG = {'c': 'config', 'd': 'data-dir'}
KUBELET_ARGUMENT = 'kubelet-arg'
OPTIONS_THAT_COUNT = frozenset({KUBELET_ARGUMENT, 'data-dir', 'd', 'disable-agent'})
OPTION = re.compile(r'--?([A-Za-z][A-Za-z0-9-]*)(?:=(.*))?', re.DOTALL)


def iter_options(arguments: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """`--name=value` and `--name value`, and the word that holds the value; only the next word tells of a bare name."""
    for position, argument in enumerate(arguments):
        match = OPTION.fullmatch(argument)
        if match is None:
            continue
        following = arguments[position + 1] if position + 1 < len(arguments) else ''
        if match[2] is not None or following.startswith('-'):
            yield match[1], match[2] or '', argument
        else:
            yield match[1], following, following


def iter_settings(file: Seen) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The keys of a file of options, each with its values and where they stand. Raises NotUnderstood."""
    if not isinstance(file, File):
        raise NotUnderstood(f'could not be read: {file.why}')
    try:
        root = parse_document(file.data).root
    except (DocumentError, DocumentTooLarge) as error:
        raise NotUnderstood(f'is not understood: {error}') from None
    if not isinstance(root.value, dict):
        return
    for key, node in root.value.items():
        if key.removesuffix('+') not in OPTIONS_THAT_COUNT:
            continue
        place = f'{file.path}:{node.line}' if node.line else file.path
        items = node.value if isinstance(node.value, list) else [] if node.value is None else [node]
        yield key, [(text_of(item), f'{file.path}:{item.line}' if item.line else place) for item in items]


def text_of(node: Node) -> str:
    if isinstance(node.value, dict | list):
        raise NotUnderstood('is not understood: a list or mapping stands where text belongs')
    return ('true' if node.value else 'false') if isinstance(node.value, bool) else str(node.value or '')


def last(values: dict[str, list[tuple[str, str]]], name: str) -> str:
    found = values.get(name)
    return found[-1][0] if found else ''


def microk8s_file(arguments: Sequence[str] | None) -> str:
    """The file with the arguments of the kubelet: the last that the command line of kubelite names."""
    named = [value for name, value, _ in iter_options(arguments or ()) if name == ARGUMENTS_FLAG]
    return named[-1] if named else MICROK8S_ARGUMENTS


def microk8s_launch(path: str, file: Seen) -> Launch:
    """The lines of kubelite's file: without quotes, split at single spaces, with `$` for what the snap knows."""
    if not isinstance(file, File):
        remedy, fault = (file.remedy, file.fault) if isinstance(file, Unreadable) else ('', None)
        why = f'{path}, which holds the arguments of the kubelet, could not be read: {file.why}'
        unknown = Unknown(why, remedy, fault=fault)
        return Launch(Program.MICROK8S, unknown, path)
    arguments: list[str] = []
    places: dict[str, str] = {}
    for number, line in enumerate(file.data.decode('utf-8', 'surrogateescape').split('\n'), 1):
        line = line.strip()
        if not line or line.startswith('#'):
            continue
        for part in line.replace('"', '').replace("'", '').split(' '):
            expanded = expand(part, path)
            if '$' in expanded:
                unknown = Unknown(f'{path}:{number} uses a variable whose value is not known', 'write the value there')
                return Launch(Program.MICROK8S, unknown, path, files=(file,))
            arguments.append(expanded)
            places[expanded] = f'{path}:{number}'
    if len(arguments) > MAX_ARGUMENTS:
        unknown = Unknown(f'{path} holds more than {MAX_ARGUMENTS} arguments', 'make it smaller')
        return Launch(Program.MICROK8S, unknown, path, files=(file,))
    return Launch(Program.MICROK8S, tuple(arguments), path, places, files=(file,))


VARIABLE = re.compile(r'\$(?:\{(SNAP|SNAP_DATA|SNAP_COMMON)\}|(SNAP|SNAP_DATA|SNAP_COMMON)(?![A-Za-z0-9_]))')
SNAP_ARGUMENTS = re.compile(r'/var/snap/(?P<name>[^/]+)/(?P<revision>[^/]+)/args/kubelet')


def expand(text: str, path: str) -> str:
    """The variables of a snap, known from where its file of arguments lies (snapcraft, "Environment variables")."""
    match = SNAP_ARGUMENTS.fullmatch(path)
    if match is None:
        return text
    name, revision = match['name'], match['revision']
    known = {
        'SNAP': f'/snap/{name}/{revision}',
        'SNAP_DATA': f'/var/snap/{name}/{revision}',
        'SNAP_COMMON': f'/var/snap/{name}/common',
    }
    return VARIABLE.sub(lambda found: known[found[1] or found[2]], text)


def microshift_launch() -> Launch:
    """MicroShift gives its kubelet a file that it has just written, and no flag that writes a field."""
    return Launch(
        Program.MICROSHIFT,
        MICROSHIFT_ARGUMENTS,
        '',
        doubt=MICROSHIFT_DOUBT,
    )
