# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a capture leaves out, and what is never shown."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from datadog_checks.kubelet_compliance.kubelet.tables.field_kinds import (
    Field,
    Kind,
    iter_secret_fields,
    list_of,
    map_of,
    secret,
    struct,
)
from datadog_checks.kubelet_compliance.kubelet.tables.flag_kinds import Flag, FlagKind
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.reporting import redact
from datadog_checks.kubelet_compliance.reporting.redact import (
    redact_arguments,
    redact_configuration,
    without_secret_flags,
)
from tests.support.nodes import HEAD


@pytest.mark.parametrize(
    'arguments, kept',
    [
        (('--config', '/c', '--v=2'), ('--config', '/c', '--v=2')),
        (('--nonsense', 'x', '--y=z', '--config=/c'), ('--nonsense', 'left-out', '--y=left-out', '--config=left-out')),
        (('--v', '2', 'word', '', '--'), ('--v', '2', 'left-out', '', '--')),
        (('-v', '3', '-v4', '--cloud_config', 'x'), ('-v', '3', '-v4', '--cloud_config', 'left-out')),
        (('--make-iptables-util-chains', 'false'), ('--make-iptables-util-chains', 'left-out')),
    ],
)
def test_a_capture_keeps_only_arguments_that_matter(arguments: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert redact_arguments(arguments) == kept


def test_a_file_without_secrets_is_kept_byte_for_byte() -> None:
    data = f'{HEAD}makeIPTablesUtilChains: false\nclusterDNS:\n- 10.96.0.10\n'.encode()
    assert redact_configuration(data, lambda _: True) == data


def changed_rows(monkeypatch: pytest.MonkeyPatch, **rows: Flag) -> None:
    """The table of flags with other rows, by name."""
    names = {name.replace('_', '-'): flag for name, flag in rows.items()}
    monkeypatch.setattr(redact, 'FLAGS', MappingProxyType({**FLAGS, **names}))


@pytest.mark.parametrize(
    'flag, shown, captured',
    [
        pytest.param(Flag(FlagKind.STRING, secret=True), False, False, id='a secret'),
        pytest.param(Flag(FlagKind.STRING, 'staticPodURL'), False, False, id='a flag that sets a secret field'),
        pytest.param(Flag(FlagKind.STRING, secret=True, is_kept=True), False, False, id='a secret, marked as kept too'),
        pytest.param(Flag(FlagKind.STRING), True, False, id='a text that sets no field: no verdict needs it'),
        pytest.param(Flag(FlagKind.STRING, is_kept=True), True, True, id='a text that a verdict needs'),
        pytest.param(Flag(FlagKind.STRING, 'clusterDomain'), True, True, id='a text that sets a field'),
        pytest.param(Flag(FlagKind.NODE_LABELS), True, True, id='a kind of its own'),
    ],
)
@pytest.mark.parametrize('typed', [('--new-flag=x7',), ('--new-flag', 'x7'), ('--new_flag=x7',)], ids=' '.join)
def test_the_row_of_a_flag_says_whether_its_value_is_shown_and_captured(
    flag: Flag, shown: bool, captured: bool, typed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_rows(monkeypatch, new_flag=flag)
    assert ('x7' in ' '.join(without_secret_flags(('kubelet', *typed)))) is shown
    assert ('x7' in ' '.join(redact_arguments(typed))) is captured


def test_a_flag_without_a_row_is_not_captured() -> None:
    assert 'x7' not in ' '.join(redact_arguments(('--new-flag=x7', 'x7')))


def test_pairs_with_a_secret_remain_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    changed_rows(monkeypatch, new_flag=Flag(FlagKind.MULTIMAP, secret=True))
    assert redact_arguments(('--new-flag=A:x7,B:x7',)) == ('--new-flag=left-out:left-out',)


def test_the_flags_with_a_secret_are_known() -> None:
    secrets = {name for name, flag in FLAGS.items() if redact.is_secret(flag)}
    assert secrets == {'manifest-url', 'manifest-url-header', 'storage-driver-password'}


@pytest.mark.parametrize(
    'field, is_captured',
    [
        pytest.param(secret(Field(Kind.STRING)), False, id='a secret'),
        pytest.param(secret(map_of(Field(Kind.STRING))), False, id='a map of secrets'),
        pytest.param(struct({'token': secret(Field(Kind.STRING))}), False, id='a secret in a struct'),
        pytest.param(list_of(struct({'token': secret(Field(Kind.STRING))})), False, id='a secret in a list'),
        pytest.param(Field(Kind.STRING), True, id='without the mark'),
        pytest.param(None, False, id='without a row'),
    ],
)
def test_the_row_of_a_field_says_whether_its_value_is_captured(
    field: Field | None, is_captured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {'kind': Field(Kind.STRING), 'apiVersion': Field(Kind.STRING), **({'newField': field} if field else {})}
    monkeypatch.setattr(redact, 'KUBELET_CONFIGURATION', struct(rows))
    names = frozenset(path.rpartition('.')[2].lower() for path in iter_secret_fields(struct(rows)))
    monkeypatch.setattr(redact, 'SECRET_FIELDS', names)
    value = '[{token: x7}]' if field and field.items and field.kind is Kind.LIST else '{token: x7}'
    data = f'{HEAD}newField: {"x7" if field is None or field.kind is Kind.STRING else value}\n'.encode()
    kept = redact_configuration(data, lambda _: True)
    assert kept is not None and (b'x7' in kept) is is_captured
