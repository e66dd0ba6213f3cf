# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which values of a complete configuration does a kubelet refuse only after it validated and logged it? Pure.

`validation.py` holds what it refuses before; `late_refusals.py` asks for both kinds of what comes later. The rules hold
for Kubernetes 1.20 to 1.37 where they do not ask the release. An absent key is not judged by itself, because the
caller has put the defaults in.
"""

from collections.abc import Iterator
from typing import Final

from .config_values import Config, Problem, at, items, number, sign, strings, text
from .formats.kubernetes import is_grace_period, is_qos_percentage, is_threshold, scheme
from .release import Release
from .tables.validation import SYSCTL_PREFIXES

# cmd/kubelet/app/server.go parseResourceList
RESERVABLE: Final = frozenset({'cpu', 'memory', 'ephemeral-storage', 'pid'})

# pkg/kubelet/eviction/helpers.go signalToResource; those of the container file system came with 1.29
SIGNALS: Final = frozenset(
    {'allocatableMemory.available', 'memory.available', 'pid.available'}
    | {f'{name}.{what}' for name in ('containerfs', 'imagefs', 'nodefs') for what in ('available', 'inodesFree')}
)


def value_problems(config: Config, release: Release) -> Iterator[Problem]:
    """Everything in a complete configuration that a kubelet of that release refuses on its way to serving."""
    for rule in RULES:
        yield from rule(config, release)


def cpus(config: Config, _release: Release) -> Iterator[Problem]:
    """NewManager, NewNonePolicy and NewStaticPolicy of pkg/kubelet/cm/cpumanager."""
    policy = at(config, 'cpuManagerPolicy')
    if isinstance(policy, str) and policy not in ('none', 'static'):
        yield Problem('cpuManagerPolicy', 'must be one of none, static')
    if policy == 'none' and strings(at(config, 'cpuManagerPolicyOptions')):
        yield Problem('cpuManagerPolicyOptions', 'must be empty while cpuManagerPolicy is none')
    if policy == 'static' and not text(at(config, 'reservedSystemCPUs')):
        reserved = (strings(at(config, f'{owner}Reserved')).get('cpu', '0') for owner in ('kube', 'system'))
        if all(sign(amount) == 0 for amount in reserved):
            needed = 'static needs cpu in kubeReserved or systemReserved, else reservedSystemCPUs'
            yield Problem('cpuManagerPolicy', needed)


def memory(config: Config, _release: Release) -> Iterator[Problem]:
    """NewManager of pkg/kubelet/cm/memorymanager; BestEffort is for Windows."""
    policy = at(config, 'memoryManagerPolicy')
    if isinstance(policy, str) and policy not in ('None', 'Static', 'BestEffort'):
        yield Problem('memoryManagerPolicy', 'must be one of None, Static, BestEffort')


def reservations(config: Config, _release: Release) -> Iterator[Problem]:
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


def evictions(config: Config, release: Release) -> Iterator[Problem]:
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
        if any(signal not in SIGNALS or is_newer(signal, release) for signal in entries):
            yield Problem(path, 'must hold only eviction signals that the kubelet knows')
        if not is_sound:
            kind = 'durations' if entries is graces else 'quantities or percentages'
            yield Problem(path, f'must hold {kind} in their range')
    if {signal for signal, value in soft.items() if value not in ('0%', '100%')} - graces.keys():
        yield Problem('evictionSoftGracePeriod', 'must hold a period for each signal of evictionSoft')


def is_newer(signal: str, release: Release) -> bool:
    return signal.startswith('containerfs.') and release.before(29)


def logs(config: Config, release: Release) -> Iterator[Problem]:
    """NewContainerLogManager and parseMaxSize of pkg/kubelet/logs/container_log_manager.go, and logs/api/v1 Validate.

    The verbosity is validated earlier, but only where no --v takes its place, and a recorded kubelet has one.
    """
    size = at(config, 'containerLogMaxSize')
    if isinstance(size, str) and sign(size) is None:
        yield Problem('containerLogMaxSize', 'must be a quantity')
    files = number(at(config, 'containerLogMaxFiles'))
    if files is not None and files < 2 and release.before(33):
        yield Problem('containerLogMaxFiles', 'must be at least 2')
    verbosity = number(at(config, 'logging.verbosity'))
    if verbosity is not None and verbosity > 2**31 - 1 and release.at_least(25):
        yield Problem('logging.verbosity', 'must be below 2^31')


def endpoints(config: Config, _release: Release) -> Iterator[Problem]:
    """cri-client parseEndpoint (Linux: unix sockets only)."""
    for path in ('containerRuntimeEndpoint', 'imageServiceEndpoint'):
        value = text(at(config, path))
        if '://' in value and scheme(value) not in ('', 'unix'):
            yield Problem(path, 'must be a unix socket')


def sysctls(config: Config, _release: Release) -> Iterator[Problem]:
    """pkg/kubelet/sysctl/allowlist.go NewAllowlist."""
    allowed = items(at(config, 'allowedUnsafeSysctls'))
    if not all(text(name).replace('/', '.').startswith(SYSCTL_PREFIXES) for name in allowed):
        yield Problem('allowedUnsafeSysctls', 'must hold only sysctls that are known to be namespaced')


RULES = (cpus, memory, reservations, evictions, logs, endpoints, sysctls)
