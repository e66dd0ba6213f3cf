# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What does a kubelet refuse only after it took its configuration, on its way to serving?

`validation.py` says what the kubelet's own validation turns down, `late_values.py` which values are turned down after
it. Here is what else `run` (cmd/kubelet/app/server.go) and
`NewMainKubelet` (pkg/kubelet/kubelet.go) turn down later, from Kubernetes 1.25 on, each row confirmed with real
kubelets of 1.30, 1.33 and 1.36 where these have it. A kubelet that has been running for a while has passed all of it,
so ask only about a configuration that changed after the start, or of a machine that does not run.

Left out, because the node decides it: swap, cgroups and their driver, protectKernelDefaults, CPUs and NUMA nodes, the
container runtime, an address that is not the node's own or a port in use, a lock file, a state file of the CPU or
memory manager, a self-made certificate without its key. So is what ends one start and not the next: a healthzPort that
is the same as another port, where the servers race for it. Private keys and kubeconfig files are secrets: whether they
are there is asked for, what they hold is not, so a key that fits another certificate is not seen.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .config_values import Config, Problem, at, items, number, strings, text
from .flag_values import ip
from .flags import Flags
from .formats.certificates import bundle_problem, chain_problem
from .formats.go import FALSE_WORDS, TRUE_WORDS
from .late_values import value_problems
from .release import Release
from .tables.late import (
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

CLIENT_CA = 'authentication.x509.clientCAFile'


def late_problems(config: Config, flags: Flags, release: Release) -> Iterator[Problem]:
    """All that a kubelet of that release refuses on its way to serving, by its complete configuration and its flags."""
    for rule in RULES:
        yield from rule(config, flags, release)
    yield from value_problems(config, release)


@dataclass(frozen=True, slots=True)
class NeededFile:
    """A file without which the kubelet ends: the setting, its path, and what the kubelet finds wrong with it.

    `judge` takes what the file holds, None where there is no such file. Without `is_read` it asks only for the file to
    be there: do not read it, and give it no bytes. Where `instead` is set, that file may be there in its place.
    """

    field: str
    path: str
    judge: Callable[[bytes | None], str | None]
    is_read: bool = True
    instead: str = ''


def needed_files(config: Config, flags: Flags, release: Release) -> Iterator[NeededFile]:
    """The files that a kubelet of that release must find, by paths as the kubelet has them."""
    client_ca = text(at(config, CLIENT_CA))
    if client_ca:
        yield NeededFile(CLIENT_CA, client_ca, client_ca_problem)
    certificate, key = text(at(config, 'tlsCertFile')), text(at(config, 'tlsPrivateKeyFile'))
    if certificate and key and loads_pair(config, release):
        yield NeededFile('tlsCertFile', certificate, serving_certificate_problem)
        yield NeededFile('tlsPrivateKeyFile', key, presence_problem, is_read=False)
    kubeconfig, bootstrap = flags.text('kubeconfig'), flags.text('bootstrap-kubeconfig')
    if kubeconfig:
        yield NeededFile('--kubeconfig', kubeconfig, presence_problem, is_read=False, instead=bootstrap)
    credentials, folder = (flags.text(f'image-credential-provider-{end}') for end in ('config', 'bin-dir'))
    if credentials and folder:
        yield NeededFile('--image-credential-provider-config', credentials, presence_problem, is_read=False)
        yield NeededFile('--image-credential-provider-bin-dir', folder, presence_problem, is_read=False)


def loads_pair(config: Config, release: Release) -> bool:
    """Whether the kubelet opens the files of its serving certificate (NewMainKubelet, ListenAndServeKubeletServer).

    Before 1.36 the server opens them, even beside a certificate from the cluster; from 1.31 on the kubelet does so
    before, unless the certificate comes from the cluster.
    """
    if at(config, 'serverTLSBootstrap') is True:
        return serves(config) and release.before(36)
    if serves(config) or release.at_least(36):
        return True
    return at(config, 'featureGates.ReloadKubeletServerCertificateFile') is not False and release.at_least(31)


def client_ca_problem(data: bytes | None) -> str | None:
    """dynamiccertificates `NewDynamicCAContentFromFile`."""
    return presence_problem(data) or bundle_problem(data or b'')


def serving_certificate_problem(data: bytes | None) -> str | None:
    """tls `LoadX509KeyPair`, of the certificate."""
    return presence_problem(data) or chain_problem(data or b'')


def presence_problem(data: bytes | None) -> str | None:
    return 'is not there' if data is None else None


def serves(config: Config) -> bool:
    return at(config, 'enableServer') is not False


def is_on(config: Config, gate: str, default: bool, all_of_stage: str | None = None) -> bool:
    """Whether a feature gate is on: by itself, by the gate for all of its stage, or by default."""
    states = [at(config, f'featureGates.{name}') for name in (gate, all_of_stage) if name is not None]
    return next((state for state in states if isinstance(state, bool)), default)


def clients(config: Config, flags: Flags, _release: Release) -> Iterator[Problem]:
    """auth.go BuildAuthn and BuildAuthz, and NewMainKubelet: whether there is a client depends on --kubeconfig."""
    mode = text(at(config, 'authorization.mode'))
    is_alone = not flags.text('kubeconfig')
    if mode not in AUTHORIZATION_MODES:
        yield Problem('authorization.mode', f'must be one of {", ".join(AUTHORIZATION_MODES)}')
    if mode == 'Webhook' and is_alone:
        yield Problem('authorization.mode', 'must not be Webhook without --kubeconfig')
    if at(config, 'authentication.webhook.enabled') is True and is_alone:
        yield Problem('authentication.webhook.enabled', 'must be false without --kubeconfig')
    strategy = text(at(config, 'configMapAndSecretChangeDetectionStrategy'))
    if strategy not in ('', *STRATEGIES) and not is_alone:
        yield Problem('configMapAndSecretChangeDetectionStrategy', f'must be one of {", ".join(STRATEGIES)}')


def serving(config: Config, _flags: Flags, release: Release) -> Iterator[Problem]:
    """ListenAndServeKubeletServer, and what net/http and crypto/tls refuse there."""
    if not serves(config):
        return
    suites = items(at(config, 'tlsCipherSuites'))
    if suites and at(config, 'tlsMinVersion') != 'VersionTLS13' and not set(HTTP2_SUITES) & set(map(text, suites)):
        yield Problem('tlsCipherSuites', f'must hold {" or ".join(HTTP2_SUITES)}, because HTTP/2 needs one of them')
    certificate, key = (bool(text(at(config, path))) for path in ('tlsCertFile', 'tlsPrivateKeyFile'))
    # From 1.36 on, the kubelet starts, but ends no TLS handshake.
    if certificate != key and release.before(36):
        yield Problem('tlsCertFile', 'must be set together with tlsPrivateKeyFile')
    try:
        ip(text(at(config, 'address')))
    except ValueError:
        yield Problem('address', 'must be an IP address')
    if at(config, 'readOnlyPort') == at(config, 'port'):
        yield Problem('readOnlyPort', 'must not be the same as port')


def managers(config: Config, _flags: Flags, release: Release) -> Iterator[Problem]:
    """The policy options of the CPU and the topology manager, and the memory manager."""
    for manager in MANAGERS:
        given = strings(at(config, manager.field))
        if given and not has_options(config, manager, release):
            yield Problem(manager.field, f'needs the feature gate {manager.gate}, which is off')
        elif given and at(config, manager.policy) in manager.policies:
            yield from (
                Problem(manager.field, problem)
                for name in sorted(given)
                if (problem := option_problem(config, manager, name, given[name], release))
            )
            chosen = {name for name, value in given.items() if value in TRUE_WORDS}
            for pair in manager.exclusive:
                if chosen.issuperset(pair):
                    yield Problem(manager.field, f'must not turn on both {" and ".join(pair)}')
            if 'align-by-socket' in chosen and at(config, 'topologyManagerPolicy') == 'single-numa-node':
                yield Problem(manager.field, 'must not turn on align-by-socket beside the policy single-numa-node')
    if at(config, 'featureGates.MemoryManager') is not False or release.at_least(32):
        yield from memory_manager(config)


def memory_manager(config: Config) -> Iterator[Problem]:
    """pkg/kubelet/cm/memorymanager NewManager, NewPolicyStatic; whether the sums agree is not worked out."""
    policy = at(config, 'memoryManagerPolicy')
    reserved = (at(entry, 'limits.memory') for entry in items(at(config, 'reservedMemory')))
    if policy == 'Static' and all(amount is None for amount in reserved):
        yield Problem('reservedMemory', 'must reserve memory while memoryManagerPolicy is Static')
    if policy == 'BestEffort':
        yield Problem('memoryManagerPolicy', 'must not be BestEffort, which is for Windows')


def has_options(config: Config, manager: Manager, release: Release) -> bool:
    """Whether the gate is on that lets a manager have policy options at all (server.go `run`)."""
    if release.at_least(manager.stable):
        return is_on(config, manager.gate, True)
    is_beta = release.at_least(manager.beta)
    return is_on(config, manager.gate, is_beta, 'AllBeta' if is_beta else 'AllAlpha')


def option_problem(config: Config, manager: Manager, name: str, value: str, release: Release) -> str | None:
    """CheckPolicyOptionAvailable, and what the option may hold."""
    option = manager.options.get(name)
    if option is None:
        return None if release.at_least(UNSEEN) else 'must hold only options that the kubelet knows'
    if release.before(option.since):
        return f'must not hold {name}, which Kubernetes 1.{option.since} brings'
    stage = stage_of(option, release)
    gate = manager.gate.replace('Options', f'{stage}Options')
    if stage and not is_on(config, gate, stage == 'Beta', f'All{stage}'):
        return f'{name} needs the feature gate {gate}, which is off'
    if option.is_boolean:
        return None if value in TRUE_WORDS | FALSE_WORDS else f'{name} must be a boolean'
    enough = value.isascii() and value.isdecimal() and len(value) < 10 and int(value) >= LEAST_NUMA_NODES
    return None if enough else f'{name} must be a number of at least {LEAST_NUMA_NODES}'


def stage_of(option: Option, release: Release) -> str:
    """`Alpha`, `Beta`, or nothing where an option is stable."""
    if option.stable is not None and release.at_least(option.stable):
        return ''
    return 'Beta' if option.beta is not None and release.at_least(option.beta) else 'Alpha'


def frequencies(config: Config, flags: Flags, _release: Release) -> Iterator[Problem]:
    """NewMainKubelet, and NewContainerGC of pkg/kubelet/container; a frequency of zero is the default."""
    if (number(at(config, 'syncFrequency')) or 0) < 0:
        yield Problem('syncFrequency', 'must not be negative')
    age = flags.values.get('minimum-container-ttl-duration')
    if age is not None and (number(age.value) or 0) < 0:
        yield Problem('--minimum-container-ttl-duration', 'must not be negative')


def node_flags(config: Config, flags: Flags, release: Release) -> Iterator[Problem]:
    """What the flags alone decide: `run`, `RunKubelet`, NewMainKubelet, RegisterCredentialProviderPlugins."""
    contends = flags.values.get('exit-on-lock-contention')
    if contends is not None and contends.value is True and not flags.text('lock-file'):
        yield Problem('--exit-on-lock-contention', 'needs --lock-file')
    root = flags.values.get('root-dir')
    if root is not None and not str(root.value).startswith('/'):
        yield Problem('--root-dir', 'must be an absolute path')
    hostname = flags.text('hostname-override')
    if hostname and not hostname.strip():
        yield Problem('--hostname-override', 'must not be blank')
    credentials, folder = (f'image-credential-provider-{end}' for end in ('config', 'bin-dir'))
    if bool(flags.text(credentials)) != bool(flags.text(folder)):
        yield Problem(f'--{credentials}', f'must be set together with --{folder}')
    provider = flags.text('cloud-provider')
    if provider not in ('', 'external') and not has_provider(config, provider, release):
        yield Problem('--cloud-provider', 'must be external, because the kubelet has no such provider built in')
    yield from node_ips(config, flags, release)


def has_provider(config: Config, provider: str, release: Release) -> bool:
    """Whether a cloud provider is compiled in, and not turned off by DisableCloudProviders."""
    until = CLOUD_PROVIDERS.get(provider)
    if until is None or release.at_least(until):
        return False
    is_beta = release.at_least(29)
    return not is_on(config, 'DisableCloudProviders', is_beta, 'AllBeta' if is_beta else 'AllAlpha')


def node_ips(config: Config, flags: Flags, release: Release) -> Iterator[Problem]:
    """component-helpers node/util ParseNodeIPArgument: what is no IP address is passed over."""
    addresses = list(iter_ips(flags.text('node-ip')))
    if len(addresses) < 2:
        return
    if len(addresses) > 2 or len({is_ipv4(address) for address in addresses}) == 1:
        yield Problem('--node-ip', 'must hold one IP address, or one of IPv4 and one of IPv6')
    elif flags.text('cloud-provider') and not has_dual_stack(config, flags, release):
        yield Problem('--node-ip', 'must hold one IP address while --cloud-provider is set')
    elif any(address.is_unspecified for address in addresses):
        yield Problem('--node-ip', 'must not hold 0.0.0.0 or :: beside another IP address')


def iter_ips(listed: str) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    for part in listed.split(','):
        try:
            yield ipaddress.ip_address(ip(part.strip()))
        except ValueError:
            continue


def is_ipv4(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """As Go's net.IP.To4 has it: an IPv4 address inside an IPv6 one is IPv4."""
    return isinstance(address, ipaddress.IPv4Address) or address.ipv4_mapped is not None


def has_dual_stack(config: Config, flags: Flags, release: Release) -> bool:
    """Whether a node of a cloud may have two addresses: an external one only, by CloudDualStackNodeIPs from 1.27 on."""
    if flags.text('cloud-provider') != 'external' or release.before(27):
        return False
    is_beta = release.at_least(29)
    return release.at_least(30) or is_on(config, 'CloudDualStackNodeIPs', is_beta, 'AllBeta' if is_beta else 'AllAlpha')


RULES = (clients, serving, managers, frequencies, node_flags)
