# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Judges a setting by its rule: the verdict, and the message for it. Handles every input, and raises nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from datadog_checks.kubelet_compliance.model import (
    LONGEST_MESSAGE,
    Benchmark,
    Change,
    Finding,
    KubeletReport,
    NodeReport,
    Origin,
    Remedy,
    Rule,
    Setting,
    Source,
    Unknown,
    Value,
    Values,
    Verdict,
    lasting_text,
)

from .fixes import caution_of, fix_of, needed_changes, refusal_of
from .wording import (
    FINDING_HINT,
    LONGEST_VALUE,
    MOST_VALUES,
    describe,
    fix_text,
    name_of,
    place_of,
    remedy_of,
    sentence,
    shorten,
)

LONGEST_FINDING = LONGEST_MESSAGE - len('the worst of 99 kubelets: ')


def judge(rule: Rule, setting: Setting, benchmark: Benchmark) -> Finding:
    """One cell of the table of verdicts: the declared value against the running one."""
    if isinstance(setting.declared, Unknown):
        judged = judge_undeclared(rule, setting, setting.declared, benchmark)
    elif setting.doubt is not None:
        judged = judge_doubted(rule, setting, setting.declared, setting.doubt, benchmark)
    elif holds(rule, setting.declared, benchmark):
        judged = judge_compliant(rule, setting, setting.declared, benchmark)
    else:
        judged = judge_non_compliant(rule, setting, setting.declared, benchmark)
    if setting.defect is not None and judged.verdict is not Verdict.NON_COMPLIANT:
        judged = judge_defective(rule, setting.defect, benchmark)
    return Finding(rule, judged.verdict, judged.message, setting, benchmark, judged.remedy)


class Judged(NamedTuple):
    """What a cell of the table of verdicts says."""

    verdict: Verdict
    message: str
    remedy: Remedy = Remedy()


def judge_defective(rule: Rule, defect: Unknown, benchmark: Benchmark) -> Judged:
    """A rule that is broken although its values are as expected."""
    message = f'{defect.reason}; expected {rule.expected.text(benchmark)}. To fix it, {defect.remedy}'
    return Judged(Verdict.NON_COMPLIANT, message, Remedy(steps=defect.remedy, note=defect.reason))


def holds(rule: Rule, values: Values, benchmark: Benchmark) -> bool:
    return rule.expected.holds([value for _, value in values], benchmark)


def deciding(rule: Rule, values: Values, benchmark: Benchmark) -> Values:
    """The values, those that break the rule first; for files and for list items, only those that do."""
    if rule.aspect is not None:
        return tuple(pair for pair in values if not holds(rule, (pair,), benchmark)) or values
    is_good = rule.expected.holds_for_item
    items = [
        (f'{name}[{number}]', item)
        for name, value in values
        for number, item in enumerate(value if isinstance(value, tuple) and is_good is not None else ())
        if is_good is not None and not is_good(item, benchmark)
    ]
    if items:
        return tuple(items)
    wrong = {change.name for change in needed_changes(rule, values, benchmark)}
    shown = [pair for pair in values if pair[0] in wrong or pair[1] not in UNSET or len(values) <= MOST_VALUES]
    return tuple(sorted(shown or values, key=lambda pair: (pair[0] not in wrong, pair[1] in UNSET)))


UNSET: tuple[Value, ...] = (None, '', ())


def value_text(rule: Rule, values: Values) -> str:
    """The values with their names, and what the one value of a rule means if that can't be seen from it."""
    meaning = rule.expected.meaning
    means = meaning(values[0][1]) if meaning is not None and len(values) == 1 else ''
    return f'{describe(values)}, which means {means}' if means else describe(values)


def values_that_differ(values: Values, others: Values) -> Values:
    """The values that differ from others, if there are too many to name all of them."""
    return tuple(pair for pair in values if pair not in others) if len(values) > MOST_VALUES else values


