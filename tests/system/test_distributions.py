# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Where settings are made, on every captured node: no message names a file or a service that the node does not have."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.model import Fact, Finding, Home, Verdict
from datadog_checks.kubelet_compliance.node.captured import NODE_FACTS
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS as BENCHMARKS_BY_NAME
from datadog_checks.kubelet_compliance.rules.distributions import (
    DISTRIBUTIONS,
    NO_DISTRIBUTION,
    Traits,
    distribution_of,
    home_of,
)
from datadog_checks.kubelet_compliance.rules.fixes import fix_of
from datadog_checks.kubelet_compliance.rules.rule_descriptions import iter_distributions
from tests.support.applied import follow, judged
from tests.support.captured_nodes import NAMES, files_of, lay_out_node

pytestmark = pytest.mark.same_for_every_user

RELOAD = 'run: systemctl daemon-reload && systemctl restart'
KUBELET = f'{RELOAD} kubelet.service'
KUBEADM = 'kubeadm'

# Each captured node, the row that it shows, and how a change comes into force there.
ROWS = {
    'aks-config-file': ('AKS', KUBELET),
    'aks-flags': ('AKS', KUBELET),
    'bottlerocket': ('Bottlerocket', 'let Bottlerocket restart the kubelet'),
    'eks-al2': ('EKS AL2', KUBELET),
    'eks-al2023': ('EKS AL2023 (nodeadm)', KUBELET),
    'flatcar': (KUBEADM, KUBELET),
    'gke': ('GKE', KUBELET),
    'gke-dataplane-v2-off': ('GKE', KUBELET),
    'hyperkube': ('RKE1', 'run: rke up'),
    'k0s': ('k0s', f'{RELOAD} k0sworker.service'),
    'k3s-agent-off': ('k3s', f'{RELOAD} k3s-agent.service'),
    'k3s-server': ('k3s', f'{RELOAD} k3s.service'),
    'k3s-server-off': ('k3s', f'{RELOAD} k3s.service'),
    'k3s-drop-in-off': ('k3s', f'{RELOAD} k3s.service'),
    'k3s-on-is-no-proof': ('k3s', f'{RELOAD} k3s.service'),
    'k3s-configz': ('k3s', f'{RELOAD} k3s.service'),
    'k3s-configz-off': ('k3s', f'{RELOAD} k3s.service'),
    'kind': ('kind', f'run in the container of the node: {KUBELET.removeprefix("run: ")}'),
    'kops': ('kops', KUBELET),
    'kubeadm': (KUBEADM, KUBELET),
    'kubespray': ('kubespray', KUBELET),
    'microk8s': ('MicroK8s', 'run: snap restart microk8s.daemon-kubelite'),
    'microk8s-changed': ('MicroK8s', 'run: snap restart microk8s.daemon-kubelite'),
    'microk8s-off': ('MicroK8s', 'run: snap restart microk8s.daemon-kubelite'),
    'microshift': ('MicroShift', f'{RELOAD} microshift.service'),
    'microshift-off': ('MicroShift', f'{RELOAD} microshift.service'),
    'minikube': ('minikube', KUBELET),
    'openshift': ('OpenShift', 'wait for the Machine Config Operator to restart the node'),
    'rke2': ('RKE2', f'{RELOAD} rke2-server.service'),
    'rke2-legacy': ('RKE2', f'{RELOAD} rke2-agent.service'),
    'talos': ('Talos', 'run: talosctl apply-config'),
}
REPORTED_ROWS = {
    'k3s-dashes': f'{RELOAD} k3s.service',
    'k8s-snap-off': f'{RELOAD} snap.k8s.kubelet.service',
    'kubeadm-off-flag': KUBELET,
    'rke2-off-flag': f'{RELOAD} rke2-server.service',
    'talos-off': 'run: talosctl apply-config',
    'unlimited-swap-1.28': KUBELET,
}
# No kubelet of the node runs there without `--nested`, or none at all.
WITHOUT_KUBELET = {'kind-not-asked-for', 'wrapper'}

