# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A file system that hangs: what is said, what goes on meanwhile, and that nothing is held up for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.base import AgentCheck
from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.api.replay import answers
from datadog_checks.kubelet_compliance.collection.collect import Collection, Collector
from datadog_checks.kubelet_compliance.model import Verdict
from datadog_checks.kubelet_compliance.node import patient_host
from datadog_checks.kubelet_compliance.node.change_stamps import Trace
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.patient_host import PatientHost, PatientReader
from datadog_checks.kubelet_compliance.node.proc_files import Proc, ProcFolder
from datadog_checks.kubelet_compliance.node.process_root import Content, Root
from datadog_checks.kubelet_compliance.node.worker import OutOfPatience
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.hanging import CannotMount, hanging_file_system
from tests.support.nodes import HEAD, PID, write_process

SELECTION = select('cis-1.24', ['make_iptables_util_chains', 'anonymous_auth', 'kubeconfig_permissions'])
PATIENCE = 0.6
LONG = 20.0

Run = Callable[[AgentCheck], None]


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_host, 'SECONDS_FOR_FILES', PATIENCE)
    monkeypatch.setattr(patient_host, 'SECONDS_FOR_PROCESSES', PATIENCE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the configuration lies."""
    folder = tmp_path / 'etc'
    folder.mkdir()
    (folder / 'c.yaml').write_text(f'{HEAD}authentication:\n  anonymous:\n    enabled: false\n')
    (tmp_path / 'k').write_text('')
    (tmp_path / 'k').chmod(0o600)
    arguments = (f'--config={folder}/c.yaml', f'--kubeconfig={tmp_path}/k', '--make-iptables-util-chains=true')
    write_process(tmp_path / 'proc', PID, ('kubelet', *arguments))
    return folder


@pytest.fixture
def host(folder: Path) -> PatientHost:
    return PatientHost(LiveHost(str(folder.parent / 'proc')))


class Blocked:
    """Reading a file waits for an event. `reads`: the paths that somebody began to read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.event = threading.Event()
        self.reads: list[str] = []
        read = Root.read

        def wait_and_read(root: Root, path: str) -> Content:
            self.reads.append(path)
            self.event.wait(LONG)
            return read(root, path)

        monkeypatch.setattr(Root, 'read', wait_and_read)


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Blocked]:
    blocked = Blocked(monkeypatch)
    yield blocked
    blocked.event.set()


def verdicts(collection: Collection) -> dict[str, Verdict]:
    return {finding.rule.key: finding.verdict for finding in collection.node.findings}


def wait_until_it_ends(reader: PatientReader) -> None:
    stuck = reader.worker.stuck
    assert stuck is not None
    stuck.outcome.put(stuck.outcome.get(timeout=LONG))


def our_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == 'kubelet_compliance'}


def test_together_the_readers_wait_for_less_than_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    host = PatientHost(LiveHost())
    assert 0 < host.files.seconds + host.processes.seconds < 5


def test_what_hangs_is_unknown_and_what_is_known_without_it_is_judged(host: PatientHost, blocked: Blocked) -> None:
    collection = Collector(host, SELECTION).collect()
    path = blocked.reads[0]
    assert collection.node.found == 1
    assert verdicts(collection) == {
        'make_iptables_util_chains': Verdict.COMPLIANT,  # a flag decides it
        'anonymous_auth': Verdict.UNKNOWN,
        'kubeconfig_permissions': Verdict.UNKNOWN,
    }
    reasons = {problem.reason for problem in collection.node.problems}
    assert f'could not read {path}: timed out reading {path}' in reasons
    kubeconfig = f'{path.removesuffix("/etc/c.yaml")}/k'
    assert f'could not read the mode and owner of {kubeconfig}: timed out reading {path}' in {
        finding.message.partition('cannot be determined: ')[2].partition(';')[0] for finding in collection.node.findings
    }


def test_while_a_read_is_stuck_no_second_one_begins_and_afterwards_all_is_well(
    host: PatientHost, blocked: Blocked
) -> None:
    before = our_threads()
    collector = Collector(host, SELECTION)
    for _ in range(4):
        collection = collector.collect()
        assert verdicts(collection)['anonymous_auth'] is Verdict.UNKNOWN
        assert collection.node.found == 1
    assert len(blocked.reads) == 1
    assert len(our_threads() - before) == 2
    blocked.event.set()
    wait_until_it_ends(host.files)
    assert set(verdicts(collector.collect()).values()) == {Verdict.COMPLIANT}
    assert len(our_threads() - before) == 2