def judge_compliant(rule: Rule, setting: Setting, declared: Values, benchmark: Benchmark) -> Judged:
    said = f'{value_text(rule, declared)}{place_of(setting.origin)}'
    running = setting.running
    if not isinstance(running, Unknown):
        if holds(rule, running, benchmark):
            return Judged(Verdict.COMPLIANT, said)
        place = shorten(setting.origin.place) if setting.origin is not None else Source.DEFAULT.value
        now = f'{place} now says {value_text(rule, values_that_differ(declared, running))}'
        remedy = restart_remedy(rule, setting, needed_changes(rule, running, benchmark))
        message = f'running with {value_text(rule, deciding(rule, running, benchmark))}; {now}{restart_text(remedy)}'
        return Judged(Verdict.NON_COMPLIANT, message, remedy)
    if setting.changed is None:
        return Judged(Verdict.COMPLIANT, said)
    return Judged(
        Verdict.UNKNOWN,
        f'{said}, but {shorten(setting.changed)} changed after the kubelet started, so its running value '
        'is unknown: restart the kubelet, or let the Agent read /configz. '
        'A change of only the mode or owner looks the same',
    )


def restart_remedy(rule: Rule, setting: Setting, changes: list[Change]) -> Remedy:
    """How to apply what the files already say."""
    refusal = refusal_of(rule, setting, changes)
    if refusal:
        return Remedy(note=f'before a restart applies it: {refusal}')
    restart = setting.home.restart
    then = restart if restart.startswith('restart') else f'restart the kubelet, {restart}'
    return Remedy(caution_of(rule, setting.home, changes), then)


def restart_text(remedy: Remedy) -> str:
    """The remedy as the end of a message. What a restart may break comes first."""
    if remedy.note:
        return f'. {sentence(remedy.note)}'
    return f'. Caution: {remedy.caution}. Then {remedy.fix}' if remedy.caution else f': {remedy.fix}'


def judge_non_compliant(
    rule: Rule, setting: Setting, declared: Values, benchmark: Benchmark, doubt: Unknown | None = None
) -> Judged:
    fix = fix_of(rule, setting, benchmark)
    expected, to_do = f'; expected {rule.expected.text(benchmark)}', fix_text(fix)
    before, after = '', f'. But {shorten(doubt.reason)}' if doubt is not None else ''
    if not isinstance(setting.running, Unknown) and holds(rule, setting.running, benchmark):
        running = values_that_differ(setting.running, declared)
        before = f'Running with {value_text(rule, running)}, but the next restart applies: '
    lasts = setting.home.lasting if fix.steps and not rule.files else ''
    lasting = lasting_text(lasts)
    shown = deciding(rule, declared, benchmark)
    said, place = f'{before}{value_text(rule, shown)}', place_of(origin_of(setting, shown))
    note = f'but {doubt.reason}' if doubt is not None else ''
    remedy = remedy_of(fix, lasts, note)
    return Judged(Verdict.NON_COMPLIANT, fitted(said, place, expected, to_do, lasting, after), remedy)


def origin_of(setting: Setting, shown: Values) -> Origin | None:
    """Where the first of the values in the message was set."""
    name = shown[0][0].partition('[')[0] if shown else ''
    return setting.origins.get(name, NOWHERE if setting.origins else setting.origin)


NOWHERE = Origin(Source.DEFAULT, 'default')


def decided(finding: Finding) -> tuple[Values | Unknown, Origin | None]:
    """The values to show for a finding, and where the first of them is set, None if that is not known.

    For a rule that is broken or exempted, the values that decide that. Otherwise all declared values of the rule.
    """
    setting, values = finding.setting, finding.setting.declared
    if isinstance(values, Unknown) or finding.verdict not in (Verdict.NON_COMPLIANT, Verdict.EXEMPTED):
        return values, setting.origin
    shown = deciding(finding.rule, values, finding.benchmark)
    return shown, origin_of(setting, shown)


def fitted(said: str, place: str, expected: str, fix: str, lasting: str, after: str) -> str:
    """The parts of a message, as far as they fit. The value, the fix, and its caution are always there."""
    brief = FINDING_HINT.sub('', fix)
    for shown, rest in (
        (place, f'{expected}. {fix}{lasting}{after}'),
        (place, f'{expected}. {fix}{after}'),
        (place, f'{expected}. {brief}{after}'),
        (place, f'{expected}. {brief}'),
        (place, f'. {brief}'),
        (shorten(place, LONGEST_VALUE), f'. {brief}'),
        ('', f'. {brief}'),
    ):
        if len(said) + len(shown) + len(rest) <= LONGEST_FINDING:
            return f'{said}{shown}{rest}'
    return f'{shorten(said, max(LONGEST_FINDING - len(rest), LONGEST_VALUE))}{rest}'


