# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which kubelet does an answer of `/configz` belong to? Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from .model import Declared, Source

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
