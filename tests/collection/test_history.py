# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is remembered of files and of the start of a process, from one look to the next."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from datadog_checks.kubelet_compliance.collection.history import History
from datadog_checks.kubelet_compliance.model import DropIns, Evidence, File, Missing, Process, Unreadable

FILE_PATH = '/etc/k.yaml'
FOLDER_PATH = '/etc/k.d'
PROCESS = Process(1, 100, ())


def seen_after(history: History, evidence: Evidence) -> float | None:
    config = history.with_content_times(evidence).config
    assert isinstance(config, File)
    return config.changed_at


def with_config(data: bytes, changed_at: float | None, process: Process = PROCESS) -> Evidence:
    return Evidence(process, File(FILE_PATH, data, changed_at))


def with_drop_ins(folder_at: float, **files: tuple[bytes, float]) -> Evidence:
    drop_ins = tuple(File(f'{FOLDER_PATH}/{name}.conf', data, at) for name, (data, at) in files.items())
    return Evidence(PROCESS, None, DropIns(FOLDER_PATH, drop_ins, folder_at))


def drop_in_times(evidence: Evidence) -> tuple[float | None, ...]:
    """The time of the folder, and those of its files."""
    drop_ins = evidence.drop_ins
    assert isinstance(drop_ins, DropIns)
    return drop_ins.changed_at, *(file.changed_at for file in drop_ins.files if isinstance(file, File))


@pytest.mark.parametrize(
    ('looks', 'expected'),
    [
        pytest.param([(b'a', 10.0)], 10.0, id='first-look'),
        pytest.param([(b'a', 10.0), (b'a', 10.0)], 10.0, id='nothing-changed'),
        pytest.param([(b'a', 10.0), (b'a', 20.0)], 10.0, id='touched'),
        pytest.param([(b'a', 10.0), (b'a', 20.0), (b'a', 30.0)], 10.0, id='touched-twice'),
        pytest.param([(b'a', 10.0), (b'b', 20.0)], math.inf, id='changed'),
        pytest.param([(b'a', 10.0), (b'b', 20.0), (b'b', 5.0)], math.inf, id='changed-then-touched'),
        pytest.param([(b'a', 10.0), (b'b', 20.0), (b'a', 30.0)], math.inf, id='changed-and-back'),
        pytest.param([(b'a', 20.0), (b'a', 10.0)], 10.0, id='clock-set-back'),
        pytest.param([(b'a', None)], None, id='no-time'),
        pytest.param([(b'a', 10.0), (b'a', None)], None, id='time-lost'),
        pytest.param([(b'a', None), (b'a', 10.0)], 10.0, id='time-won'),
        pytest.param([(b'', 10.0), (b'', 20.0)], 10.0, id='empty-file'),
    ],
)
def test_a_file_changed_when_its_bytes_did(looks: list[tuple[bytes, float | None]], expected: float | None) -> None:
    history = History()
    assert [seen_after(history, with_config(data, at)) for data, at in looks][-1] == expected


@pytest.mark.parametrize(
    ('starts', 'expected'),
    [([10.0, 3610.0], 10.0), ([10.0, -3590.0], -3590.0), ([10.0, 3610.0, 20.0], 10.0), ([None, 10.0], 10.0)],
    ids=['clock-stepped-forward', 'clock-stepped-back', 'forward-and-nearly-back', 'clock-learnt'],
)
def test_a_process_started_at_the_earliest_time_that_was_ever_worked_out(
    starts: list[float | None], expected: float
) -> None:
    history = History()
    seen = [
        history.with_content_times(Evidence(replace(PROCESS, started_at=start))).process.started_at for start in starts
    ]
    assert seen[-1] == expected


def test_a_file_under_another_path_is_another_file() -> None:
    history = History()
    history.with_content_times(with_config(b'a', 10.0))
    other = Evidence(PROCESS, File('/other', b'a', 20.0))
    assert seen_after(history, other) == 20.0


def test_a_file_that_could_not_be_read_meanwhile_is_not_forgotten() -> None:
    history = History()
    history.with_content_times(with_config(b'a', 10.0))
    history.with_content_times(Evidence(PROCESS, Unreadable(FILE_PATH, 'why')))
    assert seen_after(history, with_config(b'b', 5.0)) == math.inf


def test_a_file_that_was_missing_and_comes_is_a_change_whatever_its_time_says() -> None:
    history = History()
    history.with_content_times(Evidence(PROCESS, Missing(FILE_PATH, 'why'), Missing(FOLDER_PATH, 'why')))
    assert seen_after(history, with_config(b'a', 5.0)) == math.inf
    assert drop_in_times(history.with_content_times(with_drop_ins(5.0, a=(b'x', 5.0))))[0] == math.inf


