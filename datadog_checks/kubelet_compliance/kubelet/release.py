# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The minor releases of Kubernetes that a kubelet can be of, and which of them behave alike. Pure.

Whatever differs from release to release asks a `Release`. It keeps what it was asked, so that one reading of a
configuration stands for all releases that would have answered the same: see `iter_alike`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

OLDEST: Final = 20
"""The tables begin here; what they say of it holds for older releases too."""
NEWEST: Final = 38
ALL: Final = frozenset(range(OLDEST, NEWEST + 1))

VERSION = re.compile(r'v?1\.([0-9]{1,3})(?![0-9])')

Answer = TypeVar('Answer')


class Release:
    """One minor release of Kubernetes (`minor` 34 is 1.34), which keeps what it was asked."""

    def __init__(self, minor: int) -> None:
        self.minor = minor
        self.asked: set[int] = set()

    def __str__(self) -> str:
        return f'1.{self.minor}'

    def at_least(self, minor: int) -> bool:
        """Whether the release is that one or a later one."""
        self.asked.add(minor)
        return self.minor >= minor

    def before(self, minor: int) -> bool:
        return not self.at_least(minor)

    def is_in(self, since: int, until: int | None = None) -> bool:
        """Whether the release lies between two others, both included; `until` None: up to the newest."""
        return self.at_least(since) and (until is None or self.before(until + 1))

    def is_like(self, minor: int) -> bool:
        """Whether another release would have answered all that this one was asked in the same way."""
        return all((self.minor >= asked) == (minor >= asked) for asked in self.asked)


def minor_of(version: str) -> int | None:
    """The minor release of a version such as `v1.31.4-eks-a1b2c3`; None for what is none."""
    match = VERSION.match(version)
    return int(match[1]) if match is not None else None


def within_tables(minor: int) -> int:
    """The release in the tables that stands for another: the oldest for older ones, the newest for newer ones."""
    return min(max(minor, OLDEST), NEWEST)


def iter_alike(minors: Iterable[int], work: Callable[[Release], Answer]) -> Iterator[tuple[frozenset[int], Answer]]:
    """What the work comes to in each of some releases, newest first, and the releases for which it comes to that."""
    rest = sorted(minors, reverse=True)
    while rest:
        release = Release(rest[0])
        answer = work(release)
        alike = frozenset(minor for minor in rest if release.is_like(minor))
        yield alike, answer
        rest = [minor for minor in rest if minor not in alike]
