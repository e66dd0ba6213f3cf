# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the command found, as plain values. Each format of the command prints these."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from datadog_checks.kubelet_compliance.model import Benchmark, Finding, KubeletReport, NodeReport, Outcome, Verdict

from .layout import Style
from .report import problem_text

ALL_COMPLIANT, NOT_COMPLIANT, NOT_DETERMINED = range(3)
"""The exit statuses of the command."""

FAILED: Final = frozenset({Verdict.NON_COMPLIANT, Verdict.UNKNOWN})
"""The results that someone has to act on: the option `--failed` prints only these."""

COUNTED: Final = (Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN, Verdict.EXEMPTED)
"""The order of the results in a summary."""


@dataclass(frozen=True, slots=True)
class Started:
    """How a process was started. `since`: seconds since the epoch. `by`: the parent process, '' if it is gone."""

    since: float
    user: str
    by: str = ''


@dataclass(frozen=True, slots=True)
class Output:
    """Everything to print about one node. `options_from`, `configz_from`: their sources, if any."""

    node: NodeReport
    kubelets: Sequence[KubeletReport]
    benchmark: Benchmark
    captured: bool
    options_from: str | None = None
    configz_from: str | None = None
    image: str | None = None
    """The root file system of a machine image. None: a node was evaluated."""
    name: str = ''
    """The name of a captured node. '' for this machine."""
    for_version: str = ''
    """The release of the upgrade that was asked about. '' for the rules."""
    starts: Mapping[int, Started] = field(default_factory=dict)
    """How the kubelets on this machine were started, by process ID, as far as that is known."""
    folder: str = ''
    """The folder of an image or of a captured node, as it was named. '' for this machine."""

    @property
    def exit_status(self) -> int:
        if self.for_version:
            return self.upgrade_status
        verdicts = {finding.verdict for finding in self.node.findings}
        if Verdict.NON_COMPLIANT in verdicts:
            return NOT_COMPLIANT
        if not self.node.found or self.node.doubts or Verdict.UNKNOWN in verdicts:
            return NOT_DETERMINED
        return ALL_COMPLIANT

    @property
    def outcome(self) -> Outcome:
        """What the upgrade would do to the node. Unknown if nobody asked."""
        return self.node.upgrade.outcome if self.node.upgrade is not None else Outcome.UNKNOWN

    @property
    def upgrade_status(self) -> int:
        if self.outcome is Outcome.BLOCKED:
            return NOT_COMPLIANT
        return NOT_DETERMINED if self.outcome is Outcome.UNKNOWN or self.node.doubts else ALL_COMPLIANT


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """A node that the command could not evaluate, and why. `folder`: as in `Output`."""

    name: str
    why: str
    folder: str = ''

    @property
    def exit_status(self) -> int:
        return NOT_DETERMINED

    @property
    def outcome(self) -> Outcome:
        return Outcome.UNKNOWN


@dataclass(frozen=True, slots=True)
class Results:
    """What one run of the command found. `at`: the time of the run.

    `are_many`: several nodes were named, even if only one of them could be found. `folder`: where relative paths
    start; '' if it is unknown.
    """

    nodes: Sequence[Output | NotEvaluated]
    at: datetime
    are_many: bool = False
    folder: str = ''

    @property
    def is_upgrade(self) -> bool:
        """Whether the results are about an upgrade, and not about rules."""
        return any(isinstance(node, Output) and node.for_version for node in self.nodes)

    @property
    def exit_status(self) -> int:
        """1 if a rule is non-compliant on any node, else 2 if a result is not known, else 0."""
        statuses = {node.exit_status for node in self.nodes}
        return NOT_COMPLIANT if NOT_COMPLIANT in statuses else max(statuses, default=NOT_DETERMINED)


def shown(findings: Sequence[Finding], style: Style) -> list[Finding]:
    """The findings to print."""
    return [finding for finding in findings if not style.only_failed or finding.verdict in FAILED]


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """The findings by their verdicts. Those with the same verdict keep their order."""
    return sorted(findings, key=lambda finding: -finding.verdict.badness)


def count_verdicts(findings: Sequence[Finding]) -> dict[Verdict, int]:
    """How many findings have each verdict. All verdicts are there."""
    verdicts = [finding.verdict for finding in findings]
    return {verdict: verdicts.count(verdict) for verdict in COUNTED}


def nothing_found(node: NodeReport) -> str:
    """Why there is no kubelet to print, in a sentence without its full stop."""
    if node.none_found_because:
        return node.none_found_because
    return 'Could not find a kubelet' if node.doubts else 'No kubelet runs here'


def short_names(folders: Sequence[str]) -> list[str]:
    """The folders by their own names; by their paths if several have the same name."""
    names = [posixpath.basename(posixpath.normpath(folder)) for folder in folders]
    count = Counter(names)
    return [folder if count[name] > 1 else name for folder, name in zip(folders, names, strict=True)]


def name_of_node(output: Output) -> str:
    """The name of a captured node or an image. '' for this machine."""
    return output.image or output.name


def names_of_kubelets(output: Output) -> list[str]:
    """A name for each kubelet: that of its node, and what distinguishes it from the other kubelets there."""
    node = name_of_node(output) or 'kubelet'
    if len(output.kubelets) == 1:
        return [node]
    own = [kubelet.process.unit or kubelet.name for kubelet in output.kubelets]
    return [
        f'{node}: {name if name and own.count(name) == 1 else f"process {kubelet.process.pid}"}'
        for name, kubelet in zip(own, output.kubelets, strict=True)
    ]


def why_not_evaluated(node: Output | NotEvaluated) -> str:
    """Why a node has no results, or may have a kubelet that has none; '' if everything was evaluated."""
    if isinstance(node, NotEvaluated):
        return node.why
    doubts = [problem_text(doubt) for doubt in node.node.doubts]
    return '; '.join(doubts if node.kubelets else (nothing_found(node.node), *doubts))
