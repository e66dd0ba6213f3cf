# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Regular expressions that run in linear time, even on hostile text."""

from __future__ import annotations

CHUNK = 1000
"""An atomic group stores each of its repetitions until it ends, at 120 bytes or more each."""


def repeated(group: str, least: int = 0) -> str:
    """A pattern that repeats a group and never backtracks. `least`: 0 or 1 repetitions at least.

    A possessive quantifier is the same in theory. But in Python 3.11.2, a possessive group that fails loses its place.
    """
    chunk = f'(?>(?:{group}){{1,{CHUNK}}})'
    return f'(?>(?:{chunk}){"+" if least else "*"})'
