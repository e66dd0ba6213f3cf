# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One pass over this machine, or over a captured node, for a person at a terminal: `kubelet-compliance`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from .__about__ import __version__
from .benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from .capture import NODE_FACTS, Capture, CaptureError, parse_capture
from .collect import Collector
from .host import Host
from .judge import RESTART, SERVICE_ARGUMENTS, describe, shorten
from .model import Benchmark, Finding, KubeletReport, NodeReport, Rule, Source, Unknown, Values, Verdict
from .report import printable, tell
from .rooted import CannotRead, NotThere, Root
from .rules import RULES_BY_KEY
from .selection import SelectionError, select

ALL_COMPLIANT, NOT_COMPLIANT, NOT_DETERMINED = range(3)
CONTAINER_PROCFS = '/host/proc'
WIDTH = 100
LABEL_WIDTH = 10
LONGEST_TEXT = 2000

EXIT_STATUS = (
    'exit status: 0 all rules compliant, 1 a rule is not compliant, 2 a rule could not be determined or there is no '
    'kubelet, or the options are wrong'
)
CAPTURED_NOTE = (
    'The captured node does not say when its kubelet started and its files changed: a change since then is not seen.'
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = parser().parse_args(arguments)
    if options.explain:
        print('\n'.join(iter_explanation(RULES_BY_KEY[options.explain])))
        return ALL_COMPLIANT
    try:
        selection = select(options.benchmark, options.rules)
        host = host_of(options.node, options.procfs, options.host_root)
    except (SelectionError, CaptureError, CannotRead, OSError) as error:
        print(f'kubelet-compliance: {error}', file=sys.stderr)
        return NOT_DETERMINED
    benchmark = selection.benchmark
    collection = Collector(host, selection).collect()
    node, kubelets = collection.node, collection.kubelets
    if options.json:
        print(json.dumps(as_json(node, kubelets, benchmark, captured=host.capture is not None), indent=2))
    else:
        print('\n'.join(iter_lines(node, kubelets, benchmark, captured=host.capture is not None)))
    return exit_status(node)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='kubelet-compliance',
        description='Judge the configuration that the kubelets of this machine really have against a CIS benchmark.',
        epilog=EXIT_STATUS,
    )
    parser.add_argument('--node', metavar='DIR', help='judge a captured node: a folder with its proc/ and its files')
    parser.add_argument('--json', action='store_true', help='print JSON for machines')
    parser.add_argument(
        '--benchmark', default=DEFAULT_BENCHMARK, help=f'one of: {", ".join(BENCHMARKS)} (default: %(default)s)'
    )
    parser.add_argument('--rule', action='append', dest='rules', help='judge only this rule; may be given again')
    parser.add_argument(
        '--procfs', metavar='DIR', help=f'the /proc to look at (default: {CONTAINER_PROCFS}, if it is there)'
    )
    parser.add_argument('--host-root', metavar='DIR', help="where the host's root file system is mounted")
    parser.add_argument(
        '--explain', metavar='RULE', choices=RULES_BY_KEY, help='tell all about a rule: why, impact, fix'
    )
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    return parser


def host_of(node: str | None, procfs: str | None, host_root: str | None) -> Host:
    """The node that the options mean. Raises OSError, CaptureError, CannotRead for what is no captured node."""
    if node is None:
        default = CONTAINER_PROCFS if os.path.isdir(CONTAINER_PROCFS) else '/proc'
        return Host(procfs or default, host_root)
    if not os.path.isdir(os.path.join(node, 'proc')):
        raise NotADirectoryError(f'{node} holds no captured node: it has no folder proc')
    try:
        with Root(node) as root:
            capture = parse_capture(root.read(f'/{NODE_FACTS}').data)
    except NotThere:
        capture = Capture()
    return Host(os.path.join(node, 'proc'), node, capture=capture)


