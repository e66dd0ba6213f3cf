# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The processes of a node: which of them are kubelets, and what `/proc` shows of them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from .capture import Capture
from .identity import Foreign, begins_outside, container_of, is_in_pod, is_nested, real_uid
from .model import Process, Scan, Unknown

MAX_ARGUMENTS = 4096
MAX_COMMAND_LINE_BYTES = 2 * 1024 * 1024
MAX_TEXT_BYTES = 64 * 1024

KERNEL_THREAD = 0x00200000
"""PF_KTHREAD of the kernel's `flags`, in /proc/PID/stat."""
EXITING = 0x00000004
"""PF_EXITING: its command line is gone already, while its state may still say that it runs."""


@dataclass(frozen=True, slots=True)
class KubeletName:
    """One way in which a kubelet shows its name: `/proc/PID/comm`, and the base name of argv[0]."""

    comm: str
    program: str


KUBELET_NAMES = (KubeletName(comm='kubelet', program='kubelet'),)
COMMS = frozenset(name.comm.encode() for name in KUBELET_NAMES)


class ProcessGone(Exception):
    """The process ended, or its pid was used again, while it was read."""


@dataclass(frozen=True, slots=True)
class Stat:
    """The fields of /proc/PID/stat that are used."""

    state: str
    flags: int
    start_ticks: int

    @property
    def runs_a_program(self) -> bool:
        """False for a kernel thread, and for what is ending: only its name is left of it."""
        return self.state not in 'ZX' and not self.flags & (KERNEL_THREAD | EXITING)


class AdmissionError(Exception):
    """The option `allowed_users` makes no sense."""


def parse_users(names: Sequence[str] | None) -> frozenset[int]:
    """The option `allowed_users`: root or numbers, for names mean nothing in a container. Raises AdmissionError."""
    uids = set()
    for name in names or ('root',):
        if name != 'root' and not name.isdecimal():
            raise AdmissionError(f'allowed_users has {name!r}; it takes root and numbers')
        uids.add(0 if name == 'root' else int(name))
    return frozenset(uids)


@dataclass(frozen=True, slots=True)
class Admission:
    """Which processes count as the node's own: the users that may run one, and whether nested ones do."""

    uids: frozenset[int] = frozenset({0})
    nested: bool = False


