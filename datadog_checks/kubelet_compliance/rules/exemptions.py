# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Exemptions: rules that are broken on purpose, each with a reason and optionally a last day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from datadog_checks.kubelet_compliance.model import Exemption, Finding, NodeReport, Unknown, Verdict

LONGEST_REASON = 120


class ExemptionError(Exception):
    """An invalid exemption in the options. The text says which and why."""


def parse_exemptions(rows: Iterable[Mapping[str, Any]], known: Collection[str]) -> tuple[Exemption, ...]:
    """Read the option `exemptions`. Raises ExemptionError."""
    exemptions = tuple(parse_exemption(row, known) for row in rows)
    keys = [exemption.rule for exemption in exemptions]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise ExemptionError(f'{twice} is exempted twice')
    return exemptions


def parse_exemption(row: Mapping[str, Any], known: Collection[str]) -> Exemption:
    rule, reason, until = str(row.get('rule', '')), str(row.get('reason') or '').strip(), row.get('until')
    if rule not in known:
        raise ExemptionError(f'an exemption names the unknown rule {rule!r}; choose from: {", ".join(sorted(known))}')
    if not reason:
        raise ExemptionError(f'the exemption of {rule} has no reason')
    try:
        return Exemption(rule, reason, date.fromisoformat(str(until)) if until else None)
    except ValueError:
        raise ExemptionError(f'the exemption of {rule} has an invalid until: use a date such as 2027-03-31') from None


def apply_exemptions(report: NodeReport, exemptions: Sequence[Exemption], today: date) -> NodeReport:
    """The report, with each exempted rule that is non-compliant marked as exempted. `today`: the date in UTC.

    A compliant rule stays compliant, and an unknown one unknown: an exemption proves nothing.
    """
    by_rule = {exemption.rule: exemption for exemption in exemptions}
    findings = tuple(exempted(finding, by_rule.get(finding.rule.key), today) for finding in report.findings)
    judged = {finding.rule.key for finding in report.findings}
    lapsed = tuple(
        Unknown(f'the exemption of {each.rule} ended on {each.until}', 'remove it from the configuration, or renew it')
        for each in exemptions
        if each.rule in judged and has_ended(each, today)
    )
    return replace(report, findings=findings, lapsed=lapsed)


def exempted(finding: Finding, exemption: Exemption | None, today: date) -> Finding:
    if exemption is None:
        return finding
    if has_ended(exemption, today):
        return replace(finding, message=f'the exemption ended on {exemption.until}: {finding.message}')
    if finding.verdict is not Verdict.NON_COMPLIANT:
        return finding
    until = f' until {exemption.until}' if exemption.until is not None else ''
    message = f'exempted{until} ({exemption.reason[:LONGEST_REASON]}): {finding.message}'
    return replace(finding, verdict=Verdict.EXEMPTED, message=message, exemption=exemption)


def has_ended(exemption: Exemption, today: date) -> bool:
    return exemption.until is not None and today > exemption.until
