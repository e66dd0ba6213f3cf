# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.base import AgentCheck
from datadog_checks.kubelet_compliance.configz import (
    AskError,
    Connection,
    KubeletApi,
    Once,
    parse_configz,
    parse_version,
)
from datadog_checks.kubelet_compliance.connection import connect, wants_configz
from datadog_checks.kubelet_compliance.decoding import Configuration
from datadog_checks.kubelet_compliance.golang import Duration
from datadog_checks.kubelet_compliance.model import Declared, Process, Unknown
from datadog_checks.kubelet_compliance.resolve import NOT_ASKED, running_values
from datadog_checks.kubelet_compliance.rules import RULES_BY_KEY

from .cases import TRUTH
from .kubelet_server import Certificates, KubeletServer, serve

BODIES = sorted((TRUTH / 'configz').glob('*.json'))
BODY = (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes()


def nobody_else() -> None:
    """Nobody but the kubelet would answer."""


PROCESS = Process(100, 1, ())
NOTHING = Declared({}, {})


@pytest.fixture
def kubelet(certificates: Certificates) -> Iterator[KubeletServer]:
    with serve(certificates) as server:
        server.body = BODY
        yield server


def connection(url: str, agents_own: dict[str, Any] | None = None, **options: Any) -> Connection:
    """As the check makes one: through the base class's `self.http`."""
    check = AgentCheck('test', {}, [{'timeout': 2, **options}])
    made = connect(lambda: check.http, None if agents_own else url, lambda: agents_own)
    assert isinstance(made, Connection)
    return made


def trusting(kubelet: KubeletServer, certificates: Certificates, **options: Any) -> Connection:
    return connection(kubelet.url, tls_ca_cert=str(certificates.ca), **options)


@pytest.mark.parametrize('path', BODIES, ids=lambda path: path.stem)
def test_a_real_body_is_read_over_tls(path: Path, kubelet: KubeletServer, certificates: Certificates) -> None:
    kubelet.body = path.read_bytes()
    running = KubeletApi().running(PROCESS, trusting(kubelet, certificates), nobody_else)
    assert isinstance(running, Configuration)
    assert running.get('makeIPTablesUtilChains') is ('flag-false' not in path.stem)
    assert isinstance(running.get('streamingConnectionIdleTimeout'), Duration)


def test_what_is_left_out_is_the_zero_value() -> None:
    running = parse_configz(BODY)
    read_only_port = RULES_BY_KEY['read_only_port']
    legacy = running_values(read_only_port, running, NOTHING)
    assert legacy == (('readOnlyPort', 10255),) or legacy == (('readOnlyPort', 0),)
    closed = parse_configz(b'{"kubeletconfig": {"makeIPTablesUtilChains": true}}')
    assert running_values(read_only_port, closed, NOTHING) == (('readOnlyPort', 0),)
    assert running_values(RULES_BY_KEY['tls_cipher_suites'], closed, NOTHING) == (('tlsCipherSuites', ()),)
    assert running_values(RULES_BY_KEY['rotate_certificates'], closed, NOTHING) == (('rotateCertificates', False),)


def test_the_pair_that_the_kubelet_made_itself_is_no_configured_certificate() -> None:
    body = (
        b'{"kubeletconfig": {"makeIPTablesUtilChains": true, "tlsCertFile": "/var/lib/kubelet/pki/kubelet.crt",'
        b' "tlsPrivateKeyFile": "/var/lib/kubelet/pki/kubelet.key"}}'
    )
    rule = RULES_BY_KEY['tls_cert_file']
    not_set = (('tlsCertFile', ''), ('tlsPrivateKeyFile', ''), ('serverTLSBootstrap', False))
    assert running_values(rule, parse_configz(body), NOTHING) == not_set
    declared = Declared({'tlsCertFile': '/var/lib/kubelet/pki/kubelet.crt'}, {})
    values = running_values(rule, parse_configz(body), declared)
    assert not isinstance(values, Unknown)
    assert dict(values)['tlsCertFile'] == '/var/lib/kubelet/pki/kubelet.crt'


def test_a_flag_that_writes_no_field_is_not_in_configz() -> None:
    assert running_values(RULES_BY_KEY['hostname_override'], parse_configz(BODY), NOTHING) is NOT_ASKED


@pytest.mark.parametrize(
    'change, why, remedy',
    [
        ({'status': 401}, 'the kubelet did not accept the credentials (401)', 'token'),
        ({'status': 403}, 'the kubelet does not let the Agent read it (403)', 'get nodes/configz'),
        ({'status': 404}, 'the kubelet does not serve it (404)', 'enableDebuggingHandlers: true'),
        ({'status': 500}, 'the kubelet answers with status 500', ''),
        ({'status': 302, 'location': '/elsewhere'}, 'the kubelet answers with a redirect (302), which is not', ''),
        ({'body': b'garbage \xff\x00'}, 'the answer is not the configuration of a kubelet', ''),
        ({'body': b'{"kubeletconfig": []}'}, 'the answer is not the configuration of a kubelet', ''),
        ({'body': b'{"kubeletconfig": {}}'}, 'the answer is not the configuration of a kubelet', ''),
        ({'body': b'[' * 100_000}, 'the answer is not the configuration of a kubelet', ''),
        ({'body': b'{"kubeletconfig": {"makeIPTablesUtilChains": "true"}}'}, 'the answer is not the config', ''),
        ({'body': b''}, 'the answer is not the configuration of a kubelet', ''),
        ({'megabytes': 100}, 'the answer is larger than 1 MiB', ''),
    ],
)
def test_a_bad_answer_is_unknown_with_what_is_missing(
    change: dict[str, Any], why: str, remedy: str, kubelet: KubeletServer, certificates: Certificates
) -> None:
    vars(kubelet).update(change)
    running = KubeletApi().running(PROCESS, trusting(kubelet, certificates), nobody_else)
    assert isinstance(running, Unknown)
    assert running.reason.startswith(f'/configz could not be read: {why}')
    assert remedy in running.remedy
    assert kubelet.paths() == ['/configz']


def test_a_kubelet_that_hangs_takes_no_longer_than_the_timeout(
    kubelet: KubeletServer, certificates: Certificates
) -> None:
    kubelet.hang = threading.Event()
    before = time.monotonic()
    running = KubeletApi().running(PROCESS, trusting(kubelet, certificates, timeout=0.5), nobody_else)
    assert isinstance(running, Unknown)
    assert running.reason == '/configz could not be read: the kubelet did not answer within 0.5 s'
    assert time.monotonic() - before < 5


def test_a_kubelet_that_answers_drop_by_drop_takes_no_longer_either(
    kubelet: KubeletServer, certificates: Certificates
) -> None:
    kubelet.drip = True
    running = KubeletApi().running(PROCESS, trusting(kubelet, certificates, timeout=0.5), nobody_else)
    assert isinstance(running, Unknown)
    assert running.reason == '/configz could not be read: the kubelet did not answer within 0.5 s'


def test_no_second_question_starts_while_one_is_stuck(kubelet: KubeletServer, certificates: Certificates) -> None:
    kubelet.drip = True
    api, made = KubeletApi(lambda: 0.0), trusting(kubelet, certificates, timeout=0.5)
    for number in range(3):
        assert isinstance(api.running(Process(number, 1, ()), made, nobody_else), Unknown)
    assert kubelet.paths() == ['/configz']


def test_no_kubelet_at_the_port_and_no_trust_are_unknown(kubelet: KubeletServer) -> None:
    untrusted = KubeletApi().running(PROCESS, connection(kubelet.url), nobody_else)
    assert isinstance(untrusted, Unknown)
    assert untrusted.reason == '/configz could not be read: the certificate of the kubelet is not trusted'
    assert 'tls_ca_cert' in untrusted.remedy
    assert kubelet.requests == []
    refused = KubeletApi().running(PROCESS, connection('https://127.0.0.1:9'), nobody_else)
    assert isinstance(refused, Unknown)
    assert refused.reason.startswith('/configz could not be read: no connection to the kubelet (')


def test_a_token_and_client_certificates_are_sent_as_the_agent_has_them(
    kubelet: KubeletServer, certificates: Certificates, tmp_path: Path
) -> None:
    kubelet.token = 'agents-token'
    own = {'url': kubelet.url, 'verify_tls': 'true', 'ca_cert': str(certificates.ca), 'token': 'agents-token'}
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
    kubelet: KubeletServer, certificates: Certificates
) -> None:
    check = AgentCheck('test', {}, [{'tls_ca_cert': str(certificates.ca)}])
    made = connect(lambda: check.http, kubelet.url, lambda: {'url': 'https://127.0.0.1:9', 'token': 'agents-token'})
    assert isinstance(made, Connection)
    assert isinstance(KubeletApi().running(PROCESS, made, nobody_else), Configuration)
    ((_, headers),) = kubelet.requests
    assert not any('agents-token' in value for value in headers.values())


