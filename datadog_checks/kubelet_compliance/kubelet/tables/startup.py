# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The values that a kubelet accepts at startup, by release: the rows for `startup_checks.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# cmd/kubelet/app/auth.go BuildAuthz. An empty mode in a file gets its default before that.
AUTHORIZATION_MODES: Final = ('AlwaysAllow', 'Webhook')

# pkg/kubelet/kubelet.go NewMainKubelet, only with a client
STRATEGIES: Final = ('Get', 'Cache', 'Watch')

# net/http h2_bundle.go http2ConfigureServer
HTTP2_SUITES: Final = ('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256')


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a manager: the first minor release with it, and those in which it became beta and stable.

    An alpha option requires its manager's gate for alpha options, a beta option the gate for beta options.
    """

    since: int
    beta: int | None = None
    stable: int | None = None
    is_boolean: bool = True


@dataclass(frozen=True, slots=True)
class Manager:
    """The options of one manager: their field, the policies that use them, and their gates.

    `gate`: required for any options, whatever the policy.
    """

    field: str
    policy: str
    policies: tuple[str, ...]
    gate: str
    options: Mapping[str, Option]
    exclusive: tuple[tuple[str, str], ...] = ()


# pkg/kubelet/cm/cpumanager/policy_options.go and pkg/kubelet/cm/topologymanager/policy_options.go, Kubernetes 1.25 to
# 1.37. A CPU manager with the policy none accepts no options at all: see startup_values.py.
MANAGERS: Final = (
    Manager(
        'cpuManagerPolicyOptions',
        'cpuManagerPolicy',
        ('static',),
        'CPUManagerPolicyOptions',
        {
            'align-by-socket': Option(25),
            'distribute-cpus-across-cores': Option(31),
            'distribute-cpus-across-numa': Option(23, beta=33),
            'full-pcpus-only': Option(22, beta=23, stable=33),
            'prefer-align-cpus-by-uncorecache': Option(31, beta=34, stable=36),
            'strict-cpu-reservation': Option(32, beta=33, stable=35),
        },
        (
            ('full-pcpus-only', 'distribute-cpus-across-cores'),
            ('distribute-cpus-across-numa', 'distribute-cpus-across-cores'),
            ('prefer-align-cpus-by-uncorecache', 'distribute-cpus-across-cores'),
            ('prefer-align-cpus-by-uncorecache', 'distribute-cpus-across-numa'),
        ),
    ),
    Manager(
        'topologyManagerPolicyOptions',
        'topologyManagerPolicy',
        ('best-effort', 'restricted', 'single-numa-node'),
        'TopologyManagerPolicyOptions',
        {
            'max-allowable-numa-nodes': Option(31, beta=31, stable=35, is_boolean=False),
            'prefer-closest-numa-nodes': Option(26, beta=28, stable=32),
        },
    ),
)
LEAST_NUMA_NODES: Final = 8
UNSEEN: Final = 38
"""From this release on, an option without a row can be a new one."""

# cloud-provider plugins.go: built-in providers, and the first minor release without them
CLOUD_PROVIDERS: Final[Mapping[str, int]] = {'aws': 27, 'azure': 30, 'gce': 31, 'openstack': 26, 'vsphere': 30}
