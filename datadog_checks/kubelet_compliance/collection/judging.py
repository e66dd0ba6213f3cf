# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The steps `resolve` and `judge` for one kubelet, from everything that was read of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.kubelet.pending import restart_pending
from datadog_checks.kubelet_compliance.launch.at_rest import of_image, setting_of_image
from datadog_checks.kubelet_compliance.launch.next_start import next_start_of, next_start_problem
from datadog_checks.kubelet_compliance.model import (
    Answer,
    Evidence,
    Fact,
    KubeletReport,
    Selection,
    Setting,
    Target,
    Unit,
)
from datadog_checks.kubelet_compliance.rules.homes import home_on
from datadog_checks.kubelet_compliance.rules.judge import hinted, judge
from datadog_checks.kubelet_compliance.rules.problems import iter_problems
from datadog_checks.kubelet_compliance.rules.settings import settings_by_rule
from datadog_checks.kubelet_compliance.rules.upgrades import judged_upgrade


def resolve_settings(kubelet: Kubelet, selection: Selection) -> dict[str, Setting]:
    """The setting of each rule, by rule key."""
    settings = settings_by_rule(kubelet, selection)
    if not kubelet.process.unit:
        return settings
    return {key: setting_of_image(setting) for key, setting in settings.items()}


def judge_kubelet(
    kubelet: Kubelet,
    settings: Mapping[str, Setting],
    facts: Mapping[Fact, Answer],
    selection: Selection,
    names: frozenset[str],
    target: Target | None = None,
) -> KubeletReport:
    """The report on one kubelet.

    `facts`: about the node, for the fixes. `names`: of the processes on the node that route traffic to services.
    `target`: the release of an upgrade to judge; None: none.
    """
    evidence, process = kubelet.evidence, kubelet.process
    home = replace(home_on(evidence, kubelet.flags), facts=facts)
    names = names if evidence.launch is None else frozenset()
    findings = tuple(
        hinted(judge(rule, replace(settings[rule.key], home=home), selection.benchmark_of(rule)), names)
        for rule in selection.rules
    )
    next_start = next_start_problem(evidence)
    problems = dict.fromkeys(iter_problems(kubelet, selection, settings, findings))
    if next_start is not None:
        problems = {next_start: None, **problems}
    reported = tuple(map(of_image, problems)) if process.unit else tuple(problems)
    pending = is_pending(kubelet, settings, selection, is_next_known=next_start is None)
    upgrade = None if target is None else judged_upgrade(kubelet, target, selection, home)
    return KubeletReport(
        process,
        findings,
        reported,
        pending,
        kubelet.name,
        next_start_of(evidence),
        upgrade,
        evidence.config.path if evidence.config is not None else '',
        start_path(evidence),
    )


def start_path(evidence: Evidence) -> str:
    """The file that decides how the kubelet starts: the options of what starts it, else its unit, else its program."""
    options = evidence.launch.path if evidence.launch is not None else evidence.options
    unit = evidence.unit.paths[0] if isinstance(evidence.unit, Unit) and evidence.unit.paths else ''
    return options or unit or evidence.process.program


def is_pending(
    kubelet: Kubelet, settings: Mapping[str, Setting], selection: Selection, *, is_next_known: bool
) -> bool | None:
    """Whether a restart would change the running configuration; None if unknown."""
    if kubelet.next is not None:
        return True
    of_fields = [settings[rule.key] for rule in selection.rules if rule.fields]
    pending = restart_pending(kubelet.process, kubelet.following, of_fields, kubelet.running)
    return None if pending is False and not is_next_known else pending
