# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.api.configz import KubeletApi
from datadog_checks.kubelet_compliance.api.peer_names import certificate_names
from datadog_checks.kubelet_compliance.model import Fault, Unknown
from tests.support.asked import PROCESS, connection, nobody_else
from tests.support.kubelet_server import Certificates, KubeletServer, make_certificates, serve
from tests.support.standin import DEADLINE_SECONDS


def port_of(server: KubeletServer) -> int:
    return int(server.url.rpartition(':')[2])


def test_the_names_are_those_of_a_certificate_that_a_trusted_ca_signed(
    api: KubeletServer, certificates: Certificates
) -> None:
    assert certificate_names('127.0.0.1', port_of(api), str(certificates.ca), 5.0) == ('127.0.0.1', 'localhost')
    assert api.requests == []


@pytest.mark.parametrize('verify', [True, 'other'], ids=['of-the-system', 'another-ca'])
def test_of_a_certificate_that_nobody_trusted_signed_no_name_is_believed(
    api: KubeletServer, tmp_path: Path, verify: bool | str
) -> None:
    ca = verify if isinstance(verify, bool) else str(make_certificates(tmp_path).ca)
    with pytest.raises(ssl.SSLError):
        certificate_names('127.0.0.1', port_of(api), ca, 5.0)


def test_one_that_shows_its_certificate_to_the_first_and_hangs_then_takes_no_longer_than_the_timeout(
    tmp_path: Path,
) -> None:
    certificates = make_certificates(tmp_path, '127.0.0.2')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    ended = threading.Event()

    def answer(listener: socket.socket) -> None:
        first, _ = listener.accept()
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(first, server_side=True).recv(1)
        first.close()
        with listener.accept()[0]:
            ended.wait(DEADLINE_SECONDS)

    with socket.create_server(('127.0.0.1', 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        url, began = f'https://127.0.0.1:{listener.getsockname()[1]}', time.monotonic()
        made = connection(url, tls_ca_cert=str(certificates.ca), timeout=0.5)
        unknown = KubeletApi().running(PROCESS, made, nobody_else)
        took = time.monotonic() - began
        ended.set()
        thread.join(DEADLINE_SECONDS)
    assert isinstance(unknown, Unknown)
    assert (unknown.fault, took < 2) == (Fault.WRONG_NAME, True)
    assert unknown.reason.endswith('is for another name than 127.0.0.1')


def test_with_a_certificate_for_another_name_no_credentials_are_sent(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path, '127.0.0.2')
    with serve(certificates) as server:
        own = {'url': server.url, 'ca_cert': str(certificates.ca), 'token': 'agents-token'}
        unknown = KubeletApi().running(PROCESS, connection('', own), nobody_else)
        assert isinstance(unknown, Unknown) and unknown.fault is Fault.WRONG_NAME
        assert server.requests == []
