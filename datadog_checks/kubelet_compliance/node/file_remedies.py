# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What to change so that the Agent can read a file of the kubelet: for its own user and capabilities. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import Fault

DAC_READ_SEARCH = 2
SYS_PTRACE = 19
"""The numbers of capabilities, of Linux' capability.h."""

MOUNT = 'mount the root file system of the host read-only and set host_root'


@dataclass(frozen=True, slots=True)
class Rights:
    """The user that the Agent runs as, and its effective capabilities as a mask; None: not known."""

    uid: int | None = None
    capabilities: int | None = None

    def has(self, capability: int) -> bool:
        return self.capabilities is not None and bool(self.capabilities >> capability & 1)


@dataclass(frozen=True, slots=True)
class Advice:
    """The one change that lets a file be read, and what it mends."""

    remedy: str
    fault: Fault


def not_shown(rights: Rights, *, can_have_root: bool, is_on_host: bool) -> Advice:
    """Where `/proc/PID/root` may not be used, which is the only way to the files beside `host_root`.

    `can_have_root`: whether `host_root` is not set yet, and would show the files. `is_on_host`: whether the Agent has
    the root file system of the kubelet itself.
    """
    if is_on_host and can_have_root:
        return Advice('set host_root: /', Fault.FILES_NOT_SHOWN)
    if rights.has(SYS_PTRACE):
        change = "let the AppArmor profile or the SELinux type of the Agent's container allow it (unconfined, spc_t)"
    elif rights.uid == 0:
        change = "add the capability SYS_PTRACE to the Agent's container"
    else:
        change = "run the Agent's container as user 0 with the capability SYS_PTRACE"
    return Advice(f'{change}, or {MOUNT}' if can_have_root else change, Fault.FILES_NOT_SHOWN)


def not_allowed(rights: Rights) -> Advice:
    """Where a file is seen, and its mode keeps the Agent from reading it."""
    if rights.has(DAC_READ_SEARCH):
        change = 'let the AppArmor profile or the SELinux type of the Agent allow it (unconfined, spc_t)'
    elif rights.uid == 0:
        change = "add the capability DAC_READ_SEARCH to the Agent's container"
    else:
        change = (
            'give the Agent the capability CAP_DAC_READ_SEARCH (in a container, run it as user 0), or make it a member '
            'of a group that may read the file'
        )
    return Advice(change, Fault.NOT_ALLOWED_TO_READ)


def not_mounted(path: str) -> Advice:
    """Where the host has a file that is not there below `host_root`; '' where that itself leads nowhere."""
    if not path:
        return Advice('mount the root file system of the host read-only where host_root says', Fault.FILES_NOT_MOUNTED)
    return Advice(
        'mount the folder of the host that holds it below host_root too, or all of its root file system with '
        'mountPropagation: HostToContainer',
        Fault.FILES_NOT_MOUNTED,
    )


SHOW_AS_THE_KUBELET = Advice(
    'add the capability SYS_PTRACE, which shows the files as the kubelet itself sees them', Fault.MOUNTED_OVER
)
