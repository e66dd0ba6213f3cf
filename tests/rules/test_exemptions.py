# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.model import Exemption, Finding, NodeReport, Setting, Unknown, Verdict
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from datadog_checks.kubelet_compliance.rules.exemptions import ExemptionError, apply_exemptions, parse_exemptions

KEY = 'make_iptables_util_chains'
LAST_DAY = date(2027, 3, 31)
DAY_AFTER = date(2027, 4, 1)
NOTHING = Setting((), None, Unknown('not asked'))


def report(verdict: Verdict, *, found: int = 1) -> NodeReport:
    return NodeReport(
        found, (Finding(RULES_BY_KEY[KEY], verdict, 'the reason', NOTHING, BENCHMARKS[DEFAULT_BENCHMARK]),)
    )


@pytest.mark.parametrize(
    'verdict, after, message',
    [
        (Verdict.NON_COMPLIANT, Verdict.EXEMPTED, 'exempted until 2027-03-31 (Cilium): the reason'),
        (Verdict.COMPLIANT, Verdict.COMPLIANT, 'the reason'),
        (Verdict.UNKNOWN, Verdict.UNKNOWN, 'the reason'),
    ],
)
def test_an_exemption_acts_on_what_is_not_compliant_alone(verdict: Verdict, after: Verdict, message: str) -> None:
    exempted = apply_exemptions(report(verdict), (Exemption(KEY, 'Cilium', LAST_DAY),), LAST_DAY)
    (finding,) = exempted.findings
    assert (finding.verdict, finding.message) == (after, message)
    assert exempted.lapsed == ()


@pytest.mark.parametrize('verdict', [Verdict.NON_COMPLIANT, Verdict.COMPLIANT, Verdict.UNKNOWN])
def test_the_day_after_the_last_the_real_verdict_is_back_and_that_is_said(verdict: Verdict) -> None:
    lapsed = apply_exemptions(report(verdict), (Exemption(KEY, 'Cilium', LAST_DAY),), DAY_AFTER)
    (finding,) = lapsed.findings
    assert (finding.verdict, finding.message) == (verdict, 'the exemption ended on 2027-03-31: the reason')
    (problem,) = lapsed.lapsed
    assert problem.reason == f'the exemption of {KEY} ended on 2027-03-31'


def test_an_exemption_without_a_last_day_holds_for_ever() -> None:
    exempted = apply_exemptions(report(Verdict.NON_COMPLIANT), (Exemption(KEY, 'Cilium'),), date(2999, 1, 1))
    assert exempted.findings[0].verdict is Verdict.EXEMPTED
    assert exempted.findings[0].message == 'exempted (Cilium): the reason'


def test_an_exemption_of_another_rule_changes_nothing() -> None:
    assert apply_exemptions(report(Verdict.NON_COMPLIANT), (Exemption('event_qps', 'x'),), LAST_DAY) == report(
        Verdict.NON_COMPLIANT
    )


def test_without_a_kubelet_no_exemption_is_missed() -> None:
    assert apply_exemptions(NodeReport(0), (Exemption(KEY, 'x', LAST_DAY),), DAY_AFTER) == NodeReport(0)


def test_exemptions_are_read_from_the_options() -> None:
    rows = [{'rule': KEY, 'reason': ' Cilium ', 'until': '2027-03-31'}, {'rule': 'event_qps', 'reason': 'x'}]
    assert parse_exemptions(rows, RULES_BY_KEY) == (
        Exemption(KEY, 'Cilium', LAST_DAY),
        Exemption('event_qps', 'x', None),
    )


@pytest.mark.parametrize(
    'rows, message',
    [
        (
            [{'rule': 'bogus', 'reason': 'x'}],
            "an exemption names the unknown rule 'bogus'; choose from: anonymous_auth, ",
        ),
        ([{'reason': 'x'}], "an exemption names the unknown rule ''"),
        ([{'rule': KEY}], f'the exemption of {KEY} has no reason'),
        ([{'rule': KEY, 'reason': '  '}], f'the exemption of {KEY} has no reason'),
        (
            [{'rule': KEY, 'reason': 'x', 'until': '31.3.2027'}],
            f'the exemption of {KEY} has an invalid until: use a date',
        ),
        ([{'rule': KEY, 'reason': 'x'}, {'rule': KEY, 'reason': 'y'}], f'{KEY} is exempted twice'),
    ],
)
def test_an_exemption_that_makes_no_sense_is_an_error(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ExemptionError, match=message.replace('.', r'\.')):
        parse_exemptions(rows, RULES_BY_KEY)
