# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Finds the process that answers at an address, by the sockets in /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from datadog_checks.kubelet_compliance.model import Process

from .change_stamps import Stamped, unheld
from .listeners import is_loopback, listeners_at, local_addresses
from .proc_files import ProcessGone, ProcSource

MAX_HANDLES = 65536
MAX_SOCKET_BYTES = 1024 * 1024


class Sockets:
    """The sockets of a node's processes. `uids`: the users that may run a kubelet."""

    def __init__(self, source: ProcSource, uids: frozenset[int]) -> None:
        self.source = source
        self.uids = uids

    def answers_at(self, process: Process, host: str, port: int) -> Stamped[bool | None]:
        """Whether the process listens where a connection to an address leads; None: unknown.

        The user of a listening socket is public, its process is not: then it must at least be a user who may run the
        kubelet. No stamp shows a change.
        """
        return unheld(self.owns_the_listeners(process, host, port))

    def owns_the_listeners(self, process: Process, host: str, port: int) -> bool | None:
        if is_loopback(host) and not self.shares_network(process):
            return False
        try:
            tables = [self.network_table(process, name) for name in ('tcp', 'tcp6')]
            routes, interfaces = (os.fsdecode(self.network_table(process, name)) for name in ('fib_trie', 'if_inet6'))
        except PermissionError:
            return None
        local = local_addresses(routes, interfaces) if 0 < len(routes) < MAX_SOCKET_BYTES else None
        listeners = listeners_at(os.fsdecode(b'\n'.join(tables)), host, port, local)
        if not listeners:
            return None if not any(tables) or any(len(table) == MAX_SOCKET_BYTES for table in tables) else False
        if any(listener.uid not in self.uids for listener in listeners):
            return False
        owned = self.sockets_of(process)
        return None if owned is None else all(f'socket:[{listener.inode}]' in owned for listener in listeners)

    def network_table(self, process: Process, name: str) -> bytes:
        """A file of /proc/PID/net; empty where the kernel has none, as without IPv6. Raises PermissionError."""
        try:
            return self.source.read(process.pid, f'net/{name}', MAX_SOCKET_BYTES)
        except ProcessGone:
            return b''

    def shares_network(self, process: Process) -> bool:
        """Whether the process is in our network namespace, so that loopback leads to it; True where that is hidden."""
        try:
            own, its = (os.stat(f'{folder}/ns/net') for folder in ('/proc/self', f'{self.source.path}/{process.pid}'))
        except OSError:
            return True
        return (own.st_dev, own.st_ino) == (its.st_dev, its.st_ino)

    def sockets_of(self, process: Process) -> set[str] | None:
        """The targets of a process's handles; None where they are hidden or too many."""
        folder = f'{self.source.path}/{process.pid}/fd'
        try:
            names = os.listdir(folder)
            return None if len(names) > MAX_HANDLES else set(iter_targets(folder, names))
        except OSError:
            return None


def iter_targets(folder: str, names: Sequence[str]) -> Iterator[str]:
    """The targets of the links in a folder, without those that are gone meanwhile. Raises OSError."""
    for name in names:
        try:
            yield os.readlink(f'{folder}/{name}')
        except FileNotFoundError:
            continue
