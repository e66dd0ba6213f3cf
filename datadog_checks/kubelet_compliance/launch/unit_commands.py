# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Parses the commands of a systemd service, and the paths in its settings, before variables are replaced. Pure.

Follows `config_parse_exec` in systemd's src/core/load-fragment.c, and `path_simplify_and_warn` in its
src/shared/parse-helpers.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .systemd_text import UNSAFE, WHITESPACE, Letters, UnitError, is_text, text_of
from .systemd_words import BadWord, next_argument, with_specifiers

PATH_MAX, NAME_MAX = 4096, 255


@dataclass(frozen=True, slots=True)
class Command:
    """One command of `ExecStart=` before its variables are replaced. `words`: argv, including argv[0]."""

    program: str
    words: list[Letters]
    replaces_variables: bool


def iter_commands(value: Letters, specifiers: Mapping[str, str | None]) -> Iterator[Command]:
    """The commands of one `ExecStart=`, separated by the word `;`. Raises UnitError."""
    position = 0
    while True:
        try:
            first, position = next_argument(value, position)
        except BadWord:
            return
        if first is None:
            return
        if text_of(first) == ';':
            continue
        prefix, rest = split_prefix(first)
        try:
            program = with_specifiers(rest, specifiers)
            refuse_bad_program(text_of(program))
            words, position, goes_on = words_of_command(value, position, specifiers)
            words = words if '@' in prefix else [program, *words]
            if not words:
                raise BadWord
        except BadWord as error:
            if '-' in prefix:
                return
            why = str(error) or f'{value[0][1]} is an invalid command line'
            raise UnitError(f'{why}, so systemd does not load it', refused=True) from None
        yield Command(text_of(program), words, ':' not in prefix)
        if not goes_on:
            return


def split_prefix(word: Letters) -> tuple[str, Letters]:
    """Split the special characters off the start of a program."""
    prefix = ''
    for letter, _ in word:
        once = letter in '-@:' and letter not in prefix
        privilege = letter == '+' and not set('+!') & set(prefix)
        twice = letter == '!' and '+' not in prefix and prefix.count('!') < 2
        if not (once or privilege or twice):
            break
        prefix += letter
    return prefix, word[len(prefix) :]


def refuse_bad_program(path: str) -> None:
    """Raises BadWord."""
    is_name = '/' not in path and path not in ('.', '..')
    if not path or path.endswith('/') or UNSAFE.search(path) or not is_valid_path(path):
        raise BadWord
    if not path.startswith('/') and not is_name:
        raise BadWord


def words_of_command(
    value: Letters, position: int, specifiers: Mapping[str, str | None]
) -> tuple[list[Letters], int, bool]:
    """The words after a program, their end, and whether another command follows. Raises BadWord and UnitError."""
    words: list[Letters] = []
    while position < len(value):
        ahead = text_of(value[position : position + 3])
        if ahead[0] == ';' and ahead[1:2].strip(WHITESPACE) == '':
            return words, position + 1, True
        if ahead.startswith('\\;') and ahead[2:3].strip(WHITESPACE) == '':
            words.append([value[position + 1]])
            position += 2
            while position < len(value) and value[position][0] in WHITESPACE:
                position += 1
            continue
        word, position = next_argument(value, position)
        if word is not None:
            words.append(with_specifiers(word, specifiers))
    return words, position, False


def simplified(path: str) -> str:
    """An absolute path without redundant parts; '' if the path is invalid (`path_simplify_and_warn`)."""
    parts = [part for part in path.split('/') if part not in ('', '.')]
    if not path.startswith('/') or '..' in parts or not is_text(path) or not is_valid_path(path):
        return ''
    return '/' + '/'.join(parts)


def is_valid_path(path: str) -> bool:
    """Whether the lengths of the path and its parts are valid (path-util.c, `path_is_valid`)."""
    data = path.encode('utf-8', 'surrogateescape')
    return len(data) < PATH_MAX and max(map(len, data.split(b'/'))) <= NAME_MAX
