# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The documents that hold captured nodes and kept inputs: nothing is lost, and one command adds a new one."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz import kept
from tests.fuzz.kept import SEEDS, kept_inputs, write_line
from tests.support.captured_nodes import NODES, REPORTED, document_of, expected, files_of, lay_out_node
from tests.support.packed import Packed, PackError, as_json, lay_out, pack_bytes, pack_folder, unpack_bytes
from tools import pack

pytestmark = pytest.mark.same_for_every_user


@pytest.mark.parametrize(
    'data, packed',
    [
        pytest.param(b'', '', id='an empty file'),
        pytest.param(b'kubelet\n', 'kubelet\n', id='one line'),
        pytest.param(b'a\nb', ['a\n', 'b'], id='lines, the last without an end'),
        pytest.param(b'a\n\n', ['a\n', '\n'], id='an empty line'),
        pytest.param(b'a\r\nb\n', ['a\r\n', 'b\n'], id='carriage returns'),
        pytest.param(b'/k\0--v=1\0', ['/k\0', '--v=1\0'], id='a command line'),
        pytest.param(b'{\n  "a": 1\n}\n', {'json': {'a': 1}}, id='JSON as a capture holds it'),
        pytest.param(b'{"a": 1}', '{"a": 1}', id='other JSON'),
        pytest.param(b'{\n  "a": 1,\n  "a": 1\n}\n', ['{\n', '  "a": 1,\n', '  "a": 1\n', '}\n'], id='a key twice'),
        pytest.param(b'\xff\n', {'base64': '/wo='}, id='bytes that are not UTF-8'),
        pytest.param('\ufeff\u2028\u202e'.encode(), '\ufeff\u2028\u202e', id='characters that do not show'),
    ],
)
def test_a_file_comes_back_as_it_was(data: bytes, packed: Packed) -> None:
    assert pack_bytes(data) == packed
    assert unpack_bytes(json.loads(json.dumps(packed))) == data


def shape(folder: Path) -> dict[str, object]:
    """Links, executable files, and contents below a folder."""
    found: dict[str, object] = {}
    for path in folder.rglob('*'):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = (path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR))
    return found


def test_links_and_executable_files_come_back(tmp_path: Path) -> None:
    folder = tmp_path / 'node'
    (folder / 'bin').mkdir(parents=True)
    (folder / 'bin/run').write_bytes(b'\x7fELF\xff')
    (folder / 'bin/run').chmod(0o755)
    (folder / 'plain').write_text('text\n')
    (folder / 'elsewhere').symlink_to('/nowhere')
    (folder / 'folder').symlink_to('bin')
    files = json.loads(json.dumps(pack_folder(folder)))
    assert shape(lay_out(files, tmp_path / 'again')) == shape(folder)


def test_what_git_does_not_keep_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'empty').mkdir()
    with pytest.raises(PackError, match='is empty'):
        pack_folder(tmp_path)
    os.mkfifo(tmp_path / 'empty' / 'pipe')
    with pytest.raises(PackError, match='not a regular file'):
        pack_folder(tmp_path)


@pytest.mark.parametrize('path', ['/etc/passwd', '../outside', 'a/../../outside'])
def test_no_document_writes_outside_its_folder(path: str, tmp_path: Path) -> None:
    with pytest.raises(PackError, match='out of the folder'):
        lay_out({path: 'x'}, tmp_path / 'node')


@pytest.mark.parametrize(
    'path', [*NODES.iterdir(), *REPORTED.iterdir()], ids=lambda path: f'{path.parent.name}-{path.stem}'
)
def test_packing_a_node_again_gives_the_same_document(path: Path, tmp_path: Path) -> None:
    name = path.stem
    node = lay_out_node(name, tmp_path / name)
    assert as_json({**document_of(name), 'files': pack_folder(node)}) == path.read_text()
    # A link of a node may lead anywhere, also for the programs that pack this repository.
    assert not any(isinstance(packed, dict) and 'link' in packed for packed in files_of(name).values())


@pytest.mark.parametrize('path', sorted(SEEDS.iterdir()), ids=lambda path: path.stem)
def test_writing_the_kept_inputs_again_gives_the_same_lines(path: Path) -> None:
    inputs = kept_inputs(path.stem)
    assert inputs and ''.join(f'{write_line(name, inputs[name])}\n' for name in sorted(inputs)) == path.read_text()


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr('sys.argv', ['pack', *map(str, arguments)])
    return pack.main()


@pytest.fixture
def own_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for documents, in place of that of the repository."""
    folder = tmp_path / 'documents'
    folder.mkdir()
    monkeypatch.setattr(pack, 'NODES', folder)
    return folder


def document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_one_command_adds_a_node(
    own_nodes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    node = lay_out_node('kubeadm', tmp_path / 'new-node')
    assert run(monkeypatch, 'node', node) == 0
    assert 'Review them' in capsys.readouterr().err
    new = document(own_nodes / 'new-node.json')
    assert new['files'] == document_of('kubeadm')['files']
    assert new['expected']['verdicts'].items() >= expected('kubeadm')['verdicts'].items()


def test_a_node_that_is_packed_again_keeps_its_expected_results(
    own_nodes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(NODES / 'kubeadm.json', own_nodes)
    node = lay_out_node('kubeadm', tmp_path / 'kubeadm')
    (node / 'etc').mkdir(exist_ok=True)
    (node / 'etc/new').write_text('new\n')
    assert run(monkeypatch, 'node', node) == 0
    again = document(own_nodes / 'kubeadm.json')
    assert (again['expected'], again['files']['etc/new']) == (expected('kubeadm'), 'new\n')
    (node / 'expected.json').write_text('{"kubelets": 7}')
    assert run(monkeypatch, 'node', node) == 0
    assert document(own_nodes / 'kubeadm.json') == {'expected': {'kubelets': 7}, 'files': again['files']}


def test_a_folder_that_is_no_captured_node_is_refused(
    own_nodes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'other').mkdir()
    assert run(monkeypatch, 'node', tmp_path / 'other') == 1
    assert 'it has no node.json' in capsys.readouterr().err
    assert list(own_nodes.iterdir()) == []


def test_a_node_is_unpacked_to_a_new_folder_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, 'unpack', 'kind', tmp_path / 'kind') == 0
    assert pack_folder(tmp_path / 'kind') == files_of('kind')
    assert run(monkeypatch, 'unpack', 'kind', tmp_path / 'kind') == 1
    assert run(monkeypatch, 'unpack', 'nothing', tmp_path / 'nothing') == 1


def test_one_command_adds_an_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pack, kept):
        monkeypatch.setattr(module, 'SEEDS', tmp_path)
    kept_inputs.cache_clear()
    (tmp_path / 'crash-1').write_bytes(b'\xff')
    (tmp_path / 'crash-0').write_bytes(b'\x1e\r\n')
    try:
        assert run(monkeypatch, 'seed', 'files', tmp_path / 'crash-1', tmp_path / 'crash-0') == 0
        kept_inputs.cache_clear()
        assert kept_inputs('files') == {'crash-0': b'\x1e\r\n', 'crash-1': b'\xff'}
    finally:
        kept_inputs.cache_clear()
    assert (tmp_path / 'files.jsonl').read_text().splitlines() == [
        '{"name": "crash-0", "text": "\\u001e\\r\\n"}',
        '{"name": "crash-1", "base64": "/w=="}',
    ]
