# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Is a process the node's own kubelet, and where does it listen? Pure: reads the text of its files in `/proc`.

Any container can run a program called kubelet. The node's own runs in no pod and in no pid namespace of its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

PODS = 'kubepods'
"""Part of the name of the cgroup that holds all pods, with both cgroup drivers: `kubepods`, `kubepods.slice`."""

CRI_SCOPES = ('cri-containerd-', 'crio-')
CRI_NAMESPACE = 'k8s.io'
"""The cgroups in which containerd and CRI-O put the containers of pods: scopes of systemd, or below a namespace."""

UNIT = re.compile(r'[A-Za-z0-9:_@\\-][A-Za-z0-9:_.@\\-]{0,249}\.service')
LISTENING = '0A'
LOCAL_ADDRESS = re.compile(r'\|-- ((?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.|\b)){4})\s+/32 host LOCAL')
INTERFACE_ADDRESS = re.compile(r'^[0-9a-f]{32}\b', re.MULTILINE)
SOCKET_ADDRESS = re.compile(r'[0-9A-F]{8}(?:[0-9A-F]{24})?')
UID = re.compile(r'[0-9]{1,10}')
LINE = re.compile(r'[^\n]+')
"""Lines as the kernel ends them: a name may hold all else that `splitlines` takes for an end."""
CONTAINER = re.compile(r'[0-9a-f]{64}')
ESCAPE = re.compile(r'\\([0-7]{3})')


@dataclass(frozen=True, slots=True)
class Foreign:
    """Why a process is not the node's own kubelet, and the options that would admit it; '' where none would."""

    why: str
    options: str = ''


IN_A_POD = Foreign('it runs in a pod')


def foreign_by_status(*, nested: bool, uid: int | None) -> Foreign | None:
    """A process turned away for its pid namespace, its user, or both. None: for neither."""
    found = [('it runs in a pid namespace of its own', 'set nested: true')] if nested else []
    if uid is not None:
        found.append((f'it runs as user {uid}', f'add "{uid}" to allowed_users'))
    if not found:
        return None
    return Foreign(' and '.join(why for why, _ in found), ' and '.join(option for _, option in found))


def iter_paths(cgroup: str) -> Iterator[tuple[str, list[str]]]:
    """The controllers and the path of each line of /proc/PID/cgroup (`0::/a/b`, `4:memory:/a/b`)."""
    for line in cgroup.split('\n'):
        _, _, rest = line.partition(':')
        controllers, separator, path = rest.partition(':')
        if separator:
            yield controllers, [part for part in path.split('/') if part]


def is_in_pod(cgroup: str, first_cgroup: str) -> bool:
    """Whether a process runs in a pod, by its cgroup and by that of process 1.

    Where process 1 itself lies below the cgroup of a pod (kind or k3s inside a pod), what the two paths share says
    nothing: then the node's own is a unit beside it, or lies where it lies, and other containers of that pod do not.
    From inside a container with a cgroup namespace of its own, paths begin with `..`: as many as lead from the
    container to the root of the host, where process 1 is. A path with fewer ends inside one of the container's own
    ancestors, and so in a pod. A container that a kubelet started through the CRI is one of a pod too, wherever it
    lies: with `cgroupsPerQOS: false` that is outside of `kubepods`.
    """
    first = dict(iter_paths(first_cgroup))
    for controllers, parts in iter_paths(cgroup):
        above = first.get(controllers, [])
        if parents(parts) < parents(above):
            return True
        below = parts[shared(parts, above) :]
        if any(PODS in part or part.startswith(CRI_SCOPES) or part == CRI_NAMESPACE for part in below):
            return True
        if below and any(PODS in part for part in above) and not any(map(UNIT.fullmatch, below)):
            return True
    return False


def shared(parts: list[str], others: list[str]) -> int:
    """How many parts two paths have in common at their beginning."""
    pairs = zip(parts, others, strict=False)
    return next((count for count, (part, other) in enumerate(pairs) if part != other), min(len(parts), len(others)))


def begins_outside(cgroup: str) -> bool:
    """Whether a path leads out of our own cgroup namespace first."""
    return any(parents(parts) for _, parts in iter_paths(cgroup))


def parents(parts: list[str]) -> int:
    """How many `..` a path begins with."""
    return next((count for count, part in enumerate(parts) if part != '..'), len(parts))


