# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Values, places, and fixes in the words of a message. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from datadog_checks.kubelet_compliance.model import Origin, Remedy, Rule, Value, Values

from .field_facts import parts_of_path
from .fixes import ChangeFlag, Fix, PutFlag, Run, SetEntry, SetField, Step, TakeOut

LONGEST_VALUE = 60
LONGEST_PLACE = 120
MOST_VALUES = 3
UNSET_TEXT = 'not set'


def describe(values: Values) -> str:
    """The values with their names, for a message."""
    if not values:
        return 'no such file is in use'
    if len(values) > MOST_VALUES:
        return f'{describe(values[:MOST_VALUES])} and {len(values) - MOST_VALUES} more'
    return ', '.join(f'{shorten(name)} is {show(value)}' for name, value in values)


def name_of(rule: Rule) -> str:
    """What the rule is about, for a message about a value that is unknown."""
    if rule.files is not None and rule.aspect is not None:
        return f'{rule.aspect.value} of the {rule.files.value}'
    return rule.fields[0]


def place_of(origin: Origin | None) -> str:
    return f' ({shorten(origin.place)})' if origin is not None and origin.place else ''


def show(value: Value) -> str:
    """A value as the kubelet spells it."""
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if value is None or value in ('', ()):
        return UNSET_TEXT
    if isinstance(value, tuple):
        return shorten(','.join(show(item) for item in value), LONGEST_VALUE)
    if isinstance(value, Mapping):
        return shorten(','.join(f'{key}={show(item)}' for key, item in value.items()), LONGEST_VALUE)
    return shorten(str(value), LONGEST_VALUE)


def shorten(text: str, longest: int = LONGEST_PLACE) -> str:
    """Keep the beginning and the end of a long text: the end of a path identifies it best."""
    if len(text) <= longest:
        return text
    half = (longest - 3) // 2
    return f'{text[:half]}...{text[-half:]}'


FINDING_HINT = re.compile(r' \(find (?:it|them): [^()]*\)')


def fix_text(fix: Fix) -> str:
    """What to do, after what it may break; or why there is nothing to do."""
    if fix.refusal:
        return sentence(fix.refusal)
    caution = f'Caution: {fix.caution}. ' if fix.caution else ''
    if fix.advice:
        return f'{caution}{sentence(fix.advice)}'
    return f'{caution}To fix it, {remedy_of(fix).fix}'


def remedy_of(fix: Fix, lasting: str = '', note: str = '') -> Remedy:
    """A fix in words: its steps and how they take effect, or the words that replace them."""
    instead = fix.refusal or fix.advice
    return Remedy(fix.caution, instead or steps_text(fix.steps), note, '' if instead else fix.apply, lasting)


def sentence(text: str) -> str:
    return f'{text[0].upper()}{text[1:]}'


def steps_text(steps: Sequence[Step]) -> str:
    """The steps in order. A place that all of them share is named once."""
    places = {place_of_step(step) for step in steps}
    if len(steps) > 1 and len(places) == 1:
        return f'in {places.pop()}: {" and ".join(map(step_text, steps))}'
    return ' and '.join(map(step_text_with_place, steps))


def step_text_with_place(step: Step) -> str:
    if isinstance(step, Run):
        return step_text(step)
    return f'{step_text(step)} {JOINED_BY.get(type(step), "in")} {place_of_step(step)}'


JOINED_BY: Mapping[type, str] = {TakeOut: 'from', PutFlag: 'to'}


def step_text(step: Step) -> str:
    match step:
        case Run():
            return f'run: {step.command}'
        case TakeOut():
            return f'remove {step.flag}'
        case ChangeFlag():
            return f'set {step.flag}'
        case PutFlag():
            return f'add {step.flag}'
        case SetEntry():
            return f'set {step.entry} in {step.flag} (keep its other {step.others})'
        case SetField():
            return f'set {field_text(step)}'


def place_of_step(step: Step) -> str:
    match step:
        case Run():
            return ''
        case SetField():
            return shorten(step.file) if step.file else f'{step.unread} (this check cannot read it)'
        case _:
            return shorten(step.place)


def field_text(step: SetField) -> str:
    """A nested field with its nesting: a dotted path pasted into a file changes nothing."""
    assignment, under = field_parts(step)
    return f'{assignment}{f" under {under} (do not add a second block)" if under else ""}'


def field_parts(step: SetField) -> tuple[str, str]:
    """The line of a field, and the blocks around it; '' at the top level."""
    *parents, name = map(quoted, parts_of_path(step.path)) if step.is_json else parts_of_path(step.path)
    value = json_of(step.value) if step.is_json else step.value
    return f'{name}: {value}', ' '.join(f'{parent}:' for parent in parents)


def quoted(name: str) -> str:
    return f'"{name}"'


def json_of(value: str) -> str:
    """A value of a fix as JSON spells it. The YAML of a fix has quotes only around text that needs them."""
    if value.startswith('['):
        return f'[{", ".join(json_of(item) for item in value.strip("[]").split(", ") if item)}]'
    return (
        value if value in ('true', 'false') or value.startswith('"') or PLAIN_NUMBER.fullmatch(value) else quoted(value)
    )


PLAIN_NUMBER = re.compile(r'-?[0-9]+(\.[0-9]+)?')
