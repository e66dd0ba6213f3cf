# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a check sends, and what a new check sends, as after a restart of the Agent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from tools.agent import collect

RULE, KUBELET = 'kubelet_compliance.rule', 'kubelet_compliance.kubelet'


class Outcome(NamedTuple):
    """What one check run sent, sorted, so that two check runs can be compared."""

    gauges: tuple[tuple[Any, ...], ...]
    service_checks: tuple[tuple[Any, ...], ...]
    error: str

    def value(self, name: str) -> Any:
        return next((value for gauge, value, _ in self.gauges if gauge == f'kubelet_compliance.{name}'), None)

    def status(self, rule: str) -> int | None:
        """Return the status of a rule."""
        tag = f'rule:{rule}'
        return next((status for name, status, tags, _ in self.service_checks if name == RULE and tag in tags), None)

    def of_kubelet(self) -> str:
        """Return the message of the kubelet service check."""
        return next((message for name, _, _, message in self.service_checks if name == KUBELET), '')

    def unlike(self, expected: Outcome) -> list[str]:
        """Return the differences, one line each."""
        mine, others = (
            {*each.gauges, *each.service_checks, *((each.error,) if each.error else ())} for each in (self, expected)
        )
        lines = [f'  sent      {row}' for row in sorted(mine - others, key=repr)]
        return lines + [f'  expected  {row}' for row in sorted(others - mine, key=repr)]


def run(check: KubeletComplianceCheck) -> Outcome:
    """Run a check as the Agent does."""
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
    """Return what a new check sends."""
    check = make(instance)
    sent = run(check)
    # The Agent also does this with a check that it removes.
    check.cancel()
    return sent
