# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The processes of a node: which of them are kubelets, and what `/proc` shows of them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from datadog_checks.kubelet_compliance.kubelet.programs import (
    COMMS,
    DATAPATHS,
    MAX_COMMAND_LINE_BYTES,
    PAGE_BYTES,
    NoKubelet,
    read_command_line,
)
from datadog_checks.kubelet_compliance.model import Process, Scan, Unknown

from .captured import Capture
from .cgroups import begins_outside, container_of, is_in_pod
from .change_stamps import ProcessStamp, Trace
from .process_root import read_up_to, reason
from .process_status import IN_A_POD, Foreign, foreign_by_status, is_nested, real_uid
from .procfs import LONGEST_NUMBER

MAX_TEXT_BYTES = 64 * 1024

HIDDEN = 'it hides process 1 as well, so run the Agent as root, or mount /proc without hidepid'
LINUX_ONLY = 'not applicable: Linux only'

KERNEL_THREAD = 0x00200000
"""PF_KTHREAD of the kernel's `flags`, in /proc/PID/stat."""
FIRST_KERNEL_THREAD = 2
"""The pid of kthreadd."""
EXITING = 0x00000004
"""PF_EXITING: its command line is gone already, while its state may still say that it runs."""


class ProcessGone(Exception):
    """The process ended, or its pid was used again, while it was read."""


