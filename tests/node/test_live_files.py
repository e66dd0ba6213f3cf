# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.model import DropIns, Fault, File, Missing, Unreadable
from datadog_checks.kubelet_compliance.node.process_root import MAX_FILE_BYTES
from tests.support.made_up_node import PID, Node, as_data, here, real_process
from tests.support.sockets import make_socket
from tests.support.standin import Standins
from tests.support.ticks import until_later_than

pytestmark = pytest.mark.usefixtures('no_handle_is_left')


@pytest.mark.parametrize('what', ['config', 'drop-ins'])
@pytest.mark.parametrize('reap', [True, False], ids=['gone', 'zombie'])
def test_files_of_a_real_kubelet_that_has_died_are_unreadable(
    standins: Standins, tmp_path: Path, what: str, reap: bool
) -> None:
    (tmp_path / 'k.yaml').write_bytes(b'x')
    standin = standins.launch(cwd=tmp_path)
    host = here()
    process = real_process(standin, host)
    standin.kill(reap=reap)
    answer = host.read_file(process, 'k.yaml') if what == 'config' else host.read_drop_ins(process, '.')
    assert isinstance(answer, Unreadable)


def test_a_relative_path_is_read_from_the_working_directory_of_the_real_kubelet(
    standins: Standins, tmp_path: Path
) -> None:
    (tmp_path / 'inner').mkdir()
    (tmp_path / 'k.yaml').write_bytes(b'up')
    (tmp_path / 'inner' / 'k.yaml').write_bytes(b'here')
    host = here()
    process = real_process(standins.launch(cwd=tmp_path / 'inner'), host)
    assert [as_data(host.read_file(process, path)) for path in ('k.yaml', './k.yaml', '../k.yaml')] == [
        b'here',
        b'here',
        b'up',
    ]
    assert isinstance(host.read_drop_ins(process, '.'), DropIns)


@pytest.fixture
def jail(tmp_path: Path) -> Path:
    """A root for a kubelet; the same names outside it hold something else."""
    root = tmp_path / 'jail'
    for folder, data in ((root, b'inside'), (tmp_path, b'OUTSIDE')):
        (folder / 'etc' / 'k.d').mkdir(parents=True)
        (folder / 'etc' / 'real.yaml').write_bytes(data)
        (folder / 'etc' / 'k.d' / '1.conf').write_bytes(data)
    (root / 'etc' / 'absolute.yaml').symlink_to('/etc/real.yaml')
    (root / 'etc' / 'climbing.yaml').symlink_to('../../../../../../etc/real.yaml')
    (root / 'etc' / 'k.d' / '2.conf').symlink_to('/etc/real.yaml')
    (root / 'linked').symlink_to('/etc')
    return root


@pytest.mark.parametrize(
    'path',
    [
        '/etc/real.yaml',
        '/etc/absolute.yaml',
        '/etc/climbing.yaml',
        '/linked/real.yaml',
        '/linked/absolute.yaml',
        '../../../../etc/real.yaml',
        'real.yaml',
        'absolute.yaml',
    ],
)
def test_files_of_a_real_kubelet_in_another_root_resolve_inside_it(standins: Standins, jail: Path, path: str) -> None:
    host = here()
    process = real_process(standins.launch(root=str(jail), folder='/etc'), host)
    file = host.read_file(process, path)
    assert as_data(file) == b'inside'
    assert isinstance(file, File)
    assert file.path == path


def test_drop_ins_of_a_real_kubelet_in_another_root_resolve_inside_it(standins: Standins, jail: Path) -> None:
    host = here()
    process = real_process(standins.launch(root=str(jail), folder='/etc'), host)
    for path in ('/etc/k.d', 'k.d', '/linked/k.d'):
        drop_ins = host.read_drop_ins(process, path)
        assert isinstance(drop_ins, DropIns)
        assert [(as_data(file), file.path) for file in drop_ins.files] == [
            (b'inside', f'{path}/1.conf'),
            (b'inside', f'{path}/2.conf'),
        ]


@pytest.mark.parametrize('size', [0, MAX_FILE_BYTES])
def test_a_file_up_to_the_bound_is_read(node: Node, size: int) -> None:
    node.write('/k.yaml', b'x' * size)
    assert as_data(node.host().read_file(node.add(), '/k.yaml')) == b'x' * size


def test_a_file_of_one_byte_more_is_unreadable(node: Node) -> None:
    node.write('/k.yaml', b'x' * (MAX_FILE_BYTES + 1))
    assert node.host().read_file(node.add(), '/k.yaml') == Unreadable('/k.yaml', 'it is larger than 256 KiB')


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


