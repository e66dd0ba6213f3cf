# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.formats.go import parse_duration
from datadog_checks.kubelet_compliance.kubelet.release import ALL, OLDEST, Release
from datadog_checks.kubelet_compliance.kubelet.tables.field_kinds import SAME, Field, Kind
from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION, TAINT
from tests.support.by_release import FIELDS_OF, facts_of
from tests.support.paths import TESTS

CONFIGZ = TESTS / 'truth' / 'configz'
BODIES = {path.stem: json.loads(path.read_text())['kubeletconfig'] for path in sorted(CONFIGZ.glob('*.json'))}

SECOND = 1_000_000_000


def leaves(spec: Field, path: str = '') -> Iterator[tuple[str, Field]]:
    """Every field that is not a struct, by dotted path."""
    for name, inner in (spec.fields or {}).items():
        if inner.kind is Kind.STRUCT:
            yield from leaves(inner, f'{path}{name}.')
        else:
            yield path + name, inner


LEAVES = dict(leaves(KUBELET_CONFIGURATION))


def wrong(value: Any, spec: Field, path: str) -> Iterator[str]:
    """The paths in a /configz body that the table lacks, or has with another kind."""
    if spec.kind is Kind.STRUCT:
        for name, member in value.items():
            inner = (spec.fields or {}).get(name)
            yield from wrong(member, inner, f'{path}.{name}') if inner is not None else [f'{path}.{name}']
    elif spec.kind in (Kind.LIST, Kind.MAP):
        assert spec.items is not None
        if type(value) is not {Kind.LIST: list, Kind.MAP: dict}[spec.kind]:
            yield path
        for item in value.values() if isinstance(value, dict) else value:
            yield from wrong(item, spec.items, path)
    elif not fits(value, spec.kind):
        yield path


def fits(value: Any, kind: Kind) -> bool:
    if kind in (Kind.DURATION, Kind.TIME_OR_DURATION):
        return isinstance(value, str) and isinstance(parse_duration(value), int)
    types = {
        Kind.BOOL: bool,
        Kind.INT32: int,
        Kind.INT64: int,
        Kind.UINT32: int,
        Kind.FLOAT64: float,
        Kind.STRING: str,
        Kind.QUANTITY: str,
        Kind.TIME: str,
    }
    return type(value) is types[kind]


@pytest.mark.parametrize('name', BODIES)
def test_every_field_of_a_running_kubelet_is_in_the_table_with_its_kind(name: str) -> None:
    assert list(wrong(BODIES[name], KUBELET_CONFIGURATION, '')) == []


def test_there_are_bodies_of_five_releases() -> None:
    assert len(BODIES) >= 7


GO_TYPES = {
    'bool': Kind.BOOL,
    'int32': Kind.INT32,
    'int64': Kind.INT64,
    'uint32': Kind.UINT32,
    'float64': Kind.FLOAT64,
    'string': Kind.STRING,
    'Duration': Kind.DURATION,
    'TimeOrDuration': Kind.TIME_OR_DURATION,
    'Quantity': Kind.QUANTITY,
    'list': Kind.LIST,
    'map': Kind.MAP,
    'struct': Kind.STRUCT,
}


def known(spec: Field, release: Release, path: str = '') -> Iterator[tuple[str, Kind, bool]]:
    """Every field of a release, by dotted path, with its type and whether it is a pointer."""
    for name, inner in (spec.fields or {}).items():
        if inner.is_in(release):
            row = inner.row_in(release)
            yield path + name, row.kind, row.nullable
            items = row.items.fields if row.items is not None else None
            yield from known(row, release, f'{path}{name}.')
            yield from known(Field(Kind.STRUCT, fields=items), release, f'{path}{name}[].')


@pytest.mark.parametrize('minor', FIELDS_OF)
def test_a_release_has_exactly_the_fields_of_its_sources_with_their_types(minor: int) -> None:
    of_other_modules = {'kind', 'apiVersion', *(f'registerWithTaints[].{name}' for name in TAINT.fields or {})}
    found = {
        path: (kind, is_pointer)
        for path, kind, is_pointer in known(KUBELET_CONFIGURATION, Release(minor))
        if path not in of_other_modules
    }
    facts = facts_of('fields', minor).items()
    assert found == {path: (GO_TYPES[kind.lstrip('*')], kind.startswith('*')) for path, kind in facts}


