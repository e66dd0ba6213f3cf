# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The whole check, run as the Agent runs it, against real processes of the stand-in program."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.base import AgentCheck
from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.base.stubs.datadog_agent import DatadogAgentStub
from datadog_checks.dev.utils import get_metadata_metrics, get_service_checks
from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.collection import reading
from datadog_checks.kubelet_compliance.rules.all_rules import RULES
from tests.support.cases import CASES, TRUTH, Case
from tests.support.kubelet_server import Certificates, KubeletServer
from tests.support.nodes import HEAD, write_process
from tests.support.sent import CRITICAL, IPTABLES, OK, UNKNOWN, WARNING, check_of, show, wait_past_the_grain
from tests.support.standin import Standins
from tests.support.users import USERS

BENCHMARK_TAGS = ['benchmark:cis-1.24', 'compliance_framework:cis-kubernetes']
RULE_TAGS = [f'rule:{IPTABLES}', *BENCHMARK_TAGS, 'compliance_control:4.2.7', 'cis_controls:6.9']

OWN_RULES = [
    {'key': 'max_pods', 'title': 'At most 110 pods', 'setting': 'maxPods', 'at_most': 110},
    {'key': 'sync', 'title': 'Sync often', 'setting': 'syncFrequency', 'at_most': '1m'},
    {'key': 'node_ip', 'title': 'No chosen address', 'setting': '--node-ip', 'not_set': True},
]

Run = Callable[[AgentCheck], None]


@pytest.fixture(autouse=True)
def all_that_is_sent_is_public(aggregator: AggregatorStub) -> Iterator[None]:
    """After every test here: each metric and service check sent is one of metadata.csv and service_checks.json."""
    yield
    aggregator.assert_metrics_using_metadata(get_metadata_metrics(), check_submission_type=True)
    aggregator.assert_service_checks(get_service_checks())


@pytest.fixture
def procfs(tmp_path: Path) -> Path:
    """A view of the real /proc that shows only the processes that a test puts there."""
    folder = tmp_path / 'procfs'
    folder.mkdir()
    return folder


@pytest.mark.parametrize('case', CASES, ids=lambda case: case.id)
def test_each_recorded_launch_as_a_real_process(
    case: Case,
    standins: Standins,
    procfs: Path,
    tmp_path: Path,
    aggregator: AggregatorStub,
    dd_run_check: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, 'ALL', frozenset({case.minor}))
    folder = tmp_path / 'kubelet'
    folder.mkdir()
    case.lay_out(folder)
    show(procfs, standins.launch(('/usr/bin/kubelet', *case.arguments(folder)), cwd=folder))
    dd_run_check(check_of(procfs))
    if case.effective is None:
        # What the command line itself shows to be wrong stays wrong, whatever else is broken.
        status, kubelet_status = (CRITICAL, WARNING) if case.is_red_by_flag else (UNKNOWN, CRITICAL)
    else:
        status, kubelet_status = (OK if case.effective['makeIPTablesUtilChains'] else CRITICAL), OK
    aggregator.assert_service_check('kubelet_compliance.rule', status=status, tags=RULE_TAGS, count=1)
    aggregator.assert_service_check('kubelet_compliance.kubelet', status=kubelet_status, tags=[], count=1)
    aggregator.assert_metric('kubelet_compliance.node.compliant', value=int(status == OK), tags=BENCHMARK_TAGS)
    for sent in aggregator.service_checks('kubelet_compliance.rule'):
        assert bool(sent.message) == (status != OK)
        assert len(sent.message) <= 500 and sent.message.isprintable()