BAD_FLAGS = (
    '--anonymous-auth=true',
    '--authorization-mode=AlwaysAllow',
    '--client-ca-file=',
    '--read-only-port=10255',
    '--streaming-connection-idle-timeout=0',
    '--protect-kernel-defaults=false',
    '--make-iptables-util-chains=false',
    '--hostname-override=other',
    '--tls-cert-file=',
    '--tls-private-key-file=',
    '--rotate-server-certificates=false',
    '--rotate-certificates=false',
    '--feature-gates=RotateKubeletServerCertificate=false',
    '--tls-cipher-suites=TLS_RSA_WITH_3DES_EDE_CBC_SHA',
    '--pod-max-pids=-1',
    '--seccomp-default=false',
    '--pod-manifest-path=/etc/kubernetes/manifests',
)
BAD_FIELDS = {
    'apiVersion': 'kubelet.config.k8s.io/v1beta1',
    'kind': 'KubeletConfiguration',
    'authentication': {'anonymous': {'enabled': True}, 'x509': {'clientCAFile': ''}},
    'authorization': {'mode': 'AlwaysAllow'},
    'readOnlyPort': 10255,
    'streamingConnectionIdleTimeout': '0s',
    'protectKernelDefaults': False,
    'makeIPTablesUtilChains': False,
    'serverTLSBootstrap': False,
    'rotateCertificates': False,
    'featureGates': {'RotateKubeletServerCertificate': False},
    'tlsCipherSuites': ['TLS_RSA_WITH_3DES_EDE_CBC_SHA'],
    'podPidsLimit': -1,
    'seccompDefault': False,
    'staticPodPath': '/etc/kubernetes/manifests',
}
BENCHMARKS = ('cis-1.5', 'cis-1.12')
BY_ONE_OF_THEM = 13
"""How many rules these break, on a node where each of them can be broken."""

PATH = re.compile(r'(?<![\w}])/[\w./@:+-]*\w')
SERVICE = re.compile(r'[\w@.\\-]+\.service\b')


def findings_on(node: Path) -> dict[str, Finding]:
    """What is found of each rule on the kubelet's settings that is not met."""
    found = {key: finding for benchmark in BENCHMARKS for key, finding in judged(node, benchmark).items()}
    return {
        key: finding
        for key, finding in found.items()
        if finding.rule.files is None and finding.verdict is Verdict.NON_COMPLIANT
    }


def messages(node: Path) -> dict[str, str]:
    return {key: finding.message for key, finding in findings_on(node).items()}


def fixes_of(said: dict[str, str]) -> dict[str, str]:
    fixes = {rule: message.partition('To fix it, ')[2] for rule, message in said.items()}
    return {rule: fix for rule, fix in fixes.items() if fix}


def is_there(node: Path, path: str) -> bool:
    """Whether a node has a file or folder; of some files only the mode is kept."""
    facts = json.loads((node / NODE_FACTS).read_text())['files']
    return path in facts or (node / path.lstrip('/')).exists() or any(name.startswith(f'{path}/') for name in facts)


def check(node: Path, said: dict[str, str], then: str) -> None:
    """That all that a message names is there, and how its change comes into force."""
    service = re.search(r'[\w.@-]+\.service', (node / 'proc/1200/cgroup').read_text())
    for rule, fix in fixes_of(said).items():
        assert len(said[rule]) <= 500 and said[rule].isprintable() and not said[rule].endswith('...')
        assert f', then {then}' in fix, fix
        for found in PATH.findall(fix):
            assert is_there(node, re.sub(r':\d+$', '', found)), f'{rule}: {found} in {fix}'
        assert set(SERVICE.findall(fix)) <= {service[0] if service is not None else ''}, fix


def lay_out(name: str, folder: Path) -> Path:
    lay_out_node(name, folder)
    if name not in NAMES:
        return folder
    (folder / 'configz.json').unlink(missing_ok=True)
    facts = json.loads((folder / NODE_FACTS).read_text())
    # A node on which no fix does harm.
    facts['facts'] = {fact.name.lower(): {'holds': True, 'detail': ''} for fact in Fact}
    (folder / NODE_FACTS).write_text(json.dumps(facts))
    return folder


EVERYWHERE = [*((name, then) for name, (_, then) in ROWS.items()), *REPORTED_ROWS.items()]


def test_each_captured_node_has_its_row() -> None:
    assert set(ROWS) | WITHOUT_KUBELET == set(NAMES)
    assert {row for row, _ in ROWS.values()} < {row.name for row in DISTRIBUTIONS}


