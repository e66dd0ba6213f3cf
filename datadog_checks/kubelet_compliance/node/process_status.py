# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads /proc/PID/status: the user of a process and its pid namespace, and why the node does not count it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

UID = re.compile(r'[0-9]{1,10}')


@dataclass(frozen=True, slots=True)
class Foreign:
    """Why a process is not a kubelet of the node, and the options that would admit it; '': none would."""

    why: str
    options: str = ''


IN_A_POD = Foreign('it runs in a pod')


def foreign_by_status(*, nested: bool, uid: int | None) -> Foreign | None:
    """A process that is ignored for its PID namespace, its user, or both; None: for neither."""
    found = [('it runs in its own PID namespace', 'set nested: true')] if nested else []
    if uid is not None:
        found.append((f'it runs as user {uid}', f'add "{uid}" to allowed_users'))
    if not found:
        return None
    return Foreign(' and '.join(why for why, _ in found), ' and '.join(option for _, option in found))


def status_field(status: str, name: str) -> list[str]:
    """The words of a field of /proc/PID/status; none if the field is missing."""
    prefix = f'{name}:'
    line = next((line for line in status.split('\n') if line.startswith(prefix)), '')
    return line[len(prefix) :].split()


def is_nested(status: str) -> bool:
    """Whether a process runs in a PID namespace below that of `/proc`."""
    return len(status_field(status, 'NSpid')) > 1


def real_uid(status: str) -> int | None:
    """The user that a process runs as; None: unknown."""
    uids = status_field(status, 'Uid')
    return int(uids[0]) if uids and UID.fullmatch(uids[0]) else None