class Stat(NamedTuple):
    """The fields of /proc/PID/stat that are used. `comm`: as the kernel escapes it there."""

    comm: bytes
    state: str
    flags: int
    start_ticks: int
    stack: int

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
        self.trace = Trace()

    def find_kubelets(self) -> Scan:
        """Look at the name of every process; read more only of those that bear a kubelet's."""
        if self.capture is None and not sys.platform.startswith('linux'):
            return Scan(none_found_because=LINUX_ONLY)
        try:
            pids = sorted(int(name) for name in os.listdir(self.procfs) if name.isdecimal())
        except OSError as error:
            return Scan(doubtful=(self.no_processes(error),))
        found = ScanSoFar()
        for pid in pids:
            try:
                comm = self.comm(pid)
                if comm in COMMS:
                    found.add(pid, comm, self.process(pid, comm))
                elif comm in DATAPATHS:
                    found.names.add(comm.decode())
            except ProcessGone:
                continue
            except PermissionError:
                found.hidden += 1
        if not pids or found.hidden:
            found.doubtful.append(self.hidden_processes(found.hidden))
        is_hidden = not found.processes and self.capture is None and 1 not in pids
        return Scan(
            tuple(found.processes),
            tuple(found.doubtful),
            tuple(found.turned_away),
            frozenset(found.names),
            f'no kubelet runs on this host, or {self.procfs} does not show it: {HIDDEN}' if is_hidden else '',
        )

    def no_processes(self, error: OSError) -> Unknown:
        why = f'the processes in {self.procfs} cannot be listed: {reason(error)}'
        return Unknown(why, 'mount /proc and set procfs_path')

    def hidden_processes(self, hidden: int) -> Unknown:
        if not hidden:
            return Unknown(f'{self.procfs} shows no process', 'mount the /proc of the host and set procfs_path')
        return Unknown(
            f'the names of {hidden} processes in {self.procfs} may not be read',
            'run the Agent as root, or mount /proc without hidepid',
        )

    def process(self, pid: int, comm: bytes) -> Process | Foreign | Unknown | None:
        """A process that bears a kubelet's name; None for what runs no kubelet, Unknown where it cannot be told.

        Raises ProcessGone, PermissionError.
        """
        stat = self.kept_stat(pid)
        if isinstance(stat, Unknown):
            return stat
        if not stat.runs_a_program:
            return None
        cgroup = self.cgroup(pid)
        foreign, container = self.origin_of(pid, comm, cgroup)
        if foreign is not None:
            return foreign
        line = self.command_line(pid)
        if not self.is_still(pid, stat.start_ticks):
            raise ProcessGone
        read = read_command_line(os.fsdecode(comm), line)
        if read is NoKubelet.OTHER:
            return None
        if isinstance(read, NoKubelet):
            return unidentified(pid, comm)
        self.trace.processes[pid] = ProcessStamp(stat.start_ticks, stat.comm, line, stat.stack, cgroup or b'')
        started_at = self.started_at(stat)
        program = os.fsdecode(line.split(b'\0', 1)[0])
        return Process(pid, stat.start_ticks, read.arguments, started_at, container, read.inside, program, stat.stack)

    def kept_stat(self, pid: int) -> Stat | Unknown:
        """The stat of a process; Unknown for one of a captured node that keeps none. Raises ProcessGone."""
        try:
            return self.stat(pid)
        except ProcessGone:
            if self.capture is None:
                raise
            return Unknown(f'the captured node has no proc/{pid}/stat that can be read', 'capture the node again')

    def cgroup(self, pid: int) -> bytes | None:
        """The text of a process's cgroup; None where it may not be read, b'' where a kernel has none."""
        try:
            return self.read(pid, 'cgroup', MAX_TEXT_BYTES)
        except ProcessGone:
            return b''
        except PermissionError:
            return None

    def origin_of(self, pid: int, comm: bytes, own_cgroup: bytes | None) -> tuple[Foreign | Unknown | None, str | None]:
        """Why a process is not the node's own, None if it is; and the container that it runs in."""
        first_cgroup = self.cgroup(1)
        try:
            status = self.optional_text(pid, 'status')
        except PermissionError:
            own_cgroup, status = None, ''
        if own_cgroup is None or first_cgroup is None:
            return not_admitted(pid, comm, 'its cgroup or status may not be read'), None
        cgroup, first = os.fsdecode(own_cgroup), os.fsdecode(first_cgroup)
        if is_in_pod(cgroup, first):
            return IN_A_POD, None
        if not first and begins_outside(cgroup):
            return not_admitted(pid, comm, 'process 1 is not visible, so where its cgroup lies cannot be told'), None
        nested, uid = is_nested(status) and not self.admission.nested, real_uid(status)
        if uid is None and status and not nested:
            return not_admitted(pid, comm, 'its status does not tell its user'), None
        foreign = foreign_by_status(nested=nested, uid=None if uid in self.admission.uids else uid)
        return foreign, container_of(cgroup)

    def optional_text(self, pid: int, name: str) -> str:
        """A file of /proc/PID that a kernel may be built without; '' where there is none. Raises PermissionError.

        A kernel without cgroups runs no pods. That the process did not just end is looked at after all reads.
        """
        try:
            return self.text(pid, name)
        except ProcessGone:
            return ''

    def is_running(self, process: Process) -> bool | None:
        """Whether the pid is still that of the same process, and still a kubelet; None where that cannot be seen."""
        try:
            return self.is_still(process.pid, process.start_ticks)
        except ProcessGone:
            return False
        except PermissionError:
            self.trace.give_up()
            return None

    def shows_all_processes(self) -> bool:
        """Whether `/proc` is that of the whole machine: only there the kernel's own threads are seen."""
        try:
            return bool(self.stat(FIRST_KERNEL_THREAD).flags & KERNEL_THREAD)
        except (ProcessGone, PermissionError):
            return False

    def processes_are_the_same(self) -> bool:
        """Whether the kubelets that were found are the same processes, and run the same programs."""
        try:
            return all(self.stamp(pid) == stamp for pid, stamp in self.trace.processes.items())
        except (ProcessGone, PermissionError):
            return False

    def stamp(self, pid: int) -> ProcessStamp | None:
        """What tells a process from every other one; None for one that is ending. Raises ProcessGone, PermissionError.

        The start is read last: what was read before it is of that same process.
        """
        line, cgroup = self.command_line(pid), self.cgroup(pid)
        stat = self.stat(pid)
        if cgroup is None or not stat.runs_a_program:
            return None
        return ProcessStamp(stat.start_ticks, stat.comm, line, stat.stack, cgroup)

    def is_still(self, pid: int, start_ticks: int) -> bool:
        """Raises ProcessGone, PermissionError."""
        if self.comm(pid) not in COMMS:
            return False
        stat = self.stat(pid)
        return stat.start_ticks == start_ticks and stat.runs_a_program

    def stat(self, pid: int) -> Stat:
        try:
            head, _, rest = self.read(pid, 'stat', 4096).rpartition(b')')
            fields = rest.split()
            if len(fields[19]) > LONGEST_NUMBER:
                raise ProcessGone
            stack = fields[25] if len(fields) > 25 and len(fields[25]) <= LONGEST_NUMBER else b'0'
            return Stat(head.partition(b'(')[2], fields[0].decode(), int(fields[6]), int(fields[19]), int(stack))
        except (IndexError, ValueError):
            raise ProcessGone from None

    def comm(self, pid: int) -> bytes:
        return self.read(pid, 'comm', 64).rstrip(b'\n')

    def command_line(self, pid: int) -> bytes:
        return self.read(pid, 'cmdline', MAX_COMMAND_LINE_BYTES + 1)

    def text(self, pid: int, name: str) -> str:
        return os.fsdecode(self.read(pid, name, MAX_TEXT_BYTES))

    def read(self, pid: int, name: str, limit: int) -> bytes:
        """A file of /proc/PID. Raises ProcessGone and PermissionError."""
        try:
            handle = os.open(f'{self.procfs}/{pid}/{name}', os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                # The kernel gives what is less than a page in one piece.
                return os.read(handle, limit) if limit <= PAGE_BYTES else read_up_to(handle, limit)
            finally:
                os.close(handle)
        except (FileNotFoundError, ProcessLookupError):
            raise ProcessGone from None
        except OSError as error:
            # Whatever else keeps us from reading is no sign that the process is gone.
            raise PermissionError(error.errno, error.strerror) from None

    def started_at(self, stat: Stat) -> float | None:
        """When a process started, in seconds since the epoch; of a captured node only if that was kept."""
        if self.capture is not None:
            return self.capture.started_at(stat.start_ticks)
        return booted_at() + stat.start_ticks / os.sysconf('SC_CLK_TCK')

    def age(self, process: Process) -> float | None:
        """For how many seconds a process has been running; None where that is not known."""
        if self.capture is None:
            return time.clock_gettime(time.CLOCK_BOOTTIME) - process.start_ticks / os.sysconf('SC_CLK_TCK')
        return self.capture.age(process.start_ticks)


def now() -> float:
    """Seconds since the epoch."""
    return time.time()


def booted_at() -> float:
    """When this machine was booted, in seconds since the epoch."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True)
class ScanSoFar:
    """What a look through the processes comes to, process by process."""

    processes: list[Process] = field(default_factory=list)
    doubtful: list[Unknown] = field(default_factory=list)
    turned_away: list[Unknown] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    hidden: int = 0

    def add(self, pid: int, comm: bytes, process: Process | Foreign | Unknown | None) -> None:
        if isinstance(process, Unknown):
            self.doubtful.append(process)
        elif isinstance(process, Foreign):
            why = f'process {pid} is named {comm.decode()} and is turned away: {process.why}'
            self.turned_away.append(Unknown(why, process.options))
        elif process is not None:
            self.processes.append(process)


def unidentified(pid: int, comm: bytes) -> Unknown:
    return Unknown(
        f'process {pid} is named {os.fsdecode(comm)}, but its command line is not that of a kubelet: '
        'it could not be identified',
        'look at /proc/PID/cmdline; a wrapper may have renamed it',
    )


def not_admitted(pid: int, comm: bytes, why: str) -> Unknown:
    return Unknown(
        f'process {pid} is named {os.fsdecode(comm)}, but whether it is that of the node is not known: {why}',
        'let the Agent read cgroup and status in /proc/PID, of process 1 too',
    )
