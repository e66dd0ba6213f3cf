# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What was read of each kubelet before: the one thing that is kept from one collection to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .model import DropIns, Evidence, File, Process


class Memory:
    """What was read of each kubelet before, so that a change of mode or owner does not look like one of content."""

    def __init__(self) -> None:
        self.seen: dict[tuple[int, ...], dict[str, Seen]] = {}
        self.starts: dict[tuple[int, ...], float] = {}

    def forget_all_but(self, processes: Sequence[Process]) -> None:
        alive = {process.key for process in processes}
        self.seen = {key: seen for key, seen in self.seen.items() if key in alive}
        self.starts = {key: start for key, start in self.starts.items() if key in alive}

    def settle(self, evidence: Evidence) -> Evidence:
        """The evidence with the time of each file's content instead of that of its last touch."""
        process = self.with_earliest_start(evidence.process)
        before = self.seen.get(process.key, {})
        now: dict[str, Seen] = {}

        def settled(path: str, content: bytes, changed_at: float | None) -> float | None:
            if changed_at is None:
                return None
            digest = hash(content)
            old = before.get(path)
            if old is None:
                at = changed_at
            elif old.digest == digest:
                at = old.changed_at if math.isinf(old.changed_at) else min(changed_at, old.changed_at)
            else:
                # We saw it change, whatever its ctime says: an old file may have been moved here, or the clock set.
                at = math.inf
            now[path] = Seen(digest, at)
            return at

        def settled_file(file: object) -> object:
            if not isinstance(file, File):
                return file
            return replace(file, changed_at=settled(file.path, file.data, file.changed_at))

        config, drop_ins = settled_file(evidence.config), evidence.drop_ins
        if isinstance(drop_ins, DropIns):
            names = '\0'.join(file.path for file in drop_ins.files).encode('utf-8', 'surrogateescape')
            drop_ins = DropIns(
                drop_ins.path,
                tuple(settled_file(file) for file in drop_ins.files),  # type: ignore[misc]
                settled(f'{drop_ins.path}/', names, drop_ins.changed_at),
            )
        launch = evidence.launch
        if launch is not None:
            launch = replace(launch, files=tuple(settled_file(file) for file in launch.files))  # type: ignore[misc]
        # What could not be read just now is not forgotten.
        self.seen[process.key] = {**before, **now}
        return Evidence(process, config, drop_ins, launch)  # type: ignore[arg-type]

    def with_earliest_start(self, process: Process) -> Process:
        """The process with the earliest start that was ever worked out for it, in seconds since the epoch.

        When the clock is stepped forward, a start seems to be later, and a change after it to lie before it.
        """
        if process.started_at is None:
            return process
        start = min(process.started_at, self.starts.get(process.key, process.started_at))
        self.starts[process.key] = start
        return replace(process, started_at=start)


@dataclass(frozen=True, slots=True)
class Seen:
    """A file's content, as Python's keyed hash of it, and since when it is known to have been that."""

    digest: int
    changed_at: float
