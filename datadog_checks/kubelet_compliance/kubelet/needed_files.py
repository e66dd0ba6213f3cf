# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files that a kubelet must find during startup, and what it requires of their content.

Private keys and kubeconfig files are secrets. This check only looks whether they exist, and does not read them. So it
does not notice a key that belongs to another certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .config_values import Config, at, string_of
from .flags import Flags
from .formats.certificates import bundle_problem, chain_problem
from .release import Release

CLIENT_CA_FIELD = 'authentication.x509.clientCAFile'


@dataclass(frozen=True, slots=True)
class NeededFile:
    """A file without which the kubelet exits: the setting that names it, its path, and a test of its content.

    `judge`: takes the content, or None if the file does not exist. Returns what is wrong, or None. If `is_read` is
    false, only the file's existence matters: do not read it. `instead`: a file that can exist in its place.
    """

    field: str
    path: str
    judge: Callable[[bytes | None], str | None]
    is_read: bool = True
    instead: str = ''


def needed_files(config: Config, flags: Flags, release: Release) -> Iterator[NeededFile]:
    """The files that a kubelet of that release must find, by the paths that the kubelet uses."""
    client_ca = string_of(at(config, CLIENT_CA_FIELD))
    if client_ca:
        yield NeededFile(CLIENT_CA_FIELD, client_ca, client_ca_problem)
    certificate, key = string_of(at(config, 'tlsCertFile')), string_of(at(config, 'tlsPrivateKeyFile'))
    if certificate and key and loads_pair(config, release):
        yield NeededFile('tlsCertFile', certificate, serving_certificate_problem)
        yield NeededFile('tlsPrivateKeyFile', key, presence_problem, is_read=False)
    kubeconfig, bootstrap = flags.text('kubeconfig'), flags.text('bootstrap-kubeconfig')
    if kubeconfig:
        yield NeededFile('--kubeconfig', kubeconfig, presence_problem, is_read=False, instead=bootstrap)
    credentials, folder = (flags.text(f'image-credential-provider-{end}') for end in ('config', 'bin-dir'))
    if credentials and folder:
        yield NeededFile('--image-credential-provider-config', credentials, presence_problem, is_read=False)
        yield NeededFile('--image-credential-provider-bin-dir', folder, presence_problem, is_read=False)


def loads_pair(config: Config, release: Release) -> bool:
    """Whether the kubelet opens the files of its serving certificate (NewMainKubelet, ListenAndServeKubeletServer).

    Before 1.36, the server opens them, even with a certificate from the cluster. From 1.31 on, the kubelet opens them
    earlier, unless the certificate comes from the cluster.
    """
    if at(config, 'serverTLSBootstrap') is True:
        return serves(config) and release.before(36)
    if serves(config) or release.at_least(36):
        return True
    return at(config, 'featureGates.ReloadKubeletServerCertificateFile') is not False and release.at_least(31)


def client_ca_problem(data: bytes | None) -> str | None:
    """dynamiccertificates `NewDynamicCAContentFromFile`."""
    return presence_problem(data) or bundle_problem(data or b'')


def serving_certificate_problem(data: bytes | None) -> str | None:
    """tls `LoadX509KeyPair`, the certificate only."""
    return presence_problem(data) or chain_problem(data or b'')


def presence_problem(data: bytes | None) -> str | None:
    return 'does not exist' if data is None else None


def serves(config: Config) -> bool:
    return at(config, 'enableServer') is not False
