# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The results of the command as text for a person: a summary, what is wrong, and a line for each compliant rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import TypeAlias

from datadog_checks.kubelet_compliance.model import Finding, KubeletReport, Source, Unknown, Verdict
from datadog_checks.kubelet_compliance.rules.judge import decided, value_text
from datadog_checks.kubelet_compliance.rules.wording import shorten

from .layout import BOLD, Style, word_of
from .many_nodes import iter_many
from .output import NotEvaluated, Output, Results, Started, count_verdicts, nothing_found, shown, worst_first
from .report import admissible, printable, problem_text
from .upgrade_text import iter_upgrade, upgrade_line

CAPTURED_NOTE = (
    'The captured node does not record when its kubelet started or its files changed: later changes are not visible.'
)


def text_report(results: Results, style: Style) -> str:
    """The results for one node. For several nodes, a table of all, with --verbose followed by those for each node."""
    return '\n'.join(iter_lines(results, style)).rstrip()


def iter_lines(results: Results, style: Style) -> Iterator[str]:
    if results.are_many:
        yield from iter_many(results, style)
    if results.are_many and not style.is_verbose:
        return
    for node in results.nodes:
        lines = '\n'.join(iter_node(node, style, results.at)).rstrip()
        yield from ('', style.paint(f'{printable(node.name)}:', BOLD), lines) if results.are_many else (lines,)


def iter_node(node: Output | NotEvaluated, style: Style, now: datetime) -> Iterator[str]:
    if isinstance(node, NotEvaluated):
        yield from style.wrapped(node.why)
    else:
        yield from iter_output(node, style, now)


def iter_output(output: Output, style: Style, now: datetime) -> Iterator[str]:
    node, kubelets = output.node, output.kubelets
    if not kubelets:
        yield from style.wrapped(f'{nothing_found(node)}.')
    for kubelet in kubelets:
        yield from iter_head(kubelet, output, style, now)
        yield ''
        if output.for_version:
            yield from iter_upgrade(kubelet.upgrade, style)
        else:
            yield from iter_findings(kubelet.findings, style)
    for each in admissible(node) if kubelets else ():
        yield from style.labelled('ignored', problem_text(each))
    for problem in (*node.doubts, *node.lapsed):
        yield from style.labelled('problem', problem_text(problem))
    if not kubelets:
        yield from iter_sources(output, style)
    if output.captured and any(kubelet.process.started_at is None for kubelet in kubelets):
        yield from style.wrapped(CAPTURED_NOTE)


def iter_head(kubelet: KubeletReport, output: Output, style: Style, now: datetime) -> Iterator[str]:
    """Which kubelet this is, how many rules it meets, and what explains the results."""
    if output.for_version:
        yield style.paint(heading(kubelet, output.image), BOLD)
        yield upgrade_line(kubelet.upgrade, style)
    else:
        names = dict.fromkeys(finding.benchmark.name for finding in kubelet.findings) or [output.benchmark.name]
        yield style.paint(f'{heading(kubelet, output.image)}, evaluated against {" and ".join(names)}', BOLD)
        yield summary_of(kubelet.findings, style)
    started = output.starts.get(kubelet.process.pid)
    if started is not None:
        yield from style.labelled('running', running_text(started, now))
    if kubelet.next_start is not None:
        yield from style.labelled('next start', kubelet.next_start.summary)
    if kubelet.restart_pending:
        pending = 'the running configuration may differ from the files: a restart is pending'
        yield from style.labelled('restart', pending)
    yield from iter_sources(output, style)
    # Most problems are about rules. Those that an upgrade depends on are part of its result.
    for problem in kubelet.problems if not output.for_version else ():
        yield from style.labelled('problem', problem_text(problem))


def heading(kubelet: KubeletReport, image: str | None) -> str:
    if image is None:
        return f'kubelet, process {kubelet.process.pid}'
    return f'{printable(image)}, unit {printable(kubelet.process.unit)}'


def summary_of(findings: Sequence[Finding], style: Style) -> str:
    """How many rules have each result, such as `21 rules: 13 compliant, 8 non-compliant`."""
    counts = [
        style.verdict(verdict, f'{count} {word_of(verdict).lower()}')
        for verdict, count in count_verdicts(findings).items()
        if count
    ]
    return f'{len(findings)} rule{"" if len(findings) == 1 else "s"}: {", ".join(counts)}'


def running_text(started: Started, now: datetime) -> str:
    """Since when a kubelet runs, as whom, and what started it."""
    since = datetime.fromtimestamp(int(started.since), timezone.utc)
    by = f', started by {started.by}' if started.by else ''
    return f'since {since:%Y-%m-%d %H:%M:%S} UTC ({duration_text(now - since)}), as {started.user}{by}'


