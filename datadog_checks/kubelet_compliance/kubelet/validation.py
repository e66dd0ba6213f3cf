# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The values of a complete configuration that a kubelet refuses at once, by release.

These are the refusals of `NewKubeletCommand` (cmd/kubelet/app/server.go) before the kubelet logs its configuration.
They cover feature gates, `ValidateKubeletConfiguration`, the logging options, and the TLS options, from 1.20 to 1.37.
Later releases count as 1.37. `startup_values.py` has what the kubelet refuses afterwards. This module leaves out what
depends on the node (cgroups). A missing key is not a problem by itself, because the caller has filled in the defaults.

A check asks for the release only if some release refuses the value. So an ordinary configuration has one reading.
"""

import re
from collections.abc import Iterator, Mapping

from .config_values import Config, Problem, at, items_of, needs_gate, number_of, sign_of, string_of
from .feature_gates import gate_problems, is_on
from .formats.go import SECOND
from .formats.kubernetes import is_clean_path, is_cpu_list, is_label, is_qualified_name, scheme
from .release import Release, within_tables
from .tables.validation import (
    CIPHER_SUITES,
    CURVES,
    ENFORCEMENTS,
    FINER_UNTIL,
    ID_UNIT,
    MOST_IDS,
    NAMES,
    NEEDED_GATES,
    QUOTA_PERIOD,
    RANGES,
    RESTART_PERIOD,
    SYSCTL_PREFIXES,
    TAINT_EFFECTS,
    THROTTLING_DEFAULT,
    TRACING_SCHEMES,
    Range,
)

# A loose form of pullmanager/image_pull_policies.go getAllowlistImagePattern: it never refuses a valid image name.
# What follows a colon after the last slash is a tag.
IMAGE_PATTERN = re.compile(r'[^\s*@]+/\*|(?:[^\s*@]+/)?[^\s*@:/]+')
SYSCTL = re.compile(r'(?:[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?')


def problems(config: Config, release: Release) -> Iterator[Problem]:
    """Every value of a complete configuration that a kubelet of that release refuses at once."""
    for check in VALIDATIONS:
        yield from check(config, release)


def is_outside(value: int | float, row: Range) -> bool:
    return value < row.low or (row.high is not None and value > row.high)


def range_problems(config: Config, release: Release) -> Iterator[Problem]:
    """Numbers and durations outside their range, including ranges that depend on a gate."""
    for row in RANGES:
        value = number_of(at(config, row.path))
        if value is not None and is_outside(value, row) and release.at_least(row.since):
            yield Problem(row.path, f'must be {row}')
    period = number_of(at(config, QUOTA_PERIOD.path))
    if period is not None and is_outside(period, QUOTA_PERIOD):
        is_fine = 1000 <= period < QUOTA_PERIOD.low and release.before(FINER_UNTIL + 1)
        if not is_fine and is_on(config, 'CustomCPUCFSQuotaPeriod', release):
            yield Problem(QUOTA_PERIOD.path, f'must be {QUOTA_PERIOD}')
    yield from restart_period(config, release)
    factor = number_of(at(config, 'memoryThrottlingFactor'))
    if factor is not None and not 0 < factor <= 1 and release.at_least(22):
        yield Problem('memoryThrottlingFactor', 'must be more than 0 and at most 1')
    elif (
        factor not in (None, THROTTLING_DEFAULT)
        and release.at_least(37)
        and is_on(config, 'MemoryQoS', release) is False
    ):
        yield needs_gate('memoryThrottlingFactor', 'MemoryQoS')


def restart_period(config: Config, release: Release) -> Iterator[Problem]:
    """The restart period must be set and in its range, but only while its gate is on."""
    gate, period = 'KubeletCrashLoopBackOffMax', number_of(at(config, RESTART_PERIOD.path))
    if period is None:
        # If a file turns the gate on, the default is filled in. So a missing value means that a flag turned it on.
        if at(config, f'featureGates.{gate}') is True and release.at_least(RESTART_PERIOD.since):
            yield Problem(RESTART_PERIOD.path, f'must be set while the feature gate {gate} is on', gate=gate)
    elif is_outside(period, RESTART_PERIOD) and release.at_least(RESTART_PERIOD.since) and is_on(config, gate, release):
        yield Problem(RESTART_PERIOD.path, f'must be {RESTART_PERIOD}')


def name_problems(config: Config, release: Release) -> Iterator[Problem]:
    """Names, TLS options, and the version for hidden metrics: only the minor version before the kubelet's is valid."""
    for row in NAMES:
        value = at(config, row.path)
        # An empty value counts only if a gate is on against its default: by default, the field would be filled in.
        is_left_out = value == '' and row.gate is not None and not at(config, 'featureGates')
        is_wrong = isinstance(value, str) and value not in row.allowed and not is_left_out
        if is_wrong and release.is_in(row.since, row.until):
            if row.gate is None or is_on(config, row.gate, release):
                yield Problem(row.path, f'must be one of {", ".join(filter(None, row.allowed))}')
    if any(string_of(name) not in CIPHER_SUITES for name in items_of(at(config, 'tlsCipherSuites'))):
        yield Problem('tlsCipherSuites', 'must contain only cipher suites that the kubelet knows')
    curves = items_of(at(config, 'tlsCurvePreferences'))
    if len(CURVES & {curve for curve in curves if isinstance(curve, int)}) < len(curves) and release.at_least(36):
        yield Problem('tlsCurvePreferences', 'must contain only curves that the kubelet knows, each once')
    version = string_of(at(config, 'showHiddenMetricsForVersion'))
    shown = re.fullmatch(r'1\.(0|[1-9][0-9]{0,2})', version)
    own = within_tables(int(shown[1]) + 1) if shown is not None else 0
    if version and not (own and release.is_in(own, own)):
        yield Problem('showHiddenMetricsForVersion', 'must be the minor version before the kubelet, like 1.35')


