# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A real HTTP server over real TLS on loopback that answers as a kubelet does, well or badly."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

METRICS = (
    '# HELP kubernetes_build_info A metric with a constant 1 value\n'
    'kubernetes_build_info{build_date="2025-01-01",git_commit="abc",git_version="%s",major="1"} 1\n'
)


@dataclass(frozen=True)
class Certificates:
    """A CA, and a certificate with its key for 127.0.0.1 and for a client, as paths of PEM files."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make_certificates(folder: Path, host: str = '127.0.0.1', days: tuple[int, int] = (-1, 1)) -> Certificates:
    """`host`: the address that the certificates are for; `days`: from which day, from now, to which they are valid."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = sign('test-ca', ca_key.public_key(), 'test-ca', ca_key, is_ca=True)
    paths = {'ca': write(folder / 'ca.pem', ca.public_bytes(serialization.Encoding.PEM))}
    for name in ('server', 'client'):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = sign(name, key.public_key(), 'test-ca', ca_key, is_ca=False, host=host, days=days)
        paths[name] = write(folder / f'{name}.pem', certificate.public_bytes(serialization.Encoding.PEM))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        paths[f'{name}_key'] = write(folder / f'{name}.key', private)
    return Certificates(**paths)


def sign(
    name: str,
    key: ec.EllipticCurvePublicKey,
    issuer: str,
    ca_key: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool,
    host: str = '127.0.0.1',
    days: tuple[int, int] = (-1, 1),
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone.utc)
    addresses = [x509.IPAddress(ipaddress.ip_address(host)), x509.DNSName('localhost')]
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@dataclass
class KubeletServer:
    """What the server answers, and what it was asked. Change it at any time."""

    url: str = ''
    handle: int = -1
    """The socket that listens: who holds it, listens there."""
    status: int = 200
    body: bytes = b''
    version: str = 'v1.31.4'
    token: str = ''
    """Where it is set, requests without it get 401."""
    location: str = ''
    megabytes: int = 0
    """So many MB of spaces come before the body."""
    hang: threading.Event | None = None
    """Where it is set, nothing is answered until it is."""
    statuses: dict[str, int] = field(default_factory=dict)
    """By path, in place of `status`; with 0 the connection is dropped."""
    drip: bool = False
    """One byte a tenth of a second."""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


class Handler(BaseHTTPRequestHandler):
    kubelet: KubeletServer

    def do_GET(self) -> None:
        kubelet = self.kubelet
        kubelet.requests.append((self.path, dict(self.headers.items())))
        if kubelet.hang is not None:
            kubelet.hang.wait(20)
        status = kubelet.statuses.get(self.path, kubelet.status)
        if status == 0:
            self.close_connection = True
            return
        if kubelet.token and self.headers.get('Authorization') != f'Bearer {kubelet.token}':
            status = 401
        self.send_response(status)
        if kubelet.location:
            self.send_header('Location', kubelet.location)
        self.end_headers()
        body = (METRICS % kubelet.version).encode() if self.path == '/metrics' else kubelet.body
        try:
            self.send_body(body)
        except OSError:
            self.close_connection = True

    def send_body(self, body: bytes) -> None:
        for _ in range(self.kubelet.megabytes):
            self.wfile.write(b' ' * 1_000_000)
        if not self.kubelet.drip:
            self.wfile.write(body)
            return
        for byte in body:
            if self.kubelet.closing.wait(0.1):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve(certificates: Certificates | None, *, client_certificates: bool = False) -> Iterator[KubeletServer]:
    """Serve on a free port of loopback; with certificates over TLS, and with mutual TLS if that is asked for."""
    kubelet = KubeletServer()
    server = ThreadingHTTPServer(('127.0.0.1', 0), type('Bound', (Handler,), {'kubelet': kubelet}))
    server.daemon_threads = True
    if certificates is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.server, certificates.server_key)
        if client_certificates:
            context.load_verify_locations(certificates.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scheme = 'https' if certificates is not None else 'http'
    kubelet.url = f'{scheme}://127.0.0.1:{server.server_address[1]}'
    kubelet.handle = server.fileno()
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.02})
    thread.start()
    try:
        yield kubelet
    finally:
        kubelet.closing.set()
        if kubelet.hang is not None:
            kubelet.hang.set()
        server.shutdown()
        server.server_close()
        thread.join()
