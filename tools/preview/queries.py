# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A strict parser for the part of the query language that these dashboards and monitors use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

SPACE_AGGREGATORS: dict[str, Callable[[Sequence[float]], float]] = {
    'avg': lambda values: sum(values) / len(values),
    'max': max,
    'min': min,
    'sum': sum,
}
TIME_AGGREGATORS = SPACE_AGGREGATORS
ROLLUPS = frozenset(SPACE_AGGREGATORS)
COUNTS = frozenset({'count_nonzero', 'count_not_null'})
LIMITS = frozenset({'clamp_max', 'clamp_min', 'cutoff_max', 'cutoff_min'})
COMPARATORS: dict[str, Callable[[float, float], bool]] = {
    '<': lambda left, right: left < right,
    '<=': lambda left, right: left <= right,
    '>': lambda left, right: left > right,
    '>=': lambda left, right: left >= right,
}


class QueryError(Exception):
    """The parser does not support the query. The text says where."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to another query, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag with one of the values, where `*` is any value. `is_excluded` excludes series with the tag."""

    key: str
    values: tuple[str, ...]
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A template variable, `$name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Metric:
    """`aggregator:name{scope} by {keys}`. A series must match the whole scope."""

    aggregator: str
    name: str
    scope: tuple[Tag | Variable, ...]
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
TAG_KEY = r'[a-z][a-z0-9_.-]*'
TAG_VALUE = r'[A-Za-z0-9_.-]+'
SCOPE_PART = re.compile(
    rf"""\s*(?:
      \$(?P<variable>[a-z_]+)
    | (?P<excluded>!?)(?P<key>{TAG_KEY}):(?P<value>{TAG_VALUE}|\*)
    | (?P<one_of>{TAG_KEY})\s+IN\s+\((?P<values>{TAG_VALUE}(?:\s*,\s*{TAG_VALUE})*)\)
    )\s*(?:,|$)""",
    re.VERBOSE,
)
WINDOW = re.compile(r'last_([0-9]+)([mhd])')
ALERT = re.compile(r'(?P<time>[^:]+):(?P<query>.+?)\s*(?P<comparator><=|>=|<|>)\s*(?P<threshold>-?[0-9]+(?:\.[0-9]+)?)')
TIME = re.compile(r'(?P<aggregator>avg|max|min|sum)\((?P<window>last_\w+)\)')
CHANGE = re.compile(r'change\((?P<time>[^()]+\([^()]+\)),(?P<shift>last_\w+)\)')
STRINGS = r'"[^"]+"(?:,"[^"]+")*'
SERVICE_CHECK = re.compile(
    rf'"(?P<check>[a-z_.]+)"\.over\((?P<over>{STRINGS})\)\.by\((?P<by>{STRINGS})\)'
    r'\.last\((?P<last>[0-9]+)\)\.count_by_status\(\)'
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
        while method := self.take('method'):
            if method['methodname'] != 'rollup' or method['arguments'] not in ROLLUPS:
                raise QueryError(f'unknown method {method.group()!r} in {self.text!r}')
        return Metric(token['aggregator'], token['name'], parse_scope(token['scope']), keys)

    def call(self, function: str) -> Call:
        if function not in COUNTS | LIMITS:
            raise QueryError(f'unknown function {function!r} in {self.text!r}')
        argument = self.sum()
        limit = None
        if function in LIMITS:
            self.need('sign', ',')
            limit = float(self.need('number')['number'])
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


def parse_scope(text: str) -> tuple[Tag | Variable, ...]:
    """Parse the text in braces: `*`, or tags and template variables, separated by commas."""
    if text.strip() == '*':
        return ()
    parts: list[Tag | Variable] = []
    at = 0
    while at < len(text) or not parts:
        part = SCOPE_PART.match(text, at)
        if part is None:
            raise QueryError(f'could not parse {text[at:]!r} in the scope {{{text}}}')
        if part['variable']:
            parts.append(Variable(part['variable']))
        elif part['key']:
            parts.append(Tag(part['key'], (part['value'],), bool(part['excluded'])))
        else:
            parts.append(Tag(part['one_of'], tuple(value.strip() for value in part['values'].split(','))))
        at = part.end()
    if any(isinstance(part, Tag) and part.is_excluded for part in parts) and ' IN ' in text:
        raise QueryError(f'the scope {{{text}}} has both `!` and `IN`, which can\'t be combined')
    if text.rstrip().endswith(','):
        raise QueryError(f'the scope {{{text}}} ends with a comma')
    return tuple(parts)


def parse_query(text: str) -> Expression:
    """Parse a query, or a formula over queries. Raises QueryError."""
    return Parser(text).parse()


def parse_monitor(text: str) -> MetricAlert | ServiceCheckAlert:
    """Parse the query of a monitor. Raises QueryError."""
    check = SERVICE_CHECK.fullmatch(text)
    if check is not None:
        over = [part for part in strings(check['over']) if part != '*']
        tags = [parse_scope(part)[0] for part in over]
        return ServiceCheckAlert(
            check['check'],
            tuple(tag for tag in tags if isinstance(tag, Tag)),
            strings(check['by']),
            int(check['last']),
        )
    alert = ALERT.fullmatch(text)
    change = CHANGE.fullmatch(alert['time']) if alert else None
    time = TIME.fullmatch(change['time'] if change else alert['time']) if alert else None
    if alert is None or time is None:
        raise QueryError(f'{text!r} is neither a service check nor a metric with a window and a threshold')
    return MetricAlert(
        time['aggregator'],
        parse_window(time['window']),
        parse_window(change['shift']) if change else None,
        parse_query(alert['query']),
        alert['comparator'],
        float(alert['threshold']),
    )


def parse_window(text: str) -> int:
    """Parse a time window. Return its seconds."""
    match = WINDOW.fullmatch(text)
    if match is None:
        raise QueryError(f'{text!r} is not a time window')
    return int(match[1]) * {'m': 60, 'h': 3600, 'd': 86400}[match[2]]


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
