# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.model import Finding, Origin, Remedy, Setting, Source, Unknown, Values, Verdict
from datadog_checks.kubelet_compliance.reporting.as_json import finding_as_object, json_report
from datadog_checks.kubelet_compliance.reporting.layout import Style
from datadog_checks.kubelet_compliance.reporting.output import Output
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from tests.support.outputs import HOSTILE, results_of

pytestmark = pytest.mark.same_for_every_user

NOT_ASKED = Unknown('not asked')


def object_of(case: str, folder: Path) -> dict[str, Any]:
    return json.loads(json_report(results_of(case, folder), Style()))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    'running, shown',
    [
        pytest.param((('maxPods', 110),), {'maxPods': 110}, id='known'),
        pytest.param(NOT_ASKED, None, id='not known'),
    ],
)
def test_a_rule_has_the_running_value_beside_the_declared_one(running: Values | Unknown, shown: object) -> None:
    setting = Setting((('maxPods', 50),), None, running)
    finding = Finding(RULES_BY_KEY['event_qps'], Verdict.UNKNOWN, '', setting, BENCHMARKS['cis-1.24'])
    found = finding_as_object(finding)
    assert (found['declared'], found['running']) == ({'maxPods': 50}, shown)


@pytest.mark.parametrize('note, shown', [('do not hurry', 'do not hurry'), ('', None)])
def test_a_rule_has_the_note_of_its_fix(note: str, shown: str | None) -> None:
    setting = Setting(NOT_ASKED, None, NOT_ASKED)
    rule = RULES_BY_KEY['event_qps']
    finding = Finding(rule, Verdict.NON_COMPLIANT, '', setting, BENCHMARKS['cis-1.24'], Remedy(note=note))
    assert finding_as_object(finding)['note'] == shown


def test_the_place_of_a_rule_is_that_of_the_value_that_decides() -> None:
    key, gate = 'rotate_kubelet_server_certificate', 'featureGates.RotateKubeletServerCertificate'
    first, second = (Origin(Source.CONFIG_FILE, f'/c:{line}', '/c', line=line) for line in (1, 2))
    values = tuple((name, name == gate) for name in RULES_BY_KEY[key].fields if 'Path' not in name)
    setting = Setting(values, first, NOT_ASKED, origins={gate: first, 'serverTLSBootstrap': second})
    places = {
        verdict: finding_as_object(Finding(RULES_BY_KEY[key], verdict, '', setting, BENCHMARKS['cis-1.24']))['place']
        for verdict in (Verdict.NON_COMPLIANT, Verdict.COMPLIANT)
    }
    assert places == {Verdict.NON_COMPLIANT: '/c:2', Verdict.COMPLIANT: '/c:1'}


def test_a_node_that_failed_has_the_exit_status_that_it_has_alone(tmp_path: Path) -> None:
    nodes = object_of('several nodes', tmp_path)['nodes']
    assert [node['exit_status'] for node in nodes] == [1, 1, 2, 2]
    assert nodes[2] == {'node': 'node-3', 'error': 'node.json is not valid <JSON>', 'exit_status': 2}


def test_each_path_is_one_line_that_a_terminal_can_show(tmp_path: Path) -> None:
    results = results_of('an image in a hostile folder', tmp_path)
    (node,) = results.nodes
    assert isinstance(node, Output)
    node = replace(node, options_from=f'/o/{HOSTILE}', configz_from=f'/z/{HOSTILE}')
    found = json.loads(json_report(replace(results, nodes=[node]), Style()))
    paths = [found[name] for name in ('root', 'options_from', 'configz_from')]
    assert all('gpj ](http:' in path and path.isprintable() for path in paths)
