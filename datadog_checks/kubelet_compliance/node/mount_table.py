# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads /proc/PID/mountinfo: what is mounted, and where two processes find different files at one path. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

LINE = re.compile(r'[^\n]+')
"""A line, as the kernel ends it: a name can contain the other characters at which `splitlines` splits."""
ESCAPE = re.compile(r'\\([0-7]{3})')


Mounts = Mapping[str, tuple[str, str]]
"""The mounts: the device and the folder in it, by mount point."""


def mounts_of(mountinfo: str) -> Mounts:
    """The mounts in /proc/PID/mountinfo; of two at one mount point, the last one counts."""
    found = {}
    for line in LINE.finditer(mountinfo):
        row = line[0].split(' ', 5)
        if len(row) > 4:
            found[unescaped_path(row[4])] = row[2], unescaped_path(row[3])
    return found


def procfs_mounts(mountinfo: str) -> frozenset[tuple[str, str]]:
    """The mount point and the device of each procfs that is mounted as a whole."""
    found = set()
    for line in LINE.finditer(mountinfo):
        # The optional fields end with a hyphen, and the type of the file system follows.
        place, _, kind = line[0].partition(' - ')
        row = place.split(' ')
        if kind.startswith('proc ') and len(row) > 4 and row[3] == '/':
            found.add((unescaped_path(row[4]), row[2]))
    return frozenset(found)


def unescaped_path(text: str) -> str:
    """The kernel writes blanks and backslashes of a path as `\\040` and so on (seq_file.c `mangle_path`)."""
    return ESCAPE.sub(lambda match: chr(int(match[1], 8)), text) if '\\' in text else text


def other_mounts(own: Mounts, ours: Mounts, root: str) -> frozenset[str]:
    """The mount points where a process finds something else than we find at the same path below `root`."""
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
