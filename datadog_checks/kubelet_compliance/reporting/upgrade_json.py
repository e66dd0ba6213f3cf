# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What an upgrade would do, as an object for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datadog_checks.kubelet_compliance.model import Upgrade, UpgradeItem

from .layout import LONGEST_TEXT
from .report import printable, problem_text


def upgrade_as_object(upgrade: Upgrade) -> dict[str, Any]:
    """The same facts as in the text."""
    return {
        'target_version': upgrade.target,
        'today': upgrade.today or None,
        'outcome': upgrade.outcome.value,
        'unknown': printable(problem_text(upgrade.unknown), LONGEST_TEXT) if upgrade.unknown is not None else None,
        'blockers': items_as_objects(upgrade.blockers),
        'ignored': items_as_objects(upgrade.ignored),
        'changes': items_as_objects(upgrade.changes),
        'to_verify': items_as_objects(upgrade.to_verify),
        'notes': list(map(printable, upgrade.notes)),
    }


def items_as_objects(items: Sequence[UpgradeItem]) -> list[dict[str, Any]]:
    return [
        {
            'subject': item.subject.value,
            'what': printable(item.what),
            'why': printable(item.why, LONGEST_TEXT),
            'place': printable(item.place) or None,
            'remedy': printable(item.remedy, LONGEST_TEXT) or None,
            'is_worse': item.is_worse,
        }
        for item in items
    ]
