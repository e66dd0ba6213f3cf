# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A host whose reads have a time limit: if a file system hangs, the answer is unknown and not late."""

from __future__ import annotations

import time
from collections.abc import Callable

from datadog_checks.kubelet_compliance.model import (
    DropIns,
    File,
    FileStatus,
    Folder,
    Missing,
    Process,
    Scan,
    Unknown,
    Unreadable,
)

from .change_stamps import Stamped, Trace, held, unheld
from .forwarding_host import ForwardingHost
from .host import UnitName
from .live_host import LiveHost
from .worker import OutOfPatience, Returned, Worker

# The longest wait of one collection for each kind of read. Together they leave some of five seconds for deciding.
SECONDS_FOR_FILES = 2.5
SECONDS_FOR_PROCESSES = 2.0

MOUNT_REMEDY = 'check the mount that holds it: a network file system may have lost its server'
PROCESS_REMEDY = 'look for a process in state D (uninterruptible sleep)'


class PatientReader:
    """A thread that reads, and the seconds that it may still take in this collection."""

    def __init__(self, seconds: float) -> None:
        self.worker = Worker()
        self.seconds = seconds
        self.left = seconds
        self.doing = ''
        """What it is reading, for the message of a timeout."""

    def renew(self) -> None:
        self.left = self.seconds

    def read(self, what: str, work: Callable[[], Returned]) -> Returned:
        """The result of the work. Raises OutOfPatience."""
        if not self.worker.is_stuck():
            self.doing = what
        began_at = time.monotonic()
        try:
            return self.worker.run(work, self.left)
        finally:
            self.left -= time.monotonic() - began_at

    def reading(self, what: str, work: Callable[[], Returned], hangs: Callable[[str], Returned]) -> Stamped[Returned]:
        """The result of the work, or the answer for a timeout, which no stamp covers."""
        try:
            return held(self.read(what, work))
        except OutOfPatience as error:
            return unheld(hangs(str(error)))


class PatientHost(ForwardingHost):
    """A live host that reads files in one thread and processes in another, and never more than one for each."""

    def __init__(self, host: LiveHost) -> None:
        super().__init__(host)
        self.live = host
        self.files = PatientReader(SECONDS_FOR_FILES)
        self.processes = PatientReader(SECONDS_FOR_PROCESSES)

    def begin(self) -> bool:
        self.files.renew()
        self.processes.renew()
        if self.is_unchanged():
            return True
        self.live.begin_anew()
        return False

    def is_unchanged(self) -> bool:
        is_stuck, trace = self.files.worker.is_stuck(), self.live.trace
        try:
            return self.files.read('the process of the kubelet', self.live.is_unchanged)
        except OutOfPatience:
            if trace.at and not is_stuck:
                self.files.doing = f'/{trace.at.lstrip("/")}'
            return False

    def find_kubelets(self) -> Scan:
        def hangs(why: str) -> Scan:
            return Scan(doubtful=(Unknown(f'{why} reading the processes in {self.procfs}', PROCESS_REMEDY),))

        return self.of_processes(self.live.find_kubelets, hangs)

    def procfs_problem(self) -> Unknown | None:
        """Why the check ignores the processes of the procfs; None: it does not."""
        return self.of_processes(self.live.why_no_procfs, lambda why: None)

    def is_running(self, process: Process) -> bool | None:
        return self.of_processes(lambda: self.live.is_running(process), lambda why: None)

    def shows_all_processes(self) -> bool:
        return self.of_processes(self.live.shows_all_processes, lambda why: False)

    def answers_at(self, process: Process, host: str, port: int) -> bool | None:
        return self.of_processes(lambda: self.live.answers_at(process, host, port), lambda why: None)

    def working_directory_of(self, process: Process) -> str | None:
        return self.of_processes(lambda: self.live.working_directory_of(process), lambda why: None)

    def of_processes(self, work: Callable[[], Returned], hangs: Callable[[str], Returned]) -> Returned:
        return self.live.trace.value_of(lambda: self.processes.reading(self.procfs, work, hangs))

    def unit_name(self, process: Process, kubelet_cgroups: str) -> UnitName | Unknown:
        def hangs(why: str) -> UnitName | Unknown:
            return Unknown(f'{why} reading the cgroup of process {process.pid}', PROCESS_REMEDY)

        return self.of_files('the cgroup of the kubelet', lambda: self.live.unit_name(process, kubelet_cgroups), hangs)

    def shows_whole_root(self, process: Process) -> bool:
        what = 'the mount table of the kubelet'
        return self.of_files(what, lambda: self.live.shows_whole_root(process), lambda why: False)

    def is_still_so(self, process: Process) -> bool:
        return self.of_files('the same files again', lambda: self.live.is_still_so(process), lambda why: False)

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return self.of_files(path, lambda: self.live.read_file(process, path), self.hanging(path))

    def read_drop_ins(self, process: Process, path: str) -> DropIns | Missing | Unreadable:
        return self.of_files(path, lambda: self.live.read_drop_ins(process, path), self.hanging(path))

    def read_files(self, process: Process, path: str, endings: tuple[str, ...]) -> DropIns | Missing | Unreadable:
        return self.of_files(path, lambda: self.live.read_files(process, path, endings), self.hanging(path))

    def list_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        return self.of_files(path, lambda: self.live.list_folder(process, path), self.hanging(path))

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return self.of_files(path, lambda: self.live.file_status(process, path), self.hanging(path))

    def folder_changed_at(self, process: Process, path: str) -> float | None:
        return self.of_files(path, lambda: self.live.folder_changed_at(process, path), lambda why: None)

    def real_path(self, process: Process, path: str) -> str:
        return self.of_files(path, lambda: self.live.real_path(process, path), lambda why: path)

    def peek_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return self.unwatched(path, lambda: self.live.peek_file(process, path), self.hanging(path))

    def peek_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        return self.unwatched(path, lambda: self.live.peek_folder(process, path), self.hanging(path))

    def peek_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return self.unwatched(path, lambda: self.live.peek_status(process, path), self.hanging(path))

    def hanging(self, path: str) -> Callable[[str], Unreadable]:
        return lambda why: Unreadable(path, f'{why} reading {self.files.doing}', MOUNT_REMEDY)

    def of_files(self, what: str, work: Callable[[], Returned], hangs: Callable[[str], Returned]) -> Returned:
        return self.live.trace.value_of(lambda: self.files.reading(what, work, hangs))

    def unwatched(self, what: str, work: Callable[[], Returned], hangs: Callable[[str], Returned]) -> Returned:
        return Trace().value_of(lambda: self.files.reading(what, work, hangs))
