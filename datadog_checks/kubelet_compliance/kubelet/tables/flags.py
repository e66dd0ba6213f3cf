# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Every command-line flag of the Linux kubelet, Kubernetes 1.20 to 1.37: how its value parses, which field it sets.

A row says what the newest release with that flag does, and where it differs what the older ones did. Upstream:
cmd/kubelet/app/options, component-base, google/cadvisor, klog, spf13/pflag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from datadog_checks.kubelet_compliance.kubelet.release import OLDEST, Release


class FlagKind(Enum):
    """The parsers of values. The last of a repeated flag wins unless the comment says otherwise.

    A map or a list that a flag sets takes the place of the file's whole map or list; MAP_STRING_BOOL is the exception.
    Only STRING, IP, STRING_SLICE, NODE_LABELS, TAINTS, RESERVED_MEMORY, VMODULE, TRACE_LOCATION and the maps (but not
    MAP_STRING_STRING_ONE) accept an empty value.
    """

    # strconv.ParseBool: 1 t T true True TRUE 0 f F false False FALSE; bare means true; never takes the next argument.
    BOOL = 'bool'
    # Anything. Whether the text makes sense is checked later, if at all.
    STRING = 'string'
    # strconv.ParseInt(v, 0, bits): optional sign; decimal, 0x, 0o, 0b, or a leading 0 for octal; _ as in Go literals.
    INT = 'int'  # 64 bits
    INT32 = 'int32'
    INT64 = 'int64'
    # strconv.ParseUint(v, 0, 64): as INT64, with no sign at all.
    UINT64 = 'uint64'
    # strconv.ParseFloat(v, 64): decimal or hexadecimal, exponents, inf and nan in any case.
    FLOAT64 = 'float64'
    # time.ParseDuration: optional sign, then 0 or numbers with units (ns us µs μs ms s m h), all within int64 ns.
    DURATION = 'duration'
    QUANTITY = 'quantity'  # resource.ParseQuantity: 512, 1K, 2Ki, 5Mi, 1e3
    # IPv4 (leading zeros are fine) or IPv6, untrimmed, no zone. Empty changes nothing, but a later one then panics.
    IP = 'ip'
    # The first record of encoding/csv, so quotes count; empty is no element. The first replaces, later ones append.
    STRING_SLICE = 'stringSlice'
    # 'k=v,k=v', split at the first =, both trimmed, empty pairs skipped, no = refused. First clears, later ones merge.
    MAP_STRING_STRING = 'mapStringString'
    # One k=v, where a comma belongs to the value; no = (so empty too) refused. First clears, later ones merge.
    MAP_STRING_STRING_ONE = 'mapStringStringNoSplit'
    # As MAP_STRING_STRING, each value a ParseBool. Gates that only the file sets stay; for others the flag wins.
    MAP_STRING_BOOL = 'mapStringBool'
    # As MAP_STRING_STRING, but 'k:v', and the values of a repeated key add up.
    MULTIMAP = 'colonSeparatedMultimapStringString'
    # As MAP_STRING_STRING, but 'k<v'.
    EVICTION = 'langleSeparatedMapStringString'
    # As MAP_STRING_STRING, but no = is fine (the value is then empty) and nothing is refused here; all merge.
    NODE_LABELS = 'configurationMap'
    # 'key[=value]:Effect,…' of NoSchedule, PreferNoSchedule, NoExecute, valid label names, no key and effect twice.
    # 'key-' and 'key:Effect-' parse too (and add none). Empty means none.
    TAINTS = 'taints'
    TAINTS_TO_ADD = 'taints to add'  # neither 'key-' nor 'key:Effect-', but a bare 'key', whose effect is empty
    # 'node:type=quantity,…;node:…', type memory or hugepages-*. First clears, later ones append. Empty changes nothing,
    # but any later one is then refused.
    RESERVED_MEMORY = 'reservedMemory'
    RESERVED_MEMORY_OF_ONE_NODE = 'reservedMemory of one node'  # no ';'
    # raw and any true of ParseBool print and exit, any false goes on; bare means true; never takes the next argument.
    # Also 'vX.Y.Z…' of the kubelet's own X.Y.Z, which goes on.
    VERSION = 'version'
    RAW_OR_BOOL = 'raw or bool'  # as VERSION, but no 'vX.Y.Z…'
    # strconv.ParseUint(v, 10, 31): decimal digits, no sign, no _.
    LOG_LEVEL = 'level'
    SIGNED_LOG_LEVEL = 'klog.Level'  # strconv.ParseInt(v, 10, 32)
    # INFO, WARNING, ERROR, FATAL in any case, or strconv.ParseInt(v, 10, 32).
    SEVERITY = 'severity'
    # 'file.go:N', one colon, a dot in the file, N > 0 in decimal.
    TRACE_LOCATION = 'traceLocation'
    # 'pattern=N,…', N as LOG_LEVEL, empty items skipped. Repeats append.
    VMODULE = 'moduleSpec'


