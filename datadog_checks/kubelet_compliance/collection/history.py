# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What earlier collections saw of each kubelet: file contents, its start, and what it has accepted."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from datadog_checks.kubelet_compliance.model import (
    Declared,
    DropIns,
    Evidence,
    File,
    Missing,
    Objection,
    Process,
    Unit,
    Unreadable,
)


@dataclass(frozen=True, slots=True)
class KnownContent:
    """The hash of a file's content, and since when the file is known to have had it.

    `digest`: Python's own hash, which is keyed; None: there was no such file.
    """

    digest: int | None
    changed_at: float


@dataclass(slots=True)
class Record:
    """What is known of one process. `files`, `unit_files`: by path. A path that ends in a slash is a folder."""

    files: dict[str, KnownContent] = field(default_factory=dict)
    unit_files: dict[str, KnownContent] = field(default_factory=dict)
    earliest_start: float | None = None
    """The earliest start that a collection computed, in seconds since the epoch."""
    started_with: Declared | None = None
    minors: frozenset[int] = frozenset()
    """The releases that it may be, by what it has accepted; empty if it has not run long enough to show that."""
    accepted: frozenset[Objection] = frozenset()
    """What it has accepted, although the check expected a refusal."""
    files_seen_as_started: bool = False
    """Whether a collection saw its files as they were at the start."""


class History:
    """A record of each kubelet. With it, a change of mode or owner does not count as a change of content."""

    def __init__(self) -> None:
        self.records: dict[tuple[int, ...], Record] = {}
        self.ages_before: dict[tuple[int, ...], float] = {}
        """The age of a process, in seconds, when it began to run its current program."""

    def forget_all_but(self, processes: Sequence[Process]) -> None:
        alive = {process.key for process in processes}
        running = {key[:2] for key in alive}
        self.records = {key: record for key, record in self.records.items() if key in alive}
        self.ages_before = {key: age for key, age in self.ages_before.items() if key[:2] in running}

    def of(self, process: Process) -> Record:
        return self.records.setdefault(process.key, Record())

    def program_age(self, process: Process, age: float | None) -> float | None:
        """How long a program has been running, in seconds. An `exec` keeps the age of its process.

        If another program ran in the process before, the time counts from when this one was first seen.
        """
        if age is None:
            return None
        if process.key not in self.ages_before:
            is_another = any(key[:2] == process.key[:2] for key in self.ages_before)
            self.ages_before[process.key] = age if is_another else 0.0
        return age - self.ages_before[process.key]

    def started_with(self, process: Process, readings: Sequence[Declared], fields: Collection[str]) -> Declared | None:
        """The configuration that a process started with; None if no collection saw it.

        `readings`: its configuration now, which is the one at the start while nothing has changed. It counts only if
        all releases read the `fields` alike: nothing else of it is used.
        """
        is_one = len({tuple(repr(declared.value(path)) for path in fields) for declared in readings}) == 1
        if process.started_at is not None and is_one and all(map(is_as_started, readings)):
            self.of(process).started_with = readings[0]
        return self.of(process).started_with

    def add_accepted(self, process: Process, readings: Sequence[Declared], *, has_run: bool) -> None:
        """Remember what a process has accepted, if no file changed after its start.

        `has_run`: it has run for a minute, which also shows which releases it may be.
        """
        if any(declared.changed is not None for declared in readings):
            return
        record = self.of(process)
        found = {each for declared in readings for each in declared.passed}
        if has_run:
            record.minors = frozenset(minor for declared in readings for minor in declared.minors)
            found |= {each for declared in readings for each in declared.objections}
        record.accepted |= {replace(each, place='') for each in found}
        record.files_seen_as_started = True

    def with_content_times(self, evidence: Evidence) -> Evidence:
        """The evidence in which `changed_at` is when the content of a file changed, and not its mode or owner."""
        record = self.of(evidence.process)
        process = with_earliest_start(evidence.process, record)
        before = record.files
        contents = Comparison(before)
        config, drop_ins, launch = contents.with_time(evidence.config), evidence.drop_ins, evidence.launch
        if isinstance(drop_ins, Missing):
            contents.add_missing(f'{drop_ins.path}/')
        if isinstance(drop_ins, DropIns):
            names = '\0'.join(file.path for file in drop_ins.files).encode('utf-8', 'surrogateescape')
            drop_ins = DropIns(
                drop_ins.path,
                tuple(contents.with_time(file) for file in drop_ins.files),
                contents.changed_at(f'{drop_ins.path}/', names, drop_ins.changed_at),
            )
        if launch is not None:
            launch = replace(launch, files=tuple(contents.with_time(file) for file in launch.files))
        # Keep what could not be read this time, but not files that a folder no longer lists.
        if isinstance(drop_ins, DropIns):
            below = f'{drop_ins.path.rstrip("/")}/'
            listed = {file.path for file in (*drop_ins.files, evidence.config) if file is not None}
            before = {path: content for path, content in before.items() if not path.startswith(below) or path in listed}
        record.files = {**before, **contents.now}
        return replace(evidence, process=process, config=config, drop_ins=drop_ins, launch=launch)

    def unit_with_content_times(self, process: Process, unit: Unit) -> Unit:
        """The same for a service. `lacks_files`: whether files of it are gone."""
        record = self.of(process)
        before = record.unit_files
        contents = Comparison(before)
        files = tuple(contents.with_time(file) for file in unit.files)
        folders = tuple(
            replace(folder, changed_at=contents.changed_at(f'{folder.path}/', folder.names, folder.changed_at))
            for folder in unit.folders
        )
        record.unit_files = {**before, **contents.now}
        lacks_files = any(seen.digest is not None and path not in contents.now for path, seen in before.items())
        return replace(unit, files=files, folders=folders, lacks_files=lacks_files)


