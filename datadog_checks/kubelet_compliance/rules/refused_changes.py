# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Whether a kubelet would refuse to start with what a fix changes: the change is applied and validated. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from datadog_checks.kubelet_compliance.kubelet.config_values import Config, Problem
from datadog_checks.kubelet_compliance.kubelet.decoding import Decoder, DecodingError, tree_of
from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.release import Release, iter_alike
from datadog_checks.kubelet_compliance.kubelet.startup_values import startup_value_problems
from datadog_checks.kubelet_compliance.kubelet.validation import problems
from datadog_checks.kubelet_compliance.model import Change, Declared, Rule, Source, Value, lookup

from .field_facts import is_flag, parts_of_path
from .in_effect import with_value
from .wording import json_of


def refusal_of_changes(rule: Rule, readings: Sequence[Declared]) -> str:
    """Why the kubelet would refuse the changes of a rule's fix; '' if it would not, or if that is not known."""
    changes = [change for change in rule.fix if not is_flag(change.name)]
    if not changes:
        return ''
    for declared in readings:
        if declared.unknown is None:
            for _, found in iter_alike(declared.minors, partial(new_problem, changes, declared.values)):
                if found is not None:
                    return REFUSAL.format(what=' and '.join(map(as_line, changes)), found=found)
    return ''


REFUSAL = (
    'do not set {what}: the kubelet would refuse to start ({found.field} {found.message}). '
    'Correct the rule, or first change what this depends on'
)


def as_line(change: Change) -> str:
    return f'{change.name}: {change.value}'


def new_problem(changes: Sequence[Change], values: Mapping[str, Value], release: Release) -> Problem | None:
    """The first problem that a kubelet of the release has only with the changes."""
    changed = values
    for change in changes:
        try:
            changed = with_value(changed, parts_of_path(change.name), typed_value(change, release))
        except DecodingError as error:
            return Problem(change.name, f'has the wrong type: {error}')
    after = list(iter_refusals(changed, release))
    # Nearly all changes are accepted: the configuration without them does not matter then.
    before = set(iter_refusals(values, release)) if after else ()
    return next((problem for problem in after if problem not in before), None)


def iter_refusals(config: Config, release: Release) -> Iterator[Problem]:
    yield from problems(config, release)
    yield from startup_value_problems(config, release)


def typed_value(change: Change, release: Release) -> Value:
    """The value of a change as the kubelet reads it from a file. Raises DecodingError."""
    text = json_of(change.value)
    for name in reversed(parts_of_path(change.name)):
        text = f'{{{json.dumps(name)}: {text}}}'
    tree = tree_of(parse_document(text.encode()).root, Source.CONFIG_FILE, 'the change')
    return lookup(Decoder(any_case=False, release=release).decode(tree).values, change.name)
