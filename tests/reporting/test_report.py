# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from dataclasses import replace

import pytest

from datadog_checks.base.constants import ServiceCheck as Status
from datadog_checks.kubelet_compliance.model import (
    Benchmark,
    Cost,
    Fault,
    Finding,
    NodeReport,
    Origin,
    Setting,
    Source,
    Unknown,
    Verdict,
)
from datadog_checks.kubelet_compliance.reporting.report import (
    CRITICAL,
    OK,
    UNKNOWN,
    WARNING,
    Detail,
    Diagnosis,
    Gauge,
    Level,
    ServiceCheck,
    cost_diagnosis,
    iter_diagnoses,
    iter_gauges,
    iter_service_checks,
    kubelet_status,
    printable,
)
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS

BENCHMARK = BENCHMARKS['cis-1.24']
RULE = RULES_BY_KEY['make_iptables_util_chains']
SETTING = Setting((('makeIPTablesUtilChains', True),), Origin(Source.DROP_IN, '/d/a.conf:3'), Unknown('not asked'))
BENCHMARK_TAGS = ('benchmark:cis-1.24', 'compliance_framework:cis-kubernetes')
RULE_TAGS = ('rule:make_iptables_util_chains', *BENCHMARK_TAGS, 'compliance_control:4.2.7', 'cis_controls:6.9')
UNREADABLE = Unknown('/c.yaml could not be read: permission denied', 'let the Agent read it')
REFUSED = Unknown('the kubelet would refuse /c.yaml: it is empty', refused=True)


def node(verdict: Verdict, *problems: Unknown, found: int = 1, doubts: tuple[Unknown, ...] = ()) -> NodeReport:
    return NodeReport(
        found, (Finding(RULE, verdict, 'the reason', SETTING, BENCHMARK),), problems, doubts, restart_pending=False
    )


def test_the_statuses_are_those_of_the_agent() -> None:
    assert (OK, WARNING, CRITICAL, UNKNOWN) == (Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN)


@pytest.mark.parametrize(
    'verdict, status, compliant, node_compliant',
    [
        (Verdict.COMPLIANT, OK, 1, 1),
        (Verdict.NON_COMPLIANT, CRITICAL, 0, 0),
        (Verdict.UNKNOWN, UNKNOWN, 0, 0),
        (Verdict.EXEMPTED, WARNING, None, 1),
    ],
)
def test_each_verdict_has_its_status_and_its_numbers(
    verdict: Verdict, status: int, compliant: int | None, node_compliant: int
) -> None:
    checks = list(iter_service_checks(node(verdict)))
    blind = verdict is Verdict.UNKNOWN
    assert checks == [
        ServiceCheck(
            'kubelet', CRITICAL if blind else OK, (), 'no rule could be evaluated: the reason' if blind else ''
        ),
        ServiceCheck('rule', status, RULE_TAGS, '' if status == OK else 'the reason'),
    ]
    set_by = 'set_by:unknown' if blind else 'set_by:drop_in'
    of_rule = [] if compliant is None else [Gauge('rule.compliant', compliant, (*RULE_TAGS, set_by))]
    assert list(iter_gauges(node(verdict))) == [
        Gauge('kubelet.found', 1, ()),
        *of_rule,
        *[
            Gauge('rules', int(each is verdict), (*BENCHMARK_TAGS, f'verdict:{name}'))
            for each, name in (
                (Verdict.COMPLIANT, 'compliant'),
                (Verdict.EXEMPTED, 'exempted'),
                (Verdict.UNKNOWN, 'unknown'),
                (Verdict.NON_COMPLIANT, 'non_compliant'),
            )
        ],
        Gauge('node.compliant', node_compliant, BENCHMARK_TAGS),
        Gauge('kubelet.restart_pending', 0, ()),
    ]


def test_without_a_kubelet_only_that_is_said() -> None:
    assert list(iter_gauges(NodeReport(0))) == [Gauge('kubelet.found', 0, ())]
    assert list(iter_service_checks(NodeReport(0))) == [
        ServiceCheck('kubelet', UNKNOWN, (), 'no kubelet runs on this host')
    ]


@pytest.mark.parametrize(
    'detail, names',
    [
        (Detail.FULL, {'kubelet.found', 'rule.compliant', 'rules', 'node.compliant', 'kubelet.restart_pending'}),
        (Detail.SUMMARY, {'kubelet.found', 'rules', 'node.compliant', 'kubelet.restart_pending'}),
        (Detail.NONE, set()),
    ],
)
def test_the_option_metrics_says_how_many_are_sent(detail: Detail, names: set[str]) -> None:
    assert {gauge.name for gauge in iter_gauges(node(Verdict.COMPLIANT), detail)} == names


def test_a_rule_with_two_numbers_has_two_control_tags() -> None:
    stig = BENCHMARKS['eks-stig-kubernetes-v1r6']
    finding = Finding(RULES_BY_KEY['authorization_mode'], Verdict.COMPLIANT, '', SETTING, stig)
    checks = list(iter_service_checks(NodeReport(1, (finding,))))
    assert checks[1].tags == (
        'rule:authorization_mode',
        'benchmark:eks-stig-kubernetes-v1r6',
        'compliance_framework:stig-eks',
        'compliance_control:V-242392',
        'compliance_control:V-242435',
    )


