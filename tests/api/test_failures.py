# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import socket

import pytest

from datadog_checks.kubelet_compliance.api.failures import explain_connection, explain_silence, explain_status
from datadog_checks.kubelet_compliance.api.ways import Way
from datadog_checks.kubelet_compliance.model import Fault

OWN = Way('10.0.0.1', 10250)
AGENTS = Way('10.0.0.1', 10250, is_agents_own=True)
READ_ONLY = Way('10.0.0.1', 10255, is_https=False)
PLAIN = Way('10.0.0.1', 10250, is_https=False)
# As kubelets of 1.30 and 1.36 wrote them.
OLD = b'Forbidden (user=u, verb=get, resource=nodes, subresource=proxy)'
NEW = b'Forbidden (user=u, verb=get, resource=nodes, subresource(s)=[configz proxy])\n'
OF_METRICS = b'Forbidden (user=u, verb=get, resource=nodes, subresource(s)=[metrics])\n'
NOT_DECIDED = b'Authorization error (user=u, verb=get, resource=nodes, subresource=configz)'


@pytest.mark.parametrize(
    ('status', 'path', 'body', 'way', 'fault', 'remedy'),
    [
        pytest.param(401, '/configz', b'Unauthorized', OWN, Fault.CREDENTIALS_REFUSED, 'auth_token', id='401'),
        pytest.param(401, '/configz', b'', AGENTS, Fault.CREDENTIALS_REFUSED, 'webhook.enabled: true', id='401-agent'),
        pytest.param(403, '/configz', NEW, OWN, Fault.FORBIDDEN, 'get nodes/configz', id='403-configz'),
        pytest.param(403, '/configz', OLD, OWN, Fault.FORBIDDEN, 'get nodes/proxy: this kubelet', id='403-proxy'),
        pytest.param(403, '/configz', b'', OWN, Fault.FORBIDDEN, 'nodes/configz, or nodes/proxy before', id='403-mute'),
        pytest.param(403, '/metrics', OF_METRICS, OWN, Fault.FORBIDDEN, 'get nodes/metrics', id='403-metrics'),
        pytest.param(403, '/metrics', b'', OWN, Fault.FORBIDDEN, 'get nodes/metrics', id='403-metrics-mute'),
        pytest.param(404, '/configz', b'', OWN, Fault.NOT_SERVED, 'enableDebuggingHandlers: true', id='404'),
        pytest.param(404, '/configz', b'', READ_ONLY, Fault.READ_ONLY_PORT, 'https://10.0.0.1:10250', id='404-10255'),
        pytest.param(400, '/configz', b'', PLAIN, Fault.NOT_THE_KUBELET, 'start kubelet_url with https', id='no-tls'),
        pytest.param(500, '/configz', NOT_DECIDED, OWN, Fault.API_SERVER_AWAY, 'API server', id='500-not-decided'),
        pytest.param(500, '/configz', b'', OWN, None, 'kubelet_url', id='500'),
        pytest.param(302, '/configz', b'', AGENTS, Fault.NOT_THE_KUBELET, 'kubernetes_https_kubelet_port', id='302'),
    ],
)
def test_a_status_says_what_failed_and_what_to_change(
    status: int, path: str, body: bytes, way: Way, fault: Fault | None, remedy: str
) -> None:
    explained = explain_status(status, path, body, way, has_worked=False)
    assert explained.fault is fault
    assert remedy in explained.remedy
    assert 'user=u' not in f'{explained.reason}{explained.remedy}'


def test_the_advice_for_metrics_never_is_nodes_proxy() -> None:
    for body in (OLD, NEW, OF_METRICS, b''):
        assert 'proxy' not in explain_status(403, '/metrics', body, OWN, has_worked=False).remedy


def test_credentials_that_worked_before_are_not_to_blame() -> None:
    explained = explain_status(401, '/configz', b'Unauthorized', AGENTS, has_worked=True)
    assert explained.fault is Fault.API_SERVER_AWAY
    assert 'webhook' not in explained.remedy


@pytest.mark.parametrize(
    ('is_connected', 'has_worked', 'fault'),
    [
        (True, True, Fault.API_SERVER_AWAY),
        (True, False, Fault.TIMED_OUT),
        (False, True, Fault.TIMED_OUT),
        (False, False, Fault.TIMED_OUT),
    ],
)
def test_silence_is_that_of_the_api_server_where_the_kubelet_answered_before(
    is_connected: bool, has_worked: bool, fault: Fault
) -> None:
    assert explain_silence(4.0, OWN, is_connected=is_connected, has_worked=has_worked).fault is fault


@pytest.mark.parametrize(
    ('error', 'way', 'fault'),
    [
        pytest.param(OSError(ConnectionRefusedError(111, 'refused')), OWN, Fault.REFUSED_CONNECTION, id='refused'),
        pytest.param(OSError(socket.gaierror(-2, 'unknown')), OWN, Fault.NO_SUCH_HOST, id='no-such-name'),
        pytest.param(OSError(113, 'no route to host'), OWN, Fault.NO_CONNECTION, id='no-route'),
        pytest.param(OSError(ConnectionRefusedError(111, 'refused')), READ_ONLY, Fault.READ_ONLY_PORT, id='10255'),
    ],
)
def test_each_reason_that_a_connection_cannot_be_made_has_its_fault(error: OSError, way: Way, fault: Fault) -> None:
    assert explain_connection(error, way).fault is fault
