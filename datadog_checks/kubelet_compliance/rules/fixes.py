# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How to fix a rule on one node: the steps, each at the place that decides, and what they may break. Pure.

One round of steps fixes everything that breaks the rule: a flag is removed only if the value that it hides is right.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from datadog_checks.kubelet_compliance.kubelet.tables.flag_kinds import FlagKind
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.model import (
    NOT_RUNNING,
    Answer,
    Benchmark,
    Change,
    FileAspect,
    Home,
    Origin,
    Precondition,
    Rule,
    Setting,
    Source,
    Unknown,
    Value,
    Values,
    was_flag,
)

from .field_facts import FLAG_OF_FIELD, default_holds, flag_that_sets, is_flag, parts_of_path, row_of

MOST_LETTERS_OF_FILES = 300
NEW_FILE = 'a file that you name with --config'
JSON_ENDING = '.json'
"""Shows that a config file is JSON if it cannot be read."""


@dataclass(frozen=True, slots=True)
class Run:
    """Run a command on the node."""

    command: str


@dataclass(frozen=True, slots=True)
class TakeOut:
    """Remove a flag from the place where flags are set."""

    flag: str
    place: str


@dataclass(frozen=True, slots=True)
class ChangeFlag:
    """Give a flag another value. `flag`: with its new value, such as `--read-only-port=0`."""

    flag: str
    place: str


@dataclass(frozen=True, slots=True)
class PutFlag:
    """Add a flag."""

    flag: str
    place: str


@dataclass(frozen=True, slots=True)
class SetEntry:
    """Set one entry, such as a feature gate, in a flag that may have others. `entry`: as the flag spells it."""

    entry: str
    flag: str
    place: str
    others: str
    """What the other entries are, in a word."""


@dataclass(frozen=True, slots=True)
class SetField:
    """Set a field, by its dotted path, in a config file.

    `unread`: the place in words, if the check cannot read it and `file` is ''.
    """

    path: str
    value: str
    file: str = ''
    is_json: bool = False
    unread: str = ''


Step = Run | TakeOut | ChangeFlag | PutFlag | SetEntry | SetField


@dataclass(frozen=True, slots=True)
class Fix:
    """The steps in order, what they may break, and how they take effect.

    `refusal`: why there are no steps, and what to do instead. `advice`: what to do, in words that replace the steps.
    """

    steps: tuple[Step, ...] = ()
    caution: str = ''
    apply: str = ''
    refusal: str = ''
    advice: str = ''


def fix_of(rule: Rule, setting: Setting, benchmark: Benchmark) -> Fix:
    """How to fix a rule that a setting breaks."""
    apply = '' if setting.running == NOT_RUNNING else setting.home.apply
    if rule.aspect is not None:
        return Fix((Run(file_command(rule, setting, benchmark)),), rule.caution)
    values = setting.running if isinstance(setting.declared, Unknown) else setting.declared
    changes = needed_changes(rule, values, benchmark, setting.others)
    if rule.advice:
        return Fix(advice=rule.advice, caution=caution_of(rule, setting.home, changes))
    steps = tuple(step for change in changes for step in iter_steps(rule, change, setting, benchmark))
    refusal = refusal_of(rule, setting, changes, writes_values=not all(isinstance(step, TakeOut) for step in steps))
    if refusal:
        return Fix(refusal=refusal)
    return Fix(steps, caution_of(rule, setting.home, changes), apply)


def needed_changes(
    rule: Rule, values: Values | Unknown, benchmark: Benchmark, others: Mapping[str, Value] = MappingProxyType({})
) -> list[Change]:
    """The changes that the rule needs, given the values. `others`: further fields that the changes depend on."""
    if isinstance(values, Unknown):
        return list(rule.fix)
    return [change for change in rule.fix if is_wrong(rule, change, {**others, **dict(values)}, benchmark)]


def is_wrong(rule: Rule, change: Change, values: Mapping[str, Value], benchmark: Benchmark) -> bool:
    if change.is_wrong is not None:
        return change.is_wrong(values)
    return not rule.expected.holds([values[name] for name in rule.fields], benchmark)


def refusal_of(rule: Rule, setting: Setting, changes: list[Change], *, writes_values: bool = False) -> str:
    """Why nothing should change on this node; '' if there is a fix.

    `writes_values`: the fix writes its own values; otherwise values that a file already has take effect.
    """
    home = setting.home
    for change in changes:
        origin, flag = setting.origins.get(change.name), flag_of(change)
        is_own = origin is not None and was_flag(origin) and (home.is_rewritten or not origin.where)
        if is_own and flag in home.fixed_flags:
            return f'the distribution always passes {flag}: exempt the rule'
    if setting.refused and writes_values:
        return setting.refused
    for precondition in rule.preconditions(changes):
        answer = home.facts.get(precondition.fact, Answer())
        is_refused = answer.holds is False or answer.holds is None and not precondition.caution
        if is_refused and precondition.refusal and (writes_values or not precondition.is_of_value):
            return precondition.refusal.format(detail=answer.detail)
    return ''


