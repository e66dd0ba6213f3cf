# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A node that is nothing but bytes in memory: its `/proc`, and a few files."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from datadog_checks.kubelet_compliance.capture import Capture
from datadog_checks.kubelet_compliance.host import Host
from datadog_checks.kubelet_compliance.model import DropIns, File, FileStatus, Missing, Process, Unreadable
from datadog_checks.kubelet_compliance.processes import Admission, ProcessGone

PIDS = (1, 1000, 1001, 1002, 1003)
NOT_THERE = 'no such file or directory'


class MemoryHost(Host):
    """A host whose files in `/proc` are given; only the list of pids is that of a real folder."""

    def __init__(self, proc: Mapping[tuple[int, str], bytes], files: Mapping[str, bytes], *, nested: bool) -> None:
        # A captured node has no clock of its own, so that two looks at it are the same.
        super().__init__(pid_folders(), admission=Admission(nested=nested), capture=Capture(booted_at=0.0))
        self.proc = proc
        self.files = files

    def read(self, pid: int, name: str, limit: int) -> bytes:
        if (pid, name) not in self.proc:
            raise ProcessGone
        return self.proc[pid, name][:limit]

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return File(path, self.files[path], 1.0) if path in self.files else Missing(path, NOT_THERE)

    def read_files(self, process: Process, path: str, endings: tuple[str, ...]) -> DropIns | Missing | Unreadable:
        found = [name for name in sorted(self.files) if name.startswith(f'{path}/') and name.endswith(endings)]
        if not found:
            return Missing(path, NOT_THERE)
        return DropIns(path, tuple(File(name, self.files[name], 1.0) for name in found), 1.0)

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return FileStatus(path, 0o600, 0, 0) if path in self.files else Missing(path, NOT_THERE)


@cache
def pid_folders() -> str:
    """A folder with a folder for each pid, which is all that is ever listed."""
    folder = tempfile.mkdtemp(prefix='pids-')
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for pid in PIDS:
        (Path(folder) / str(pid)).mkdir()
    return folder
