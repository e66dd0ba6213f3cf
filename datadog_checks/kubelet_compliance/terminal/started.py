# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How the kubelets on this machine were started: what a person asks first if a change seems to have no effect."""

from __future__ import annotations

from collections.abc import Iterable

from datadog_checks.kubelet_compliance.reporting.output import Started
from datadog_checks.kubelet_compliance.reporting.report import printable

LONGEST_NAME = 60


def how_started(pids: Iterable[int], procfs: str) -> dict[int, Started]:
    """Since when each process runs, as whom, and its parent; without those that ended or can't be read."""
    try:
        # Only the command on a live node needs it. The Agent has it, but another Python may not.
        import psutil
    except ImportError:
        return {}
    own = psutil.PROCFS_PATH
    psutil.PROCFS_PATH = procfs
    try:
        return {pid: started for pid in pids if (started := started_of(pid, has_names=procfs == own)) is not None}
    finally:
        psutil.PROCFS_PATH = own


def started_of(pid: int, *, has_names: bool) -> Started | None:
    """`has_names`: the names of this machine's users are those of the process."""
    import psutil

    try:
        process = psutil.Process(pid)
        user = process.uids().effective
        parent = process.parent()
        by = f'{short(parent.name())} (process {parent.pid})' if parent is not None else ''
        return Started(process.create_time(), user_text(user, process.username() if has_names else ''), by)
    except (psutil.Error, OSError, ValueError):
        return None


def user_text(number: int, name: str) -> str:
    return 'root' if number == 0 else short(name) or f'user {number}'


def short(name: str) -> str:
    return printable(name, LONGEST_NAME)
