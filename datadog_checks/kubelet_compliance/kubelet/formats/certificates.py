# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Does a file hold certificates that Go takes? As far as a kubelet wants to know before it serves. Pure, total.

Who signed a certificate, and until when it holds, is of no interest to the kubelet's start, and so not looked at.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .patterns import repeated

HEADERS = repeated(r'[^\n:-][^\n:]*+:[^\n]*+\n').encode()
# Nothing in base64 or before a header's colon starts with a dash here, so no byte is looked at again at the next BEGIN.
BLOCK = re.compile(
    rb'^-----BEGIN ([^\n]*?)-----[ \t]*+\r?\n'
    rb'(' + HEADERS + rb')'
    rb'([A-Za-z0-9+/= \t\r\n]*+)(?<=\n)-----END \1-----[ \t]*+(?:\r?\n|\Z)',
    re.MULTILINE,
)
SPACES = b' \t\r\n'

SEQUENCE, INTEGER, BIT_STRING, VERSION = 0x30, 0x02, 0x03, 0xA0


@dataclass(frozen=True, slots=True)
class Block:
    """One PEM block: its label, whether it has headers, and what it encodes."""

    label: bytes
    has_headers: bool
    der: bytes


def iter_blocks(data: bytes) -> Iterator[Block]:
    """The blocks of a PEM file, past whatever is none (Go's encoding/pem `Decode`)."""
    for found in BLOCK.finditer(data):
        try:
            der = base64.b64decode(found[3].translate(None, SPACES), validate=True)
        except binascii.Error:
            continue
        yield Block(found[1], bool(found[2]), der)


def bundle_problem(data: bytes) -> str | None:
    """What Go's client-go `ParseCertsPEM` refuses in a bundle: a broken certificate, or none at all."""
    found = [block.der for block in iter_blocks(data) if block.label == b'CERTIFICATE' and not block.has_headers]
    if not found:
        return 'holds no PEM certificate'
    return None if all(map(is_certificate, found)) else 'holds a certificate that is malformed'


def chain_problem(data: bytes) -> str | None:
    """What Go's `tls.X509KeyPair` refuses in a certificate with its chain: of the chain it parses the first only."""
    first = next((block.der for block in iter_blocks(data) if block.label == b'CERTIFICATE'), None)
    if first is None:
        return 'holds no PEM certificate'
    return None if is_certificate(first) else 'holds a certificate that is malformed'


def is_certificate(der: bytes) -> bool:
    """Whether the outline is that of a certificate (Go's crypto/x509 `parseCertificate`), names and keys unread."""
    outer = elements(der)
    if [tag for tag, _ in outer] != [SEQUENCE]:
        return False
    parts = elements(outer[0][1])
    if [tag for tag, _ in parts[:3]] != [SEQUENCE, SEQUENCE, BIT_STRING]:
        return False
    tags = [tag for tag, _ in elements(parts[0][1])]
    if tags[:1] == [VERSION]:
        del tags[0]
    return tags[:6] == [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE]


def elements(der: bytes) -> list[tuple[int, bytes]]:
    """The DER elements that lie one after the other, tag and content; none of them where one is malformed."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(der):
        tag, first = der[at], der[at + 1] if at + 1 < len(der) else 0x80
        octets = first & 0x7F if first & 0x80 else 0
        start = at + 2 + octets
        length = int.from_bytes(der[at + 2 : start], 'big') if octets else first
        # Without a length of its own, or with one longer than it must be, it is BER.
        is_minimal = first < 0x80 or (0 < octets <= 4 and length >= max(0x80, 1 << 8 * (octets - 1)))
        if tag & 0x1F == 0x1F or not is_minimal or start + length > len(der):
            return []
        found.append((tag, der[start : start + length]))
        at = start + length
    return found
