# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Custom rules: from the rows of the option `custom_rules`, or of a file, to rules like all others. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from datadog_checks.kubelet_compliance.model import Benchmark, Change, Rule

from .all_rules import RULES, RULES_BY_KEY
from .custom_expectations import EXPECTATIONS, NOT_SET, ExpectationError, Expected, expected_of
from .custom_settings import Named, SettingError, named_setting
from .field_facts import is_flag, parts_of_path
from .wording import show

CUSTOM = 'custom'
"""The name of the benchmark of custom rules, of its framework, and of the group of all of them."""
MOST_ROWS = 100
KEY = re.compile(r'[a-z0-9_]{1,63}')
LONGEST_TITLE = 100
LONGEST_SETTING = 200
LONGEST_FIX = 200
LONGEST_CAUTION = 120
TEXTS = {'title': LONGEST_TITLE, 'fix': LONGEST_FIX, 'caution': LONGEST_CAUTION}
"""The texts of a row that messages and pages show, and how long each can be."""
REQUIRED = ('key', 'title', 'setting')
ROW_NAMES = (*REQUIRED, *EXPECTATIONS, 'fix', 'caution')
RESERVED = frozenset({'settings', 'files', CUSTOM})
"""The names of groups of rules."""


class CustomRuleError(Exception):
    """A custom rule is not valid. The text says which one, what is wrong, and what would do."""


def custom_rules(rows: object) -> tuple[Rule, ...]:
    """The rules of some rows, as YAML gives them; none for None. Raises CustomRuleError."""
    if rows is None:
        return ()
    if not isinstance(rows, list | tuple):
        raise CustomRuleError('custom_rules is not a list: begin each rule with "- key:"')
    if len(rows) > MOST_ROWS:
        raise CustomRuleError(f'custom_rules has {len(rows)} rules: at most {MOST_ROWS} are possible')
    rules: dict[str, Rule] = {}
    for number, row in enumerate(rows, 1):
        key = row.get('key') if isinstance(row, Mapping) else None
        name = f'custom rule {number}{f" ({key})" if isinstance(key, str) and KEY.fullmatch(key) else ""}'
        try:
            rule = custom_rule(row, rules)
        except (SettingError, ExpectationError) as error:
            raise CustomRuleError(f'{name}: {error}') from None
        rules[rule.key] = rule
    return tuple(rules.values())


def custom_benchmark(rules: Iterable[Rule]) -> Benchmark:
    """The benchmark of custom rules. Their keys are enough, so it gives them no numbers."""
    return Benchmark(CUSTOM, CUSTOM, {rule.key: () for rule in rules}, {}, {}, ())


def custom_rule(row: object, earlier: Collection[str]) -> Rule:
    """One row. `earlier`: the keys of the rows before it. Raises SettingError, ExpectationError."""
    if not isinstance(row, Mapping):
        raise ExpectationError('it is not a mapping: it needs key, title, setting, and an expectation')
    check_row(row)
    texts = {name: text_in(row, name, longest) for name, longest in TEXTS.items()}
    key = key_in(row, earlier)
    named = named_setting(text_in(row, 'setting', LONGEST_SETTING))
    (name,) = (name for name in EXPECTATIONS if name in row)
    return rule_of(key, texts, named, name, expected_of(named, name, row[name]))


def check_row(row: Mapping[str, Any]) -> None:
    """Raise ExpectationError for a name that a row cannot have, one that it lacks, or several expectations."""
    for name in row:
        if not isinstance(name, str):
            raise ExpectationError('each name in it has to be text, such as title')
        if name not in ROW_NAMES:
            close = get_close_matches(name, ROW_NAMES, 1)
            like = f': did you mean {close[0]}?' if close else f'; choose from: {", ".join(ROW_NAMES)}'
            raise ExpectationError(f'unknown name {name[:LONGEST_TITLE]!r}{like}')
    missing = [
        name for name in REQUIRED if row.get(name) is None or isinstance(row[name], str) and not row[name].strip()
    ]
    if missing:
        raise ExpectationError(f'{missing[0]} is missing')
    given = [name for name in EXPECTATIONS if name in row]
    if len(given) != 1:
        found = f'it has {" and ".join(given)}' if given else 'it has no expectation'
        raise ExpectationError(f'{found}: specify exactly one of {", ".join(EXPECTATIONS)}')


def text_in(row: Mapping[str, Any], name: str, longest: int) -> str:
    text = row.get(name)
    if text is None:
        return ''
    if not isinstance(text, str) or not text.isprintable() or len(text) > longest:
        raise ExpectationError(f'{name} needs text of at most {longest} printable characters, in one line')
    return text.strip()


def key_in(row: Mapping[str, Any], earlier: Collection[str]) -> str:
    key = row['key']
    if not isinstance(key, str) or KEY.fullmatch(key) is None:
        raise ExpectationError('key needs 1 to 63 characters of a-z, 0-9, and _, such as max_pods')
    if key in RULES_BY_KEY or key in RESERVED:
        raise ExpectationError(f'{key} is already the name of a rule or of a group of rules: choose another key')
    if key in earlier:
        raise ExpectationError(f'{key} is the key of an earlier custom rule: choose another key')
    return key


def rule_of(key: str, texts: Mapping[str, str], named: Named, name: str, expected: Expected) -> Rule:
    changes = () if expected.value is None else (change_of(named, name, expected.value),)
    like = rule_with(changes)
    cautions = (
        texts['caution'],
        like.caution if like is not None else '',
        WITHOUT_THE_OTHERS if is_signal(named) else '',
    )
    return Rule(
        key=key,
        title=texts['title'],
        expected=expected.expectation,
        what=f'{named.name}: {expected.words}.',
        why='',
        impact='',
        default='' if named.default is None else show(named.default),
        references=(),
        fields=(named.name,),
        fix=changes,
        caution='; '.join(filter(None, cautions)),
        needs=like.needs if like is not None else (),
        is_fix_unproven=True,
        is_in_effect=True,
        advice=texts['fix'] or ('' if changes else advice_for(named, name)),
    )


def change_of(named: Named, name: str, value: str) -> Change:
    """The change that meets the expectation. A flag that must not be set is removed, like one that is empty."""
    return Change(named.name, '' if name == NOT_SET and is_flag(named.name) else value)


def rule_with(changes: tuple[Change, ...]) -> Rule | None:
    """The built-in rule whose fix is the same change, because the change does the same harm here."""
    wanted = {(change.name, change.value) for change in changes}
    return next((rule for rule in RULES if wanted & {(each.name, each.value) for each in rule.fix}), None)


WITHOUT_THE_OTHERS = 'list all signals there: one that is left out loses its default'


def is_signal(named: Named) -> bool:
    """Whether the setting is a key of the map that has defaults for keys: setting one key removes the others."""
    return parts_of_path(named.name)[0] == 'evictionHard' and len(parts_of_path(named.name)) > 1


def advice_for(named: Named, name: str) -> str:
    """What to do where no single value is expected."""
    if name == NOT_SET:
        return f'remove {named.name} where it is set, then restart the kubelet'
    what = 'a value' if name == 'set' else 'another value'
    return f'give {named.name} {what}, then restart the kubelet'
