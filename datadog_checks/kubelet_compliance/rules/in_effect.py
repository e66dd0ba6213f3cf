# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is in effect in the kubelet's release: the default of a feature gate, and settings that the release lacks. Pure.

A configuration that several releases read alike is split where they differ in this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.feature_gates import STAGE_GATES, is_on, stage
from datadog_checks.kubelet_compliance.kubelet.formats.go import Duration
from datadog_checks.kubelet_compliance.kubelet.release import ALL, Release, iter_alike
from datadog_checks.kubelet_compliance.kubelet.tables.field_kinds import Kind
from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.model import (
    LEFT_OUT,
    NOT_ASKED,
    Declared,
    Origin,
    Rule,
    Unknown,
    Value,
    lookup,
    was_flag,
)

from .field_facts import is_flag, parts_of_path, row_of

FEATURE_GATES = 'featureGates'
SYSCTLS = 'defaultPodSysctls.'
WITHOUT_IT = 'leave the rule out on nodes of this release'
LIVE_NODE = 'evaluate the node itself'


def iter_in_effect(
    rule: Rule, declared: Declared, running: Configuration | Unknown
) -> Iterator[tuple[Declared, Configuration | Unknown]]:
    """The declared and the running configuration as each possible release has them in effect.

    Only for rules that ask for that. All others judge what is written or filled in.
    """
    if not rule.is_in_effect:
        yield declared, running
        return

    def work(release: Release) -> tuple[dict[str, Value | Unknown], dict[str, Value | Unknown]]:
        shown = {} if isinstance(running, Unknown) else values_in_effect(rule, running.values, release)
        return values_in_effect(rule, declared.values, release), shown

    for minors, (own, shown) in iter_alike(declared.minors or ALL, work):
        yield replace(with_values(declared, own), minors=minors), running_with(running, declared, shown)


def values_in_effect(rule: Rule, values: Mapping[str, Value], release: Release) -> dict[str, Value | Unknown]:
    """The value of each field of a rule, or why it is unknown or can't be compared."""
    found: dict[str, Value | Unknown] = {}
    for field in rule.fields:
        value = value_in_effect(values, field, release)
        unclear = '' if rule.expected.unclear is None or isinstance(value, Unknown) else rule.expected.unclear(value)
        found[field] = Unknown(unclear) if unclear else value
    return found


def value_in_effect(values: Mapping[str, Value], field: str, release: Release) -> Value | Unknown:
    value = value_of_sysctl(values, field) if field.startswith(SYSCTLS) else lookup(values, field)
    if is_flag(field):
        row = FLAGS[field.removeprefix('--')]
        if value == LEFT_OUT and not row.is_kept:
            return Unknown(f'the capture does not contain the value of {field}', LIVE_NODE)
        is_there = value is not None or row.is_in(release)
        return value if is_there else Unknown(f'Kubernetes {release} has no flag {field}', WITHOUT_IT)
    parent, _, gate = field.partition('.')
    if parent == FEATURE_GATES and gate:
        return gate_in_effect(values, gate, release)
    if not is_in_release(field, release):
        return Unknown(f'Kubernetes {release} has no field {field}', WITHOUT_IT)
    row_of_field = row_of(field)
    is_time = row_of_field is not None and row_of_field.kind is Kind.TIME_OR_DURATION
    return Duration(value) if is_time and isinstance(value, int) else value


def value_of_sysctl(values: Mapping[str, Value], field: str) -> Value:
    """The value of a sysctl, whose name has two spellings: `net.ipv4.ip_forward` and `net/ipv4/ip_forward`."""
    sysctls = values.get(SYSCTLS.removesuffix('.'))
    wanted = with_dots(field.removeprefix(SYSCTLS))
    entries = sysctls.items() if isinstance(sysctls, Mapping) else ()
    return next((value for name, value in entries if with_dots(name) == wanted), None)


def with_dots(sysctl: str) -> str:
    """The name of a sysctl with dots. After a first slash, a dot is part of a name (NormalizeSysctl)."""
    first = next((letter for letter in sysctl if letter in './'), '.')
    return sysctl if first == '.' else sysctl.translate(str.maketrans('./', '/.'))


def gate_in_effect(values: Mapping[str, Value], gate: str, release: Release) -> Value | Unknown:
    if gate in STAGE_GATES:
        return lookup(values, f'{FEATURE_GATES}.{gate}') is True
    state = is_on(values, gate, release)
    return state if state is not None else Unknown(f'Kubernetes {release} has no feature gate {gate}', WITHOUT_IT)


def is_in_release(field: str, release: Release) -> bool:
    """Whether the release has a field, and each struct around it."""
    row = KUBELET_CONFIGURATION
    for name in parts_of_path(field):
        if row.fields is None:
            return True
        row = row.fields[name]
        if not row.is_in(release):
            return False
    return True


def with_values(declared: Declared, found: Mapping[str, Value | Unknown]) -> Declared:
    values: Mapping[str, Value] = declared.values
    for field, value in found.items():
        if not isinstance(value, Unknown):
            values = with_value(values, parts_of_path(field), value)
    unknown = {field: value for field, value in found.items() if isinstance(value, Unknown)}
    origins = {field: origin for field in found if (origin := origin_in_effect(declared, field)) is not None}
    return replace(
        declared,
        values=values,
        undecided={**unknown, **declared.undecided},
        origins={**declared.origins, **origins},
    )


def with_value(values: Mapping[str, Value], names: Sequence[str], value: Value) -> Mapping[str, Value]:
    """A copy of nested values with another value at one place."""
    name, *rest = names
    inner = values.get(name)
    if not rest:
        return values if name in values and inner is value else {**values, name: value}
    return {**values, name: with_value(inner if isinstance(inner, Mapping) else {}, rest, value)}


def origin_in_effect(declared: Declared, field: str) -> Origin | None:
    """Where the value of a field was set. A key of a map is also decided where the whole map is replaced."""
    own, parent = declared.origins.get(field), field.partition('.')[0]
    if is_flag(field) or row_of(field) is not None:
        return own
    if parent == FEATURE_GATES:
        return own or (origin_of_group(declared, field) if declared.unknown is None else None)
    of_map = declared.origins.get(parent)
    return of_map if own is None or was_flag(of_map) else own


def origin_of_group(declared: Declared, field: str) -> Origin | None:
    """Where AllAlpha or AllBeta was set, if that decides a gate."""
    gate = field.partition('.')[2]
    for group, letters in STAGE_GATES.items():
        origin = declared.origins.get(f'{FEATURE_GATES}.{group}')
        if origin is not None and all((stage(gate, Release(minor)) or 'x') in letters for minor in declared.minors):
            return origin
    return None


def running_with(
    running: Configuration | Unknown, declared: Declared, found: Mapping[str, Value | Unknown]
) -> Configuration | Unknown:
    """The running configuration with the values in effect. Unknown if one of them is."""
    if isinstance(running, Unknown):
        return running
    if any(is_flag(field) for field in found) and not (declared.flags_known and declared.launch is None):
        return NOT_ASKED
    values: Mapping[str, Value] = running.values
    for field, value in found.items():
        if isinstance(value, Unknown):
            return value
        if not is_flag(field) and value is not None:
            values = with_value(values, parts_of_path(field), value)
    return Configuration(dict(values), running.origins)