def status_field(status: str, name: str) -> list[str]:
    """The words of a field of /proc/PID/status; none where there is no such field."""
    prefix = f'{name}:'
    line = next((line for line in status.split('\n') if line.startswith(prefix)), '')
    return line[len(prefix) :].split()


def is_nested(status: str) -> bool:
    """Whether a process lives in a pid namespace below that of `/proc`."""
    return len(status_field(status, 'NSpid')) > 1


def real_uid(status: str) -> int | None:
    """The user that a process runs as; None where that is not told."""
    uids = status_field(status, 'Uid')
    return int(uids[0]) if uids and UID.fullmatch(uids[0]) else None


Mounts = Mapping[str, tuple[str, str]]
"""What is mounted where: the device and the folder in it, by mount point."""


def mounts_of(mountinfo: str) -> Mounts:
    """What /proc/PID/mountinfo lists; of two at one place the last one counts."""
    found = {}
    for line in LINE.finditer(mountinfo):
        row = line[0].split(' ', 5)
        if len(row) > 4:
            found[unescaped(row[4])] = row[2], unescaped(row[3])
    return found


def procfs_mounts(mountinfo: str) -> frozenset[tuple[str, str]]:
    """The mount point and the device of each procfs that is mounted as a whole."""
    found = set()
    for line in LINE.finditer(mountinfo):
        # The optional fields end with a hyphen, and the type of the file system follows.
        place, _, kind = line[0].partition(' - ')
        row = place.split(' ')
        if kind.startswith('proc ') and len(row) > 4 and row[3] == '/':
            found.add((unescaped(row[4]), row[2]))
    return frozenset(found)


def unescaped(text: str) -> str:
    """The kernel writes blanks and backslashes of a path as `\\040` and so on (seq_file.c `mangle_path`)."""
    return ESCAPE.sub(lambda match: chr(int(match[1], 8)), text) if '\\' in text else text


def other_mounts(own: Mounts, ours: Mounts, root: str) -> frozenset[str]:
    """The mount points where a process meets something else than we meet at the same path below `root`."""
    prefix = root.rstrip('/')
    points = {*own, *(point.removeprefix(prefix) for point in ours if point.startswith(f'{prefix}/'))}
    return frozenset(point for point in points if met_at(own, point) != met_at(ours, f'{prefix}{point}'))


def not_shown_below(host: Mounts, own: Mounts, ours: Mounts, root: str) -> frozenset[str]:
    """The mount points of the host, and of a process on it, that are missing below `root`."""
    prefix = root.rstrip('/')
    shown = {point.removeprefix(prefix) or '/' for point in ours if f'{point}/'.startswith(f'{prefix}/')}
    return frozenset(point for point, what in own.items() if host.get(point) == what and point not in shown)


def met_at(mounts: Mounts, place: str) -> tuple[str, str] | None:
    """The device, and the path in it, that a place without links leads to."""
    point = place
    while point not in mounts and point != '/':
        point = point.rpartition('/')[0] or '/'
    if point not in mounts:
        return None
    device, folder = mounts[point]
    below = place[len(point.rstrip('/')) :]
    return device, f'{folder.rstrip("/")}{below}'.rstrip('/')


def runs_in(cgroup: str, path: str) -> bool:
    """Whether a process lies in just that cgroup, in any hierarchy."""
    wanted = [part for part in path.split('/') if part]
    return bool(wanted) and any(parts == wanted for _, parts in iter_paths(cgroup))


def unit_of(cgroup: str) -> str | None:
    """The systemd service that a process runs in: the last such name in the unified or the systemd hierarchy."""
    for controllers, parts in iter_paths(cgroup):
        units = [part for part in parts if UNIT.fullmatch(part)]
        if controllers in ('', 'name=systemd') and units:
            return units[-1]
    return None


def container_of(cgroup: str) -> str | None:
    """The id of the container that a process runs in, by the last name in its cgroup that holds one."""
    found = [match[0] for _, parts in iter_paths(cgroup) for part in parts if (match := CONTAINER.search(part))]
    return found[-1] if found else None


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
    """Whether an address or name leads to the very machine, or network namespace, of who asks."""
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
    """Those that a connection to an address may reach: those at just that address, else those at all addresses.

    Where the host is a name, all on that port. `local`: the addresses that lead here; None where they are not known.
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
