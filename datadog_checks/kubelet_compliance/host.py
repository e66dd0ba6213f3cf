# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The door to the node: its processes in `/proc`, and the files of a kubelet as the kubelet itself sees them."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .capture import Capture
from .model import DropIns, File, FileSet, FileStatus, Missing, Process, Scan, Unknown, Unreadable
from .rooted import CannotRead, NotThere, Root, reason

MAX_DROP_INS = 256
MAX_DROP_IN_BYTES = 1024 * 1024
MAX_ARGUMENTS = 4096
MAX_COMMAND_LINE_BYTES = 2 * 1024 * 1024
DROP_IN_ENDING = '.conf'

KERNEL_THREAD = 0x00200000
"""PF_KTHREAD of the kernel's `flags`, in /proc/PID/stat."""
EXITING = 0x00000004
"""PF_EXITING: its command line is gone already, while its state may still say that it runs."""

MAX_CGROUP_BYTES = 64 * 1024
UNIT = re.compile(r'[A-Za-z0-9:_.@-]{1,250}\.service')
UNIT_FOLDERS = (
    '/etc/systemd/system.control',
    '/run/systemd/system.control',
    '/run/systemd/transient',
    '/run/systemd/generator.early',
    '/etc/systemd/system',
    '/run/systemd/system',
    '/run/systemd/generator',
    '/usr/local/lib/systemd/system',
    '/usr/lib/systemd/system',
    '/lib/systemd/system',
    '/run/systemd/generator.late',
)

ROOT_REMEDY = (
    'let the Agent look through /proc/PID/root (root or CAP_SYS_PTRACE), '
    'or mount the root file system of the host read-only and set host_root'
)


@dataclass(frozen=True, slots=True)
class KubeletName:
    """One way in which a kubelet shows its name: `/proc/PID/comm`, and the base name of argv[0]."""

    comm: str
    program: str


KUBELET_NAMES = (KubeletName(comm='kubelet', program='kubelet'),)
COMMS = frozenset(name.comm.encode() for name in KUBELET_NAMES)


NO_PERMISSION = os.strerror(errno.EACCES).lower()

