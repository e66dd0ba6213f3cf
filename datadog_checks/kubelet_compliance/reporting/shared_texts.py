# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Texts that several nodes share, such as a problem: each once, with the names of its nodes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from .layout import BOLD, INDENT, Style
from .report import printable

MOST_LINES: Final = 30
"""What a list shows without --verbose."""
COUNT_WIDTH: Final = 7
NARROWEST_NAMES: Final = 24

Shared: TypeAlias = Sequence[tuple[str, Sequence[str]]]
"""Texts, each with the names of the nodes that have it, the most frequent first."""


def gathered(texts: Iterable[tuple[str, Iterable[str]]]) -> Shared:
    """The texts of all nodes, from the name and the texts of each node."""
    found: dict[str, list[str]] = {}
    for name, own in texts:
        for text in dict.fromkeys(own):
            found.setdefault(text, []).append(name)
    return sorted(found.items(), key=lambda each: -len(each[1]))


def iter_shared(title: str, texts: Shared, style: Style, what: str) -> Iterator[str]:
    """A list after an empty line and its title. Nothing for an empty list. `what`: one item in words."""
    if not texts:
        return
    yield from ('', style.paint(title, BOLD))
    shown = texts if style.is_verbose else texts[:MOST_LINES]
    indent = ' ' * (COUNT_WIDTH + 2)
    for text, names in shown:
        yield from style.wrapped(text, f'{len(names):>{COUNT_WIDTH},}  ')
        yield from (f'{indent}{line}' for line in name_lines(names, style, len(indent)))
    yield from left_out(len(texts) - len(shown), what)


def name_lines(names: Sequence[str], style: Style, indent: int) -> list[str]:
    """As many names as fit in one line, at least one, and how many more there are. All of them with --verbose."""
    printed = [printable(name) for name in names]
    room = max(style.width - indent, NARROWEST_NAMES)
    if style.is_verbose:
        return textwrap.wrap(', '.join(printed), room, break_long_words=False, break_on_hyphens=False)
    candidates = (with_rest(printed, count) for count in range(min(len(printed), room), 0, -1))
    return [next((text for text in candidates if len(text) <= room), with_rest(printed, 1))]


def with_rest(names: Sequence[str], count: int) -> str:
    """The first names, and how many more there are."""
    rest = len(names) - count
    return f'{", ".join(names[:count])}{f" and {rest:,} more" if rest else ""}'


def left_out(count: int, what: str) -> Iterator[str]:
    if count:
        yield f'{INDENT}and {count:,} more {what}{"" if count == 1 else "s"}: print them with --verbose'
