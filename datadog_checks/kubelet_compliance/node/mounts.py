# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Where a process finds other files than the Agent does below `host_root`, by the mount tables of both."""

from __future__ import annotations

import os
from collections.abc import Mapping

from datadog_checks.kubelet_compliance.model import Process

from .change_stamps import Stamped, held, unheld
from .mount_table import Mounts, mounts_of, not_shown_below, other_mounts
from .proc_files import ProcessGone, ProcSource
from .process_root import MOUNTED_OVER, NOT_MOUNTED, CannotRead
from .procfs import MAX_MOUNTINFO_BYTES, cannot_read_mounts, mount_table, mount_table_text


class MountTables:
    """The mount tables of a node's processes. Each is compared once in the life of its process."""

    def __init__(self, source: ProcSource) -> None:
        self.source = source
        self.others: dict[tuple[int, ...], Mapping[str, str] | None] = {}
        self.sharing: dict[tuple[int, ...], bool] = {}

    def mounted_otherwise(self, process: Process, root: str) -> Stamped[Mapping[str, str] | None]:
        """The places where the process has something else mounted than `root` shows, each with the reason to give.

        None where its whole root is another one. Its root must be that of process 1. A kubelet in a container has
        another: there the host's file of the same name would be a wrong one. Raises CannotRead.
        """
        if process.container is not None:
            return held(None)
        if process.key in self.others:
            return held(self.others[process.key])
        own, first, ours, folder = self.mounts(process.pid), self.mounts(1), own_mounts(), os.path.realpath(root)
        others = other_mounts(own, ours, folder) if own is not None else frozenset()
        hidden = not_shown_below(first or {}, own or {}, ours, folder)
        reasons = {point: NOT_MOUNTED if point in hidden else MOUNTED_OVER for point in others}
        if own is None or first is None:
            # It ended, or process 1 is hidden; a kubelet outside of containers is most likely on the host's root.
            return unheld(reasons)
        self.others[process.key] = reasons if own.get('/') == first.get('/') else None
        return held(self.others[process.key])

    def shares_our_root(self, process: Process) -> Stamped[bool]:
        """Whether the process has the root file system that we have, as an Agent on the host itself has."""
        if process.key in self.sharing:
            return held(self.sharing[process.key])
        try:
            own, ours = self.mounts(process.pid), own_mounts()
        except CannotRead:
            self.sharing[process.key] = False
            return unheld(False)
        self.sharing[process.key] = own is not None and '/' in own and own['/'] == ours.get('/')
        return held(self.sharing[process.key])

    def forget_all_but(self, alive: set[tuple[int, ...]]) -> None:
        self.others = {key: others for key, others in self.others.items() if key in alive}
        self.sharing = {key: shares for key, shares in self.sharing.items() if key in alive}

    def mounts(self, pid: int) -> Mounts | None:
        """What is mounted for a process; None where there is no such process. Raises CannotRead."""
        try:
            return mounts_of(mount_table_text(self.source.read(pid, 'mountinfo', MAX_MOUNTINFO_BYTES + 1)))
        except ProcessGone:
            return None
        except PermissionError as error:
            raise cannot_read_mounts(error) from None


def own_mounts() -> Mounts:
    """What is mounted for us. Raises CannotRead."""
    return mounts_of(mount_table())
