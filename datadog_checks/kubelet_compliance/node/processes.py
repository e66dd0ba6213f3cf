# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which processes of a node are kubelets, and what /proc shows of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from datadog_checks.kubelet_compliance.kubelet.programs import COMMS, DATAPATHS, NoKubelet, read_command_line
from datadog_checks.kubelet_compliance.model import Process, Scan, Unknown

from .cgroups import begins_outside, container_of, is_in_pod, runs_in, unit_of, uses_v1
from .change_stamps import ProcessStamp, Stamped, StampedScan, held, unheld
from .host import UnitName
from .proc_files import KERNEL_THREAD, Proc, ProcessGone, ProcSource, Stat
from .process_facts import ProcessFacts
from .process_status import IN_A_POD, Foreign, foreign_by_status, is_nested, real_uid
from .procfs import cannot_list

FIRST_KERNEL_THREAD = 2
"""The pid of kthreadd."""


class AdmissionError(Exception):
    """The option `allowed_users` is not valid."""


def parse_users(names: Sequence[str] | None) -> frozenset[int]:
    """The option `allowed_users`: root or user IDs, for names mean nothing in a container. Raises AdmissionError."""
    uids = set()
    for name in names or ('root',):
        if name != 'root' and not name.isdecimal():
            raise AdmissionError(f'allowed_users has {name!r}; it accepts only root and numbers')
        uids.add(0 if name == 'root' else int(name))
    return frozenset(uids)


@dataclass(frozen=True, slots=True)
class Admission:
    """Which processes count as kubelets of the node: the users that may run one, and whether nested ones count."""

    uids: frozenset[int] = frozenset({0})
    nested: bool = False


class ProcessTable:
    """The processes of a node."""

    def __init__(self, source: ProcSource, admission: Admission, facts: ProcessFacts) -> None:
        self.source = source
        self.proc = Proc(source)
        self.admission = admission
        self.facts = facts

    def find_kubelets(self) -> StampedScan:
        """Read the name of every process, and more only of those with the name of a kubelet."""
        try:
            pids = self.source.pids()
        except OSError as error:
            return StampedScan(Scan(doubtful=(cannot_list(self.source.path, error),)), {})
        found = ScanSoFar()
        for pid in pids:
            try:
                comm = self.proc.comm(pid)
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
        is_hidden = not found.processes and 1 not in pids
        return found.scan(self.facts.why_none(self.source.path) if is_hidden else '')

    def hidden_processes(self, hidden: int) -> Unknown:
        procfs = self.source.path
        if not hidden:
            return self.facts.no_processes(procfs)
        return Unknown(
            f'could not read the names of {hidden} processes in {procfs}: permission denied',
            'run the Agent as root, or mount /proc without hidepid',
        )

    def process(self, pid: int, comm: bytes) -> FoundProcess | Foreign | Unknown | None:
        """A process with the name of a kubelet; None where it runs none, Unknown where that is unknown.

        Raises ProcessGone, PermissionError.
        """
        try:
            stat = self.proc.stat(pid)
        except ProcessGone:
            return self.facts.without_stat(pid)
        if not stat.runs_a_program:
            return None
        cgroup = self.cgroup(pid)
        foreign, container = self.origin_of(pid, comm, cgroup)
        if foreign is not None:
            return foreign
        line = self.proc.command_line(pid)
        if not self.is_still(pid, stat.start_ticks):
            raise ProcessGone
        read = read_command_line(os.fsdecode(comm), line)
        if read is NoKubelet.OTHER:
            return None
        if isinstance(read, NoKubelet):
            return unidentified(pid, comm)
        started_at = self.facts.started_at(stat.start_ticks)
        program = os.fsdecode(line.split(b'\0', 1)[0])
        return FoundProcess(
            Process(
                pid,
                stat.start_ticks,
                read.arguments,
                started_at,
                container,
                read.inside,
                program,
                stat.stack,
                uses_cgroup_v1=uses_v1(os.fsdecode(cgroup or b'')),
            ),
            stamp_of_process(stat, line, cgroup or b''),
        )

    def cgroup(self, pid: int) -> bytes | None:
        """The text of a process's cgroup; None: permission denied; b'': the kernel has no cgroups."""
        try:
            return self.proc.cgroup(pid)
        except ProcessGone:
            return b''
        except PermissionError:
            return None

    def status(self, pid: int) -> str | None:
        """The status of a process; None: permission denied; '': the kernel has none.

        The caller checks after all reads that the process did not just end.
        """
        try:
            return os.fsdecode(self.proc.status(pid))
        except ProcessGone:
            return ''
        except PermissionError:
            return None

    def origin_of(self, pid: int, comm: bytes, own_cgroup: bytes | None) -> tuple[Foreign | Unknown | None, str | None]:
        """Why a process is not a kubelet of the node, None if it may be one; and the container that it runs in."""
        first_cgroup, status = self.cgroup(1), self.status(pid)
        if own_cgroup is None or first_cgroup is None or status is None:
            return not_admitted(pid, comm, 'could not read its cgroup or status: permission denied'), None
        # A kernel without cgroups runs no pods.
        cgroup, first = os.fsdecode(own_cgroup), os.fsdecode(first_cgroup)
        if is_in_pod(cgroup, first):
            return IN_A_POD, None
        if not first and begins_outside(cgroup):
            return not_admitted(pid, comm, "process 1 is not visible, so its cgroup can't be interpreted"), None
        nested, uid = is_nested(status) and not self.admission.nested, real_uid(status)
        if uid is None and status and not nested:
            return not_admitted(pid, comm, 'its status does not name its user'), None
        foreign = foreign_by_status(nested=nested, uid=None if uid in self.admission.uids else uid)
        return foreign, container_of(cgroup)

    def is_running(self, process: Process) -> Stamped[bool | None]:
        """Whether the pid still belongs to the same process, and still is a kubelet; None: unknown."""
        try:
            return held(self.is_still(process.pid, process.start_ticks))
        except ProcessGone:
            return held(False)
        except PermissionError:
            return unheld(None)

    def unit_name(self, process: Process, kubelet_cgroups: str) -> Stamped[UnitName | Unknown]:
        """The systemd service of a process, as of `Host.unit_name`. The stamp of the process covers its cgroup."""
        try:
            cgroup = os.fsdecode(self.proc.cgroup(process.pid))
        except (ProcessGone, PermissionError):
            return unheld(Unknown(f'could not read the cgroup of process {process.pid}'))
        return held(UnitName(unit_of(cgroup), runs_in(cgroup, kubelet_cgroups)))

    def shows_all(self) -> Stamped[bool]:
        """Whether `/proc` is that of the whole machine: only there the kernel's own threads are visible."""
        try:
            return unheld(bool(self.proc.stat(FIRST_KERNEL_THREAD).flags & KERNEL_THREAD))
        except (ProcessGone, PermissionError):
            return unheld(False)

    def are_the_same(self, stamps: Mapping[int, ProcessStamp]) -> bool:
        """Whether these are the same processes and run the same programs."""
        try:
            return all(self.stamp(pid) == stamp for pid, stamp in stamps.items())
        except (ProcessGone, PermissionError):
            return False

    def stamp(self, pid: int) -> ProcessStamp | None:
        """The stamp of a process; None for one that is ending. Raises ProcessGone, PermissionError.

        The start is read last: all that was read before it belongs to the same process.
        """
        line, cgroup = self.proc.command_line(pid), self.cgroup(pid)
        stat = self.proc.stat(pid)
        if cgroup is None or not stat.runs_a_program:
            return None
        return stamp_of_process(stat, line, cgroup)

    def is_still(self, pid: int, start_ticks: int) -> bool:
        """Raises ProcessGone, PermissionError."""
        if self.proc.comm(pid) not in COMMS:
            return False
        stat = self.proc.stat(pid)
        return stat.start_ticks == start_ticks and stat.runs_a_program


