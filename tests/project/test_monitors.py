# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The monitors: how they are grouped, what they say, and when they would alert."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from tests.support.assets import (
    ALERTS,
    BLIND,
    BROKEN,
    HOURS,
    MANIFEST,
    METRIC_MONITORS,
    MONITORS,
    NOT_UPGRADABLE,
    PREFIX,
    SERVICE_CHECKS,
    UPGRADABLE,
    fleet,
    tags_of,
)
from tools.agent import Collection
from tools.preview.evaluation import Series, Store, fires
from tools.preview.fleet import GOOD, Node, State, run_check, store_of
from tools.preview.queries import MetricAlert, ServiceCheckAlert, iter_metrics, parse_monitor
from tools.preview.widgets import monitor_states

pytestmark = pytest.mark.same_for_every_user

KEYS = {'version', 'created_at', 'last_updated_at', 'title', 'description', 'tags', 'definition'}
DEFINITION_KEYS = {'message', 'name', 'options', 'query', 'tags', 'type'}
BLOCK = re.compile(r'\{\{([#^/])(is_[a-z_]+)(?: "([a-z_.]+)" "")?\}\}')
TEXT_VARIABLE = re.compile(r'\{\{([a-z_.]+)\}\}')
ROUNDED = re.compile(r'\{\{eval "(floor|round)\(value\)"\}\}')
ALWAYS_KNOWN = {'threshold', 'warn_threshold'}
ONLY_OF_SOME_TYPES = {'on_missing_data', 'group_retention_duration'}
"""Options that neither metric monitors nor those of service checks have: see the API's MonitorOptions."""


def blocks(message: str, name: str) -> str:
    """What a message says in the blocks of this name."""
    return '\n'.join(re.findall(rf'\{{\{{#{name}\}}\}}(.*?)\{{\{{/{name}\}}\}}', message, re.DOTALL))


def keys_of(alert: MetricAlert | ServiceCheckAlert) -> tuple[str, ...]:
    """What a monitor is grouped by."""
    if isinstance(alert, ServiceCheckAlert):
        return alert.by
    [keys] = {metric.by for metric in iter_metrics(alert.expression)}
    return keys


def test_the_monitors_are_these() -> None:
    assert set(MONITORS) == {
        'compliance_unknown',
        'compliant_share_falls',
        'compliant_share_falls_without_cluster',
        'iptables_rule_not_compliant',
        'kubelet_gone',
        'nested_rule_not_compliant',
        'restart_pending',
        'rule_not_compliant',
        'upgrade_blocked',
    }


@pytest.mark.parametrize('monitor', MONITORS.values(), ids=list(MONITORS))
def test_monitor_is_of_the_current_schema(monitor: dict[str, Any]) -> None:
    assert set(monitor) == KEYS and set(monitor['definition']) == DEFINITION_KEYS
    assert monitor['version'] == 2
    assert date.fromisoformat(monitor['created_at']) <= date.fromisoformat(monitor['last_updated_at'])
    assert monitor['tags'] == monitor['definition']['tags'] == [f'integration:{MANIFEST["app_id"]}']
    assert 20 < len(monitor['title']) <= 90 and 100 < len(monitor['description']) <= 300
    assert monitor['definition']['name'].startswith('[Kubelet Compliance] ')


@pytest.mark.parametrize('name', MONITORS)
def test_monitor_is_grouped_and_agrees_with_its_thresholds(name: str) -> None:
    definition, alert = MONITORS[name]['definition'], ALERTS[name]
    thresholds = definition['options']['thresholds']
    if isinstance(alert, ServiceCheckAlert):
        assert definition['type'] == 'service check'
        assert set(SERVICE_CHECKS[alert.check]['groups']) == {'host', 'rule'} <= set(alert.by)
        assert alert.last > max(thresholds.values()) and set(thresholds) == {'ok', 'warning', 'critical'}
        assert min(thresholds.values()) > 1, 'one collection must not be enough'
        return
    assert definition['type'] == 'query alert'
    assert alert.threshold == thresholds['critical']
    if 'critical_recovery' in thresholds:
        assert (thresholds['critical_recovery'] > alert.threshold) == (alert.comparator in ('<', '<='))


