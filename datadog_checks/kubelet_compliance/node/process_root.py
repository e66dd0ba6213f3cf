# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Finds files as a process with its own root and working directory finds them.

Links are followed one by one and resolve inside the root. Opening `ROOT/etc/x` by its path would follow an absolute
link into our own file system. Only regular files and folders are ever opened, so nothing blocks.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from .change_stamps import Trace
from .open_paths import OpenPath, open_anchor

MAX_FILE_BYTES = 256 * 1024
MAX_LINKS = 40
MAX_ENTRIES = 4096
MAX_FOLDERS_DEEP = 256
A_DEVICE = 'it is a device, not a file'
CHANGED_MEANWHILE = 'it changed while it was read'
MOUNTED_OVER = 'the kubelet has a different mount there than host_root shows'
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
    """A process with this root would not find a file at this path, or could not read it as one."""


class CannotRead(Exception):
    """We could not read it, or refused to. A process with this root may still read it."""


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
        self, root: str, cwd: str | None = None, *, trace: Trace, others: Mapping[str, str] | None = None
    ) -> None:
        """`root` is a path of ours; `cwd` a path of ours, or None where relative paths cannot be resolved.

        `trace`: gets the stamps of all that is read. `others`: the places, from `/`, where the process in this root has
        something else mounted than this root shows, each with the reason to give. Raises CannotRead.
        """
        self.others = others or {}
        self.trace = trace
        self.opened: list[OpenPath] = []
        self.led_to, self.dangles = '', False
        """Where the last path led, from the anchor and without links, whether anything is there or not."""
        self.cwd: OpenPath | None = None
        try:
            self.root = self.open(root)
            if cwd is not None:
                self.cwd = self.open(cwd)
        except OSError as error:
            self.close()
            raise CannotRead(reason(error)) from None

    def open(self, path: str) -> OpenPath:
        self.opened.append(open_anchor(self.trace, path))
        return self.opened[-1]

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()

    def __enter__(self) -> Root:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def status(self, path: str) -> os.stat_result:
        """Mode and owner of what a path leads to. Raises NotThere and CannotRead."""
        with self.resolve(path) as found:
            return found.place.status()

    def read(self, path: str) -> Content:
        """Read a regular file of at most MAX_FILE_BYTES. Raises NotThere and CannotRead."""
        with self.resolve(path) as found:
            changed_at = found.changed_at()
            mode = found.place.status().st_mode
            kind = next((name for is_kind, name in KINDS if is_kind(mode)), None)
            if kind == 'a directory':
                raise NotThere('it is a directory')
            if kind:
                raise CannotRead(A_DEVICE if stat.S_ISCHR(mode) else f'it is {kind}, not a file')
            content = found.place.data(MAX_FILE_BYTES)
            if isinstance(content, PermissionError):
                raise CannotRead(reason(content))
            if content is None:
                raise CannotRead(CHANGED_MEANWHILE)
            data, data_changed_at = content
            if len(data) > MAX_FILE_BYTES:
                raise CannotRead(f'it is larger than {MAX_FILE_BYTES // 1024} KiB')
            return Content(data, max(data_changed_at, changed_at))

    def names(self, path: str) -> Walk:
        """The names in a folder, links to it followed, sorted by their bytes. Raises NotThere and CannotRead."""
        with self.resolve(f'{path}/.') as found:
            return Walk(tuple(names_of_folder(found.place)), found.changed_at())

    def real_path(self, path: str) -> str:
        """A path without the links on the way. Raises NotThere and CannotRead."""
        with self.resolve(path) as found:
            found.place.status()
            is_from_root = found.place.anchor == self.root.anchor
            return os.path.normpath(f'/{found.place.path or "."}') if is_from_root else path

    def walk(self, path: str) -> Walk:
        """All that is not a folder below `path`, in filepath.WalkDir's order; a linked folder is not entered.

        A path that is no folder is its own only entry. Raises NotThere and CannotRead.
        """
        with self.resolve(path, follow_last=False) as found:
            changed_at = found.changed_at()
            if not stat.S_ISDIR(found.place.status().st_mode):
                return Walk((path,), changed_at)
            entries: list[str] = []
            below_at = self.walk_folder(found.place, os.path.normpath(path), entries, 1)
            files = tuple(entry for entry in entries if not entry.endswith('/'))
            return Walk(files, max(below_at, changed_at))

    @contextmanager
    def resolve(self, path: str, *, follow_last: bool = True) -> Iterator[Resolved]:
        """Walk to a path inside the root, link by link, and hold it open."""
        if not path.startswith('/') and self.cwd is None:
            raise CannotRead("the path is relative, and the kubelet's working directory is unknown")
        if '\0' in path:
            raise NotThere('the path contains a NUL character')
        try:
            os.fsencode(path)
        except UnicodeEncodeError:
            raise NotThere('the path is not valid UTF-8') from None
        place: OpenPath | None = None
        try:
            try:
                found = self.step_through(path, follow_last)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise NotThere(reason(error)) from None
            place = found.place
            yield found
        except OSError as error:
            raise CannotRead(reason(error)) from None
        finally:
            if place is not None:
                place.close()

    def step_through(self, path: str, follow_last: bool) -> Resolved:
        names = deque(components(path))
        here = self.start(path).copy()
        links, rest, changed_at = 0, 0, 0.0
        self.led_to, self.dangles = '', False
        try:
            while names:
                name = names.popleft()
                if name in ('proc', '..') and here.identity == self.root.identity:
                    if name == 'proc':
                        raise CannotRead('it is in /proc, which differs between processes')
                    continue
                self.refuse_others(here, name)
                try:
                    there = here.step(name)
                except (FileNotFoundError, NotADirectoryError):
                    self.led_to = os.path.normpath('/'.join((*filter(None, (here.path, name)), *names)))
                    self.dangles = links > 0 and len(names) >= rest
                    raise
                if not there.is_link or not names and not follow_last:
                    here.close()
                    here = there
                    continue
                links += 1
                try:
                    changed_at = max(changed_at, there.status().st_ctime)
                    target = there.target()
                finally:
                    there.close()
                if links > MAX_LINKS:
                    raise NotThere('too many symbolic links on the way to it')
                rest = len(names)
                names.extendleft(reversed(components(target)))
                if target.startswith('/'):
                    anew = self.root.copy()
                    here.close()
                    here = anew
            self.led_to = os.path.normpath(here.path)
            return Resolved(here, changed_at)
        except BaseException:
            here.close()
            raise

    def walk_folder(self, folder: OpenPath, path: str, paths: list[str], depth: int) -> float:
        """Add all that lies below an open folder to `paths`, folders with a slash at the end.

        Returns the latest ctime of the folders. Raises CannotRead, OSError.
        """
        if depth > MAX_FOLDERS_DEEP:
            raise CannotRead(f'its folders are nested more than {MAX_FOLDERS_DEEP} levels deep')
        changed_at = folder.status().st_ctime
        for name in names_of_folder(folder):
            inner = f'{path}/{name}' if path != '/' else f'/{name}'
            self.refuse_others(folder, name)
            is_folder = folder.is_folder_below(name)
            paths.append(f'{inner}/' if is_folder else inner)
            if len(paths) > MAX_ENTRIES:
                raise CannotRead(TOO_MANY)
            if is_folder:
                below = folder.step(name)
                try:
                    changed_at = max(changed_at, self.walk_folder(below, inner, paths, depth + 1))
                finally:
                    below.close()
        return changed_at

    def refuse_others(self, folder: OpenPath, name: str) -> None:
        """Raises CannotRead where the process itself would find something else below the folder."""
        if not self.others or folder.anchor != self.root.anchor:
            return
        # No link is on the way, so `..` leads to the folder above.
        place = os.path.normpath(os.path.join('/', folder.path, name))
        if place != '/' and place in self.others:
            raise CannotRead(self.others[place])

    def start(self, path: str) -> OpenPath:
        """Where a walk to a path begins."""
        if path.startswith('/'):
            return self.root
        assert self.cwd is not None
        return self.cwd


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a path leads to, and the latest ctime of the links on the way."""

    place: OpenPath
    links_changed_at: float

    def changed_at(self) -> float:
        """The latest ctime of it and of the links, in seconds."""
        return max(self.links_changed_at, self.place.status().st_ctime)


def names_of_folder(folder: OpenPath) -> list[str]:
    """Raises CannotRead, OSError."""
    names = folder.names(MAX_ENTRIES)
    if len(names) > MAX_ENTRIES:
        raise CannotRead(TOO_MANY)
    return names


def components(path: str) -> list[str]:
    """The names to step through; a slash or dot at the end becomes a `.`, which only a folder has."""
    names = [part for part in path.split('/') if part not in ('', '.')]
    return [*names, '.'] if names and path.endswith(('/', '/.')) else names


def reason(error: OSError) -> str:
    """An error of the operating system in a few words, without a path."""
    return (error.strerror or 'it cannot be read').lower()
