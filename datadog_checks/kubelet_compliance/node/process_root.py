# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads files as a process with its own root and working directory sees them; part of the door that `host.py` is.

Links are followed one by one and resolve inside the root: opening `ROOT/etc/x` by its path would follow an absolute
link into our own file system. Nothing but regular files and folders is ever opened, so nothing blocks.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from .change_stamps import Trace

MAX_FILE_BYTES = 256 * 1024
CHUNK_BYTES = 64 * 1024
MAX_LINKS = 40
MAX_ENTRIES = 4096
MAX_FOLDERS_DEEP = 256
A_DEVICE = 'it is a device, not a file'
CHANGED_MEANWHILE = 'it changed while it was read'
MOUNTED_OVER = 'the kubelet has something else mounted there than host_root shows'
NOT_MOUNTED = 'the host has another file system mounted there, which host_root does not show'
TOO_MANY = f'it holds more than {MAX_ENTRIES} files and folders'

KINDS = (
    (stat.S_ISDIR, 'a directory'),
    (stat.S_ISFIFO, 'a FIFO'),
    (stat.S_ISSOCK, 'a socket'),
    (stat.S_ISCHR, 'a device'),
    (stat.S_ISBLK, 'a device'),
)


class NotThere(Exception):
    """A process in this root would not find a file under this path, or could not read it as one."""


class CannotRead(Exception):
    """We could not read it, or would not; the process in this root may well have."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes. `changed_at`: the latest ctime, in seconds, of the file and of the links on the way to it."""

    data: bytes
    changed_at: float


@dataclass(frozen=True, slots=True)
class Walk:
    """The files below a folder in filepath.WalkDir's order; `changed_at`: the latest ctime of folders and links."""

    paths: tuple[str, ...]
    changed_at: float


