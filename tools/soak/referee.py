# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The long-lived checks, and what each collection of theirs is held against."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.kubelet.programs import COMMS
from datadog_checks.kubelet_compliance.node.patient_host import PatientHost
from tests.support.kubelet_server import KubeletServer

from .afresh import Outcome, afresh, make, run
from .node import Node
from .oracle import CLIENT_CA_RULES, OK, RULES, Oracle, Rule
from .watch import Change, Watch

PATHS = ('/configz', '/metrics')
PENDING, KUBELET = 'restart_pending', 'kubelet'


class Disagreement(Exception):
    """The check said something else than it must."""


class AnotherKubelet(Exception):
    """Another kubelet runs on this machine, so nobody can say what a check of the real /proc has to send."""


@dataclass
class Server:
    """The port of the kubelet. `statuses`: what it answers just now; 0: it drops the connection."""

    api: KubeletServer
    statuses: dict[str, int] = field(default_factory=dict)

    def show(self, node: Node, responses: Mapping[str, int]) -> None:
        """Answer for the kubelet that runs: as it is now, but as it was where the check has asked already."""
        self.api.body = node.configz()
        self.api.version = f'v1.{node.kubelet.minor}.1' if node.kubelet is not None else ''
        now = self.statuses if self.api.body else dict.fromkeys(PATHS, 503)
        self.api.statuses = {**now, **responses}
        self.api.requests.clear()

    def asked(self) -> dict[str, int]:
        return {path: self.api.statuses.get(path, 200) for path in self.api.paths()}


@dataclass
class LongLived:
    """One check that runs from beginning to end. `responses`: the status of each response of its kubelet, by path."""

    name: str
    instance: Mapping[str, Any]
    server: Server | None = None
    watch: Watch = field(default_factory=Watch)
    responses: dict[str, int] = field(default_factory=dict)
    last: Outcome | None = None
    check: KubeletComplianceCheck = field(init=False)

    def __post_init__(self) -> None:
        self.check = make(self.instance)

    def minor(self, node: Node) -> int | None:
        """The release that its kubelet reported to it."""
        return node.kubelet.minor if node.kubelet is not None and self.responses.get('/metrics') == 200 else None

    @property
    def sees_all(self) -> bool:
        """Whether it looks at the real /proc."""
        return 'procfs_path' not in self.instance

    @property
    def has_its_threads(self) -> bool:
        """Whether both of its readers have begun: before, what it holds is no measure of a leak."""
        collector: Collector | None = getattr(self.check, 'collector', None)
        if collector is None or not isinstance(host := collector.host, PatientHost):
            return False
        return host.files.worker.thread is not None and host.processes.worker.thread is not None


