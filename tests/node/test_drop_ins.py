# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Folders of drop-ins, as the host reads them."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.model import DropIns, Missing, Unreadable
from datadog_checks.kubelet_compliance.node.file_reader import MAX_DROP_IN_BYTES, MAX_DROP_INS
from datadog_checks.kubelet_compliance.node.process_root import MAX_FILE_BYTES
from tests.support.made_up_node import Node, as_data

pytestmark = pytest.mark.usefixtures('no_handle_is_left')


def drop_in_paths(node: Node, path: str = '/k.d') -> list[str]:
    drop_ins = node.host().read_drop_ins(node.add(), path)
    assert isinstance(drop_ins, DropIns)
    return [file.path for file in drop_ins.files]


def test_only_conf_files_are_drop_ins_and_hidden_ones_count(node: Node) -> None:
    for name in ('a.conf', '.conf', '.b.conf', 'c.CONF', 'd.conf~', 'e.conf.bak', 'f.yaml', 'conf', 'g.conf.conf'):
        node.write(f'/k.d/{name}')
    assert drop_in_paths(node) == [f'/k.d/{name}' for name in ('.b.conf', '.conf', 'a.conf', 'g.conf.conf')]


def test_drop_ins_come_in_the_lexical_order_of_the_walk(node: Node) -> None:
    for name in ('10.conf', '9.conf', 'B.conf', 'a/z.conf', 'a-b.conf', 'a.conf/x.conf', 'a/b/c.conf', '.h/i.conf'):
        node.write(f'/k.d/{name}')
    assert drop_in_paths(node) == [
        f'/k.d/{name}'
        for name in (
            '.h/i.conf',
            '10.conf',
            '9.conf',
            'B.conf',
            'a/b/c.conf',
            'a/z.conf',
            'a-b.conf',
            'a.conf/x.conf',
        )  # fmt: skip
    ]


def test_a_linked_drop_in_is_read_and_a_linked_folder_not_entered(node: Node) -> None:
    node.write('/elsewhere/file', b'linked')
    node.write('/elsewhere/x.conf', b'never')
    node.write('/k.d/0.conf', b'plain')
    node.link('/k.d/1.conf', '/elsewhere/file')
    node.link('/k.d/folder', '/elsewhere')
    drop_ins = node.host().read_drop_ins(node.add(), '/k.d')
    assert isinstance(drop_ins, DropIns)
    assert [(file.path, as_data(file)) for file in drop_ins.files] == [
        ('/k.d/0.conf', b'plain'),
        ('/k.d/1.conf', b'linked'),
    ]


def test_a_linked_folder_whose_name_ends_in_conf_is_refused_as_a_directory(node: Node) -> None:
    node.write('/elsewhere/x.conf', b'never')
    (node.root / 'k.d').mkdir()
    node.link('/k.d/1.conf', '/elsewhere')
    drop_ins = node.host().read_drop_ins(node.add(), '/k.d')
    assert isinstance(drop_ins, DropIns)
    assert drop_ins.files == (Missing('/k.d/1.conf', 'it is a directory'),)


@pytest.mark.parametrize(
    ('path', 'expected'),
    [
        pytest.param('/linked', [], id='link-is-not-entered'),
        pytest.param('/linked/', ['/linked/x.conf'], id='link-with-slash-is'),
        pytest.param('/linked/.', ['/linked/x.conf'], id='link-with-dot-is'),
        pytest.param('/k.d/', ['/k.d/x.conf'], id='folder-with-slash'),
        pytest.param('/file.conf', ['/file.conf'], id='a-file-named-conf-is-the-drop-in'),
        pytest.param('/file', [], id='a-file-named-otherwise-is-none'),
        pytest.param('/link.conf', ['/link.conf'], id='a-link-named-conf-is-the-drop-in'),
    ],
)
def test_the_path_of_the_drop_ins_is_taken_as_filepath_walkdir_takes_it(
    node: Node, path: str, expected: list[str]
) -> None:
    node.write('/k.d/x.conf')
    node.write('/file.conf')
    node.write('/file')
    node.link('/linked', '/k.d')
    node.link('/link.conf', '/file')
    assert drop_in_paths(node, path) == expected


def test_a_link_named_conf_that_leads_to_a_folder_is_refused_as_a_directory(node: Node) -> None:
    node.write('/k.d/x.conf')
    node.link('/link.conf', '/k.d')
    drop_ins = node.host().read_drop_ins(node.add(), '/link.conf')
    assert isinstance(drop_ins, DropIns)
    assert drop_ins.files == (Missing('/link.conf', 'it is a directory'),)


@pytest.mark.parametrize('path', ['/none', '/k.conf/', '/k.conf/.'])
def test_a_folder_of_drop_ins_that_is_not_there_is_missing(node: Node, path: str) -> None:
    node.write('/k.conf')
    answer = node.host().read_drop_ins(node.add(), path)
    assert isinstance(answer, Missing)
    assert answer.path == path


@pytest.mark.parametrize('count', [MAX_DROP_INS, MAX_DROP_INS + 1])
def test_drop_ins_are_bounded_in_number(node: Node, count: int) -> None:
    for number in range(count):
        node.write(f'/k.d/{number:03}.conf')
    for number in range(300):
        node.write(f'/k.d/{number:03}.txt')
    answer = node.host().read_drop_ins(node.add(), '/k.d')
    if count <= MAX_DROP_INS:
        assert isinstance(answer, DropIns)
        assert len(answer.files) == count
    else:
        assert answer == Unreadable('/k.d', 'it holds more than 256 drop-ins')


@pytest.mark.parametrize('more', [0, 1])
def test_drop_ins_are_bounded_in_size_together(node: Node, more: int) -> None:
    parts = MAX_DROP_IN_BYTES // MAX_FILE_BYTES
    for number in range(parts):
        node.write(f'/k.d/{number}.conf', b'x' * MAX_FILE_BYTES)
    node.write('/k.d/9.conf', b'x' * more)
    node.write('/k.d/big.txt', b'x' * MAX_FILE_BYTES)
    answer = node.host().read_drop_ins(node.add(), '/k.d')
    if not more:
        assert isinstance(answer, DropIns)
        assert sum(len(as_data(file)) for file in answer.files) == MAX_DROP_IN_BYTES
    else:
        assert answer == Unreadable('/k.d', 'its drop-ins are larger than 1024 KiB together')


@pytest.mark.parametrize('levels', [256, 257])
def test_folders_of_drop_ins_are_bounded_in_depth(node: Node, levels: int) -> None:
    node.write('/k.d/' + 'd/' * (levels - 1) + 'x.conf', b'deep')
    answer = node.host().read_drop_ins(node.add(), '/k.d')
    if levels <= 256:
        assert isinstance(answer, DropIns)
        assert [as_data(file) for file in answer.files] == [b'deep']
    else:
        assert isinstance(answer, Unreadable)
        assert answer.why == 'its folders are nested more than 256 levels deep'
