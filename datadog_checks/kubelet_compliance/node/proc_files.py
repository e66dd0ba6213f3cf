# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads the files of processes in /proc."""

from __future__ import annotations

import os
from typing import NamedTuple, Protocol

from datadog_checks.kubelet_compliance.kubelet.programs import MAX_COMMAND_LINE_BYTES, PAGE_BYTES

from .open_paths import read_up_to
from .procfs import LONGEST_NUMBER

MAX_TEXT_BYTES = 64 * 1024
KERNEL_THREAD = 0x00200000
"""PF_KTHREAD of the kernel's `flags`, in /proc/PID/stat."""
EXITING = 0x00000004
"""PF_EXITING: the command line is already empty, while the state may still be that of a running process."""


class ProcessGone(Exception):
    """The process ended, or its pid was used again, during the read."""


class ProcSource(Protocol):
    """The files of processes, as bytes."""

    @property
    def path(self) -> str:
        """The path of /proc."""

    def pids(self) -> list[int]:
        """The processes that it shows, sorted. Raises OSError."""

    def read(self, pid: int, name: str, limit: int) -> bytes:
        """A file of /proc/PID, up to a number of bytes. Raises ProcessGone and PermissionError."""

    def working_directory(self, pid: int) -> str:
        """The target of /proc/PID/cwd. Raises OSError."""

    def resolve(self) -> None:
        """Follow the links in the path of /proc, the first time only."""


class ProcFolder:
    """A folder with the files of processes: /proc itself, or a copy."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.is_resolved = False

    def resolve(self) -> None:
        # Only once: a link that changes later could lead to a folder that was not verified.
        if not self.is_resolved:
            self.path, self.is_resolved = os.path.realpath(self.path), True

    def pids(self) -> list[int]:
        return sorted(int(name) for name in os.listdir(self.path) if name.isdecimal())

    def read(self, pid: int, name: str, limit: int) -> bytes:
        try:
            handle = os.open(f'{self.path}/{pid}/{name}', os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                # The kernel returns less than a page in one piece.
                return os.read(handle, limit) if limit <= PAGE_BYTES else read_up_to(handle, limit)
            finally:
                os.close(handle)
        except (FileNotFoundError, ProcessLookupError):
            raise ProcessGone from None
        except OSError as error:
            # No other error means that the process ended.
            raise PermissionError(error.errno, error.strerror) from None

    def working_directory(self, pid: int) -> str:
        return os.readlink(f'{self.path}/{pid}/cwd')


class Stat(NamedTuple):
    """The fields of /proc/PID/stat that are used. `comm`: as the kernel escapes it there."""

    comm: bytes
    state: str
    flags: int
    start_ticks: int
    stack: int

    @property
    def runs_a_program(self) -> bool:
        """False for a kernel thread and for a process that is ending, of which only the name is left."""
        return self.state not in 'ZX' and not self.flags & (KERNEL_THREAD | EXITING)


class Proc:
    """The files of processes by what they hold. All methods raise ProcessGone and PermissionError."""

    def __init__(self, source: ProcSource) -> None:
        self.source = source

    def stat(self, pid: int) -> Stat:
        try:
            head, _, rest = self.source.read(pid, 'stat', 4096).rpartition(b')')
            fields = rest.split()
            if len(fields[19]) > LONGEST_NUMBER:
                raise ProcessGone
            stack = fields[25] if len(fields) > 25 and len(fields[25]) <= LONGEST_NUMBER else b'0'
            return Stat(head.partition(b'(')[2], fields[0].decode(), int(fields[6]), int(fields[19]), int(stack))
        except (IndexError, ValueError):
            raise ProcessGone from None

    def comm(self, pid: int) -> bytes:
        return self.source.read(pid, 'comm', 64).rstrip(b'\n')

    def command_line(self, pid: int) -> bytes:
        return self.source.read(pid, 'cmdline', MAX_COMMAND_LINE_BYTES + 1)

    def cgroup(self, pid: int) -> bytes:
        return self.source.read(pid, 'cgroup', MAX_TEXT_BYTES)

    def status(self, pid: int) -> bytes:
        return self.source.read(pid, 'status', MAX_TEXT_BYTES)
