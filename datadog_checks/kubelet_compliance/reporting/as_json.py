# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The results of the command as JSON for machines. docs/output.schema.json describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from datadog_checks.kubelet_compliance.__about__ import __version__
from datadog_checks.kubelet_compliance.model import Argument, Finding, NextStart, Unknown
from datadog_checks.kubelet_compliance.rules.judge import decided
from datadog_checks.kubelet_compliance.rules.wording import shorten

from .layout import LONGEST_TEXT, Style
from .output import NotEvaluated, Output, Results, Started, count_verdicts, name_of_node, shown
from .redact_programs import without_secrets
from .report import printable, problem_text
from .upgrade_json import upgrade_as_object

SCHEMA_VERSION = 1
"""Changes only if a reader of the JSON must change: a key is gone, or means something else."""

NOT_SEEN = 'the kubelet is gone'


def json_report(results: Results, style: Style) -> str:
    """The results as JSON text: the object of the node, or for several nodes an object with all of them."""
    first = results.nodes[0] if len(results.nodes) == 1 and not results.are_many else None
    found = as_object(first, style) if isinstance(first, Output) else all_as_object(results, style)
    return json.dumps(with_valid_text(found), indent=2)


def with_valid_text(value: Any) -> Any:
    """The value with `?` for each byte of a text that is not valid UTF-8: many parsers refuse what JSON has for it."""
    if isinstance(value, str):
        return value.encode('utf-8', 'replace').decode()
    if isinstance(value, Mapping):
        return {with_valid_text(key): with_valid_text(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [with_valid_text(inner) for inner in value]
    return value


def all_as_object(results: Results, style: Style) -> dict[str, Any]:
    """The results of several nodes, each with the name of its node."""
    return {
        'schema_version': SCHEMA_VERSION,
        'version': __version__,
        'nodes': [named_object(node, style) for node in results.nodes],
        'exit_status': results.exit_status,
    }


def named_object(node: Output | NotEvaluated, style: Style) -> dict[str, Any]:
    if isinstance(node, NotEvaluated):
        return {
            'node': printable(node.name, LONGEST_TEXT),
            'error': printable(node.why),
            'exit_status': node.exit_status,
        }
    return {'node': printable(name_of_node(node), LONGEST_TEXT), **as_object(node, style)}


def as_object(output: Output, style: Style) -> dict[str, Any]:
    """The results for machines: the same facts, one object for each kubelet."""
    node, kubelets, benchmark = output.node, output.kubelets, output.benchmark
    return {
        'schema_version': SCHEMA_VERSION,
        'version': __version__,
        'benchmark': benchmark.name,
        'compliance_framework': benchmark.framework,
        'captured': output.captured,
        'root': text_or_none(output.image),
        'options_from': text_or_none(output.options_from),
        'configz_from': text_or_none(output.configz_from),
        'kubelets': [
            {
                'pid': kubelet.process.pid if output.image is None else None,
                **started_as_object(output.starts.get(kubelet.process.pid)),
                **next_start_as_object(kubelet.next_start),
                'restart_pending': kubelet.restart_pending,
                'problems': [printable(problem_text(problem)) for problem in kubelet.problems],
                'summary': {verdict.value: count for verdict, count in count_verdicts(kubelet.findings).items()},
                'rules': [finding_as_object(finding) for finding in shown(kubelet.findings, style)],
                'upgrade': upgrade_as_object(kubelet.upgrade) if kubelet.upgrade is not None else None,
            }
            for kubelet in kubelets
        ],
        'problems': [
            *(printable(problem_text(problem)) for problem in (*node.doubts, *node.lapsed)),
            *([printable(node.none_found_because)] if node.none_found_because else []),
        ],
        'turned_away': [printable(problem_text(each)) for each in node.turned_away],
        'exit_status': output.exit_status,
    }


def text_or_none(text: str | None) -> str | None:
    return printable(text, LONGEST_TEXT) if text else None


def started_as_object(started: Started | None) -> dict[str, Any]:
    if started is None:
        return {'running_since': None, 'user': None, 'started_by': None}
    since = datetime.fromtimestamp(int(started.since), timezone.utc)
    return {
        'running_since': f'{since:%Y-%m-%dT%H:%M:%SZ}',
        'user': printable(started.user),
        'started_by': text_or_none(started.by),
    }


def next_start_as_object(next_start: NextStart | None) -> dict[str, Any]:
    if next_start is None:
        return {'unit': None, 'arguments': None, 'arguments_unknown': NOT_SEEN, 'flags': []}
    command = next_start.command
    return {
        'unit': text_or_none(next_start.unit),
        'arguments': None if isinstance(command, Unknown) else list(without_secrets(command)),
        'arguments_unknown': printable(problem_text(replace(command, refused=False)))
        if isinstance(command, Unknown)
        else None,
        'flags': [{'flag': flag_text(flag), 'place': text_or_none(str(flag.place or ''))} for flag in next_start.flags],
    }


def flag_text(flag: Argument) -> str:
    name, _, rest = flag.text.partition(' ')
    # The text after `=` is one word, even with spaces.
    return ' '.join(without_secrets([flag.text] if '=' in name or not rest else [name, rest]))


def finding_as_object(finding: Finding) -> dict[str, Any]:
    setting = finding.setting
    declared, running = setting.declared, setting.running
    _, origin = decided(finding)
    return {
        'rule': finding.rule.key,
        'title': printable(finding.rule.title),
        'benchmark': finding.benchmark.name,
        'compliance_control': list(finding.benchmark.controls[finding.rule.key]),
        'verdict': finding.verdict.value,
        'declared': None if isinstance(declared, Unknown) else dict(declared),
        'running': None if isinstance(running, Unknown) else dict(running),
        'set_by': finding.set_by.value,
        'place': printable(shorten(origin.place)) if origin is not None else None,
        'expected': printable(finding.rule.expected.text(finding.benchmark), LONGEST_TEXT),
        'message': printable(finding.message),
        'caution': text_or_none(finding.remedy.caution),
        'fix': text_or_none(finding.remedy.fix),
        'note': text_or_none(finding.remedy.note),
    }
