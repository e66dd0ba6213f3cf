# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The values that a kubelet refuses only during startup."""

from __future__ import annotations

from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.release import Release
from datadog_checks.kubelet_compliance.kubelet.startup_values import VALUE_CHECKS, startup_value_problems
from tests.kubelet.test_validation import changed

STATIC = {'cpuManagerPolicy': 'static', 'kubeReserved': {'cpu': '100m'}}

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ('static CPUs without a reservation', {'cpuManagerPolicy': 'static'}, 'cpuManagerPolicy'),
    (
        'static CPUs with a reservation of zero',
        {'cpuManagerPolicy': 'static', 'kubeReserved': {'cpu': '0m'}},
        'cpuManagerPolicy',
    ),
    (
        'CPU options for policy none',
        {'cpuManagerPolicyOptions': {'full-pcpus-only': 'true'}},
        'cpuManagerPolicyOptions',
    ),
    ('unknown reserved resource', {'kubeReserved': {'disk': '1Gi'}}, 'kubeReserved'),
    ('reserved resource that is no quantity', {'systemReserved': {'memory': '1GB'}}, 'systemReserved'),
    ('negative reserved resource', {'systemReserved': {'memory': '-1Mi'}}, 'systemReserved'),
    ('qosReserved over 100%', {'qosReserved': {'memory': '101%'}}, 'qosReserved'),
    ('qosReserved without %', {'qosReserved': {'memory': '50'}}, 'qosReserved'),
    ('qosReserved of cpu', {'qosReserved': {'cpu': '50%'}}, 'qosReserved'),
    ('unknown eviction signal', {'evictionHard': {'memory.free': '1Mi'}}, 'evictionHard'),
    ('eviction at a quantity of zero', {'evictionHard': {'memory.available': '0'}}, 'evictionHard'),
    ('eviction at a negative quantity', {'evictionHard': {'memory.available': '-1Mi'}}, 'evictionHard'),
    ('eviction at no quantity', {'evictionHard': {'memory.available': '1 Mi'}}, 'evictionHard'),
    ('eviction at a negative percentage', {'evictionHard': {'memory.available': '-1%'}}, 'evictionHard'),
    ('eviction at no percentage', {'evictionHard': {'memory.available': 'ten%'}}, 'evictionHard'),
    ('soft eviction without a grace period', {'evictionSoft': {'memory.available': '1Gi'}}, 'evictionSoftGracePeriod'),
    ('negative grace period', {'evictionSoftGracePeriod': {'memory.available': '-1s'}}, 'evictionSoftGracePeriod'),
    ('grace period without unit', {'evictionSoftGracePeriod': {'memory.available': '30'}}, 'evictionSoftGracePeriod'),
    ('minimum reclaim of 0%', {'evictionMinimumReclaim': {'memory.available': '0%'}}, 'evictionMinimumReclaim'),
    ('negative minimum reclaim', {'evictionMinimumReclaim': {'memory.available': '-1'}}, 'evictionMinimumReclaim'),
    ('containerLogMaxSize that is no quantity', {'containerLogMaxSize': '10MB'}, 'containerLogMaxSize'),
    ('empty containerLogMaxSize', {'containerLogMaxSize': ''}, 'containerLogMaxSize'),
    *(
        (f'containerLogMaxSize {size}, which is no int64', {'containerLogMaxSize': size}, 'containerLogMaxSize')
        for size in ('0.5', '1500m', '1.0', '1e-3', '1e30', '10E', '1.5Gi', '100Ti', '9223372036854775807')
    ),
    *(
        (f'eviction at {share}', {'evictionHard': {'memory.available': share}}, 'evictionHard')
        for share in ('150%', '101%', '100.00001%', 'Inf%', '-Inf%', '0x10%', '1e99%', '0x1p99999%')
    ),
    (
        'soft eviction at 101%',
        {'evictionSoft': {'memory.available': '101%'}, 'evictionSoftGracePeriod': {'memory.available': '1s'}},
        'evictionSoft',
    ),
    (
        'minimum reclaim of no number',
        {'evictionMinimumReclaim': {'memory.available': '0x10%'}},
        'evictionMinimumReclaim',
    ),
    ('sysctl of no namespace', {'allowedUnsafeSysctls': ['kernel.pid_max']}, 'allowedUnsafeSysctls'),
    ('runtime over TCP', {'containerRuntimeEndpoint': 'tcp://localhost:1'}, 'containerRuntimeEndpoint'),
    ('images over TCP', {'imageServiceEndpoint': 'tcp://localhost:1'}, 'imageServiceEndpoint'),
    ('sysctl that is not namespaced', {'allowedUnsafeSysctls': ['vm.swappiness']}, 'allowedUnsafeSysctls'),
    ('all sysctls', {'allowedUnsafeSysctls': ['*']}, 'allowedUnsafeSysctls'),
    ('policy of the other manager', {'memoryManagerPolicy': 'none'}, 'memoryManagerPolicy'),
    ('unknown CPU policy', {'cpuManagerPolicy': 'bogus'}, 'cpuManagerPolicy'),
    ('verbosity of 2^31', {'logging.verbosity': 2**31}, 'logging.verbosity'),
]

ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ('static CPUs with a reservation', STATIC),
    ('static CPUs with reserved CPUs', {'cpuManagerPolicy': 'static', 'reservedSystemCPUs': '0'}),
    (
        'options for static CPUs',
        STATIC | {'cpuManagerPolicyOptions': {'full-pcpus-only': 'T', 'of-a-later-release': '7'}},
    ),
    ('reserved CPUs in place of an invalid amount', {'reservedSystemCPUs': '0', 'kubeReserved': {'cpu': '-1'}}),
    (
        'all reserved resources',
        {'kubeReserved': {'cpu': '.5', 'memory': '1e3', 'ephemeral-storage': '1Gi', 'pid': '1k'}},
    ),
    ('reserved resource with an exponent out of bounds', {'kubeReserved': {'memory': '1e999999999'}}),
    ('qosReserved of 100%', {'qosReserved': {'memory': '100%'}}),
    ('eviction at 0% and 100%', {'evictionHard': {'memory.available': '0%', 'nodefs.available': '100%'}}),
    ('eviction at a fraction of a percent', {'evictionHard': {'memory.available': '0.5%'}}),
    ('eviction at 100% as 32 bits hold it', {'evictionHard': {'memory.available': '100.000001%'}}),
    ('eviction at a hexadecimal percentage', {'evictionHard': {'memory.available': '0x10p0%'}}),
    ('minimum reclaim over 100%', {'evictionMinimumReclaim': {'memory.available': '101%', 'pid.available': 'Inf%'}}),
    *((f'containerLogMaxSize {size}', {'containerLogMaxSize': size}) for size in ('1.5k', '.5k', '1e3', '10Ti', '0')),
    (
        'soft eviction',
        {'evictionSoft': {'memory.available': '1Gi'}, 'evictionSoftGracePeriod': {'memory.available': '1m30s'}},
    ),
    ('soft eviction that is dropped', {'evictionSoft': {'memory.available': '0%'}}),
    ('minimum reclaim of zero', {'evictionMinimumReclaim': {'memory.available': '0', 'pid.available': '5%'}}),
    ('no rotation of logs', {'containerLogMaxSize': '-1'}),
    ('runtime by a bare path', {'containerRuntimeEndpoint': '/run/a.sock'}),
    ('runtime by a unix socket', {'containerRuntimeEndpoint': 'unix:///run/a.sock'}),
    (
        'sysctls',
        {
            'allowedUnsafeSysctls': [
                'kernel.msg*',
                'kernel.sem',
                'kernel.shm*',
                'net/core/somaxconn',
                'net.*',
                'fs.mqueue.*',
            ]
        },
    ),
]


