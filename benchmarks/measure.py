# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Measure work in interleaved rounds, so that other load on the machine affects all of it alike."""

from __future__ import annotations

import gc
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """Something to measure. `times` calls make a round. The CPU time of all threads of this process counts.

    `before` runs before each round, and `before_each` before each call. Neither counts. `within` applies to a round.
    """

    what: str
    call: Callable[[], object]
    times: int = 1
    before: Callable[[], object] | None = None
    before_each: Callable[[], object] | None = None
    within: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass(frozen=True)
class Cost:
    """Seconds for one call, with one figure for each round."""

    cpu: tuple[float, ...]
    wall: tuple[float, ...]

    @property
    def best(self) -> float:
        return min(self.cpu)

    @property
    def median(self) -> float:
        return statistics.median(self.cpu)

    @property
    def wall_median(self) -> float:
        return statistics.median(self.wall)


def measure(works: tuple[Work, ...], rounds: int) -> dict[str, Cost]:
    """Measure one round of each work in turn, `rounds` times. The first round does not count."""
    taken: dict[str, list[tuple[float, float]]] = {work.what: [] for work in works}
    for number in range(rounds + 1):
        for work in works:
            figures = one_round(work)
            if number:
                taken[work.what].append(figures)
    return {what: Cost(tuple(cpu for cpu, _ in all_), tuple(wall for _, wall in all_)) for what, all_ in taken.items()}


def one_round(work: Work) -> tuple[float, float]:
    """Return the CPU and wall seconds of one call."""
    if work.before is not None:
        work.before()
    gc.collect()
    with work.within():
        return timed(work)


def timed(work: Work) -> tuple[float, float]:
    if work.before_each is None:
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(work.times):
            work.call()
        return (time.process_time() - cpu) / work.times, (time.perf_counter() - wall) / work.times
    cpu_sum = wall_sum = 0.0
    for _ in range(work.times):
        work.before_each()
        cpu, wall = time.process_time(), time.perf_counter()
        work.call()
        cpu_sum += time.process_time() - cpu
        wall_sum += time.perf_counter() - wall
    return cpu_sum / work.times, wall_sum / work.times


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Pin all threads of this process to one core, or with 2 all other threads to another core than this thread.

    Otherwise, the placement varies, and waking a thread on another core takes twice the CPU.
    """
    allowed = os.sched_getaffinity(0)
    cores = sorted(allowed)[:count]
    place({cores[0]}, {cores[-1]})
    try:
        yield
    finally:
        place(allowed, allowed)


def place(own: set[int], others: set[int]) -> None:
    for thread in threading.enumerate():
        # A thread can end in the meantime.
        with suppress(ProcessLookupError):
            os.sched_setaffinity(thread.native_id or 0, own if thread is threading.current_thread() else others)


@dataclass(frozen=True)
class Row:
    """A line of the table of costs. `ratio`: its CPU divided by that of our own work in the same part."""

    part: str
    what: str
    cost: Cost
    ratio: float


@dataclass(frozen=True)
class Limit:
    """A limit, and the measured figure. `at_least`: the limit is a minimum, not a maximum."""

    what: str
    figure: float
    bound: float
    unit: str
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound


@dataclass(frozen=True)
class Results:
    """The results of a part. `notes`: details of the measurement, one line each."""

    rows: tuple[Row, ...] = ()
    limits: tuple[Limit, ...] = ()
    notes: tuple[str, ...] = ()


def rows_of(part: str, costs: Mapping[str, Cost], ours: str) -> tuple[Row, ...]:
    return tuple(Row(part, what, cost, cost.median / costs[ours].median) for what, cost in costs.items())
