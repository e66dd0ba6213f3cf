# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Finding the kubelet among five thousand real processes: ours, the floor, psutil, and `ps` of the audit text."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.processes import Admission
from tests.support.standin import Standin, Standins, build

from .measure import Limit, Results, Work, children_seconds, measure, rows_of
from .node import ARGUMENTS

SOURCE = Path(__file__).parent / 'crowd.c'
PROCESSES = 5000
ROUNDS = 9
LIMIT_TIMES_FASTER, LIMIT_TIMES_FLOOR = 3, 2

OURS = '`Host.find_kubelets()`'
FLOOR = 'the floor: one open, read and close of each /proc/PID/comm'
PSUTIL = "`psutil.process_iter(['name', 'cmdline'])`, repeated"
PSUTIL_FIRST = "`psutil.process_iter(['name', 'cmdline'])`, the first in a process"
AUDIT = '`ps -ef \\| grep kubelet`'


def results() -> Results:
    with tempfile.TemporaryDirectory(prefix='bench-') as name, crowd(Path(name)), kubelet(Path(name)) as standin:
        users = frozenset({0, os.getuid()})
        host = LiveHost('/proc', admission=Admission(users))
        if standin.pid not in [process.pid for process in host.find_kubelets().processes]:
            raise RuntimeError('the kubelet is not found')
        works = (
            Work(OURS, host.find_kubelets, 2),
            Work(FLOOR, read_names, 2),
            Work(PSUTIL, find_with_psutil, 2),
            Work(PSUTIL_FIRST, find_with_psutil, 1, before=psutil.process_iter.cache_clear),
            Work(AUDIT, find_with_ps, 1, clock=children_seconds),
        )
        costs = measure(works, ROUNDS)
        processes = sum(entry.isdecimal() for entry in os.listdir('/proc'))
    ours = costs[OURS].median
    limits = (
        Limit('psutil, repeated, CPU, against finding', costs[PSUTIL].median / ours, LIMIT_TIMES_FASTER, 'times', True),
        Limit('finding, CPU, against the floor', ours / costs[FLOOR].median, LIMIT_TIMES_FLOOR, 'times'),
    )
    return Results(rows_of('finding', costs, OURS), limits, (f'The kubelet was found among {processes} processes.',))


@contextmanager
def crowd(folder: Path) -> Iterator[None]:
    """The processes to look among; all of them are there when this is entered."""
    program = folder / 'crowd'
    subprocess.run(['gcc', '-O1', '-Wall', '-Werror', '-static', '-o', str(program), str(SOURCE)], check=True)
    with subprocess.Popen([str(program), str(PROCESSES)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            if process.stdout.readline() != b'ready\n':
                raise RuntimeError('the crowd does not gather')
            yield
        finally:
            process.kill()
            # They hold it open too: it ends when the last of them has gone.
            process.stdout.read()


@contextmanager
def kubelet(folder: Path) -> Iterator[Standin]:
    with Standins(build(folder), folder) as standins:
        yield standins.launch(ARGUMENTS)


def read_names() -> int:
    """As cheap as looking at the name of every process can be in Python."""
    found = 0
    for entry in os.listdir('/proc'):
        if entry.isdecimal():
            try:
                handle = os.open(f'/proc/{entry}/comm', os.O_RDONLY)
            except FileNotFoundError:
                continue
            found += os.read(handle, 64) == b'kubelet\n'
            os.close(handle)
    return found


def find_with_psutil() -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(['name', 'cmdline'])
        if process.info['name'] == 'kubelet' and process.info['cmdline']
    ]


def find_with_ps() -> None:
    subprocess.run('ps -ef | grep kubelet', shell=True, check=True, stdout=subprocess.DEVNULL)
