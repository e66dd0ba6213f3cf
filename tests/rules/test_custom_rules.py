# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""From rows to rules, and what such rules say about kubelets that were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.defaults import set_defaults
from datadog_checks.kubelet_compliance.kubelet.release import Release
from datadog_checks.kubelet_compliance.model import Declared, Fact, Origin, Source, Unknown, Verdict
from datadog_checks.kubelet_compliance.rules.custom_rules import CustomRuleError, custom_benchmark, custom_rules
from tests.support.cases import CASES, VARYING, Case
from tests.support.custom import finding_of, row, rule_with
from tests.support.nodes import declare, made_up_host, read_evidence

FILE = '/etc/k.yaml'


def without(name: str, **more: Any) -> dict[str, Any]:
    return {**{key: value for key, value in row('maxPods', at_most=110).items() if key != name}, **more}


@pytest.mark.parametrize(
    'rows, message',
    [
        ({'a': 1}, 'custom_rules is not a list: begin each rule with "- key:"'),
        ('text', 'custom_rules is not a list'),
        ([row('maxPods', is_=1)] * 101, 'custom_rules has 101 rules: at most 100 are possible'),
        (['text'], 'custom rule 1: it is not a mapping: it needs key, title, setting, and an expectation'),
        ([without('key')], 'custom rule 1: key is missing'),
        ([without('title')], 'custom rule 1 (own): title is missing'),
        ([without('', title='  ')], 'custom rule 1 (own): title is missing'),
        ([without('setting')], 'custom rule 1 (own): setting is missing'),
        ([without('at_most')], 'custom rule 1 (own): it has no expectation: specify exactly one of is, is_not, one_of'),
        ([without('', is_not=1)], 'custom rule 1 (own): it has is_not and at_most: specify exactly one of is, '),
        ([without('', titles='a')], "custom rule 1 (own): unknown name 'titles': did you mean title?"),
        ([without('', xyzzy='a')], "custom rule 1 (own): unknown name 'xyzzy'; choose from: key, title, setting, is, "),
        ([{**without(''), 5: 'a'}], 'custom rule 1 (own): each name in it has to be text, such as title'),
        ([without('', key=16**5000)], 'custom rule 1: key needs 1 to 63 characters'),
        ([without('', title=16**5000)], 'title needs text of at most 100 printable characters'),
        ([without('', key='Max-Pods')], 'custom rule 1: key needs 1 to 63 characters of a-z, 0-9, and _, such as '),
        ([without('', key='a' * 64)], 'key needs 1 to 63 characters'),
        ([without('', key=5)], 'key needs 1 to 63 characters'),
        ([without('', key='anonymous_auth')], 'anonymous_auth is already the name of a rule or of a group of rules'),
        ([without('', key='custom')], 'custom is already the name of a rule or of a group of rules'),
        ([without(''), without('')], 'custom rule 2 (own): own is the key of an earlier custom rule'),
        ([without('', title='a\nb')], 'title needs text of at most 100 printable characters, in one line'),
        ([without('', title='a' * 101)], 'title needs text of at most 100 printable characters'),
        ([without('', fix='a' * 201)], 'fix needs text of at most 200 printable characters'),
        ([without('', caution=['a'])], 'caution needs text of at most 120 printable characters'),
        ([without('', setting=5)], 'setting needs text of at most 200 printable characters'),
        ([without('', setting='maxPod')], "custom rule 1 (own): unknown setting 'maxPod': did you mean maxPods"),
    ],
)
def test_a_wrong_row_is_refused_with_its_number_and_what_would_do(rows: Any, message: str) -> None:
    with pytest.raises(CustomRuleError) as error:
        custom_rules(rows)
    assert message in str(error.value)


def test_no_rows_are_no_rules() -> None:
    assert custom_rules(None) == custom_rules([]) == ()


def test_custom_rules_have_a_benchmark_of_their_own_without_numbers() -> None:
    benchmark = custom_benchmark([rule_with('maxPods', at_most=110)])
    assert (benchmark.name, benchmark.framework, benchmark.controls) == ('custom', 'custom', {'own': ()})


