# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A kubelet's arguments to the values of its flags, by the kubelet's own rules (cmd/kubelet/app/server.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from datadog_checks.kubelet_compliance.model import Value

from .flag_tokens import POSITIONAL, FlagError, Occurrence, PositionalArgument, Terms, tokenize
from .flag_values import parse_value
from .formats.kubernetes import is_label, is_qualified_name
from .tables.flag_kinds import FlagKind
from .tables.flags import FLAGS

LABELS = 'node-labels'
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
"""OpenShift's kubelet accepts these too (openshift/kubernetes, `IsForbiddenOpenshiftLabel`)."""


@dataclass(frozen=True, slots=True)
class FlagValue:
    """The value that all occurrences of a flag result in, and the last occurrence as it was typed."""

    value: Value
    typed: str


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags of a command line, by name. `exits`: the kubelet prints its help or version and exits."""

    values: Mapping[str, FlagValue]
    exits: bool = False
    undecided: tuple[str, ...] = ()
    """Flags whose value could not be interpreted."""
    objections: tuple[FlagError, ...] = ()
    is_same_over_files: bool = False
    """The kubelet's second parse, over its files, gives the same values: see `parse_flags_again`."""

    def text(self, name: str) -> str:
        """The value of a text flag. '' if the flag is not given, as in the kubelet."""
        given = self.values.get(name)
        return str(given.value) if given is not None else ''


def parse_flags(arguments: Sequence[str], terms: Terms) -> Flags:
    """Read the arguments after argv[0] (`NewKubeletCommand`).

    Raises FlagError if the kubelet refuses them, and UndecidedFlag for an unknown flag of a running kubelet.
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
    is_same = not any(found.name == 'help' or FLAGS[found.name].library for found in occurrences)
    return Flags(values, printing, undecided, tuple(terms.noted), is_same)


def parse_flags_again(arguments: Sequence[str], terms: Terms) -> Flags:
    """Read the arguments as the kubelet reads them after its files (`kubeletConfigFlagPrecedence`).

    In this parse, the flags of libraries have no effect. Each of them takes a value, so a bare boolean flag consumes
    the next argument. Raises FlagError, UndecidedFlag.
    """
    terms = replace(terms, again=True, noted=[])
    occurrences, _ = tokenize(arguments, terms)
    values, undecided = combine([found for found in occurrences if not FLAGS[found.name].library], terms)
    return Flags(values, False, undecided, tuple(terms.noted))


def combine(occurrences: Sequence[Occurrence], terms: Terms) -> tuple[dict[str, FlagValue], tuple[str, ...]]:
    """The value of each flag, and the flags whose value could not be interpreted. Raises FlagError.

    Repeated lists and maps add up. For all other kinds, the last occurrence wins.
    """
    values: dict[str, FlagValue] = {}
    lists: dict[str, list[str]] = {}
    undecided: dict[str, None] = {}
    for found in occurrences:
        flag = FLAGS[found.name]
        try:
            value = parse_value(flag, found.text, terms.release)
        except ValueError:
            why = f'--{found.name} has an invalid value (expected type: {flag.kind.value})'
            terms.object(FlagError(why, found.name))
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


UNTYPED_KINDS = frozenset({FlagKind.MULTIMAP, FlagKind.TAINTS, FlagKind.RESERVED_MEMORY, FlagKind.VMODULE})
"""Kinds whose field has another form than the flag. Their values do not reach the field, so the field is unknown."""


def check_node_labels(values: Mapping[str, FlagValue]) -> None:
    """Raise FlagError for a label that a kubelet must not set itself (options `ValidateKubeletFlags`).

    That is most labels in the kubernetes.io and k8s.io namespaces.
    """
    given = values.get(LABELS)
    if given is None or not isinstance(given.value, Mapping):
        return
    is_openshift = any(key.startswith(OPENSHIFT_PREFIX) for key in given.value)
    allowed = NODE_LABELS | OPENSHIFT_LABELS if is_openshift else NODE_LABELS
    for key, value in given.value.items():
        prefix = key.rpartition('/')[0]
        if RESERVED_PREFIX.fullmatch(prefix) and not NODE_PREFIX.fullmatch(prefix) and key not in allowed:
            raise FlagError('--node-labels sets a kubernetes.io or k8s.io label that a kubelet must not set', LABELS)
        if not is_qualified_name(key):
            raise FlagError('--node-labels has an invalid label key', LABELS)
        if value and not is_label(str(value)):
            raise FlagError('--node-labels has an invalid label value', LABELS)


def iter_field_values(flags: Flags) -> list[tuple[str, FlagValue]]:
    """The fields of KubeletConfiguration that the flags set, by dotted path."""
    return [
        (field, given)
        for name, given in flags.values.items()
        if (field := FLAGS[name].field) is not None and FLAGS[name].kind not in UNTYPED_KINDS
    ]


def untyped_flags(flags: Flags) -> tuple[str, ...]:
    """The given flags whose values do not reach their field."""
    return tuple(name for name in flags.values if FLAGS[name].field and FLAGS[name].kind in UNTYPED_KINDS)


def iter_plain_flags(flags: Flags) -> list[tuple[str, FlagValue]]:
    """The flags that set no field, by their own names, such as `--hostname-override`."""
    return [(f'--{name}', given) for name, given in flags.values.items() if FLAGS[name].field is None]
