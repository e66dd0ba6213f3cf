# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.node.change_stamps import Trace
from datadog_checks.kubelet_compliance.node.open_paths import OpenPath
from datadog_checks.kubelet_compliance.node.process_root import (
    MAX_ENTRIES,
    MAX_FILE_BYTES,
    MAX_FOLDERS_DEEP,
    MAX_LINKS,
    CannotRead,
    NotThere,
    Root,
)
from tests.support.handles import open_handles
from tests.support.sockets import make_socket
from tests.support.ticks import until_later_than

pytestmark = pytest.mark.usefixtures('no_handle_is_left')


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with a file, links and folders; beside it a file that must never be reached."""
    root = tmp_path / 'root'
    (root / 'etc' / 'inner').mkdir(parents=True)
    (root / 'var').mkdir()
    (root / 'etc' / 'file').write_bytes(b'inside')
    (root / 'etc' / 'inner' / 'file').write_bytes(b'inner')
    (root / 'var' / 'file').write_bytes(b'var')
    (root / 'file').write_bytes(b'top')
    (tmp_path / 'file').write_bytes(b'OUTSIDE')
    (tmp_path / 'etc').mkdir()
    (tmp_path / 'etc' / 'file').write_bytes(b'OUTSIDE')
    return root


def link(tree: Path, name: str, target: str) -> None:
    (tree / name).symlink_to(target)


def read(root: Path, path: str, cwd: str | None = None) -> bytes:
    with Root(str(root), None if cwd is None else str(root / cwd), trace=Trace()) as opened:
        return opened.read(path).data


def walk(root: Path, path: str) -> tuple[str, ...]:
    with Root(str(root), trace=Trace()) as opened:
        return opened.walk(path).paths


def changed_at(root: Path, path: str) -> float:
    with Root(str(root), trace=Trace()) as opened:
        return opened.read(path).changed_at


def walk_changed_at(root: Path, path: str) -> float:
    with Root(str(root), trace=Trace()) as opened:
        return opened.walk(path).changed_at


def replace_link(path: Path, target: str) -> Callable[[], None]:
    def change() -> None:
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    return change


@pytest.mark.parametrize(
    ('links', 'path', 'expected'),
    [
        pytest.param({}, '/etc/file', b'inside', id='plain'),
        pytest.param({}, '//etc///./file', b'inside', id='empty-and-dot-names'),
        pytest.param({}, '/etc/inner/../file', b'inside', id='dot-dot'),
        pytest.param({}, '/../../../etc/file', b'inside', id='dot-dot-at-the-root-stays'),
        pytest.param({}, '/etc/../../../../file', b'top', id='dot-dot-past-the-root-stays'),
        pytest.param({'a': '/etc/file'}, '/a', b'inside', id='absolute-link'),
        pytest.param({'a': 'etc/file'}, '/a', b'inside', id='relative-link'),
        pytest.param({'var/a': '../etc/file'}, '/var/a', b'inside', id='relative-link-up'),
        pytest.param({'var/a': '../../../../etc/file'}, '/var/a', b'inside', id='link-cannot-climb-out'),
        pytest.param({'a': '/etc'}, '/a/file', b'inside', id='linked-folder'),
        pytest.param({'a': '/etc/'}, '/a/file', b'inside', id='linked-folder-with-slash'),
        pytest.param({'a': '/etc/inner'}, '/a/../file', b'inside', id='dot-dot-after-a-link-is-of-its-target'),
        pytest.param({'a': '/'}, '/a/etc/file', b'inside', id='link-to-the-root'),
        pytest.param({'a': '/b', 'b': 'c', 'c': '/etc'}, '/a/file', b'inside', id='link-to-link'),
        pytest.param({'etc/a': '.'}, '/etc/a/a/a/file', b'inside', id='link-to-its-own-folder'),
    ],
)
def test_a_path_resolves_inside_the_root(tree: Path, links: dict[str, str], path: str, expected: bytes) -> None:
    for name, target in links.items():
        link(tree, name, target)
    assert read(tree, path) == expected


@pytest.mark.parametrize(
    ('path', 'expected'),
    [
        pytest.param('file', b'inside', id='name'),
        pytest.param('./file', b'inside', id='dot'),
        pytest.param('inner/file', b'inner', id='below'),
        pytest.param('../var/file', b'var', id='up'),
        pytest.param('../../../var/file', b'var', id='up-stops-at-the-root'),
        pytest.param('/file', b'top', id='absolute-ignores-it'),
    ],
)
def test_a_relative_path_starts_at_the_working_directory(tree: Path, path: str, expected: bytes) -> None:
    assert read(tree, path, cwd='etc') == expected


def test_an_absolute_link_met_from_the_working_directory_starts_at_the_root(tree: Path) -> None:
    link(tree, 'etc/a', '/var/file')
    assert read(tree, 'a', cwd='etc') == b'var'


def test_a_relative_path_without_a_working_directory_cannot_be_read(tree: Path) -> None:
    with pytest.raises(CannotRead, match="relative, and the kubelet's working directory is unknown"):
        read(tree, 'etc/file')


@pytest.mark.parametrize(
    ('links', 'path', 'why'),
    [
        pytest.param({}, '/etc/none', 'no such file', id='missing'),
        pytest.param({}, '/none/file', 'no such file', id='missing-folder'),
        pytest.param({}, '/etc/file/more', 'not a directory', id='file-as-a-folder'),
        pytest.param({}, '/etc/file/../file', 'not a directory', id='up-from-a-file'),
        pytest.param({}, '/etc/file/', 'not a directory', id='file-with-slash'),
        pytest.param({}, '/etc/file/.', 'not a directory', id='file-with-dot'),
        pytest.param({'a': '/etc/file/'}, '/a', 'not a directory', id='link-to-file-with-slash'),
        pytest.param({}, '/etc', 'it is a directory', id='folder'),
        pytest.param({}, '/', 'it is a directory', id='root'),
        pytest.param({'a': '/etc'}, '/a', 'it is a directory', id='linked-folder'),
        pytest.param({'a': '/none'}, '/a', 'no such file', id='dangling'),
        pytest.param({'a': 'a'}, '/a', 'too many symbolic links', id='loop-of-one'),
        pytest.param({'a': 'b', 'b': 'a'}, '/a', 'too many symbolic links', id='loop-of-two'),
        pytest.param({'a': 'a/a'}, '/a', 'too many symbolic links', id='loop-that-grows'),
        pytest.param({}, '/etc/fi\0le', 'NUL', id='nul'),
    ],
)
def test_what_the_process_would_not_find_is_not_there(tree: Path, links: dict[str, str], path: str, why: str) -> None:
    for name, target in links.items():
        link(tree, name, target)
    with pytest.raises(NotThere, match=why):
        read(tree, path)


@pytest.mark.parametrize('count', [MAX_LINKS, MAX_LINKS + 1])
def test_as_many_links_are_followed_as_the_kernel_follows(tree: Path, count: int) -> None:
    link(tree, 'etc/1', 'file')
    for number in range(2, count + 1):
        link(tree, f'etc/{number}', str(number - 1))
    try:
        (tree / 'etc' / str(count)).read_bytes()
        kernel_reads_it = True
    except OSError as error:
        assert error.errno == errno.ELOOP
        kernel_reads_it = False
    assert kernel_reads_it is (count <= MAX_LINKS)
    if kernel_reads_it:
        assert read(tree, f'/etc/{count}') == b'inside'
    else:
        with pytest.raises(NotThere, match='too many symbolic links'):
            read(tree, f'/etc/{count}')


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ('make', 'why'),
    [pytest.param(make_fifo, 'a FIFO', id='fifo'), pytest.param(make_socket, 'a socket', id='socket')],
)
@pytest.mark.parametrize('through_link', [False, True], ids=['plain', 'linked'])
def test_what_could_block_is_refused_by_name(
    tree: Path, make: Callable[[Path], None], why: str, through_link: bool
) -> None:
    make(tree / 'etc' / 'odd')
    link(tree, 'a', '/etc/odd')
    with pytest.raises(CannotRead, match=f'it is {why}, not a file'):
        read(tree, '/a' if through_link else '/etc/odd')


@pytest.mark.parametrize('device', ['zero', 'null', 'random', 'tty'])
def test_a_device_is_refused_by_name(device: str) -> None:
    with pytest.raises(CannotRead, match='it is a device, not a file'):
        read(Path('/'), f'/dev/{device}')


@pytest.mark.parametrize(
    ('links', 'path', 'cwd'),
    [
        pytest.param({}, '/proc/file', None, id='absolute'),
        pytest.param({}, '/etc/../proc/file', None, id='by-way-of-dot-dot'),
        pytest.param({}, '/../proc/file', None, id='dot-dot-at-the-root'),
        pytest.param({}, '/./proc/file', None, id='by-way-of-dot'),
        pytest.param({}, 'proc/file', '', id='relative-to-the-root'),
        pytest.param({}, '../proc/file', 'etc', id='relative-up'),
        pytest.param({'a': '/proc'}, '/a/file', None, id='linked'),
        pytest.param({'etc/a': '../proc/file'}, '/etc/a', None, id='linked-up'),
    ],
)
def test_proc_is_not_read_for_it_would_show_ourselves(
    tree: Path, links: dict[str, str], path: str, cwd: str | None
) -> None:
    (tree / 'proc').mkdir()
    (tree / 'proc' / 'file').write_bytes(b'ours')
    for name, target in links.items():
        link(tree, name, target)
    with pytest.raises(CannotRead, match='it is in /proc'):
        read(tree, path, cwd)


def test_a_folder_named_proc_elsewhere_is_a_folder_like_others(tree: Path) -> None:
    (tree / 'etc' / 'proc').mkdir()
    (tree / 'etc' / 'proc' / 'file').write_bytes(b'fine')
    assert read(tree, '/etc/proc/file') == b'fine'


@pytest.mark.parametrize('size', [0, 1, MAX_FILE_BYTES - 1, MAX_FILE_BYTES])
def test_a_file_up_to_the_bound_is_read_whole(tree: Path, size: int) -> None:
    (tree / 'etc' / 'file').write_bytes(b'x' * size)
    assert read(tree, '/etc/file') == b'x' * size


@pytest.mark.parametrize('size', [MAX_FILE_BYTES + 1, 1 << 40], ids=['one-more', 'sparse-tebibyte'])
def test_a_file_beyond_the_bound_is_refused_not_cut(tree: Path, size: int) -> None:
    os.truncate(tree / 'etc' / 'file', size)
    with pytest.raises(CannotRead, match='it is larger than 256 KiB'):
        read(tree, '/etc/file')


def test_a_file_that_changes_while_it_is_read_is_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tree / 'etc' / 'file'
    real_fstat = os.fstat
    seen: list[os.stat_result] = []

    def fstat(handle: int) -> os.stat_result:
        status = real_fstat(handle)
        if os.path.samestat(status, file.stat()) and os.get_blocking(handle) is False:
            seen.append(status)
            if len(seen) == 1:
                file.write_bytes(b'longer than before')
        return status

    with Root(str(tree), trace=Trace()) as root, monkeypatch.context() as patch:
        patch.setattr(os, 'fstat', fstat)
        with pytest.raises(CannotRead, match='it changed while it was read'):
            root.read('/etc/file')


def test_the_file_that_was_examined_is_the_one_that_is_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the opening the name comes to lead to a FIFO: that must not block."""
    file = tree / 'etc' / 'file'
    real_read = OpenPath.content

    def swap_first(self: OpenPath, limit: int) -> Any:
        file.unlink()
        os.mkfifo(file)
        return real_read(self, limit)

    monkeypatch.setattr(OpenPath, 'content', swap_first)
    assert read(tree, '/etc/file') == b'inside'


