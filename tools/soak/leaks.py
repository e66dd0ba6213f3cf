# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a process holds: descriptors, threads, and memory."""

from __future__ import annotations

import gc
import os
import threading
import time
from dataclasses import dataclass

import psutil

SECONDS_TO_END = 5.0
MAX_GROWTH_BYTES = 16 * 1024 * 1024
"""The limit for the growth of resident memory after the warm-up. Each check run also creates new checks, so the memory
that the allocator keeps varies by a few MiB. A leak of one kilobyte in each check run would be ten times this limit in
an hour. For descriptors and threads, the limit is zero."""


@dataclass(frozen=True)
class Holding:
    descriptors: int
    threads: int
    resident: int

    def grown_since(self, before: Holding) -> list[str]:
        """Return what is left over, in words."""
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
    """Return what is left over since then, in words. Gives ending threads the time to end."""
    deadline = time.monotonic() + SECONDS_TO_END
    while (left := holding().grown_since(before)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def mib(size: int) -> str:
    return f'{size / (1024 * 1024):.1f} MiB'


def holding() -> Holding:
    """Return what this process holds now."""
    gc.collect()
    return Holding(len(os.listdir('/proc/self/fd')), threading.active_count(), psutil.Process().memory_info().rss)