def duration_text(duration: timedelta) -> str:
    """A duration in its two largest units, such as `3 d 4 h`."""
    seconds = max(0, int(duration.total_seconds()))
    parts = [(seconds // 86400, 'd'), (seconds // 3600 % 24, 'h'), (seconds // 60 % 60, 'min'), (seconds % 60, 's')]
    first = next((number for number, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return ' '.join(f'{count} {unit}' for count, unit in parts[first : first + 2])


def iter_sources(output: Output, style: Style) -> Iterator[str]:
    """The config file of the check and the response of the kubelet, if the command used them."""
    if output.options_from is not None:
        yield from style.labelled('options', output.options_from)
    if output.options_from is not None or output.configz_from is not None:
        yield from style.labelled('/configz', output.configz_from or 'not requested')


def iter_findings(findings: Sequence[Finding], style: Style) -> Iterator[str]:
    """What is wrong, with an empty line after each result. Then one line for each rule that is compliant."""
    printed = worst_first(shown(findings, style))
    brief = [each for each in printed if each.verdict is Verdict.COMPLIANT and not style.is_verbose]
    endings = shared_endings(printed)
    for finding in printed[: len(printed) - len(brief)]:
        yield from iter_title(finding, style, is_brief=False)
        yield from iter_details(finding, style, endings)
        yield ''
    for apply, lasting in endings:
        yield style.paint('AFTER THE CHANGES', BOLD)
        yield from style.labelled('apply', apply)
        yield from style.labelled('keep', f'to make them last, also change {lasting}' if lasting else '')
        yield ''
    for finding in brief:
        yield from iter_title(finding, style, is_brief=True)
    if brief:
        yield ''


Ending: TypeAlias = tuple[str, str]
"""How the steps of a fix take effect, and what makes them last."""


def shared_endings(findings: Sequence[Finding]) -> list[Ending]:
    """What follows the steps of several fixes, which is printed once for all of them."""
    endings = Counter(ending_of(finding) for finding in findings if finding.verdict is Verdict.NON_COMPLIANT)
    return [ending for ending, count in endings.items() if count > 1 and any(ending)]


def ending_of(finding: Finding) -> Ending:
    return finding.remedy.apply, finding.remedy.lasting


def iter_title(finding: Finding, style: Style, *, is_brief: bool) -> Iterator[str]:
    verdict, rule = word_of(finding.verdict), finding.rule
    first = f'{verdict}  {", ".join(finding.benchmark.controls[rule.key]) or rule.key:<6}  '
    if is_brief and len(first) + len(rule.title) > style.width:
        lines = [f'{first}{rule.title}'[: style.width - 3] + '...']
    else:
        lines = style.wrapped(rule.title, first)
    yield lines[0].replace(verdict, style.verdict(finding.verdict), 1)
    yield from lines[1:]


def iter_details(finding: Finding, style: Style, endings: Sequence[Ending]) -> Iterator[str]:
    """`endings`: those that are printed once for several fixes."""
    rule, setting, remedy = finding.rule, finding.setting, finding.remedy
    if style.is_verbose:
        yield from style.labelled('rule', rule.key)
    values, origin = decided(finding)
    yield from style.labelled('value', 'unknown' if isinstance(values, Unknown) else value_text(rule, values))
    if origin is not None and origin.place:
        kind = '' if origin.source is Source.DEFAULT else f' ({origin.source.value})'
        yield from style.labelled('set by', shorten(origin.place) + kind)
    if not isinstance(setting.running, Unknown) and setting.running != setting.declared:
        yield from style.labelled('running', value_text(rule, setting.running))
    yield from style.labelled('expected', rule.expected.text(finding.benchmark))
    if finding.verdict is Verdict.NON_COMPLIANT and remedy.fix:
        yield from style.labelled('caution', remedy.caution)
        yield from style.labelled('fix', remedy.steps if ending_of(finding) in endings else remedy.fix)
        yield from style.labelled('note', remedy.note)
    elif finding.exemption is not None:
        until = f' (until {finding.exemption.until})' if finding.exemption.until is not None else ''
        yield from style.labelled('exempted', f'{finding.exemption.reason}{until}')
    elif finding.verdict is not Verdict.COMPLIANT:
        yield from style.labelled('result', finding.message)
    if style.is_verbose:
        yield from style.labelled('why', rule.why)
        yield from style.labelled('impact', rule.impact)
