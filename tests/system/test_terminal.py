# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a process on the node can put on the terminal of a person who runs the command: plain text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.nodes import write_process
from tests.support.sent import GOOD

HOSTILE = '\x1b[31;1mred\x1b[2J\x1b]0;title\x07one\ntwo\r\nthree\u2028four\u202egpj.exe\u2066\udcff\udc80'
LETTERS = 'knot\u00e9-\u4e2d-\U0001f600'


@pytest.mark.parametrize('encoding', ['utf-8', 'ascii', 'latin-1'])
@pytest.mark.parametrize('options', [(), ('--json',)], ids=['text', 'json'])
def test_the_command_puts_only_printable_lines_on_a_terminal_of_any_encoding(
    tmp_path: Path, options: tuple[str, ...], encoding: str
) -> None:
    config = tmp_path / LETTERS
    config.write_text(GOOD)
    arguments = (f'--config={config}', f'--hostname-override={HOSTILE}', f'--kubeconfig=/{"x" * 100_000}')
    write_process(tmp_path / 'proc', 700, ('kubelet', *arguments))
    done = subprocess.run(
        [sys.executable, '-m', 'datadog_checks.kubelet_compliance', '--procfs', str(tmp_path / 'proc'), *options],
        env={**os.environ, 'PYTHONIOENCODING': encoding},
        capture_output=True,
        check=False,
    )
    # The hostname is overridden, which a rule forbids.
    assert (done.returncode, done.stderr) == (1, b'')
    shown = done.stdout.decode(encoding)
    assert '/knot' in shown and 'red?[2J' in shown
    assert all(line.isprintable() for line in shown.split('\n')), ascii(shown)
    if options:
        assert json.loads(shown)['kubelets'][0]['pid'] == 700
