# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The door to HTTP: what a kubelet says that it runs with (`/configz`), and its version (`/metrics`).

A kubelet's configuration is fixed for the life of its process, so each process is asked once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from .decoding import Configuration, Decoder, DecodingError, check_identity, tree_of
from .documents import parse_document
from .goyaml import Document, DocumentError, DocumentTooLarge
from .model import Process, Source, Unknown
from .patience import OutOfPatience, Worker
from .tls_failures import explain

MAX_CONFIGZ_BYTES = 1024 * 1024
MAX_METRICS_BYTES = 4 * 1024 * 1024
LIMITS = {'/configz': MAX_CONFIGZ_BYTES, '/metrics': MAX_METRICS_BYTES}
CHUNK_BYTES = 64 * 1024
FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 600.0
LONGEST_WAIT_SECONDS = 4.0
"""For all questions of one collection together: a kubelet that hangs must not hold the Agent up."""

BUILD_INFO = re.compile(rb'^kubernetes_build_info\{[^}\n]*git_version="(v[0-9A-Za-z.+_-]{1,60})"', re.MULTILINE)

REMEDIES = {
    401: ('the kubelet did not accept the credentials (401)', 'let the Agent send a token or certificate it knows'),
    403: (
        'the kubelet does not let the Agent read it (403)',
        "let the Agent's ClusterRole get nodes/configz and nodes/metrics (Kubernetes 1.33 and newer) or nodes/proxy",
    ),
    404: ('the kubelet does not serve it (404)', 'set enableDebuggingHandlers: true for the kubelet'),
}

Found = TypeVar('Found')


class Response(Protocol):
    """What is used of an answer of `requests`."""

    status_code: int

    def iter_content(self, chunk_size: int) -> Iterator[bytes]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """How a kubelet is reached: its URL, and a function that sends a GET for a path below it.

    The function must neither follow redirects nor use a proxy, and leave the body to be read (`stream`).
    """

    url: str
    get: Callable[[str], Response]
    timeout_seconds: float
    is_verified: bool = False
    """Whether who answers must show a certificate that is trusted."""


class AskError(Exception):
    """The kubelet could not be asked, or gave no answer that can be used."""

    def __init__(self, why: str, remedy: str = '') -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy


@dataclass(slots=True)
class Failure:
    """A question that failed, and when to ask again (seconds of the monotonic clock)."""

    unknown: Unknown
    pause_seconds: float
    again_at: float