ODD_FILES: tuple[Any, ...] = (
    pytest.param(os.mkfifo, Unreadable, 'it is a FIFO, not a file', id='fifo'),
    pytest.param(make_socket, Unreadable, 'it is a socket, not a file', id='socket'),
    pytest.param(lambda path: path.mkdir(), Missing, 'it is a directory', id='directory'),
    pytest.param(lambda path: path.symlink_to('.'), Missing, 'it is a directory', id='linked-directory'),
    pytest.param(lambda path: path.symlink_to('none'), Missing, 'no such file or directory', id='dangling'),
    pytest.param(make_loop, Missing, 'too many symbolic links on the way to it', id='loop'),
    pytest.param(lambda path: None, Missing, 'no such file or directory', id='missing'),
    pytest.param(
        lambda path: path.symlink_to('/proc/self/stat'),
        Unreadable,
        'it is in /proc, which differs between processes',
        id='in-proc',
    ),
)


@pytest.mark.parametrize(('make', 'kind', 'why'), ODD_FILES)
def test_what_is_no_file_gets_a_clear_message_at_once(
    node: Node, make: Callable[[Path], None], kind: type[Missing | Unreadable], why: str
) -> None:
    make(node.root / 'k.yaml')
    answer = node.host().read_file(node.add(), '/k.yaml')
    assert isinstance(answer, kind)
    assert (answer.path, answer.why) == ('/k.yaml', why)


@pytest.mark.parametrize(
    ('make', 'kind', 'why'), [case for case in ODD_FILES if case.id not in ('directory', 'missing')]
)
def test_a_drop_in_that_is_no_file_says_so_and_the_others_are_read(
    node: Node, make: Callable[[Path], None], kind: type[Missing | Unreadable], why: str
) -> None:
    node.write('/k.d/1.conf', b'one')
    node.write('/k.d/3.conf', b'three')
    make(node.root / 'k.d' / '2.conf')
    drop_ins = node.host().read_drop_ins(node.add(), '/k.d')
    assert isinstance(drop_ins, DropIns)
    first, second, third = drop_ins.files
    assert (as_data(first), as_data(third)) == (b'one', b'three')
    assert isinstance(second, kind)
    assert (second.path, second.why) == ('/k.d/2.conf', why)


@pytest.mark.parametrize('device', ['/dev/zero', '/dev/null', '/dev/tty'])
def test_a_device_gets_a_clear_message_at_once(standins: Standins, device: str) -> None:
    host = here()
    process = real_process(standins.launch(), host)
    answer = host.read_file(process, device)
    assert isinstance(answer, Unreadable)
    assert answer.why == 'it is a device, not a file'
    drop_ins = host.read_drop_ins(process, device)
    assert isinstance(drop_ins, DropIns)
    assert drop_ins.files == ()


@pytest.mark.parametrize(
    'path',
    ['/etc/k.yaml', '/etc//k.yaml', '/etc/k.yaml/', '/etc/k.yaml/.', '/none/../etc/k.yaml', '/etc/deep/../k.yaml'],
)
def test_the_path_of_a_file_is_cleaned_as_text_as_filepath_abs_does(node: Node, path: str) -> None:
    """`deep` is a link to a folder beside another k.yaml, and by the kernel's rules `deep/..` is where that one is."""
    node.write('/etc/k.yaml', b'right')
    node.write('/other/k.yaml', b'wrong')
    node.write('/other/deep/x')
    node.link('/etc/deep', '/other/deep')
    answer = node.host().read_file(node.add(), path)
    assert as_data(answer) == b'right'
    assert isinstance(answer, File)
    assert answer.path == path


def test_a_file_changed_when_its_ctime_says_so_whatever_its_mtime_says(node: Node) -> None:
    file = node.write('/k.yaml')
    os.utime(file, (0, 0))
    answer = node.host().read_file(node.add(), '/k.yaml')
    assert isinstance(answer, File)
    assert answer.changed_at == file.stat().st_ctime
    assert answer.changed_at > time.time() - 60


def test_a_file_changed_when_a_link_to_it_was_set_anew(node: Node) -> None:
    file = node.write('/real.yaml')
    link = node.root / 'k.yaml'

    def set_link() -> None:
        link.unlink(missing_ok=True)
        link.symlink_to('real.yaml')
        os.utime(link, (0, 0), follow_symlinks=False)

    expected = until_later_than(file.stat().st_ctime, set_link, link)
    answer = node.host().read_file(node.add(), '/k.yaml')
    assert isinstance(answer, File)
    assert answer.changed_at == expected


def test_drop_ins_changed_when_their_folder_did(node: Node) -> None:
    file = node.write('/k.d/inner/x.conf')
    folder = node.root / 'k.d'

    def remove_one() -> None:
        node.write('/k.d/gone.conf').unlink()
        os.utime(folder, (0, 0))

    expected = until_later_than(file.stat().st_ctime, remove_one, folder)
    answer = node.host().read_drop_ins(node.add(), '/k.d')
    assert isinstance(answer, DropIns)
    assert answer.changed_at == expected
    (drop_in,) = answer.files
    assert isinstance(drop_in, File)
    assert drop_in.changed_at == file.stat().st_ctime


def test_drop_ins_changed_when_their_folder_gave_way_to_a_file(node: Node) -> None:
    file = node.write('/k.d')
    answer = node.host().read_drop_ins(node.add(), '/k.d')
    assert answer == DropIns('/k.d', (), file.stat().st_ctime)


