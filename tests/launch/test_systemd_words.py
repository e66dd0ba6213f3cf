# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from datadog_checks.kubelet_compliance.launch.systemd_text import Letters, UnitError, at_place, text_of
from datadog_checks.kubelet_compliance.launch.systemd_words import (
    BadWord,
    Escapes,
    UnknownVariable,
    expand_words,
    from_variable,
    iter_values,
    next_argument,
    next_word,
    with_specifiers,
)
from datadog_checks.kubelet_compliance.model import Place

HERE = Place('/u', 1)
UNREADABLE = ['BAD']
"""What stands for a word that cannot be read."""


def letters(text: str) -> Letters:
    return at_place(text, HERE)


def words(text: str, escapes: Escapes | None, *, forgiving: bool = False) -> list[str]:
    """`escapes`: None reads the words as those of a command."""
    found: list[str] = []
    position = 0
    while True:
        try:
            if escapes is None:
                word, position = next_argument(letters(text), position)
            else:
                word, position = next_word(letters(text), position, escapes, forgiving=forgiving)
        except BadWord:
            return [*found, *UNREADABLE]
        if word is None:
            return found
        found.append(text_of(word))


@pytest.mark.parametrize(
    'text, expected',
    [
        ('', []),
        (' \t\n\r ', []),
        ('a', ['a']),
        ('  a \t b  ', ['a', 'b']),
        ('"a b" c', ['a b', 'c']),
        ("'a b' c", ['a b', 'c']),
        ('a"b c"d', ['ab cd']),
        ('"a"\'b\'', ['ab']),
        ('"it\'s" \'a"b\'', ["it's", 'a"b']),
        ('"" \'\'', ['', '']),
        ('a""', ['a']),
        ('"a', UNREADABLE),
        ("b 'a", ['b', *UNREADABLE]),
        ('a\x0bb\x0cc\u00a0d', ['a\x0bb\x0cc\u00a0d']),
        ('\\a\\b\\f\\n\\r\\t\\v', ['\a\b\f\n\r\t\v']),
        ('\\\\ \\" \\\'', ['\\', '"', "'"]),
        ('a\\sb', ['a b']),
        ('"a\\sb\\""', ['a b"']),
        ('\\x41\\101\\u0041\\U00000041', ['AAAA']),
        ('\\xc3\\xa9', ['\udcc3\udca9']),
        ('\\u00e9 \\U0001f600', ['\u00e9', '\U0001f600']),
        ('\\xFf', ['\udcff']),
        ('\\x4', UNREADABLE),
        ('\\xzz', UNREADABLE),
        ('\\u004', UNREADABLE),
        ('\\U0000004', UNREADABLE),
        ('\\10', UNREADABLE),
        ('\\x00', UNREADABLE),
        ('\\000', UNREADABLE),
        ('\\u0000', UNREADABLE),
        ('\\400', UNREADABLE),
        ('\\377', ['\udcff']),
        ('\\U00110000', UNREADABLE),
        ('\\U0010fffd', ['\U0010fffd']),
        ('\\ufffe\\ufdd0', ['\ufffe\ufdd0']),
        ('\\U0000d800', UNREADABLE),
        ('\\U0000fffe', UNREADABLE),
        ('\\U0000fdd0', UNREADABLE),
        ('\\U0010ffff', UNREADABLE),
        ('\\ud800', ['\udced\udca0\udc80']),
        ('\\q', UNREADABLE),
        ('\\ a', UNREADABLE),
        ('a\\', UNREADABLE),
        ('\\x410', ['A0']),
    ],
)
def test_the_words_of_a_setting(text: str, expected: list[str]) -> None:
    assert words(text, Escapes.C) == expected


@pytest.mark.parametrize(
    'text, expected',
    [
        ('a\\qb c', ['a\\qb', 'c']),
        ('\\x41\\q', ['A\\q']),
        ('"\\x4 \\q"', ['\\x4 \\q']),
        ('\\400\\x00', ['\\400\\x00']),
        ('\\ a', ['\\ a']),
        ('a\\', ['a\\']),
        ('"a\\', UNREADABLE),
        ('"a', UNREADABLE),
        ("--a='b c' d", ['--a=b c', 'd']),
        ('\\U00110000', ['\\U00110000']),
    ],
)
def test_a_command_keeps_the_backslashes_of_escapes_that_are_none(text: str, expected: list[str]) -> None:
    assert words(text, None) == expected


@pytest.mark.parametrize(
    'text, expected',
    [
        ('\\a\\n\\x41', ['anx41']),
        ('a\\ b', ['a b']),
        ('\\"a\\"', ['"a"']),
        ('"a b', ['a b']),
        ("c 'a b", ['c', 'a b']),
        ('a\\', ['a']),
        ('"a\\', ['a']),
        ('"a\\"b" c', ['a"b', 'c']),
        ('""', ['']),
    ],
)
def test_the_words_of_a_variable_lose_their_backslashes_and_may_end_in_a_quote(text: str, expected: list[str]) -> None:
    assert words(text, Escapes.DROPPED, forgiving=True) == expected


def test_without_forgiveness_an_open_end_is_refused() -> None:
    assert words('a\\', Escapes.DROPPED) == UNREADABLE
    assert words('"a', Escapes.DROPPED) == UNREADABLE
    assert words('"a\\', Escapes.C_OR_KEPT, forgiving=True) == ['a\\']


