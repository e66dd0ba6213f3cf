# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.model import Unknown
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.proc_text import (
    begins_outside,
    container_of,
    is_in_pod,
    is_nested,
    iter_listeners,
    listeners_at,
    mounts_of,
    not_shown_below,
    other_mounts,
    real_uid,
    unit_of,
)
from datadog_checks.kubelet_compliance.node.processes import Admission
from tests.support.nodes import write_process

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
        pytest.param(f'9:name=systemd:/\n4:memory:/kubepods/{POD}/{ID}\n', FIRST, True, id='only one controller tells'),
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


@pytest.mark.parametrize(
    'status, nested, uid',
    [
        ('Uid:\t0\t0\t0\t0\nNSpid:\t4711\n', False, 0),
        ('Name:\tkubelet\nUid:\t1000\t0\t0\t0\nNSpid:\t4711\t1\n', True, 1000),
        ('Uid:\t0\t0\t0\t0\nNSpid:\t4711\t20\t1\n', True, 0),
        ('', False, None),
        ('Uid:\tx\n', False, None),
    ],
)
def test_the_status_tells_the_namespace_and_the_user(status: str, nested: bool, uid: int | None) -> None:
    assert is_nested(status) is nested
    assert real_uid(status) == uid


MOUNTS = '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n'


@pytest.mark.parametrize(
    ('own', 'ours', 'root', 'others'),
    [
        pytest.param('', '', '/', set(), id='the-same'),
        pytest.param('2 1 8:1 /bad.yaml /etc/k/c.yaml rw', '', '/', {'/etc/k/c.yaml'}, id='over-a-file'),
        pytest.param('2 1 0:9 / /etc/k rw', '', '/', {'/etc/k'}, id='over-a-folder'),
        pytest.param('', '2 1 0:9 / /etc/k rw', '/', {'/etc/k'}, id='for-us-alone'),
        pytest.param('2 1 0:9 / /etc/k rw', '9 1 0:9 / /etc/k rw', '/', set(), id='for-both'),
        pytest.param('2 1 0:9 / /a rw\n3 1 0:8 / /a rw', '2 1 0:9 / /a rw', '/', {'/a'}, id='the-last-one-counts'),
        pytest.param('2 1 0:9 / /a\\040b rw', '', '/', {'/a b'}, id='with-a-blank'),
        pytest.param('', '2 1 8:1 / /host rw', '/host', set(), id='all-below-a-folder'),
        pytest.param('2 1 0:9 / /etc/k rw', '2 1 8:1 / /host rw', '/host', {'/etc/k'}, id='not-below-the-folder'),
        pytest.param('', '2 1 8:1 /etc/k /host/etc/k rw', '/host', {'/'}, id='one-folder-of-it'),
        pytest.param('', '2 1 8:1 /etc/j /host/etc/k rw', '/host', {'/', '/etc/k'}, id='another-folder'),
    ],
)
def test_where_a_process_meets_something_else_than_we_do(own: str, ours: str, root: str, others: set[str]) -> None:
    here = MOUNTS if root == '/' else '1 0 0:30 / / rw - overlay overlay rw\n'
    assert other_mounts(mounts_of(MOUNTS + own), mounts_of(here + ours), root) == others


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
def test_the_cgroup_tells_the_service_and_the_container(cgroup: str, unit: str | None, container: str | None) -> None:
    assert unit_of(cgroup) == unit
    assert container_of(cgroup) == container


def test_listening_sockets_are_found_by_their_port() -> None:
    table = (
        '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
        '   0: 00000000:280A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1\n'
        '   1: 0100007F:280A 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 222 1\n'
        '   2: 00000000000000000000000000000000:280A 00:0000 0A 0:0 0:0 0 0 0 333 1\n'
        '   3: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 444 1\n'
        'short line\n'
    )
    assert [listener.inode for listener in iter_listeners(table, 10250)] == ['111', '333']


def row(address: str, inode: int, uid: str = '0', port: int = 10250) -> str:
    """A line of /proc/net/tcp or tcp6 for a socket that listens; the words of an address in the machine's own order."""
    packed = ip_address(address).packed
    words = (packed[start : start + 4] for start in range(0, len(packed), 4))
    shown = ''.join(f'{int.from_bytes(word, sys.byteorder):08X}' for word in words)
    return f'   0: {shown}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 {uid} 0 {inode} 1\n'


