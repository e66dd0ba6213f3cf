# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The door to the node for one who must not be held up: a file system that hangs makes an answer unknown, not late."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cached_property, partial
from typing import TypeVar

from datadog_checks.kubelet_compliance.model import Missing, Process, Scan, Unknown, Unreadable

from .host import Host, UnitName, View
from .process_root import CannotRead
from .procfs import is_procfs
from .worker import OutOfPatience, Worker

# How long one collection waits at most for all of each; the rest of five seconds is for deciding.
SECONDS_FOR_FILES = 2.5
SECONDS_FOR_PROCESSES = 2.0

MOUNT_REMEDY = 'look at the mount that holds it: a network file system may have lost its server'
PROCFS_REMEDY = 'set procfs_path to where the /proc of the host is mounted'
PROCESS_REMEDY = 'look for a process in state D (uninterruptible sleep)'

Answer = TypeVar('Answer')
Instead = TypeVar('Instead')


class Reader:
    """A reading thread, and the seconds that are left for it in this collection."""

    def __init__(self, seconds: float) -> None:
        self.worker = Worker()
        self.seconds = seconds
        self.left = seconds
        self.doing = ''

    def renew(self) -> None:
        self.left = self.seconds

    def read(self, what: str, work: Callable[[], Answer]) -> Answer:
        """The answer of the work. Inside of other work it simply goes on. Raises OutOfPatience."""
        if self.worker.is_this_thread():
            return work()
        if not self.worker.is_stuck():
            self.doing = what
        began_at = time.monotonic()
        try:
            return self.worker.run(work, self.left)
        finally:
            self.left -= time.monotonic() - began_at


class PatientHost(Host):
    """A node whose files are read in one thread and whose processes in another; never a second of either."""

    needs_procfs = False
    """Whether processes count only where they are shown by a procfs, and not by a folder of files."""
    links_are_followed = False

    @cached_property
    def files(self) -> Reader:
        return Reader(SECONDS_FOR_FILES)

    @cached_property
    def processes(self) -> Reader:
        return Reader(SECONDS_FOR_PROCESSES)

    def begin(self) -> bool:
        self.files.renew()
        self.processes.renew()
        return super().begin()

    def is_unchanged(self) -> bool:
        is_stuck, trace = self.files.worker.is_stuck(), self.trace
        try:
            return self.files.read('the process of the kubelet', super().is_unchanged)
        except OutOfPatience:
            if trace.at and not is_stuck:
                self.files.doing = f'/{trace.at.lstrip("/")}'
            return False

    def is_still_so(self, process: Process) -> bool:
        return self.within(self.files, 'what was just read', partial(super().is_still_so, process), lambda why: False)

    def find_kubelets(self) -> Scan:
        def hangs(why: str) -> Scan:
            return Scan(doubtful=(Unknown(f'reading the processes in {self.procfs} {why}', PROCESS_REMEDY),))

        return self.within(self.processes, self.procfs, self.find_in_procfs, hangs)

    def find_in_procfs(self) -> Scan:
        why = self.no_procfs()
        if why is None:
            return super().find_kubelets()
        self.trace.give_up()
        return Scan(doubtful=(why,))

    def procfs_problem(self) -> Unknown | None:
        """Why no process of the procfs would count; None where nothing is known against it."""
        return self.within(self.processes, self.procfs, self.no_procfs, lambda why: None)

    def no_procfs(self) -> Unknown | None:
        if not self.needs_procfs:
            return None
        if not self.links_are_followed:
            # Once and for all: whoever may change a link could have another folder looked at than was found good.
            self.procfs, self.links_are_followed = os.path.realpath(self.procfs), True
        try:
            if is_procfs(self.procfs):
                return None
        except OSError as error:
            return self.no_processes(error)
        except CannotRead as error:
            return Unknown(f'whether {self.procfs} is a procfs is not known: {error}', PROCFS_REMEDY)
        return Unknown(f'{self.procfs} is not a procfs, and its processes do not count', PROCFS_REMEDY)

    def answers_at(self, process: Process, host: str, port: int) -> bool | None:
        work = partial(super().answers_at, process, host, port)
        return self.within(self.processes, self.procfs, work, lambda why: None)

    def is_running(self, process: Process) -> bool | None:
        return self.within(self.processes, self.procfs, partial(super().is_running, process), lambda why: None)

    def shows_all_processes(self) -> bool:
        return self.within(self.processes, self.procfs, super().shows_all_processes, lambda why: False)

    def unit_name(self, process: Process, kubelet_cgroups: str) -> UnitName | Unknown:
        work = partial(super().unit_name, process, kubelet_cgroups)
        hangs = partial(self.cgroup_hangs, process)
        return self.within(self.files, 'the cgroup of the kubelet', work, hangs)

    def shows_whole_root(self, process: Process) -> bool:
        work = partial(super().shows_whole_root, process)
        return self.within(self.files, 'the mount table of the kubelet', work, lambda why: False)

    def cgroup_hangs(self, process: Process, why: str) -> Unknown:
        return Unknown(f'reading the cgroup of process {process.pid} {why}', PROCESS_REMEDY)

    def first_seen(
        self, process: Process, path: str, read: Callable[[View, str], Answer]
    ) -> Answer | Missing | Unreadable:
        def hangs(why: str) -> Unreadable:
            return Unreadable(path, f'reading {self.files.doing} {why}', MOUNT_REMEDY)

        return self.within(self.files, path, partial(super().first_seen, process, path, read), hangs)

    def within(
        self, reader: Reader, what: str, work: Callable[[], Answer], hangs: Callable[[str], Instead]
    ) -> Answer | Instead:
        """The answer of the work, or what is said where the reader's time runs out; then no stamp proves it."""
        try:
            return reader.read(what, work)
        except OutOfPatience as error:
            self.trace.give_up()
            return hangs(str(error))
