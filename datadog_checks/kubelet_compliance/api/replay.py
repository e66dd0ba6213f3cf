# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Saved answers of a kubelet, in place of a connection to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .configz import Connection

URL = 'https://127.0.0.1:10250'
"""The default address of a kubelet."""


@dataclass(slots=True)
class KeptAnswer:
    """A saved answer with the interface of a `requests` response."""

    status_code: int
    body: bytes = b''

    def iter_content(self, chunk_size: int) -> Iterator[bytes]:
        for start in range(0, len(self.body), chunk_size):
            yield self.body[start : start + chunk_size]

    def close(self) -> None:
        """Does nothing: no connection is open."""


def answers(bodies: Mapping[str, bytes], url: str = URL) -> Connection:
    """A connection that returns the saved answers, by path, and 404 for every other path."""

    def get(path: str) -> KeptAnswer:
        return KeptAnswer(200, bodies[path]) if path in bodies else KeptAnswer(404)

    return Connection(url, get, timeout_seconds=10.0, is_verified=True)
