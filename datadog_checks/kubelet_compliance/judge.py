# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A setting against its rule: the verdict and the sentence that goes with it. Total; raises nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

from .model import (
    LONGEST_MESSAGE,
    NOT_RUNNING,
    Benchmark,
    FileAspect,
    Finding,
    Home,
    KubeletReport,
    NodeReport,
    Origin,
    Rule,
    Setting,
    Source,
    Unknown,
    Value,
    Values,
    Verdict,
)

A_CA = 'PATH (of the CA that signs the client certificate of the API server)'
"""What stands for the only file that a fix names, where the node does not have it."""
LONGEST_VALUE = 60
LONGEST_FINDING = 440
"""Of the part that must be whole: what is said before it, and after it, takes up the rest of 500."""
LONGEST_PLACE = 120


def judge(rule: Rule, setting: Setting, benchmark: Benchmark) -> Finding:
    """One cell of the table of verdicts: declared against running."""
    if isinstance(setting.declared, Unknown):
        verdict, message = judge_undeclared(rule, setting.declared, setting.running, benchmark)
    elif setting.doubt is not None:
        verdict, message = judge_doubted(rule, setting, setting.declared, setting.doubt, benchmark)
    elif holds(rule, setting.declared, benchmark):
        verdict, message = judge_compliant(rule, setting, setting.declared, benchmark)
    else:
        verdict, message = judge_non_compliant(rule, setting, setting.declared, benchmark)
    return Finding(rule, verdict, message, setting)


def holds(rule: Rule, values: Values, benchmark: Benchmark) -> bool:
    return rule.expected.holds([value for _, value in values], benchmark)


def judge_compliant(rule: Rule, setting: Setting, declared: Values, benchmark: Benchmark) -> tuple[Verdict, str]:
    said = f'{describe(declared)}{place_of(setting.origin)}'
    running = setting.running
    if not isinstance(running, Unknown):
        if holds(rule, running, benchmark):
            return Verdict.COMPLIANT, said
        place = shorten(setting.origin.place) if setting.origin is not None else Source.DEFAULT.value
        now = f'{place} now says {describe(declared)}'
        restart = setting.home.restart
        then = restart if restart.startswith('restart') else f'restart the kubelet, {restart}'
        return Verdict.NON_COMPLIANT, f'running with {describe(running)}; {now}: {then}'
    if setting.changed is None:
        return Verdict.COMPLIANT, said
    return Verdict.UNKNOWN, (
        f'{said}, but {shorten(setting.changed)} changed after the kubelet started, so what it runs with is not '
        'known: restart it, or let the Agent read /configz. A change of mode or owner alone looks the same'
    )


def judge_non_compliant(
    rule: Rule, setting: Setting, declared: Values, benchmark: Benchmark, doubt: Unknown | None = None
) -> tuple[Verdict, str]:
    said = f'{describe(declared)}{place_of(setting.origin)}'
    rest = f'; expected {rule.expected.text(benchmark)}. {fix(rule, setting, benchmark)}'
    before, after = '', f'. But {shorten(doubt.reason)}' if doubt is not None else ''
    if not isinstance(setting.running, Unknown) and holds(rule, setting.running, benchmark):
        before = f'Running with {describe(setting.running)}, but the next restart brings in: '
    longest = min(LONGEST_FINDING, LONGEST_MESSAGE - len(before) - len(after))
    lasting = (
        f'. To make it last, also change {setting.home.lasting}' if setting.home.lasting and not rule.files else ''
    )
    if len(said) + len(rest) + len(lasting) <= longest:
        rest += lasting
    return Verdict.NON_COMPLIANT, f'{before}{shorten(said, max(longest - len(rest), LONGEST_VALUE))}{rest}{after}'


def judge_doubted(
    rule: Rule, setting: Setting, declared: Values, doubt: Unknown, benchmark: Benchmark
) -> tuple[Verdict, str]:
    """A value that something unseen may overrule: it can show what is wrong, never that all is well."""
    if not isinstance(setting.running, Unknown):
        if declared != setting.running and not (setting.is_explicit and not holds(rule, declared, benchmark)):
            return judge_undeclared(rule, doubt, setting.running, benchmark)
        if holds(rule, declared, benchmark):
            return Verdict.COMPLIANT, f'running with {describe(declared)}{place_of(setting.origin)}'
        return judge_non_compliant(rule, setting, declared, benchmark)
    if not holds(rule, declared, benchmark):
        return judge_non_compliant(rule, setting, declared, benchmark, doubt)
    remedy = f': {doubt.remedy}' if doubt.remedy else ''
    return Verdict.UNKNOWN, f'{describe(declared)}{place_of(setting.origin)}, but {doubt.reason}{remedy}'


def hinted(finding: Finding, names: frozenset[str]) -> Finding:
    """With a word on exemptions where the node's processes show that the rule may be broken on purpose."""
    rule = finding.rule
    seen = sorted(rule.broken_for & names)
    if finding.verdict is not Verdict.NON_COMPLIANT or not seen or rule.unless in names:
        return finding
    hint = f'{seen[0]} runs here and {rule.unless} does not: if this is on purpose, name the rule in `exemptions`'
    return replace(finding, message=f'{finding.message}. {hint}')


