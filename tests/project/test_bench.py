# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The benchmarks, without their clocks: what is compared with what, and what a run says and exits with."""

from __future__ import annotations

import os
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from benchmarks import __main__ as program, results
from benchmarks.measure import Cost, Limit, Results, Work, measure, on_cores, rows_of

pytestmark = pytest.mark.same_for_every_user


@pytest.mark.parametrize(
    'figure, bound, at_least, holds',
    [(3, 3, True, True), (2.9, 3, True, False), (3, 3, False, True), (3.1, 3, False, False)],
)
def test_a_limit_holds_up_to_its_bound(figure: float, bound: float, at_least: bool, holds: bool) -> None:
    assert Limit('x', figure, bound, 'times', at_least).holds is holds


@pytest.mark.parametrize('figure, status', [(300, 0), (301, 1)])
def test_a_run_fails_where_a_limit_is_passed(
    figure: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, 'measured', lambda _: Results(limits=(Limit('x', figure, 300, 'µs'),)))
    monkeypatch.setattr(sys, 'argv', ['benchmarks', 'steady'])
    assert program.main() == status
    holds = 'yes' if status == 0 else '**no**'
    assert f'| x | {figure} µs | at most 300 µs | {holds} |' in capsys.readouterr().out


def test_a_part_that_is_not_known_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, 'argv', ['benchmarks', 'stedy'])
    with pytest.raises(SystemExit):
        program.main()
    assert 'unknown: stedy' in capsys.readouterr().err


def test_results_are_written_between_the_markers_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / 'README.md'
    page.write_text(f'before\n{results.BEGIN}\nold\n{results.END}\nafter\n')
    monkeypatch.setattr(results, 'README', page)
    results.write('new')
    before, _, rest = page.read_text().partition(results.BEGIN)
    inside, _, after = rest.partition(results.END)
    assert (before, after) == ('before\n', '\nafter\n')
    assert results.machine() in inside and 'new' in inside and 'old' not in inside


def test_the_page_has_the_markers() -> None:
    page = results.README.read_text()
    assert page.count(results.BEGIN) == page.count(results.END) == 1
    assert page.index(results.BEGIN) < page.index(results.END)


@pytest.mark.parametrize(
    'seconds, words',
    [(0.00004567, '45.7 µs'), (0.000999, '999 µs'), (0.00245, '2.45 ms'), (0.3, '300 ms'), (2, '2.00 s')],
)
def test_a_duration_has_the_unit_that_fits(seconds: float, words: str) -> None:
    assert results.duration(seconds) == words


def test_only_the_work_is_counted_and_the_first_round_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = 0.0
    done: list[str] = []

    def work(name: str, seconds: float) -> None:
        nonlocal ticks
        done.append(name)
        ticks += seconds

    works = (
        Work('one', lambda: work('one', 2), 2, before_each=lambda: work('between', 100)),
        Work('other', lambda: work('other', 6), 2, before=lambda: work('before', 100)),
    )
    monkeypatch.setattr(time, 'process_time', lambda: ticks)
    costs = measure(works, 1)
    a_round = ['between', 'one', 'between', 'one', 'before', 'other', 'other']
    assert done == 2 * a_round
    assert (costs['one'].cpu, costs['other'].cpu) == ((2.0,), (6.0,))


@pytest.mark.parametrize('count', [1, 2])
def test_a_round_has_its_threads_on_the_cores_that_it_asks_for(count: int) -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()

    def cores() -> tuple[set[int], set[int]]:
        return os.sched_getaffinity(0), os.sched_getaffinity(thread.native_id or 0)

    allowed, _ = before = cores()
    chosen = sorted(allowed)[:count]
    seen: list[object] = []
    try:
        measure((Work('x', lambda: seen.append(cores()), within=partial(on_cores, count)),), 1)
        assert seen == 2 * [({chosen[0]}, {chosen[-1]})]
        assert cores() == before
    finally:
        end.set()
        thread.join()


@pytest.mark.parametrize('last, warnings', [(1.5, []), (1.6, ['- part, uneven: median 1.60 times the best'])])
def test_the_results_warn_of_a_row_whose_rounds_differ(last: float, warnings: list[str]) -> None:
    costs = {'even': Cost((1.0, 1.0, 9.0), (1.0,)), 'uneven': Cost((1.0, last, last), (1.0,))}
    text = results.markdown([Results(rows_of('part', costs, 'even'), notes=('noted',))])
    notes = [line for line in text.splitlines() if line.startswith('- ')]
    assert [note.partition(';')[0] for note in notes] == ['- noted', *warnings]


def test_a_ratio_is_that_of_the_medians_to_ours() -> None:
    costs = {'ours': Cost((1.0, 2.0, 9.0), (1.0,)), 'other': Cost((8.0, 5.0, 6.0), (1.0,))}
    assert [row.ratio for row in rows_of('part', costs, 'ours')] == [1.0, 3.0]
