# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How text fits a terminal: labels, line breaks, and colors."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from datadog_checks.kubelet_compliance.model import Verdict

from .report import printable

LABEL_WIDTH: Final = 12
INDENT: Final = '  '
LONGEST_TEXT: Final = 2000

BOLD, DIM = '1', '2'
COLOR_OF: Final[Mapping[Verdict, str]] = {
    Verdict.COMPLIANT: '32',
    Verdict.EXEMPTED: '36',
    Verdict.UNKNOWN: '33',
    Verdict.NON_COMPLIANT: '31',
}
"""The color of each verdict, as the parameter of the terminal's escape sequence SGR: green, cyan, yellow, red."""


@dataclass(frozen=True, slots=True)
class Style:
    """How to print. `width`: the longest line, in characters.

    `is_verbose`: all details of each result. `only_failed`: no results that are compliant or exempted.
    """

    width: int = 80
    has_colors: bool = False
    is_verbose: bool = False
    only_failed: bool = False

    def paint(self, text: str, color: str) -> str:
        return f'\x1b[{color}m{text}\x1b[0m' if self.has_colors else text

    def verdict(self, verdict: Verdict, text: str = '') -> str:
        """The word for a verdict, or a text about it, in the color of the verdict."""
        return self.paint(text or word_of(verdict), COLOR_OF[verdict])

    def labelled(self, label: str, text: str) -> list[str]:
        """A text after its label, wrapped. Nothing for no text."""
        if not text:
            return []
        first, *rest = self.wrapped(text, f'{INDENT}{label:<{LABEL_WIDTH - 1}} ')
        return [first.replace(label, self.paint(label, DIM), 1), *rest]

    def wrapped(self, text: str, first: str = '') -> list[str]:
        """A text as printable lines. All lines after the first one are indented by the width of `first`."""
        return textwrap.wrap(
            printable(text, LONGEST_TEXT),
            self.width,
            initial_indent=first,
            subsequent_indent=' ' * len(first),
            # A path or a command is easier to copy from one line, even from a long one.
            break_long_words=False,
            break_on_hyphens=False,
        )


def word_of(verdict: Verdict) -> str:
    """A verdict as a person reads it: NON-COMPLIANT."""
    return verdict.value.replace('_', '-').upper()
