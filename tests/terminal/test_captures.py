# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which captured nodes the option `--node` names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.node.captured import CaptureError
from datadog_checks.kubelet_compliance.node.processes import Admission
from datadog_checks.kubelet_compliance.terminal.captures import find_captures, kept_configz, open_capture
from tests.support.apart import open_to_all, run_as_nobody
from tests.support.users import needs_root


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders with captures, and what else may be in such folders."""
    for node in ('fleet/b', 'fleet/a', 'other/a', 'single'):
        (tmp_path / node / 'proc').mkdir(parents=True)
    (tmp_path / 'fleet/README').write_text('two captures\n')
    (tmp_path / 'fleet/.git').mkdir()
    (tmp_path / 'fleet/broken').mkdir()
    (tmp_path / 'empty/a folder/b/proc').mkdir(parents=True)
    (tmp_path / 'links').mkdir()
    (tmp_path / 'links/c').symlink_to('../single')
    (tmp_path / 'links/d').symlink_to('d')
    (tmp_path / 'links/e').symlink_to('nowhere')
    (tmp_path / 'links/f').symlink_to('../fleet/README')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ('named', 'folders', 'are_many'),
    [
        pytest.param([], [], False, id='none'),
        pytest.param(['single'], ['single'], False, id='one node'),
        pytest.param(['nowhere'], ['nowhere'], False, id='one that is not there'),
        pytest.param(['single', 'nowhere'], ['single', 'nowhere'], True, id='several'),
        pytest.param(['fleet'], ['fleet/a', 'fleet/b', 'fleet/broken'], True, id='all folders of a folder, sorted'),
        pytest.param(['other'], ['other/a'], True, id='a folder with one node'),
        pytest.param(['links'], ['links/c', 'links/d', 'links/e'], True, id='links, even those that lead nowhere'),
        pytest.param(['empty'], ['empty'], False, id='one level deep'),
        pytest.param(['single', './single', 'links/c'], ['single'], True, id='one node by several paths'),
        pytest.param(
            ['other', 'fleet/b', 'fleet'],
            ['other/a', 'fleet/b', 'fleet/a', 'fleet/broken'],
            True,
            id='nodes and folders',
        ),
    ],
)
def test_each_captured_node_is_found_once(here: Path, named: list[str], folders: list[str], are_many: bool) -> None:
    found = find_captures(named)
    assert (list(found.folders), found.are_many) == (folders, are_many)


NO_CAPTURE = 'it is not a captured node: it has no folder proc'
NOT_THERE = 'could not read its folder proc: no such file or directory'


@pytest.mark.parametrize(
    ('folder', 'message'),
    [
        pytest.param('nowhere', NOT_THERE, id='not there'),
        pytest.param('fleet/README', NO_CAPTURE, id='a file'),
        pytest.param('fleet/broken', NO_CAPTURE, id='no proc'),
        pytest.param('links/e', NOT_THERE, id='a link to nowhere'),
        pytest.param('links/d', 'could not read its folder proc: too many levels of symbolic links', id='a link loop'),
        pytest.param('live', NO_CAPTURE, id='a link to the processes of this machine'),
        pytest.param('bad facts', 'node.json is not valid: capture the node again', id='broken facts'),
        pytest.param('fifo', 'node.json: it is a FIFO, not a file', id='facts that never end'),
    ],
)
def test_a_folder_that_is_no_captured_node_says_why(here: Path, folder: str, message: str) -> None:
    (here / 'live').mkdir()
    (here / 'live/proc').symlink_to('/proc')
    for name in ('bad facts', 'fifo'):
        (here / name / 'proc').mkdir(parents=True)
    (here / 'bad facts/node.json').write_text('{')
    os.mkfifo(here / 'fifo/node.json')
    with pytest.raises(CaptureError) as error:
        open_capture(folder, Admission())
    assert str(error.value) == message


def test_the_response_of_a_capture_is_optional(here: Path) -> None:
    assert kept_configz('single') is None
    (here / 'single/configz.json').write_text('{}')
    assert kept_configz('single') == b'{}'


@needs_root
@pytest.mark.parametrize(
    ('closed', 'named', 'says'),
    [
        pytest.param('fleet', 'fleet', 'could not read {}/fleet: permission denied', id='a folder of captures'),
        pytest.param(
            'fleet/a', 'fleet/a', '{}/fleet/a: could not read its folder proc: permission denied', id='one capture'
        ),
    ],
)
def test_a_folder_that_the_user_may_not_read_says_so(closed: str, named: str, says: str) -> None:
    with open_to_all() as folder:
        (folder / 'fleet/a/proc').mkdir(parents=True)
        (folder / closed).chmod(0o311 if closed == 'fleet' else 0)
        done = run_as_nobody('--node', str(folder / named))
        assert (done.returncode, done.stdout) == (2, '')
        assert done.stderr == f'kubelet-compliance: {says.format(folder)}\n'
