# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from datadog_checks.kubelet_compliance.terminal.started import how_started, short, user_text
from tests.support.standin import Standins


def test_a_process_says_since_when_it_runs_as_whom_and_who_started_it(standins: Standins) -> None:
    before = time.time()
    kubelet = standins.launch(('kubelet', '--v=2'))
    started = how_started([kubelet.pid], '/proc')[kubelet.pid]
    # The kernel counts the start of a process in ticks.
    assert before - 2 <= started.since <= time.time() + 2
    assert started.user == (psutil.Process().username() if os.geteuid() else 'root')
    assert started.by == f'{psutil.Process().name()} (process {os.getpid()})'


def test_a_process_that_ended_is_left_out(standins: Standins) -> None:
    kubelet = standins.launch(('kubelet',))
    kubelet.kill()
    assert how_started([kubelet.pid], '/proc') == {}


def test_another_proc_is_read_and_the_setting_is_put_back(tmp_path: Path) -> None:
    assert how_started([os.getpid()], str(tmp_path)) == {}
    assert psutil.PROCFS_PATH == '/proc'


def test_a_python_without_psutil_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'psutil', None)
    assert how_started([os.getpid()], '/proc') == {}


@pytest.mark.parametrize(
    ('number', 'name', 'text'),
    [(0, '', 'root'), (0, 'toor', 'root'), (1000, 'kube', 'kube'), (1000, '', 'user 1000'), (1000, '1000', '1000')],
)
def test_a_user_has_a_name_only_if_it_is_known(number: int, name: str, text: str) -> None:
    assert user_text(number, name) == text


def test_a_name_is_one_short_printable_line() -> None:
    assert short('a\nb\x1b' + 'x' * 100) == f'a?b?{"x" * 53}...'
