# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The minor releases of Kubernetes that the tables cover, and which of them give the same answer.

Code that depends on the release asks a `Release` object. The object records each question, so that one reading of a
configuration counts for every release that gives the same answers. See `iter_alike`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

OLDEST: Final = 20
"""The first minor release in the tables. Its rows also stand for older releases."""
NEWEST: Final = 38
ALL: Final = frozenset(range(OLDEST, NEWEST + 1))

MINOR_VERSION = re.compile(r'v?1\.([0-9]{1,3})(?![0-9])')

Result = TypeVar('Result')


class Release:
    """One minor release of Kubernetes (`minor` 34 is 1.34). `asked` records the releases that it was compared with."""

    def __init__(self, minor: int) -> None:
        self.minor = minor
        self.asked: set[int] = set()

    def __str__(self) -> str:
        return f'1.{self.minor}'

    def at_least(self, minor: int) -> bool:
        """Whether this release is 1.`minor` or later."""
        self.asked.add(minor)
        return self.minor >= minor

    def before(self, minor: int) -> bool:
        return not self.at_least(minor)

    def is_in(self, since: int, until: int | None = None) -> bool:
        """Whether this release is between two others, inclusive. `until` None: no upper limit."""
        return self.at_least(since) and (until is None or self.before(until + 1))

    def is_like(self, minor: int) -> bool:
        """Whether 1.`minor` gives the same answer to every question that was asked so far."""
        return all((self.minor >= asked) == (minor >= asked) for asked in self.asked)


def minor_of(version: str) -> int | None:
    """The minor release of a version such as `v1.31.4-eks-a1b2c3`. None if it is not a Kubernetes version."""
    match = MINOR_VERSION.match(version)
    return int(match[1]) if match is not None else None


def within_tables(minor: int) -> int:
    """The release whose rows apply: the oldest in the tables for older releases, the newest for newer releases."""
    return min(max(minor, OLDEST), NEWEST)


def iter_alike(minors: Iterable[int], work: Callable[[Release], Result]) -> Iterator[tuple[frozenset[int], Result]]:
    """Do the work once for each group of releases that give the same answers, newest first.

    Yields the releases of each group, and the result.
    """
    rest = sorted(minors, reverse=True)
    while rest:
        release = Release(rest[0])
        result = work(release)
        alike = frozenset(minor for minor in rest if release.is_like(minor))
        yield alike, result
        rest = [minor for minor in rest if minor not in alike]
