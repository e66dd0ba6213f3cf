# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads the tables of /proc/PID/net: the sockets that listen and the local addresses. Pure."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from .process_status import UID

LISTENING = '0A'
LOCAL_ADDRESS = re.compile(r'\|-- ((?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.|\b)){4})\s+/32 host LOCAL')
INTERFACE_ADDRESS = re.compile(r'^[0-9a-f]{32}\b', re.MULTILINE)
SOCKET_ADDRESS = re.compile(r'[0-9A-F]{8}(?:[0-9A-F]{24})?')


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens: its address, the user who made it, and its inode, by which a process holds it."""

    address: IPv4Address | IPv6Address
    uid: int
    inode: str


def iter_listeners(table: str, port: int) -> Iterator[Listener]:
    """The sockets that listen on a port, in /proc/PID/net/tcp and tcp6."""
    for line in table.split('\n'):
        fields = line.split()
        if len(fields) < 10 or fields[3] != LISTENING or not UID.fullmatch(fields[7]):
            continue
        address, _, its_port = fields[1].rpartition(':')
        if its_port == f'{port:04X}' and SOCKET_ADDRESS.fullmatch(address):
            yield Listener(socket_address(address), int(fields[7]), fields[9])


def socket_address(text: str) -> IPv4Address | IPv6Address:
    """An address as the kernel prints it: each 32 bits as a number, in the byte order of the machine."""
    words = [int(text[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in range(0, len(text), 8)]
    if len(words) == 1:
        return IPv4Address(words[0])
    address = IPv6Address(b''.join(words))
    return address.ipv4_mapped or address


def is_loopback(host: str) -> bool:
    """Whether an address or name leads to the network namespace that the connection comes from."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == 'localhost'


def local_addresses(fib_trie: str, if_inet6: str) -> frozenset[IPv4Address | IPv6Address]:
    """The addresses of a network namespace, by /proc/PID/net/fib_trie and if_inet6."""
    found: set[IPv4Address | IPv6Address] = {ip_address(match[1]) for match in LOCAL_ADDRESS.finditer(fib_trie)}
    found.update(IPv6Address(bytes.fromhex(match[0])) for match in INTERFACE_ADDRESS.finditer(if_inet6))
    return frozenset(found)


def listeners_at(
    table: str, host: str, port: int, local: frozenset[IPv4Address | IPv6Address] | None = None
) -> list[Listener]:
    """The sockets that a connection may reach: those at exactly that address, or else those at all addresses.

    If the host is a name: all on that port. `local`: the addresses that lead here; None: unknown.
    """
    found = list(iter_listeners(table, port))
    try:
        address = ip_address(host)
    except ValueError:
        return found
    exact = [listener for listener in found if listener.address == address]
    if exact or local is not None and not address.is_loopback and address not in local:
        return exact
    return [listener for listener in found if listener.address.is_unspecified]
