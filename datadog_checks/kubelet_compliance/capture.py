# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a captured node keeps besides copies of its files: `node.json`, with the facts that copying loses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .model import FileStatus, Unreadable

NODE_FACTS = 'node.json'


class CaptureError(Exception):
    """`node.json` is not what a capture writes."""


@dataclass(frozen=True, slots=True)
class Capture:
    """The facts by path, as the node's own processes name it. What is not there is not known."""

    files: Mapping[str, FileFacts] = field(default_factory=dict)
    booted_at: float | None = None
    """When the node was booted, in seconds since the epoch."""
    ticks_per_second: int = 100

    def status(self, path: str) -> FileStatus | Unreadable:
        """Mode and owner of a file."""
        facts = self.files.get(path)
        if facts is None:
            return Unreadable(path, f'the captured node does not keep its mode and owner (in {NODE_FACTS})')
        return FileStatus(path, facts.mode, facts.uid, facts.gid)

    def changed_at(self, path: str) -> float | None:
        """The ctime of a file or folder, in seconds since the epoch."""
        facts = self.files.get(path)
        return facts.changed_at if facts is not None else None

    def started_at(self, start_ticks: int) -> float | None:
        """When a process started that shows these clock ticks since boot."""
        return None if self.booted_at is None else self.booted_at + start_ticks / self.ticks_per_second


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Mode, owner, and when it changed last (ctime, links on the way included)."""

    mode: int
    uid: int
    gid: int
    changed_at: float | None = None


def parse_capture(data: bytes) -> Capture:
    """Read `node.json`. Raises CaptureError."""
    try:
        facts = json.loads(data)
        return Capture(
            files={str(path): file_facts(row) for path, row in facts.get('files', {}).items()},
            booted_at=number(facts.get('booted_at')),
            ticks_per_second=int(facts.get('ticks_per_second', 100)),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CaptureError(f'{NODE_FACTS} is not what a capture writes') from None


def file_facts(row: Mapping[str, Any]) -> FileFacts:
    return FileFacts(int(row['mode'], 8), int(row['uid']), int(row['gid']), number(row.get('changed_at')))


def number(value: Any) -> float | None:
    return None if value is None else float(value)
