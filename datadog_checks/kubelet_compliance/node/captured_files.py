# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files of a captured node: copies below a folder, and what its `node.json` keeps besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import File, FileStatus, Folder, Missing, Process, Unreadable

from .captured import Capture
from .change_stamps import Trace
from .file_reader import View, folder_in
from .live_files import NO_ROOT, reachable
from .proc_files import ProcSource
from .process_root import CannotRead, Root, reason


@dataclass(frozen=True, slots=True)
class CapturedView:
    """A path below the folder of a captured node."""

    root: Root
    path: str
    capture: Capture

    def kept(self, path: str) -> Missing | Unreadable | None:
        return self.capture.unseen.get(path)

    def missing(self, path: str, why: str) -> Missing | Unreadable:
        if path in self.capture.files and not path.endswith('/'):
            return Unreadable(path, 'the captured node does not keep its content')
        return Missing(path, why)

    def unreadable(self, path: str, why: str) -> Unreadable:
        return Unreadable(path, why)

    def as_file(self, found: File | Missing | Unreadable) -> File | Missing | Unreadable:
        return found

    def changed_at(self, path: str, ctime: float) -> float | None:
        return self.capture.changed_at(path)

    def names(self, path: str) -> Folder:
        names = self.capture.listings.get(path)
        found = folder_in(self.root, path).names if names is None else names
        return Folder(path, found, self.capture.changed_at(path))

    def status(self, path: str) -> FileStatus | Unreadable:
        if path not in self.capture.files:
            self.root.status(path)
        return self.capture.status(path)


class CapturedWays:
    """The one way to the files of a captured node. `root`: its folder."""

    def __init__(self, source: ProcSource, root: str, capture: Capture) -> None:
        self.source = source
        self.root = root
        self.capture = capture

    def openers(self) -> Sequence[Callable[[Process, str, Trace], View | None]]:
        return (self.below_root,)

    def no_view(self, process: Process, path: str, why: str, trace: Trace) -> Unreadable:
        return Unreadable(path, why)

    def below_root(self, process: Process, path: str, trace: Trace) -> CapturedView:
        """Raises CannotRead."""
        if not path.startswith('/'):
            path = f'{self.working_directory(process).rstrip("/")}/{path}'
        try:
            return CapturedView(Root(self.root, trace=trace), path, self.capture)
        except CannotRead as error:
            raise CannotRead(f'{NO_ROOT}: {error}') from None

    def working_directory(self, process: Process) -> str:
        """The working directory of the process, as the process names it. Raises CannotRead."""
        try:
            return reachable(self.source.working_directory(process.pid), '')
        except OSError as error:
            raise CannotRead(f"could not read the kubelet's working directory: {reason(error)}") from None
