# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What an upgrade would do, as test cases: one for the result, and one for each item that stops the kubelet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree as xml

from datadog_checks.kubelet_compliance.model import Outcome, Upgrade

from .layout import LONGEST_TEXT
from .report import printable, problem_text
from .upgrade_rows import item_text, upgrade_message, upgrade_summary

RESULT: Final = 'upgrade'
"""The test case for the result as a whole."""


def upgrade_cases(upgrade: Upgrade | None, suite: str) -> Iterator[xml.Element]:
    """The test cases for a kubelet. An upgrade that could not be evaluated is an error."""
    case = case_named(RESULT, suite)
    if upgrade is None:
        case.append(problem_element('error', 'the upgrade could not be evaluated', Outcome.UNKNOWN, ''))
    elif upgrade.outcome is Outcome.UNKNOWN and upgrade.unknown is not None:
        case.append(problem_element('error', upgrade_summary(upgrade), upgrade.outcome, problem_text(upgrade.unknown)))
    elif upgrade.outcome is Outcome.BLOCKED:
        case.append(problem_element('failure', upgrade_summary(upgrade), upgrade.outcome, upgrade_message(upgrade)))
    yield case
    for item in upgrade.blockers if upgrade is not None else ():
        case = case_named(item.what, suite)
        case.append(problem_element('failure', item.why, Outcome.BLOCKED, item_text(item)))
        yield case


def case_named(name: str, suite: str) -> xml.Element:
    return xml.Element('testcase', classname=printable(suite), name=printable(name), time='0')


def problem_element(kind: str, message: str, outcome: Outcome, text: str) -> xml.Element:
    found = xml.Element(kind, message=printable(message), type=outcome.value)
    found.text = printable(text, LONGEST_TEXT)
    return found
