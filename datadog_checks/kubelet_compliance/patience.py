# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Runs what may hang in a thread of its own, and waits for it only so long. No second one starts while one is stuck."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar('Answer')


class OutOfPatience(Exception):
    """The work did not end in time, or an earlier one still has not."""


class Worker:
    """One thread at a time."""

    def __init__(self) -> None:
        self.stuck: threading.Thread | None = None

    def run(self, work: Callable[[], Answer], seconds: float) -> Answer:
        """The answer of the work, or what it raises. Raises OutOfPatience."""
        if self.stuck is not None and self.stuck.is_alive():
            raise OutOfPatience
        answers: list[Answer] = []
        errors: list[Exception] = []

        def step() -> None:
            try:
                answers.append(work())
            except Exception as error:
                errors.append(error)

        # A daemon: one that is stuck does not keep the Agent from ending.
        thread = threading.Thread(target=step, name='kubelet_compliance', daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            self.stuck = thread
            raise OutOfPatience
        if errors:
            raise errors[0]
        return answers[0]