def with_earliest_start(process: Process, record: Record) -> Process:
    """The process with the earliest start that a collection computed for it.

    After the clock is set forward, the start seems later, and a change after the start seems to precede it.
    """
    if process.started_at is None:
        return process
    earlier = record.earliest_start
    record.earliest_start = process.started_at if earlier is None else min(process.started_at, earlier)
    return replace(process, started_at=record.earliest_start)


def is_as_started(declared: Declared) -> bool:
    is_doubted = declared.launch is not None and declared.launch.doubt is not None
    return declared.unknown is None and declared.changed is None and not is_doubted


AnyFile = TypeVar('AnyFile', bound=File | Missing | Unreadable | None)


class Comparison:
    """Compares the contents that one collection reads of a kubelet with those of earlier collections."""

    def __init__(self, before: Mapping[str, KnownContent]) -> None:
        self.before = before
        self.now: dict[str, KnownContent] = {}

    def with_time(self, file: AnyFile) -> AnyFile:
        """The file with the time when its content changed."""
        if isinstance(file, Missing):
            self.add_missing(file.path)
        if isinstance(file, File):
            return replace(file, changed_at=self.changed_at(file.path, file.data, file.changed_at))
        return file

    def add_missing(self, path: str) -> None:
        """Note a missing file: a file that appears there later is a change, whatever its time."""
        if path not in self.before:
            self.now[path] = KnownContent(None, -math.inf)

    def changed_at(self, path: str, content: bytes | tuple[str, ...], changed_at: float | None) -> float | None:
        """When the content changed; None if files have no times, as in a capture."""
        if changed_at is None:
            return None
        digest, old = hash(content), self.before.get(path)
        if old is None:
            at = changed_at
        elif old.digest == digest:
            at = old.changed_at if math.isinf(old.changed_at) else min(changed_at, old.changed_at)
        else:
            # The check saw the change, so the ctime does not count: an old file may have been moved here.
            at = math.inf
        self.now[path] = KnownContent(digest, at)
        return at
