# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The expectations of custom rules: which ones each form of value takes, how values compare, and the change. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from datadog_checks.kubelet_compliance.kubelet.formats.go import parse_duration
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml_scalars import resolve_plain
from datadog_checks.kubelet_compliance.kubelet.formats.kubernetes import parse_percentage, parse_quantity
from datadog_checks.kubelet_compliance.model import Benchmark, Expectation, Value

from .custom_settings import Form, Named
from .expectations import is_whole
from .no_limits import no_limit_of
from .wording import shorten, show

LONGEST_EXPECTED = 100
LONGEST_LIST = 200
MOST_CHOICES = 20
MOST = 2**64
PLAIN_TEXT = re.compile(r'[A-Za-z0-9/][A-Za-z0-9_./@%+-]*')
SET, NOT_SET = 'set', 'not_set'
NO_VALUES: tuple[Value, ...] = (None, '', (), {})


class ExpectationError(Exception):
    """An expectation that the setting cannot have, or a value of the wrong type. The text says what would do."""


Measure = tuple[str, Any]
"""A value to compare: its unit, and its amount. Only values of the same unit compare."""


def exact(value: Value) -> Measure | None:
    return ('', value) if isinstance(value, str | tuple) or isinstance(value, bool) else None


def any_number(value: Value) -> Measure | None:
    is_sound = is_whole(value) or isinstance(value, float) and math.isfinite(value)
    return ('', value) if is_sound else None


def whole_number(value: Value) -> Measure | None:
    return ('', value) if is_whole(value) else None


def duration(value: Value) -> Measure | None:
    """A duration as the kubelet has it (nanoseconds), or as text with a unit."""
    if is_whole(value):
        return '', value
    return measured(parse_duration, value, '')


def amount(value: Value) -> Measure | None:
    """A quantity or a percentage. The kubelet takes bare numbers too."""
    text = str(value) if is_whole(value) else value
    return measured(parse_quantity, text, '') or measured(parse_percentage, text, '%')


def measured(parse: Callable[[str], int | Fraction], value: Value, unit: str) -> Measure | None:
    try:
        return (unit, parse(value)) if isinstance(value, str) else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class FormRow:
    """What the values of one form are compared by. `example`: a value as YAML spells it."""

    measure: Callable[[Value], Measure | None]
    example: str
    expectations: tuple[str, ...]
    takes: Callable[[Value], bool]
    """Whether a value in a rule has the form."""


EQUAL = ('is', 'is_not', 'one_of')
ORDERED = (*EQUAL, 'at_most', 'at_least')
FORMS: Mapping[Form, FormRow] = {
    Form.SWITCH: FormRow(exact, 'true', ('is', 'is_not'), lambda value: isinstance(value, bool)),
    Form.WHOLE: FormRow(whole_number, '110', ORDERED, lambda value: is_sized(value)),
    Form.NUMBER: FormRow(
        any_number, '0.9', ORDERED, lambda value: is_sized(value) or isinstance(value, float) and math.isfinite(value)
    ),
    Form.TEXT: FormRow(exact, '"some text"', EQUAL, lambda value: isinstance(value, str) and value != ''),
    Form.DURATION: FormRow(duration, '5m', ORDERED, lambda value: isinstance(value, str)),
    Form.AMOUNT: FormRow(amount, '50Mi', ORDERED, lambda value: isinstance(value, str) or is_sized(value)),
    Form.LIST: FormRow(
        exact, '[a, b]', ('is', 'is_not'), lambda value: isinstance(value, tuple) and all_are(value, str)
    ),
    Form.NUMBERS: FormRow(
        exact, '[1, 2]', ('is', 'is_not'), lambda value: isinstance(value, tuple) and all(map(is_sized, value))
    ),
    Form.MAP: FormRow(exact, '', (), lambda _: False),
    Form.OTHER: FormRow(exact, '', (), lambda _: False),
}


def is_sized(value: Value) -> bool:
    """Whether a value is a whole number that the kubelet can have. Python can't print the longest ones."""
    return is_whole(value) and abs(value) < MOST


def all_are(values: Sequence[object], kind: type) -> bool:
    return bool(values) and all(isinstance(value, kind) and value and ',' not in str(value) for value in values)


@dataclass(frozen=True, slots=True)
class Expected:
    """An expectation in words, as a test, and the value to set, as YAML spells it; None if no single value is good."""

    words: str
    expectation: Expectation
    value: str | None


def expected_of(named: Named, name: str, given: Any) -> Expected:
    """What a row expects. `given`: what YAML made of the value. Raises ExpectationError."""
    row = FORMS[named.form]
    allowed = (*row.expectations, *((SET, NOT_SET) if named.can_be_unset else ()))
    if name not in allowed:
        why = '' if name not in (SET, NOT_SET) else ', and it always has a value'
        raise ExpectationError(f'{name} does not fit {named.name}, which is {named.form.value}{why}: {use(allowed)}')
    if name in (SET, NOT_SET):
        if given is not True:
            raise ExpectationError(f'{name} takes only true: for the opposite, use {NOT_SET if name == SET else SET}')
        return expected_unset(named, is_set=name == SET)
    if name == 'one_of':
        choices = as_tuple(given)
        if not isinstance(choices, tuple) or not 0 < len(choices) <= MOST_CHOICES:
            raise ExpectationError(f'one_of needs a list of 1 to {MOST_CHOICES} values, such as [{row.example}]')
        values = [checked(named, name, value) for value in choices]
    else:
        values = [checked(named, name, as_tuple(given))]
    refuse_no_limit(named, name, values[0])
    return expected_value(named, name, values)