def test_names_that_a_folder_no_longer_lists_are_not_kept_for_ever() -> None:
    history = History()
    for number in range(100):
        history.with_content_times(with_drop_ins(10.0 + number, **{f'a{number}': (b'x', 5.0)}))
    assert set(history.of(PROCESS).files) == {f'{FOLDER_PATH}/', f'{FOLDER_PATH}/a99.conf'}
    unread = Evidence(PROCESS, None, DropIns(FOLDER_PATH, (Unreadable(f'{FOLDER_PATH}/a99.conf', 'why'),), 10.0))
    history.with_content_times(unread)
    assert f'{FOLDER_PATH}/a99.conf' in history.of(PROCESS).files


def test_a_file_that_was_there_is_not_forgotten_while_it_is_missing() -> None:
    history = History()
    history.with_content_times(with_config(b'a', 10.0))
    history.with_content_times(Evidence(PROCESS, Missing(FILE_PATH, 'why')))
    assert seen_after(history, with_config(b'a', 20.0)) == 10.0


@pytest.mark.parametrize('other', [replace(PROCESS, pid=2), replace(PROCESS, start_ticks=200)], ids=['pid', 'start'])
def test_what_one_process_had_seen_says_nothing_of_another(other: Process) -> None:
    history = History()
    history.with_content_times(with_config(b'a', 10.0))
    assert seen_after(history, with_config(b'a', 20.0, other)) == 20.0


def test_a_process_that_is_gone_is_forgotten_and_the_others_are_kept() -> None:
    history = History()
    other = replace(PROCESS, pid=2)
    for process in (replace(PROCESS, started_at=1.0), replace(other, started_at=1.0)):
        history.with_content_times(with_config(b'a', 10.0, process))
    history.forget_all_but([other])
    assert set(history.records) == {other.key}
    assert seen_after(history, with_config(b'a', 20.0, other)) == 10.0
    assert seen_after(history, with_config(b'a', 20.0)) == 20.0


@pytest.mark.parametrize(
    ('before', 'after', 'expected'),
    [
        pytest.param(
            with_drop_ins(10.0, a=(b'x', 5.0)), with_drop_ins(20.0, a=(b'x', 5.0)), (10.0, 5.0), id='folder-touched'
        ),
        pytest.param(
            with_drop_ins(10.0, a=(b'x', 5.0)), with_drop_ins(10.0, a=(b'x', 20.0)), (10.0, 5.0), id='file-touched'
        ),
        pytest.param(
            with_drop_ins(10.0, a=(b'x', 5.0)), with_drop_ins(10.0, a=(b'y', 20.0)), (10.0, math.inf), id='file-changed'
        ),
        pytest.param(
            with_drop_ins(10.0, a=(b'x', 5.0)),
            with_drop_ins(20.0, a=(b'x', 5.0), b=(b'y', 1.0)),
            (math.inf, 5.0, 1.0),
            id='file-moved-in',
        ),
        pytest.param(
            with_drop_ins(10.0, a=(b'x', 5.0), b=(b'y', 5.0)),
            with_drop_ins(20.0, a=(b'x', 5.0)),
            (math.inf, 5.0),
            id='file-removed',
        ),
        pytest.param(
            with_drop_ins(10.0, a=(b'x', 5.0)), with_drop_ins(20.0, b=(b'x', 5.0)), (math.inf, 5.0), id='file-renamed'
        ),
        pytest.param(with_drop_ins(10.0), with_drop_ins(20.0), (10.0,), id='empty-folder-touched'),
        pytest.param(with_drop_ins(10.0, a=(b'x', 5.0)), with_drop_ins(20.0), (math.inf,), id='folder-emptied'),
    ],
)
def test_a_folder_changed_when_its_drop_ins_became_other_ones(
    before: Evidence, after: Evidence, expected: tuple[float, ...]
) -> None:
    history = History()
    history.with_content_times(before)
    assert drop_in_times(history.with_content_times(after)) == expected


def test_evidence_without_files_and_times_stays_what_it_is() -> None:
    missing = Missing(FILE_PATH, 'why')
    for evidence in (
        Evidence(PROCESS),
        Evidence(PROCESS, missing, Unreadable(FOLDER_PATH, 'why')),
        Evidence(PROCESS, with_config(b'a', None).config, DropIns(FOLDER_PATH, (missing,), None)),
    ):
        assert History().with_content_times(evidence) == evidence


def test_an_exec_keeps_the_age_of_its_process_and_its_program_begins_anew() -> None:
    history, first = History(), Process(7, 100, ('--a',), stack=1)
    second = replace(first, stack=2)
    assert history.program_age(first, 500.0) == 500.0
    history.forget_all_but([second])
    assert (history.program_age(second, 510.0), history.program_age(second, 575.0)) == (0.0, 65.0)
    assert history.program_age(replace(first, start_ticks=101), 500.0) == 500.0
    assert history.program_age(second, None) is None
