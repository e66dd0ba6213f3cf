# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which files Go accepts as certificates.

Each row was the client CA file, or the serving certificate, of real kubelets of 1.30, 1.33, and 1.36, which exited or
served.
"""

from __future__ import annotations

import base64

import pytest

from datadog_checks.kubelet_compliance.kubelet.formats.certificates import (
    bundle_problem,
    chain_problem,
    elements,
    is_certificate,
)

PEM = b"""-----BEGIN CERTIFICATE-----
MIIBbzCCARWgAwIBAgIUMqNZuZlB4M9kzgiiZieAi2m8ZSwwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCY2EwHhcNMjYxMTI4MDczNDQzWhcNMzYxMTI1MDczNDQzWjAN
MQswCQYDVQQDDAJjYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJuXpaNaxCt4
xR4S0HAwL6QR89HTHcbSK+cwUXxSV+QC1xzU13963+7tyOZbZHSOmyag2ZQhwcxn
4KhIaTK4j6yjUzBRMB0GA1UdDgQWBBTNheruvgwAtKyK3ZSCbBSXArJFPjAfBgNV
HSMEGDAWgBTNheruvgwAtKyK3ZSCbBSXArJFPjAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0gAMEUCIQDD/3jY26DfBIUS/IiKgd9fi0gxFtCvqKANyYeFlrlA
0QIgeyagttHLT1FM3WrlsS1a7/ZDYeup0vhJHWNokhqQKdM=
-----END CERTIFICATE-----
"""
LINES = PEM.splitlines(keepends=True)
DER = base64.b64decode(b''.join(LINES[1:-1]))
# A block of another kind, such as a key.
OTHER = b'-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'
BROKEN = b'-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'


def encoded(der: bytes) -> bytes:
    return LINES[0] + base64.encodebytes(der) + LINES[-1]


HEADERS = PEM.replace(b'CERTIFICATE-----\n', b'CERTIFICATE-----\nA: b\n\n', 1)

# claim, file, and whether a kubelet served with it
BUNDLES: list[tuple[str, bytes, bool]] = [
    ('a certificate', PEM, True),
    ('two certificates', PEM + PEM, True),
    ('after another block', OTHER + PEM, True),
    ('before text', PEM + b'junk\n', True),
    ('after text', b'# my ca\nsubject=x\n' + PEM, True),
    ('with CRLF', PEM.replace(b'\n', b'\r\n'), True),
    ('base64 in one line', LINES[0] + b''.join(LINES[1:-1]).replace(b'\n', b'') + b'\n' + LINES[-1], True),
    ('no last newline', PEM.strip(), True),
    ('spaces after the dashes', PEM.replace(b'-----\n', b'-----  \n'), True),
    ('a space before base64', PEM.replace(b'\n', b'\n ', 2), True),
    ('nothing', b'', False),
    ('a newline', b'\n', False),
    ('text', b'hello\n', False),
    ('another block', OTHER, False),
    ('a broken certificate', BROKEN, False),
    ('a broken certificate after a good one', PEM + BROKEN, False),
    ('no base64', BROKEN.replace(b'AAAA', b'!!!!'), False),
    ('DER', DER, False),
    ('a trusted certificate', PEM.replace(b'CERTIFICATE', b'TRUSTED CERTIFICATE'), False),
    ('an X509 certificate', PEM.replace(b'CERTIFICATE', b'X509 CERTIFICATE'), False),
    ('a byte order mark', b'\xef\xbb\xbf' + PEM, False),
    ('UTF-16', PEM.decode().encode('utf-16'), False),
    ('headers', HEADERS, False),
    ('no END', PEM.split(b'-----END')[0], False),
    ('indented', b'  ' + PEM.replace(b'\n', b'\n  '), False),
    ('BEGIN within a line', b'x ' + PEM, False),
    ('cut off', PEM[:300] + b'\n-----END CERTIFICATE-----\n', False),
    ('a byte too many', encoded(DER + b'\0'), False),
    ('five bytes too few', encoded(DER[:-5]), False),
]


@pytest.mark.parametrize(('data', 'is_taken'), [row[1:] for row in BUNDLES], ids=[row[0] for row in BUNDLES])
def test_a_bundle_is_taken_as_a_kubelet_takes_it(data: bytes, is_taken: bool) -> None:
    assert (bundle_problem(data) is None) is is_taken


CHAINS: list[tuple[str, bytes, bool]] = [
    ('a certificate', PEM, True),
    ('a broken certificate after a good one', PEM + BROKEN, True),
    ('headers', HEADERS, True),
    ('nothing', b'', False),
    ('text', b'hello', False),
    ('a broken certificate', BROKEN, False),
    ('another block', OTHER, False),
    ('DER', DER, False),
]


@pytest.mark.parametrize(('data', 'is_taken'), [row[1:] for row in CHAINS], ids=[row[0] for row in CHAINS])
def test_a_chain_is_taken_as_a_kubelet_takes_it(data: bytes, is_taken: bool) -> None:
    assert (chain_problem(data) is None) is is_taken


@pytest.mark.parametrize('size', range(len(DER)))
def test_no_part_of_a_certificate_is_one(size: int) -> None:
    assert not is_certificate(DER[:size])


@pytest.mark.parametrize(
    'der', [b'\x30', b'\x30\x80\x00\x00', b'\x30\x81\x01\x00', b'\x30\x85\x00\x00\x00\x00\x01\x00', b'\x1f\x01\x00']
)
def test_what_is_not_der_has_no_elements(der: bytes) -> None:
    assert elements(der) == []


@pytest.mark.parametrize(
    'line',
    [b'-----BEGIN A-----\n', b'-----BEGIN A:-----\n', b'A: b\n', b'-----BEGIN ', b'----- ', b'A', b'-----END A-----\n'],
)
@pytest.mark.parametrize('end', [b'', b'-----END A-----\n', b'-----END B-----\n'])
def test_a_megabyte_of_one_line_has_the_same_problem_as_a_few(line: bytes, end: bytes) -> None:
    """With a cost that is the square of the length, this test would take hours."""
    few, many = (b'-----BEGIN A-----\n' + line * count + end for count in (10, 1_000_000 // len(line)))
    assert bundle_problem(many) == bundle_problem(few)
