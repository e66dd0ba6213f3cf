# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Everything that the check sends for a collection, built once and sent again until something changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from datadog_checks.kubelet_compliance.model import Benchmark, Cost, Exemption, KubeletReport, NodeReport
from datadog_checks.kubelet_compliance.rules.exemptions import apply_exemptions

from .report import Detail, Rows, iter_gauges, iter_reports, iter_service_checks, printable, problem_text
from .upgrade_rows import iter_upgrade_checks, iter_upgrade_gauges


@dataclass(frozen=True, slots=True)
class Sending:
    """The options that affect what the check sends."""

    exemptions: Sequence[Exemption]
    detail: Detail
    tags: tuple[str, ...]
    nested: bool

    def rows(self, node: NodeReport, kubelets: Sequence[KubeletReport], today: date) -> Rows:
        """The metrics and service checks, each with its tags."""
        rows = Rows()
        for report, own in iter_reports(node, kubelets, nested=self.nested):
            tags = (*self.tags, *own)
            exempted = apply_exemptions(report, self.exemptions, today)
            gauges = [*iter_gauges(exempted, self.detail)]
            checks = [*iter_service_checks(exempted), *iter_upgrade_checks(report.upgrade)]
            if self.detail is not Detail.NONE:
                gauges += iter_upgrade_gauges(report.upgrade)
            rows.gauges += [(gauge, [*tags, *gauge.tags]) for gauge in gauges]
            rows.service_checks += [(each, [*tags, *each.tags]) for each in checks]
        return rows


def iter_metadata(benchmark: Benchmark, version: str | None, cost: Cost) -> Iterator[tuple[str, str]]:
    """The check metadata. `version`: that of the kubelet; None: unknown.

    The Agent sends all its metadata when a value changes. So the cost is given in values that seldom change.
    """
    yield 'benchmark', benchmark.name
    if version is not None:
        yield 'version', version
    yield 'collections.unchanged_percent', str(100 * cost.unchanged // (cost.unchanged + cost.full))
    yield 'collections.slowest_full_ms', str(round(1000 * cost.slowest_seconds))


def advice(node: NodeReport) -> list[str]:
    """What needs attention on the node, a line each, for `agent status`."""
    problems = (each for each in (*node.problems, *node.doubts) if each.remedy or each.refused)
    lines = {printable(problem_text(each)): None for each in problems}
    because = [] if node.found or not node.none_found_because else [printable(node.none_found_because)]
    return [*lines, *because]


class Notices:
    """What to log about a node: each problem once when it begins, and once when it ends."""

    def __init__(self) -> None:
        self.logged: frozenset[str] = frozenset()

    def changes(self, node: NodeReport) -> tuple[list[str], list[str]]:
        """The problems that are new, and those that are gone."""
        now = {printable(problem_text(problem)) for problem in (*node.problems, *node.doubts)}
        now |= {node.none_found_because} - {''}
        began, ended = sorted(now - self.logged), sorted(self.logged - now)
        self.logged = frozenset(now)
        return began, ended
