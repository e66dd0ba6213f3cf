# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The fields of the kubelet's config file: their types and defaults, by release.

`KubeletConfiguration` of `kubelet.config.k8s.io/v1beta1`, all fields of Kubernetes 1.20 to 1.37, on Linux. Sources:
`config/v1beta1/types.go` in kubernetes/kubelet, `logs` and `tracing` in kubernetes/component-base, and
`pkg/kubelet/apis/config/v1beta1/defaults.go` in kubernetes/kubernetes.

The kubelet refuses a file if one value anywhere in it has the wrong type, but ignores names that it does not know. So
it ignores a wrong type in a field that its release does not have (`since`, `until`).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from datadog_checks.kubelet_compliance.kubelet.formats.go import HOUR, MILLISECOND, MINUTE, SECOND

from .field_kinds import Field, Kind, changed, filled, list_of, map_of, pointer, secret, since, struct, until

BOOL: Final = Field(Kind.BOOL)
INT32: Final = Field(Kind.INT32)
INT64: Final = Field(Kind.INT64)
UINT32: Final = Field(Kind.UINT32)
STRING: Final = Field(Kind.STRING)
DURATION: Final = Field(Kind.DURATION)
STRINGS: Final = list_of(STRING)
STRING_MAP: Final = map_of(STRING)

TOKEN_REVIEW: Final = struct(
    {'enabled': pointer(Kind.BOOL, True, legacy=False), 'cacheTTL': filled(Kind.DURATION, 2 * MINUTE)}
)

AUTHENTICATION: Final = struct(
    {
        'x509': struct({'clientCAFile': STRING}),
        'webhook': TOKEN_REVIEW,
        'anonymous': struct({'enabled': pointer(Kind.BOOL, False, legacy=True)}),
    }
)

AUTHORIZATION: Final = struct(
    {
        'mode': filled(Kind.STRING, 'Webhook', legacy='AlwaysAllow'),
        'webhook': struct(
            {
                'cacheAuthorizedTTL': filled(Kind.DURATION, 5 * MINUTE),
                'cacheUnauthorizedTTL': filled(Kind.DURATION, 30 * SECOND),
            }
        ),
    }
)

LOG_ROUTING: Final = {'splitStream': BOOL, 'infoBufferSize': filled(Kind.QUANTITY, '0')}

LOGGING: Final = struct(
    {
        'format': filled(Kind.STRING, 'text'),
        'sanitization': until(23, BOOL),
        'flushFrequency': since(
            23,
            changed(28, filled(Kind.INT64, 5 * SECOND), filled(Kind.TIME_OR_DURATION, 5 * SECOND)),
        ),
        'verbosity': since(23, UINT32),
        'vmodule': since(23, list_of(struct({'filePattern': STRING, 'verbosity': UINT32}))),
        'options': since(23, struct({'text': since(30, struct(LOG_ROUTING)), 'json': struct(LOG_ROUTING)})),
    }
)

TAINT: Final = struct({'key': STRING, 'value': STRING, 'effect': STRING, 'timeAdded': pointer(Kind.TIME)})

POD_PRIORITY: Final = struct({'priority': INT32, 'shutdownGracePeriodSeconds': INT64})

TRACING: Final = struct(
    {'endpoint': pointer(Kind.STRING), 'samplingRatePerMillion': pointer(Kind.INT32)}, nullable=True
)

# The kubelet fills this in after it reads the file. An explicit {} remains empty.
EVICTION_HARD_OF_FOUR: Final = MappingProxyType(
    {
        'memory.available': '100Mi',
        'nodefs.available': '10%',
        'nodefs.inodesFree': '5%',
        'imagefs.available': '15%',
    }
)
EVICTION_HARD: Final = MappingProxyType({**EVICTION_HARD_OF_FOUR, 'imagefs.inodesFree': '5%'})

RESOLV_CONF: Final = '/etc/resolv.conf'