def judge_doubted(rule: Rule, setting: Setting, declared: Values, doubt: Unknown, benchmark: Benchmark) -> Judged:
    """A value that something unread may override: it can prove a rule broken, but never kept."""
    if not isinstance(setting.running, Unknown):
        if declared != setting.running and not (setting.is_explicit and not holds(rule, declared, benchmark)):
            return judge_undeclared(rule, setting, doubt, benchmark)
        if holds(rule, declared, benchmark):
            return Judged(Verdict.COMPLIANT, f'running with {value_text(rule, declared)}{place_of(setting.origin)}')
        return judge_non_compliant(rule, setting, declared, benchmark)
    if not holds(rule, declared, benchmark):
        return judge_non_compliant(rule, setting, declared, benchmark, doubt)
    remedy = f': {doubt.remedy}' if doubt.remedy else ''
    said = f'{value_text(rule, declared)}{place_of(setting.origin)}, but {doubt.reason}{remedy}'
    return Judged(Verdict.UNKNOWN, said)


def hinted(finding: Finding, names: frozenset[str]) -> Finding:
    """The finding, with a hint at exemptions if processes of the node suggest that the rule is broken on purpose."""
    rule = finding.rule
    seen = sorted(rule.broken_for & names)
    if finding.verdict is not Verdict.NON_COMPLIANT or not seen or rule.unless in names:
        return finding
    hint = f'{seen[0]} runs here and {rule.unless} does not: if this is intended, exempt the rule (`exemptions`)'
    note = '; '.join(filter(None, (finding.remedy.note, hint)))
    return replace(finding, message=f'{finding.message}. {hint}', remedy=replace(finding.remedy, note=note))


def judge_undeclared(rule: Rule, setting: Setting, unknown: Unknown, benchmark: Benchmark) -> Judged:
    running = setting.running
    if isinstance(running, Unknown):
        to_do = f'; {unknown.remedy}' if unknown.remedy else ''
        return Judged(Verdict.UNKNOWN, f'{name_of(rule)} cannot be determined: {unknown.reason}{to_do}')
    if holds(rule, running, benchmark):
        return Judged(Verdict.COMPLIANT, f'running with {value_text(rule, running)}')
    fix = fix_of(rule, replace(setting, declared=unknown, origins={}), benchmark)
    said = f'running with {value_text(rule, deciding(rule, running, benchmark))}'
    note = '' if setting.home.unread else f'could not find where it is set: {unknown.reason}'
    expected, after = f'; expected {rule.expected.text(benchmark)}', f'. {sentence(note)}' if note else ''
    remedy = remedy_of(fix, note=note)
    return Judged(Verdict.NON_COMPLIANT, fitted(said, '', expected, fix_text(fix), '', after), remedy)


def judge_node(reports: Sequence[KubeletReport], doubts: Sequence[Unknown], none_found_because: str = '') -> NodeReport:
    """The kubelets of a node as one: for each rule, the worst finding counts, and the message says so."""
    if not reports:
        return NodeReport(0, doubts=tuple(doubts), none_found_because=none_found_because)
    findings = tuple(worst_of(same_rule) for same_rule in zip(*(report.findings for report in reports), strict=True))
    pending = [report.restart_pending for report in reports]
    return NodeReport(
        found=len(reports),
        findings=findings,
        problems=tuple(problem for report in reports for problem in report.problems),
        doubts=tuple(doubts),
        restart_pending=True if True in pending else None if None in pending else False,
    )


def worst_of(findings: Sequence[Finding]) -> Finding:
    worst = max(findings, key=lambda finding: finding.verdict.badness)
    if len(findings) == 1:
        return worst
    return replace(worst, message=f'the worst of {len(findings)} kubelets: {worst.message}')
