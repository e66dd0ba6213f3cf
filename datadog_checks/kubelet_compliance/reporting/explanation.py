# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A rule as text: the option `--explain` of the command."""

from __future__ import annotations

from collections.abc import Iterator

from datadog_checks.kubelet_compliance.model import Rule
from datadog_checks.kubelet_compliance.rules.rule_descriptions import fixes_of, numbers_of

from .layout import Style


def iter_explanation(rule: Rule, style: Style) -> Iterator[str]:
    """Everything that a rule's row holds."""
    yield f'{rule.title} ({rule.key})'
    for label, text in (
        ('what', rule.what),
        ('why', rule.why),
        ('impact', rule.impact),
        ('default', rule.default),
        *fixes_of(rule),
        ('note', rule.note),
        ('numbers', '; '.join(numbers_of(rule))),
        ('see', ' '.join(rule.references)),
        ('tags', ' '.join(rule.tags)),
    ):
        yield from style.labelled(label, text)
