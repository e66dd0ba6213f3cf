# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""HTTP requests to a kubelet: its running configuration (`/configz`), and its version (`/metrics`).

A kubelet never changes its running configuration, so the check asks each process once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from datadog_checks.kubelet_compliance.kubelet.decoding import (
    Configuration,
    Decoder,
    DecodingError,
    tree_of,
)
from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml import Document, DocumentError, DocumentTooLarge
from datadog_checks.kubelet_compliance.kubelet.identity import check_identity
from datadog_checks.kubelet_compliance.model import Fault, Process, Source, Unknown
from datadog_checks.kubelet_compliance.node.worker import OutOfPatience, Worker

from .failures import elsewhere, explain_connection, explain_silence, explain_status
from .peer_names import certificate_names
from .tls_failures import explain, is_for_another_name
from .ways import Way

MAX_CONFIGZ_BYTES = 1024 * 1024
MAX_METRICS_BYTES = 4 * 1024 * 1024
LIMITS = {'/configz': MAX_CONFIGZ_BYTES, '/metrics': MAX_METRICS_BYTES}
BODY_CHUNK_BYTES = 64 * 1024
MAX_REFUSAL_BYTES = 1024
FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 600.0
LONGEST_WAIT_FOR_A_PERSON_SECONDS = 60.0
"""After a failure that a person resolves, such as a missing approval. The result then shows up soon."""
WAITS_FOR_A_PERSON = frozenset({Fault.NO_CERTIFICATE, Fault.FORBIDDEN, Fault.CREDENTIALS_REFUSED})
LONGEST_WAIT_SECONDS = 4.0
"""For all requests of one collection together: a kubelet that hangs must not block the Agent."""

BUILD_INFO = re.compile(rb'^kubernetes_build_info\{[^}\n]*git_version="(v[0-9A-Za-z.+_-]{1,60})"', re.MULTILINE)

Parsed = TypeVar('Parsed')


class Response(Protocol):
    """The part of a `requests` response that this module uses."""

    status_code: int

    def iter_content(self, chunk_size: int) -> Iterator[bytes]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a kubelet: its URL, and a function that sends a GET for a path below it.

    The function must neither follow redirects nor use a proxy, and leave the body to be read (`stream`).
    """

    url: str
    get: Callable[[str], Response]
    timeout_seconds: float
    is_verified: bool = False
    """Whether the server must present a trusted certificate."""
    verify: bool | str = True
    """The trusted CAs: a file or folder. True: those of the system."""
    trusts_unverified: bool = False
    """Whether an answer counts even if nothing proves who sent it: the option `trust_unverified_configz`."""
    is_agents_own: bool = False
    """Whether the URL and the credentials come from the Agent's own settings."""
    has_both: bool = False
    """See `Way`."""

    @property
    def way(self) -> Way:
        """The settings behind this connection, for messages. Raises ValueError if the URL is not valid."""
        parts = urlsplit(self.url)
        is_https = parts.scheme == 'https'
        port = parts.port or (443 if is_https else 80)
        return Way(
            parts.hostname or '',
            port,
            is_https,
            is_agents_own=self.is_agents_own,
            has_ca=isinstance(self.verify, str),
            has_both=self.has_both,
        )


