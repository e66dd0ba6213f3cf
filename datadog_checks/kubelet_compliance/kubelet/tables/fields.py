# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The fields of the kubelet's own configuration file: their types and defaults, by release. Data only.

`KubeletConfiguration` of `kubelet.config.k8s.io/v1beta1`, all fields of Kubernetes 1.20 to 1.37. The facts are those of
`config/v1beta1/types.go` in kubernetes/kubelet, of `logs` and `tracing` in kubernetes/component-base, and of
`pkg/kubelet/apis/config/v1beta1/defaults.go` in kubernetes/kubernetes, on Linux.

The kubelet refuses a file when one value anywhere in it has the wrong type, but ignores names that it does not know:
so a wrong type in a field that a release does not have (`since`, `until`) is passed over there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeAlias

from datadog_checks.kubelet_compliance.kubelet.release import OLDEST, Release


class Kind(Enum):
    """What JSON a field takes. `null` is the same as leaving the field out, but not for DURATION."""

    BOOL = 'bool'
    INT32 = 'int32'  # whole numbers of that range; JSON's 110.0 and 1e2 are refused, YAML's become 110 and 100
    INT64 = 'int64'
    UINT32 = 'uint32'
    FLOAT64 = 'float64'  # a whole number serves too
    STRING = 'string'  # never a bare number or boolean: `cpu: 1` in systemReserved is refused
    # A string for Go's time.ParseDuration, sign allowed: '1h30m', '-5s', and '0' without a unit, but not '' nor 300.
    # `null` is read as '' and so refused, unless the field is nullable.
    DURATION = 'duration'
    TIME_OR_DURATION = 'time or duration'  # a DURATION string, or whole nanoseconds
    QUANTITY = 'quantity'  # '1Gi', '0.5', or a bare number
    TIME = 'time'  # an RFC 3339 string
    LIST = 'list'
    MAP = 'map'  # keys are strings
    STRUCT = 'struct'


class Same(Enum):
    SAME = 'same'


SAME: Final = Same.SAME

Default: TypeAlias = bool | int | float | str | tuple[str, ...] | Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Field:
    """One field, or the elements of a list or map."""

    kind: Kind
    # What the kubelet uses where the file says nothing; durations in nanoseconds. None: Go's nil if nullable, else its
    # zero value (False, 0, '', 0s, empty).
    default: Default = None
    # What it uses when started without --config, where that differs from default.
    legacy_default: Default | Same = SAME
    items: Field | None = None  # of a LIST or MAP
    fields: Mapping[str, Field] | None = None  # of a STRUCT, by JSON name
    nullable: bool = False  # a pointer in Go: an explicit zero value is not the same as nothing
    zero_is_default: bool = False  # an explicit zero value (0, '', '0s') means the default too
    # First and last minor release with the field. 20 means 1.20 or older; None means that the newest still has it.
    since: int = OLDEST
    until: int | None = None
    # The last minor release in which the field was another, and what it was then.
    older: tuple[int, Field] | None = None

    def is_in(self, release: Release) -> bool:
        """Whether the kubelets of that release know the field."""
        return release.is_in(self.since, self.until)

    def row_in(self, release: Release) -> Field:
        """The field as the kubelets of that release have it."""
        row = self
        while row.older is not None and release.before(row.older[0] + 1):
            row = row.older[1]
        return row

    def iter_older(self) -> Iterator[Field]:
        """What the field was in older releases, the newest first."""
        row = self
        while row.older is not None:
            row = row.older[1]
            yield row


MILLISECOND: Final = 1_000_000
SECOND: Final = 1000 * MILLISECOND
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE


def pointer(kind: Kind, default: Default = None, *, legacy: Default | Same = SAME) -> Field:
    """A field that only `null` or absence sets to its default: an explicit zero stays."""
    return Field(kind, default, legacy, nullable=True)


def filled(kind: Kind, default: Default, *, legacy: Default | Same = SAME) -> Field:
    """A field that the kubelet sets to its default also where the file sets it to zero."""
    return Field(kind, default, legacy, zero_is_default=True)