@pytest.fixture
def host_root(tmp_path: Path) -> Path:
    """Where the host's files are mounted; the process's own root holds other ones under the same names."""
    root = tmp_path / 'mounted'
    (root / 'etc').mkdir(parents=True)
    return root


@pytest.mark.parametrize(
    'path', ['/etc/k.yaml', '/etc/absolute', '/etc/climbing', '/../../etc/k.yaml', '/linked/k.yaml']
)
def test_below_host_root_everything_resolves_inside_it(node: Node, host_root: Path, path: str) -> None:
    (host_root / 'etc' / 'k.yaml').write_bytes(b'host')
    (host_root / 'etc' / 'absolute').symlink_to('/etc/k.yaml')
    (host_root / 'etc' / 'climbing').symlink_to('../../../../../etc/k.yaml')
    (host_root / 'linked').symlink_to('/etc')
    (host_root.parent / 'etc').mkdir()
    (host_root.parent / 'etc' / 'k.yaml').write_bytes(b'OUTSIDE')
    assert as_data(node.host(host_root).read_file(node.add(), path)) == b'host'


@pytest.mark.parametrize('odd', ['missing', 'dangling', 'directory', 'fifo', 'too-large', 'no-host-root'])
def test_what_host_root_does_not_show_is_read_through_the_process(node: Node, host_root: Path, odd: str) -> None:
    node.write('/etc/k.yaml', b'its own')
    file = host_root / 'etc' / 'k.yaml'
    if odd == 'dangling':
        file.symlink_to('/only/in/its/own/root')
    elif odd == 'directory':
        file.mkdir()
    elif odd == 'fifo':
        os.mkfifo(file)
    elif odd == 'too-large':
        file.write_bytes(b'x' * (MAX_FILE_BYTES + 1))
    elif odd == 'no-host-root':
        host_root = host_root / 'none'
    assert as_data(node.host(host_root).read_file(node.add(), '/etc/k.yaml')) == b'its own'


def test_a_folder_that_host_root_does_not_show_is_read_through_the_process(node: Node, host_root: Path) -> None:
    node.write('/k.d/x.conf', b'its own')
    answer = node.host(host_root).read_drop_ins(node.add(), '/k.d')
    assert isinstance(answer, DropIns)
    assert [as_data(file) for file in answer.files] == [b'its own']


def test_what_neither_shows_is_missing_to_the_kubelet(node: Node, host_root: Path) -> None:
    answer = node.host(host_root).read_file(node.add(), '/etc/k.yaml')
    assert answer == Missing('/etc/k.yaml', 'no such file or directory')


def test_what_only_host_root_could_show_and_does_not_may_be_there_for_the_kubelet(node: Node, host_root: Path) -> None:
    process = node.add()
    (node.procfs / str(PID) / 'root').unlink()
    answer = node.host(host_root).read_file(process, '/etc/k.yaml')
    assert isinstance(answer, Unreadable)
    assert answer.fault is Fault.FILES_NOT_MOUNTED and 'below host_root' in answer.remedy


@pytest.mark.parametrize('odd', ['dangling', 'linked-folder', 'loop'])
def test_a_drop_in_that_host_root_does_not_show_may_be_there_for_the_kubelet(
    node: Node, host_root: Path, odd: str
) -> None:
    """It may lead to what is mounted for the kubelet only: so the kubelet would not surely refuse it."""
    folder = host_root / 'etc' / 'k.d'
    folder.mkdir()
    (folder / '1.conf').symlink_to({'dangling': '/only/mounted/there', 'linked-folder': '/etc', 'loop': '1.conf'}[odd])
    answer = node.host(host_root).read_drop_ins(node.add(), '/etc/k.d')
    assert isinstance(answer, DropIns)
    (file,) = answer.files
    assert isinstance(file, Unreadable)
    assert file.path == '/etc/k.d/1.conf'
    assert 'host_root' in file.why


def test_below_host_root_a_relative_path_starts_where_the_kubelet_says_that_it_is(
    standins: Standins, tmp_path: Path
) -> None:
    cwd = tmp_path / 'cwd'
    cwd.mkdir()
    mounted = tmp_path / 'mounted'
    (mounted / str(cwd).lstrip('/')).mkdir(parents=True)
    (mounted / str(cwd).lstrip('/') / 'k.yaml').write_bytes(b'host')
    host = here(str(mounted))
    process = real_process(standins.launch(cwd=cwd), host)
    assert as_data(host.read_file(process, 'k.yaml')) == b'host'


def test_below_host_root_the_process_is_not_asked_for_what_is_there(node: Node, host_root: Path) -> None:
    """Each look through /proc/PID/root is an access like a debugger's, which AppArmor logs."""
    (host_root / 'etc' / 'k.yaml').write_bytes(b'host')
    node.write('/etc/k.yaml', b'its own')
    assert as_data(node.host(host_root).read_file(node.add(), '/etc/k.yaml')) == b'host'
