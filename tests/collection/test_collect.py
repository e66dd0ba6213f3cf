# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.api.replay import answers
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.collection.history import History
from datadog_checks.kubelet_compliance.model import (
    Cost,
    File,
    Missing,
    NodeReport,
    Process,
    Source,
    Unreadable,
    Verdict,
)
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.process_facts import LiveFacts
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.nodes import HEAD, collect
from tests.support.sent import BAD, GOOD, show
from tests.support.standin import Standin, Standins
from tests.support.ticks import until_later_than
from tests.support.users import OURS

IPTABLES = select('cis-1.24', ['make_iptables_util_chains'])
HEADER, COMPLIANT, NON_COMPLIANT = HEAD.encode(), GOOD.encode(), BAD.encode()


class StartedAt(LiveFacts):
    """Processes with a given start time; None: their own."""

    def __init__(self, started: float | None) -> None:
        self.started = started

    def started_at(self, start_ticks: int) -> float | None:
        return super().started_at(start_ticks) if self.started is None else self.started


class Clocked(LiveHost):
    """Only some real processes, because others on this machine may be named kubelet. `started`: their start time."""

    def __init__(self, procfs: Path, started: float | None = None) -> None:
        super().__init__(str(procfs), admission=OURS, facts=StartedAt(started))


@pytest.fixture
def procfs(tmp_path: Path) -> Path:
    return show(tmp_path / 'proc')


def verdict(node: NodeReport) -> Verdict:
    (finding,) = node.findings
    return finding.verdict


def one_pass(host: Host, history: History | None = None) -> NodeReport:
    return collect(host, IPTABLES, history or History())[0]


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        pytest.param((), Verdict.COMPLIANT, id='default'),
        pytest.param(('--make-iptables-util-chains=false',), Verdict.NON_COMPLIANT, id='flag'),
        pytest.param(('--config=good.yaml',), Verdict.COMPLIANT, id='file'),
        pytest.param(('--config', 'bad.yaml'), Verdict.NON_COMPLIANT, id='bad-file'),
        pytest.param(('--config=bad.yaml', '--make-iptables-util-chains'), Verdict.COMPLIANT, id='flag-over-file'),
        pytest.param(('--config=good.yaml', '--config-dir=d'), Verdict.NON_COMPLIANT, id='drop-in-over-file'),
        pytest.param(('--config=none.yaml',), Verdict.UNKNOWN, id='missing-file'),
        pytest.param(('--config-dir=none',), Verdict.UNKNOWN, id='missing-folder'),
        pytest.param(('--no-such-flag',), Verdict.UNKNOWN, id='unknown-flag'),
        pytest.param(('--config=fifo',), Verdict.UNKNOWN, id='fifo'),
    ],
)
def test_a_real_kubelet_is_judged_by_its_command_line_and_files(
    standins: Standins, procfs: Path, tmp_path: Path, arguments: tuple[str, ...], expected: Verdict
) -> None:
    (tmp_path / 'good.yaml').write_bytes(COMPLIANT)
    (tmp_path / 'bad.yaml').write_bytes(NON_COMPLIANT)
    (tmp_path / 'd').mkdir()
    (tmp_path / 'd' / '1.conf').write_bytes(NON_COMPLIANT)
    os.mkfifo(tmp_path / 'fifo')
    standin = standins.launch(('kubelet', *arguments), cwd=tmp_path)
    node, reports = collect(Clocked(show(procfs, standin)), IPTABLES, History())
    assert node.found == len(reports) == 1
    assert node.doubts == ()
    assert verdict(node) is expected


@pytest.mark.parametrize('flag', ['--version', '--version=true', '--version=raw', '--help', '-h'])
def test_a_kubelet_that_only_prints_is_passed_by(standins: Standins, procfs: Path, flag: str) -> None:
    standin = standins.launch(('kubelet', flag))
    assert collect(Clocked(show(procfs, standin)), IPTABLES, History()) == (NodeReport(0), ())


@pytest.mark.parametrize('flag', ['--version=false', '--help=false'])
def test_a_kubelet_with_a_flag_not_to_print_is_a_kubelet(standins: Standins, procfs: Path, flag: str) -> None:
    standin = standins.launch(('kubelet', flag))
    assert one_pass(Clocked(show(procfs, standin))).found == 1


