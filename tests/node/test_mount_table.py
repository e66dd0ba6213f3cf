# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.node.mount_table import mounts_of, not_shown_below, other_mounts

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
