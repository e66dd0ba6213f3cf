# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a real terminal and a pipe get from the command."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from tests.support.paths import ROOT

COMMAND = [sys.executable, '-m', 'datadog_checks.kubelet_compliance', '--node', str(ROOT / 'examples' / 'kubeadm')]
PLAIN = {name: value for name, value in os.environ.items() if name not in ('NO_COLOR', 'TERM', 'COLUMNS')}


def on_terminal(columns: int, *options: str, **environment: str) -> str:
    """What the command prints on a terminal of some columns."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    environment = {**PLAIN, 'TERM': 'xterm', **environment}
    with subprocess.Popen([*COMMAND, *options], stdout=end, stderr=end, env=environment) as process:
        os.close(end)
        shown = b''.join(iter(lambda: read(terminal), b''))
        assert process.wait() == 1
    os.close(terminal)
    return shown.decode().replace('\r\n', '\n')


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # Linux reports the end of a terminal as an error.
        return b''


def through_pipe(*options: str, **environment: str) -> str:
    done = subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, check=False, env={**PLAIN, **environment}
    )
    assert (done.returncode, done.stderr) == (1, '')
    return done.stdout


def without_colors(text: str) -> str:
    for color in ('1', '2', '31', '32', '33', '36', '0'):
        text = text.replace(f'\x1b[{color}m', '')
    return text


@pytest.mark.parametrize(('columns', 'width'), [(20, 64), (64, 64), (80, 80), (100, 100), (400, 120)])
def test_the_lines_are_as_wide_as_the_terminal_within_limits(columns: int, width: int) -> None:
    lines = without_colors(on_terminal(columns)).split('\n')
    # A word that is longer than the room for it, such as a path, stays whole.
    assert all(len(line[14:].split()) == 1 for line in lines if len(line) > width), lines
    assert max(len(line) for line in lines) > width - 15


def test_a_terminal_gets_colors_and_a_pipe_does_not() -> None:
    shown = on_terminal(80)
    assert '\x1b[31mNON-COMPLIANT\x1b[0m' in shown and '\x1b[32mCOMPLIANT\x1b[0m' in shown
    assert without_colors(shown) == through_pipe()
    assert '\x1b' not in through_pipe()


@pytest.mark.parametrize(
    ('options', 'environment', 'is_colored'),
    [
        pytest.param([], {'NO_COLOR': '1'}, False, id='NO_COLOR'),
        pytest.param([], {'NO_COLOR': ''}, True, id='an empty NO_COLOR does not count'),
        pytest.param([], {'TERM': 'dumb'}, False, id='a dumb terminal'),
        pytest.param(['--color', 'never'], {}, False, id='never'),
        pytest.param(['--color', 'always'], {'NO_COLOR': '1'}, True, id='the option overrides NO_COLOR'),
        pytest.param(['--json'], {}, False, id='JSON'),
    ],
)
def test_the_option_decides_on_colors_then_the_environment(
    options: list[str], environment: dict[str, str], is_colored: bool
) -> None:
    assert ('\x1b' in on_terminal(80, *options, **environment)) is is_colored


def test_a_pipe_gets_colors_on_request() -> None:
    assert '\x1b[31mNON-COMPLIANT\x1b[0m' in through_pipe('--color', 'always')


def test_a_pipe_has_the_width_of_the_variable_or_80_columns() -> None:
    assert max(len(line) for line in through_pipe().split('\n')) in range(70, 81)
    assert max(len(line) for line in through_pipe(COLUMNS='110').split('\n')) in range(100, 111)
