# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a kubelet refuses during startup, after it logged its configuration and before it serves.

`validation.py` has what the kubelet's own validation refuses, `startup_values.py` the values that are refused after
that. This module has what else `run` (cmd/kubelet/app/server.go) and `NewMainKubelet` (pkg/kubelet/kubelet.go) refuse,
from Kubernetes 1.25 on. Real kubelets of 1.30, 1.33, and 1.36 confirm each row, if they have it. A kubelet that has run
for a while passed all of this. So use it only for a configuration that changed after the start, or for a machine that
is not running.

This module leaves out what depends on the node:
- swap, cgroups and their driver, protectKernelDefaults, CPUs and NUMA nodes, and the container runtime
- an address that the node does not have, a port in use, and a lock file
- a state file of the CPU or memory manager, and a self-signed certificate without its key
- what does not fail every time: a healthzPort equal to another port, where the servers race for it
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from .config_values import Config, Problem, at, items_of, needs_gate, number_of, string_of, strings_of
from .feature_gates import is_on
from .flag_values import parse_ip
from .flags import Flags
from .formats.go import FALSE_WORDS, TRUE_WORDS
from .needed_files import serves
from .release import Release
from .startup_values import startup_value_problems
from .tables.startup import (
    AUTHORIZATION_MODES,
    CLOUD_PROVIDERS,
    HTTP2_SUITES,
    LEAST_NUMA_NODES,
    MANAGERS,
    STRATEGIES,
    UNSEEN,
    Manager,
    Option,
)


def startup_problems(config: Config, flags: Flags, release: Release) -> Iterator[Problem]:
    """Everything that a kubelet of that release refuses during startup.

    `config`: the complete configuration, with defaults.
    """
    for check in STARTUP_CHECKS:
        yield from check(config, flags, release)
    yield from startup_value_problems(config, release)


def client_problems(config: Config, flags: Flags, _release: Release) -> Iterator[Problem]:
    """auth.go BuildAuthn and BuildAuthz, and NewMainKubelet. Without --kubeconfig there is no client."""
    mode = string_of(at(config, 'authorization.mode'))
    is_alone = not flags.text('kubeconfig')
    if mode not in AUTHORIZATION_MODES:
        yield Problem('authorization.mode', f'must be one of {", ".join(AUTHORIZATION_MODES)}')
    if mode == 'Webhook' and is_alone:
        yield Problem('authorization.mode', 'must not be Webhook without --kubeconfig')
    if at(config, 'authentication.webhook.enabled') is True and is_alone:
        yield Problem('authentication.webhook.enabled', 'must be false without --kubeconfig')
    strategy = string_of(at(config, 'configMapAndSecretChangeDetectionStrategy'))
    if strategy not in ('', *STRATEGIES) and not is_alone:
        yield Problem('configMapAndSecretChangeDetectionStrategy', f'must be one of {", ".join(STRATEGIES)}')


def serving_problems(config: Config, _flags: Flags, release: Release) -> Iterator[Problem]:
    """ListenAndServeKubeletServer, with the refusals of net/http and crypto/tls."""
    if not serves(config):
        return
    suites = items_of(at(config, 'tlsCipherSuites'))
    if suites and at(config, 'tlsMinVersion') != 'VersionTLS13' and not set(HTTP2_SUITES) & set(map(string_of, suites)):
        yield Problem('tlsCipherSuites', f'must contain {" or ".join(HTTP2_SUITES)}, which HTTP/2 requires')
    certificate, key = (bool(string_of(at(config, path))) for path in ('tlsCertFile', 'tlsPrivateKeyFile'))
    # From 1.36 on, the kubelet starts, but completes no TLS handshake.
    if certificate != key and release.before(36):
        yield Problem('tlsCertFile', 'must be set together with tlsPrivateKeyFile')
    try:
        parse_ip(string_of(at(config, 'address')))
    except ValueError:
        yield Problem('address', 'must be an IP address')
    if at(config, 'readOnlyPort') == at(config, 'port'):
        yield Problem('readOnlyPort', 'must not be the same as port')


def manager_problems(config: Config, _flags: Flags, release: Release) -> Iterator[Problem]:
    """The policy options of the CPU and the topology manager, and the memory manager."""
    for manager in MANAGERS:
        given = strings_of(at(config, manager.field))
        if given and not is_on(config, manager.gate, release):
            yield needs_gate(manager.field, manager.gate)
        elif given and at(config, manager.policy) in manager.policies:
            for name in sorted(given):
                yield from option_problems(config, manager, name, given[name], release)
            chosen = {name for name, value in given.items() if value in TRUE_WORDS}
            for pair in manager.exclusive:
                if chosen.issuperset(pair):
                    yield Problem(manager.field, f'must not enable both {" and ".join(pair)}')
            if 'align-by-socket' in chosen and at(config, 'topologyManagerPolicy') == 'single-numa-node':
                yield Problem(manager.field, 'must not enable align-by-socket with the policy single-numa-node')
    if at(config, 'featureGates.MemoryManager') is not False or release.at_least(32):
        yield from memory_manager_problems(config)


def memory_manager_problems(config: Config) -> Iterator[Problem]:
    """pkg/kubelet/cm/memorymanager NewManager, NewPolicyStatic. Does not check whether the sums match."""
    policy = at(config, 'memoryManagerPolicy')
    reserved = (at(entry, 'limits.memory') for entry in items_of(at(config, 'reservedMemory')))
    if policy == 'Static' and all(amount is None for amount in reserved):
        yield Problem('reservedMemory', 'must reserve memory while memoryManagerPolicy is Static')
    if policy == 'BestEffort':
        yield Problem('memoryManagerPolicy', 'must not be BestEffort, which is for Windows')