def test_one_that_prints_beside_one_that_runs_is_not_counted(standins: Standins, procfs: Path) -> None:
    pair = standins.launch(('kubelet', '--version')), standins.launch(('kubelet',))
    assert one_pass(Clocked(show(procfs, *pair))).found == 1


def test_no_kubelet_is_an_empty_report(procfs: Path) -> None:
    assert collect(Clocked(procfs), IPTABLES, History()) == (NodeReport(0), ())


@pytest.mark.parametrize('flags', [('true', 'false'), ('false', 'true')], ids=['bad-last', 'bad-first'])
def test_of_two_kubelets_the_worse_counts(standins: Standins, procfs: Path, flags: tuple[str, str]) -> None:
    pair = [standins.launch(('kubelet', f'--make-iptables-util-chains={flag}')) for flag in flags]
    node, reports = collect(Clocked(show(procfs, *pair)), IPTABLES, History())
    assert node.found == 2
    assert verdict(node) is Verdict.NON_COMPLIANT
    assert node.findings[0].message.startswith('the worst of 2 kubelets')
    assert {report.process.pid for report in reports} == {standin.pid for standin in pair}


def test_a_doubtful_process_is_reported_and_not_counted(standins: Standins, procfs: Path) -> None:
    node = one_pass(Clocked(show(procfs, standins.launch(('wrapper',)))))
    assert (node.found, node.findings) == (0, ())
    (doubt,) = node.doubts
    assert 'could not be identified' in doubt.reason


def test_a_doubtful_process_beside_a_kubelet_leaves_its_verdict_alone(standins: Standins, procfs: Path) -> None:
    node = one_pass(Clocked(show(procfs, standins.launch(('wrapper',)), standins.launch())))
    assert node.found == 1
    assert verdict(node) is Verdict.COMPLIANT
    assert len(node.doubts) == 1


def test_a_command_line_that_is_not_believed_leaves_the_rule_unknown(standins: Standins, procfs: Path) -> None:
    title = '/' * (os.sysconf('SC_PAGE_SIZE') - len('kubelet')) + 'kubelet' + 'x' * 8192
    node = one_pass(Clocked(show(procfs, standins.launch(title=title))))
    assert node.found == 1
    assert verdict(node) is Verdict.UNKNOWN


class Dying(Clocked):
    """A host on which something happens just before a file of the kubelet is read, or just after."""

    def __init__(self, procfs: Path, happens: Callable[[], None], *, before: bool) -> None:
        super().__init__(procfs)
        self.happens = happens
        self.before = before

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        if self.before:
            self.happens()
        file = super().read_file(process, path)
        if not self.before:
            self.happens()
        return file


@pytest.mark.parametrize('before', [True, False], ids=['before-its-file', 'after-its-file'])
@pytest.mark.parametrize('reap', [True, False], ids=['gone', 'zombie'])
@pytest.mark.parametrize('data', [COMPLIANT, NON_COMPLIANT], ids=['compliant', 'not-compliant'])
def test_a_kubelet_that_ends_while_it_is_read_is_not_reported(
    standins: Standins, procfs: Path, tmp_path: Path, before: bool, reap: bool, data: bytes
) -> None:
    (tmp_path / 'k.yaml').write_bytes(data)
    standin = standins.launch(('kubelet', '--config=k.yaml'), cwd=tmp_path)
    host = Dying(show(procfs, standin), lambda: standin.kill(reap=reap), before=before)
    assert collect(host, IPTABLES, History()) == (NodeReport(0), ())


def test_a_kubelet_that_was_known_and_ended_is_no_mount_that_is_missing(standins: Standins, procfs: Path) -> None:
    standin = standins.launch()
    collector = Collector(Clocked(show(procfs, standin)), IPTABLES)
    connection = answers({})
    assert collector.collect(connection).node.found == 1
    standin.kill()
    for _ in range(3):
        node = collector.collect(connection).node
        assert node.none_found_because == f'the kubelet (process {standin.pid}) ended, and no other kubelet runs'
    show(procfs, standins.launch())
    assert collector.collect(connection).node.none_found_because == ''


def test_of_a_node_that_never_showed_a_kubelet_the_mount_is_the_likely_cause(procfs: Path) -> None:
    node = Collector(Clocked(procfs), IPTABLES).collect(answers({})).node
    assert 'set hostPID: true or mount the /proc of the host' in node.none_found_because


