# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.api import configz
from datadog_checks.kubelet_compliance.api.configz import AskError, KubeletApi, Once, parse_configz, parse_version
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.formats.go import Duration
from datadog_checks.kubelet_compliance.model import Declared, Fault, Launch, Origin, Process, Source, Unknown
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.resolve import NOT_ASKED, SELF_MADE_OR_NOT, running_values
from tests.support.asked import PROCESS, connection, nobody_else, trusting
from tests.support.cases import TRUTH
from tests.support.kubelet_server import Certificates, KubeletServer, make_certificates, serve
from tests.support.standin import DEADLINE_SECONDS

BODIES = sorted((TRUTH / 'configz').glob('*.json'))
BODY = (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes()


NOTHING = Declared({}, {})
FLAG = Origin(Source.FLAG, '--tls-cert-file=/x')


@pytest.mark.parametrize('path', BODIES, ids=lambda path: path.stem)
def test_a_real_body_is_read_over_tls(path: Path, api: KubeletServer, certificates: Certificates) -> None:
    api.body = path.read_bytes()
    running = KubeletApi().running(PROCESS, trusting(api, certificates), nobody_else)
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
    assert running_values(rule, parse_configz(body), NOTHING, NOTHING) == not_set
    declared = Declared({'tlsCertFile': '/var/lib/kubelet/pki/kubelet.crt'}, {})
    values = running_values(rule, parse_configz(body), NOTHING, declared)
    assert not isinstance(values, Unknown)
    assert dict(values)['tlsCertFile'] == '/var/lib/kubelet/pki/kubelet.crt'


def test_whether_that_pair_is_configured_is_unknown_where_no_file_shows_it() -> None:
    pair = {'tlsCertFile': '/x/kubelet.crt', 'tlsPrivateKeyFile': '/x/kubelet.key'}
    running = parse_configz(json.dumps({'kubeletconfig': {'makeIPTablesUtilChains': True, **pair}}).encode())
    declared = Declared({'--cert-dir': '/x'}, {})
    assert running_values(RULES_BY_KEY['tls_cert_file'], running, declared) is SELF_MADE_OR_NOT
    by_flag = replace(declared, values={**declared.values, **pair}, origins=dict.fromkeys(pair, FLAG))
    assert running_values(RULES_BY_KEY['tls_cert_file'], running, by_flag) == (
        *pair.items(),
        ('serverTLSBootstrap', False),
    )


@pytest.mark.parametrize(
    'folder', ['/var/lib//kubelet/./pki/', '/x/../var/lib/kubelet/pki', 'lib/kubelet/pki', './pki']
)
def test_its_own_folder_is_known_however_the_flag_spells_it(folder: str) -> None:
    pair = {'tlsCertFile': '/var/lib/kubelet/pki/kubelet.crt', 'tlsPrivateKeyFile': '/var/lib/kubelet/pki/kubelet.key'}
    running = parse_configz(json.dumps({'kubeletconfig': {'makeIPTablesUtilChains': True, **pair}}).encode())
    declared = Declared({'--cert-dir': folder}, {})
    values = running_values(RULES_BY_KEY['tls_cert_file'], running, declared, NOTHING)
    assert not isinstance(values, Unknown) and dict(values)['tlsCertFile'] == ''


def test_a_flag_that_writes_no_field_is_that_of_the_process() -> None:
    rule, running = RULES_BY_KEY['hostname_override'], parse_configz(BODY)
    assert running_values(rule, running, NOTHING) == (('--hostname-override', None),)
    assert running_values(rule, running, Declared({'--hostname-override': 'n1'}, {})) == (
        ('--hostname-override', 'n1'),
    )
    for hidden in (Declared({}, {}, flags_known=False), Declared({}, {}, launch=Launch('k3s', (), '/k'))):
        assert running_values(rule, running, hidden, meaning=lambda values: values[0][1] is None) is NOT_ASKED


@pytest.mark.parametrize(
    'change, why, remedy',
    [
        ({'status': 401}, 'the kubelet did not accept the credentials (401)', 'token'),
        (
            {'status': 403},
            'the kubelet does not let the Agent get nodes/configz (403)',
            'get nodes/configz, or nodes/p',
        ),
        (
            {'status': 403, 'body': b'Forbidden (user=u, verb=get, resource=nodes, subresource(s)=[configz proxy])\n'},
            'the kubelet does not let the Agent get nodes/configz (403)',
            'ClusterRole get nodes/configz',
        ),
        (
            {'status': 403, 'body': b'Forbidden (user=u, verb=get, resource=nodes, subresource=proxy)'},
            'the kubelet does not let the Agent get nodes/proxy (403)',
            'get nodes/proxy: this kubelet does not know nodes/configz',
        ),
        ({'status': 404}, 'the kubelet does not serve this path (404)', 'enableDebuggingHandlers: true'),
        ({'status': 500}, 'the kubelet responds with status 500', ''),
        (
            {'status': 500, 'body': b'Authorization error (user=u, verb=get, resource=nodes, subresource=configz)'},
            'the kubelet can\'t ask the API server for the permissions of the Agent (500)',
            'can reach the API server',
        ),
        ({'status': 302, 'location': '/elsewhere'}, 'the kubelet responds with a redirect (302), which the check', ''),
        ({'body': b'garbage \xff\x00'}, 'the response is not a kubelet configuration', ''),
        ({'body': b'{"kubeletconfig": []}'}, 'the response is not a kubelet configuration', ''),
        ({'body': b'{"kubeletconfig": {}}'}, 'the response is not a kubelet configuration', ''),
        ({'body': b'[' * 100_000}, 'the response is not a kubelet configuration', ''),
        ({'body': b'{"kubeletconfig": {"makeIPTablesUtilChains": "true"}}'}, 'the response is not a', ''),
        ({'body': b''}, 'the response is not a kubelet configuration', ''),
        ({'megabytes': 100}, 'the response is larger than 1 MiB', ''),
    ],
)
def test_a_bad_answer_is_unknown_with_what_is_missing(
    change: dict[str, Any], why: str, remedy: str, api: KubeletServer, certificates: Certificates
) -> None:
    vars(api).update(change)
    running = KubeletApi().running(PROCESS, trusting(api, certificates), nobody_else)
    assert isinstance(running, Unknown)
    assert running.reason.startswith(f'could not read /configz: {why}')
    assert remedy in running.remedy
    assert api.paths() == ['/configz']


def test_a_kubelet_that_hangs_takes_no_longer_than_the_timeout(api: KubeletServer, certificates: Certificates) -> None:
    api.hang = threading.Event()
    before = time.monotonic()
    running = KubeletApi().running(PROCESS, trusting(api, certificates, timeout=0.5), nobody_else)
    assert isinstance(running, Unknown)
    assert running.reason == 'could not read /configz: the kubelet did not respond within 0.5 s'
    assert time.monotonic() - before < 5


def test_a_kubelet_that_answers_drop_by_drop_takes_no_longer_either(
    api: KubeletServer, certificates: Certificates
) -> None:
    api.drip = True
    running = KubeletApi().running(PROCESS, trusting(api, certificates, timeout=0.5), nobody_else)
    assert isinstance(running, Unknown)
    assert running.reason == 'could not read /configz: the kubelet did not respond within 0.5 s'


def test_no_second_question_starts_while_one_is_stuck(api: KubeletServer, certificates: Certificates) -> None:
    api.drip = True
    asking, made = KubeletApi(lambda: 0.0), trusting(api, certificates, timeout=0.5)
    for number in range(3):
        assert isinstance(asking.running(Process(number, 1, ()), made, nobody_else), Unknown)
    assert api.paths() == ['/configz']


def test_no_kubelet_at_the_port_and_no_trust_are_unknown(api: KubeletServer) -> None:
    untrusted = KubeletApi().running(PROCESS, connection(api.url), nobody_else)
    assert isinstance(untrusted, Unknown)
    assert untrusted.reason == 'could not read /configz: the certificate of the kubelet is signed by an unknown CA'
    assert 'tls_ca_cert' in untrusted.remedy
    assert api.requests == []
    refused = KubeletApi().running(PROCESS, connection('https://127.0.0.1:9'), nobody_else)
    assert isinstance(refused, Unknown)
    assert refused.reason == 'could not read /configz: nothing accepts connections at port 9'
    assert refused.fault is Fault.REFUSED_CONNECTION


def test_all_questions_of_a_collection_share_one_wait_and_a_late_answer_counts(
    api: KubeletServer, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a kubelet that was stopped: the kernel takes the connection, and nobody answers."""
    monkeypatch.setattr(configz, 'LONGEST_WAIT_SECONDS', 0.3)
    now = 0.0
    asking, made = KubeletApi(lambda: now), trusting(api, certificates, timeout=10)
    api.hang = threading.Event()
    asking.begin()
    for question in (asking.running, asking.version):
        unknown = question(PROCESS, made, nobody_else)
        assert isinstance(unknown, Unknown)
        assert unknown.reason.endswith(': the kubelet did not respond within 0.3 s')
    assert asking.left <= 0
    assert api.paths() == ['/configz']
    api.hang.set()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while asking.worker.is_stuck() and time.monotonic() < deadline:
        time.sleep(0.01)
    asking.begin()
    now = 100.0
    assert isinstance(asking.running(PROCESS, made, nobody_else), Configuration)
    assert api.paths() == ['/configz']
    assert isinstance(asking.version(PROCESS, made, nobody_else), str)


@pytest.mark.parametrize(
    'host, days, verifies, why, remedy',
    [
        ('127.0.0.2', (-1, 1), True, 'is for 127.0.0.2, localhost, not for 127.0.0.1', 'set kubelet_url to a name'),
        ('127.0.0.1', (-2, -1), True, 'has expired', 'renew the serving certificate'),
        ('127.0.0.1', (1, 2), True, 'is not valid yet', 'correct the clock'),
        ('127.0.0.1', (-1, 1), False, 'is signed by an unknown CA', 'set tls_ca_cert'),
    ],
    ids=['wrong name', 'expired', 'not yet valid', 'unknown CA'],
)
def test_each_problem_of_a_certificate_has_its_fault(
    host: str, days: tuple[int, int], verifies: bool, why: str, remedy: str, tmp_path: Path
) -> None:
    certificates = make_certificates(tmp_path, host, days)
    with serve(certificates) as server:
        options = {'tls_ca_cert': str(certificates.ca)} if verifies else {}
        unknown = KubeletApi().running(PROCESS, connection(server.url, **options), nobody_else)
    assert isinstance(unknown, Unknown)
    assert unknown.reason == f'could not read /configz: the certificate of the kubelet {why}'
    assert remedy in unknown.remedy


@pytest.mark.parametrize('options', [{}, {'tls_verify': False}], ids=['verified', 'not verified'])
@pytest.mark.parametrize(
    'alert, why, remedy',
    [
        (80, 'the kubelet has no serving certificate yet', 'kubectl certificate approve NAME'),
        (40, 'the TLS handshake with the kubelet failed (', 'the log of the kubelet'),
    ],
    ids=['internal error', 'handshake failure'],
)
def test_a_kubelet_that_has_no_certificate_yet_is_not_one_that_is_not_trusted(
    options: dict[str, Any], alert: int, why: str, remedy: str
) -> None:
    """With `serverTLSBootstrap` and no approved request, Go's crypto/tls sends the alert internal_error."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        thread = threading.Thread(target=send_alert, args=(listener, alert))
        thread.start()
        url = f'https://127.0.0.1:{listener.getsockname()[1]}'
        unknown = KubeletApi().running(PROCESS, connection(url, **options), nobody_else)
        thread.join(DEADLINE_SECONDS)
    assert isinstance(unknown, Unknown)
    assert unknown.reason.startswith(f'could not read /configz: {why}')
    assert remedy in unknown.remedy and 'CA' not in unknown.remedy


def send_alert(listener: socket.socket, alert: int) -> None:
    """Answer the first words of a TLS client with a fatal alert."""
    client, _ = listener.accept()
    with client:
        client.recv(65536)
        client.sendall(bytes([21, 3, 3, 0, 2, 2, alert]))


def test_a_process_is_asked_once_and_a_new_one_anew(api: KubeletServer, certificates: Certificates) -> None:
    asking, made = KubeletApi(), trusting(api, certificates)
    for _ in range(5):
        asking.running(PROCESS, made, nobody_else)
        asking.version(PROCESS, made, nobody_else)
    assert api.paths() == ['/configz', '/metrics']
    again = Process(PROCESS.pid, PROCESS.start_ticks + 1, ())
    asking.forget_all_but([again])
    asking.running(again, made, nobody_else)
    assert api.paths() == ['/configz', '/metrics', '/configz']


@pytest.mark.parametrize(
    ('fault', 'wanted'),
    [
        pytest.param(None, [15, 30, 60, 120, 240, 480, 600, 600, 600, 600, 600, 600], id='up to ten minutes'),
        pytest.param(Fault.NO_CERTIFICATE, [15, 30, *[60] * 82], id='one minute where somebody has to approve'),
        pytest.param(Fault.FORBIDDEN, [15, 30, *[60] * 82], id='or to allow something'),
    ],
)
def test_after_a_failure_it_asks_again_with_pauses_that_double(fault: Fault | None, wanted: list[int]) -> None:
    now = 0.0
    asked_at: list[float] = []

    def fail() -> str:
        asked_at.append(now)
        raise AskError('no', fault=fault)

    once = Once('/configz', lambda: now)
    while now < 5000:
        assert isinstance(once.ask(PROCESS, fail), Unknown)
        now += 5
    pauses = [later - earlier for earlier, later in zip(asked_at, asked_at[1:], strict=False)]
    assert pauses == wanted
    assert once.ask(Process(7, 7, ()), lambda: 'an answer') == 'an answer'


def test_the_version_is_read_from_the_metrics(api: KubeletServer, certificates: Certificates) -> None:
    api.version = 'v1.29.3-gke.1000'
    assert KubeletApi().version(PROCESS, trusting(api, certificates), nobody_else) == 'v1.29.3-gke.1000'


@pytest.mark.parametrize('body', [b'', b'other_metric 1', b'x kubernetes_build_info{git_version="v1"}', b'\xff' * 100])
def test_metrics_without_a_version_give_none(body: bytes) -> None:
    with pytest.raises(AskError):
        parse_version(body)
