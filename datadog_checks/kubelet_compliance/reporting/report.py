# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The metrics and service checks for a node, as plain tuples. Names and tags are public: see docs/data-collected.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

from datadog_checks.kubelet_compliance.model import (
    LONGEST_MESSAGE,
    Benchmark,
    Cost,
    Finding,
    KubeletReport,
    NodeReport,
    Unknown,
    Verdict,
)

LONGEST_TAG_VALUE = 63

OK, WARNING, CRITICAL, UNKNOWN = range(4)
"""The statuses of service checks, by number."""

STATUS_OF = {
    Verdict.COMPLIANT: OK,
    Verdict.EXEMPTED: WARNING,
    Verdict.NON_COMPLIANT: CRITICAL,
    Verdict.UNKNOWN: UNKNOWN,
}


class Gauge(NamedTuple):
    name: str
    value: float
    tags: tuple[str, ...]


class ServiceCheck(NamedTuple):
    """`message` is empty for OK: the Agent drops it there."""

    name: str
    status: int
    tags: tuple[str, ...]
    message: str


@dataclass(slots=True)
class Rows:
    """Everything that the check sends for a node, with tags."""

    gauges: list[tuple[Gauge, list[str]]] = field(default_factory=list)
    service_checks: list[tuple[ServiceCheck, list[str]]] = field(default_factory=list)


class Detail(Enum):
    """How many metrics the check sends: the option `metrics`."""

    FULL = 'full'
    SUMMARY = 'summary'
    NONE = 'none'


def iter_reports(
    node: NodeReport, kubelets: Sequence[KubeletReport], *, nested: bool
) -> Iterator[tuple[NodeReport, tuple[str, ...]]]:
    """The reports to send, with their tags: one for the node, or with `nested` one for each kubelet."""
    if not nested or not kubelets:
        yield node, ()
        return
    names = tag_values([kubelet.name for kubelet in kubelets])
    for kubelet, name in zip(kubelets, names, strict=True):
        own = NodeReport(
            1,
            kubelet.findings,
            kubelet.problems,
            node.doubts,
            restart_pending=kubelet.restart_pending,
            upgrade=kubelet.upgrade,
        )
        yield own, (f'kubelet:{name}',)


def tag_values(names: Sequence[str]) -> list[str]:
    """Names as distinct tag values of `[a-z0-9-]`, at most 63 characters long. Equal names get a number."""
    found: dict[str, None] = {}
    numbers: dict[str, int] = {}
    for name in names:
        base = re.sub('[^a-z0-9-]+', '-', name.lower())[:LONGEST_TAG_VALUE].strip('-') or 'unnamed'
        choice = base
        while choice in found:
            numbers[base] = numbers.get(base, 1) + 1
            ending = f'-{numbers[base]}'
            choice = f'{base[: LONGEST_TAG_VALUE - len(ending)]}{ending}'
        found[choice] = None
    return list(found)


def iter_gauges(report: NodeReport, detail: Detail = Detail.FULL) -> Iterator[Gauge]:
    """All gauges. Without a kubelet, only `kubelet.found`.

    `SUMMARY` leaves out the gauge for each rule.
    """
    if detail is Detail.NONE:
        return
    yield Gauge('kubelet.found', report.found, ())
    if not report.found:
        return
    for finding in report.findings:
        if finding.verdict is not Verdict.EXEMPTED and detail is Detail.FULL:
            tags = (*rule_tags(finding), f'set_by:{finding.set_by.value}')
            yield Gauge('rule.compliant', finding.verdict is Verdict.COMPLIANT, tags)
    for tags, verdicts in verdicts_by_benchmark(report.findings).items():
        for verdict in Verdict:
            yield Gauge('rules', verdicts.count(verdict), (*tags, f'verdict:{verdict.value}'))
        yield Gauge('node.compliant', set(verdicts) <= {Verdict.COMPLIANT, Verdict.EXEMPTED}, tags)
    if report.restart_pending is not None:
        yield Gauge('kubelet.restart_pending', report.restart_pending, ())


def verdicts_by_benchmark(findings: Sequence[Finding]) -> dict[tuple[str, ...], list[Verdict]]:
    """The verdicts of the rules of each benchmark, by the tags of the benchmark."""
    found: dict[tuple[str, ...], list[Verdict]] = {}
    for finding in findings:
        found.setdefault(benchmark_tags(finding.benchmark), []).append(finding.verdict)
    return found


