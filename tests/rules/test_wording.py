# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Fixes in the words of a message."""

from __future__ import annotations

import json

import pytest
import yaml

from datadog_checks.kubelet_compliance.model import Change, Values
from datadog_checks.kubelet_compliance.rules.all_rules import RULES
from datadog_checks.kubelet_compliance.rules.fixes import (
    ChangeFlag,
    Fix,
    PutFlag,
    Run,
    SetEntry,
    SetField,
    Step,
    TakeOut,
)
from datadog_checks.kubelet_compliance.rules.wording import describe, field_parts, fix_text, place_of

FILE, ENV = '/etc/k.yaml', '/etc/default/kubelet:1'
PORT, ANONYMOUS = 'readOnlyPort', 'authentication.anonymous.enabled'
GATE = 'featureGates.G'


@pytest.mark.parametrize(
    ('steps', 'says'),
    [
        pytest.param((Run('chmod 600 /a'),), 'run: chmod 600 /a', id='a command'),
        pytest.param((TakeOut('--a', ENV),), f'remove --a from {ENV}', id='a flag out'),
        pytest.param((ChangeFlag('--a=b', ENV),), f'set --a=b in {ENV}', id='a flag changed'),
        pytest.param((PutFlag('--a=b', 'the arguments'),), 'add --a=b to the arguments', id='a flag more'),
        pytest.param(
            (SetEntry('G=true', '--feature-gates', ENV, 'gates'),),
            f'set G=true in --feature-gates (keep its other gates) in {ENV}',
            id='a gate of a flag',
        ),
        pytest.param((SetField(PORT, '0', FILE),), f'set readOnlyPort: 0 in {FILE}', id='a field'),
        pytest.param(
            (SetField(ANONYMOUS, 'false', FILE),),
            f'set enabled: false under authentication: anonymous: (do not add a second block) in {FILE}',
            id='a nested field',
        ),
        pytest.param(
            (SetField(ANONYMOUS, 'false', FILE, is_json=True),),
            f'set "enabled": false under "authentication": "anonymous": (do not add a second block) in {FILE}',
            id='a nested field of JSON',
        ),
        pytest.param(
            (SetField(PORT, '0', unread=FILE),),
            f'set readOnlyPort: 0 in {FILE} (this check cannot read it)',
            id='in a file that cannot be read',
        ),
        pytest.param(
            (SetField(GATE, 'true', unread=FILE), SetField(PORT, '0', unread=FILE)),
            f'in {FILE} (this check cannot read it): set G: true under featureGates: (do not add a second block) '
            'and set readOnlyPort: 0',
            id='two there',
        ),
        pytest.param(
            (SetField(GATE, 'true', FILE), SetField(PORT, '0', FILE)),
            f'in {FILE}: set G: true under featureGates: (do not add a second block) and set readOnlyPort: 0',
            id='a place that two have is named once',
        ),
        pytest.param(
            (TakeOut('--a', ENV), SetField(PORT, '0', FILE)),
            f'remove --a from {ENV} and set readOnlyPort: 0 in {FILE}',
            id='two places',
        ),
    ],
)
def test_steps_are_listed_in_their_order_with_their_places(steps: tuple[Step, ...], says: str) -> None:
    assert fix_text(Fix(steps)) == f'To fix it, {says}'


STEP = (SetField(PORT, '0', FILE),)


@pytest.mark.parametrize(
    ('fix', 'says'),
    [
        pytest.param(
            Fix(STEP, 'this hurts', 'restart it'),
            f'Caution: this hurts. To fix it, set readOnlyPort: 0 in {FILE}, then restart it',
            id='what it may break comes first, what brings it into force last',
        ),
        pytest.param(
            Fix(STEP, 'this hurts', 'restart it', 'do not do this'), 'Do not do this', id='a refusal stands alone'
        ),
    ],
)
def test_what_to_know_comes_before_what_to_do(fix: Fix, says: str) -> None:
    assert fix_text(fix) == says


FIELDS = [change for rule in RULES for change in rule.fix if not change.name.startswith('-')]


@pytest.mark.parametrize('change', FIELDS, ids=lambda change: change.name)
def test_what_a_fix_says_is_yaml_and_json_of_one_value(change: Change) -> None:
    name, value = change.name, change.value
    (in_yaml, _), (in_json, blocks) = (field_parts(SetField(name, value, is_json=is_json)) for is_json in (False, True))
    assert yaml.safe_load(in_yaml) == json.loads(f'{{{in_json}}}')
    assert blocks.replace('"', '').replace(': ', '.').rstrip(':') == name.rpartition('.')[0]


@pytest.mark.parametrize(
    ('values', 'says'),
    [
        pytest.param((), 'no such file is in use', id='none'),
        pytest.param((('a', False),), 'a is false', id='one'),
        pytest.param((('a', 1), ('b', None), ('c', ('x', 'y'))), 'a is 1, b is not set, c is x,y', id='three'),
        pytest.param(tuple((name, 0) for name in 'abcde'), 'a is 0, b is 0, c is 0 and 2 more', id='five'),
    ],
)
def test_values_are_given_with_their_names(values: Values, says: str) -> None:
    assert describe(values) == says


def test_no_place_is_given_where_none_is_known() -> None:
    assert place_of(None) == ''


TEXTS = {
    f'{rule.key}: {number}': text
    for rule in RULES
    for number, text in enumerate(
        (
            rule.caution,
            rule.preparation,
            *(each.caution for each in rule.preconditions(rule.fix)),
            *(each.refusal for each in rule.preconditions(rule.fix)),
            *(change.caution for change in rule.fix),
        )
    )
    if text
}


@pytest.mark.parametrize('name', TEXTS)
def test_a_text_of_a_rule_is_one_line_that_fits_into_a_sentence(name: str) -> None:
    text = TEXTS[name]
    assert text.isprintable()
    assert text == text.strip()
    assert '  ' not in text
    # What goes into a message gets its full stop there.
    assert not text.endswith('.') or text[0].isupper()
