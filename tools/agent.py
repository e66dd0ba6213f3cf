# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A stand-in for the Agent: runs a check and collects everything that it sends."""

from __future__ import annotations

from dataclasses import dataclass

from datadog_checks.base import AgentCheck
from datadog_checks.base.stubs import aggregator
from datadog_checks.base.types import ServiceCheck

STATUS_NAMES = ServiceCheck._fields
"""The names of the service check statuses, by number."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A metric or a service check that the check sent. For a service check, `value` is its status."""

    name: str
    value: float
    tags: tuple[str, ...]
    message: str = ''


@dataclass(frozen=True, slots=True)
class Collection:
    """Everything that one check run sent, by name. `error` is what `run()` returned."""

    metrics: tuple[Sent, ...]
    service_checks: tuple[Sent, ...]
    error: str = ''


def collect(check: AgentCheck) -> Collection:
    """Run the check as the Agent does, with the stub of its aggregator. The stub is empty afterwards."""
    aggregator.reset()
    error = check.run()
    collection = Collection(
        tuple(
            Sent(name, sent.value, tuple(sent.tags))
            for name in sorted(aggregator.metric_names)
            for sent in aggregator.metrics(name)
        ),
        tuple(
            Sent(name, sent.status, tuple(sent.tags), sent.message)
            for name in sorted(aggregator.service_check_names)
            for sent in aggregator.service_checks(name)
        ),
        error,
    )
    aggregator.reset()
    return collection
