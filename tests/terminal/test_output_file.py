# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The option `--output`: the file that the command writes, and the message if it can't."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.cli import main
from datadog_checks.kubelet_compliance.reporting.formats import FORMATS
from datadog_checks.kubelet_compliance.terminal.screen import CannotAnswer, write
from tests.support.paths import ROOT

IMAGE = ['--root', str(ROOT / 'examples' / 'image'), '--rule', 'make_iptables_util_chains']
NOBODY = 65534


@pytest.mark.parametrize('name', FORMATS)
def test_a_file_holds_what_the_terminal_would_show(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*IMAGE, '--format', name]) == 1
    shown = capsys.readouterr().out
    path = tmp_path / 'result'
    assert main([*IMAGE, '--format', name, '--output', str(path)]) == 1
    assert capsys.readouterr() == ('', '')
    assert without_times(path.read_text()) == without_times(shown)


def without_times(text: str) -> str:
    return '\n'.join(line for line in text.split('\n') if 'timestamp=' not in line and 'endTimeUtc' not in line)


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / 'result'
    path.write_text('old ' * 10_000)
    write('new', str(path))
    assert path.read_text() == 'new\n'


@pytest.mark.parametrize('text', ['\u00e9\u4e2d\U0001f600', 'a\udcffb'])
def test_a_file_is_utf_8_whatever_the_text(text: str, tmp_path: Path) -> None:
    path = tmp_path / 'result'
    write(text, str(path))
    assert path.read_bytes().decode() == f'{text.encode("utf-8", "backslashreplace").decode()}\n'


@pytest.mark.parametrize(
    'name, why',
    [
        pytest.param('.', 'is a directory', id='a folder'),
        pytest.param('missing/result', 'no such file or directory', id='in a folder that does not exist'),
        pytest.param('/dev/full', 'no space left on device', id='on a full disk'),
        pytest.param('x' * 300, 'file name too long', id='a name that is too long'),
    ],
)
def test_a_file_that_cannot_be_written_is_an_error_in_one_line(
    name: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / name)
    assert main([*IMAGE, '--output', path]) == 2
    shown = capsys.readouterr()
    assert shown.out == ''
    assert shown.err.startswith('kubelet-compliance: could not write ') and shown.err.endswith(f': {why}\n')
    assert shown.err.count('\n') == 1


def test_a_file_without_permission_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / 'closed'
    folder.mkdir(mode=0o500)
    with as_nobody(), pytest.raises(CannotAnswer, match=r"could not write .*/closed/result': permission denied"):
        write('x', str(folder / 'result'))


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, if the tests run as root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