class Once:
    """Asks a question once for each process; after a failure again, with pauses that double up to ten minutes."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.what = what
        self.clock = clock
        self.answers: dict[tuple[int, ...], Any] = {}
        self.failures: dict[tuple[int, ...], Failure] = {}
        self.asked: set[tuple[int, ...]] = set()

    def ask(self, process: Process, question: Callable[[], Found]) -> Found | Unknown:
        key = process.key
        self.asked.add(key)
        if key in self.answers:
            answer: Found = self.answers[key]
            return answer
        failure = self.failures.get(key)
        if failure is not None and self.clock() < failure.again_at:
            return failure.unknown
        try:
            answer = self.answers[key] = question()
            self.failures.pop(key, None)
            return answer
        except AskError as error:
            pause = min(failure.pause_seconds * 2, LONGEST_PAUSE_SECONDS) if failure else FIRST_PAUSE_SECONDS
            unknown = Unknown(f'{self.what} could not be read: {error.why}', error.remedy)
            self.failures[key] = Failure(unknown, pause, self.clock() + pause)
            return unknown

    def begin(self) -> None:
        """Begin a look: only what is asked from here on counts for `has_to_ask`."""
        self.asked.clear()

    def has_to_ask(self) -> bool:
        """Whether a question that failed in the last look is to be asked again now."""
        now = self.clock()
        return any(now >= self.failures[key].again_at for key in self.asked if key in self.failures)

    def forget_all_but(self, processes: Sequence[Process]) -> None:
        alive = {process.key for process in processes}
        self.answers = {key: answer for key, answer in self.answers.items() if key in alive}
        self.failures = {key: failure for key, failure in self.failures.items() if key in alive}


class KubeletApi:
    """What is asked of kubelets, and their answers for as long as they live."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.worker = Worker()
        self.left = LONGEST_WAIT_SECONDS
        """Seconds that this collection may still wait."""
        self.configurations = Once('/configz', clock)
        self.versions = Once('/metrics', clock)

    def running(
        self, process: Process, connection: Connection, check_owner: Callable[[], None]
    ) -> Configuration | Unknown:
        """The configuration that a process runs with. `check_owner` raises AskError where another would answer."""
        return self.configurations.ask(
            process, lambda: parse_configz(self.own_answer(process, connection, '/configz', check_owner))
        )

    def version(self, process: Process, connection: Connection, check_owner: Callable[[], None]) -> str | Unknown:
        """The version of a process, such as `v1.31.4`. `check_owner` as above."""
        return self.versions.ask(
            process, lambda: parse_version(self.own_answer(process, connection, '/metrics', check_owner))
        )

    def known_version(self, process: Process) -> str | None:
        """The version of a process, where it has told it before."""
        answer = self.versions.answers.get(process.key)
        return answer if isinstance(answer, str) else None

    def own_answer(self, process: Process, connection: Connection, path: str, check_owner: Callable[[], None]) -> bytes:
        """What a kubelet answers, asked for only where it is the one who would. Raises AskError."""
        check_owner()
        return self.fetch(process, connection, path)

    def begin(self) -> None:
        self.left = LONGEST_WAIT_SECONDS
        self.configurations.begin()
        self.versions.begin()

    def has_to_ask(self) -> bool:
        return self.configurations.has_to_ask() or self.versions.has_to_ask()

    def forget_all_but(self, processes: Sequence[Process]) -> None:
        self.configurations.forget_all_but(processes)
        self.versions.forget_all_but(processes)

    def fetch(self, process: Process, connection: Connection, path: str) -> bytes:
        """The body of an answer, within its bound and within the time that is left. Raises AskError.

        The timeouts of `requests` begin anew with each byte, so the whole is bounded by a thread of its own. An answer
        that comes later counts for the next question of the same kind.
        """
        # A large library, which only those need that ask.
        import requests

        seconds, began = min(connection.timeout_seconds, self.left), time.monotonic()
        try:
            key = process.key, connection.url, path
            return self.worker.run(lambda: fetch_body(connection, path, LIMITS[path]), seconds, key)
        except requests.exceptions.SSLError as error:
            raise AskError(*explain(error)) from None
        except (requests.exceptions.Timeout, OutOfPatience):
            raise AskError(
                f'the kubelet did not answer within {min(connection.timeout_seconds, LONGEST_WAIT_SECONDS):g} s'
            ) from None
        except (requests.exceptions.RequestException, OSError, ValueError, TypeError, ImportError) as error:
            # The last three: an option of the base class's HTTP that `requests`, or this Agent, makes nothing of.
            raise AskError(f'no connection to the kubelet ({type(error).__name__})') from None
        finally:
            self.left -= time.monotonic() - began


def fetch_body(connection: Connection, path: str, limit: int) -> bytes:
    """Raises AskError, and what `requests` raises."""
    with closing(connection.get(path)) as response:
        check_status(response.status_code)
        body = bytearray()
        for chunk in response.iter_content(CHUNK_BYTES):
            body += chunk
            if len(body) > limit:
                raise AskError(f'the answer is larger than {limit // (1024 * 1024)} MiB')
        return bytes(body)


def check_status(status: int) -> None:
    """Raise AskError for anything but 200."""
    if status == 200:
        return
    if status in REMEDIES:
        raise AskError(*REMEDIES[status])
    if 300 <= status < 400:
        raise AskError(f'the kubelet answers with a redirect ({status}), which is not followed')
    raise AskError(f'the kubelet answers with status {status}')


def parse_configz(body: bytes) -> Configuration:
    """The typed configuration in an answer of `/configz`. Zero values are left out in it. Raises AskError."""
    not_one = 'the answer is not the configuration of a kubelet'
    try:
        if not body.lstrip().startswith(b'{'):
            raise AskError(not_one)
        outer = parse_document(body).root.value
        inner = outer.get('kubeletconfig') if isinstance(outer, dict) else None
        if inner is None:
            raise AskError(not_one)
        if not isinstance(inner.value, dict) or 'makeIPTablesUtilChains' not in inner.value:
            raise AskError(not_one)
        if 'kind' in inner.value:
            check_identity(Document(inner), any_case=False)
        return Decoder(any_case=False).decode(tree_of(inner, Source.CONFIGZ, '/configz'))
    except (DocumentError, DocumentTooLarge, DecodingError):
        raise AskError(not_one) from None


def parse_version(body: bytes) -> str:
    """The version in an answer of `/metrics`. Raises AskError."""
    match = BUILD_INFO.search(body)
    if match is None:
        raise AskError('it does not tell the version of the kubelet')
    return match[1].decode()