def needed_gate_problems(config: Config, release: Release) -> Iterator[Problem]:
    """Settings that require a feature gate (validation.go)."""
    for row in NEEDED_GATES:
        if (
            row.when(at(config, row.path))
            and release.is_in(row.since, row.until)
            and is_on(config, row.gate, release) is False
        ):
            yield needs_gate(row.path, row.gate)


def image_problems(config: Config, release: Release) -> Iterator[Problem]:
    """validation.go on image garbage collection, image pulls, and the verification of image credentials."""
    low, high = (number_of(at(config, f'imageGC{end}ThresholdPercent')) for end in ('Low', 'High'))
    if low is not None and high is not None and low >= high:
        yield Problem('imageGCLowThresholdPercent', 'must be less than imageGCHighThresholdPercent')
    oldest = number_of(at(config, 'imageMaximumGCAge')) or 0
    if 0 < oldest <= (number_of(at(config, 'imageMinimumGCAge')) or 0) and release.at_least(29):
        yield Problem('imageMaximumGCAge', 'must be more than imageMinimumGCAge')
    is_serial = at(config, 'serializeImagePulls') is True
    if is_serial and (number_of(at(config, 'maxParallelImagePulls')) or 0) > 1 and release.at_least(27):
        yield Problem('maxParallelImagePulls', 'must be 1 while serializeImagePulls is true')
    path, gate = 'preloadedImagesVerificationAllowlist', 'KubeletEnsureSecretPulledImages'
    listed, policy = items_of(at(config, path)), string_of(at(config, 'imagePullCredentialsVerificationPolicy'))
    is_sound = all(IMAGE_PATTERN.fullmatch(string_of(pattern)) for pattern in listed)
    is_used = policy == 'NeverVerifyAllowlistedImages'
    if listed and not (is_sound and is_used) and release.at_least(33) and is_on(config, gate, release):
        if not is_used:
            yield Problem(path, 'requires imagePullCredentialsVerificationPolicy NeverVerifyAllowlistedImages')
        if not is_sound:
            yield Problem(path, 'must contain only image names without a tag, or names that end in /*')


