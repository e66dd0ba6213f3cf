# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Stamps: they show, without reading a node again, that nothing changed since it was read.

A value that was read comes as `Stamped`, and only a `Trace` opens it. It keeps the stamp at the same time, or keeps
that there is none, so nobody can use a value and forget its stamp. A new trace proves nothing yet.

Each step of a path has a stamp, so that no folder or link on the way can be swapped. The bytes of a file stay the same
while its device, inode, size, mtime and ctime do.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from datadog_checks.kubelet_compliance.model import Scan

FRESH_SECONDS = 2
"""A stamp younger than this when it was taken proves nothing: two writes in one tick of the clock leave it the same."""

LONGEST_TRUST_SECONDS = 300.0
"""After this time all is read again, whatever the stamps say."""

KERNEL_SECONDS = 60.0
"""How often the settings of the kernel are read again, where they matter."""

Stamp = tuple[int, ...]
Sealed = TypeVar('Sealed')


@dataclass(frozen=True, slots=True)
class Stamped(Generic[Sealed]):
    """A value that was read of a node. `is_held`: the stamps of a trace show later whether it is still the same."""

    sealed: Sealed
    is_held: bool


def held(value: Sealed) -> Stamped[Sealed]:
    """A value that follows from what has a stamp: from files, or from the processes that were found."""
    return Stamped(value, is_held=True)


def unheld(value: Sealed) -> Stamped[Sealed]:
    """A value that no stamp covers."""
    return Stamped(value, is_held=False)


class ProcessStamp(NamedTuple):
    """What shows that a process is the same and runs the same program: an `exec` keeps its pid and its start."""

    start_ticks: int
    comm: bytes
    command_line: bytes
    stack: int
    cgroup: bytes
    """It names the unit that starts the process, and a process can move to another."""


@dataclass(frozen=True, slots=True)
class StampedScan:
    """A scan of the processes, with the stamp of each kubelet that it found."""

    sealed: Scan
    stamps: Mapping[int, ProcessStamp]


@dataclass(slots=True)
class Places:
    """What was found below one anchor, a folder that we open by its path; by the path below it.

    `passed`: folders on the way, whose content does not matter. `missed`: where nothing was.
    """

    passed: dict[str, Stamp] = field(default_factory=dict)
    examined: dict[str, Stamp] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)


class Trace:
    """The stamps of one collection.

    If something is read twice, the first stamp counts, so that a change in between shows.
    """

    def __init__(self) -> None:
        self.began_at = time.monotonic()
        self.is_provable = True
        """Whether all that was read has a stamp."""
        self.processes: Mapping[int, ProcessStamp] = {}
        self.judged: frozenset[int] = frozenset()
        self.anchors: dict[str, Places] = {}
        self.kernel: dict[str, str | None] = {}
        """The settings of the kernel that matter, and their values."""
        self.kernel_read_at = 0.0
        self.at = ''
        """The path that is being compared, for the message of a timeout."""

    def value_of(self, read: Callable[[], Stamped[Sealed]]) -> Sealed:
        """The value of a read. One that fails, or comes without a stamp, makes all be read again next time."""
        try:
            reading = read()
        except BaseException:
            self.is_provable = False
            raise
        if not reading.is_held:
            self.is_provable = False
        return reading.sealed

    def scan_of(self, read: Callable[[], StampedScan]) -> Scan:
        """The scan, whose processes are watched from now on. A scan with doubts may have missed a kubelet."""
        self.processes = {}
        reading = read()
        if not reading.sealed.doubtful:
            self.processes = reading.stamps
        return reading.sealed

    def expect(self, pids: Iterable[int]) -> None:
        """Say which processes are judged. While all kubelets that were found are, the next collections need no scan."""
        self.judged = frozenset(pids)

    def kernel_of(self, read: Callable[[], dict[str, str | None]]) -> dict[str, str | None]:
        """Settings of the kernel, whose values are watched from now on: files of `/proc/sys` have no ctime."""
        self.kernel, self.kernel_read_at = read(), time.monotonic()
        return self.kernel

    def below(self, anchor: str) -> Places:
        return self.anchors.setdefault(anchor, Places())

    def passed(self, anchor: str, place: str, status: os.stat_result) -> None:
        """Keep the stamp of a folder on the way to something."""
        places = self.below(anchor)
        if place in places.examined:
            # Its stamp holds more; of one place one comparison is enough.
            self.must_agree(places.examined[place], status)
        else:
            places.passed.setdefault(place, identity_of(status))

    def examined(self, anchor: str, place: str, status: os.stat_result) -> None:
        """Keep the stamp of a file, link or folder whose content matters, before the content is read."""
        if time.time() - status.st_ctime < FRESH_SECONDS:
            self.is_provable = False
        places = self.below(anchor)
        earlier = places.passed.pop(place, None)
        if earlier is not None:
            self.must_agree(earlier, status)
        places.examined.setdefault(place, stamp_of(status))

    def must_agree(self, earlier: Stamp, status: os.stat_result) -> None:
        """What is at a place now must be what was there earlier in this collection, else nothing is proved."""
        if earlier[:3] != identity_of(status):
            self.is_provable = False

    def missed(self, anchor: str, place: str) -> None:
        """Keep that nothing is there."""
        self.below(anchor).missed.add(place)

    def kernel_is_due(self) -> bool:
        """Whether it is time to read the settings again; if so, the next time is a minute later."""
        now = time.monotonic()
        is_due = bool(self.kernel) and now - self.kernel_read_at >= KERNEL_SECONDS
        if is_due:
            self.kernel_read_at = now
        return is_due

    def is_trusted(self) -> bool:
        """Whether the stamps of processes and files cover all that was read, and are not too old."""
        has_processes = bool(self.processes) and self.processes.keys() <= self.judged
        return has_processes and self.is_provable and time.monotonic() - self.began_at < LONGEST_TRUST_SECONDS

    def files_are_unchanged(self, counts: Callable[[str], bool] = lambda anchor: True) -> bool:
        """Whether everything that was found, below the anchors that count, is where it was, with the same stamps."""
        try:
            return all(self.is_as_it_was(anchor, places) for anchor, places in self.anchors.items() if counts(anchor))
        except OSError:
            # What cannot be compared is read again, and that shows what is wrong.
            return False
        finally:
            self.at = ''

    def is_as_it_was(self, anchor: str, places: Places) -> bool:
        """Raises OSError."""
        self.at = anchor
        handle = os.open(anchor, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for place, stamp in places.passed.items():
                self.at = place
                if identity_of(os.stat(place, dir_fd=handle, follow_symlinks=False)) != stamp:
                    return False
            for place, stamp in places.examined.items():
                self.at = place
                if stamp_of(os.stat(place, dir_fd=handle, follow_symlinks=False)) != stamp:
                    return False
            for place in places.missed:
                self.at = place
                if not is_missing(handle, place):
                    return False
            return True
        finally:
            os.close(handle)


def is_missing(handle: int, place: str) -> bool:
    try:
        os.stat(place, dir_fd=handle, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return True
    return False


identity_of: Callable[[os.stat_result], Stamp] = attrgetter('st_mode', 'st_dev', 'st_ino')

stamp_of: Callable[[os.stat_result], Stamp] = attrgetter(
    'st_mode', 'st_dev', 'st_ino', 'st_uid', 'st_gid', 'st_size', 'st_mtime_ns', 'st_ctime_ns'
)
"""The owner is in it too: a file on a file system without a true ctime must not change hands unseen."""
