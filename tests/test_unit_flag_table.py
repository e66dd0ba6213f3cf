# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import re

import pytest

from datadog_checks.kubelet_compliance.fields import KUBELET_CONFIGURATION, Field, Kind
from datadog_checks.kubelet_compliance.flag_table import BARE_KINDS, FLAGS, SHORTHANDS, Flag, FlagKind

WITH_FIELD = [(name, flag) for name, flag in FLAGS.items() if flag.field is not None]
RELEASE = re.compile(r'1\.(2[0-9]|3[0-6])')

KINDS_OF_FIELDS = {
    FlagKind.BOOL: {Kind.BOOL},
    FlagKind.STRING: {Kind.STRING},
    FlagKind.INT32: {Kind.INT32},
    FlagKind.INT64: {Kind.INT64},
    FlagKind.DURATION: {Kind.DURATION, Kind.TIME_OR_DURATION},
    FlagKind.QUANTITY: {Kind.QUANTITY},
    FlagKind.IP: {Kind.STRING},
    FlagKind.STRING_SLICE: {Kind.LIST},
    FlagKind.MAP_STRING_STRING: {Kind.MAP},
    FlagKind.MAP_STRING_STRING_ONE: {Kind.MAP},
    FlagKind.MAP_STRING_BOOL: {Kind.MAP},
    FlagKind.MULTIMAP: {Kind.MAP},
    FlagKind.EVICTION: {Kind.MAP},
    FlagKind.TAINTS: {Kind.LIST},
    FlagKind.RESERVED_MEMORY: {Kind.LIST},
    FlagKind.LOG_LEVEL: {Kind.UINT32},
    FlagKind.VMODULE: {Kind.LIST},
}


def field_of(path: str) -> Field:
    field = KUBELET_CONFIGURATION
    for name in path.split('.'):
        assert field.fields is not None
        field = field.fields[name]
    return field


@pytest.mark.parametrize('name', FLAGS)
def test_a_name_is_normalised(name: str) -> None:
    assert re.fullmatch(r'[a-z0-9]+(-[a-z0-9]+)*', name)


def test_names_are_sorted() -> None:
    assert list(FLAGS) == sorted(FLAGS)


@pytest.mark.parametrize('name, flag', WITH_FIELD, ids=[name for name, _ in WITH_FIELD])
def test_a_field_exists_with_a_kind_that_goes_with_the_flag(name: str, flag: Flag) -> None:
    assert flag.field is not None
    assert field_of(flag.field).kind in KINDS_OF_FIELDS[flag.kind]


@pytest.mark.parametrize('name, flag', FLAGS.items(), ids=FLAGS)
def test_releases_are_known_ones_in_order(name: str, flag: Flag) -> None:
    assert RELEASE.fullmatch(flag.since)
    assert flag.until is None or RELEASE.fullmatch(flag.until) and flag.since <= flag.until


def test_a_library_flag_writes_no_field() -> None:
    assert [name for name, flag in FLAGS.items() if flag.library and flag.field is not None] == []


def test_only_deprecated_spellings_share_a_field() -> None:
    fields = [flag.field for _, flag in WITH_FIELD]
    assert sorted({field for field in fields if fields.count(field) > 1 and field}) == ['kernelMemcgNotification']


def test_only_booleans_and_the_version_go_bare() -> None:
    assert BARE_KINDS == {FlagKind.BOOL, FlagKind.VERSION}


def test_the_short_forms_are_those_of_help_and_verbosity() -> None:
    assert SHORTHANDS == {'h': 'help', 'v': 'v'}


@pytest.mark.parametrize(
    'name, kind, field',
    [
        ('make-iptables-util-chains', FlagKind.BOOL, 'makeIPTablesUtilChains'),
        ('anonymous-auth', FlagKind.BOOL, 'authentication.anonymous.enabled'),
        ('authorization-mode', FlagKind.STRING, 'authorization.mode'),
        ('client-ca-file', FlagKind.STRING, 'authentication.x509.clientCAFile'),
        ('read-only-port', FlagKind.INT32, 'readOnlyPort'),
        ('streaming-connection-idle-timeout', FlagKind.DURATION, 'streamingConnectionIdleTimeout'),
        ('event-qps', FlagKind.INT32, 'eventRecordQPS'),
        ('tls-cert-file', FlagKind.STRING, 'tlsCertFile'),
        ('tls-private-key-file', FlagKind.STRING, 'tlsPrivateKeyFile'),
        ('tls-cipher-suites', FlagKind.STRING_SLICE, 'tlsCipherSuites'),
        ('rotate-certificates', FlagKind.BOOL, 'rotateCertificates'),
        ('rotate-server-certificates', FlagKind.BOOL, 'serverTLSBootstrap'),
        ('protect-kernel-defaults', FlagKind.BOOL, 'protectKernelDefaults'),
        ('pod-max-pids', FlagKind.INT64, 'podPidsLimit'),
        ('feature-gates', FlagKind.MAP_STRING_BOOL, 'featureGates'),
        ('seccomp-default', FlagKind.BOOL, None),
        ('config', FlagKind.STRING, None),
        ('config-dir', FlagKind.STRING, None),
        ('container-runtime', FlagKind.STRING, None),
    ],
)
def test_a_judged_flag_has_its_kind_and_field(name: str, kind: FlagKind, field: str | None) -> None:
    assert (FLAGS[name].kind, FLAGS[name].field) == (kind, field)
