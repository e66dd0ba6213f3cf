# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The steady state: while nothing changed nothing is read, and whatever changed is seen at the next collection."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.api.configz import Connection, KubeletApi
from datadog_checks.kubelet_compliance.api.replay import answers
from datadog_checks.kubelet_compliance.collection import collect, reading
from datadog_checks.kubelet_compliance.collection.collect import Collection, Collector
from datadog_checks.kubelet_compliance.kubelet.kernel_settings import EXPECTED
from datadog_checks.kubelet_compliance.model import Unknown, Verdict
from datadog_checks.kubelet_compliance.node import change_stamps as stamps, open_paths, proc_files
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_files import NO_PERMISSION
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.patient_host import PatientHost
from datadog_checks.kubelet_compliance.node.process_facts import LiveFacts
from datadog_checks.kubelet_compliance.node.process_root import CannotRead
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.clocks import Ahead
from tests.support.nodes import HEAD, PID, write_process
from tests.support.standin import Standins
from tests.support.ticks import rewrite, wait_for_the_next_tick
from tests.support.users import OURS

ALL = select('cis-1.24', None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Ahead:
    clock = Ahead(60.0)
    monkeypatch.setattr(stamps, 'time', clock)
    return clock


@dataclass
class Node:
    """A made-up /proc with one kubelet, and its real files."""

    folder: Path

    @property
    def procfs(self) -> Path:
        return self.folder / 'proc'

    @property
    def config(self) -> Path:
        return self.folder / 'c.yaml'

    def start(self, *more: str, pid: int = PID) -> None:
        arguments = (f'--config={self.config}', f'--config-dir={self.folder}/d', f'--kubeconfig={self.folder}/k')
        write_process(self.procfs, pid, ('kubelet', *arguments, *more))

    def host(self) -> Host:
        return PatientHost(LiveHost(str(self.procfs)))


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path)
    node.config.write_text(f'{HEAD}makeIPTablesUtilChains: true \n')
    (tmp_path / 'd').mkdir()
    (tmp_path / 'd' / '10.conf').write_text(HEAD)
    (tmp_path / 'k').write_text('')
    node.start()
    return node


