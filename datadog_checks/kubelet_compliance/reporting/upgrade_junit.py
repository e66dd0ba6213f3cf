# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What an upgrade would do, as test cases: one for the result, and one for each item.

As in the service check, only what stops the kubelet is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree as xml

from datadog_checks.kubelet_compliance.model import Outcome, Upgrade, UpgradeItem

from .junit_elements import case_in, element
from .layout import LONGEST_TEXT
from .report import printable
from .upgrade_rows import NOT_COMPARED, distinctly_named, item_text, upgrade_message, upgrade_summary

RESULT: Final = 'upgrade'
"""The test case for the result as a whole."""


def upgrade_cases(upgrade: Upgrade | None, suite: str) -> Iterator[xml.Element]:
    """The test cases for a kubelet. An upgrade that could not be evaluated is an error."""
    if upgrade is None:
        yield case_in(suite, RESULT, element('error', message=NOT_COMPARED, type=Outcome.UNKNOWN.value))
        return
    yield case_in(suite, RESULT, result_element(upgrade))
    for title, items in (
        ('blocker', upgrade.blockers),
        ('ignored', upgrade.ignored),
        ('change', upgrade.changes),
        ('to verify', upgrade.to_verify),
    ):
        for name, item in distinctly_named(items):
            yield case_in(suite, f'{title}: {name}', item_element(title, item))


def result_element(upgrade: Upgrade) -> xml.Element:
    """The result as a whole. It has passed if the kubelet would start."""
    summary = upgrade_summary(upgrade)
    text = printable(upgrade_message(upgrade), LONGEST_TEXT)
    if upgrade.outcome is Outcome.BLOCKED:
        return element('failure', text, message=summary, type=upgrade.outcome.value)
    if upgrade.outcome is Outcome.UNKNOWN:
        return element('error', text, message=summary, type=upgrade.outcome.value)
    return element('system-out', text)


def item_element(title: str, item: UpgradeItem) -> xml.Element:
    """A change that breaks no rule has passed. What is ignored, worse, or to verify is skipped, so that it is shown."""
    text = printable(item_text(item), LONGEST_TEXT)
    if title == 'change' and not item.is_worse:
        return element('system-out', text)
    return element('failure' if title == 'blocker' else 'skipped', text, message=item.why, type=title)
