# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A kubelet's arguments to its flags, by the kubelet's own rules (spf13/pflag, cmd/kubelet/app/server.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from datadog_checks.kubelet_compliance.model import Value

from .flag_values import parse
from .formats.kubernetes import is_label, is_qualified_name
from .release import Release
from .tables.flags import BARE_KINDS, FLAGS, SHORTHANDS, Flag, FlagKind

RESERVED_PREFIX = re.compile(r'(.*\.)?(kubernetes|k8s)\.io')
NODE_PREFIX = re.compile(r'(.*\.)?(kubelet|node)\.kubernetes\.io')
NODE_LABELS = frozenset(
    f'{prefix}/{name}'
    for prefix, names in {
        'kubernetes.io': ('hostname', 'os', 'arch'),
        'beta.kubernetes.io': ('os', 'arch', 'instance-type'),
        'topology.kubernetes.io': ('zone', 'region'),
        'failure-domain.beta.kubernetes.io': ('zone', 'region'),
    }.items()
    for name in names
)


OPENSHIFT_PREFIX = 'node.openshift.io/'
OPENSHIFT_LABELS = frozenset(
    f'node-role.kubernetes.io/{role}' for role in ('control-plane', 'master', 'worker', 'etcd', 'arbiter')
)
"""OpenShift's own kubelet takes these too (openshift/kubernetes, `IsForbiddenOpenshiftLabel`)."""


class FlagError(Exception):
    """The kubelet would refuse these arguments. The text never holds a value."""


class UnknownFlag(FlagError):
    """A flag of no release that we know: only a kubelet that is not one of them would take it."""


class Undecided(Exception):
    """An unknown flag that was typed without `=`: whether it takes the next argument is not known."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(slots=True)
class Terms:
    """On what terms a command line is read.

    `accepted`: a kubelet runs with it, so what the kubelet would refuse is noted and not raised. `takes_value`: what is
    assumed of unknown flags, by name.
    """

    release: Release
    accepted: bool = False
    takes_value: Mapping[str, bool] = field(default_factory=dict)
    again: bool = False
    """The second parse, over the files: see `parse_flags_again`."""
    noted: list[FlagError] = field(default_factory=list)

    def object(self, error: FlagError) -> None:
        """The kubelet would refuse this. Raises the error, unless the kubelet has shown that it does not."""
        if not self.accepted:
            raise error
        self.noted.append(error)


class PositionalArgument(FlagError):
    """An argument that belongs to no flag, which ends every kubelet."""


POSITIONAL = 'it has an argument that belongs to no flag (a boolean flag never takes the next argument)'


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One flag on the command line: its name, the text of its value, and the flag as it was typed."""

    name: str
    text: str
    typed: str


@dataclass(frozen=True, slots=True)
class FlagValue:
    """What all occurrences of a flag come to, and the last one as it was typed."""

    value: Value
    typed: str


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags of a command line by name; `exits`: the kubelet prints its help or version and ends."""

    values: Mapping[str, FlagValue]
    exits: bool = False
    undecided: tuple[str, ...] = ()
    """Flags whose value is not understood."""
    objections: tuple[FlagError, ...] = ()

    def text(self, name: str) -> str:
        """A text flag's value; '' where it is not given, as the kubelet has it."""
        given = self.values.get(name)
        return str(given.value) if given is not None else ''


def parse_flags(arguments: Sequence[str], terms: Terms) -> Flags:
    """Read the arguments after argv[0] (`NewKubeletCommand`).

    Raises FlagError where the kubelet refuses them, and Undecided for an unknown flag of one that runs with it.
    """
    occurrences, positional = tokenize(arguments, terms)
    values, undecided = combine(occurrences, terms)
    if positional:
        terms.object(PositionalArgument(POSITIONAL))
    printing = any(name in values and values[name].value is True for name in ('help', 'version'))
    if not printing:
        try:
            check_node_labels(values)
        except FlagError as error:
            terms.object(error)
    return Flags(values, printing, undecided, tuple(terms.noted))


def parse_flags_again(arguments: Sequence[str], terms: Terms) -> Flags:
    """Read the arguments once more, as the kubelet does over its files (`kubeletConfigFlagPrecedence`).

    There the flags of its libraries do nothing, and each takes a value, so that a bare boolean swallows the next one.
    Raises FlagError, Undecided.
    """
    terms = replace(terms, again=True, noted=[])
    occurrences, _ = tokenize(arguments, terms)
    values, undecided = combine([found for found in occurrences if not FLAGS[found.name].library], terms)
    return Flags(values, False, undecided, tuple(terms.noted))


def tokenize(arguments: Sequence[str], terms: Terms) -> tuple[list[Occurrence], bool]:
    """The flags in order, and whether there are arguments that belong to none (pflag `parseArgs`)."""
    occurrences: list[Occurrence] = []
    positional = False
    rest = list(reversed(arguments))
    while rest:
        argument = rest.pop()
        if not argument.startswith('-') or argument == '-':
            positional = True
        elif argument == '--':
            positional = positional or bool(rest)
            break
        elif argument.startswith('--'):
            occurrences.extend(long_flag(argument, rest, terms))
        else:
            occurrences.extend(short_flags(argument, rest, terms))
    return occurrences, positional


def long_flag(argument: str, rest: list[str], terms: Terms) -> list[Occurrence]:
    """`--name=value`, `--name value` or a bare `--name` (pflag `parseLongArg`)."""
    given, has_value, text = argument[2:].partition('=')
    if not given or given.startswith('-'):
        terms.object(FlagError('it has an argument with bad flag syntax'))
        return []
    name = given.replace('_', '-')
    flag = known_flag(name, terms)
    if flag is None:
        skip_unknown(name, rest, terms, is_whole=bool(has_value))
        return []
    if has_value:
        return [Occurrence(name, text, argument)]
    if is_bare(flag, terms):
        return [Occurrence(name, 'true', argument)]
    if not rest:
        terms.object(FlagError(f'--{name} needs a value'))
        return []
    text = rest.pop()
    return [Occurrence(name, text, f'{argument} {text}')]