class Opened:
    """The names that the check opens on the node."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        real_open, real_list = os.open, os.listdir

        def open_it(path: Any, *rest: Any, **options: Any) -> int:
            self.names.append(os.path.basename(os.fsdecode(path)))
            return real_open(path, *rest, **options)

        def list_it(path: Any) -> list[str]:
            self.names.append('a listing')
            return real_list(path)

        for module in (proc_files, open_paths, stamps):
            monkeypatch.setattr(module.os, 'open', open_it)
            monkeypatch.setattr(module.os, 'listdir', list_it)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    with monkeypatch.context() as patch:
        yield Opened(patch)


def test_while_nothing_changed_no_process_is_looked_for_and_no_file_is_read(
    node: Node, clock: Ahead, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = Collector(node.host(), ALL)
    first = collector.collect()
    assert 'a listing' in opened.names and '10.conf' in opened.names
    monkeypatch.setattr(reading, 'read_configurations', None)
    monkeypatch.setattr(collect, 'judge_kubelet', None)
    for _ in range(3):
        opened.names.clear()
        assert collector.collect() is first
        # Of the process, what identifies it; of the files, only the root, for what `stat` says of each.
        assert sorted(opened.names) == ['cgroup', 'cmdline', 'root', 'stat']


def test_in_the_steady_state_all_rules_are_sent(node: Node, clock: Ahead, aggregator: AggregatorStub) -> None:
    check = KubeletComplianceCheck('kubelet_compliance', {}, [{'procfs_path': str(node.procfs)}])
    sent = []
    for _ in range(3):
        aggregator.reset()
        assert check.run() == ''
        sent.append(
            [aggregator.metrics(name) for name in sorted(aggregator.metric_names)]
            + [aggregator.service_checks(name) for name in sorted(aggregator.service_check_names)]
        )
    assert len(aggregator.service_checks('kubelet_compliance.rule')) == 21
    assert sent[0] == sent[1] == sent[2]


def test_a_kernel_setting_that_ends_the_next_start_is_seen_within_a_minute(node: Node, clock: Ahead) -> None:
    """Only of a kubelet that protects them: of all others the settings are not read in the steady state."""
    node.config.write_text(f'{HEAD}protectKernelDefaults: true\n')
    for name, value in EXPECTED.items():
        path = node.procfs / 'sys' / name.replace('.', '/')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{value}\n')
    collector = Collector(node.host(), select('cis-1.24', ['protect_kernel_defaults']))
    first = collector.collect()
    assert first.node.problems == () and collector.collect() is first
    (node.procfs / 'sys' / 'kernel' / 'panic').write_text('5\n')
    assert collector.collect() is first
    clock.seconds += 60
    (problem,) = collector.collect().node.problems
    assert problem.refused and problem.remedy == 'set kernel.panic=10'


def iptables(collection: Collection) -> Verdict:
    return next(finding.verdict for finding in collection.node.findings if finding.rule.key.startswith('make_iptables'))


def test_one_byte_that_changes_without_the_size_is_seen_at_the_next_collection(node: Node, clock: Ahead) -> None:
    collector = Collector(node.host(), ALL)
    assert iptables(collector.collect()) is Verdict.COMPLIANT
    assert collector.collect() is collector.collect()
    wait_for_the_next_tick(node.folder)
    rewrite(node.config, ': true ', ': 1rue ')
    assert iptables(collector.collect()) is Verdict.UNKNOWN
    wait_for_the_next_tick(node.folder)
    rewrite(node.config, ': 1rue ', ': false')
    assert iptables(collector.collect()) is Verdict.NON_COMPLIANT


def test_what_was_just_written_is_read_again_for_a_second_write_could_bear_the_same_time(
    node: Node, clock: Ahead, opened: Opened
) -> None:
    clock.seconds = 0.0
    collector = Collector(node.host(), ALL)
    collector.collect()
    opened.names.clear()
    collector.collect()
    assert 'c.yaml' in opened.names
    clock.seconds = 60.0
    collector.collect()
    opened.names.clear()
    collector.collect()
    assert 'c.yaml' not in opened.names


def rename_process(node: Node) -> None:
    (node.procfs / str(PID) / 'comm').write_text('other\n')
    stat = node.procfs / str(PID) / 'stat'
    stat.write_text(stat.read_text().replace('(kubelet)', '(other)'))


def exec_in_place(node: Node) -> None:
    """The pid and the start stay."""
    (node.procfs / str(PID) / 'cmdline').write_bytes(b'kubelet\0--make-iptables-util-chains=false\0')


def restart(node: Node) -> None:
    (node.procfs / str(PID)).rename(node.folder / 'ended')
    node.start('--make-iptables-util-chains=false', pid=PID + 1)


def use_the_pid_again(node: Node) -> None:
    (node.procfs / str(PID)).rename(node.folder / 'ended')
    node.start()
    stat = node.procfs / str(PID) / 'stat'
    words = stat.read_text().split()
    words[21] = str(int(words[21]) + 1)
    stat.write_text(' '.join(words))


def move_to_a_pod(node: Node) -> None:
    (node.procfs / str(PID) / 'cgroup').write_text('0::/kubepods.slice/pod1\n')


def become_a_zombie(node: Node) -> None:
    stat = node.procfs / str(PID) / 'stat'
    stat.write_text(stat.read_text().replace(') S ', ') Z '))


@pytest.mark.parametrize(
    ('change', 'found', 'verdict'),
    [
        pytest.param(rename_process, 0, None, id='renamed'),
        pytest.param(exec_in_place, 1, Verdict.NON_COMPLIANT, id='exec'),
        pytest.param(restart, 1, Verdict.NON_COMPLIANT, id='restart'),
        pytest.param(use_the_pid_again, 1, Verdict.COMPLIANT, id='pid-used-again'),
        pytest.param(become_a_zombie, 0, None, id='zombie'),
        pytest.param(lambda node: (node.procfs / str(PID)).rename(node.folder / 'ended'), 0, None, id='end'),
        pytest.param(lambda node: (node.folder / 'k').chmod(0o666), 1, Verdict.COMPLIANT, id='mode'),
        pytest.param(
            lambda node: (node.folder / 'd' / '20.conf').write_text(HEAD), 1, Verdict.UNKNOWN, id='drop-in-added'
        ),
        pytest.param(lambda node: (node.folder / 'd' / '10.conf').unlink(), 1, Verdict.UNKNOWN, id='drop-in-removed'),
        pytest.param(lambda node: node.config.unlink(), 1, Verdict.UNKNOWN, id='file-removed'),
        pytest.param(move_to_a_pod, 0, None, id='moved to a pod'),
    ],
)
def test_a_change_is_seen_at_the_next_collection(
    node: Node, clock: Ahead, change: Callable[[Node], object], found: int, verdict: Verdict | None
) -> None:
    collector = Collector(node.host(), ALL)
    before = collector.collect()
    assert collector.collect() is before
    wait_for_the_next_tick(node.folder)
    change(node)
    after = collector.collect()
    assert after is not before
    assert after.node.found == found
    assert (iptables(after) if found else None) is verdict


def test_a_real_kubelet_that_was_restarted_is_noticed_at_the_next_collection(
    standins: Standins, tmp_path: Path, clock: Ahead
) -> None:
    procfs = tmp_path / 'proc'
    procfs.mkdir()
    first = standins.launch(('kubelet',))
    (procfs / str(first.pid)).symlink_to(f'/proc/{first.pid}')
    collector = Collector(PatientHost(LiveHost(str(procfs), admission=OURS)), ALL)
    before = collector.collect()
    assert collector.collect() is before
    first.kill()
    second = standins.launch(('kubelet', '--make-iptables-util-chains=false'))
    (procfs / str(second.pid)).symlink_to(f'/proc/{second.pid}')
    after = collector.collect()
    assert [report.process.pid for report in after.kubelets] == [second.pid]
    assert (iptables(before), iptables(after)) == (Verdict.COMPLIANT, Verdict.NON_COMPLIANT)


def test_a_second_kubelet_is_noticed_within_five_minutes(node: Node, clock: Ahead) -> None:
    collector = Collector(node.host(), ALL)
    before = collector.collect()
    node.start('--make-iptables-util-chains=false', pid=PID + 1)
    clock.seconds += 200.0
    assert collector.collect() is before
    clock.seconds += 200.0
    assert collector.collect().node.found == 2


@pytest.mark.parametrize(
    'unsettle',
    [
        pytest.param(lambda node: (node.procfs / '77').mkdir() or named(node, 77, 'kubelet'), id='doubtful-process'),
        pytest.param(lambda node: (node.procfs / str(PID)).rename(node.folder / 'ended'), id='no-kubelet'),
    ],
)
def test_where_a_process_is_not_understood_or_none_is_there_every_collection_looks_for_them(
    node: Node, clock: Ahead, opened: Opened, unsettle: Callable[[Node], object]
) -> None:
    unsettle(node)
    collector = Collector(node.host(), ALL)
    for _ in range(3):
        opened.names.clear()
        collector.collect()
        assert 'a listing' in opened.names


def named(node: Node, pid: int, comm: str) -> None:
    """A process that bears a name, and whose start makes no sense."""
    (node.procfs / str(pid) / 'comm').write_text(f'{comm}\n')
    write_process(node.procfs, pid + 1, ('something', 'else'), comm=comm)


def test_a_question_that_failed_is_asked_again_when_its_time_has_come(node: Node, clock: Ahead) -> None:
    now = [0.0]
    collector = Collector(node.host(), ALL)
    collector.asking.api = KubeletApi(clock=lambda: now[0])
    down = answers({})
    collector.collect(down)
    first = collector.collect(down)
    assert collector.collect(down) is first
    now[0] = 20.0
    assert collector.collect(down) is not first


@pytest.mark.parametrize('other', [None, Unknown('why'), Connection('https://127.0.0.1:1', lambda path: None, 1.0)])  # type: ignore[arg-type,return-value]
def test_another_way_to_the_kubelet_is_taken_at_once(node: Node, clock: Ahead, other: Any) -> None:
    collector = Collector(node.host(), ALL)
    collector.collect(answers({}))
    first = collector.collect(answers({}))
    assert collector.collect(answers({})) is first
    assert collector.collect(other) is not first


def test_a_kubelet_that_moves_to_another_cgroup_is_judged_by_its_new_unit_at_once(node: Node, clock: Ahead) -> None:
    collector = Collector(node.host(), select('cis-1.24', ['service_file_permissions']))
    collector.collect()
    assert collector.collect() is collector.last
    (node.procfs / str(PID) / 'cgroup').write_text('0::/system.slice/other.service\n')
    (finding,) = collector.collect().node.findings
    assert 'could not find a unit file of other.service' in finding.message


def test_a_collection_that_failed_leaves_nothing_behind(
    node: Node, clock: Ahead, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = Collector(node.host(), ALL)
    first = collector.collect()
    exec_in_place(node)
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(collect, 'judge_kubelet', lambda *_: 1 // 0)
        collector.collect()
    after = collector.collect()
    assert (iptables(first), iptables(after)) == (Verdict.COMPLIANT, Verdict.NON_COMPLIANT)


def test_what_no_stamp_can_hold_is_examined_each_time(node: Node, clock: Ahead) -> None:
    """Which of two kubelets listens at a port, and where a working directory lies below another root."""
    (node.folder / 'r').mkdir()
    node.start(pid=PID + 1)
    with_two = Collector(node.host(), ALL)
    assert with_two.collect(answers({})) is not with_two.collect(answers({}))
    assert with_two.collect() is with_two.collect()
    write_process(node.folder / 'other', PID, ('kubelet', '--config=c.yaml'), cwd=node.folder)
    host = LiveHost(str(node.folder / 'other'), root='/')
    below = Collector(PatientHost(host), ALL)
    host.ways.mounts.others[host.find_kubelets().processes[0].key] = {}
    assert below.collect() is not below.collect()


def test_where_the_files_may_not_be_seen_the_steady_state_is_as_cheap(
    node: Node, clock: Ahead, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a kubelet of another user the kernel shows no files; it is asked once."""

    def refuse(*_: object, **__: object) -> None:
        raise CannotRead(NO_PERMISSION)

    monkeypatch.setattr('datadog_checks.kubelet_compliance.node.live_files.Root', refuse)
    collector = Collector(node.host(), ALL)
    first = collector.collect()
    assert iptables(first) is Verdict.UNKNOWN
    opened.names.clear()
    assert collector.collect() is first
    assert sorted(opened.names) == ['cgroup', 'cmdline', 'stat']