def iter_service_checks(report: NodeReport) -> Iterator[ServiceCheck]:
    """The service check for the kubelet, and one for each rule with the message."""
    status, message = kubelet_status(report)
    yield ServiceCheck('kubelet', status, (), '' if status == OK else printable(message))
    for finding in report.findings:
        status = STATUS_OF[finding.verdict]
        message = '' if status == OK else printable(finding.message)
        yield ServiceCheck('rule', status, rule_tags(finding), message)


def kubelet_status(report: NodeReport) -> tuple[int, str]:
    unseen = '; '.join(problem_text(problem) for problem in by_remedy((*report.problems, *report.doubts)))
    lapsed = '; '.join(problem_text(problem) for problem in report.lapsed)
    if not report.found:
        return (WARNING, unseen) if unseen else (UNKNOWN, none_found(report))
    message = '; '.join(part for part in (unseen, lapsed) if part)
    if all(finding.verdict is Verdict.UNKNOWN for finding in report.findings):
        return CRITICAL, f'no rule could be evaluated: {message or report.findings[0].message}'
    return (WARNING, message) if message else (OK, '')


def none_found(report: NodeReport) -> str:
    return report.none_found_because or 'no kubelet runs on this host'


class Level(Enum):
    """The results of `agent diagnose`, by the names of the functions in the base class."""

    SUCCESS = 'success'
    WARNING = 'warning'
    FAIL = 'fail'


class Diagnosis(NamedTuple):
    """One line of `agent diagnose`."""

    level: Level
    name: str
    text: str
    remedy: str = ''


def iter_diagnoses(report: NodeReport) -> Iterator[Diagnosis]:
    """The kubelets found, the processes not admitted, and the missing evidence."""
    if report.found:
        yield Diagnosis(Level.SUCCESS, 'kubelet', f'kubelets found: {report.found}')
    else:
        yield Diagnosis(Level.WARNING, 'kubelet', none_found(report))
    for each in admissible(report):
        yield Diagnosis(Level.WARNING, 'kubelet', each.reason, each.remedy)
    for problem in by_remedy((*report.problems, *report.doubts)):
        name = problem.fault.value if problem.fault is not None else 'evidence'
        yield Diagnosis(Level.FAIL, name, problem.reason, problem.remedy)


def cost_diagnosis(cost: Cost) -> Diagnosis:
    """What the check itself costs."""
    last, slowest = (f'{1000 * seconds:,.1f} ms' for seconds in (cost.last_seconds, cost.slowest_seconds))
    runs = f'check runs: {cost.unchanged + cost.full:,}, of which {cost.full:,} read everything'
    return Diagnosis(Level.SUCCESS, 'cost', f'{runs}; the last of these took {last}, the slowest {slowest}')


MOST_TURNED_AWAY = 3


def admissible(report: NodeReport) -> list[Unknown]:
    """The first of the processes that were not admitted, but that an option would admit."""
    return [each for each in report.turned_away if each.remedy][:MOST_TURNED_AWAY]


def by_remedy(problems: Sequence[Unknown]) -> list[Unknown]:
    """The problems, with those that share a remedy joined, so that each remedy appears once."""
    found: dict[object, list[Unknown]] = {}
    for problem in dict.fromkeys(problems):
        found.setdefault((problem.remedy, problem.refused) if problem.remedy else problem, []).append(problem)
    return [replace(same[0], reason=reasons_of(same)) for same in found.values()]


def reasons_of(problems: Sequence[Unknown]) -> str:
    more = f' and {len(problems) - MOST_REASONS} more' if len(problems) > MOST_REASONS else ''
    return '; '.join(problem.reason for problem in problems[:MOST_REASONS]) + more


MOST_REASONS = 2
"""Listed for a remedy that resolves them all."""


def problem_text(problem: Unknown) -> str:
    remedy = f': {problem.remedy}' if problem.remedy else ''
    return f'{problem.reason} (the next restart will fail){remedy}' if problem.refused else problem.reason + remedy


def benchmark_tags(benchmark: Benchmark) -> tuple[str, ...]:
    return f'benchmark:{benchmark.name}', f'compliance_framework:{benchmark.framework}'


def rule_tags(finding: Finding) -> tuple[str, ...]:
    rule, benchmark = finding.rule, finding.benchmark
    controls = tuple(f'compliance_control:{number}' for number in benchmark.controls[rule.key])
    return (f'rule:{rule.key}', *benchmark_tags(benchmark), *controls, *rule.tags)


def printable(message: str, longest: int = LONGEST_MESSAGE) -> str:
    """One line of printable text. Control and escape characters become '?'."""
    line = ''.join(letter if letter.isprintable() else '?' for letter in message[: 4 * longest])
    return line if len(line) <= longest else f'{line[: longest - 3]}...'
