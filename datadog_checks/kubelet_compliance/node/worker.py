# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Runs what may hang in a thread of its own, and waits for it only so long. No second one starts while one is stuck."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

Result = TypeVar('Result')


class OutOfPatience(Exception):
    """The work did not end in time, or there was no time or no thread for it, or an earlier one still goes on.

    The text says so of the work: `does not end`.
    """

    def __init__(self, why: str = 'does not end') -> None:
        super().__init__(why)


class Job:
    """Something to do, and what became of it."""

    def __init__(self, work: Callable[[], Any], key: object = None) -> None:
        self.work = work
        self.key = key
        self.outcome: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()

    def do(self) -> None:
        try:
            self.outcome.put((self.work(), None))
        except Exception as error:
            self.outcome.put((None, error))


def outcome_of(job: Job, seconds: float) -> Any:
    """The answer of a job, or what it raises, once it is there. Raises OutOfPatience."""
    try:
        answer, error = job.outcome.get(timeout=seconds)
    except Empty:
        raise OutOfPatience from None
    if error is not None:
        raise error
    return answer


class Worker:
    """One thread, which begins at the first job and ends with the worker."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.thread: threading.Thread | None = None
        self.stuck: Job | None = None

    def run(self, work: Callable[[], Result], seconds: float, key: object = None) -> Result:
        """The answer of the work, or what it raises. Raises OutOfPatience.

        `key`: what tells the work from others. Where the same was given up before, and has ended since, that counts.
        """
        late = self.stuck
        if key is not None and late is not None and late.key == key and not late.outcome.empty():
            self.stuck = None
            found: Result = outcome_of(late, 0)
            return found
        if seconds <= 0 or self.is_stuck():
            raise OutOfPatience
        if self.thread is None:
            self.start()
        job = Job(work, key)
        self.jobs.put(job)
        try:
            found = outcome_of(job, seconds)
            return found
        except OutOfPatience:
            self.stuck = job
            raise

    def is_stuck(self) -> bool:
        """Whether work that was given up still goes on."""
        return self.stuck is not None and self.stuck.outcome.empty()

    def start(self) -> None:
        # A daemon: one that is stuck does not keep the Agent from ending.
        thread = threading.Thread(target=work_off, args=(self.jobs,), name='kubelet_compliance', daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # As many threads run as the system allows.
            raise OutOfPatience('needs a thread, and none can be started') from None
        self.thread = thread
        weakref.finalize(self, self.jobs.put, None)


def work_off(jobs: SimpleQueue[Job | None]) -> None:
    """What the thread does. It knows the queue only, so that its worker can be forgotten."""
    while (job := jobs.get()) is not None:
        job.do()
        # While it waits for the next one, nothing of this one is kept.
        del job
