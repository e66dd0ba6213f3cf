# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Runs work that may hang in its own thread, with a limit on the wait. While one job is stuck, no other one starts."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

Returned = TypeVar('Returned')


class OutOfPatience(Exception):
    """The work did not end in time, or there was no time or no thread for it, or earlier work is still going on.

    The text goes before what was being done: `timed out`.
    """

    def __init__(self, why: str = 'timed out') -> None:
        super().__init__(why)


class Job:
    """Work, and its outcome."""

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
    """Wait for the result of a job. Raises what the job raises, and OutOfPatience."""
    try:
        answer, error = job.outcome.get(timeout=seconds)
    except Empty:
        raise OutOfPatience from None
    if error is not None:
        raise error
    return answer


class Worker:
    """One thread, which starts with the first job and ends with the worker."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.thread: threading.Thread | None = None
        self.stuck: Job | None = None

    def run(self, work: Callable[[], Returned], seconds: float, key: object = None) -> Returned:
        """The result of the work. Raises what the work raises, and OutOfPatience.

        `key` identifies the work. If the same work timed out before and has ended since, its result counts.
        """
        late = self.stuck
        if key is not None and late is not None and late.key == key and not late.outcome.empty():
            self.stuck = None
            found: Returned = outcome_of(late, 0)
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
        """Whether work that timed out is still going on."""
        return self.stuck is not None and self.stuck.outcome.empty()

    def start(self) -> None:
        # A daemon thread: a stuck one does not keep the Agent from ending.
        thread = threading.Thread(target=work_off, args=(self.jobs,), name='kubelet_compliance', daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The system allows no more threads.
            raise OutOfPatience('could not start a thread for') from None
        self.thread = thread
        weakref.finalize(self, self.jobs.put, None)


def work_off(jobs: SimpleQueue[Job | None]) -> None:
    """Run jobs until the queue gives None. The thread refers to the queue only, so that its worker can be deleted."""
    while (job := jobs.get()) is not None:
        job.do()
        # While the thread waits for the next job, it keeps nothing of this one.
        del job
