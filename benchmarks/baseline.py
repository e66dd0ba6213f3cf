# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The baseline of a cost: a check that sends the same data as another check, and does nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from datadog_checks.base import AgentCheck

if TYPE_CHECKING:
    from tools.agent import Collection

NAMESPACE = 'kubelet_compliance'


class SendsTheSame(AgentCheck):
    """`sent`: the result of `all_sent`."""

    __NAMESPACE__ = NAMESPACE

    def __init__(self, instance: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
        # The base class copies the instance at each run, so it must be the instance of the other check.
        super().__init__(NAMESPACE, {}, [dict(instance)])
        self.gauges, self.service_checks = sent['gauges'], sent['service_checks']

    def check(self, _: Any) -> None:
        for name, value, tags in self.gauges:
            self.gauge(name, value, tags=tags)
        for name, status, tags, message in self.service_checks:
            self.service_check(name, status, tags=tags, message=message)


def all_sent(collection: Collection) -> dict[str, Any]:
    """Return what a check sent, as values for JSON. The names are without the namespace, as the base class expects."""
    start = len(NAMESPACE) + 1
    return {
        'gauges': [(each.name[start:], each.value, list(each.tags)) for each in collection.metrics],
        'service_checks': [
            (each.name[start:], each.value, list(each.tags), each.message) for each in collection.service_checks
        ],
    }
