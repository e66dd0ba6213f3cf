# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a process holds on to: descriptors, threads and memory."""

from __future__ import annotations

import gc
import os
import threading
import time
from dataclasses import dataclass

import psutil

SECONDS_TO_END = 5.0
MAX_GROWTH_BYTES = 16 * 1024 * 1024
"""Of resident memory after the warm-up. Every collection makes whole checks besides the long-lived ones, and what the
allocator keeps of them comes and goes by a few MiB; a kilobyte lost at each collection would be ten times this in an
hour. Of descriptors and threads not one may be left over."""


@dataclass(frozen=True)
class Holding:
    descriptors: int
    threads: int
    resident: int

    def grown_since(self, before: Holding) -> list[str]:
        """What is left over, in words."""
        found = []
        if self.descriptors > before.descriptors:
            found.append(f'descriptors: {before.descriptors} before, {self.descriptors} now')
        if self.threads > before.threads:
            found.append(f'threads: {before.threads} before, {self.threads} now')
        if self.resident > before.resident + MAX_GROWTH_BYTES:
            found.append(f'resident memory: {mib(before.resident)} before, {mib(self.resident)} now')
        return found

    def __str__(self) -> str:
        return f'{self.descriptors} descriptors, {self.threads} threads, {mib(self.resident)}'


def left_since(before: Holding) -> list[str]:
    """What is left over since then, in words, once threads that are ending have had the time to."""
    deadline = time.monotonic() + SECONDS_TO_END
    while (left := holding().grown_since(before)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def mib(size: int) -> str:
    return f'{size / (1024 * 1024):.1f} MiB'


def holding() -> Holding:
    """What this process holds now."""
    gc.collect()
    return Holding(len(os.listdir('/proc/self/fd')), threading.active_count(), psutil.Process().memory_info().rss)