@pytest.mark.parametrize(
    ('make', 'why'),
    [
        pytest.param(lambda path: None, 'no such file', id='missing'),
        pytest.param(lambda path: path.write_bytes(b''), 'not a directory', id='file'),
        pytest.param(make_fifo, 'not a directory', id='fifo'),
    ],
)
@pytest.mark.parametrize('of', ['root', 'cwd'])
def test_a_root_or_working_directory_that_is_no_folder_cannot_be_read(
    tmp_path: Path, make: Callable[[Path], Any], why: str, of: str
) -> None:
    make(tmp_path / 'odd')
    with pytest.raises(CannotRead, match=why):
        if of == 'root':
            Root(str(tmp_path / 'odd'), trace=Trace())
        else:
            Root(str(tmp_path), str(tmp_path / 'odd'), trace=Trace())


def test_the_time_is_the_ctime_which_a_set_back_mtime_does_not_hide(tree: Path) -> None:
    file = tree / 'etc' / 'file'
    os.utime(file, (0, 0))
    assert file.stat().st_mtime == 0
    assert changed_at(tree, '/etc/file') == file.stat().st_ctime


@pytest.mark.parametrize(
    ('links', 'path'),
    [
        pytest.param({'late': '/etc/file'}, '/late', id='link-to-the-file'),
        pytest.param({'late': '/etc'}, '/late/file', id='link-to-the-folder'),
        pytest.param({'first': 'late', 'late': 'etc'}, '/first/file', id='second-of-two'),
        pytest.param({'late': 'second', 'second': 'etc'}, '/late/file', id='first-of-two'),
    ],
)
def test_a_link_that_is_newer_than_its_file_gives_the_time(tree: Path, links: dict[str, str], path: str) -> None:
    for name, target in links.items():
        link(tree, name, target)
    others = [tree / 'etc' / 'file', *(tree / name for name in links if name != 'late')]
    latest = max(other.lstat().st_ctime for other in others)
    expected = until_later_than(latest, replace_link(tree / 'late', links['late']), tree / 'late')
    assert changed_at(tree, path) == expected


