# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How the values of flags are parsed."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.flag_values import PARSERS, parse_value
from datadog_checks.kubelet_compliance.kubelet.release import ALL, Release
from datadog_checks.kubelet_compliance.kubelet.tables.flag_kinds import FlagKind
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS

SINCE_23 = frozenset(range(23, 39))


def test_every_kind_has_a_parser() -> None:
    assert set(PARSERS) == set(FlagKind)


@pytest.mark.parametrize(
    'name, text, minors',
    [
        ('topology-manager-policy-options', 'a=1,b=2', ALL),
        ('topology-manager-policy-options', 'a=1,b', frozenset(range(20, 31))),
        ('topology-manager-policy-options', '', frozenset(range(31, 39))),
        ('v', '5', ALL),
        ('v', '2147483647', ALL),
        ('v', '00000000000000005', ALL),
        ('v', '2147483648', frozenset()),
        ('v', '-2147483648', frozenset(range(20, 23))),
        ('v', '+1', frozenset(range(20, 23))),
        ('v', '1_0', frozenset()),
        ('v', '0x5', frozenset()),
        ('v', '', frozenset()),
        ('version', 'false', ALL),
        ('version', 'raw', ALL),
        ('version', 'x', frozenset()),
        ('version', 'v1.36.3', frozenset({36})),
        ('version', 'v1.36.3-eks-a1b2c3', frozenset({36})),
        ('version', 'v1.27.3', frozenset()),
        ('version', 'v1.36', frozenset()),
        ('version', 'v1.036.3', frozenset()),
        ('register-with-taints', 'a=b:NoSchedule', ALL),
        ('register-with-taints', 'a:NoSchedule-', SINCE_23),
        ('register-with-taints', 'a', frozenset(range(20, 23))),
        ('reserved-memory', '0:memory=1Gi', ALL),
        ('reserved-memory', '0:memory=1Gi;1:memory=1Gi', frozenset(range(24, 39))),
        ('register-with-taints', 'a=b:NoSchedule-', SINCE_23),
        ('register-with-taints', 'a-', SINCE_23),
        ('register-with-taints', 'a=:NoSchedule,a:NoExecute', ALL),
        ('register-with-taints', 'a=b:NoSchedule,a=c:NoSchedule', frozenset(range(20, 23))),
        ('register-with-taints', 'a=b', frozenset()),
        ('register-with-taints', 'a=b=c:NoSchedule', frozenset()),
        ('register-with-taints', 'a=.b:NoSchedule', frozenset()),
        ('register-with-taints', 'a b:NoSchedule', frozenset()),
        ('register-with-taints', 'A.B/c:NoSchedule', frozenset()),
        ('register-with-taints', f'{"x" * 64}:NoSchedule', frozenset()),
        ('register-with-taints', 'a:NoRun', frozenset()),
        ('register-with-taints', 'a:NoSchedule:x', frozenset()),
        ('register-with-taints', 'a:NoSchedule,', frozenset()),
        ('reserved-memory', '0:memory=1Gi,hugepages-2Mi=4Mi', ALL),
        ('reserved-memory', '0:memory=1Gi,memory=2Gi', ALL),
        ('reserved-memory', '0:memory=1Gi;0:memory=1Gi', frozenset()),
        ('reserved-memory', '0:memory=0', frozenset()),
        ('reserved-memory', '0:cpu=1', frozenset()),
        ('reserved-memory', '0:memory =1Gi', frozenset()),
        ('vmodule', 'a=2147483647,b=0', ALL),
        ('vmodule', 'a=2147483648', frozenset()),
        ('vmodule', '=1', frozenset()),
        ('make-iptables-util-chains', 'no', frozenset()),
    ],
)
def test_a_value_parses_in_the_releases_that_take_it(name: str, text: str, minors: frozenset[int]) -> None:
    assert {minor for minor in ALL if taken(name, text, Release(minor))} == minors


@pytest.mark.parametrize(
    'name, text',
    [
        ('v', '5'),
        ('version', 'false'),
        ('topology-manager-policy-options', 'a=1'),
        ('register-with-taints', 'a=b:NoSchedule'),
        ('make-iptables-util-chains', 'false'),
    ],
)
def test_a_value_that_all_releases_read_alike_asks_for_none(name: str, text: str) -> None:
    release = Release(36)
    assert taken(name, text, release)
    assert release.asked == set()


def test_a_value_can_mean_two_things_in_two_releases() -> None:
    flag = FLAGS['topology-manager-policy-options']
    assert parse_value(flag, 'a=1,b=2', Release(30)) == {'a': '1,b=2'}
    assert parse_value(flag, 'a=1,b=2', Release(31)) == {'a': '1', 'b': '2'}


def taken(name: str, text: str, release: Release) -> bool:
    try:
        parse_value(FLAGS[name], text, release)
    except ValueError:
        return False
    return True