def stamp_of_process(stat: Stat, command_line: bytes, cgroup: bytes) -> ProcessStamp:
    return ProcessStamp(stat.start_ticks, stat.comm, command_line, stat.stack, cgroup)


@dataclass(frozen=True, slots=True)
class FoundProcess:
    """A kubelet, and what shows later that it is the same."""

    process: Process
    stamp: ProcessStamp


@dataclass(slots=True)
class ScanSoFar:
    """What a scan has found, process by process."""

    processes: list[FoundProcess] = field(default_factory=list)
    doubtful: list[Unknown] = field(default_factory=list)
    turned_away: list[Unknown] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    hidden: int = 0

    def add(self, pid: int, comm: bytes, process: FoundProcess | Foreign | Unknown | None) -> None:
        if isinstance(process, Unknown):
            self.doubtful.append(process)
        elif isinstance(process, Foreign):
            why = f'process {pid} is named {comm.decode()} and is ignored because {process.why}'
            self.turned_away.append(Unknown(why, process.options))
        elif process is not None:
            self.processes.append(process)

    def scan(self, none_found_because: str) -> StampedScan:
        return StampedScan(
            Scan(
                tuple(found.process for found in self.processes),
                tuple(self.doubtful),
                tuple(self.turned_away),
                frozenset(self.names),
                none_found_because,
            ),
            {found.process.pid: found.stamp for found in self.processes},
        )


def unidentified(pid: int, comm: bytes) -> Unknown:
    return Unknown(
        f'process {pid} is named {os.fsdecode(comm)}, but its command line is not that of a kubelet: '
        'it could not be identified',
        'check /proc/PID/cmdline; a wrapper may have renamed it',
    )


def not_admitted(pid: int, comm: bytes, why: str) -> Unknown:
    return Unknown(
        f"process {pid} is named {os.fsdecode(comm)}, but can't be verified to be the kubelet of the node: {why}",
        'let the Agent read cgroup and status in /proc/PID, of process 1 too',
    )
