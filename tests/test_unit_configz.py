# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.configz import AskError, KubeletApi, Once, parse_configz, parse_version
from datadog_checks.kubelet_compliance.decoding import Configuration
from datadog_checks.kubelet_compliance.golang import Duration
from datadog_checks.kubelet_compliance.model import Declared, Launch, Origin, Process, Source, Unknown
from datadog_checks.kubelet_compliance.resolve import NOT_ASKED, SELF_MADE_OR_NOT, running_values
from datadog_checks.kubelet_compliance.rules import RULES_BY_KEY

from .asked import PROCESS, connection, nobody_else, trusting
from .cases import TRUTH
from .kubelet_server import Certificates, KubeletServer

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


def test_whether_that_pair_is_configured_is_unknown_where_no_file_tells() -> None:
    pair = {'tlsCertFile': '/x/kubelet.crt', 'tlsPrivateKeyFile': '/x/kubelet.key'}
    running = parse_configz(json.dumps({'kubeletconfig': {'makeIPTablesUtilChains': True, **pair}}).encode())
    declared = Declared({'--cert-dir': '/x'}, {})
    assert running_values(RULES_BY_KEY['tls_cert_file'], running, declared) is SELF_MADE_OR_NOT
    by_flag = replace(declared, values={**declared.values, **pair}, origins=dict.fromkeys(pair, FLAG))
    assert running_values(RULES_BY_KEY['tls_cert_file'], running, by_flag) == (
        *pair.items(),
        ('serverTLSBootstrap', False),
    )


def test_a_flag_that_writes_no_field_is_that_of_the_process() -> None:
    rule, running = RULES_BY_KEY['hostname_override'], parse_configz(BODY)
    assert running_values(rule, running, NOTHING) == (('--hostname-override', None),)
    assert running_values(rule, running, Declared({'--hostname-override': 'n1'}, {})) == (
        ('--hostname-override', 'n1'),
    )
    for hidden in (Declared({}, {}, flags_known=False), Declared({}, {}, launch=Launch('k3s', '', (), '/k'))):
        assert running_values(rule, running, hidden, meaning=lambda values: values[0][1] is None) is NOT_ASKED


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
    change: dict[str, Any], why: str, remedy: str, api: KubeletServer, certificates: Certificates
) -> None:
    vars(api).update(change)
    running = KubeletApi().running(PROCESS, trusting(api, certificates), nobody_else)
    assert isinstance(running, Unknown)
    assert running.reason.startswith(f'/configz could not be read: {why}')
    assert remedy in running.remedy
    assert api.paths() == ['/configz']


def test_a_kubelet_that_hangs_takes_no_longer_than_the_timeout(api: KubeletServer, certificates: Certificates) -> None:
    api.hang = threading.Event()
    before = time.monotonic()
    running = KubeletApi().running(PROCESS, trusting(api, certificates, timeout=0.5), nobody_else)
    assert isinstance(running, Unknown)
    assert running.reason == '/configz could not be read: the kubelet did not answer within 0.5 s'
    assert time.monotonic() - before < 5


def test_a_kubelet_that_answers_drop_by_drop_takes_no_longer_either(
    api: KubeletServer, certificates: Certificates
) -> None:
    api.drip = True
    running = KubeletApi().running(PROCESS, trusting(api, certificates, timeout=0.5), nobody_else)
    assert isinstance(running, Unknown)
    assert running.reason == '/configz could not be read: the kubelet did not answer within 0.5 s'


def test_no_second_question_starts_while_one_is_stuck(api: KubeletServer, certificates: Certificates) -> None:
    api.drip = True
    asking, made = KubeletApi(lambda: 0.0), trusting(api, certificates, timeout=0.5)
    for number in range(3):
        assert isinstance(asking.running(Process(number, 1, ()), made, nobody_else), Unknown)
    assert api.paths() == ['/configz']


def test_no_kubelet_at_the_port_and_no_trust_are_unknown(api: KubeletServer) -> None:
    untrusted = KubeletApi().running(PROCESS, connection(api.url), nobody_else)
    assert isinstance(untrusted, Unknown)
    assert untrusted.reason == '/configz could not be read: the certificate of the kubelet is not trusted'
    assert 'tls_ca_cert' in untrusted.remedy
    assert api.requests == []
    refused = KubeletApi().running(PROCESS, connection('https://127.0.0.1:9'), nobody_else)
    assert isinstance(refused, Unknown)
    assert refused.reason.startswith('/configz could not be read: no connection to the kubelet (')


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


def test_the_version_is_read_from_the_metrics(api: KubeletServer, certificates: Certificates) -> None:
    api.version = 'v1.29.3-gke.1000'
    assert KubeletApi().version(PROCESS, trusting(api, certificates), nobody_else) == 'v1.29.3-gke.1000'


@pytest.mark.parametrize('body', [b'', b'other_metric 1', b'x kubernetes_build_info{git_version="v1"}', b'\xff' * 100])
def test_metrics_without_a_version_tell_none(body: bytes) -> None:
    with pytest.raises(AskError):
        parse_version(body)
