# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The scopes of queries: each rule of the documented language, with what it accepts and what it refuses."""

from __future__ import annotations

import pytest

from tools.preview.evaluation import Series, Store, evaluate
from tools.preview.queries import parse_query
from tools.preview.scopes import AllOf, AnyOf, Filter, Not, QueryError, Tag, Variable, parse_scope, parse_whole_tag

pytestmark = pytest.mark.same_for_every_user

A, B, C = Tag('a', ('1',)), Tag('b', ('2',)), Tag('c', ('3',))
NOT_A = Tag('a', ('1',), is_excluded=True)


@pytest.mark.parametrize(
    'text, expected',
    [
        pytest.param('*', (), id='everything'),
        pytest.param('a:1', (A,), id='one tag'),
        pytest.param('a:1,b:2', (A, B), id='symbolic and'),
        pytest.param('!a:1', (NOT_A,), id='symbolic not'),
        pytest.param('$x,!a:1,b:2', (Variable('x'), NOT_A, B), id='symbolic with a template variable'),
        pytest.param('a:1 AND b:2', (A, B), id='and'),
        pytest.param('a:1 and not b:2', (A, Tag('b', ('2',), is_excluded=True)), id='operators in lower case'),
        pytest.param('a:1 OR b:2', (AnyOf((A, B)),), id='or'),
        pytest.param('NOT a:1', (NOT_A,), id='not'),
        pytest.param('NOT NOT a:1', (A,), id='not, twice'),
        pytest.param('a IN (1)', (A,), id='one of one value'),
        pytest.param('a IN (1, 4,x)', (Tag('a', ('1', '4', 'x')),), id='one of some values'),
        pytest.param('a NOT IN (1,4)', (Tag('a', ('1', '4'), is_excluded=True),), id='none of some values'),
        pytest.param('a in (1) and b not in (2)', (A, Tag('b', ('2',), is_excluded=True)), id='in, in lower case'),
        pytest.param('a:1 AND (b:2 OR c:3)', (A, AnyOf((B, C))), id='parentheses'),
        pytest.param('(a:1 AND b:2) OR c:3', (AnyOf((AllOf((A, B)), C)),), id='and in parentheses in or'),
        pytest.param('NOT (a:1 OR b:2)', (Not(AnyOf((A, B))),), id='not of parentheses'),
        pytest.param('$x AND a IN (1)', (Variable('x'), A), id='functional with a template variable'),
        pytest.param('a:1*', (Tag('a', ('1*',)),), id='prefix'),
        pytest.param('a:*1', (Tag('a', ('*1',)),), id='suffix'),
        pytest.param('a:*1*', (Tag('a', ('*1*',)),), id='substring'),
        pytest.param('a:*', (Tag('a', ('*',)),), id='any value'),
        pytest.param('!a:/dev/loop*', (Tag('a', ('/dev/loop*',), is_excluded=True),), id='slashes'),
        pytest.param('in-use:AND,or:1', (Tag('in-use', ('AND',)), Tag('or', ('1',))), id='operators in a tag'),
    ],
)
def test_scope_that_is_documented(text: str, expected: tuple[Filter, ...]) -> None:
    assert parse_scope(text) == expected


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('a:1,b IN (2)', id='a comma beside IN'),
        pytest.param('a:1,b NOT IN (2)', id='a comma beside NOT IN'),
        pytest.param('$x,$y AND a:1', id='a comma beside AND'),
        pytest.param('a:1,b:2 OR c:3', id='a comma beside OR'),
        pytest.param('NOT a:1,b:2', id='a comma beside NOT'),
        pytest.param('a:1 AND !b:2', id='an exclamation mark beside AND'),
        pytest.param('!a:1 OR b:2', id='an exclamation mark beside OR'),
        pytest.param('!a:1 AND b IN (2)', id='an exclamation mark beside IN'),
        pytest.param('a:1 AND b NOT IN (!b:2, !b:3)', id='an exclamation mark in IN'),
        pytest.param('a IN (1) , b:2', id='a comma after IN'),
    ],
)
def test_symbolic_and_functional_operators_do_not_go_together(text: str) -> None:
    with pytest.raises(QueryError, match="can't be combined"):
        parse_scope(text)


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('', id='nothing'),
        pytest.param(',a:1', id='a comma before the first tag'),
        pytest.param('a:1,', id='a comma after the last tag'),
        pytest.param('a:1,,b:2', id='two commas'),
        pytest.param('a:1 b:2', id='no operator'),
        pytest.param('*,a:1', id='a star beside a tag'),
        pytest.param('a', id='a key alone'),
        pytest.param('a:', id='no value'),
        pytest.param(':1', id='no key'),
        pytest.param('!a', id='not of a key'),
        pytest.param('!!a:1', id='not, twice'),
        pytest.param('!$x', id='not of a template variable'),
        pytest.param('(a:1,b:2)', id='symbolic operators in parentheses'),
        pytest.param('a:1*2', id='a star in the middle'),
        pytest.param('a:**', id='two stars'),
        pytest.param('a*:1', id='a star in the key'),
        pytest.param('a:"1"', id='quotes'),
        pytest.param('AND a:1', id='nothing before AND'),
        pytest.param('a:1 AND', id='nothing after AND'),
        pytest.param('a:1 And b:2', id='AND in mixed case'),
        pytest.param('a:1 && b:2', id='other operators'),
        pytest.param('NOT', id='not of nothing'),
        pytest.param('a:1 AND b:2 OR c:3', id='AND and OR without parentheses'),
        pytest.param('(a:1 OR b:2', id='no closing parenthesis'),
        pytest.param('a:1 OR b:2)', id='no opening parenthesis'),
        pytest.param('a IN 1', id='IN without parentheses'),
        pytest.param('a IN ()', id='IN of nothing'),
        pytest.param('a IN (1,)', id='a comma after the last value'),
        pytest.param('a IN (1 OR 2)', id='an operator in IN'),
        pytest.param('a IN (1*)', id='a star in IN'),
        pytest.param('a IN ($x)', id='a template variable in IN'),
        pytest.param('a:1 IN (2)', id='IN after a tag'),
        pytest.param('$x IN (1)', id='IN after a template variable'),
        pytest.param('a NOT (1)', id='NOT without IN'),
    ],
)
def test_scope_that_is_not_documented(text: str) -> None:
    with pytest.raises(QueryError):
        parse_scope(text)


