# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import re

import pytest

from datadog_checks.kubelet_compliance.launch.systemd_text import (
    END_OF_LINE,
    Place,
    UnitError,
    at_place,
    decode,
    ends_in_escape,
    is_text,
    iter_assignments,
    iter_logical_lines,
    strip,
    text_of,
)

PATH = '/etc/systemd/system/kubelet.service'


def assigned(text: str | bytes) -> list[tuple[str, str, str]]:
    data = text.encode('utf-8', 'surrogateescape') if isinstance(text, str) else text
    return [(found.section, found.key, text_of(found.value)) for found in iter_assignments(PATH, data)]


def in_service(text: str) -> list[tuple[str, str]]:
    return [(key, value) for _, key, value in assigned(f'[Service]\n{text}')]


@pytest.mark.parametrize(
    'text, lines',
    [
        ('a\nb', ['a', 'b']),
        ('a\rb', ['a', 'b']),
        ('a\0b', ['a', 'b']),
        ('a\r\nb', ['a', 'b']),
        ('a\n\rb', ['a', 'b']),
        ('a\n\0b', ['a', 'b']),
        ('a\r\0b', ['a', 'b']),
        ('a\0\nb', ['a', '', 'b']),
        ('a\0\rb', ['a', '', 'b']),
        ('a\r\n\0b', ['a', 'b']),
        ('a\0\r\nb', ['a', '', 'b']),
        ('a\n\0\rb', ['a', '', 'b']),
        ('a\r\0\nb', ['a', '', 'b']),
        ('a\n\r\0b', ['a', 'b']),
        ('a\0\n\rb', ['a', '', 'b']),
        ('a\n\nb', ['a', '', 'b']),
        ('a\r\rb', ['a', '', 'b']),
        ('a\0\0b', ['a', '', 'b']),
        ('a\r\n\r\nb', ['a', '', 'b']),
        ('a\n\r\nb', ['a', '', 'b']),
        ('a\n', ['a', '']),
        ('a\x0bb\x0cc\x85d\u2028e', ['a\x0bb\x0cc\x85d\u2028e']),
    ],
)
def test_a_line_ends_at_a_line_feed_and_a_carriage_return_in_any_order_and_at_a_nul_behind_them(
    text: str, lines: list[str]
) -> None:
    assert END_OF_LINE.split(text) == lines
    assert [text_of(line) for line in iter_logical_lines(PATH, text)] == lines


@pytest.mark.parametrize(
    'text, lines',
    [
        ('a\\\nb', ['a b']),
        ('a \\\n  b', ['a    b']),
        ('a\\\n\\\nb', ['a  b']),
        ('a\\\\\nb', ['a\\\\', 'b']),
        ('a\\\\\\\nb', ['a\\\\ b']),
        ('a\\ \nb', ['a\\ ', 'b']),
        ('a\\\r\nb', ['a b']),
        ('a\\', ['a ']),
        ('a\\\n', ['a ']),
        ('a\\\n\nb', ['a ', 'b']),
        ('a\\\n# c\nb', ['a b']),
        ('a\\\n  ; c \\\nb', ['a b']),
        ('a\\\n# c', ['a ']),
        ('# c \\\nb', ['b']),
        (' \t# c\n;d\nb', ['b']),
        ('a # c', ['a # c']),
        ('', ['']),
        ('#', []),
        ('\ufeffa', ['a']),
        ('\ufeff# c\nb', ['# c', 'b']),
        ('\ufeff# c \\\nb', ['# c  b']),
        ('a\n\ufeffb', ['a', 'b']),
        ('a\\\n\ufeffb', ['a b']),
        ('#\ufeff\n\ufeffa\n\ufeffb', ['a', '\ufeffb']),
        (' \ufeffa', [' \ufeffa']),
    ],
)
def test_a_backslash_joins_lines_and_a_comment_never_counts(text: str, lines: list[str]) -> None:
    assert [text_of(line) for line in iter_logical_lines(PATH, text)] == lines


@pytest.mark.parametrize(
    'line, is_one', [('', False), ('a', False), ('\\', True), ('a\\', True), ('\\\\', False), ('\\a', False)]
)
def test_of_the_backslashes_at_the_end_each_second_one_is_escaped(line: str, is_one: bool) -> None:
    assert ends_in_escape(line) is is_one


@pytest.mark.parametrize(
    'text, places',
    [
        ('ab\nc', [('a', 1), ('b', 1), ('c', 2)]),
        ('a\\\nb\nc', [('a', 1), (' ', 1), ('b', 2), ('c', 3)]),
        ('a\\\n#\n\\\nb', [('a', 1), (' ', 1), (' ', 3), ('b', 4)]),
        ('\r\n\ra\0\0b', [('a', 3), ('b', 5)]),
        ('\ufeffa', [('a', 1)]),
    ],
)
def test_each_letter_knows_the_line_that_it_stands_in(text: str, places: list[tuple[str, int]]) -> None:
    found = [letter for line in iter_logical_lines(PATH, text) for letter in line]
    assert found == [(letter, Place(PATH, line)) for letter, line in places]


