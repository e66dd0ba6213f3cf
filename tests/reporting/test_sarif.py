# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.__about__ import __version__
from datadog_checks.kubelet_compliance.reporting.layout import Style
from datadog_checks.kubelet_compliance.reporting.sarif import sarif_report
from datadog_checks.kubelet_compliance.reporting.sarif_rules import RULES_PAGE, descriptor_of
from datadog_checks.kubelet_compliance.rules.all_rules import RULES, RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from tests.support.outputs import captured, results_of
from tests.support.paths import ROOT

pytestmark = pytest.mark.same_for_every_user

IPTABLES = 'make_iptables_util_chains'


def run_of(case: str, folder: Path, current: str | None = None, **style: bool) -> dict[str, Any]:
    results = results_of(case, folder)
    results = results if current is None else replace(results, folder=current)
    (run,) = json.loads(sarif_report(results, Style(**style)))['runs']  # type: ignore[arg-type]
    return run  # type: ignore[no-any-return]


def result_of(key: str, run: dict[str, Any]) -> dict[str, Any]:
    return next(each for each in run['results'] if each['ruleId'] == key)


def place_of(result: dict[str, Any]) -> tuple[str, str, int | None]:
    place = result['locations'][0]['physicalLocation']
    line = place['region']['startLine'] if 'region' in place else None
    return place['artifactLocation']['uri'], place['artifactLocation']['uriBaseId'], line


def test_an_image_in_the_repository_is_shown_at_its_file_and_line(tmp_path: Path) -> None:
    run = run_of('example of an image', tmp_path, str(ROOT))
    assert place_of(result_of(IPTABLES, run)) == ('examples/image/etc/default/kubelet', '%SRCROOT%', 2)
    assert 'uri' not in run['originalUriBaseIds']['%SRCROOT%'], 'the folder is another one where the file is read'
    assert place_of(result_of('protect_kernel_defaults', run))[::2] == (
        'examples/image/var/lib/kubelet/config.yaml',
        None,
    )


def test_an_image_elsewhere_is_below_the_root_of_the_machine(tmp_path: Path) -> None:
    run = run_of('example of an image', tmp_path)
    expected = f'{ROOT}/examples/image/etc/default/kubelet'.lstrip('/')
    assert place_of(result_of(IPTABLES, run)) == (expected, 'ROOT', 2)
    assert run['originalUriBaseIds']['ROOT']['uri'] == 'file:///'


def test_a_file_of_this_machine_is_below_its_root(tmp_path: Path) -> None:
    run = run_of('several kubelets', tmp_path)
    assert place_of(result_of(IPTABLES, run)) == ('kubelet', 'ROOT', None)


@pytest.mark.parametrize(
    'case, key, kind, level',
    [
        ('example of an image', 'anonymous_auth', 'pass', 'none'),
        ('example of an image', IPTABLES, 'fail', 'error'),
        ('example of an image', 'kubeconfig_permissions', 'open', 'none'),
        ('exemptions and configz', IPTABLES, 'fail', 'error'),
        ('no kubelet', 'kubelet', 'open', 'none'),
    ],
)
def test_the_kind_and_level_follow_from_the_verdict(case: str, key: str, kind: str, level: str, tmp_path: Path) -> None:
    result = result_of(key, run_of(case, tmp_path))
    assert (result['kind'], result['level']) == (kind, level)


def test_an_exemption_is_a_suppression_with_its_reason(tmp_path: Path) -> None:
    run = run_of('exemptions and configz', tmp_path)
    accepted = {'kind': 'external', 'status': 'accepted'}
    assert result_of(IPTABLES, run)['suppressions'] == [{**accepted, 'justification': 'cilium <3'}]
    assert result_of('rotate_certificates', run)['suppressions'] == [
        {**accepted, 'justification': 'until the move, until 2099-01-31'}
    ]
    assert 'suppressions' not in result_of('anonymous_auth', run)


def test_only_what_failed_is_left_for_code_scanning(tmp_path: Path) -> None:
    """Code scanning opens an alert for each result, whatever its kind."""
    results = run_of('exemptions and configz', tmp_path, only_failed=True)['results']
    assert results and all(each['kind'] != 'pass' and 'suppressions' not in each for each in results)


@pytest.mark.parametrize('case', ['no kubelet', 'in doubt', 'only in doubt', 'several nodes'])
def test_a_node_without_results_is_a_result_so_that_it_does_not_look_clean(case: str, tmp_path: Path) -> None:
    run = run_of(case, tmp_path, only_failed=True)
    assert result_of('kubelet', run)['message']['text']
    (invocation,) = run['invocations']
    assert invocation['executionSuccessful'] is False
    assert 'error' in {each['level'] for each in invocation['toolExecutionNotifications']}


