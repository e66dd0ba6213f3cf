# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Evaluate the widgets of a dashboard over the series of a fleet. The results are plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tools.agent import STATUS_NAMES, Sent

from .evaluation import (
    Group,
    Points,
    Result,
    Store,
    evaluate,
    last,
)
from .fleet import Node, collection_of, tags_by_key
from .queries import (
    COMPARATORS,
    TIME_AGGREGATORS,
    Expression,
    QueryError,
    Tag,
    parse_query,
    parse_scope,
    parse_window,
)

BADNESS = {0: 0, 1: 1, 3: 2, 2: 3}
Variables = Mapping[str, Tag | None]


def iter_widgets(widgets: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the definitions of all widgets, including widgets in groups."""
    for widget in widgets:
        definition = widget['definition']
        yield definition
        yield from iter_widgets(definition.get('widgets', ()))


def requests_of(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the requests of a widget in one form: named queries, and formulas over them."""
    requests = definition.get('requests', [])
    if isinstance(requests, Mapping):
        named = [{'name': name, 'query': request['q']} for name, request in requests.items()]
        return [{'queries': [query], 'formulas': [{'formula': query['name']}]} for query in named]
    return list(requests)


def formulas_of(request: Mapping[str, Any]) -> list[Expression]:
    return [parse_query(formula['formula']) for formula in request['formulas']]


def evaluate_request(request: Mapping[str, Any], store: Store, variables: Variables) -> list[Result]:
    """Return the series of each formula of a request."""
    queries = {query['name']: evaluate(parse_query(query['query']), store, variables) for query in request['queries']}
    return [evaluate(formula, store, variables, queries) for formula in formulas_of(request)]


def evaluate_scalars(definition: Mapping[str, Any], store: Store, variables: Variables) -> dict[Group, float]:
    """Return one number for each group. Aggregates each query over time, then evaluates the formula."""
    [request] = requests_of(definition)
    if 'time' in definition:
        store = store.newest(parse_window(f'last_{definition["time"]["live_span"]}'))
    queries: dict[str, Result] = {}
    for query in request['queries']:
        series = evaluate(parse_query(query['query']), store, variables)
        queries[query['name']] = {group: (in_time(query['aggregator'], points),) for group, points in series.items()}
    [formula] = formulas_of(request)
    result = evaluate(formula, Store((), 1, store.step), variables, queries)
    return {group: value for group, (value,) in result.items() if value is not None}


def in_time(aggregator: str, points: Points) -> float | None:
    if aggregator == 'last':
        return last(points)
    known = [value for value in points if value is not None]
    return TIME_AGGREGATORS[aggregator](known) if known else None


def ranked(request: Mapping[str, Any], values: Mapping[Group, float]) -> list[tuple[Group, float]]:
    """Return the rows of a list or table, with the order and limit of the request."""
    sort = request['sort']
    falling = sort['order_by'][0]['order'] == 'desc'
    rows = sorted(values.items(), key=lambda row: (-row[1] if falling else row[1], row[0]))
    return rows[: sort['count']]


def palette_of(formats: Sequence[Mapping[str, Any]], value: float) -> str:
    """Return the colors of the first format that applies."""
    return next((str(each['palette']) for each in formats if COMPARATORS[each['comparator']](value, each['value'])), '')


def statuses_now(definition: Mapping[str, Any], nodes: Sequence[Node], step: int, variables: Variables) -> Counter[str]:
    """Count the groups of a check_status widget by status. A group has the worst status of its members."""
    worst: dict[tuple[str, ...], int] = {}
    wanted = wanted_tags(definition['tags'], variables)
    for node, sent in iter_statuses(nodes, step):
        tags = tags_by_key((*sent.tags, *node.host_tags))
        if sent.name == definition['check'] and all(set(tag.values) & set(tags.get(tag.key, ())) for tag in wanted):
            group = tuple(tags[key][0] for key in definition['group_by'])
            status = int(sent.value)
            worst[group] = max(worst.get(group, status), status, key=BADNESS.__getitem__)
    return Counter(STATUS_NAMES[status] for status in worst.values())


def wanted_tags(texts: Sequence[str], variables: Variables) -> list[Tag]:
    wanted = []
    for text in texts:
        [part] = parse_scope(text)
        if isinstance(part, Tag):
            wanted.append(part)
            continue
        if part.name not in variables:
            raise QueryError(f'unknown template variable ${part.name}')
        tag = variables[part.name]
        if tag is not None:
            wanted.append(tag)
    return wanted


def iter_statuses(nodes: Sequence[Node], step: int) -> Iterator[tuple[Node, Sent]]:
    for node in nodes:
        state = node.at(step)
        for sent in collection_of(state).service_checks if state is not None else ():
            yield node, sent


def label(group: Group) -> str:
    return ', '.join(value for _, value in group)
