# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which pod, service and container a process runs in, by its cgroup."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.node.cgroups import begins_outside, container_of, is_in_pod, unit_of, uses_v1

ID = 'a3' * 32
POD = 'pod0b7e3c1c-1d9e-4b0a-9d3e-2f1a5c6d7e8f'
FIRST = '0::/init.scope\n'
FIRST_FROM_A_CONTAINER = '0::/../../../../init.scope\n'
NINES = '9:name=systemd:/{0}\n4:memory:/{0}\n'


INSIDE = f'0::/kubepods/burstable/{POD}/{ID}/docker/{ID}/'
INIT_INSIDE = f'{INSIDE}init.scope\n'
"""Process 1 of a node that is itself a container in a pod."""


@pytest.mark.parametrize(
    'cgroup, first, expected',
    [
        pytest.param('0::/system.slice/kubelet.service\n', FIRST, False, id='systemd, v2'),
        pytest.param('0::/runtime.slice/kubelet.service\n', FIRST, False, id='EKS'),
        pytest.param('0::/podruntime/kubelet\n', FIRST, False, id='Talos'),
        pytest.param('0::/podruntime.slice/kubelet.service\n', FIRST, False, id='a slice whose name begins with pod'),
        pytest.param(f'0::/system.slice/docker-{ID}.scope\n', FIRST, False, id='RKE1'),
        pytest.param(NINES.format('system.slice/kubelet.service'), NINES.format(''), False, id='systemd, v1'),
        pytest.param(
            f'0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-{POD}.slice/cri-containerd-{ID}.scope\n',
            FIRST, True, id='pod, systemd driver, containerd, v2',
        ),
        pytest.param(
            f'0::/kubepods.slice/kubepods-besteffort.slice/crio-{ID}.scope\n', FIRST, True, id='pod, CRI-O'
        ),
        pytest.param(f'0::/kubepods/{POD}/{ID}\n', FIRST, True, id='guaranteed pod, cgroupfs driver, v2'),
        pytest.param(NINES.format(f'kubepods/burstable/{POD}/{ID}'), NINES.format(''), True, id='pod, cgroupfs, v1'),
        pytest.param(
            NINES.format(f'kubepods.slice/kubepods-burstable.slice/docker-{ID}.scope'), NINES.format(''), True,
            id='pod, systemd driver, docker, v1',
        ),
        pytest.param(f'9:name=systemd:/\n4:memory:/kubepods/{POD}/{ID}\n', FIRST, True, id='in one controller only'),
        pytest.param(f'0::/custom/kubepods/{POD}/{ID}\n', FIRST, True, id='with a --cgroup-root'),
        pytest.param(f'0::/custom-kubepods.slice/{ID}\n', FIRST, True, id='with a --cgroup-root, systemd driver'),
        pytest.param(
            '0::/../../../../system.slice/kubelet.service\n', FIRST_FROM_A_CONTAINER, False,
            id='kubelet, seen from a container',
        ),
        pytest.param(
            f'0::/../../../../kubepods.slice/{POD}\n', FIRST_FROM_A_CONTAINER, True, id='pod, seen from a container'
        ),
        pytest.param(
            f'0::/../../{POD}.slice/cri-containerd-{ID}.scope\n', FIRST_FROM_A_CONTAINER, True,
            id='pod beside our own, where kubepods is not in the path',
        ),
        pytest.param(f'0::/../cri-{ID}.scope\n', FIRST_FROM_A_CONTAINER, True, id='container of our own pod'),
        pytest.param('0::/\n', FIRST_FROM_A_CONTAINER, True, id='our own container'),
        pytest.param('', FIRST, False, id='a kernel without cgroups'),
        pytest.param(f'{INSIDE}kubelet.slice/kubelet.service\n', INIT_INSIDE, False, id='kind inside a pod'),
        pytest.param(
            f'{INSIDE}kubelet.slice/kubelet-kubepods.slice/{POD}/{ID}\n', INIT_INSIDE, True, id='a pod of that kind'
        ),
        pytest.param(f'{INSIDE}init.scope\n', INIT_INSIDE, False, id='k3s inside a pod, where process 1 is'),
        pytest.param(f'0::/kubepods/{POD}/{ID[::-1]}\n', INIT_INSIDE, True, id='another container of the outer pod'),
        pytest.param(f'0::/kubepods/{POD}x/a.service\n', FIRST, True, id='a pod with a unit inside, seen on its host'),
        pytest.param(f'0::/kubepods/other/{ID}\n', INIT_INSIDE, True, id='another pod of the outer node'),
        pytest.param(f'0::/system.slice/cri-containerd-{ID}.scope\n', FIRST, True, id='pods without cgroupsPerQOS'),
        pytest.param(f'0::/system.slice/crio-{ID}.scope\n', FIRST, True, id='the same with CRI-O'),
        pytest.param(f'4:memory:/k8s.io/{ID}\n', FIRST, True, id='the same with the cgroupfs driver'),
    ],
)  # fmt: skip
def test_a_process_is_in_a_pod_by_its_cgroup(cgroup: str, first: str, expected: bool) -> None:
    assert is_in_pod(cgroup, first) is expected


def test_a_path_that_leads_out_of_our_own_namespace_begins_outside() -> None:
    assert begins_outside('0::/../x\n')
    assert not begins_outside('0::/x/..y\n')


@pytest.mark.parametrize(
    'cgroup, unit, container',
    [
        ('0::/system.slice/kubelet.service\n', 'kubelet.service', None),
        ('9:name=systemd:/system.slice/k3s.service\n4:memory:/other.service\n', 'k3s.service', None),
        (f'0::/system.slice/docker.service/docker-{ID}.scope\n', 'docker.service', ID),
        (f'0::/docker/{ID}/kubelet.slice/kubelet.service\n', 'kubelet.service', ID),
        ('0::/podruntime/kubelet\n', None, None),
        ('0::/a/..service/x y.service\n', None, None),
        ('garbage\n', None, None),
    ],
)
def test_the_cgroup_names_the_service_and_the_container(cgroup: str, unit: str | None, container: str | None) -> None:
    assert unit_of(cgroup) == unit
    assert container_of(cgroup) == container


@pytest.mark.parametrize(
    ('text', 'is_v1'),
    [
        pytest.param('0::/system.slice/kubelet.service\n', False, id='v2'),
        pytest.param('0::/../..\n', False, id='v2, outside of our namespace'),
        pytest.param('4:memory:/a\n3:cpu,cpuacct:/a\n1:name=systemd:/a\n', True, id='v1'),
        pytest.param('4:memory:/a\n1:name=systemd:/a\n0::/a\n', True, id='hybrid'),
        pytest.param('2:pids:/a\n0::/a\n', True, id='one controller of v1'),
        pytest.param('1:net_cls:/\n0::/a\n', None, id='a controller that no kubelet needs'),
        pytest.param('1:name=systemd:/\n0::/a\n', None, id='a hierarchy without a controller'),
        pytest.param('', None, id='not read'),
        pytest.param('nothing', None, id='no cgroup'),
    ],
)
def test_the_hierarchies_show_the_version(text: str, is_v1: bool | None) -> None:
    assert uses_v1(text) is is_v1