def use(allowed: Sequence[str]) -> str:
    return f'use {" or ".join(allowed)}' if allowed else 'no expectation fits it'


def as_tuple(given: Any) -> Any:
    """Lists of YAML as the model has them."""
    return tuple(given) if isinstance(given, list | tuple) else given


def checked(named: Named, name: str, value: Any) -> Value:
    """A value of a row, if it has the form of the setting. Raises ExpectationError."""
    row = FORMS[named.form]
    if not row.takes(value) or row.measure(value) is None:
        hint = ' (in quotes, if YAML reads it as something else)' if named.form is Form.TEXT else ''
        raise ExpectationError(f'{name} of {named.name} needs {named.form.value}, such as {row.example}{hint}')
    text = ', '.join(map(str, value)) if isinstance(value, tuple) else str(value)
    longest = LONGEST_LIST if isinstance(value, tuple) else LONGEST_EXPECTED
    if len(text) > longest or not text.isprintable():
        raise ExpectationError(f'{name} of {named.name} needs at most {longest} printable characters')
    return value  # type: ignore[no-any-return]


def refuse_no_limit(named: Named, name: str, bound: Value) -> None:
    """Raise ExpectationError for a bound with which the kubelet has no limit: no value would be compliant."""
    means = no_limit(named, bound, name)
    if means:
        raise ExpectationError(f'{name} of {named.name} needs another value: {show(bound)} means {means}')


def no_limit(named: Named, value: Value, *names: str) -> str:
    """What a value means if it is no limit, so that it never meets the expectations; '' if it is one."""
    row = no_limit_of(named.name)
    shown = None if row is None or value in NO_VALUES else FORMS[named.form].measure(value)
    if row is None or shown is None or not set(names) & set(row.against) or not row.fits(*shown):
        return ''
    return row.means


def expected_unset(named: Named, *, is_set: bool) -> Expected:
    def meaning(value: Value) -> str:
        return no_limit(named, value, SET) if is_set else ''

    def holds(values: Sequence[Value], _: Benchmark) -> bool:
        return len(values) == 1 and (values[0] not in NO_VALUES) is is_set and not meaning(values[0])

    text = 'a value' if is_set else 'not set'
    good = None if is_set or named.is_entry else EMPTY_VALUES.get(named.form)
    return Expected(text, Expectation(lambda _: text, holds, meaning=meaning), good)


EMPTY_VALUES = {Form.TEXT: '""', Form.LIST: '[]', Form.NUMBERS: '[]'}
"""What unsets a field, by form. A number can only be removed."""


def expected_value(named: Named, name: str, values: Sequence[Value]) -> Expected:
    measure = FORMS[named.form].measure
    bounds = [each for value in values if (each := measure(value)) is not None]
    compare = COMPARISONS[name]

    def holds(found: Sequence[Value], _: Benchmark) -> bool:
        if len(found) != 1:
            return False
        value = named.default if found[0] is None else found[0]
        if value in NO_VALUES and (value is not None or not named.name.startswith('--')):
            # No value is another value than each expected one. For a flag, the default has to be known.
            return name == 'is_not'
        shown = measure(value)
        return shown is not None and compare(shown, bounds) and not no_limit(named, value, name)

    def meaning(value: Value) -> str:
        if value is not None:
            return no_limit(named, value, name)
        return no_limit(named, named.default, name) or ('' if named.default in NO_VALUES else show(named.default))

    def unclear(value: Value) -> str:
        shown = None if value in NO_VALUES else measure(value)
        if value in NO_VALUES or shown is not None and any(shown[0] == unit for unit, _ in bounds):
            return ''
        return f"its value {show(value)} can't be compared with {show(values[0])}"

    words = f'{PREFIXES[name]}{shorten(", ".join(map(show, values)), LONGEST_EXPECTED)}'
    good = None if name == 'is_not' else as_yaml(values[0], named.form)
    return Expected(words, Expectation(lambda _: words, holds, unclear=unclear, meaning=meaning), good)


COMPARISONS: Mapping[str, Callable[[Measure, Sequence[Measure]], bool]] = {
    'is': lambda value, bounds: value in bounds,
    'is_not': lambda value, bounds: value not in bounds,
    'one_of': lambda value, bounds: value in bounds,
    'at_most': lambda value, bounds: value[0] == bounds[0][0] and value[1] <= bounds[0][1],
    'at_least': lambda value, bounds: value[0] == bounds[0][0] and value[1] >= bounds[0][1],
}
PREFIXES = {'is': '', 'is_not': 'other than ', 'one_of': 'one of ', 'at_most': 'at most ', 'at_least': 'at least '}
EXPECTATIONS = (*COMPARISONS, SET, NOT_SET)


def as_yaml(value: Value, form: Form) -> str:
    """A value as a config file spells it, in quotes where YAML would read text as something else."""
    if isinstance(value, tuple):
        return f'[{", ".join(as_yaml(item, form) for item in value)}]'
    if form in (Form.SWITCH, Form.WHOLE, Form.NUMBER, Form.NUMBERS):
        return show(value)
    text = str(value)
    is_plain = PLAIN_TEXT.fullmatch(text) is not None and resolve_plain(text)[0] == 'str'
    return text if is_plain else json.dumps(text, ensure_ascii=False)
