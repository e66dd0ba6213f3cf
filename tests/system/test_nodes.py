# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Every kind of kubelet that people run: one captured node each, with the verdicts that it must get beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.cli import main
from datadog_checks.kubelet_compliance.collection.launches import read_launch
from datadog_checks.kubelet_compliance.collection.services import read_unit_of
from datadog_checks.kubelet_compliance.launch.next_start import next_arguments, places_of
from datadog_checks.kubelet_compliance.model import Evidence, Unit
from datadog_checks.kubelet_compliance.node.captured import NODE_FACTS, parse_capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.processes import Admission
from tests.support.captured_nodes import NAMES, expected, files_of, lay_out_node

pytestmark = pytest.mark.same_for_every_user

IPTABLES = 'make_iptables_util_chains'
LONGEST_MESSAGE = 500

# Those that the project promises to know.
PROMISED = {
    'aks-config-file', 'aks-flags', 'bottlerocket', 'eks-al2', 'eks-al2023', 'flatcar', 'gke', 'hyperkube', 'k0s',
    'k3s-agent-off', 'k3s-server', 'kind', 'kops', 'kubeadm', 'kubespray', 'microk8s', 'microshift', 'minikube',
    'openshift', 'rke2', 'talos', 'wrapper',
}  # fmt: skip


@pytest.fixture(scope='module')
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder of a node. Each is laid out once, and no test changes it."""
    folder = tmp_path_factory.mktemp('nodes')
    return cache(lambda name: lay_out_node(name, folder / name))


def shown(node: Path, options: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    main(['--node', str(node), '--json', *options])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_each_promised_node_is_here() -> None:
    assert set(NAMES) >= PROMISED


@pytest.mark.parametrize('name', NAMES)
def test_a_node_gets_the_verdicts_that_stand_beside_it(
    name: str, laid_out: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = expected(name)
    answer = shown(laid_out(name), wanted['options'], capsys)
    assert len(answer['kubelets']) == wanted['kubelets']
    rules = {rule['rule']: rule for kubelet in answer['kubelets'] for rule in kubelet['rules']}
    assert {key: rules[key]['verdict'] for key in wanted['verdicts']} == wanted['verdicts']
    if IPTABLES in wanted['verdicts']:
        rule = rules[IPTABLES]
        assert wanted.get('set_by') in (None, rule['set_by'])
        assert wanted.get('place') in (None, rule['place'])
        assert all(part in rule['message'] for part in wanted['message']), rule['message']
        assert len(rule['message']) <= LONGEST_MESSAGE and not rule['message'].endswith('...')
    problems = [*answer['problems'], *(text for kubelet in answer['kubelets'] for text in kubelet['problems'])]
    assert all(any(part in text for text in problems) for part in wanted['problems']), problems
    assert not any('refuse' in text for text in problems)


@pytest.mark.parametrize('name', NAMES)
def test_a_node_captured_again_gets_the_same_verdicts(
    name: str, laid_out: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = expected(name)
    again = tmp_path / 'again'
    assert main(['--node', str(laid_out(name)), '--capture', str(again), *wanted['options']]) == 0
    capsys.readouterr()
    answers = [shown(node, wanted['options'], capsys) for node in (again, laid_out(name))]
    for answer in answers:
        # Each capture has its own response.
        del answer['configz_from']
        for kubelet in answer['kubelets']:
            # A capture leaves out what may be a secret in a command line.
            del kubelet['arguments'], kubelet['arguments_unknown'], kubelet['flags']
    assert answers[0] == answers[1]


@pytest.mark.parametrize('name', [name for name in NAMES if name.startswith(('k3s', 'microk8s', 'microshift'))])
@pytest.mark.parametrize(
    'line, kubelets',
    [
        pytest.param('Uid:\t1000\t1000\t1000\t1000\nNSpid:\t1200\n', 0, id='of another user'),
        pytest.param('Uid:\t0\t0\t0\t0\nNSpid:\t1200\t1\n', 0, id='nested'),
        pytest.param('Uid:\t0\t0\t0\t0\nNSpid:\t1200\n', 1, id="the node's own"),
    ],
)
def test_one_inside_another_program_must_be_the_nodes_own(
    name: str, line: str, kubelets: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_out_node(name, tmp_path / 'node')
    (tmp_path / 'node/proc/1200/status').write_text(line)
    assert len(shown(tmp_path / 'node', [], capsys)['kubelets']) == kubelets
    (tmp_path / 'node/proc/1200/cgroup').write_text('0::/kubepods.slice/x.scope\n')
    assert shown(tmp_path / 'node', [], capsys)['kubelets'] == []


@pytest.mark.parametrize('name', [name for name in NAMES if name.startswith(('k3s', 'microshift'))])
def test_without_configz_nothing_is_green_that_rests_on_a_reconstruction(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_out_node(name, tmp_path / 'node')
    (tmp_path / 'node/configz.json').unlink(missing_ok=True)
    (kubelet,) = shown(tmp_path / 'node', [], capsys)['kubelets']
    green = {rule['rule'] for rule in kubelet['rules'] if rule['verdict'] == 'compliant'}
    # The unit is known from the process itself.
    assert green <= {'service_file_permissions', 'service_file_ownership'}


# A kubelet that its service starts itself.
OWN_PROCESS = sorted(
    name
    for name in NAMES
    if any(path.endswith('/kubelet.service') for path in files_of(name))
    and name not in ('wrapper', 'kind-not-asked-for')
)


def host_of(node: Path) -> Host:
    capture = parse_capture((node / NODE_FACTS).read_bytes())
    return CapturedHost(str(node / 'proc'), str(node), admission=Admission(nested=True), capture=capture)


@pytest.mark.parametrize('name', OWN_PROCESS)
def test_the_service_of_a_node_gives_its_kubelet_the_arguments_that_it_has(
    name: str, laid_out: Callable[[str], Path]
) -> None:
    host = host_of(laid_out(name))
    (process,) = host.find_kubelets().processes
    unit = read_unit_of(host, process, '').unit
    assert next_arguments(Evidence(process, unit=unit)) == process.arguments
    assert process.arguments is not None
    assert {argument for argument in process.arguments if argument.startswith('--')} <= places_of(unit).keys()


def test_the_files_of_its_service_belong_to_how_k3s_starts_its_kubelet(tmp_path: Path) -> None:
    lay_out_node('k3s-agent-off', tmp_path / 'node')
    variables = tmp_path / 'node/etc/systemd/system/k3s-agent.service.env'
    variables.write_text('K3S_TOKEN=hush\nK3S_DATA_DIR=/data\n')
    host = host_of(tmp_path / 'node')
    (process,) = host.find_kubelets().processes
    unit = read_unit_of(host, process, '').unit
    assert isinstance(unit, Unit)
    # Of the variables only those are kept that say where the options are.
    assert {name: value.text for name, value in unit.environment.items()} == {'K3S_DATA_DIR': '/data'}
    launch = read_launch(host, process, unit)
    assert launch is not None
    assert [file.path for file in launch.files] == [
        '/etc/systemd/system/k3s-agent.service',
        '/etc/systemd/system/k3s-agent.service.env',
    ]
