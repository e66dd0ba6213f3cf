# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""An upgrade in each format, with one result for each item, and its message, metric, and service check."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema

from datadog_checks.kubelet_compliance.model import (
    KubeletReport,
    NodeReport,
    Origin,
    Outcome,
    Process,
    Source,
    Unknown,
    Upgrade,
    UpgradeItem,
    UpgradeSubject,
)
from datadog_checks.kubelet_compliance.reporting.formats import FORMATS
from datadog_checks.kubelet_compliance.reporting.layout import Style
from datadog_checks.kubelet_compliance.reporting.output import NotEvaluated, Output, Results
from datadog_checks.kubelet_compliance.reporting.report import CRITICAL, OK, UNKNOWN, WARNING
from datadog_checks.kubelet_compliance.reporting.upgrade_rows import (
    iter_upgrade_checks,
    iter_upgrade_gauges,
    upgrade_message,
    upgrade_summary,
)
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from tests.support.paths import ROOT, TESTS

pytestmark = pytest.mark.same_for_every_user

OWN = jsonschema.Draft202012Validator(json.loads((ROOT / 'docs' / 'output.schema.json').read_text()))
SARIF = jsonschema.Draft4Validator(json.loads((TESTS / 'schemas' / 'sarif-schema-2.1.0.json').read_text()))
JUNIT = xmlschema.XMLSchema(TESTS / 'schemas' / 'junit-10.xsd')

FILE = Origin(Source.CONFIG_FILE, '/c.yaml:4', '/c.yaml', line=4)
FLAG = Origin(Source.FLAG, '--storage-driver-password=secret in /etc/k:2', '/etc/k', '/etc/k:2', 2)
DEFAULT = Origin(Source.DEFAULT, 'default')
GATE = UpgradeItem(UpgradeSubject.GATE, 'featureGates.X', 'is gone', FILE, remedy='Remove X')
PASSWORD = UpgradeItem(UpgradeSubject.FLAG, '--storage-driver-password', 'is gone', FLAG, remedy='Remove it')
FIELD = UpgradeItem(
    UpgradeSubject.FIELD, 'failCgroupV1', 'changes from false to true', DEFAULT, before=False, after=True
)
WORSE = UpgradeItem(UpgradeSubject.RULE, 'event_qps', 'changes from compliant to non-compliant', DEFAULT, is_worse=True)

STARTS = Upgrade('1.37', '1.36', changes=(FIELD,))
LOSES = Upgrade('1.37', '1.36', ignored=(GATE,))
WORSENS = Upgrade('1.37', '1.36', changes=(WORSE, FIELD))
UNDECIDED = Upgrade('1.37', unknown=Unknown('no reason', 'ask'), changes=(FIELD,), to_verify=(GATE,), notes=('note',))
BLOCKED = Upgrade('1.37', '1.36', blockers=(PASSWORD, GATE), changes=(FIELD,), unknown=Unknown('there may be more'))
EVERY = [
    pytest.param(STARTS, Outcome.STARTS, OK, 0, 0, id='starts'),
    pytest.param(LOSES, Outcome.STARTS_WITH_LOSSES, WARNING, 0, 0, id='ignores something'),
    pytest.param(WORSENS, Outcome.STARTS_WITH_LOSSES, WARNING, 0, 0, id='breaks a rule'),
    pytest.param(UNDECIDED, Outcome.UNKNOWN, UNKNOWN, None, 2, id='not known'),
    pytest.param(BLOCKED, Outcome.BLOCKED, CRITICAL, 1, 1, id='blocked'),
]
STYLE = Style(width=200)


def output_of(upgrade: Upgrade | None, name: str = 'n') -> Output:
    kubelets = [KubeletReport(Process(7, 1, ()), (), upgrade=upgrade)]
    node = NodeReport(1, upgrade=upgrade)
    return Output(node, kubelets, BENCHMARKS['cis-1.24'], False, name=name, for_version='1.37')


def results_of(*nodes: Output | NotEvaluated, are_many: bool = False) -> Results:
    return Results(list(nodes), datetime(2026, 11, 28, tzinfo=timezone.utc), are_many)


