# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a collection may ask of a node, whatever kind of node it is.

`LiveHost` is this machine, and `CapturedHost` a copy of a node in a folder. `collection.image.Image` is the root file
system of a machine that is not running. `PatientHost` and the recorder of a capture each wrap another host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from datadog_checks.kubelet_compliance.model import (
    Answer,
    DropIns,
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

from .proc_files import ProcSource
from .process_facts import Times

KUBELET_DROP_IN = '.conf'
"""How the names of the kubelet's drop-ins end."""


@dataclass(frozen=True, slots=True)
class UnitName:
    """The systemd service of a process; None: no service. `has_moved`: it is in the cgroup of its configuration."""

    unit: str | None
    has_moved: bool


class Host(Protocol):
    """A node. Every method answers with a value; none raises for what the node holds."""

    @property
    def procfs(self) -> str:
        """The path of the node's /proc, for messages."""

    @property
    def is_captured(self) -> bool:
        """Whether the node is a copy in a folder."""

    def begin(self) -> bool:
        """Begin a collection. True: nothing changed since the last one, so there is nothing to read.

        This answer takes no scan. It reads only the files of known kubelets in /proc, and it holds for a few minutes
        at most.
        """

    def give_up(self) -> None:
        """Have the next collection read everything, because the same files may then mean something else."""

    def expect(self, processes: Iterable[Process]) -> None:
        """Say which of the processes that were found are judged. The others are no kubelets and prove nothing."""

    def find_kubelets(self) -> Scan:
        """Find the kubelets of the node."""

    def is_running(self, process: Process) -> bool | None:
        """Whether the pid still belongs to the same process and still is a kubelet; None: unknown."""

    def shows_all_processes(self) -> bool:
        """Whether `/proc` is that of the whole machine: only there the kernel's own threads are visible."""

    def age(self, process: Process) -> float | None:
        """For how many seconds a process has been running; None: unknown."""

    def times(self) -> Times:
        """When the node was booted and read, which the times of its processes count from."""

    def answers_at(self, process: Process, host: str, port: int) -> bool | None:
        """Whether the process listens where a connection to an address leads; None: unknown."""

    def unit_name(self, process: Process, kubelet_cgroups: str) -> UnitName | Unknown:
        """The systemd service of a process, by its cgroup.

        `kubelet_cgroups`: the cgroup that the kubelet moves to by its configuration, out of the one of its unit.
        """

    def working_directory_of(self, process: Process) -> str | None:
        """The working directory of a process, as the process names it; None: unknown."""

    def shows_whole_root(self, process: Process) -> bool:
        """Whether a file that is missing here is missing for the process too."""

    def is_still_so(self, process: Process) -> bool:
        """Whether all files of the process are still as this collection read them, so that they belong together."""

    def shows(self, path: str) -> bool:
        """Whether a path that is missing here is missing on the node. A capture keeps only what was read."""

    def keeps_status(self, path: str) -> bool:
        """Whether the mode and owner of a path can be known. A capture keeps only what was read."""

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        """A file of the process."""

    def read_drop_ins(self, process: Process, path: str) -> DropIns | Missing | Unreadable:
        """The drop-ins of a kubelet below a folder, in the order in which it merges them."""

    def read_files(self, process: Process, path: str, endings: tuple[str, ...]) -> DropIns | Missing | Unreadable:
        """The files below a folder whose names end with one of these, in the same order."""

    def list_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        """The names in a folder, sorted; links to the folder are followed."""

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        """Mode and owner of a file, links followed."""

    def folder_changed_at(self, process: Process, path: str) -> float | None:
        """The ctime of a folder, in seconds since the epoch; None: unknown."""

    def real_path(self, process: Process, path: str) -> str:
        """A path with its links resolved; the same path where that is unknown."""

    def kernel_settings(self, names: Iterable[str]) -> Mapping[str, str | None]:
        """Settings of the kernel by their names (`vm.panic_on_oom`), as long as they matter; None: unknown."""

    def peek_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        """A file that only advice depends on. The next collections do not watch it."""

    def peek_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        """The names in a folder that only advice depends on."""

    def peek_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        """Mode and owner of a file that only advice depends on."""

    def peek_kernel(self, names: Iterable[str]) -> Mapping[str, str | None]:
        """Settings of the kernel that only advice depends on."""

    def kept_answer(self, fact: Fact) -> Answer | None:
        """What a capture keeps of a fact; None: nothing."""

    def reread(self, through: Callable[[ProcSource], ProcSource]) -> Host:
        """The same node, with its /proc read through something else, such as the recorder of a capture."""