def test_what_a_compliant_kubelet_sends(
    standins: Standins, procfs: Path, tmp_path: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    (tmp_path / 'c.yaml').write_text(f'{HEAD}makeIPTablesUtilChains: true\n')
    show(procfs, standins.launch(('kubelet', '--config', 'c.yaml'), cwd=tmp_path))
    dd_run_check(check_of(procfs, tags=['team:a', 'kube_cluster_name:b']))
    own = ['team:a', 'kube_cluster_name:b']
    aggregator.assert_metric('kubelet_compliance.kubelet.found', value=1, tags=own, count=1)
    aggregator.assert_metric(
        'kubelet_compliance.rule.compliant', value=1, tags=[*own, *RULE_TAGS, 'set_by:config_file'], count=1
    )
    for verdict in ('compliant', 'non_compliant', 'unknown', 'exempted'):
        aggregator.assert_metric(
            'kubelet_compliance.rules',
            value=int(verdict == 'compliant'),
            tags=[*own, *BENCHMARK_TAGS, f'verdict:{verdict}'],
            count=1,
        )
    aggregator.assert_metric('kubelet_compliance.node.compliant', value=1, tags=[*own, *BENCHMARK_TAGS], count=1)
    aggregator.assert_metric('kubelet_compliance.kubelet.restart_pending', value=0, tags=own, count=1)
    aggregator.assert_service_check('kubelet_compliance.rule', status=OK, tags=[*own, *RULE_TAGS], count=1)
    aggregator.assert_service_check('kubelet_compliance.kubelet', status=OK, tags=own, count=1)
    aggregator.assert_all_metrics_covered()
    aggregator.assert_no_duplicate_all()


def test_tags_do_not_grow_from_run_to_run(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    show(procfs, standins.launch(('kubelet',)))
    check = check_of(procfs, tags=['team:a'])
    for _ in range(3):
        aggregator.reset()
        dd_run_check(check)
    aggregator.assert_service_check('kubelet_compliance.rule', tags=['team:a', *RULE_TAGS], count=1)


def test_no_kubelet_sends_that_and_nothing_else(procfs: Path, aggregator: AggregatorStub, dd_run_check: Run) -> None:
    (procfs / '1').symlink_to('/proc/self')
    dd_run_check(check_of(procfs))
    aggregator.assert_metric('kubelet_compliance.kubelet.found', value=0, tags=[], count=1)
    aggregator.assert_service_check(
        'kubelet_compliance.kubelet', status=UNKNOWN, message='no kubelet runs on this host', tags=[], count=1
    )
    aggregator.assert_all_metrics_covered()
    assert aggregator.service_checks('kubelet_compliance.rule') == []


def test_a_kubelet_is_found_through_the_real_proc(
    standins: Standins, aggregator: AggregatorStub, dd_run_check: Run, datadog_agent: DatadogAgentStub
) -> None:
    standins.launch(('/usr/local/bin/kubelet', '--make-iptables-util-chains=0'))
    dd_run_check(KubeletComplianceCheck('kubelet_compliance', {}, [{'rules': [IPTABLES], 'allowed_users': [*USERS]}]))
    # Another kubelet may run on the machine that tests: the worst of all counts, and this one is as bad as it gets.
    aggregator.assert_service_check('kubelet_compliance.rule', status=CRITICAL, tags=RULE_TAGS, count=1)


def test_the_procfs_of_the_agents_own_configuration_is_used(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run, datadog_agent: DatadogAgentStub
) -> None:
    datadog_agent._config['procfs_path'] = f'{procfs}/'
    show(procfs, standins.launch(('kubelet', '--make-iptables-util-chains=0')))
    dd_run_check(KubeletComplianceCheck('kubelet_compliance', {}, [{'rules': [IPTABLES], 'allowed_users': [*USERS]}]))
    aggregator.assert_metric('kubelet_compliance.kubelet.found', value=1, count=1)


def test_a_file_set_right_without_a_restart_is_not_green(
    standins: Standins, procfs: Path, tmp_path: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    config = tmp_path / 'c.yaml'
    config.write_text(f'{HEAD}makeIPTablesUtilChains: false\n')
    show(procfs, standins.launch(('kubelet', f'--config={config}')))
    check = check_of(procfs)
    dd_run_check(check)
    aggregator.assert_service_check('kubelet_compliance.rule', status=CRITICAL, tags=RULE_TAGS, count=1)
    aggregator.reset()
    change_later(config, f'{HEAD}makeIPTablesUtilChains: true\n')
    dd_run_check(check)
    (sent,) = aggregator.service_checks('kubelet_compliance.rule')
    assert sent.status == UNKNOWN
    assert 'changed after the kubelet started, so its running value is unknown: restart the kubelet' in sent.message
    aggregator.assert_metric('kubelet_compliance.rule.compliant', value=0, count=1)
    aggregator.assert_metric('kubelet_compliance.kubelet.restart_pending', value=1, count=1)


def test_a_change_of_mode_is_no_change_of_content(
    standins: Standins, procfs: Path, tmp_path: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    config = tmp_path / 'c.yaml'
    config.write_text(f'{HEAD}makeIPTablesUtilChains: true\n')
    show(procfs, standins.launch(('kubelet', f'--config={config}')))
    check = check_of(procfs)
    dd_run_check(check)
    wait_past_the_grain(config)
    config.chmod(0o600)
    aggregator.reset()
    dd_run_check(check)
    aggregator.assert_service_check('kubelet_compliance.rule', status=OK, tags=RULE_TAGS, count=1)
    aggregator.reset()
    # A check that starts now has not seen what the file held before.
    dd_run_check(check_of(procfs))
    aggregator.assert_service_check('kubelet_compliance.rule', status=UNKNOWN, tags=RULE_TAGS, count=1)


def change_later(path: Path, text: str) -> None:
    wait_past_the_grain(path)
    path.write_text(text)


def test_a_secret_on_the_command_line_or_in_a_file_is_in_no_message(
    standins: Standins, procfs: Path, tmp_path: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    (tmp_path / 'c.yaml').write_text(f'{HEAD}maxPods: hunter2\n')
    arguments = ('--manifest-url-header=Authorization:hunter2', '--config=c.yaml', '--make-iptables-util-chains=0')
    show(procfs, standins.launch(('kubelet', *arguments), cwd=tmp_path))
    dd_run_check(check_of(procfs, rules=None))
    messages = [sent.message for name in aggregator.service_check_names for sent in aggregator.service_checks(name)]
    assert len(messages) > 10
    assert not any('hunter2' in message for message in messages)


def test_two_kubelets_give_one_result_the_worst(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    show(procfs, standins.launch(('kubelet',)), standins.launch(('kubelet', '--make-iptables-util-chains=f')))
    dd_run_check(check_of(procfs))
    aggregator.assert_metric('kubelet_compliance.kubelet.found', value=2, count=1)
    (sent,) = aggregator.service_checks('kubelet_compliance.rule')
    assert sent.status == CRITICAL
    assert sent.message.startswith('the worst of 2 kubelets: makeIPTablesUtilChains is false')


def test_a_process_that_only_bears_the_name_is_a_warning_and_never_silence(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    show(procfs, standins.launch(('not-a-kubelet',)))
    dd_run_check(check_of(procfs))
    aggregator.assert_metric('kubelet_compliance.kubelet.found', value=0, count=1)
    (sent,) = aggregator.service_checks('kubelet_compliance.kubelet')
    assert sent.status == WARNING
    assert 'could not be identified' in sent.message


def test_a_kubelet_that_has_ended_is_none(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    standin = standins.launch(('kubelet',))
    show(procfs, standin)
    check = check_of(procfs)
    dd_run_check(check)
    aggregator.assert_metric('kubelet_compliance.kubelet.found', value=1, count=1)
    aggregator.reset()
    standin.kill()
    dd_run_check(check)
    aggregator.assert_metric('kubelet_compliance.kubelet.found', value=0, count=1)
    aggregator.assert_service_check('kubelet_compliance.kubelet', status=UNKNOWN, count=1)


def test_all_rules_of_the_default_benchmark_are_judged(
    standins: Standins, procfs: Path, tmp_path: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    (tmp_path / 'c.yaml').write_text(HEAD)
    (tmp_path / 'c.yaml').chmod(0o640)
    show(procfs, standins.launch(('kubelet', '--config=c.yaml'), cwd=tmp_path))
    dd_run_check(check_of(procfs, rules=None))
    sent = {tag.partition(':')[2]: check for check in aggregator.service_checks('kubelet_compliance.rule')
            for tag in check.tags if tag.startswith('rule:')}  # fmt: skip
    assert len(sent) == 21
    assert set(sent) <= {rule.key for rule in RULES}
    assert sent['config_file_permissions'].status == CRITICAL
    assert sent['config_file_permissions'].message.endswith('c.yaml')
    assert 'chmod 600 ' in sent['config_file_permissions'].message
    assert sent['anonymous_auth'].status == OK
    assert sent['rotate_certificates'].status == CRITICAL


@pytest.mark.parametrize(
    'detail, names',
    [
        ('full', {'kubelet.found', 'rule.compliant', 'rules', 'node.compliant', 'kubelet.restart_pending'}),
        ('summary', {'kubelet.found', 'rules', 'node.compliant', 'kubelet.restart_pending'}),
        ('none', set()),
    ],
)
def test_metrics_can_be_fewer_and_service_checks_stay(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run, detail: str, names: set[str]
) -> None:
    show(procfs, standins.launch(('kubelet',)))
    dd_run_check(check_of(procfs, metrics=detail))
    assert set(aggregator.metric_names) == {f'kubelet_compliance.{name}' for name in names}
    assert set(aggregator.service_check_names) == {'kubelet_compliance.rule', 'kubelet_compliance.kubelet'}


UPGRADE_TAGS = ['target_version:1.35']


def test_without_a_target_version_nothing_is_sent_about_upgrades(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    show(procfs, standins.launch(('kubelet', '--pod-infra-container-image=p')))
    dd_run_check(check_of(procfs))
    aggregator.assert_metric('kubelet_compliance.upgrade.blocked', count=0)
    assert aggregator.service_checks('kubelet_compliance.upgrade') == []


@pytest.mark.parametrize('detail, count', [('full', 1), ('summary', 1), ('none', 0)])
def test_a_kubelet_that_would_not_start_after_the_upgrade_is_critical(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run, detail: str, count: int
) -> None:
    show(procfs, standins.launch(('kubelet', '--pod-infra-container-image=p', '--config-dir=')))
    dd_run_check(check_of(procfs, target_version='1.35', metrics=detail))
    aggregator.assert_metric('kubelet_compliance.upgrade.blocked', value=1, tags=UPGRADE_TAGS, count=count)
    (sent,) = aggregator.service_checks('kubelet_compliance.upgrade')
    assert (sent.status, sent.tags) == (CRITICAL, UPGRADE_TAGS)
    assert sent.message.startswith('Upgrade to 1.35: the kubelet would not start (')
    assert 'Kubernetes 1.35 removed this flag' in sent.message
    assert len(sent.message) <= 500 and sent.message.isprintable()


def test_a_kubelet_that_would_start_is_ok_and_is_collected_once(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    show(procfs, standins.launch(('kubelet', '--node-ip=10.0.0.1')))
    check = check_of(procfs, target_version='1.34', rules=None)
    dd_run_check(check)
    first = check.last
    dd_run_check(check)
    aggregator.assert_metric('kubelet_compliance.upgrade.blocked', value=0, tags=['target_version:1.34'], count=2)
    aggregator.assert_service_check('kubelet_compliance.upgrade', status=OK, tags=['target_version:1.34'], count=2)
    assert check.last is first is not None


def test_what_cannot_be_determined_about_an_upgrade_is_unknown_and_has_no_metric(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    show(procfs, standins.launch(('kubelet', '--no-such-flag', '--cloud-config=c')))
    dd_run_check(check_of(procfs, target_version='1.34'))
    aggregator.assert_metric('kubelet_compliance.upgrade.blocked', count=0)
    (sent,) = aggregator.service_checks('kubelet_compliance.upgrade')
    assert sent.status == UNKNOWN
    assert 'it cannot be determined whether the kubelet would start' in sent.message


def test_without_a_kubelet_nothing_is_said_about_an_upgrade(
    procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    dd_run_check(check_of(procfs, target_version='1.35'))
    assert 'kubelet_compliance.upgrade' not in aggregator.service_check_names
    aggregator.assert_metric('kubelet_compliance.upgrade.blocked', count=0)


@pytest.mark.parametrize('version', ['1.99', 'latest', 1.3, 137])
def test_a_target_version_that_is_not_known_is_a_configuration_error(procfs: Path, version: object) -> None:
    (answer,) = json.loads(check_of(procfs, target_version=version).run())
    assert f'target_version {version}' in answer['message']
    assert 'this check knows Kubernetes 1.25 to 1.37' in answer['message']


def test_an_exempted_rule_is_a_warning_with_the_reason(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    show(procfs, standins.launch(('kubelet', '--make-iptables-util-chains=false')))
    dd_run_check(check_of(procfs, exemptions=[{'rule': IPTABLES, 'reason': 'Cilium in place of kube-proxy'}]))
    (sent,) = aggregator.service_checks('kubelet_compliance.rule')
    assert (sent.status, sent.message[:51]) == (WARNING, 'exempted (Cilium in place of kube-proxy): makeIPTab')
    aggregator.assert_metric('kubelet_compliance.rule.compliant', count=0)
    aggregator.assert_metric('kubelet_compliance.node.compliant', value=1, count=1)


def test_an_exemption_that_has_run_out_is_said_everywhere(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    show(procfs, standins.launch(('kubelet', '--make-iptables-util-chains=false')))
    for until in ('2020-01-31', date(2020, 1, 31)):
        aggregator.reset()
        dd_run_check(check_of(procfs, exemptions=[{'rule': IPTABLES, 'reason': 'Cilium', 'until': until}]))
        (sent,) = aggregator.service_checks('kubelet_compliance.rule')
        assert sent.status == CRITICAL
        assert sent.message.startswith('the exemption ended on 2020-01-31: makeIPTablesUtilChains is false')
        (kubelet,) = aggregator.service_checks('kubelet_compliance.kubelet')
        assert kubelet.status == WARNING
        assert f'the exemption of {IPTABLES} ended on 2020-01-31' in kubelet.message


@pytest.mark.parametrize(
    'options, message',
    [
        ({'benchmark': 'cis-9'}, "unknown benchmark 'cis-9'; choose from: auto, .*cis-1.24"),
        ({'rules': ['bogus']}, 'unknown rules for cis-1.24: bogus; choose from: anonymous_auth, '),
        ({'rules': ['pod_max_pids']}, 'unknown rules for cis-1.24: pod_max_pids'),
        ({'exemptions': [{'rule': IPTABLES, 'reason': ''}]}, f'the exemption of {IPTABLES} has no reason'),
        ({'exemptions': [{'rule': IPTABLES}]}, 'reason'),
        ({'metrics': 'some'}, "'full', 'summary' or 'none'"),
        ({'custom_rules': [{'key': 'a'}]}, r'custom rule 1 \(a\): title is missing'),
        ({'custom_rules': {}}, 'custom_rules is not a list: begin each rule with'),
        ({'custom_rules': [OWN_RULES[0], 'a']}, 'custom rule 2: it is not a mapping: it needs key, title, setting'),
        ({'custom_rules': [OWN_RULES[0], OWN_RULES[0]]}, 'max_pods is the key of an earlier custom rule'),
        ({'custom_rules': OWN_RULES, 'rules': ['bogus']}, 'custom, files, settings'),
        ({'rules': ['custom']}, 'unknown rules for cis-1.24: custom'),
    ],
)
def test_a_wrong_option_stops_the_check_with_what_is_known(
    procfs: Path, aggregator: AggregatorStub, dd_run_check: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(Exception, match=message):
        dd_run_check(check_of(procfs, **options), extract_message=True)
    assert list(aggregator.metric_names) == []


OWN_TAGS = ['benchmark:custom', 'compliance_framework:custom']


def sent_by_rule(aggregator: AggregatorStub) -> dict[str, int]:
    sent = aggregator.service_checks('kubelet_compliance.rule')
    return {next(tag for tag in each.tags if tag.startswith('rule:')): each.status for each in sent}


def test_custom_rules_are_sent_beside_those_of_the_benchmark(
    standins: Standins, procfs: Path, tmp_path: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    (tmp_path / 'c.yaml').write_text(f'{HEAD}maxPods: 250\nsyncFrequency: 30s\n')
    show(procfs, standins.launch(('kubelet', '--config', 'c.yaml', '--node-ip=10.0.0.1'), cwd=tmp_path))
    exemptions = [{'rule': 'node_ip', 'reason': 'two networks'}]
    dd_run_check(check_of(procfs, custom_rules=OWN_RULES, rules=[IPTABLES, 'custom'], exemptions=exemptions))
    assert sent_by_rule(aggregator) == {
        f'rule:{IPTABLES}': OK, 'rule:max_pods': CRITICAL, 'rule:sync': OK, 'rule:node_ip': WARNING,
    }  # fmt: skip
    (sent,) = (each for each in aggregator.service_checks('kubelet_compliance.rule') if 'rule:max_pods' in each.tags)
    assert sorted(sent.tags) == sorted(['rule:max_pods', *OWN_TAGS])
    fix = 'To fix it, set maxPods: 110 in c.yaml, then restart the kubelet'
    assert sent.message == f'maxPods is 250 (c.yaml:3); expected at most 110. {fix}'
    tags = ['rule:sync', *OWN_TAGS, 'set_by:config_file']
    aggregator.assert_metric('kubelet_compliance.rule.compliant', value=1, tags=tags, count=1)
    aggregator.assert_metric('kubelet_compliance.node.compliant', value=1, tags=BENCHMARK_TAGS, count=1)
    aggregator.assert_metric('kubelet_compliance.node.compliant', value=0, tags=OWN_TAGS, count=1)
    for verdict, count in (('compliant', 1), ('non_compliant', 1), ('exempted', 1), ('unknown', 0)):
        tags = [*OWN_TAGS, f'verdict:{verdict}']
        aggregator.assert_metric('kubelet_compliance.rules', value=count, tags=tags, count=1)
    aggregator.assert_no_duplicate_all()


@pytest.mark.parametrize(
    'rules, judged',
    [
        pytest.param(None, 'all', id='by default, all rules'),
        pytest.param([IPTABLES], {f'rule:{IPTABLES}'}, id='only the named rules'),
        pytest.param(['sync'], {'rule:sync'}, id='a custom rule by its key'),
        pytest.param(['custom'], {'rule:max_pods', 'rule:sync', 'rule:node_ip'}, id='all custom rules'),
    ],
)
def test_the_option_rules_selects_among_all_rules(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run,
    rules: list[str] | None, judged: set[str] | str,
) -> None:  # fmt: skip
    show(procfs, standins.launch(('kubelet',)))
    dd_run_check(check_of(procfs, custom_rules=OWN_RULES, rules=rules))
    found = set(sent_by_rule(aggregator))
    assert found == judged if rules else len(found) > 20 and {'rule:sync', 'rule:node_ip'} < found


def test_benchmark_auto_keeps_custom_rules_and_a_gate_goes_by_the_version(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run,
    api: KubeletServer, certificates: Certificates,
) -> None:  # fmt: skip
    api.version = 'v1.32.1'
    show(procfs, standins.launch(('kubelet',), handles=(api.handle,)))
    gate = {'key': 'swap', 'title': 'Swap', 'setting': 'featureGates.NodeSwap', 'is': True}
    check = asking(procfs, api, certificates, benchmark='auto', rules=[IPTABLES, 'custom'], custom_rules=[gate])
    dd_run_check(check)
    assert sent_by_rule(aggregator) == {f'rule:{IPTABLES}': OK, 'rule:swap': OK}
    benchmarks = {tag for each in aggregator.service_checks('kubelet_compliance.rule') for tag in each.tags}
    assert {'benchmark:cis-1.12', 'benchmark:custom'} <= benchmarks


def test_the_version_is_asked_for_where_a_custom_rule_depends_on_it(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run,
    api: KubeletServer, certificates: Certificates,
) -> None:  # fmt: skip
    api.version = 'v1.27.1'
    show(procfs, standins.launch(('kubelet',), handles=(api.handle,)))
    gate = {'key': 'swap', 'title': 'Swap', 'setting': 'featureGates.NodeSwap', 'is': True}
    dd_run_check(asking(procfs, api, certificates, rules=['custom'], custom_rules=[gate]))
    assert sent_by_rule(aggregator) == {'rule:swap': CRITICAL}
    assert '/metrics' in api.paths()


RUNNING_FALSE = (TRUTH / 'configz' / 'kubelet-1.36-iptables-flag-false.json').read_bytes()


def asking(procfs: Path, api: KubeletServer, certificates: Certificates, **options: Any) -> KubeletComplianceCheck:
    return check_of(procfs, kubelet_url=api.url, tls_ca_cert=str(certificates.ca), timeout=5, **options)


def rule_sent(aggregator: AggregatorStub) -> Any:
    (sent,) = aggregator.service_checks('kubelet_compliance.rule')
    return sent


def kubelet_sent(aggregator: AggregatorStub) -> Any:
    (sent,) = aggregator.service_checks('kubelet_compliance.kubelet')
    return sent


def test_a_kubelet_that_runs_with_false_is_not_saved_by_its_file(
    standins: Standins, procfs: Path, tmp_path: Path, aggregator: AggregatorStub, dd_run_check: Run,
    api: KubeletServer, certificates: Certificates,
) -> None:  # fmt: skip
    (tmp_path / 'c.yaml').write_text(f'{HEAD}makeIPTablesUtilChains: true\n')
    show(procfs, standins.launch(('kubelet', f'--config={tmp_path}/c.yaml'), handles=(api.handle,)))
    api.body = RUNNING_FALSE
    dd_run_check(asking(procfs, api, certificates))
    assert rule_sent(aggregator).status == CRITICAL
    assert 'running with makeIPTablesUtilChains is false; ' in rule_sent(aggregator).message
    assert 'now says makeIPTablesUtilChains is true: restart the kubelet' in rule_sent(aggregator).message
    aggregator.assert_metric('kubelet_compliance.kubelet.restart_pending', value=1, count=1)
    assert kubelet_sent(aggregator).status == OK


def test_a_file_that_changed_is_no_matter_where_configz_shows_what_runs(
    standins: Standins, procfs: Path, tmp_path: Path, aggregator: AggregatorStub, dd_run_check: Run,
    api: KubeletServer, certificates: Certificates,
) -> None:  # fmt: skip
    config = tmp_path / 'c.yaml'
    config.write_text(HEAD)
    show(procfs, standins.launch(('kubelet', f'--config={config}'), handles=(api.handle,)))
    change_later(config, f'{HEAD}makeIPTablesUtilChains: true\n')
    dd_run_check(asking(procfs, api, certificates))
    assert rule_sent(aggregator).status == OK
    aggregator.assert_metric('kubelet_compliance.kubelet.restart_pending', value=1, count=1)


def test_a_file_that_cannot_be_read_is_a_warning_where_configz_shows_what_runs(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run,
    api: KubeletServer, certificates: Certificates,
) -> None:  # fmt: skip
    show(procfs, standins.launch(('kubelet', '--config=/nonexistent/c.yaml'), handles=(api.handle,)))
    dd_run_check(asking(procfs, api, certificates))
    assert rule_sent(aggregator).status == OK
    assert kubelet_sent(aggregator).status == WARNING
    assert 'the next restart will fail' in kubelet_sent(aggregator).message
    aggregator.assert_metric('kubelet_compliance.rule.compliant', value=1, tags=[*RULE_TAGS, 'set_by:configz'])


@pytest.mark.parametrize(
    'change, says',
    [
        (
            {'status': 403},
            "the kubelet does not let the Agent get nodes/configz (403): let the Agent's ClusterRole get ",
        ),
        ({'status': 401}, 'the kubelet did not accept the credentials (401)'),
        ({'status': 404}, 'enableDebuggingHandlers: true'),
        ({'body': b'?'}, 'the response is not a kubelet configuration'),
    ],
)
def test_a_kubelet_that_does_not_answer_is_judged_by_its_files_with_a_warning(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run,
    api: KubeletServer, certificates: Certificates, change: dict[str, Any], says: str,
) -> None:  # fmt: skip
    show(procfs, standins.launch(('kubelet',), handles=(api.handle,)))
    vars(api).update(change)
    dd_run_check(asking(procfs, api, certificates))
    assert rule_sent(aggregator).status == OK
    assert kubelet_sent(aggregator).status == WARNING
    assert says in kubelet_sent(aggregator).message


def test_in_the_steady_state_the_kubelet_gets_no_request(
    standins: Standins, procfs: Path, dd_run_check: Run, api: KubeletServer, certificates: Certificates
) -> None:
    standin = standins.launch(('kubelet',), handles=(api.handle,))
    show(procfs, standin)
    check = asking(procfs, api, certificates)
    for _ in range(4):
        dd_run_check(check)
    assert api.paths() == ['/configz']


@pytest.mark.parametrize('use_configz', [False, 'false'])
def test_with_use_configz_off_nothing_is_asked(
    standins: Standins,
    procfs: Path,
    dd_run_check: Run,
    api: KubeletServer,
    certificates: Certificates,
    use_configz: Any,
) -> None:
    show(procfs, standins.launch(('kubelet',), handles=(api.handle,)))
    dd_run_check(asking(procfs, api, certificates, use_configz=use_configz))
    assert api.requests == []


def test_without_a_kubelet_nothing_is_asked_and_it_is_said_that_one_is_hidden(
    procfs: Path, aggregator: AggregatorStub, dd_run_check: Run, api: KubeletServer, certificates: Certificates
) -> None:
    (procfs / '1').symlink_to('/proc/self')
    dd_run_check(asking(procfs, api, certificates))
    assert api.requests == []
    assert kubelet_sent(aggregator).status == UNKNOWN
    assert 'set hostPID: true or mount the /proc of the host' in kubelet_sent(aggregator).message
    aggregator.assert_metric('kubelet_compliance.kubelet.found', value=0, count=1)


def test_of_several_kubelets_the_answer_belongs_to_the_one_that_holds_the_socket(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run,
    api: KubeletServer, certificates: Certificates,
) -> None:  # fmt: skip
    api.body = RUNNING_FALSE
    port = api.url.rpartition(':')[2]
    configured, holding = (
        standins.launch(('kubelet', f'--port={port}')),
        standins.launch(('kubelet',), handles=(api.handle,)),
    )
    show(procfs, configured, holding)
    check = asking(procfs, api, certificates)
    dd_run_check(check)
    assert rule_sent(aggregator).message.startswith('the worst of 2 kubelets: running with ')
    assert kubelet_sent(aggregator).status == OK
    assert check.last is not None
    (pid,) = [report.process.pid for report in check.last.kubelets if 'running' in report.findings[0].message]
    assert pid == holding.pid


def test_where_sockets_cannot_be_seen_the_answer_belongs_to_the_one_that_is_configured_to_listen_there(
    procfs: Path, aggregator: AggregatorStub, dd_run_check: Run, api: KubeletServer, certificates: Certificates
) -> None:
    api.body = RUNNING_FALSE
    port = api.url.rpartition(':')[2]
    write_process(procfs, 501, ('kubelet', f'--port={port}'))
    write_process(procfs, 502, ('kubelet', '--port=1'))
    dd_run_check(asking(procfs, api, certificates))
    assert rule_sent(aggregator).message.startswith('the worst of 2 kubelets: running with ')
    assert kubelet_sent(aggregator).status == OK


def test_of_several_kubelets_that_look_the_same_none_is_asked(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run,
    api: KubeletServer, certificates: Certificates,
) -> None:  # fmt: skip
    both = [standins.launch(('kubelet',), handles=(api.handle,)) for _ in range(2)]
    show(procfs, *both)
    dd_run_check(asking(procfs, api, certificates))
    assert '/configz' not in api.paths()
    assert kubelet_sent(aggregator).status == WARNING
    assert 'which one responds at port ' in kubelet_sent(aggregator).message


def test_a_pods_process_named_kubelet_changes_nothing(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run, tmp_path: Path
) -> None:
    show(procfs, standins.launch(('kubelet',)))
    check = check_of(procfs)
    dd_run_check(check)
    before = sorted((sent.name, sent.value, sorted(sent.tags)) for name in aggregator.metric_names
                    for sent in aggregator.metrics(name))  # fmt: skip
    write_process(procfs, 99999, ('kubelet', '--make-iptables-util-chains=false'))
    (procfs / '99999' / 'cgroup').write_text('0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope\n')
    write_process(procfs, 99998, ('kubelet', '--config=/etc/shadow'))
    (procfs / '99998' / 'status').write_text('Uid:\t0\t0\t0\t0\nNSpid:\t99998\t1\n')
    aggregator.reset()
    dd_run_check(check)
    assert before == sorted((sent.name, sent.value, sorted(sent.tags)) for name in aggregator.metric_names
                            for sent in aggregator.metrics(name))  # fmt: skip
    assert (rule_sent(aggregator).status, kubelet_sent(aggregator).status) == (OK, OK)


def test_nested_kubelets_report_each_by_itself_when_that_is_asked_for(
    procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    for pid, name, value in ((501, 'Kind-Control_Plane', 'true'), (502, 'kind-control-plane', 'false')):
        arguments = ('kubelet', f'--hostname-override={name}', f'--make-iptables-util-chains={value}')
        write_process(procfs, pid, arguments)
        (procfs / str(pid) / 'status').write_text(f'Uid:\t0\t0\t0\t0\nNSpid:\t{pid}\t1\n')
    dd_run_check(check_of(procfs))
    aggregator.assert_metric('kubelet_compliance.kubelet.found', value=0, count=1)
    aggregator.reset()
    dd_run_check(check_of(procfs, nested=True))
    statuses = {
        tag: sent.status
        for sent in aggregator.service_checks('kubelet_compliance.rule')
        for tag in sent.tags
        if tag.startswith('kubelet:')
    }
    assert statuses == {'kubelet:kind-control-plane': OK, 'kubelet:kind-control-plane-2': CRITICAL}
    assert len(aggregator.metrics('kubelet_compliance.node.compliant')) == 2


def test_benchmark_auto_goes_by_the_version_that_the_kubelet_reports(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run, datadog_agent: DatadogAgentStub,
    api: KubeletServer, certificates: Certificates,
) -> None:  # fmt: skip
    api.version = 'v1.32.1'
    show(procfs, standins.launch(('kubelet',), handles=(api.handle,)))
    check = asking(procfs, api, certificates, benchmark='auto')
    check.check_id = 'test'
    dd_run_check(check)
    assert 'benchmark:cis-1.12' in rule_sent(aggregator).tags
    assert 'compliance_control:4.2.6' in rule_sent(aggregator).tags
    datadog_agent.assert_metadata('test', {
        'benchmark': 'cis-1.12', 'version.raw': 'v1.32.1', 'version.scheme': 'semver', 'version.major': '1',
        'version.minor': '32', 'version.patch': '1',
    })  # fmt: skip


def test_a_rule_that_the_chosen_benchmark_lacks_is_evaluated_for_the_nearest_one_that_has_it(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run,
    api: KubeletServer, certificates: Certificates,
) -> None:  # fmt: skip
    """Of a fleet with several versions, no node goes silent."""
    api.version = 'v1.32.1'
    show(procfs, standins.launch(('kubelet',), handles=(api.handle,)))
    dd_run_check(asking(procfs, api, certificates, benchmark='auto', rules=['protect_kernel_defaults']))
    assert 'benchmark:cis-1.24' in rule_sent(aggregator).tags
    assert [sent.tags for sent in aggregator.metrics('kubelet_compliance.node.compliant')] == [
        ['benchmark:cis-1.24', 'compliance_framework:cis-kubernetes']
    ]


def test_the_agents_own_connection_is_used_where_it_has_one(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run, api: KubeletServer,
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    api.token, api.body = 'agents-token', RUNNING_FALSE
    info = {'url': api.url, 'verify_tls': 'true', 'ca_cert': str(certificates.ca), 'token': 'agents-token'}
    monkeypatch.setattr('datadog_checks.kubelet_compliance.check.get_connection_info', lambda: info)
    show(procfs, standins.launch(('kubelet',), handles=(api.handle,)))
    dd_run_check(check_of(procfs))
    assert rule_sent(aggregator).status == CRITICAL
    info['err'] = 'the kubelet client is not ready'
    aggregator.reset()
    dd_run_check(check_of(procfs))
    assert rule_sent(aggregator).status == OK
    assert 'the Agent itself can\'t reach the kubelet' in kubelet_sent(aggregator).message


def test_a_netrc_of_the_agents_user_is_not_sent_to_the_kubelet(
    standins: Standins, procfs: Path, tmp_path: Path, dd_run_check: Run, api: KubeletServer,
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / 'netrc').write_text('default login somebody password something\n')
    monkeypatch.setenv('NETRC', str(tmp_path / 'netrc'))
    show(procfs, standins.launch(('kubelet',), handles=(api.handle,)))
    dd_run_check(asking(procfs, api, certificates))
    assert api.requests
    assert not any('authorization' in {name.lower() for name in headers} for _, headers in api.requests)


def test_use_configz_without_a_way_to_ask_is_a_warning(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    show(procfs, standins.launch(('kubelet',)))
    dd_run_check(check_of(procfs, use_configz=True))
    assert kubelet_sent(aggregator).status == WARNING
    assert 'set kubelet_url' in kubelet_sent(aggregator).message


def test_a_problem_is_logged_once_when_it_begins_and_once_when_it_ends(
    standins: Standins, procfs: Path, dd_run_check: Run, caplog: pytest.LogCaptureFixture
) -> None:
    check = check_of(procfs)
    doubtful = standins.launch(('not-a-kubelet',))
    show(procfs, doubtful, standins.launch(('kubelet',)))
    caplog.set_level('INFO')
    for _ in range(3):
        dd_run_check(check)
    assert [record.levelname for record in caplog.records if 'could not be identified' in record.message] == ['WARNING']
    caplog.clear()
    doubtful.kill()
    for _ in range(3):
        dd_run_check(check)
    assert [record.levelname for record in caplog.records if 'could not be identified' in record.message] == ['INFO']


def test_agent_status_shows_what_there_is_to_change_at_each_run_and_the_log_only_once(
    standins: Standins, procfs: Path, dd_run_check: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """The Agent takes the warnings after each run, and shows those of the last one."""
    check = check_of(procfs)
    broken = standins.launch(('kubelet', '--config=/nonexistent'))
    doubtful = standins.launch(('not-a-kubelet',))
    show(procfs, broken, doubtful)
    shown = []
    for _ in range(3):
        dd_run_check(check)
        shown.append(check.get_warnings())
    (line,) = [line for line in shown[0] if 'could not be identified' in line]
    assert line.endswith(': check /proc/PID/cmdline; a wrapper may have renamed it')
    assert shown[1] == shown[2] == shown[0]
    assert [record.message for record in caplog.records].count(line) == 1
    doubtful.kill()
    dd_run_check(check)
    assert [line for line in check.get_warnings() if 'could not be identified' in line] == []


def test_warnings_that_nobody_takes_do_not_grow(standins: Standins, procfs: Path, dd_run_check: Run) -> None:
    check = check_of(procfs)
    show(procfs, standins.launch(('not-a-kubelet',)))
    for _ in range(3):
        dd_run_check(check)
    assert len(check.warnings) == 1


def test_a_compliant_node_has_nothing_to_change(standins: Standins, procfs: Path, dd_run_check: Run) -> None:
    check = check_of(procfs)
    show(procfs, standins.launch(('kubelet',)))
    dd_run_check(check)
    assert check.get_warnings() == []


def test_agent_status_says_why_no_kubelet_is_seen(procfs: Path, dd_run_check: Run) -> None:
    (procfs / '7').mkdir()
    (procfs / '7' / 'comm').write_text('bash\n')
    check = check_of(procfs)
    dd_run_check(check)
    (line,) = check.get_warnings()
    assert line.startswith(f'no kubelet runs on this host, or {procfs} does not show it: it hides process 1')


def test_agent_diagnose_says_why_no_kubelet_was_found(procfs: Path, dd_run_check: Run) -> None:
    (procfs / '7').mkdir()
    (procfs / '7' / 'comm').write_text('bash\n')
    check = check_of(procfs)
    dd_run_check(check)
    found, _ = json.loads(check.get_diagnoses())
    assert found['diagnosis'].startswith(f'no kubelet runs on this host, or {procfs} does not show it: it hides')


def test_agent_diagnose_shows_what_was_found_and_what_is_missing(
    standins: Standins, procfs: Path, dd_run_check: Run
) -> None:
    show(procfs, standins.launch(('kubelet', '--config=/nonexistent')))
    check = check_of(procfs)
    dd_run_check(check)
    found, missing, _ = json.loads(check.get_diagnoses())
    assert (found['result'], found['diagnosis']) == (0, 'kubelets found: 1')
    assert missing['result'] == 1
    assert missing['diagnosis'].startswith('the kubelet would refuse to start: /nonexistent: no such file')


def test_agent_diagnose_and_metadata_show_what_the_check_costs(
    standins: Standins, procfs: Path, dd_run_check: Run, datadog_agent: DatadogAgentStub
) -> None:
    check = check_of(procfs)
    check.check_id = 'test'
    kubelet = standins.launch(('kubelet',))
    show(procfs, kubelet)
    dd_run_check(check)
    datadog_agent.assert_metadata('test', {'collections.unchanged_percent': '0'})
    datadog_agent.reset()
    for _ in range(3):
        dd_run_check(check)
    datadog_agent.assert_metadata_count(0)
    cost = json.loads(check.get_diagnoses())[-1]
    assert (cost['result'], cost['name']) == (0, 'cost')
    assert cost['diagnosis'].startswith('check runs: 4, of which 1 read everything; the last of these took ')
    kubelet.kill()
    dd_run_check(check)
    slowest = f'{1000 * check.collector.cost.slowest_seconds:.0f}'
    datadog_agent.assert_metadata(
        'test', {'collections.unchanged_percent': '60', 'collections.slowest_full_ms': slowest}
    )
    assert json.loads(check.get_diagnoses())[-1]['diagnosis'].startswith('check runs: 5, of which 2 read everything')


def test_on_another_system_the_check_says_so_once(
    aggregator: AggregatorStub, dd_run_check: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, 'platform', 'win32')
    check = KubeletComplianceCheck('kubelet_compliance', {}, [{'use_configz': False}])
    for _ in range(3):
        dd_run_check(check)
    said = [record for record in caplog.records if 'not applicable: Linux only' in record.getMessage()]
    assert len(said) == 1
    sent = aggregator.service_checks('kubelet_compliance.kubelet')
    assert {(each.status, each.message) for each in sent} == {(3, 'not applicable: Linux only')}
    assert aggregator.metrics('kubelet_compliance.rule.compliant') == []
