# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import re

import pytest

from datadog_checks.kubelet_compliance.kubelet.release import ALL, Release
from datadog_checks.kubelet_compliance.kubelet.tables.field_kinds import Field, Kind
from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION
from datadog_checks.kubelet_compliance.kubelet.tables.flag_kinds import BARE_KINDS, Flag, FlagKind
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS, SHORTHANDS
from tests.support.by_release import FLAGS_OF, facts_of

WITH_FIELD = [(name, flag) for name, flag in FLAGS.items() if flag.field is not None]
UPSTREAM = {name: flag for name, flag in FLAGS.items() if flag.is_upstream}

GO_TYPES = {
    'Bool': FlagKind.BOOL,
    'String': FlagKind.STRING,
    'Int': FlagKind.INT,
    'Int32': FlagKind.INT32,
    'Int64': FlagKind.INT64,
    'Uint64': FlagKind.UINT64,
    'Float64': FlagKind.FLOAT64,
    'Duration': FlagKind.DURATION,
    'QuantityValue': FlagKind.QUANTITY,
    'IPVar': FlagKind.IP,
    'StringSlice': FlagKind.STRING_SLICE,
    'MapStringString': FlagKind.MAP_STRING_STRING,
    'MapStringStringNoSplit': FlagKind.MAP_STRING_STRING_ONE,
    'MapStringBool': FlagKind.MAP_STRING_BOOL,
    'ColonSeparatedMultimapStringString': FlagKind.MULTIMAP,
    'LangleSeparatedMapStringString': FlagKind.EVICTION,
    'ConfigurationMap': FlagKind.NODE_LABELS,
    'TaintsVar': FlagKind.TAINTS_TO_ADD,
    'RegisterWithTaintsVar': FlagKind.TAINTS,
    'ReservedMemoryVar before 1.24': FlagKind.RESERVED_MEMORY_OF_ONE_NODE,
    'ReservedMemoryVar': FlagKind.RESERVED_MEMORY,
    'versionValue before 1.28': FlagKind.RAW_OR_BOOL,
    'versionValue': FlagKind.VERSION,
    'klog.Level': FlagKind.SIGNED_LOG_LEVEL,
    'VerbosityLevel': FlagKind.LOG_LEVEL,
    'klog.severityValue': FlagKind.SEVERITY,
    'klog.traceLocation': FlagKind.TRACE_LOCATION,
    'klog.moduleSpec': FlagKind.VMODULE,
    'VModuleConfiguration': FlagKind.VMODULE,
}

WAS_LIBRARY = {'log-flush-frequency', 'v', 'vmodule'}
"""Up to 1.22 only. A flag with a value parses the same in both ways, and no rule needs these three."""

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
def test_a_name_is_normalized(name: str) -> None:
    assert re.fullmatch(r'[a-z0-9]+(-[a-z0-9]+)*', name)


def test_names_are_sorted() -> None:
    assert list(FLAGS) == sorted(FLAGS)


@pytest.mark.parametrize('name, flag', WITH_FIELD, ids=[name for name, _ in WITH_FIELD])
def test_a_field_exists_with_a_kind_that_goes_with_the_flag(name: str, flag: Flag) -> None:
    assert flag.field is not None
    assert field_of(flag.field).kind in KINDS_OF_FIELDS[flag.kind]


@pytest.mark.parametrize('minor', FLAGS_OF)
def test_a_release_has_exactly_the_flags_of_its_sources_with_their_kinds(minor: int) -> None:
    release = Release(minor)
    found = {name: flag.kind_in(release) for name, flag in UPSTREAM.items() if flag.is_in(release)}
    assert found == {name: GO_TYPES[kind.removesuffix(' library')] for name, kind in facts_of('flags', minor).items()}


@pytest.mark.parametrize('minor', FLAGS_OF)
def test_the_flags_of_libraries_are_those_that_the_sources_take_from_them(minor: int) -> None:
    of_libraries = {name for name, kind in facts_of('flags', minor).items() if kind.endswith(' library')}
    assert {name for name in facts_of('flags', minor) if FLAGS[name].library} == of_libraries - WAS_LIBRARY
    assert minor == 21 or not of_libraries & WAS_LIBRARY


@pytest.mark.parametrize('name, flag', FLAGS.items(), ids=FLAGS)
def test_releases_are_known_ones_in_order(name: str, flag: Flag) -> None:
    last = max(ALL) if flag.until is None else flag.until
    assert {flag.since, last} <= ALL
    assert flag.since <= last
    assert flag.older is None or flag.since <= flag.older[0] < last


def test_only_a_flag_whose_kind_changed_asks_for_the_release() -> None:
    asked = {}
    for name, flag in FLAGS.items():
        release = Release(36)
        flag.kind_in(release)
        if release.asked:
            asked[name] = release.asked
    assert asked == {
        'register-with-taints': {23},
        'reserved-memory': {24},
        'topology-manager-policy-options': {31},
        'v': {23},
        'version': {28},
    }


def test_three_flags_name_a_source_of_configuration() -> None:
    assert {name for name, flag in FLAGS.items() if flag.names_configuration} == {
        'config',
        'config-dir',
        'dynamic-config-dir',
    }


def test_every_flag_about_configuration_was_considered() -> None:
    others = {
        'azure-container-registry-config',
        'bootstrap-kubeconfig',
        'cloud-config',
        'cni-conf-dir',
        'experimental-bootstrap-kubeconfig',
        'image-credential-provider-config',
        'kubeconfig',
    }
    named = {name for name, flag in FLAGS.items() if flag.names_configuration}
    assert {name for name in FLAGS if 'conf' in name} - {'resolv-conf'} == named | others


def test_vendor_flags_are_in_no_release() -> None:
    vendors = set(FLAGS) - set(UPSTREAM)
    assert vendors == {'max-housekeeping-interval', 'pod-sysctls'}
    assert not any(vendors & set(facts_of('flags', minor)) for minor in FLAGS_OF)


def test_a_library_flag_sets_no_field() -> None:
    assert [name for name, flag in FLAGS.items() if flag.library and flag.field is not None] == []


def test_only_deprecated_spellings_share_a_field() -> None:
    fields = [flag.field for _, flag in WITH_FIELD]
    assert sorted({field for field in fields if fields.count(field) > 1 and field}) == ['kernelMemcgNotification']


def test_only_booleans_and_the_version_can_be_bare() -> None:
    assert BARE_KINDS == {FlagKind.BOOL, FlagKind.VERSION, FlagKind.RAW_OR_BOOL}


def test_a_flag_can_be_bare_in_all_releases_or_in_none() -> None:
    changed = [flag for flag in FLAGS.values() if flag.older is not None]
    assert all((flag.kind in BARE_KINDS) == (flag.older[1] in BARE_KINDS) for flag in changed if flag.older)


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
