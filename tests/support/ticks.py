# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The clock of the file system, waited for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from .standin import DEADLINE_SECONDS


def wait_for_the_next_tick(folder: Path) -> None:
    """Touch a file until the clock of the file system has gone on: two changes in one tick bear the same time."""
    probe = folder / 'probe'
    probe.write_text('')
    before = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == before:
        os.utime(probe)


def until_later_than(moment: float, change: Callable[[], object], path: Path) -> float:
    """Make a change until its ctime is later than a moment, however coarse the clock of the file system is."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        change()
        if path.lstat().st_ctime > moment:
            return path.lstat().st_ctime
    raise TimeoutError(str(path))
