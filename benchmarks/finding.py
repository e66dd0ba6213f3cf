# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Finding the kubelet among five thousand real processes: by the check, by the least code possible, and by psutil."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.processes import Admission
from tests.support.standin import Standins, build
from tools.hardened_node import arguments

from .measure import Limit, Results, Work, measure, rows_of

PROCESSES = 5000
CROWD = f'i=0; while [ $i -lt {PROCESSES} ]; do sleep 900 & i=$((i+1)); done; echo ready; wait'
ROUNDS = 9
LIMIT_TIMES_FASTER, LIMIT_TIMES_BASELINE = 3, 2

OURS = '`Host.find_kubelets()`'
BASELINE = 'baseline: one open, read, and close of each /proc/PID/comm'
PSUTIL = "`psutil.process_iter(['name', 'cmdline'])`, repeated"


def results() -> Results:
    with tempfile.TemporaryDirectory(prefix='bench-') as name, crowd():
        folder = Path(name)
        with Standins(build(folder), folder) as standins:
            standin = standins.launch(arguments())
            host = LiveHost('/proc', admission=Admission(frozenset({0, os.getuid()})))
            if standin.pid not in [process.pid for process in host.find_kubelets().processes]:
                raise RuntimeError('the kubelet is not found')
            works = {OURS: host.find_kubelets, BASELINE: read_names, PSUTIL: find_with_psutil}
            costs = measure(tuple(Work(what, call, 2) for what, call in works.items()), ROUNDS)
            processes = sum(entry.isdecimal() for entry in os.listdir('/proc'))
    ours = costs[OURS].median
    faster = costs[PSUTIL].median / ours
    limits = (
        Limit('psutil, repeated, CPU, compared with finding', faster, LIMIT_TIMES_FASTER, 'times', at_least=True),
        Limit('finding, CPU, compared with the baseline', ours / costs[BASELINE].median, LIMIT_TIMES_BASELINE, 'times'),
    )
    return Results(rows_of('finding', costs, OURS), limits, (f'The kubelet was found among {processes} processes.',))


@contextmanager
def crowd() -> Iterator[None]:
    """Other processes. All of them run when the context is entered."""
    with subprocess.Popen(['sh', '-c', CROWD], stdout=subprocess.PIPE, start_new_session=True) as shell:
        assert shell.stdout is not None
        try:
            if shell.stdout.readline() != b'ready\n':
                raise RuntimeError('could not start the other processes')
            yield
        finally:
            os.killpg(shell.pid, signal.SIGKILL)
            # They also have the pipe open, so it ends when the last of them ends.
            shell.stdout.read()


def read_names() -> int:
    """Read the name of every process, with the least code possible in Python."""
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