@pytest.mark.parametrize(
    'listening, host, inodes',
    [
        pytest.param({'0.0.0.0': 1}, '127.0.0.1', ['1'], id='at-all-addresses'),
        pytest.param({'::': 1}, '10.0.0.5', ['1'], id='at-all-addresses-of-both-families'),
        pytest.param({'10.0.0.5': 1, '0.0.0.0': 2}, '10.0.0.5', ['1'], id='just-there-comes-first'),
        pytest.param({'10.0.0.6': 1, '0.0.0.0': 2}, '10.0.0.5', ['2'], id='elsewhere-does-not-count'),
        pytest.param({'::ffff:10.0.0.5': 1}, '10.0.0.5', ['1'], id='an-old-address-in-the-new-form'),
        pytest.param({'fd00::5': 1}, 'fd00::5', ['1'], id='a-new-address'),
        pytest.param({'10.0.0.6': 1}, '10.0.0.5', [], id='nobody'),
        pytest.param({'10.0.0.6': 1, '::': 2}, 'localhost', ['1', '2'], id='a-name-may-be-any'),
    ],
)
def test_who_listens_where_a_connection_leads(listening: dict[str, int], host: str, inodes: list[str]) -> None:
    table = ''.join(row(address, inode) for address, inode in listening.items())
    assert [listener.inode for listener in listeners_at(table, host, 10250)] == inodes
    assert listeners_at(table, host, 10251) == []


@pytest.mark.parametrize('line', [row('0.0.0.0', 1, uid='x'), row('0.0.0.0', 1).replace('00000000:280A', '0:280A'), ''])
def test_a_line_of_the_socket_table_that_makes_no_sense_is_none(line: str) -> None:
    assert listeners_at(line, '127.0.0.1', 10250) == []


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
            'it runs in a pid namespace of its own',
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
            'it runs in a pid namespace of its own and it runs as user 9',
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
    scan = Host(str(tmp_path), admission=admission).find_kubelets()
    assert (scan.processes, scan.doubtful) == ((), ())
    assert scan.turned_away == (Unknown(f'process 1000 is named kubelet and is turned away: {says}', options),)


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
    (process,) = Host(str(tmp_path), admission=admission).find_kubelets().processes
    assert process.container == ID


def test_where_process_1_is_hidden_a_path_from_outside_admits_nobody_and_that_is_said(tmp_path: Path) -> None:
    write_process(tmp_path, 1000, ('kubelet',))
    (tmp_path / '1' / 'cgroup').unlink()
    (tmp_path / '1000' / 'cgroup').write_text(f'0::/../docker-{ID}.scope\n')
    scan = Host(str(tmp_path)).find_kubelets()
    assert scan.processes == ()
    (doubt,) = scan.doubtful
    assert 'process 1 is not visible' in doubt.reason


@pytest.mark.parametrize(
    ('host', 'own', 'ours', 'hidden'),
    [
        pytest.param('2 1 0:9 / /run rw', '2 1 0:9 / /run rw', '', {'/run'}, id='not-mounted-below-the-folder'),
        pytest.param('', '2 1 0:9 / /etc/k rw', '', set(), id='for-the-process-alone'),
        pytest.param('2 1 0:9 / /run rw', '2 1 0:9 / /run rw', '9 1 0:9 / /host/run rw', set(), id='mounted'),
        pytest.param('2 1 0:8 / /run rw', '2 1 0:9 / /run rw', '', set(), id='another-one-for-the-process'),
    ],
)
def test_what_the_host_itself_has_mounted_and_a_folder_does_not_show(
    host: str, own: str, ours: str, hidden: set[str]
) -> None:
    mine = '1 0 0:30 / / rw - overlay overlay rw\n2 1 8:1 / /host rw\n'
    tables = [mounts_of(table) for table in (MOUNTS + host, MOUNTS + own, mine + ours)]
    assert not_shown_below(*tables, '/host') == hidden
