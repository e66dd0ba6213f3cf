# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The results of one collection, as text for a person and as JSON for machines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from datadog_checks.kubelet_compliance.__about__ import __version__
from datadog_checks.kubelet_compliance.model import (
    Argument,
    Benchmark,
    Finding,
    KubeletReport,
    NextStart,
    NodeReport,
    Rule,
    Source,
    Unknown,
    Values,
    Verdict,
)
from datadog_checks.kubelet_compliance.rules.rule_descriptions import fixes_of, numbers_of
from datadog_checks.kubelet_compliance.rules.wording import describe, shorten

from .redact_programs import without_secrets
from .report import admissible, printable, problem_text

ALL_COMPLIANT, NOT_COMPLIANT, NOT_DETERMINED = range(3)
NOT_SEEN = 'the kubelet is gone'
WIDTH = 100
LABEL_WIDTH = 11
LONGEST_TEXT = 2000
CAPTURED_NOTE = (
    'The captured node does not record when its kubelet started or its files changed: later changes are not visible.'
)


@dataclass(frozen=True, slots=True)
class Output:
    """Everything to print about one collection. `options_from`, `configz_from`: their sources, if any."""

    node: NodeReport
    kubelets: Sequence[KubeletReport]
    benchmark: Benchmark
    captured: bool
    options_from: str | None = None
    configz_from: str | None = None
    image: str | None = None
    """The root file system of a machine image. None: a node was evaluated."""


def exit_status(node: NodeReport) -> int:
    verdicts = {finding.verdict for finding in node.findings}
    if Verdict.NON_COMPLIANT in verdicts:
        return NOT_COMPLIANT
    if not node.found or node.doubts or Verdict.UNKNOWN in verdicts:
        return NOT_DETERMINED
    return ALL_COMPLIANT


def iter_lines(output: Output) -> Iterator[str]:
    """The results as text."""
    node, kubelets, benchmark = output.node, output.kubelets, output.benchmark
    if output.options_from is not None:
        yield f'options: {printable(output.options_from)}'
        yield f'/configz: {printable(output.configz_from or "not asked")}'
        yield ''
    if not kubelets:
        yield f'{nothing_found(node)}.'
    for kubelet in kubelets:
        yield f'{heading(kubelet, output.image)}, evaluated against {benchmark.name}'
        for finding in kubelet.findings:
            yield ''
            yield from iter_finding(finding, benchmark)
        if kubelet.findings:
            yield ''
        if kubelet.next_start is not None:
            yield from labelled('next start', kubelet.next_start.summary)
        for problem in kubelet.problems:
            yield from labelled('problem', problem_text(problem))
        if kubelet.restart_pending:
            yield from labelled('restart', 'the running configuration may differ from the files: a restart is pending')
        yield ''
    for each in admissible(node) if kubelets else ():
        yield from labelled('ignored', problem_text(each))
    for problem in (*node.doubts, *node.lapsed):
        yield from labelled('problem', problem_text(problem))
    if output.captured and any(kubelet.process.started_at is None for kubelet in kubelets):
        yield CAPTURED_NOTE


def heading(kubelet: KubeletReport, image: str | None) -> str:
    if image is None:
        return f'kubelet, process {kubelet.process.pid}'
    return f'{printable(image)}, unit {printable(kubelet.process.unit)}'


def nothing_found(node: NodeReport) -> str:
    if node.none_found_because:
        return node.none_found_because
    return 'Could not find a kubelet' if node.doubts else 'No kubelet runs here'


def iter_finding(finding: Finding, benchmark: Benchmark) -> Iterator[str]:
    rule, setting = finding.rule, finding.setting
    numbers = ', '.join(benchmark.controls[rule.key])
    yield f'  {finding.verdict.value.replace("_", "-").upper()}  {numbers}  {rule.title}'
    yield from labelled('value', known(setting.declared))
    if setting.origin is not None and setting.origin.place:
        source = setting.origin.source
        kind = '' if source is Source.DEFAULT else f' ({source.value})'
        yield from labelled('set by', shorten(setting.origin.place) + kind)
    yield from labelled('expected', rule.expected.text(benchmark))
    if finding.verdict is not Verdict.COMPLIANT:
        yield from labelled('result', finding.message)
        yield from labelled('why', rule.why)
        yield from labelled('impact', rule.impact)


