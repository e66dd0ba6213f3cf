# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The door to the node for one who must not be held up: a file system that hangs makes an answer unknown, not late."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property, partial
from typing import TypeVar

from .host import Host, View
from .model import FileSet, Missing, Process, Scan, Unknown, Unreadable
from .patience import OutOfPatience, Worker

# How long one collection waits at most for all of each; the rest of five seconds is for deciding.
SECONDS_FOR_FILES = 2.5
SECONDS_FOR_PROCESSES = 2.0

MOUNT_REMEDY = 'look at the mount that holds it: a network file system may have lost its server'
PROCESS_REMEDY = 'look for a process in state D (uninterruptible sleep)'

Answer = TypeVar('Answer')


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
        try:
            return self.files.read('what was just read', partial(super().is_still_so, process))
        except OutOfPatience:
            self.trace.give_up()
            return False

    def find_kubelets(self) -> Scan:
        try:
            return self.processes.read(self.procfs, super().find_kubelets)
        except OutOfPatience as error:
            self.trace.give_up()
            return Scan(doubtful=(Unknown(f'reading the processes in {self.procfs} {error}', PROCESS_REMEDY),))

    def answers_at(self, process: Process, host: str, port: int) -> bool | None:
        try:
            return self.processes.read(self.procfs, partial(super().answers_at, process, host, port))
        except OutOfPatience:
            return None

    def is_running(self, process: Process) -> bool:
        try:
            return self.processes.read(self.procfs, partial(super().is_running, process))
        except OutOfPatience:
            return False

    def service_files(self, process: Process) -> FileSet | Unknown:
        try:
            return self.files.read('the systemd unit of the kubelet', partial(super().service_files, process))
        except OutOfPatience as error:
            self.trace.give_up()
            return Unknown(f'reading {self.files.doing} {error}', MOUNT_REMEDY)

    def first_seen(
        self, process: Process, path: str, read: Callable[[View, str], Answer]
    ) -> Answer | Missing | Unreadable:
        try:
            return self.files.read(path, partial(super().first_seen, process, path, read))
        except OutOfPatience as error:
            self.trace.give_up()
            return Unreadable(path, f'reading {self.files.doing} {error}', MOUNT_REMEDY)