def test_a_file_that_is_newer_than_its_link_gives_the_time(tree: Path) -> None:
    link(tree, 'a', '/etc/file')
    file = tree / 'etc' / 'file'
    expected = until_later_than((tree / 'a').lstat().st_ctime, lambda: file.chmod(0o644), file)
    assert changed_at(tree, '/a') == expected


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'')


def test_a_walk_goes_by_names_folder_for_folder_as_go_does(tree: Path) -> None:
    folder = tree / 'd'
    fill(folder, 'b', 'a-b', 'a/z', 'a/b/c', 'a.x', 'B', '.hidden', '.dots/in', '10', '9', 'ä', '\udcff', '\udc80', '~')
    (folder / 'empty').mkdir()
    assert walk(tree, '/d') == tuple(
        f'/d/{name}'
        for name in (
            '.dots/in',
            '.hidden',
            '10',
            '9',
            'B',
            'a/b/c',
            'a/z',
            'a-b',
            'a.x',
            'b',
            '~',
            '\udc80',
            'ä',
            '\udcff',
        )
    )


@pytest.mark.parametrize('path', ['/d', '/d/', '/d//', '//d', '/d/.'])
def test_a_walk_enters_a_folder_however_its_path_is_spelt(tree: Path, path: str) -> None:
    fill(tree / 'd', 'x')
    assert [os.path.normpath(found).lstrip('/') for found in walk(tree, path)] == ['d/x']


