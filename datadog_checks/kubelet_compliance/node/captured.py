# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads and writes `node.json`: the facts of a captured node that copies of its files do not hold."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from datadog_checks.kubelet_compliance.model import Answer, Fact, Fault, FileStatus, Missing, Unreadable

NODE_FACTS = 'node.json'
CONFIGZ = 'configz.json'


class CaptureError(Exception):
    """A captured node can't be used: a file of it is not valid, can't be read, or is missing."""


class CannotCapture(Exception):
    """A copy of this node would not read the same as the node."""


@dataclass(frozen=True, slots=True)
class Capture:
    """The facts by path, as the processes of the node name it. A missing fact is unknown."""

    files: Mapping[str, FileFacts] = field(default_factory=dict)
    booted_at: float | None = None
    """When the node was booted, in seconds since the epoch."""
    captured_at: float | None = None
    """When it was captured; None: an older release wrote it."""
    ticks_per_second: int = 100
    listings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The names in folders whose files were not all read."""
    real_paths: Mapping[str, str] = field(default_factory=dict)
    """The targets of links that the copy does not have."""
    unseen: Mapping[str, Missing | Unreadable] = field(default_factory=dict)
    """The answer for a file or folder that the node does not have, or that could not be read."""
    unseen_modes: Mapping[str, Missing | Unreadable] = field(default_factory=dict)
    """The answer where the mode and owner of a file could not be read."""
    facts: Mapping[Fact, Answer] = field(default_factory=dict)
    """The facts that the fixes depend on."""

    def kept_status(self, path: str) -> FileStatus | Missing | Unreadable | None:
        """Mode and owner of a file, or the answer in their place; None: neither is known."""
        facts = self.files.get(path)
        known = self.status(path) if facts is not None and facts.mode is not None else None
        return self.unseen_modes.get(path, known)

    def status(self, path: str) -> FileStatus | Unreadable:
        """Mode and owner of a file."""
        facts = self.files.get(path)
        if facts is None or facts.mode is None:
            return Unreadable(path, f'the captured node does not keep its mode and owner (in {NODE_FACTS})')
        return FileStatus(path, facts.mode, facts.uid, facts.gid)

    def changed_at(self, path: str) -> float | None:
        """The ctime of a file or folder, in seconds since the epoch."""
        facts = self.files.get(path)
        return facts.changed_at if facts is not None else None

    def started_at(self, start_ticks: int) -> float | None:
        """When a process started, by its clock ticks since boot."""
        return None if self.booted_at is None else self.booted_at + start_ticks / self.ticks_per_second

    def age(self, start_ticks: int) -> float | None:
        """For how many seconds a process had been running; infinity if the time of the capture is unknown."""
        started_at = self.started_at(start_ticks)
        if started_at is None:
            return None
        return math.inf if self.captured_at is None else self.captured_at - started_at


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Mode and owner (no mode: unknown), and the last change (ctime, including links on the way)."""

    mode: int | None = None
    uid: int = 0
    gid: int = 0
    changed_at: float | None = None


def parse_capture(data: bytes) -> Capture:
    """Read `node.json`. Raises CaptureError."""
    try:
        facts = json.loads(data)
        return Capture(
            files={str(path): file_facts(row) for path, row in facts.get('files', {}).items()},
            booted_at=parse_time(facts.get('booted_at')),
            captured_at=parse_time(facts.get('captured_at')),
            ticks_per_second=positive(facts.get('ticks_per_second', 100)),
            listings={str(path): tuple(map(str, names)) for path, names in facts.get('listings', {}).items()},
            real_paths={str(path): str(real) for path, real in facts.get('real_paths', {}).items()},
            unseen={str(path): parse_unseen(path, row) for path, row in facts.get('unseen', {}).items()},
            unseen_modes={str(path): parse_unseen(path, row) for path, row in facts.get('unseen_modes', {}).items()},
            facts={Fact[name.upper()]: parse_answer(row) for name, row in facts.get('facts', {}).items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError):
        raise CaptureError(f'{NODE_FACTS} is not valid: capture the node again') from None


def parse_unseen(path: str, row: Mapping[str, Any]) -> Missing | Unreadable:
    if row.get('missing'):
        return Missing(path, str(row['why']))
    remedy, fault = str(row.get('remedy', '')), row.get('fault')
    return Unreadable(
        path, str(row['why']), remedy, absent=bool(row.get('absent')), fault=Fault(fault) if fault else None
    )


def capture_as_json(capture: Capture) -> dict[str, Any]:
    """The form that `parse_capture` reads."""
    return {
        'booted_at': capture.booted_at,
        'captured_at': capture.captured_at,
        'ticks_per_second': capture.ticks_per_second,
        'files': {
            path: {'changed_at': facts.changed_at}
            if facts.mode is None
            else {'mode': f'{facts.mode:o}', 'uid': facts.uid, 'gid': facts.gid, 'changed_at': facts.changed_at}
            for path, facts in capture.files.items()
        },
        'listings': {path: list(names) for path, names in capture.listings.items()},
        'real_paths': dict(capture.real_paths),
        'unseen': {path: unseen_as_json(found) for path, found in capture.unseen.items()},
        'unseen_modes': {path: unseen_as_json(found) for path, found in capture.unseen_modes.items()},
        'facts': {
            fact.name.lower(): {'holds': answer.holds, 'detail': answer.detail}
            for fact, answer in capture.facts.items()
        },
    }


def parse_answer(row: Mapping[str, Any]) -> Answer:
    holds = row['holds']
    if holds not in (True, False, None):
        raise ValueError('not true, false or null')
    return Answer(holds, str(row['detail']))


def unseen_as_json(found: Missing | Unreadable) -> dict[str, Any]:
    """The form that `parse_unseen` reads."""
    if isinstance(found, Missing):
        return {'missing': True, 'why': found.why}
    fault = {} if found.fault is None else {'fault': found.fault.value}
    return {'why': found.why, 'remedy': found.remedy, 'absent': found.absent, **fault}


def file_facts(row: Mapping[str, Any]) -> FileFacts:
    changed_at = parse_time(row.get('changed_at'))
    if 'mode' not in row:
        return FileFacts(changed_at=changed_at)
    return FileFacts(int(row['mode'], 8), int(row['uid']), int(row['gid']), changed_at)


def parse_time(value: Any) -> float | None:
    if value is None:
        return None
    found = float(value)
    if not math.isfinite(found):
        raise ValueError('not a time')
    return found


def positive(value: Any) -> int:
    found = int(value)
    if found < 1:
        raise ValueError('not a number of ticks')
    return found
