# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Another process answers where the kubelet should: its word must make nothing green."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from tests.support.apart import open_to_all, run_apart
from tests.support.cases import TRUTH
from tests.support.kubelet_server import Certificates, KubeletServer, make_certificates, serve
from tests.support.nodes import HEAD, write_process
from tests.support.sent import (
    CRITICAL,
    GOOD,
    IPTABLES,
    KERNEL,
    OK,
    UNKNOWN,
    WARNING,
    check_of,
    collect,
    show,
    wait_past_the_grain,
)
from tests.support.standin import Standins

RUNS_WELL = (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes()
POD = '0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope\n'

pytestmark = pytest.mark.filterwarnings('ignore:Unverified HTTPS request')


def not_there(path: Path) -> None:
    """The kubelet started with a file that is gone: what it runs with is not known."""


def changed(path: Path) -> None:
    """The kubelet started with another file than the one that is there now."""
    path.write_text(GOOD)


def unreadable(path: Path) -> None:
    os.mkfifo(path)


UNKNOWN_BY_FILES = [not_there, changed, unreadable]


@pytest.fixture(params=['https', 'http'])
def imposter(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[KubeletServer]:
    """One that answers as a perfect kubelet, with no certificate that could be held against a CA."""
    with serve(certificates if request.param == 'https' else None) as server:
        server.body = RUNS_WELL
        yield server


@pytest.fixture(params=['another-port', 'another-address', 'nowhere'])
def own(request: pytest.FixtureRequest, imposter: KubeletServer) -> Iterator[tuple[int, ...]]:
    """What the kubelet itself listens at, if at anything."""
    port = int(imposter.url.rpartition(':')[2])
    address = {'another-port': ('127.0.0.1', 0), 'another-address': ('127.0.0.2', port)}.get(request.param)
    if address is None:
        yield ()
        return
    with socket.create_server(address) as listener:
        yield (listener.fileno(),)


def unverified(server: KubeletServer) -> dict[str, Any]:
    """An instance that has to take any certificate, as with kubelet_tls_verify: false of the Agent."""
    return {'kubelet_url': server.url, 'tls_verify': False, 'tls_ignore_warning': True, 'timeout': 5}


@pytest.mark.parametrize('trusts', [False, True], ids=['careful', 'trusting'])
@pytest.mark.parametrize('make', UNKNOWN_BY_FILES)
def test_an_answer_of_another_process_makes_nothing_green(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, imposter: KubeletServer, own: tuple[int, ...],
    make: Callable[[Path], None], trusts: bool,
) -> None:  # fmt: skip
    """Also not with `trust_unverified_configz`: the sockets show that it is another one."""
    config = tmp_path / 'c.yaml'
    kubelet = standins.launch(('kubelet', f'--config={config}'), handles=own)
    if make is changed:
        wait_past_the_grain(config)
    make(config)
    options = {**unverified(imposter), 'trust_unverified_configz': trusts}
    sent = collect(check_of(show(tmp_path / 'proc', kubelet), **options), aggregator)
    assert sent.green == set()
    assert sent.status() == UNKNOWN
    assert sent.kubelet[0] == CRITICAL
    assert '/configz' in sent.kubelet[1]


@pytest.mark.parametrize('make', UNKNOWN_BY_FILES)
def test_the_same_answer_counts_where_the_kubelet_holds_the_socket(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, imposter: KubeletServer,
    make: Callable[[Path], None],
) -> None:  # fmt: skip
    config = tmp_path / 'c.yaml'
    kubelet = standins.launch(('kubelet', f'--config={config}'), handles=(imposter.handle,))
    if make is changed:
        wait_past_the_grain(config)
    make(config)
    sent = collect(check_of(show(tmp_path / 'proc', kubelet), **unverified(imposter)), aggregator)
    assert sent.status() == OK


def test_a_version_that_another_process_reports_changes_no_verdict(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, imposter: KubeletServer
) -> None:
    """An older kubelet keeps the value that the `null` of a drop-in stands over; without the version none is known."""
    (tmp_path / 'c.yaml').write_text(f'{HEAD}protectKernelDefaults: true\n')
    (tmp_path / 'd').mkdir()
    (tmp_path / 'd' / '1.conf').write_text(f'{HEAD}protectKernelDefaults: null\n')
    imposter.version, imposter.body = 'v1.28.0', b'?'
    kubelet = standins.launch(('kubelet', f'--config={tmp_path}/c.yaml', f'--config-dir={tmp_path}/d'))
    check = check_of(show(tmp_path / 'proc', kubelet), rules=[KERNEL], **unverified(imposter))
    assert collect(check, aggregator).status(KERNEL) == UNKNOWN


def test_a_version_that_another_process_reports_chooses_no_benchmark(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, imposter: KubeletServer
) -> None:
    imposter.version = 'v1.32.1'
    check = check_of(show(tmp_path / 'proc', standins.launch()), benchmark='auto', **unverified(imposter))
    sent = collect(check, aggregator)
    assert {tag for tags in sent.tags for tag in tags if tag.startswith('benchmark:')} == {'benchmark:cis-1.24'}
    assert sent.kubelet[0] == WARNING
    assert 'the default benchmark cis-1.24 is used: ' in sent.kubelet[1]


@pytest.mark.parametrize('in_a_pod', [False, True])
def test_with_no_kubelet_of_the_node_an_answer_counts_for_nothing(
    tmp_path: Path, aggregator: AggregatorStub, imposter: KubeletServer, in_a_pod: bool
) -> None:
    procfs = tmp_path / 'proc'
    write_process(procfs, 700, ('kubelet',), comm='kubelet' if in_a_pod else 'worker')
    (procfs / '700' / 'cgroup').write_text(POD)
    sent = collect(check_of(procfs, **unverified(imposter)), aggregator)
    assert (sent.found, sent.rules, sent.green) == (0, {}, set())
    assert sent.kubelet[0] == UNKNOWN
    assert sent.kubelet[1].startswith(f'no kubelet runs on this host, or {procfs} does not show it')
    assert imposter.requests == []


def test_a_trusted_ca_keeps_an_imposter_out_that_has_no_certificate_of_it(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, imposter: KubeletServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    other = make_certificates(tmp_path_factory.mktemp('other-ca'))
    options = {'kubelet_url': imposter.url.replace('http:', 'https:'), 'tls_ca_cert': str(other.ca), 'timeout': 5}
    kubelet = standins.launch(('kubelet', f'--config={tmp_path}/none.yaml'))
    sent = collect(check_of(show(tmp_path / 'proc', kubelet), **options), aggregator)
    assert (sent.green, sent.status(IPTABLES)) == (set(), UNKNOWN)
    assert imposter.requests == []


@pytest.mark.parametrize(
    ('verifies', 'trusts'), [(True, False), (False, False), (False, True)], ids=['verified', 'not', 'trusting']
)
def test_where_the_owner_of_the_socket_is_not_known_only_a_trusted_certificate_counts(
    standins: Standins, tmp_path: Path, certificates: Certificates, verifies: bool, trusts: bool
) -> None:
    """An Agent without rights may not look at the handles of the kubelet; then the operator may vouch for it."""
    with serve(certificates) as server, open_to_all() as folder:
        server.body = RUNS_WELL
        shutil.copy(certificates.ca, folder / 'ca.pem')
        (folder / 'ca.pem').chmod(0o644)
        options = {'kubelet_url': server.url, 'tls_ca_cert': str(folder / 'ca.pem'), 'timeout': 5}
        procfs = show(folder / 'proc', standins.launch(('kubelet', '--config=/none.yaml'), closed='1'))
        (sent,) = run_apart(
            procfs,
            'give_up_rights()\nreport(check)',
            **(options if verifies else {**unverified(server), 'trust_unverified_configz': trusts}),
        )
    assert sent.found == 1
    assert (IPTABLES in sent.green) is (verifies or trusts)
    assert sent.status() == (OK if verifies or trusts else UNKNOWN)
