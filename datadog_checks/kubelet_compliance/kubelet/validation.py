# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which values of a complete configuration, defaults filled in, would a kubelet of a release refuse at once? Pure.

Here is what `NewKubeletCommand` (cmd/kubelet/app/server.go) turns down before the kubelet logs its configuration:
feature gates, `ValidateKubeletConfiguration`, the logging options and the TLS options, as Kubernetes 1.20 to 1.37 have
them; what 1.37 refuses is taken to hold for later releases. `late_values.py` has what is refused afterwards. Where the
node decides (cgroups), nothing is said. An absent key is not judged by itself, because the caller has put the
defaults in.

The release is asked only about a value that some release refuses, so that an ordinary configuration asks nothing.
"""

import re
from collections.abc import Iterator, Mapping

from .config_values import Config, Problem, at, items, number, sign, text
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

# What is certainly no image name (pullmanager/image_pull_policies.go getAllowlistImagePattern); no more is claimed.
IMAGE_PATTERN = re.compile(r'[^\s*@]+/\*|[^\s*@]+')
SYSCTL = re.compile(r'(?:[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?')


def problems(config: Config, release: Release) -> Iterator[Problem]:
    """Everything in a complete configuration that a kubelet of that release refuses to start with."""
    for rule in RULES:
        yield from rule(config, release)


def is_outside(value: int | float, row: Range) -> bool:
    return value < row.low or (row.high is not None and value > row.high)


def ranges(config: Config, release: Release) -> Iterator[Problem]:
    """The table of numbers and durations, and those whose range depends on a gate."""
    for row in RANGES:
        value = number(at(config, row.path))
        if value is not None and is_outside(value, row) and release.at_least(row.since):
            yield Problem(row.path, f'must be {row}')
    period = number(at(config, QUOTA_PERIOD.path))
    if period is not None and is_outside(period, QUOTA_PERIOD):
        is_fine = 1000 <= period < QUOTA_PERIOD.low and release.before(FINER_UNTIL + 1)
        if not is_fine and is_on(config, 'CustomCPUCFSQuotaPeriod', release):
            yield Problem(QUOTA_PERIOD.path, f'must be {QUOTA_PERIOD}')
    yield from restart_period(config, release)
    factor = number(at(config, 'memoryThrottlingFactor'))
    if factor is not None and not 0 < factor <= 1 and release.at_least(22):
        yield Problem('memoryThrottlingFactor', 'must be more than 0 and at most 1')
    elif (
        factor not in (None, THROTTLING_DEFAULT)
        and release.at_least(37)
        and is_on(config, 'MemoryQoS', release) is False
    ):
        yield Problem('memoryThrottlingFactor', 'needs the feature gate MemoryQoS, which is off')


def restart_period(config: Config, release: Release) -> Iterator[Problem]:
    """It must be set, and in its range, only while its gate is on."""
    gate, period = 'KubeletCrashLoopBackOffMax', number(at(config, RESTART_PERIOD.path))
    if period is None:
        # Where the gate comes from a file, its default is filled in: so one that is missing is due to a flag.
        if at(config, f'featureGates.{gate}') is True and release.at_least(RESTART_PERIOD.since):
            yield Problem(RESTART_PERIOD.path, f'must be set while the feature gate {gate} is on')
    elif is_outside(period, RESTART_PERIOD) and release.at_least(RESTART_PERIOD.since) and is_on(config, gate, release):
        yield Problem(RESTART_PERIOD.path, f'must be {RESTART_PERIOD}')


def names(config: Config, release: Release) -> Iterator[Problem]:
    """The table of names, the TLS options, and metrics: only the minor version before its own is valid."""
    for row in NAMES:
        value = at(config, row.path)
        # Nothing is a value only where a gate is on in spite of its default, which would have filled it in.
        is_left_out = value == '' and row.gate is not None and not at(config, 'featureGates')
        is_wrong = isinstance(value, str) and value not in row.allowed and not is_left_out
        if is_wrong and release.is_in(row.since, row.until):
            if row.gate is None or is_on(config, row.gate, release):
                yield Problem(row.path, f'must be one of {", ".join(filter(None, row.allowed))}')
    if any(text(name) not in CIPHER_SUITES for name in items(at(config, 'tlsCipherSuites'))):
        yield Problem('tlsCipherSuites', 'must hold only cipher suites that the kubelet knows')
    curves = items(at(config, 'tlsCurvePreferences'))
    if len(CURVES & {curve for curve in curves if isinstance(curve, int)}) < len(curves) and release.at_least(36):
        yield Problem('tlsCurvePreferences', 'must hold only curves that the kubelet knows, each once')
    version = text(at(config, 'showHiddenMetricsForVersion'))
    shown = re.fullmatch(r'1\.(0|[1-9][0-9]{0,2})', version)
    own = within_tables(int(shown[1]) + 1) if shown is not None else 0
    if version and not (own and release.is_in(own, own)):
        yield Problem('showHiddenMetricsForVersion', 'must be the minor version before the kubelet, like 1.35')


def gates(config: Config, release: Release) -> Iterator[Problem]:
    """The features that validation.go ties to a gate."""
    for row in NEEDED_GATES:
        if (
            row.when(at(config, row.path))
            and release.is_in(row.since, row.until)
            and is_on(config, row.gate, release) is False
        ):
            yield Problem(row.path, f'needs the feature gate {row.gate}, which is off')


def images(config: Config, release: Release) -> Iterator[Problem]:
    """validation.go on image garbage collection, pulls, and who may use an image that is there."""
    low, high = (number(at(config, f'imageGC{end}ThresholdPercent')) for end in ('Low', 'High'))
    if low is not None and high is not None and low >= high:
        yield Problem('imageGCLowThresholdPercent', 'must be less than imageGCHighThresholdPercent')
    oldest = number(at(config, 'imageMaximumGCAge')) or 0
    if 0 < oldest <= (number(at(config, 'imageMinimumGCAge')) or 0) and release.at_least(29):
        yield Problem('imageMaximumGCAge', 'must be more than imageMinimumGCAge')
    is_serial = at(config, 'serializeImagePulls') is True
    if is_serial and (number(at(config, 'maxParallelImagePulls')) or 0) > 1 and release.at_least(27):
        yield Problem('maxParallelImagePulls', 'must be 1 while serializeImagePulls is true')
    path, gate = 'preloadedImagesVerificationAllowlist', 'KubeletEnsureSecretPulledImages'
    listed, policy = items(at(config, path)), text(at(config, 'imagePullCredentialsVerificationPolicy'))
    is_sound = all(IMAGE_PATTERN.fullmatch(text(pattern)) for pattern in listed)
    is_used = policy == 'NeverVerifyAllowlistedImages'
    if listed and not (is_sound and is_used) and release.at_least(33) and is_on(config, gate, release):
        if not is_used:
            yield Problem(path, 'needs imagePullCredentialsVerificationPolicy to be NeverVerifyAllowlistedImages')
        if not is_sound:
            yield Problem(path, 'must hold image names without tag, or end in /*')


def shutdown(config: Config, release: Release) -> Iterator[Problem]:
    """validation.go on graceful shutdown; a negative period passes where the gate is off."""
    paths = ('shutdownGracePeriod', 'shutdownGracePeriodCriticalPods')
    total, critical = (number(at(config, path)) or 0 for path in paths)
    is_wrong = not (0 <= critical <= total and all(value == 0 or value >= SECOND for value in (total, critical)))
    if is_wrong and is_on(config, 'GracefulNodeShutdown', release):
        for path, value in zip(paths, (total, critical), strict=True):
            if value < 0 or 0 < value < SECOND:
                yield Problem(path, 'must be zero or at least 1s')
        if critical > total:
            yield Problem('shutdownGracePeriodCriticalPods', 'must not be more than shutdownGracePeriod')
    by_priority = 'shutdownGracePeriodByPodPriority'
    if items(at(config, by_priority)) and (total > 0 or critical > 0) and release.at_least(23):
        yield Problem(by_priority, 'must not be set together with shutdownGracePeriod')


def cgroups(config: Config, release: Release) -> Iterator[Problem]:
    """validation.go on node allocatable and its cgroups."""
    path = 'enforceNodeAllocatable'
    listed = [text(name) for name in items(at(config, path))]  # null is an empty name
    chosen = set(listed)
    newer = {name for name in chosen if name.endswith('-compressible')}
    if chosen - ENFORCEMENTS.keys() or newer and release.before(32):
        yield Problem(path, 'must hold only none, pods, kube-reserved, system-reserved, or one of these -compressible')
    if 'none' in chosen and len(listed) > 1:
        yield Problem(path, 'must hold nothing beside none')
    elif len(listed) > len(chosen) and release.at_least(31):
        yield Problem(path, 'must hold nothing twice')
    for owner in ('kube-reserved', 'system-reserved'):
        if {owner, f'{owner}-compressible'} <= chosen:
            yield Problem(path, f'must not hold both {owner} and {owner}-compressible')
    for field in sorted({ENFORCEMENTS.get(name) or '' for name in chosen} - {''}):
        if not text(at(config, field)):
            yield Problem(field, 'must be set, because enforceNodeAllocatable enforces its reservation')
    if at(config, 'cgroupsPerQOS') is False and chosen:
        if chosen & ENFORCEMENTS.keys() - {'none'} or release.before(31):
            yield Problem('cgroupsPerQOS', 'must be true while enforceNodeAllocatable enforces anything')
    if text(at(config, 'systemCgroups')) and not text(at(config, 'cgroupRoot')):
        yield Problem('cgroupRoot', 'must be set together with systemCgroups')


def cpus(config: Config, _release: Release) -> Iterator[Problem]:
    """validation.go on reservedSystemCPUs."""
    listed = text(at(config, 'reservedSystemCPUs'))
    if not is_cpu_list(listed):
        yield Problem('reservedSystemCPUs', 'must be a list of CPUs and ranges, like 0-3,8')
    if listed and (text(at(config, 'systemReservedCgroup')) or text(at(config, 'kubeReservedCgroup'))):
        yield Problem('reservedSystemCPUs', 'must not be set together with systemReservedCgroup or kubeReservedCgroup')


def reserved_memory(config: Config, release: Release) -> Iterator[Problem]:
    """validation_reserved_memory.go validateReservedMemoryConfiguration."""
    path = 'reservedMemory'
    if not items(at(config, path)) or release.before(21):
        return
    seen: set[tuple[object, str]] = set()
    for reservation in items(at(config, path)):
        node, limits = number(at(reservation, 'numaNode')) or 0, at(reservation, 'limits')
        named = limits if isinstance(limits, Mapping) else {}
        for name in (name for name in named if isinstance(name, str)):
            if name != 'memory' and not name.startswith('hugepages-'):
                yield Problem(path, 'must limit only memory and hugepages-SIZE')
            if sign(named[name]) == 0:
                yield Problem(path, 'must not be zero')
            if (node, name) in seen:
                yield Problem(path, 'must not limit a resource of a NUMA node twice')
            seen.add((node, name))


def taints(config: Config, release: Release) -> Iterator[Problem]:
    """pkg/util/taints CheckTaintValidation."""
    if not items(at(config, 'registerWithTaints')) or release.before(23):
        return
    for taint in items(at(config, 'registerWithTaints')):
        key, value, effect = (text(at(taint, name)) for name in ('key', 'value', 'effect'))
        if not isinstance(taint, Mapping):
            continue
        if not is_qualified_name(key) or (value and not is_label(value)) or effect not in TAINT_EFFECTS:
            yield Problem('registerWithTaints', 'must hold taints with a valid key, value and effect')
        if taint.get('timeAdded') is not None:
            yield Problem('registerWithTaints', 'must not set timeAdded')


def pods(config: Config, release: Release) -> Iterator[Problem]:
    """validation.go on runOnce and defaultPodSysctls, and validation_linux.go on user namespaces."""
    if at(config, 'runOnce') is True and release.at_least(32):
        yield Problem('runOnce', 'must be false')
    ids = number(at(config, 'userNamespaces.idsPerPod'))
    if ids is not None and (not 0 < ids <= MOST_IDS or ids % ID_UNIT) and release.at_least(33):
        yield Problem('userNamespaces.idsPerPod', f'must be a multiple of {ID_UNIT} below 2^32')
    given = at(config, 'defaultPodSysctls')
    found = [text(name).replace('/', '.') for name in given] if isinstance(given, Mapping) else []
    is_sound = len(set(found)) == len(found) and all(
        SYSCTL.fullmatch(name) and name.startswith(SYSCTL_PREFIXES) for name in found
    )
    if not is_sound and release.at_least(37):
        yield Problem('defaultPodSysctls', 'must hold only sysctls that are known to be namespaced, each once')


def logs(config: Config, release: Release) -> Iterator[Problem]:
    """component-base logs/api/v1/options.go Validate, and validation.go on logs."""
    modules = items(at(config, 'logging.vmodule'))
    if modules and text(at(config, 'logging.format')) not in ('', 'text') and release.at_least(25):
        yield Problem('logging.vmodule', 'must be empty unless logging.format is text')
    for module in (module for module in modules if isinstance(module, Mapping)):
        pattern = text(module.get('filePattern'))
        is_sound = pattern and not {'=', ','} & set(pattern) and (number(module.get('verbosity')) or 0) < 2**31
        if not is_sound and release.at_least(25):
            yield Problem('logging.vmodule', 'must hold file patterns without = or comma, and levels below 2^31')
    for path, since in (('logging.options.text', 30), ('logging.options.json', 25)):
        if at(config, f'{path}.splitStream') is True or sign(at(config, f'{path}.infoBufferSize')) in (-1, 1):
            if release.at_least(since) and is_on(config, 'LoggingAlphaOptions', release) is False:
                yield Problem(path, 'needs the feature gate LoggingAlphaOptions, which is off')
    if at(config, 'enableSystemLogQuery') is True and at(config, 'enableSystemLogHandler') is False:
        if release.at_least(27):
            yield Problem('enableSystemLogQuery', 'needs enableSystemLogHandler')
    folder = at(config, 'podLogsDir')
    if isinstance(folder, str) and not is_clean_path(folder) and release.at_least(30):
        yield Problem('podLogsDir', 'must be an absolute, normalized path of ASCII characters')


def endpoints(config: Config, release: Release) -> Iterator[Problem]:
    """validation.go on the container runtime, and tracing/api/v1 validateEndpoint."""
    if at(config, 'containerRuntimeEndpoint') == '' and release.at_least(27):
        yield Problem('containerRuntimeEndpoint', 'must be set')
    collector = text(at(config, 'tracing.endpoint'))
    if '//' in collector and scheme(collector) not in TRACING_SCHEMES and release.at_least(25):
        yield Problem('tracing.endpoint', f'must have one of the schemes {", ".join(sorted(TRACING_SCHEMES))}, or none')


RULES = (
    gate_problems,
    ranges,
    names,
    gates,
    images,
    shutdown,
    cgroups,
    cpus,
    reserved_memory,
    taints,
    pods,
    logs,
    endpoints,
)
