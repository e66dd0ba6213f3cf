# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The ways to the files of this machine's processes: below `host_root`, and through the process itself."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import File, FileStatus, Folder, Missing, Process, Unreadable

from .change_stamps import Stamped, Trace, unheld
from .file_reader import View, folder_in
from .file_remedies import SHOW_AS_THE_KUBELET, Advice, Rights, not_allowed, not_mounted, not_shown
from .mounts import MountTables
from .proc_files import ProcSource
from .process_root import MOUNTED_OVER, NOT_MOUNTED, CannotRead, Root, reason
from .rights import own_rights

NO_ROOT = 'could not open host_root'
NO_PERMISSION = os.strerror(errno.EACCES).lower()


@dataclass(frozen=True, slots=True)
class LiveView:
    """A path in a root that the kernel shows. `is_its_own`: it is what the process itself would find."""

    root: Root
    path: str
    rights: Callable[[], Rights]
    is_its_own: bool

    def kept(self, path: str) -> None:
        return None

    def missing(self, path: str, why: str) -> Missing | Unreadable:
        if self.is_its_own:
            return Missing(path, why)
        advice = not_mounted(path)
        return Unreadable(path, f'{why} below host_root', advice.remedy, absent=True, fault=advice.fault)

    def unreadable(self, path: str, why: str) -> Unreadable:
        if why == NO_PERMISSION:
            return advised(path, why, not_allowed(self.rights()))
        return advised(path, why, {MOUNTED_OVER: SHOW_AS_THE_KUBELET, NOT_MOUNTED: not_mounted(path)}.get(why))

    def as_file(self, found: File | Missing | Unreadable) -> File | Missing | Unreadable:
        return found

    def changed_at(self, path: str, ctime: float) -> float:
        return ctime

    def names(self, path: str) -> Folder:
        return folder_in(self.root, path)

    def status(self, path: str) -> FileStatus | Unreadable:
        return status_in(self.root, path)


class LiveWays:
    """The ways to the files of this machine's processes. `root`: where the host's root file system is mounted."""

    def __init__(
        self, source: ProcSource, root: str | None, mounts: MountTables, rights: Callable[[], Rights] = own_rights
    ) -> None:
        self.source = source
        self.root = root
        self.mounts = mounts
        self.rights = rights
        self.refused: set[tuple[int, ...]] = set()
        """The processes whose files the kernel refused to show."""

    def openers(self) -> Sequence[Callable[[Process, str, Trace], View | None]]:
        return self.below_root, self.through_process

    def no_view(self, process: Process, path: str, why: str, trace: Trace) -> Unreadable:
        if why.startswith(NO_ROOT):
            return advised(path, why, not_mounted(''))
        if not why.endswith(NO_PERMISSION):
            return Unreadable(path, why)
        can_have_root = self.root is None and process.container is None
        is_on_host = trace.value_of(lambda: self.mounts.shares_our_root(process))
        return advised(path, why, not_shown(self.rights(), can_have_root=can_have_root, is_on_host=is_on_host))

    def below_root(self, process: Process, path: str, trace: Trace) -> LiveView | None:
        """The path below `root`, if that is set. Raises CannotRead."""
        root = self.root
        if root is None:
            return None
        others = trace.value_of(lambda: self.mounts.mounted_otherwise(process, root))
        if others is None:
            return None
        if not path.startswith('/'):
            path = f'{trace.value_of(lambda: self.working_directory(process)).rstrip("/")}/{path}'
        try:
            opened = Root(root, trace=trace, others=others)
        except CannotRead as error:
            raise CannotRead(f'{NO_ROOT}: {error}') from None
        return LiveView(opened, path, self.rights, is_its_own=False)

    def through_process(self, process: Process, path: str, trace: Trace) -> LiveView:
        """The path as the process itself finds it. Raises CannotRead.

        Used only where it is needed, and never again after a refusal: the kernel checks it like the access of a
        debugger, and AppArmor logs every attempt.
        """
        if process.key in self.refused:
            raise CannotRead(NO_PERMISSION)
        folder = f'{self.source.path}/{process.pid}'
        try:
            # What is opened is compared at each collection, and most paths are absolute.
            cwd = None if path.startswith('/') else f'{folder}/cwd'
            return LiveView(Root(f'{folder}/root', cwd, trace=trace), path, self.rights, is_its_own=True)
        except CannotRead as error:
            if str(error) == NO_PERMISSION:
                self.refused.add(process.key)
            raise

    def working_directory(self, process: Process) -> Stamped[str]:
        """The working directory, as the process names it. No stamp covers a rename. Raises CannotRead."""
        target, why = '', NO_PERMISSION
        if process.key not in self.refused:
            try:
                target = self.source.working_directory(process.pid)
            except PermissionError:
                self.refused.add(process.key)
            except OSError as error:
                why = reason(error)
        return unheld(reachable(target, why))

    def forget_all_but(self, alive: set[tuple[int, ...]]) -> None:
        self.refused &= alive
        self.mounts.forget_all_but(alive)


def reachable(working_directory: str, why: str) -> str:
    """The target of /proc/PID/cwd, where it is a path. Raises CannotRead. `why`: the reason for an empty one."""
    if not working_directory:
        raise CannotRead(f"could not read the kubelet's working directory: {why}")
    if not working_directory.startswith('/'):
        raise CannotRead("the kubelet's working directory is not reachable")
    return working_directory


def status_in(root: Root, path: str) -> FileStatus | Unreadable:
    """Mode and owner of a file in a root. Raises NotThere and CannotRead."""
    status = root.status(path)
    if not stat.S_ISREG(status.st_mode):
        # The file of a masked unit is a link to /dev/null; its mode means nothing.
        return Unreadable(path, 'it is not a regular file', absent=stat.S_ISCHR(status.st_mode))
    return FileStatus(path, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def advised(path: str, why: str, advice: Advice | None) -> Unreadable:
    if advice is None:
        return Unreadable(path, why)
    return Unreadable(path, why, advice.remedy, fault=advice.fault)
