# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Evaluate the queries of dashboards and monitors over complete series.

Interpolation and rollup in time are left out: they make no difference if each series has a point at each step. The
parser accepts `.rollup`, but it has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .queries import (
    COMPARATORS,
    COUNTS,
    SPACE_AGGREGATORS,
    TIME_AGGREGATORS,
    Call,
    Expression,
    Metric,
    MetricAlert,
    Number,
    Reference,
)
from .scopes import AllOf, AnyOf, Filter, Not, QueryError, Tag, Variable

Points = tuple[float | None, ...]
Group = tuple[tuple[str, str], ...]
"""The values of the tags that a series is grouped by. Empty for the single series of a query without `by`."""


@dataclass(frozen=True, slots=True)
class Series:
    """A metric of one host: its tags, including the host's tags, and a value or None at each step."""

    metric: str
    tags: Mapping[str, Collection[str]]
    points: Points


@dataclass(frozen=True, slots=True)
class Store:
    """Series of the same length, with `step` seconds between two points."""

    series: tuple[Series, ...]
    length: int
    step: int

    def newest(self, seconds: int) -> Store:
        """Return the points of the last `seconds` seconds, at least one point."""
        count = min(max(seconds // self.step, 1), self.length)
        series = tuple(Series(each.metric, each.tags, each.points[-count:]) for each in self.series)
        return Store(series, count, self.step)


Result = dict[Group, Points]


def evaluate(
    expression: Expression,
    store: Store,
    variables: Mapping[str, Tag | None] | None = None,
    queries: Mapping[str, Result] | None = None,
) -> Result:
    """Return the series that a query selects. `variables` is the value of each `$name`, or None for all."""
    if isinstance(expression, Number):
        return {(): (expression.value,) * store.length}
    if isinstance(expression, Reference):
        try:
            return (queries or {})[expression.name]
        except KeyError:
            raise QueryError(f'unknown query {expression.name!r}') from None
    if isinstance(expression, Metric):
        return evaluate_metric(expression, store, variables or {})
    if isinstance(expression, Call):
        return call(expression, evaluate(expression.argument, store, variables, queries), store.length)
    left = evaluate(expression.left, store, variables, queries)
    right = evaluate(expression.right, store, variables, queries)
    return combine(expression.operator, left, right)


def evaluate_metric(metric: Metric, store: Store, variables: Mapping[str, Tag | None]) -> Result:
    groups: dict[Group, list[Points]] = {}
    for series in store.series:
        if series.metric == metric.name and holds(AllOf(metric.scope), series.tags, variables):
            for group in groups_of(series.tags, metric.by):
                groups.setdefault(group, []).append(series.points)
    aggregate = SPACE_AGGREGATORS[metric.aggregator]
    return {group: tuple(aggregate_points(aggregate, members)) for group, members in groups.items()}


def holds(part: Filter, tags: Mapping[str, Collection[str]], variables: Mapping[str, Tag | None]) -> bool:
    """Return whether a series with these tags matches a part of a scope."""
    if isinstance(part, AllOf):
        return all(holds(each, tags, variables) for each in part.parts)
    if isinstance(part, AnyOf):
        return any(holds(each, tags, variables) for each in part.parts)
    if isinstance(part, Not):
        return not holds(part.part, tags, variables)
    if isinstance(part, Variable):
        if part.name not in variables:
            raise QueryError(f'unknown template variable ${part.name}')
        chosen = variables[part.name]
        return chosen is None or holds(chosen, tags, variables)
    values = tags.get(part.key, ())
    return any(matches(pattern, value) for pattern in part.values for value in values) is not part.is_excluded


def matches(pattern: str, value: str) -> bool:
    """Return whether a value matches a pattern, where `*` at either end is any text."""
    text = pattern.strip('*')
    if pattern == '*' or (pattern[0] == pattern[-1] == '*'):
        return text in value
    if pattern[0] == '*':
        return value.endswith(text)
    return value.startswith(text) if pattern[-1] == '*' else value == text


def groups_of(tags: Mapping[str, Collection[str]], keys: Sequence[str]) -> Iterable[Group]:
    """Return the groups of a series. With two values of a key, it is in both groups. Without the key, it is in none."""
    groups: list[Group] = [()]
    for key in keys:
        groups = [(*group, (key, value)) for group in groups for value in tags.get(key, ())]
    return groups


def aggregate_points(
    aggregate: Callable[[Sequence[float]], float], members: Sequence[Points]
) -> Iterator[float | None]:
    for column in zip(*members, strict=True):
        known = [value for value in column if value is not None]
        yield aggregate(known) if known else None


def call(expression: Call, argument: Result, length: int) -> Result:
    if expression.function in COUNTS:
        nonzero = expression.function == 'count_nonzero'
        counts = [0] * length
        for points in argument.values():
            for at, value in enumerate(points):
                counts[at] += value is not None and not (nonzero and value == 0)
        return {(): tuple(map(float, counts))}
    limit = expression.limit
    assert limit is not None
    return {
        group: tuple(None if value is None else limited(expression.function, value, limit) for value in points)
        for group, points in argument.items()
    }


def limited(function: str, value: float, limit: float) -> float | None:
    if function == 'clamp_max':
        return min(value, limit)
    if function == 'clamp_min':
        return max(value, limit)
    outside = value > limit if function == 'cutoff_max' else value < limit
    return None if outside else value


def combine(operator: str, left: Result, right: Result) -> Result:
    """Combine two results point by point. A side without groups is combined with every group of the other."""
    if set(left) != {()} and set(right) != {()} and set(left) != set(right):
        raise QueryError('the two sides have different groups')
    groups = left if set(left) != {()} else right
    return {
        group: tuple(
            calculate(operator, one, other)
            for one, other in zip(left.get(group) or left[()], right.get(group) or right[()], strict=True)
        )
        for group in groups
    }


def calculate(operator: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    if operator == '/':
        return left / right if right else None
    return left + right if operator == '+' else left - right if operator == '-' else left * right


def last(points: Points) -> float | None:
    """Return the newest value, if any."""
    return next((value for value in reversed(points) if value is not None), None)


def fires(alert: MetricAlert, store: Store, *, full_window: bool = False) -> dict[Group, tuple[bool, ...]]:
    """Return, for each group and step, whether the condition of a monitor holds. It needs points in the window.

    With `full_window`, it needs data for the whole window.
    """
    window = max(alert.window // store.step, 1)
    aggregate = TIME_AGGREGATORS[alert.aggregator]
    compare = COMPARATORS[alert.comparator]
    result: dict[Group, tuple[bool, ...]] = {}
    for group, points in evaluate(alert.expression, store).items():
        if alert.shift is not None:
            shift = alert.shift // store.step
            before = ((None,) * shift + points)[: len(points)]
            points = tuple(calculate('-', now, then) for now, then in zip(points, before, strict=True))
        held = []
        for at in range(len(points)):
            known = [value for value in points[max(at - window + 1, 0) : at + 1] if value is not None]
            enough = at + 1 >= window or not full_window
            held.append(bool(known) and enough and compare(aggregate(known), alert.threshold))
        result[group] = tuple(held)
    return result
