# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What to change so that the Agent, with its user and capabilities, can read a file of the kubelet. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import Fault

DAC_READ_SEARCH = 2
SYS_PTRACE = 19
"""The numbers of capabilities in capability.h of Linux."""

MOUNT = 'mount the root file system of the host read-only and set host_root'


@dataclass(frozen=True, slots=True)
class Rights:
    """The user that the Agent runs as, and its effective capabilities as a mask; None: unknown."""

    uid: int | None = None
    capabilities: int | None = None

    def has(self, capability: int) -> bool:
        return self.capabilities is not None and bool(self.capabilities >> capability & 1)


@dataclass(frozen=True, slots=True)
class Advice:
    """The one change that lets the Agent read a file, and the fault that it fixes."""

    remedy: str
    fault: Fault


def not_shown(rights: Rights, *, can_have_root: bool, is_on_host: bool) -> Advice:
    """Where the kernel denies the use of `/proc/PID/root`. Besides `host_root`, it is the only way to the files.

    `can_have_root`: `host_root` is not set, and would show the files. `is_on_host`: the Agent has the same root file
    system as the kubelet.
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
    """Where a file is visible, and its mode keeps the Agent from reading it."""
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
    """Where a file of the host is missing below `host_root`. `path`: '' if `host_root` itself is missing."""
    if not path:
        return Advice('mount the root file system of the host read-only at host_root', Fault.FILES_NOT_MOUNTED)
    return Advice(
        'mount the folder of the host that holds it below host_root too, or all of its root file system with '
        'mountPropagation: HostToContainer',
        Fault.FILES_NOT_MOUNTED,
    )


SHOW_AS_THE_KUBELET = Advice(
    'add the capability SYS_PTRACE, to read the files as the kubelet sees them', Fault.MOUNTED_OVER
)
