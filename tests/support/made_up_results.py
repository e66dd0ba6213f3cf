# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Nodes with made-up results, for the formats of the command."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.model import (
    Finding,
    KubeletReport,
    NodeReport,
    Process,
    Setting,
    Unknown,
    Verdict,
)
from datadog_checks.kubelet_compliance.reporting.output import Output
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS

LETTERS = {
    'x': Verdict.NON_COMPLIANT,
    '?': Verdict.UNKNOWN,
    'e': Verdict.EXEMPTED,
    '.': Verdict.COMPLIANT,
}


def made_up_node(name: str, verdicts: str, benchmark: str = 'cis-1.24', **changes: object) -> Output:
    """A node with one letter for each rule of the benchmark, in their order; `-`: the node does not have the rule."""
    chosen = BENCHMARKS[benchmark]
    rules = [rule for key, rule in RULES_BY_KEY.items() if key in chosen.controls]
    setting = Setting(Unknown('not read'), None, Unknown('not asked'))
    findings = tuple(
        Finding(rule, LETTERS[letter], 'a message', setting, chosen)
        for rule, letter in zip(rules, verdicts, strict=False)
        if letter != '-'
    )
    report = NodeReport(1, findings, **changes)  # type: ignore[arg-type]
    return Output(report, [KubeletReport(Process(7, 1, ()), findings)], chosen, True, name=name)
