# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The clock of the file system, waited for, and deceived."""

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


def rewrite(path: Path, old: str, new: str) -> None:
    """Change bytes, neither the size nor the mtime."""
    before, text = path.stat(), path.read_text()
    assert text.count(old) == 1 and len(old) == len(new)
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