def test_what_was_not_read_in_time_is_read_again(
    host: PatientHost, blocked: Blocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('datadog_checks.kubelet_compliance.node.change_stamps.FRESH_SECONDS', -1)
    collector = Collector(host, SELECTION)
    first = collector.collect()
    blocked.event.set()
    wait_until_it_ends(host.files)
    assert not host.live.trace.is_trusted()
    assert collector.collect() is not first


def test_a_file_system_that_begins_to_hang_after_the_read_holds_nothing_up(
    host: PatientHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = threading.Event()
    monkeypatch.setattr(Trace, 'files_are_unchanged', lambda *_: event.wait(LONG))
    began_at = time.monotonic()
    try:
        collection = Collector(host, SELECTION).collect()
    finally:
        event.set()
    assert time.monotonic() - began_at < LONG / 2
    assert verdicts(collection)['anonymous_auth'] is Verdict.UNKNOWN


def test_slow_reads_share_the_seconds_of_a_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(patient_host, 'time', clock)
    reader = PatientReader(2.5)
    for seconds in (1.0, 1.0):
        assert reader.read('a file', partial(clock.take, seconds)) == seconds
    assert reader.left == 0.5
    reader.read('a file', partial(clock.take, 1.0))
    with pytest.raises(OutOfPatience):
        reader.read('a file', partial(clock.take, 0.0))
    reader.renew()
    assert reader.read('a file', partial(clock.take, 0.0)) == 0.0


class Clock:
    """Stands in for `time`: what is done takes what it says."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def take(self, seconds: float) -> float:
        self.now += seconds
        return seconds


def test_processes_that_cannot_be_read_are_a_doubt_and_no_green(
    folder: Path, monkeypatch: pytest.MonkeyPatch, aggregator: AggregatorStub, dd_run_check: Run
) -> None:
    event = threading.Event()
    monkeypatch.setattr(Proc, 'command_line', lambda proc, pid: event.wait(LONG) and b'')
    check = KubeletComplianceCheck('kubelet_compliance', {}, [{'procfs_path': str(folder.parent / 'proc')}])
    try:
        for _ in range(2):
            aggregator.reset()
            dd_run_check(check)
            (sent,) = aggregator.service_checks('kubelet_compliance.kubelet')
            assert sent.status == AgentCheck.WARNING
            assert 'proc: look for a process in state D' in sent.message
            assert aggregator.service_checks('kubelet_compliance.rule') == []
    finally:
        event.set()


def test_processes_that_can_be_read_again_are_found_again(host: PatientHost, monkeypatch: pytest.MonkeyPatch) -> None:
    event, read = threading.Event(), Proc.command_line
    monkeypatch.setattr(Proc, 'command_line', lambda proc, pid: event.wait(LONG) and read(proc, pid))
    collector = Collector(host, SELECTION)
    assert collector.collect().node.found == 0
    event.set()
    wait_until_it_ends(host.processes)
    assert collector.collect().node.found == 1


@pytest.fixture
def hang(folder: Path) -> Iterator[Callable[[], Any]]:
    """Lets the file system of the folder hang, and mends it again; skipped where that cannot be had."""
    mounts = []

    def begin() -> Any:
        mount = hanging_file_system(folder)
        try:
            mount.__enter__()
        except CannotMount as error:
            pytest.skip(f'no file system that hangs: {error}')
        mounts.append(mount)
        return mount

    yield begin
    for mount in mounts:
        mount.__exit__(None, None, None)


@pytest.mark.parametrize('is_steady', [False, True], ids=['from-the-start', 'in-the-steady-state'])
def test_a_real_file_system_that_hangs_does_not_hold_the_agent_up(
    host: PatientHost, folder: Path, hang: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, is_steady: bool
) -> None:
    collector = Collector(host, SELECTION)
    if is_steady:
        # As old as they must be for their stamps to be trusted.
        monkeypatch.setattr('datadog_checks.kubelet_compliance.node.change_stamps.FRESH_SECONDS', -1)
        first = collector.collect()
        assert set(verdicts(first).values()) == {Verdict.COMPLIANT}
        assert collector.collect() is first
    hang()
    for _ in range(2):
        collection = collector.collect()
        assert collection.node.found == 1
        assert verdicts(collection)['anonymous_auth'] is Verdict.UNKNOWN
        assert f'timed out reading {folder}' in collection.node.problems[0].reason


def test_when_the_file_system_is_back_so_are_the_verdicts(host: PatientHost, folder: Path) -> None:
    collector = Collector(host, SELECTION)
    try:
        with hanging_file_system(folder):
            assert verdicts(collector.collect())['anonymous_auth'] is Verdict.UNKNOWN
    except CannotMount as error:
        pytest.skip(f'no file system that hangs: {error}')
    wait_until_it_ends(host.files)
    assert set(verdicts(collector.collect()).values()) == {Verdict.COMPLIANT}


def test_no_file_of_proc_is_read_by_who_asks(host: PatientHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks is one thread, whoever waits is another."""
    readers = set()
    read = ProcFolder.read

    def watched(self: ProcFolder, pid: int, its_name: str, limit: int) -> bytes:
        readers.add(threading.current_thread())
        return read(self, pid, its_name, limit)

    monkeypatch.setattr(ProcFolder, 'read', watched)
    Collector(host, SELECTION).collect(answers({}))
    assert readers and threading.current_thread() not in readers


def test_what_hangs_is_named_whatever_was_compared_before(host: PatientHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('datadog_checks.kubelet_compliance.node.change_stamps.FRESH_SECONDS', -1)
    collector = Collector(host, SELECTION)
    assert collector.collect() is collector.collect()
    event, read = threading.Event(), Proc.command_line
    monkeypatch.setattr(Proc, 'command_line', lambda proc, pid: event.wait(LONG) and read(proc, pid))
    try:
        collector.collect()
        assert host.files.doing == 'the process of the kubelet'
    finally:
        event.set()


WITHOUT_FILES = {
    'procfs', 'is_captured', 'give_up', 'expect', 'age', 'times', 'shows', 'keeps_status', 'kept_answer', 'reread',
    'kernel_settings', 'peek_kernel',
}  # fmt: skip
"""Questions that no file system can hold up: /proc/sys is answered by the kernel at once."""


def test_every_other_question_has_a_time_limit() -> None:
    questions = {name for name in vars(Host) if not name.startswith('_')}
    assert questions - set(vars(PatientHost)) == WITHOUT_FILES
