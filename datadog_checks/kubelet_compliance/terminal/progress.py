# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The progress of work that takes longer than a second, on the standard error of the command."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from datadog_checks.kubelet_compliance.reporting.report import printable

QUIET_SECONDS = 1.0
"""Work that ends in this time shows no progress on a terminal."""
TERMINAL_SECONDS, PIPE_SECONDS = 0.2, 10.0
"""How often a line is shown: on a terminal, which has only the last one, and in a pipe or a file, which keep all."""
LONGEST_LINE = 60
ERASE_LINE = '\r\x1b[K'


class Screen(Protocol):
    """Where the lines go: standard error."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> None: ...
    def isatty(self) -> bool: ...


class Progress:
    """Shows what the work does, from a thread of its own, until the work ends.

    `wait`: waits for some seconds, or until the work ends; True if it has ended.
    """

    def __init__(
        self,
        text: str,
        screen: Screen | None = None,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self.text = text
        # Python has no `stderr` if it was closed before the start.
        self.screen: Screen | None = sys.stderr if screen is None else screen
        self.ended = threading.Event()
        self.wait = self.ended.wait if wait is None else wait
        self.thread = threading.Thread(target=self.run, name='progress', daemon=True)

    def __enter__(self) -> Progress:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.ended.set()
        self.thread.join()

    def run(self) -> None:
        """Nothing at first, then the text as it is then."""
        try:
            if self.screen is not None and self.screen.isatty():
                self.show_on_terminal(self.screen)
            elif self.screen is not None:
                self.show_in_pipe(self.screen)
        except (OSError, ValueError):
            # Standard error is closed, or its reader is gone: the results are still wanted.
            return

    def show_on_terminal(self, screen: Screen) -> None:
        """One line that is written over, and erased at the end."""
        seconds, is_shown = QUIET_SECONDS, False
        while not self.wait(seconds):
            print_to(screen, f'{ERASE_LINE}{printable(self.text, LONGEST_LINE)}')
            seconds, is_shown = TERMINAL_SECONDS, True
        if is_shown:
            print_to(screen, ERASE_LINE)

    def show_in_pipe(self, screen: Screen) -> None:
        while not self.wait(PIPE_SECONDS):
            print_to(screen, f'{printable(self.text, LONGEST_LINE)}\n')


def print_to(screen: Screen, text: str) -> None:
    screen.write(text)
    screen.flush()
