# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One collection of the whole check, as the Agent runs it, and all that it sent."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datadog_checks.base import AgentCheck
from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.kubelet_compliance import KubeletComplianceCheck

from .handles import open_handles
from .nodes import HEAD
from .standin import DEADLINE_SECONDS, Standin
from .users import USERS

OK, WARNING, CRITICAL, UNKNOWN = AgentCheck.OK, AgentCheck.WARNING, AgentCheck.CRITICAL, AgentCheck.UNKNOWN
IPTABLES, ANONYMOUS, KERNEL = 'make_iptables_util_chains', 'anonymous_auth', 'protect_kernel_defaults'
GOOD = f'{HEAD}makeIPTablesUtilChains: true\n'
BAD = f'{HEAD}makeIPTablesUtilChains: false\n'


@dataclass(frozen=True)
class Sent:
    """What one collection sent, by rule. `tags`: of each metric and service check, as they were sent."""

    found: float
    kubelet: tuple[int, str]
    rules: dict[str, tuple[int, str]] = field(default_factory=dict)
    compliant: dict[str, float] = field(default_factory=dict)
    node_compliant: float | None = None
    tags: frozenset[tuple[str, ...]] = frozenset()

    @property
    def green(self) -> set[str]:
        """The rules that any of it calls compliant; `node` where it says so of the node."""
        by_status = {rule for rule, (status, _) in self.rules.items() if status == OK}
        by_gauge = {rule for rule, value in self.compliant.items() if value}
        return by_status | by_gauge | ({'node'} if self.node_compliant else set())

    @property
    def messages(self) -> list[str]:
        return [self.kubelet[1], *(message for _, message in self.rules.values())]

    def status(self, rule: str = IPTABLES) -> int:
        return self.rules[rule][0]

    def says(self, rule: str = IPTABLES) -> str:
        return self.rules[rule][1]


NONE_FOUND = Sent(0, (UNKNOWN, 'no kubelet runs on this host'), tags=frozenset({()}))


def check_of(procfs: Path | str, **options: Any) -> KubeletComplianceCheck:
    instance = {'procfs_path': str(procfs), 'rules': [IPTABLES], 'allowed_users': [*USERS], **options}
    return KubeletComplianceCheck('kubelet_compliance', {}, [instance])


def collect(check: AgentCheck, aggregator: AggregatorStub) -> Sent:
    """Run the check once: it raises nothing and leaves no handle open."""
    before = open_handles()
    sent = run(check, aggregator)
    assert handles_left(before) == set()
    return sent


def run(check: AgentCheck, aggregator: AggregatorStub) -> Sent:
    aggregator.reset()
    answer = check.run()
    assert answer == '', answer
    return sent_by(aggregator)


def handles_left(before: set[int]) -> set[int]:
    """What is open and was not; a server of ours may take a moment to close its side of a connection."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while any(is_socket(handle) for handle in open_handles() - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    return open_handles() - before


def is_socket(handle: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(handle).st_mode)
    except OSError:
        return False


def sent_by(aggregator: AggregatorStub) -> Sent:
    metrics = {name.partition('.')[2]: aggregator.metrics(name) for name in aggregator.metric_names}
    checks = {name.partition('.')[2]: aggregator.service_checks(name) for name in aggregator.service_check_names}
    (found,), (kubelet,) = metrics['kubelet.found'], checks['kubelet']
    node = metrics.get('node.compliant', [])
    everything = (*metrics.values(), *checks.values())
    return Sent(
        found.value,
        (kubelet.status, kubelet.message),
        {rule_of(each): (each.status, each.message) for each in checks.get('rule', [])},
        {rule_of(each): each.value for each in metrics.get('rule.compliant', [])},
        node[0].value if node else None,
        frozenset(tuple(sorted(each.tags)) for group in everything for each in group),
    )


def rule_of(stub: Any) -> str:
    (rule,) = [tag.removeprefix('rule:') for tag in stub.tags if tag.startswith('rule:')]
    return str(rule)


def show(procfs: Path, *standins: Standin) -> Path:
    """Let a folder show some of the real processes, and process 1, which every `/proc` shows."""
    procfs.mkdir(exist_ok=True)
    if not (procfs / '1').exists():
        (procfs / '1').symlink_to('/proc/1')
    for standin in standins:
        (procfs / str(standin.pid)).symlink_to(f'/proc/{standin.pid}')
    return procfs


def wait_past_the_grain(path: Path) -> None:
    """Until what is written now counts as changed after the start of a process that started before."""
    mark = path.with_name('mark')
    mark.write_text('')
    started = mark.stat().st_ctime
    while mark.stat().st_ctime <= started + 1.2:
        time.sleep(0.05)
        os.utime(mark)
