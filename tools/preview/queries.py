# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A strict parser for the part of the query language that these dashboards and monitors use.

It accepts only what Datadog documents in https://docs.datadoghq.com/metrics/advanced-filtering/ (see scopes.py),
https://docs.datadoghq.com/dashboards/functions/, and https://docs.datadoghq.com/api/latest/monitors/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .scopes import PLAIN_VALUE, TAG_KEY, Filter, QueryError, Tag, iter_variables, parse_scope, parse_whole_tag

SPACE_AGGREGATORS: dict[str, Callable[[Sequence[float]], float]] = {
    'avg': lambda values: sum(values) / len(values),
    'max': max,
    'min': min,
    'sum': sum,
}
TIME_AGGREGATORS = SPACE_AGGREGATORS
ROLLUPS = frozenset({*SPACE_AGGREGATORS, 'count'})
COUNTS = frozenset({'count_nonzero', 'count_not_null'})
LIMITS = frozenset({'clamp_max', 'clamp_min', 'cutoff_max', 'cutoff_min'})
COMPARATORS: dict[str, Callable[[float, float], bool]] = {
    '<': lambda left, right: left < right,
    '<=': lambda left, right: left <= right,
    '>': lambda left, right: left > right,
    '>=': lambda left, right: left >= right,
    '==': lambda left, right: left == right,
    '!=': lambda left, right: left != right,
}


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to another query, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Metric:
    """`aggregator:name{scope} by {keys}`. A series must match the whole scope."""

    aggregator: str
    name: str
    scope: tuple[Filter, ...]
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    argument: Expression
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Expression
    right: Expression


Expression = Number | Reference | Metric | Call | Binary


@dataclass(frozen=True, slots=True)
class MetricAlert:
    """`aggregator(last_window):expression comparator threshold`. With `shift`, it compares the change since then."""

    aggregator: str
    window: int
    shift: int | None
    expression: Expression
    comparator: str
    threshold: float


@dataclass(frozen=True, slots=True)
class ServiceCheckAlert:
    """`"check".over("tag:value").by("tag").last(n).count_by_status()`."""

    check: str
    over: tuple[Tag, ...]
    by: tuple[str, ...]
    last: int


TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<metric>(?P<aggregator>avg|max|min|sum):(?P<name>[a-z][a-z0-9_.]*)\{(?P<scope>[^{}]*)\})
    | (?P<by>by\s*\{(?P<keys>[^{}]*)\})
    | (?P<method>\.(?P<methodname>[a-z_]+)\((?P<arguments>[^()]*)\))
    | (?P<word>[a-z_][a-z0-9_]*)
    | (?P<sign>[-+*/(),])
    )""",
    re.VERBOSE,
)
ROLLUP = re.compile(r'(?P<aggregator>[a-z]+)(?:\s*,\s*(?P<interval>[0-9]+))?')
WINDOW = re.compile(r'last_([1-9][0-9]*)([mhdw])')
SHIFT = re.compile(r'([1-9][0-9]*)([mhd])_ago')
UNITS = {'m': 60, 'h': 3600, 'd': 86400, 'w': 7 * 86400}
LONGEST_WINDOW, LONGEST_CHANGE_WINDOW = 7 * 86400, 2 * 86400
SHIFTS = frozenset({'5m_ago', '10m_ago', '15m_ago', '30m_ago', '1h_ago', '2h_ago', '4h_ago', '1d_ago'})
MOST_RUNS = 100
"""The most check runs that a service check monitor can evaluate."""
ALERT = re.compile(
    r'(?P<time>[^:]+):(?P<query>.+?)\s*(?P<comparator><=|>=|==|!=|<|>)\s*(?P<threshold>-?[0-9]+(?:\.[0-9]+)?)'
)
TIME = re.compile(r'(?P<aggregator>avg|max|min|sum)\((?P<window>last_\w+)\)')
CHANGE = re.compile(r'change\((?P<time>[^()]+\([^()]+\)),(?P<shift>\w+)\)')
TAGS = rf'"(?:{TAG_KEY}:{PLAIN_VALUE}|\*)"'
KEYS = rf'"{TAG_KEY}"'
SERVICE_CHECK = re.compile(
    rf'"(?P<check>[a-z_.]+)"\.over\((?P<over>{TAGS}(?:,{TAGS})*)\)\.by\((?P<by>{KEYS}(?:,{KEYS})*)\)'
    r'\.last\((?P<last>[1-9][0-9]*)\)\.count_by_status\(\)'
)


class Parser:
    """A recursive descent parser for the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(tokens(text))
        self.at = 0

    def parse(self) -> Expression:
        expression = self.sum()
        if self.at != len(self.tokens):
            raise QueryError(f'unexpected {self.tokens[self.at].group().strip()!r} in {self.text!r}')
        return expression

    def take(self, kind: str, *texts: str) -> re.Match[str] | None:
        """Return the next token, if it has this kind and one of these texts."""
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token[kind] is not None and (not texts or token[kind] in texts):
                self.at += 1
                return token
        return None

    def need(self, kind: str, *texts: str) -> re.Match[str]:
        token = self.take(kind, *texts)
        if token is None:
            raise QueryError(f'missing {" or ".join(texts) or kind} in {self.text!r}')
        return token

    def sum(self) -> Expression:
        left = self.product()
        while sign := self.take('sign', '+', '-'):
            left = Binary(sign['sign'], left, self.product())
        return left

    def product(self) -> Expression:
        left = self.factor()
        while sign := self.take('sign', '*', '/'):
            left = Binary(sign['sign'], left, self.factor())
        return left

    def factor(self) -> Expression:
        if number := self.take('number'):
            return Number(float(number['number']))
        if metric := self.take('metric'):
            return self.metric(metric)
        if self.take('sign', '('):
            inner = self.sum()
            self.need('sign', ')')
            return inner
        word = self.need('word')['word']
        return self.call(word) if self.take('sign', '(') else Reference(word)

    def metric(self, token: re.Match[str]) -> Metric:
        by = self.take('by')
        keys = tuple(key.strip() for key in by['keys'].split(',')) if by else ()
        if not all(re.fullmatch(TAG_KEY, key) for key in keys):
            raise QueryError(f'not all of {keys} are tag keys in {self.text!r}')
        if method := self.take('method'):
            rollup = ROLLUP.fullmatch(method['arguments'])
            if method['methodname'] != 'rollup' or rollup is None or rollup['aggregator'] not in ROLLUPS:
                raise QueryError(f'unknown method {method.group()!r} in {self.text!r}')
            if rollup['interval'] is not None and not int(rollup['interval']):
                raise QueryError(f'{method.group()!r} has an interval of 0 in {self.text!r}')
        return Metric(token['aggregator'], token['name'], parse_scope(token['scope']), keys)

    def call(self, function: str) -> Call:
        if function not in COUNTS | LIMITS:
            raise QueryError(f'unknown function {function!r} in {self.text!r}')
        argument = self.sum()
        if function in COUNTS and not all(metric.by for metric in iter_metrics(argument)):
            raise QueryError(f'{function} needs a query with groups in {self.text!r}')
        limit = None
        if function in LIMITS:
            self.need('sign', ',')
            sign = -1 if self.take('sign', '-') else 1
            limit = sign * float(self.need('number')['number'])
        self.need('sign', ')')
        return Call(function, argument, limit)