def refused(changes: dict[str, Any], minor: int = 36) -> set[str]:
    return {problem.field for problem in startup_value_problems(changed(changes), Release(minor))}


@pytest.mark.parametrize(('changes', 'field'), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_what_ends_a_kubelet_is_a_problem(changes: dict[str, Any], field: str) -> None:
    assert refused(changes) == {field}


@pytest.mark.parametrize('changes', [pytest.param(row[1], id=row[0]) for row in ACCEPTED])
def test_what_a_kubelet_serves_with_is_no_problem(changes: dict[str, Any]) -> None:
    assert refused(changes) == set()


def test_the_signals_of_the_container_file_system_came_with_1_29() -> None:
    changes = {'evictionHard': {'containerfs.available': '5%'}}
    assert refused(changes, 28) == {'evictionHard'}
    assert refused(changes, 29) == set()


def test_thresholds_over_100_percent_are_refused_since_1_21() -> None:
    """Up to 1.20, the kubelet divides by 100, and then compares with 100."""
    changes = {'evictionHard': {'memory.available': '150%'}}
    assert refused(changes, 20) == set()
    assert refused(changes, 21) == {'evictionHard'}


def test_one_log_file_is_refused_during_startup_before_1_33() -> None:
    assert refused({'containerLogMaxFiles': 1}, 32) == {'containerLogMaxFiles'}
    assert refused({'containerLogMaxFiles': 1}, 33) == set()


def test_every_check_has_a_refused_row() -> None:
    silent = [
        rule.__name__ for rule in VALUE_CHECKS if not any(list(rule(changed(row[1]), Release(36))) for row in REFUSED)
    ]
    assert silent == []
