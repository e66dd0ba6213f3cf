# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The door to the node: its processes in `/proc`, and the files of a kubelet as the kubelet itself sees them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from datadog_checks.kubelet_compliance.model import (
    DropIns,
    File,
    FileStatus,
    Folder,
    Missing,
    Process,
    Scan,
    Unknown,
    Unreadable,
)

from .captured import Capture
from .cgroups import runs_in, unit_of
from .change_stamps import Trace
from .file_remedies import MOUNTED_OVER as OVER_IT, Advice, not_allowed, not_mounted, not_shown
from .host_mounts import HostMounts
from .process_root import (
    A_DEVICE,
    CHANGED_MEANWHILE as CHANGED_MEANWHILE,
    MOUNTED_OVER,
    NOT_MOUNTED,
    CannotRead,
    NotThere,
    Root,
    reason,
)
from .processes import Admission, ProcessGone
from .procfs import kernel_setting

MAX_DROP_INS = 256
MAX_DROP_IN_BYTES = 1024 * 1024
DROP_IN_ENDING = '.conf'

NO_ROOT = 'host_root cannot be opened'
NO_PERMISSION = os.strerror(errno.EACCES).lower()
Seen = TypeVar('Seen')


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a path of a process. `is_its_own`: it shows what the process itself would find."""

    root: Root
    path: str
    is_its_own: bool


@dataclass(frozen=True, slots=True)
class UnitName:
    """The systemd service that a process runs in; None: in none. `has_moved`: it is where its configuration says."""

    unit: str | None
    has_moved: bool


class Host(HostMounts):
    """A node: this machine, or a captured one whose `proc` and files lie in a folder."""

    def __init__(
        self,
        procfs: str = '/proc',
        root: str | None = None,
        *,
        admission: Admission | None = None,
        capture: Capture | None = None,
    ) -> None:
        """`procfs`: where the node's /proc is; `root`: where its root file system is mounted, if it is.

        `capture`: the node is a copy, and this is what the copy does not show: its clock, times and modes of files.
        """
        super().__init__(procfs, root, admission or Admission(), capture)
        self.refused: set[tuple[int, ...]] = set()

    def begin(self) -> bool:
        """Begin a collection. True: nothing changed since all was looked at, so there is nothing to look at.

        That is told without a scan, and of files only those of the kubelets in `/proc` are read. It holds for some
        minutes at most.
        """
        if self.is_unchanged():
            return True
        self.trace = Trace()
        return False

    def is_unchanged(self) -> bool:
        trace = self.trace
        return (
            trace.is_trusted()
            and self.processes_are_the_same()
            and trace.files_are_unchanged()
            and (not trace.kernel_is_due() or self.kernel_settings(trace.kernel) == trace.kernel)
        )

    def watch_kernel(self, names: Iterable[str]) -> None:
        """Say which settings of the kernel matter from now on, so that a change of one is seen within a minute."""
        if self.capture is None:
            self.trace.watch_kernel(self.kernel_settings(names))

    def kernel_settings(self, names: Iterable[str]) -> dict[str, str | None]:
        return {name: kernel_setting(self.procfs, name) for name in names}

    def is_still_so(self, process: Process) -> bool:
        """Whether all files of the process lie where this look met them, so that what was read is of one time."""
        own = f'{self.procfs}/{process.pid}/'
        is_so = self.trace.files_are_unchanged(lambda anchor: anchor == self.root or anchor.startswith(own))
        if not is_so:
            self.trace.give_up()
        return is_so

    def shows(self, path: str) -> bool:
        """Whether a path that is not there is none: a captured node keeps only what was looked at."""
        return self.capture is None or path in self.capture.files or path in self.capture.unseen

    def give_up(self) -> None:
        """Say that the same may mean something else next time, so that all is looked at again."""
        self.trace.give_up()

    def expect(self, processes: Iterable[Process]) -> None:
        """Say which of the processes that were found are judged: the others prove nothing, for they are no kubelets."""
        if not set(self.trace.processes) <= {process.pid for process in processes}:
            self.trace.give_up()

    def find_kubelets(self) -> Scan:
        scan = super().find_kubelets()
        if scan.doubtful or not scan.processes:
            # Only a process that is known can prove that there is nothing to look for.
            self.trace.give_up()
        alive = {process.key for process in scan.processes}
        self.refused &= alive
        self.forget_mounts_of_all_but(alive)
        return scan

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        """A configuration file of the process."""
        return self.first_seen(process, path, self.read_one)

    def read_drop_ins(self, process: Process, path: str) -> DropIns | Missing | Unreadable:
        """The drop-ins of the process below a folder, in the order in which it merges them."""
        return self.read_files(process, path, (DROP_IN_ENDING,))

    def read_files(self, process: Process, path: str, endings: tuple[str, ...]) -> DropIns | Missing | Unreadable:
        """The files below a folder of the process whose names end so, in the kubelet's order."""
        return self.first_seen(process, path, lambda view, inner: self.read_folder(view, inner, endings))

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        """Mode and owner of a file of the process, links followed."""
        kept = self.capture.kept_status(path) if self.capture is not None else None
        if kept is not None:
            return kept
        return self.first_seen(process, path, self.status_of)

    def unit_name(self, process: Process, kubelet_cgroups: str) -> UnitName | Unknown:
        """Which systemd service a process runs in, by its cgroup.

        `kubelet_cgroups`: the cgroup that the kubelet is told to move to; there it may have left its unit's.
        """
        try:
            cgroup = self.text(process.pid, 'cgroup')
        except (ProcessGone, PermissionError):
            self.trace.give_up()
            return Unknown(f'the cgroup of process {process.pid} could not be read')
        return UnitName(unit_of(cgroup), runs_in(cgroup, kubelet_cgroups))

    def list_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        """The names in a folder of the process, sorted; links to the folder are followed."""
        return self.first_seen(process, path, self.names_in)

    def folder_changed_at(self, process: Process, path: str) -> float | None:
        """The ctime of a folder of the process, in seconds since the epoch; None where it cannot be told."""
        if self.capture is not None:
            return self.capture.changed_at(path)
        found = self.first_seen(process, path, lambda view, inner: view.root.status(inner))
        return None if isinstance(found, Missing | Unreadable) else found.st_ctime

    def shows_whole_root(self, process: Process) -> bool:
        """Whether what is not below `root` is not there for the process either: all of its root is mounted there."""
        if self.capture is not None or self.root is None:
            return self.capture is not None
        try:
            others = self.mounted_otherwise(process, self.root)
        except CannotRead:
            return False
        return others is not None and '/' not in others

    def real_path(self, process: Process, path: str) -> str:
        """A path of the process without the links on the way; the path itself where that cannot be seen."""
        if self.capture is not None and path in self.capture.real_paths:
            return self.capture.real_paths[path]
        found = self.first_seen(process, path, lambda view, inner: view.root.real_path(inner))
        return found if isinstance(found, str) else path

    def first_seen(self, process: Process, path: str, read: Callable[[View, str], Seen]) -> Seen | Missing | Unreadable:
        """What the first view shows that shows anything; else what the last one says of the path."""
        answer: Seen | Missing | Unreadable | None = None
        for open_view in (self.below_root, self.through_process):
            try:
                view = open_view(process, path)
            except CannotRead as error:
                # A view that cannot be opened takes nothing back of what another one showed.
                answer = answer or self.unreadable(path, str(error), self.no_view(process, str(error)))
                continue
            if view is not None:
                answer = self.look(view, path, read)
            if answer is not None and not isinstance(answer, Missing | Unreadable):
                break
        return answer or self.unreadable(path, 'there is no way to it', self.no_view(process, NO_PERMISSION))

    def look(self, view: View, path: str, read: Callable[[View, str], Seen]) -> Seen | Missing | Unreadable:
        with view.root:
            try:
                return self.kept(view.path) or read(view, view.path)
            except NotThere as error:
                return self.missing(view, path, str(error))
            except CannotRead as error:
                return self.unreadable(path, str(error), self.no_sight(path, str(error)))

    def below_root(self, process: Process, path: str) -> View | None:
        """The path below `root`, if that is set. Raises CannotRead."""
        if self.root is None or (others := self.mounted_otherwise(process, self.root)) is None:
            return None
        if not path.startswith('/'):
            self.trace.give_up()
            path = f'{self.working_directory(process).rstrip("/")}/{path}'
        try:
            root = Root(self.root, trace=self.trace, others=others)
        except CannotRead as error:
            raise CannotRead(f'{NO_ROOT}: {error}') from None
        return View(root, path, is_its_own=self.capture is not None)

    def working_directory(self, process: Process) -> str:
        """The process's working directory as it names it. Raises CannotRead."""
        target, why = '', NO_PERMISSION
        if process.key not in self.refused:
            try:
                target = os.readlink(f'{self.procfs}/{process.pid}/cwd')
            except PermissionError:
                self.refused.add(process.key)
            except OSError as error:
                why = reason(error)
        if not target:
            raise CannotRead(f'the working directory of the kubelet is not known: {why}')
        if not target.startswith('/'):
            raise CannotRead('the working directory of the kubelet is not reachable')
        return target

    def working_directory_of(self, process: Process) -> str | None:
        """The process's working directory as it names it; None where it cannot be seen."""
        try:
            return self.working_directory(process)
        except CannotRead:
            return None

    def through_process(self, process: Process, path: str) -> View | None:
        """The path as the process itself sees it. Asked for only where needed, and after a refusal never again:

        the kernel checks it like a debugger's access, and AppArmor logs every try. Raises CannotRead.
        """
        if self.capture is not None:
            return None
        if process.key in self.refused:
            raise CannotRead(NO_PERMISSION)
        folder = f'{self.procfs}/{process.pid}'
        try:
            # What is opened is compared at each collection, and most paths are absolute.
            cwd = None if path.startswith('/') else f'{folder}/cwd'
            return View(Root(f'{folder}/root', cwd, self.trace), path, is_its_own=True)
        except CannotRead as error:
            if str(error) == NO_PERMISSION:
                self.refused.add(process.key)
            raise

    def read_one(self, view: View, path: str) -> File | Missing | Unreadable:
        kept = self.kept(path)
        if kept is not None:
            return kept
        try:
            # The kubelet cleans the path as text first (filepath.Abs): `link/../x` is `x`, wherever the link leads.
            content = view.root.read(os.path.normpath(path))
        except NotThere as error:
            return self.missing(view, path, str(error))
        except CannotRead as error:
            found = self.unreadable(path, str(error), self.no_sight(path, str(error)))
            return replace(found, absent=str(error) == A_DEVICE)
        changed_at = content.changed_at if self.capture is None else self.capture.changed_at(path)
        return File(path, content.data, changed_at)

    def read_folder(self, view: View, path: str, endings: tuple[str, ...]) -> DropIns | Unreadable:
        walk = view.root.walk(path)
        paths = [found for found in walk.paths if os.path.basename(found).endswith(endings)]
        if len(paths) > MAX_DROP_INS:
            return Unreadable(path, f'it holds more than {MAX_DROP_INS} drop-ins')
        files: list[File | Missing | Unreadable] = []
        room = MAX_DROP_IN_BYTES
        for found in paths:
            file = self.read_one(view, found)
            room -= len(file.data) if isinstance(file, File) else 0
            if room < 0:
                return Unreadable(path, f'its drop-ins are larger than {MAX_DROP_IN_BYTES // 1024} KiB together')
            files.append(file)
        return DropIns(path, tuple(files), walk.changed_at if self.capture is None else self.capture.changed_at(path))

    def names_in(self, view: View, path: str) -> Folder:
        if self.capture is not None and path in self.capture.listings:
            return Folder(path, self.capture.listings[path], self.capture.changed_at(path))
        found = view.root.names(path)
        return Folder(path, found.paths, found.changed_at if self.capture is None else self.capture.changed_at(path))

    def status_of(self, view: View, path: str) -> FileStatus | Unreadable:
        if self.capture is not None and path in self.capture.files:
            return self.capture.status(path)
        status = view.root.status(path)
        if self.capture is not None:
            return self.capture.status(path)
        if not stat.S_ISREG(status.st_mode):
            # A unit's file that is masked is a link to /dev/null; its mode says nothing.
            return Unreadable(path, 'it is no regular file', absent=stat.S_ISCHR(status.st_mode))
        return FileStatus(path, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)

    def kept(self, path: str) -> Missing | Unreadable | None:
        """What a captured node keeps in place of a file or folder."""
        return self.capture.unseen.get(path) if self.capture is not None else None

    def missing(self, view: View, path: str, why: str) -> Missing | Unreadable:
        """What is not there: to the kubelet too where we see with its eyes, else perhaps only to us."""
        if self.capture is not None and path in self.capture.files and not path.endswith('/'):
            return Unreadable(path, 'the captured node does not keep its content')
        if view.is_its_own:
            return Missing(path, why)
        return replace(self.unreadable(path, f'{why} below host_root', not_mounted(path)), absent=True)

    def no_view(self, process: Process, why: str) -> Advice | None:
        """What to change where there is no view of the files of a process."""
        if why.startswith(NO_ROOT):
            return not_mounted('')
        if not why.endswith(NO_PERMISSION) or self.capture is not None:
            return None
        can_have_root = self.root is None and process.container is None
        return not_shown(self.rights, can_have_root=can_have_root, is_on_host=self.shares_our_root(process))

    def no_sight(self, path: str, why: str) -> Advice | None:
        """What to change where a view does not show a file."""
        if why == NO_PERMISSION:
            return not_allowed(self.rights)
        return {MOUNTED_OVER: OVER_IT, NOT_MOUNTED: not_mounted(path)}.get(why)

    def unreadable(self, path: str, why: str, advice: Advice | None) -> Unreadable:
        if advice is None or self.capture is not None:
            return Unreadable(path, why)
        return Unreadable(path, why, advice.remedy, fault=advice.fault)