def test_the_values_before_the_one_that_cannot_be_read_are_given() -> None:
    values = iter_values(letters('A=1 "B=2" \\q C=3'))
    assert [text_of(next(values)), text_of(next(values))] == ['A=1', 'B=2']
    assert list(values) == []
    assert [text_of(word) for word in iter_values(letters('a\\q "b'), Escapes.DROPPED)] == ['aq']


def test_an_escape_stands_where_its_backslash_stands() -> None:
    one, two = Place('/u', 1), Place('/u', 2)
    text = [('\\', one), *at_place('x41', two), ('b', two), (' ', two), ('\\', one), ('q', two)]
    assert next_argument(text, 0) == ([('A', one), ('b', two)], 6)
    assert next_argument(text, 6) == ([('\\', one), ('q', one)], 8)


KNOWN = {'n': 'k.service', 'N': 'k', 'i': '', 'H': None}


@pytest.mark.parametrize(
    'text, expected',
    [
        ('a%nb', 'ak.serviceb'),
        ('%N%N', 'kk'),
        ('%i', ''),
        ('%%n', '%n'),
        ('%%%n', '%k.service'),
        ('50%', '50%'),
        ('% n', '% n'),
        ('%-', '%-'),
        ('%\u00e9%\u0661', '%\u00e9%\u0661'),
        ('', ''),
    ],
)
def test_specifiers_are_replaced(text: str, expected: str) -> None:
    assert text_of(with_specifiers(letters(text), KNOWN)) == expected


@pytest.mark.parametrize(
    'text, says, error',
    [
        ('a%z', '/u:1 uses %z, which is not a specifier', BadWord),
        ('%0', '/u:1 uses %0, which is not a specifier', BadWord),
        ('%H', '/u:1 uses %H, whose value this check does not know', UnitError),
        ('%n%H%z', '/u:1 uses %H, whose value this check does not know', UnitError),
    ],
)
def test_a_specifier_without_a_value_is_an_error(text: str, says: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=f'^{re.escape(says)}$') as raised:
        with_specifiers(letters(text), KNOWN)
    assert not getattr(raised.value, 'refused', False)


VARIABLES = {
    'A': '1', 'E': '', 'W': ' a  "b c" \\d ', 'D': '$A ${A}', 'Q': '"open x', 'S': '   ', 'a-b': 'dash', '1': 'one',
}  # fmt: skip


def expanded(*given: str, hidden: frozenset[str] = frozenset()) -> list[str]:
    variables = {name: letters(value) for name, value in VARIABLES.items()}
    return [text_of(word) for word in expand_words([letters(word) for word in given], variables, hidden)]


@pytest.mark.parametrize(
    'word, expected',
    [
        ('$A', ['1']),
        ('$W', ['a', 'b c', 'd']),
        ('${W}', [' a  "b c" \\d ']),
        ('$E', []),
        ('$S', []),
        ('${E}', ['']),
        ('$NONE', []),
        ('${NONE}', ['']),
        ('$', []),
        ('$D', ['$A', '${A}']),
        ('${D}', ['$A ${A}']),
        ('$Q', ['open x']),
        ('$A-b', []),
        ('$a-b', ['dash']),
        ('$1', ['one']),
        ('${a-b}', ['dash']),
        ('x$A', ['x$A']),
        ('x${A}y', ['x1y']),
        ('${A}${A}', ['11']),
        ('${A}$A', ['1$A']),
        ('$$A', ['$A']),
        ('$$', ['$']),
        ('$$$A', ['$$A']),
        ('$${A}', ['${A}']),
        ('x$$', ['x$']),
        ('x$', ['x$']),
        ('x$y${A}', ['x$y1']),
        ('x$y$${A}', ['x$y${A}']),
        ('${', ['${']),
        ('${A', ['${A']),
        ('x${A:-y}', ['x${A:-y}']),
        ('${A:-${A}}', ['${A:-1}']),
        ('${A:${A}', ['${A:1']),
        ('${}', ['']),
        ('plain', ['plain']),
        ('', ['']),
    ],
)
def test_variables_are_replaced(word: str, expected: list[str]) -> None:
    assert expanded(word) == expected
    assert expanded('first', word, 'last') == ['first', *expected, 'last']


@pytest.mark.parametrize(
    'word, is_used', [('$PATH', True), ('x${PATH}', True), ('x$PATH', False), ('$$PATH', False), ('$A', False)]
)
def test_a_variable_with_a_value_that_is_not_known_is_an_error_where_it_is_used(word: str, is_used: bool) -> None:
    hidden = frozenset({'PATH'})
    if not is_used:
        expanded(word, hidden=hidden)
        return
    with pytest.raises(UnknownVariable, match='^PATH$'):
        expanded(word, hidden=hidden)


def test_a_letter_of_a_variable_knows_its_file_line_and_name() -> None:
    value = from_variable([('a', Place('/e', 3)), ('b', Place('/e', 4))], 'A')
    assert [str(place) for _, place in value] == ['/e:3 (A)', '/e:4 (A)']
    (word,) = expand_words([letters('x${A}')], {'A': value}, frozenset())
    assert [str(place) for _, place in word] == ['/u:1', '/e:3 (A)', '/e:4 (A)']


@given(st.text(alphabet='a1 \t"\'\\xuU$%{}:;', max_size=20))
def test_any_text_has_words_or_none_and_the_reader_moves_on(text: str) -> None:
    for escapes in Escapes:
        position = 0
        try:
            while True:
                word, following = next_word(letters(text), position, escapes)
                assert following > position or word is None
                position = following
                if word is None:
                    break
        except BadWord:
            pass
        else:
            assert position == len(text)
    expanded(text)
