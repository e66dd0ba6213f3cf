# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""An open file, link or folder of the node. Each of its methods gives the trace a stamp before it returns a value.

All system calls on the files of a node are here. A path stays open, so that the file with the stamp is the file that
is read, even if its name leads elsewhere by then.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from .change_stamps import Stamped, Trace, held, unheld

READ_BYTES = 64 * 1024


class OpenPath:
    """`anchor`: the path of ours that a walk began at; `path`: the way from there, without any link; '' for itself."""

    def __init__(self, trace: Trace, anchor: str, path: str, handle: int) -> None:
        """Takes the handle, and closes it where the system fails. Raises OSError."""
        self.trace, self.anchor, self.path, self.handle = trace, anchor, path, handle
        try:
            self.unstamped = os.fstat(handle)
        except OSError:
            os.close(handle)
            raise

    def close(self) -> None:
        os.close(self.handle)

    def copy(self) -> OpenPath:
        """The same place with a handle of its own. Raises OSError."""
        return self.trace.value_of(lambda: held(OpenPath(self.trace, self.anchor, self.path, os.dup(self.handle))))

    @property
    def identity(self) -> tuple[int, int]:
        return self.unstamped.st_dev, self.unstamped.st_ino

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.unstamped.st_mode)

    def step(self, name: str) -> OpenPath:
        """The place below this folder by a name, without following it. Raises OSError."""
        self.trace.passed(self.anchor, self.path or '.', self.unstamped)
        path = f'{self.path}/{name}' if self.path else name
        there = self.trace.value_of(lambda: self.opened(name, path))
        if isinstance(there, OSError):
            self.trace.missed(self.anchor, path)
            raise there
        return there

    def opened(self, name: str, path: str) -> Stamped[OpenPath | FileNotFoundError | NotADirectoryError]:
        """Raises OSError for what is not the absence of the name."""
        try:
            return held(OpenPath(self.trace, self.anchor, path, open_name(name, self.handle)))
        except (FileNotFoundError, NotADirectoryError) as error:
            return held(error)

    def status(self) -> os.stat_result:
        """Its mode, owner and times."""
        self.trace.examined(self.anchor, self.path or '.', self.unstamped)
        return self.unstamped

    def target(self) -> str:
        """What a link holds. Raises OSError."""
        self.status()
        return self.trace.value_of(lambda: held(os.readlink('', dir_fd=self.handle)))

    def names(self, limit: int) -> list[str]:
        """The names in a folder, sorted by their bytes as os.ReadDir of Go sorts them; at most one more than a limit.

        Raises OSError.
        """
        self.status()
        return self.trace.value_of(lambda: held(listing(self.handle, limit)))

    def is_folder_below(self, name: str) -> bool:
        """Whether a name of this folder is that of a folder, which the stamp of its names covers. Raises OSError."""
        self.status()
        return self.trace.value_of(lambda: held(stat.S_ISDIR(status_below(self.handle, name).st_mode)))

    def data(self, limit: int) -> tuple[bytes, float] | PermissionError | None:
        """The bytes of a regular file, at most one more than a limit, and its ctime in seconds.

        None where it changed during the read. Raises OSError.
        """
        self.status()
        return self.trace.value_of(lambda: self.content(limit))

    def content(self, limit: int) -> Stamped[tuple[bytes, float] | PermissionError | None]:
        try:
            handle = open_again(self.handle, os.O_RDONLY | os.O_NONBLOCK)
        except PermissionError as error:
            # Its mode and owner are stamped.
            return held(error)
        with closing(handle):
            before = os.fstat(handle)
            data = read_up_to(handle, limit + 1)
            after = os.fstat(handle)
        if len(data) <= limit and content_times(before) != content_times(after):
            return unheld(None)
        return held((data, after.st_ctime))


def open_anchor(trace: Trace, path: str) -> OpenPath:
    """The folder that a path of ours leads to. Raises OSError."""

    def opened() -> Stamped[OpenPath]:
        place = OpenPath(trace, path, '', os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        trace.passed(path, '.', place.unstamped)
        return held(place)

    return trace.value_of(opened)


def open_name(name: str, folder: int) -> int:
    """A name in an open folder, whatever it is, without following or reading it: nothing blocks. Raises OSError."""
    return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)


def open_again(handle: int, flags: int) -> int:
    """By way of /proc/self/fd the very file is opened that a handle is for."""
    return os.open(f'/proc/self/fd/{handle}', flags | os.O_CLOEXEC)


def content_times(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def status_below(folder: int, name: str) -> os.stat_result:
    """Mode and owner of a name in an open folder, links not followed. Raises OSError."""
    with closing(open_name(name, folder)) as handle:
        return os.fstat(handle)


def listing(handle: int, limit: int) -> list[str]:
    readable = open_again(handle, os.O_RDONLY | os.O_DIRECTORY)
    names: list[str] = []
    with closing(readable), os.scandir(readable) as entries:
        for entry in entries:
            names.append(entry.name)
            if len(names) > limit:
                break
    return sorted(names, key=os.fsencode)


def read_up_to(handle: int, limit: int) -> bytes:
    """What an open file holds, up to a limit."""
    parts = []
    while limit and (part := os.read(handle, min(limit, READ_BYTES))):
        parts.append(part)
        limit -= len(part)
    return b''.join(parts)


@contextmanager
def closing(handle: int) -> Iterator[int]:
    try:
        yield handle
    finally:
        os.close(handle)
