# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What mends a rule on one node: the steps, each at the place that decides, and what they may break. Pure.

All that breaks the rule is mended in one round: a flag is taken out only where what it hides is right.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

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

MOST_LETTERS_OF_FILES = 300
JSON_ENDING = '.json'
"""What tells that a config file is JSON, where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Run:
    """Run a command on the node."""

    command: str


@dataclass(frozen=True, slots=True)
class TakeOut:
    """Take a flag out of where flags are set."""

    flag: str
    place: str


@dataclass(frozen=True, slots=True)
class ChangeFlag:
    """Give a flag another value. `flag`: as it has to be, such as `--read-only-port=0`."""

    flag: str
    place: str


@dataclass(frozen=True, slots=True)
class PutFlag:
    """Add a flag."""

    flag: str
    place: str


@dataclass(frozen=True, slots=True)
class SetGate:
    """Set one feature gate of a flag that may hold others."""

    gate: str
    value: str
    flag: str
    place: str


@dataclass(frozen=True, slots=True)
class SetField:
    """Set a field, by its dotted path, in a config file.

    `unread`: the place in words, where the check cannot read it and `file` is ''.
    """

    path: str
    value: str
    file: str = ''
    is_json: bool = False
    unread: str = ''


Step = Run | TakeOut | ChangeFlag | PutFlag | SetGate | SetField


@dataclass(frozen=True, slots=True)
class Fix:
    """The steps in their order, what they may break, and what brings them into force.

    `refusal`: why no step is offered, and what to do in place of one.
    """

    steps: tuple[Step, ...] = ()
    caution: str = ''
    apply: str = ''
    refusal: str = ''


def fix_of(rule: Rule, setting: Setting, benchmark: Benchmark) -> Fix:
    """What mends a rule that a setting breaks."""
    apply = '' if setting.running == NOT_RUNNING else setting.home.apply
    if rule.aspect is not None:
        return Fix((Run(file_command(rule, setting, benchmark)),), rule.caution)
    values = setting.running if isinstance(setting.declared, Unknown) else setting.declared
    changes = needed_changes(rule, values, benchmark, setting.others)
    steps = tuple(step for change in changes for step in iter_steps(rule, change, setting, benchmark))
    refusal = refusal_of(rule, setting, changes, writes_values=not all(isinstance(step, TakeOut) for step in steps))
    if refusal:
        return Fix(refusal=refusal)
    return Fix(steps, caution_of(rule, setting.home, changes), apply)


def needed_changes(
    rule: Rule, values: Values | Unknown, benchmark: Benchmark, others: Mapping[str, Value] = MappingProxyType({})
) -> list[Change]:
    """The changes without which the values would go on breaking the rule. `others`: fields that these depend on."""
    if isinstance(values, Unknown):
        return list(rule.fix)
    return [change for change in rule.fix if is_wrong(rule, change, {**others, **dict(values)}, benchmark)]


def is_wrong(rule: Rule, change: Change, values: Mapping[str, Value], benchmark: Benchmark) -> bool:
    if change.is_wrong is not None:
        return change.is_wrong(values)
    return not rule.expected.holds([values[name] for name in rule.fields], benchmark)


def refusal_of(rule: Rule, setting: Setting, changes: list[Change], *, writes_values: bool = False) -> str:
    """Why nothing is to be changed on this node; '' where a fix is offered.

    `writes_values`: the values of the fix are written; else what stands in a file already comes into force.
    """
    home = setting.home
    for change in changes:
        origin, flag = setting.origins.get(change.name), flag_of(rule, change)
        is_own = origin is not None and was_flag(origin) and (home.is_rewritten or not origin.where)
        if is_own and flag in home.fixed_flags:
            return f'the distribution always passes {flag}: exempt the rule'
    for precondition in rule.preconditions(changes):
        answer = home.facts.get(precondition.fact, Answer())
        is_refused = answer.holds is False or answer.holds is None and not precondition.caution
        if is_refused and precondition.refusal and (writes_values or not precondition.is_of_value):
            return precondition.refusal.format(detail=answer.detail)
    return ''


def caution_of(rule: Rule, home: Home, changes: list[Change]) -> str:
    """What to know and to do before the change."""
    first = [told_before(each, home.facts.get(each.fact, Answer())) for each in rule.preconditions(changes)]
    return '; '.join(filter(None, (*first, rule.caution, *(change.caution for change in changes))))


def told_before(precondition: Precondition, answer: Answer) -> str:
    """The caution of a precondition; '' where it holds."""
    return '' if answer.holds else precondition.caution.format(detail=answer.detail or precondition.unknown_detail)


def iter_steps(rule: Rule, change: Change, setting: Setting, benchmark: Benchmark) -> Iterator[Step]:
    """The steps of one change."""
    home, origin, flag = setting.home, setting.origins.get(change.name), flag_of(rule, change)
    if change.name != flag and not was_flag(origin):
        yield set_field(change, origin, home) or put_flag(change, flag, setting.origins.get(flag), home)
        return
    place = home.flags if origin is None or home.is_rewritten else origin.where or home.flags
    if gate := gate_of(change):
        yield SetGate(gate, change.value, flag, place)
        return
    if holds_without_flag(rule, change, setting, benchmark):
        yield TakeOut(flag, place)
    else:
        yield ChangeFlag(as_flag(change, flag), place)


def holds_without_flag(rule: Rule, change: Change, setting: Setting, benchmark: Benchmark) -> bool:
    """Whether what the flag hides is right; of a flag that hides nothing, whether its default is."""
    if change.name not in setting.beneath or isinstance(setting.declared, Unknown):
        return rule.default_holds
    values = {**setting.others, **dict(setting.declared), change.name: setting.beneath[change.name]}
    return not is_wrong(rule, change, values, benchmark)


def set_field(change: Change, origin: Origin | None, home: Home) -> SetField | None:
    """The field in the file that holds it, else where this node has such settings; None where it has them nowhere."""
    own = origin.path if origin is not None and origin.source in (Source.CONFIG_FILE, Source.DROP_IN) else None
    file = home.file if own is None or home.is_rewritten or is_made_anew(own, home) else own
    if file:
        return SetField(change.name, change.value, file, file in home.json_files)
    if not home.unread:
        return None
    return SetField(change.name, change.value, '', home.unread.endswith(JSON_ENDING), home.unread)


def is_made_anew(file: str, home: Home) -> bool:
    """Whether the distribution writes a file at each start, beside those that it leaves to its users."""
    return bool(home.file) and any(fnmatchcase(file, pattern) for pattern in home.made_anew)


def put_flag(change: Change, flag: str, given: Origin | None, home: Home) -> Step:
    """A flag in place of a field. `given`: where that flag itself is, which of two of a kind may be the last."""
    if given is not None and was_flag(given):
        return ChangeFlag(as_flag(change, flag), given.where or home.flags)
    return PutFlag(as_flag(change, flag), home.flags)


def flag_of(rule: Rule, change: Change) -> str:
    """The flag that sets what is changed."""
    return change.flag or dict(zip(rule.fields, rule.flags, strict=True))[change.name]


def gate_of(change: Change) -> str:
    return change.name.partition('featureGates.')[2]


def as_flag(change: Change, flag: str) -> str:
    """A field's value in the spelling of its flag: a list without brackets, a feature gate with its name."""
    gate = gate_of(change)
    listed = change.value.strip('[]"').replace(', ', ',')
    return f'{flag}={gate}={listed}' if gate else f'{flag}={listed}'


def file_command(rule: Rule, setting: Setting, benchmark: Benchmark) -> str:
    """The command for all files that are not as they should be, as far as there is room for them."""
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