@pytest.mark.parametrize(('name', 'then'), EVERYWHERE)
def test_a_node_as_it_was_captured(name: str, then: str, tmp_path: Path) -> None:
    node = lay_out(name, tmp_path)
    check(node, messages(node), then)


def break_command_line(node: Path) -> int:
    """Give the kubelet, or the program that it is in, the bad flags where it shows them; how many rules are broken."""
    line = node / 'proc/1200/cmdline'
    comm = (node / 'proc/1200/comm').read_text().strip()
    if comm.startswith('k3s'):
        config = node / 'etc/rancher/k3s/config.yaml'
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(json.dumps({'kubelet-arg': [flag[2:] for flag in BAD_FLAGS]}))
        shutil.rmtree(f'{config}.d', ignore_errors=True)
    elif comm == 'kubelite':
        (arguments,) = node.glob('var/snap/microk8s/*/args/kubelet')
        arguments.write_text('\n'.join(BAD_FLAGS))
    elif comm == 'microshift':
        return 0
    else:
        line.write_bytes(line.read_bytes() + ''.join(f'{flag}\0' for flag in BAD_FLAGS).encode())
    return BY_ONE_OF_THEM


@pytest.mark.parametrize(('name', 'then'), EVERYWHERE)
def test_a_node_with_every_rule_broken_by_a_flag(name: str, then: str, tmp_path: Path) -> None:
    node = lay_out(name, tmp_path)
    least = break_command_line(node)
    said = messages(node)
    check(node, said, then)
    assert len(said) >= least, sorted(said)
    by_flag = [fix for fix in fixes_of(said).values() if fix.startswith('remove --') or ' --' in f' {fix}']
    assert len(by_flag) >= least - 4


def break_files(node: Path) -> int:
    """Write the bad fields to all config files; how many there are."""
    broken = 0
    for file in node.rglob('*'):
        if file.is_file() and b'kind' in file.read_bytes() and b'KubeletConfiguration' in file.read_bytes():
            file.write_text(json.dumps(BAD_FIELDS))
            broken += 1
    return broken


@pytest.mark.parametrize(('name', 'then'), EVERYWHERE)
def test_a_node_with_every_rule_broken_by_a_file(name: str, then: str, tmp_path: Path) -> None:
    node = lay_out(name, tmp_path)
    broken = break_files(node)
    said = messages(node)
    check(node, said, then)
    assert not broken or len(said) >= 8, sorted(said)


@pytest.mark.parametrize('broken', [break_command_line, break_files], ids=['flags', 'files'])
@pytest.mark.parametrize('name', [name for name, _ in EVERYWHERE])
def test_a_fix_that_is_followed_mends_its_rule_and_breaks_no_other(
    name: str, broken: Callable[[Path], int], tmp_path: Path
) -> None:
    node = lay_out(name, tmp_path / 'node')
    broken(node)
    followed: set[str] = set()
    for benchmark in BENCHMARKS:
        before = judged(node, benchmark)
        for key, finding in before.items():
            fix = fix_of(finding.rule, finding.setting, BENCHMARKS_BY_NAME[benchmark])
            if finding.verdict is not Verdict.NON_COMPLIANT or not fix.steps or key in followed:
                continue
            followed.add(key)
            copy = tmp_path / f'{benchmark}-{key}'
            shutil.copytree(node, copy, symlinks=True)
            follow(copy, fix, finding.setting)
            after = judged(copy, benchmark)
            assert after[key].verdict is not Verdict.NON_COMPLIANT, (finding.message, after[key].message)
            worse = {
                other: after[other].message
                for other, was in before.items()
                if after[other].verdict.badness > was.verdict.badness
            }
            assert not worse, (finding.message, worse)
            shutil.rmtree(copy)


OWN_SERVICE = sorted(
    name
    for name, (row, _) in ROWS.items()
    if row not in ('Bottlerocket', 'OpenShift') and 'etc/systemd/system/kubelet.service' in files_of(name)
)