@pytest.mark.parametrize(('upgrade', 'outcome', 'status', 'gauge', 'exit_status'), EVERY)
def test_the_outcome_decides_what_is_sent_and_the_exit_status(
    upgrade: Upgrade, outcome: Outcome, status: int, gauge: int | None, exit_status: int
) -> None:
    assert upgrade.outcome is outcome
    assert [(each.value, each.tags) for each in iter_upgrade_gauges(upgrade)] == (
        [] if gauge is None else [(gauge, ('target_version:1.37',))]
    )
    (check,) = iter_upgrade_checks(upgrade)
    assert (check.status, bool(check.message), check.tags) == (status, status != OK, ('target_version:1.37',))
    assert output_of(upgrade).exit_status == exit_status
    assert results_of(output_of(upgrade)).exit_status == exit_status


def test_without_a_target_nothing_is_sent() -> None:
    assert [*iter_upgrade_gauges(None), *iter_upgrade_checks(None)] == []


def test_a_kubelet_that_was_not_evaluated_is_not_known() -> None:
    assert output_of(None).exit_status == 2
    assert Output(NodeReport(0), [], BENCHMARKS['cis-1.24'], False, for_version='1.37').exit_status == 2


@pytest.mark.parametrize(
    ('upgrade', 'summary'),
    [
        (STARTS, 'Upgrade to 1.37: the kubelet would start (1 change)'),
        (UNDECIDED, 'Upgrade to 1.37: it cannot be determined whether the kubelet would start (1 change)'),
        (BLOCKED, 'Upgrade to 1.37: the kubelet would not start (2 blockers, 1 change)'),
        (LOSES, 'Upgrade to 1.37: the kubelet would start (1 ignored)'),
        (Upgrade('1.37'), 'Upgrade to 1.37: the kubelet would start'),
    ],
)
def test_the_summary_counts_the_items(upgrade: Upgrade, summary: str) -> None:
    assert upgrade_summary(upgrade) == summary
    assert FORMATS['text'](results_of(output_of(upgrade)), STYLE).split('\n')[1] == summary


def test_the_message_has_the_blockers_as_far_as_they_fit() -> None:
    assert upgrade_message(BLOCKED).endswith(
        '. --storage-driver-password (/etc/k:2): is gone. Remove it. featureGates.X (/c.yaml:4): is gone. Remove X'
    )
    many = Upgrade('1.37', blockers=(GATE,) * 40)
    assert len(upgrade_message(many)) <= 500
    assert upgrade_message(many).endswith('more')
    assert 'no reason: ask' in upgrade_message(UNDECIDED)
    assert 'event_qps' in upgrade_message(WORSENS) and 'failCgroupV1' not in upgrade_message(WORSENS)


@pytest.mark.parametrize(('upgrade', 'outcome', 'status', 'gauge', 'exit_status'), EVERY)
@pytest.mark.parametrize('name', FORMATS)
def test_a_format_names_every_item_and_no_secret(
    name: str, upgrade: Upgrade, outcome: Outcome, status: int, gauge: int | None, exit_status: int
) -> None:
    text = FORMATS[name](results_of(output_of(upgrade)), STYLE)
    items = [*upgrade.blockers, *upgrade.ignored, *upgrade.changes]
    if name != 'sarif':
        items += upgrade.to_verify
    assert all(item.what in text and item.why in text for item in items)
    assert 'secret' not in text


@pytest.mark.parametrize('upgrade', [STARTS, LOSES, UNDECIDED, BLOCKED, None])
def test_the_formats_for_machines_are_as_their_schemas_say(upgrade: Upgrade | None) -> None:
    results = results_of(output_of(upgrade))
    OWN.validate(json.loads(FORMATS['json'](results, STYLE)))
    log = json.loads(FORMATS['sarif'](results, STYLE))
    SARIF.validate(log)
    (run,) = log['runs']
    rules = [rule['id'] for rule in run['tool']['driver']['rules']]
    assert [rules[each['ruleIndex']] for each in run['results']] == [each['ruleId'] for each in run['results']]
    assert all((each['level'] == 'none') is (each['kind'] != 'fail') for each in run['results'])
    junit = FORMATS['junit'](results, STYLE)
    JUNIT.validate(junit)
    (suite,) = ElementTree.fromstring(junit)
    failed = upgrade is not None and upgrade.outcome is Outcome.BLOCKED
    undecided = upgrade is None or upgrade.outcome is Outcome.UNKNOWN
    assert (suite.get('failures') != '0', suite.get('errors') != '0') == (failed, undecided)


EACH_ITEM = Upgrade('1.37', ignored=(GATE,), changes=(WORSE, FIELD), to_verify=(PASSWORD,))


