# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Parses the lines of systemd's unit files into assignments. Each character keeps its file and line. Pure.

Follows `config_parse` and `parse_line` in systemd's src/shared/conf-parser.c, and `read_line_full` in its fileio.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from datadog_checks.kubelet_compliance.model import Place

WHITESPACE = ' \t\n\r'
COMMENTS = '#;'

END_OF_LINE = re.compile(r'\r\n?\0?|\n\r?\0?|\0')
"""The end of a line: a carriage return and a line feed, each at most once, in any order, or a NUL."""

BYTE_ORDER_MARK = '\ufeff'
LAST_OF_PLANES = ''.join(chr(plane | last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF))
NO_TEXT = re.compile(f'[\ud800-\udfff\ufdd0-\ufdef{LAST_OF_PLANES}]')
"""Bytes that are not valid UTF-8, and code points that systemd rejects (utf8.c, `unichar_is_valid`)."""

UNSAFE = re.compile(r'[\0-\x1f\x7f"\'\\]')
"""Control characters, quotes and backslashes (string-util.c, `string_is_safe`)."""


class UnitError(Exception):
    """The command line of a service is unknown. `refused`: systemd would not start the service."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


Letters = list[tuple[str, Place]]
"""A text in which each character has its place."""


class Assignment(NamedTuple):
    """`key=value` in a section."""

    section: str
    key: str
    value: Letters


def text_of(letters: Iterable[tuple[str, Place]]) -> str:
    return ''.join(letter for letter, _ in letters)


def at_place(text: str, place: Place) -> Letters:
    return [(letter, place) for letter in text]


def is_text(text: str) -> bool:
    """Whether the text is valid UTF-8 for systemd. Bytes from separate escapes can form one character together."""
    return NO_TEXT.search(text_again(text)) is None


def text_again(text: str) -> str:
    return text.encode('utf-8', 'surrogateescape').decode('utf-8', 'surrogateescape')


def decode(data: bytes) -> str:
    """Decode the bytes of a file. Bytes that are not valid UTF-8 stay recognizable."""
    return data.decode('utf-8', 'surrogateescape')


def iter_assignments(path: str, data: bytes) -> Iterator[Assignment]:
    """The assignments of a unit file or drop-in, in order. Raises UnitError."""
    section = ''
    for letters in iter_logical_lines(path, decode(data)):
        line = strip(letters)
        if not line:
            continue
        text = text_of(line)
        if not is_text(text):
            raise UnitError(f'{line[0][1]} is not valid UTF-8, so systemd does not load it', refused=True)
        if text[0] == '[':
            if text[-1] != ']' or UNSAFE.search(text):
                raise UnitError(f'{line[0][1]} is an invalid section header, so systemd does not load it', refused=True)
            section = text[1:-1]
            continue
        equals = text.find('=')
        if section and equals >= 0:
            yield Assignment(section, text[:equals].strip(WHITESPACE), strip(line[equals + 1 :]))


def iter_logical_lines(path: str, text: str) -> Iterator[Letters]:
    """The lines without comments. A line that ends with a backslash is joined with the next."""
    parts: Letters = []
    has_mark = False
    for number, line in enumerate(END_OF_LINE.split(text), 1):
        if line.lstrip(WHITESPACE)[:1] in tuple(COMMENTS):
            continue
        if not has_mark and line.startswith(BYTE_ORDER_MARK):
            # A byte order mark is allowed at the start of any line. A line that starts with one is not a comment.
            has_mark, line = True, line[1:]
        parts.extend(at_place(line, Place(path, number)))
        if ends_in_escape(line):
            parts[-1] = (' ', parts[-1][1])
            continue
        yield parts
        parts = []
    if parts:
        yield parts


def ends_in_escape(line: str) -> bool:
    """Whether the line ends with a backslash that is not escaped itself."""
    return (len(line) - len(line.rstrip('\\'))) % 2 == 1


def strip(letters: Letters) -> Letters:
    """Without white space at both ends."""
    start, end = 0, len(letters)
    while start < end and letters[start][0] in WHITESPACE:
        start += 1
    while end > start and letters[end - 1][0] in WHITESPACE:
        end -= 1
    return letters[start:end]
