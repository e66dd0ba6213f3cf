# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which values of a complete configuration, defaults filled in, would no kubelet from 1.32 to 1.36 start with?

A rule is here only if all of them refuse. Where they differ, or where the node decides (cgroups, swap, CPUs, files),
nothing is said. An absent key is not judged by itself, because the caller has put the defaults in.

Left out on purpose: unknown feature gates and authorization modes, which recorded kubelets let pass, and the names of
CPU and topology manager options, which each release adds to.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .golang import FALSE_WORDS, SECOND, TRUE_WORDS
from .kubernetes_text import (
    is_clean_path,
    is_cpu_list,
    is_grace_period,
    is_label,
    is_qos_percentage,
    is_qualified_name,
    is_threshold,
    quantity_sign,
    scheme,
)
from .release import Release
from .validation_table import (
    BETA,
    CIPHER_SUITES,
    DURATIONS,
    ENFORCEMENTS,
    ENUMS,
    LOCKED,
    NEEDS_GATE,
    RANGES,
    RESERVABLE,
    SIGNALS,
    STATIC_CPU_OPTIONS,
    SYSCTL_PREFIXES,
    TAINT_EFFECTS,
    TRACING_SCHEMES,
)

Config: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """A field that the kubelet refuses, by its dotted path, and what the kubelet wants there."""

    field: str
    message: str


def problems(config: Config, release: Release) -> Iterator[Problem]:
    """Everything in a complete configuration that a kubelet of that release refuses to start with."""
    for rule in RULES:
        yield from rule(config)


