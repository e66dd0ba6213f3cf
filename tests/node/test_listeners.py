# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import sys
from ipaddress import ip_address

import pytest

from datadog_checks.kubelet_compliance.node.listeners import iter_listeners, listeners_at


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
