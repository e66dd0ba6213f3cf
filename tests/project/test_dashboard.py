# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The dashboard: what it looks like, and what it would show over a fleet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.assets import (
    ALL,
    BLIND,
    BROKEN,
    DASHBOARD,
    GRAPHS,
    MONITORS,
    NUMBERS,
    PREFIX,
    RUNS,
    WIDGETS,
    fleet,
    metrics_in_queries,
    queries,
    title_of,
)
from tools.preview import render
from tools.preview.evaluation import Series, Store, evaluate, last
from tools.preview.fleet import GOOD, Node, State, run_check
from tools.preview.queries import Binary, Call, Expression, Reference, iter_metrics, parse_query
from tools.preview.scopes import Tag
from tools.preview.story import STEPS
from tools.preview.widgets import (
    evaluate_columns,
    evaluate_request,
    evaluate_scalars,
    formulas_of,
    iter_widgets,
    requests_of,
    statuses_now,
)

pytestmark = pytest.mark.same_for_every_user


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
        top = 3 if 'banner_img' in group['definition'] else 1
        assert group['layout']['height'] == max(y + height for _, y, _, height in inner) + top
    ids = [widget['id'] for group in DASHBOARD['widgets'] for widget in (group, *group['definition']['widgets'])]
    assert len(ids) == len(set(ids))


def test_every_widget_says_what_it_shows() -> None:
    assert [title_of(widget) for widget in WIDGETS if len(widget.get('description', '')) < 20] == []
    for group in DASHBOARD['widgets']:
        titles = [title_of(each) for each in iter_widgets(group['definition']['widgets']) if 'title' in each]
        assert len(titles) == len(set(titles))


GROUPS = {each['definition']['title']: each for each in DASHBOARD['widgets']}
SMALL_WORDS = {'and', 'by', 'for', 'in', 'of', 'on', 'or', 'per', 'the', 'to'}


def test_the_first_group_is_about_the_integration_and_has_no_data() -> None:
    about = DASHBOARD['widgets'][0]
    assert about['definition']['title'].startswith('About ') and about['layout']['width'] < 12
    assert about['definition']['banner_img'].startswith('/static/images/integration_dashboard/')
    assert {each['definition']['type'] for each in about['definition']['widgets']} == {'note'}


def test_the_overview_is_at_the_top_with_numbers_service_checks_and_a_monitor_summary() -> None:
    overview = GROUPS['Overview']
    assert overview['layout']['y'] == 0
    kinds = {each['definition']['type'] for each in overview['definition']['widgets']}
    assert kinds == {'query_value', 'check_status', 'manage_status'}
    [summary] = [each for each in WIDGETS if each['type'] == 'manage_status']
    tags = {tag for monitor in MONITORS.values() for tag in monitor['definition']['tags']}
    assert {summary['query']} == {f'tag:"{tag}"' for tag in tags}


def test_group_titles_are_in_title_case_and_widget_titles_in_sentence_case() -> None:
    for title in GROUPS:
        words = re.findall(r"[A-Za-z][A-Za-z'-]*", title)
        assert [word for word in words if word[0].islower() and word not in SMALL_WORDS] == []
    for widget in WIDGETS:
        first, *others = re.findall(r"[A-Za-z][A-Za-z_'-]*", widget['title'])
        assert first[0].isupper() and [word for word in others if word[0].isupper()] == []


def test_titles_are_concise() -> None:
    titles = [*GROUPS, *(widget['title'] for widget in WIDGETS)]
    assert [title for title in titles if 'number of' in title.lower()] == []
    assert [widget['title'] for widget in WIDGETS if 'kubelet compliance' in widget['title'].lower()] == []


def test_widgets_have_the_room_and_look_that_they_need() -> None:
    placed = [each for group in DASHBOARD['widgets'] for each in group['definition']['widgets']]
    graphs = [each['layout']['width'] for each in placed if each['definition']['type'] == 'timeseries']
    assert min(graphs) >= 4
    numbers = [each['definition'] for each in placed if each['definition']['type'] == 'query_value']
    assert all('timeseries_background' in each for each in numbers)
    assert all('gray' not in group['definition'].get('background_color', '') for group in DASHBOARD['widgets'])
    lines = [each for each in WIDGETS if each['type'] == 'timeseries']
    assert all('alias' in formula for each in lines for request in each['requests'] for formula in request['formulas'])


def test_numbers_are_of_now_whatever_time_is_chosen() -> None:
    """Else a series that has ended would go on to be counted: one with the `set_by` of a week ago."""
    assert [title_of(widget) for widget in NUMBERS if widget.get('time') != {'live_span': '15m'}] == []


@pytest.mark.parametrize('widget', GRAPHS, ids=title_of)
def test_graph_has_data_behind_it(widget: dict[str, Any], story: tuple[tuple[Node, ...], Store]) -> None:
    for request in requests_of(widget):
        for result in evaluate_request(request, story[1], ALL):
            assert any(last(points) is not None for points in result.values())


@pytest.mark.parametrize('widget', NUMBERS, ids=title_of)
def test_number_has_data_behind_it(widget: dict[str, Any], story: tuple[tuple[Node, ...], Store]) -> None:
    assert all(evaluate_columns(widget, story[1], ALL))


TABLES = [widget for widget in WIDGETS if widget['type'] == 'query_table']


