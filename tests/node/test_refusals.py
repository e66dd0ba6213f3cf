# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What may not be read, and what the system fails to read."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.model import DropIns, File, Unreadable
from datadog_checks.kubelet_compliance.node.file_remedies import Advice, Rights, not_allowed, not_shown
from datadog_checks.kubelet_compliance.node.live_files import NO_PERMISSION
from tests.support.made_up_node import PID, Node, as_data, unprivileged
from tests.support.standin import Standins

pytestmark = pytest.mark.usefixtures('no_handle_is_left')

READ_FILES = """
host = Host(sys.argv[1], sys.argv[2] or None)
processes = [process for process in host.find_kubelets().processes if str(process.pid) == sys.argv[3]]
for process in processes:
    for path in sys.argv[4:]:
        say(host.read_drop_ins(process, path) if path.endswith('.d') else host.read_file(process, path))
"""


ANYONE = Rights(uid=1000, capabilities=0)


def unreadable(advice: Advice) -> dict[str, Any]:
    return {'kind': 'Unreadable', 'why': 'permission denied', 'remedy': advice.remedy}


def test_a_file_that_may_not_be_read_says_so(open_node: Node) -> None:
    open_node.add()
    open_node.write('/k.yaml', b'secret').chmod(0)
    open_node.write('/closed/k.yaml')
    open_node.write('/k.d/x.conf')
    open_node.write('/half.d/x.conf').chmod(0)
    (open_node.root / 'closed').chmod(0)
    (open_node.root / 'k.d').chmod(0)
    paths = ('/k.yaml', '/closed/k.yaml', '/k.d')
    try:
        answers = unprivileged(READ_FILES, open_node.procfs, '', PID, *paths)
    finally:
        (open_node.root / 'closed').chmod(0o755)
        (open_node.root / 'k.d').chmod(0o755)
    assert answers == [unreadable(not_allowed(ANYONE)) | {'path': path} for path in paths]


def test_a_drop_in_that_may_not_be_read_says_so(open_node: Node) -> None:
    open_node.add()
    open_node.write('/k.d/1.conf', b'one')
    open_node.write('/k.d/2.conf').chmod(0)
    first, second = unprivileged(
        'host = Host(sys.argv[1])\nfor file in host.read_drop_ins(Process(4711, 100, ()), "/k.d").files: say(file)',
        open_node.procfs,
    )
    assert (first['kind'], first['path']) == ('File', '/k.d/1.conf')
    assert (second['kind'], second['path'], second['why']) == ('Unreadable', '/k.d/2.conf', 'permission denied')


def test_without_privileges_a_real_kubelet_is_found_and_its_files_are_not_shown(
    standins: Standins, open_folder: Path
) -> None:
    (open_folder / 'k.yaml').write_bytes(b'x')
    standin = standins.launch(('kubelet', '--config=k.yaml'), cwd=open_folder, closed='1')
    paths = (str(open_folder / 'k.yaml'), 'k.yaml', '/etc/k.d')
    on_the_host = unreadable(not_shown(ANYONE, can_have_root=True, is_on_host=True))
    answers = unprivileged(READ_FILES, '/proc', '', standin.pid, *paths)
    assert answers == [on_the_host | {'path': path} for path in paths]
    assert on_the_host['remedy'] == 'set host_root: /'


def test_without_privileges_host_root_shows_the_files_of_a_real_kubelet(standins: Standins, open_folder: Path) -> None:
    (open_folder / 'k.yaml').write_bytes(b'x')
    (open_folder / 'k.d').mkdir()
    standin = standins.launch(closed='1')
    answers = unprivileged(READ_FILES, '/proc', open_folder, standin.pid, '/k.yaml', '/k.d', 'k.yaml', '/none')
    assert [answer['kind'] for answer in answers] == ['File', 'DropIns', 'Unreadable', 'Unreadable']


COUNT_ASKING = """
asked = []
real_open, real_readlink = os.open, os.readlink

def counting_open(path, *arguments, **options):
    if str(path).startswith(sys.argv[1]) and str(path).endswith(('/root', '/cwd')):
        asked.append(path)
    return real_open(path, *arguments, **options)

def counting_readlink(path, **options):
    if path:
        asked.append(path)
    return real_readlink(path, **options)

os.open, os.readlink = counting_open, counting_readlink
host = Host(sys.argv[1], sys.argv[2] or None)
for pid in sys.argv[3].split():
    for look in range(2):
        process = next(process for process in host.find_kubelets().processes if str(process.pid) == pid)
        for path in ('/k.yaml', 'k.yaml'):
            say(host.read_file(process, path).why)
            say(host.read_drop_ins(process, path).why)
        say(len(asked))
"""


@pytest.mark.parametrize('with_host_root', [False, True], ids=['alone', 'host-root'])
def test_after_a_refusal_the_same_process_is_not_asked_again_but_another_is(
    standins: Standins, open_folder: Path, with_host_root: bool
) -> None:
    pids = [standins.launch(closed='1').pid for _ in range(2)]
    root = open_folder if with_host_root else ''
    said = unprivileged(COUNT_ASKING, '/proc', root, ' '.join(map(str, pids)))
    assert [entry for entry in said if isinstance(entry, int)] == [1, 1, 2, 2]
    answers = {entry for entry in said if isinstance(entry, str)}
    if with_host_root:
        # What host_root showed stays the answer.
        answers.remove('no such file or directory below host_root')
        answers.remove(f"could not read the kubelet's working directory: {NO_PERMISSION}")
    assert answers == (set() if with_host_root else {NO_PERMISSION})


def test_a_refusal_is_forgotten_with_its_process(node: Node) -> None:
    host = node.host()
    old, other = node.add(1, ticks=100), node.add(2)
    host.ways.refused |= {old.key, other.key}
    node.add(1, ticks=200)
    host.find_kubelets()
    assert host.ways.refused == {other.key}


def test_another_error_than_a_refusal_is_asked_again(node: Node) -> None:
    host, process = node.host(), node.add()
    node.write('/k.yaml', b'x')
    root = node.procfs / str(PID) / 'root'
    root.unlink()
    assert isinstance(host.read_file(process, '/k.yaml'), Unreadable)
    root.symlink_to(node.root)
    assert as_data(host.read_file(process, '/k.yaml')) == b'x'


@pytest.mark.parametrize('error', [errno.EMFILE, errno.EIO, errno.ESTALE, errno.ENOMEM])
def test_an_error_of_the_system_while_files_are_read_is_an_answer_not_an_exception(
    node: Node, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    host, process = node.host(), node.add()
    node.write('/k.d/x.conf')
    real = os.open
    reads: Sequence[Callable[[], object]] = (
        lambda: host.read_file(process, '/k.d/x.conf'),
        lambda: host.read_drop_ins(process, '/k.d'),
    )
    for nth in range(1, 12):
        for read in reads:
            count = 0

            def failing(*arguments: Any, nth: int = nth, **options: Any) -> int:
                nonlocal count
                count += 1
                if count == nth:
                    raise OSError(error, os.strerror(error))
                return real(*arguments, **options)

            with monkeypatch.context() as patch:
                patch.setattr(os, 'open', failing)
                answer = read()
            whole = isinstance(answer, File) or (
                isinstance(answer, DropIns) and all(isinstance(file, File) for file in answer.files)
            )
            assert whole is (count < nth)
