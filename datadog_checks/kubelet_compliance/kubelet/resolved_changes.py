# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The values that a kubelet of another release would run with, compared with those of today's release. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from datadog_checks.kubelet_compliance.model import Declared, Origin, Source, UpgradeItem, UpgradeSubject, Value

from .decoding import Configuration
from .defaults import set_defaults
from .formats.go import MINUTE
from .pending import IDENTITY, is_same
from .refusals import WholeReading
from .release import NEWEST, Release
from .tables.field_kinds import Field, Kind
from .tables.fields import KUBELET_CONFIGURATION

GATES_FIELD = 'featureGates'
BUILT_IN: Mapping[str, Value] = {
    'crashLoopBackOff.maxContainerRestartPeriod': 5 * MINUTE,
    'enableSystemLogQuery': False,
}
"""Values that the kubelet uses where the field is not set."""


def changes_between(today: Sequence[Declared], reading: WholeReading, minor: int) -> tuple[UpgradeItem, ...]:
    """The fields whose value would be another, if each possible release of today agrees on that."""
    if reading.configuration is None or not today or any(declared.unknown is not None for declared in today):
        return ()
    release = Release(minor)
    found = [tuple(iter_changes(declared, reading.configuration, release)) for declared in today]
    return tuple(change for change in found[0] if all(change in others for others in found[1:]))


def iter_changes(declared: Declared, configuration: Configuration, release: Release) -> Iterator[UpgradeItem]:
    builtin = builtin_values(declared)
    for path, spec in iter_leaves(KUBELET_CONFIGURATION, '', release):
        is_new = max(declared.minors, default=release.minor) < spec.since
        before, after = builtin.get(path) if is_new else declared.value(path), configuration.get(path)
        if path in IDENTITY or is_same(value_used(path, before), value_used(path, after)):
            continue
        origin = configuration.origins.get(path)
        if spec.kind is Kind.MAP and isinstance(after, Mapping) and isinstance(before, Mapping):
            origin = origin_of_key(path, before, after, configuration) or origin
        yield UpgradeItem(
            UpgradeSubject.FIELD, path, why_changed(path, spec, declared, origin), origin, before=before, after=after
        )


def value_used(path: str, value: Value) -> Value:
    return BUILT_IN.get(path) if value is None else value


def builtin_values(declared: Declared) -> Configuration:
    """The values of fields that today's release does not have yet, by which it works all the same."""
    found = Configuration()
    gates = declared.value(GATES_FIELD)
    release = Release(max(declared.minors, default=NEWEST))
    set_defaults(found, release, gates=gates if isinstance(gates, Mapping) else {})
    return found


def origin_of_key(
    path: str, before: Mapping[str, Value], after: Mapping[str, Value], configuration: Configuration
) -> Origin | None:
    """Where the first key of a map is set that differs."""
    keys = [key for key in after if before.get(key) != after[key]]
    return configuration.origins.get(f'{path}.{keys[0]}') if keys else None


def iter_leaves(spec: Field, path: str, release: Release) -> Iterator[tuple[str, Field]]:
    """Every field that the release has, by dotted path, structs taken apart. It has the `since` of its struct."""
    for name, inner in (spec.fields or {}).items():
        inner_path = f'{path}.{name}' if path else name
        if not inner.is_in(release):
            continue
        inner = replace(inner, since=max(spec.since, inner.since))
        if inner.kind is Kind.STRUCT:
            yield from iter_leaves(inner, inner_path, release)
        else:
            yield inner_path, inner


def why_changed(path: str, spec: Field, declared: Declared, origin: Origin | None) -> str:
    """What makes the difference: a field that today's release does not have yet, another default, or other rules."""
    if origin is None or origin.source is Source.DEFAULT:
        was_set = path in declared.origins and declared.origins[path].source is not Source.DEFAULT
        return 'the kubelet would ignore the value that is set' if was_set else 'the releases have different defaults'
    if declared.minors and max(declared.minors) < spec.since:
        return f'Kubernetes 1.{spec.since} introduced this field; earlier releases ignore it'
    if origin.source is Source.DROP_IN:
        return 'the releases merge drop-ins in different ways'
    return 'the releases read this value in different ways'


def ignored_fields(reading: WholeReading, today: frozenset[int]) -> tuple[UpgradeItem, ...]:
    """The fields in the files that a release of today obeys, and that the target release no longer has."""
    found = []
    for path, origin in reading.ignored:
        spec = field_at(path)
        if spec is not None and spec.until is not None and any(spec.since <= minor <= spec.until for minor in today):
            why = f'Kubernetes 1.{spec.until + 1} removed this field, and later releases ignore it'
            found.append(UpgradeItem(UpgradeSubject.FIELD, path, why, origin))
    return tuple(found)


def field_at(path: str) -> Field | None:
    """The row of a dotted path. None if there is none."""
    spec: Field | None = KUBELET_CONFIGURATION
    for name in path.split('.'):
        spec = (spec.fields or {}).get(name) if spec is not None else None
    return spec