KUBELET_CONFIGURATION: Final = struct(
    {
        'kind': STRING,
        'apiVersion': STRING,
        'enableServer': pointer(Kind.BOOL, True),
        'staticPodPath': STRING,
        'podLogsDir': since(30, filled(Kind.STRING, '/var/log/pods')),
        'syncFrequency': filled(Kind.DURATION, MINUTE),
        'fileCheckFrequency': filled(Kind.DURATION, 20 * SECOND),
        'httpCheckFrequency': filled(Kind.DURATION, 20 * SECOND),
        'staticPodURL': secret(STRING),
        'staticPodURLHeader': secret(map_of(STRINGS)),
        'address': filled(Kind.STRING, '0.0.0.0'),
        'port': filled(Kind.INT32, 10250),
        'readOnlyPort': Field(Kind.INT32, legacy_default=10255),
        'tlsCertFile': STRING,  # a running kubelet shows its self-signed pair if none was set
        'tlsPrivateKeyFile': STRING,  # as for tlsCertFile
        'tlsCipherSuites': STRINGS,
        'tlsMinVersion': STRING,
        'tlsCurvePreferences': since(36, list_of(INT32)),
        'rotateCertificates': BOOL,
        'serverTLSBootstrap': BOOL,
        'authentication': AUTHENTICATION,
        'authorization': AUTHORIZATION,
        'registryPullQPS': pointer(Kind.INT32, 5),
        'registryBurst': filled(Kind.INT32, 10),
        # The default depends on the gate KubeletEnsureSecretPulledImages, which is on by default since 1.35.
        'imagePullCredentialsVerificationPolicy': since(
            33, changed(35, STRING, filled(Kind.STRING, 'NeverVerifyPreloadedImages'))
        ),
        'preloadedImagesVerificationAllowlist': since(33, list_of(STRING)),
        'eventRecordQPS': changed(27, pointer(Kind.INT32, 5), pointer(Kind.INT32, 50)),
        'eventBurst': changed(27, filled(Kind.INT32, 10), filled(Kind.INT32, 100)),
        'enableDebuggingHandlers': pointer(Kind.BOOL, True),
        'enableContentionProfiling': BOOL,
        'healthzPort': pointer(Kind.INT32, 10248),
        'healthzBindAddress': filled(Kind.STRING, '127.0.0.1'),
        'oomScoreAdj': pointer(Kind.INT32, -999),
        'clusterDomain': STRING,
        'clusterDNS': STRINGS,
        'streamingConnectionIdleTimeout': filled(Kind.DURATION, 4 * HOUR),
        'nodeStatusUpdateFrequency': filled(Kind.DURATION, 10 * SECOND),
        # If nodeStatusUpdateFrequency is set and not 0, its value is the default.
        'nodeStatusReportFrequency': filled(Kind.DURATION, 5 * MINUTE),
        'nodeLeaseDurationSeconds': filled(Kind.INT32, 40),
        'imageMinimumGCAge': filled(Kind.DURATION, 2 * MINUTE),
        'imageMaximumGCAge': since(29, Field(Kind.DURATION)),
        'imageGCHighThresholdPercent': pointer(Kind.INT32, 85),
        'imageGCLowThresholdPercent': pointer(Kind.INT32, 80),
        'volumeStatsAggPeriod': filled(Kind.DURATION, MINUTE),
        'kubeletCgroups': STRING,
        'systemCgroups': STRING,
        'cgroupRoot': STRING,  # '/' later, if cgroupsPerQOS is true
        'cgroupsPerQOS': pointer(Kind.BOOL, True),
        'cgroupDriver': filled(Kind.STRING, 'cgroupfs'),  # newer kubelets then use the container runtime's driver
        'cpuManagerPolicy': filled(Kind.STRING, 'none'),
        'cpuManagerPolicyOptions': since(22, map_of(STRING)),
        'cpuManagerReconcilePeriod': filled(Kind.DURATION, 10 * SECOND),
        'memoryManagerPolicy': since(21, filled(Kind.STRING, 'None')),
        'topologyManagerPolicy': filled(Kind.STRING, 'none'),
        'topologyManagerScope': filled(Kind.STRING, 'container'),
        'topologyManagerPolicyOptions': since(26, map_of(STRING)),
        'qosReserved': STRING_MAP,
        'runtimeRequestTimeout': filled(Kind.DURATION, 2 * MINUTE),
        'hairpinMode': filled(Kind.STRING, 'promiscuous-bridge'),
        'maxPods': filled(Kind.INT32, 110),
        'podCIDR': STRING,
        'podPidsLimit': pointer(Kind.INT64, -1),  # any negative number becomes -1, but 0 remains 0
        'resolvConf': changed(23, filled(Kind.STRING, RESOLV_CONF), pointer(Kind.STRING, RESOLV_CONF)),
        'runOnce': BOOL,
        'cpuCFSQuota': pointer(Kind.BOOL, True),
        'cpuCFSQuotaPeriod': pointer(Kind.DURATION, 100 * MILLISECOND),
        'nodeStatusMaxImages': pointer(Kind.INT32, 50),
        'maxOpenFiles': filled(Kind.INT64, 1_000_000),
        'contentType': filled(Kind.STRING, 'application/vnd.kubernetes.protobuf'),
        'kubeAPIQPS': changed(27, pointer(Kind.INT32, 5), pointer(Kind.INT32, 50)),
        'kubeAPIBurst': changed(27, filled(Kind.INT32, 10), filled(Kind.INT32, 100)),
        'serializeImagePulls': pointer(Kind.BOOL),  # its default depends on maxParallelImagePulls
        'maxParallelImagePulls': since(27, pointer(Kind.INT32)),
        'evictionHard': changed(30, map_of(STRING, EVICTION_HARD_OF_FOUR), map_of(STRING, EVICTION_HARD)),
        'evictionSoft': STRING_MAP,
        'evictionSoftGracePeriod': STRING_MAP,
        'evictionPressureTransitionPeriod': filled(Kind.DURATION, 5 * MINUTE),
        'evictionMaxPodGracePeriod': INT32,
        'evictionMinimumReclaim': STRING_MAP,
        'mergeDefaultEvictionSettings': since(33, pointer(Kind.BOOL, False)),
        'podsPerCore': INT32,
        'enableControllerAttachDetach': pointer(Kind.BOOL, True),
        'protectKernelDefaults': BOOL,
        'makeIPTablesUtilChains': pointer(Kind.BOOL, True),
        'iptablesMasqueradeBit': pointer(Kind.INT32, 14),
        'iptablesDropBit': pointer(Kind.INT32, 15),
        'featureGates': map_of(BOOL),
        'failSwapOn': pointer(Kind.BOOL, True),
        'memorySwap': since(22, struct({'swapBehavior': STRING})),
        'containerLogMaxSize': filled(Kind.STRING, '10Mi'),  # a string with a quantity: the number 10485760 is refused
        'containerLogMaxFiles': pointer(Kind.INT32, 5),
        'containerLogMaxWorkers': since(30, pointer(Kind.INT32, 1)),
        'containerLogMonitorInterval': since(30, pointer(Kind.DURATION, 10 * SECOND)),
        'configMapAndSecretChangeDetectionStrategy': filled(Kind.STRING, 'Watch'),
        'systemReserved': STRING_MAP,
        'kubeReserved': STRING_MAP,
        'reservedSystemCPUs': STRING,
        'showHiddenMetricsForVersion': STRING,
        'systemReservedCgroup': STRING,
        'kubeReservedCgroup': STRING,
        'enforceNodeAllocatable': list_of(STRING, ('pods',)),
        'allowedUnsafeSysctls': STRINGS,
        'defaultPodSysctls': since(37, STRING_MAP),
        'volumePluginDir': filled(Kind.STRING, '/usr/libexec/kubernetes/kubelet-plugins/volume/exec/'),
        'providerID': STRING,
        'kernelMemcgNotification': BOOL,
        'logging': LOGGING,
        'enableSystemLogHandler': pointer(Kind.BOOL, True),
        'enableSystemLogQuery': since(27, pointer(Kind.BOOL)),
        'shutdownGracePeriod': DURATION,
        'shutdownGracePeriodCriticalPods': DURATION,
        'shutdownGracePeriodByPodPriority': since(23, list_of(POD_PRIORITY)),
        # The default depends on the gate KubeletCrashLoopBackOffMax, which is on by default since 1.35.
        'crashLoopBackOff': since(
            32,
            struct(
                {'maxContainerRestartPeriod': changed(35, pointer(Kind.DURATION), pointer(Kind.DURATION, 5 * MINUTE))}
            ),
        ),
        'reservedMemory': since(21, list_of(struct({'numaNode': INT32, 'limits': map_of(Field(Kind.QUANTITY))}))),
        'enableProfilingHandler': since(21, pointer(Kind.BOOL, True)),
        'enableDebugFlagsHandler': since(21, pointer(Kind.BOOL, True)),
        'seccompDefault': since(22, pointer(Kind.BOOL, False)),
        'memoryThrottlingFactor': since(
            22, changed(37, changed(27, pointer(Kind.FLOAT64, 0.8), pointer(Kind.FLOAT64, 0.9)), pointer(Kind.FLOAT64))
        ),
        'memoryReservationPolicy': since(36, filled(Kind.STRING, 'None')),
        'registerWithTaints': since(23, list_of(TAINT)),
        'registerNode': since(23, pointer(Kind.BOOL, True)),
        'tracing': since(25, TRACING),
        'localStorageCapacityIsolation': since(25, pointer(Kind.BOOL, True)),
        'containerRuntimeEndpoint': since(27, filled(Kind.STRING, 'unix:///run/containerd/containerd.sock')),
        'imageServiceEndpoint': since(27, Field(Kind.STRING)),  # if it is empty, containerRuntimeEndpoint
        'failCgroupV1': since(31, changed(35, pointer(Kind.BOOL, False), pointer(Kind.BOOL, True))),
        'singleProcessOOMKill': since(32, pointer(Kind.BOOL)),  # then False on cgroup v2, True on v1
        'userNamespaces': since(33, struct({'idsPerPod': pointer(Kind.INT64)}, nullable=True)),
    }
)
