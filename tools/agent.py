# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Stands for the Agent: runs a check and takes all that it sends."""

from __future__ import annotations

from dataclasses import dataclass

from datadog_checks.base import AgentCheck
from datadog_checks.base.stubs import aggregator
from datadog_checks.base.types import ServiceCheck

STATUS_NAMES = ServiceCheck._fields
"""The names of the statuses as service checks number them."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A metric or a service check that the check sent. `value`: of a service check its status."""

    name: str
    value: float
    tags: tuple[str, ...]
    message: str = ''


@dataclass(frozen=True, slots=True)
class Collection:
    """All that one run of the check sent, by name. `error`: what `run()` returned."""

    metrics: tuple[Sent, ...]
    service_checks: tuple[Sent, ...]
    error: str = ''


def collect(check: AgentCheck) -> Collection:
    """A collection as the Agent makes it, into the stub of its aggregator, which holds nothing afterwards."""
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