@pytest.mark.parametrize('name', OWN_SERVICE)
def test_a_flag_of_the_service_is_taken_out_of_its_own_line(name: str, tmp_path: Path) -> None:
    node = lay_out(name, tmp_path)
    break_command_line(node)
    drop_in = '/etc/systemd/system/kubelet.service.d/99-own.conf'
    (node / drop_in[1:]).parent.mkdir(exist_ok=True)
    (node / drop_in[1:]).write_text(f'[Service]\nEnvironment="OWN={" ".join(BAD_FLAGS)}"\n')
    fix = fixes_of(messages(node))['make_iptables_util_chains']
    begins = (f'remove --{ON} from', f'set --{ON}=true in')
    assert fix.startswith(tuple(f'{begin} {drop_in}:2 (OWN), then {ROWS[name][1]}' for begin in begins))


K3S_SERVICE = '/etc/systemd/system/k3s.service'
ON = 'make-iptables-util-chains'
OFF = f'{ON}=false'


def add_to_command(node: Path, service: str, *words: str) -> None:
    file = node / service[1:]
    file.write_text(f'{file.read_text().rstrip()} {" ".join(words)}\n')


def line_of(node: Path, path: str, text: str) -> int:
    lines = (node / path[1:]).read_text().split('\n')
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.parametrize('words', [(f'--kubelet-arg={OFF}',), ('--kubelet-arg', f"'{OFF}'")])
def test_an_option_that_k3s_hides_is_seen_in_its_service(words: tuple[str, ...], tmp_path: Path) -> None:
    node = lay_out('k3s-server', tmp_path)
    add_to_command(node, K3S_SERVICE, *words)
    fix = fixes_of(messages(node))['make_iptables_util_chains']
    # A command that goes on over lines stands where it begins.
    assert fix.startswith(f'remove --make-iptables-util-chains from {K3S_SERVICE}:')
    assert int(fix.split(':')[1].split(',')[0]) >= line_of(node, K3S_SERVICE, 'ExecStart=')
    assert f', then {ROWS["k3s-server"][1]}' in fix


@pytest.mark.parametrize(
    ('name', 'service', 'variable'),
    [('k3s-server', 'k3s', 'K3S_CONFIG_FILE'), ('rke2', 'rke2-server', 'RKE2_CONFIG_FILE')],
)
def test_a_variable_of_the_service_names_the_file_with_the_options(
    name: str, service: str, variable: str, tmp_path: Path
) -> None:
    node = lay_out(name, tmp_path)
    (node / 'etc/default').mkdir(exist_ok=True)
    (node / f'etc/default/{service}').write_text(f'{variable}=/opt/options.yaml\n')
    (node / 'opt').mkdir()
    (node / 'opt/options.yaml').write_text(f'# ours\nkubelet-arg:\n- {OFF}\n')
    line = node / 'proc/1200/cmdline'
    if name == 'rke2':
        line.write_bytes(line.read_bytes() + f'--{OFF}\0'.encode())
    fix = fixes_of(messages(node))['make_iptables_util_chains']
    assert fix.startswith(f'remove --make-iptables-util-chains from /opt/options.yaml:3, then {ROWS[name][1]}')


def test_a_k3s_without_a_folder_for_drop_ins_gets_advice_without_one(tmp_path: Path) -> None:
    node = lay_out('k3s-server', tmp_path)
    shutil.rmtree(node / 'var/lib/rancher')
    facts = json.loads((node / NODE_FACTS).read_text())
    facts['files'] = {path: fact for path, fact in facts['files'].items() if not path.startswith('/var/lib/rancher')}
    (node / NODE_FACTS).write_text(json.dumps(facts))
    break_command_line(node)
    said = messages(node)
    check(node, said, ROWS['k3s-server'][1])
    assert '--pod-max-pids=4096 in /etc/rancher/k3s/config.yaml:1, ' in said['pod_max_pids']


@pytest.mark.parametrize('spelled', [OFF, f'--{OFF}'])
@pytest.mark.parametrize('file', ['config.yaml', 'config.yaml.d/10-kubelet.yaml'])
def test_a_flag_of_rke2_stands_in_its_own_files(spelled: str, file: str, tmp_path: Path) -> None:
    node = lay_out('rke2-legacy', tmp_path)
    path = node / 'etc/rancher/rke2' / file
    path.parent.mkdir(parents=True)
    path.write_text(f'kubelet-arg:\n- v=2\n- {spelled}\n')
    fix = fixes_of(messages(node))['make_iptables_util_chains']
    assert fix.startswith(
        f'remove --make-iptables-util-chains from /etc/rancher/rke2/{file}:3, then {ROWS["rke2-legacy"][1]}'
    )


