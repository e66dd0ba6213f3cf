# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What was read of each kubelet before, when each is known to have started, and with what."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
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


class Memory:
    """What was read of each kubelet before, so that a change of mode or owner does not look like one of content."""

    def __init__(self) -> None:
        self.seen: dict[tuple[int, ...], dict[str, Seen]] = {}
        self.starts: dict[tuple[int, ...], float] = {}
        self.started_with: dict[tuple[int, ...], Declared] = {}
        self.born: dict[tuple[int, ...], float] = {}
        self.units: dict[tuple[int, ...], dict[str, Seen]] = {}
        self.accepts: dict[tuple[int, ...], tuple[frozenset[int], frozenset[Objection]]] = {}

    def forget_all_but(self, processes: Sequence[Process]) -> None:
        alive = {process.key for process in processes}
        self.seen = {key: seen for key, seen in self.seen.items() if key in alive}
        self.units = {key: seen for key, seen in self.units.items() if key in alive}
        self.starts = {key: start for key, start in self.starts.items() if key in alive}
        self.started_with = {key: declared for key, declared in self.started_with.items() if key in alive}
        self.accepts = {key: accepted for key, accepted in self.accepts.items() if key in alive}
        self.born = {
            key: age for key, age in self.born.items() if key in alive or key[:2] in {each[:2] for each in alive}
        }

    def age_of(self, process: Process, age: float | None) -> float | None:
        """For how long a program has been running, in seconds: an `exec` keeps the age of its process.

        The age counts from where the program was first seen, if another one was seen in that process before.
        """
        if age is None:
            return None
        if process.key not in self.born:
            is_another = any(key[:2] == process.key[:2] for key in self.born)
            self.born[process.key] = age if is_another else 0.0
        return age - self.born[process.key]

    def started(self, process: Process, readings: Sequence[Declared], fields: Collection[str]) -> Declared | None:
        """The configuration that a process started with, from a look before anything changed; None: not known.

        `readings`: what this look came to. While nothing has changed since the start, that is it, where all releases
        read those `fields` alike, which are all that counts of it.
        """
        is_one = len({tuple(repr(declared.value(field)) for field in fields) for declared in readings}) == 1
        if process.started_at is not None and is_one and all(map(is_as_started, readings)):
            self.started_with[process.key] = readings[0]
        return self.started_with.get(process.key)

    def learn(self, process: Process, readings: Sequence[Declared], *, accepted: bool) -> None:
        """Remember what a process has shown that it takes, of files that are as old as it.

        `accepted`: it has run for a minute, which also tells which releases it can be of.
        """
        if any(declared.changed is not None for declared in readings):
            return
        minors, objections = self.accepts.get(process.key, NOTHING)
        found = {each for declared in readings for each in declared.passed}
        if accepted:
            minors = frozenset(minor for declared in readings for minor in declared.minors)
            found |= {each for declared in readings for each in declared.objections}
        self.accepts[process.key] = minors, objections | {replace(each, place='') for each in found}

    def minors_of(self, process: Process) -> frozenset[int]:
        """The releases that a process can be of by what it has accepted; none where it has not shown that yet."""
        return self.accepts.get(process.key, NOTHING)[0]

    def has_seen_the_files_of(self, process: Process) -> bool:
        """Whether they were seen as they were when the process started."""
        return process.key in self.accepts

    def objections_to(self, process: Process) -> frozenset[Objection]:
        return self.accepts.get(process.key, NOTHING)[1]

    def settle(self, evidence: Evidence) -> Evidence:
        """The evidence with the time of each file's content instead of that of its last touch."""
        process = self.with_earliest_start(evidence.process)
        before = self.seen.get(process.key, {})
        look = Look(before)
        config, drop_ins, launch = look.settled(evidence.config), evidence.drop_ins, evidence.launch
        if isinstance(drop_ins, Missing):
            look.missed(f'{drop_ins.path}/')
        if isinstance(drop_ins, DropIns):
            names = '\0'.join(file.path for file in drop_ins.files).encode('utf-8', 'surrogateescape')
            drop_ins = DropIns(
                drop_ins.path,
                tuple(look.settled(file) for file in drop_ins.files),
                look.content(f'{drop_ins.path}/', names, drop_ins.changed_at),
            )
        if launch is not None:
            launch = replace(launch, files=tuple(look.settled(file) for file in launch.files))
        # What could not be read just now is not forgotten, but for files that a folder no longer lists.
        if isinstance(drop_ins, DropIns):
            below = f'{drop_ins.path.rstrip("/")}/'
            listed = {file.path for file in (*drop_ins.files, evidence.config) if file is not None}
            before = {path: seen for path, seen in before.items() if not path.startswith(below) or path in listed}
        self.seen[process.key] = {**before, **look.now}
        return replace(evidence, process=process, config=config, drop_ins=drop_ins, launch=launch)

    def settle_unit(self, process: Process, unit: Unit) -> Unit:
        """The service with the time of each file's content, and whether files of it have gone."""
        before = self.units.get(process.key, {})
        look = Look(before)
        files = tuple(look.settled(file) for file in unit.files)
        folders = tuple(
            replace(folder, changed_at=look.content(f'{folder.path}/', folder.names, folder.changed_at))
            for folder in unit.folders
        )
        self.units[process.key] = {**before, **look.now}
        lacks_files = any(seen.digest is not None and path not in look.now for path, seen in before.items())
        return replace(unit, files=files, folders=folders, lacks_files=lacks_files)

    def with_earliest_start(self, process: Process) -> Process:
        """The process with the earliest start that was ever worked out for it, in seconds since the epoch.

        When the clock is stepped forward, a start seems to be later, and a change after it to lie before it.
        """
        if process.started_at is None:
            return process
        start = min(process.started_at, self.starts.get(process.key, process.started_at))
        self.starts[process.key] = start
        return replace(process, started_at=start)


NOTHING: tuple[frozenset[int], frozenset[Objection]] = frozenset(), frozenset()


def is_as_started(declared: Declared) -> bool:
    is_doubted = declared.launch is not None and declared.launch.doubt is not None
    return declared.unknown is None and declared.changed is None and not is_doubted


Read = TypeVar('Read', bound=File | Missing | Unreadable | None)


class Look:
    """What one collection reads of a kubelet, beside what was read of it before."""

    def __init__(self, before: Mapping[str, Seen]) -> None:
        self.before = before
        self.now: dict[str, Seen] = {}

    def settled(self, file: Read) -> Read:
        """The file with the time of its content."""
        if isinstance(file, Missing):
            self.missed(file.path)
        if isinstance(file, File):
            return replace(file, changed_at=self.content(file.path, file.data, file.changed_at))
        return file

    def missed(self, path: str) -> None:
        """Nothing is there; what comes there later is a change, whatever its time says."""
        if path not in self.before:
            self.now[path] = Seen(None, -math.inf)

    def content(self, path: str, content: bytes | tuple[str, ...], changed_at: float | None) -> float | None:
        """When a content became what it is; None where files have no times."""
        if changed_at is None:
            return None
        digest, old = hash(content), self.before.get(path)
        if old is None:
            at = changed_at
        elif old.digest == digest:
            at = old.changed_at if math.isinf(old.changed_at) else min(changed_at, old.changed_at)
        else:
            # We saw it change, whatever its ctime says: an old file may have been moved here, or the clock set.
            at = math.inf
        self.now[path] = Seen(digest, at)
        return at


@dataclass(frozen=True, slots=True)
class Seen:
    """A file's content, as Python's keyed hash of it, and since when it is known to have been that.

    None: there was no such file.
    """

    digest: int | None
    changed_at: float