def tokens(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text.rstrip()):
        token = TOKEN.match(text, at)
        if token is None:
            raise QueryError(f'could not parse {text[at:]!r} in {text!r}')
        yield token
        at = token.end()


def parse_query(text: str) -> Expression:
    """Parse a query, or a formula over queries. Raises QueryError."""
    return Parser(text).parse()


def parse_monitor(text: str) -> MetricAlert | ServiceCheckAlert:
    """Parse the query of a monitor. Raises QueryError."""
    check = SERVICE_CHECK.fullmatch(text)
    if check is not None:
        return service_check_alert(check)
    alert = ALERT.fullmatch(text)
    change = CHANGE.fullmatch(alert['time']) if alert else None
    time = TIME.fullmatch(change['time'] if change else alert['time']) if alert else None
    if alert is None or time is None:
        raise QueryError(f'{text!r} is neither a service check nor a metric with a window and a threshold')
    window = parse_window(time['window'])
    expression = parse_query(alert['query'])
    if any(list(iter_variables(metric.scope)) for metric in iter_metrics(expression)):
        raise QueryError(f'{text!r} has a template variable, which monitors do not support')
    if window > (LONGEST_CHANGE_WINDOW if change else LONGEST_WINDOW):
        raise QueryError(f'the time window of {text!r} is too long')
    return MetricAlert(
        time['aggregator'],
        window,
        parse_shift(change['shift']) if change else None,
        expression,
        alert['comparator'],
        float(alert['threshold']),
    )


def service_check_alert(found: re.Match[str]) -> ServiceCheckAlert:
    tags = [parse_whole_tag(part) for part in strings(found['over']) if part != '*']
    by = strings(found['by'])
    if len(set(by)) < len(by):
        raise QueryError(f'duplicate group in {found.group()!r}')
    if int(found['last']) > MOST_RUNS:
        raise QueryError(f'{found.group()!r} evaluates more than {MOST_RUNS} check runs')
    return ServiceCheckAlert(found['check'], tuple(tag for tag in tags if isinstance(tag, Tag)), by, int(found['last']))


def parse_window(text: str) -> int:
    """Parse a time window. Return its seconds."""
    match = WINDOW.fullmatch(text)
    if match is None:
        raise QueryError(f'{text!r} is not a time window')
    return int(match[1]) * UNITS[match[2]]


def parse_shift(text: str) -> int:
    """Parse the timeshift of a change. Return its seconds."""
    match = SHIFT.fullmatch(text)
    if match is None or text not in SHIFTS:
        raise QueryError(f'{text!r} is not a timeshift of a change')
    return int(match[1]) * UNITS[match[2]]


def strings(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r'"([^"]+)"', text))


def iter_metrics(expression: Expression) -> Iterator[Metric]:
    """Yield the metrics that an expression reads."""
    if isinstance(expression, Metric):
        yield expression
    elif isinstance(expression, Call):
        yield from iter_metrics(expression.argument)
    elif isinstance(expression, Binary):
        yield from iter_metrics(expression.left)
        yield from iter_metrics(expression.right)
