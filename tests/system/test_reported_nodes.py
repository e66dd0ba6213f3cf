# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Nodes made after public reports of people who audit kubelets, each the smallest that shows what was reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.cli import main
from datadog_checks.kubelet_compliance.kubelet.feature_gates import FIRST_KNOWN, LAST_KNOWN
from tests.support.captured_nodes import REPORTED, lay_out_node

IPTABLES = ('--rule', 'make_iptables_util_chains')
COMPLIANT, NOT_COMPLIANT, NOT_DETERMINED = range(3)


# The node, the options, the exit status, and what the answer says.
ANSWERS = [
    ('authz-rbac', IPTABLES, COMPLIANT, 'COMPLIANT'),
    ('capture-no-stat', IPTABLES, NOT_DETERMINED, 'has no readable proc/1200/stat'),
    ('client-ca-gone', IPTABLES, COMPLIANT, 'COMPLIANT'),
    ('dynamic-config-dir', IPTABLES, NOT_DETERMINED, 'this check does not support --dynamic-config-dir'),
    ('gate-unknown', IPTABLES, COMPLIANT, 'COMPLIANT'),
    ('k3s-dashes', IPTABLES, NOT_COMPLIANT, '/etc/rancher/k3s/config.yaml:1 (flag)'),
    ('k3s-null', IPTABLES, NOT_DETERMINED, 'k3s hides its command line'),
    ('k8s-snap-off', IPTABLES, NOT_COMPLIANT, '--make-iptables-util-chains=false (flag)'),
    ('kind-in-a-pod', IPTABLES, NOT_COMPLIANT, '/var/lib/kubelet/config.yaml:13 (config_file)'),
    ('kubeadm-off-flag', IPTABLES, NOT_COMPLIANT, 'kubeadm-flags.env:1 (KUBELET_KUBEADM_ARGS) (flag)'),
    ('kubelet-cgroups', ('--rule', 'service_file_permissions'), COMPLIANT, '/etc/systemd/system/kubelet.service is'),
    ('rke2-off-flag', IPTABLES, NOT_COMPLIANT, '/etc/rancher/rke2/config.yaml:2 (flag)'),
    ('rootless', IPTABLES, NOT_DETERMINED, 'set nested: true and add "100999" to allowed_users'),
    ('rootless', (*IPTABLES, '--nested', '--allowed-user', '100999'), NOT_COMPLIANT, 'config.yaml:13 (config_file)'),
    ('seccomp-flag', ('--benchmark', 'cis-1.12', '--rule', 'seccomp_default'), COMPLIANT, '--seccomp-default=true'),
    ('talos-off', IPTABLES, NOT_COMPLIANT, '/etc/kubernetes/kubelet.yaml:3 (config_file)'),
    ('unlimited-swap-1.28', IPTABLES, NOT_COMPLIANT, '/var/lib/kubelet/config.yaml:18 (config_file)'),
]


@pytest.mark.parametrize('name, options, status, says', ANSWERS)
def test_a_reported_node_gets_the_right_answer(
    name: str, options: tuple[str, ...], status: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = lay_out_node(name, tmp_path)
    assert main(['--node', str(node), *options, '--verbose']) == status
    # Words may be parted by the end of a line.
    assert says in ' '.join(capsys.readouterr().out.split())


def test_every_node_that_is_kept_has_an_answer() -> None:
    assert {path.stem for path in REPORTED.glob('*.json')} == {name for name, *_ in ANSWERS} | {'configz-forms'}


@pytest.mark.parametrize('name', sorted(path.stem for path in REPORTED.glob('*.json')))
def test_every_reported_node_has_an_answer_about_every_upgrade(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = lay_out_node(name, tmp_path)
    for target in range(FIRST_KNOWN, LAST_KNOWN + 1):
        status = main(['--node', str(node), '--for-version', f'1.{target}', '--json', '--nested'])
        found = json.loads(capsys.readouterr().out)
        blocked = [kubelet['upgrade']['outcome'] == 'blocked' for kubelet in found['kubelets']]
        assert (status == NOT_COMPLIANT) == any(blocked)


def test_k3s_adds_nothing_for_an_option_without_a_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(['--node', str(lay_out_node('k3s-null', tmp_path)), *IPTABLES])
    assert 'k3s adds' not in capsys.readouterr().out


@pytest.mark.parametrize('name', ['gate-unknown', 'authz-rbac', 'client-ca-gone'])
def test_what_runs_was_accepted_and_is_not_called_a_failure_of_the_next_restart(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(['--node', str(lay_out_node(name, tmp_path))])
    assert 'the next restart will fail' not in capsys.readouterr().out