def test_each_benchmark_has_its_own_counts() -> None:
    other = Benchmark('own', 'own-framework', {'max_pods': ()}, {}, {}, ())
    finding = Finding(replace(RULE, key='max_pods', tags=()), Verdict.NON_COMPLIANT, 'why', SETTING, other)
    report = NodeReport(1, (*node(Verdict.COMPLIANT).findings, finding))
    own = ('benchmark:own', 'compliance_framework:own-framework')
    sent = {(gauge.name, gauge.tags): gauge.value for gauge in iter_gauges(report)}
    assert sent[('rule.compliant', ('rule:max_pods', *own, 'set_by:drop_in'))] == 0
    assert sent[('node.compliant', BENCHMARK_TAGS)] == 1
    assert sent[('node.compliant', own)] == 0
    assert {tags: value for (name, tags), value in sent.items() if name == 'rules' and value} == {
        (*BENCHMARK_TAGS, 'verdict:compliant'): 1,
        (*own, 'verdict:non_compliant'): 1,
    }
    assert len([name for name, _ in sent if name == 'rules']) == 8
    assert [check.tags for check in iter_service_checks(report)] == [(), RULE_TAGS, ('rule:max_pods', *own)]


def test_restart_pending_is_not_sent_where_it_is_unknown() -> None:
    names = [gauge.name for gauge in iter_gauges(NodeReport(1, node(Verdict.COMPLIANT).findings))]
    assert 'kubelet.restart_pending' not in names


@pytest.mark.parametrize(
    'report, status, message',
    [
        pytest.param(node(Verdict.COMPLIANT), OK, '', id='all read'),
        pytest.param(
            node(Verdict.UNKNOWN), CRITICAL, 'no rule could be evaluated: the reason',
            id='all read, but the file changed after the start',
        ),
        pytest.param(
            node(Verdict.COMPLIANT, UNREADABLE), WARNING,
            '/c.yaml could not be read: permission denied: let the Agent read it',
            id='a flag decides, the file is unreadable',
        ),
        pytest.param(
            node(Verdict.UNKNOWN, UNREADABLE), CRITICAL,
            'no rule could be evaluated: /c.yaml could not be read: permission denied: let the Agent read it',
            id='unreadable',
        ),
        pytest.param(
            node(Verdict.NON_COMPLIANT, REFUSED), WARNING,
            'the kubelet would refuse /c.yaml: it is empty (the next restart will fail)',
            id='would be refused',
        ),
        pytest.param(
            node(Verdict.COMPLIANT, doubts=(Unknown('process 7 is named kubelet'),)), WARNING,
            'process 7 is named kubelet',
            id='one more that is doubtful',
        ),
        pytest.param(
            replace(node(Verdict.COMPLIANT), lapsed=(Unknown('the exemption of x ended on 2026-01-31', 'renew it'),)),
            WARNING,
            'the exemption of x ended on 2026-01-31: renew it',
            id='an exemption that has run out',
        ),
        pytest.param(
            NodeReport(0, doubts=(Unknown('process 7 is named kubelet', 'look'),)), WARNING,
            'process 7 is named kubelet: look',
            id='only a doubtful one',
        ),
    ],
)  # fmt: skip
def test_the_kubelet_check_says_how_well_the_kubelet_could_be_seen(
    report: NodeReport, status: int, message: str
) -> None:
    assert next(iter_service_checks(report)) == ServiceCheck('kubelet', status, (), message)


@pytest.mark.parametrize(
    'text, line',
    [
        ('one\ntwo\x1b[31m\x00', 'one?two?[31m?'),
        ('bidi \u202e and \ud800 lone', 'bidi ? and ? lone'),
        ('x' * 501, 'x' * 497 + '...'),
        ('x' * 500, 'x' * 500),
        ('x' * 10**6, 'x' * 497 + '...'),
        ('g\u00fcn', 'g\u00fcn'),
    ],
)
def test_a_message_is_one_printable_line_of_at_most_500_characters(text: str, line: str) -> None:
    assert printable(text) == line


SHOWN = 'set host_root: /'


@pytest.mark.parametrize(
    ('problems', 'message', 'diagnoses'),
    [
        pytest.param(
            [Unknown('/a is not read', SHOWN, fault=Fault.FILES_NOT_SHOWN), Unknown('/b is not read', SHOWN)],
            f'/a is not read; /b is not read: {SHOWN}',
            ['files_not_shown'],
            id='one-remedy',
        ),
        pytest.param(
            [Unknown(f'/{name} is not read', SHOWN) for name in 'abcd'],
            f'/a is not read; /b is not read and 2 more: {SHOWN}',
            ['evidence'],
            id='one-remedy-for-many',
        ),
        pytest.param(
            [Unknown('x', 'do this', fault=Fault.FORBIDDEN), Unknown('y', 'do that', fault=Fault.MOUNTED_OVER)],
            'x: do this; y: do that',
            ['forbidden', 'mounted_over'],
            id='two-remedies',
        ),
        pytest.param([Unknown('x'), Unknown('y'), Unknown('x')], 'x; y', ['evidence', 'evidence'], id='no-remedy'),
    ],
)
def test_each_change_is_asked_for_once(problems: list[Unknown], message: str, diagnoses: list[str]) -> None:
    report = node(Verdict.COMPLIANT, *problems)
    assert kubelet_status(report) == (WARNING, message)
    assert [each.name for each in iter_diagnoses(report)] == ['kubelet', *diagnoses]


def test_the_cost_is_one_line() -> None:
    cost = Cost(unchanged=1237, full=3, last_seconds=0.0091, slowest_seconds=1.25)
    text = 'check runs: 1,240, of which 3 read everything; the last of these took 9.1 ms, the slowest 1,250.0 ms'
    assert cost_diagnosis(cost) == Diagnosis(Level.SUCCESS, 'cost', text)
