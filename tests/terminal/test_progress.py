# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The progress of the command: what a terminal and a pipe show of it, and when."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.cli import main
from datadog_checks.kubelet_compliance.terminal import evaluation
from datadog_checks.kubelet_compliance.terminal.progress import (
    ERASE_LINE,
    PIPE_SECONDS,
    QUIET_SECONDS,
    TERMINAL_SECONDS,
    Progress,
)
from tests.support.cases import TRUTH
from tests.support.paths import ROOT

KUBEADM = ROOT / 'examples' / 'kubeadm'
ANSWER = (TRUTH / 'configz' / 'kubelet-1.36-iptables-flag-false.json').read_bytes()
COMMAND = [sys.executable, '-m', 'datadog_checks.kubelet_compliance']


class Recorded:
    """A standard error that keeps what is written."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.is_terminal = is_terminal
        self.written: list[str] = []

    def write(self, text: str) -> None:
        self.written.append(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        return self.is_terminal


def shown(texts: list[str], *, is_terminal: bool) -> tuple[list[str], list[float]]:
    """What is written if each wait ends with the next text, and how long each wait is."""
    screen, waits = Recorded(is_terminal=is_terminal), list[float]()

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) > len(texts):
            return True
        progress.text = texts[len(waits) - 1]
        return False

    progress = Progress('', screen, wait)
    progress.run()
    return screen.written, waits


@pytest.mark.parametrize(
    ('texts', 'is_terminal', 'written', 'waits'),
    [
        pytest.param([], True, [], [QUIET_SECONDS], id='a terminal shows nothing of short work'),
        pytest.param(
            ['1 of 9', '5 of 9'],
            True,
            [f'{ERASE_LINE}1 of 9', f'{ERASE_LINE}5 of 9', ERASE_LINE],
            [QUIET_SECONDS, TERMINAL_SECONDS, TERMINAL_SECONDS],
            id='a terminal shows one line, and erases it',
        ),
        pytest.param([], False, [], [PIPE_SECONDS], id='a pipe gets nothing of short work'),
        pytest.param(
            ['1 of 9', '5 of 9'], False, ['1 of 9\n', '5 of 9\n'], 3 * [PIPE_SECONDS], id='a pipe keeps whole lines'
        ),
        pytest.param(
            ['a\x1b[2J\nb' + 99 * 'c'], False, ['a?[2J?b' + 50 * 'c' + '...\n'], 2 * [PIPE_SECONDS], id='printable text'
        ),
    ],
)
def test_progress_is_shown_at_a_bounded_rate(
    texts: list[str], is_terminal: bool, written: list[str], waits: list[float]
) -> None:
    assert shown(texts, is_terminal=is_terminal) == (written, waits)


def test_a_terminal_gets_at_most_five_lines_in_a_second() -> None:
    assert TERMINAL_SECONDS >= 1 / 5 and QUIET_SECONDS >= 1 and PIPE_SECONDS >= 10


@pytest.mark.parametrize('error', [BrokenPipeError(), ValueError('I/O operation on closed file')])
def test_a_standard_error_that_nobody_reads_does_not_end_the_work(error: Exception) -> None:
    class Gone(Recorded):
        def write(self, text: str) -> None:
            raise error

    progress = Progress('', Gone(is_terminal=True), lambda _: False)
    progress.run()


def test_a_standard_error_that_was_closed_before_the_start_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'stderr', None)
    Progress('', None, lambda _: pytest.fail('waits')).run()


def test_the_work_does_not_wait_for_the_next_line() -> None:
    with Progress('', Recorded(is_terminal=True)) as progress:
        pass
    assert not progress.thread.is_alive()


def test_an_error_of_the_work_ends_the_progress_too() -> None:
    progress = Progress('', Recorded(is_terminal=True))
    with pytest.raises(KeyboardInterrupt), progress:
        raise KeyboardInterrupt
    assert not progress.thread.is_alive()


def as_in_a_terminal() -> None:
    """A shell starts background jobs with SIGINT ignored, and the tests may be one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def waiting(node: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """The command on a terminal, in the middle of its work: it reads a pipe that nobody has written to yet."""
    given = node.parent / 'configz'
    os.mkfifo(given)
    terminal, end = pty.openpty()
    command = [*COMMAND, '--node', str(node), '--configz', str(given), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=end, preexec_fn=as_in_a_terminal) as process:
        os.close(end)
        try:
            yield process, terminal, given
        finally:
            process.kill()
            os.close(terminal)


def read_until(terminal: int, text: bytes) -> bytes:
    found = b''
    while text not in found:
        found += os.read(terminal, 1024)
    return found


def rest_of(terminal: int) -> bytes:
    found = b''
    while True:
        try:
            found += os.read(terminal, 1024)
        except OSError:
            # Linux reports the end of a terminal as an error.
            return found


@pytest.fixture
def node(tmp_path: Path) -> Path:
    return Path(shutil.copytree(KUBEADM, tmp_path / 'node'))


def test_a_terminal_shows_the_work_and_is_clean_at_the_end(node: Path) -> None:
    with waiting(node, '--rule', 'make_iptables_util_chains') as (process, terminal, given):
        seen = read_until(terminal, b'reading the node ...')
        assert process.poll() is None
        given.write_bytes(ANSWER)
        assert process.stdout is not None and b'NON-COMPLIANT' in process.stdout.read()
        assert process.wait() == 1
        seen += rest_of(terminal)
    assert seen.startswith(ERASE_LINE.encode()) and seen.endswith(ERASE_LINE.encode())
    assert b'\n' not in seen


def test_ctrl_c_ends_the_command_quietly(node: Path) -> None:
    with waiting(node) as (process, terminal, _):
        read_until(terminal, b'reading the node ...')
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None and process.stdout.read() == b''
        assert process.wait() == 130
        assert b'Traceback' not in rest_of(terminal)


def test_a_capture_shows_its_progress(node: Path) -> None:
    with waiting(node, '--capture', str(node.parent / 'new')) as (process, terminal, given):
        read_until(terminal, b'reading the node ...')
        given.write_bytes(ANSWER)
        assert process.stdout is not None and b'Review them' in process.stdout.read()
        assert process.wait() == 0


def test_a_pipe_gets_no_progress_of_a_short_run(node: Path) -> None:
    for options in (['--node', str(node)], ['--node', str(node), '--node', str(ROOT / 'examples/eks-al2023')]):
        done = subprocess.run([*COMMAND, *options], capture_output=True, check=False)
        assert done.stderr == b'' and done.stdout


def test_the_progress_counts_nodes(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []

    class Kept(Progress):
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name == 'text':
                texts.append(str(value))

    monkeypatch.setattr(evaluation, 'Progress', Kept)
    main(['--node', str(node), '--node', '/nowhere', '--output', str(node.parent / 'out')])
    assert texts == ['', 'nodes: 0 of 2', 'nodes: 1 of 2']