class AskError(Exception):
    """The request to the kubelet failed, or its answer can't be used."""

    def __init__(self, why: str, remedy: str = '', fault: Fault | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy
        self.fault = fault

    @classmethod
    def of(cls, unknown: Unknown) -> AskError:
        return cls(unknown.reason, unknown.remedy, unknown.fault)


@dataclass(slots=True)
class Failure:
    """A request that failed, and when to retry (seconds of the monotonic clock)."""

    unknown: Unknown
    pause_seconds: float
    again_at: float


class Once:
    """Sends a request once for each process. Retries a failed one, with pauses that double up to ten minutes."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.what = what
        self.clock = clock
        self.answers: dict[tuple[int, ...], Any] = {}
        self.failures: dict[tuple[int, ...], Failure] = {}
        self.asked: set[tuple[int, ...]] = set()

    def ask(self, process: Process, question: Callable[[], Parsed]) -> Parsed | Unknown:
        key = process.key
        self.asked.add(key)
        if key in self.answers:
            answer: Parsed = self.answers[key]
            return answer
        failure = self.failures.get(key)
        if failure is not None and self.clock() < failure.again_at:
            return failure.unknown
        try:
            answer = self.answers[key] = question()
            self.failures.pop(key, None)
            return answer
        except AskError as error:
            longest = LONGEST_WAIT_FOR_A_PERSON_SECONDS if error.fault in WAITS_FOR_A_PERSON else LONGEST_PAUSE_SECONDS
            pause = min(failure.pause_seconds * 2, longest) if failure else FIRST_PAUSE_SECONDS
            unknown = Unknown(f'could not read {self.what}: {error.why}', error.remedy, fault=error.fault)
            self.failures[key] = Failure(unknown, pause, self.clock() + pause)
            return unknown

    def begin(self) -> None:
        """Begin a collection: `has_to_ask` counts only requests from here on."""
        self.asked.clear()

    def has_to_ask(self) -> bool:
        """Whether a request that failed in the last collection is due for a retry."""
        now = self.clock()
        return any(now >= self.failures[key].again_at for key in self.asked if key in self.failures)

    def forget_all_but(self, processes: Sequence[Process]) -> None:
        alive = {process.key for process in processes}
        self.answers = {key: answer for key, answer in self.answers.items() if key in alive}
        self.failures = {key: failure for key, failure in self.failures.items() if key in alive}


class KubeletApi:
    """Requests to kubelets, and their answers for as long as the processes live."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.worker = Worker()
        self.left = LONGEST_WAIT_SECONDS
        """Seconds that this collection may still wait."""
        self.configurations = Once('/configz', clock)
        self.versions = Once('/metrics', clock)
        self.accepted: set[str] = set()
        """The URLs that accepted the credentials before: a later failure has another cause."""

    def running(
        self, process: Process, connection: Connection, check_owner: Callable[[], bool]
    ) -> Configuration | Unknown:
        """The configuration that a process runs with.

        `check_owner`: returns whether the process provably owns the port. Raises AskError if another process does.
        """
        return self.configurations.ask(
            process, lambda: parse_configz(self.own_answer(process, connection, '/configz', check_owner))
        )

    def version(self, process: Process, connection: Connection, check_owner: Callable[[], bool]) -> str | Unknown:
        """The version of a process, such as `v1.31.4`. `check_owner` as above."""
        return self.versions.ask(
            process, lambda: parse_version(self.own_answer(process, connection, '/metrics', check_owner))
        )

    def known_version(self, process: Process) -> str | None:
        """The version of a process, if an earlier answer gave it."""
        answer = self.versions.answers.get(process.key)
        return answer if isinstance(answer, str) else None

    def own_answer(self, process: Process, connection: Connection, path: str, check_owner: Callable[[], bool]) -> bytes:
        """The response of a kubelet. Sends the request only if that kubelet owns the port. Raises AskError."""
        return self.fetch(process, connection, path, is_proven=check_owner())

    def begin(self) -> None:
        self.left = LONGEST_WAIT_SECONDS
        self.configurations.begin()
        self.versions.begin()

    def has_to_ask(self) -> bool:
        return self.configurations.has_to_ask() or self.versions.has_to_ask()

    def forget_all_but(self, processes: Sequence[Process]) -> None:
        self.configurations.forget_all_but(processes)
        self.versions.forget_all_but(processes)

    def fetch(self, process: Process, connection: Connection, path: str, *, is_proven: bool) -> bytes:
        """The body of an answer, within its size limit and the time that is left. Raises AskError.

        The timeouts of `requests` restart with each byte, so a thread limits the total time. An answer that arrives
        later counts for the next request of the same kind, if as much is known about its sender (`is_proven`).
        """
        # A large library: load it only for a check that sends requests.
        import requests

        seconds, began = min(connection.timeout_seconds, self.left), time.monotonic()
        way, has_worked = connection.way, connection.url in self.accepted
        try:
            key = process.key, connection.url, path, is_proven
            body = self.worker.run(lambda: fetch_body(connection, path, has_worked=has_worked), seconds, key)
            self.accepted.add(connection.url)
            return body
        except requests.exceptions.SSLError as error:
            names = self.names(connection, began + seconds) if is_for_another_name(error) else ()
            raise AskError.of(explain(error, way, names)) from None
        except (requests.exceptions.Timeout, OutOfPatience) as error:
            limit = min(connection.timeout_seconds, LONGEST_WAIT_SECONDS)
            is_connected = not isinstance(error, requests.exceptions.ConnectTimeout)
            silence = explain_silence(limit, way, is_connected=is_connected, has_worked=has_worked)
            raise AskError.of(silence) from None
        except (requests.exceptions.RequestException, OSError, ValueError, TypeError, ImportError) as error:
            # The last three: an HTTP option of the base class that `requests`, or this Agent, can't use.
            raise AskError.of(explain_connection(error, way)) from None
        except AskError as error:
            if error.fault in TAKEN:
                self.accepted.add(connection.url)
            raise
        finally:
            self.left -= time.monotonic() - began

    def names(self, connection: Connection, until: float) -> tuple[str, ...]:
        """The names in the certificate of the server. Empty if they don't arrive in time."""
        seconds, way = until - time.monotonic(), connection.way
        try:
            return self.worker.run(lambda: certificate_names(way.host, way.port, connection.verify, seconds), seconds)
        except (OSError, ValueError, OutOfPatience):
            return ()


TAKEN = frozenset({Fault.FORBIDDEN, Fault.NOT_SERVED})
"""Failures of a kubelet that accepted the credentials."""


def fetch_body(connection: Connection, path: str, *, has_worked: bool = False) -> bytes:
    """Raises AskError, and what `requests` raises."""
    with closing(connection.get(path)) as response:
        if response.status_code != 200:
            refusal = next(response.iter_content(MAX_REFUSAL_BYTES), b'')
            status = response.status_code
            raise AskError.of(explain_status(status, path, refusal, connection.way, has_worked=has_worked))
        body, limit = bytearray(), LIMITS[path]
        for chunk in response.iter_content(BODY_CHUNK_BYTES):
            body += chunk
            if len(body) > limit:
                mebibytes = limit // (1024 * 1024)
                raise AskError(
                    f'the response is larger than {mebibytes} MiB', elsewhere(connection.way), Fault.NOT_THE_KUBELET
                )
        return bytes(body)


NOT_A_CONFIGURATION = 'the response is not a kubelet configuration'
SOMETHING_ELSE = 'something other than the kubelet responds there: check the address and the port'


def not_one() -> AskError:
    return AskError(NOT_A_CONFIGURATION, SOMETHING_ELSE, Fault.NOT_THE_KUBELET)


def parse_configz(body: bytes) -> Configuration:
    """The typed configuration in a response of `/configz`, which omits zero values. Raises AskError."""
    try:
        if not body.lstrip().startswith(b'{'):
            raise not_one()
        outer = parse_document(body).root.value
        inner = outer.get('kubeletconfig') if isinstance(outer, dict) else None
        if inner is None:
            raise not_one()
        if not isinstance(inner.value, dict) or 'makeIPTablesUtilChains' not in inner.value:
            raise not_one()
        if 'kind' in inner.value:
            check_identity(Document(inner), any_case=False)
        return Decoder(any_case=False).decode(tree_of(inner, Source.CONFIGZ, '/configz'))
    except (DocumentError, DocumentTooLarge, DecodingError):
        raise not_one() from None


def parse_version(body: bytes) -> str:
    """The version in a response of `/metrics`. Raises AskError."""
    match = BUILD_INFO.search(body)
    if match is None:
        raise AskError('it does not contain the version of the kubelet', SOMETHING_ELSE, Fault.NOT_THE_KUBELET)
    return match[1].decode()
