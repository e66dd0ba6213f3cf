# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One pass over this machine, or over a captured node, for a person at a terminal: `kubelet-compliance`."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from .__about__ import __version__
from .benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from .capture import CONFIGZ, NODE_FACTS, Capture, CaptureError, parse_capture
from .capture_write import write_node
from .collect import Collector
from .configz import MAX_CONFIGZ_BYTES, Connection
from .explanation import fixes_of, numbers_of
from .host import Host
from .judge import describe, shorten
from .model import Benchmark, Finding, KubeletReport, NodeReport, Rule, Selection, Source, Unknown, Values, Verdict
from .patient_host import PatientHost
from .processes import LINUX_ONLY, Admission, AdmissionError, parse_users
from .recorder import CannotCapture, record
from .replay import answers
from .report import admissible, printable, tell
from .rooted import CannotRead, NotThere, Root, reason
from .rules import RULES_BY_KEY
from .selection import AUTO, SelectionError, select

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


class CannotAnswer(Exception):
    """The options make no sense, or what they name cannot be read or written."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = parser().parse_args(arguments)
    try:
        text, status = answer(options)
        write(text)
        return status
    except CannotAnswer as error:
        print(f'kubelet-compliance: {printable(str(error))}', file=sys.stderr)
        return NOT_DETERMINED


def write(text: str) -> None:
    """Raises CannotAnswer: a script must not take half an answer for a whole one."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A letter that the terminal does not have is no reason to say nothing.
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        print(text, flush=True)
    except OSError as error:
        # What is left unwritten would fail once more when the program ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CannotAnswer(f'the answer could not be written: {error.strerror}') from None


def answer(options: argparse.Namespace) -> tuple[str, int]:
    """What is printed, and the exit status. Raises CannotAnswer."""
    if options.explain:
        return '\n'.join(iter_explanation(RULES_BY_KEY[options.explain])), ALL_COMPLIANT
    if not sys.platform.startswith('linux'):
        raise CannotAnswer(LINUX_ONLY)
    try:
        selection = select(options.benchmark, options.rules)
        host = host_of(options)
        connection = connection_of(options)
    except (SelectionError, AdmissionError, CaptureError, OSError) as error:
        raise CannotAnswer(str(error)) from None
    if options.capture:
        return capture(host, selection, options), ALL_COMPLIANT
    by_version = partial(select, AUTO, options.rules) if options.benchmark == AUTO else None
    collection = Collector(host, selection, by_version).collect(connection)
    node, kubelets = collection.node, collection.kubelets
    benchmark, is_captured = collection.selection.benchmark, host.capture is not None
    if options.json:
        text = json.dumps(as_json(node, kubelets, benchmark, captured=is_captured), indent=2)
    else:
        text = '\n'.join(iter_lines(node, kubelets, benchmark, captured=is_captured))
    return text, exit_status(node)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='kubelet-compliance',
        description='Judge the configuration that the kubelets of this machine really have against a CIS benchmark.',
        epilog=EXIT_STATUS,
    )
    parser.add_argument('--node', metavar='DIR', help='judge a captured node: a folder with its proc/ and its files')
    parser.add_argument(
        '--capture', metavar='DIR', help='write what is seen here into a new folder, for --node; secrets are left out'
    )
    parser.add_argument(
        '--configz', metavar='FILE', help='what the kubelet answers at /configz (kubectl get --raw ...), kept in a file'
    )
    parser.add_argument('--json', action='store_true', help='print JSON for machines')
    parser.add_argument(
        '--benchmark', default=DEFAULT_BENCHMARK, help=f'one of: {AUTO}, {", ".join(BENCHMARKS)} (default: %(default)s)'
    )
    parser.add_argument('--rule', action='append', dest='rules', help='judge only this rule; may be given again')
    parser.add_argument(
        '--procfs', metavar='DIR', help=f'the /proc to look at (default: {CONTAINER_PROCFS}, if it is there)'
    )
    parser.add_argument('--host-root', metavar='DIR', help="where the host's root file system is mounted")
    parser.add_argument('--nested', action='store_true', help='count those in pid namespaces of their own: kind, k3d')
    parser.add_argument(
        '--allowed-user', action='append', dest='allowed_users', help='root (the default) or the number of a user'
    )
    parser.add_argument(
        '--explain', metavar='RULE', choices=RULES_BY_KEY, help='tell all about a rule: why, impact, fix'
    )
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    return parser


