# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Answers of a kubelet that were kept in files, in place of a connection to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .configz import Connection

URL = 'https://127.0.0.1:10250'
"""Where a kubelet listens that is told nothing else."""


@dataclass(slots=True)
class KeptAnswer:
    """An answer as `requests` gives one."""

    status_code: int
    body: bytes = b''

    def iter_content(self, chunk_size: int) -> Iterator[bytes]:
        for start in range(0, len(self.body), chunk_size):
            yield self.body[start : start + chunk_size]

    def close(self) -> None:
        """There is nothing to close."""


def answers(bodies: Mapping[str, bytes], url: str = URL) -> Connection:
    """A connection that gives the kept answers, by path, and 404 for every other one."""

    def get(path: str) -> KeptAnswer:
        return KeptAnswer(200, bodies[path]) if path in bodies else KeptAnswer(404)

    return Connection(url, get, timeout_seconds=10.0, is_verified=True)
