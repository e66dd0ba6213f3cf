# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is taken for unchanged: every step to every thing that was looked at, by real files and links."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.model import Scan, Unknown
from datadog_checks.kubelet_compliance.node import change_stamps as stamps
from datadog_checks.kubelet_compliance.node.change_stamps import (
    ProcessStamp,
    Stamped,
    StampedScan,
    Trace,
    held,
    unheld,
)
from datadog_checks.kubelet_compliance.node.process_root import CannotRead, NotThere, Root
from tests.support.clocks import Ahead
from tests.support.ticks import wait_for_the_next_tick


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with a file behind two links and a folder of drop-ins."""
    root = tmp_path / 'root'
    (root / 'etc' / 'real').mkdir(parents=True)
    (root / 'etc' / 'real' / 'c.yaml').write_text('one')
    (root / 'etc' / 'kubernetes').symlink_to('/etc/real')
    (root / 'etc' / 'real' / 'linked.yaml').symlink_to('c.yaml')
    (root / 'etc' / 'd' / 'below').mkdir(parents=True)
    (root / 'etc' / 'd' / '10.conf').write_text('ten')
    (root / 'etc' / 'd' / 'below' / '20.conf').write_text('twenty')
    return root


STAMP = ProcessStamp(100, b'kubelet', b'kubelet\0', 0, b'')


def with_a_kubelet() -> Trace:
    """The trace of a collection that found one kubelet and judged it."""
    trace = Trace()
    trace.scan_of(lambda: StampedScan(Scan(), {1: STAMP}))
    trace.expect([1])
    return trace


def look(tree: Path) -> Trace:
    """Look at all of it, as a collection would."""
    trace = with_a_kubelet()
    with Root(str(tree), trace=trace) as root:
        assert root.read('/etc/kubernetes/linked.yaml').data == b'one'
        assert root.walk('/etc/d').paths == ('/etc/d/10.conf', '/etc/d/below/20.conf')
        root.read('/etc/d/10.conf')
        root.status('/etc/d/below/20.conf')
        for path in ('/etc/missing.yaml', '/etc/none/at/all', '/etc/d/10.conf/below'):
            with pytest.raises(NotThere):
                root.read(path)
    return trace


def rewrite_same_size(tree: Path) -> None:
    path = tree / 'etc/real/c.yaml'
    before = path.stat()
    path.write_text('two')
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_rename(tree: Path) -> None:
    (tree / 'new').write_text('one')
    (tree / 'new').rename(tree / 'etc/real/c.yaml')


def retarget(tree: Path) -> None:
    (tree / 'etc/real/other.yaml').hardlink_to(tree / 'etc/d/10.conf')
    (tree / 'etc/real/linked.yaml').unlink()
    (tree / 'etc/real/linked.yaml').symlink_to('other.yaml')


def swap_folder_on_the_way(tree: Path) -> None:
    """The same files, with the same stamps, in a folder of the same name."""
    (tree / 'etc/real').rename(tree / 'old')
    (tree / 'etc/real').mkdir()
    for name in ('c.yaml', 'linked.yaml'):
        (tree / 'old' / name).rename(tree / 'etc/real' / name)


def put_link_in_place_of_folder(tree: Path) -> None:
    """A link to the very same folder: where it leads inside the root is not where it leads for us."""
    (tree / 'etc/real').rename(tree / 'moved')
    (tree / 'etc/real').symlink_to(tree / 'moved')


CHANGES: dict[str, Callable[[Path], object]] = {
    'one-byte-and-the-mtime-put-back': rewrite_same_size,
    'replaced-by-rename': replace_by_rename,
    'grown': lambda tree: (tree / 'etc/real/c.yaml').write_text('longer'),
    'mode': lambda tree: (tree / 'etc/real/c.yaml').chmod(0o640),
    'gone': lambda tree: (tree / 'etc/real/c.yaml').unlink(),
    'link-leads-elsewhere': retarget,
    'folder-on-the-way-swapped': swap_folder_on_the_way,
    'folder-on-the-way-becomes-a-link-to-itself': put_link_in_place_of_folder,
    'first-link-gone': lambda tree: (tree / 'etc/kubernetes').unlink(),
    'drop-in-added': lambda tree: (tree / 'etc/d/30.conf').write_text(''),
    'drop-in-added-below': lambda tree: (tree / 'etc/d/below/30.conf').write_text(''),
    'drop-in-removed': lambda tree: (tree / 'etc/d/10.conf').unlink(),
    'drop-in-renamed': lambda tree: (tree / 'etc/d/10.conf').rename(tree / 'etc/d/40.conf'),
    'drop-in-changed': lambda tree: (tree / 'etc/d/10.conf').write_text('TEN'),
    'only-looked-at-by-its-mode': lambda tree: (tree / 'etc/d/below/20.conf').chmod(0o600),
    'missing-comes': lambda tree: (tree / 'etc/missing.yaml').write_text(''),
    'first-step-of-a-missing-path-comes': lambda tree: (tree / 'etc/none').mkdir(),
    'file-on-a-missing-path-becomes-a-folder': lambda tree: (
        (tree / 'etc/d/10.conf').unlink(),
        (tree / 'etc/d/10.conf/below').mkdir(parents=True),
    ),
    'root-gone': lambda tree: tree.rename(tree.parent / 'elsewhere'),
    'root-swapped': lambda tree: (tree.rename(tree.parent / 'elsewhere'), tree.mkdir()),
}

NO_CHANGES: dict[str, Callable[[Path], object]] = {
    'nothing': lambda tree: None,
    'a-file-beside-it': lambda tree: (tree / 'etc/real/beside').write_text(''),
    'a-folder-beside-the-root': lambda tree: (tree / 'other').mkdir(),
    'a-file-read': lambda tree: (tree / 'etc/real/c.yaml').read_text(),
}


@pytest.mark.parametrize('change', CHANGES.values(), ids=CHANGES)
def test_a_change_of_anything_on_the_way_is_seen(tree: Path, change: Callable[[Path], object]) -> None:
    trace = look(tree)
    wait_for_the_next_tick(tree.parent)
    change(tree)
    assert not trace.files_are_unchanged()


@pytest.mark.parametrize('change', NO_CHANGES.values(), ids=NO_CHANGES)
def test_what_was_not_examined_does_not_matter(tree: Path, change: Callable[[Path], object]) -> None:
    trace = look(tree)
    change(tree)
    assert trace.files_are_unchanged()


def test_a_relative_path_is_held_from_the_working_directory(tree: Path) -> None:
    trace = Trace()
    with Root(str(tree), str(tree / 'etc/d'), trace=trace) as root:
        assert root.read('../real/linked.yaml').data == b'one'
    assert trace.files_are_unchanged()
    rewrite_same_size(tree)
    assert not trace.files_are_unchanged()


@pytest.mark.parametrize(
    ('seconds', 'is_trusted'),
    [
        pytest.param(0.0, False, id='just-written'),
        pytest.param(-3600.0, False, id='the-clock-was-set-back'),
        pytest.param(1.9, False, id='almost-two-seconds-old'),
        pytest.param(2.2, True, id='over-two-seconds-old'),
        pytest.param(60.0, True, id='old'),
    ],
)
def test_a_stamp_that_is_young_when_it_is_taken_is_not_trusted(
    tree: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, is_trusted: bool
) -> None:
    """Two writes in one tick of the clock, of the same size, leave the same stamp."""
    monkeypatch.setattr(stamps, 'time', Ahead(seconds))
    assert look(tree).is_trusted() is is_trusted


def test_after_some_minutes_no_stamp_is_trusted(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, 'time', Ahead(60.0))
    trace = look(tree)
    monkeypatch.setattr(stamps, 'time', Ahead(60.0 + 299.0))
    assert trace.is_trusted()
    monkeypatch.setattr(stamps, 'time', Ahead(60.0 + 300.0))
    assert not trace.is_trusted()


def test_a_file_that_changes_while_it_is_read_proves_nothing(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, 'time', Ahead(60.0))
    path, trace, looks = tree / 'etc/real/c.yaml', Trace(), []

    def fstat(handle: int) -> os.stat_result:
        looks.append(handle)
        path.write_text(f'{len(looks)} times')
        return os.stat(handle)

    with Root(str(tree), trace=trace) as root:
        monkeypatch.setattr('datadog_checks.kubelet_compliance.node.open_paths.os.fstat', fstat)
        with pytest.raises(CannotRead, match='it changed while it was read'):
            root.read('/etc/real/c.yaml')
        monkeypatch.undo()
    assert not trace.is_provable


@pytest.mark.parametrize('call', ['open', 'fstat', 'readlink', 'scandir'])
def test_an_error_of_the_system_proves_nothing(tree: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(5, 'Input/output error')

    trace = Trace()
    with Root(str(tree), trace=trace) as root, monkeypatch.context() as patch:
        patch.setattr(f'datadog_checks.kubelet_compliance.node.open_paths.os.{call}', fail)
        with pytest.raises(CannotRead, match='input/output error'):
            root.walk('/etc/kubernetes/../d')
    assert not trace.is_provable


def test_a_root_that_cannot_be_opened_proves_nothing(tmp_path: Path) -> None:
    trace = Trace()
    with pytest.raises(CannotRead):
        Root(str(tmp_path / 'none'), trace=trace)
    assert not trace.is_provable


def test_a_root_is_held_even_where_no_step_was_made_in_it(tree: Path) -> None:
    trace = Trace()
    with Root(str(tree), trace=trace) as root, pytest.raises(CannotRead, match='it is in /proc'):
        root.read('/proc/x')
    assert trace.files_are_unchanged()
    tree.rename(tree.parent / 'elsewhere')
    tree.mkdir()
    assert not trace.files_are_unchanged()


def test_comparing_leaves_no_handle(tree: Path, no_handle_is_left: None) -> None:
    trace = look(tree)
    assert trace.files_are_unchanged()
    (tree / 'etc/missing.yaml').write_text('')
    assert not trace.files_are_unchanged()


def test_each_place_is_compared_once(tree: Path) -> None:
    """A folder of drop-ins is on the way to each of them, and its stamp holds that too."""
    (places,) = look(tree).anchors.values()
    assert 'etc/d' in places.examined and 'etc' in places.passed
    assert set(places.passed).isdisjoint(places.examined)


@pytest.mark.parametrize('is_listed_first', [True, False])
@pytest.mark.parametrize('is_swapped', [True, False])
def test_a_folder_that_was_swapped_within_a_look_proves_nothing(
    tree: Path, monkeypatch: pytest.MonkeyPatch, is_listed_first: bool, is_swapped: bool
) -> None:
    monkeypatch.setattr(stamps, 'time', Ahead(60.0))
    trace = with_a_kubelet()
    with Root(str(tree), trace=trace) as root:
        steps = [lambda: root.read('/etc/d/10.conf'), lambda: root.walk('/etc/d')]
        first, second = reversed(steps) if is_listed_first else steps
        first()
        if is_swapped:
            (tree / 'etc/d').rename(tree / 'etc/before')
            (tree / 'etc/before/below').rename(tree / 'below')
            (tree / 'etc/d').mkdir()
            (tree / 'etc/before/10.conf').rename(tree / 'etc/d/10.conf')
        second()
    assert trace.is_trusted() is not is_swapped


def failing() -> Stamped[None]:
    raise OSError(5, 'Input/output error')


def fail_to_read(trace: Trace) -> None:
    with pytest.raises(OSError, match='Input/output error'):
        trace.value_of(failing)


DOUBTFUL = StampedScan(Scan(doubtful=(Unknown('why'),)), {1: STAMP})


@pytest.mark.parametrize(
    ('happens', 'is_trusted'),
    [
        pytest.param(lambda trace: None, True, id='nothing'),
        pytest.param(lambda trace: trace.value_of(lambda: held(1)), True, id='a-value-with-a-stamp-was-read'),
        pytest.param(lambda trace: trace.value_of(lambda: unheld(1)), False, id='a-value-without-a-stamp-was-read'),
        pytest.param(fail_to_read, False, id='a-read-failed'),
        pytest.param(lambda trace: trace.scan_of(lambda: DOUBTFUL), False, id='a-scan-has-doubts'),
        pytest.param(lambda trace: trace.scan_of(lambda: StampedScan(Scan(), {})), False, id='no-kubelet-was-found'),
        pytest.param(lambda trace: trace.expect([2]), False, id='another-process-is-judged'),
        pytest.param(lambda trace: trace.expect([1, 2]), True, id='another-process-is-judged-too'),
    ],
)
def test_only_what_has_a_stamp_may_stay_unread(happens: Callable[[Trace], object], is_trusted: bool) -> None:
    trace = with_a_kubelet()
    happens(trace)
    assert trace.is_trusted() is is_trusted


def test_a_new_trace_proves_nothing() -> None:
    assert not Trace().is_trusted()


def test_a_value_is_given_out_with_its_reading_only() -> None:
    assert Trace().value_of(lambda: held(7)) == Trace().value_of(lambda: unheld(7)) == 7
