# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A real file system that never answers: one in user space (FUSE) that nobody serves."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LAZY = 2
"""MNT_DETACH of umount2(2)."""


class CannotMount(Exception):
    """This machine has no FUSE, or does not let us mount."""


@contextmanager
def hanging_file_system(folder: Path) -> Iterator[None]:
    """Whoever looks below the folder waits until this is left. Raises CannotMount."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        device = os.open('/dev/fuse', os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise CannotMount(f'/dev/fuse: {error.strerror}') from error
    try:
        options = f'fd={device},rootmode=40755,user_id={os.getuid()},group_id={os.getgid()}'
        if libc.mount(b'hangs', os.fsencode(folder), b'fuse', 0, options.encode()) != 0:
            raise CannotMount(f'mount: {os.strerror(ctypes.get_errno())}')
        yield
    finally:
        # Without a server, all that waits gets an error.
        os.close(device)
        libc.umount2(os.fsencode(folder), LAZY)
