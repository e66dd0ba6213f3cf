# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Splits the values in systemd's unit files into words: quotes, escapes, specifiers, and variables. Pure.

Follows systemd's src/basic/extract-word.c, escape.c (`cunescape_one`), env-util.c (`replace_env_argv`) and
src/shared/specifier.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum

from datadog_checks.kubelet_compliance.model import Place

from .systemd_text import NO_TEXT, WHITESPACE, Letters, UnitError, at_place, text_of


class Escapes(Enum):
    """The meaning of a backslash in a word. The values describe it."""

    C = 'the escapes of C only'
    C_OR_KEPT = 'the escapes of C; in any other, the backslash stays'
    DROPPED = 'the next character itself'


class BadWord(Exception):
    """A word with an unclosed quote, or an invalid escape or specifier. The text of the error may be empty."""


SIMPLE_ESCAPES = {
    'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
    '\\': '\\', '"': '"', "'": "'", 's': ' ',
}  # fmt: skip
CODED_ESCAPE = re.compile(r'x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})')


def next_word(letters: Letters, start: int, escapes: Escapes, *, forgiving: bool = False) -> tuple[Letters | None, int]:
    """The word at or after a position, without its quotes, and the position of the next. None: no more words.

    `forgiving`: the end of the text closes an open quote. Raises BadWord.
    """
    position, size = start, len(letters)
    while position < size and letters[position][0] in WHITESPACE:
        position += 1
    if position == size:
        return None, position
    word: Letters = []
    quote = ''
    while position < size:
        letter, place = letters[position]
        if letter == '\\':
            position = unescape(letters, position, word, escapes, is_quoted=bool(quote), forgiving=forgiving)
            continue
        position += 1
        if quote:
            if letter == quote:
                quote = ''
            else:
                word.append((letter, place))
        elif letter in '\'"':
            quote = letter
        elif letter in WHITESPACE:
            while position < size and letters[position][0] in WHITESPACE:
                position += 1
            return word, position
        else:
            word.append((letter, place))
    if quote and not forgiving:
        raise BadWord
    return word, position


def unescape(
    letters: Letters, position: int, word: Letters, escapes: Escapes, *, is_quoted: bool, forgiving: bool
) -> int:
    """Append the meaning of the escape at a position to a word. Returns its end. Raises BadWord."""
    place = letters[position][1]
    position += 1
    if position == len(letters):
        if escapes is Escapes.C_OR_KEPT and (not is_quoted or forgiving):
            word.append(('\\', place))
        elif not forgiving:
            raise BadWord
        return position
    letter = letters[position][0]
    if escapes is Escapes.DROPPED:
        word.append((letter, place))
        return position + 1
    if letter in SIMPLE_ESCAPES:
        word.append((SIMPLE_ESCAPES[letter], place))
        return position + 1
    match = CODED_ESCAPE.match(text_of(letters[position : position + 9]))
    coded = coded_letter(match) if match is not None else ''
    if match is not None and coded:
        word.extend(at_place(coded, place))
        return position + match.end()
    if escapes is Escapes.C:
        raise BadWord
    word.extend((('\\', place), (letter, place)))
    return position + 1


def coded_letter(match: re.Match[str]) -> str:
    """The character or byte of a numeric escape; '' if the number is invalid."""
    is_byte = match[1] is not None or match[4] is not None
    code = int(match[4], 8) if match[4] is not None else int(match[0][1:], 16)
    if not code or is_byte and code > 0xFF or code > 0x10FFFF or match[3] is not None and NO_TEXT.match(chr(code)):
        return ''
    # A byte can be a part of a character. Half a surrogate pair is not a character.
    data = bytes([code]) if is_byte else chr(code).encode('utf-8', 'surrogatepass')
    return data.decode('utf-8', 'surrogateescape')


def next_argument(letters: Letters, start: int) -> tuple[Letters | None, int]:
    """`next_word` in a command line, where an invalid escape keeps its backslash. Raises BadWord."""
    try:
        return next_word(letters, start, Escapes.C)
    except BadWord:
        return next_word(letters, start, Escapes.C_OR_KEPT)


def iter_values(letters: Letters, escapes: Escapes = Escapes.C) -> Iterator[Letters]:
    """The words of `Environment=` and similar settings. systemd ignores an invalid word and all words after it."""
    try:
        word, position = next_word(letters, 0, escapes)
        while word is not None:
            yield word
            word, position = next_word(letters, position, escapes)
    except BadWord:
        return


def with_specifiers(letters: Letters, known: Mapping[str, str | None]) -> Letters:
    """The text with its specifiers replaced. `known`: their values; None for a value that this check does not know.

    Raises BadWord for an invalid specifier, and UnitError for an unknown value.
    """
    found: Letters = []
    position = 0
    while position < len(letters):
        letter, place = letters[position]
        following = letters[position + 1][0] if position + 1 < len(letters) else ''
        is_one = letter == '%' and (following == '%' or following.isascii() and following.isalnum())
        if not is_one:
            found.append((letter, place))
            position += 1
            continue
        if following != '%' and following not in known:
            raise BadWord(f'{place} uses %{following}, which is not a specifier')
        value = '%' if following == '%' else known[following]
        if value is None:
            raise UnitError(f'{place} uses %{following}, whose value this check does not know')
        found.extend(at_place(value, place))
        position += 2
    return found


Variables = Mapping[str, Letters]
CURLY = re.compile(r'\$(?:(\$)|\{([^}:]*)(\}?))')


class UnknownVariable(Exception):
    """A variable with an unknown value is used. The argument is its name."""


def expand_words(words: list[Letters], variables: Variables, hidden: frozenset[str]) -> list[Letters]:
    """The words of a command with the variables in them replaced. Raises UnknownVariable.

    `$A` as a whole word is split at white space, `${A}` is not, and `$$` becomes `$`. `hidden`: variables with a value
    that this check does not know.
    """
    found: list[Letters] = []
    for word in words:
        text = text_of(word)
        if not text.startswith('$') or text[1:2] in ('{', '$'):
            found.append(expand_word(word, text, variables, hidden) if '$' in text else word)
            continue
        value = value_of(text[1:], variables, hidden)
        part, position = next_word(value, 0, Escapes.DROPPED, forgiving=True)
        while part is not None:
            found.append(part)
            part, position = next_word(value, position, Escapes.DROPPED, forgiving=True)
    return found


def expand_word(word: Letters, text: str, variables: Variables, hidden: frozenset[str]) -> Letters:
    found: Letters = []
    position = 0
    while (start := text.find('$', position)) >= 0:
        found.extend(word[position:start])
        match = CURLY.match(text, start)
        if match is None:
            # A `$` consumes the next character, which therefore starts no variable.
            position = start + 2
            found.extend(word[start:position])
        elif match[1]:
            found.append(word[start])
            position = match.end()
        elif match[3]:
            found.extend(value_of(match[2], variables, hidden))
            position = match.end()
        else:
            # Without its closing brace, or with a colon, it stays. Variables after the colon are replaced.
            position = match.end() + 1
            found.extend(word[start:position])
    found.extend(word[position:])
    return found


def value_of(name: str, variables: Variables, hidden: frozenset[str]) -> Letters:
    """The value of a variable; empty if it is not set. Raises UnknownVariable."""
    if name in hidden:
        raise UnknownVariable(name)
    return list(variables.get(name, ()))


def from_variable(value: Letters, name: str) -> Letters:
    """The value of a variable, with its name in the place of each character."""
    places: dict[Place, Place] = {}
    return [(letter, places.setdefault(place, place._replace(variable=name))) for letter, place in value]
