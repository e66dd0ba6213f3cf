# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Who answers at an address, as `/proc` shows it; part of the door that `host.py` is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from datadog_checks.kubelet_compliance.model import Process

from .listeners import is_loopback, listeners_at, local_addresses
from .processes import Processes, ProcessGone

MAX_HANDLES = 65536
MAX_SOCKET_BYTES = 1024 * 1024


class Sockets(Processes):
    """A node's processes, and the sockets that they hold."""

    def answers_at(self, process: Process, host: str, port: int) -> bool | None:
        """Whether it is the process that listens where a connection to an address leads; None where that is not shown.

        Who listens is public, which process holds the socket is not: then it must at least be of a user who may run
        the kubelet.
        """
        self.trace.give_up()
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
        if any(listener.uid not in self.admission.uids for listener in listeners):
            return False
        held = self.sockets_of(process)
        return None if held is None else all(f'socket:[{listener.inode}]' in held for listener in listeners)

    def network_table(self, process: Process, name: str) -> bytes:
        """A file of /proc/PID/net; nothing where the kernel has none, as without IPv6. Raises PermissionError."""
        try:
            return self.read(process.pid, f'net/{name}', MAX_SOCKET_BYTES)
        except ProcessGone:
            return b''

    def shares_network(self, process: Process) -> bool:
        """Whether the process has our own network, so that loopback leads to it; taken for true where it is hidden."""
        try:
            own, its = (os.stat(f'{folder}/ns/net') for folder in ('/proc/self', f'{self.procfs}/{process.pid}'))
        except OSError:
            return True
        return (own.st_dev, own.st_ino) == (its.st_dev, its.st_ino)

    def sockets_of(self, process: Process) -> set[str] | None:
        """What the handles of a process lead to; None where they may not be seen, or are too many."""
        folder = f'{self.procfs}/{process.pid}/fd'
        try:
            names = os.listdir(folder)
            return None if len(names) > MAX_HANDLES else set(iter_targets(folder, names))
        except OSError:
            return None


def iter_targets(folder: str, names: Sequence[str]) -> Iterator[str]:
    """What the links in a folder lead to, but for those that are gone meanwhile. Raises OSError."""
    for name in names:
        try:
            yield os.readlink(f'{folder}/{name}')
        except FileNotFoundError:
            continue
