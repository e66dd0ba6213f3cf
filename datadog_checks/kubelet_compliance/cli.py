# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The command `kubelet-compliance`: options in, a collection, and the answer out."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from .capture.recorder import CannotCapture, record
from .capture.writer import write_node
from .node.captured import NODE_FACTS
from .node.live_host import LINUX_ONLY
from .node.processes import AdmissionError
from .reporting.explanation import iter_explanation
from .reporting.formats import FORMATS
from .reporting.output import ALL_COMPLIANT, NOT_DETERMINED
from .reporting.report import printable
from .rules.custom_rules import CustomRuleError
from .rules.selection import SelectionError
from .terminal.as_the_agent import ConfigError
from .terminal.evaluation import evaluate, task_to_capture
from .terminal.options import parser
from .terminal.progress import Progress
from .terminal.screen import CannotAnswer, style_of, write
from .terminal.tasks import Task, rule_to_explain

INTERRUPTED = 128 + signal.SIGINT
"""The exit status of a command that Ctrl-C ends, as shells know it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = parser().parse_args(arguments)
    try:
        text, status = run(options)
        write(text, options.output)
        return status
    except CannotAnswer as error:
        print(f'kubelet-compliance: {printable(str(error))}', file=sys.stderr)
        return NOT_DETERMINED
    except BrokenPipeError:
        # The reader knows that it did not read everything.
        return NOT_DETERMINED
    except KeyboardInterrupt:
        return INTERRUPTED


def run(options: argparse.Namespace) -> tuple[str, int]:
    """The text to print, and the exit status. Raises CannotAnswer."""
    style = style_of(options)
    if options.explain:
        return '\n'.join(iter_explanation(rule_to_explain(options), style)), ALL_COMPLIANT
    if not sys.platform.startswith('linux'):
        raise CannotAnswer(LINUX_ONLY)
    try:
        if options.capture:
            with Progress('reading the node ...'):
                return capture(task_to_capture(options), options.capture), ALL_COMPLIANT
        results = evaluate(options)
    except (SelectionError, CustomRuleError, AdmissionError, ConfigError, OSError) as error:
        raise CannotAnswer(str(error)) from None
    return FORMATS[options.format](results, style), results.exit_status


def capture(task: Task, folder: str) -> str:
    """Write the node, in its current state, to a new folder. Raises CannotAnswer."""
    try:
        image = record(task.collector.host, task.collector.selection, task.kept)
        write_node(folder, image.files, image.links, seal=NODE_FACTS)
    except FileExistsError:
        raise CannotAnswer(f'{folder} exists: specify a new folder') from None
    except (CannotCapture, OSError, ValueError) as error:
        raise CannotAnswer(str(error)) from None
    return f'{folder}: {len(image.files)} files. Review them before you share them.'
