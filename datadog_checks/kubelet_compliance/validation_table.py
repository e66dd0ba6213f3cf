# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What each field of the kubelet's configuration may hold: the rows that `validation.py` reads.

They hold for the kubelets from 1.32 to 1.36 alike. Except where noted they come from
`pkg/kubelet/apis/config/validation/validation.go`, `ValidateKubeletConfiguration`.
"""

from collections.abc import Mapping

MILLISECOND = 1_000_000
SECOND = 1000 * MILLISECOND

# path, lowest, highest
RANGES: tuple[tuple[str, int, int | None], ...] = (
    ('containerLogMaxFiles', 2, None),  # pkg/kubelet/logs/container_log_manager.go NewContainerLogManager
    ('containerLogMaxWorkers', 1, None),
    ('eventBurst', 0, None),
    ('eventRecordQPS', 0, None),
    ('healthzPort', 0, 65535),
    ('imageGCHighThresholdPercent', 0, 100),
    ('imageGCLowThresholdPercent', 0, 100),
    ('iptablesDropBit', 0, 31),
    ('iptablesMasqueradeBit', 0, 31),
    ('kubeAPIBurst', 0, None),
    ('kubeAPIQPS', 0, None),
    ('logging.verbosity', 0, 2**31 - 1),  # component-base logs/api/v1/options.go Validate
    ('maxOpenFiles', 0, None),
    ('maxParallelImagePulls', 1, None),
    ('maxPods', 0, None),
    ('nodeLeaseDurationSeconds', 1, None),
    ('nodeStatusMaxImages', -1, None),
    ('oomScoreAdj', -1000, 1000),
    ('podsPerCore', 0, None),
    ('port', 1, 65535),
    ('readOnlyPort', 0, 65535),
    ('registryBurst', 0, None),
    ('registryPullQPS', 0, None),
    ('tracing.samplingRatePerMillion', 0, 1_000_000),  # component-base tracing/api/v1/config.go
)

# path, lowest, highest (nanoseconds), and how to say it. Without a check of the flush frequency, an older kubelet
# panics in klog's StartFlushDaemon. The restart period is compared in whole milliseconds.
DURATIONS: tuple[tuple[str, int, int | None, str], ...] = (
    ('containerLogMonitorInterval', 3 * SECOND, None, 'at least 3s'),
    ('cpuCFSQuotaPeriod', MILLISECOND, SECOND, 'between 1ms and 1s'),
    ('crashLoopBackOff.maxContainerRestartPeriod', SECOND, 300 * SECOND + MILLISECOND - 1, 'between 1s and 300s'),
    ('imageMaximumGCAge', 0, None, 'zero or more'),
    ('logging.flushFrequency', 1, None, 'more than zero'),
)

# Also from NewManager (pkg/kubelet/cm/cpumanager, memorymanager; BestEffort is for Windows), TLSVersion (component-base
# cli/flag/ciphersuites_flag.go), Validate (logs/api/v1) and NewMainKubelet (change detection, where there is a client).
ENUMS: Mapping[str, tuple[str, ...]] = {
    'configMapAndSecretChangeDetectionStrategy': ('Get', 'Cache', 'Watch'),
    'cpuManagerPolicy': ('none', 'static'),
    'hairpinMode': ('none', 'hairpin-veth', 'promiscuous-bridge'),
    'logging.format': ('', 'text', 'json'),
    'memoryManagerPolicy': ('None', 'Static', 'BestEffort'),
    'memorySwap.swapBehavior': ('', 'NoSwap', 'LimitedSwap'),
    'tlsMinVersion': ('', 'VersionTLS10', 'VersionTLS11', 'VersionTLS12', 'VersionTLS13'),
    'topologyManagerPolicy': ('none', 'best-effort', 'restricted', 'single-numa-node'),
    'topologyManagerScope': ('container', 'pod'),
}

# pkg/features/kube_features.go: gates that none of these versions lets be switched off
LOCKED = frozenset(
    {
        'CustomResourceFieldSelectors',
        'LogarithmicScaleDown',
        'PodSchedulingReadiness',
        'ServiceAccountTokenJTI',
        'ServiceAccountTokenNodeBindingValidation',
        'ServiceAccountTokenPodNodeInfo',
        'TopologyManagerPolicyOptions',
    }
)

# The same file: gates that stay beta, and so on unless AllBeta or they themselves are false
BETA = frozenset({'GracefulNodeShutdown', 'GracefulNodeShutdownBasedOnPodPriority', 'RotateKubeletServerCertificate'})

# path, its gate, and the value that does not need it. Where a gate became locked on the way (NodeSwap), setting it to
# false is refused by the newer versions, and using the feature then by the older.
NEEDS_GATE: tuple[tuple[str, str, int | None], ...] = (
    ('cpuCFSQuotaPeriod', 'CustomCPUCFSQuotaPeriod', 100 * MILLISECOND),
    ('enableSystemLogQuery', 'NodeLogQuery', None),
    ('imageMaximumGCAge', 'ImageMaximumGCAge', None),
    ('memorySwap.swapBehavior', 'NodeSwap', None),
    ('serverTLSBootstrap', 'RotateKubeletServerCertificate', None),
    ('shutdownGracePeriod', 'GracefulNodeShutdown', None),
    ('shutdownGracePeriodByPodPriority', 'GracefulNodeShutdownBasedOnPodPriority', None),
    ('shutdownGracePeriodCriticalPods', 'GracefulNodeShutdown', None),
    ('tracing', 'KubeletTracing', None),
)

# What enforceNodeAllocatable may hold, and the field that must then name a cgroup; pkg/kubelet/types/constants.go
ENFORCEMENTS: Mapping[str, str | None] = {
    'none': None,
    'pods': None,
    'kube-reserved': 'kubeReservedCgroup',
    'kube-reserved-compressible': 'kubeReservedCgroup',
    'system-reserved': 'systemReservedCgroup',
    'system-reserved-compressible': 'systemReservedCgroup',
}

# cmd/kubelet/app/server.go parseResourceList
RESERVABLE = frozenset({'cpu', 'memory', 'ephemeral-storage', 'pid'})

# pkg/kubelet/eviction/helpers.go signalToResource
SIGNALS = frozenset(
    {'allocatableMemory.available', 'memory.available', 'pid.available'}
    | {f'{name}.{what}' for name in ('containerfs', 'imagefs', 'nodefs') for what in ('available', 'inodesFree')}
)

# pkg/util/taints/taints.go validateTaintEffect; an empty effect passes
TAINT_EFFECTS = frozenset({'', 'NoExecute', 'NoSchedule', 'PreferNoSchedule'})

# pkg/kubelet/cm/cpumanager/policy_options.go: options that are booleans; each release adds some
STATIC_CPU_OPTIONS = ('align-by-socket', 'distribute-cpus-across-numa', 'full-pcpus-only')

# component-helpers node/util/sysctl/namespace.go, `kernel.` as a whole so that a namespace added there does no harm
SYSCTL_PREFIXES = ('fs.mqueue.', 'kernel.', 'net.')

# component-base tracing/api/v1/config.go validateEndpoint
TRACING_SCHEMES = frozenset({'dns', 'unix', 'unix-abstract'})

# component-base cli/flag/ciphersuites_flag.go: all that Go's crypto/tls names, secure or not, and two older names
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