class Root:
    """A root directory and, where it is known, a working directory. Holds open handles: use it in a `with`."""

    def __init__(
        self,
        root: str,
        cwd: str | None = None,
        trace: Trace | None = None,
        others: Mapping[str, str] | None = None,
    ) -> None:
        """`root` is a path of ours; `cwd` a path of ours, or None where relative paths cannot be resolved.

        `trace`: gets a stamp of all that is looked at. `others`: the places, from `/`, where the process in this root
        has something else mounted than this root shows, and how that is said. Raises CannotRead.
        """
        self.others = others or {}
        self.handles: list[int] = []
        self.trace = trace or Trace()
        self.root_path, self.cwd_path = root, cwd
        self.led_to, self.dangles = '', False
        """Where the last path led, from the anchor and without links, whether anything is there or not."""
        self.cwd: int | None = None
        try:
            self.root = self.open_anchor(root)
            self.root_id = identity(self.root)
            if cwd is not None:
                self.cwd = self.open_anchor(cwd)
        except OSError as error:
            self.close()
            raise self.failed(error) from None

    def failed(self, error: OSError) -> CannotRead:
        """What is raised for an error of the system, which no stamp can hold."""
        self.trace.give_up()
        return CannotRead(reason(error))

    def open_anchor(self, path: str) -> int:
        handle = self.keep(os.open(path, os.O_PATH | os.O_DIRECTORY))
        self.trace.passed(path, '.', os.fstat(handle))
        return handle

    def keep(self, handle: int) -> int:
        self.handles.append(handle)
        return handle

    def close(self) -> None:
        while self.handles:
            os.close(self.handles.pop())

    def __enter__(self) -> Root:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def status(self, path: str) -> os.stat_result:
        """Mode and owner of what a path leads to. Raises NotThere and CannotRead."""
        with self.resolve(path) as found:
            return found.status

    def read(self, path: str) -> Content:
        """Read a regular file of at most MAX_FILE_BYTES. Raises NotThere and CannotRead."""
        with self.resolve(path) as found:
            kind = next((name for is_kind, name in KINDS if is_kind(found.status.st_mode)), None)
            if kind == 'a directory':
                raise NotThere('it is a directory')
            if kind:
                raise CannotRead(A_DEVICE if stat.S_ISCHR(found.status.st_mode) else f'it is {kind}, not a file')
            try:
                return self.read_regular(found)
            except PermissionError as error:
                raise CannotRead(reason(error)) from None
            except OSError as error:
                raise self.failed(error) from None

    def read_regular(self, found: Found) -> Content:
        # By way of /proc/self/fd the very file that was looked at is opened, whatever its name leads to by now.
        handle = os.open(f'/proc/self/fd/{found.handle}', os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with closing(handle):
            before = os.fstat(handle)
            data = read_up_to(handle, MAX_FILE_BYTES + 1)
            after = os.fstat(handle)
        if len(data) > MAX_FILE_BYTES:
            raise CannotRead(f'it is larger than {MAX_FILE_BYTES // 1024} KiB')
        if (before.st_size, before.st_mtime_ns, before.st_ctime_ns) != (
            after.st_size,
            after.st_mtime_ns,
            after.st_ctime_ns,
        ):
            self.trace.give_up()
            raise CannotRead(CHANGED_MEANWHILE)
        return Content(data, max(after.st_ctime, found.changed_at))

    def names(self, path: str) -> Walk:
        """The names in a folder, links to it followed, sorted by their bytes. Raises NotThere and CannotRead."""
        with self.resolve(f'{path}/.') as found:
            try:
                return Walk(tuple(listing(found.handle)), found.changed_at)
            except OSError as error:
                raise self.failed(error) from None

    def real_path(self, path: str) -> str:
        """A path without the links on the way. Raises NotThere and CannotRead."""
        with self.resolve(path) as found:
            anchor, place = found.place
            return os.path.normpath(f'/{place}') if anchor == self.root_path else path

    def walk(self, path: str) -> Walk:
        """All that is not a folder below `path`, in filepath.WalkDir's order; a linked folder is not entered.

        A path that is no folder is its own only entry. Raises NotThere and CannotRead.
        """
        with self.resolve(path, follow_last=False) as found:
            if not stat.S_ISDIR(found.status.st_mode):
                return Walk((path,), found.changed_at)
            entries: list[str] = []
            try:
                changed_at = self.walk_folder(found.handle, os.path.normpath(path), found.place, entries, 1)
            except OSError as error:
                raise self.failed(error) from None
            files = tuple(entry for entry in entries if not entry.endswith('/'))
            return Walk(files, max(changed_at, found.changed_at))

    @contextmanager
    def resolve(self, path: str, *, follow_last: bool = True) -> Iterator[Found]:
        """Walk to a path inside the root, link by link, and hold it open."""
        if not path.startswith('/') and self.cwd is None:
            raise CannotRead('the path is relative and the working directory is not known')
        if '\0' in path:
            raise NotThere('its path holds a NUL')
        try:
            found = self.step_through(path, follow_last)
        except UnicodeEncodeError:
            raise NotThere('its path holds what is no character') from None
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotThere(reason(error)) from None
        except OSError as error:
            raise self.failed(error) from None
        try:
            yield found
        finally:
            os.close(found.handle)

    def step_through(self, path: str, follow_last: bool) -> Found:
        names = deque(components(path))
        handle, anchor = self.start(path)
        here, place = os.dup(handle), ''
        links = 0
        changed_at = 0.0
        self.led_to, rest, self.dangles = '', 0, False
        try:
            while names:
                name = names.popleft()
                if name in ('proc', '..') and identity(here) == self.root_id:
                    if name == 'proc':
                        raise CannotRead('it lies in /proc, which is not the same for each process')
                    continue
                above, place = place, f'{place}/{name}' if place else name
                self.refuse_others(anchor, place)
                try:
                    there, status = step(here, name)
                except (FileNotFoundError, NotADirectoryError):
                    self.led_to = os.path.normpath('/'.join((place, *names)))
                    self.dangles = links > 0 and len(names) >= rest
                    self.trace.missed(anchor, place)
                    raise
                if not stat.S_ISLNK(status.st_mode) or not names and not follow_last:
                    os.close(here)
                    here = there
                    if names:
                        self.trace.passed(anchor, place, status)
                    continue
                links += 1
                changed_at = max(changed_at, status.st_ctime)
                self.trace.looked_at(anchor, place, status)
                with closing(there):
                    target = os.readlink('', dir_fd=there)
                if links > MAX_LINKS:
                    raise NotThere('too many links on the way to it')
                rest = len(names)
                names.extendleft(reversed(components(target)))
                place = above
                if target.startswith('/'):
                    os.dup2(self.root, here, inheritable=False)
                    anchor, place = self.root_path, ''
            status = os.fstat(here)
            self.led_to = os.path.normpath(place)
            self.trace.looked_at(anchor, place or '.', status)
            return Found(here, status, max(changed_at, status.st_ctime), (anchor, place or '.'))
        except BaseException:
            os.close(here)
            raise

    def walk_folder(self, handle: int, path: str, place: tuple[str, str], paths: list[str], depth: int) -> float:
        """Add all that lies below an open folder to `paths`, folders with a slash at the end.

        Returns the latest ctime of the folders.
        """
        if depth > MAX_FOLDERS_DEEP:
            raise CannotRead(f'its folders are nested more than {MAX_FOLDERS_DEEP} levels deep')
        status = os.fstat(handle)
        self.trace.looked_at(*place, status)
        changed_at = status.st_ctime
        for name in listing(handle):
            inner = f'{path}/{name}' if path != '/' else f'/{name}'
            self.refuse_others(place[0], f'{place[1]}/{name}')
            there, status = step(handle, name)
            with closing(there):
                is_folder = stat.S_ISDIR(status.st_mode)
                paths.append(f'{inner}/' if is_folder else inner)
                if len(paths) > MAX_ENTRIES:
                    raise CannotRead(TOO_MANY)
                if is_folder:
                    below = place[0], f'{place[1]}/{name}'
                    changed_at = max(changed_at, self.walk_folder(there, inner, below, paths, depth + 1))
        return changed_at

    def refuse_others(self, anchor: str, place: str) -> None:
        """Raises CannotRead where the process itself would come to something else."""
        if self.others and anchor == self.root_path and f'/{place}' in self.others:
            raise CannotRead(self.others[f'/{place}'])

    def start(self, path: str) -> tuple[int, str]:
        """Where a walk to a path begins: a handle, and the path of ours that it was opened by."""
        if path.startswith('/'):
            return self.root, self.root_path
        assert self.cwd is not None and self.cwd_path is not None
        return self.cwd, self.cwd_path


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to: an open O_PATH handle, its status, and the latest ctime of it and of the links on the way.

    `place`: an anchor and the path below it without any link, by which the trace knows it.
    """

    handle: int
    status: os.stat_result
    changed_at: float
    place: tuple[str, str]


def step(folder: int, name: str) -> tuple[int, os.stat_result]:
    """Open a name in an open folder, whatever it is, without following or reading it. Raises OSError."""
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        return handle, os.fstat(handle)
    except OSError:
        os.close(handle)
        raise


def read_up_to(handle: int, limit: int) -> bytes:
    """What an open file holds, up to a limit."""
    parts = []
    while limit and (part := os.read(handle, min(limit, CHUNK_BYTES))):
        parts.append(part)
        limit -= len(part)
    return b''.join(parts)


def components(path: str) -> list[str]:
    """The names to step through; a slash or dot at the end becomes a `.`, which only a folder has."""
    names = [part for part in path.split('/') if part not in ('', '.')]
    return [*names, '.'] if names and path.endswith(('/', '/.')) else names


@contextmanager
def closing(handle: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(handle)


def listing(handle: int) -> list[str]:
    """The names in an open folder, sorted by their bytes as os.ReadDir of Go sorts them."""
    readable = os.open(f'/proc/self/fd/{handle}', os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    names: list[str] = []
    with closing(readable), os.scandir(readable) as entries:
        for entry in entries:
            names.append(entry.name)
            if len(names) > MAX_ENTRIES:
                raise CannotRead(TOO_MANY)
    return sorted(names, key=os.fsencode)


def identity(handle: int) -> tuple[int, int]:
    status = os.fstat(handle)
    return status.st_dev, status.st_ino


def reason(error: OSError) -> str:
    """An error of the operating system in a few words, without a path."""
    return (error.strerror or 'it cannot be read').lower()
