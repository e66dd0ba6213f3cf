# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The values that each field of the kubelet's configuration accepts, by release: the rows for `validation.py`.

Unless noted, the source is `pkg/kubelet/apis/config/validation/validation.go`, `ValidateKubeletConfiguration`,
Kubernetes 1.20 to 1.37. A row without releases applies to all of them. `since` and `until` are inclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import eq
from typing import Final

from datadog_checks.kubelet_compliance.kubelet.formats.go import MILLISECOND, SECOND
from datadog_checks.kubelet_compliance.kubelet.release import OLDEST


@dataclass(frozen=True, slots=True)
class Range:
    """The lowest and highest value of a number or duration (in nanoseconds). `wanted`: the range in other words."""

    path: str
    low: int
    high: int | None = None
    since: int = OLDEST
    wanted: str = ''

    def __str__(self) -> str:
        return self.wanted or (f'at least {self.low}' if self.high is None else f'{self.low} to {self.high}')


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a field accepts. `gate`: the row applies only while that feature gate is on."""

    path: str
    allowed: tuple[str, ...]
    since: int = OLDEST
    until: int | None = None
    gate: str | None = None


def is_given(value: object) -> bool:
    return value is not None


def is_positive(value: object) -> bool:
    return isinstance(value, int | float) and value > 0


def is_exactly(name: str) -> Callable[[object], bool]:
    return partial(eq, name)


def is_other_than(default: str | int) -> Callable[[object], bool]:
    return lambda value: value not in (None, default)


@dataclass(frozen=True, slots=True)
class NeededGate:
    """A setting that is refused while a feature gate is off. `when`: whether that applies to a value."""

    path: str
    gate: str
    when: Callable[[object], bool] = bool
    since: int = OLDEST
    until: int | None = None


RANGES: Final = (
    Range('containerLogMaxFiles', 2, since=33),  # earlier releases: NewContainerLogManager, see startup_values.py
    Range('containerLogMaxWorkers', 1, since=30),
    Range('containerLogMonitorInterval', 3 * SECOND, since=30, wanted='at least 3s'),
    Range('eventBurst', 0),
    Range('eventRecordQPS', 0),
    Range('healthzPort', 0, 65535),
    Range('imageGCHighThresholdPercent', 0, 100),
    Range('imageGCLowThresholdPercent', 0, 100),
    Range('imageMaximumGCAge', 0, since=29, wanted='zero or more'),
    Range('imageMinimumGCAge', 0, since=36, wanted='zero or more'),
    Range('iptablesDropBit', 0, 31),
    Range('iptablesMasqueradeBit', 0, 31),
    Range('kubeAPIBurst', 0),
    Range('kubeAPIQPS', 0),
    # component-base logs/api/v1/options.go Validate. Before 1.35, klog's StartFlushDaemon panics.
    Range('logging.flushFrequency', 1, since=25, wanted='more than zero'),
    Range('maxOpenFiles', 0),
    Range('maxParallelImagePulls', 1, since=27),
    Range('maxPods', 0),
    Range('nodeLeaseDurationSeconds', 1),
    Range('nodeStatusMaxImages', -1),
    Range('oomScoreAdj', -1000, 1000),
    Range('podsPerCore', 0),
    Range('port', 1, 65535),
    Range('readOnlyPort', 0, 65535),
    Range('registryBurst', 0),
    Range('registryPullQPS', 0),
    # component-base tracing/api/v1/config.go
    Range('tracing.samplingRatePerMillion', 0, 1_000_000, since=25),
)

# Ranges that apply only while a gate is on. The kubelet compares the restart period in whole milliseconds.
QUOTA_PERIOD: Final = Range('cpuCFSQuotaPeriod', MILLISECOND, SECOND, wanted='between 1ms and 1s')
FINER_UNTIL: Final = 25
"""Up to this release, cpuCFSQuotaPeriod can be as short as 1us."""
RESTART_PERIOD: Final = Range(
    'crashLoopBackOff.maxContainerRestartPeriod',
    SECOND,
    300 * SECOND + MILLISECOND - 1,
    since=32,
    wanted='between 1s and 300s',
)

# Also TLSVersion (component-base cli/flag/ciphersuites_flag.go) and Validate (logs/api/v1)
NAMES: Final = (
    Names('hairpinMode', ('none', 'hairpin-veth', 'promiscuous-bridge')),
    Names('logging.format', ('text', 'json')),
    Names('memoryReservationPolicy', ('None', 'TieredReservation'), since=36),
    Names('memorySwap.swapBehavior', ('', 'LimitedSwap', 'UnlimitedSwap'), since=22, until=29, gate='NodeSwap'),
    Names('memorySwap.swapBehavior', ('', 'NoSwap', 'LimitedSwap'), since=30, gate='NodeSwap'),
    Names(
        'imagePullCredentialsVerificationPolicy',
        ('NeverVerify', 'NeverVerifyPreloadedImages', 'NeverVerifyAllowlistedImages', 'AlwaysVerify'),
        since=33,
        gate='KubeletEnsureSecretPulledImages',
    ),
    Names('tlsMinVersion', ('', 'VersionTLS10', 'VersionTLS11', 'VersionTLS12', 'VersionTLS13')),
    Names('topologyManagerPolicy', ('none', 'best-effort', 'restricted', 'single-numa-node')),
    Names('topologyManagerScope', ('container', 'pod')),
)

NEEDED_GATES: Final = (
    NeededGate('cpuCFSQuotaPeriod', 'CustomCPUCFSQuotaPeriod', is_other_than(100 * MILLISECOND)),
    NeededGate('crashLoopBackOff.maxContainerRestartPeriod', 'KubeletCrashLoopBackOffMax', is_given, since=32),
    NeededGate('defaultPodSysctls', 'DefaultPodSysctls', since=37),
    NeededGate('enableSystemLogQuery', 'NodeLogQuery', since=27),
    NeededGate('imageMaximumGCAge', 'ImageMaximumGCAge', since=29),
    NeededGate('imagePullCredentialsVerificationPolicy', 'KubeletEnsureSecretPulledImages', since=33),
    NeededGate('logging.format', 'LoggingBetaOptions', is_exactly('json'), since=25),  # logs/api/v1/options.go Validate
    NeededGate('memoryReservationPolicy', 'MemoryQoS', is_exactly('TieredReservation'), since=36),
    NeededGate('memorySwap.swapBehavior', 'NodeSwap', since=22),
    NeededGate('preloadedImagesVerificationAllowlist', 'KubeletEnsureSecretPulledImages', since=33),
    NeededGate('serverTLSBootstrap', 'RotateKubeletServerCertificate'),
    NeededGate('shutdownGracePeriod', 'GracefulNodeShutdown', is_positive),
    NeededGate('shutdownGracePeriodByPodPriority', 'GracefulNodeShutdownBasedOnPodPriority', since=23),
    NeededGate('shutdownGracePeriodCriticalPods', 'GracefulNodeShutdown', is_positive),
    NeededGate('topologyManagerPolicy', 'TopologyManager', is_other_than('none'), until=26),
    NeededGate('topologyManagerScope', 'TopologyManager', is_other_than('container'), until=26),
    NeededGate('tracing', 'KubeletTracing', is_given, since=25, until=33),
)

THROTTLING_DEFAULT: Final = 0.9
"""The default of memoryThrottlingFactor up to 1.36. 1.37 accepts it without the gate MemoryQoS."""

# The values of enforceNodeAllocatable, and the field that must then name a cgroup (pkg/kubelet/types/constants.go).
# 1.32 introduced those that end in -compressible.
ENFORCEMENTS: Mapping[str, str | None] = {
    'none': None,
    'pods': None,
    'kube-reserved': 'kubeReservedCgroup',
    'kube-reserved-compressible': 'kubeReservedCgroup',
    'system-reserved': 'systemReservedCgroup',
    'system-reserved-compressible': 'systemReservedCgroup',
}

# component-base cli/flag/curves_flag.go: the curves of Go's crypto/tls, by their numbers
CURVES: Final = frozenset({23, 24, 25, 29, 4587, 4588, 4589})

# pkg/kubelet/apis/config/validation/validation_linux.go
ID_UNIT: Final = 65536
MOST_IDS: Final = 2**32 - 1

# component-helpers node/util/sysctl/namespace.go, up to 1.37. Older kubelets accept any name with these prefixes.
SYSCTL_PREFIXES: Final = ('fs.mqueue.', 'kernel.msg', 'kernel.sem', 'kernel.shm', 'net.')

# pkg/util/taints/taints.go validateTaintEffect, which accepts an empty effect
TAINT_EFFECTS = frozenset({'', 'NoExecute', 'NoSchedule', 'PreferNoSchedule'})

# component-base tracing/api/v1/config.go validateEndpoint
TRACING_SCHEMES = frozenset({'dns', 'unix', 'unix-abstract'})

# component-base cli/flag/ciphersuites_flag.go: all suites of Go's crypto/tls, secure or not, and two older names
CIPHER_SUITES = frozenset(
    {'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'}
    | {
        f'TLS_{key}_WITH_{cipher}'
        for key in ('ECDHE_ECDSA', 'ECDHE_RSA', 'RSA')
        for cipher in ('RC4_128_SHA', 'AES_128_CBC_SHA', 'AES_128_CBC_SHA256', 'AES_256_CBC_SHA')
    }
    | {
        f'TLS_{key}_WITH_{cipher}'
        for key in ('ECDHE_ECDSA', 'ECDHE_RSA', 'RSA')
        for cipher in ('AES_128_GCM_SHA256', 'AES_256_GCM_SHA384')
    }
    | {f'TLS_ECDHE_{key}_WITH_CHACHA20_POLY1305{end}' for key in ('ECDSA', 'RSA') for end in ('', '_SHA256')}
    | {'TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA', 'TLS_RSA_WITH_3DES_EDE_CBC_SHA'}
)