@pytest.mark.parametrize('widget', TABLES, ids=title_of)
def test_table_separates_what_is_non_compliant_from_what_is_unknown(widget: dict[str, Any]) -> None:
    [request] = widget['requests']
    assert [each['alias'] for each in request['formulas']] == ['non-compliant', 'unknown']
    for state, broken, blind in [(GOOD, False, False), (BROKEN, True, False), (BLIND, False, True)]:
        non_compliant, unknown = evaluate_columns(widget, fleet(GOOD, state, good=1, changing=1), ALL)
        assert (bool(non_compliant), bool(unknown)) == (broken, blind)
        assert all(dict(group)['host'] == 'b0' for group in [*non_compliant, *unknown])
        assert {dict(group)['set_by'] for group in unknown} <= {'unknown'}


@pytest.mark.parametrize('widget', [each for each in WIDGETS if each['type'] == 'check_status'], ids=title_of)
def test_status_has_data_behind_it(widget: dict[str, Any], story: tuple[tuple[Node, ...], Store]) -> None:
    nodes, _ = story
    counts = statuses_now(widget, nodes, STEPS - 1, ALL)
    with_kubelet = len(nodes) - 1
    assert sum(counts.values()) in (len(nodes), with_kubelet, with_kubelet * len(RULES_OF_DEFAULT))
    assert statuses_now(widget, nodes, STEPS - 1, {**ALL, 'cluster': Tag('kube_cluster_name', ('elsewhere',))}) == {}


RULES_OF_DEFAULT = {sent.tags[0] for sent in run_check(GOOD).service_checks if sent.name == f'{PREFIX}rule'}


def test_the_fixes_of_the_rules_make_a_node_that_meets_every_rule() -> None:
    sent = run_check(GOOD)
    assert [each.tags for each in sent.service_checks if each.value] == []
    assert len(RULES_OF_DEFAULT) == len(select(None, None).rules)


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
        'Affected nodes per rule',
        'Compliant nodes per cluster',
    }


@pytest.mark.parametrize('widget', SHARES, ids=title_of)
def test_share_falls_when_nodes_become_unreadable(widget: dict[str, Any]) -> None:
    pairs = goodness(widget, fleet(GOOD, BLIND))
    assert pairs and all(before > after for before, after in pairs if not decided_by_flag(widget))


def decided_by_flag(widget: dict[str, Any]) -> bool:
    """Some rules are about a flag alone, so an unreadable file leaves them known."""
    return widget['title'] == 'Affected nodes per rule'


@pytest.mark.parametrize('widget', SHARES, ids=title_of)
def test_share_does_not_rise_when_bad_nodes_become_unreadable(widget: dict[str, Any]) -> None:
    pairs = goodness(widget, fleet(BROKEN, BLIND))
    assert pairs and all(before >= after for before, after in pairs)


def test_rules_fall_one_by_one_but_for_those_that_flags_decide() -> None:
    [widget] = [each for each in SHARES if decided_by_flag(each)]
    before, after = (evaluate_scalars(widget, part, ALL) for part in (cut(fleet(GOOD, BLIND), 1), fleet(GOOD, BLIND)))
    assert set(before.values()) == {0.0}
    rules = [rule for rule in select(None, None).rules if rule.fields]
    by_flags = {rule.key for rule in rules if all(field.startswith('--') for field in rule.fields)}
    assert {group[0][1] for group, value in after.items() if value != 50} == by_flags


def test_the_headline_is_the_sum_of_the_compliant_over_the_kubelets_found() -> None:
    store = fleet(GOOD, BLIND, good=3)
    [headline] = [each for each in WIDGETS if each['title'] == 'Share of compliant nodes' and 'node.' in str(each)]
    by_hand = '100 * sum:kubelet_compliance.node.compliant{*} / sum:kubelet_compliance.kubelet.found{*}'
    assert evaluate_scalars(headline, store, ALL) == {(): 37.5}
    assert last(evaluate(parse_query(by_hand), store)[()]) == 37.5


def counts_rules(widget: dict[str, Any]) -> bool:
    return f'{PREFIX}rules' in str(widget) or f'{PREFIX}node.compliant' in str(widget)


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


COUNTED = [each for each in WIDGETS if each['type'] in ('query_value', 'timeseries') and counts_rules(each)]


@pytest.mark.parametrize('widget', COUNTED, ids=title_of)
@pytest.mark.parametrize('own, custom', [(1.0, 0.0), (0.0, 1.0)])
def test_custom_rules_do_not_change_the_numbers_of_a_benchmark(
    widget: dict[str, Any], own: float, custom: float
) -> None:
    of_benchmark, of_custom = series_of('cis-1.24', own), series_of('custom', custom)
    alone, both = (Store(tuple(sent), 1, 300) for sent in (of_benchmark, [*of_benchmark, *of_custom]))
    for request in requests_of(widget):
        assert evaluate_request(request, both, ALL) == evaluate_request(request, alone, ALL)


def series_of(benchmark: str, compliant: float) -> list[Series]:
    """What one node sends for a benchmark with one rule for each result, or with compliant rules only."""
    tags = {'host': ('a',), 'benchmark': (benchmark,)}
    verdicts = ('compliant',) if compliant else ('compliant', 'non_compliant', 'unknown', 'exempted')
    return [
        Series(f'{PREFIX}node.compliant', tags, (compliant,)),
        *(Series(f'{PREFIX}rules', {**tags, 'verdict': (verdict,)}, (1.0,)) for verdict in verdicts),
    ]


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


def test_preview_draws_every_widget_of_the_dashboard() -> None:
    page = render.page('the library')
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None and 'the library' in page
    groups = json.loads(found[1])['groups']
    drawn = [(each['type'], each['title']) for group in groups for each in (group, *group['widgets'])]
    assert drawn == [(each['type'], each.get('title', '')) for each in iter_widgets(DASHBOARD['widgets'])]
    assert not re.search(r'\bsrc=|<link\b|@import|url\(', page), 'it must need nothing from elsewhere'
