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
    fires,
    last,
)
from .fleet import Node, collection_of, tags_by_key
from .queries import (
    COMPARATORS,
    TIME_AGGREGATORS,
    Expression,
    ServiceCheckAlert,
    parse_monitor,
    parse_query,
    parse_window,
)
from .scopes import QueryError, Tag, parse_whole_tag

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


def evaluate_columns(definition: Mapping[str, Any], store: Store, variables: Variables) -> list[dict[Group, float]]:
    """Return one number for each group, for each formula. Aggregates each query over time, then evaluates formulas."""
    [request] = requests_of(definition)
    if 'time' in definition:
        store = store.newest(parse_window(f'last_{definition["time"]["live_span"]}'))
    queries: dict[str, Result] = {}
    for query in request['queries']:
        series = evaluate(parse_query(query['query']), store, variables)
        queries[query['name']] = {group: (in_time(query['aggregator'], points),) for group, points in series.items()}
    results = [evaluate(each, Store((), 1, store.step), variables, queries) for each in formulas_of(request)]
    return [{group: value for group, (value,) in result.items() if value is not None} for result in results]


def evaluate_scalars(definition: Mapping[str, Any], store: Store, variables: Variables) -> dict[Group, float]:
    """Return one number for each group of a widget with one formula."""
    [column] = evaluate_columns(definition, store, variables)
    return column


def in_time(aggregator: str, points: Points) -> float | None:
    if aggregator == 'last':
        return last(points)
    known = [value for value in points if value is not None]
    return TIME_AGGREGATORS[aggregator](known) if known else None


def ranked(
    request: Mapping[str, Any], columns: Sequence[Mapping[Group, float]]
) -> list[tuple[Group, list[float | None]]]:
    """Return the rows of a list or table, with the order and limit of the request. None is an empty cell."""
    rows = {group: [column.get(group) for column in columns] for column in columns for group in column}
    orders = [(order['index'], -1 if order['order'] == 'desc' else 1) for order in request['sort']['order_by']]

    def place(row: tuple[Group, list[float | None]]) -> tuple[Any, ...]:
        values = [row[1][index] for index, _ in orders]
        signed = [(value is None, sign * (value or 0)) for value, (_, sign) in zip(values, orders, strict=True)]
        return (*signed, row[0])

    return sorted(rows.items(), key=place)[: request['sort']['count']]


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


def monitor_states(monitors: Sequence[Mapping[str, Any]], nodes: Sequence[Node], store: Store) -> dict[str, str]:
    """Return the state of each monitor by its name: ALERT if any group alerts at the last step, or else OK."""
    states = {}
    for monitor in monitors:
        alert = parse_monitor(monitor['query'])
        if isinstance(alert, ServiceCheckAlert):
            holds_now = is_critical(alert, nodes, store.length - 1)
        else:
            full_window = monitor['options']['require_full_window']
            holds_now = any(held[-1] for held in fires(alert, store, full_window=full_window).values())
        states[monitor['name']] = 'ALERT' if holds_now else 'OK'
    return states


def is_critical(alert: ServiceCheckAlert, nodes: Sequence[Node], step: int) -> bool:
    """Return whether a group of the monitor is CRITICAL. A status without a tag of the grouping is in no group."""
    for node, sent in iter_statuses(nodes, step):
        if sent.name == alert.check and STATUS_NAMES[int(sent.value)] == 'CRITICAL':
            tags = tags_by_key((*sent.tags, *node.host_tags))
            if set(alert.by) <= set(tags) and all(set(tag.values) & set(tags.get(tag.key, ())) for tag in alert.over):
                return True
    return False


def wanted_tags(texts: Sequence[str], variables: Variables) -> list[Tag]:
    wanted = []
    for text in texts:
        part = parse_whole_tag(text)
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