def test_several_nodes_are_one_run_with_the_name_of_each_node(tmp_path: Path) -> None:
    run = run_of('several nodes', tmp_path)
    assert {each['properties'].get('node') for each in run['results']} == {'kubeadm', 'k3s-server-off', 'node-3', None}
    failed = next(each for each in run['results'] if each['properties'].get('node') == 'node-3')
    assert (failed['ruleId'], failed['message']['text']) == ('kubelet', 'node.json is not valid <JSON>')
    assert place_of(failed) == ('captures/node-3', '%SRCROOT%', None)
    broken = next(each for each in run['results'] if each['ruleId'] == IPTABLES and each['kind'] == 'fail')
    assert place_of(broken)[0].startswith('captures/k')


def test_the_run_says_how_it_ended_and_what_it_could_not_read(tmp_path: Path) -> None:
    (invocation,) = run_of('exemptions and configz', tmp_path)['invocations']
    assert (invocation['executionSuccessful'], invocation['exitCode']) == (True, 1)
    assert invocation['endTimeUtc'] == '2026-11-28T12:00:00Z'
    texts = [each['message']['text'] for each in invocation['toolExecutionNotifications']]
    assert any('the exemption of read_only_port ended on 2020-01-31' in text for text in texts)


def test_the_tool_has_a_version_and_its_rules_lead_to_their_page(tmp_path: Path) -> None:
    driver = run_of('custom rules', tmp_path)['tool']['driver']
    assert (driver['name'], driver['version']) == ('kubelet-compliance', __version__)
    rules = {rule['id']: rule for rule in driver['rules']}
    assert rules[IPTABLES]['helpUri'] == f'{RULES_PAGE}#{IPTABLES}'
    assert rules[IPTABLES]['name'] == 'MakeIptablesUtilChains'
    assert rules[IPTABLES]['properties']['tags'] == ['security', 'cis-kubernetes', 'cis-1.24/4.2.7', 'cis_controls:6.9']
    assert 'helpUri' not in rules['max_pods'] and rules['max_pods']['shortDescription']['text'] == 'At most 20 pods'


@pytest.mark.parametrize('rule', RULES, ids=lambda rule: rule.key)
def test_each_rule_is_described_for_code_scanning(rule: object) -> None:
    key = rule.key  # type: ignore[attr-defined]
    for benchmark in BENCHMARKS.values():
        if key in benchmark.controls:
            found = descriptor_of(RULES_BY_KEY[key], benchmark)
            assert 0 < len(found['fullDescription']['text']) <= 1024
            assert '**Why**: ' in found['help']['markdown'] and '\nWhy: ' in found['help']['text']
            assert len(found['properties']['tags']) == len(set(found['properties']['tags'])) <= 10
    page = (ROOT / 'docs' / 'rules.md').read_text()
    assert f'\n## {key}\n' in page, 'where helpUri leads'


def prints_of(run: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each['ruleId'], each['partialFingerprints']['kubeletRule/v1']) for each in run['results']]


def test_a_fingerprint_is_the_same_from_run_to_run_and_from_node_to_node(tmp_path: Path) -> None:
    outputs: Sequence[Any] = [captured('kubeadm')(tmp_path / name)[0] for name in ('a', 'b')]
    first, second = (
        json.loads(sarif_report(replace(results_of('example of a node', tmp_path), nodes=[each]), Style()))['runs'][0]
        for each in outputs
    )
    assert place_of(first['results'][0])[0] != place_of(second['results'][0])[0]
    assert prints_of(first) == prints_of(second)
    assert len(set(prints_of(first))) == len(first['results'])


@pytest.mark.parametrize('case', ['an image in a hostile folder', 'no kubelet in an image', 'a blocked upgrade'])
def test_a_fingerprint_does_not_depend_on_the_folder_of_an_image(case: str, tmp_path: Path) -> None:
    runs = []
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        runs.append(run_of(case, tmp_path / name))
    first, second = map(prints_of, runs)
    assert first == second and first


def test_a_text_of_a_rule_has_no_placeholders() -> None:
    rule = replace(RULES_BY_KEY[IPTABLES], title='at most {0}', what='w {1}', why='', impact='{}')
    found = descriptor_of(rule, BENCHMARKS['cis-1.24'])
    assert found['shortDescription']['text'] == 'at most {{0}}' and found['fullDescription']['text'] == 'w {{1}}'
    assert '{{}}' in found['help']['text'] and '{{}}' in found['help']['markdown']