@pytest.mark.parametrize(
    'text, expected',
    [
        ('A=b', [('A', 'b')]),
        (' A \t= b ', [('A', 'b')]),
        ('A=', [('A', '')]),
        ('A=b=c', [('A', 'b=c')]),
        ('A = "b "', [('A', '"b "')]),
        ('=b', [('', 'b')]),
        ('A', []),
        ('A=1\nA=2', [('A', '1'), ('A', '2')]),
        ('A=\x0bb\x0c', [('A', '\x0bb\x0c')]),
        ('A=\\\n b', [('A', 'b')]),
        ('A=b\\\n\nB=c', [('A', 'b'), ('B', 'c')]),
        ('A=b\\\nB=c', [('A', 'b B=c')]),
        ('A\\\n=b', [('A', 'b')]),
        ('A=#b', [('A', '#b')]),
    ],
)
def test_the_first_equals_sign_parts_a_key_from_its_value(text: str, expected: list[tuple[str, str]]) -> None:
    assert in_service(text) == expected


@pytest.mark.parametrize(
    'text, expected',
    [
        ('A=1\n[Service]\nA=2', [('Service', 'A', '2')]),
        ('[Unit]\nA=1\n[Service]\nA=2', [('Unit', 'A', '1'), ('Service', 'A', '2')]),
        ('[Service]\nA=1\n[Service]\nA=2', [('Service', 'A', '1'), ('Service', 'A', '2')]),
        (' [Service] \nA=1', [('Service', 'A', '1')]),
        ('[ Service ]\nA=1', [(' Service ', 'A', '1')]),
        ('[Service]]\nA=1', [('Service]', 'A', '1')]),
        ('[Serv\\\nice]\nA=1', [('Serv ice', 'A', '1')]),
        ('[]\nA=1', []),
        ('[]\n[Service]\nA=1', [('Service', 'A', '1')]),
    ],
)
def test_a_section_counts_until_the_next(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert assigned(text) == expected


@pytest.mark.parametrize(
    'header, line',
    [
        ('[Service', 1),
        ('\n [Service] x', 2),
        ('[\n', 1),
        ('#\n\\\n[Service', 3),
        ('["Service]', 1),
        ("['Service]", 1),
        ('[\\Service]', 1),
        ('[\x0bService]', 1),
        ('[\x7fService]', 1),
    ],
)
def test_a_section_that_does_not_end_or_holds_other_letters_is_refused(header: str, line: int) -> None:
    with pytest.raises(UnitError, match=re.escape(f'{PATH}:{line} is an invalid section header')) as raised:
        assigned(header)
    assert raised.value.refused


def test_what_stands_before_a_broken_section_is_read() -> None:
    found = iter_assignments(PATH, b'[Service]\nA=1\n[Service\nA=2')
    assert next(found).key == 'A'
    with pytest.raises(UnitError):
        next(found)


def test_bytes_that_are_no_text_survive() -> None:
    assert decode(b'\xff\xc3\xa9') == '\udcff\u00e9'
    assert decode(b'\xed\xa0\x80') == '\udced\udca0\udc80'


@pytest.mark.parametrize(
    'text', ['A=\udcff', '\udcff', '[\udcff]', 'A=\ufffe', '\uffff=1', 'A=\ufdd0', 'A=\ufdef', 'A=\U0001fffe']
)
def test_a_line_that_is_no_text_is_refused_and_what_stands_before_it_is_read(text: str) -> None:
    found = iter_assignments(PATH, f'[Service]\nA=1\n{text}\nA=2'.encode('utf-8', 'surrogateescape'))
    assert next(found).key == 'A'
    with pytest.raises(UnitError, match=f'^{PATH}:3 is not valid UTF-8, so systemd does not load it$') as raised:
        next(found)
    assert raised.value.refused


@pytest.mark.parametrize('text', ['# \udcff', 'A=\ufffd', 'A=\ufdcf\ufdf0', 'A=\ufeff', 'A=\x0b\x7f'])
def test_other_text_and_comments_of_any_bytes_are_read(text: str) -> None:
    data = f'[Service]\n{text}\nB=2'.encode('utf-8', 'surrogateescape')
    assert [each.key for each in iter_assignments(PATH, data)][-1] == 'B'


@pytest.mark.parametrize(
    'text, expected',
    [('a', True), ('\udcc3\udca9', True), ('\udcc3', False), ('\udced\udca0\udc80', False), ('\U0010ffff', False)],
)
def test_bytes_that_make_up_a_character_together_are_text(text: str, expected: bool) -> None:
    assert is_text(text) is expected


@pytest.mark.parametrize(
    'text, expected', [('', ''), (' ', ''), ('\t a b\r\n', 'a b'), ('\u00a0a\u00a0', '\u00a0a\u00a0')]
)
def test_white_space_is_taken_off_both_ends(text: str, expected: str) -> None:
    assert text_of(strip(at_place(text, Place(PATH, 1)))) == expected


@pytest.mark.parametrize(
    'place, expected', [(Place('/a', 3), '/a:3'), (Place('/a', 3, 'KUBELET_ARGS'), '/a:3 (KUBELET_ARGS)')]
)
def test_a_place_names_its_file_line_and_variable(place: Place, expected: str) -> None:
    assert str(place) == expected


def test_an_error_is_a_refusal_only_where_it_says_so() -> None:
    assert not UnitError('x').refused
    assert UnitError('x', refused=True).refused
