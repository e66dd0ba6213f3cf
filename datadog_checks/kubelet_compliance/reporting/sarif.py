# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The results of the command as SARIF 2.1.0 for code scanning, each with the file and line that decide it.

All nodes are one run, because code scanning accepts 20 runs in a file and 25,000 results in a run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from datadog_checks.kubelet_compliance.__about__ import __version__
from datadog_checks.kubelet_compliance.model import Exemption, Finding, KubeletReport, Place, Verdict

from .file_places import IN_FOLDER, ON_MACHINE, FileUri, decided_at, file_uri
from .layout import Style
from .output import NotEvaluated, Output, Results, name_of_node, shown, why_not_evaluated
from .report import printable, problem_text
from .sarif_rules import KUBELET_RULE, descriptor_of, kubelet_descriptor
from .upgrade_sarif import UPGRADE_RULES, iter_upgrade_results, upgrade_descriptors

SCHEMA: Final = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'
UPGRADE_PAGE: Final = 'https://github.com/DataDog/integrations-extras/blob/master/kubelet_compliance/docs/upgrade.md'
HOMEPAGE: Final = 'https://github.com/DataDog/integrations-extras/tree/master/kubelet_compliance'

KIND_OF: Final[Mapping[Verdict, tuple[str, str]]] = {
    Verdict.COMPLIANT: ('pass', 'none'),
    Verdict.EXEMPTED: ('fail', 'error'),
    Verdict.UNKNOWN: ('open', 'none'),
    Verdict.NON_COMPLIANT: ('fail', 'error'),
}
"""The kind and level of a result. Only a `fail` has a level (SARIF 2.1.0, section 3.27.10)."""

URI_BASES: Final[Mapping[str, Mapping[str, Any]]] = {
    # Without a URI: the folder is another one where the file is read.
    IN_FOLDER: {'description': {'text': 'The folder in which the command ran'}},
    ON_MACHINE: {'uri': 'file:///', 'description': {'text': 'The root of the file system'}},
}

HASHED_CHARACTERS: Final = 16


def sarif_report(results: Results, style: Style) -> str:
    """The results as SARIF text, with only ASCII characters."""
    found = [each for node in results.nodes for each in iter_sarif_results(node, style, results.folder)]
    log = {'$schema': SCHEMA, 'version': '2.1.0', 'runs': [run_of(results, style, found)]}
    return json.dumps(log, indent=2)


def run_of(results: Results, style: Style, found: list[dict[str, Any]]) -> dict[str, Any]:
    rules = rules_of(results, style)
    numbers = {rule['id']: number for number, rule in enumerate(rules)}
    return {
        'tool': {
            'driver': {
                'name': 'kubelet-compliance',
                'version': __version__,
                'semanticVersion': __version__,
                'informationUri': HOMEPAGE,
                'rules': rules,
            }
        },
        'invocations': [
            {
                'executionSuccessful': not any(map(why_not_evaluated, results.nodes)),
                'exitCode': results.exit_status,
                'endTimeUtc': f'{results.at:%Y-%m-%dT%H:%M:%SZ}',
                'toolExecutionNotifications': [
                    each for node in results.nodes for each in iter_notifications(node, results.folder)
                ],
            }
        ],
        'originalUriBaseIds': URI_BASES,
        'results': [{**each, 'ruleIndex': numbers[each['ruleId']]} for each in found],
    }


def rules_of(results: Results, style: Style) -> list[dict[str, Any]]:
    """The rules of all results, each once."""
    rules: dict[str, dict[str, Any]] = {}
    if results.is_upgrade:
        rules = {each['id']: each for each in upgrade_descriptors(UPGRADE_PAGE)}
    for node in results.nodes:
        if why_not_evaluated(node):
            rules.setdefault(KUBELET_RULE, kubelet_descriptor())
        for kubelet in node.kubelets if isinstance(node, Output) and not results.is_upgrade else ():
            for finding in shown(kubelet.findings, style):
                if finding.rule.key not in rules:
                    rules[finding.rule.key] = descriptor_of(finding.rule, finding.benchmark)
    return list(rules.values())


def iter_sarif_results(node: Output | NotEvaluated, style: Style, current: str) -> Iterator[dict[str, Any]]:
    """A result for each rule and kubelet, and one for what could not be evaluated, so that it does not look clean."""
    if isinstance(node, Output) and node.for_version:
        for kubelet in node.kubelets:
            for rule, text, place in iter_upgrade_results(kubelet.upgrade, kubelet):
                yield upgrade_result(rule, text, place, kubelet, node, current)
    elif isinstance(node, Output):
        for kubelet in node.kubelets:
            for finding in shown(kubelet.findings, style):
                yield result_of(finding, kubelet, node, current)
    why = why_not_evaluated(node)
    if why:
        name = node.name if isinstance(node, NotEvaluated) else name_of_node(node)
        yield missing_kubelet(name, why, uri_of_node(node, current))


