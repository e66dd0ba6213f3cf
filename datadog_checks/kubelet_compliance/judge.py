# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A setting against its rule: the verdict and the sentence that goes with it. Total; raises nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .model import (
    Declared,
    Finding,
    KubeletReport,
    NodeReport,
    Origin,
    Process,
    Rule,
    Setting,
    Source,
    Unknown,
    Value,
    Verdict,
)

NO_CONFIGZ = Unknown('the running configuration was not asked for')
LONGEST_VALUE = 60
LONGEST_PLACE = 120


def judge(rule: Rule, setting: Setting) -> Finding:
    """One cell of the table of verdicts: declared against running."""
    if isinstance(setting.declared, Unknown):
        verdict, message = judge_undeclared(rule, setting.declared, setting.running)
    elif rule.expected.holds(setting.declared):
        verdict, message = judge_compliant(rule, setting)
    else:
        verdict, message = judge_non_compliant(rule, setting)
    return Finding(rule, verdict, message, setting)


def judge_compliant(rule: Rule, setting: Setting) -> tuple[Verdict, str]:
    declared = describe(rule, setting.declared, setting.origin)
    running = setting.running
    if not isinstance(running, Unknown):
        if rule.expected.holds(running):
            return Verdict.COMPLIANT, declared
        return Verdict.NON_COMPLIANT, (
            f'{rule.field} runs with {show(running)}; {place_of(setting.origin)} now says {show(setting.declared)}: '
            f'restart the kubelet, {rule.after_fix}'
        )
    if setting.changed is None:
        return Verdict.COMPLIANT, declared
    return Verdict.UNKNOWN, (
        f'{declared}, but {shorten(setting.changed)} changed after the kubelet started, so what it runs with is not '
        'known: restart it, or let the Agent read /configz'
    )


def judge_non_compliant(rule: Rule, setting: Setting) -> tuple[Verdict, str]:
    message = f'{describe(rule, setting.declared, setting.origin)}; expected {rule.expected.text}. {fix(rule, setting)}'
    if not isinstance(setting.running, Unknown) and rule.expected.holds(setting.running):
        message = f'It runs with {show(setting.running)}, but the next restart brings in: {message}'
    return Verdict.NON_COMPLIANT, message


def judge_undeclared(rule: Rule, declared: Unknown, running: Value | Unknown) -> tuple[Verdict, str]:
    if isinstance(running, Unknown):
        remedy = f'; {declared.remedy}' if declared.remedy else ''
        return Verdict.UNKNOWN, f'{rule.field} cannot be determined: {declared.reason}{remedy}'
    if rule.expected.holds(running):
        return Verdict.COMPLIANT, f'{rule.field} runs with {show(running)}'
    return Verdict.NON_COMPLIANT, (
        f'{rule.field} runs with {show(running)}; expected {rule.expected.text}. Where it is set cannot be told: '
        f'{declared.reason}'
    )


def describe(rule: Rule, value: Value | Unknown, origin: Origin | None) -> str:
    return f'{rule.field} is {show(value)} ({place_of(origin)})'


def place_of(origin: Origin | None) -> str:
    return shorten(origin.place) if origin is not None else Source.DEFAULT.value


def fix(rule: Rule, setting: Setting) -> str:
    """What to do, at the place that decides."""
    source = setting.origin.source if setting.origin is not None else Source.DEFAULT
    step = rule.fix_by_flag if source is Source.FLAG else rule.fix_in_file
    return f'To fix it, {step}, then {rule.after_fix}'


def show(value: Value | Unknown) -> str:
    """A value as the kubelet spells it."""
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if value is None or value == '':
        return 'not set'
    if isinstance(value, tuple):
        return shorten(','.join(show(item) for item in value), LONGEST_VALUE)
    if isinstance(value, Mapping):
        return shorten(','.join(f'{key}={show(item)}' for key, item in value.items()), LONGEST_VALUE)
    return shorten(str(value), LONGEST_VALUE)


def shorten(text: str, longest: int = LONGEST_PLACE) -> str:
    """Keep the beginning and the end of a long text: the end of a path says most."""
    if len(text) <= longest:
        return text
    half = (longest - 3) // 2
    return f'{text[:half]}...{text[-half:]}'


def restart_pending(process: Process, declared: Declared, settings: Sequence[Setting]) -> bool | None:
    """Whether a restart would change what runs; None where it cannot be told."""
    if declared.changed is not None:
        return True
    known = [setting for setting in settings if not isinstance(setting.running, Unknown)]
    if any(not isinstance(setting.declared, Unknown) and setting.declared != setting.running for setting in known):
        return True
    told = declared.unknown is None and (process.started_at is not None or len(known) == len(settings))
    return False if told else None


def judge_node(reports: Sequence[KubeletReport], doubts: Sequence[Unknown]) -> NodeReport:
    """The kubelets of a node as one: of each rule the worst finding counts, and the message says so."""
    if not reports:
        return NodeReport(0, doubts=tuple(doubts))
    findings = tuple(worst_of(same_rule) for same_rule in zip(*(report.findings for report in reports), strict=True))
    pending = [report.restart_pending for report in reports]
    return NodeReport(
        found=len(reports),
        findings=findings,
        problems=tuple(problem for report in reports for problem in report.problems),
        doubts=tuple(doubts),
        restart_pending=True if True in pending else None if None in pending else False,
    )


def worst_of(findings: Sequence[Finding]) -> Finding:
    worst = max(findings, key=lambda finding: finding.verdict.badness)
    if len(findings) == 1:
        return worst
    message = f'the worst of {len(findings)} kubelets: {worst.message}'
    return replace(worst, message=message)