def test_the_agents_token_does_not_go_over_plain_http() -> None:
    with serve(None) as plain:
        plain.body = BODY
        own = {'url': plain.url, 'token': 'agents-token'}
        assert isinstance(KubeletApi().running(PROCESS, connection('', own), nobody_else), Configuration)
        assert 'Authorization' not in plain.requests[0][1]


def test_a_redirect_takes_no_credentials_elsewhere(certificates: Certificates) -> None:
    with serve(certificates) as elsewhere, serve(certificates) as kubelet:
        kubelet.status, kubelet.location = 307, f'{elsewhere.url}/configz'
        assert isinstance(KubeletApi().running(PROCESS, trusting(kubelet, certificates), nobody_else), Unknown)
        assert elsewhere.requests == []


def test_a_proxy_of_the_environment_is_passed_by(
    kubelet: KubeletServer, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'HTTP_PROXY', 'http_proxy'):
        monkeypatch.setenv(name, 'http://127.0.0.1:9')
    assert isinstance(KubeletApi().running(PROCESS, trusting(kubelet, certificates), nobody_else), Configuration)


def test_a_process_is_asked_once_and_a_new_one_anew(kubelet: KubeletServer, certificates: Certificates) -> None:
    api, made = KubeletApi(), trusting(kubelet, certificates)
    for _ in range(5):
        api.running(PROCESS, made, nobody_else)
        api.version(PROCESS, made, nobody_else)
    assert kubelet.paths() == ['/configz', '/metrics']
    again = Process(PROCESS.pid, PROCESS.start_ticks + 1, ())
    api.forget_all_but([again])
    api.running(again, made, nobody_else)
    assert kubelet.paths() == ['/configz', '/metrics', '/configz']


