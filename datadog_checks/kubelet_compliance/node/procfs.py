# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is mounted for us, whether a folder is a procfs, and the settings of the kernel; part of the door to the node.

In a folder of plain files, whoever may write there could show any kubelet.
"""

from __future__ import annotations

import os
import re

from datadog_checks.kubelet_compliance.model import Unknown

from .mount_table import procfs_mounts
from .process_root import CannotRead, reason

MAX_MOUNTINFO_BYTES = 4 * 1024 * 1024
LONGEST_NUMBER = 20
"""Letters of a number of 64 bits, with its sign."""
PROCFS_REMEDY = 'set procfs_path to where the /proc of the host is mounted'
NUMBER = re.compile('-?[0-9]+')


def is_procfs(path: str) -> bool:
    """Whether a whole procfs is mounted just there. `path`: absolute and without links. Raises CannotRead, OSError.

    The mount point has to be the very path: then no link or folder that somebody puts on the way leads elsewhere later.
    """
    device = os.stat(path).st_dev
    return (path, f'{os.major(device)}:{os.minor(device)}') in procfs_mounts(mount_table())


def why_no_procfs(path: str) -> Unknown | None:
    """Why the processes in a folder do not count; None for a procfs."""
    try:
        if is_procfs(path):
            return None
    except OSError as error:
        return cannot_list(path, error)
    except CannotRead as error:
        return Unknown(f'whether {path} is a procfs is not known: {error}', PROCFS_REMEDY)
    return Unknown(f'{path} is not a procfs, and its processes do not count', PROCFS_REMEDY)


def cannot_list(path: str, error: OSError) -> Unknown:
    return Unknown(f'the processes in {path} cannot be listed: {reason(error)}', 'mount /proc and set procfs_path')


def mount_table() -> str:
    """What is mounted for us. Raises CannotRead."""
    try:
        with open('/proc/self/mountinfo', 'rb') as file:
            return mount_table_text(file.read(MAX_MOUNTINFO_BYTES + 1))
    except OSError as error:
        raise cannot_read_mounts(error) from None


def cannot_read_mounts(error: OSError) -> CannotRead:
    return CannotRead(f'what is mounted where could not be read: {reason(error)}')


def mount_table_text(mountinfo: bytes) -> str:
    """Raises CannotRead for a table that is cut off at our bound."""
    if len(mountinfo) > MAX_MOUNTINFO_BYTES:
        raise CannotRead(f'what is mounted where is larger than {MAX_MOUNTINFO_BYTES >> 20} MiB')
    return os.fsdecode(mountinfo)


def kernel_setting(procfs: str, name: str) -> str | None:
    """The value of a setting such as `vm.panic_on_oom`, a number; None where it cannot be seen."""
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
