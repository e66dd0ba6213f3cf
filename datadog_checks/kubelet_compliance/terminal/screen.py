# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The terminal of the person who runs the command: its width and colors, and how the answer is written."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys

from datadog_checks.kubelet_compliance.node.process_root import reason
from datadog_checks.kubelet_compliance.reporting.layout import Style

NARROWEST, WIDEST = 64, 120


class CannotAnswer(Exception):
    """The options don't go together, or the command can't read or write what they name."""


def style_of(options: argparse.Namespace) -> Style:
    """The style for the terminal, or for a file or a pipe. COLUMNS overrides the width, as in other programs."""
    width = shutil.get_terminal_size((80, 24)).columns
    return Style(
        width=min(max(width, NARROWEST), WIDEST),
        has_colors=wants_colors(options.color, goes_to_file=options.output is not None),
        is_verbose=options.verbose,
        only_failed=options.failed,
    )


def wants_colors(option: str, *, goes_to_file: bool) -> bool:
    """Whether to print colors: by the option, else on a terminal that can show them (see no-color.org)."""
    if option != 'auto':
        return option == 'always'
    is_off = bool(os.environ.get('NO_COLOR')) or os.environ.get('TERM') == 'dumb'
    return not goes_to_file and not is_off and sys.stdout is not None and sys.stdout.isatty()


def current_folder() -> str:
    """The folder where relative paths start; '' if it no longer exists."""
    try:
        return os.getcwd()
    except OSError:
        return ''


def write(text: str, path: str | None = None) -> None:
    """Write the answer to a file, or to the terminal.

    Raises CannotAnswer, so that a script does not take half the output for all of it, and BrokenPipeError if the
    reader, such as `head`, has read enough.
    """
    if path is not None:
        write_to_file(text, path)
        return
    if sys.stdout is None:
        raise CannotAnswer('could not write the output: standard output is closed')
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the terminal can't show must not end the command.
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        print(text, flush=True)
    except OSError as error:
        # Otherwise Python fails again when it flushes the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise CannotAnswer(f'could not write the output: {reason(error)}') from None


def write_to_file(text: str, path: str) -> None:
    """Raises CannotAnswer."""
    try:
        with open(path, 'w', encoding='utf-8', errors='backslashreplace') as file:
            file.write(f'{text}\n')
    except OSError as error:
        raise CannotAnswer(f"could not write --output '{path}': {reason(error)}") from None
