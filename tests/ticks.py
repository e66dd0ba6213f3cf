# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The clock of the file system, waited for."""

from __future__ import annotations

import os
from pathlib import Path


def wait_for_the_next_tick(folder: Path) -> None:
    """Touch a file until the clock of the file system has gone on: two changes in one tick bear the same time."""
    probe = folder / 'probe'
    probe.write_text('')
    before = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == before:
        os.utime(probe)
