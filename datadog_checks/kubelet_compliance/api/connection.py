# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How to reach the kubelet of the node: with the options of the instance, or as the Agent itself does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from datadog_checks.base import is_affirmative
from datadog_checks.base.checks.kubelet_base.base import KubeletCredentials
from datadog_checks.kubelet_compliance.model import Fault, Unknown

from .configz import Connection

if TYPE_CHECKING:
    # A large module, which the base class loads only for a check that asks for `http`.
    from datadog_checks.base.utils.http import RequestsWrapper

# An empty proxy keeps `requests` from taking one out of the environment.
NO_PROXY = {'http': '', 'https': ''}
NOT_REACHED = Unknown(
    "the Agent itself can't reach the kubelet",
    'in the configuration of the Agent, set kubelet_client_ca, and set kubernetes_kubelet_host to a name in the '
    'certificate; or set kubelet_tls_verify: false there and trust_unverified_configz: true here; or set kubelet_url',
    fault=Fault.NOT_CONNECTED,
)
USE_CONFIGZ = {'auto': None, 'true': True, 'false': False}


def wants_configz(option: bool | str | None) -> bool | None:
    """The option `use_configz`. None means `auto`. Raises ValueError for an unknown value."""
    text = 'auto' if option is None else str(option).lower()
    if text not in USE_CONFIGZ:
        raise ValueError(f'use_configz is {option!r}: set it to auto, true, or false')
    return USE_CONFIGZ[text]


def connect(
    http: Callable[[], RequestsWrapper],
    kubelet_url: str | None,
    agents_own: Callable[[], Mapping[str, Any] | None] | None,
    *,
    trusts_unverified: bool = False,
) -> Connection | Unknown | None:
    """A connection. None if no setting says how to reach the kubelet, Unknown if the Agent can't reach it now.

    `http`: returns the HTTP wrapper of the base class, which is expensive to load. `trusts_unverified`: the option
    `trust_unverified_configz`.

    With `kubelet_url`, the check sends the credentials of the instance only. The token of the Agent never goes to an
    address that comes from an option.
    """
    if kubelet_url:
        return connection(http(), kubelet_url, {}, trusts_unverified=trusts_unverified)
    try:
        info = dict(agents_own() or {}) if agents_own is not None else None
    except Exception as error:
        # Any failure inside the Agent means that the connection is unknown.
        return replace(NOT_REACHED, reason=f'{NOT_REACHED.reason} ({type(error).__name__})')
    if not info:
        return None
    if info.get('err') or not info.get('url'):
        return NOT_REACHED
    credentials = KubeletCredentials(info)
    url = str(info['url'])
    verify = credentials.verify()
    options = {'cert': credentials.cert_pair(), 'headers': credentials.headers(url)}
    given = {name: value for name, value in options.items() if value is not None}
    # Without a CA of its own, the Agent uses those of the system. Options of the instance must not weaken that.
    given['verify'] = True if verify is None else verify
    return connection(http(), url, given, trusts_unverified=trusts_unverified, is_agents_own=True)


def connection(
    http: RequestsWrapper,
    url: str,
    options: Mapping[str, Any],
    *,
    trusts_unverified: bool = False,
    is_agents_own: bool = False,
) -> Connection:
    base = url.rstrip('/')
    if hasattr(http, 'aia_chasing_max_depth'):
        # A forged certificate must not make the check fetch more certificates from an address that it names.
        http.aia_chasing_max_depth = 0
    fixed = {**options, 'stream': True, 'allow_redirects': False, 'proxies': NO_PROXY}
    # Without this, `requests` would send the credentials in ~/.netrc for that host.
    fixed['auth'] = http.options.get('auth') or no_credentials
    _, read_timeout = http.options['timeout']
    verify = fixed.get('verify', http.options['verify'])
    # Base packages before 37.21 do not keep the value of the option.
    tls_verify = getattr(http, 'tls_config', {}).get('tls_verify', True)
    return Connection(
        base,
        lambda path: http.get(f'{base}{path}', **fixed),
        float(read_timeout),
        is_verified=base.startswith('https:') and verify is not False,
        verify=verify,
        trusts_unverified=trusts_unverified,
        is_agents_own=is_agents_own,
        has_both=not is_agents_own and isinstance(verify, str) and not is_affirmative(tls_verify),
    )


def no_credentials(request: Any) -> Any:
    """Credentials for `requests` that add none."""
    return request
