# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What must hold of all that is sent, whatever a node was made to say. Raises BrokenPromise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.pending import restart_pending
from datadog_checks.kubelet_compliance.model import (
    LONGEST_MESSAGE,
    Declared,
    Evidence,
    Finding,
    KubeletReport,
    NodeReport,
    Rule,
    Source,
    Unknown,
    Verdict,
)
from datadog_checks.kubelet_compliance.reporting.report import (
    OK,
    Gauge,
    ServiceCheck,
    benchmark_tags,
    iter_gauges,
    iter_reports,
    iter_service_checks,
    rule_tags,
)
from datadog_checks.kubelet_compliance.rules.judge import judge, judge_node
from datadog_checks.kubelet_compliance.rules.resolve import NOT_ASKED, resolve, running_values
from datadog_checks.kubelet_compliance.rules.selection import select

SELECTION = select('cis-1.24', None)
BENCHMARK = SELECTION.benchmark
SETTING_RULES = tuple(rule for rule in SELECTION.rules if rule.files is None)
FEW = select('cis-1.24', ('make_iptables_util_chains', 'hostname_override', 'rotate_kubelet_server_certificate'))
"""A rule on a plain field, one on a flag, one on several fields: what most inputs are judged by."""

KUBELET_TAG = re.compile(r'kubelet:[a-z0-9-]{1,63}')
TAGS = frozenset(
    {
        *benchmark_tags(BENCHMARK),
        *(f'set_by:{source.value}' for source in Source),
        *(f'verdict:{verdict.value}' for verdict in Verdict),
        *(
            tag
            for rule in SELECTION.rules
            for tag in rule_tags(Finding(rule, Verdict.UNKNOWN, '', resolve(Declared({}, {}), ()), BENCHMARK))
        ),
    }
)
"""All the tags that there are, made without any input: what is not one of them came from the node."""


class BrokenPromise(AssertionError):
    """What was sent, or decided, is what the project promises never to send or decide."""


def promise(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenPromise(what)


def judged(
    evidence: Evidence,
    declared: Declared,
    running: Configuration | Unknown = NOT_ASKED,
    rules: Sequence[Rule] = SETTING_RULES,
) -> KubeletReport:
    """Rules on settings judged for one kubelet, held against what is promised of verdicts."""
    settings = [resolve(declared, rule.fields, running_values(rule, running, declared)) for rule in rules]
    findings = [judge(rule, setting, BENCHMARK) for rule, setting in zip(rules, settings, strict=True)]
    for finding in findings:
        check_verdict(finding, declared, running)
    problems = tuple(problem for problem in (declared.unknown, running) if isinstance(problem, Unknown))
    pending = restart_pending(evidence.process, [declared], settings, running)
    name = str(declared.value('--hostname-override') or '')
    return KubeletReport(evidence.process, tuple(findings), problems, pending, name)


def check_verdict(finding: Finding, declared: Declared, running: Configuration | Unknown) -> None:
    """What is not known is never compliant."""
    promise(isinstance(finding.set_by, Source), 'set_by is no known source')
    if finding.verdict is not Verdict.COMPLIANT or not isinstance(running, Unknown):
        return
    promise(declared.launch is None or declared.launch.doubt is None, f'{finding.rule.key} is green in doubt')
    if declared.unknown is None:
        return
    promise(declared.flags_known, f'{finding.rule.key} is green, with flags that are not known')
    is_sure = declared.line_accepted or not declared.unknown.refused
    promise(is_sure, f'{finding.rule.key} is green of a kubelet that would refuse to start')
    sources = [declared.origins[field].source for field in finding.rule.fields if field in declared.origins]
    is_plain = all(field.startswith('--') for field in finding.rule.fields)
    by_flags = sources and set(sources) == {Source.FLAG} and len(sources) == len(finding.rule.fields)
    promise(is_plain or bool(by_flags), f'{finding.rule.key} is green, and what decides it is not known')


def check_reported(reports: Sequence[KubeletReport], node: NodeReport | None = None, *, nested: bool = False) -> None:
    """Everything that is sent of a node."""
    node = node or judge_node(reports, ())
    names = set()
    for report, own in iter_reports(node, reports, nested=nested):
        for tag in own:
            promise(KUBELET_TAG.fullmatch(tag) is not None, f'the tag {tag!r}')
        promise(own == () or own not in names, 'two kubelets have one name')
        names.add(own)
        check_gauges(iter_gauges(report))
        check_service_checks(iter_service_checks(report))


def check_gauges(gauges: Iterable[Gauge]) -> None:
    for gauge in gauges:
        promise(TAGS.issuperset(gauge.tags), f'{gauge.name} has the tags {gauge.tags}')
        promise(gauge.value >= 0, f'{gauge.name} is {gauge.value!r}')


def check_service_checks(service_checks: Iterable[ServiceCheck]) -> None:
    for each in service_checks:
        promise(TAGS.issuperset(each.tags), f'{each.name} has the tags {each.tags}')
        message = each.message
        promise((message == '') == (each.status == OK), f'{each.name} has the status {each.status}: {message!r}')
        promise(message.isprintable() and len(message) <= LONGEST_MESSAGE, f'{each.name} says {message!r}')
        message.encode()
