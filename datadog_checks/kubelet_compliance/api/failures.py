# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Why a request failed or got a status other than 200, and what to change. Pure."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.model import Fault, Unknown

from .tls_failures import iter_causes
from .ways import SERVING_PORT, Way

API_SERVER = 'check that the node can reach the API server; the check retries later'

RESOURCES = {
    # The answer names the resource that the kubelet checked. Kubelets before 1.33 know only the second one.
    '/configz': ('nodes/configz', 'nodes/proxy'),
    '/metrics': ('nodes/metrics', 'nodes/metrics'),
}


def explain_status(status: int, path: str, body: bytes, way: Way, *, has_worked: bool) -> Unknown:
    """What a status other than 200 means. `body`: the beginning of the answer.

    `has_worked`: whether the kubelet accepted the same credentials before.
    """
    if status == 401 and has_worked:
        return Unknown(
            'the kubelet refuses credentials that it accepted before (401), which happens when it can\'t reach the '
            'API server',
            API_SERVER,
            fault=Fault.API_SERVER_AWAY,
        )
    if status == 500 and body.startswith(b'Authorization error'):
        return Unknown(
            'the kubelet can\'t ask the API server for the permissions of the Agent (500)',
            API_SERVER,
            fault=Fault.API_SERVER_AWAY,
        )
    if status == 401:
        return Unknown(
            'the kubelet did not accept the credentials (401)', credentials(way), fault=Fault.CREDENTIALS_REFUSED
        )
    if status == 403:
        return forbidden(path, body)
    if status == 404 and (way.is_read_only or not way.is_https):
        return read_only(way)
    if status == 404:
        return Unknown(
            'the kubelet does not serve this path (404)',
            'set enableDebuggingHandlers: true for the kubelet',
            fault=Fault.NOT_SERVED,
        )
    if status == 400 and not way.is_https:
        return Unknown(
            f'port {way.port} requires HTTPS (400)', f'start {way.address} with https://', fault=Fault.NOT_THE_KUBELET
        )
    if 300 <= status < 400:
        reason = f'the kubelet responds with a redirect ({status}), which the check does not follow'
    else:
        reason = f'the kubelet responds with status {status}'
    return Unknown(reason, elsewhere(way), fault=Fault.NOT_THE_KUBELET if status not in (429, 500) else None)


def credentials(way: Way) -> str:
    if way.is_agents_own:
        return (
            'set authentication.webhook.enabled: true for the kubelet, and check that the node can reach the '
            'API server; or set kubelet_client_crt and kubelet_client_key of the Agent'
        )
    return (
        'set tls_cert and tls_private_key, or an auth_token that the kubelet accepts; or remove kubelet_url, '
        'so that the check uses the credentials of the Agent'
    )


def forbidden(path: str, body: bytes) -> Unknown:
    """The answer names the resource: `subresource(s)=[configz proxy]`, or before 1.33 `subresource=proxy`."""
    newer, older = RESOURCES[path]
    asked = body.partition(b'subresource')[2]
    if newer == older or newer.partition('/')[2].encode() in asked:
        wanted, remedy = newer, f"let the Agent's ClusterRole get {newer}"
    elif b'proxy' in asked:
        wanted = older
        remedy = f"let the Agent's ClusterRole get {older}: this kubelet does not know {newer}"
    else:
        wanted = newer
        remedy = f"let the Agent's ClusterRole get {newer}, or {older} before Kubernetes 1.33"
    return Unknown(f'the kubelet does not let the Agent get {wanted} (403)', remedy, fault=Fault.FORBIDDEN)


def read_only(way: Way) -> Unknown:
    """The Agent falls back to this port if HTTPS fails."""
    remedy = (
        f'let the Agent use port {SERVING_PORT}: it falls back to this one if HTTPS fails (kubelet_client_ca, '
        'kubernetes_kubelet_host, kubernetes_https_kubelet_port)'
        if way.is_agents_own
        else f'set kubelet_url: https://{way.host}:{SERVING_PORT}'
    )
    return Unknown(
        f'port {way.port} is the read-only port, which never serves /configz', remedy, fault=Fault.READ_ONLY_PORT
    )


def elsewhere(way: Way) -> str:
    return f'something other than the kubelet responds at port {way.port}: correct {way.port_setting}'


def explain_connection(error: BaseException, way: Way) -> Unknown:
    """Why no connection could be made."""
    causes = list(iter_causes(error))
    if way.is_read_only:
        return read_only(way)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Unknown(
            f'nothing accepts connections at port {way.port}',
            f'check that the kubelet is running, and correct {way.port_setting}',
            fault=Fault.REFUSED_CONNECTION,
        )
    if any(type(cause).__name__ in ('gaierror', 'NameResolutionError') for cause in causes):
        return Unknown(
            f'could not resolve the name {way.host}',
            f'set {way.address} to an address, or to a name that the Agent can resolve',
            fault=Fault.NO_SUCH_HOST,
        )
    return Unknown(
        f'could not connect to the kubelet ({type(error).__name__})',
        f'check the network between the Agent and port {way.port} of the node',
        fault=Fault.NO_CONNECTION,
    )


def explain_silence(seconds: float, way: Way, *, is_connected: bool, has_worked: bool) -> Unknown:
    """Why no answer came in time. `is_connected`: whether a connection may exist."""
    if is_connected and has_worked:
        return Unknown(
            f'the kubelet did not respond within {seconds:g} s, which happens when it waits for the API server',
            API_SERVER,
            fault=Fault.API_SERVER_AWAY,
        )
    return Unknown(
        f'the kubelet did not respond within {seconds:g} s',
        f'check the network between the Agent and port {way.port} of the node, and whether the kubelet responds',
        fault=Fault.TIMED_OUT,
    )