NODE = Traits(program='/usr/bin/kubelet', pid=7)
ELSEWHERE = [
    (replace(NODE, unit='snap.k8s.kubelet.service'), 'Canonical Kubernetes (snap k8s)'),
    (replace(NODE, program='/snap/k8s/2000/bin/kubelet'), 'Canonical Kubernetes (snap k8s)'),
    (replace(NODE, unit='snap.kubelet.daemon.service'), 'Charmed Kubernetes (snap kubelet)'),
    (replace(NODE, unit='my-kubelet.service', config='/etc/k.yaml'), 'a systemd service'),
    (replace(NODE, is_contained=True), 'a container'),
    (replace(NODE, unit='rke2-server.service'), 'RKE2'),
    (replace(NODE, unit='rke2-agent.service'), 'RKE2'),
    (replace(NODE, unit='k0scontroller.service'), 'k0s'),
    (replace(NODE, unit='k0sworker.service'), 'k0s'),
    (replace(NODE, config='/etc/kubernetes/kubelet.conf', kubeconfig='/var/lib/kubelet/kubeconfig'), 'OpenShift'),
    (replace(NODE, kubeconfig='/var/lib/rancher/rke2/agent/kubelet.kubeconfig'), 'RKE2'),
    (replace(NODE, config='/var/lib/kubelet/config.yaml'), 'anything else'),
    (NODE, 'anything else'),
]


@pytest.mark.parametrize(('traits', 'row'), ELSEWHERE)
def test_what_no_captured_node_shows(traits: Traits, row: str) -> None:
    assert distribution_of(traits).name == row


def test_every_row_is_shown_by_a_node_or_by_traits() -> None:
    shown = {row for row, _ in ROWS.values()} | {row for _, row in ELSEWHERE}
    assert shown == {row.name for row in (*DISTRIBUTIONS, NO_DISTRIBUTION)}


IN_A_DROP_IN = 'a drop-in of /d (with apiVersion and kind)'
HELD: dict[str, Any] = {
    'made_anew': ('*/agent/etc/kubelet.conf.d/00-*-defaults.conf',),
    'fixed_flags': frozenset({'--hostname-override'}),
    'passes_own_flags': True,
}


@pytest.mark.parametrize(
    ('traits', 'home'),
    [
        (
            NODE,
            Home('restart the kubelet', 'restart the kubelet', 'what starts the kubelet (find it: systemctl status 7)'),
        ),
        (
            replace(NODE, is_contained=True),
            Home(
                'restart its container by the engine that runs it',
                'restart its container by the engine that runs it',
                'the arguments of its container',
            ),
        ),
        (
            replace(NODE, unit="a'b.service", config='/etc/k.yaml', has_config=True),
            Home(
                """run: systemctl daemon-reload && systemctl restart 'a'"'"'b.service'""",
                """run: systemctl daemon-reload && systemctl restart 'a'"'"'b.service'""",
                """the arguments of 'a'"'"'b.service' (find it: systemctl cat 'a'"'"'b.service')""",
                '/etc/k.yaml',
            ),
        ),
        (
            replace(NODE, inside='k3s'),
            Home('restart the kubelet', 'restart the kubelet', 'kubelet-arg in the options of k3s', **HELD),
        ),
        (
            replace(NODE, inside='k3s', options='/k3s.yaml', drop_ins='/d'),
            Home('restart the kubelet', 'restart the kubelet', 'kubelet-arg in /k3s.yaml', IN_A_DROP_IN, **HELD),
        ),
        (
            replace(NODE, unit='rke2-server.service', options='/r/{unit}.yaml'),
            Home(
                'run: systemctl daemon-reload && systemctl restart rke2-server.service',
                'run: systemctl daemon-reload && systemctl restart rke2-server.service',
                'kubelet-arg in /r/{unit}.yaml',
                **HELD,
            ),
        ),
    ],
)
def test_the_texts_carry_the_names_of_the_node(traits: Traits, home: Home) -> None:
    assert home_of(traits) == home


def test_the_page_has_every_row_without_a_gap() -> None:
    rows = list(iter_distributions())
    assert [row[0] for row in rows] == [row.name for row in (*DISTRIBUTIONS, NO_DISTRIBUTION)]
    assert not any('{' in text or '|' in text for row in rows for text in row)
    assert all(all(row[:4]) for row in rows)
