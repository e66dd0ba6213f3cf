# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What checks send, and the two ways to compute it afresh."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.judge import shorten
from tests.nodes import ticks_from_now
from tools.agent import collect

COMPARED = 400
CHANGED = re.compile(r'\S+ (?=changed after the kubelet started)')
RULE, IPTABLES = 'kubelet_compliance.rule', 'rule:make_iptables_util_chains'


class Outcome(NamedTuple):
    """What came out of one collection, sorted, so that two can be compared."""

    gauges: tuple[tuple[Any, ...], ...]
    service_checks: tuple[tuple[Any, ...], ...]
    error: str

    def value(self, name: str) -> Any:
        return next((value for gauge, value, _ in self.gauges if gauge == f'kubelet_compliance.{name}'), None)

    def iptables(self) -> int | None:
        """The status of the one rule that the oracle knows about."""
        found = (status for name, status, tags, _ in self.service_checks if name == RULE and IPTABLES in tags)
        return next(found, None)

    def naming(self, path: str) -> Outcome:
        """The same, with this path as the one that changed."""
        checks = tuple(
            (*others, CHANGED.sub(lambda _: f'{shorten(path)} ', message)) for *others, message in self.service_checks
        )
        return self._replace(service_checks=checks)

    def shortened(self) -> Outcome:
        """Without the ends of the longest messages: another path in one moves what is cut off from it."""
        checks = tuple((*others, message[:COMPARED]) for *others, message in self.service_checks)
        return self._replace(service_checks=checks)

    def unlike(self, expected: Outcome) -> list[str]:
        """The differences, a line each."""
        mine, others = (
            {*each.gauges, *each.service_checks, *((each.error,) if each.error else ())} for each in (self, expected)
        )
        lines = [f'  sent      {row}' for row in sorted(mine - others, key=repr)]
        return lines + [f'  expected  {row}' for row in sorted(others - mine, key=repr)]


def run(check: KubeletComplianceCheck) -> Outcome:
    """A collection as the Agent makes it."""
    collection = collect(check)
    gauges = sorted((sent.name, sent.value, tuple(sorted(sent.tags))) for sent in collection.metrics)
    service_checks = sorted(
        (sent.name, int(sent.value), tuple(sorted(sent.tags)), sent.message) for sent in collection.service_checks
    )
    return Outcome(tuple(gauges), tuple(service_checks), collection.error)


def make(instance: Mapping[str, Any]) -> KubeletComplianceCheck:
    users = ['root', str(os.getuid())]
    return KubeletComplianceCheck('kubelet_compliance', {}, [{'allowed_users': users, **instance}])


def afresh(instance: Mapping[str, Any]) -> Outcome:
    """By a check that knows nothing from before."""
    check = make(instance)
    sent = run(check)
    # What the Agent does with a check that it takes away.
    check.cancel()
    return sent


def afresh_knowing(instance: Mapping[str, Any], pid: int, changed: str | None, folder: Path) -> Outcome:
    """By such a check too, of a node where the ctimes alone tell what the long-lived one knows.

    Its `/proc` shows the same kubelet, but started after everything where nothing changed, and before it else.
    """
    lay_out(folder, pid, ticks_from_now(60) if changed is None else 0)
    try:
        sent = afresh({**instance, 'procfs_path': str(folder)})
    finally:
        shutil.rmtree(folder)
    return sent if changed is None else sent.naming(changed)


def lay_out(folder: Path, pid: int, start_ticks: int) -> None:
    process = folder / str(pid)
    process.mkdir(parents=True)
    (folder / '1').symlink_to('/proc/1')
    for name in ('cgroup', 'cmdline', 'comm', 'cwd', 'fd', 'mountinfo', 'net', 'root', 'status'):
        (process / name).symlink_to(f'/proc/{pid}/{name}')
    head, _, rest = Path(f'/proc/{pid}/stat').read_text().rpartition(')')
    fields = rest.split()
    fields[19] = str(start_ticks)
    (process / 'stat').write_text(f'{head}) {" ".join(fields)}\n')