def option_problems(config: Config, manager: Manager, name: str, value: str, release: Release) -> Iterator[Problem]:
    """CheckPolicyOptionAvailable, and the values that the option accepts. At most one problem."""
    option = manager.options.get(name)
    if option is None:
        if release.before(UNSEEN):
            yield Problem(manager.field, 'must contain only options that the kubelet knows')
        return
    if release.before(option.since):
        yield Problem(manager.field, f'must not contain {name}, which Kubernetes 1.{option.since} introduces')
        return
    stage = stage_of(option, release)
    gate = manager.gate.replace('Options', f'{stage}Options')
    if stage and not is_on(config, gate, release):
        yield needs_gate(manager.field, gate, f'{name} ')
    elif option.is_boolean:
        if value not in TRUE_WORDS | FALSE_WORDS:
            yield Problem(manager.field, f'{name} must be a boolean')
    elif not is_enough(value):
        yield Problem(manager.field, f'{name} must be a number of at least {LEAST_NUMA_NODES}')


def is_enough(value: str) -> bool:
    """Whether a number of NUMA nodes is valid. strconv.Atoi accepts a sign."""
    digits = value.removeprefix('+')
    return digits.isascii() and digits.isdecimal() and len(digits) < 10 and int(digits) >= LEAST_NUMA_NODES


def stage_of(option: Option, release: Release) -> str:
    """`Alpha`, `Beta`, or '' for a stable option."""
    if option.stable is not None and release.at_least(option.stable):
        return ''
    return 'Beta' if option.beta is not None and release.at_least(option.beta) else 'Alpha'


def frequency_problems(config: Config, flags: Flags, _release: Release) -> Iterator[Problem]:
    """NewMainKubelet, and NewContainerGC of pkg/kubelet/container; a frequency of zero is the default."""
    if (number_of(at(config, 'syncFrequency')) or 0) < 0:
        yield Problem('syncFrequency', 'must not be negative')
    age = flags.values.get('minimum-container-ttl-duration')
    if age is not None and (number_of(age.value) or 0) < 0:
        yield Problem('--minimum-container-ttl-duration', 'must not be negative')


def node_flag_problems(config: Config, flags: Flags, release: Release) -> Iterator[Problem]:
    """Problems in flags that set no field: `run`, `RunKubelet`, NewMainKubelet, RegisterCredentialProviderPlugins."""
    contends = flags.values.get('exit-on-lock-contention')
    if contends is not None and contends.value is True and not flags.text('lock-file'):
        yield Problem('--exit-on-lock-contention', 'requires --lock-file')
    root = flags.values.get('root-dir')
    if root is not None and not str(root.value).startswith('/'):
        yield Problem('--root-dir', 'must be an absolute path')
    # component-base logs/api/v1/options.go Validate, where the file can set the format.
    modules, form = flags.text('vmodule'), string_of(at(config, 'logging.format'))
    if modules.strip(',') and form not in ('', 'text') and release.at_least(25):
        yield Problem('--vmodule', 'must be empty unless logging.format is text')
    hostname = flags.text('hostname-override')
    if hostname and not hostname.strip():
        yield Problem('--hostname-override', 'must not be blank')
    credentials, folder = (f'image-credential-provider-{end}' for end in ('config', 'bin-dir'))
    if bool(flags.text(credentials)) != bool(flags.text(folder)):
        yield Problem(f'--{credentials}', f'must be set together with --{folder}')
    provider = flags.text('cloud-provider')
    if provider not in ('', 'external') and not has_provider(config, provider, release):
        yield Problem('--cloud-provider', 'must be external, because the kubelet has no built-in provider of that name')
    yield from node_ip_problems(config, flags, release)


def has_provider(config: Config, provider: str, release: Release) -> bool:
    """Whether a cloud provider is compiled in, and not disabled by DisableCloudProviders."""
    until = CLOUD_PROVIDERS.get(provider)
    if until is None or release.at_least(until):
        return False
    return not is_on(config, 'DisableCloudProviders', release)


def node_ip_problems(config: Config, flags: Flags, release: Release) -> Iterator[Problem]:
    """component-helpers node/util ParseNodeIPArgument, which ignores anything that is not an IP address."""
    addresses = list(iter_ips(flags.text('node-ip')))
    if len(addresses) < 2:
        return
    if len(addresses) > 2 or len({is_ipv4(address) for address in addresses}) == 1:
        yield Problem('--node-ip', 'must contain one IP address, or one IPv4 and one IPv6 address')
    elif flags.text('cloud-provider') and not has_dual_stack(config, flags, release):
        yield Problem('--node-ip', 'must contain only one IP address while --cloud-provider is set')
    elif any(address.is_unspecified for address in addresses):
        yield Problem('--node-ip', 'must not contain 0.0.0.0 or :: with another IP address')


def iter_ips(listed: str) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    for part in listed.split(','):
        try:
            yield ipaddress.ip_address(parse_ip(part.strip()))
        except ValueError:
            continue


def is_ipv4(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """As in Go's net.IP.To4: an IPv4-mapped IPv6 address counts as IPv4."""
    return isinstance(address, ipaddress.IPv4Address) or address.ipv4_mapped is not None


def has_dual_stack(config: Config, flags: Flags, release: Release) -> bool:
    """Whether a cloud node can have two addresses: only an external one, from 1.27 on, by CloudDualStackNodeIPs."""
    if flags.text('cloud-provider') != 'external' or release.before(27):
        return False
    return release.at_least(30) or is_on(config, 'CloudDualStackNodeIPs', release) is True


STARTUP_CHECKS = (client_problems, serving_problems, manager_problems, frequency_problems, node_flag_problems)
