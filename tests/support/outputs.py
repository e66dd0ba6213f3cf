# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the command can find: a case for each kind of node, image, and option, to test each format on all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from datadog_checks.kubelet_compliance.reporting.output import NotEvaluated, Output, Results, Started
from datadog_checks.kubelet_compliance.terminal.evaluation import captures_of, task_for
from datadog_checks.kubelet_compliance.terminal.options import parser

from .captured_nodes import NAMES, REPORTED, expected, lay_out_node
from .images import kubeadm, write
from .nodes import HEAD, IN_NO_SERVICE, write_process
from .paths import ROOT

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=timezone.utc)
HOSTILE = '\x1b[31mred\x07one\ntwo\u2028three\u202egpj ](http://x) <b>&amp;]]> %2e {0} \udcff'
"""Text that a terminal, XML, a URI, or Markdown must not take as its own."""

EXEMPTIONS = """\
instances:
- exemptions:
  - {rule: make_iptables_util_chains, reason: 'cilium <3'}
  - {rule: rotate_certificates, reason: 'until the move', until: 2099-01-31}
  - {rule: read_only_port, reason: 'over', until: 2020-01-31}
"""
CUSTOM = """\
- key: max_pods
  title: At most 20 pods
  setting: maxPods
  at_most: 20
  fix: ask the <platform> team
  caution: pods wait
- {key: domain, title: Our domain, setting: clusterDomain, is: cluster.local}
"""


def run(*options: object) -> Output:
    """What the command finds with these options, for one node."""
    without_agent = () if '--conf' in options else ('--no-conf',)
    given = parser().parse_args([*map(str, options), *without_agent])
    return task_for(given, captures_of(given)).run()


Evaluate = Callable[[Path], Sequence[Output | NotEvaluated]]
"""Lays out the files of a case in a folder, and evaluates them."""


def captured(name: str) -> Evaluate:
    def lay_out_and_run(folder: Path) -> Sequence[Output]:
        given = expected(name)['options'] if name in NAMES else []
        return [run('--node', lay_out_node(name, folder / 'node'), *given)]

    return lay_out_and_run


def hostile(folder: Path) -> Sequence[Output]:
    """A live node on which a process chooses every text that it can."""
    config = folder / HOSTILE.replace('/', '')
    config.write_text(f'{HEAD}makeIPTablesUtilChains: false\n')
    arguments = ('kubelet', f'--config={config}', f'--hostname-override={HOSTILE}', f'--kubeconfig=/{HOSTILE}')
    write_process(folder / 'proc', 700, arguments)
    output = run('--procfs', folder / 'proc')
    return [replace(output, starts={700: Started(1_764_000_000.5, 'root', 'systemd (process 1)')})]


def hostile_image(folder: Path) -> Sequence[Output]:
    root = kubeadm(folder / f'image {HOSTILE.replace("/", "")}')
    write(root, {'etc/default/kubelet': 'KUBELET_EXTRA_ARGS=--max-pods=50 --make-iptables-util-chains=false\n'})
    return [run('--root', root)]


def exempted(folder: Path) -> Sequence[Output]:
    """With the config file of the check, and a response of the kubelet."""
    conf, configz = folder / 'conf.yaml', folder / 'configz.json'
    conf.write_text(EXEMPTIONS)
    configz.write_text('{"kubeletconfig": {"makeIPTablesUtilChains": false, "maxPods": 110}}')
    return [run('--node', ROOT / 'examples' / 'kubeadm', '--conf', conf, '--configz', configz)]


def custom(folder: Path) -> Sequence[Output]:
    rules = folder / 'rules.yaml'
    rules.write_text(CUSTOM)
    return [run('--root', ROOT / 'examples' / 'image', '--rules', rules)]


def no_kubelet(folder: Path) -> Sequence[Output]:
    write_process(folder / 'proc', 7, ('grep', 'kubelet'), comm='grep')
    return [run('--procfs', folder / 'proc')]