def rows(spec: Field, path: str = '') -> Iterator[tuple[str, Field]]:
    for name, inner in (spec.fields or {}).items():
        yield path + name, inner
        yield from rows(inner, f'{path}{name}.')


ROWS = dict(rows(KUBELET_CONFIGURATION))


@pytest.mark.parametrize('path, spec', ROWS.items(), ids=ROWS)
def test_releases_are_known_ones_in_order(path: str, spec: Field) -> None:
    last = max(ALL) if spec.until is None else spec.until
    assert OLDEST <= spec.since <= last <= max(ALL)
    while spec.older is not None:
        assert ROWS[path].since <= spec.older[0] < last
        last, spec = spec.older


def test_a_row_that_changed_twice_is_that_of_the_release() -> None:
    factor = LEAVES['memoryThrottlingFactor']
    assert [factor.row_in(Release(minor)).default for minor in (26, 27, 36, 37)] == [0.8, 0.9, 0.9, None]


def test_a_row_depends_only_on_the_releases_that_changed_it() -> None:
    release = Release(36)
    assert LEAVES['readOnlyPort'].row_in(release) is LEAVES['readOnlyPort']
    assert release.asked == set()
    LEAVES['eventRecordQPS'].row_in(release)
    assert release.asked == {27}


@pytest.mark.parametrize(
    'path, default, legacy_default',
    [
        ('makeIPTablesUtilChains', True, SAME),
        ('authentication.anonymous.enabled', False, True),
        ('authentication.webhook.enabled', True, False),
        ('authorization.mode', 'Webhook', 'AlwaysAllow'),
        ('readOnlyPort', None, 10255),
        ('streamingConnectionIdleTimeout', 4 * 3600 * SECOND, SAME),
        ('protectKernelDefaults', None, SAME),
        ('eventRecordQPS', 50, SAME),
        ('rotateCertificates', None, SAME),
        ('serverTLSBootstrap', None, SAME),
        ('podPidsLimit', -1, SAME),
        ('seccompDefault', False, SAME),
        ('tlsCipherSuites', None, SAME),
        ('address', '0.0.0.0', SAME),
        ('healthzPort', 10248, SAME),
        ('failSwapOn', True, SAME),
        ('enforceNodeAllocatable', ('pods',), SAME),
    ],
)
def test_a_judged_field_has_its_two_defaults(path: str, default: Any, legacy_default: Any) -> None:
    assert (LEAVES[path].default, LEAVES[path].legacy_default) == (default, legacy_default)


def test_only_four_fields_differ_without_a_file() -> None:
    assert {path for path, spec in LEAVES.items() if spec.legacy_default is not SAME} == {
        'authentication.anonymous.enabled',
        'authentication.webhook.enabled',
        'authorization.mode',
        'readOnlyPort',
    }


@pytest.mark.parametrize('path, spec', LEAVES.items(), ids=LEAVES)
def test_a_default_has_the_kind_of_its_field(path: str, spec: Field) -> None:
    expected: dict[Kind, type | tuple[type, ...]] = {
        Kind.BOOL: bool,
        Kind.FLOAT64: float,
        Kind.STRING: str,
        Kind.QUANTITY: str,
        Kind.LIST: tuple,
    }
    for default in (spec.default, spec.legacy_default):
        if default is not None and default is not SAME and spec.kind is not Kind.MAP:
            assert isinstance(default, expected.get(spec.kind, int))
            assert spec.kind is Kind.BOOL or not isinstance(default, bool)


@pytest.mark.parametrize('path, spec', LEAVES.items(), ids=LEAVES)
def test_only_lists_and_maps_have_elements(path: str, spec: Field) -> None:
    assert (spec.items is not None) == (spec.kind in (Kind.LIST, Kind.MAP))


def test_no_two_names_of_a_struct_differ_by_case_only() -> None:
    def structs(spec: Field) -> Iterator[Field]:
        yield spec
        for inner in (spec.fields or {}).values():
            yield from structs(inner)

    for spec in structs(KUBELET_CONFIGURATION):
        assert len({name.lower() for name in spec.fields or {}}) == len(spec.fields or {})
