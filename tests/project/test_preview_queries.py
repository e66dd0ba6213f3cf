# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The queries of dashboards and monitors: how they are parsed, and what they make of series."""

from __future__ import annotations

import pytest

from tools.preview.evaluation import Series, Store, evaluate
from tools.preview.queries import QueryError, Tag, parse_monitor, parse_query


@pytest.mark.parametrize(
    'text',
    [
        '',
        'avg:a.b',
        'avg:a.b{}',
        'avg:a.b{*',
        'avg:a.b{x}',
        'avg:a.b{x:y,}',
        'avg:a.b{x:y z:w}',
        'avg:a.b{x IN y}',
        'avg:a.b{!x}',
        'avg:a.b{!$x}',
        'avg:a.b{x:*y}',
        'avg:a.b{!x:y,z IN (a,b)}',
        'mean:a.b{*}',
        'avg:a.b{*} by host',
        'avg:a.b{*} by {}',
        'avg:a.b{*} by {host} by {rule}',
        'avg:a.b{*}.rollup(last)',
        'avg:a.b{*}.fill(zero)',
        'avg:a.b{*} avg:a.b{*}',
        'sqrt(avg:a.b{*})',
        'cutoff_max(avg:a.b{*})',
        'count_nonzero(avg:a.b{*}, 1)',
        '(avg:a.b{*}',
        '1 +',
        '1 % 2',
    ],
)
def test_a_query_that_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse_query(text)


@pytest.mark.parametrize(
    'text',
    [
        'avg:a.b{*} > 1',
        'avg(last_5):avg:a.b{*} > 1',
        'avg(last_5m):avg:a.b{*}',
        'avg(last_5m):avg:a.b{*} = 1',
        'change(avg(last_5m)):avg:a.b{*} > 1',
        '"a.b".over("*").by("host").last(2)',
        '"a.b".over("*").by("*",).last(2).count_by_status()',
        '"a.b".by("host").last(2).count_by_status()',
        '"a.b".over("x").by("host").last(2).count_by_status()',
    ],
)
def test_a_monitor_query_that_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse_monitor(text)


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
        ('sum:m{$all} by {host}.rollup(min)', {'a': (1.0, 0.0, None), 'b': (3.0, 4.0, None), 'c': (5.0, None, 6.0)}),
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
