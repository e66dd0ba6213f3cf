# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A clock to measure how long something takes."""

from __future__ import annotations

import time


def monotonic_seconds() -> float:
    """Seconds since a moment that stays the same while the process runs, whatever happens to the system time."""
    return time.monotonic()
