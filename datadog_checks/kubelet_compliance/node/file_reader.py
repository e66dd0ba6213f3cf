# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads the files of a node's processes, through the first view that finds them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from datadog_checks.kubelet_compliance.model import (
    DropIns,
    File,
    FileStatus,
    Folder,
    Missing,
    Process,
    Unreadable,
)

from .change_stamps import Trace
from .process_root import A_DEVICE, CannotRead, NotThere, Root

MAX_DROP_INS = 256
MAX_DROP_IN_BYTES = 1024 * 1024
NO_WAY = "the path can't be reached"

Shown = TypeVar('Shown')


class View(Protocol):
    """One way to a path of a process, with what is known of the files besides the root."""

    @property
    def root(self) -> Root:
        """Where the path is found."""

    @property
    def path(self) -> str:
        """The path in that root."""

    def kept(self, path: str) -> Missing | Unreadable | None:
        """The answer for a path that needs no read of the root; None: read it."""

    def missing(self, path: str, why: str) -> Missing | Unreadable:
        """The answer for a path that is not in the root."""

    def unreadable(self, path: str, why: str) -> Unreadable:
        """The answer for a path that can't be read."""

    def as_file(self, found: File | Missing | Unreadable) -> File | Missing | Unreadable:
        """The answer for a file that was read, as it counts for the process."""

    def changed_at(self, path: str, ctime: float) -> float | None:
        """When a path changed last, by its ctime in the root; None: unknown."""

    def names(self, path: str) -> Folder:
        """The names in a folder. Raises NotThere and CannotRead."""

    def status(self, path: str) -> FileStatus | Unreadable:
        """Mode and owner of a file. Raises NotThere and CannotRead."""


class Ways(Protocol):
    """The views on the files of a process, the preferred ones first."""

    def openers(self) -> Sequence[Callable[[Process, str, Trace], View | None]]:
        """They open a view on a path; None: it does not apply to the process. They raise CannotRead."""

    def no_view(self, process: Process, path: str, why: str, trace: Trace) -> Unreadable:
        """The answer for a path on which no view can be opened."""


class FileReader:
    """The files of a node's processes. `trace`: gives the trace of this collection, which gets all stamps."""

    def __init__(self, ways: Ways, trace: Callable[[], Trace]) -> None:
        self.ways = ways
        self.trace = trace

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return self.first_shown(process, path, read_one)

    def read_files(self, process: Process, path: str, endings: tuple[str, ...]) -> DropIns | Missing | Unreadable:
        return self.first_shown(process, path, lambda view, inner: read_folder(view, inner, endings))

    def list_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        return self.first_shown(process, path, lambda view, inner: view.names(inner))

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return self.first_shown(process, path, lambda view, inner: view.status(inner))

    def folder_changed_at(self, process: Process, path: str) -> float | None:
        found = self.first_shown(process, path, lambda view, inner: view.root.status(inner))
        return None if isinstance(found, Missing | Unreadable) else found.st_ctime

    def real_path(self, process: Process, path: str) -> str:
        found = self.first_shown(process, path, lambda view, inner: view.root.real_path(inner))
        return found if isinstance(found, str) else path

    def first_shown(
        self, process: Process, path: str, read: Callable[[View, str], Shown]
    ) -> Shown | Missing | Unreadable:
        """The result of the first view that finds the path, or else the answer of the last one."""
        trace = self.trace()
        answer: Shown | Missing | Unreadable | None = None
        for open_view in self.ways.openers():
            try:
                view = open_view(process, path, trace)
            except CannotRead as error:
                # A view that cannot be opened takes back nothing that another one showed.
                answer = answer or self.ways.no_view(process, path, str(error), trace)
                continue
            if view is not None:
                answer = read_through(view, path, read)
            if answer is not None and not isinstance(answer, Missing | Unreadable):
                break
        return answer or self.ways.no_view(process, path, NO_WAY, trace)


def read_through(view: View, path: str, read: Callable[[View, str], Shown]) -> Shown | Missing | Unreadable:
    """Read a path through a view. `path`: as the process names it."""
    with view.root:
        try:
            return view.kept(view.path) or read(view, view.path)
        except NotThere as error:
            return view.missing(path, str(error))
        except CannotRead as error:
            return view.unreadable(path, str(error))


def read_one(view: View, path: str) -> File | Missing | Unreadable:
    return view.kept(path) or view.as_file(read_in_root(view, path))


def read_in_root(view: View, path: str) -> File | Missing | Unreadable:
    try:
        # The kubelet cleans the path as text first (filepath.Abs): `link/../x` is `x`, wherever the link leads.
        content = view.root.read(os.path.normpath(path))
    except NotThere as error:
        return view.missing(path, str(error))
    except CannotRead as error:
        found = view.unreadable(path, str(error))
        return Unreadable(path, found.why, found.remedy, absent=str(error) == A_DEVICE, fault=found.fault)
    return File(path, content.data, view.changed_at(path, content.changed_at))


def read_folder(view: View, path: str, endings: tuple[str, ...]) -> DropIns | Unreadable:
    walk = view.root.walk(path)
    paths = [found for found in walk.paths if os.path.basename(found).endswith(endings)]
    if len(paths) > MAX_DROP_INS:
        return Unreadable(path, f'it holds more than {MAX_DROP_INS} drop-ins')
    files: list[File | Missing | Unreadable] = []
    room = MAX_DROP_IN_BYTES
    for found in paths:
        file = read_one(view, found)
        room -= len(file.data) if isinstance(file, File) else 0
        if room < 0:
            return Unreadable(path, f'its drop-ins are larger than {MAX_DROP_IN_BYTES // 1024} KiB together')
        files.append(file)
    return DropIns(path, tuple(files), view.changed_at(path, walk.changed_at))


def folder_in(root: Root, path: str) -> Folder:
    """The names in a folder of a root. Raises NotThere and CannotRead."""
    found = root.names(path)
    return Folder(path, found.paths, found.changed_at)
