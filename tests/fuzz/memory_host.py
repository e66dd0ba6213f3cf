# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A node that is nothing but bytes in memory: its `/proc`, and a few files."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from datadog_checks.kubelet_compliance.collection.launches import read_launch
from datadog_checks.kubelet_compliance.kubelet.programs import program_named
from datadog_checks.kubelet_compliance.kubelet.tables.programs import ArgumentsFile, OptionFiles
from datadog_checks.kubelet_compliance.launch.arguments_file import arguments_path
from datadog_checks.kubelet_compliance.launch.option_files import Given, Options, config_path
from datadog_checks.kubelet_compliance.model import (
    DropIns,
    File,
    FileStatus,
    Folder,
    Launch,
    Missing,
    Process,
    Unreadable,
)
from datadog_checks.kubelet_compliance.node.captured import Capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.proc_files import ProcessGone, ProcFolder
from datadog_checks.kubelet_compliance.node.processes import Admission

PIDS = (1, 1000, 1001, 1002, 1003)
NOT_THERE = 'no such file or directory'


class MemoryProc(ProcFolder):
    """Files in `/proc` that are given; only the list of pids is that of a real folder."""

    def __init__(self, files: Mapping[tuple[int, str], bytes]) -> None:
        super().__init__(pid_folders())
        self.files = files

    def read(self, pid: int, name: str, limit: int) -> bytes:
        if (pid, name) not in self.files:
            raise ProcessGone
        return self.files[pid, name][:limit]


class MemoryHost(CapturedHost):
    """A captured host in memory: it has no clock of its own, so that two looks at it are the same."""

    def __init__(
        self,
        proc: Mapping[tuple[int, str], bytes],
        files: Mapping[str, bytes],
        *,
        nested: bool,
        capture: Capture | None = None,
    ) -> None:
        capture, admission = capture or Capture(booted_at=0.0), Admission(nested=nested)
        super().__init__('', pid_folders(), admission=admission, capture=capture, source=MemoryProc(proc))
        self.contents = files

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return File(path, self.contents[path], 1.0) if path in self.contents else Missing(path, NOT_THERE)

    def read_files(self, process: Process, path: str, endings: tuple[str, ...]) -> DropIns | Missing | Unreadable:
        found = [name for name in sorted(self.contents) if name.startswith(f'{path}/') and name.endswith(endings)]
        if not found:
            return Missing(path, NOT_THERE)
        return DropIns(path, tuple(File(name, self.contents[name], 1.0) for name in found), 1.0)

    def list_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        found = [name.removeprefix(f'{path}/') for name in sorted(self.contents) if name.startswith(f'{path}/')]
        names = tuple(dict.fromkeys(name.partition('/')[0] for name in found))
        return Folder(path, names, 1.0) if names else Missing(path, NOT_THERE)

    def real_path(self, process: Process, path: str) -> str:
        return path

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return FileStatus(path, 0o600, 0, 0) if path in self.contents else Missing(path, NOT_THERE)


@cache
def pid_folders() -> str:
    """A folder with a folder for each pid, which is all that is ever listed."""
    folder = tempfile.mkdtemp(prefix='pids-')
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for pid in PIDS:
        (Path(folder) / str(pid)).mkdir()
    return folder


def launch_of(process: Process, contents: Sequence[bytes]) -> Launch | None:
    """How the program starts its kubelet, on a node where its configuration lies in files of these contents."""
    if not process.inside:
        return None
    folder = ''
    match program_named(process.inside).arguments:
        case ArgumentsFile() as way:
            path = arguments_path(way, process.arguments)
        case OptionFiles() as way:
            path, folder = config_path(Given(process.arguments), way), Options(way.data).drop_ins
    files = {f'{path}.d/{number:05}.yaml' if number else path: content for number, content in enumerate(contents)}
    return read_launch(MemoryHost({}, {**files, folder: b''}, nested=False), process)


def proc_of(arguments: Sequence[str]) -> dict[tuple[int, str], bytes]:
    """The `/proc` of a node with one ordinary kubelet."""
    line = b''.join(word.encode('utf-8', 'surrogateescape') + b'\0' for word in ('kubelet', *arguments))
    return {
        (1, 'comm'): b'systemd\n',
        (1, 'cgroup'): b'0::/init.scope\n',
        (1000, 'comm'): b'kubelet\n',
        (1000, 'cmdline'): line,
        (1000, 'stat'): b'1000 (kubelet) S 1 1000 1000 0 -1 4194560 ' + b'0 ' * 12 + b'100 ' + b'0 ' * 30,
        (1000, 'status'): b'Uid:\t0\t0\t0\t0\nNSpid:\t1000\n',
        (1000, 'cgroup'): b'0::/system.slice/kubelet.service\n',
    }