def no_kubelet_in_image(folder: Path) -> Sequence[Output]:
    return [run('--root', write(folder / 'image', {'etc/os-release': 'ID=debian\n'}))]


def in_doubt(folder: Path) -> Sequence[Output]:
    """A kubelet, and a process that may be one."""
    write_process(folder / 'proc', 7, ('something',))
    write_process(folder / 'proc', 8, ('kubelet', '--v=2'), root=folder)
    return [run('--procfs', folder / 'proc')]


def only_in_doubt(folder: Path) -> Sequence[Output]:
    write_process(folder / 'proc', 7, ('something',))
    return [run('--procfs', folder / 'proc')]


def several_kubelets(folder: Path) -> Sequence[Output]:
    for pid, flag in ((7, '--make-iptables-util-chains=false'), (8, '--hostname-override=b')):
        write_process(folder / 'proc', pid, ('kubelet', flag))
    return [run('--procfs', folder / 'proc')]


def several_captured_kubelets(folder: Path) -> Sequence[Output]:
    """Of two nodes, each with the same two kubelets."""
    nodes = []
    for name in ('a', 'b'):
        for pid in (7, 8):
            write_process(folder / name / 'proc', pid, ('kubelet', '--make-iptables-util-chains=false'))
        nodes.append(replace(run('--node', folder / name), name=name))
    return nodes


def several_nodes(folder: Path) -> Sequence[Output | NotEvaluated]:
    nodes = [
        replace(run('--node', lay_out_node(name, folder / 'captures' / name)), name=name)
        for name in ('kubeadm', 'k3s-server-off')
    ]
    failed = NotEvaluated('node-3', 'node.json is not valid <JSON>', str(folder / 'captures' / 'node-3'))
    return [*nodes, failed, *no_kubelet(folder)]


def upgrade(version: str, *flags: str, today: Sequence[str] = ('--kubelet-version', '1.33')) -> Evaluate:
    def write_and_run(folder: Path) -> Sequence[Output]:
        root = kubeadm(folder / 'image')
        write(root, {'etc/default/kubelet': f'KUBELET_EXTRA_ARGS="{" ".join(flags)}"\n'})
        return [run('--root', root, '--for-version', version, *today)]

    return write_and_run


def blocked_process(folder: Path) -> Sequence[Output]:
    """A kubelet whose flags are in no file that is known."""
    write_process(folder / 'proc', 7, ('kubelet', '--pod-infra-container-image=x'), cgroup=IN_NO_SERVICE)
    return [run('--procfs', folder / 'proc', '--for-version', '1.36', '--kubelet-version', '1.33')]


CASES: Mapping[str, Evaluate] = {
    **{name: captured(name) for name in (*NAMES, *sorted(path.stem for path in REPORTED.glob('*.json')))},
    'example of a node': lambda _: [run('--node', ROOT / 'examples' / 'eks-al2023')],
    'example of an image': lambda _: [run('--root', ROOT / 'examples' / 'image')],
    'hostile texts': hostile,
    'an image in a hostile folder': hostile_image,
    'exemptions and configz': exempted,
    'custom rules': custom,
    'no kubelet': no_kubelet,
    'no kubelet in an image': no_kubelet_in_image,
    'several captured kubelets': several_captured_kubelets,
    'in doubt': in_doubt,
    'only in doubt': only_in_doubt,
    'several kubelets': several_kubelets,
    'several nodes': several_nodes,
    'a blocked upgrade': upgrade('1.36', '--pod-infra-container-image=x', '--feature-gates=KubeletFoo=true'),
    'a blocked upgrade of a process': blocked_process,
    'an upgrade': upgrade('1.34', '--v=2'),
    'an upgrade from an unknown release': upgrade('1.37', '--cloud-config=x', today=()),
}


def results_of(case: str, folder: Path, **changes: Any) -> Results:
    """What the command finds in a case. It runs in the folder that contains the files of the case."""
    nodes = CASES[case](folder)
    return replace(Results(nodes, NOW, are_many=len(nodes) > 1, folder=str(folder)), **changes)