def skip_unknown(name: str, rest: list[str], terms: Terms, *, is_whole: bool) -> None:
    """Pass over an unknown flag, and over its value if it takes one. Raises Undecided where that is not known."""
    if is_whole or not rest:
        return
    if name not in terms.takes_value:
        raise Undecided(name)
    if terms.takes_value[name]:
        rest.pop()


def short_flags(argument: str, rest: list[str], terms: Terms) -> list[Occurrence]:
    """`-v5`, `-v=5`, `-v 5`, `-h` (pflag `parseSingleShortArg`)."""
    occurrences: list[Occurrence] = []
    letters = argument[1:]
    while letters:
        name = SHORTHANDS.get(letters[0])
        flag = known_flag(name, terms) if name is not None else None
        if name is None or flag is None:
            raise UnknownFlag(f'unknown kubelet flag -{letters[0]}')
        if len(letters) > 2 and letters[1] == '=':
            return [*occurrences, Occurrence(name, letters[2:], argument)]
        if is_bare(flag, terms):
            occurrences.append(Occurrence(name, 'true', argument))
            letters = letters[1:]
            continue
        if len(letters) > 1:
            return [*occurrences, Occurrence(name, letters[1:], argument)]
        if not rest:
            terms.object(FlagError(f'-{letters[0]} needs a value'))
            return occurrences
        text = rest.pop()
        return [*occurrences, Occurrence(name, text, f'{argument} {text}')]
    return occurrences


def known_flag(name: str, terms: Terms) -> Flag | None:
    """The flag of that name; None for one that only the running kubelet knows. Raises FlagError."""
    flag = FLAGS.get(name)
    if flag is None:
        terms.object(UnknownFlag(f'unknown kubelet flag --{name[:60]}'))
    elif not (flag.is_upstream and flag.is_in(terms.release)) and not (terms.accepted and not flag.is_upstream):
        # A vendor's flag on a kubelet that runs is no surprise.
        terms.object(FlagError(f'--{name} is not a kubelet flag in Kubernetes {terms.release}'))
    elif terms.again and name == 'help':
        terms.object(FlagError('--help, even set to false, ends a kubelet that has a configuration file'))
    return flag


def is_bare(flag: Flag, terms: Terms) -> bool:
    return flag.kind in BARE_KINDS and not (terms.again and flag.library)


def combine(occurrences: Sequence[Occurrence], terms: Terms) -> tuple[dict[str, FlagValue], tuple[str, ...]]:
    """The value of each flag, and the flags whose value is not understood.

    Repeated lists and maps add up, of all others the last one wins. Raises FlagError.
    """
    values: dict[str, FlagValue] = {}
    lists: dict[str, list[str]] = {}
    undecided: dict[str, None] = {}
    for found in occurrences:
        flag = FLAGS[found.name]
        try:
            value = parse(flag, found.text, terms.release)
        except ValueError:
            terms.object(FlagError(f'--{found.name} has a value that is not a {flag.kind.value}'))
            undecided[found.name] = None
            continue
        old = values[found.name].value if found.name in values else None
        if isinstance(old, dict) and isinstance(value, Mapping):
            old.update(value)
            value = old
        elif isinstance(value, tuple):
            lists.setdefault(found.name, []).extend(map(str, value))
        values[found.name] = FlagValue(value, found.typed)
    for name, items in lists.items():
        values[name] = FlagValue(tuple(items), values[name].typed)
    return values, tuple(undecided)


UNTYPED_KINDS = frozenset(
    {FlagKind.MULTIMAP, FlagKind.TAINTS, FlagKind.RESERVED_MEMORY, FlagKind.VMODULE, FlagKind.LOG_LEVEL}
)
"""Kinds whose field has another form than the flag; no rule needs them, so they are not carried over."""


def check_node_labels(values: Mapping[str, FlagValue]) -> None:
    """cmd/kubelet/app/options `ValidateKubeletFlags`: a kubelet may not set most labels of kubernetes.io."""
    given = values.get('node-labels')
    if given is None or not isinstance(given.value, Mapping):
        return
    is_openshift = any(key.startswith(OPENSHIFT_PREFIX) for key in given.value)
    allowed = NODE_LABELS | OPENSHIFT_LABELS if is_openshift else NODE_LABELS
    for key, value in given.value.items():
        prefix = key.rpartition('/')[0]
        if RESERVED_PREFIX.fullmatch(prefix) and not NODE_PREFIX.fullmatch(prefix) and key not in allowed:
            raise FlagError('--node-labels sets a label of kubernetes.io or k8s.io that a kubelet may not set')
        if not is_qualified_name(key):
            raise FlagError('--node-labels has a key that is no label name')
        if value and not is_label(str(value)):
            raise FlagError('--node-labels has a value that is no label value')


def iter_field_values(flags: Flags) -> list[tuple[str, FlagValue]]:
    """The fields of KubeletConfiguration that the flags write, by dotted path."""
    return [
        (field, given)
        for name, given in flags.values.items()
        if (field := FLAGS[name].field) is not None and FLAGS[name].kind not in UNTYPED_KINDS
    ]


def iter_plain_flags(flags: Flags) -> list[tuple[str, FlagValue]]:
    """The text flags and switches that write no field, by their own names: `--hostname-override`."""
    return [
        (f'--{name}', given)
        for name, given in flags.values.items()
        if FLAGS[name].field is None and FLAGS[name].kind in (FlagKind.STRING, FlagKind.BOOL)
    ]
