# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A host that passes each question on to another one: the base of those that add something to some answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

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

from .host import Host, UnitName
from .proc_files import ProcSource
from .process_facts import Times


class ForwardingHost:
    """Another host, unchanged. The methods are those of `Host`."""

    def __init__(self, host: Host) -> None:
        self.host = host

    @property
    def procfs(self) -> str:
        return self.host.procfs

    @property
    def is_captured(self) -> bool:
        return self.host.is_captured

    def begin(self) -> bool:
        return self.host.begin()

    def give_up(self) -> None:
        self.host.give_up()

    def expect(self, processes: Iterable[Process]) -> None:
        self.host.expect(processes)

    def find_kubelets(self) -> Scan:
        return self.host.find_kubelets()

    def is_running(self, process: Process) -> bool | None:
        return self.host.is_running(process)

    def shows_all_processes(self) -> bool:
        return self.host.shows_all_processes()

    def age(self, process: Process) -> float | None:
        return self.host.age(process)

    def times(self) -> Times:
        return self.host.times()

    def answers_at(self, process: Process, host: str, port: int) -> bool | None:
        return self.host.answers_at(process, host, port)

    def unit_name(self, process: Process, kubelet_cgroups: str) -> UnitName | Unknown:
        return self.host.unit_name(process, kubelet_cgroups)

    def working_directory_of(self, process: Process) -> str | None:
        return self.host.working_directory_of(process)

    def shows_whole_root(self, process: Process) -> bool:
        return self.host.shows_whole_root(process)

    def is_still_so(self, process: Process) -> bool:
        return self.host.is_still_so(process)

    def shows(self, path: str) -> bool:
        return self.host.shows(path)

    def keeps_status(self, path: str) -> bool:
        return self.host.keeps_status(path)

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return self.host.read_file(process, path)

    def read_drop_ins(self, process: Process, path: str) -> DropIns | Missing | Unreadable:
        return self.host.read_drop_ins(process, path)

    def read_files(self, process: Process, path: str, endings: tuple[str, ...]) -> DropIns | Missing | Unreadable:
        return self.host.read_files(process, path, endings)

    def list_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        return self.host.list_folder(process, path)

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return self.host.file_status(process, path)

    def folder_changed_at(self, process: Process, path: str) -> float | None:
        return self.host.folder_changed_at(process, path)

    def real_path(self, process: Process, path: str) -> str:
        return self.host.real_path(process, path)

    def kernel_settings(self, names: Iterable[str]) -> Mapping[str, str | None]:
        return self.host.kernel_settings(names)

    def peek_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return self.host.peek_file(process, path)

    def peek_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        return self.host.peek_folder(process, path)

    def peek_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return self.host.peek_status(process, path)

    def peek_kernel(self, names: Iterable[str]) -> Mapping[str, str | None]:
        return self.host.peek_kernel(names)

    def kept_answer(self, fact: Fact) -> Answer | None:
        return self.host.kept_answer(fact)

    def reread(self, through: Callable[[ProcSource], ProcSource]) -> Host:
        return self.host.reread(through)