def judge_undeclared(
    rule: Rule, declared: Unknown, running: Values | Unknown, benchmark: Benchmark
) -> tuple[Verdict, str]:
    if isinstance(running, Unknown):
        remedy = f'; {declared.remedy}' if declared.remedy else ''
        return Verdict.UNKNOWN, f'{name_of(rule)} cannot be determined: {declared.reason}{remedy}'
    if holds(rule, running, benchmark):
        return Verdict.COMPLIANT, f'running with {describe(running)}'
    return Verdict.NON_COMPLIANT, (
        f'running with {describe(running)}; expected {rule.expected.text(benchmark)}. Where it is set cannot be told: '
        f'{declared.reason}'
    )


def name_of(rule: Rule) -> str:
    return rule.fields[0] if rule.fields else rule.title


def describe(values: Values) -> str:
    """The values with their names, as a person reads them."""
    if not values:
        return 'no such file is in use'
    if len(values) > 3:
        return f'{describe(values[:3])} and {len(values) - 3} more'
    return ', '.join(f'{shorten(name)} is {show(value)}' for name, value in values)


def place_of(origin: Origin | None) -> str:
    return f' ({shorten(origin.place)})' if origin is not None and origin.place else ''


def fix(rule: Rule, setting: Setting, benchmark: Benchmark) -> str:
    """What to do, at the place that decides."""
    if rule.aspect is not None:
        return f'To fix it, run: {file_command(rule, setting, benchmark)}'
    origin, home = setting.origin, setting.home
    if origin is None or origin.source is not Source.FLAG:
        steps = [setting_step(rule, origin.path if origin is not None else None, home)]
    else:
        place = shorten(home.flags if home.is_rewritten else origin.where or home.flags)
        flags = '' if home.file else flags_for(rule, home)
        if len(rule.fix) == 1 and not rule.default_holds and flags.startswith(f'{origin.place.partition("=")[0]}='):
            steps = [f'change the flag to {flags} in {place}']
        else:
            steps = [f'take the flag out of {place}']
            if rule.fix and not rule.default_holds:
                steps.append(f'put {flags} there' if flags else setting_step(rule, None, home))
    to_do = f'To fix it, {" and ".join(steps)}'
    return to_do if setting.running == NOT_RUNNING else f'{to_do}, then {home.apply}'


def setting_step(rule: Rule, path: str | None, home: Home) -> str:
    """Where to set what: in the file that holds the value, else where the distribution has such settings."""
    file = home.file if home.is_rewritten or path is None else path
    flags = '' if file else flags_for(rule, home)
    if flags:
        return f'put {flags} in {shorten(home.flags)}'
    wanted = ' and '.join(f'{field}: {value}' for field, value in wanted_of(rule, home))
    return f'set {wanted} in {shorten(file) if file else "a file for --config"}'


def wanted_of(rule: Rule, home: Home) -> list[tuple[str, str]]:
    """The fields of a fix, and what to set them to on this node."""
    return [(field, A_CA if value in home.lacks else value) for field, value in rule.fix]


def flags_for(rule: Rule, home: Home) -> str:
    """The flags that set what the rule wants; '' where a field has none."""
    flags = dict(zip(rule.fields, rule.flags, strict=True))
    if any(field not in flags for field, _ in rule.fix):
        return ''
    return ' '.join(as_flag(flags[field], field, value) for field, value in wanted_of(rule, home))


def as_flag(flag: str, field: str, value: str) -> str:
    """A field's value in the spelling of its flag: a list without brackets, a feature gate with its name."""
    gate = field.partition('featureGates.')[2]
    listed = value.strip('[]"').replace(', ', ',')
    return f'{flag}={gate}={listed}' if gate else f'{flag}={listed}'


def file_command(rule: Rule, setting: Setting, benchmark: Benchmark) -> str:
    """The command for the first file that is not as it should be."""
    assert not isinstance(setting.declared, Unknown)
    wrong = [pair for pair in setting.declared if not holds(rule, (pair,), benchmark)]
    path = shlex.quote(wrong[0][0]) if wrong and len(wrong[0][0]) <= LONGEST_PLACE else 'FILE'
    if rule.aspect is FileAspect.OWNER:
        return f'chown root:root {path}'
    modes = benchmark.modes[rule.key]
    return f'chmod {modes.at_most if modes.at_most is not None else modes.one_of[0]:03o} {path}'


def show(value: Value) -> str:
    """A value as the kubelet spells it."""
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if value is None or value in ('', ()):
        return 'not set'
    if isinstance(value, tuple):
        return shorten(','.join(show(item) for item in value), LONGEST_VALUE)
    if isinstance(value, Mapping):
        return shorten(','.join(f'{key}={show(item)}' for key, item in value.items()), LONGEST_VALUE)
    return shorten(str(value), LONGEST_VALUE)


def shorten(text: str, longest: int = LONGEST_PLACE) -> str:
    """Keep the beginning and the end of a long text: the end of a path says most."""
    if len(text) <= longest:
        return text
    half = (longest - 3) // 2
    return f'{text[:half]}...{text[-half:]}'


def judge_node(reports: Sequence[KubeletReport], doubts: Sequence[Unknown], none_found_because: str = '') -> NodeReport:
    """The kubelets of a node as one: of each rule the worst finding counts, and the message says so."""
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
