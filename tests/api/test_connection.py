# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""With what the kubelet is asked, and whom that is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datadog_checks.base import AgentCheck
from datadog_checks.kubelet_compliance.api.configz import Connection, KubeletApi
from datadog_checks.kubelet_compliance.api.connection import connect, wants_configz
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.model import Unknown
from tests.support.asked import PROCESS, connection, nobody_else, trusting
from tests.support.cases import TRUTH
from tests.support.kubelet_server import Certificates, KubeletServer, serve

BODY = (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes()


def test_a_token_and_client_certificates_are_sent_as_the_agent_has_them(
    api: KubeletServer, certificates: Certificates, tmp_path: Path
) -> None:
    api.token = 'agents-token'
    own = {'url': api.url, 'verify_tls': 'true', 'ca_cert': str(certificates.ca), 'token': 'agents-token'}
    assert isinstance(KubeletApi().running(PROCESS, connection('', own), nobody_else), Configuration)
    with serve(certificates, client_certificates=True) as mutual:
        mutual.body = BODY
        pair = {'client_crt': str(certificates.client), 'client_key': str(certificates.client_key)}
        own = {'url': mutual.url, 'ca_cert': str(certificates.ca), 'token': 'agents-token', **pair}
        assert isinstance(KubeletApi().running(PROCESS, connection('', own), nobody_else), Configuration)
        assert 'Authorization' not in mutual.requests[0][1]
        without = {'url': mutual.url, 'ca_cert': str(certificates.ca)}
        assert isinstance(KubeletApi().running(PROCESS, connection('', without), nobody_else), Unknown)
        options = {'tls_cert': pair['client_crt'], 'tls_private_key': pair['client_key']}
        assert isinstance(
            KubeletApi().running(PROCESS, trusting(mutual, certificates, **options), nobody_else), Configuration
        )


def test_the_agents_token_never_goes_to_an_address_that_an_option_names(
    api: KubeletServer, certificates: Certificates
) -> None:
    check = AgentCheck('test', {}, [{'tls_ca_cert': str(certificates.ca)}])
    made = connect(lambda: check.http, api.url, lambda: {'url': 'https://127.0.0.1:9', 'token': 'agents-token'})
    assert isinstance(made, Connection)
    assert isinstance(KubeletApi().running(PROCESS, made, nobody_else), Configuration)
    ((_, headers),) = api.requests
    assert not any('agents-token' in value for value in headers.values())


def test_the_agents_token_does_not_go_over_plain_http() -> None:
    with serve(None) as plain:
        plain.body = BODY
        own = {'url': plain.url, 'token': 'agents-token'}
        assert isinstance(KubeletApi().running(PROCESS, connection('', own), nobody_else), Configuration)
        assert 'Authorization' not in plain.requests[0][1]


def test_a_redirect_takes_no_credentials_elsewhere(certificates: Certificates) -> None:
    with serve(certificates) as elsewhere, serve(certificates) as api:
        api.status, api.location = 307, f'{elsewhere.url}/configz'
        assert isinstance(KubeletApi().running(PROCESS, trusting(api, certificates), nobody_else), Unknown)
        assert elsewhere.requests == []


def test_a_proxy_of_the_environment_is_passed_by(
    api: KubeletServer, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'HTTP_PROXY', 'http_proxy'):
        monkeypatch.setenv(name, 'http://127.0.0.1:9')
    assert isinstance(KubeletApi().running(PROCESS, trusting(api, certificates), nobody_else), Configuration)


@pytest.mark.parametrize(
    'option, wants',
    [(None, None), ('auto', None), (True, True), ('true', True), (False, False), ('false', False), ('True', True)],
)
def test_use_configz_takes_auto_true_and_false(option: Any, wants: bool | None) -> None:
    assert wants_configz(option) is wants


def test_use_configz_takes_nothing_else() -> None:
    with pytest.raises(ValueError, match="use_configz is 'sometimes': set it to auto, true, or false"):
        wants_configz('sometimes')


def test_where_the_agent_cannot_say_now_how_to_reach_the_kubelet_that_is_unknown() -> None:
    http = AgentCheck('test', {}, [{}]).http
    assert connect(lambda: http, None, None) is None
    assert connect(lambda: http, None, lambda: None) is None
    assert connect(lambda: http, None, lambda: {}) is None
    assert isinstance(connect(lambda: http, None, lambda: {'err': 'temporary failure'}), Unknown)


@pytest.mark.parametrize(
    ('url', 'options', 'agents_own', 'is_verified'),
    [
        ('https://127.0.0.1:1', {}, None, True),
        ('https://127.0.0.1:1', {'tls_verify': False}, None, False),
        ('http://127.0.0.1:1', {}, None, False),
        (None, {}, {'url': 'https://127.0.0.1:1', 'verify_tls': 'true'}, True),
        (None, {'tls_verify': False}, {'url': 'https://127.0.0.1:1', 'verify_tls': 'true'}, True),
        (None, {}, {'url': 'https://127.0.0.1:1', 'verify_tls': 'false'}, False),
        (None, {}, {'url': 'https://127.0.0.1:1', 'ca_cert': '/ca.pem'}, True),
        (None, {}, {'url': 'http://127.0.0.1:1'}, False),
    ],
)
def test_a_connection_says_whether_who_answers_must_show_a_certificate(
    url: str | None, options: dict[str, Any], agents_own: dict[str, str] | None, is_verified: bool
) -> None:
    check = AgentCheck('kubelet_compliance', {}, [options])
    made = connect(lambda: check.http, url, lambda: agents_own)
    assert isinstance(made, Connection)
    assert made.is_verified is is_verified