def capture(host: Host, selection: Selection, options: argparse.Namespace) -> str:
    """Write this node, as it is seen now, into a new folder. Raises CannotAnswer."""
    try:
        image = record(host, selection, configz_of(options))
        write_node(options.capture, image.files, image.links, seal=NODE_FACTS)
    except FileExistsError:
        raise CannotAnswer(f'{options.capture} exists: name a folder that does not') from None
    except (CannotCapture, OSError, ValueError) as error:
        raise CannotAnswer(str(error)) from None
    return f'{options.capture}: {len(image.files)} files. Look through them before you hand them on.'


def host_of(options: argparse.Namespace) -> Host:
    """The node that the options mean. Raises OSError, AdmissionError, CannotAnswer; CaptureError for what is none."""
    admission = Admission(parse_users(options.allowed_users), options.nested)
    node = options.node
    if node is None:
        default = CONTAINER_PROCFS if os.path.isdir(CONTAINER_PROCFS) else '/proc'
        return PatientHost(options.procfs or default, options.host_root, admission=admission)
    if not os.path.isdir(os.path.join(node, 'proc')):
        raise NotADirectoryError(f'{node} holds no captured node: it has no folder proc')
    facts = kept_file(node, NODE_FACTS)
    capture = Capture() if facts is None else parse_capture(facts)
    return Host(os.path.join(node, 'proc'), node, admission=admission, capture=capture)


def connection_of(options: argparse.Namespace) -> Connection | None:
    """The answer of /configz in place of a kubelet that can be asked. Raises CannotAnswer."""
    body = configz_of(options)
    return None if body is None else answers({'/configz': body})


def configz_of(options: argparse.Namespace) -> bytes | None:
    """An answer of /configz that was kept: in a file, or of a captured node. Raises CannotAnswer."""
    if not options.configz:
        return None if options.node is None else kept_file(options.node, CONFIGZ)
    try:
        # Named by the person who runs the command, so that it may be a link or a pipe.
        with open(options.configz, 'rb') as file:
            body = file.read(MAX_CONFIGZ_BYTES + 1)
    except OSError as error:
        raise CannotAnswer(f'{options.configz}: {reason(error)}') from None
    if len(body) > MAX_CONFIGZ_BYTES:
        raise CannotAnswer(f'{options.configz}: it is larger than {MAX_CONFIGZ_BYTES >> 20} MiB')
    return body


def kept_file(node: str, name: str) -> bytes | None:
    """A file of a captured node that is none of the node's own; None where there is none. Raises CannotAnswer."""
    try:
        with Root(node) as root:
            return root.read(f'/{name}').data
    except NotThere:
        return None
    except CannotRead as error:
        raise CannotAnswer(f'{os.path.join(node, name)}: {error}') from None


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
        yield f'{none_found(node)}.'
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
    for each in admissible(node) if kubelets else ():
        yield from labelled('others', tell(each))
    for doubt in node.doubts:
        yield from labelled('problem', tell(doubt))
    if captured and any(kubelet.process.started_at is None for kubelet in kubelets):
        yield CAPTURED_NOTE


def none_found(node: NodeReport) -> str:
    if node.none_found_because:
        return node.none_found_because
    return 'No kubelet could be seen' if node.doubts else 'No kubelet runs here'


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
        'problems': [
            *(printable(tell(doubt)) for doubt in node.doubts),
            *([printable(node.none_found_because)] if node.none_found_because else []),
        ],
        'turned_away': [printable(tell(each)) for each in node.turned_away],
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
