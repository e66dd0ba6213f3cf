# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What proves, without reading it again, that nothing changed since it was read; part of the door that `host.py` is.

Each step of a path is held, so that no folder or link on the way can be swapped: a file's bytes stay the same while
its device, inode, size, mtime and ctime do.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

FRESH_SECONDS = 2
"""A stamp younger than this when it was taken proves nothing: two writes in one tick of the clock leave it the same."""

LONGEST_TRUST_SECONDS = 300.0
"""After this time all is read again, whatever the stamps say."""

KERNEL_SECONDS = 60.0
"""How often the settings of the kernel are read again, where they matter."""

Stamp = tuple[int, ...]


class ProcessStamp(NamedTuple):
    """What tells that a process still is, and still runs the same program: an `exec` keeps its pid and its start."""

    start_ticks: int
    comm: bytes
    command_line: bytes
    stack: int
    cgroup: bytes
    """Which unit starts it is told by this, and it can be moved."""


@dataclass(slots=True)
class Places:
    """What was met below one folder of ours, by the path below it.

    `passed`: folders on the way, of which what they hold does not matter. `missed`: where nothing was.
    """

    passed: dict[str, Stamp] = field(default_factory=dict)
    looked_at: dict[str, Stamp] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)


class Trace:
    """What was looked at, in one look at a node.

    Of what was met twice the first stamp is held, so that a change in between shows.
    """

    def __init__(self) -> None:
        self.began_at = time.monotonic()
        self.is_provable = True
        self.processes: dict[int, ProcessStamp] = {}
        self.anchors: dict[str, Places] = {}
        self.kernel: dict[str, str | None] = {}
        """The settings of the kernel that matter, and their values."""
        self.kernel_read_at = 0.0
        self.at = ''
        """What is being compared, to be told where that does not end."""

    def give_up(self) -> None:
        """Something was seen that no stamp holds: all is to be looked at again next time."""
        self.is_provable = False

    def below(self, anchor: str) -> Places:
        return self.anchors.setdefault(anchor, Places())

    def passed(self, anchor: str, place: str, status: os.stat_result) -> None:
        """A folder on the way to something."""
        places = self.below(anchor)
        if place in places.looked_at:
            # Its stamp holds more; of one place one comparison is enough.
            self.must_agree(places.looked_at[place], status)
        else:
            places.passed.setdefault(place, identity_of(status))

    def looked_at(self, anchor: str, place: str, status: os.stat_result) -> None:
        """A file, a link or a folder whose content matters; the stamp was taken before the content was."""
        if time.time() - status.st_ctime < FRESH_SECONDS:
            self.is_provable = False
        places = self.below(anchor)
        earlier = places.passed.pop(place, None)
        if earlier is not None:
            self.must_agree(earlier, status)
        places.looked_at.setdefault(place, stamp_of(status))

    def must_agree(self, earlier: Stamp, status: os.stat_result) -> None:
        """What stands at a place now must be what stood there earlier in this look, else nothing is proved."""
        if earlier[:3] != identity_of(status):
            self.is_provable = False

    def missed(self, anchor: str, place: str) -> None:
        """Nothing is there."""
        self.below(anchor).missed.add(place)

    def watch_kernel(self, values: dict[str, str | None]) -> None:
        """Settings of the kernel matter: a file of `/proc/sys` has no time that would tell of a change."""
        self.kernel, self.kernel_read_at = values, time.monotonic()

    def kernel_is_due(self) -> bool:
        """Whether the settings are to be read again now; then it is some time until the next."""
        now = time.monotonic()
        is_due = bool(self.kernel) and now - self.kernel_read_at >= KERNEL_SECONDS
        if is_due:
            self.kernel_read_at = now
        return is_due

    def is_trusted(self) -> bool:
        """Whether the stamps may stand for what was read."""
        return self.is_provable and time.monotonic() - self.began_at < LONGEST_TRUST_SECONDS

    def files_are_unchanged(self, counts: Callable[[str], bool] = lambda anchor: True) -> bool:
        """Whether everything that was met, below the anchors that count, lies where it was, with the same stamps."""
        try:
            return all(self.is_as_it_was(anchor, places) for anchor, places in self.anchors.items() if counts(anchor))
        except OSError:
            # Whatever cannot be looked at is read again, and that tells what is wrong.
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
            for place, stamp in places.looked_at.items():
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