def exit_status(node: NodeReport) -> int:
    verdicts = {finding.verdict for finding in node.findings}
    if Verdict.NON_COMPLIANT in verdicts:
        return NOT_COMPLIANT
    if not node.found or node.doubts or Verdict.UNKNOWN in verdicts:
        return NOT_DETERMINED
    return ALL_COMPLIANT


def iter_lines(
    node: NodeReport, kubelets: Sequence[KubeletReport], benchmark: Benchmark, *, captured: bool
) -> Iterator[str]:
    """The answer in words."""
    if not kubelets:
        yield 'No kubelet runs here.'
    for kubelet in kubelets:
        yield f'kubelet, process {kubelet.process.pid}, judged by {benchmark.name}'
        for finding in kubelet.findings:
            yield ''
            yield from iter_finding(finding, benchmark)
        for problem in kubelet.problems:
            yield from labelled('problem', tell(problem))
        if kubelet.restart_pending:
            yield from labelled('restart', 'what it runs with may not be what its files say: a restart is pending')
        yield ''
    for doubt in node.doubts:
        yield from labelled('problem', tell(doubt))
    if captured and any(kubelet.process.started_at is None for kubelet in kubelets):
        yield CAPTURED_NOTE


def iter_finding(finding: Finding, benchmark: Benchmark) -> Iterator[str]:
    rule, setting = finding.rule, finding.setting
    numbers = ', '.join(benchmark.controls[rule.key])
    yield f'  {finding.verdict.value.replace("_", " ").upper()}  {numbers}  {rule.title}'
    yield from labelled('value', known(setting.declared))
    if setting.origin is not None and setting.origin.place:
        is_default = finding.set_by is Source.DEFAULT
        yield from labelled(
            'set by', shorten(setting.origin.place) + ('' if is_default else f' ({finding.set_by.value})')
        )
    yield from labelled('expected', rule.expected.text(benchmark))
    if finding.verdict is not Verdict.COMPLIANT:
        yield from labelled('verdict', finding.message)
        yield from labelled('why', rule.why)
        yield from labelled('impact', rule.impact)


def iter_explanation(rule: Rule) -> Iterator[str]:
    """All that a rule's row carries."""
    yield f'{rule.title} ({rule.key})'
    numbers = [
        f'{number} in {name}' for name, known in BENCHMARKS.items() for number in known.controls.get(rule.key, ())
    ]
    for label, text in (
        ('what', rule.what),
        ('why', rule.why),
        ('impact', rule.impact),
        ('default', rule.default),
        ('in a file', ' and '.join(f'{field}: {value}' for field, value in rule.fix)),
        ('by a flag', f'take {" and ".join(rule.flags)} out of {SERVICE_ARGUMENTS}' if rule.flags else ''),
        ('then', f'run: {RESTART}' if rule.fix or rule.flags else ''),
        ('note', rule.note),
        ('number', ', '.join(numbers)),
        ('see', ' '.join(rule.references)),
        ('tags', ' '.join(rule.tags)),
    ):
        if text:
            yield from labelled(label, text)


def labelled(label: str, text: str) -> list[str]:
    first = f'    {label:<{LABEL_WIDTH}}'
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


def as_json(
    node: NodeReport, kubelets: Sequence[KubeletReport], benchmark: Benchmark, *, captured: bool
) -> dict[str, Any]:
    """The answer for machines: the same facts, one object for each kubelet."""
    return {
        'version': __version__,
        'benchmark': benchmark.name,
        'compliance_framework': benchmark.framework,
        'captured': captured,
        'kubelets': [
            {
                'pid': kubelet.process.pid,
                'restart_pending': kubelet.restart_pending,
                'problems': [printable(tell(problem)) for problem in kubelet.problems],
                'rules': [finding_as_json(finding, benchmark) for finding in kubelet.findings],
            }
            for kubelet in kubelets
        ],
        'problems': [printable(tell(doubt)) for doubt in node.doubts],
        'exit_status': exit_status(node),
    }


def finding_as_json(finding: Finding, benchmark: Benchmark) -> dict[str, Any]:
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