def test_a_walk_from_the_root_names_its_files_below_it(tmp_path: Path) -> None:
    fill(tmp_path, 'a', 'd/b')
    assert walk(tmp_path, '/') == ('/a', '/d/b')


def test_a_walk_from_a_relative_path_starts_at_the_working_directory(tree: Path) -> None:
    fill(tree / 'etc' / 'd', 'x')
    with Root(str(tree), str(tree / 'etc'), trace=Trace()) as root:
        assert root.walk('d').paths == ('d/x',)
        assert root.read('d/x').data == b''


def test_a_linked_folder_is_an_entry_and_not_entered(tree: Path) -> None:
    fill(tree / 'd', 'x')
    link(tree, 'd/a', '/etc')
    assert walk(tree, '/d') == ('/d/a', '/d/x')


@pytest.mark.parametrize(
    ('path', 'expected'),
    [
        pytest.param('/a', ('/a',), id='not-entered'),
        pytest.param('/a/', ('/a/x',), id='with-slash'),
        pytest.param('/a/.', ('/a/x',), id='with-dot'),
        pytest.param('/b/a', ('/b/a/x',), id='link-on-the-way'),
    ],
)
def test_a_walk_enters_a_link_only_where_lstat_would(tree: Path, path: str, expected: tuple[str, ...]) -> None:
    fill(tree / 'd', 'x')
    fill(tree / 'c', 'a/x')
    link(tree, 'a', 'd')
    link(tree, 'b', 'c')
    assert walk(tree, path) == expected


def test_a_walk_of_a_file_is_the_file(tree: Path) -> None:
    assert walk(tree, '/etc/file') == ('/etc/file',)


@pytest.mark.parametrize(
    ('path', 'why'),
    [
        pytest.param('/none', 'no such file', id='missing'),
        pytest.param('/etc/file/', 'not a directory', id='file-with-slash'),
        pytest.param('/etc/file/.', 'not a directory', id='file-with-dot'),
        pytest.param('/dangling/', 'no such file', id='dangling-with-slash'),
    ],
)
def test_a_walk_of_what_is_no_folder_is_not_there(tree: Path, path: str, why: str) -> None:
    link(tree, 'dangling', 'none')
    with pytest.raises(NotThere, match=why):
        walk(tree, path)


