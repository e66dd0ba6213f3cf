# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A captured node: a folder with copies of its files and of its /proc, and its `node.json`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from datadog_checks.kubelet_compliance.model import (
    Answer,
    Fact,
    File,
    FileStatus,
    Folder,
    Missing,
    Process,
    Scan,
    Unknown,
    Unreadable,
)

from .captured import Capture
from .captured_files import CapturedWays
from .change_stamps import Trace
from .file_host import FileHost
from .file_reader import FileReader
from .host import Host, UnitName
from .proc_files import ProcFolder, ProcSource
from .process_facts import CapturedFacts, Times
from .process_root import CannotRead
from .processes import Admission, ProcessTable
from .sockets import Sockets

NOT_KEPT = 'the captured node does not keep its content'


class CapturedHost(FileHost):
    """A captured node. Nobody watches it, so each collection reads all of it."""

    is_captured = True

    def __init__(
        self,
        procfs: str,
        root: str,
        *,
        capture: Capture,
        admission: Admission | None = None,
        source: ProcSource | None = None,
    ) -> None:
        """`procfs`, `root`: the folders with the copies. `capture`: what copies do not show.

        `source`: how the files of processes are read; None: as those of a folder.
        """
        self.source = source or ProcFolder(procfs)
        self.root = root
        self.capture = capture
        self.admission = admission or Admission()
        self.facts = CapturedFacts(capture)
        self.processes = ProcessTable(self.source, self.admission, self.facts)
        self.sockets = Sockets(self.source, self.admission.uids)
        self.ways = CapturedWays(self.source, root, capture)
        self.files = FileReader(self.ways, Trace)

    @property
    def procfs(self) -> str:
        return self.source.path

    def begin(self) -> bool:
        return False

    def give_up(self) -> None:
        """There is nothing to give up."""

    def expect(self, processes: Iterable[Process]) -> None:
        """Nothing is watched."""

    def find_kubelets(self) -> Scan:
        return Trace().scan_of(self.processes.find_kubelets)

    def is_running(self, process: Process) -> bool | None:
        return Trace().value_of(lambda: self.processes.is_running(process))

    def shows_all_processes(self) -> bool:
        return Trace().value_of(self.processes.shows_all)

    def age(self, process: Process) -> float | None:
        return self.facts.age(process.start_ticks)

    def times(self) -> Times:
        return self.facts.times()

    def answers_at(self, process: Process, host: str, port: int) -> bool | None:
        return Trace().value_of(lambda: self.sockets.answers_at(process, host, port))

    def unit_name(self, process: Process, kubelet_cgroups: str) -> UnitName | Unknown:
        return Trace().value_of(lambda: self.processes.unit_name(process, kubelet_cgroups))

    def working_directory_of(self, process: Process) -> str | None:
        try:
            return self.ways.working_directory(process)
        except CannotRead:
            return None

    def shows_whole_root(self, process: Process) -> bool:
        return True

    def is_still_so(self, process: Process) -> bool:
        return True

    def shows(self, path: str) -> bool:
        return path in self.capture.files or path in self.capture.unseen

    def keeps_status(self, path: str) -> bool:
        return self.capture.kept_status(path) is not None or path in self.capture.unseen

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return self.capture.kept_status(path) or self.files.file_status(process, path)

    def folder_changed_at(self, process: Process, path: str) -> float | None:
        return self.capture.changed_at(path)

    def real_path(self, process: Process, path: str) -> str:
        kept = self.capture.real_paths.get(path)
        return self.files.real_path(process, path) if kept is None else kept

    def kernel_settings(self, names: Iterable[str]) -> Mapping[str, str | None]:
        return dict.fromkeys(names)

    def peek_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return Unreadable(path, NOT_KEPT)

    def peek_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        return Unreadable(path, NOT_KEPT)

    def peek_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return self.file_status(process, path)

    def peek_kernel(self, names: Iterable[str]) -> Mapping[str, str | None]:
        return dict.fromkeys(names)

    def kept_answer(self, fact: Fact) -> Answer | None:
        return self.capture.facts.get(fact)

    def reread(self, through: Callable[[ProcSource], ProcSource]) -> Host:
        source = through(self.source)
        return CapturedHost('', self.root, capture=self.capture, admission=self.admission, source=source)
