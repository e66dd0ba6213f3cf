# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which kubelet does an answer of `/configz` belong to? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from .model import Declared, Source, Unknown

EVERYWHERE = ('0.0.0.0', '::')


class UrlError(Exception):
    """`kubelet_url` is no URL."""


def address_of(url: str) -> tuple[str, int]:
    """The host and the port of a URL. Raises UrlError."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ('http', 'https') or not parts.hostname:
            raise ValueError(url)
        return parts.hostname, parts.port or (443 if parts.scheme == 'https' else 80)
    except ValueError:
        raise UrlError('kubelet_url is no URL such as https://127.0.0.1:10250') from None


def choose_owner(shown: Sequence[bool | None], told: Sequence[bool], port: int, *, is_verified: bool) -> int | Unknown:
    """Which of some kubelets answers at a port, by its place among them.

    `shown`: for each whether its sockets show that it does, None where they cannot be seen. `told`: whether it was told
    to listen there. `is_verified`: who answers must show a trusted certificate; else only what is shown counts.
    """
    certain = [number for number, answers in enumerate(shown) if answers]
    possible = [number for number, answers in enumerate(shown) if answers is None]
    if len(certain) == 1:
        return certain[0]
    if not certain and not possible:
        return Unknown(f'no kubelet is seen to listen at port {port}', 'correct kubelet_url, or see who listens there')
    if not certain and not is_verified:
        return Unknown(
            f'who listens at port {port} may not be seen, and no certificate has to show that it is the kubelet',
            'let the Agent verify the certificate of the kubelet, or give it SYS_PTRACE',
        )
    likely = [number for number in possible if told[number]] if len(possible) > 1 else possible
    if not certain and len(likely) == 1:
        return likely[0]
    return Unknown(f'{len(shown)} kubelets run here, and which of them answers at port {port} cannot be told')


def listens_by_configuration(declared: Declared, host: str, port: int) -> bool:
    """Whether a kubelet was told to listen at an address; files that changed since its start tell nothing of that."""
    by_flag = all(is_by_flag(declared, field) for field in ('address', 'port'))
    if declared.unknown is not None or declared.changed is not None and not by_flag:
        return False
    address = declared.value('address')
    return declared.value('port') == port and (address in EVERYWHERE or address == host)


def is_by_flag(declared: Declared, field: str) -> bool:
    origin = declared.origins.get(field)
    return origin is not None and origin.source is Source.FLAG