def test_a_kubelet_that_ends_while_another_is_read_does_not_take_it_along(
    standins: Standins, procfs: Path, tmp_path: Path
) -> None:
    (tmp_path / 'k.yaml').write_bytes(COMPLIANT)
    dying = standins.launch(('kubelet', '--make-iptables-util-chains=false'))
    staying = standins.launch(('kubelet', '--config=k.yaml'), cwd=tmp_path)
    dying, staying = sorted((dying, staying), key=lambda standin: standin.pid)
    host = Dying(show(procfs, dying, staying), dying.kill, before=True)
    _, reports = collect(host, IPTABLES, History())
    assert staying.pid in {report.process.pid for report in reports}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / 'k.yaml'
    file.write_bytes(COMPLIANT)
    return file


@pytest.fixture
def kubelet(standins: Standins, config: Path) -> Standin:
    return standins.launch(('kubelet', '--config=k.yaml'), cwd=config.parent)


def started_with(path: Path) -> float:
    """The latest start for which the file counts as changed by the least bit more: a second's grain is allowed."""
    return path.lstat().st_ctime - 1.0


def change_until_later(path: Path, change: Callable[[], object]) -> None:
    """Make a change until the ctime moves, however coarse the clock of the file system is."""
    until_later_than(path.lstat().st_ctime, change, path)


def replace_file(path: Path, data: bytes) -> None:
    """As editors and configuration managers do it: another file under the same name, with the old mtime."""
    new = path.with_name('new')
    new.write_bytes(data)
    os.utime(new, (0, 0))
    new.replace(path)


@pytest.mark.parametrize(
    ('change', 'known', 'fresh'),
    [
        pytest.param(lambda path: path.chmod(0o600), Verdict.COMPLIANT, Verdict.UNKNOWN, id='mode'),
        pytest.param(lambda path: os.chown(path, -1, -1), Verdict.COMPLIANT, Verdict.UNKNOWN, id='owner'),
        pytest.param(lambda path: os.utime(path, (0, 0)), Verdict.COMPLIANT, Verdict.UNKNOWN, id='mtime-set-back'),
        pytest.param(lambda path: replace_file(path, COMPLIANT), Verdict.COMPLIANT, Verdict.UNKNOWN, id='same-content'),
        pytest.param(
            lambda path: replace_file(path, COMPLIANT + b'# more\n'), Verdict.UNKNOWN, Verdict.UNKNOWN, id='comment'
        ),
        pytest.param(
            lambda path: path.write_bytes(HEADER), Verdict.UNKNOWN, Verdict.UNKNOWN, id='other-content-same-value'
        ),
        pytest.param(
            lambda path: replace_file(path, NON_COMPLIANT), Verdict.NON_COMPLIANT, Verdict.NON_COMPLIANT, id='worse'
        ),
    ],
)
def test_after_the_start_only_a_change_of_bytes_counts_where_they_were_seen_before(
    kubelet: Standin,
    procfs: Path,
    config: Path,
    change: Callable[[Path], None],
    known: Verdict,
    fresh: Verdict,
) -> None:
    host, history = Clocked(show(procfs, kubelet), started_with(config)), History()
    assert verdict(one_pass(host, history)) is Verdict.COMPLIANT
    change_until_later(config, lambda: change(config))
    for _ in range(2):
        assert verdict(one_pass(host, history)) is known
    assert verdict(one_pass(host)) is fresh


