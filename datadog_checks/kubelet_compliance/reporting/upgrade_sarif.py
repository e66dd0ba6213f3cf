# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What an upgrade would do, as results of SARIF: what it refuses, ignores, and changes, each with its file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from datadog_checks.kubelet_compliance.model import KubeletReport, Outcome, Place, Upgrade, UpgradeItem, was_flag

from .report import problem_text
from .upgrade_rows import NOT_COMPARED, distinctly_named, item_text, upgrade_summary

BLOCKER, IGNORED, CHANGE, UNDECIDED = 'upgrade_blocker', 'upgrade_ignored', 'upgrade_change', 'upgrade_unknown'
UPGRADE_RULES: Final[Mapping[str, tuple[str, str]]] = {
    BLOCKER: ('error', 'The kubelet of the other release must accept every flag, feature gate, field, and file'),
    IGNORED: ('warning', 'The kubelet of the other release should not ignore what is set today'),
    CHANGE: ('note', 'The kubelet of the other release uses another value'),
    UNDECIDED: ('none', 'It must be known whether the kubelet of the other release would start'),
}
"""The level and the description of each rule."""


def upgrade_descriptors(page: str) -> list[dict[str, Any]]:
    """The rules of all results of an upgrade. `page`: the address of the page about upgrades."""
    return [
        {
            'id': rule,
            'name': ''.join(word.capitalize() for word in rule.split('_')),
            'shortDescription': {'text': text},
            'fullDescription': {'text': text},
            'help': {'text': text, 'markdown': text},
            'helpUri': page,
            'defaultConfiguration': {'level': 'error' if level == 'none' else level},
            'properties': {'tags': ['upgrade']},
        }
        for rule, (level, text) in UPGRADE_RULES.items()
    ]


class UpgradeResult(NamedTuple):
    """A result of a kubelet. `name`: what it is about; no other result of the kubelet's rule and file has it."""

    rule: str
    name: str
    text: str
    place: Place


def iter_upgrade_results(upgrade: Upgrade | None, kubelet: KubeletReport) -> Iterator[UpgradeResult]:
    """The results of a kubelet. An upgrade whose outcome is not known is a result too."""
    if upgrade is None or upgrade.outcome is Outcome.UNKNOWN:
        why = problem_text(upgrade.unknown) if upgrade is not None and upgrade.unknown is not None else ''
        summary = upgrade_summary(upgrade) if upgrade is not None else NOT_COMPARED
        text = f'{summary}: {why}' if why else summary
        yield UpgradeResult(UNDECIDED, '', text, Place(kubelet.start_path, 0))
    if upgrade is None:
        return
    for rule, items in ((BLOCKER, upgrade.blockers), (IGNORED, upgrade.ignored), (CHANGE, upgrade.changes)):
        for name, item in distinctly_named(items):
            yield UpgradeResult(rule, name, item_text(item), place_of_item(item, kubelet))


def place_of_item(item: UpgradeItem, kubelet: KubeletReport) -> Place:
    """The file and line where an item is set, else the file in which it would be set."""
    origin = item.origin
    if origin is not None and origin.path:
        return Place(origin.path, origin.line)
    return Place(kubelet.start_path if was_flag(origin) else kubelet.config_path or kubelet.start_path, 0)
