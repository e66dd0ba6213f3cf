# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads /proc/PID/cgroup: whether a process runs in a pod, and its systemd service and container. Pure.

Any container can run a program called kubelet. The kubelet of the node runs in no pod.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

PODS = 'kubepods'
"""Part of the name of the cgroup that holds all pods, with both cgroup drivers: `kubepods`, `kubepods.slice`."""

CRI_SCOPES = ('cri-containerd-', 'crio-')
CRI_NAMESPACE = 'k8s.io'
"""The cgroups in which containerd and CRI-O put the containers of pods: scopes of systemd, or below a namespace."""

NEEDED_CONTROLLERS = frozenset({'cpu', 'cpuset', 'memory', 'pids'})
"""The controllers that a kubelet needs. On a node with cgroup v1, they have hierarchies of their own."""

SERVICE_NAME = re.compile(r'[A-Za-z0-9:_@\\-][A-Za-z0-9:_.@\\-]{0,249}\.service')
CONTAINER = re.compile(r'[0-9a-f]{64}')


def iter_paths(cgroup: str) -> Iterator[tuple[str, list[str]]]:
    """The controllers and the path of each line of /proc/PID/cgroup (`0::/a/b`, `4:memory:/a/b`)."""
    for line in cgroup.split('\n'):
        _, _, rest = line.partition(':')
        controllers, separator, path = rest.partition(':')
        if separator:
            yield controllers, [part for part in path.split('/') if part]


def is_in_pod(cgroup: str, first_cgroup: str) -> bool:
    """Whether a process runs in a pod, by its cgroup and by that of process 1.

    If process 1 itself is below the cgroup of a pod (kind or k3s inside a pod), the part that both paths share means
    nothing. Then the kubelet of the node is a unit beside process 1, or is in the same cgroup. Other containers of
    that pod are not.
    Inside a container with its own cgroup namespace, paths begin with `..`: as many as lead from the container to the
    root of the host, where process 1 is. A path with fewer of them ends in an ancestor of the container, and so in a
    pod. A container that a kubelet started through the CRI also belongs to a pod, wherever it is: with
    `cgroupsPerQOS: false`, it is outside of `kubepods`.
    """
    first = dict(iter_paths(first_cgroup))
    for controllers, parts in iter_paths(cgroup):
        above = first.get(controllers, [])
        if parents(parts) < parents(above):
            return True
        below = parts[shared(parts, above) :]
        if any(PODS in part or part.startswith(CRI_SCOPES) or part == CRI_NAMESPACE for part in below):
            return True
        if below and any(PODS in part for part in above) and not any(map(SERVICE_NAME.fullmatch, below)):
            return True
    return False


def shared(parts: list[str], others: list[str]) -> int:
    """How many parts two paths share at their beginning."""
    pairs = zip(parts, others, strict=False)
    return next((count for count, (part, other) in enumerate(pairs) if part != other), min(len(parts), len(others)))


def begins_outside(cgroup: str) -> bool:
    """Whether a path first leads out of our own cgroup namespace."""
    return any(parents(parts) for _, parts in iter_paths(cgroup))


def parents(parts: list[str]) -> int:
    """How many `..` a path begins with."""
    return next((count for count, part in enumerate(parts) if part != '..'), len(parts))


def runs_in(cgroup: str, path: str) -> bool:
    """Whether a process is in exactly that cgroup, in any hierarchy."""
    wanted = [part for part in path.split('/') if part]
    return bool(wanted) and any(parts == wanted for _, parts in iter_paths(cgroup))


def uses_v1(cgroup: str) -> bool | None:
    """Whether the node uses cgroup v1 (also in hybrid mode). None if the text does not show it.

    A node with cgroup v2 has only the unified hierarchy, whose line starts with `0::`.
    """
    hierarchies = [set(controllers.split(',')) for controllers, _ in iter_paths(cgroup)]
    if any(NEEDED_CONTROLLERS & controllers for controllers in hierarchies):
        return True
    return False if hierarchies == [{''}] else None


def unit_of(cgroup: str) -> str | None:
    """The systemd service that a process runs in: the last one in the unified or the systemd hierarchy."""
    for controllers, parts in iter_paths(cgroup):
        units = [part for part in parts if SERVICE_NAME.fullmatch(part)]
        if controllers in ('', 'name=systemd') and units:
            return units[-1]
    return None


def container_of(cgroup: str) -> str | None:
    """The ID of the container that a process runs in: the last one in its cgroup."""
    found = [match[0] for _, parts in iter_paths(cgroup) for part in parts if (match := CONTAINER.search(part))]
    return found[-1] if found else None
