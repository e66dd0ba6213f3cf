# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A strict parser for scopes: which series a query reads, by their tags.

A scope has one of two notations. The symbolic notation has `,` and `!`. The functional notation has `AND`, `OR`,
`NOT`, `IN`, `NOT IN`, and parentheses. See https://docs.datadoghq.com/metrics/advanced-filtering/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace


class QueryError(Exception):
    """The parser does not support the query. The text says where."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag with one of the values, where `*` at either end is any text. `is_excluded` excludes series with the tag."""

    key: str
    values: tuple[str, ...]
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A template variable, `$name`."""

    name: str


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Filter


Filter = Tag | Variable | AllOf | AnyOf | Not

TAG_KEY = r'[a-z][a-z0-9_./-]*'
PLAIN_VALUE = r'[A-Za-z0-9_./:-]+'
VALUE = rf'\*|\*?{PLAIN_VALUE}\*?'
TOKEN = re.compile(
    rf"""\s*(?:
      \$(?P<variable>[a-z_]+)
    | (?P<operator>AND|and|OR|or|NOT|not|IN|in)(?![\w.:/-])
    | (?P<key>{TAG_KEY}):(?P<value>{VALUE})(?=[\s,()]|$)
    | (?P<word>{PLAIN_VALUE})
    | (?P<sign>[!,()])
    )""",
    re.VERBOSE,
)
WHOLE_TAG = re.compile(rf'\$(?P<variable>[a-z_]+)|(?P<key>{TAG_KEY}):(?P<value>{PLAIN_VALUE})')


def parse_scope(text: str) -> tuple[Filter, ...]:
    """Parse the text in braces. A series must match all parts, and `*` has none. Raises QueryError."""
    if text.strip() == '*':
        return ()
    return ScopeParser(text).parse()


def parse_whole_tag(text: str) -> Tag | Variable:
    """Parse a tag of a service check, which supports neither operators nor wildcards. Raises QueryError."""
    found = WHOLE_TAG.fullmatch(text)
    if found is None:
        raise QueryError(f'{text!r} is not a tag with a value, or a template variable')
    return Variable(found['variable']) if found['variable'] else Tag(found['key'], (found['value'],))


def iter_variables(scope: Sequence[Filter]) -> Iterator[Variable]:
    """Yield the template variables of a scope, at any depth."""
    for part in scope:
        if isinstance(part, Variable):
            yield part
        elif isinstance(part, AllOf | AnyOf):
            yield from iter_variables(part.parts)
        elif isinstance(part, Not):
            yield from iter_variables((part.part,))


class ScopeParser:
    """A recursive descent parser for the tokens of one scope."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[re.Match[str]] = []
        at = 0
        while at < len(text.rstrip()):
            token = TOKEN.match(text, at)
            if token is None:
                raise self.error(f'could not parse {text[at:].strip()!r}')
            self.tokens.append(token)
            at = token.end()
        self.at = 0

    def parse(self) -> tuple[Filter, ...]:
        functional = [token['operator'] for token in self.tokens if token['operator']]
        if functional and self.symbols():
            raise self.error(f'`{functional[0]}` and `{self.symbols()[0]}` can\'t be combined')
        parts = self.functional_parts() if functional else self.symbolic_parts()
        if self.at != len(self.tokens):
            raise self.error(f'unexpected {self.tokens[self.at].group().strip()!r}')
        return parts

    def symbols(self) -> list[str]:
        """Return the operators `!` and `,`, without the commas between the values of `IN`."""
        found, after_in, depth = [], False, 0
        for token in self.tokens:
            if token['sign'] == '(' and after_in:
                depth = 1
            elif token['sign'] == ')':
                depth = 0
            elif token['sign'] == '!' or (token['sign'] == ',' and not depth):
                found.append(token['sign'])
            after_in = bool(token['operator']) and token['operator'].upper() == 'IN'
        return found

    def symbolic_parts(self) -> tuple[Filter, ...]:
        parts = [self.symbolic_part()]
        while self.take('sign', ','):
            parts.append(self.symbolic_part())
        return tuple(parts)

    def symbolic_part(self) -> Filter:
        if self.take('sign', '!'):
            return replace(self.tag(), is_excluded=True)
        if variable := self.take('variable'):
            return Variable(variable['variable'])
        return self.tag()

    def functional_parts(self) -> tuple[Filter, ...]:
        part = self.disjunction()
        return part.parts if isinstance(part, AllOf) else (part,)

    def disjunction(self) -> Filter:
        sides = [self.conjuncts()]
        while self.operator('OR'):
            sides.append(self.conjuncts())
        if len(sides) > 1 and any(len(side) > 1 for side in sides):
            raise self.error('`AND` and `OR` without parentheses')
        joined = [side[0] if len(side) == 1 else AllOf(side) for side in sides]
        return joined[0] if len(joined) == 1 else AnyOf(tuple(joined))

    def conjuncts(self) -> tuple[Filter, ...]:
        parts = [self.negation()]
        while self.operator('AND'):
            parts.append(self.negation())
        return tuple(parts)

    def negation(self) -> Filter:
        if not self.operator('NOT'):
            return self.operand()
        part = self.negation()
        return replace(part, is_excluded=not part.is_excluded) if isinstance(part, Tag) else Not(part)

    def operand(self) -> Filter:
        if self.take('sign', '('):
            inner = self.disjunction()
            self.need('sign', ')')
            return inner
        if variable := self.take('variable'):
            return Variable(variable['variable'])
        if word := self.take('word'):
            return self.one_of(word['word'])
        return self.tag()

    def one_of(self, key: str) -> Tag:
        """Parse the rest of `key IN (a, b)` or `key NOT IN (a, b)`."""
        if not re.fullmatch(TAG_KEY, key):
            raise self.error(f'{key!r} is not a tag key')
        is_excluded = self.operator('NOT')
        if not self.operator('IN'):
            raise self.error(f'missing value or `IN` after {key!r}')
        self.need('sign', '(')
        values = [self.need('word')['word']]
        while self.take('sign', ','):
            values.append(self.need('word')['word'])
        self.need('sign', ')')
        return Tag(key, tuple(values), is_excluded)

    def tag(self) -> Tag:
        token = self.need('key')
        return Tag(token['key'], (token['value'],))

    def operator(self, name: str) -> bool:
        return self.take('operator', name, name.lower()) is not None

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
            raise self.error(f'missing {" or ".join(texts) or kind}')
        return token

    def error(self, what: str) -> QueryError:
        return QueryError(f'{what} in the scope {{{self.text}}}')
