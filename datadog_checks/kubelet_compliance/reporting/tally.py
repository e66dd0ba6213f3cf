# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The results of many nodes in numbers: the verdict of each node, rules by verdict, and nodes with the same results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import Rule, Verdict

from .output import ALL_COMPLIANT, NOT_COMPLIANT, NotEvaluated, Output, nothing_found
from .report import problem_text


@dataclass(frozen=True, slots=True)
class RuleTally:
    """One rule on all nodes: its numbers in their benchmarks, and how many nodes have each verdict."""

    rule: Rule
    numbers: tuple[str, ...]
    counts: Mapping[Verdict, int]

    @property
    def badness(self) -> tuple[int, int]:
        """What sorts rules from the worst to the best if it is sorted downward."""
        return self.counts[Verdict.NON_COMPLIANT], self.counts[Verdict.UNKNOWN]

    @property
    def share(self) -> float:
        """The share of the nodes that are non-compliant, of those whose benchmark has the rule."""
        return self.counts[Verdict.NON_COMPLIANT] / sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class SameResults:
    """Nodes with the same results. `verdicts`: by rule key, without the rules that are not in their benchmark."""

    names: tuple[str, ...]
    verdicts: Mapping[str, Verdict]

    @property
    def badness(self) -> tuple[int, int, int]:
        """What sorts nodes from the worst to the best if it is sorted downward."""
        counts = Counter(self.verdicts.values())
        return counts[Verdict.NON_COMPLIANT], counts[Verdict.UNKNOWN], len(self.names)

    @property
    def is_compliant(self) -> bool:
        return set(self.verdicts.values()) <= {Verdict.COMPLIANT, Verdict.EXEMPTED}


def verdict_of(node: Output | NotEvaluated) -> Verdict:
    """One verdict for a node, by its exit status: compliant only if nothing about it is unknown."""
    of_status = {ALL_COMPLIANT: Verdict.COMPLIANT, NOT_COMPLIANT: Verdict.NON_COMPLIANT}
    return of_status.get(node.exit_status, Verdict.UNKNOWN)


def tally_rules(nodes: Iterable[Output]) -> list[RuleTally]:
    """The rules of all nodes, the worst first. Rules that are equally bad keep the order of the benchmark."""
    rules: dict[str, Rule] = {}
    numbers: dict[str, dict[str, None]] = {}
    counts: dict[str, Counter[Verdict]] = {}
    for node in nodes:
        for finding in node.node.findings:
            key = finding.rule.key
            rules[key] = finding.rule
            numbers.setdefault(key, {}).update(dict.fromkeys(finding.benchmark.controls[key]))
            counts.setdefault(key, Counter())[finding.verdict] += 1
    found = [RuleTally(rule, tuple(numbers[key]), counts[key]) for key, rule in rules.items()]
    return sorted(found, key=lambda each: each.badness, reverse=True)


def with_same_results(nodes: Iterable[Output]) -> list[SameResults]:
    """The nodes that have results, grouped, the worst first."""
    groups: dict[tuple[tuple[str, Verdict], ...], list[str]] = {}
    for node in nodes:
        verdicts = tuple((finding.rule.key, finding.verdict) for finding in node.node.findings)
        if verdicts:
            groups.setdefault(verdicts, []).append(node.name)
    found = [SameResults(tuple(names), dict(verdicts)) for verdicts, names in groups.items()]
    return sorted(found, key=lambda each: each.badness, reverse=True)


def problems_of(node: Output | NotEvaluated) -> list[str]:
    """What could not be evaluated or read on a node. Those that an upgrade depends on are part of its result."""
    if isinstance(node, NotEvaluated):
        return [node.why]
    report = node.node
    problems = report.problems if not node.for_version else ()
    texts = [problem_text(problem) for problem in (*report.doubts, *problems, *report.lapsed)]
    return texts if report.found else [nothing_found(report), *texts]
