# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""This machine as a node: its processes in /proc, and the files of a kubelet as the kubelet itself finds them."""

from __future__ import annotations

import sys
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

from .change_stamps import Stamped, StampedScan, Trace, held, unheld
from .file_host import FileHost
from .file_reader import FileReader
from .host import Host, UnitName
from .live_files import LiveWays
from .mounts import MountTables
from .proc_files import ProcFolder, ProcSource
from .process_facts import LiveFacts, ProcessFacts, Times
from .process_root import CannotRead
from .processes import Admission, ProcessTable
from .procfs import kernel_setting, why_no_procfs
from .sockets import Sockets

LINUX_ONLY = 'not applicable: Linux only'


class LiveHost(FileHost):
    """This machine. Each answer that a steady collection depends on goes through the trace of the collection."""

    is_captured = False

    def __init__(
        self,
        procfs: str = '/proc',
        root: str | None = None,
        *,
        admission: Admission | None = None,
        needs_procfs: bool = False,
        facts: ProcessFacts | None = None,
        source: ProcSource | None = None,
    ) -> None:
        """`procfs`: where the node's /proc is; `root`: where its root file system is mounted, if it is.

        `needs_procfs`: processes count only where a procfs shows them, and not a folder of files. `source`: how the
        files of processes are read; None: as those of a folder.
        """
        self.source = source or ProcFolder(procfs)
        self.root = root
        self.admission = admission or Admission()
        self.needs_procfs = needs_procfs
        self.facts = facts or LiveFacts()
        self.trace = Trace()
        self.processes = ProcessTable(self.source, self.admission, self.facts)
        self.sockets = Sockets(self.source, self.admission.uids)
        self.ways = LiveWays(self.source, root, MountTables(self.source))
        self.files = FileReader(self.ways, lambda: self.trace)
        self.unwatched = FileReader(self.ways, Trace)

    @property
    def procfs(self) -> str:
        return self.source.path

    def begin(self) -> bool:
        if self.is_unchanged():
            return True
        self.begin_anew()
        return False

    def begin_anew(self) -> None:
        """Begin a collection that reads everything."""
        self.trace = Trace()

    def is_unchanged(self) -> bool:
        """Whether all stamps of the last collection still hold."""
        trace = self.trace
        return (
            trace.is_trusted()
            and self.processes.are_the_same(trace.processes)
            and trace.files_are_unchanged()
            and (not trace.kernel_is_due() or self.peek_kernel(trace.kernel) == trace.kernel)
        )

    def give_up(self) -> None:
        self.trace.value_of(lambda: unheld(None))

    def expect(self, processes: Iterable[Process]) -> None:
        self.trace.expect(process.pid for process in processes)

    def find_kubelets(self) -> Scan:
        scan = self.trace.scan_of(self.scan)
        self.ways.forget_all_but({process.key for process in scan.processes})
        return scan

    def scan(self) -> StampedScan:
        if not sys.platform.startswith('linux'):
            return StampedScan(Scan(none_found_because=LINUX_ONLY), {})
        why = self.why_no_procfs()
        return self.processes.find_kubelets() if why is None else StampedScan(Scan(doubtful=(why,)), {})

    def why_no_procfs(self) -> Unknown | None:
        """Why the check ignores the processes of the procfs; None: it does not."""
        if not self.needs_procfs:
            return None
        self.source.resolve()
        return why_no_procfs(self.procfs)

    def is_running(self, process: Process) -> bool | None:
        return self.trace.value_of(lambda: self.processes.is_running(process))

    def shows_all_processes(self) -> bool:
        return self.trace.value_of(self.processes.shows_all)

    def age(self, process: Process) -> float | None:
        return self.facts.age(process.start_ticks)

    def times(self) -> Times:
        return self.facts.times()

    def answers_at(self, process: Process, host: str, port: int) -> bool | None:
        return self.trace.value_of(lambda: self.sockets.answers_at(process, host, port))

    def unit_name(self, process: Process, kubelet_cgroups: str) -> UnitName | Unknown:
        return self.trace.value_of(lambda: self.processes.unit_name(process, kubelet_cgroups))

    def working_directory_of(self, process: Process) -> str | None:
        try:
            return self.trace.value_of(lambda: self.ways.working_directory(process))
        except CannotRead:
            return None

    def shows_whole_root(self, process: Process) -> bool:
        root = self.root
        if root is None:
            return False
        try:
            others = self.trace.value_of(lambda: self.ways.mounts.mounted_otherwise(process, root))
        except CannotRead:
            return False
        return others is not None and '/' not in others

    def is_still_so(self, process: Process) -> bool:
        return self.trace.value_of(lambda: self.compare(process))

    def compare(self, process: Process) -> Stamped[bool]:
        """Compare the files of the process with their stamps."""
        own = f'{self.procfs}/{process.pid}/'
        is_so = self.trace.files_are_unchanged(lambda anchor: anchor == self.root or anchor.startswith(own))
        return held(True) if is_so else unheld(False)

    def shows(self, path: str) -> bool:
        return True

    def keeps_status(self, path: str) -> bool:
        return True

    def kernel_settings(self, names: Iterable[str]) -> Mapping[str, str | None]:
        return self.trace.kernel_of(lambda: self.peek_kernel(names))

    def peek_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return self.unwatched.read_file(process, path)

    def peek_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        return self.unwatched.list_folder(process, path)

    def peek_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return self.unwatched.file_status(process, path)

    def peek_kernel(self, names: Iterable[str]) -> dict[str, str | None]:
        return {name: kernel_setting(self.procfs, name) for name in names}

    def kept_answer(self, fact: Fact) -> Answer | None:
        return None

    def reread(self, through: Callable[[ProcSource], ProcSource]) -> Host:
        return LiveHost(root=self.root, admission=self.admission, facts=self.facts, source=through(self.source))
