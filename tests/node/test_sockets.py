# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Whose sockets answer, as `/proc` shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.sockets import MAX_SOCKET_BYTES
from tests.support.nodes import write_process

SOCKET = '   0: 00000000:280A 00000000:0000 0A 00000000:00000000 00:00000000 00000000 {uid} 0 {inode} 1\n'


@pytest.mark.parametrize(
    ('tables', 'answers'),
    [
        pytest.param({'tcp': None}, None, id='may-not-be-read'),
        pytest.param({'tcp': SOCKET.format(uid=0, inode=111), 'fib_trie': None}, None, id='addresses-may-not-be-read'),
        pytest.param(
            {'tcp': SOCKET.format(uid=0, inode=111) + SOCKET.format(uid=0, inode=222)}, False, id='and-another'
        ),
        pytest.param({}, None, id='no-table'),
        pytest.param({'tcp': 'sl local_address'}, False, id='nobody-listens'),
        pytest.param({'tcp': SOCKET.format(uid=0, inode=111)}, True, id='no-table-of-ipv6'),
        pytest.param({'tcp': SOCKET.format(uid=0, inode=222)}, False, id='another-process'),
        pytest.param({'tcp': SOCKET.format(uid=1000, inode=111)}, False, id='another-user'),
        pytest.param({'tcp': SOCKET.format(uid=0, inode=111), 'tcp6': 'x' * MAX_SOCKET_BYTES}, True, id='cut-off'),
        pytest.param({'tcp6': 'x' * MAX_SOCKET_BYTES}, None, id='cut-off-before-it'),
    ],
)
def test_whether_the_kubelet_answers_is_shown_by_its_sockets(
    tmp_path: Path, tables: dict[str, str | None], answers: bool | None
) -> None:
    write_process(tmp_path / 'proc', 700, ('kubelet',))
    (tmp_path / 'proc' / '700' / 'net').mkdir()
    (tmp_path / 'proc' / '700' / 'fd').mkdir()
    (tmp_path / 'proc' / '700' / 'fd' / '3').symlink_to('socket:[111]')
    for name, table in tables.items():
        if table is None:
            # What cannot be read by anybody, root included.
            (tmp_path / 'proc' / '700' / 'net' / name).mkdir()
        else:
            (tmp_path / 'proc' / '700' / 'net' / name).write_text(table)
    host = LiveHost(str(tmp_path / 'proc'))
    (process,) = host.find_kubelets().processes
    assert host.answers_at(process, '127.0.0.1', 10250) is answers


def test_where_the_handles_may_not_be_seen_it_is_unknown(tmp_path: Path) -> None:
    write_process(tmp_path / 'proc', 700, ('kubelet',))
    (tmp_path / 'proc' / '700' / 'net').mkdir()
    (tmp_path / 'proc' / '700' / 'net' / 'tcp').write_text(SOCKET.format(uid=0, inode=111))
    host = LiveHost(str(tmp_path / 'proc'))
    (process,) = host.find_kubelets().processes
    assert host.answers_at(process, '127.0.0.1', 10250) is None
