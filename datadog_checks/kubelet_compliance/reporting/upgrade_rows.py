# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What an upgrade would do, as a sentence, a metric, and a service check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from datadog_checks.kubelet_compliance.model import LONGEST_MESSAGE, Outcome, Upgrade, UpgradeItem

from .report import CRITICAL, OK, UNKNOWN, WARNING, Gauge, ServiceCheck, printable, problem_text

NOT_COMPARED = 'The upgrade could not be evaluated'
NOT_DECIDED = 'it cannot be determined whether the kubelet would start'
STATUS_OF_OUTCOME = {
    Outcome.STARTS: OK,
    Outcome.STARTS_WITH_LOSSES: WARNING,
    Outcome.UNKNOWN: UNKNOWN,
    Outcome.BLOCKED: CRITICAL,
}
IN_WORDS = {
    Outcome.STARTS: 'the kubelet would start',
    Outcome.STARTS_WITH_LOSSES: 'the kubelet would start',
    Outcome.UNKNOWN: NOT_DECIDED,
    Outcome.BLOCKED: 'the kubelet would not start',
}


def upgrade_summary(upgrade: Upgrade) -> str:
    """The result in one line."""
    counts = (
        (len(upgrade.blockers), 'blocker', 'blockers'),
        (len(upgrade.ignored), 'ignored', 'ignored'),
        (len(upgrade.changes), 'change', 'changes'),
    )
    shown = ', '.join(f'{count} {one if count == 1 else more}' for count, one, more in counts if count)
    return f'Upgrade to {upgrade.target}: {IN_WORDS[upgrade.outcome]}{f" ({shown})" if shown else ""}'


def upgrade_message(upgrade: Upgrade) -> str:
    """The result with the items that decide it, as many as fit."""
    unknown = upgrade.unknown if upgrade.outcome is Outcome.UNKNOWN else None
    parts = [upgrade_summary(upgrade) + (f': {problem_text(unknown)}' if unknown is not None else '')]
    items = deciding_items(upgrade)
    for number, item in enumerate(items):
        left = len(items) - number
        text, more = item_text(item), f'. And {left - 1} more' if left > 1 else ''
        if number and len('. '.join([*parts, text])) + len(more) > LONGEST_MESSAGE:
            return f'{". ".join(parts)}. And {left} more'
        parts.append(text)
    return '. '.join(parts)


def deciding_items(upgrade: Upgrade) -> Sequence[UpgradeItem]:
    if upgrade.blockers:
        return upgrade.blockers
    if upgrade.outcome is Outcome.STARTS_WITH_LOSSES:
        return (*upgrade.ignored, *(change for change in upgrade.changes if change.is_worse))
    return ()


def item_text(item: UpgradeItem) -> str:
    """One item: what, where, why, and what to do."""
    place = f' ({item.place})' if item.place else ''
    return f'{item.what}{place}: {item.why}{f". {item.remedy}" if item.remedy else ""}'


def distinctly_named(items: Sequence[UpgradeItem]) -> Iterator[tuple[str, UpgradeItem]]:
    """Each item with a name that no other item of the list has. One field can be refused for several reasons."""
    seen: Counter[str] = Counter()
    for item in items:
        seen[item.what] += 1
        yield f'{item.what} ({seen[item.what]})' if seen[item.what] > 1 else item.what, item


def iter_upgrade_gauges(upgrade: Upgrade | None) -> Iterator[Gauge]:
    """Nothing if nobody asked, or if the result is not known."""
    if upgrade is not None and upgrade.outcome is not Outcome.UNKNOWN:
        yield Gauge('upgrade.blocked', upgrade.outcome is Outcome.BLOCKED, upgrade_tags(upgrade))


def iter_upgrade_checks(upgrade: Upgrade | None) -> Iterator[ServiceCheck]:
    if upgrade is not None:
        status = STATUS_OF_OUTCOME[upgrade.outcome]
        message = '' if status == OK else printable(upgrade_message(upgrade))
        yield ServiceCheck('upgrade', status, upgrade_tags(upgrade), message)


def upgrade_tags(upgrade: Upgrade) -> tuple[str, ...]:
    return (f'target_version:{upgrade.target}',)
