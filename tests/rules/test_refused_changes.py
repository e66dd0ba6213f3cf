# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Fixes that a kubelet would refuse, or that would not help: the message says so, and proposes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from datadog_checks.kubelet_compliance.collection.judging import judge_kubelet, resolve_settings
from datadog_checks.kubelet_compliance.model import Finding, Verdict
from datadog_checks.kubelet_compliance.rules.custom_rules import custom_rules
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.custom import row
from tests.support.upgrades import evidence_of, kubelet_of


def finding_on(asked: dict[str, Any], *flags: str, config: str = '', **node: Any) -> Finding:
    """The finding on a kubelet of Kubernetes 1.36 with a config file."""
    selection = select('cis-1.24', ['custom'], custom=custom_rules([asked]))
    kubelet = kubelet_of(evidence_of(*flags, config=config, **node), 36)
    (finding,) = judge_kubelet(kubelet, resolve_settings(kubelet, selection), {}, selection, frozenset()).findings
    return finding


ON_V1 = {'config': 'failCgroupV1: false\nsingleProcessOOMKill: true\n', 'uses_cgroup_v1': True}


@pytest.mark.parametrize(
    'asked, node, refused',
    [
        (row('authorization.mode', is_='webhook'), {}, 'authorization.mode must be one of AlwaysAllow, Webhook'),
        (row('syncFrequency', at_most='-1m'), {}, 'syncFrequency must not be negative'),
        (row('readOnlyPort', is_=10250), {}, 'readOnlyPort must not be the same as port'),
        (row('tlsCipherSuites', is_=['TLS_RSA_WITH_AES_256_GCM_SHA384']), {}, 'tlsCipherSuites must contain TLS_ECDHE'),
        (row('memoryManagerPolicy', is_='Static'), {}, 'reservedMemory must reserve memory'),
        (row('cpuManagerPolicy', is_='static'), {}, 'cpuManagerPolicy static requires cpu in kubeReserved'),
        (row('failCgroupV1', is_=True), ON_V1, 'the kubelet does not start on cgroup v1, which the node uses'),
        (row('singleProcessOOMKill', is_=False), ON_V1, 'the kubelet does not start on cgroup v1, which the node uses'),
        (
            row('--root-dir', is_='kubelet'),
            {},
            '--root-dir=kubelet: the kubelet would refuse to start (--root-dir must',
        ),
        (row('--exit-on-lock-contention', is_=True), {}, '--exit-on-lock-contention requires --lock-file'),
        (row('--cloud-provider', is_='aws'), {}, '--cloud-provider must be external'),
        (
            row('--node-ip', is_='1.1.1.1,2.2.2.2'),
            {},
            '--node-ip must contain one IP address, or one IPv4 and one IPv6',
        ),
    ],
)
def test_what_a_kubelet_refuses_at_its_start_is_not_proposed(
    asked: dict[str, Any], node: dict[str, Any], refused: str
) -> None:
    finding = finding_on(asked, **node)
    assert finding.verdict is Verdict.NON_COMPLIANT
    assert '. Do not set ' in finding.message and refused in finding.message
    assert 'To fix it' not in finding.message


@pytest.mark.parametrize(
    'asked, flags, node, proposed',
    [
        (row('authorization.mode', is_='AlwaysAllow'), (), {}, 'set mode: AlwaysAllow under authorization:'),
        (row('failCgroupV1', is_=True), (), {'config': 'failCgroupV1: false\n'}, 'set failCgroupV1: true'),
        (row('--root-dir', is_='/k'), (), {}, 'set --root-dir=/k'),
        (row('--exit-on-lock-contention', is_=True), ('--lock-file=/l',), {}, 'set --exit-on-lock-contention=true'),
        (row('--root-dir', not_set=True), ('--root-dir=kubelet',), {}, 'remove --root-dir'),
        (row('maxPods', at_most=0), ('--max-pods=5',), {}, 'set --max-pods=0'),
    ],
)
def test_what_a_kubelet_accepts_is_proposed(
    asked: dict[str, Any], flags: tuple[str, ...], node: dict[str, Any], proposed: str
) -> None:
    finding = finding_on(asked, *flags, **node)
    assert finding.verdict is Verdict.NON_COMPLIANT
    assert 'To fix it' in finding.message and proposed in finding.message


@pytest.mark.parametrize(
    'asked, config, said',
    [
        (
            row('streamingConnectionIdleTimeout', is_='0s'),
            'streamingConnectionIdleTimeout: 0s\n',
            'replace streamingConnectionIdleTimeout: 0s with 4h0m0s. Correct the rule, or use '
            '--streaming-connection-idle-timeout',
        ),
        (row('maxPods', at_most=0), '', 'replace maxPods: 0 with 110. Correct the rule, or use --max-pods'),
        (row('cgroupDriver', not_set=True), '', 'replace cgroupDriver: "" with cgroupfs. Correct the rule, or use --c'),
        (row('nodeLeaseDurationSeconds', is_=0), '', 'replace nodeLeaseDurationSeconds: 0 with 40. Correct the rule'),
    ],
)
def test_a_value_that_the_kubelet_replaces_is_not_proposed(asked: dict[str, Any], config: str, said: str) -> None:
    finding = finding_on(asked, config=config)
    assert finding.verdict is Verdict.NON_COMPLIANT
    assert f'. No value in a config file meets the rule: the kubelet would {said}' in finding.message
    assert 'To fix it' not in finding.message
