# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What an upgrade would do on many nodes, as text for a person: each item once, with the nodes that have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from datadog_checks.kubelet_compliance.model import Outcome, Upgrade, UpgradeItem

from .layout import Style
from .output import NotEvaluated, Output
from .report import problem_text
from .shared_texts import Shared, gathered, iter_shared
from .upgrade_text import COLORS, NOT_COVERED

IN_COUNTS: Final = {
    Outcome.STARTS: 'would start',
    Outcome.STARTS_WITH_LOSSES: 'would start with losses',
    Outcome.BLOCKED: 'would not start',
    Outcome.UNKNOWN: 'unknown',
}


def outcomes_text(nodes: Sequence[Output | NotEvaluated], style: Style) -> str:
    """How many nodes have each outcome, such as `1 would start, 2 would not start`."""
    outcomes = Counter(node.outcome for node in nodes)
    return ', '.join(
        style.paint(f'{outcomes[outcome]:,} {text}', COLORS[outcome])
        for outcome, text in IN_COUNTS.items()
        if outcomes[outcome]
    )


def iter_many_upgrades(nodes: Sequence[Output], style: Style) -> Iterator[str]:
    upgrades = [(node.name, node.node.upgrade) for node in nodes if node.node.upgrade is not None]
    for title, texts in (
        ('Blockers', shared_items([(name, upgrade.blockers) for name, upgrade in upgrades])),
        ('Ignored', shared_items([(name, upgrade.ignored) for name, upgrade in upgrades])),
        ('Changes', shared_items([(name, upgrade.changes) for name, upgrade in upgrades])),
        ('To verify', shared_items([(name, upgrade.to_verify) for name, upgrade in upgrades])),
        ('Unknown', gathered((name, unknown_texts(upgrade)) for name, upgrade in upgrades)),
    ):
        yield from iter_shared(title, texts, style, 'item')
    if upgrades:
        yield from ('', *style.labelled('not covered', NOT_COVERED))


def shared_items(items: Sequence[tuple[str, Sequence[UpgradeItem]]]) -> Shared:
    """The items of all nodes. Their places and fixes differ from node to node."""
    return gathered((name, [f'{item.what}: {item.why}' for item in own]) for name, own in items)


def unknown_texts(upgrade: Upgrade) -> list[str]:
    return [] if upgrade.unknown is None else [problem_text(upgrade.unknown)]