# A flag of these kinds may stand bare and never takes the next argument; a flag of any other kind must have a value.
BARE_KINDS: Final = frozenset({FlagKind.BOOL, FlagKind.VERSION, FlagKind.RAW_OR_BOOL})


@dataclass(frozen=True, slots=True)
class Flag:
    kind: FlagKind
    # Path in KubeletConfiguration (v1beta1 names) of the field it writes. None: it writes none.
    field: str | None = None
    # First and last minor release with the flag. 20 means 1.20 or older; None means that the newest still has it.
    since: int = OLDEST
    until: int | None = None
    # The last minor release that parsed its value in another way, and how.
    older: tuple[int, FlagKind] | None = None
    # From a library (cAdvisor, klog, …). With --config or --config-dir the kubelet parses its arguments a second time,
    # over the files, and this second parse takes all of these for flags that need a value: there a bare BOOL swallows
    # the next argument, and as the last argument it ends the kubelet (server.go: newFakeFlagSet).
    library: bool = False
    # It says where more of the kubelet's own configuration lies. What nobody reads there may set any field.
    names_configuration: bool = False
    # False: only in a vendor's builds; every other kubelet refuses it.
    is_upstream: bool = True

    def is_in(self, release: Release) -> bool:
        """Whether the kubelets of that release have the flag, those of a vendor at least."""
        return release.is_in(self.since, self.until)

    def kind_in(self, release: Release) -> FlagKind:
        """How the kubelets of that release parse its value."""
        if self.older is not None and release.before(self.older[0] + 1):
            return self.older[1]
        return self.kind