def test_a_walk_names_its_files_as_go_does_by_a_path_cleaned_as_text(tree: Path) -> None:
    """The folder is found by way of the link, but its files are then opened beside the link, as filepath.Join says."""
    fill(tree / 'etc' / 'd', 'x')
    link(tree, 'a', 'etc/inner')
    assert walk(tree, '/a/../d') == ('/d/x',)


def test_a_walk_lists_what_it_would_never_open(tree: Path) -> None:
    (tree / 'd').mkdir()
    make_fifo(tree / 'd' / 'fifo')
    link(tree, 'd/dangling', '/none')
    link(tree, 'd/loop', 'loop')
    assert walk(tree, '/d') == ('/d/dangling', '/d/fifo', '/d/loop')


def nested(folder: Path, levels: int) -> None:
    """A folder of that many levels, itself included, with a file in the innermost; made step by step, for its path
    grows longer than the kernel takes."""
    here = os.open('/', os.O_PATH)
    name = str(folder)
    for _ in range(levels):
        os.mkdir(name, dir_fd=here)
        there = os.open(name, os.O_PATH, dir_fd=here)
        os.close(here)
        here, name = there, 'd'
    os.close(os.open('x', os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_folders_nested_up_to_the_bound_are_walked(tree: Path) -> None:
    nested(tree / 'deep', MAX_FOLDERS_DEEP)
    assert walk(tree, '/deep') == ('/deep' + '/d' * (MAX_FOLDERS_DEEP - 1) + '/x',)


def test_folders_nested_beyond_the_bound_are_refused(tree: Path) -> None:
    nested(tree / 'deep', MAX_FOLDERS_DEEP + 1)
    with pytest.raises(CannotRead, match='nested more than 256 levels deep'):
        walk(tree, '/deep')


@pytest.mark.parametrize('spread', [1, 8], ids=['one-folder', 'many-folders'])
def test_a_walk_is_bounded_in_what_it_meets(tree: Path, spread: int) -> None:
    folder = tree / 'd'
    parts = [folder / str(number) for number in range(spread)] if spread > 1 else [folder]
    folders = len(parts) if spread > 1 else 0
    for number, part in enumerate(parts):
        fill(part, *(f'{name}' for name in range(number, MAX_ENTRIES - folders, spread)))
    assert len(walk(tree, '/d')) == MAX_ENTRIES - folders
    (parts[0] / 'more').write_bytes(b'')
    with pytest.raises(CannotRead, match=f'it holds more than {MAX_ENTRIES}'):
        walk(tree, '/d')


def test_a_walk_is_bounded_in_empty_folders_too(tree: Path) -> None:
    for number in range(MAX_ENTRIES // 64 + 1):
        for inner in range(64):
            (tree / 'd' / str(number) / str(inner)).mkdir(parents=True)
    with pytest.raises(CannotRead, match=f'it holds more than {MAX_ENTRIES}'):
        walk(tree, '/d')


@pytest.mark.parametrize('name', ['d', 'd/inner', 'd/inner/most'])
def test_the_time_of_a_walk_is_that_of_the_folder_that_changed_last(tree: Path, name: str) -> None:
    (tree / 'd' / 'inner' / 'most').mkdir(parents=True)
    fill(tree / 'd', 'x')
    folders = [tree / 'd', tree / 'd' / 'inner', tree / 'd' / 'inner' / 'most']
    latest = max(folder.stat().st_ctime for folder in folders)
    expected = until_later_than(latest, lambda: (tree / name).chmod(0o755), tree / name)
    assert walk_changed_at(tree, '/d') == expected


def test_the_time_of_a_walk_is_not_that_of_its_files(tree: Path) -> None:
    fill(tree / 'd', 'x')
    folder = tree / 'd'
    until_later_than(folder.stat().st_ctime, lambda: (folder / 'x').chmod(0o644), folder / 'x')
    assert walk_changed_at(tree, '/d') == folder.stat().st_ctime


@pytest.mark.parametrize('path', ['/late/', '/late/inner', '/late/inner/'])
def test_the_time_of_a_walk_counts_links_on_the_way(tree: Path, path: str) -> None:
    fill(tree / 'd', 'inner/x')
    latest = max((tree / 'd').stat().st_ctime, (tree / 'd' / 'inner').stat().st_ctime)
    expected = until_later_than(latest, replace_link(tree / 'late', 'd'), tree / 'late')
    assert walk_changed_at(tree, path) == expected


@pytest.mark.parametrize('kind', ['file', 'link'])
def test_the_time_of_a_walk_of_no_folder_is_that_of_what_took_its_place(tree: Path, kind: str) -> None:
    """A folder that was replaced by a file or a link after the start: its drop-ins are gone, and that is a change."""
    odd = tree / 'odd'
    if kind == 'link':
        odd.symlink_to('etc')
    else:
        odd.write_bytes(b'')
    assert walk_changed_at(tree, '/odd') == odd.lstat().st_ctime


CALLS = ('open', 'dup', 'dup2', 'readlink', 'scandir', 'listdir')


@pytest.mark.parametrize('nth', range(1, 13))
@pytest.mark.parametrize('call', CALLS)
@pytest.mark.parametrize('what', ['read', 'walk'])
def test_no_handle_is_left_whichever_call_fails(
    tree: Path, monkeypatch: pytest.MonkeyPatch, call: str, nth: int, what: str
) -> None:
    """Every call to the system in turn fails because there are too many open files."""
    link(tree, 'a', '/b')
    link(tree, 'b', 'etc')
    real = getattr(os, call)
    count = 0

    def failing(*arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == nth:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return real(*arguments, **options)

    before = open_handles()
    failed = ''
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        try:
            with Root(str(tree), str(tree), trace=Trace()) as root:
                if what == 'read':
                    root.read('/a/inner/file')
                else:
                    root.walk('a/')
        except CannotRead as error:
            failed = str(error)
    assert open_handles() - before == set()
    assert failed == ('too many open files' if count >= nth else '')


@pytest.mark.parametrize(
    'path', ['/none', '/etc', '/loop', '/dangling', '/etc/file/x', '/etc/fifo', 'relative', '/etc/big', '/proc/x']
)
@pytest.mark.parametrize('what', ['read', 'walk'])
def test_no_handle_is_left_whatever_is_wrong_with_the_path(tree: Path, path: str, what: str) -> None:
    link(tree, 'loop', 'loop')
    link(tree, 'dangling', 'none')
    make_fifo(tree / 'etc' / 'fifo')
    (tree / 'etc' / 'big').write_bytes(b'x' * (MAX_FILE_BYTES + 1))
    root = Root(str(tree), trace=Trace())
    held = open_handles()
    try:
        root.read(path) if what == 'read' else root.walk(path)
    except (NotThere, CannotRead):
        pass
    assert open_handles() == held
    root.close()
    assert held - open_handles() != set()


def test_our_handles_are_not_inherited_by_programs_that_we_start(tree: Path) -> None:
    link(tree, 'a', '/etc')
    link(tree, 'b', '/')
    with Root(str(tree), str(tree), trace=Trace()) as root:
        assert not any(os.get_inheritable(handle) for handle in [place.handle for place in root.opened])
        for path in ('/a/file', '/etc', '/', '/b', 'b'):
            with root.resolve(path) as found:
                assert not os.get_inheritable(found.place.handle)


@pytest.mark.parametrize('path', ['/etc/\ud800', '/\udc00\ud800/k.yaml', '\ud800'])
def test_a_path_that_is_no_text_leads_nowhere(tree: Path, path: str) -> None:
    """JSON can spell it; no path of a file can."""
    with (
        Root(str(tree), str(tree), trace=Trace()) as root,
        pytest.raises(NotThere, match='the path is not valid UTF-8'),
    ):
        root.status(path)


@pytest.mark.parametrize('target', ['/var', '../var', '../etc/../var', 'inner/../../var'])
def test_no_link_leads_past_what_is_mounted_for_the_kubelet(tree: Path, target: str) -> None:
    """However the link spells its way there."""
    link(tree, 'etc/a', target)
    others = {'/var': 'another file system'}
    with Root(str(tree), trace=Trace(), others=others) as root:
        with pytest.raises(CannotRead, match='another file system'):
            root.read('/etc/a/file')
        assert root.read('/etc/inner/../file').data == b'inside'


def test_where_the_root_itself_is_another_one_a_link_may_lead_through_it(tree: Path) -> None:
    """A part of a host below host_root: what is below its mount points is that of the kubelet."""
    link(tree, 'etc/a', '../var/file')
    with Root(str(tree), trace=Trace(), others={'/': 'another root'}) as root:
        assert root.read('/etc/a').data == b'var'