def test_after_a_failure_it_asks_again_with_pauses_that_double_up_to_ten_minutes() -> None:
    now = 0.0
    asked_at: list[float] = []

    def fail() -> str:
        asked_at.append(now)
        raise AskError('no')

    once = Once('/configz', lambda: now)
    while now < 5000:
        assert isinstance(once.ask(PROCESS, fail), Unknown)
        now += 5
    pauses = [later - earlier for earlier, later in zip(asked_at, asked_at[1:], strict=False)]
    assert pauses == [15, 30, 60, 120, 240, 480, 600, 600, 600, 600, 600, 600]
    assert once.ask(Process(7, 7, ()), lambda: 'an answer') == 'an answer'


def test_the_version_is_read_from_the_metrics(kubelet: KubeletServer, certificates: Certificates) -> None:
    kubelet.version = 'v1.29.3-gke.1000'
    assert KubeletApi().version(PROCESS, trusting(kubelet, certificates), nobody_else) == 'v1.29.3-gke.1000'


@pytest.mark.parametrize('body', [b'', b'other_metric 1', b'x kubernetes_build_info{git_version="v1"}', b'\xff' * 100])
def test_metrics_without_a_version_tell_none(body: bytes) -> None:
    with pytest.raises(AskError):
        parse_version(body)


@pytest.mark.parametrize(
    'option, wants',
    [(None, None), ('auto', None), (True, True), ('true', True), (False, False), ('false', False), ('True', True)],
)
def test_use_configz_takes_auto_true_and_false(option: Any, wants: bool | None) -> None:
    assert wants_configz(option) is wants


def test_use_configz_takes_nothing_else() -> None:
    with pytest.raises(ValueError, match="use_configz is 'sometimes'; known are: auto, true, false"):
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
def test_a_connection_tells_whether_who_answers_must_show_a_certificate(
    url: str | None, options: dict[str, Any], agents_own: dict[str, str] | None, is_verified: bool
) -> None:
    check = AgentCheck('kubelet_compliance', {}, [options])
    made = connect(lambda: check.http, url, lambda: agents_own)
    assert isinstance(made, Connection)
    assert made.is_verified is is_verified