class Day:
    """Stands for `datetime.now`."""

    def __init__(self, day: datetime) -> None:
        self.day = day

    def now(self, zone: object) -> datetime:
        return self.day


def test_an_exemption_ends_with_its_day_though_nothing_else_changed(
    node: Node, clock: Ahead, aggregator: AggregatorStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    exemption = {'rule': 'rotate_certificates', 'reason': 'why', 'until': '2027-03-31'}
    instance = {'procfs_path': str(node.procfs), 'rules': ['rotate_certificates'], 'exemptions': [exemption]}
    check = KubeletComplianceCheck('kubelet_compliance', {}, [instance])
    statuses = []
    for day in (30, 31, 32):
        aggregator.reset()
        today = datetime(2027, 3, 1, tzinfo=timezone.utc) + timedelta(days=day - 1)
        monkeypatch.setattr('datadog_checks.kubelet_compliance.check.datetime', Day(today))
        assert check.run() == ''
        statuses += [sent.status for sent in aggregator.service_checks('kubelet_compliance.rule')]
    assert statuses == [check.WARNING, check.WARNING, check.CRITICAL]


def test_a_program_that_is_no_kubelet_proves_nothing(node: Node, clock: Ahead) -> None:
    """One that only prints its help is found, and is none: a kubelet that starts beside it is seen at once."""
    (node.procfs / str(PID)).rename(node.folder / 'ended')
    write_process(node.procfs, PID + 5, ('kubelet', '--help'))
    collector = Collector(node.host(), ALL)
    assert collector.collect().node.found == 0
    node.start(pid=PID + 1)
    assert collector.collect().node.found == 1


class Aged(LiveFacts):
    """Processes of a given age."""

    seconds = 0.0

    def age(self, start_ticks: int) -> float | None:
        return self.seconds


def test_what_a_young_kubelet_may_not_accept_is_judged_again_when_it_has_run_for_a_minute(
    node: Node, clock: Ahead
) -> None:
    """Nothing changes on the node, and the same flags mean something else by then."""
    (node.procfs / str(PID)).rename(node.folder / 'ended')
    node.start('--no-such-flag=1', pid=PID + 1)
    facts = Aged()
    collector = Collector(PatientHost(LiveHost(str(node.procfs), facts=facts)), ALL)
    facts.seconds = 30.0
    assert iptables(collector.collect()) is Verdict.UNKNOWN
    facts.seconds = 90.0
    after = collector.collect()
    assert iptables(after) is Verdict.COMPLIANT
    assert collector.collect() is after


def test_what_could_not_be_compared_is_examined_again(
    node: Node, clock: Ahead, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that cannot be shown to be of one time are unknown, and only for this collection."""

    def fail(*_: object) -> None:
        raise OSError(24, 'Too many open files')

    collector = Collector(node.host(), ALL)
    with monkeypatch.context() as patch:
        patch.setattr(stamps.Trace, 'is_as_it_was', fail)
        assert iptables(collector.collect()) is Verdict.UNKNOWN
    assert iptables(collector.collect()) is Verdict.COMPLIANT
