# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which kubelet a response of `/configz` belongs to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from datadog_checks.kubelet_compliance.model import Declared, Fault, Unknown, was_flag

from .failures import read_only
from .ways import Way

EVERYWHERE = ('0.0.0.0', '::')


class UrlError(Exception):
    """`kubelet_url` is not a valid URL."""


def address_of(url: str) -> tuple[str, int]:
    """The host and the port of a URL. Raises UrlError."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ('http', 'https') or not parts.hostname:
            raise ValueError(url)
        return parts.hostname, parts.port or (443 if parts.scheme == 'https' else 80)
    except ValueError:
        raise UrlError('kubelet_url is not a URL such as https://127.0.0.1:10250') from None


@dataclass(frozen=True, slots=True)
class Owner:
    """The kubelet that answers at a port, by its index."""

    number: int
    is_shown: bool
    """Whether its sockets prove it. Otherwise only a trusted certificate can."""


def choose_owner(shown: Sequence[bool | None], configured: Sequence[bool], way: Way) -> Owner | Unknown:
    """Which of several kubelets answers.

    `shown`: for each kubelet, whether its sockets show that it listens there, None if they are not visible.
    `configured`: whether its configuration makes it listen there.
    """
    certain = [number for number, answers in enumerate(shown) if answers]
    possible = [number for number, answers in enumerate(shown) if answers is None]
    if len(certain) == 1:
        return Owner(certain[0], is_shown=True)
    if not certain and not possible:
        return nobody(way)
    likely = [number for number in possible if configured[number]] if len(possible) > 1 else possible
    if not certain and len(likely) == 1:
        return Owner(likely[0], is_shown=False)
    return Unknown(
        f'{len(shown)} kubelets run here: could not determine which one responds at port {way.port}',
        'stop the kubelet that should not run',
        fault=Fault.OTHER_KUBELET,
    )


def nobody(way: Way) -> Unknown:
    """The failure if no kubelet owns a socket at the port."""
    if way.is_read_only:
        return read_only(way)
    return Unknown(
        f'no kubelet listens at port {way.port} of {way.host}',
        f'correct {way.port_setting}, or find out which process listens there',
        fault=Fault.WRONG_PORT,
    )


def listens_by_configuration(declared: Declared, host: str, port: int) -> bool:
    """Whether the configuration of a kubelet makes it listen at an address. Files that changed later don't count."""
    by_flag = all(was_flag(declared.origins.get(field)) for field in ('address', 'port'))
    if declared.unknown is not None or declared.changed is not None and not by_flag:
        return False
    address = declared.value('address')
    return declared.value('port') == port and (address in EVERYWHERE or address == host)
