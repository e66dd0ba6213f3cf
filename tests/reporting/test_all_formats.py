# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Each format on everything that the command can find: it is valid by its public schema, and holds the same results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema
from junitparser import JUnitXml

from datadog_checks.kubelet_compliance.model import Outcome, Place, Upgrade
from datadog_checks.kubelet_compliance.reporting.as_json import json_report
from datadog_checks.kubelet_compliance.reporting.file_places import decided_at
from datadog_checks.kubelet_compliance.reporting.formats import FORMATS
from datadog_checks.kubelet_compliance.reporting.junit import junit_report
from datadog_checks.kubelet_compliance.reporting.layout import Style
from datadog_checks.kubelet_compliance.reporting.output import FAILED, NotEvaluated, Output, Results
from datadog_checks.kubelet_compliance.reporting.sarif import sarif_report
from datadog_checks.kubelet_compliance.rules.judge import decided
from tests.support.images import kubeadm, write
from tests.support.nodes import HEAD
from tests.support.outputs import CASES, NOW, results_of, run
from tests.support.paths import ROOT, TESTS

pytestmark = pytest.mark.same_for_every_user

ALL, ONLY_FAILED = Style(), Style(only_failed=True)
OWN_SCHEMA = json.loads((ROOT / 'docs' / 'output.schema.json').read_text())
SARIF_SCHEMA = json.loads((TESTS / 'schemas' / 'sarif-schema-2.1.0.json').read_text())
OWN, SARIF = jsonschema.Draft202012Validator(OWN_SCHEMA), jsonschema.Draft4Validator(SARIF_SCHEMA)
JUNIT = xmlschema.XMLSchema(TESTS / 'schemas' / 'junit-10.xsd')
RELATIVE_URI = re.compile(r"(?![^/]*:)(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})+")
"""RFC 3986, `relative-ref` without a query and a fragment."""

case_by_case = pytest.mark.parametrize('case', CASES)