@pytest.mark.parametrize(
    'upgrade, cases',
    [
        pytest.param(
            EACH_ITEM,
            {
                'upgrade': 'system-out',
                'ignored: featureGates.X': 'skipped',
                'change: event_qps': 'skipped',
                'change: failCgroupV1': 'system-out',
                'to verify: --storage-driver-password': 'skipped',
            },
            id='the kubelet starts',
        ),
        pytest.param(
            Upgrade('1.37', blockers=(GATE, GATE)),
            {
                'upgrade': 'failure',
                'blocker: featureGates.X': 'failure',
                'blocker: featureGates.X (2)': 'failure',
            },
            id='one field is refused twice',
        ),
        pytest.param(Upgrade('1.37', unknown=Unknown('no')), {'upgrade': 'error'}, id='not known'),
    ],
)
def test_each_item_is_a_test_case_and_only_a_blocker_is_a_failure(upgrade: Upgrade, cases: dict[str, str]) -> None:
    (suite,) = ElementTree.fromstring(FORMATS['junit'](results_of(output_of(upgrade)), STYLE))
    assert {case.get('name'): case[0].tag for case in suite.iter('testcase')} == cases
    assert suite.get('skipped') == str(list(cases.values()).count('skipped'))


def test_a_test_case_that_is_not_a_failure_says_why_and_what_to_do() -> None:
    (suite,) = ElementTree.fromstring(FORMATS['junit'](results_of(output_of(EACH_ITEM)), STYLE))
    found = next(case[0] for case in suite.iter('testcase') if case.get('name') == 'ignored: featureGates.X')
    assert (found.get('message'), found.get('type')) == ('is gone', 'ignored')
    assert found.text == 'featureGates.X (/c.yaml:4): is gone. Remove X'


def test_sarif_leads_to_the_line_that_sets_an_item() -> None:
    log = json.loads(FORMATS['sarif'](results_of(output_of(BLOCKED, '')), STYLE))
    places = [each['locations'][0]['physicalLocation'] for each in log['runs'][0]['results']]
    assert [(place['artifactLocation']['uri'], place.get('region')) for place in places[:2]] == [
        ('etc/k', {'startLine': 2}),
        ('c.yaml', {'startLine': 4}),
    ]


def test_a_field_that_is_refused_twice_is_two_results_for_code_scanning() -> None:
    twice = Upgrade('1.37', blockers=(GATE, replace(GATE, why='is locked')))
    (run,) = json.loads(FORMATS['sarif'](results_of(output_of(twice)), STYLE))['runs']
    first, second = run['results']
    assert first['locations'] == second['locations'] and first['partialFingerprints'] != second['partialFingerprints']


@pytest.mark.parametrize('name', ['text', 'junit', 'sarif'])
def test_only_what_failed_is_the_whole_upgrade(name: str) -> None:
    results = results_of(output_of(EACH_ITEM))
    assert FORMATS[name](results, Style(width=200, only_failed=True)) == FORMATS[name](results, STYLE)


def test_many_nodes_are_counted_and_those_that_would_not_start_are_named() -> None:
    nodes = [output_of(BLOCKED, 'a'), output_of(STARTS, 'b'), output_of(UNDECIDED, 'c'), NotEvaluated('d', 'no proc')]
    results = results_of(*nodes, are_many=True)
    lines = FORMATS['text'](results, STYLE).split('\n')
    assert lines[:2] == ['4 nodes, upgrade to 1.37', '1 would start, 1 would not start, 2 unknown']
    text = '\n'.join(lines)
    assert '\n      1  featureGates.X: is gone\n         a\n' in text
    assert '\n      1  no reason: ask\n         c\n' in text and '\n      1  no proc\n         d' in text
    assert results.exit_status == 1
    for name in ('json', 'junit', 'sarif'):
        assert FORMATS[name](results, STYLE)


def test_an_item_of_many_nodes_is_there_once_and_names_as_many_as_fit() -> None:
    results = results_of(*(output_of(BLOCKED, f'n{number}') for number in range(300)), are_many=True)
    shown = FORMATS['text'](results, Style(width=80))
    assert (
        shown.count('featureGates.X: is gone') == 1 and '    300  featureGates.X: is gone\n         n0, n1, ' in shown
    )
    assert ' more\n' in shown and 'n299' not in shown
    assert 'n299' in FORMATS['text'](results, Style(width=200, is_verbose=True))