def uri_of_node(node: Output | NotEvaluated, current: str) -> FileUri:
    """The folder of an image or a captured node; on this machine, the folder in which kubelets are searched for."""
    return file_uri('' if node.folder else '/proc', node.folder, current)


def missing_kubelet(node: str, why: str, uri: FileUri) -> dict[str, Any]:
    kind, level = KIND_OF[Verdict.UNKNOWN]
    return {
        'ruleId': KUBELET_RULE,
        'kind': kind,
        'level': level,
        'message': message_of(why),
        'locations': [location_of(uri, 0)],
        'partialFingerprints': fingerprints_of(KUBELET_RULE, Place(node, 0)),
        'properties': names_as_properties(node),
    }


def result_of(finding: Finding, kubelet: KubeletReport, node: Output, current: str) -> dict[str, Any]:
    kind, level = KIND_OF[finding.verdict]
    place, benchmark = decided_at(finding, kubelet), finding.benchmark
    result = {
        'ruleId': finding.rule.key,
        'kind': kind,
        'level': level,
        'message': message_of(finding.message),
        'locations': [location_of(file_uri(place.path, node.folder, current), place.line)],
        'partialFingerprints': fingerprints_of(finding.rule.key, place),
        'properties': {
            'verdict': finding.verdict.value,
            'benchmark': benchmark.name,
            'compliance_control': list(benchmark.controls[finding.rule.key]),
            'set_by': finding.set_by.value,
            **names_as_properties(name_of_node(node), kubelet.name),
        },
    }
    if finding.exemption is not None:
        result['suppressions'] = [suppression_of(finding.exemption)]
    return result


def upgrade_result(
    rule: str, text: str, place: Place, kubelet: KubeletReport, node: Output, current: str
) -> dict[str, Any]:
    level, _ = UPGRADE_RULES[rule]
    return {
        'ruleId': rule,
        'kind': 'open' if level == 'none' else 'fail',
        'level': level,
        'message': message_of(text),
        'locations': [location_of(file_uri(place.path, node.folder, current), place.line)],
        'partialFingerprints': fingerprints_of(f'{rule}\0{text.partition(" ")[0]}', place),
        'properties': names_as_properties(name_of_node(node), kubelet.name),
    }


def names_as_properties(node: str, kubelet: str = '') -> dict[str, str]:
    return {label: printable(name) for label, name in (('node', node), ('kubelet', kubelet)) if name}


def suppression_of(exemption: Exemption) -> dict[str, str]:
    until = f', until {exemption.until}' if exemption.until is not None else ''
    return {
        'kind': 'external',
        'status': 'accepted',
        'justification': printable(f'{exemption.reason}{until}'),
    }


def message_of(text: str) -> dict[str, str]:
    """A message without links: SARIF makes a link of `[text](address)`, and a file name may look like one."""
    return {'text': printable(text).replace('](', '] (')}


def location_of(uri: FileUri, line: int) -> dict[str, Any]:
    place: dict[str, Any] = {'artifactLocation': {'uri': uri.uri, 'uriBaseId': uri.base}}
    if line:
        place['region'] = {'startLine': line}
    return {'physicalLocation': place}


def fingerprints_of(rule: str, place: Place) -> dict[str, str]:
    """What identifies a result from run to run and from node to node: its rule and its file, without the line.

    Code scanning reads only `primaryLocationLineHash`. Its upload computes that from the text of a line.
    """
    text = f'{rule}\0{place.path}'.encode('utf-8', 'backslashreplace')
    digest = hashlib.sha256(text).hexdigest()[:HASHED_CHARACTERS]
    return {'kubeletRule/v1': digest, **({} if place.line else {'primaryLocationLineHash': f'{digest}:1'})}


def iter_notifications(node: Output | NotEvaluated, current: str) -> Iterator[dict[str, Any]]:
    """What could not be evaluated or read, and exemptions that ended."""
    uri = uri_of_node(node, current)
    why = why_not_evaluated(node)
    if why:
        yield notification_of('error', why, uri)
    if isinstance(node, Output):
        for problem in (*(each for kubelet in node.kubelets for each in kubelet.problems), *node.node.lapsed):
            yield notification_of('warning', problem_text(problem), uri)


def notification_of(level: str, text: str, uri: FileUri) -> dict[str, Any]:
    return {'level': level, 'message': message_of(text), 'locations': [location_of(uri, 0)]}
