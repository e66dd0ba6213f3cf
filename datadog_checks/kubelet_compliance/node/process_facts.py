# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is known of processes besides their files in /proc: their clock, and what it means that a file is missing."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Protocol

from datadog_checks.kubelet_compliance.model import Unknown

from .captured import Capture
from .proc_files import ProcessGone

HIDDEN = 'it hides process 1 as well, so run the Agent as root, or mount /proc without hidepid'


@dataclass(frozen=True, slots=True)
class Times:
    """When a node was booted and when it was read, in seconds since the epoch; None: unknown."""

    booted_at: float | None
    read_at: float | None
    ticks_per_second: int


class ProcessFacts(Protocol):
    """What differs between the processes of a live and of a captured node. Ticks count from the boot of the node."""

    def started_at(self, start_ticks: int) -> float | None:
        """When a process started, in seconds since the epoch; None: unknown."""

    def age(self, start_ticks: int) -> float | None:
        """For how many seconds a process has been running; None: unknown."""

    def times(self) -> Times:
        """When the node was booted and read."""

    def without_stat(self, pid: int) -> Unknown:
        """What it means that a process has no stat. Raises ProcessGone where it has ended."""

    def no_processes(self, procfs: str) -> Unknown:
        """What it means that there is no process at all."""

    def why_none(self, procfs: str) -> str:
        """What it means that neither process 1 nor a kubelet is visible; '': nothing."""


class LiveFacts:
    """The processes of this machine."""

    def started_at(self, start_ticks: int) -> float | None:
        return booted_at() + start_ticks / os.sysconf('SC_CLK_TCK')

    def age(self, start_ticks: int) -> float | None:
        return time.clock_gettime(time.CLOCK_BOOTTIME) - start_ticks / os.sysconf('SC_CLK_TCK')

    def times(self) -> Times:
        return Times(booted_at(), time.time(), os.sysconf('SC_CLK_TCK'))

    def without_stat(self, pid: int) -> Unknown:
        raise ProcessGone

    def no_processes(self, procfs: str) -> Unknown:
        return Unknown(f'{procfs} has no processes', 'mount the /proc of the host and set procfs_path')

    def why_none(self, procfs: str) -> str:
        return f'no kubelet runs on this host, or {procfs} does not show it: {HIDDEN}'


class CapturedFacts:
    """The processes of a captured node."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture

    def started_at(self, start_ticks: int) -> float | None:
        return self.capture.started_at(start_ticks)

    def age(self, start_ticks: int) -> float | None:
        return self.capture.age(start_ticks)

    def times(self) -> Times:
        return Times(self.capture.booted_at, self.capture.captured_at, self.capture.ticks_per_second)

    def without_stat(self, pid: int) -> Unknown:
        return Unknown(f'the captured node has no readable proc/{pid}/stat', 'capture the node again')

    def no_processes(self, procfs: str) -> Unknown:
        return Unknown('the captured node has no processes', 'capture the node again')

    def why_none(self, procfs: str) -> str:
        return ''


def booted_at() -> float:
    """When this machine was booted, in seconds since the epoch."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