def iter_explanation(rule: Rule) -> Iterator[str]:
    """Everything that a rule's row holds."""
    yield f'{rule.title} ({rule.key})'
    for label, text in (
        ('what', rule.what),
        ('why', rule.why),
        ('impact', rule.impact),
        ('default', rule.default),
        *fixes_of(rule),
        ('note', rule.note),
        ('numbers', '; '.join(numbers_of(rule))),
        ('see', ' '.join(rule.references)),
        ('tags', ' '.join(rule.tags)),
    ):
        if text:
            yield from labelled(label, text)


def labelled(label: str, text: str) -> list[str]:
    first = f'    {label:<{LABEL_WIDTH - 1}} '
    return textwrap.wrap(
        printable(text, LONGEST_TEXT),
        WIDTH,
        initial_indent=first,
        subsequent_indent=' ' * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def known(values: Values | Unknown) -> str:
    return 'unknown' if isinstance(values, Unknown) else describe(values)


def as_object(output: Output) -> dict[str, Any]:
    """The results for machines: the same facts, one object for each kubelet."""
    node, kubelets, benchmark = output.node, output.kubelets, output.benchmark
    return {
        'version': __version__,
        'benchmark': benchmark.name,
        'compliance_framework': benchmark.framework,
        'captured': output.captured,
        'root': output.image,
        'options_from': output.options_from,
        'configz_from': output.configz_from,
        'kubelets': [
            {
                'pid': kubelet.process.pid if output.image is None else None,
                **next_start_as_object(kubelet.next_start),
                'restart_pending': kubelet.restart_pending,
                'problems': [printable(problem_text(problem)) for problem in kubelet.problems],
                'rules': [finding_as_object(finding, benchmark) for finding in kubelet.findings],
            }
            for kubelet in kubelets
        ],
        'problems': [
            *(printable(problem_text(problem)) for problem in (*node.doubts, *node.lapsed)),
            *([printable(node.none_found_because)] if node.none_found_because else []),
        ],
        'turned_away': [printable(problem_text(each)) for each in node.turned_away],
        'exit_status': exit_status(node),
    }


def next_start_as_object(next_start: NextStart | None) -> dict[str, Any]:
    if next_start is None:
        return {'unit': None, 'arguments': None, 'arguments_unknown': NOT_SEEN, 'flags': []}
    command = next_start.command
    return {
        'unit': next_start.unit or None,
        'arguments': None if isinstance(command, Unknown) else list(without_secrets(command)),
        'arguments_unknown': printable(problem_text(replace(command, refused=False)))
        if isinstance(command, Unknown)
        else None,
        'flags': [{'flag': shown(flag), 'place': flag.place or None} for flag in next_start.flags],
    }


def shown(flag: Argument) -> str:
    name, _, rest = flag.text.partition(' ')
    # The text after `=` is one word, even with spaces.
    return ' '.join(without_secrets([flag.text] if '=' in name or not rest else [name, rest]))


def finding_as_object(finding: Finding, benchmark: Benchmark) -> dict[str, Any]:
    setting = finding.setting
    declared = setting.declared
    return {
        'rule': finding.rule.key,
        'title': finding.rule.title,
        'compliance_control': list(benchmark.controls[finding.rule.key]),
        'verdict': finding.verdict.value,
        'declared': None if isinstance(declared, Unknown) else dict(declared),
        'set_by': finding.set_by.value,
        'place': printable(shorten(setting.origin.place)) if setting.origin is not None else None,
        'expected': finding.rule.expected.text(benchmark),
        'message': printable(finding.message),
    }