FLAGS: Final[Mapping[str, Flag]] = {
    'add-dir-header': Flag(FlagKind.BOOL, until=25, library=True),
    'address': Flag(FlagKind.IP, 'address'),
    'allowed-unsafe-sysctls': Flag(FlagKind.STRING_SLICE, 'allowedUnsafeSysctls'),
    'alsologtostderr': Flag(FlagKind.BOOL, until=25, library=True),
    'anonymous-auth': Flag(FlagKind.BOOL, 'authentication.anonymous.enabled'),
    'application-metrics-count-limit': Flag(FlagKind.INT, until=36, library=True),
    'authentication-token-webhook': Flag(FlagKind.BOOL, 'authentication.webhook.enabled'),
    'authentication-token-webhook-cache-ttl': Flag(FlagKind.DURATION, 'authentication.webhook.cacheTTL'),
    'authorization-mode': Flag(FlagKind.STRING, 'authorization.mode'),
    'authorization-webhook-cache-authorized-ttl': Flag(FlagKind.DURATION, 'authorization.webhook.cacheAuthorizedTTL'),
    'authorization-webhook-cache-unauthorized-ttl': Flag(
        FlagKind.DURATION, 'authorization.webhook.cacheUnauthorizedTTL'
    ),
    'azure-container-registry-config': Flag(FlagKind.STRING, until=29, library=True),
    'boot-id-file': Flag(FlagKind.STRING, until=36, library=True),
    'bootstrap-kubeconfig': Flag(FlagKind.STRING),
    'cert-dir': Flag(FlagKind.STRING),
    'cgroup-driver': Flag(FlagKind.STRING, 'cgroupDriver'),
    'cgroup-root': Flag(FlagKind.STRING, 'cgroupRoot'),
    'cgroups-per-qos': Flag(FlagKind.BOOL, 'cgroupsPerQOS'),
    'chaos-chance': Flag(FlagKind.FLOAT64, until=21),
    'client-ca-file': Flag(FlagKind.STRING, 'authentication.x509.clientCAFile'),
    'cloud-config': Flag(FlagKind.STRING, until=33),
    'cloud-provider': Flag(FlagKind.STRING),
    'cluster-dns': Flag(FlagKind.STRING_SLICE, 'clusterDNS'),
    'cluster-domain': Flag(FlagKind.STRING, 'clusterDomain'),
    'cni-bin-dir': Flag(FlagKind.STRING, until=23),
    'cni-cache-dir': Flag(FlagKind.STRING, until=23),
    'cni-conf-dir': Flag(FlagKind.STRING, until=23),
    'config': Flag(FlagKind.STRING, names_configuration=True),
    'config-dir': Flag(FlagKind.STRING, since=28, names_configuration=True),
    'container-hints': Flag(FlagKind.STRING, until=36, library=True),
    'container-log-max-files': Flag(FlagKind.INT32, 'containerLogMaxFiles'),
    'container-log-max-size': Flag(FlagKind.STRING, 'containerLogMaxSize'),
    'container-runtime': Flag(FlagKind.STRING, until=26),
    'container-runtime-endpoint': Flag(FlagKind.STRING, 'containerRuntimeEndpoint'),
    'containerd': Flag(FlagKind.STRING, until=36, library=True),
    'containerd-namespace': Flag(FlagKind.STRING, until=36, library=True),
    'contention-profiling': Flag(FlagKind.BOOL, 'enableContentionProfiling'),
    'cpu-cfs-quota': Flag(FlagKind.BOOL, 'cpuCFSQuota'),
    'cpu-cfs-quota-period': Flag(FlagKind.DURATION, 'cpuCFSQuotaPeriod'),
    'cpu-manager-policy': Flag(FlagKind.STRING, 'cpuManagerPolicy'),
    'cpu-manager-policy-options': Flag(FlagKind.MAP_STRING_STRING_ONE, 'cpuManagerPolicyOptions', since=22),
    'cpu-manager-reconcile-period': Flag(FlagKind.DURATION, 'cpuManagerReconcilePeriod'),
    'docker': Flag(FlagKind.STRING, until=23, library=True),
    'docker-endpoint': Flag(FlagKind.STRING, until=23),
    'docker-env-metadata-whitelist': Flag(FlagKind.STRING, until=23, library=True),
    'docker-only': Flag(FlagKind.BOOL, until=23, library=True),
    'docker-root': Flag(FlagKind.STRING, until=23, library=True),
    'docker-tls': Flag(FlagKind.BOOL, until=23, library=True),
    'docker-tls-ca': Flag(FlagKind.STRING, until=23, library=True),
    'docker-tls-cert': Flag(FlagKind.STRING, until=23, library=True),
    'docker-tls-key': Flag(FlagKind.STRING, until=23, library=True),
    'dynamic-config-dir': Flag(FlagKind.STRING, until=23, names_configuration=True),
    'enable-cadvisor-json-endpoints': Flag(FlagKind.BOOL, until=20),
    'enable-controller-attach-detach': Flag(FlagKind.BOOL, 'enableControllerAttachDetach'),
    'enable-debugging-handlers': Flag(FlagKind.BOOL, 'enableDebuggingHandlers'),
    'enable-load-reader': Flag(FlagKind.BOOL, until=36, library=True),
    'enable-server': Flag(FlagKind.BOOL, 'enableServer'),
    'enforce-node-allocatable': Flag(FlagKind.STRING_SLICE, 'enforceNodeAllocatable'),
    'event-burst': Flag(FlagKind.INT32, 'eventBurst'),
    'event-qps': Flag(FlagKind.INT32, 'eventRecordQPS'),
    'event-storage-age-limit': Flag(FlagKind.STRING, until=36, library=True),
    'event-storage-event-limit': Flag(FlagKind.STRING, until=36, library=True),
    'eviction-hard': Flag(FlagKind.EVICTION, 'evictionHard'),
    'eviction-max-pod-grace-period': Flag(FlagKind.INT32, 'evictionMaxPodGracePeriod'),
    'eviction-minimum-reclaim': Flag(FlagKind.MAP_STRING_STRING, 'evictionMinimumReclaim'),
    'eviction-pressure-transition-period': Flag(FlagKind.DURATION, 'evictionPressureTransitionPeriod'),
    'eviction-soft': Flag(FlagKind.EVICTION, 'evictionSoft'),
    'eviction-soft-grace-period': Flag(FlagKind.MAP_STRING_STRING, 'evictionSoftGracePeriod'),
    'exit-on-lock-contention': Flag(FlagKind.BOOL),
    'experimental-allocatable-ignore-eviction': Flag(FlagKind.BOOL),
    'experimental-bootstrap-kubeconfig': Flag(FlagKind.STRING, until=22),
    'experimental-check-node-capabilities-before-mount': Flag(FlagKind.BOOL, until=23),
    'experimental-dockershim-root-directory': Flag(FlagKind.STRING, until=23),
    'experimental-kernel-memcg-notification': Flag(FlagKind.BOOL, 'kernelMemcgNotification', until=24),
    'experimental-logging-sanitization': Flag(FlagKind.BOOL, 'logging.sanitization', until=23),
    'experimental-mounter-path': Flag(FlagKind.STRING),
    'fail-cgroupv1': Flag(FlagKind.BOOL, 'failCgroupV1', since=31),
    'fail-swap-on': Flag(FlagKind.BOOL, 'failSwapOn'),
    'feature-gates': Flag(FlagKind.MAP_STRING_BOOL, 'featureGates'),
    'file-check-frequency': Flag(FlagKind.DURATION, 'fileCheckFrequency'),
    'global-housekeeping-interval': Flag(FlagKind.DURATION, until=36, library=True),
    'hairpin-mode': Flag(FlagKind.STRING, 'hairpinMode'),
    'healthz-bind-address': Flag(FlagKind.IP, 'healthzBindAddress'),
    'healthz-port': Flag(FlagKind.INT32, 'healthzPort'),
    'help': Flag(FlagKind.BOOL),
    'hostname-override': Flag(FlagKind.STRING),
    'housekeeping-interval': Flag(FlagKind.DURATION, library=True),
    'http-check-frequency': Flag(FlagKind.DURATION, 'httpCheckFrequency'),
    'image-credential-provider-bin-dir': Flag(FlagKind.STRING),
    'image-credential-provider-config': Flag(FlagKind.STRING),
    'image-gc-high-threshold': Flag(FlagKind.INT32, 'imageGCHighThresholdPercent'),
    'image-gc-low-threshold': Flag(FlagKind.INT32, 'imageGCLowThresholdPercent'),
    'image-pull-progress-deadline': Flag(FlagKind.DURATION, until=23),
    'image-service-endpoint': Flag(FlagKind.STRING, 'imageServiceEndpoint'),
    'iptables-drop-bit': Flag(FlagKind.INT32, 'iptablesDropBit', until=30),
    'iptables-masquerade-bit': Flag(FlagKind.INT32, 'iptablesMasqueradeBit', until=30),
    'keep-terminated-pod-volumes': Flag(FlagKind.BOOL, until=30),
    'kernel-memcg-notification': Flag(FlagKind.BOOL, 'kernelMemcgNotification'),
    'kube-api-burst': Flag(FlagKind.INT32, 'kubeAPIBurst'),
    'kube-api-content-type': Flag(FlagKind.STRING, 'contentType'),
    'kube-api-qps': Flag(FlagKind.INT32, 'kubeAPIQPS'),
    'kube-reserved': Flag(FlagKind.MAP_STRING_STRING, 'kubeReserved'),
    'kube-reserved-cgroup': Flag(FlagKind.STRING, 'kubeReservedCgroup'),
    'kubeconfig': Flag(FlagKind.STRING),
    'kubelet-cgroups': Flag(FlagKind.STRING, 'kubeletCgroups'),
    'local-storage-capacity-isolation': Flag(FlagKind.BOOL, 'localStorageCapacityIsolation', since=25),
    'lock-file': Flag(FlagKind.STRING),
    'log-backtrace-at': Flag(FlagKind.TRACE_LOCATION, until=25, library=True),
    'log-cadvisor-usage': Flag(FlagKind.BOOL, until=36, library=True),
    'log-dir': Flag(FlagKind.STRING, until=25, library=True),
    'log-file': Flag(FlagKind.STRING, until=25, library=True),
    'log-file-max-size': Flag(FlagKind.UINT64, until=25, library=True),
    'log-flush-frequency': Flag(FlagKind.DURATION, 'logging.flushFrequency'),
    'log-json-info-buffer-size': Flag(FlagKind.QUANTITY, 'logging.options.json.infoBufferSize', since=23),
    'log-json-split-stream': Flag(FlagKind.BOOL, 'logging.options.json.splitStream', since=23),
    'log-text-info-buffer-size': Flag(FlagKind.QUANTITY, 'logging.options.text.infoBufferSize', since=30),
    'log-text-split-stream': Flag(FlagKind.BOOL, 'logging.options.text.splitStream', since=30),
    'logging-format': Flag(FlagKind.STRING, 'logging.format'),
    'logtostderr': Flag(FlagKind.BOOL, until=25, library=True),
    'machine-id-file': Flag(FlagKind.STRING, until=36, library=True),
    'make-iptables-util-chains': Flag(FlagKind.BOOL, 'makeIPTablesUtilChains'),
    'manifest-url': Flag(FlagKind.STRING, 'staticPodURL'),
    'manifest-url-header': Flag(FlagKind.MULTIMAP, 'staticPodURLHeader'),
    'master-service-namespace': Flag(FlagKind.STRING, until=26),
    # Only in OpenShift's builds.
    'max-housekeeping-interval': Flag(FlagKind.DURATION, library=True, is_upstream=False),
    'max-open-files': Flag(FlagKind.INT64, 'maxOpenFiles'),
    'max-pods': Flag(FlagKind.INT32, 'maxPods'),
    'maximum-dead-containers': Flag(FlagKind.INT32),
    'maximum-dead-containers-per-container': Flag(FlagKind.INT32),
    'memory-manager-policy': Flag(FlagKind.STRING, 'memoryManagerPolicy', since=21),
    'minimum-container-ttl-duration': Flag(FlagKind.DURATION),
    'minimum-image-ttl-duration': Flag(FlagKind.DURATION, 'imageMinimumGCAge'),
    'network-plugin': Flag(FlagKind.STRING, until=23),
    'network-plugin-mtu': Flag(FlagKind.INT32, until=23),
    'node-ip': Flag(FlagKind.STRING),
    'node-labels': Flag(FlagKind.NODE_LABELS),
    'node-status-max-images': Flag(FlagKind.INT32, 'nodeStatusMaxImages'),
    'node-status-update-frequency': Flag(FlagKind.DURATION, 'nodeStatusUpdateFrequency'),
    'non-masquerade-cidr': Flag(FlagKind.STRING, until=23),
    'one-output': Flag(FlagKind.BOOL, until=25, library=True),
    'oom-score-adj': Flag(FlagKind.INT32, 'oomScoreAdj'),
    'pod-cidr': Flag(FlagKind.STRING, 'podCIDR'),
    'pod-infra-container-image': Flag(FlagKind.STRING, until=34),
    'pod-manifest-path': Flag(FlagKind.STRING, 'staticPodPath'),
    'pod-max-pids': Flag(FlagKind.INT64, 'podPidsLimit'),
    # Only in GKE's builds; its parser is not public.
    'pod-sysctls': Flag(FlagKind.STRING, is_upstream=False),
    'pods-per-core': Flag(FlagKind.INT32, 'podsPerCore'),
    'port': Flag(FlagKind.INT32, 'port'),
    'protect-kernel-defaults': Flag(FlagKind.BOOL, 'protectKernelDefaults'),
    'provider-id': Flag(FlagKind.STRING, 'providerID'),
    'qos-reserved': Flag(FlagKind.MAP_STRING_STRING, 'qosReserved'),
    'read-only-port': Flag(FlagKind.INT32, 'readOnlyPort'),
    'really-crash-for-testing': Flag(FlagKind.BOOL, until=23),
    'redirect-container-streaming': Flag(FlagKind.BOOL, until=22),
    'register-node': Flag(FlagKind.BOOL, 'registerNode'),
    'register-schedulable': Flag(FlagKind.BOOL, until=33),
    'register-with-taints': Flag(FlagKind.TAINTS, 'registerWithTaints', older=(22, FlagKind.TAINTS_TO_ADD)),
    'registry-burst': Flag(FlagKind.INT32, 'registryBurst'),
    'registry-qps': Flag(FlagKind.INT32, 'registryPullQPS'),
    'reserved-cpus': Flag(FlagKind.STRING, 'reservedSystemCPUs'),
    'reserved-memory': Flag(
        FlagKind.RESERVED_MEMORY, 'reservedMemory', since=21, older=(23, FlagKind.RESERVED_MEMORY_OF_ONE_NODE)
    ),
    'resolv-conf': Flag(FlagKind.STRING, 'resolvConf'),
    'root-dir': Flag(FlagKind.STRING),
    'rotate-certificates': Flag(FlagKind.BOOL, 'rotateCertificates'),
    'rotate-server-certificates': Flag(FlagKind.BOOL, 'serverTLSBootstrap'),
    'runonce': Flag(FlagKind.BOOL, 'runOnce'),
    'runtime-cgroups': Flag(FlagKind.STRING),
    'runtime-request-timeout': Flag(FlagKind.DURATION, 'runtimeRequestTimeout'),
    # Does not write the field seccompDefault: the kubelet uses the default profile if either of the two is true.
    'seccomp-default': Flag(FlagKind.BOOL, since=22),
    'seccomp-profile-root': Flag(FlagKind.STRING, until=22),
    'serialize-image-pulls': Flag(FlagKind.BOOL, 'serializeImagePulls'),
    'skip-headers': Flag(FlagKind.BOOL, until=25, library=True),
    'skip-log-headers': Flag(FlagKind.BOOL, until=25, library=True),
    'stderrthreshold': Flag(FlagKind.SEVERITY, until=25, library=True),
    'storage-driver-buffer-duration': Flag(FlagKind.DURATION, until=36, library=True),
    'storage-driver-db': Flag(FlagKind.STRING, until=36, library=True),
    'storage-driver-host': Flag(FlagKind.STRING, until=36, library=True),
    'storage-driver-password': Flag(FlagKind.STRING, until=36, library=True),
    'storage-driver-secure': Flag(FlagKind.BOOL, until=36, library=True),
    'storage-driver-table': Flag(FlagKind.STRING, until=36, library=True),
    'storage-driver-user': Flag(FlagKind.STRING, until=36, library=True),
    'streaming-connection-idle-timeout': Flag(FlagKind.DURATION, 'streamingConnectionIdleTimeout'),
    'sync-frequency': Flag(FlagKind.DURATION, 'syncFrequency'),
    'system-cgroups': Flag(FlagKind.STRING, 'systemCgroups'),
    'system-reserved': Flag(FlagKind.MAP_STRING_STRING, 'systemReserved'),
    'system-reserved-cgroup': Flag(FlagKind.STRING, 'systemReservedCgroup'),
    'tls-cert-file': Flag(FlagKind.STRING, 'tlsCertFile'),
    'tls-cipher-suites': Flag(FlagKind.STRING_SLICE, 'tlsCipherSuites'),
    'tls-min-version': Flag(FlagKind.STRING, 'tlsMinVersion'),
    'tls-private-key-file': Flag(FlagKind.STRING, 'tlsPrivateKeyFile'),
    'topology-manager-policy': Flag(FlagKind.STRING, 'topologyManagerPolicy'),
    'topology-manager-policy-options': Flag(
        FlagKind.MAP_STRING_STRING, 'topologyManagerPolicyOptions', since=26, older=(30, FlagKind.MAP_STRING_STRING_ONE)
    ),
    'topology-manager-scope': Flag(FlagKind.STRING, 'topologyManagerScope'),
    'v': Flag(FlagKind.LOG_LEVEL, 'logging.verbosity', older=(22, FlagKind.SIGNED_LOG_LEVEL)),
    'version': Flag(FlagKind.VERSION, older=(27, FlagKind.RAW_OR_BOOL), library=True),
    'vmodule': Flag(FlagKind.VMODULE, 'logging.vmodule'),
    'volume-plugin-dir': Flag(FlagKind.STRING, 'volumePluginDir'),
    'volume-stats-agg-period': Flag(FlagKind.DURATION, 'volumeStatsAggPeriod'),
}

SHORTHANDS: Final[Mapping[str, str]] = {'h': 'help', 'v': 'v'}