Seen = TypeVar('Seen')


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


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a path of a process. `is_its_own`: it shows what the process itself would find."""

    root: Root
    path: str
    is_its_own: bool


class Host:
    """A node: this machine, or a captured one whose `proc` and files lie in a folder."""

    def __init__(self, procfs: str = '/proc', root: str | None = None, *, capture: Capture | None = None) -> None:
        """`procfs`: where the node's /proc is; `root`: where its root file system is mounted, if it is.

        `capture`: the node is a copy, and this is what the copy does not show: its clock, times and modes of files.
        """
        self.procfs = procfs
        self.root = root
        self.capture = capture
        self.refused: set[tuple[int, int]] = set()

    def find_kubelets(self) -> Scan:
        """Look at the name of every process; read more only of those that bear a kubelet's."""
        try:
            pids = sorted(int(name) for name in os.listdir(self.procfs) if name.isdecimal())
        except OSError as error:
            return Scan(doubtful=(self.no_processes(error),))
        processes: list[Process] = []
        doubtful: list[Unknown] = []
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
            elif process is not None:
                processes.append(process)
        if not pids or hidden:
            doubtful.append(self.hidden_processes(hidden))
        self.refused &= {process.key for process in processes}
        return Scan(tuple(processes), tuple(doubtful))

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

    def process(self, pid: int) -> Process | Unknown | None:
        """A process that bears a kubelet's name; None for what is none, Unknown where it cannot be told.

        Raises ProcessGone, PermissionError.
        """
        stat = self.stat(pid)
        if not stat.runs_a_program:
            return None
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
        return Process(pid, stat.start_ticks, argv and argv[1:], self.started_at(stat))

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

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        """A configuration file of the process."""
        return self.first_seen(process, path, self.read_one)

    def read_drop_ins(self, process: Process, path: str) -> DropIns | Missing | Unreadable:
        """The drop-ins of the process below a folder, in the order in which it merges them."""
        return self.first_seen(process, path, self.read_folder)

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        """Mode and owner of a file of the process, links followed."""
        return self.first_seen(process, path, self.status_of)

    def service_files(self, process: Process) -> FileSet | Unknown:
        """The systemd unit that the process runs in, by its cgroup, and the unit's drop-ins; none outside of systemd.

        The unit is the first that systemd's own search path has (systemd.unit, "Unit File Load Path").
        """
        try:
            unit = unit_of(self.read(process.pid, 'cgroup', MAX_CGROUP_BYTES))
        except (ProcessGone, PermissionError):
            return Unknown(f'the cgroup of process {process.pid} could not be read')
        if unit is None:
            return FileSet(())
        statuses = [self.file_status(process, f'{folder}/{unit}') for folder in UNIT_FOLDERS]
        files = list[FileStatus | Missing | Unreadable](
            [file for file in statuses if not isinstance(file, Missing)][:1]
        )
        if not files:
            return Unknown(f'no unit file of {unit} was found')
        for folder in UNIT_FOLDERS:
            drop_ins = self.read_drop_ins(process, f'{folder}/{unit}.d')
            if isinstance(drop_ins, DropIns):
                files.extend(self.file_status(process, file.path) for file in drop_ins.files)
            elif isinstance(drop_ins, Unreadable):
                files.append(drop_ins)
        return FileSet(tuple(files))

    def first_seen(self, process: Process, path: str, read: Callable[[View, str], Seen]) -> Seen | Missing | Unreadable:
        """What the first view shows that shows anything; else what the last one says of the path."""
        answer: Seen | Missing | Unreadable = Unreadable(path, 'there is no way to it', self.remedy())
        for open_view in (self.below_root, self.through_process):
            try:
                view = open_view(process, path)
            except CannotRead as error:
                answer = Unreadable(path, str(error), self.remedy())
                continue
            if view is not None:
                answer = self.look(view, path, read)
            if not isinstance(answer, Missing | Unreadable):
                break
        return answer

    def look(self, view: View, path: str, read: Callable[[View, str], Seen]) -> Seen | Missing | Unreadable:
        with view.root:
            try:
                return read(view, view.path)
            except NotThere as error:
                return self.missing(view, path, str(error))
            except CannotRead as error:
                return Unreadable(path, str(error), self.remedy())

    def below_root(self, process: Process, path: str) -> View | None:
        """The path below `root`, if that is set. Raises CannotRead."""
        if self.root is None:
            return None
        if not path.startswith('/'):
            path = f'{self.working_directory(process)}/{path}'
        return View(Root(self.root), path, is_its_own=self.capture is not None)

    def working_directory(self, process: Process) -> str:
        """The process's working directory as it names it. Raises CannotRead."""
        if process.key in self.refused:
            raise CannotRead(f'the working directory of the kubelet is not known: {NO_PERMISSION}')
        try:
            target = os.readlink(f'{self.procfs}/{process.pid}/cwd')
        except OSError as error:
            raise CannotRead(f'the working directory of the kubelet is not known: {reason(error)}') from None
        if not target.startswith('/'):
            raise CannotRead('the working directory of the kubelet is not reachable')
        return target

    def through_process(self, process: Process, path: str) -> View | None:
        """The path as the process itself sees it. Asked for only where needed, and after a refusal never again:

        the kernel checks it like a debugger's access, and AppArmor logs every try. Raises CannotRead.
        """
        if self.capture is not None:
            return None
        if process.key in self.refused:
            raise CannotRead(NO_PERMISSION)
        folder = f'{self.procfs}/{process.pid}'
        try:
            return View(Root(f'{folder}/root', f'{folder}/cwd'), path, is_its_own=True)
        except CannotRead as error:
            if str(error) == NO_PERMISSION:
                self.refused.add(process.key)
            raise

    def read_one(self, view: View, path: str) -> File | Missing | Unreadable:
        try:
            # The kubelet cleans the path as text first (filepath.Abs): `link/../x` is `x`, wherever the link leads.
            content = view.root.read(os.path.normpath(path))
        except NotThere as error:
            return self.missing(view, path, str(error))
        except CannotRead as error:
            return Unreadable(path, str(error), self.remedy())
        changed_at = content.changed_at if self.capture is None else self.capture.changed_at(path)
        return File(path, content.data, changed_at)

    def read_folder(self, view: View, path: str) -> DropIns | Unreadable:
        walk = view.root.walk(path)
        paths = [found for found in walk.paths if os.path.basename(found).endswith(DROP_IN_ENDING)]
        if len(paths) > MAX_DROP_INS:
            return Unreadable(path, f'it holds more than {MAX_DROP_INS} drop-ins')
        files: list[File | Missing | Unreadable] = []
        room = MAX_DROP_IN_BYTES
        for found in paths:
            file = self.read_one(view, found)
            room -= len(file.data) if isinstance(file, File) else 0
            if room < 0:
                return Unreadable(path, f'its drop-ins are larger than {MAX_DROP_IN_BYTES // 1024} KiB together')
            files.append(file)
        return DropIns(path, tuple(files), walk.changed_at if self.capture is None else self.capture.changed_at(path))

    def status_of(self, view: View, path: str) -> FileStatus | Unreadable:
        status = view.root.status(path)
        if self.capture is not None:
            return self.capture.status(path)
        return FileStatus(path, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)

    def missing(self, view: View, path: str, why: str) -> Missing | Unreadable:
        """What is not there: to the kubelet too where we see with its eyes, else perhaps only to us."""
        return Missing(path, why) if view.is_its_own else Unreadable(path, f'{why} below host_root', ROOT_REMEDY)

    def remedy(self) -> str:
        return ROOT_REMEDY if self.capture is None else ''


def split_command_line(line: bytes) -> tuple[str, ...] | None:
    """/proc/PID/cmdline as a list; None where it was rewritten or cut off, or passes our bounds.

    Each argument ends in a NUL: take exactly one off the end, so that empty arguments stay.
    """
    if not line.endswith(b'\0') or len(line) > MAX_COMMAND_LINE_BYTES or line.count(b'\0') > MAX_ARGUMENTS:
        return None
    return tuple(os.fsdecode(part) for part in line[:-1].split(b'\0'))


def unit_of(cgroup: bytes) -> str | None:
    """The systemd service in /proc/PID/cgroup: the last such name of the unified or the systemd hierarchy."""
    for line in os.fsdecode(cgroup).splitlines():
        _, _, rest = line.partition(':')
        controllers, _, path = rest.partition(':')
        if controllers in ('', 'name=systemd'):
            units = [part for part in path.split('/') if UNIT.fullmatch(part)]
            if units:
                return units[-1]
    return None
