# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The queries of dashboards and monitors: how they are parsed, and what they make of series."""

from __future__ import annotations

import pytest

from tools.preview.evaluation import Series, Store, evaluate
from tools.preview.queries import MetricAlert, ServiceCheckAlert, parse_monitor, parse_query, parse_window
from tools.preview.scopes import QueryError, Tag

pytestmark = pytest.mark.same_for_every_user


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('', id='nothing'),
        pytest.param('avg:a.b', id='no scope'),
        pytest.param('avg:a.b{}', id='an empty scope'),
        pytest.param('avg:a.b{*', id='a scope that does not end'),
        pytest.param('avg:a.b{x:y,z IN (a,b)}', id='a scope that is wrong'),
        pytest.param('a.b{*}', id='no aggregator'),
        pytest.param('mean:a.b{*}', id='an unknown aggregator'),
        pytest.param('avg:1a.b{*}', id='a metric that starts with a digit'),
        pytest.param('avg:a-b{*}', id='a metric with a dash'),
        pytest.param('avg:a.b{*} by host', id='groups without braces'),
        pytest.param('avg:a.b{*} by {}', id='no groups'),
        pytest.param('avg:a.b{*} by {host:x}', id='a group with a value'),
        pytest.param('avg:a.b{*} by {host} by {rule}', id='groups, twice'),
        pytest.param('avg:a.b{*}.rollup(min) by {host}', id='groups after a roll-up'),
        pytest.param('avg:a.b{*}.rollup(last)', id='a roll-up by an unknown aggregator'),
        pytest.param('avg:a.b{*}.rollup()', id='a roll-up by nothing'),
        pytest.param('avg:a.b{*}.rollup(60)', id='a roll-up by an interval alone'),
        pytest.param('avg:a.b{*}.rollup(avg, 0)', id='a roll-up over no time'),
        pytest.param('avg:a.b{*}.rollup(avg, 60, 3)', id='a roll-up by too much'),
        pytest.param('avg:a.b{*}.rollup(avg, 60).rollup(max, 600)', id='a roll-up of a roll-up'),
        pytest.param('avg:a.b{*}.fill(zero)', id='a method that the preview cannot do'),
        pytest.param('avg:a.b{*} avg:a.b{*}', id='no operator'),
        pytest.param('sqrt(avg:a.b{*})', id='an unknown function'),
        pytest.param('cutoff_max(avg:a.b{*})', id='a cut-off without a limit'),
        pytest.param('cutoff_max(avg:a.b{*}, 1, 2)', id='a cut-off with two limits'),
        pytest.param('cutoff_max(avg:a.b{*}, query1)', id='a cut-off at a query'),
        pytest.param('count_nonzero(avg:a.b{*} by {host}, 1)', id='a count with a limit'),
        pytest.param('count_nonzero(avg:a.b{*})', id='a count of no groups'),
        pytest.param('count_not_null(avg:a.b{*} by {host} + avg:a.b{*})', id='a count of groups and of none'),
        pytest.param('(avg:a.b{*}', id='no closing parenthesis'),
        pytest.param('1 +', id='nothing after an operator'),
        pytest.param('1 % 2', id='an unknown operator'),
    ],
)
def test_a_query_that_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse_query(text)


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('avg:a.b{*} > 1', id='no window'),
        pytest.param('avg(last_5):avg:a.b{*} > 1', id='a window without a unit'),
        pytest.param('avg(last_0m):avg:a.b{*} > 1', id='an empty window'),
        pytest.param('avg(last_8d):avg:a.b{*} > 1', id='a window of more than a week'),
        pytest.param('last(last_5m):avg:a.b{*} > 1', id='an unknown aggregator'),
        pytest.param('avg(last_5m):avg:a.b{*}', id='no threshold'),
        pytest.param('avg(last_5m):avg:a.b{*} = 1', id='an unknown operator'),
        pytest.param('avg(last_5m):avg:a.b{*} > x', id='a threshold that is no number'),
        pytest.param('avg(last_5m):avg:a.b{$x} > 1', id='a template variable'),
        pytest.param('avg(last_5m):avg:a.b{x:y AND NOT $x} > 1', id='a template variable deep inside'),
        pytest.param('avg(last_5m):avg:a.b{x:y,z IN (a)} > 1', id='a scope that is wrong'),
        pytest.param('change(avg(last_5m)):avg:a.b{*} > 1', id='a change since no time'),
        pytest.param('change(avg(last_5m),last_4h):avg:a.b{*} > 1', id='a change since a window'),
        pytest.param('change(avg(last_5m),3h_ago):avg:a.b{*} > 1', id='a change since a time that is not available'),
        pytest.param('change(avg(last_3d),1d_ago):avg:a.b{*} > 1', id='a change over a window that is too long'),
        pytest.param('"a.b".over("*").by("host").last(2)', id='statuses that are not counted'),
        pytest.param('"a.b".over("*").by("*").last(2).count_by_status()', id='every group'),
        pytest.param('"a.b".over("*").by("*",).last(2).count_by_status()', id='a comma after the last group'),
        pytest.param('"a.b".over("*").by("host","host").last(2).count_by_status()', id='a group, twice'),
        pytest.param('"a.b".over("*").last(2).count_by_status()', id='no group'),
        pytest.param('"a.b".over().by("host").last(2).count_by_status()', id='no scope'),
        pytest.param('"a.b".by("host").last(2).count_by_status()', id='no over'),
        pytest.param('"a.b".over("x").by("host").last(2).count_by_status()', id='a scope of a key alone'),
        pytest.param('"a.b".over("x:*").by("host").last(2).count_by_status()', id='a wildcard'),
        pytest.param('"a.b".over("!x:y").by("host").last(2).count_by_status()', id='an operator'),
        pytest.param('"a.b".over("x:y,z:w").by("host").last(2).count_by_status()', id='two tags in one'),
        pytest.param('"a.b".over("*").by("host").last(0).count_by_status()', id='no check run'),
        pytest.param('"a.b".over("*").by("host").last(101).count_by_status()', id='more than 100 check runs'),
    ],
)
def test_a_monitor_query_that_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse_monitor(text)


