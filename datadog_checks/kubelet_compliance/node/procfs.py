# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Checks that a folder is a procfs, and reads our mount table and the settings of the kernel.

In a folder of plain files, anyone who can write there could present any kubelet.
"""

from __future__ import annotations

import os
import re

from datadog_checks.kubelet_compliance.model import Unknown

from .mount_table import procfs_mounts
from .process_root import CannotRead, reason

MAX_MOUNTINFO_BYTES = 4 * 1024 * 1024
LONGEST_NUMBER = 20
"""The length of a 64-bit number with its sign."""
PROCFS_REMEDY = 'set procfs_path to where the /proc of the host is mounted'
NUMBER = re.compile('-?[0-9]+')


def is_procfs(path: str) -> bool:
    """Whether a whole procfs is mounted at a path, which is absolute and has no links. Raises CannotRead, OSError.

    The mount point must be the path itself, so that no link or folder on the way can lead elsewhere later.
    """
    device = os.stat(path).st_dev
    return (path, f'{os.major(device)}:{os.minor(device)}') in procfs_mounts(mount_table())


def why_no_procfs(path: str) -> Unknown | None:
    """Why the check ignores the processes in a folder; None for a procfs."""
    try:
        if is_procfs(path):
            return None
    except OSError as error:
        return cannot_list(path, error)
    except CannotRead as error:
        return Unknown(f"can't verify that {path} is a procfs: {error}", PROCFS_REMEDY)
    return Unknown(f'{path} is not a procfs, so the check ignores its processes', PROCFS_REMEDY)


def cannot_list(path: str, error: OSError) -> Unknown:
    return Unknown(f'could not list the processes in {path}: {reason(error)}', 'mount /proc and set procfs_path')


def mount_table() -> str:
    """Our own mount table. Raises CannotRead."""
    try:
        with open('/proc/self/mountinfo', 'rb') as file:
            return mount_table_text(file.read(MAX_MOUNTINFO_BYTES + 1))
    except OSError as error:
        raise cannot_read_mounts(error) from None


def cannot_read_mounts(error: OSError) -> CannotRead:
    return CannotRead(f'could not read the mount table (/proc/PID/mountinfo): {reason(error)}')


def mount_table_text(mountinfo: bytes) -> str:
    """The text of a mount table. Raises CannotRead for one that is larger than our limit."""
    if len(mountinfo) > MAX_MOUNTINFO_BYTES:
        raise CannotRead(f'the mount table (/proc/PID/mountinfo) is larger than {MAX_MOUNTINFO_BYTES >> 20} MiB')
    return os.fsdecode(mountinfo)


def kernel_setting(procfs: str, name: str) -> str | None:
    """The value of a setting such as `vm.panic_on_oom`, a number; None: unknown."""
    try:
        handle = os.open(f'{procfs}/sys/{name.replace(".", "/")}', os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        value = os.read(handle, LONGEST_NUMBER + 1).decode('ascii', 'replace').strip()
    except OSError:
        return None
    finally:
        os.close(handle)
    return value if NUMBER.fullmatch(value) else None
