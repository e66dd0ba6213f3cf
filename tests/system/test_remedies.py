# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The remedy that an operator sees at each level and in each state of the kubelet's port, and that following it helps.

What the Agent may do is a model; the kubelets that answer are real servers, and the files are those of a made-up node.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.base import AgentCheck
from datadog_checks.kubelet_compliance.api.configz import Connection
from datadog_checks.kubelet_compliance.api.connection import connect
from datadog_checks.kubelet_compliance.collection.collect import Collection, Collector
from datadog_checks.kubelet_compliance.model import Fault, Missing, Process, Unknown, Verdict
from datadog_checks.kubelet_compliance.node.change_stamps import Stamped, Trace, held
from datadog_checks.kubelet_compliance.node.file_reader import FileReader
from datadog_checks.kubelet_compliance.node.file_remedies import DAC_READ_SEARCH, SYS_PTRACE, Rights
from datadog_checks.kubelet_compliance.node.live_files import NO_PERMISSION, LiveView, LiveWays
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.mounts import MountTables
from datadog_checks.kubelet_compliance.node.proc_files import ProcFolder
from datadog_checks.kubelet_compliance.node.process_facts import LiveFacts
from datadog_checks.kubelet_compliance.node.process_root import CannotRead
from datadog_checks.kubelet_compliance.reporting.report import OK, by_remedy, iter_diagnoses, kubelet_status
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.asked import nobody_else
from tests.support.cases import TRUTH
from tests.support.kubelet_servers import Servers, Serving, serve_all
from tests.support.made_up_node import PID, Node, make_node
from tests.support.nodes import ticks_from_now, write_process

