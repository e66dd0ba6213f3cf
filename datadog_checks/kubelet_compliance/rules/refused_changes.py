# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Whether a fix would help: its changes are applied, and the result is validated and judged again. Pure.

A kubelet may refuse to start with the changes, or replace a value of its config file with the default.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from datadog_checks.kubelet_compliance.kubelet.cgroup_checks import v1_problems
from datadog_checks.kubelet_compliance.kubelet.config_values import Problem
from datadog_checks.kubelet_compliance.kubelet.decoding import Decoder, DecodingError, tree_of
from datadog_checks.kubelet_compliance.kubelet.defaults import ZERO, filled_in
from datadog_checks.kubelet_compliance.kubelet.flag_values import parse_value
from datadog_checks.kubelet_compliance.kubelet.flags import Flags, FlagValue
from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.release import Release, iter_alike
from datadog_checks.kubelet_compliance.kubelet.startup_checks import startup_problems
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.kubelet.validation import problems
from datadog_checks.kubelet_compliance.model import (
    Benchmark,
    Change,
    Declared,
    Rule,
    Source,
    Unknown,
    Value,
    lookup,
    was_flag,
)

from .field_facts import flag_that_sets, is_flag, parts_of_path, row_of
from .fixes import unquoted
from .in_effect import values_in_effect, with_value
from .wording import json_of, show


@dataclass(frozen=True, slots=True)
class Trial:
    """The fix of a rule, to be tried on one configuration. `uses_cgroup_v1`: None if that is not known."""

    rule: Rule
    declared: Declared
    benchmark: Benchmark
    uses_cgroup_v1: bool | None


def refusal_of_changes(
    rule: Rule, readings: Sequence[Declared], benchmark: Benchmark, *, uses_cgroup_v1: bool | None = None
) -> str:
    """Why the changes of a rule's fix would not help; '' if they would, or if that is not known."""
    if not rule.fix:
        return ''
    for declared in readings:
        if declared.unknown is None:
            trial = Trial(rule, declared, benchmark, uses_cgroup_v1)
            for _, found in iter_alike(declared.minors, partial(outcome, trial)):
                if found:
                    return found
    return ''


REFUSAL = (
    'do not set {what}: the kubelet would refuse to start ({found.field} {found.message}). '
    'Correct the rule, or first change what this depends on'
)
NO_HELP = 'no value in a config file meets the rule: the kubelet would replace {what} with {value}. Correct the rule'
BY_FLAG = ', or use {flag}'


def outcome(trial: Trial, release: Release) -> str:
    """Why a kubelet of the release would not accept the changes, or would break the rule with them; '' if neither."""
    values = trial.declared.values
    what = ' and '.join(map(as_written, trial.rule.fix))
    changed = values
    for change in trial.rule.fix:
        try:
            changed = with_change(changed, change, trial.declared, release)
        except DecodingError as error:
            return REFUSAL.format(what=what, found=Problem(change.name, f'has the wrong type: {error}'))
        except ValueError as error:
            return REFUSAL.format(what=what, found=Problem(change.name, f'has the wrong type: it is {error}'))
    after = list(iter_refusals(changed, release, trial.uses_cgroup_v1))
    # Nearly all changes are accepted: the configuration without them does not matter then.
    before = set(iter_refusals(values, release, trial.uses_cgroup_v1)) if after else ()
    found = next((problem for problem in after if problem not in before), None)
    return REFUSAL.format(what=what, found=found) if found is not None else no_help(trial, changed, what, release)


def as_written(change: Change) -> str:
    is_given = is_flag(change.name) and change.value
    return f'{change.name}={unquoted(change.value)}' if is_given else f'{change.name}: {change.value or "not set"}'


def no_help(trial: Trial, changed: Mapping[str, Value], what: str, release: Release) -> str:
    """Why a rule on what is in effect is still broken after its changes; '' if it is not."""
    if not trial.rule.is_in_effect:
        return ''
    found = values_in_effect(trial.rule, changed, release)
    values = [value for value in found.values() if not isinstance(value, Unknown)]
    if len(values) < len(found) or trial.rule.expected.holds(values, trial.benchmark):
        return ''
    flag = flag_that_sets(trial.rule.fields[0])
    return NO_HELP.format(what=what, value=show(values[0])) + (BY_FLAG.format(flag=flag) if flag else '')


def iter_refusals(values: Mapping[str, Value], release: Release, uses_cgroup_v1: bool | None) -> Iterator[Problem]:
    """All that a kubelet of the release refuses in a whole configuration with its flags."""
    given = {name.removeprefix('--'): FlagValue(value, name) for name, value in values.items() if is_flag(name)}
    yield from problems(values, release)
    if uses_cgroup_v1:
        yield from v1_problems(values, release)
    yield from startup_problems(values, Flags(given), release)


def with_change(
    values: Mapping[str, Value], change: Change, declared: Declared, release: Release
) -> Mapping[str, Value]:
    """The values with a change, as the kubelet reads it. Raises DecodingError, or ValueError for a flag."""
    if not is_flag(change.name):
        value = typed_value(change, release)
        if not was_flag(declared.origins.get(change.name)):
            value = or_default(change.name, value, release)
        return with_value(values, parts_of_path(change.name), value)
    if not change.value:
        return {name: value for name, value in values.items() if name != change.name}
    flag = FLAGS[change.name.removeprefix('--')]
    return {**values, change.name: parse_value(flag, unquoted(change.value), release)}


def or_default(field: str, value: Value, release: Release) -> Value:
    """A value of a config file, or the default if the kubelet takes the value for no value."""
    row = row_of(field)
    if row is None or value not in ZERO:
        return value
    default: Value = filled_in(row.row_in(release), value, False)
    return value if default is None else default


def typed_value(change: Change, release: Release) -> Value:
    """The value of a change as the kubelet reads it from a file. Raises DecodingError."""
    text = json_of(change.value)
    for name in reversed(parts_of_path(change.name)):
        text = f'{{{json.dumps(name)}: {text}}}'
    tree = tree_of(parse_document(text.encode()).root, Source.CONFIG_FILE, 'the change')
    return lookup(Decoder(any_case=False, release=release).decode(tree).values, change.name)
