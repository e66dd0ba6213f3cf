# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Makes something happen just before any one of the calls by which this process looks at files."""

from __future__ import annotations

import builtins
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CALLS = ('open', 'read', 'pread', 'stat', 'lstat', 'fstat', 'readlink', 'listdir', 'scandir', 'dup', 'dup2')

Happening = Callable[[int], None]
"""Called with the number of the call that comes next, from 1; what it raises, the call raises."""


class Watched:
    """A file whose reads are calls too: the kernel answers them by what is true then, not when it was opened."""

    def __init__(self, file: Any, before: Callable[[], None]) -> None:
        self.file = file
        self.before = before

    def read(self, *arguments: Any) -> Any:
        self.before()
        return self.file.read(*arguments)

    def __enter__(self) -> Watched:
        self.file.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.file.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


class Steps:
    """Counts the calls, of all threads; those that a happening makes itself are not counted."""

    def __init__(self, happens: Happening) -> None:
        self.happens = happens
        self.count = 0
        self.lock = threading.Lock()
        self.own = threading.local()

    def before(self) -> None:
        if getattr(self.own, 'busy', False):
            return
        with self.lock:
            self.count += 1
            nth = self.count
        self.own.busy = True
        try:
            self.happens(nth)
        finally:
            self.own.busy = False

    def wrap(self, call: Callable[..., Any], *, gives_a_file: bool = False) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            self.before()
            answer = call(*arguments, **options)
            return Watched(answer, self.before) if gives_a_file else answer

        return wrapped


@contextmanager
def steps(happens: Happening = lambda nth: None) -> Iterator[Steps]:
    """Within it, `happens` comes before each call."""
    counted = Steps(happens)
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, counted.wrap(getattr(os, name)))
        patch.setattr(builtins, 'open', counted.wrap(builtins.open, gives_a_file=True))
        yield counted


def at(nth: int, happens: Callable[[], object]) -> Happening:
    """A happening that comes once, before the n-th call."""
    return lambda number: void(happens()) if number == nth else None


def void(_: object) -> None:
    """For a happening whose answer is of no use."""