@pytest.mark.parametrize('name', MONITORS)
def test_results_of_two_benchmarks_are_in_two_groups(name: str, emitted: Collection) -> None:
    alert = ALERTS[name]
    if isinstance(alert, ServiceCheckAlert):
        tags = tags_of(emitted.service_checks)[alert.check]
    else:
        [metric] = iter_metrics(alert.expression)
        tags = tags_of(emitted.metrics)[metric.name]
    assert ('benchmark' in keys_of(alert)) == ('benchmark' in tags)


@pytest.mark.parametrize('name', MONITORS)
def test_only_the_monitor_for_nested_kubelets_needs_a_tag_that_other_nodes_do_not_send(name: str) -> None:
    """A monitor has no group for what lacks a tag of its grouping."""
    sent = run_check(GOOD)
    tags = {tag.partition(':')[0] for each in (*sent.metrics, *sent.service_checks) for tag in each.tags}
    missing = set(keys_of(ALERTS[name])) - tags - {'host'}
    needed = {'nested_rule_not_compliant': {'kubelet'}, 'compliant_share_falls': {'kube_cluster_name'}}
    assert missing == needed.get(name, set())


@pytest.mark.parametrize('name', [name for name in METRIC_MONITORS if 'host' in keys_of(ALERTS[name])])
def test_of_several_kubelets_on_a_host_the_worst_counts(name: str) -> None:
    alert = ALERTS[name]
    assert isinstance(alert, MetricAlert)
    assert {metric.aggregator for metric in iter_metrics(alert.expression)} == {'max'}


@pytest.mark.parametrize('name', [name for name in MONITORS if name not in METRIC_MONITORS])
def test_a_rule_sends_one_alert_with_its_nodes_however_many_they_are(name: str) -> None:
    definition, alert = MONITORS[name]['definition'], ALERTS[name]
    assert definition['options']['notify_by'] == ['rule'] and set(definition['options']['notify_by']) <= set(alert.by)
    for block in ('is_alert', 'is_warning'):
        assert '{{host.name}}' in blocks(definition['message'], block)
        assert '{{check_message}}' in blocks(definition['message'], block)


@pytest.mark.parametrize('monitor', MONITORS.values(), ids=list(MONITORS))
def test_a_node_that_is_removed_leaves_without_a_word_of_compliance(monitor: dict[str, Any]) -> None:
    options = monitor['definition']['options']
    assert options['timeout_h'] == 2 and not options['notify_no_data']
    assert not ONLY_OF_SOME_TYPES & set(options)
    recovery = blocks(monitor['definition']['message'], 'is_recovery')
    assert recovery.strip().split('. ')[0].count('no longer reported') == 1
    assert 'removed' in recovery and 'Agent stopped' in recovery


@pytest.mark.parametrize('monitor', MONITORS.values(), ids=list(MONITORS))
def test_monitor_works_with_the_summary_of_metrics(monitor: dict[str, Any]) -> None:
    alert = parse_monitor(monitor['definition']['query'])
    sent = run_check(UPGRADABLE, {'metrics': 'summary'})
    if isinstance(alert, ServiceCheckAlert):
        assert alert.check in {each.name for each in sent.service_checks}
    else:
        assert {metric.name for metric in iter_metrics(alert.expression)} <= {each.name for each in sent.metrics}


@pytest.mark.parametrize('monitor', MONITORS.values(), ids=list(MONITORS))
def test_message_can_be_acted_on(monitor: dict[str, Any]) -> None:
    message = monitor['definition']['message']
    for heading in ('## What', '## Where', '## How to fix it', '## Why it matters'):
        assert heading in message or heading == '## Where' or 'Where, and how to fix it' in message, heading
    assert '{{#is_recovery}}' in message and ('{{#is_alert}}' in message)
    assert 'https://' in message
    if 'rule' in monitor['definition']['query'].partition('.by(')[2]:
        assert 'docs/rules.md#' in message


