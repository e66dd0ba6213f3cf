# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a captured node keeps besides copies of its files: `node.json`, with the facts that copying loses."""

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
    """`node.json` is not what a capture writes."""


class CannotCapture(Exception):
    """What is seen of this node cannot be kept so that it reads the same."""


@dataclass(frozen=True, slots=True)
class Capture:
    """The facts by path, as the node's own processes name it. What is not there is not known."""

    files: Mapping[str, FileFacts] = field(default_factory=dict)
    booted_at: float | None = None
    """When the node was booted, in seconds since the epoch."""
    captured_at: float | None = None
    """When it was captured; None in what older releases wrote."""
    ticks_per_second: int = 100
    listings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The names in folders of which not all files were read."""
    real_paths: Mapping[str, str] = field(default_factory=dict)
    """Where links lead that the copy does not have."""
    unseen: Mapping[str, Missing | Unreadable] = field(default_factory=dict)
    """What was found in place of a file or folder that the node does not have, or that could not be read."""
    unseen_modes: Mapping[str, Missing | Unreadable] = field(default_factory=dict)
    """What was found in place of a file's mode and owner."""
    facts: Mapping[Fact, Answer] = field(default_factory=dict)
    """What the fixes depend on."""

    def kept_status(self, path: str) -> FileStatus | Missing | Unreadable | None:
        """Mode and owner of a file, or what was found in their place; None where neither is known."""
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
        """When a process started that shows these clock ticks since boot."""
        return None if self.booted_at is None else self.booted_at + start_ticks / self.ticks_per_second

    def age(self, start_ticks: int) -> float | None:
        """For how many seconds a process had been running. Without the time of the capture: for long."""
        started_at = self.started_at(start_ticks)
        if started_at is None:
            return None
        return math.inf if self.captured_at is None else self.captured_at - started_at


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Mode and owner (no mode: they are not known), and when it changed last (ctime, links on the way included)."""

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
        raise CaptureError(f'{NODE_FACTS} is not what a capture writes') from None


def parse_unseen(path: str, row: Mapping[str, Any]) -> Missing | Unreadable:
    if row.get('missing'):
        return Missing(path, str(row['why']))
    remedy, fault = str(row.get('remedy', '')), row.get('fault')
    return Unreadable(
        path, str(row['why']), remedy, absent=bool(row.get('absent')), fault=Fault(fault) if fault else None
    )


def capture_as_json(capture: Capture) -> dict[str, Any]:
    """What `parse_capture` reads."""
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
    """What `unseen` reads."""
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
