# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from datadog_checks.kubelet_compliance.__about__ import __version__
from datadog_checks.kubelet_compliance.reporting.junit import junit_report
from datadog_checks.kubelet_compliance.reporting.junit_elements import element
from datadog_checks.kubelet_compliance.reporting.layout import Style
from datadog_checks.kubelet_compliance.reporting.output import Output
from tests.support.outputs import HOSTILE, results_of

pytestmark = pytest.mark.same_for_every_user


def parsed(case: str, folder: Path, **style: bool) -> JUnitXml:
    return JUnitXml.fromstring(junit_report(results_of(case, folder), Style(**style)).encode())  # type: ignore[arg-type]


def case_named(key: str, report: JUnitXml) -> object:
    return next(case for suite in report for case in suite if case.name == key)


def test_an_image_is_a_suite_with_a_test_case_for_each_rule(tmp_path: Path) -> None:
    report = parsed('example of an image', tmp_path)
    (suite,) = report
    assert suite.hostname == 'image' and suite.name.endswith('examples/image')
    assert {each.name: each.value for each in suite.properties()} == {
        'benchmark': 'cis-1.24',
        'compliance_framework': 'cis-kubernetes',
        'version': __version__,
        'node': suite.name,
    }
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (21, 8, 4, 0)
    assert (report.tests, report.failures, report.errors) == (21, 8, 4)
    assert suite.timestamp == '2026-11-28T12:00:00'


def test_a_failure_has_the_message_the_place_and_the_fix(tmp_path: Path) -> None:
    case = case_named('make_iptables_util_chains', parsed('example of an image', tmp_path))
    (failure,) = case.result  # type: ignore[attr-defined]
    assert isinstance(failure, Failure) and failure.type == 'non_compliant'
    assert failure.message.startswith('makeIPTablesUtilChains is false (--make-iptables-util-chains=false in /etc/')
    place = '/etc/default/kubelet:2 (KUBELET_EXTRA_ARGS)'
    lines = failure.text.splitlines()
    assert lines[:5] == [
        'rule: cis-1.24 4.2.7: Kubelet should be able to manage changes to iptables',
        'result: NON-COMPLIANT',
        'value: makeIPTablesUtilChains is false',
        f'set by: --make-iptables-util-chains=false in {place}',
        'expected: true',
    ]
    assert lines[-1].startswith(f'fix: remove --make-iptables-util-chains from {place}')


@pytest.mark.parametrize(
    'case, key, kind, part',
    [
        ('example of an image', 'kubeconfig_permissions', Error, 'could not read the mode and owner of'),
        ('exemptions and configz', 'make_iptables_util_chains', Skipped, 'exempted (cilium <3): '),
        ('exemptions and configz', 'rotate_certificates', Skipped, 'exempted until 2099-01-31 (until the move): '),
        ('custom rules', 'max_pods', Failure, 'at most 20'),
    ],
)
def test_what_is_not_compliant_says_why(case: str, key: str, kind: type, part: str, tmp_path: Path) -> None:
    (result,) = case_named(key, parsed(case, tmp_path)).result  # type: ignore[attr-defined]
    assert isinstance(result, kind)
    assert part in f'{result.message}\n{result.text}'


@pytest.mark.parametrize('case', ['no kubelet', 'only in doubt'])
def test_a_node_without_a_kubelet_is_a_suite_with_an_error(case: str, tmp_path: Path) -> None:
    (suite,) = parsed(case, tmp_path)
    (test,) = suite
    assert (test.name, suite.tests, suite.errors) == ('kubelet', 1, 1)
    assert test.result[0].type == 'not_evaluated' and test.result[0].message


def test_a_process_that_may_be_a_kubelet_is_an_error_beside_the_suites(tmp_path: Path) -> None:
    suites = list(parsed('in doubt', tmp_path))
    assert [suite.name for suite in suites] == ['kubelet', 'kubelet: not evaluated']
    assert 'process 7 is named kubelet' in next(iter(suites[1])).result[0].message


def test_several_nodes_are_suites_with_the_names_of_the_nodes(tmp_path: Path) -> None:
    suites = list(parsed('several nodes', tmp_path))
    assert [suite.name for suite in suites] == ['kubeadm', 'k3s-server-off', 'node-3', 'kubelet']
    assert [suite.hostname for suite in suites] == ['kubeadm', 'k3s-server-off', 'node-3', None]
    assert [case.classname for case in suites[2]] == ['node-3']
    assert next(iter(suites[2])).result[0].message == 'node.json is not valid <JSON>'


@pytest.mark.parametrize(
    'names, shown',
    [
        pytest.param(['a', 'b'], ['kubelet: a', 'kubelet: b'], id='their own'),
        pytest.param(['', 'b'], ['kubelet: process 7', 'kubelet: b'], id='one has none'),
        pytest.param(['b', 'b'], ['kubelet: process 7', 'kubelet: process 8'], id='the same'),
    ],
)
def test_several_kubelets_of_a_node_have_distinct_names(names: list[str], shown: list[str], tmp_path: Path) -> None:
    results = results_of('several kubelets', tmp_path)
    (node,) = results.nodes
    assert isinstance(node, Output)
    kubelets = [replace(kubelet, name=name) for kubelet, name in zip(node.kubelets, names, strict=True)]
    root = ElementTree.fromstring(junit_report(replace(results, nodes=[replace(node, kubelets=kubelets)]), Style()))
    assert [suite.get('name') for suite in root] == shown


def test_every_rule_is_there_even_if_a_person_wants_only_what_failed(tmp_path: Path) -> None:
    """Jenkins fails a build whose report has no test cases."""
    (suite,) = parsed('exemptions and configz', tmp_path, only_failed=True)
    assert suite.tests == sum(1 for _ in suite) == 21 and suite.skipped == 2


def test_problems_are_the_error_output_of_a_suite(tmp_path: Path) -> None:
    text = junit_report(results_of('exemptions and configz', tmp_path), Style())
    printed = ElementTree.fromstring(text).findtext('testsuite/system-err')
    assert printed is not None and 'the exemption of read_only_port ended on 2020-01-31' in printed.splitlines()[-1]


@pytest.mark.parametrize('text', [HOSTILE, '\ud800', '\x00', '\ufffe', '\x85', '\u2028', ']]>', '<!--', '&#0;'])
def test_each_text_is_valid_in_xml(text: str) -> None:
    written = ElementTree.tostring(element('x', value=text), encoding='us-ascii')
    assert ElementTree.fromstring(written).get('value') is not None


def test_the_report_names_the_time_of_the_run(tmp_path: Path) -> None:
    results = results_of('no kubelet', tmp_path)
    text = junit_report(replace(results, at=results.at.replace(year=2027)), Style())
    assert 'timestamp="2027-11-28T12:00:00"' in text