@pytest.mark.parametrize('text, expected', [('a:1', A), ('$x', Variable('x')), ('a:b:c/d', Tag('a', ('b:c/d',)))])
def test_whole_tag(text: str, expected: Tag | Variable) -> None:
    assert parse_whole_tag(text) == expected


@pytest.mark.parametrize('text', ['', '*', 'a', 'a:*', 'a:1*', '!a:1', 'a:1,b:2', 'NOT a:1', 'a IN (1)', ' a:1', '!$x'])
def test_a_service_check_takes_whole_tags_only(text: str) -> None:
    with pytest.raises(QueryError):
        parse_whole_tag(text)


SAMPLE = Store(
    tuple(
        Series('m', {'host': (host,), 'pool': (pool,)}, (1.0,))
        for host, pool in [('web-1', 'blue'), ('web-2', 'green'), ('db-1', 'blue'), ('db-2-x', 'red')]
    ),
    1,
    300,
)


@pytest.mark.parametrize(
    'scope, hosts',
    [
        ('host:web-* AND pool IN (blue,red)', {'web-1'}),
        ('host:web-* OR pool:red', {'web-1', 'web-2', 'db-2-x'}),
        ('NOT (host:web-* OR pool:red)', {'db-1'}),
        ('pool NOT IN (blue,red)', {'web-2'}),
        ('(host:web-1 AND pool:blue) OR (host:web-2 AND pool:blue)', {'web-1'}),
        ('host:*-1', {'web-1', 'db-1'}),
        ('host:*-2*', {'web-2', 'db-2-x'}),
        ('!host:web-*,!pool:red', {'db-1'}),
        ('!host:*', set()),
        ('$some AND NOT pool:blue', {'web-2'}),
        ('NOT $some', {'db-1', 'db-2-x'}),
        ('$all AND pool:red', {'db-2-x'}),
    ],
)
def test_what_a_scope_means(scope: str, hosts: set[str]) -> None:
    variables = {'all': None, 'some': Tag('host', ('web-1', 'web-2'))}
    result = evaluate(parse_query(f'sum:m{{{scope}}} by {{host}}'), SAMPLE, variables)
    assert {group[0][1] for group in result} == hosts
