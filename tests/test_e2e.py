# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check in a real Agent, with the real kubelet of a kind cluster. Requires Docker, kind, and kubectl.

Run it with `ddev env test --dev kubelet_compliance py3.13`. Without ddev, it is skipped.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from datadog_checks.base import AgentCheck
from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.dev.utils import get_metadata_metrics

RULE = 'kubelet_compliance.rule'


def status_of(aggregator: AggregatorStub, rule: str) -> int:
    """The status of the only service check for a rule."""
    (sent,) = [each for each in aggregator.service_checks(RULE) if f'rule:{rule}' in each.tags]
    status: int = sent.status
    return status


@pytest.mark.e2e
def test_the_kubelet_of_a_kind_cluster_is_evaluated(dd_agent_check: Callable[..., AggregatorStub]) -> None:
    aggregator = dd_agent_check()
    aggregator.assert_metric('kubelet_compliance.kubelet.found', value=1, count=1)
    aggregator.assert_metric('kubelet_compliance.node.compliant', value=0)
    # Set to false in kind/cluster.yaml.
    assert status_of(aggregator, 'make_iptables_util_chains') == AgentCheck.CRITICAL
    # kubeadm turns off anonymous requests.
    assert status_of(aggregator, 'anonymous_auth') == AgentCheck.OK
    (evidence,) = aggregator.service_checks('kubelet_compliance.kubelet')
    # A warning if AppArmor keeps the Agent from the kubelet's files.
    assert evidence.status in (AgentCheck.OK, AgentCheck.WARNING), evidence.message
    aggregator.assert_metrics_using_metadata(get_metadata_metrics())