@pytest.mark.parametrize('name', MONITORS)
def test_message_is_well_formed(name: str) -> None:
    definition = MONITORS[name]['definition']
    keys = keys_of(ALERTS[name])
    known = ALWAYS_KNOWN | {f'{key}.name' for key in keys}
    known |= {'check_message'} if name not in METRIC_MONITORS else set()
    open_blocks: list[str] = []
    message = ROUNDED.sub('', definition['message'])
    for sign, block, variable in BLOCK.findall(message):
        if sign == '/':
            assert open_blocks.pop() == block
            continue
        assert block in {'is_alert', 'is_warning', 'is_recovery', 'is_match'}
        assert (block == 'is_match') == bool(variable)
        assert not variable or (variable == 'host.kube_cluster_name' and 'host' in keys)
        open_blocks.append(block)
    assert open_blocks == []
    cluster = re.compile(r'\{\{#is_match "host.kube_cluster_name" ""\}\}.*?\{\{/is_match\}\}')
    assert set(TEXT_VARIABLE.findall(cluster.sub('', message))) <= known
    assert '{{' not in BLOCK.sub('', TEXT_VARIABLE.sub('', message))
    assert '{{' not in definition['name']


def alert_of(name: str) -> tuple[MetricAlert, bool]:
    definition = MONITORS[name]['definition']
    alert = parse_monitor(definition['query'])
    assert isinstance(alert, MetricAlert)
    return alert, definition['options'].get('require_full_window', False)


def replay(name: str, *states: tuple[float, State | None], hours: float = 8) -> list[bool]:
    """Whether the monitor's condition holds for a node with these states, each from an hour on; every five minutes."""
    node = Node('n', 'one', 'pool', tuple((int(hour * 12), state) for hour, state in states))
    alert, full_window = alert_of(name)
    found = fires(alert, store_of([node], int(hours * 12), 300), full_window=full_window)
    return [any(each) for each in zip(*found.values(), strict=True)]


def first_hour(held: list[bool]) -> float:
    return held.index(True) / 12


@pytest.mark.parametrize('name', METRIC_MONITORS)
def test_a_restart_of_the_agent_changes_nothing(name: str) -> None:
    assert not any(replay(name, (0, GOOD), (6, None), (6.25, GOOD)))
    bad = {
        'compliance_unknown': BLIND,
        'compliant_share_falls': BROKEN,
        'restart_pending': State(changed_since_start=True),
    }
    if name in bad:
        held = replay(name, (0, bad[name]), (30, None), (30.25, bad[name]), hours=32)
        assert all(held[held.index(True) :])


@pytest.mark.parametrize('name', METRIC_MONITORS)
def test_hosts_that_never_had_a_kubelet_do_not_alert(name: str) -> None:
    assert not any(replay(name, (0, State(kubelet=False)), hours=30))


def test_unknown_alerts_after_an_hour_and_recovers() -> None:
    held = replay('compliance_unknown', (0, GOOD), (2, BLIND), (5, GOOD))
    assert first_hour(held) == pytest.approx(3, abs=0.1)
    assert not held[5 * 12]
    assert not any(replay('compliance_unknown', (0, GOOD), (2, BLIND), (2.5, GOOD)))


@pytest.mark.parametrize(
    'name, state, hours', [('compliance_unknown', BLIND, 1), ('restart_pending', State(changed_since_start=True), 24)]
)
def test_a_new_node_has_the_same_time(name: str, state: State, hours: float) -> None:
    assert first_hour(replay(name, (0, state), hours=30)) == pytest.approx(hours, abs=0.1)


def test_a_kubelet_that_is_gone_alerts_and_recovers() -> None:
    held = replay('kubelet_gone', (0, GOOD), (5, State(kubelet=False)), (6, GOOD), hours=12)
    assert first_hour(held) == pytest.approx(5.2, abs=0.1)
    assert not any(held[6 * 12 + 1 :])
    assert not any(replay('kubelet_gone', (0, GOOD), (5, State(kubelet=False)), (5.1, GOOD), hours=12))


