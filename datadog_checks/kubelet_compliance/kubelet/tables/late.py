# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a kubelet's start takes, by release: the rows that `late_refusals.py` reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# cmd/kubelet/app/auth.go BuildAuthz; the default, which takes the place of an empty mode in a file, is filled in before
AUTHORIZATION_MODES: Final = ('AlwaysAllow', 'Webhook')

# pkg/kubelet/kubelet.go NewMainKubelet, with a client only
STRATEGIES: Final = ('Get', 'Cache', 'Watch')

# net/http h2_bundle.go http2ConfigureServer
HTTP2_SUITES: Final = ('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256')


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a manager: the first minor release that has it, that calls it beta, and that calls it stable.

    An alpha option needs its manager's gate for alpha options, a beta option that for beta options.
    """

    since: int
    beta: int | None = None
    stable: int | None = None
    is_boolean: bool = True


@dataclass(frozen=True, slots=True)
class Manager:
    """The options of one manager: their field, the policies under which they are looked at, and their gates.

    `gate` is for options at all, whatever the policy: on by default from the release `beta`, stable from `stable`.
    """

    field: str
    policy: str
    policies: tuple[str, ...]
    gate: str
    beta: int
    stable: int
    options: Mapping[str, Option]
    exclusive: tuple[tuple[str, str], ...] = ()


# pkg/kubelet/cm/cpumanager/policy_options.go and pkg/kubelet/cm/topologymanager/policy_options.go, Kubernetes 1.25 to
# 1.37. A CPU manager with the policy none takes no options at all: late_values.py.
MANAGERS: Final = (
    Manager(
        'cpuManagerPolicyOptions',
        'cpuManagerPolicy',
        ('static',),
        'CPUManagerPolicyOptions',
        23,
        33,
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
        28,
        32,
        {
            'max-allowable-numa-nodes': Option(31, beta=31, stable=35, is_boolean=False),
            'prefer-closest-numa-nodes': Option(26, beta=28, stable=32),
        },
    ),
)
LEAST_NUMA_NODES: Final = 8
UNSEEN: Final = 38
"""From this release on, an option that no row names may be a new one."""

# cloud-provider plugins.go: providers that were compiled in, and the first minor release without them
CLOUD_PROVIDERS: Final[Mapping[str, int]] = {'aws': 27, 'azure': 30, 'gce': 31, 'openstack': 26, 'vsphere': 30}
