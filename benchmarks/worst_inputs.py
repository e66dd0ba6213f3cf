# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The cost of the worst inputs: inputs at the limits, and inputs that fuzzing kept.

`python -m benchmarks.worst_inputs` lists them.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.fuzz.bounds import BOUNDS, MOST_KIB, MOST_SECONDS
from tests.fuzz.checks import without_libyaml
from tests.fuzz.kept import all_kept, kept_inputs
from tests.fuzz.targets import TARGETS

from .measure import Limit, Results

TIMES = 3
MOST_MILLISECONDS, MOST_MIB = MOST_SECONDS * 1000, MOST_KIB / 1024
SHOWN = 5


@dataclass(frozen=True)
class Input:
    """The CPU time in milliseconds, best of several runs, and the peak of allocated memory in MiB."""

    name: str
    milliseconds: float
    without_libyaml: float
    mib: float

    @property
    def holds(self) -> bool:
        return self.milliseconds <= MOST_MILLISECONDS and self.mib <= MOST_MIB


def results() -> Results:
    inputs = rows()
    slowest, largest = max(inputs, key=lambda row: row.milliseconds), max(inputs, key=lambda row: row.mib)
    slow = sorted(inputs, key=lambda row: row.without_libyaml, reverse=True)[:SHOWN]
    kept = len(all_kept())
    return Results(
        limits=(
            Limit(
                f'the slowest of the worst inputs ({slowest.name}), CPU', slowest.milliseconds, MOST_MILLISECONDS, 'ms'
            ),
            Limit(f'the largest of the worst inputs ({largest.name}), peak', largest.mib, MOST_MIB, 'MiB'),
        ),
        notes=(
            f'Worst inputs: {len(BOUNDS)} at the limits, and {kept} that fuzzing kept. '
            f'Each figure is the best of {TIMES} runs.',
            'Without libyaml, the slowest are: '
            + ', '.join(f'{row.name} ({row.without_libyaml:.0f} ms)' for row in slow),
        ),
    )


def rows() -> list[Input]:
    """Return each input at a limit, and the worst kept input of each target."""
    return [*iter_bounds(), *iter_kept()]


def iter_bounds() -> Iterator[Input]:
    for bound in BOUNDS:
        with tempfile.TemporaryDirectory(prefix='bench-') as name:
            yield measured(bound.name, bound.prepare(Path(name)))


def iter_kept() -> Iterator[Input]:
    for name, target in TARGETS.items():
        kept = [measured(f'{name} {kept_name}', partial(target, data)) for kept_name, data in kept_inputs(name).items()]
        yield Input(
            f'the worst kept input of {name}',
            max(row.milliseconds for row in kept),
            max(row.without_libyaml for row in kept),
            max(row.mib for row in kept),
        )


def measured(name: str, work: Callable[[], object]) -> Input:
    milliseconds = cost(work)
    with without_libyaml():
        slow_milliseconds = cost(work)
    return Input(name, milliseconds, slow_milliseconds, peak_mib(work))


def cost(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(TIMES):
        gc.collect()
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken) * 1000


def peak_mib(work: Callable[[], object]) -> float:
    """Return the peak of allocated memory. This is a separate pass, because tracing takes time."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def main() -> int:
    inputs = rows()
    print('| input | CPU, ms | without libyaml, ms | peak, MiB |\n| --- | ---: | ---: | ---: |')
    for row in sorted(inputs, key=lambda row: row.milliseconds, reverse=True):
        mark = '' if row.holds else ' **over the limit**'
        print(f'| {row.name}{mark} | {row.milliseconds:.1f} | {row.without_libyaml:.1f} | {row.mib:.1f} |')
    return 0 if all(row.holds for row in inputs) else 1


if __name__ == '__main__':
    sys.exit(main())
