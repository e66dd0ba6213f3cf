# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The evaluation of what the options name: this machine, an image, or captured nodes."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone

from datadog_checks.kubelet_compliance.node.captured import CaptureError
from datadog_checks.kubelet_compliance.reporting.output import NotEvaluated, Output, Results, short_names

from .captured_tasks import CapturedTerms, terms_of
from .captures import Captures, find_captures
from .progress import Progress
from .screen import CannotAnswer, current_folder
from .tasks import Task, task_of


class CannotOpen(CannotAnswer):
    """A captured node can't be opened."""

    def __init__(self, name: str, folder: str, why: str) -> None:
        super().__init__(f'{folder}: {why}')
        self.name = name
        self.folder = folder
        self.why = why


def evaluate(options: argparse.Namespace) -> Results:
    """Raises what `task_for` raises."""
    captures = captures_of(options)
    now = datetime.now(timezone.utc)
    if captures.are_many:
        return Results(evaluate_captures(captures, options), now, are_many=True, folder=current_folder())
    try:
        with Progress('reading the node ...'):
            return Results([task_for(options, captures).run()], now, folder=current_folder())
    except CannotOpen as error:
        if options.format == 'text':
            raise
        # A pipeline reads the report of a node that is broken, as it does if there are several.
        return Results([NotEvaluated(error.name, error.why, error.folder)], now, are_many=True, folder=current_folder())


def task_to_capture(options: argparse.Namespace) -> Task:
    """The task for the node that `--capture` writes. Raises what `task_for` raises."""
    captures = captures_of(options)
    if captures.are_many:
        raise CannotAnswer('--capture writes one node: name one captured node with --node')
    return task_for(options, captures)


def captures_of(options: argparse.Namespace) -> Captures:
    """The captured nodes to evaluate, if any. Raises CannotAnswer."""
    return find_captures(options.nodes or () if options.root is None else ())


def task_for(options: argparse.Namespace, captures: Captures) -> Task:
    """The task for one node.

    Raises SelectionError, CustomRuleError, AdmissionError, ConfigError, OSError, CannotAnswer.
    """
    if not captures.folders:
        return task_of(options)
    (folder,), (name,) = captures.folders, short_names(captures.folders)
    try:
        return terms_of(options).task(name, folder)
    except CaptureError as error:
        raise CannotOpen(name, folder, str(error)) from None


def evaluate_captures(captures: Captures, options: argparse.Namespace) -> list[Output | NotEvaluated]:
    """One result for each folder: a broken capture does not keep the others from being evaluated.

    Raises what `terms_of` raises: an option that is not valid is not valid for any node.
    """
    if options.configz is not None:
        raise CannotAnswer('--configz is the response of one kubelet: name one captured node with --node')
    terms = terms_of(options)
    count = len(captures.folders)
    found: list[Output | NotEvaluated] = []
    with Progress('') as progress:
        for name, folder in zip(short_names(captures.folders), captures.folders, strict=True):
            progress.text = f'nodes: {len(found):,} of {count:,}'
            found.append(evaluate_capture(name, folder, terms))
    return found


def evaluate_capture(name: str, folder: str, terms: CapturedTerms) -> Output | NotEvaluated:
    try:
        return terms.task(name, folder).run()
    except CaptureError as error:
        return NotEvaluated(name, str(error), folder)