CONFIG = '/var/lib/kubelet/config.yaml'
CONFIGZ = (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes()
GOOD = b'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmakeIPTablesUtilChains: true\n'
SETTING, FILE = 'make_iptables_util_chains', 'config_file_permissions'
JUDGED = select('cis-1.24', [SETTING, FILE])

pytestmark = [pytest.mark.same_for_every_user, pytest.mark.filterwarnings('ignore:Unverified HTTPS request')]


@dataclass(frozen=True)
class Situation:
    """A node, and an Agent in a container on it; as a person may change them.

    `ca`: whether the Agent has the right one. `name`: the host that the Agent connects to. `works`, `forbidden`, and so
    on: what the kubelet does with a question.
    """

    uid: int = 0
    has_ptrace: bool = False
    has_root: bool = False
    has_dac: bool = False
    serving: Serving = Serving.GOOD
    knows_ca: bool = True
    verifies: bool = True
    trusts: bool = False
    name: str = '127.0.0.1'
    status: int = 200
    refusal: bytes = b''
    hangs: bool = False
    port: int | None = None
    """None: that of the kubelet."""
    is_known: bool = False
    """Whether the Agent's credentials worked before."""

    @property
    def may_look(self) -> bool:
        """Whether the kubelet's own root and sockets are shown: a capability does nothing for user 100."""
        return self.has_ptrace and self.uid == 0

    @property
    def may_read(self) -> bool:
        """Whether a file of root with mode 600 can be read."""
        return self.uid == 0 or self.has_dac


class Old(LiveFacts):
    """Processes that have been running for long."""

    def age(self, start_ticks: int) -> float | None:
        return 3600.0


class SameMounts(MountTables):
    """Mount tables that hide nothing below host_root."""

    def mounted_otherwise(self, process: Process, root: str) -> Stamped[Mapping[str, str] | None]:
        return held({})

    def shares_our_root(self, process: Process) -> Stamped[bool]:
        return held(False)


class ClosedView(LiveView):
    """A view on files that may not be read."""

    def as_file(self, found: Any) -> Any:
        return found if isinstance(found, Missing) else self.unreadable(found.path, NO_PERMISSION)


class ModeledWays(LiveWays):
    """The ways to the files as far as the situation lets an Agent use them."""

    def __init__(self, node: Node, situation: Situation) -> None:
        source = ProcFolder(str(node.procfs))
        root = str(node.root) if situation.has_root else None
        super().__init__(source, root, SameMounts(source), self.rights_there)
        self.situation = situation

    def rights_there(self) -> Rights:
        """As of a container: without a user of root, what is added has no effect."""
        situation = self.situation
        mask = (situation.has_ptrace and situation.uid == 0) << SYS_PTRACE | situation.has_dac << DAC_READ_SEARCH
        return Rights(situation.uid, mask)

    def seen(self, view: LiveView) -> LiveView:
        if self.situation.may_read:
            return view
        return ClosedView(view.root, view.path, view.rights, view.is_its_own)

    def below_root(self, process: Process, path: str, trace: Trace) -> LiveView | None:
        view = super().below_root(process, path, trace)
        return None if view is None else self.seen(view)

    def through_process(self, process: Process, path: str, trace: Trace) -> LiveView:
        if not self.situation.may_look:
            raise CannotRead(NO_PERMISSION)
        return self.seen(super().through_process(process, path, trace))


class Modeled(LiveHost):
    """A made-up node, of which only that is shown which the situation lets an Agent see."""

    def __init__(self, node: Node, situation: Situation, port: int) -> None:
        super().__init__(str(node.procfs), str(node.root) if situation.has_root else None, facts=Old())
        self.situation = situation
        self.port = port
        self.ways = ModeledWays(node, situation)
        self.files = FileReader(self.ways, lambda: self.trace)
        self.unwatched = FileReader(self.ways, Trace)

    def answers_at(self, process: Process, host: str, port: int) -> bool | None:
        """Who listens is public; which process holds the socket is not."""
        if port != self.port:
            return False
        return True if self.situation.may_look else None


LEVELS = {
    (0, 0): Situation(),
    (0, 100): Situation(uid=100),
    (1, 0): Situation(has_root=True),
    (1, 100): Situation(has_root=True, uid=100),
    (2, 0): Situation(has_ptrace=True),
    (2, 100): Situation(has_ptrace=True, uid=100),
}
"""By level and user."""

FORBIDDEN = b'Forbidden (user=system:serviceaccount:d:d, verb=get, resource=nodes, subresource(s)=[configz proxy])\n'
OLD_FORBIDDEN = b'Forbidden (user=system:serviceaccount:d:d, verb=get, resource=nodes, subresource=proxy)'
NOT_DECIDED = b'Authorization error (user=system:serviceaccount:d:d, verb=get, resource=nodes, subresource=configz)'


@dataclass(frozen=True)
class Row:
    """A state of the kubelet's port, and what is said of it: the fault, and parts of the message and the remedy."""

    change: dict[str, Any]
    fault: Fault | None
    message: str = ''
    remedy: str = ''


ROWS = {
    'works': Row({}, None),
    '401': Row({'status': 401}, Fault.CREDENTIALS_REFUSED, 'credentials (401)', 'authentication.webhook.enabled: true'),
    '403': Row({'status': 403, 'refusal': FORBIDDEN}, Fault.FORBIDDEN, 'get nodes/configz (403)', 'get nodes/configz'),
    '403 before 1.33': Row(
        {'status': 403, 'refusal': OLD_FORBIDDEN}, Fault.FORBIDDEN, 'get nodes/proxy (403)', 'get nodes/proxy'
    ),
    '404': Row({'status': 404}, Fault.NOT_SERVED, 'does not serve this path (404)', 'enableDebuggingHandlers: true'),
    'unknown CA': Row({'knows_ca': False}, Fault.UNKNOWN_CA, 'unknown CA', 'set kubelet_client_ca'),
    'wrong name': Row(
        {'serving': Serving.OTHER_NAME},
        Fault.WRONG_NAME,
        'is for 127.0.0.2, localhost, not for 127.0.0.1',
        'set kubernetes_kubelet_host of the Agent to a name',
    ),
    'expired': Row({'serving': Serving.EXPIRED}, Fault.EXPIRED, 'has expired', 'renew the serving certificate'),
    'TLS internal error': Row(
        {'serving': Serving.NO_CERTIFICATE}, Fault.NO_CERTIFICATE, 'no serving certificate', 'certificate approve NAME'
    ),
    'TLS internal error, not verified': Row(
        {'serving': Serving.NO_CERTIFICATE, 'verifies': False},
        Fault.NO_CERTIFICATE,
        'no serving certificate',
        'certificate approve NAME',
    ),
    'timeout': Row({'hangs': True}, Fault.TIMED_OUT, 'did not respond within 0.1 s', 'whether the kubelet responds'),
    'wrong port': Row({'port': 9}, Fault.WRONG_PORT, 'listens at port 9', 'kubernetes_https_kubelet_port of the Agent'),
    'read-only port': Row(
        {'serving': Serving.READ_ONLY, 'status': 404},
        Fault.READ_ONLY_PORT,
        'is the read-only port, which never serves /configz',
        'let the Agent use port 10250',
    ),
    'API server away': Row(
        {'status': 401, 'is_known': True}, Fault.API_SERVER_AWAY, 'accepted before (401)', 'can reach the API server'
    ),
    'API server away, by certificate': Row(
        {'status': 500, 'refusal': NOT_DECIDED}, Fault.API_SERVER_AWAY, '(500)', 'can reach the API server'
    ),
    'API server hangs': Row(
        {'hangs': True, 'is_known': True}, Fault.API_SERVER_AWAY, 'waits for the API server', 'can reach the API server'
    ),
}


@pytest.fixture(scope='module')
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with serve_all(tmp_path_factory.mktemp('servers')) as servers:
        yield servers


@pytest.fixture(scope='module')
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    return lay_out(tmp_path_factory.mktemp('node'), GOOD)


def lay_out(folder: Path, config: bytes) -> Node:
    node = make_node(folder)
    write_process(node.procfs, PID, ('kubelet', f'--config={CONFIG}'))
    for link in ('root', 'cwd'):
        (node.procfs / str(PID) / link).unlink()
        (node.procfs / str(PID) / link).symlink_to(node.root)
    node.write(CONFIG, config).chmod(0o600)
    node.write('/etc/systemd/system/kubelet.service', f'[Service]\nExecStart=kubelet --config={CONFIG}\n'.encode())
    return node


def connected(servers: Servers, situation: Situation) -> Connection:
    """As the Agent itself reaches the kubelet."""
    url = servers.url(situation.serving, situation.name)
    if situation.port is not None:
        url = f'https://{situation.name}:{situation.port}'
    info = {
        'url': url,
        'verify_tls': 'true' if situation.verifies else 'false',
        'ca_cert': str(servers.ca if situation.knows_ca else servers.other_ca) if situation.verifies else '',
        'token': 'of-the-agent',
    }
    check = AgentCheck('test', {}, [{'timeout': 0.1 if situation.hangs else 5}])
    made = connect(lambda: check.http, None, lambda: info, trusts_unverified=situation.trusts)
    assert isinstance(made, Connection)
    return made


def look(servers: Servers, node: Node, situation: Situation) -> Collection:
    """What an Agent that starts now comes to."""
    server, connection = servers.servers[situation.serving], connected(servers, situation)
    server.status, server.body, server.hang = 200, CONFIGZ, None
    collector = Collector(Modeled(node, situation, int(server.url.rpartition(':')[2])), JUDGED)
    if situation.is_known:
        other = replace(connection, timeout_seconds=5.0)
        assert not isinstance(collector.api.running(Process(1, 1, ()), other, nobody_else), Unknown)
    server.status, server.body = situation.status, situation.refusal or CONFIGZ
    server.hang = threading.Event() if situation.hangs else None
    try:
        return collector.collect(connection)
    finally:
        if server.hang is not None:
            server.hang.set()
            server.hang = None


def problem_of(collection: Collection) -> Unknown | None:
    """What is to be changed first."""
    return next(iter(by_remedy(collection.node.problems)), None)


def verdicts(collection: Collection) -> dict[str, Verdict]:
    return {finding.rule.key: finding.verdict for finding in collection.node.findings}


@pytest.mark.parametrize(('level', 'uid'), LEVELS)
@pytest.mark.parametrize('name', ROWS)
def test_each_level_and_state_says_what_failed_and_what_to_change(
    servers: Servers, node: Node, level: int, uid: int, name: str
) -> None:
    row, situation = ROWS[name], replace(LEVELS[level, uid], **ROWS[name].change)
    collection = look(servers, node, situation)
    sees_files = situation.may_look or situation.has_root
    knows = row.fault is None or sees_files and situation.may_read
    assert verdicts(collection) == {
        SETTING: Verdict.COMPLIANT if knows else Verdict.UNKNOWN,
        FILE: Verdict.COMPLIANT if sees_files else Verdict.UNKNOWN,
    }
    if row.fault is None:
        return
    problem = problem_of(collection)
    assert problem is not None
    assert problem.fault is row.fault
    assert row.message in problem.reason
    assert row.remedy in problem.remedy
    names = [each.name for each in iter_diagnoses(collection.node)]
    assert names.count(row.fault.value) == 1
    if not sees_files:
        # Rights on files come second: the level was chosen without them.
        assert not any(each.fault is Fault.FILES_NOT_SHOWN for each in collection.node.problems)


@pytest.mark.parametrize(
    ('level', 'uid', 'fault', 'remedy'),
    [
        pytest.param(0, 0, Fault.FILES_NOT_SHOWN, 'add the capability SYS_PTRACE', id='root-needs-the-capability'),
        pytest.param(0, 100, Fault.FILES_NOT_SHOWN, 'as user 0 with the capability SYS_PTRACE', id='not-root'),
        pytest.param(1, 0, None, '', id='sees-all'),
        pytest.param(1, 100, Fault.NOT_ALLOWED_TO_READ, 'CAP_DAC_READ_SEARCH', id='mode-600'),
        pytest.param(2, 0, None, '', id='sees-all-too'),
        pytest.param(2, 100, Fault.FILES_NOT_SHOWN, 'as user 0 with the capability SYS_PTRACE', id='has-no-effect'),
    ],
)
def test_where_configz_works_the_rights_on_files_are_what_is_missing(
    servers: Servers, node: Node, level: int, uid: int, fault: Fault | None, remedy: str
) -> None:
    problem = problem_of(look(servers, node, LEVELS[level, uid]))
    assert (problem.fault if problem is not None else None) is fault
    assert remedy in (problem.remedy if problem is not None else '')


@pytest.mark.parametrize(
    ('situation', 'verdict', 'fault'),
    [
        pytest.param(Situation(verifies=False), Verdict.UNKNOWN, Fault.NOT_VERIFIED, id='nothing-shows-who-answers'),
        pytest.param(Situation(verifies=False, trusts=True), Verdict.COMPLIANT, None, id='taken-as-the-agent-takes-it'),
        pytest.param(Situation(verifies=False, has_ptrace=True), Verdict.COMPLIANT, None, id='the-socket-shows-it'),
        pytest.param(Situation(verifies=False, trusts=True, port=9), Verdict.UNKNOWN, Fault.WRONG_PORT, id='not-its'),
    ],
)
def test_an_answer_without_a_certificate_counts_where_something_else_shows_whose_it_is(
    servers: Servers, node: Node, situation: Situation, verdict: Verdict, fault: Fault | None
) -> None:
    collection = look(servers, node, situation)
    assert verdicts(collection)[SETTING] is verdict
    faults = [each.fault for each in collection.node.problems if each.fault is not Fault.FILES_NOT_SHOWN]
    assert faults == ([] if fault is None else [fault])


AS_IT_RUNS = json.dumps({**json.loads(CONFIGZ)['kubeletconfig'], 'enforceNodeAllocatable': []}).encode()
"""A configuration file that says all that the kubelet runs with; an empty list is what the kubelet leaves out."""


@pytest.mark.parametrize(
    ('content', 'other', 'has_changed', 'faults'),
    [
        pytest.param(AS_IT_RUNS, b'', False, [], id='agrees'),
        pytest.param(AS_IT_RUNS, b'', True, [Fault.NOT_VERIFIED], id='agrees-with-a-file-that-changed'),
        pytest.param(GOOD, b'', False, [Fault.NOT_VERIFIED], id='differs'),
        pytest.param(AS_IT_RUNS, GOOD, False, [], id='agreed-before-the-file-changed'),
    ],
)
def test_an_answer_without_a_certificate_counts_where_it_says_what_unchanged_files_say(
    servers: Servers, tmp_path: Path, content: bytes, other: bytes, has_changed: bool, faults: list[Fault]
) -> None:
    node = lay_out(tmp_path, content)
    if has_changed:
        old = ticks_from_now(-3600)
        stat = node.procfs / str(PID) / 'stat'
        stat.write_text(f'{PID} (kubelet) S 1 {PID} {PID} 0 -1 4194560 {"0 " * 12}{old} {"0 " * 30}\n')
    situation = Situation(has_root=True, verifies=False)
    server = servers.servers[Serving.GOOD]
    server.status, server.body = 200, CONFIGZ
    collector = Collector(Modeled(node, situation, int(server.url.rpartition(':')[2])), JUDGED)
    collection = collector.collect(connected(servers, situation))
    if other:
        node.write(CONFIG, other)
        collector.host.give_up()
        collection = collector.collect(connected(servers, situation))
        assert collection.node.restart_pending
    assert [each.fault for each in by_remedy(collection.node.problems) if each.fault is not None] == faults


@pytest.mark.parametrize(
    ('age', 'fault'),
    [(5.0, Fault.STARTING), (61.0, Fault.WRONG_PORT), (None, Fault.WRONG_PORT)],
    ids=['just-started', 'long-ago', 'not-known'],
)
def test_a_kubelet_that_just_started_is_given_time_to_serve(
    servers: Servers, node: Node, monkeypatch: pytest.MonkeyPatch, age: float | None, fault: Fault
) -> None:
    monkeypatch.setattr(Modeled, 'age', lambda *_: age)
    problem = problem_of(look(servers, node, Situation(port=9)))
    assert problem is not None and problem.fault is fault
    assert ('correct' in problem.remedy) is (fault is Fault.WRONG_PORT)


CHANGES = {
    # What an operator does who reads these words, in this order.
    'kubectl certificate approve NAME': {'serving': Serving.GOOD},
    'set kubelet_client_ca': {'knows_ca': True},
    'set kubernetes_kubelet_host': {'name': 'localhost'},
    'renew the serving certificate': {'serving': Serving.GOOD},
    'authentication.webhook.enabled: true': {'status': 200},
    'ClusterRole get nodes/configz': {'status': 200, 'refusal': b''},
    'ClusterRole get nodes/proxy': {'status': 200, 'refusal': b''},
    'enableDebuggingHandlers: true': {'status': 200},
    'whether the kubelet responds': {'hangs': False},
    'correct kubernetes_https_kubelet_port': {'port': None},
    'let the Agent use port 10250': {'serving': Serving.GOOD, 'status': 200},
    'can reach the API server': {'hangs': False, 'status': 200, 'refusal': b''},
    'or set trust_unverified_configz: true': {'trusts': True},
    'as user 0 with the capability SYS_PTRACE': {'uid': 0, 'has_ptrace': True},
    'add the capability SYS_PTRACE': {'has_ptrace': True},
    'CAP_DAC_READ_SEARCH': {'has_dac': True},
}
SEVERAL = {
    'unknown CA and wrong name': {'knows_ca': False, 'serving': Serving.OTHER_NAME},
    'unknown CA, then 403': {'knows_ca': False, 'status': 403, 'refusal': FORBIDDEN},
    'not verified': {'verifies': False},
}
"""States in which one advice leads to the next."""


@pytest.mark.parametrize(('level', 'uid'), LEVELS)
@pytest.mark.parametrize('name', [*ROWS, *SEVERAL])
def test_following_the_advice_leads_from_each_row_to_one_where_all_is_green(
    servers: Servers, node: Node, level: int, uid: int, name: str
) -> None:
    change = ROWS[name].change if name in ROWS else SEVERAL[name]
    situation = replace(LEVELS[level, uid], **change)
    collection = look(servers, node, situation)
    met, unknown = {situation}, list(verdicts(collection).values()).count(Verdict.UNKNOWN)
    while kubelet_status(collection.node)[0] != OK:
        problem = problem_of(collection)
        assert problem is not None, kubelet_status(collection.node)
        (words, *_) = [words for words in CHANGES if words in problem.remedy]
        situation = replace(situation, **CHANGES[words])
        assert situation not in met, f'{problem.remedy} changes nothing'
        met.add(situation)
        collection = look(servers, node, situation)
        now = list(verdicts(collection).values()).count(Verdict.UNKNOWN)
        assert now <= unknown, f'{problem.remedy} makes it worse'
        unknown = now
    assert set(verdicts(collection).values()) == {Verdict.COMPLIANT}
    assert len(met) <= 5
