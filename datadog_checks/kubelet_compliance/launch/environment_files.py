# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Parses the files of `EnvironmentFile=` as systemd does. Pure.

Follows `parse_env_file_internal` in systemd's src/basic/env-file.c, state by state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

from datadog_checks.kubelet_compliance.model import Place

from .systemd_text import COMMENTS, WHITESPACE, Letters, UnitError, decode, is_text, text_of
from .systemd_words import from_variable

NEWLINE = '\n\r'
ESCAPED_IN_QUOTES = '"\\`$'
NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')


class State(Enum):
    """The state of the parser."""

    BEFORE_KEY = auto()
    KEY = auto()
    BEFORE_VALUE = auto()
    VALUE = auto()
    VALUE_ESCAPE = auto()
    SINGLE_QUOTES = auto()
    DOUBLE_QUOTES = auto()
    DOUBLE_QUOTES_ESCAPE = auto()
    COMMENT = auto()
    COMMENT_ESCAPE = auto()


IN_A_VALUE = frozenset(State) - {State.BEFORE_KEY, State.KEY, State.COMMENT, State.COMMENT_ESCAPE}


def read_environment_file(path: str, data: bytes) -> dict[str, Letters]:
    """The variables that a file sets. Raises UnitError if systemd releases read it differently, or not at all."""
    text = decode(data)
    if '\0' in text:
        raise UnitError(f'{path} contains a NUL, so systemd does not read it', refused=True)
    older, newer = (reading(path, text, comments_go_on=each) for each in (True, False))
    if isinstance(older, UnitError) and isinstance(newer, UnitError):
        raise older
    if isinstance(older, UnitError) or isinstance(newer, UnitError) or older != newer:
        raise UnitError(f'{path} has a comment that ends in a backslash, which systemd releases read differently')
    return older


def reading(path: str, text: str, *, comments_go_on: bool) -> dict[str, Letters] | UnitError:
    try:
        return dict(iter_variables(path, text, comments_go_on=comments_go_on))
    except UnitError as error:
        return error


def iter_variables(path: str, text: str, *, comments_go_on: bool) -> Iterator[tuple[str, Letters]]:
    """The valid assignments, in order. Raises UnitError.

    `comments_go_on`: a backslash at the end of a comment continues it on the next line, as before systemd 254.
    """
    reader = EnvironmentReader(comments_go_on=comments_go_on)
    line = 1
    for letter in text:
        done = reader.take(letter, Place(path, line))
        if done is not None:
            yield from valid(path, *done)
        line += letter == '\n'
    done = reader.finish()
    if done is not None:
        yield from valid(path, *done)


def valid(path: str, key: str, value: Letters) -> Iterator[tuple[str, Letters]]:
    """The assignment, or nothing if a process cannot have such a variable. Raises UnitError."""
    if not is_text(key) or not is_text(text_of(value)):
        raise UnitError(f'{path} contains text that is not valid UTF-8, so systemd does not read it', refused=True)
    if NAME.fullmatch(key):
        yield key, from_variable(value, key)


class EnvironmentReader:
    """Parses a file one character at a time."""

    def __init__(self, *, comments_go_on: bool) -> None:
        self.comments_go_on = comments_go_on
        self.state = State.BEFORE_KEY
        self.key = ''
        self.value: Letters = []
        self.solid = 0
        """The length of the value without the white space at its end."""

    def take(self, letter: str, place: Place) -> tuple[str, Letters] | None:
        """Parse a character. Returns the assignment that it ends, if any."""
        match self.state:
            case State.BEFORE_VALUE | State.VALUE:
                return self.take_value(letter, place)
            case State.BEFORE_KEY | State.KEY:
                self.take_key(letter)
            case State.COMMENT | State.COMMENT_ESCAPE:
                self.take_comment(letter)
            case _:
                self.take_quoted(letter, place)
        return None

    def take_key(self, letter: str) -> None:
        if self.state is State.KEY:
            if letter in NEWLINE:
                self.state = State.BEFORE_KEY
            elif letter == '=':
                self.state = State.BEFORE_VALUE
            else:
                self.key += letter
        elif letter in COMMENTS:
            self.state = State.COMMENT
        elif letter not in WHITESPACE:
            self.state, self.key = State.KEY, letter

    def take_value(self, letter: str, place: Place) -> tuple[str, Letters] | None:
        """Parse a character outside of quotes: before the value, after a quote, or in the value."""
        is_before = self.state is State.BEFORE_VALUE
        if letter in NEWLINE:
            return self.finish()
        if letter == '\\':
            self.state = State.VALUE_ESCAPE
            self.solid = len(self.value)
        elif is_before and letter in '\'"':
            self.state = State.SINGLE_QUOTES if letter == "'" else State.DOUBLE_QUOTES
        elif not (is_before and letter in WHITESPACE):
            self.state = State.VALUE
            self.value.append((letter, place))
            if letter not in WHITESPACE:
                self.solid = len(self.value)
        return None

    def take_quoted(self, letter: str, place: Place) -> None:
        """Parse a character in quotes or after a backslash."""
        if self.state is State.VALUE_ESCAPE:
            self.state = State.VALUE
            if letter not in NEWLINE:
                self.add(letter, place)
        elif self.state is State.DOUBLE_QUOTES_ESCAPE:
            self.state = State.DOUBLE_QUOTES
            if letter not in ESCAPED_IN_QUOTES and letter != '\n':
                self.add('\\', place)
            if letter != '\n':
                self.add(letter, place)
        elif letter == ("'" if self.state is State.SINGLE_QUOTES else '"'):
            self.state = State.BEFORE_VALUE
        elif letter == '\\' and self.state is State.DOUBLE_QUOTES:
            self.state = State.DOUBLE_QUOTES_ESCAPE
        else:
            self.add(letter, place)

    def take_comment(self, letter: str) -> None:
        if self.state is State.COMMENT_ESCAPE:
            ends = letter in NEWLINE and not self.comments_go_on
            self.state = State.BEFORE_KEY if ends else State.COMMENT
        elif letter == '\\':
            self.state = State.COMMENT_ESCAPE
        elif letter in NEWLINE:
            self.state = State.BEFORE_KEY

    def add(self, letter: str, place: Place) -> None:
        self.value.append((letter, place))
        self.solid = len(self.value)

    def finish(self) -> tuple[str, Letters] | None:
        """End the current assignment and return it; None if there is none."""
        if self.state not in IN_A_VALUE:
            return None
        value = self.value[: self.solid] if self.state is State.VALUE else self.value
        key = self.key.rstrip(WHITESPACE)
        self.state, self.key, self.value, self.solid = State.BEFORE_KEY, '', [], 0
        return key, value