def by_file(values: dict[str, Any], *places: str) -> Declared:
    origins = {place: Origin(Source.CONFIG_FILE, f'{FILE}:3', FILE) for place in places}
    return Declared(values, origins, minors=frozenset({36}))


def by_flag(values: dict[str, Any], place: str, flag: str, **more: Any) -> Declared:
    return Declared(values, {place: Origin(Source.FLAG, flag)}, minors=frozenset({36}), **more)


@pytest.mark.parametrize(
    'asked, declared, message',
    [
        pytest.param(
            row('maxPods', at_most=110), by_file({'maxPods': 250}, 'maxPods'),
            f'maxPods is 250 ({FILE}:3); expected at most 110. '
            f'To fix it, set maxPods: 110 in {FILE}, then restart the kubelet',
            id='the bound is the value to set',
        ),
        pytest.param(
            row('streamingConnectionIdleTimeout', at_most='5m'),
            by_file({'streamingConnectionIdleTimeout': 14400 * 10**9}, 'streamingConnectionIdleTimeout'),
            f'streamingConnectionIdleTimeout is 14400000000000 ({FILE}:3); expected at most 5m. '
            f'To fix it, set streamingConnectionIdleTimeout: 5m in {FILE}, then restart the kubelet',
            id='a duration as the row spells it',
        ),
        pytest.param(
            row('featureGates.EnvFiles', is_=False),
            by_file({'featureGates': {'EnvFiles': True}}, 'featureGates', 'featureGates.EnvFiles'),
            f'featureGates.EnvFiles is true ({FILE}:3); expected false. To fix it, set EnvFiles: false under '
            f'featureGates: (do not add a second block) in {FILE}, then restart the kubelet',
            id='a gate in a file',
        ),
        pytest.param(
            row('featureGates.EnvFiles', is_=False),
            by_flag({'featureGates': {'EnvFiles': True}}, 'featureGates.EnvFiles', '--feature-gates=EnvFiles=true'),
            'featureGates.EnvFiles is true (--feature-gates=EnvFiles=true); expected false. To fix it, set '
            'EnvFiles=false in --feature-gates (keep its other gates) in what starts the kubelet, then',
            id='a gate in a flag',
        ),
        pytest.param(
            row('evictionHard.memory.available', at_least='500Mi'),
            by_flag(
                {'evictionHard': {'memory.available': '1Mi'}}, 'evictionHard', '--eviction-hard=memory.available<1Mi'
            ),
            'evictionHard.memory.available is 1Mi (--eviction-hard=memory.available<1Mi); expected at least 500Mi. '
            'Caution: list all signals there: one that is left out loses its default. To fix it, set '
            'memory.available<500Mi in --eviction-hard (keep its other entries) in what starts the kubelet, then rest',
            id='an entry of a map in a flag',
        ),
        pytest.param(
            row('evictionHard.memory.available', at_least='500Mi'),
            by_file({'evictionHard': {'memory.available': '1Mi'}}, 'evictionHard', 'evictionHard.memory.available'),
            f'evictionHard.memory.available is 1Mi ({FILE}:3); expected at least 500Mi. Caution: list all signals '
            'there: one that is left out loses its default. To fix it, set memory.available: 500Mi under evictionHard: '
            f'(do not add a second block) in {FILE}, then restart the kubelet',
            id='a key with dots in a file',
        ),
        pytest.param(
            row('clusterDNS', is_=['10.0.0.10', '10.0.0.11']), by_file({'clusterDNS': ('a',)}, 'clusterDNS'),
            f'clusterDNS is a ({FILE}:3); expected 10.0.0.10,10.0.0.11. '
            f'To fix it, set clusterDNS: [10.0.0.10, 10.0.0.11] in {FILE}, then restart the kubelet',
            id='a list',
        ),
        pytest.param(
            row('containerLogMaxSize', at_most=52428800),
            by_file({'containerLogMaxSize': '1Gi'}, 'containerLogMaxSize'),
            f'containerLogMaxSize is 1Gi ({FILE}:3); expected at most 52428800. '
            f'To fix it, set containerLogMaxSize: "52428800" in {FILE}, then restart the kubelet',
            id='text that looks like a number is quoted',
        ),
        pytest.param(
            row('--node-ip', not_set=True), by_flag({'--node-ip': '10.0.0.1'}, '--node-ip', '--node-ip=10.0.0.1'),
            '--node-ip is 10.0.0.1 (--node-ip=10.0.0.1); expected not set. '
            'To fix it, remove --node-ip from what starts the kubelet, then restart the kubelet',
            id='a flag that has to go',
        ),
        pytest.param(
            row('--node-ip', is_='::'), by_flag({'--node-ip': '10.0.0.1'}, '--node-ip', '--node-ip=10.0.0.1'),
            '--node-ip is 10.0.0.1 (--node-ip=10.0.0.1); expected ::. '
            'To fix it, set --node-ip=:: in what starts the kubelet, then restart the kubelet',
            id='a flag that has to change',
        ),
        pytest.param(
            row('clusterDomain', not_set=True), by_file({'clusterDomain': 'a'}, 'clusterDomain'),
            f'clusterDomain is a ({FILE}:3); expected not set. '
            f'To fix it, set clusterDomain: "" in {FILE}, then restart the kubelet',
            id='a text that has to go',
        ),
        pytest.param(
            row('systemReserved.cpu', not_set=True),
            by_file({'systemReserved': {'cpu': '1'}}, 'systemReserved', 'systemReserved.cpu'),
            f'systemReserved.cpu is 1 ({FILE}:3); expected not set. '
            'Remove systemReserved.cpu where it is set, then restart the kubelet',
            id='an entry that has to go',
        ),
        pytest.param(
            row('clusterDomain', is_not='a'), by_file({'clusterDomain': 'a'}, 'clusterDomain'),
            f'clusterDomain is a ({FILE}:3); expected other than a. '
            'Give clusterDomain another value, then restart the kubelet',
            id='no value is the one to set',
        ),
        pytest.param(
            row('clusterDomain', set=True), by_file({'clusterDomain': ''}, 'clusterDomain'),
            f'clusterDomain is not set ({FILE}:3); expected a value. '
            'Give clusterDomain a value, then restart the kubelet',
            id='any value would do',
        ),
        pytest.param(
            row('maxPods', at_most=110, fix='Set max_pods in the node pool.', caution='pods move'),
            by_file({'maxPods': 250}, 'maxPods'),
            f'maxPods is 250 ({FILE}:3); expected at most 110. Caution: pods move. Set max_pods in the node pool.',
            id="the row's own words, after its caution",
        ),
        pytest.param(
            row('maxPods', at_most=-1), by_file({'maxPods': 250}, 'maxPods'),
            f'maxPods is 250 ({FILE}:3); expected at most -1. Do not set maxPods: -1: the kubelet would refuse to '
            'start (maxPods must be at least 0). Correct the rule, or first change what this depends on',
            id='never what the kubelet refuses',
        ),
    ],
)  # fmt: skip
def test_a_broken_rule_says_where_and_how(asked: dict[str, Any], declared: Declared, message: str) -> None:
    (rule,) = custom_rules([asked])
    finding = finding_of(rule, declared)
    assert finding.verdict is Verdict.NON_COMPLIANT
    assert message in finding.message
    assert len(finding.message) <= 500


