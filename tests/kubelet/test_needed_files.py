# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files that a kubelet must find during startup.

The files of `FILES` were removed one by one under real kubelets, as for the rows of `test_startup_checks.py`.
"""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.needed_files import (
    CLIENT_CA_FIELD,
    client_ca_problem,
    needed_files,
    presence_problem,
    serving_certificate_problem,
)
from datadog_checks.kubelet_compliance.kubelet.release import Release
from tests.kubelet.test_startup_checks import API, BOOTSTRAP, CERTIFICATE, KEY, Changes, configuration_of, parse_flags

# claim, changes, arguments, release, and the settings whose files must exist
FILES: list[tuple[str, Changes, tuple[str, ...], int, set[str]]] = [
    ('no file', {}, (), 36, set()),
    ('a client CA', {CLIENT_CA_FIELD: '/k/ca.crt'}, (), 36, {CLIENT_CA_FIELD}),
    ('a pair', CERTIFICATE | KEY, (), 36, {'tlsCertFile', 'tlsPrivateKeyFile'}),
    ('a pair, older', CERTIFICATE | KEY, (), 30, {'tlsCertFile', 'tlsPrivateKeyFile'}),
    (
        'a pair without server',
        CERTIFICATE | KEY | {'enableServer': False},
        (),
        36,
        {'tlsCertFile', 'tlsPrivateKeyFile'},
    ),
    ('a pair without server, older', CERTIFICATE | KEY | {'enableServer': False}, (), 30, set()),
    (
        'a pair that is not reloaded',
        CERTIFICATE | KEY | {'featureGates': {'ReloadKubeletServerCertificateFile': False}},
        (),
        33,
        {'tlsCertFile', 'tlsPrivateKeyFile'},
    ),
    ('a pair beside one to come', CERTIFICATE | KEY | BOOTSTRAP, (), 36, set()),
    (
        'a pair beside one to come, older',
        CERTIFICATE | KEY | BOOTSTRAP,
        (),
        33,
        {'tlsCertFile', 'tlsPrivateKeyFile'},
    ),
    ('half a pair', CERTIFICATE, (), 36, set()),
    ('the other half of a pair', KEY, (), 36, set()),
    (
        'a pair without server, from 1.31 on',
        CERTIFICATE | KEY | {'enableServer': False},
        (),
        31,
        {'tlsCertFile', 'tlsPrivateKeyFile'},
    ),
    (
        'a pair without server that is not reloaded',
        CERTIFICATE | KEY | {'enableServer': False, 'featureGates': {'ReloadKubeletServerCertificateFile': False}},
        (),
        33,
        set(),
    ),
    (
        'a pair beside one to come, without server',
        CERTIFICATE | KEY | BOOTSTRAP | {'enableServer': False},
        (),
        33,
        set(),
    ),
    ('credentials of images without a folder', {}, ('--image-credential-provider-config=/k/c',), 36, set()),
    ('a folder without credentials of images', {}, ('--image-credential-provider-bin-dir=/k/bin',), 36, set()),
    ('a kubeconfig', {}, API, 36, {'--kubeconfig'}),
    (
        'credentials of images',
        {},
        ('--image-credential-provider-config=/k/c', '--image-credential-provider-bin-dir=/k/bin'),
        36,
        {'--image-credential-provider-config', '--image-credential-provider-bin-dir'},
    ),
]


@pytest.mark.parametrize(
    ('changes', 'arguments', 'minor', 'fields'), [row[1:] for row in FILES], ids=[row[0] for row in FILES]
)
def test_the_files_that_must_exist(changes: Changes, arguments: tuple[str, ...], minor: int, fields: set[str]) -> None:
    release = Release(minor)
    configuration = configuration_of(changes, arguments, release)
    assert {file.field for file in needed_files(configuration.values, parse_flags(arguments), release)} == fields


def test_a_secret_is_never_read() -> None:
    arguments = (*API, '--bootstrap-kubeconfig=/k/bootstrap')
    configuration = configuration_of(CERTIFICATE | KEY | {CLIENT_CA_FIELD: '/k/ca.crt'}, arguments, Release(36))
    files = {file.path: file for file in needed_files(configuration.values, parse_flags(arguments), Release(36))}
    assert {path for path, file in files.items() if file.is_read} == {'/k/a.crt', '/k/ca.crt'}
    assert files['/k/kubeconfig'].instead == '/k/bootstrap'
    assert files['/k/a.key'].judge is presence_problem


def test_a_missing_file_stops_the_kubelet() -> None:
    for judge in (client_ca_problem, serving_certificate_problem, presence_problem):
        assert judge(None) == 'does not exist'
    assert presence_problem(b'') is None
