# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What an upgrade would do, as text for a person: what stops it, what is ignored, and what changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from datadog_checks.kubelet_compliance.model import Outcome, Upgrade, UpgradeItem, Verdict

from .layout import COLOR_OF, Style
from .report import problem_text
from .upgrade_rows import NOT_COMPARED, upgrade_summary

NOT_COVERED: Final = (
    "this answer is about the kubelet's own flags and files: not the container runtime, the operating system, APIs, or "
    'what a distribution changes with its release'
)
COLORS: Final[Mapping[Outcome, str]] = {
    Outcome.STARTS: COLOR_OF[Verdict.COMPLIANT],
    Outcome.STARTS_WITH_LOSSES: COLOR_OF[Verdict.UNKNOWN],
    Outcome.UNKNOWN: COLOR_OF[Verdict.UNKNOWN],
    Outcome.BLOCKED: COLOR_OF[Verdict.NON_COMPLIANT],
}


def upgrade_line(upgrade: Upgrade | None, style: Style) -> str:
    """The result in one line."""
    if upgrade is None:
        return NOT_COMPARED
    return style.paint(upgrade_summary(upgrade), COLORS[upgrade.outcome])


def iter_upgrade(upgrade: Upgrade | None, style: Style) -> Iterator[str]:
    """Each item with its place and what to do, those that decide first."""
    if upgrade is None:
        return
    if upgrade.unknown is not None:
        yield from style.labelled('unknown', problem_text(upgrade.unknown))
        yield ''
    yield from iter_items('BLOCKER', upgrade.blockers, style)
    yield from iter_items('IGNORED', upgrade.ignored, style)
    yield from iter_items('CHANGE', upgrade.changes, style)
    yield from iter_items('TO VERIFY', upgrade.to_verify, style)
    for note in upgrade.notes:
        yield from style.labelled('note', note)
    yield from style.labelled('not covered', NOT_COVERED)
    yield ''


def iter_items(title: str, items: Sequence[UpgradeItem], style: Style) -> Iterator[str]:
    for item in items:
        yield from style.wrapped(item.what, f'{title}  ')
        yield from style.labelled('why', item.why)
        yield from style.labelled('set by', item.place)
        yield from style.labelled('fix', item.remedy)
        yield ''
