# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A kubelet that lives on while its files change, and answers /configz with what it was started with."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.api.configz import Connection
from datadog_checks.kubelet_compliance.api.replay import answers
from datadog_checks.kubelet_compliance.collection.collect import Collection, Collector
from datadog_checks.kubelet_compliance.model import Verdict
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.process_facts import LiveFacts
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.cases import TRUTH
from tests.support.kubelet_server import make_certificates
from tests.support.nodes import HEAD, PID, write_process
from tests.support.ticks import until_later_than

RULES = ['make_iptables_util_chains', 'tls_cert_file', 'rotate_kubelet_server_certificate', 'client_ca_permissions']
IPTABLES, CERTIFICATE, ROTATION, CA_MODE = RULES
COMPLIANT, NON_COMPLIANT, UNKNOWN = Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN
RECORDED = {
    name: value
    for name, value in json.loads((TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes())['kubeletconfig'].items()
    if name not in ('tlsCertFile', 'tlsPrivateKeyFile')
}
"""What a real kubelet answered, but for the pair of files that it made itself."""
METRICS = b'kubernetes_build_info{git_version="v1.36.2"} 1\n'
SELF_MADE = {'tlsCertFile': '/var/lib/kubelet/pki/kubelet.crt', 'tlsPrivateKeyFile': '/var/lib/kubelet/pki/kubelet.key'}


class StartedAtGivenTime(LiveFacts):
    """Processes that have been running for long."""

    started = 0.0

    def started_at(self, start_ticks: int) -> float | None:
        return self.started

    def age(self, start_ticks: int) -> float | None:
        return 3600.0


class Kubelet:
    """A kubelet with one file, and what it answers."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.file = folder / 'config.yaml'
        self.write(config)
        write_process(folder / 'proc', PID, ('kubelet', f'--config={self.file}'))
        self.facts = StartedAtGivenTime()
        self.host = LiveHost(str(folder / 'proc'), facts=self.facts)
        # The latest start for which the file as it is now is no change: a second's grain is allowed.
        self.facts.started = self.file.stat().st_ctime - 1.0
        body = {'kubeletconfig': {**RECORDED, **SELF_MADE, **config}}
        self.connection = answers({'/configz': json.dumps(body).encode(), '/metrics': METRICS})
        self.check = self.restarted_check()

    def write(self, config: dict[str, Any]) -> None:
        # Left out of the recorded answer because it is empty.
        settings = {**RECORDED, 'enforceNodeAllocatable': [], **config}
        self.file.write_text(HEAD + ''.join(f'{name}: {json.dumps(value)}\n' for name, value in settings.items()))

    def change(self, change: Callable[[], object]) -> None:
        """Make a change until the ctime moves, however coarse the clock of the file system is."""
        until_later_than(self.file.stat().st_ctime, change, self.file)

    def restarted_check(self) -> Collector:
        return Collector(self.host, select('cis-1.24', RULES))

    def collect(self, *, asks: bool = True) -> Collection:
        connection: Connection | None = self.connection if asks else None
        return self.check.collect(connection)


def verdicts(collection: Collection) -> dict[str, Verdict]:
    return {finding.rule.key: finding.verdict for finding in collection.node.findings}


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    path = make_certificates(tmp_path).ca
    path.chmod(0o600)
    return path


def test_with_what_was_left_unset_no_restart_is_pending(tmp_path: Path) -> None:
    """`tlsCipherSuites` above all, which is nothing to a file and an empty list to a running kubelet."""
    assert Kubelet(tmp_path, {}).collect().node.restart_pending is False


@pytest.mark.parametrize('restarted', [False, True], ids=['the same check', 'a check that was restarted'])
@pytest.mark.parametrize(
    'change',
    [
        pytest.param(lambda path: path.chmod(0o600), id='mode'),
        pytest.param(lambda path: os.chown(path, -1, -1), id='owner'),
        pytest.param(lambda path: path.write_text(f'{path.read_text()}# a word\n'), id='comment'),
    ],
)
def test_where_configz_shows_all_that_the_file_says_a_change_of_its_times_is_none(
    tmp_path: Path, ca: Path, change: Callable[[Path], object], restarted: bool
) -> None:
    authentication = {**RECORDED['authentication'], 'x509': {'clientCAFile': str(ca)}}
    own = {'tlsCertFile': str(ca), 'tlsPrivateKeyFile': str(ca)}
    kubelet = Kubelet(tmp_path, {'authentication': authentication, **own})
    before = verdicts(kubelet.collect())
    assert set(before.values()) == {COMPLIANT}
    kubelet.change(lambda: change(kubelet.file))
    if restarted:
        kubelet.check = kubelet.restarted_check()
    collection = kubelet.collect()
    assert collection.node.restart_pending is False
    assert verdicts(collection) == before


def test_without_configz_it_is_said_that_times_alone_are_not_enough(tmp_path: Path) -> None:
    kubelet = Kubelet(tmp_path, {'makeIPTablesUtilChains': True})
    kubelet.check.version = 'v1.36.2'
    kubelet.change(lambda: kubelet.file.chmod(0o600))
    collection = kubelet.collect(asks=False)
    (finding, *_) = collection.node.findings
    assert (finding.rule.key, finding.verdict) == (IPTABLES, UNKNOWN)
    assert 'or let the Agent read /configz. A change of only the mode or owner looks the same' in finding.message


@pytest.mark.parametrize('configured, verdict', [(SELF_MADE, COMPLIANT), ({}, NON_COMPLIANT)])
def test_whether_the_certificate_at_the_kubelets_own_path_is_configured_stays_known_after_an_edit(
    tmp_path: Path, configured: dict[str, Any], verdict: Verdict
) -> None:
    kubelet = Kubelet(tmp_path, configured)
    kubelet.collect()
    for edit in ({}, {'maxPods': 50}, {'maxPods': 51}):
        kubelet.change(lambda edit=edit: kubelet.write({**configured, **edit}))
        found = verdicts(kubelet.collect())
        assert (found[CERTIFICATE], found[ROTATION]) == (verdict, verdict)


@pytest.mark.parametrize('configured', [SELF_MADE, {}])
def test_a_check_that_saw_only_the_edited_file_calls_that_certificate_unknown(
    tmp_path: Path, configured: dict[str, Any]
) -> None:
    kubelet = Kubelet(tmp_path, configured)
    kubelet.change(lambda: kubelet.write({**configured, 'maxPods': 50}))
    finding = {finding.rule.key: finding for finding in kubelet.collect().node.findings}[CERTIFICATE]
    # A certificate that is not configured now is none at the next start, whatever runs.
    assert finding.verdict is (UNKNOWN if configured else NON_COMPLIANT)


@pytest.mark.parametrize('bootstrap, verdict', [(True, COMPLIANT), (False, UNKNOWN)])
def test_where_the_file_is_not_read_that_certificate_is_unknown_unless_it_does_not_matter(
    tmp_path: Path, bootstrap: bool, verdict: Verdict
) -> None:
    kubelet = Kubelet(tmp_path, {'serverTLSBootstrap': bootstrap})
    kubelet.file.unlink()
    os.mkfifo(kubelet.file)
    assert verdicts(kubelet.collect())[CERTIFICATE] is verdict


def test_after_an_edit_the_client_ca_is_the_one_that_configz_shows(tmp_path: Path, ca: Path) -> None:
    settings = {'authentication': {**RECORDED['authentication'], 'x509': {'clientCAFile': str(ca)}}}
    kubelet = Kubelet(tmp_path, settings)
    assert verdicts(kubelet.collect())[CA_MODE] is COMPLIANT
    kubelet.change(lambda: kubelet.write({**settings, 'maxPods': 50}))
    assert verdicts(kubelet.collect())[CA_MODE] is COMPLIANT
    assert verdicts(kubelet.collect(asks=False))[CA_MODE] is UNKNOWN
    ca.chmod(0o666)
    assert verdicts(kubelet.collect())[CA_MODE] is NON_COMPLIANT


@pytest.mark.parametrize(
    'edit, verdict, pending',
    [
        pytest.param({'makeIPTablesUtilChains': True}, COMPLIANT, False, id='put back'),
        pytest.param({'makeIPTablesUtilChains': False}, NON_COMPLIANT, True, id='worse'),
        pytest.param({'makeIPTablesUtilChains': True, 'maxPods': 50}, COMPLIANT, True, id='another field'),
        pytest.param({'makeIPTablesUtilChains': True, 'featureGates': {'Bogus': True}}, COMPLIANT, True, id='refused'),
    ],
)
def test_drift_is_seen_at_the_next_collection(
    tmp_path: Path, edit: dict[str, Any], verdict: Verdict, pending: bool
) -> None:
    kubelet = Kubelet(tmp_path, {'makeIPTablesUtilChains': True})
    assert kubelet.collect().node.restart_pending is False
    kubelet.change(lambda: kubelet.write({'makeIPTablesUtilChains': True, 'clusterDomain': 'x'}))
    assert kubelet.collect().node.restart_pending is True
    kubelet.change(lambda: kubelet.write(edit))
    collection = kubelet.collect()
    assert (verdicts(collection)[IPTABLES], collection.node.restart_pending) == (verdict, pending)
    reasons = ' '.join(problem.reason for problem in collection.node.problems)
    assert ('would refuse' in reasons) is ('featureGates' in edit)
