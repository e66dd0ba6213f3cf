# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The time and the memory of the command for many captured nodes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.captured_nodes import NAMES, lay_out_node
from tests.support.paths import ROOT

from .measure import Cost, Limit, Results, Row

NODES = 1000
CORES = 2
MOST_SECONDS = 60
MOST_MIB = 300
FORMATS = ('text', 'json')


def results() -> Results:
    with tempfile.TemporaryDirectory(prefix='kubelet-compliance-bench-') as folder:
        lay_out_fleet(Path(folder))
        measured = {name: run(folder, name) for name in FORMATS}
    rows = tuple(
        Row('many_nodes', f'{NODES:,} captured nodes, as {name}', cost, cost.median / measured[FORMATS[0]][0].median)
        for name, (cost, _) in measured.items()
    )
    limits = (
        Limit(
            f'{NODES:,} captured nodes, wall', max(cost.wall_median for cost, _ in measured.values()), MOST_SECONDS, 's'
        ),
        Limit(f'{NODES:,} captured nodes, peak', max(mib for _, mib in measured.values()), MOST_MIB, 'MiB'),
    )
    note = (
        f'{NODES:,} nodes: {len(NAMES)} captured nodes of the tests, copied; one run on {CORES} cores for each format.'
    )
    return Results(rows, limits, (note,))


def lay_out_fleet(folder: Path) -> None:
    for number in range(NODES):
        name = NAMES[number % len(NAMES)]
        lay_out_node(name, folder / f'{name}-{number}')


def run(folder: str, output_format: str) -> tuple[Cost, float]:
    """The cost of the command as a process, and its peak memory in MiB."""
    command = [sys.executable, '-m', 'datadog_checks.kubelet_compliance', '--node', folder, '--format', output_format]
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        preexec_fn=lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES]),
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (1, 2):
        raise RuntimeError(f'the command ended with {process.returncode}')
    cpu, wall = used.ru_utime + used.ru_stime, time.perf_counter() - start
    return Cost((cpu,), (wall,)), used.ru_maxrss / 1024
