# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The results of the command as SARIF 2.1.0 for code scanning, each with the file and line that decide it.

All nodes are one run, because code scanning accepts 20 runs in a file and 25,000 results in a run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from datadog_checks.kubelet_compliance.__about__ import __version__
from datadog_checks.kubelet_compliance.model import Exemption, Finding, KubeletReport, Place, Verdict

from .file_places import IN_FOLDER, ON_MACHINE, FileUri, decided_at, file_uri
from .fingerprints import fingerprints_of, subject_of, subjects_of_kubelets
from .layout import Style
from .output import NotEvaluated, Output, Results, name_of_node, shown, why_not_evaluated
from .report import printable, problem_text
from .sarif_rules import KUBELET_RULE, descriptor_of, kubelet_descriptor
from .sarif_text import message_of
from .upgrade_sarif import UPGRADE_RULES, UpgradeResult, iter_upgrade_results, upgrade_descriptors

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


def sarif_report(results: Results, style: Style) -> str:
    """The results as SARIF text, with only ASCII characters."""
    found = [each for node in results.nodes for each in iter_sarif_results(node, results, style)]
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


def iter_sarif_results(node: Output | NotEvaluated, results: Results, style: Style) -> Iterator[dict[str, Any]]:
    """A result for each rule and kubelet, and one for what could not be evaluated, so that it does not look clean."""
    if isinstance(node, Output):
        subjects = subjects_of_kubelets(node, are_many=results.are_many)
        for kubelet, subject in zip(node.kubelets, subjects, strict=True):
            yield from iter_kubelet_results(kubelet, subject, node, style, results.folder)
    why = why_not_evaluated(node)
    if why:
        yield missing_kubelet(node, subject_of(node, are_many=results.are_many), why, results.folder)


def iter_kubelet_results(
    kubelet: KubeletReport, subject: str, node: Output, style: Style, current: str
) -> Iterator[dict[str, Any]]:
    """The results of a kubelet. `subject`: see `fingerprints_of`."""
    names = names_as_properties(name_of_node(node), kubelet.name)
    if node.for_version:
        for each in iter_upgrade_results(kubelet.upgrade, kubelet):
            prints = fingerprints_of(f'{each.rule}\0{each.name}', each.place, subject)
            yield upgrade_result(each, names, location_of_place(each.place, node, current), prints)
    else:
        for finding in shown(kubelet.findings, style):
            place = decided_at(finding, kubelet)
            prints = fingerprints_of(finding.rule.key, place, subject)
            yield result_of(finding, names, location_of_place(place, node, current), prints)


def uri_of_node(node: Output | NotEvaluated, current: str) -> FileUri:
    """The folder of an image or a captured node; on this machine, the folder in which kubelets are searched for."""
    return file_uri('' if node.folder else '/proc', node.folder, current)


def missing_kubelet(node: Output | NotEvaluated, subject: str, why: str, current: str) -> dict[str, Any]:
    kind, level = KIND_OF[Verdict.UNKNOWN]
    return {
        'ruleId': KUBELET_RULE,
        'kind': kind,
        'level': level,
        'message': message_of(why),
        'locations': [location_of(uri_of_node(node, current), 0)],
        'partialFingerprints': fingerprints_of(KUBELET_RULE, Place('', 0), subject),
        'properties': names_as_properties(node.name if isinstance(node, NotEvaluated) else name_of_node(node)),
    }


def result_of(
    finding: Finding, names: Mapping[str, str], location: Mapping[str, Any], prints: Mapping[str, str]
) -> dict[str, Any]:
    kind, level = KIND_OF[finding.verdict]
    benchmark = finding.benchmark
    result = {
        'ruleId': finding.rule.key,
        'kind': kind,
        'level': level,
        'message': message_of(finding.message),
        'locations': [location],
        'partialFingerprints': prints,
        'properties': {
            'verdict': finding.verdict.value,
            'benchmark': benchmark.name,
            'compliance_control': list(benchmark.controls[finding.rule.key]),
            'set_by': finding.set_by.value,
            **names,
        },
    }
    if finding.exemption is not None:
        result['suppressions'] = [suppression_of(finding.exemption)]
    return result


def upgrade_result(
    result: UpgradeResult, names: Mapping[str, str], location: Mapping[str, Any], prints: Mapping[str, str]
) -> dict[str, Any]:
    level, _ = UPGRADE_RULES[result.rule]
    return {
        'ruleId': result.rule,
        'kind': 'open' if level == 'none' else 'fail',
        'level': level,
        'message': message_of(result.text),
        'locations': [location],
        'partialFingerprints': prints,
        'properties': names,
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


def location_of_place(place: Place, node: Output, current: str) -> dict[str, Any]:
    return location_of(file_uri(place.path, node.folder, current), place.line)


def location_of(uri: FileUri, line: int) -> dict[str, Any]:
    place: dict[str, Any] = {'artifactLocation': {'uri': uri.uri, 'uriBaseId': uri.base}}
    if line:
        place['region'] = {'startLine': line}
    return {'physicalLocation': place}


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
