# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is mounted where, for the kubelet and for us; part of the door that `host.py` is."""

from __future__ import annotations

import os
from collections.abc import Mapping

from datadog_checks.kubelet_compliance.model import Process

from .captured import Capture
from .file_remedies import Rights
from .mount_table import Mounts, mounts_of, not_shown_below, other_mounts
from .process_root import MOUNTED_OVER, NOT_MOUNTED, CannotRead, reason
from .processes import Admission, ProcessGone
from .procfs import MAX_MOUNTINFO_BYTES, mount_table, text_of
from .rights import own_rights
from .sockets import Sockets


class HostMounts(Sockets):
    """A node's processes, and where each meets other files than we do below `root`."""

    def __init__(self, procfs: str, root: str | None, admission: Admission, capture: Capture | None) -> None:
        super().__init__(procfs, admission, capture)
        self.root = root
        self.others: dict[tuple[int, ...], Mapping[str, str] | None] = {}
        self.sharing: dict[tuple[int, ...], bool] = {}

    @property
    def rights(self) -> Rights:
        return own_rights()

    def mounted_otherwise(self, process: Process, root: str) -> Mapping[str, str] | None:
        """Where the process has something else mounted than `root` shows, and how that is said.

        None where all of its root is another one. Its root must be that of process 1. A kubelet in a container has
        another: there the host's file of the same name would be a wrong one. Raises CannotRead.
        """
        if self.capture is not None:
            return {}
        if process.container is not None:
            return None
        if process.key in self.others:
            return self.others[process.key]
        own, first, ours, folder = self.mounts(process.pid), self.mounts(1), self.own_mounts(), os.path.realpath(root)
        others = other_mounts(own, ours, folder) if own is not None else frozenset()
        hidden = not_shown_below(first or {}, own or {}, ours, folder)
        said = {point: NOT_MOUNTED if point in hidden else MOUNTED_OVER for point in others}
        if own is None or first is None:
            # It ended, or process 1 is hidden; a kubelet outside of containers is most likely on the host's root.
            self.trace.give_up()
            return said
        self.others[process.key] = said if own.get('/') == first.get('/') else None
        return self.others[process.key]

    def shares_our_root(self, process: Process) -> bool:
        """Whether the process has the root file system that we have, as an Agent on the host itself has."""
        if process.key not in self.sharing:
            self.sharing[process.key] = self.capture is None and self.has_our_root(process)
        return self.sharing[process.key]

    def has_our_root(self, process: Process) -> bool:
        try:
            own, ours = self.mounts(process.pid), self.own_mounts()
        except CannotRead:
            return False
        return own is not None and '/' in own and own['/'] == ours.get('/')

    def forget_mounts_of_all_but(self, alive: set[tuple[int, ...]]) -> None:
        self.others = {key: others for key, others in self.others.items() if key in alive}
        self.sharing = {key: shares for key, shares in self.sharing.items() if key in alive}

    def mounts(self, pid: int) -> Mounts | None:
        """What is mounted for a process; None where there is no such process. Raises CannotRead."""
        try:
            return mounts_of(text_of(self.read(pid, 'mountinfo', MAX_MOUNTINFO_BYTES + 1)))
        except ProcessGone:
            return None
        except PermissionError as error:
            raise self.no_mounts(error) from None

    def own_mounts(self) -> Mounts:
        """What is mounted for us. Raises CannotRead."""
        try:
            return mounts_of(mount_table())
        except CannotRead:
            self.trace.give_up()
            raise

    def no_mounts(self, error: OSError) -> CannotRead:
        self.trace.give_up()
        return CannotRead(f'what is mounted where could not be read: {reason(error)}')