def test_the_longest_texts_of_a_row_fit_a_message() -> None:
    asked = row('maxPods', at_most=110, fix='f' * 200, caution='c' * 120, title='t' * 100)
    (rule,) = custom_rules([asked])
    finding = finding_of(rule, by_file({'maxPods': 250}, 'maxPods'))
    assert 'f' * 199 in finding.message and 'c' * 120 in finding.message
    assert len(finding.message) <= 500


@pytest.mark.parametrize(
    'asked, fact',
    [
        (row('staticPodPath', not_set=True), Fact.NO_STATIC_PODS),
        (row('--hostname-override', not_set=True), Fact.HOST_NAME),
        (row('protectKernelDefaults', is_=True), Fact.KERNEL_SETTINGS),
    ],
)
def test_a_change_that_harms_in_a_built_in_rule_is_as_careful_here(asked: dict[str, Any], fact: Fact) -> None:
    (rule,) = custom_rules([asked])
    assert fact in [each.fact for each in rule.preconditions(rule.fix)]


@pytest.mark.parametrize(
    'asked, minors, values, verdict, said',
    [
        pytest.param(
            row('featureGates.NodeSwap', is_=True), {30}, {}, Verdict.COMPLIANT, 'is true', id='a gate on by default'
        ),
        pytest.param(
            row('featureGates.NodeSwap', is_=True), {27}, {}, Verdict.NON_COMPLIANT, 'is false',
            id='a gate off by default',
        ),
        pytest.param(
            row('featureGates.NodeSwap', is_=True), {27, 30}, {}, Verdict.UNKNOWN, 'releases interpret',
            id='a gate whose default the version decides',
        ),
        pytest.param(
            row('featureGates.NodeSwap', is_=False), {30}, {'featureGates': {'AllBeta': False}}, Verdict.COMPLIANT,
            'is false', id='all beta gates are off',
        ),
        pytest.param(
            row('featureGates.NodeSwap', is_=True), {30, 33}, {}, Verdict.COMPLIANT, 'is true',
            id='both possible releases have the gate on',
        ),
        pytest.param(
            row('featureGates.AllBeta', is_=False), {30}, {}, Verdict.COMPLIANT, 'is false', id='a group of gates'
        ),
        pytest.param(
            row('featureGates.CPUManager', is_=True), {36}, {}, Verdict.UNKNOWN,
            'Kubernetes 1.36 has no feature gate CPUManager; leave the rule out on nodes of this release',
            id='a gate that is gone',
        ),
        pytest.param(
            row('failCgroupV1', is_=False), {30}, {'failCgroupV1': False}, Verdict.UNKNOWN,
            'Kubernetes 1.30 has no field failCgroupV1', id='a field that is not there yet',
        ),
        pytest.param(
            row('tracing.endpoint', not_set=True), {24}, {}, Verdict.UNKNOWN, 'Kubernetes 1.24 has no field tracing',
            id='not set is not shown by a release without the field',
        ),
        pytest.param(
            row('--pod-infra-container-image', not_set=True), {36}, {}, Verdict.UNKNOWN,
            'Kubernetes 1.36 has no flag --pod-infra-container-image', id='a flag that is gone',
        ),
        pytest.param(
            row('--pod-infra-container-image', not_set=True), {30}, {}, Verdict.COMPLIANT, 'not set',
            id='a flag not given',
        ),
        pytest.param(
            row('--root-dir', is_not='/a'), {30}, {'--root-dir': 'left-out'}, Verdict.UNKNOWN,
            'the capture does not contain the value of --root-dir', id='a value that a capture leaves out',
        ),
    ],
)  # fmt: skip
def test_what_is_in_effect_depends_on_the_release(
    asked: dict[str, Any], minors: set[int], values: dict[str, Any], verdict: Verdict, said: str
) -> None:
    (rule,) = custom_rules([asked])
    finding = finding_of(rule, Declared(values, {}, minors=frozenset(minors)))
    assert (finding.verdict, said in finding.message) == (verdict, True), finding.message