def at(value: object, path: str) -> object:
    """What lies at a dotted path, None where nothing does."""
    for key in path.split('.'):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def number(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def text(value: object) -> str:
    return value if isinstance(value, str) else ''


def items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def strings(value: object) -> dict[str, str]:
    """A map from strings to strings, without the entries that are none."""
    entries = value.items() if isinstance(value, Mapping) else ()
    return {key: entry for key, entry in entries if isinstance(key, str) and isinstance(entry, str)}


def sign(quantity: object) -> int | None:
    """-1, 0 or 1 of a quantity, which JSON may also give as a number; None if it is none."""
    value = number(quantity)
    return quantity_sign(text(quantity)) if value is None else (value > 0) - (value < 0)


def is_off(config: Config, gate: str) -> bool:
    """Whether a feature gate is off in all versions."""
    own = at(config, f'featureGates.{gate}')
    return own is False or (own is None and gate in BETA and at(config, 'featureGates.AllBeta') is False)


def ranges(config: Config) -> Iterator[Problem]:
    """The table of numbers and durations."""
    numbers = ((*row, f'at least {row[1]}' if row[2] is None else f'{row[1]} to {row[2]}') for row in RANGES)
    for path, low, high, wanted in (*numbers, *DURATIONS):
        value = number(at(config, path))
        if value is not None and (value < low or (high is not None and value > high)):
            yield Problem(path, f'must be {wanted}')
    factor = number(at(config, 'memoryThrottlingFactor'))
    if factor is not None and not 0 < factor <= 1:
        yield Problem('memoryThrottlingFactor', 'must be more than 0 and at most 1')


def enums(config: Config) -> Iterator[Problem]:
    """The table of names, and the TLS cipher suites."""
    for path, allowed in ENUMS.items():
        value = at(config, path)
        if isinstance(value, str) and value not in allowed:
            yield Problem(path, f'must be one of {", ".join(filter(None, allowed))}')
    if any(isinstance(name, str) and name not in CIPHER_SUITES for name in items(at(config, 'tlsCipherSuites'))):
        yield Problem('tlsCipherSuites', 'must hold only cipher suites that the kubelet knows')


def gates(config: Config) -> Iterator[Problem]:
    """component-base featuregate SetFromMap, and the features that validation.go ties to a gate."""
    for gate in sorted(LOCKED):
        if at(config, f'featureGates.{gate}') is False:
            yield Problem(f'featureGates.{gate}', 'is locked to true')
    for path, gate, harmless in NEEDS_GATE:
        value = at(config, path)
        quantity = number(value)
        is_used = bool(value) or isinstance(value, Mapping) if quantity is None else quantity > 0 and value != harmless
        if is_used and is_off(config, gate):
            yield Problem(path, f'needs the feature gate {gate}, which is off')


def images(config: Config) -> Iterator[Problem]:
    """validation.go on image garbage collection and pulls."""
    low, high = (number(at(config, f'imageGC{end}ThresholdPercent')) for end in ('Low', 'High'))
    if low is not None and high is not None and low >= high:
        yield Problem('imageGCLowThresholdPercent', 'must be less than imageGCHighThresholdPercent')
    oldest = number(at(config, 'imageMaximumGCAge')) or 0
    if 0 < oldest <= (number(at(config, 'imageMinimumGCAge')) or 0):
        yield Problem('imageMaximumGCAge', 'must be more than imageMinimumGCAge')
    if at(config, 'serializeImagePulls') is True and (number(at(config, 'maxParallelImagePulls')) or 0) > 1:
        yield Problem('maxParallelImagePulls', 'must be 1 while serializeImagePulls is true')


def shutdown(config: Config) -> Iterator[Problem]:
    """validation.go on graceful shutdown; a negative period passes where the gate is off."""
    paths = ('shutdownGracePeriod', 'shutdownGracePeriodCriticalPods')
    total, critical = (number(at(config, path)) or 0 for path in paths)
    is_ignored = is_off(config, 'GracefulNodeShutdown')
    for path, value in zip(paths, (total, critical), strict=True):
        if 0 < value < SECOND or (value < 0 and not is_ignored):
            yield Problem(path, 'must be zero or at least 1s')
    if critical > total and (critical > 0 or not is_ignored):
        yield Problem('shutdownGracePeriodCriticalPods', 'must not be more than shutdownGracePeriod')
    if items(at(config, 'shutdownGracePeriodByPodPriority')) and (total > 0 or critical > 0):
        yield Problem('shutdownGracePeriodByPodPriority', 'must not be set together with shutdownGracePeriod')


def cgroups(config: Config) -> Iterator[Problem]:
    """validation.go on node allocatable and its cgroups; a name given twice is refused only by some versions."""
    path = 'enforceNodeAllocatable'
    chosen = {name for name in items(at(config, path)) if isinstance(name, str)}
    if chosen - ENFORCEMENTS.keys():
        yield Problem(path, 'must hold only none, pods, kube-reserved, system-reserved, or one of these -compressible')
    if 'none' in chosen and len(chosen) > 1:
        yield Problem(path, 'must hold nothing beside none')
    for owner in ('kube-reserved', 'system-reserved'):
        if {owner, f'{owner}-compressible'} <= chosen:
            yield Problem(path, f'must not hold both {owner} and {owner}-compressible')
    for field in sorted({ENFORCEMENTS.get(name) or '' for name in chosen} - {''}):
        if not text(at(config, field)):
            yield Problem(field, 'must be set, because enforceNodeAllocatable enforces its reservation')
    if at(config, 'cgroupsPerQOS') is False and chosen & ENFORCEMENTS.keys() - {'none'}:
        yield Problem('cgroupsPerQOS', 'must be true while enforceNodeAllocatable enforces anything')
    if text(at(config, 'systemCgroups')) and not text(at(config, 'cgroupRoot')):
        yield Problem('cgroupRoot', 'must be set together with systemCgroups')


def cpus(config: Config) -> Iterator[Problem]:
    """validation.go on reservedSystemCPUs, and NewManager, NewNonePolicy and NewStaticPolicyOptions of cpumanager."""
    listed = text(at(config, 'reservedSystemCPUs'))
    if not is_cpu_list(listed):
        yield Problem('reservedSystemCPUs', 'must be a list of CPUs and ranges, like 0-3,8')
    if listed and (text(at(config, 'systemReservedCgroup')) or text(at(config, 'kubeReservedCgroup'))):
        yield Problem('reservedSystemCPUs', 'must not be set together with systemReservedCgroup or kubeReservedCgroup')
    policy, options = at(config, 'cpuManagerPolicy'), strings(at(config, 'cpuManagerPolicyOptions'))
    if policy == 'none' and options:
        yield Problem('cpuManagerPolicyOptions', 'must be empty while cpuManagerPolicy is none')
    if policy == 'static':
        if any(options.get(name, 'true') not in TRUE_WORDS | FALSE_WORDS for name in STATIC_CPU_OPTIONS):
            yield Problem('cpuManagerPolicyOptions', f'{", ".join(STATIC_CPU_OPTIONS)} must be booleans')
        reserved = (strings(at(config, f'{owner}Reserved')).get('cpu', '0') for owner in ('kube', 'system'))
        if not listed and all(sign(amount) == 0 for amount in reserved):
            yield Problem(
                'cpuManagerPolicy', 'static needs cpu in kubeReserved or systemReserved, else reservedSystemCPUs'
            )


def reservations(config: Config) -> Iterator[Problem]:
    """server.go parseResourceList, where reservedSystemCPUs replaces what is said of cpu, and cm ParseQOSReserved."""
    judged = RESERVABLE - {'cpu'} if text(at(config, 'reservedSystemCPUs')) else RESERVABLE
    for path in ('kubeReserved', 'systemReserved'):
        reserved = strings(at(config, path))
        if reserved.keys() - RESERVABLE:
            yield Problem(path, f'must hold only {", ".join(sorted(RESERVABLE))}')
        if any(sign(reserved[name]) in (None, -1) for name in reserved.keys() & judged):
            yield Problem(path, 'must hold quantities of zero or more')
    for name, share in strings(at(config, 'qosReserved')).items():
        if name != 'memory' or not is_qos_percentage(share):
            yield Problem('qosReserved', 'must hold only memory, from 0% to 100%')


def reserved_memory(config: Config) -> Iterator[Problem]:
    """validation_reserved_memory.go validateReservedMemoryConfiguration."""
    path = 'reservedMemory'
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


def evictions(config: Config) -> Iterator[Problem]:
    """pkg/kubelet/eviction/helpers.go ParseThresholdConfig; a soft threshold of 0% or 100% is dropped."""
    hard, soft, graces, reclaims = (
        strings(at(config, f'eviction{end}')) for end in ('Hard', 'Soft', 'SoftGracePeriod', 'MinimumReclaim')
    )
    checked = (
        ('evictionHard', hard, all(is_threshold(value, is_reclaim=False) for value in hard.values())),
        ('evictionSoft', soft, all(is_threshold(value, is_reclaim=False) for value in soft.values())),
        ('evictionSoftGracePeriod', graces, all(map(is_grace_period, graces.values()))),
        ('evictionMinimumReclaim', reclaims, all(is_threshold(value, is_reclaim=True) for value in reclaims.values())),
    )
    for path, entries, is_sound in checked:
        if entries.keys() - SIGNALS:
            yield Problem(path, 'must hold only eviction signals that the kubelet knows')
        if not is_sound:
            kind = 'durations' if entries is graces else 'quantities or percentages'
            yield Problem(path, f'must hold {kind} in their range')
    if {signal for signal, value in soft.items() if value not in ('0%', '100%')} - graces.keys():
        yield Problem('evictionSoftGracePeriod', 'must hold a period for each signal of evictionSoft')


def taints(config: Config) -> Iterator[Problem]:
    """pkg/util/taints CheckTaintValidation."""
    for taint in items(at(config, 'registerWithTaints')):
        key, value, effect = (text(at(taint, name)) for name in ('key', 'value', 'effect'))
        if not isinstance(taint, Mapping):
            continue
        if not is_qualified_name(key) or (value and not is_label(value)) or effect not in TAINT_EFFECTS:
            yield Problem('registerWithTaints', 'must hold taints with a valid key, value and effect')
        if taint.get('timeAdded') is not None:
            yield Problem('registerWithTaints', 'must not set timeAdded')


def logs(config: Config) -> Iterator[Problem]:
    """component-base logs/api/v1/options.go Validate, validation.go, and container_log_manager.go parseMaxSize."""
    modules = items(at(config, 'logging.vmodule'))
    if modules and text(at(config, 'logging.format')) not in ('', 'text'):
        yield Problem('logging.vmodule', 'must be empty unless logging.format is text')
    for module in (module for module in modules if isinstance(module, Mapping)):
        pattern = text(module.get('filePattern'))
        if not pattern or {'=', ','} & set(pattern) or (number(module.get('verbosity')) or 0) > 2**31 - 1:
            yield Problem('logging.vmodule', 'must hold file patterns without = or comma, and levels below 2^31')
    alpha = (at(config, f'featureGates.{gate}') for gate in ('LoggingAlphaOptions', 'AllAlpha'))
    if next((state for state in alpha if state is not None), False) is False:
        for path in (f'logging.options.{style}' for style in ('text', 'json')):
            if at(config, f'{path}.splitStream') is True or sign(at(config, f'{path}.infoBufferSize')) in (-1, 1):
                yield Problem(path, 'needs the feature gate LoggingAlphaOptions, which is off')
    if at(config, 'enableSystemLogQuery') is True and at(config, 'enableSystemLogHandler') is False:
        yield Problem('enableSystemLogQuery', 'needs enableSystemLogHandler')
    size = at(config, 'containerLogMaxSize')
    if isinstance(size, str) and sign(size) is None:
        yield Problem('containerLogMaxSize', 'must be a quantity')
    folder = at(config, 'podLogsDir')
    if isinstance(folder, str) and not is_clean_path(folder):
        yield Problem('podLogsDir', 'must be an absolute, normalized path of ASCII characters')


def endpoints(config: Config) -> Iterator[Problem]:
    """validation.go, tracing/api/v1 validateEndpoint, and cri-client parseEndpoint (Linux: unix sockets only)."""
    for path in ('containerRuntimeEndpoint', 'imageServiceEndpoint'):
        value = at(config, path)
        if value == '' and path == 'containerRuntimeEndpoint':
            yield Problem(path, 'must be set')
        if '://' in text(value) and scheme(text(value)) not in ('', 'unix'):
            yield Problem(path, 'must be a unix socket')
    collector = text(at(config, 'tracing.endpoint'))
    if '//' in collector and scheme(collector) not in TRACING_SCHEMES:
        yield Problem('tracing.endpoint', f'must have one of the schemes {", ".join(sorted(TRACING_SCHEMES))}, or none')


def names(config: Config) -> Iterator[Problem]:
    """sysctl/allowlist.go NewAllowlist, and component-base metrics: only the minor version before its own is valid."""
    allowed = items(at(config, 'allowedUnsafeSysctls'))
    if not all(text(name).replace('/', '.').startswith(SYSCTL_PREFIXES) for name in allowed):
        yield Problem('allowedUnsafeSysctls', 'must hold only sysctls that are known to be namespaced')
    version = text(at(config, 'showHiddenMetricsForVersion'))
    if version and not re.fullmatch(r'1\.[0-9]{1,3}', version):
        yield Problem('showHiddenMetricsForVersion', 'must be the previous minor version, like 1.35')


RULES = (
    ranges,
    enums,
    gates,
    images,
    shutdown,
    cgroups,
    cpus,
    reservations,
    reserved_memory,
    evictions,
    taints,
    logs,
    endpoints,
    names,
)
