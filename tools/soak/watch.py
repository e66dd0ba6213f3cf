# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a check may have seen of a kubelet's files, check run by check run. Uses no code of the package."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .files import Entry, Kind
from .node import Node

GRAIN_SECONDS = 1.0
"""The check can't distinguish a change so soon after the start from an earlier one, unless it saw the change."""
NEAR_SECONDS = 0.03
"""So close to the end of the grain, either answer is right, because the clocks are read at two times."""


MISSING = b'nothing is there'


@dataclass(frozen=True)
class Change:
    """The first path that changed since the start, or None if none did. Several answers may be right."""

    answers: tuple[str | None, ...]


@dataclass
class Watch:
    """What one check has seen of the running kubelet's files, check run by check run."""

    number: int = 0
    first_at: float = 0.0
    seen: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    """What the first check run could not read. Within the grain, it may count as changed or not."""
    believed: tuple[Mapping[str, Any] | None, ...] = (None,)
    """What the check may treat as the configuration at the start. None if it knows none."""

    def look(self, node: Node, now: float, *, minor: int | None = None) -> Change:
        """Return what the check must know after it reads the node. `minor`: the release, if the kubelet reported it."""
        kubelet = node.kubelet
        if kubelet is None:
            return Change((None,))
        if kubelet.number != self.number:
            self.number, self.first_at = kubelet.number, now
            self.seen.clear()
            self.unread.clear()
            self.believed = (None,)
        change = self.compare(node, kubelet.started_at)
        if None in change.answers and node.broken(kubelet.command) is None:
            is_sure = len(change.answers) == 1 and minor is not None
            # If no change is known, it is the current configuration.
            self.believed = (*(() if is_sure else self.believed), node.values(kubelet.command, kubelet.minor))
        return change

    def compare(self, node: Node, started_at: float) -> Change:
        kubelet = node.kubelet
        assert kubelet is not None
        limit = started_at + GRAIN_SECONDS
        if kubelet.command.drop_ins and node.drop_ins.is_dir():
            self.forget_all_but({str(path) for path in node.paths_of_drop_ins()}, node.drop_ins)
        times: list[tuple[str, float]] = []
        for path, digest, ctime in iter_contents(node):
            if digest == MISSING:
                # The check sees a file that appears here later.
                self.seen.setdefault(path, (MISSING, -math.inf))
            elif digest is not None:
                times.append((path, self.settled(path, digest, ctime)))
            elif path not in self.seen:
                self.unread.add(path)
        answers: list[str | None] = []
        for path, at in times:
            if at > limit - NEAR_SECONDS or path in self.unread:
                answers.append(path)
            if at > limit + NEAR_SECONDS:
                return Change(tuple(answers))
        return Change((*answers, None))

    def forget_all_but(self, listed: set[str], folder: Path) -> None:
        """Forget files that a folder no longer lists. Only the change of the folder is known."""
        gone = [path for path in self.seen if Path(path).parent == folder and path not in listed]
        for path in gone:
            del self.seen[path]

    def settled(self, path: str, digest: bytes, at: float) -> float:
        """Return the earliest known ctime of the content. Infinite if the check saw the content change."""
        old = self.seen.get(path)
        if old is not None:
            at = math.inf if old[0] != digest or old[1] == math.inf else min(at, old[1])
        self.seen[path] = (digest, at)
        return at


def iter_contents(node: Node) -> Iterator[tuple[str, bytes | None, float]]:
    """Yield each path of the configuration, the digest of its content, and its latest ctime.

    The digest is None if the content can't be read, and MISSING if the path does not exist.
    """
    if node.kubelet is None or node.kubelet.command.refused:
        return
    command = node.kubelet.command
    if command.config:
        yield content_of(node.config, node.main)
    if command.drop_ins and not node.drop_ins.is_dir():
        yield str(node.drop_ins), None if node.drop_ins.exists() else MISSING, 0.0
    elif command.drop_ins:
        paths = node.paths_of_drop_ins()
        yield from (content_of(path, node.added[path.name]) for path in paths)
        yield str(node.drop_ins), '\n'.join(map(str, paths)).encode(), latest_ctime(node.drop_ins)


def content_of(path: Path, entry: Entry) -> tuple[str, bytes | None, float]:
    if entry.kind is Kind.UNREADABLE:
        return str(path), None, 0.0
    if not path.is_file():
        return str(path), MISSING, 0.0
    return str(path), hashlib.sha256(path.read_bytes()).digest(), latest_ctime(path)


def latest_ctime(path: Path) -> float:
    """Return the latest ctime, including that of a link."""
    return max(path.lstat().st_ctime, path.stat().st_ctime)