def list_of(items: Field, default: Default = None) -> Field:
    """A list; an explicit empty one stays empty, only `null` or absence gives the default."""
    return Field(Kind.LIST, default, items=items)


def map_of(items: Field, default: Default = None) -> Field:
    """A map with string keys; an explicit empty one stays empty, only `null` or absence gives the default."""
    return Field(Kind.MAP, default, items=items)


def struct(fields: dict[str, Field], *, nullable: bool = False) -> Field:
    """A struct. Its defaults are those of its fields, also where it is `null` or absent (unless nullable)."""
    return Field(Kind.STRUCT, fields=MappingProxyType(fields), nullable=nullable)


def since(minor: int, field: Field) -> Field:
    """A field that came with a release."""
    return replace(field, since=minor)


def until(minor: int, field: Field) -> Field:
    """A field that a release was the last to have."""
    return replace(field, until=minor)


def changed(minor: int, older: Field, newer: Field) -> Field:
    """A field that was another before a release."""
    return replace(newer, older=(minor - 1, older))


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

# The kubelet fills this in after reading the file; an explicit {} stays empty.
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
        'staticPodURL': STRING,
        'staticPodURLHeader': map_of(STRINGS),
        'address': filled(Kind.STRING, '0.0.0.0'),
        'port': filled(Kind.INT32, 10250),
        'readOnlyPort': Field(Kind.INT32, legacy_default=10255),
        'tlsCertFile': STRING,  # a running kubelet shows the pair that it made itself where none was set
        'tlsPrivateKeyFile': STRING,  # likewise
        'tlsCipherSuites': STRINGS,
        'tlsMinVersion': STRING,
        'tlsCurvePreferences': since(36, list_of(INT32)),
        'rotateCertificates': BOOL,
        'serverTLSBootstrap': BOOL,
        'authentication': AUTHENTICATION,
        'authorization': AUTHORIZATION,
        'registryPullQPS': pointer(Kind.INT32, 5),
        'registryBurst': filled(Kind.INT32, 10),
        # With the gate KubeletEnsureSecretPulledImages set, as it says; the gate is on by default since 1.35.
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
        # nodeStatusUpdateFrequency, where that is set and not 0.
        'nodeStatusReportFrequency': filled(Kind.DURATION, 5 * MINUTE),
        'nodeLeaseDurationSeconds': filled(Kind.INT32, 40),
        'imageMinimumGCAge': filled(Kind.DURATION, 2 * MINUTE),
        'imageMaximumGCAge': since(29, Field(Kind.DURATION)),
        'imageGCHighThresholdPercent': pointer(Kind.INT32, 85),
        'imageGCLowThresholdPercent': pointer(Kind.INT32, 80),
        'volumeStatsAggPeriod': filled(Kind.DURATION, MINUTE),
        'kubeletCgroups': STRING,
        'systemCgroups': STRING,
        'cgroupRoot': STRING,  # '/' later, where cgroupsPerQOS holds
        'cgroupsPerQOS': pointer(Kind.BOOL, True),
        'cgroupDriver': filled(Kind.STRING, 'cgroupfs'),  # newer kubelets then ask the container runtime
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
        'podPidsLimit': pointer(Kind.INT64, -1),  # any negative number becomes -1, but 0 stays
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
        'containerLogMaxSize': filled(Kind.STRING, '10Mi'),  # a string in the form of a quantity: 10485760 is refused
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
        # With the gate KubeletCrashLoopBackOffMax set, as it says; the gate is on by default since 1.35.
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
        'imageServiceEndpoint': since(27, Field(Kind.STRING)),  # containerRuntimeEndpoint, where it is empty
        'failCgroupV1': since(31, changed(35, pointer(Kind.BOOL, False), pointer(Kind.BOOL, True))),
        'singleProcessOOMKill': since(32, pointer(Kind.BOOL)),  # then False on cgroup v2, True on v1
        'userNamespaces': since(33, struct({'idsPerPod': pointer(Kind.INT64)}, nullable=True)),
    }
)