def test_a_second_kubelet_that_ends_is_not_one_that_is_gone() -> None:
    alert, _ = alert_of('kubelet_gone')
    counts = (2.0,) * 60 + (1.0,) * 60
    store = Store((Series(f'{PREFIX}kubelet.found', {'host': ('n',)}, counts),), len(counts), 300)
    assert not any(fires(alert, store)[(('host', 'n'),)])


def test_a_restart_alerts_when_it_is_pending_for_a_day() -> None:
    pending = State(changed_since_start=True)
    held = replay('restart_pending', (0, GOOD), (2, pending), (28, GOOD), hours=30)
    assert first_hour(held) == pytest.approx(26, abs=0.1)
    assert not held[28 * 12]
    assert not any(replay('restart_pending', (0, GOOD), (2, pending), (20, GOOD), (21, pending), hours=44))


def test_a_node_that_would_not_survive_the_upgrade_alerts_after_an_hour_and_recovers() -> None:
    held = replay('upgrade_blocked', (0, UPGRADABLE), (2, NOT_UPGRADABLE), (5, UPGRADABLE))
    assert first_hour(held) == pytest.approx(3, abs=0.1)
    assert not held[5 * 12]
    assert not any(replay('upgrade_blocked', (0, GOOD), (2, BROKEN)))


@pytest.mark.parametrize('after', [BLIND, BROKEN], ids=['unreadable', 'broken'])
def test_the_share_alerts_when_nodes_break_or_become_unreadable(after: State) -> None:
    alert, full_window = alert_of('compliant_share_falls')
    [held] = fires(alert, fleet(GOOD, after, good=8, changing=2), full_window=full_window).values()
    assert not any(held[: HOURS * 6]) and held[-1]
    [still] = fires(alert, fleet(GOOD, None, good=8, changing=2), full_window=full_window).values()
    assert not any(still), 'nodes that are taken away are no fall'


@pytest.mark.parametrize(
    'cluster, name, other',
    [
        pytest.param('one', 'compliant_share_falls', 'compliant_share_falls_without_cluster', id='in a cluster'),
        pytest.param('', 'compliant_share_falls_without_cluster', 'compliant_share_falls', id='without a cluster'),
    ],
)
def test_every_host_counts_in_one_of_the_shares(cluster: str, name: str, other: str) -> None:
    half = HOURS * 6
    nodes = [Node(f'a{number}', cluster, 'pool', ((0, GOOD), (half, BROKEN))) for number in range(3)]
    store = store_of(nodes, half * 2, 300)
    [held] = fires(alert_of(name)[0], store).values()
    assert not held[0] and held[-1]
    assert not fires(alert_of(other)[0], store)


def test_a_benchmark_that_is_unknown_is_not_hidden_by_one_that_is_known() -> None:
    keys: tuple[tuple[str, float], ...] = (('cis-1.24', 0.0), ('cis-1.12', 3.0))
    series = [
        Series(
            f'{PREFIX}rules',
            {'host': ('n',), 'benchmark': (benchmark,), 'verdict': ('unknown',)},
            (value,) * 24,
        )
        for benchmark, value in keys
    ]
    alert, full_window = alert_of('compliance_unknown')
    held = fires(alert, Store(tuple(series), 24, 300), full_window=full_window)
    assert {dict(group)['benchmark']: each[-1] for group, each in held.items()} == {'cis-1.24': False, 'cis-1.12': True}


def test_which_monitors_alert_at_the_end_of_the_simulated_week(story: tuple[tuple[Node, ...], Store]) -> None:
    nodes, store = story
    definitions = [monitor['definition'] for monitor in MONITORS.values()]
    states = monitor_states(definitions, nodes, store)
    alerting = {name for name, monitor in MONITORS.items() if states[monitor['definition']['name']] == 'ALERT'}
    assert len(states) == len(MONITORS)
    assert alerting == {
        'compliance_unknown',
        'iptables_rule_not_compliant',
        'restart_pending',
        'rule_not_compliant',
        'upgrade_blocked',
    }
