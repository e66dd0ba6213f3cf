# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The results of the command as JUnit XML for CI systems: a kubelet is a test suite, and a rule is a test case."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.etree import ElementTree as xml

from datadog_checks.kubelet_compliance.__about__ import __version__
from datadog_checks.kubelet_compliance.model import Finding, Unknown, Verdict
from datadog_checks.kubelet_compliance.rules.judge import decided, value_text
from datadog_checks.kubelet_compliance.rules.wording import shorten

from .junit_elements import case_in, element
from .layout import LONGEST_TEXT, Style, word_of
from .output import NotEvaluated, Output, Results, name_of_node, names_of_kubelets, why_not_evaluated
from .report import printable, problem_text
from .upgrade_junit import upgrade_cases

ELEMENT_OF: Final[Mapping[Verdict, str]] = {
    Verdict.NON_COMPLIANT: 'failure',
    Verdict.UNKNOWN: 'error',
    Verdict.EXEMPTED: 'skipped',
}
"""The element of a test case for each verdict. A compliant rule has none."""

COUNTS: Final = {'failure': 'failures', 'error': 'errors', 'skipped': 'skipped'}
"""The attribute of a test suite that counts each element."""

NOT_EVALUATED: Final = 'not_evaluated'


def junit_report(results: Results, _: Style) -> str:
    """The results as XML text. It has only ASCII characters, so it is valid in every encoding of a terminal.

    The option `--failed` does not apply: many readers take a report without test cases for an error.
    """
    root = xml.Element('testsuites', name='kubelet-compliance', time='0')
    for node in results.nodes:
        root.extend(iter_suites(node, f'{results.at:%Y-%m-%dT%H:%M:%S}'))
    for attribute in ('tests', 'failures', 'errors'):
        root.set(attribute, str(sum(int(suite.get(attribute, '0')) for suite in root)))
    xml.indent(root)
    data: bytes = xml.tostring(root, encoding='us-ascii', xml_declaration=True)
    return data.decode('ascii')


def iter_suites(node: Output | NotEvaluated, timestamp: str) -> Iterator[xml.Element]:
    """A suite for each kubelet of a node, and one with a test case in error for what could not be evaluated."""
    why = why_not_evaluated(node)
    if isinstance(node, NotEvaluated):
        yield suite_of(node.name, node.name, {}, [not_evaluated(node.name, why)], (), timestamp)
        return
    host = name_of_node(node)
    for name, kubelet in zip(names_of_kubelets(node), node.kubelets, strict=True):
        if node.for_version:
            cases = list(upgrade_cases(kubelet.upgrade, name))
        else:
            cases = [case_of(finding, name) for finding in kubelet.findings]
        problems = [problem_text(problem) for problem in (*kubelet.problems, *node.node.lapsed)]
        yield suite_of(name, host, properties_of(node, kubelet.name), cases, problems, timestamp)
    if why:
        name = f'{host or "kubelet"}{": not evaluated" if node.kubelets else ""}'
        yield suite_of(name, host, properties_of(node), [not_evaluated(name, why)], (), timestamp)


def properties_of(output: Output, kubelet: str = '') -> dict[str, str]:
    found = {
        'benchmark': output.benchmark.name,
        'compliance_framework': output.benchmark.framework,
        'version': __version__,
        'node': name_of_node(output),
        'kubelet': kubelet,
    }
    return {name: value for name, value in found.items() if value}


def suite_of(
    name: str,
    host: str,
    properties: Mapping[str, str],
    cases: Sequence[xml.Element],
    problems: Sequence[str],
    timestamp: str,
) -> xml.Element:
    """A test suite with its counts. `host`: the image or the captured node; '' for this machine."""
    suite = element('testsuite', name=name, tests=str(len(cases)), time='0', timestamp=timestamp)
    for kind, attribute in COUNTS.items():
        suite.set(attribute, str(sum(case.find(kind) is not None for case in cases)))
    if host:
        suite.set('hostname', printable(posixpath.basename(posixpath.normpath(host))))
    if properties:
        xml.SubElement(suite, 'properties').extend(
            element('property', name=key, value=value) for key, value in properties.items()
        )
    suite.extend(cases)
    if problems:
        suite.append(element('system-err', '\n'.join(printable(text) for text in problems)))
    return suite


def case_of(finding: Finding, suite: str) -> xml.Element:
    """The test case of a rule. Its name does not change when a benchmark renumbers the rule."""
    kind = ELEMENT_OF.get(finding.verdict)
    if kind is None:
        return case_in(suite, finding.rule.key)
    text = '\n'.join(f'{label}: {printable(text, LONGEST_TEXT)}' for label, text in iter_facts(finding) if text)
    return case_in(suite, finding.rule.key, element(kind, text, message=finding.message, type=finding.verdict.value))


def iter_facts(finding: Finding) -> Iterator[tuple[str, str]]:
    """What a person needs to know about a result, in pairs of a label and a text."""
    rule, benchmark, remedy = finding.rule, finding.benchmark, finding.remedy
    values, origin = decided(finding)
    numbers = ' '.join(benchmark.controls[rule.key])
    yield 'rule', f'{benchmark.name} {numbers}: {rule.title}' if numbers else f'{benchmark.name}: {rule.title}'
    yield 'result', word_of(finding.verdict)
    yield 'value', 'unknown' if isinstance(values, Unknown) else value_text(rule, values)
    yield 'set by', shorten(origin.place) if origin is not None else ''
    yield 'expected', rule.expected.text(benchmark)
    yield 'caution', remedy.caution
    yield 'fix', remedy.fix
    yield 'note', remedy.note
    yield 'message', '' if remedy.fix else finding.message


def not_evaluated(suite: str, why: str) -> xml.Element:
    """The test case of a node that has no results."""
    return case_in(suite, 'kubelet', element('error', message=why, type=NOT_EVALUATED))