def test_a_change_is_remembered_when_the_file_is_only_touched_later(
    kubelet: Standin, procfs: Path, config: Path
) -> None:
    host, history = Clocked(show(procfs, kubelet), started_with(config)), History()
    config.write_bytes(NON_COMPLIANT)
    assert verdict(one_pass(host, history)) is Verdict.NON_COMPLIANT
    change_until_later(config, lambda: config.write_bytes(COMPLIANT))
    for _ in range(2):
        node = one_pass(host, history)
        assert verdict(node) is Verdict.UNKNOWN
        assert node.restart_pending is True
        change_until_later(config, lambda: config.chmod(0o600))


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        pytest.param(lambda folder: folder.chmod(0o700), Verdict.COMPLIANT, id='mode-of-the-folder'),
        pytest.param(lambda folder: (folder / 'notes.txt').write_bytes(b''), Verdict.COMPLIANT, id='no-drop-in'),
        pytest.param(lambda folder: (folder / '1.conf').chmod(0o600), Verdict.COMPLIANT, id='mode-of-a-drop-in'),
        pytest.param(lambda folder: (folder / '1.conf').unlink(), Verdict.UNKNOWN, id='drop-in-removed'),
        pytest.param(lambda folder: (folder / '1.conf').write_bytes(HEADER), Verdict.UNKNOWN, id='drop-in-changed'),
        pytest.param(lambda folder: (folder / '2.conf').write_bytes(HEADER), Verdict.UNKNOWN, id='drop-in-added'),
        pytest.param(lambda folder: folder.rename(folder.with_name('old')), Verdict.UNKNOWN, id='folder-gone'),
    ],
)
def test_after_the_start_a_change_of_the_drop_ins_counts(
    standins: Standins, procfs: Path, tmp_path: Path, change: Callable[[Path], object], expected: Verdict
) -> None:
    folder = tmp_path / 'd'
    folder.mkdir()
    (folder / '1.conf').write_bytes(COMPLIANT)
    standin = standins.launch(('kubelet', '--config-dir=d'), cwd=tmp_path)
    latest = max((folder, folder / '1.conf'), key=lambda path: path.stat().st_ctime)
    wait_for_a_tick_after(latest, tmp_path)
    host, history = Clocked(show(procfs, standin), started_with(latest)), History()
    assert verdict(one_pass(host, history)) is Verdict.COMPLIANT
    change(folder)
    assert verdict(one_pass(host, history)) is expected


def wait_for_a_tick_after(path: Path, folder: Path) -> None:
    """Until a change would give a later ctime than this path has: the clock of a file system may be coarse."""
    tick = folder / 'tick'
    tick.write_bytes(b'')
    until_later_than(path.lstat().st_ctime, lambda: tick.chmod(0o600), tick)


def test_a_folder_of_drop_ins_that_gave_way_to_a_file_counts_as_changed(
    standins: Standins, procfs: Path, tmp_path: Path
) -> None:
    """The kubelet still runs with the drop-ins that are gone."""
    folder = tmp_path / 'd'
    folder.mkdir()
    (folder / '1.conf').write_bytes(NON_COMPLIANT)
    standin = standins.launch(('kubelet', '--config-dir=d'), cwd=tmp_path)
    host = Clocked(show(procfs, standin), started_with(folder / '1.conf'))
    wait_for_a_tick_after(folder / '1.conf', tmp_path)
    folder.rename(tmp_path / 'old')
    folder.write_bytes(b'')
    assert verdict(one_pass(host)) is Verdict.UNKNOWN


def test_what_a_flag_decides_does_not_depend_on_files_that_changed(
    standins: Standins, procfs: Path, config: Path
) -> None:
    standin = standins.launch(('kubelet', '--config=k.yaml', '--make-iptables-util-chains=true'), cwd=config.parent)
    host = Clocked(show(procfs, standin), started_with(config) - 100)
    node = one_pass(host)
    assert verdict(node) is Verdict.COMPLIANT
    assert node.findings[0].set_by is Source.FLAG


def test_a_kubelet_that_is_gone_is_forgotten_and_a_new_one_starts_afresh(
    standins: Standins, procfs: Path, config: Path, kubelet: Standin
) -> None:
    host, history = Clocked(show(procfs, kubelet)), History()
    one_pass(host, history)
    assert [key[0] for key in history.records] == [kubelet.pid]
    kubelet.kill()
    one_pass(host, history)
    assert history.records == {}
    new = standins.launch(('kubelet', '--config=k.yaml'), cwd=config.parent)
    show(procfs, new)
    one_pass(host, history)
    assert [key[0] for key in history.records] == [new.pid]


def test_the_cost_counts_collections_of_both_kinds_and_times_the_full_ones(standins: Standins, procfs: Path) -> None:
    show(procfs, standins.launch(('kubelet',)))
    collector = Collector(Clocked(procfs), IPTABLES)
    assert collector.cost == Cost()
    for _ in range(3):
        collector.collect()
    first = collector.cost
    assert (first.full, first.unchanged) == (1, 2)
    assert 0 < first.last_seconds == first.slowest_seconds
    collector.host.give_up()
    collector.collect()
    second = collector.cost
    assert (second.full, second.unchanged) == (2, 2)
    assert second.slowest_seconds == max(first.last_seconds, second.last_seconds)
