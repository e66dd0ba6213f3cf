# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The upgrade of many nodes as text: how many would start, what stops the others, and the nodes with each result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from datadog_checks.kubelet_compliance.model import Outcome

from .layout import BOLD, Style
from .output import NotEvaluated, Output
from .report import printable, problem_text
from .upgrade_text import COLORS

IN_COUNTS: Final = {
    Outcome.BLOCKED: 'would not start',
    Outcome.UNKNOWN: 'unknown',
    Outcome.STARTS_WITH_LOSSES: 'would start with losses',
    Outcome.STARTS: 'would start',
}
MOST_NODES: Final = 20
"""Named for each result, without --verbose."""


def outcome_of(node: Output | NotEvaluated) -> Outcome:
    upgrade = node.node.upgrade if isinstance(node, Output) else None
    return upgrade.outcome if upgrade is not None else Outcome.UNKNOWN


def iter_many_upgrades(nodes: Sequence[Output | NotEvaluated], style: Style) -> Iterator[str]:
    target = next((node.for_version for node in nodes if isinstance(node, Output)), '')
    yield style.paint(f'Upgrade to {target}: {len(nodes):,} node{"" if len(nodes) == 1 else "s"}', BOLD)
    outcomes = Counter(map(outcome_of, nodes))
    counts = ((outcome, f'{outcomes[outcome]:,} {text}') for outcome, text in IN_COUNTS.items() if outcomes[outcome])
    yield ', '.join(style.paint(text, COLORS[outcome]) for outcome, text in counts)
    upgrades = [node.node.upgrade for node in nodes if isinstance(node, Output) and node.node.upgrade is not None]
    for title, found in (
        ('BLOCKER', Counter((item.what, item.why) for each in upgrades for item in each.blockers)),
        ('IGNORED', Counter((item.what, item.why) for each in upgrades for item in each.ignored)),
    ):
        for (what, why), count in found.most_common():
            yield from style.wrapped(f'{what}: {why} ({count:,} node{"" if count == 1 else "s"})', f'{title}  ')
    for outcome in (Outcome.BLOCKED, Outcome.UNKNOWN):
        named = [node for node in nodes if outcome_of(node) is outcome]
        if named:
            yield ''
            yield style.paint(f'Nodes: {IN_COUNTS[outcome]}', BOLD)
            yield from iter_named(named, style)


def iter_named(nodes: Sequence[Output | NotEvaluated], style: Style) -> Iterator[str]:
    shown = nodes if style.is_verbose else nodes[:MOST_NODES]
    for node in shown:
        yield from style.wrapped(f'{printable(node.name)}{reason_of(node)}', '  ')
    if len(nodes) > len(shown):
        yield f'  and {len(nodes) - len(shown):,} more (--verbose lists all)'


def reason_of(node: Output | NotEvaluated) -> str:
    """What stops the kubelet of a node, or why that is not known."""
    if isinstance(node, NotEvaluated):
        return f': {node.why}'
    upgrade = node.node.upgrade
    if upgrade is None:
        return f': {node.node.none_found_because}' if node.node.none_found_because else ''
    if upgrade.blockers:
        return f': {", ".join(item.what for item in upgrade.blockers)}'
    return f': {problem_text(upgrade.unknown)}' if upgrade.unknown is not None else ''