@pytest.fixture(scope='module')
def found(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    """Gives the results of a case. Each is evaluated once."""
    return cache(lambda case: results_of(case, tmp_path_factory.mktemp('case')))


Verdicts = list[tuple[str, str]]
"""Each rule, or each part of an upgrade, with its verdict."""

OF_OUTCOME = {Outcome.BLOCKED: 'non_compliant', Outcome.UNKNOWN: 'unknown'}


def verdicts_of(
    results: Results, style: Style, of_upgrade: Callable[[Upgrade | None], Verdicts] | None = None
) -> Verdicts:
    """What a format must show, kubelet by kubelet. What could not be evaluated on a node is unknown.

    `of_upgrade`: what the format shows of an upgrade in place of the rules; None: it shows the rules.
    """
    verdicts: Verdicts = []
    for node in results.nodes:
        for kubelet in node.kubelets if isinstance(node, Output) else ():
            if of_upgrade is not None and isinstance(node, Output) and node.for_version:
                verdicts += of_upgrade(kubelet.upgrade)
                continue
            findings = [each for each in kubelet.findings if not style.only_failed or each.verdict in FAILED]
            verdicts += [(each.rule.key, each.verdict.value) for each in findings]
        if isinstance(node, NotEvaluated) or not node.kubelets or node.node.doubts:
            verdicts.append(('kubelet', 'unknown'))
    return verdicts


def in_junit(upgrade: Upgrade | None) -> Verdicts:
    assert upgrade is not None
    parts = [
        *((f'blocker: {item.what}', 'non_compliant') for item in upgrade.blockers),
        *((f'ignored: {item.what}', 'exempted') for item in upgrade.ignored),
        *((f'change: {item.what}', 'exempted' if item.is_worse else 'compliant') for item in upgrade.changes),
        *((f'to verify: {item.what}', 'exempted') for item in upgrade.to_verify),
    ]
    return [('upgrade', OF_OUTCOME.get(upgrade.outcome, 'compliant')), *parts]


def in_sarif(upgrade: Upgrade | None) -> Verdicts:
    assert upgrade is not None
    unknown = [('upgrade_unknown', 'unknown')] if upgrade.outcome is Outcome.UNKNOWN else []
    parts = {'blocker': upgrade.blockers, 'ignored': upgrade.ignored, 'change': upgrade.changes}
    return [*unknown, *((f'upgrade_{name}', 'non_compliant') for name, items in parts.items() for _ in items)]


@case_by_case
@pytest.mark.parametrize('style', [ALL, ONLY_FAILED], ids=['all', 'only failed'])
def test_json_is_as_its_schema_says_and_holds_every_result(
    case: str, style: Style, found: Callable[[str], Results]
) -> None:
    results = found(case)
    answer = json.loads(json_report(results, style))
    OWN.validate(answer)
    assert answer['exit_status'] == results.exit_status
    nodes = answer['nodes'] if results.are_many else [answer]
    shown = [
        (rule['rule'], rule['verdict'])
        for node in nodes
        for kubelet in node.get('kubelets', ())
        for rule in kubelet['rules']
    ]
    assert shown == [each for each in verdicts_of(results, style) if each[0] != 'kubelet']


@case_by_case
@pytest.mark.parametrize('style', [ALL, ONLY_FAILED], ids=['all', 'only failed'])
def test_junit_is_as_its_schema_says_and_holds_every_result(
    case: str, style: Style, found: Callable[[str], Results]
) -> None:
    results = found(case)
    text = junit_report(results, style)
    JUNIT.validate(text)
    root = ElementTree.fromstring(text)
    verdict_of = {'failure': 'non_compliant', 'error': 'unknown', 'skipped': 'exempted'}
    shown = [
        (test.get('name'), verdict_of.get(next((child.tag for child in test), ''), 'compliant'))
        for test in root.iter('testcase')
    ]
    assert shown == verdicts_of(results, ALL, in_junit), 'a report without test cases is an error in Jenkins'
    parsed = JUnitXml.fromroot(root)
    totals = parsed.tests, parsed.failures, parsed.errors, parsed.skipped
    parsed.update_statistics()
    assert totals[:3] == (parsed.tests, parsed.failures, parsed.errors)
    names = [suite.get('name') for suite in root]
    assert len(set(names)) == len(names)
    for suite in root:
        tests = suite.findall('testcase')
        assert tests and suite.get('tests') == str(len(tests))
        for tag, attribute in (('failure', 'failures'), ('error', 'errors'), ('skipped', 'skipped')):
            assert suite.get(attribute) == str(sum(test.find(tag) is not None for test in tests))
        assert len({(test.get('classname'), test.get('name')) for test in tests}) == len(tests)


@case_by_case
@pytest.mark.parametrize('style', [ALL, ONLY_FAILED], ids=['all', 'only failed'])
def test_sarif_is_as_its_schema_says_and_holds_every_result(
    case: str, style: Style, found: Callable[[str], Results]
) -> None:
    results = found(case)
    log = json.loads(sarif_report(results, style))
    SARIF.validate(log)
    (run,) = log['runs']
    rules = run['tool']['driver']['rules']
    verdict_of = {'fail': 'non_compliant', 'open': 'unknown', 'pass': 'compliant'}
    shown = [
        (each['ruleId'], 'exempted' if 'suppressions' in each else verdict_of[each['kind']]) for each in run['results']
    ]
    assert shown == verdicts_of(results, style, in_sarif)
    assert [each['ruleId'] for each in run['results']] == [rules[each['ruleIndex']]['id'] for each in run['results']]
    assert len({rule['id'] for rule in rules}) == len(rules)
    assert results.is_upgrade or {rule['id'] for rule in rules} == {each['ruleId'] for each in run['results']}


@case_by_case
def test_no_two_results_look_the_same_to_code_scanning(case: str, found: Callable[[str], Results]) -> None:
    (run,) = json.loads(sarif_report(found(case), ALL))['runs']
    results = [
        json.dumps([each['ruleId'], each['locations'], each['partialFingerprints']], sort_keys=True)
        for each in run['results']
    ]
    assert len(set(results)) == len(results)


PLACEHOLDER = re.compile(r'(?<!\{)(?:\{\{)*\{[0-9]+\}')
"""SARIF 2.1.0, section 3.11.5: the text has an odd number of braces before the digits."""


@case_by_case
def test_no_message_has_a_placeholder(case: str, found: Callable[[str], Results]) -> None:
    (run,) = json.loads(sarif_report(found(case), ALL))['runs']
    (invocation,) = run['invocations']
    texts = [each['message']['text'] for each in (*run['results'], *invocation['toolExecutionNotifications'])]
    assert not any(map(PLACEHOLDER.search, texts))
    assert case != 'hostile texts' or any('{{0}}' in text for text in texts)


@case_by_case
def test_code_scanning_accepts_every_result(case: str, found: Callable[[str], Results]) -> None:
    """What GitHub documents and its upload verifies beyond the schema."""
    log = json.loads(sarif_report(found(case), ALL))
    (run,) = log['runs']
    for rule in run['tool']['driver']['rules']:
        assert len(rule['name']) <= 255 and len(rule['properties']['tags']) <= 10
        assert len(rule['shortDescription']['text']) <= 1024 and len(rule['fullDescription']['text']) <= 1024
    for each in run['results']:
        assert (each['level'] == 'none') is (each['kind'] != 'fail')
        assert each['message']['text'] and '](' not in each['message']['text']
        (location,) = each['locations']
        place = location['physicalLocation']
        assert RELATIVE_URI.fullmatch(place['artifactLocation']['uri']), place
        assert '..' not in place['artifactLocation']['uri'].split('/')
        assert place['artifactLocation']['uriBaseId'] in run['originalUriBaseIds']
        # Its upload computes the hash of a line, and finds nothing to compute for a whole file.
        assert ('region' in place) is ('primaryLocationLineHash' not in each['partialFingerprints'])
        assert place.get('region', {'startLine': 1})['startLine'] >= 1


@case_by_case
@pytest.mark.parametrize('name', ['json', 'junit', 'sarif'])
def test_a_format_for_machines_is_plain_ascii(case: str, name: str, found: Callable[[str], Results]) -> None:
    """A pipeline may have any encoding, and `--output` must write the same bytes as a pipe."""
    text = FORMATS[name](found(case), ALL)
    assert all(letter == '\n' or ' ' <= letter <= '~' for letter in text)
    if name != 'junit':
        # Many parsers refuse half of a surrogate pair.
        json.dumps(json.loads(text), ensure_ascii=False).encode()


def paths_of(value: Any, path: str = '') -> Iterator[tuple[str, str]]:
    """Each key below a value, with the kind of its value. What a person names has no fixed keys."""
    if isinstance(value, list):
        for item in value:
            yield from paths_of(item, f'{path}[]')
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield f'{path}.{key}', 'null' if inner is None else 'value'
            if key not in ('declared', 'running'):
                yield from paths_of(inner, f'{path}.{key}')


def paths_in_schema(schema: dict[str, Any], path: str = '') -> Iterator[tuple[str, str]]:
    """The same, as the schema allows it."""
    for choice in schema.get('anyOf', ()):
        yield from paths_in_schema(resolved(choice), path)
    if 'items' in schema:
        yield from paths_in_schema(resolved(schema['items']), f'{path}[]')
    for key, reference in schema.get('properties', {}).items():
        inner = resolved(reference)
        yield f'{path}.{key}', 'value'
        if 'null' in inner.get('type', ()) or {'type': 'null'} in inner.get('anyOf', ()):
            yield f'{path}.{key}', 'null'
        yield from paths_in_schema(inner, f'{path}.{key}')


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A part of the schema, or the part that it refers to."""
    while '$ref' in schema:
        found = OWN_SCHEMA
        for part in schema['$ref'].removeprefix('#/').split('/'):
            found = found[part]
        schema = found
    return schema


def test_some_case_has_each_key_of_the_schema_with_each_kind_of_value(found: Callable[[str], Results]) -> None:
    """Otherwise the schema could promise what the command never prints."""
    seen = {each for case in CASES for each in paths_of(json.loads(json_report(found(case), ALL)))}
    allowed = set(paths_in_schema(OWN_SCHEMA))
    assert seen <= allowed
    assert {as_one(each) for each in allowed} - {as_one(each) for each in seen} == set()


def as_one(entry: tuple[str, str]) -> tuple[str, str]:
    """The object of a node is the same alone and among others, and that of an upgrade's item in each list."""
    path = entry[0].removeprefix('.nodes[]')
    return re.sub(r'\.(blockers|ignored|changes|to_verify)\[\]', '.items[]', path), entry[1]


@pytest.mark.parametrize('change', [{'surprise': 1}, {'schema_version': 2}, {'kubelets': None}, {'exit_status': 3}])
def test_the_schema_refuses_what_is_not_promised(change: dict[str, Any], found: Callable[[str], Results]) -> None:
    answer = json.loads(json_report(found('example of a node'), ALL))
    assert not OWN.is_valid({**answer, **change})
    assert not OWN.is_valid({key: value for key, value in answer.items() if key != next(iter(change), '')} | {'x': 1})


@case_by_case
def test_the_file_and_line_that_decide_a_result_are_those_that_set_the_value(
    case: str, found: Callable[[str], Results]
) -> None:
    """In a captured node and in an image, the line names the setting, or the flag that sets it."""
    for node in found(case).nodes:
        if not isinstance(node, Output) or not node.folder:
            continue
        for kubelet in node.kubelets:
            for finding in kubelet.findings:
                place = decided_at(finding, kubelet)
                assert place.path
                if place.line:
                    line = line_in(Path(node.folder), place)
                    names = {name.rpartition('.')[2].lower() for name in finding.rule.fields}
                    _, origin = decided(finding)
                    assert origin is not None
                    flag = origin.place.partition('=')[0].partition(' ')[0].lstrip('-')
                    assert any(name in line.lower() for name in names) or flag in line, (finding.rule.key, place, line)


def line_in(folder: Path, place: Place) -> str:
    """A line of a file of a node: in the node's root, or in the root of one of its processes."""
    path = place.path.lstrip('/')
    (file,) = {each for each in (folder / path, *folder.glob(f'proc/*/root/{path}')) if each.is_file()} or {None}
    assert file is not None, place
    return file.read_text(errors='replace').splitlines()[place.line - 1]


SECRET = 'x7secret'
SECRET_FLAGS = (
    f'--manifest-url=http://{SECRET}/pods',
    f'--manifest-url-header=Authorization:{SECRET}',
    f'--storage-driver-password={SECRET}',
)
SECRET_FIELDS = f'staticPodURL: http://{SECRET}/\nstaticPodURLHeader:\n  Authorization: [{SECRET}]\n'


@pytest.mark.parametrize('name', FORMATS)
@pytest.mark.parametrize('fields', [SECRET_FIELDS, f'{SECRET_FIELDS}maxPods: {SECRET}\n', f'- {SECRET}: [\n'])
def test_no_format_shows_a_secret(name: str, fields: str, tmp_path: Path) -> None:
    """Neither of a file that the kubelet accepts, nor of one that it refuses, nor of flags and their places."""
    flags = ' '.join(SECRET_FLAGS)
    root = write(
        kubeadm(tmp_path / 'image'),
        {'etc/default/kubelet': f'KUBELET_EXTRA_ARGS="{flags}"\n', 'var/lib/kubelet/config.yaml': f'{HEAD}{fields}'},
    )
    output = run('--root', root)
    assert output.kubelets[0].next_start is not None and SECRET in str(output.kubelets[0].next_start.command)
    text = FORMATS[name](Results([output], NOW, folder=str(tmp_path)), Style(is_verbose=True))
    assert SECRET not in text