class Processes:
    """A node's processes, live or captured."""

    def __init__(self, procfs: str, admission: Admission, capture: Capture | None) -> None:
        self.procfs = procfs
        self.admission = admission
        self.capture = capture

    def find_kubelets(self) -> Scan:
        """Look at the name of every process; read more only of those that bear a kubelet's."""
        try:
            pids = sorted(int(name) for name in os.listdir(self.procfs) if name.isdecimal())
        except OSError as error:
            return Scan(doubtful=(self.no_processes(error),))
        processes: list[Process] = []
        doubtful: list[Unknown] = []
        turned_away: list[str] = []
        hidden = 0
        for pid in pids:
            try:
                if self.comm(pid) not in COMMS:
                    continue
                process = self.process(pid)
            except ProcessGone:
                continue
            except PermissionError:
                hidden += 1
                continue
            if isinstance(process, Unknown):
                doubtful.append(process)
            elif isinstance(process, Foreign):
                turned_away.append(f'process {pid} is named kubelet and is turned away: {process.value}')
            elif process is not None:
                processes.append(process)
        if not pids or hidden:
            doubtful.append(self.hidden_processes(hidden))
        return Scan(tuple(processes), tuple(doubtful), tuple(turned_away))

    def no_processes(self, error: OSError) -> Unknown:
        why = (error.strerror or 'error').lower()
        return Unknown(f'the processes in {self.procfs} cannot be listed: {why}', 'mount /proc and set procfs_path')

    def hidden_processes(self, hidden: int) -> Unknown:
        if not hidden:
            return Unknown(f'{self.procfs} shows no process', 'mount the /proc of the host and set procfs_path')
        return Unknown(
            f'the names of {hidden} processes in {self.procfs} may not be read',
            'run the Agent as root, or mount /proc without hidepid',
        )

    def process(self, pid: int) -> Process | Foreign | Unknown | None:
        """A process that bears a kubelet's name; None for what runs no program, Unknown where it cannot be told.

        Raises ProcessGone, PermissionError.
        """
        stat = self.stat(pid)
        if not stat.runs_a_program:
            return None
        foreign, container = self.origin_of(pid)
        if foreign is not None:
            return foreign
        line = self.read(pid, 'cmdline', MAX_COMMAND_LINE_BYTES + 1)
        if not self.is_still(pid, stat.start_ticks):
            raise ProcessGone
        argv = split_command_line(line)
        program = os.path.basename(os.fsdecode(line.split(b'\0', 1)[0]))
        if program not in {name.program for name in KUBELET_NAMES}:
            return Unknown(
                f'process {pid} is named kubelet, but its command line is not that of a kubelet: '
                'it could not be identified',
                'look at /proc/PID/cmdline; a wrapper may have renamed it',
            )
        return Process(pid, stat.start_ticks, argv and argv[1:], self.started_at(stat), container)

    def origin_of(self, pid: int) -> tuple[Foreign | Unknown | None, str | None]:
        """Why a process is not the node's own, None if it is; and the container that it runs in."""
        if self.capture is not None:
            return None, None
        try:
            cgroup, status = self.optional_text(pid, 'cgroup'), self.optional_text(pid, 'status')
            first = self.optional_text(1, 'cgroup')
        except PermissionError:
            return not_admitted(pid, 'its cgroup or status may not be read'), None
        if is_in_pod(cgroup, first):
            return Foreign.POD, None
        if not first and begins_outside(cgroup):
            return not_admitted(pid, 'process 1 is not visible, so where its cgroup lies cannot be told'), None
        if is_nested(status) and not self.admission.nested:
            return Foreign.NESTED, None
        uid = real_uid(status)
        return None if uid is None or uid in self.admission.uids else Foreign.USER, container_of(cgroup)

    def optional_text(self, pid: int, name: str) -> str:
        """A file of /proc/PID that a kernel may be built without; '' where there is none. Raises PermissionError.

        A kernel without cgroups runs no pods. That the process did not just end is looked at after all reads.
        """
        try:
            return self.text(pid, name)
        except ProcessGone:
            return ''

    def is_running(self, process: Process) -> bool:
        """Whether the pid is still that of the same process, and still a kubelet."""
        try:
            return self.is_still(process.pid, process.start_ticks)
        except (ProcessGone, PermissionError):
            return False

    def is_still(self, pid: int, start_ticks: int) -> bool:
        """Raises ProcessGone, PermissionError."""
        if self.comm(pid) not in COMMS:
            return False
        stat = self.stat(pid)
        return stat.start_ticks == start_ticks and stat.runs_a_program

    def stat(self, pid: int) -> Stat:
        try:
            fields = self.read(pid, 'stat', 4096).rpartition(b')')[2].split()
            return Stat(fields[0].decode(), int(fields[6]), int(fields[19]))
        except (IndexError, ValueError):
            raise ProcessGone from None

    def comm(self, pid: int) -> bytes:
        return self.read(pid, 'comm', 64).rstrip(b'\n')

    def text(self, pid: int, name: str) -> str:
        return os.fsdecode(self.read(pid, name, MAX_TEXT_BYTES))

    def read(self, pid: int, name: str, limit: int) -> bytes:
        """A file of /proc/PID. Raises ProcessGone and PermissionError."""
        try:
            with open(f'{self.procfs}/{pid}/{name}', 'rb', buffering=0) as file:
                parts = []
                while limit > 0 and (part := file.read(limit)):
                    parts.append(part)
                    limit -= len(part)
                return b''.join(parts)
        except PermissionError:
            raise
        except OSError:
            raise ProcessGone from None

    def started_at(self, stat: Stat) -> float | None:
        """When a process started, in seconds since the epoch; of a captured node only if that was kept."""
        if self.capture is not None:
            return self.capture.started_at(stat.start_ticks)
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME) - stat.start_ticks / os.sysconf('SC_CLK_TCK')
        return time.time() - since_boot


def not_admitted(pid: int, why: str) -> Unknown:
    return Unknown(
        f'process {pid} is named kubelet, but whether it is that of the node is not known: {why}',
        'let the Agent read cgroup and status in /proc/PID, of process 1 too',
    )


def split_command_line(line: bytes) -> tuple[str, ...] | None:
    """/proc/PID/cmdline as a list; None where it was rewritten or cut off, or passes our bounds.

    Each argument ends in a NUL: take exactly one off the end, so that empty arguments stay.
    """
    if not line.endswith(b'\0') or len(line) > MAX_COMMAND_LINE_BYTES or line.count(b'\0') > MAX_ARGUMENTS:
        return None
    return tuple(os.fsdecode(part) for part in line[:-1].split(b'\0'))