def test_the_parts_of_a_monitor_query() -> None:
    alert = parse_monitor('change(max(last_15m),4h_ago):avg:a.b{x:y AND NOT z:w} by {host} != -0.5')
    assert isinstance(alert, MetricAlert)
    assert (alert.aggregator, alert.window, alert.shift) == ('max', 900, 4 * 3600)
    assert (alert.comparator, alert.threshold) == ('!=', -0.5)
    statuses = parse_monitor('"a.b".over("x:y","z:w").by("host","rule").last(4).count_by_status()')
    expected = ServiceCheckAlert('a.b', (Tag('x', ('y',)), Tag('z', ('w',))), ('host', 'rule'), 4)
    assert statuses == expected


@pytest.mark.parametrize('text, seconds', [('last_5m', 300), ('last_2d', 172800), ('last_1w', 604800)])
def test_window(text: str, seconds: int) -> None:
    assert parse_window(text) == seconds


SAMPLE = Store(
    (
        Series('m', {'host': ('a',), 'color': ('red',)}, (1.0, 0.0, None)),
        Series('m', {'host': ('b',), 'color': ('red', 'blue')}, (3.0, 4.0, None)),
        Series('m', {'host': ('c',)}, (5.0, None, 6.0)),
    ),
    3,
    300,
)


@pytest.mark.parametrize(
    'text, expected',
    [
        ('avg:m{*}', {'': (3.0, 2.0, 6.0)}),
        ('sum:m{color:red}', {'': (4.0, 4.0, None)}),
        ('max:m{color IN (blue,green)}', {'': (3.0, 4.0, None)}),
        ('min:m{*} by {color}', {'red': (1.0, 0.0, None), 'blue': (3.0, 4.0, None)}),
        ('sum:m{$all} by {host}.rollup(min,60)', {'a': (1.0, 0.0, None), 'b': (3.0, 4.0, None), 'c': (5.0, None, 6.0)}),
        ('sum:m{$some}', {'': (1.0, 0.0, None)}),
        ('sum:m{color:green}', {}),
        ('sum:m{color:*}', {'': (4.0, 4.0, None)}),
        ('sum:m{!color:*}', {'': (5.0, None, 6.0)}),
        ('sum:m{!color:blue}', {'': (6.0, 0.0, 6.0)}),
        ('sum:m{color:red,!host:b}', {'': (1.0, 0.0, None)}),
        ('count_nonzero(sum:m{*} by {host})', {'': (3.0, 1.0, 1.0)}),
        ('count_not_null(sum:m{*} by {host})', {'': (3.0, 2.0, 1.0)}),
        ('cutoff_max(sum:m{*}, 4)', {'': (None, 4.0, None)}),
        ('cutoff_min(sum:m{*}, 5)', {'': (9.0, None, 6.0)}),
        ('cutoff_min(0 - sum:m{*}, -6)', {'': (None, -4.0, -6.0)}),
        ('clamp_max(sum:m{*}, 5)', {'': (5.0, 4.0, 5.0)}),
        ('clamp_min(sum:m{*}, 5)', {'': (9.0, 5.0, 6.0)}),
        ('100 - 2 * sum:m{*} / (1 + 1)', {'': (91.0, 96.0, 94.0)}),
        ('1 / sum:m{host:a}', {'': (1.0, None, None)}),
        ('sum:m{*} by {host} / sum:m{*}', {'a': (1 / 9, 0.0, None), 'b': (1 / 3, 1.0, None), 'c': (5 / 9, None, 1.0)}),
    ],
)
def test_what_a_query_means(text: str, expected: dict[str, tuple[float | None, ...]]) -> None:
    result = evaluate(parse_query(text), SAMPLE, {'all': None, 'some': Tag('host', ('a',))})
    assert {','.join(value for _, value in group): points for group, points in result.items()} == expected


@pytest.mark.parametrize('text', ['sum:m{$none}', 'query1', 'sum:m{*} by {host} + sum:m{*} by {color}'])
def test_what_a_query_cannot_mean(text: str) -> None:
    with pytest.raises(QueryError):
        evaluate(parse_query(text), SAMPLE, {})
