# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What follows from the kubelet's tables for the fields of each rule."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.model import Rule, Value
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY, SETTING_RULES
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.field_facts import (
    FLAG_OF_FIELD,
    default_holds,
    default_values,
    flag_that_sets,
    is_flag,
    row_of,
    value_if_left_out,
)
from datadog_checks.kubelet_compliance.rules.fixes import flag_of
from tests.support.cases import TRUTH

EVERYTHING_SET = json.loads((TRUTH / 'configz' / 'kubelet-1.36-everything-set.json').read_text())['kubeletconfig']
GATE = 'featureGates.RotateKubeletServerCertificate'


@pytest.mark.parametrize(
    ('field', 'flag'),
    [
        pytest.param('makeIPTablesUtilChains', '--make-iptables-util-chains', id='a field'),
        pytest.param('authentication.x509.clientCAFile', '--client-ca-file', id='a field in a struct'),
        pytest.param(GATE, '--feature-gates', id='a key of a map'),
        pytest.param('--hostname-override', '--hostname-override', id='a flag that sets no field'),
        pytest.param('kernelMemcgNotification', '--kernel-memcg-notification', id='not the flag of older releases'),
        pytest.param('seccompDefault', None, id='a flag that works beside the field does not set it'),
        pytest.param('memorySwap.swapBehavior', None, id='a field without a flag'),
    ],
)
def test_the_flag_of_a_field_follows_from_the_flags(field: str, flag: str | None) -> None:
    assert flag_that_sets(field) == flag


def test_no_two_flags_of_current_kubelets_set_one_field() -> None:
    fields = Counter(row.field for row in FLAGS.values() if row.field is not None and row.until is None)
    assert set(fields.values()) == {1}
    assert len(FLAG_OF_FIELD) == len(fields)


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        pytest.param('protectKernelDefaults', False, id='a boolean'),
        pytest.param('readOnlyPort', 0, id='a number'),
        pytest.param('staticPodPath', '', id='a text'),
        pytest.param('tlsCipherSuites', (), id='a list'),
        pytest.param('authorization.mode', '', id='in a struct'),
        pytest.param('makeIPTablesUtilChains', None, id='a pointer is always written'),
        pytest.param('streamingConnectionIdleTimeout', None, id='a duration is always written'),
        pytest.param(GATE, None, id='a feature gate has its own default'),
        pytest.param('--hostname-override', None, id='/configz shows no flags'),
    ],
)
def test_what_configz_means_by_leaving_a_field_out(field: str, value: Value) -> None:
    assert value_if_left_out(field) == value
    assert type(value_if_left_out(field)) is type(value)


@pytest.mark.parametrize(
    ('field', 'values'),
    [
        pytest.param('readOnlyPort', (0, 10255), id='with and without a file'),
        pytest.param('eventRecordQPS', (50, 50, 5, 5), id='in newer and older releases'),
        pytest.param(GATE, (None,), id='a feature gate'),
        pytest.param('--hostname-override', (None,), id='a flag'),
    ],
)
def test_the_defaults_of_a_field_are_those_of_all_releases(field: str, values: tuple[Value, ...]) -> None:
    assert default_values(field) == values


@pytest.mark.parametrize(
    ('key', 'holds'),
    [
        pytest.param('make_iptables_util_chains', True, id='the default is right'),
        pytest.param('streaming_connection_idle_timeout', True, id='a duration'),
        pytest.param('event_qps', True, id='two defaults, both right'),
        pytest.param('hostname_override', True, id='a flag that is not given'),
        pytest.param('static_pod_path', True, id='a field that is not set'),
        pytest.param('read_only_port', False, id='right with a file only'),
        pytest.param('anonymous_auth', False, id='a pointer, right with a file only'),
        pytest.param('authorization_mode', False, id='a text, right with a file only'),
        pytest.param('client_ca_file', False, id='nothing where a file is wanted'),
        pytest.param('pod_max_pids', False, id='no limit'),
        pytest.param('protect_kernel_defaults', False, id='false'),
        pytest.param('rotate_certificates', False, id='false, whatever the benchmark takes for the default'),
        pytest.param('seccomp_default', False, id='neither the field nor the flag'),
        pytest.param('tls_cert_file', False, id='three fields, none set'),
        pytest.param('rotate_kubelet_server_certificate', False, id='a gate that is on and no certificate'),
        pytest.param('tls_cipher_suites', False, id='no list'),
    ],
)
def test_whether_a_rule_holds_at_its_defaults(key: str, holds: bool) -> None:
    judging = [benchmark for benchmark in BENCHMARKS.values() if key in benchmark.controls]
    assert {default_holds(RULES_BY_KEY[key], benchmark) for benchmark in judging} == {holds}


@pytest.mark.parametrize('rule', SETTING_RULES, ids=lambda rule: rule.key)
def test_a_rule_reads_fields_and_flags_that_exist(rule: Rule) -> None:
    for field in rule.fields:
        if is_flag(field):
            assert FLAGS[field.removeprefix('--')].field is None
        elif row_of(field) is not None:
            shown = EVERYTHING_SET
            for name in field.split('.'):
                shown = shown[name]


EXCEPTIONS = {('seccomp_default', 'seccompDefault'): '--seccomp-default'}
"""Changes whose flag the tables do not connect with the field: --seccomp-default works beside seccompDefault."""


def test_a_row_names_a_flag_only_where_the_tables_do_not() -> None:
    named = {
        (rule.key, change.name): change.flag for rule in RULES_BY_KEY.values() for change in rule.fix if change.flag
    }
    assert named == EXCEPTIONS
    assert all(flag_that_sets(name) is None for _, name in named)
    flags = {flag_of(change) for rule in SETTING_RULES for change in rule.fix} - {None}
    assert flags and flags <= {f'--{name}' for name in FLAGS}