def shutdown_problems(config: Config, release: Release) -> Iterator[Problem]:
    """validation.go on graceful shutdown. A negative period is accepted if the gate is off."""
    paths = ('shutdownGracePeriod', 'shutdownGracePeriodCriticalPods')
    total, critical = (number_of(at(config, path)) or 0 for path in paths)
    is_wrong = not (0 <= critical <= total and all(value == 0 or value >= SECOND for value in (total, critical)))
    if is_wrong and is_on(config, 'GracefulNodeShutdown', release):
        for path, value in zip(paths, (total, critical), strict=True):
            if value < 0 or 0 < value < SECOND:
                yield Problem(path, 'must be zero or at least 1s')
        if critical > total:
            yield Problem('shutdownGracePeriodCriticalPods', 'must not be more than shutdownGracePeriod')
    by_priority = 'shutdownGracePeriodByPodPriority'
    if items_of(at(config, by_priority)) and (total > 0 or critical > 0) and release.at_least(23):
        yield Problem(by_priority, 'must not be set together with shutdownGracePeriod')


def cgroup_problems(config: Config, release: Release) -> Iterator[Problem]:
    """validation.go on enforceNodeAllocatable and its cgroups."""
    path = 'enforceNodeAllocatable'
    listed = [string_of(name) for name in items_of(at(config, path))]  # null counts as an empty name
    chosen = set(listed)
    newer = {name for name in chosen if name.endswith('-compressible')}
    if chosen - ENFORCEMENTS.keys() or newer and release.before(32):
        yield Problem(
            path,
            'must contain only none, pods, kube-reserved, system-reserved, or one of the last two with -compressible',
        )
    if 'none' in chosen and len(listed) > 1:
        yield Problem(path, 'must not combine none with other values')
    elif len(listed) > len(chosen) and release.at_least(31):
        yield Problem(path, 'must not contain duplicates')
    for owner in ('kube-reserved', 'system-reserved'):
        if {owner, f'{owner}-compressible'} <= chosen:
            yield Problem(path, f'must not contain both {owner} and {owner}-compressible')
    for field in sorted({ENFORCEMENTS.get(name) or '' for name in chosen} - {''}):
        if not string_of(at(config, field)):
            yield Problem(field, 'must be set, because enforceNodeAllocatable enforces its reservation')
    if at(config, 'cgroupsPerQOS') is False and chosen:
        if chosen & ENFORCEMENTS.keys() - {'none'} or release.before(31):
            yield Problem('cgroupsPerQOS', 'must be true if enforceNodeAllocatable has any value but none')
    if string_of(at(config, 'systemCgroups')) and not string_of(at(config, 'cgroupRoot')):
        yield Problem('cgroupRoot', 'must be set together with systemCgroups')


def reserved_cpu_problems(config: Config, _release: Release) -> Iterator[Problem]:
    """validation.go on reservedSystemCPUs."""
    listed = string_of(at(config, 'reservedSystemCPUs'))
    if not is_cpu_list(listed):
        yield Problem('reservedSystemCPUs', 'must be a list of CPUs and ranges, like 0-3,8')
    if listed and (string_of(at(config, 'systemReservedCgroup')) or string_of(at(config, 'kubeReservedCgroup'))):
        yield Problem('reservedSystemCPUs', 'must not be set together with systemReservedCgroup or kubeReservedCgroup')


def reserved_memory_problems(config: Config, release: Release) -> Iterator[Problem]:
    """validation_reserved_memory.go validateReservedMemoryConfiguration."""
    path = 'reservedMemory'
    if not items_of(at(config, path)) or release.before(21):
        return
    seen: set[tuple[object, str]] = set()
    for reservation in items_of(at(config, path)):
        node, limits = number_of(at(reservation, 'numaNode')) or 0, at(reservation, 'limits')
        named = limits if isinstance(limits, Mapping) else {}
        for name in (name for name in named if isinstance(name, str)):
            if name != 'memory' and not name.startswith('hugepages-'):
                yield Problem(path, 'must limit only memory and hugepages-SIZE')
            if sign_of(named[name]) == 0:
                yield Problem(path, 'must not be zero')
            if (node, name) in seen:
                yield Problem(path, 'must not limit the same resource of a NUMA node twice')
            seen.add((node, name))


