# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The numbers over many nodes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datadog_checks.kubelet_compliance.model import NodeReport, Unknown, Verdict
from datadog_checks.kubelet_compliance.reporting.output import NotEvaluated, Output
from datadog_checks.kubelet_compliance.reporting.tally import problems_of, tally_rules, verdict_of, with_same_results
from tests.support.made_up_results import made_up_node

DOUBT = Unknown('could not read X', 'mount it')


@pytest.mark.parametrize(
    ('node', 'verdict'),
    [
        (made_up_node('a', '....'), Verdict.COMPLIANT),
        (made_up_node('a', '.ee.'), Verdict.COMPLIANT),
        (made_up_node('a', '.?e.'), Verdict.UNKNOWN),
        (made_up_node('a', '.?x.'), Verdict.NON_COMPLIANT),
        pytest.param(
            made_up_node('a', '....', doubts=(DOUBT,)), Verdict.UNKNOWN, id='a process that was not identified'
        ),
        pytest.param(replace(made_up_node('a', ''), node=NodeReport(0)), Verdict.UNKNOWN, id='no kubelet'),
        pytest.param(NotEvaluated('a', 'why'), Verdict.UNKNOWN, id='not evaluated'),
    ],
)
def test_a_node_is_compliant_only_if_nothing_is_wrong_or_unknown(node: Output | NotEvaluated, verdict: Verdict) -> None:
    assert verdict_of(node) is verdict


def counted(*nodes: Output) -> list[tuple[str, str, tuple[str, ...]]]:
    """The rules with their counts, as the first letters of the verdicts."""
    return [
        (tally.rule.key, ''.join(verdict.value[0] * tally.counts[verdict] for verdict in Verdict), tally.numbers)
        for tally in tally_rules(nodes)
    ]


def test_rules_are_sorted_by_the_nodes_that_break_them_then_by_the_unknown() -> None:
    nodes = [made_up_node('a', '.?x?'), made_up_node('b', '.?xx'), made_up_node('c', '....')]
    assert [counts for _, counts, _ in counted(*nodes)] == ['cnn', 'cun', 'cuu', 'ccc']


def test_a_rule_is_one_rule_in_all_benchmarks_whatever_its_number() -> None:
    nodes = [made_up_node('a', 21 * '.'), made_up_node('b', 21 * 'x', 'cis-1.12')]
    found = {key: (counts, numbers) for key, counts, numbers in counted(*nodes)}
    assert found['make_iptables_util_chains'] == ('cn', ('4.2.7', '4.2.6'))


def test_nodes_with_the_same_results_are_one_group_and_the_worst_comes_first() -> None:
    nodes = [
        made_up_node(name, verdicts)
        for name, verdicts in zip('abcdef', ('..', '?.', 'x.', '?.', 'xx', ''), strict=True)
    ]
    groups = with_same_results(nodes)
    assert [group.names for group in groups] == [('e',), ('c',), ('b', 'd'), ('a',)]
    assert [group.is_compliant for group in groups] == [False, False, False, True]


def test_the_same_verdicts_for_other_rules_are_not_the_same_results() -> None:
    assert len(with_same_results([made_up_node('a', '-x'), made_up_node('b', 'x-')])) == 2


@pytest.mark.parametrize(
    ('node', 'problems'),
    [
        pytest.param(made_up_node('a', 'x'), [], id='results'),
        pytest.param(NotEvaluated('a', 'why'), ['why'], id='not evaluated'),
        pytest.param(made_up_node('a', 'x', problems=(DOUBT,)), ['could not read X: mount it'], id='a problem'),
        pytest.param(replace(made_up_node('a', ''), node=NodeReport(0)), ['No kubelet runs here'], id='no kubelet'),
        pytest.param(
            replace(made_up_node('a', ''), node=NodeReport(0, doubts=(DOUBT,))),
            ['Could not find a kubelet', 'could not read X: mount it'],
            id='no kubelet, and why',
        ),
        pytest.param(
            replace(made_up_node('a', '', problems=(DOUBT,)), for_version='1.37'), [], id='an upgrade says its own'
        ),
    ],
)
def test_the_problems_of_a_node(node: Output | NotEvaluated, problems: list[str]) -> None:
    assert problems_of(node) == problems
