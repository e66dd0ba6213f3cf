# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The whole check, run as the Agent runs it, against real processes of the stand-in program."""

from __future__ import annotations

import os
import time
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
from datadog_checks.kubelet_compliance.rules import RULES

from .cases import CASES, Case
from .standin import Standin, Standins

IPTABLES = 'make_iptables_util_chains'
BENCHMARK_TAGS = ['benchmark:cis-1.24', 'compliance_framework:cis-kubernetes']
RULE_TAGS = [f'rule:{IPTABLES}', *BENCHMARK_TAGS, 'compliance_control:4.2.7', 'cis_controls:6.9']
OK, WARNING, CRITICAL, UNKNOWN = AgentCheck.OK, AgentCheck.WARNING, AgentCheck.CRITICAL, AgentCheck.UNKNOWN
HEAD = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'

Run = Callable[[AgentCheck], None]


@pytest.fixture(autouse=True)
def all_that_is_sent_is_public(aggregator: AggregatorStub) -> Iterator[None]:
    """After every test here: each metric and service check sent is one of metadata.csv and service_checks.json."""
    yield
    aggregator.assert_metrics_using_metadata(get_metadata_metrics(), check_submission_type=True)
    aggregator.assert_service_checks(get_service_checks())
    aggregator.assert_no_duplicate_all()


@pytest.fixture
def procfs(tmp_path: Path) -> Path:
    """A view of the real /proc that shows only the processes that a test puts there."""
    folder = tmp_path / 'procfs'
    folder.mkdir()
    return folder


def show(procfs: Path, *standins: Standin) -> None:
    for standin in standins:
        (procfs / str(standin.pid)).symlink_to(f'/proc/{standin.pid}')


def check_of(procfs: Path, **options: Any) -> KubeletComplianceCheck:
    instance = {'procfs_path': str(procfs), 'rules': [IPTABLES], **options}
    return KubeletComplianceCheck('kubelet_compliance', {}, [instance])


@pytest.mark.parametrize('case', CASES, ids=lambda case: case.id)
def test_each_recorded_launch_as_a_real_process(
    case: Case, standins: Standins, procfs: Path, tmp_path: Path, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    folder = tmp_path / 'kubelet'
    folder.mkdir()
    case.lay_out(folder)
    show(procfs, standins.launch(('/usr/bin/kubelet', *case.arguments(folder)), cwd=folder))
    dd_run_check(check_of(procfs))
    if case.effective is None:
        status, kubelet_status = UNKNOWN, CRITICAL
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
    (procfs / str(os.getpid())).symlink_to('/proc/self')
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
    dd_run_check(KubeletComplianceCheck('kubelet_compliance', {}, [{'rules': [IPTABLES]}]))
    # Another kubelet may run on the machine that tests: the worst of all counts, and this one is as bad as it gets.
    aggregator.assert_service_check('kubelet_compliance.rule', status=CRITICAL, tags=RULE_TAGS, count=1)


def test_the_procfs_of_the_agents_own_configuration_is_used(
    standins: Standins, procfs: Path, aggregator: AggregatorStub, dd_run_check: Run, datadog_agent: DatadogAgentStub
) -> None:
    datadog_agent._config['procfs_path'] = f'{procfs}/'
    show(procfs, standins.launch(('kubelet', '--make-iptables-util-chains=0')))
    dd_run_check(KubeletComplianceCheck('kubelet_compliance', {}, [{'rules': [IPTABLES]}]))
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
    assert (
        f'{config} changed after the kubelet started' in sent.message.replace('...', '')[:500] or '...' in sent.message
    )
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


def wait_past_the_grain(path: Path) -> None:
    """Touch the file until its ctime is over a second later than it was: the check allows for that much."""
    before = path.stat().st_ctime
    while path.stat().st_ctime <= before + 1.2:
        time.sleep(0.05)
        os.utime(path)


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
        assert sent.message.startswith('2020-01-31: its exemption ended. makeIPTablesUtilChains is false')
        (kubelet,) = aggregator.service_checks('kubelet_compliance.kubelet')
        assert kubelet.status == WARNING
        assert f'the exemption of {IPTABLES} ended on 2020-01-31' in kubelet.message


@pytest.mark.parametrize(
    'options, message',
    [
        ({'benchmark': 'cis-9'}, "unknown benchmark 'cis-9'; known are: auto, .*cis-1.24"),
        ({'rules': ['bogus']}, 'unknown rules for cis-1.24: bogus; known are: anonymous_auth, '),
        ({'rules': ['pod_max_pids']}, 'unknown rules for cis-1.24: pod_max_pids'),
        ({'exemptions': [{'rule': IPTABLES, 'reason': ''}]}, f'the exemption of {IPTABLES} has no reason'),
        ({'exemptions': [{'rule': IPTABLES}]}, 'reason'),
        ({'metrics': 'some'}, "'full', 'summary' or 'none'"),
    ],
)
def test_a_wrong_option_stops_the_check_with_what_is_known(
    procfs: Path, aggregator: AggregatorStub, dd_run_check: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(Exception, match=message):
        dd_run_check(check_of(procfs, **options), extract_message=True)
    assert list(aggregator.metric_names) == []


@pytest.mark.parametrize('name, value', [
    ('benchmark', 'cis-1.24'),
    ('rules', [IPTABLES]),
    ('exemptions', [{'rule': IPTABLES, 'reason': 'x'}]),
    ('host_root', '/'),
    ('procfs_path', '/proc'),
])  # fmt: skip
def test_a_pods_annotations_cannot_say_what_is_read_or_judged(
    dd_run_check: Any, datadog_agent: DatadogAgentStub, name: str, value: Any
) -> None:
    datadog_agent._config['integration_ignore_untrusted_file_params'] = True
    check = KubeletComplianceCheck('kubelet_compliance', {}, [{name: value}])
    check.provider = 'kubernetes'
    with pytest.raises(Exception, match=f'{name}.*not allowed|{name}.*trusted|{name}.*provider'):
        dd_run_check(check, extract_message=True)