@pytest.mark.parametrize('asked', ['net.ipv4.a', 'net/ipv4/a'])
@pytest.mark.parametrize('given', ['net.ipv4.a', 'net/ipv4/a'])
def test_a_sysctl_is_found_in_both_spellings(asked: str, given: str) -> None:
    declared = Declared({'defaultPodSysctls': {given: '1'}}, {}, minors=frozenset({37}))
    assert finding_of(rule_with(f'defaultPodSysctls.{asked}', is_='1'), declared).verdict is Verdict.COMPLIANT
    assert finding_of(rule_with(f'defaultPodSysctls.{asked}', is_not='1'), declared).verdict is Verdict.NON_COMPLIANT


@pytest.mark.parametrize(
    'asked, running, verdict',
    [
        pytest.param(
            row('maxPods', at_most=110), {'maxPods': 250}, Verdict.NON_COMPLIANT, id='the running value is wrong'
        ),
        pytest.param(row('maxPods', at_most=110), {'maxPods': 110}, Verdict.COMPLIANT, id='both are right'),
        pytest.param(
            row('featureGates.NodeSwap', is_=True), {}, Verdict.COMPLIANT, id='a gate that /configz leaves out'
        ),
        pytest.param(
            row('featureGates.NodeSwap', is_=True), {'featureGates': {'NodeSwap': False}}, Verdict.NON_COMPLIANT,
            id='a gate that /configz shows',
        ),
        pytest.param(
            row('evictionHard.memory.available', at_least='50Mi'), {'evictionHard': {'memory.available': '10%'}},
            Verdict.UNKNOWN, id='a running value that does not compare',
        ),
    ],
)  # fmt: skip
def test_what_runs_counts_as_for_all_rules(asked: dict[str, Any], running: dict[str, Any], verdict: Verdict) -> None:
    (rule,) = custom_rules([asked])
    declared = Configuration()
    set_defaults(declared, Release(30))
    finding = finding_of(
        rule, Declared(declared.values, {}, minors=frozenset({30})), running=Configuration({'maxPods': 110, **running})
    )
    assert finding.verdict is verdict


