# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The descriptions of rules in SARIF, which code scanning shows beside each result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from datadog_checks.kubelet_compliance.model import Benchmark, Rule
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.rule_descriptions import fixes_of, numbers_of

from .layout import LONGEST_TEXT
from .report import printable
from .sarif_text import with_literal_braces

RULES_PAGE: Final = 'https://github.com/DataDog/integrations-extras/blob/master/kubelet_compliance/docs/rules.md'
COMMAND_PAGE: Final = 'https://github.com/DataDog/integrations-extras/blob/master/kubelet_compliance/docs/command.md'

KUBELET_RULE: Final = 'kubelet'
"""The result for a node on which nothing could be evaluated. It has the name of the service check."""

MOST_TAGS: Final = 10
"""Code scanning shows no more tags of a rule."""


def descriptor_of(rule: Rule, benchmark: Benchmark) -> dict[str, Any]:
    """A rule, with its numbers in the benchmark as tags."""
    numbers = [f'{benchmark.name}/{number}' for number in benchmark.controls[rule.key]]
    tags = ['security', benchmark.framework, *numbers, *rule.tags]
    labelled = [(label, with_literal_braces(printable(text, LONGEST_TEXT))) for label, text in iter_help(rule) if text]
    title = with_literal_braces(printable(rule.title))
    descriptor = {
        'id': rule.key,
        'name': name_of_rule(rule.key),
        'shortDescription': {'text': title},
        'fullDescription': {
            'text': with_literal_braces(printable(f'{rule.what} {rule.why}'.strip() or rule.title, LONGEST_TEXT))
        },
        'help': {
            'text': '\n'.join(f'{label}: {text}' for label, text in labelled) or title,
            'markdown': '\n\n'.join(f'**{label}**: {text}' for label, text in labelled) or title,
        },
        'defaultConfiguration': {'level': 'error'},
        'properties': {'tags': list(dict.fromkeys(map(printable, tags)))[:MOST_TAGS]},
    }
    if rule.key in RULES_BY_KEY:
        descriptor['helpUri'] = f'{RULES_PAGE}#{rule.key}'
    return descriptor


def name_of_rule(key: str) -> str:
    """A key as SARIF writes names: MakeIptablesUtilChains."""
    return ''.join(f'{word[:1].upper()}{word[1:]}' for word in key.split('_'))


def iter_help(rule: Rule) -> Iterator[tuple[str, str]]:
    """What a person needs to know about a rule, in pairs of a label and a text."""
    yield 'What', rule.what
    yield 'Why', rule.why
    yield 'Impact', rule.impact
    yield 'Default', rule.default
    for label, text in fixes_of(rule):
        yield label.capitalize(), text
    yield 'Note', rule.note
    yield 'Numbers', '; '.join(numbers_of(rule))
    yield 'See', ' '.join(rule.references)


def kubelet_descriptor() -> dict[str, Any]:
    """The rule of a node without a kubelet that could be evaluated."""
    text = 'No rule could be evaluated on a node or an image. The message says why.'
    return {
        'id': KUBELET_RULE,
        'name': 'Kubelet',
        'shortDescription': {'text': 'The command should find a kubelet and evaluate it'},
        'fullDescription': {'text': text},
        'help': {'text': text, 'markdown': text},
        'helpUri': f'{COMMAND_PAGE}#exit-status',
        'defaultConfiguration': {'level': 'error'},
        'properties': {'tags': ['security']},
    }
