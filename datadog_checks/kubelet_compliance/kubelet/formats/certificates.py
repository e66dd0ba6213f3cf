# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Does a file contain certificates that Go accepts? Only the checks that a kubelet makes before it serves.

The kubelet does not check the issuer and the expiry at startup, so neither does this module. It raises nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .patterns import repeated

PEM_HEADERS = repeated(r'[^\n:-][^\n:]*+:[^\n]*+\n').encode()
# Base64 text and header names never start with a dash, so no byte is scanned twice at the next BEGIN.
BLOCK = re.compile(
    rb'^-----BEGIN ([^\n]*?)-----[ \t]*+\r?\n'
    rb'(' + PEM_HEADERS + rb')'
    rb'([A-Za-z0-9+/= \t\r\n]*+)(?<=\n)-----END \1-----[ \t]*+(?:\r?\n|\Z)',
    re.MULTILINE,
)
BASE64_SPACES = b' \t\r\n'

DER_SEQUENCE, DER_INTEGER, DER_BIT_STRING, DER_VERSION = 0x30, 0x02, 0x03, 0xA0


@dataclass(frozen=True, slots=True)
class Block:
    """One PEM block: its label, whether it has headers, and its decoded content."""

    label: bytes
    has_headers: bool
    der: bytes


def iter_blocks(data: bytes) -> Iterator[Block]:
    """The blocks of a PEM file. Skips anything else (Go's encoding/pem `Decode`)."""
    for found in BLOCK.finditer(data):
        try:
            der = base64.b64decode(found[3].translate(None, BASE64_SPACES), validate=True)
        except binascii.Error:
            continue
        yield Block(found[1], bool(found[2]), der)


def bundle_problem(data: bytes) -> str | None:
    """Why client-go's `ParseCertsPEM` refuses a bundle: a malformed certificate, or none at all."""
    found = [block.der for block in iter_blocks(data) if block.label == b'CERTIFICATE' and not block.has_headers]
    if not found:
        return 'has no PEM certificate'
    return None if all(map(is_certificate, found)) else 'has a malformed certificate'


def chain_problem(data: bytes) -> str | None:
    """Why Go's `tls.X509KeyPair` refuses a certificate chain: it parses only the first certificate."""
    first = next((block.der for block in iter_blocks(data) if block.label == b'CERTIFICATE'), None)
    if first is None:
        return 'has no PEM certificate'
    return None if is_certificate(first) else 'has a malformed certificate'


def is_certificate(der: bytes) -> bool:
    """Whether the structure is that of a certificate (Go's crypto/x509 `parseCertificate`). Ignores names and keys."""
    outer = elements(der)
    if [tag for tag, _ in outer] != [DER_SEQUENCE]:
        return False
    parts = elements(outer[0][1])
    if [tag for tag, _ in parts[:3]] != [DER_SEQUENCE, DER_SEQUENCE, DER_BIT_STRING]:
        return False
    tags = [tag for tag, _ in elements(parts[0][1])]
    if tags[:1] == [DER_VERSION]:
        del tags[0]
    return tags[:6] == [DER_INTEGER, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE]


def elements(der: bytes) -> list[tuple[int, bytes]]:
    """The tag and content of consecutive DER elements. None of them if one is malformed."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(der):
        tag, first = der[at], der[at + 1] if at + 1 < len(der) else 0x80
        octets = first & 0x7F if first & 0x80 else 0
        start = at + 2 + octets
        length = int.from_bytes(der[at + 2 : start], 'big') if octets else first
        # An indefinite length, or one with more bytes than needed, is BER and not DER.
        is_minimal = first < 0x80 or (0 < octets <= 4 and length >= max(0x80, 1 << 8 * (octets - 1)))
        if tag & 0x1F == 0x1F or not is_minimal or start + length > len(der):
            return []
        found.append((tag, der[start : start + length]))
        at = start + length
    return found
