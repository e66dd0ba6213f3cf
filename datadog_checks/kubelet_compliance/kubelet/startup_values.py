# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The values of a complete configuration that a kubelet refuses only after it validated and logged them.

`validation.py` has the values that it refuses earlier. `startup_checks.py` calls this module. A check that does not
depend on the release holds for Kubernetes 1.20 to 1.37. A missing key is not a problem by itself, because the caller
has filled in the defaults.
"""

from collections.abc import Iterator
from typing import Final

from .config_values import Config, Problem, at, items_of, number_of, sign_of, string_of, strings_of
from .formats.kubernetes import (
    is_grace_period,
    is_int64_quantity,
    is_minimum_reclaim,
    is_over_whole,
    is_qos_percentage,
    is_threshold,
    scheme,
)
from .release import Release
from .tables.validation import SYSCTL_PREFIXES

# cmd/kubelet/app/server.go parseResourceList
RESERVABLE: Final = frozenset({'cpu', 'memory', 'ephemeral-storage', 'pid'})

# pkg/kubelet/eviction/helpers.go signalToResource. 1.29 introduced those of the container file system.
SIGNALS: Final = frozenset(
    {'allocatableMemory.available', 'memory.available', 'pid.available'}
    | {f'{name}.{what}' for name in ('containerfs', 'imagefs', 'nodefs') for what in ('available', 'inodesFree')}
)


def startup_value_problems(config: Config, release: Release) -> Iterator[Problem]:
    """Every value of a complete configuration that a kubelet of that release refuses during startup."""
    for check in VALUE_CHECKS:
        yield from check(config, release)


def cpu_manager_problems(config: Config, _release: Release) -> Iterator[Problem]:
    """NewManager, NewNonePolicy and NewStaticPolicy of pkg/kubelet/cm/cpumanager."""
    policy = at(config, 'cpuManagerPolicy')
    if isinstance(policy, str) and policy not in ('none', 'static'):
        yield Problem('cpuManagerPolicy', 'must be one of none, static')
    if policy == 'none' and strings_of(at(config, 'cpuManagerPolicyOptions')):
        yield Problem('cpuManagerPolicyOptions', 'must be empty while cpuManagerPolicy is none')
    if policy == 'static' and not string_of(at(config, 'reservedSystemCPUs')):
        reserved = (strings_of(at(config, f'{owner}Reserved')).get('cpu', '0') for owner in ('kube', 'system'))
        if all(sign_of(amount) == 0 for amount in reserved):
            needed = 'static requires cpu in kubeReserved or systemReserved, or else reservedSystemCPUs'
            yield Problem('cpuManagerPolicy', needed)


def memory_policy_problems(config: Config, _release: Release) -> Iterator[Problem]:
    """NewManager of pkg/kubelet/cm/memorymanager. BestEffort is for Windows."""
    policy = at(config, 'memoryManagerPolicy')
    if isinstance(policy, str) and policy not in ('None', 'Static', 'BestEffort'):
        yield Problem('memoryManagerPolicy', 'must be one of None, Static, BestEffort')


def reservation_problems(config: Config, _release: Release) -> Iterator[Problem]:
    """server.go parseResourceList, where reservedSystemCPUs replaces the entry for cpu, and cm ParseQOSReserved."""
    judged = RESERVABLE - {'cpu'} if string_of(at(config, 'reservedSystemCPUs')) else RESERVABLE
    for path in ('kubeReserved', 'systemReserved'):
        reserved = strings_of(at(config, path))
        if reserved.keys() - RESERVABLE:
            yield Problem(path, f'must contain only {", ".join(sorted(RESERVABLE))}')
        if any(sign_of(reserved[name]) in (None, -1) for name in reserved.keys() & judged):
            yield Problem(path, 'must contain non-negative quantities')
    for name, share in strings_of(at(config, 'qosReserved')).items():
        if name != 'memory' or not is_qos_percentage(share):
            yield Problem('qosReserved', 'must contain only memory, from 0% to 100%')


def eviction_problems(config: Config, release: Release) -> Iterator[Problem]:
    """pkg/kubelet/eviction/helpers.go ParseThresholdConfig. It drops a soft threshold of 0% or 100%."""
    hard, soft, graces, reclaims = (
        strings_of(at(config, f'eviction{end}')) for end in ('Hard', 'Soft', 'SoftGracePeriod', 'MinimumReclaim')
    )
    checked = (
        ('evictionHard', hard, all(map(is_threshold, hard.values()))),
        ('evictionSoft', soft, all(map(is_threshold, soft.values()))),
        ('evictionSoftGracePeriod', graces, all(map(is_grace_period, graces.values()))),
        ('evictionMinimumReclaim', reclaims, all(map(is_minimum_reclaim, reclaims.values()))),
    )
    for path, entries, is_sound in checked:
        if any(signal not in SIGNALS or is_newer(signal, release) for signal in entries):
            yield Problem(path, 'must contain only eviction signals that the kubelet knows')
        if not is_sound:
            kind = 'durations' if entries is graces else 'quantities or percentages'
            yield Problem(path, f'must contain valid {kind}')
    for path, entries in (('evictionHard', hard), ('evictionSoft', soft)):
        # 1.20 divides by 100, and then compares with 100.
        if any(map(is_over_whole, entries.values())) and release.at_least(21):
            yield Problem(path, 'must contain percentages of at most 100%')
    if {signal for signal, value in soft.items() if value not in ('0%', '100%')} - graces.keys():
        yield Problem('evictionSoftGracePeriod', 'must contain a period for each signal of evictionSoft')


def is_newer(signal: str, release: Release) -> bool:
    return signal.startswith('containerfs.') and release.before(29)


def container_log_problems(config: Config, release: Release) -> Iterator[Problem]:
    """NewContainerLogManager and parseMaxSize of pkg/kubelet/logs/container_log_manager.go, and logs/api/v1 Validate.

    The kubelet validates the verbosity earlier, but not if --v is given, as it was in the recordings.
    """
    size = at(config, 'containerLogMaxSize')
    if isinstance(size, str) and not is_int64_quantity(size):
        yield Problem('containerLogMaxSize', 'must be an integer quantity of bytes, like 10Mi')
    files = number_of(at(config, 'containerLogMaxFiles'))
    if files is not None and files < 2 and release.before(33):
        yield Problem('containerLogMaxFiles', 'must be at least 2')
    verbosity = number_of(at(config, 'logging.verbosity'))
    if verbosity is not None and verbosity > 2**31 - 1 and release.at_least(25):
        yield Problem('logging.verbosity', 'must be below 2^31')


def socket_problems(config: Config, _release: Release) -> Iterator[Problem]:
    """cri-client parseEndpoint (on Linux, unix sockets only)."""
    for path in ('containerRuntimeEndpoint', 'imageServiceEndpoint'):
        value = string_of(at(config, path))
        if '://' in value and scheme(value) not in ('', 'unix'):
            yield Problem(path, 'must be a unix socket')


def sysctl_problems(config: Config, _release: Release) -> Iterator[Problem]:
    """pkg/kubelet/sysctl/allowlist.go NewAllowlist."""
    allowed = items_of(at(config, 'allowedUnsafeSysctls'))
    if not all(string_of(name).replace('/', '.').startswith(SYSCTL_PREFIXES) for name in allowed):
        yield Problem('allowedUnsafeSysctls', 'must contain only sysctls that are known to be namespaced')


VALUE_CHECKS = (
    cpu_manager_problems,
    memory_policy_problems,
    reservation_problems,
    eviction_problems,
    container_log_problems,
    socket_problems,
    sysctl_problems,
)
