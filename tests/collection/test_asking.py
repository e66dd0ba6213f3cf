# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""When and whom the kubelets are asked, from one collection to the next."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.api.configz import Connection, KubeletApi, Response
from datadog_checks.kubelet_compliance.api.replay import KeptAnswer, answers
from datadog_checks.kubelet_compliance.collection.asking import is_confirmed
from datadog_checks.kubelet_compliance.collection.collect import Collection, Collector
from datadog_checks.kubelet_compliance.kubelet.declare import every_reading
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.model import Evidence, Fault, Process, Target, Unknown, Verdict
from datadog_checks.kubelet_compliance.node import change_stamps as stamps
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.patient_host import PatientHost
from datadog_checks.kubelet_compliance.rules.selection import AUTO, select
from tests.support.cases import TRUTH
from tests.support.clocks import Ahead
from tests.support.nodes import HEAD, PID, RECORDED_MINOR, write_process

URL = 'https://127.0.0.1:10250'
CONFIGZ = (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes()
METRICS = b'kubernetes_build_info{git_version="v1.31.4"} 1\n'
UP = answers({'/configz': CONFIGZ, '/metrics': METRICS}, URL)
WITHOUT_VERSION = answers({'/configz': CONFIGZ}, URL)
IPTABLES = select('cis-1.24', ['make_iptables_util_chains'])
SOCKET = '0: {address}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 {inode} 1\n'
ROUTES = 'Main:\n +-- 0.0.0.0/0 3 0 5\n |-- 10.0.0.5\n   /32 host LOCAL\n |-- 10.0.0.9\n   /32 link UNICAST\n'
INTERFACES = 'fd000000000000000000000000000005 02 40 00 80 eth0\n'


class Now:
    """The clock by which questions are asked again."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def procfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what was just written counts as old."""
    monkeypatch.setattr(stamps, 'time', Ahead(60.0))
    return tmp_path / 'proc'


def start(procfs: Path, pid: int, *arguments: str, inode: int | None = None, **sockets: str) -> None:
    """A kubelet; with an inode it holds that socket. `sockets`: the files of its `net`."""
    write_process(procfs, pid, ('kubelet', *arguments))
    if inode is not None:
        (procfs / str(pid) / 'fd').mkdir()
        (procfs / str(pid) / 'fd' / '3').symlink_to(f'socket:[{inode}]')
    show_sockets(procfs, pid, **sockets)


def show_sockets(procfs: Path, pid: int, **tables: str) -> None:
    (procfs / str(pid) / 'net').mkdir(exist_ok=True)
    for name, table in tables.items():
        (procfs / str(pid) / 'net' / name).write_text(table)


def listening(inode: int, address: str = '00000000', port: int = 10250) -> str:
    return SOCKET.format(address=address, port=port, inode=inode)


def collector_of(procfs: Path, now: Now) -> Collector:
    collector = Collector(PatientHost(LiveHost(str(procfs))), IPTABLES)
    collector.asking.api = KubeletApi(now)
    return collector


def verdict(collection: Collection) -> Verdict:
    return collection.node.findings[0].verdict


@pytest.mark.parametrize(
    'connection',
    [
        pytest.param(UP, id='answers'),
        pytest.param(WITHOUT_VERSION, id='no-version'),
        pytest.param(answers({}, URL), id='refuses'),
        pytest.param(replace(UP, is_verified=False), id='not-verified'),
        pytest.param(replace(UP, url='https://127.0.0.1:1'), id='nobody-listens'),
        pytest.param(replace(UP, url='no URL'), id='no-url'),
        pytest.param(Unknown('why'), id='not-known'),
    ],
)
@pytest.mark.parametrize('kubelets', [1, 2])
@pytest.mark.parametrize('holds', [True, False], ids=['shown', 'hidden'])
def test_whatever_is_answered_the_steady_state_comes(
    procfs: Path, now: Now, connection: Connection | Unknown, kubelets: int, holds: bool
) -> None:
    table = listening(111) + listening(222, port=10251)
    for number in range(kubelets):
        start(procfs, PID + number, inode=(111, 222)[number] if holds else None, tcp=table)
    collector = collector_of(procfs, now)
    collections = [collector.collect(connection) for _ in range(4)]
    assert collections[-1] is collections[-2]


def test_a_failure_of_a_question_that_nobody_asks_any_more_is_no_reason_to_look(procfs: Path, now: Now) -> None:
    start(procfs, PID, inode=111, tcp=listening(111))
    collector = collector_of(procfs, now)
    collector.collect(answers({}, URL))
    now.seconds = 20.0
    collections = [collector.collect(Unknown('why')) for _ in range(3)]
    assert collections[-1] is collections[-2]


def test_what_was_answered_stays_when_another_question_cannot_be_asked(procfs: Path, now: Now) -> None:
    start(procfs, PID, '--config=/nonexistent', inode=111, tcp=listening(111))
    collector = collector_of(procfs, now)
    connection = replace(WITHOUT_VERSION, is_verified=False)
    assert verdict(collector.collect(connection)) is Verdict.COMPLIANT
    (procfs / str(PID) / 'fd' / '3').unlink()
    now.seconds = 20.0
    assert verdict(collector.collect(connection)) is Verdict.COMPLIANT


def test_a_kubelet_that_did_not_answer_keeps_no_other_from_being_asked(procfs: Path, now: Now) -> None:
    """As when a restart overlaps: the old one hangs, and the new one has the port."""
    start(procfs, PID, inode=111, tcp=listening(111))
    collector = collector_of(procfs, now)
    down = Connection(URL, lambda path: KeptAnswer(500), 10.0, is_verified=True)
    for seconds in (0, 15, 45, 105, 225, 465):
        now.seconds = seconds + 1.0
        collector.collect(down)
    start(procfs, PID + 1, '--config=/nonexistent', inode=222, tcp=listening(222))
    show_sockets(procfs, PID, tcp=listening(222))
    collection = collector.collect(UP)
    assert [report.findings[0].verdict for report in collection.kubelets] == [Verdict.COMPLIANT, Verdict.COMPLIANT]
    assert collection.node.problems == (collection.node.problems[0],)


def test_a_look_that_failed_forgets_nothing(procfs: Path, now: Now, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was answered, and what was seen to change whatever its time says, is known of a kubelet that still runs."""
    config = procfs.parent / 'c.yaml'
    config.write_text(f'{HEAD}makeIPTablesUtilChains: false\n')
    start(procfs, PID, f'--config={config}')
    collector = collector_of(procfs, now)
    assert verdict(collector.collect()) is Verdict.NON_COMPLIANT
    with monkeypatch.context() as patch:
        patch.setattr('datadog_checks.kubelet_compliance.node.proc_files.os.listdir', fail)
        assert collector.collect().node.found == 1
        config.write_text(f'{HEAD}makeIPTablesUtilChains: true\n')
        assert collector.collect().node.found == 0
    assert verdict(collector.collect()) is Verdict.UNKNOWN


@pytest.mark.parametrize('name', ['comm', 'stat', 'cmdline', 'cgroup', 'status'])
@pytest.mark.parametrize('nth', range(1, 7))
def test_one_of_two_kubelets_that_cannot_be_examined_for_once_makes_nothing_green_and_is_not_forgotten(
    procfs: Path, now: Now, monkeypatch: pytest.MonkeyPatch, name: str, nth: int
) -> None:
    config = procfs.parent / 'c.yaml'
    config.write_text(f'{HEAD}makeIPTablesUtilChains: false\n')
    start(procfs, PID, f'--config={config}')
    start(procfs, PID + 1)
    collector = collector_of(procfs, now)
    assert verdict(collector.collect()) is Verdict.NON_COMPLIANT
    config.write_text(f'{HEAD}makeIPTablesUtilChains: true\n')
    assert verdict(collector.collect()) is Verdict.UNKNOWN
    left, really = nth, os.open

    def open_or_fail(path: str, *arguments: int, **options: int) -> int:
        nonlocal left
        left -= str(path) == f'{procfs}/{PID}/{name}'
        if left == 0 and str(path) == f'{procfs}/{PID}/{name}':
            raise OSError(24, 'Too many open files')
        return really(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr('datadog_checks.kubelet_compliance.node.proc_files.os.open', open_or_fail)
        for _ in range(4):
            # So that all is looked at each time.
            collector.host.give_up()
            collection = collector.collect()
            assert (verdict(collection), collection.node.found) == (Verdict.UNKNOWN, 2)
    assert verdict(collector.collect()) is Verdict.UNKNOWN


def test_a_kubelet_that_ended_while_another_process_is_doubtful_is_forgotten(procfs: Path, now: Now) -> None:
    start(procfs, PID)
    start(procfs, PID + 1)
    write_process(procfs, PID + 2, ('something',))
    collector = collector_of(procfs, now)
    assert collector.collect().node.found == 2
    shutil.rmtree(procfs / str(PID))
    assert (collector.collect().node.found, len(collector.search.known)) == (1, 1)


def fail(*_: object) -> list[str]:
    raise OSError(24, 'Too many open files')


@pytest.mark.parametrize(
    ('host', 'answers_there'),
    [
        pytest.param('127.0.0.1', True, id='loopback'),
        pytest.param('10.0.0.5', True, id='an-address-of-the-node'),
        pytest.param('[fd00::5]', True, id='a-new-address-of-the-node'),
        pytest.param('10.0.0.9', False, id='a-neighbour'),
        pytest.param('203.0.113.9', False, id='another-node'),
        pytest.param('[fd00::9]', False, id='a-new-address-of-another-node'),
        pytest.param('node.example', True, id='a-name'),
    ],
)
def test_the_answer_of_another_node_is_not_that_of_this_kubelet(
    procfs: Path, now: Now, host: str, answers_there: bool
) -> None:
    start(procfs, PID, '--config=/nonexistent', inode=111, tcp=listening(111), fib_trie=ROUTES, if_inet6=INTERFACES)
    collection = collector_of(procfs, now).collect(replace(UP, url=f'https://{host}:10250'))
    assert verdict(collection) is (Verdict.COMPLIANT if answers_there else Verdict.UNKNOWN)
    reasons = ' '.join(problem.reason for problem in collection.node.problems)
    assert ('no kubelet listens at port 10250' in reasons) is not answers_there


def test_loopback_leads_to_no_kubelet_in_another_network(procfs: Path, now: Now, tmp_path: Path) -> None:
    start(procfs, PID, '--config=/nonexistent', inode=111, tcp=listening(111))
    (procfs / str(PID) / 'ns').mkdir()
    (procfs / str(PID) / 'ns' / 'net').symlink_to(tmp_path)
    assert verdict(collector_of(procfs, now).collect(UP)) is Verdict.UNKNOWN
    (procfs / str(PID) / 'ns' / 'net').unlink()
    (procfs / str(PID) / 'ns' / 'net').symlink_to('/proc/self/ns/net')
    assert verdict(collector_of(procfs, now).collect(UP)) is Verdict.COMPLIANT


NULL = f'{HEAD}protectKernelDefaults: null\n'
"""In a drop-in, older releases keep the value that this stands over."""


@pytest.mark.parametrize(
    ('rules', 'judged_by', 'drop_in', 'asks'),
    [
        pytest.param(['make_iptables_util_chains'], 'cis-1.24', NULL, False, id='no-rule-depends-on-it'),
        pytest.param(['protect_kernel_defaults'], 'cis-1.24', NULL, True, id='a-rule-depends-on-it'),
        pytest.param(['protect_kernel_defaults'], 'cis-1.24', '', False, id='all-releases-read-it-alike'),
        pytest.param(['make_iptables_util_chains'], AUTO, '', True, id='the-benchmark-depends-on-it'),
    ],
)
def test_the_version_is_asked_for_only_where_something_depends_on_it_and_once(
    procfs: Path, now: Now, rules: list[str], judged_by: str, drop_in: str, asks: bool
) -> None:
    (procfs.parent / 'd').mkdir()
    if drop_in:
        (procfs.parent / 'd' / '1.conf').write_text(drop_in)
    config = procfs.parent / 'c.yaml'
    config.write_text(f'{HEAD}protectKernelDefaults: true\n')
    start(procfs, PID, f'--config={config}', f'--config-dir={procfs.parent / "d"}', inode=111, tcp=listening(111))
    asked: list[str] = []

    def get(path: str) -> Response:
        asked.append(path)
        return UP.get(path)

    selection = select(judged_by, rules)
    choose = (lambda version: select(AUTO, rules, version)) if judged_by == AUTO else None
    collector = Collector(PatientHost(LiveHost(str(procfs))), selection, choose)
    for _ in range(3):
        collector.host.give_up()
        collection = collector.collect(replace(UP, get=get))
    assert asked == (['/configz', '/metrics'] if asks else ['/configz'])
    assert collection.version == ('v1.31.4' if asks else None)


@pytest.mark.parametrize(
    ('target', 'today', 'what'), [(None, None, ()), (32, '1.31', ()), (35, '1.31', ('failCgroupV1',))]
)
def test_for_an_upgrade_the_version_is_asked_for_once(
    procfs: Path, now: Now, target: int | None, today: str | None, what: tuple[str, ...]
) -> None:
    config = procfs.parent / 'c.yaml'
    config.write_text(HEAD)
    start(procfs, PID, f'--config={config}', inode=111, tcp=listening(111))
    asked: list[str] = []

    def get(path: str) -> Response:
        asked.append(path)
        return UP.get(path)

    wanted = Target(target) if target is not None else None
    collector = Collector(PatientHost(LiveHost(str(procfs))), IPTABLES, target=wanted)
    for _ in range(3):
        collector.host.give_up()
        upgrade = collector.collect(replace(UP, get=get)).node.upgrade
    assert asked == ['/configz', *(['/metrics'] if target else [])]
    assert (upgrade.today if upgrade is not None else None) == today
    changes = {change.what for change in upgrade.changes} if upgrade is not None else set()
    assert changes >= set(what)


def test_why_the_version_is_not_known_is_said_where_a_rule_is_unknown_without_it(procfs: Path, now: Now) -> None:
    (procfs.parent / 'd').mkdir()
    (procfs.parent / 'd' / '1.conf').write_text(NULL)
    (procfs.parent / 'c.yaml').write_text(f'{HEAD}protectKernelDefaults: true\n')
    files = f'--config={procfs.parent}/c.yaml', f'--config-dir={procfs.parent}/d'
    start(procfs, PID, *files, inode=111, tcp=listening(111))
    refusal = b'Forbidden (user=u, verb=get, resource=nodes, subresource(s)=[metrics])'
    collector = Collector(PatientHost(LiveHost(str(procfs))), select('cis-1.24', ['protect_kernel_defaults']))
    collection = collector.collect(Connection(URL, lambda path: KeptAnswer(403, refusal), 10.0, is_verified=True))
    assert verdict(collection) is Verdict.UNKNOWN
    last = collection.node.problems[-1]
    assert (last.fault, last.remedy) == (Fault.FORBIDDEN, "let the Agent's ClusterRole get nodes/metrics")


def test_the_port_that_a_kubelet_holds_shows_who_answers_without_a_certificate_too(procfs: Path, now: Now) -> None:
    start(procfs, PID, '--config=/nonexistent', inode=111, tcp=listening(111))
    assert verdict(collector_of(procfs, now).collect(replace(UP, is_verified=False))) is Verdict.COMPLIANT


def test_an_answer_that_nobody_vouched_for_does_not_count_once_the_version_is_verified(procfs: Path, now: Now) -> None:
    """Who answered then need not be who answers now."""
    start(procfs, PID, '--config=/nonexistent')
    rules = ['make_iptables_util_chains']
    collector = Collector(
        PatientHost(LiveHost(str(procfs))), select(AUTO, rules), lambda version: select(AUTO, rules, version)
    )
    collector.asking.api = KubeletApi(now)
    collector.collect(replace(WITHOUT_VERSION, is_verified=False))
    for _ in range(3):
        now.seconds += 20.0
        collector.host.give_up()
        collection = collector.collect(answers({'/metrics': METRICS}, URL))
    assert (collection.version, verdict(collection)) == ('v1.31.4', Verdict.UNKNOWN)


def test_an_answer_that_comes_late_counts_only_by_what_was_known_when_it_was_asked_for(procfs: Path, now: Now) -> None:
    start(procfs, PID, '--config=/nonexistent', tcp=listening(111))
    collector, may_answer, answered = collector_of(procfs, now), threading.Event(), threading.Event()

    def answer_once(path: str) -> Response:
        if answered.is_set():
            raise ConnectionRefusedError
        may_answer.wait()
        answered.set()
        return UP.get(path)

    connection = Connection(URL, answer_once, 0.1)
    assert verdict(collector.collect(connection)) is Verdict.UNKNOWN
    may_answer.set()
    answered.wait()
    (procfs / str(PID) / 'fd').mkdir()
    (procfs / str(PID) / 'fd' / '3').symlink_to('socket:[111]')
    for _ in range(3):
        now.seconds += 20.0
        collector.host.give_up()
        assert verdict(collector.collect(connection)) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ('flag', 'confirms'),
    [
        pytest.param('--make-iptables-util-chains=true', True, id='understood'),
        pytest.param('--make-iptables-util-chains=nope', False, id='not-understood'),
    ],
)
def test_an_answer_confirms_nothing_where_a_flag_is_not_understood(flag: str, confirms: bool) -> None:
    """The kubelet runs with it, so it counts; but only the kubelet's own response shows what it makes of it."""
    process = Process(PID, 1, (flag,), started_at=1.0)
    (declared,) = every_reading(Evidence(process, age_seconds=3600.0), {RECORDED_MINOR})
    assert is_confirmed(declared, Configuration(dict(declared.values))) is confirms


def test_a_kubelet_that_stopped_is_no_missing_mount(procfs: Path, now: Now) -> None:
    """The kernel's own threads show that all processes of the host are seen."""
    write_process(procfs, 2, (), comm='kthreadd')
    stat = procfs / '2' / 'stat'
    for flags, says in ((0x00208040, 'start it'), (0x00400100, 'set hostPID: true')):
        stat.write_text(f'2 (kthreadd) S 0 0 0 0 -1 {flags} {"0 " * 12}1 {"0 " * 30}\n')
        assert says in collector_of(procfs, now).collect(UP).node.none_found_because