@dataclass
class Referee:
    """Runs checks, and compares. `counts`: what came out, in words. `ignored`: rules, `restart_pending`, `kubelet`."""

    node: Node
    ignored: frozenset[str] = frozenset()
    counts: Counter[str] = field(default_factory=Counter)

    def collect(self, checked: LongLived) -> None:
        """One collection of a check, held against everything. Raises Disagreement.

        In the real /proc another kubelet may have come and gone meanwhile, so there the next one decides. Raises
        AnotherKubelet where one runs.
        """
        try:
            self.collect_once(checked)
        except Disagreement:
            if not checked.sees_all:
                raise
            self.counts['collected twice in the real /proc'] += 1
            self.collect_once(checked)

    def collect_once(self, checked: LongLived) -> None:
        """Raises Disagreement."""
        sent, change = self.one(checked)
        self.counts['collections'] += 1
        if sent.error:
            raise Disagreement(f'the check fails: {sent.error}')
        before, checked.last = checked.last, sent
        if checked.sees_all:
            self.refuse_strangers(sent)
        self.hold_against_oracle(checked, sent, checked.watch, change)
        has_ended = self.node.kubelet is None and before is not None and before.value('kubelet.found')
        if has_ended and KUBELET not in self.ignored and 'hostPID' in sent.of_kubelet():
            raise Disagreement(f'of a kubelet that it knew and that ended: {sent.of_kubelet()}')
        self.hold_against_fresh_check(checked, sent, change)

    def refuse_strangers(self, sent: Outcome) -> None:
        """Other kubelets on this machine are seen by the check of the real /proc. Raises AnotherKubelet."""
        own = self.node.kubelet.standin.pid if self.node.kubelet is not None else None
        count = own is not None
        if sent.value('kubelet.found') > count or any(
            int(pid) != own and comm_of(pid) in COMMS for pid in os.listdir('/proc') if pid.isdecimal()
        ):
            raise AnotherKubelet

    def collect_the_same(self, checked: LongLived) -> None:
        """One collection where nothing happened since the last: what it sends must be the same, or hold by itself."""
        before = checked.last
        sent, _ = self.one(checked)
        self.counts['collections where nothing changed'] += 1
        if sent != before:
            self.collect(checked)

    def collect_while_it_hangs(self, checked: LongLived, server: Server) -> None:
        """One collection where the port takes questions and does not answer. Raises Disagreement."""
        before, server.statuses = server.statuses, dict.fromkeys(PATHS, 0)
        server.api.hang = threading.Event()
        try:
            sent, change = self.one(checked)
        finally:
            server.api.hang.set()
            server.api.hang, server.statuses = None, before
        self.counts['collections while the port hung'] += 1
        self.hold_against_oracle(checked, sent, checked.watch, change)

    def collect_in_a_storm(self, checked: LongLived) -> None:
        """One collection while the files change: of a kubelet that was seen as it was started. Raises Disagreement."""
        kubelet = self.node.kubelet
        assert kubelet is not None
        sent = run(checked.check)
        self.counts['collections while files changed'] += 1
        if sent.error:
            raise Disagreement(f'the check fails: {sent.error}')
        for key, rule in self.rules():
            if kubelet.values is not None and not rule.holds(kubelet.values) and sent.status(key) == OK:
                raise Disagreement(f'{key}: a false green while files changed')

    def one(self, checked: LongLived) -> tuple[Outcome, Change]:
        node, watch, server = self.node, checked.watch, checked.server
        if node.kubelet is None or node.kubelet.number != watch.number:
            checked.responses.clear()
        if server is not None:
            server.show(node, {})
        now = time.time()
        sent = run(checked.check)
        if server is not None:
            checked.responses.update(server.asked())
        return sent, watch.look(node, now, minor=checked.minor(node))

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Those whose verdict is known here."""
        return ((key, rule) for key, rule in RULES.items() if key not in self.ignored)

    def hold_against_oracle(self, checked: LongLived, sent: Outcome, watch: Watch, change: Change) -> None:
        """`watch`, `change`: what the check that sent it has seen. Raises Disagreement."""
        kubelet = self.node.kubelet
        if sent.value('kubelet.found') != (kubelet is not None):
            raise Disagreement(f'kubelets found: {sent.value("kubelet.found")}')
        if kubelet is None:
            self.counts['without a kubelet'] += 1
            return
        answered = checked.responses.get('/configz') == 200
        oracle = Oracle(self.node, kubelet, watch, change, answered, checked.minor(self.node))
        wrong = [*self.iter_wrong(oracle, sent)]
        if wrong:
            raise Disagreement('\n'.join([f'by what was written; {oracle.in_words()}', *wrong]))
        if kubelet.values is not None and self.node.declared_alike(kubelet) and change.answers != (None,):
            self.counts['touched, and as it was'] += answered

    def iter_wrong(self, oracle: Oracle, sent: Outcome) -> Iterator[str]:
        for key, rule in self.rules():
            status, right = sent.status(key), oracle.statuses(rule)
            if status not in right:
                yield f'  {key}: status {status}, but right is {sorted(right)}'
            elif status == OK and not oracle.may_be_green(rule):
                yield f'  {key}: a false green'
            self.counts[f'status {status}'] += 1
        for key, is_met in CLIENT_CA_RULES.items():
            status, right = sent.status(key), oracle.client_ca_statuses(is_met)
            if key not in self.ignored and status not in right:
                yield f'  {key}: status {status}, but right is {sorted(right)}'
        pending, may_be = sent.value(f'kubelet.{PENDING}'), oracle.pending
        if PENDING not in self.ignored and pending not in may_be:
            yield f'  {PENDING}: {pending}, but right is {sorted(may_be, key=repr)}'
        self.counts[f'pending {pending}'] += 1

    def hold_against_fresh_check(self, checked: LongLived, sent: Outcome, change: Change) -> None:
        """The same of a check that was made just now; where it has seen as much, it sends the same."""
        node, server, watch = self.node, checked.server, Watch()
        if server is not None:
            server.show(node, checked.responses)
        fresh = afresh(checked.instance)
        plain = watch.look(node, time.time(), minor=checked.minor(node))
        if checked.sees_all:
            self.refuse_strangers(fresh)
        try:
            self.hold_against_oracle(checked, fresh, watch, plain)
        except Disagreement as error:
            raise Disagreement(f'of a check made afresh: {error}') from None
        knows_more = (change.answers, checked.watch.believed) != (plain.answers, watch.believed)
        # Credentials that were accepted before are not what is wrong.
        knows_more |= 'the API server' in sent.of_kubelet()
        if knows_more or len(change.answers) > 1:
            self.counts['knows more than its ctimes show'] += knows_more
        elif node.kubelet is not None and sent != fresh:
            raise Disagreement('\n'.join([f'it differs from a check made afresh; {change}', *sent.unlike(fresh)]))


def comm_of(pid: str) -> bytes:
    try:
        return Path(f'/proc/{pid}/comm').read_bytes().rstrip(b'\n')
    except OSError:
        return b''
