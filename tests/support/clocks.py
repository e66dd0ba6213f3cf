# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The clocks that stamps go by, set ahead, and how long to wait where they are not."""

from __future__ import annotations

import time

from datadog_checks.kubelet_compliance.node.change_stamps import FRESH_SECONDS

SETTLED_SECONDS = FRESH_SECONDS + 0.2
"""So long after a change no stamp is young any more, so whatever is kept of the node is used."""


class Ahead:
    """Stands for the module `time`, some seconds from now: what was just written is old to it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def time(self) -> float:
        return time.time() + self.seconds

    def monotonic(self) -> float:
        return time.monotonic() + self.seconds
