# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Regular expressions that cost no more than their text is long, whoever wrote it. Pure."""

from __future__ import annotations

CHUNK = 1000
"""An atomic group remembers each of its repetitions until it ends, 120 bytes or more for each."""


def repeated(group: str, least: int = 0) -> str:
    """The pattern of a group again and again, `least` 0 or 1, which never gives back what it took.

    A possessive quantifier says the same, but after a group Python 3.11.2 leaves the match where it failed.
    """
    chunk = f'(?>(?:{group}){{1,{CHUNK}}})'
    return f'(?>(?:{chunk}){"+" if least else "*"})'
