# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""`--capture` onto a disk that takes no more: a clear message, and half a capture is never judged as a whole one."""

from __future__ import annotations

import errno
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.capture import writer as capture_write
from datadog_checks.kubelet_compliance.cli import main
from tests.support.mounts import needs_mounts
from tests.support.nodes import write_process
from tests.support.sent import BAD, GOOD, IPTABLES

COMMAND = [sys.executable, '-m', 'datadog_checks.kubelet_compliance']


@pytest.fixture
def procfs(tmp_path: Path) -> Path:
    """A kubelet whose last drop-in breaks the rule: a copy that lacks it would be compliant."""
    folder = tmp_path / 'etc'
    (folder / 'd').mkdir(parents=True)
    for name, text in (('c.yaml', GOOD), ('d/1.conf', GOOD), ('d/2.conf', BAD)):
        (folder / name).write_text(text)
    write_process(tmp_path / 'proc', 700, ('kubelet', f'--config={folder}/c.yaml', f'--config-dir={folder}/d'))
    return tmp_path / 'proc'


def assert_refused(status: int, out: str, error: str, why: int) -> None:
    assert status == 2
    assert out == ''
    assert error.startswith('kubelet-compliance: ') and error.count('\n') == 1
    assert os.strerror(why) in error


def test_the_node_of_these_tests_is_not_compliant_and_neither_is_its_copy(procfs: Path, tmp_path: Path) -> None:
    copy = str(tmp_path / 'copy')
    assert main(['--procfs', str(procfs), '--rule', IPTABLES]) == 1
    assert main(['--procfs', str(procfs), '--rule', IPTABLES, '--capture', copy]) == 0
    assert main(['--node', copy, '--rule', IPTABLES]) == 1


def writing(nth: int, why: int) -> Callable[[int, str, bytes], None]:
    """Writes files, but of the n-th only the name."""
    count, real = itertools.count(1), capture_write.write_file

    def write(root: int, path: str, data: bytes) -> None:
        if next(count) < nth:
            real(root, path, data)
            return
        real(root, path, b'')
        raise OSError(why, os.strerror(why))

    return write


def cut_off(procfs: Path, copy: Path, nth: int, why: int) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capture_write, 'write_file', writing(nth, why))
        return main(['--procfs', str(procfs), '--capture', str(copy)])


def number_of_files(procfs: Path, tmp_path: Path) -> int:
    main(['--procfs', str(procfs), '--capture', str(tmp_path / 'whole')])
    return sum(path.is_file() for path in (tmp_path / 'whole').rglob('*'))


@pytest.mark.parametrize('why', [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_capture_that_is_cut_off_at_any_file_says_so_in_one_line(
    procfs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], why: int
) -> None:
    for nth in range(1, number_of_files(procfs, tmp_path) + 1):
        capsys.readouterr()
        status = cut_off(procfs, tmp_path / f'copy{nth}', nth, why)
        assert_refused(status, *capsys.readouterr(), why)


def test_a_capture_that_is_cut_off_at_any_file_is_never_judged_to_be_compliant(
    procfs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for nth in range(1, number_of_files(procfs, tmp_path) + 1):
        copy = tmp_path / f'copy{nth}'
        cut_off(procfs, copy, nth, errno.ENOSPC)
        capsys.readouterr()
        status = main(['--node', str(copy), '--rule', IPTABLES])
        shown = capsys.readouterr()
        assert status == 2, (nth, shown.out)
        assert ' COMPLIANT' not in shown.out


def capture_in(wrap: tuple[str, ...], procfs: Path, copy: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [*wrap, *COMMAND, '--procfs', str(procfs), '--capture', str(copy)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@needs_mounts
@pytest.mark.parametrize('kibibytes', [4, 12, 20, 32])
def test_a_capture_onto_a_full_disk_says_so(procfs: Path, tmp_path: Path, kibibytes: int) -> None:
    disk = tmp_path / 'disk'
    disk.mkdir()
    mount = f'mount -t tmpfs -o size={kibibytes}k disk "$0" && exec "$@"'
    answer = capture_in(('unshare', '--mount', 'sh', '-c', mount, str(disk)), procfs, disk / 'copy')
    assert_refused(*answer, errno.ENOSPC)


@needs_mounts
def test_a_capture_onto_a_read_only_disk_says_so(procfs: Path, tmp_path: Path) -> None:
    disk = tmp_path / 'disk'
    disk.mkdir()
    mount = 'mount -t tmpfs -o ro disk "$0" && exec "$@"'
    answer = capture_in(('unshare', '--mount', 'sh', '-c', mount, str(disk)), procfs, disk / 'copy')
    assert_refused(*answer, errno.EROFS)


def test_a_capture_where_no_file_may_grow_says_so(procfs: Path, tmp_path: Path) -> None:
    answer = capture_in(('sh', '-c', 'ulimit -f 0 && exec "$@"', 'sh'), procfs, tmp_path / 'copy')
    assert_refused(*answer, errno.EFBIG)


def test_a_capture_below_what_is_no_folder_says_so(procfs: Path, tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    assert_refused(*capture_in((), procfs, tmp_path / 'file' / 'copy'), errno.ENOTDIR)
