# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The dashboard and the monitors: that Datadog would take them, that the check feeds them, and what they would show."""

from __future__ import annotations

import copy
import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from datadog_api_client import Configuration
from datadog_api_client.model_utils import OpenApiModel, UnparsedObject, validate_and_convert_types
from datadog_api_client.v1.model.dashboard import Dashboard
from datadog_api_client.v1.model.monitor import Monitor

from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from tests.support.paths import ROOT
from tools.agent import Collection, Sent
from tools.preview import render
from tools.preview.evaluation import Series, Store, evaluate, fires, last
from tools.preview.fleet import GOOD, Node, State, run_check, store_of, tags_by_key
from tools.preview.queries import (
    Binary,
    Call,
    Expression,
    Metric,
    MetricAlert,
    Reference,
    ServiceCheckAlert,
    Tag,
    Variable,
    iter_metrics,
    parse_monitor,
    parse_query,
    parse_scope,
)
from tools.preview.story import STEP, STEPS, tell_story
from tools.preview.widgets import (
    evaluate_request,
    evaluate_scalars,
    formulas_of,
    iter_widgets,
    requests_of,
    statuses_now,
)

MANIFEST = json.loads((ROOT / 'manifest.json').read_text())
SERVICE_CHECKS = {row['check']: row for row in json.loads((ROOT / 'assets' / 'service_checks.json').read_text())}
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(ROOT.glob('assets/dashboards/*.json'))}
MONITORS = {path.stem: json.loads(path.read_text()) for path in sorted(ROOT.glob('assets/monitors/*.json'))}
DASHBOARD = DASHBOARDS['kubelet_compliance_overview']
ALL: dict[str, None] = {variable['name']: None for variable in DASHBOARD['template_variables']}
WIDGETS = [each for each in iter_widgets(DASHBOARD['widgets']) if each['type'] not in ('group', 'note')]
NUMBERS = [widget for widget in WIDGETS if widget['type'] in ('query_value', 'toplist', 'query_table')]
GRAPHS = [widget for widget in WIDGETS if widget['type'] in ('timeseries', 'hostmap')]
PREFIX = 'kubelet_compliance.'
REPOSITORY = 'https://github.com/DataDog/integrations-extras/blob/master/kubelet_compliance'

HOST_TAGS = {'host', 'kube_cluster_name', 'node_pool'}
"""Tags that the Agent adds by itself, and `node_pool`, which the dashboard says how to set."""

BLIND = State(readable=False)
BROKEN = State(iptables_drop_in='false')
RUNS = (
    GOOD,
    BLIND,
    BROKEN,
    State(iptables_flag='false'),
    State(changed_since_start=True),
    State(kubelet=False),
    State(protect_kernel_defaults=False, exempted=('protect_kernel_defaults',)),
)


@pytest.fixture(scope='module')
def emitted() -> Collection:
    """All that the check sends over nodes of every kind."""
    runs = [run_check(state) for state in RUNS]
    return Collection(
        tuple(sent for run in runs for sent in run.metrics),
        tuple(sent for run in runs for sent in run.service_checks),
    )


@pytest.fixture(scope='module')
def story() -> tuple[tuple[Node, ...], Store]:
    nodes = tell_story()
    return nodes, store_of(nodes, STEPS, STEP)


def title_of(widget: dict[str, Any]) -> str:
    return f'{widget["type"]}: {widget["title"]}'


def load(model: type[OpenApiModel], raw: Any) -> OpenApiModel:
    """Read JSON as the client reads an answer, but accept nothing that its models do not know."""
    loaded = validate_and_convert_types(raw, (model,), ['asset'], True, True, Configuration())
    assert isinstance(loaded, model)
    refuse_unknown(loaded, 'asset')
    assert loaded.to_dict() == raw
    return loaded


def refuse_unknown(value: Any, path: str) -> None:
    """The client keeps what it does not know, as UnparsedObject or as one more attribute."""
    if isinstance(value, UnparsedObject):
        raise ValueError(f'{path} is not understood')
    if isinstance(value, OpenApiModel):
        inner = getattr(value, '_composed_instances', None)
        if inner is not None:
            assert len(inner) == 1, path
            refuse_unknown(inner[0], path)
            return
        data = value._data_store
        if value._unparsed:
            raise ValueError(f'{path} is not understood: {data}')
        unknown = set(data) - set(value.openapi_types)
        if unknown:
            raise ValueError(f'{path} has unknown fields: {unknown}')
        for name, each in data.items():
            refuse_unknown(each, f'{path}.{name}')
    elif isinstance(value, list):
        for at, each in enumerate(value):
            refuse_unknown(each, f'{path}[{at}]')


