# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Makes something happen just before any one of the calls by which the package looks at files."""

from __future__ import annotations

import builtins
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

OURS = 'datadog_checks.kubelet_compliance.'
CALLS = ('open', 'read', 'pread', 'stat', 'lstat', 'fstat', 'readlink', 'listdir', 'scandir', 'dup', 'dup2')
OF_HANDLES = ('fstat',)
"""Of the calls above, those that look at what is open already."""

Happening = Callable[[int], None]
"""Called with the number of the call that comes next, from 1; what it raises, the call raises."""


class Watched:
    """A file whose first read is a call too: the kernel makes up a file of /proc then, not when it is opened."""

    def __init__(self, file: Any, before: Callable[[], None]) -> None:
        self.file = file
        self.before: Callable[[], None] | None = before

    def read(self, *arguments: Any) -> Any:
        if self.before is not None:
            self.before()
            self.before = None
        return self.file.read(*arguments)

    def __enter__(self) -> Watched:
        self.file.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.file.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


class Steps:
    """Counts the package's own calls, in all threads."""

    def __init__(self, happens: Happening) -> None:
        self.happens = happens
        self.count = 0
        self.lock = threading.Lock()

    def before(self) -> None:
        # The base package and the tests look at files of their own.
        if not str(sys._getframe(2).f_globals.get('__name__')).startswith(OURS):
            return
        with self.lock:
            self.count += 1
            nth = self.count
        self.happens(nth)

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            self.before()
            return call(*arguments, **options)

        return wrapped

    def wrap_open(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(path: Any, *arguments: Any, **options: Any) -> Any:
            # What has a handle already is open.
            if not isinstance(path, int):
                self.before()
            return Watched(call(path, *arguments, **options), self.before)

        return wrapped


@contextmanager
def steps(happens: Happening = lambda nth: None, calls: Sequence[str] = CALLS) -> Iterator[Steps]:
    """Within it, `happens` comes before each call."""
    counted = Steps(happens)
    with pytest.MonkeyPatch.context() as patch:
        for name in calls:
            patch.setattr(os, name, counted.wrap(getattr(os, name)))
        patch.setattr(builtins, 'open', counted.wrap_open(builtins.open))
        yield counted


def at(nth: int, happens: Callable[[], object]) -> Happening:
    """A happening that comes once, before the n-th call."""
    return lambda number: void(happens()) if number == nth else None


def void(_: object) -> None:
    """For what happens, where its answer is of no use."""
