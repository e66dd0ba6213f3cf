# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The open files of the test process itself."""

from __future__ import annotations

import os


def open_handles() -> set[int]:
    """The descriptors of this process, without the one that lists them."""
    handles = set()
    for name in os.listdir('/proc/self/fd'):
        try:
            os.fstat(int(name))
        except OSError:
            continue
        handles.add(int(name))
    return handles