def test_dashboard_is_one_for_the_client() -> None:
    assert set(DASHBOARDS) == {'kubelet_compliance_overview'}
    load(Dashboard, DASHBOARD)


@pytest.mark.parametrize('name', MONITORS)
def test_monitor_is_one_for_the_client(name: str) -> None:
    load(Monitor, MONITORS[name]['definition'])


def iter_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from iter_places(child, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def reduced(raw: Any, path: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The dashboard with the one widget that the path leads to, and the path in it: loading all takes its time."""
    if path[:1] != ('widgets',) or len(path) < 6 or path[2:4] != ('definition', 'widgets'):
        return raw, path
    group = raw['widgets'][path[1]]
    inner = {**group['definition'], 'widgets': [group['definition']['widgets'][path[4]]]}
    return {**raw, 'widgets': [{**group, 'definition': inner}]}, ('widgets', 0, *path[2:4], 0, *path[5:])


def spoilt(raw: Any, path: tuple[Any, ...], *, unknown: bool) -> Any:
    """A copy with an unknown field in the object at the path, or with an object in place of the scalar there."""
    copied = copy.deepcopy(raw)
    if unknown:
        at(copied, path)['no_such_field'] = 1
    else:
        at(copied, path[:-1])[path[-1]] = {'not': 'this'}
    return copied


def kinds_of_places(raw: Any) -> dict[Any, tuple[Any, ...]]:
    """One place for each kind: the path without numbers, and the type of the widget that it stands in."""
    kinds: dict[Any, tuple[Any, ...]] = {}
    for path in iter_places(raw):
        types = [
            at(raw, path[:length]).get('type')
            for length in range(len(path))
            if isinstance(at(raw, path[:length]), dict)
        ]
        kinds.setdefault((tuple(key for key in path if isinstance(key, str)), tuple(types)), path)
    return kinds


@pytest.mark.parametrize(
    'model, raw',
    [(Dashboard, DASHBOARD), *((Monitor, monitor['definition']) for monitor in MONITORS.values())],
    ids=[*DASHBOARDS, *MONITORS],
)
def test_loading_is_strict_at_every_place(model: type[OpenApiModel], raw: Any) -> None:
    accepted = []
    for path in kinds_of_places(raw).values():
        value = at(raw, path)
        if isinstance(value, list):
            continue
        whole, place = reduced(raw, path)
        if len(path) == 6:
            load(model, whole)
        try:
            load(model, spoilt(whole, place, unknown=isinstance(value, dict)))
        except (ValueError, TypeError, AssertionError):
            continue
        accepted.append(path)
    assert accepted == []


def test_manifest_names_every_asset_and_no_other() -> None:
    assert set(MANIFEST['assets']['dashboards'].values()) == {f'assets/dashboards/{name}.json' for name in DASHBOARDS}
    assert set(MANIFEST['assets']['monitors'].values()) == {f'assets/monitors/{name}.json' for name in MONITORS}
    assert set(MANIFEST['assets']['dashboards']) == {dashboard['title'] for dashboard in DASHBOARDS.values()}
    assert set(MANIFEST['assets']['monitors']) == {monitor['title'] for monitor in MONITORS.values()}


def test_pictures_of_the_tile_are_pictures() -> None:
    media = MANIFEST['tile']['media']
    assert media
    for medium in media:
        assert set(medium) == {'media_type', 'caption', 'image_url'} and medium['media_type'] == 'image'
        picture = (ROOT / medium['image_url']).read_bytes()
        width, height = (int.from_bytes(picture[offset : offset + 4], 'big') for offset in (16, 20))
        assert picture.startswith(b'\x89PNG\r\n') and width >= 1200 and height >= 500
        assert len(picture) < 1_000_000


def rectangles(widgets: list[dict[str, Any]]) -> list[tuple[int, int, int, int]]:
    return [tuple(widget['layout'][key] for key in ('x', 'y', 'width', 'height')) for widget in widgets]  # type: ignore[misc]


@pytest.mark.parametrize('widgets, columns', [
    (DASHBOARD['widgets'], 12),
    *((each['definition']['widgets'], each['layout']['width']) for each in DASHBOARD['widgets']),
])  # fmt: skip
def test_widgets_fill_the_grid_without_overlap(widgets: list[dict[str, Any]], columns: int) -> None:
    cells = [
        (x + column, y + row)
        for x, y, width, height in rectangles(widgets)
        for column in range(width)
        for row in range(height)
    ]
    rows = max(y for _, y in cells) + 1
    assert sorted(cells) == sorted((x, y) for x in range(columns) for y in range(rows))


def test_groups_are_as_high_as_what_they_hold_and_ids_are_distinct() -> None:
    for group in DASHBOARD['widgets']:
        inner = rectangles(group['definition']['widgets'])
        assert group['layout']['height'] == max(y + height for _, y, _, height in inner) + 1
    ids = [widget['id'] for group in DASHBOARD['widgets'] for widget in (group, *group['definition']['widgets'])]
    assert len(ids) == len(set(ids))


def test_every_widget_says_what_it_shows() -> None:
    assert [title_of(widget) for widget in WIDGETS if len(widget.get('description', '')) < 20] == []
    for group in DASHBOARD['widgets']:
        titles = [title_of(each) for each in iter_widgets(group['definition']['widgets']) if 'title' in each]
        assert len(titles) == len(set(titles))


def test_numbers_are_of_now_whatever_time_is_chosen() -> None:
    """Else a series that has ended would go on to be counted: one with the `set_by` of a week ago."""
    assert [title_of(widget) for widget in NUMBERS if widget.get('time') != {'live_span': '15m'}] == []


def queries() -> list[tuple[str, Expression]]:
    """Every query of the dashboard and of the monitors, with where it stands."""
    found = [
        (title_of(widget), parse_query(query['query']))
        for widget in WIDGETS
        for request in requests_of(widget)
        for query in request['queries']
    ]
    alerts = [(name, parse_monitor(monitor['definition']['query'])) for name, monitor in MONITORS.items()]
    return found + [(name, alert.expression) for name, alert in alerts if isinstance(alert, MetricAlert)]


NO_POD = Tag('kube_namespace', ('*',), is_excluded=True)
"""Every pod has a namespace, and the Agent tags what a pod's own configuration sends with it."""


def metrics_in_queries() -> list[tuple[str, Metric]]:
    return [(where, metric) for where, query in queries() for metric in iter_metrics(query)]


def metadata() -> set[str]:
    with (ROOT / 'metadata.csv').open() as file:
        return {row['metric_name'] for row in csv.DictReader(file)}


def tags_of(sent: tuple[Sent, ...]) -> dict[str, dict[str, set[str]]]:
    """Name -> key -> values of the tags that the check sent with it."""
    found: dict[str, dict[str, set[str]]] = {}
    for each in sent:
        keys = found.setdefault(each.name, {})
        for key, values in tags_by_key(each.tags).items():
            keys.setdefault(key, set()).update(values)
    return found


def wrong_tags(scope: tuple[Tag | Variable, ...], by: tuple[str, ...], sent: dict[str, set[str]]) -> list[str]:
    """Of a query's tags those that are never sent with the metric or service check."""
    prefixes = {variable['name']: variable['prefix'] for variable in DASHBOARD['template_variables']}
    wrong = [key for key in by if key not in sent and key not in HOST_TAGS]
    for part in scope:
        key = part.key if isinstance(part, Tag) else prefixes[part.name]
        if key in HOST_TAGS or part == NO_POD:
            continue
        if key not in sent:
            wrong.append(key)
        elif isinstance(part, Tag):
            wrong += [f'{key}:{value}' for value in part.values if value not in sent[key]]
    return wrong


def test_every_metric_of_a_query_is_in_the_metadata_and_sent(emitted: Collection) -> None:
    used = {metric.name for _, metric in metrics_in_queries()}
    assert used <= metadata()
    assert used <= {sent.name for sent in emitted.metrics}


def test_every_tag_of_a_query_is_sent_with_its_metric(emitted: Collection) -> None:
    tags = tags_of(emitted.metrics)
    wrong = [(where, wrong_tags(metric.scope, metric.by, tags[metric.name])) for where, metric in metrics_in_queries()]
    assert [each for each in wrong if each[1]] == []


def test_every_metric_query_leaves_out_what_carries_the_tags_of_a_pod() -> None:
    """Service checks cannot: their scope takes whole tags only, and names no key without a value."""
    assert [(where, metric) for where, metric in metrics_in_queries() if NO_POD not in metric.scope] == []


def test_every_service_check_and_its_tags_are_sent(emitted: Collection) -> None:
    tags = tags_of(emitted.service_checks)
    assert set(tags) == set(SERVICE_CHECKS)
    for widget in (each for each in WIDGETS if each['type'] == 'check_status'):
        scope = tuple(part for text in widget['tags'] for part in parse_scope(text))
        assert wrong_tags(scope, tuple(widget['group_by']), tags[widget['check']]) == []
        assert set(widget['group_by']) <= set(SERVICE_CHECKS[widget['check']]['groups'])
    for monitor in MONITORS.values():
        alert = parse_monitor(monitor['definition']['query'])
        if isinstance(alert, ServiceCheckAlert):
            assert wrong_tags(alert.over, alert.by, tags[alert.check]) == []


def test_everything_that_is_sent_has_a_place_in_the_dashboard(emitted: Collection) -> None:
    queried = {metric.name for widget in WIDGETS for request in requests_of(widget) for query in request['queries']
               for metric in iter_metrics(parse_query(query['query']))}  # fmt: skip
    assert {sent.name for sent in emitted.metrics} == metadata() == queried
    shown = {widget['check'] for widget in WIDGETS if widget['type'] == 'check_status'}
    assert {sent.name for sent in emitted.service_checks} == set(SERVICE_CHECKS) == shown


def test_every_template_variable_is_used() -> None:
    used = {part.name for _, metric in metrics_in_queries() for part in metric.scope if isinstance(part, Variable)}
    assert used == set(ALL)
    assert {variable['prefix'] for variable in DASHBOARD['template_variables']} == {
        'kube_cluster_name',
        'node_pool',
        'benchmark',
        'rule',
    }


def test_formulas_name_their_queries() -> None:
    for widget in WIDGETS:
        for request in requests_of(widget):
            names = {query['name'] for query in request['queries']}
            assert {name for formula in formulas_of(request) for name in references(formula)} == names, widget['title']


def references(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Reference):
        yield expression.name
    elif isinstance(expression, Call):
        yield from references(expression.argument)
    elif isinstance(expression, Binary):
        yield from references(expression.left)
        yield from references(expression.right)


@pytest.mark.parametrize('widget', GRAPHS, ids=title_of)
def test_graph_has_data_behind_it(widget: dict[str, Any], story: tuple[tuple[Node, ...], Store]) -> None:
    for request in requests_of(widget):
        for result in evaluate_request(request, story[1], ALL):
            assert any(last(points) is not None for points in result.values())


@pytest.mark.parametrize('widget', NUMBERS, ids=title_of)
def test_number_has_data_behind_it(widget: dict[str, Any], story: tuple[tuple[Node, ...], Store]) -> None:
    assert evaluate_scalars(widget, story[1], ALL)


@pytest.mark.parametrize('widget', [each for each in WIDGETS if each['type'] == 'check_status'], ids=title_of)
def test_status_has_data_behind_it(widget: dict[str, Any], story: tuple[tuple[Node, ...], Store]) -> None:
    nodes, _ = story
    counts = statuses_now(widget, nodes, STEPS - 1, ALL)
    with_kubelet = len(nodes) - 1
    assert sum(counts.values()) in (len(nodes), with_kubelet, with_kubelet * len(RULES_OF_DEFAULT))
    assert statuses_now(widget, nodes, STEPS - 1, {**ALL, 'cluster': Tag('kube_cluster_name', ('elsewhere',))}) == {}


RULES_OF_DEFAULT = {sent.tags[0] for sent in run_check(GOOD).service_checks if sent.name == f'{PREFIX}rule'}


HOURS = 6


def fleet(before: State, after: State | None, good: int = 5, changing: int = 5) -> Store:
    """Nodes that stay good, and nodes that change half-way; a point every five minutes."""
    half = HOURS * 6
    steady = [Node(f'a{number}', 'one', 'pool', ((0, GOOD),)) for number in range(good)]
    moving = [Node(f'b{number}', 'one', 'pool', ((0, before), (half, after))) for number in range(changing)]
    return store_of([*steady, *moving], HOURS * 12, 300)


def goodness(widget: dict[str, Any], store: Store) -> list[tuple[float, float]]:
    """Of every share that a widget shows, at the start and at the end: how good it looks."""
    if widget['type'] in ('timeseries', 'hostmap'):
        results = [result for request in requests_of(widget) for result in evaluate_request(request, store, ALL)]
        pairs = [(points[0], points[-1]) for result in results for points in result.values()]
    else:
        start, end = (evaluate_scalars(widget, part, ALL) for part in (cut(store, 1), store))
        pairs = [(start.get(group), end.get(group)) for group in start | end]
    sign = -1 if '100 - ' in json.dumps(widget) else 1
    return [(sign * one, sign * other) for one, other in pairs if one is not None and other is not None]


def cut(store: Store, length: int) -> Store:
    return Store(tuple(replace(each, points=each.points[:length]) for each in store.series), length, store.step)


def is_share(widget: dict[str, Any]) -> bool:
    return any(
        '/' in formula['formula'] or 'avg:' in query['query']
        for request in requests_of(widget)
        for formula in request['formulas']
        for query in request['queries']
    )


SHARES = [widget for widget in WIDGETS if is_share(widget)]


def test_there_are_shares() -> None:
    assert {widget['title'] for widget in SHARES} == {
        'Share of compliant nodes',
        'Compliance over time',
        'Rules by share of affected nodes',
        'Clusters by share of compliant nodes',
    }


@pytest.mark.parametrize('widget', SHARES, ids=title_of)
def test_share_falls_when_nodes_become_unreadable(widget: dict[str, Any]) -> None:
    pairs = goodness(widget, fleet(GOOD, BLIND))
    assert pairs and all(before > after for before, after in pairs if not decided_by_flag(widget))


def decided_by_flag(widget: dict[str, Any]) -> bool:
    """`hostname_override` is a flag alone, so an unreadable file leaves it known."""
    return widget['title'].startswith('Rules by')


@pytest.mark.parametrize('widget', SHARES, ids=title_of)
def test_share_does_not_rise_when_bad_nodes_become_unreadable(widget: dict[str, Any]) -> None:
    pairs = goodness(widget, fleet(BROKEN, BLIND))
    assert pairs and all(before >= after for before, after in pairs)


def test_rules_fall_one_by_one_but_for_those_that_flags_decide() -> None:
    [widget] = [each for each in SHARES if decided_by_flag(each)]
    before, after = (evaluate_scalars(widget, part, ALL) for part in (cut(fleet(GOOD, BLIND), 1), fleet(GOOD, BLIND)))
    assert set(before.values()) == {0.0}
    assert {group[0][1] for group, value in after.items() if value != 50} == {'hostname_override'}


def test_the_headline_is_the_sum_of_the_compliant_over_the_kubelets_found() -> None:
    store = fleet(GOOD, BLIND, good=3)
    [headline] = [each for each in WIDGETS if each['title'] == 'Share of compliant nodes' and 'node.' in str(each)]
    by_hand = '100 * sum:kubelet_compliance.node.compliant{*} / sum:kubelet_compliance.kubelet.found{*}'
    assert evaluate_scalars(headline, store, ALL) == {(): 37.5}
    assert last(evaluate(parse_query(by_hand), store)[()]) == 37.5


def test_two_benchmarks_on_a_node_are_no_pass() -> None:
    """One that all meet and one that none meets: the sum over the kubelets would be 100 %."""
    sent = [
        Series(f'{PREFIX}kubelet.found', {'host': ('a',)}, (1.0,)),
        Series(f'{PREFIX}node.compliant', {'host': ('a',), 'benchmark': ('cis-1.24',)}, (1.0,)),
        Series(f'{PREFIX}node.compliant', {'host': ('a',), 'benchmark': ('cis-1.12',)}, (0.0,)),
    ]
    store = Store(tuple(sent), 1, 300)
    shown = {each['title']: evaluate_scalars(each, store, ALL) for each in NUMBERS if 'node.compliant' in str(each)}
    assert shown['Share of compliant nodes'] == {(): 50}
    assert shown['Compliant nodes'] == {(): 0}


def test_a_share_over_the_known_would_rise() -> None:
    """The test above has teeth: what it forbids does go wrong on the same fleet."""
    known = (
        'sum:kubelet_compliance.rules{verdict:compliant} / '
        '(sum:kubelet_compliance.rules{verdict:compliant} + sum:kubelet_compliance.rules{verdict:non_compliant})'
    )
    points = evaluate(parse_query(known), fleet(BROKEN, BLIND))[()]
    first, newest = points[0], points[-1]
    assert first is not None and newest is not None and newest > first


@pytest.mark.parametrize('state', [state for state in RUNS if state.kubelet], ids=str)
def test_every_kubelet_found_is_in_every_denominator(state: State) -> None:
    sent = run_check(state).metrics
    [found] = [each.value for each in sent if each.name == f'{PREFIX}kubelet.found']
    judged = [each for each in sent if each.name == f'{PREFIX}node.compliant']
    rules = [each.value for each in sent if each.name == f'{PREFIX}rules']
    assert found == len(judged) == 1 and sum(rules) == len(RULES_OF_DEFAULT)


def test_nothing_is_divided_by_or_averaged_over_the_known_alone() -> None:
    denominators = [
        metric
        for _, expression in [*queries(), *resolved_formulas()]
        for division in divisions(expression)
        for metric in iter_metrics(division.right)
    ]
    averaged = [metric.name for _, metric in metrics_in_queries() if metric.aggregator == 'avg']
    assert denominators and averaged
    assert all(not any(isinstance(part, Tag) and part.key == 'verdict' for part in each.scope) for each in denominators)
    assert {each.name for each in denominators} <= {f'{PREFIX}rules', f'{PREFIX}kubelet.found'}
    assert set(averaged) <= {f'{PREFIX}node.compliant', f'{PREFIX}rule.compliant'}  # sent for unknown ones too


def resolved_formulas() -> Iterator[tuple[str, Expression]]:
    """Each formula, with its queries in place of their names."""
    for widget in WIDGETS:
        for request in requests_of(widget):
            named = {query['name']: parse_query(query['query']) for query in request['queries']}
            yield from ((title_of(widget), resolved(formula, named)) for formula in formulas_of(request))


def resolved(expression: Expression, named: dict[str, Expression]) -> Expression:
    if isinstance(expression, Reference):
        return named[expression.name]
    if isinstance(expression, Call):
        return replace(expression, argument=resolved(expression.argument, named))
    if isinstance(expression, Binary):
        return replace(expression, left=resolved(expression.left, named), right=resolved(expression.right, named))
    return expression


def divisions(expression: Expression) -> Iterator[Binary]:
    if isinstance(expression, Call):
        yield from divisions(expression.argument)
    elif isinstance(expression, Binary):
        if expression.operator == '/':
            yield expression
        yield from divisions(expression.left)
        yield from divisions(expression.right)


KEYS = {'version', 'created_at', 'last_updated_at', 'title', 'description', 'tags', 'definition'}
DEFINITION_KEYS = {'message', 'name', 'options', 'query', 'tags', 'type'}
BLOCK = re.compile(r'\{\{([#^/])(is_[a-z_]+)\}\}')
TEXT_VARIABLE = re.compile(r'\{\{([a-z_.]+)\}\}')
ALWAYS_KNOWN = {'value', 'threshold', 'warn_threshold', 'check_message'}


def test_the_monitors_are_these() -> None:
    assert set(MONITORS) == {
        'compliance_unknown',
        'compliant_share_falls',
        'iptables_rule_not_compliant',
        'kubelet_gone',
        'restart_pending',
        'rule_not_compliant',
    }


@pytest.mark.parametrize('monitor', MONITORS.values(), ids=list(MONITORS))
def test_monitor_is_of_the_current_schema(monitor: dict[str, Any]) -> None:
    assert set(monitor) == KEYS and set(monitor['definition']) == DEFINITION_KEYS
    assert monitor['version'] == 2
    assert date.fromisoformat(monitor['created_at']) <= date.fromisoformat(monitor['last_updated_at'])
    assert monitor['tags'] == monitor['definition']['tags'] == ['integration:kubelet_compliance']
    assert 20 < len(monitor['title']) <= 90 and 100 < len(monitor['description']) <= 300
    assert monitor['definition']['name'].startswith('[Kubelet Compliance] ')


@pytest.mark.parametrize('monitor', MONITORS.values(), ids=list(MONITORS))
def test_monitor_is_grouped_and_agrees_with_its_thresholds(monitor: dict[str, Any]) -> None:
    definition = monitor['definition']
    alert, thresholds = parse_monitor(definition['query']), definition['options']['thresholds']
    if isinstance(alert, ServiceCheckAlert):
        assert definition['type'] == 'service check'
        assert list(alert.by) == SERVICE_CHECKS[alert.check]['groups'] == ['host', 'rule']
        assert alert.last > max(thresholds.values()) and set(thresholds) == {'ok', 'warning', 'critical'}
        assert min(thresholds.values()) > 1, 'one collection must not be enough'
        return
    assert definition['type'] == 'query alert'
    assert alert.threshold == thresholds['critical']
    grouped = {metric.by for metric in iter_metrics(alert.expression)}
    assert grouped in ({('host',)}, {('kube_cluster_name', 'benchmark')})
    if 'critical_recovery' in thresholds:
        assert (thresholds['critical_recovery'] > alert.threshold) == (alert.comparator in ('<', '<='))


@pytest.mark.parametrize('monitor', MONITORS.values(), ids=list(MONITORS))
def test_monitor_works_with_the_summary_of_metrics(monitor: dict[str, Any]) -> None:
    alert = parse_monitor(monitor['definition']['query'])
    sent = run_check(GOOD, {'metrics': 'summary'})
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
        assert 'docs/rules.md#' in message and '{{check_message}}' in message


@pytest.mark.parametrize('monitor', MONITORS.values(), ids=list(MONITORS))
def test_message_is_well_formed(monitor: dict[str, Any]) -> None:
    definition = monitor['definition']
    open_blocks: list[str] = []
    for sign, name in BLOCK.findall(definition['message']):
        if sign == '/':
            assert open_blocks.pop() == name
        else:
            assert name in {'is_alert', 'is_warning', 'is_recovery'}
            open_blocks.append(name)
    assert open_blocks == []
    alert = parse_monitor(definition['query'])
    keys = alert.by if isinstance(alert, ServiceCheckAlert) else next(iter_metrics(alert.expression)).by
    known = ALWAYS_KNOWN | {f'{key}.name' for key in keys} | ({'host.kube_cluster_name'} if 'host' in keys else set())
    assert set(TEXT_VARIABLE.findall(definition['message'])) <= known
    assert '{{' not in definition['name']


def links() -> list[str]:
    """The targets of every link in a message or note."""
    texts = [monitor['definition']['message'] for monitor in MONITORS.values()]
    texts += [each['content'] for each in iter_widgets(DASHBOARD['widgets']) if each['type'] == 'note']
    assert all('](' in text for text in texts[: len(MONITORS)])
    return sorted({link for text in texts for link in re.findall(r'\]\(([^)]+)\)', text)})


@pytest.mark.parametrize('link', links())
def test_link_leads_somewhere(link: str) -> None:
    page, _, heading = link.partition('#')
    if page.startswith('/check/summary?service_check='):
        assert page.partition('=')[2] in SERVICE_CHECKS
    elif page == 'https://docs.datadoghq.com/integrations/kubelet_compliance/':
        assert not heading or f'## {heading.capitalize()}\n' in (ROOT / 'README.md').read_text()
    else:
        assert page.startswith(f'{REPOSITORY}/')
        text = (ROOT / page.removeprefix(f'{REPOSITORY}/')).read_text()
        headings = RULES_BY_KEY if heading == '{{rule.name}}' else [heading] if heading else []
        assert [each for each in headings if f'\n## {each}\n' not in text] == []


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


METRIC_MONITORS = [name for name in MONITORS if isinstance(parse_monitor(MONITORS[name]['definition']['query']), MetricAlert)]  # noqa: E501  # fmt: skip


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


@pytest.mark.parametrize('after', [BLIND, BROKEN], ids=['unreadable', 'broken'])
def test_the_share_alerts_when_nodes_break_or_become_unreadable(after: State) -> None:
    alert, full_window = alert_of('compliant_share_falls')
    [held] = fires(alert, fleet(GOOD, after, good=8, changing=2), full_window=full_window).values()
    assert not any(held[: HOURS * 6]) and held[-1]
    [still] = fires(alert, fleet(GOOD, None, good=8, changing=2), full_window=full_window).values()
    assert not any(still), 'nodes that are taken away are no fall'


def test_preview_draws_every_widget_of_the_dashboard() -> None:
    page = render.page('the library')
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None and 'the library' in page
    groups = json.loads(found[1])['groups']
    drawn = [(each['type'], each['title']) for group in groups for each in (group, *group['widgets'])]
    assert drawn == [(each['type'], each.get('title', '')) for each in iter_widgets(DASHBOARD['widgets'])]
    assert not re.search(r'\bsrc=|<link\b|@import|url\(', page), 'it must need nothing from elsewhere'
