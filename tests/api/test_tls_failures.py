# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import ssl

import pytest
from urllib3.util.ssl_match_hostname import CertificateError

from datadog_checks.kubelet_compliance.api.tls_failures import explain, is_for_another_name
from datadog_checks.kubelet_compliance.api.ways import Way
from datadog_checks.kubelet_compliance.model import Fault

OWN = Way('10.0.0.1', 10250)
AGENTS = Way('10.0.0.1', 10250, is_agents_own=True)
WITH_CA = Way('10.0.0.1', 10250, has_ca=True)
BOTH = Way('10.0.0.1', 10250, has_ca=True, has_both=True)


def refused(code: int) -> ssl.SSLError:
    """A handshake that failed over the certificate, wrapped as urllib3 and requests do."""
    inner = ssl.SSLCertVerificationError(1, 'certificate verify failed')
    inner.verify_code = code
    return ssl.SSLError(inner)


def failed(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ('error', 'way', 'fault', 'remedy'),
    [
        pytest.param(refused(18), OWN, Fault.UNKNOWN_CA, 'set tls_ca_cert to its CA, or set tls_verify', id='self'),
        pytest.param(refused(20), AGENTS, Fault.UNKNOWN_CA, 'set kubelet_client_ca of the Agent', id='ca'),
        pytest.param(refused(20), BOTH, Fault.UNKNOWN_CA, 'remove tls_ca_cert', id='not-verified-beside-a-ca'),
        pytest.param(
            refused(62),
            OWN,
            Fault.WRONG_NAME,
            'set kubelet_url to a name in the certificate, or set tls_verify: false',
            id='a-name',
        ),
        pytest.param(refused(62), WITH_CA, Fault.WRONG_NAME, 'or remove tls_ca_cert, set tls_verify', id='with-a-ca'),
        pytest.param(
            ssl.SSLError(CertificateError('')), OWN, Fault.WRONG_NAME, 'set kubelet_url to a name', id='from-urllib3'
        ),
        pytest.param(
            refused(64), AGENTS, Fault.WRONG_NAME, 'set kubernetes_kubelet_host of the Agent to a name', id='an-address'
        ),
        pytest.param(refused(10), OWN, Fault.EXPIRED, 'renew the serving certificate', id='expired'),
        pytest.param(refused(9), OWN, Fault.EXPIRED, 'correct the clock of the node', id='not-yet-valid'),
        pytest.param(failed('TLSV1_ALERT_INTERNAL_ERROR'), OWN, Fault.NO_CERTIFICATE, 'certificate approve', id='none'),
        pytest.param(failed('TLS_ALERT_INTERNAL_ERROR'), OWN, Fault.NO_CERTIFICATE, 'tlsCertFile', id='openssl-3.6'),
        pytest.param(failed('WRONG_VERSION_NUMBER'), OWN, Fault.NOT_THE_KUBELET, 'correct kubelet_url', id='no-tls'),
        pytest.param(failed('SSLV3_ALERT_HANDSHAKE_FAILURE'), OWN, Fault.TLS_FAILED, 'the log', id='handshake'),
    ],
)
def test_each_problem_of_a_handshake_has_its_fault(error: ssl.SSLError, way: Way, fault: Fault, remedy: str) -> None:
    explained = explain(error, way)
    assert explained.fault is fault
    assert remedy in explained.remedy
    assert is_for_another_name(error) is (fault is Fault.WRONG_NAME)


@pytest.mark.parametrize(
    ('names', 'says'),
    [
        pytest.param((), 'the certificate of the kubelet is for another name than 10.0.0.1', id='none-known'),
        pytest.param(('node-1',), 'the certificate of the kubelet is for node-1, not for 10.0.0.1', id='kubeadm'),
        pytest.param(('a', 'b', 'c', 'd', 'e'), 'is for a, b, c and 2 more, not for 10.0.0.1', id='many'),
        pytest.param(('x\n\x1b[31m\u202e',), 'is for x??[31m?, not for 10.0.0.1', id='not-printable'),
        pytest.param(('n' * 1000,), f'is for {"n" * 57}..., not for 10.0.0.1', id='long'),
    ],
)
def test_of_the_names_of_a_certificate_few_short_and_legible_ones_are_said(names: tuple[str, ...], says: str) -> None:
    assert says in explain(refused(62), OWN, names).reason


def test_what_openssl_calls_a_failure_is_said_only_as_its_own_word() -> None:
    assert '(SSLV3_ALERT_HANDSHAKE_FAILURE)' in explain(failed('SSLV3_ALERT_HANDSHAKE_FAILURE'), OWN).reason
    assert explain(failed('evil\ntext'), OWN).reason == 'the TLS handshake with the kubelet failed (no reason)'
