# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which processes that bear the name of a kubelet count as that of the node."""

from __future__ import annotations

from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.model import Unknown
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.processes import Admission
from tests.support.nodes import write_process

ID = 'a3' * 32
POD = 'pod0b7e3c1c-1d9e-4b0a-9d3e-2f1a5c6d7e8f'


@pytest.mark.parametrize(
    'cgroup, status, admission, says, options',
    [
        (f'0::/kubepods/{POD}/{ID}\n', None, Admission(nested=True), 'it runs in a pod', ''),
        (f'0::/system.slice/cri-containerd-{ID}.scope\n', None, Admission(nested=True), 'it runs in a pod', ''),
        (f'0::/system.slice/crio-{ID}.scope\n', None, Admission(), 'it runs in a pod', ''),
        (f'3:memory:/k8s.io/{ID}\n', None, Admission(), 'it runs in a pod', ''),
        (
            None,
            'Uid:\t0\t0\t0\t0\nNSpid:\t1000\t1\n',
            Admission(),
            'it runs in its own PID namespace',
            'set nested: true',
        ),
        (
            None,
            'Uid:\t1000\t1000\t0\t0\nNSpid:\t1000\n',
            Admission(),
            'it runs as user 1000',
            'add "1000" to allowed_users',
        ),
        (
            None,
            'Uid:\t9\t9\t9\t9\nNSpid:\t1000\t1\n',
            Admission(),
            'it runs in its own PID namespace and it runs as user 9',
            'set nested: true and add "9" to allowed_users',
        ),
    ],
)
def test_a_kubelet_that_is_not_the_nodes_is_turned_away_and_never_judged(
    cgroup: str | None, status: str | None, admission: Admission, says: str, options: str, tmp_path: Path
) -> None:
    write_process(tmp_path, 1000, ('kubelet', '--make-iptables-util-chains'))
    for name, text in (('cgroup', cgroup), ('status', status)):
        if text is not None:
            (tmp_path / '1000' / name).write_text(text)
    scan = LiveHost(str(tmp_path), admission=admission).find_kubelets()
    assert (scan.processes, scan.doubtful) == ((), ())
    assert scan.turned_away == (Unknown(f'process 1000 is named kubelet and is ignored because {says}', options),)


@pytest.mark.parametrize(
    'status, admission',
    [
        ('Uid:\t0\t0\t0\t0\nNSpid:\t1000\t1\n', Admission(nested=True)),
        ('Uid:\t1000\t0\t0\t0\nNSpid:\t1000\n', Admission(frozenset({0, 1000}))),
    ],
)
def test_options_admit_what_is_meant(status: str, admission: Admission, tmp_path: Path) -> None:
    write_process(tmp_path, 1000, ('kubelet',))
    (tmp_path / '1000' / 'status').write_text(status)
    (tmp_path / '1000' / 'cgroup').write_text(f'0::/docker/{ID}/kubelet.slice/kubelet.service\n')
    (process,) = LiveHost(str(tmp_path), admission=admission).find_kubelets().processes
    assert process.container == ID


def test_where_process_1_is_hidden_a_path_from_outside_admits_nobody_and_that_is_said(tmp_path: Path) -> None:
    write_process(tmp_path, 1000, ('kubelet',))
    (tmp_path / '1' / 'cgroup').unlink()
    (tmp_path / '1000' / 'cgroup').write_text(f'0::/../docker-{ID}.scope\n')
    scan = LiveHost(str(tmp_path)).find_kubelets()
    assert scan.processes == ()
    (doubt,) = scan.doubtful
    assert 'process 1 is not visible' in doubt.reason