def taint_problems(config: Config, release: Release) -> Iterator[Problem]:
    """pkg/util/taints CheckTaintValidation."""
    if not items_of(at(config, 'registerWithTaints')) or release.before(23):
        return
    for taint in items_of(at(config, 'registerWithTaints')):
        key, value, effect = (string_of(at(taint, name)) for name in ('key', 'value', 'effect'))
        if not isinstance(taint, Mapping):
            continue
        if not is_qualified_name(key) or (value and not is_label(value)) or effect not in TAINT_EFFECTS:
            yield Problem('registerWithTaints', 'must contain taints with a valid key, value, and effect')
        if taint.get('timeAdded') is not None:
            yield Problem('registerWithTaints', 'must not set timeAdded')


def pod_problems(config: Config, release: Release) -> Iterator[Problem]:
    """validation.go on runOnce and defaultPodSysctls, and validation_linux.go on user namespaces."""
    if at(config, 'runOnce') is True and release.at_least(32):
        yield Problem('runOnce', 'must be false')
    ids = number_of(at(config, 'userNamespaces.idsPerPod'))
    if ids is not None and (not 0 < ids <= MOST_IDS or ids % ID_UNIT) and release.at_least(33):
        yield Problem('userNamespaces.idsPerPod', f'must be a multiple of {ID_UNIT} below 2^32')
    given = at(config, 'defaultPodSysctls')
    found = [string_of(name).replace('/', '.') for name in given] if isinstance(given, Mapping) else []
    is_sound = len(set(found)) == len(found) and all(
        SYSCTL.fullmatch(name) and name.startswith(SYSCTL_PREFIXES) for name in found
    )
    if not is_sound and release.at_least(37):
        yield Problem('defaultPodSysctls', 'must contain only sysctls that are known to be namespaced, each once')


def logging_problems(config: Config, release: Release) -> Iterator[Problem]:
    """component-base logs/api/v1/options.go Validate, and validation.go on logs."""
    modules = items_of(at(config, 'logging.vmodule'))
    if modules and string_of(at(config, 'logging.format')) not in ('', 'text') and release.at_least(25):
        yield Problem('logging.vmodule', 'must be empty unless logging.format is text')
    for module in (module for module in modules if isinstance(module, Mapping)):
        pattern = string_of(module.get('filePattern'))
        is_sound = pattern and not {'=', ','} & set(pattern) and (number_of(module.get('verbosity')) or 0) < 2**31
        if not is_sound and release.at_least(25):
            yield Problem('logging.vmodule', 'must contain file patterns without = or comma, and levels below 2^31')
    for path, since in (('logging.options.text', 30), ('logging.options.json', 25)):
        if at(config, f'{path}.splitStream') is True or sign_of(at(config, f'{path}.infoBufferSize')) in (-1, 1):
            if release.at_least(since) and is_on(config, 'LoggingAlphaOptions', release) is False:
                yield needs_gate(path, 'LoggingAlphaOptions')
    if at(config, 'enableSystemLogQuery') is True and at(config, 'enableSystemLogHandler') is False:
        if release.at_least(27):
            yield Problem('enableSystemLogQuery', 'requires enableSystemLogHandler')
    folder = at(config, 'podLogsDir')
    if isinstance(folder, str) and not is_clean_path(folder) and release.at_least(30):
        yield Problem('podLogsDir', 'must be an absolute, normalized path of ASCII characters')


def endpoint_problems(config: Config, release: Release) -> Iterator[Problem]:
    """validation.go on the container runtime, and tracing/api/v1 validateEndpoint."""
    if at(config, 'containerRuntimeEndpoint') == '' and release.at_least(27):
        yield Problem('containerRuntimeEndpoint', 'must be set')
    collector = string_of(at(config, 'tracing.endpoint'))
    if '//' in collector and scheme(collector) not in TRACING_SCHEMES and release.at_least(25):
        yield Problem('tracing.endpoint', f'must have one of the schemes {", ".join(sorted(TRACING_SCHEMES))}, or none')


VALIDATIONS = (
    gate_problems,
    range_problems,
    name_problems,
    needed_gate_problems,
    image_problems,
    shutdown_problems,
    cgroup_problems,
    reserved_cpu_problems,
    reserved_memory_problems,
    taint_problems,
    pod_problems,
    logging_problems,
    endpoint_problems,
)
