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
from datadog_checks.kubelet_compliance.terminal.options import parser
from datadog_checks.kubelet_compliance.terminal.tasks import task_of

from .captured_nodes import NAMES, REPORTED, expected, lay_out_node
from .images import kubeadm, write
from .nodes import HEAD, write_process
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
  title: At most 50 pods
  setting: maxPods
  at_most: 50
  fix: ask the <platform> team
  caution: pods wait
- {key: domain, title: Our domain, setting: clusterDomain, is: cluster.local}
"""


def run(*options: object) -> Output:
    """What the command finds with these options."""
    return task_of(parser().parse_args([*map(str, options), *(() if '--conf' in options else ('--no-conf',))])).run()


def captured(name: str) -> Callable[[Path], Sequence[Output | NotEvaluated]]:
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


def in_doubt(folder: Path) -> Sequence[Output]:
    """A process that may be a kubelet, and one that an option would admit."""
    write_process(folder / 'proc', 7, ('something',))
    write_process(folder / 'proc', 8, ('kubelet', '--v=2'), root=folder)
    return [run('--procfs', folder / 'proc')]


def several_kubelets(folder: Path) -> Sequence[Output]:
    for pid, flag in ((7, '--make-iptables-util-chains=false'), (8, '--hostname-override=b')):
        write_process(folder / 'proc', pid, ('kubelet', flag))
    return [run('--procfs', folder / 'proc')]


def several_nodes(folder: Path) -> Sequence[Output | NotEvaluated]:
    nodes = [run('--node', lay_out_node(name, folder / name)) for name in ('kubeadm', 'k3s-server-off')]
    return [*nodes, NotEvaluated('captures/node-3', 'node.json is not valid <JSON>'), *no_kubelet(folder)]


def upgrade(version: str, *flags: str) -> Callable[[Path], Sequence[Output]]:
    def write_and_run(folder: Path) -> Sequence[Output]:
        root = kubeadm(folder / 'image')
        write(root, {'etc/default/kubelet': f'KUBELET_EXTRA_ARGS="{" ".join(flags)}"\n'})
        return [run('--root', root, '--for-version', version, '--kubelet-version', '1.33')]

    return write_and_run


CASES: Mapping[str, Callable[[Path], Sequence[Output | NotEvaluated]]] = {
    **{name: captured(name) for name in (*NAMES, *sorted(path.stem for path in REPORTED.glob('*.json')))},
    'example of a node': lambda _: [run('--node', ROOT / 'examples' / 'eks-al2023')],
    'example of an image': lambda _: [run('--root', ROOT / 'examples' / 'image')],
    'hostile texts': hostile,
    'an image in a hostile folder': hostile_image,
    'exemptions and configz': exempted,
    'custom rules': custom,
    'no kubelet': no_kubelet,
    'in doubt': in_doubt,
    'several kubelets': several_kubelets,
    'several nodes': several_nodes,
    'a blocked upgrade': upgrade('1.36', '--pod-infra-container-image=x', '--feature-gates=KubeletFoo=true'),
    'an upgrade': upgrade('1.34', '--v=2'),
}


def results_of(case: str, folder: Path, **changes: Any) -> Results:
    """What the command finds in a case. It runs in the folder that contains the files of the case."""
    nodes = CASES[case](folder)
    return replace(Results(nodes, NOW, are_many=len(nodes) > 1, folder=str(folder)), **changes)