def test_flags_of_an_unknown_command_line_are_unknown() -> None:
    rule = rule_with('--node-ip', is_not='10.0.0.1')
    declared = Declared({}, {}, Unknown('no command line'), flags_known=False)
    assert finding_of(rule, declared, running=Configuration({})).verdict is Verdict.UNKNOWN


STARTED = [case for case in (*CASES[::7], *VARYING) if case.effective is not None]
FIELDS = {
    'eventRecordQPS': 7_654_321,
    'podPidsLimit': 7_654_321,
    'makeIPTablesUtilChains': None,
    'protectKernelDefaults': None,
    'authorization.mode': 'Other',
    'tlsMinVersion': 'Other',
    'streamingConnectionIdleTimeout': '7654h',
    'tlsCipherSuites': ['Other'],
}
"""Recorded settings of each form, each with a value that no recorded kubelet has; None: the other of two."""


NO_LIMIT = (0, '0s')


@pytest.mark.slow
@pytest.mark.parametrize('case', STARTED, ids=lambda case: f'{case.id}-1.{case.minor}')
def test_rules_agree_with_the_recorded_kubelets(case: Case, tmp_path: Path) -> None:
    assert case.effective is not None
    folder = tmp_path / 'kubelet'
    folder.mkdir()
    case.lay_out(folder)
    declared = declare(read_evidence(*made_up_host(tmp_path, case.arguments(folder), folder)), case.minor)
    for field, other in FIELDS.items():
        value = case.effective[field]
        if value in (None, '', []):
            assert finding_of(rule_with(field, not_set=True), declared).verdict is Verdict.COMPLIANT
            assert finding_of(rule_with(field, set=True), declared).verdict is Verdict.NON_COMPLIANT
            continue
        other = not value if other is None else other
        assert finding_of(rule_with(field, is_=value), declared).verdict is Verdict.COMPLIANT
        assert finding_of(rule_with(field, is_not=value), declared).verdict is Verdict.NON_COMPLIANT
        assert finding_of(rule_with(field, is_=other), declared).verdict is Verdict.NON_COMPLIANT
        if field in ('eventRecordQPS', 'podPidsLimit', 'streamingConnectionIdleTimeout'):
            if value not in NO_LIMIT and not str(value).startswith('-'):
                assert finding_of(rule_with(field, at_most=value), declared).verdict is Verdict.COMPLIANT
            assert finding_of(rule_with(field, at_least=value), declared).verdict is Verdict.COMPLIANT
    for gate, state in (case.effective.get('featureGates') or {}).items():
        assert finding_of(rule_with(f'featureGates.{gate}', is_=state), declared).verdict is Verdict.COMPLIANT
        assert finding_of(rule_with(f'featureGates.{gate}', is_not=state), declared).verdict is Verdict.NON_COMPLIANT
