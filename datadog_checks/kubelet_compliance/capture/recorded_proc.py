# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files of processes as one pass over a node read them."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.node.proc_files import ProcSource


class RecordedProc:
    """The files of processes, which keeps what is read of them."""

    def __init__(self, source: ProcSource) -> None:
        self.source = source
        self.files: dict[tuple[int, str], bytes] = {}
        self.working_directories: dict[int, str] = {}

    @property
    def path(self) -> str:
        return self.source.path

    def resolve(self) -> None:
        self.source.resolve()

    def pids(self) -> list[int]:
        return self.source.pids()

    def read(self, pid: int, name: str, limit: int) -> bytes:
        data = self.files[pid, name] = self.source.read(pid, name, limit)
        return data

    def working_directory(self, pid: int) -> str:
        found = self.working_directories[pid] = self.source.working_directory(pid)
        return found
