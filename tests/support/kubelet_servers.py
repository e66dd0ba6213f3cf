# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Kubelets as an Agent may meet them: real servers on loopback, each with a certificate of its kind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from .kubelet_server import KubeletServer, make_certificates, serve

INTERNAL_ERROR = bytes([21, 3, 3, 0, 2, 2, 80])
"""The alert of a kubelet that has no certificate: `serverTLSBootstrap`, and nobody approved its request."""


class Serving(Enum):
    """What a kubelet shows to who connects."""

    GOOD = 'a certificate for its address'
    OTHER_NAME = 'a certificate for another name'
    EXPIRED = 'an expired certificate'
    NO_CERTIFICATE = 'a TLS internal error'
    READ_ONLY = 'no TLS at all'


@dataclass(frozen=True)
class Servers:
    """One server of each kind, by URL, and the only CA that is right."""

    servers: dict[Serving, KubeletServer]
    ca: Path
    other_ca: Path

    def url(self, serving: Serving, host: str = '127.0.0.1') -> str:
        return self.servers[serving].url.replace('127.0.0.1', host)


@contextmanager
def serve_all(folder: Path) -> Iterator[Servers]:
    names = ('good', 'named', 'expired', 'other')
    folders = {name: folder / name for name in names}
    for each in folders.values():
        each.mkdir()
    good = make_certificates(folders['good'])
    named = make_certificates(folders['named'], '127.0.0.2')
    expired = make_certificates(folders['expired'], days=(-2, -1))
    other = make_certificates(folders['other'])
    bundle = folder / 'ca.pem'
    bundle.write_bytes(b''.join(each.ca.read_bytes() for each in (good, named, expired)))
    with (
        serve(good) as by_address,
        serve(named) as by_name,
        serve(expired) as late,
        serve(None) as plain,
        alerting() as without,
    ):
        servers = {
            Serving.GOOD: by_address,
            Serving.OTHER_NAME: by_name,
            Serving.EXPIRED: late,
            Serving.READ_ONLY: plain,
            Serving.NO_CERTIFICATE: without,
        }
        yield Servers(servers, bundle, other.ca)


@contextmanager
def alerting() -> Iterator[KubeletServer]:
    """One that answers the first words of each TLS client with a fatal alert."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        thread = threading.Thread(target=send_alerts, args=(listener,))
        thread.start()
        address = listener.getsockname()
        try:
            yield KubeletServer(url=f'https://127.0.0.1:{address[1]}', handle=listener.fileno())
        finally:
            # A client that says nothing ends it: a thread that waits in accept() does not see the socket close.
            socket.create_connection(address).close()
            thread.join()


def send_alerts(listener: socket.socket) -> None:
    while True:
        client, _ = listener.accept()
        # A client that goes away meanwhile is no end.
        with client, suppress(ConnectionError):
            if not client.recv(65536):
                return
            client.sendall(INTERNAL_ERROR)
