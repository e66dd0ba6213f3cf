# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What every host with files of its own does with them: each read goes through its `FileReader`."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.model import DropIns, File, FileStatus, Folder, Missing, Process, Unreadable

from .file_reader import FileReader
from .host import KUBELET_DROP_IN


class FileHost:
    """The methods of `Host` that read files. A host sets `files`."""

    files: FileReader

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return self.files.read_file(process, path)

    def read_drop_ins(self, process: Process, path: str) -> DropIns | Missing | Unreadable:
        return self.files.read_files(process, path, (KUBELET_DROP_IN,))

    def read_files(self, process: Process, path: str, endings: tuple[str, ...]) -> DropIns | Missing | Unreadable:
        return self.files.read_files(process, path, endings)

    def list_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        return self.files.list_folder(process, path)

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return self.files.file_status(process, path)

    def folder_changed_at(self, process: Process, path: str) -> float | None:
        return self.files.folder_changed_at(process, path)

    def real_path(self, process: Process, path: str) -> str:
        return self.files.real_path(process, path)