def caution_of(rule: Rule, home: Home, changes: list[Change]) -> str:
    """What to know and do before the change."""
    first = [caution_for(each, home.facts.get(each.fact, Answer())) for each in rule.preconditions(changes)]
    return '; '.join(filter(None, (*first, rule.caution, *(change.caution for change in changes))))


def caution_for(precondition: Precondition, answer: Answer) -> str:
    """The caution of a precondition; '' if it is met."""
    return '' if answer.holds else precondition.caution.format(detail=answer.detail or precondition.unknown_detail)


def iter_steps(rule: Rule, change: Change, setting: Setting, benchmark: Benchmark) -> Iterator[Step]:
    """The steps of one change."""
    home, origin, flag = setting.home, setting.origins.get(change.name), flag_of(change)
    if change.name != flag and not was_flag(origin):
        in_flag = put_flag(change, flag, setting.origins.get(flag), home) if flag else None
        yield set_field(change, origin, home) or in_flag or SetField(change.name, change.value, NEW_FILE)
        return
    place = home.flags if origin is None or home.is_rewritten else origin.where or home.flags
    if entry := entry_of(change):
        yield SetEntry(entry, flag, place, 'gates' if gate_of(change) else 'entries')
        return
    if holds_without_flag(rule, change, setting, benchmark):
        yield TakeOut(flag, place)
    else:
        yield ChangeFlag(as_flag(change, flag), place)


def holds_without_flag(rule: Rule, change: Change, setting: Setting, benchmark: Benchmark) -> bool:
    """Whether the value that the flag hides is right; for a flag that hides nothing, whether its default is."""
    if change.name not in setting.beneath or isinstance(setting.declared, Unknown):
        return default_holds(rule, benchmark)
    values = {**setting.others, **dict(setting.declared), change.name: setting.beneath[change.name]}
    return not is_wrong(rule, change, values, benchmark)


def set_field(change: Change, origin: Origin | None, home: Home) -> SetField | None:
    """The field in the file that holds it, or in the node's file for settings; None if the node has no such file."""
    own = origin.path if origin is not None and origin.source in (Source.CONFIG_FILE, Source.DROP_IN) else None
    file = home.file if own is None or home.is_rewritten or is_rewritten_at_start(own, home) else own
    if file:
        return SetField(change.name, change.value, file, file in home.json_files)
    if not home.unread:
        return None
    return SetField(change.name, change.value, '', home.unread.endswith(JSON_ENDING), home.unread)


def is_rewritten_at_start(file: str, home: Home) -> bool:
    """Whether the distribution rewrites a file at each start, besides the files that it leaves to its users."""
    return bool(home.file) and any(fnmatchcase(file, pattern) for pattern in home.made_anew)


def put_flag(change: Change, flag: str, given: Origin | None, home: Home) -> Step:
    """A flag instead of a field. `given`: where that flag is already set, since the last of two equal flags counts."""
    if given is not None and was_flag(given):
        return ChangeFlag(as_flag(change, flag), given.where or home.flags)
    return PutFlag(as_flag(change, flag), home.flags)


def flag_of(change: Change) -> str:
    """The flag that has the effect of a change; '' if there is none."""
    return change.flag or flag_that_sets(change.name) or ''


def gate_of(change: Change) -> str:
    return change.name.partition('featureGates.')[2]


def entry_of(change: Change) -> str:
    """A key of a map and its value, as the flag for the map spells them; '' for other settings."""
    if is_flag(change.name) or row_of(change.name) is not None:
        return ''
    name, key = parts_of_path(change.name)
    sign = ENTRY_SIGNS.get(FLAGS[FLAG_OF_FIELD[name].removeprefix('--')].kind, '=') if name in FLAG_OF_FIELD else '='
    return f'{key}{sign}{unquoted(change.value)}'


ENTRY_SIGNS = {FlagKind.EVICTION: '<'}
"""What separates the key and the value of an entry, if not `=`."""


def unquoted(value: str) -> str:
    """A value of a fix without the quotes of YAML."""
    return str(json.loads(value)) if value.startswith('"') else value


def as_flag(change: Change, flag: str) -> str:
    """A field's value as its flag spells it: a list without brackets, the key of a map with its name."""
    value = change.value.strip('[]').replace(', ', ',') if change.value.startswith('[') else unquoted(change.value)
    return f'{flag}={entry_of(change) or value}'


def file_command(rule: Rule, setting: Setting, benchmark: Benchmark) -> str:
    """The command for all files that break the rule, as far as they fit."""
    values = () if isinstance(setting.declared, Unknown) else setting.declared
    wrong = [shlex.quote(pair[0]) for pair in values if not rule.expected.holds((pair[1],), benchmark)]
    paths, left = '', len(wrong)
    for path in wrong:
        if len(paths) + len(path) > MOST_LETTERS_OF_FILES:
            break
        paths, left = f'{paths} {path}', left - 1
    files = f'{paths} and {left} more files' if left and paths else paths or ' FILE'
    if rule.aspect is FileAspect.OWNER:
        return f'chown root:root{files}'
    modes = benchmark.modes[rule.key]
    return f'chmod {modes.at_most if modes.at_most is not None else modes.one_of[0]:03o}{files}'
