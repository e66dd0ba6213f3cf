# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The long-lived checks, and what each collection of theirs is held against."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.collect import Collector
from datadog_checks.kubelet_compliance.names import COMMS
from datadog_checks.kubelet_compliance.patient_host import PatientHost
from tests.cases import TRUTH
from tests.kubelet_server import KubeletServer

from .afresh import Outcome, afresh, afresh_knowing, make, run
from .node import Node
from .oracle import OK, Change, Watch, may_be_green, statuses

ANSWERS = {
    True: (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes(),
    False: (TRUTH / 'configz' / 'kubelet-1.36-iptables-flag-false.json').read_bytes(),
}
PATHS = ('/configz', '/metrics')


class Disagreement(Exception):
    """The check said something else than it must."""


class PutOff(Exception):
    """What else runs on this machine keeps the two from being compared."""


@dataclass
class Server:
    """The port of the kubelet. `statuses`: what it answers just now; 0: it drops the connection."""

    api: KubeletServer
    statuses: dict[str, int] = field(default_factory=dict)

    def show(self, node: Node, told: Mapping[str, int]) -> None:
        """Answer for the kubelet that runs: as it is now, but as it was where the check has asked already."""
        value = node.kubelet.value if node.kubelet is not None else None
        self.api.body = ANSWERS.get(value, b'') if value is not None else b''
        now = self.statuses if value is not None else dict.fromkeys(PATHS, 503)
        self.api.statuses = {**now, **told}
        self.api.requests.clear()

    def asked(self) -> dict[str, int]:
        return {path: self.api.statuses.get(path, 200) for path in self.api.paths()}


@dataclass
class LongLived:
    """One check that runs from beginning to end. `told`: what its kubelet answered it, by path."""

    name: str
    instance: Mapping[str, Any]
    server: Server | None = None
    watch: Watch = field(default_factory=Watch)
    told: dict[str, int] = field(default_factory=dict)
    last: Outcome | None = None
    check: KubeletComplianceCheck = field(init=False)

    def __post_init__(self) -> None:
        self.check = make(self.instance)

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
    """Runs checks, and compares. `counts`: what came out, in words."""

    node: Node
    folder: Path
    counts: Counter[str] = field(default_factory=Counter)

    def collect(self, checked: LongLived) -> None:
        """One collection of a check, held against everything. Raises Disagreement.

        In the real /proc another kubelet may have come and gone meanwhile, so there the next one decides.
        """
        try:
            self.collect_once(checked)
        except Disagreement:
            if not checked.sees_all:
                raise
            self.counts['put off: looked at twice in the real /proc'] += 1
            self.collect_once(checked)

    def collect_once(self, checked: LongLived) -> None:
        """Raises Disagreement."""
        sent, change = self.one(checked)
        self.counts['collections'] += 1
        if sent.error:
            raise Disagreement(f'the check fails: {sent.error}')
        checked.last = sent
        try:
            if checked.sees_all:
                self.put_off_with_strangers(sent)
            self.hold_against_oracle(checked, sent, change)
            self.hold_against_fresh_check(checked, sent, change)
        except PutOff:
            self.counts['put off: another kubelet ran on this machine'] += 1
            # Beside a kubelet that it knows the check may not look for ours for minutes: nobody can say what it saw.
            checked.check, checked.watch = make(checked.instance), Watch()

    def put_off_with_strangers(self, *several: Outcome) -> None:
        """Other kubelets on this machine are seen by the check of the real /proc. Raises PutOff."""
        own = self.node.kubelet.standin.pid if self.node.kubelet is not None else None
        count = own is not None
        if any(sent.value('kubelet.found') > count for sent in several) or any(
            int(pid) != own and comm_of(pid) in COMMS for pid in os.listdir('/proc') if pid.isdecimal()
        ):
            raise PutOff

    def collect_the_same(self, checked: LongLived) -> None:
        """One collection where nothing happened since the last: what it sends must be the same, or hold by itself."""
        before = checked.last
        sent, _ = self.one(checked)
        self.counts['collections where nothing changed'] += 1
        if sent != before:
            self.collect(checked)

    def collect_in_a_storm(self, checked: LongLived) -> None:
        """One collection while the files change: of a kubelet that was seen as it was started. Raises Disagreement."""
        kubelet = self.node.kubelet
        assert kubelet is not None
        sent = run(checked.check)
        self.counts['collections while files changed'] += 1
        if sent.error:
            raise Disagreement(f'the check fails: {sent.error}')
        if kubelet.value is False and sent.iptables() == OK:
            raise Disagreement('a false green while files changed: it was started with False')

    def one(self, checked: LongLived) -> tuple[Outcome, Change]:
        node, watch, server = self.node, checked.watch, checked.server
        if node.kubelet is None or node.kubelet.number != watch.number:
            checked.told.clear()
        if server is not None:
            server.show(node, {})
        now = time.time()
        sent = run(checked.check)
        change = watch.look(node, now)
        if server is not None:
            checked.told.update(server.asked())
        return sent, change

    def hold_against_oracle(self, checked: LongLived, sent: Outcome, change: Change) -> None:
        node, status = self.node, sent.iptables()
        if sent.value('kubelet.found') != (node.kubelet is not None):
            raise Disagreement(f'kubelets found: {sent.value("kubelet.found")}')
        if node.kubelet is None:
            self.counts['without a kubelet'] += 1
            return
        answered = checked.told.get('/configz') == 200
        right = statuses(node, change, running=node.kubelet.value if answered else None)
        if status not in right:
            raise Disagreement(f'status {status}, but right is {sorted(right)}, by what was written; {change}')
        if status == OK and not (answered or may_be_green(node, checked.watch)):
            raise Disagreement(f'a false green: it was started with {node.kubelet.value}')
        self.counts[f'status {status}'] += 1

    def hold_against_fresh_check(self, checked: LongLived, sent: Outcome, change: Change) -> None:
        node, server = self.node, checked.server
        if server is not None:
            server.show(node, checked.told)
        plain = Watch().look(node, time.time())
        knows_more = node.kubelet is not None and change.answers != plain.answers
        fresh = [] if knows_more else [afresh(checked.instance)]
        knowing: list[Outcome] = []
        if node.kubelet is not None and (knows_more or len(change.answers) > 1):
            pid, folder = node.kubelet.standin.pid, self.folder / 'knowing'
            knowing += [afresh_knowing(checked.instance, pid, answer, folder) for answer in change.answers]
        self.counts['knows more than its ctimes tell'] += knows_more
        if sent not in fresh and sent.shortened() not in [expected.shortened() for expected in knowing]:
            if checked.sees_all:
                self.put_off_with_strangers(*fresh)
            kind = 'knowing the same' if knows_more else 'afresh'
            lines = sent.unlike([*fresh, *knowing][0])
            raise Disagreement('\n'.join([f'it differs from a check computed {kind}; {change}', *lines]))


def comm_of(pid: str) -> bytes:
    try:
        return Path(f'/proc/{pid}/comm').read_bytes().rstrip(b'\n')
    except OSError:
        return b''
