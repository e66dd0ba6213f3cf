# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a kubelet refuses during startup.

Each of `ROWS` was tried with real, unpatched kubelets of 1.30, 1.33, and 1.36 without an API server (or with a
kubeconfig, if the row has `API`), over the base below. In the releases that the row names, the kubelet exited by
itself. In the others, it ran for three seconds after its port was open. `SOURCES_SAY` has what the sources of other
releases say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet import flags
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.defaults import set_defaults
from datadog_checks.kubelet_compliance.kubelet.flag_tokens import Terms
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.layers import apply_flags, decode_file
from datadog_checks.kubelet_compliance.kubelet.needed_files import CLIENT_CA_FIELD, needed_files
from datadog_checks.kubelet_compliance.kubelet.release import Release
from datadog_checks.kubelet_compliance.kubelet.startup_checks import STARTUP_CHECKS, startup_problems
from datadog_checks.kubelet_compliance.kubelet.tables.startup import MANAGERS
from datadog_checks.kubelet_compliance.model.evidence import File, Source
from tests.kubelet.test_validation import CONFIGZ, body


def parse_flags(arguments: Sequence[str]) -> Flags:
    return flags.parse_flags(arguments, Terms(Release(36)))


def parse_flags_again(arguments: Sequence[str]) -> Flags:
    return flags.parse_flags_again(arguments, Terms(Release(36)))


Changes = dict[str, Any]

BASE = {
    'apiVersion': 'kubelet.config.k8s.io/v1beta1',
    'kind': 'KubeletConfiguration',
    'address': '127.0.0.1',
    'authentication.anonymous.enabled': True,
    'authentication.webhook.enabled': False,
    'authorization.mode': 'AlwaysAllow',
    'cgroupsPerQOS': False,
    'enforceNodeAllocatable': [],
}
API = ('--kubeconfig=/k/kubeconfig',)
NONE: frozenset[int] = frozenset()
ALL = frozenset({30, 33, 36})
OLD = frozenset({30})
BEFORE_36 = frozenset({30, 33})

RSA_128 = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'
ECDSA_128 = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'
RSA_256 = 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'
STATIC = {'cpuManagerPolicy': 'static', 'kubeReserved': {'cpu': '100m'}}
ALPHA_CPU = {'featureGates': {'CPUManagerPolicyAlphaOptions': True}}
ALPHA_NUMA = {'featureGates': {'TopologyManagerPolicyAlphaOptions': True}}
CERTIFICATE = {'tlsCertFile': '/k/a.crt'}
KEY = {'tlsPrivateKeyFile': '/k/a.key'}
BOOTSTRAP = {'serverTLSBootstrap': True}


def cpus(*names: str, value: str = 'true') -> Changes:
    return STATIC | {'cpuManagerPolicyOptions': dict.fromkeys(names, value)}


def numa(policy: str = 'best-effort', **options: str) -> Changes:
    named = {name.replace('_', '-'): value for name, value in options.items()}
    return {'topologyManagerPolicy': policy, 'topologyManagerPolicyOptions': named}


def memory(policy: str, **changes: Any) -> Changes:
    return {'memoryManagerPolicy': policy} | changes


# claim, changes to the base, arguments, the releases that exited, and the setting that the check names
ROWS: list[tuple[str, Changes, tuple[str, ...], frozenset[int], str]] = [
    ('nothing changed', {}, (), NONE, ''),
    ('an unknown mode', {'authorization.mode': 'RBAC'}, (), ALL, 'authorization.mode'),
    ('an unknown mode beside an API server', {'authorization.mode': 'RBAC'}, API, ALL, 'authorization.mode'),
    ('a mode in small letters', {'authorization.mode': 'alwaysallow'}, (), ALL, 'authorization.mode'),
    ('an empty mode by flag', {}, ('--authorization-mode=',), ALL, 'authorization.mode'),
    ('an empty mode in the file, so Webhook', {'authorization.mode': ''}, (), ALL, 'authorization.mode'),
    ('Webhook with nobody to ask', {'authorization.mode': 'Webhook'}, (), ALL, 'authorization.mode'),
    ('Webhook with an API server', {'authorization.mode': 'Webhook'}, API, NONE, ''),
    (
        'webhook tokens with nobody to ask',
        {'authentication.webhook.enabled': True},
        (),
        ALL,
        'authentication.webhook.enabled',
    ),
    (
        'webhook tokens with an empty kubeconfig flag',
        {'authentication.webhook.enabled': True},
        ('--kubeconfig=',),
        ALL,
        'authentication.webhook.enabled',
    ),
    ('webhook tokens with an API server', {'authentication.webhook.enabled': True}, API, NONE, ''),
    (
        'an unknown strategy with an API server',
        {'configMapAndSecretChangeDetectionStrategy': 'bogus'},
        API,
        ALL,
        'configMapAndSecretChangeDetectionStrategy',
    ),
    ('an unknown strategy alone', {'configMapAndSecretChangeDetectionStrategy': 'bogus'}, (), NONE, ''),
    ('nobody let in', {'authentication.anonymous.enabled': False}, (), NONE, ''),
    ('no suite that HTTP/2 needs', {'tlsCipherSuites': [RSA_256]}, (), ALL, 'tlsCipherSuites'),
    ('the same by flag', {}, (f'--tls-cipher-suites={RSA_256}',), ALL, 'tlsCipherSuites'),
    ('only a suite of TLS 1.3', {'tlsCipherSuites': ['TLS_AES_128_GCM_SHA256']}, (), ALL, 'tlsCipherSuites'),
    ('RSA key exchange', {'tlsCipherSuites': ['TLS_RSA_WITH_AES_128_GCM_SHA256']}, (), ALL, 'tlsCipherSuites'),
    (
        'no such suite from TLS 1.2 on',
        {'tlsCipherSuites': [RSA_256], 'tlsMinVersion': 'VersionTLS12'},
        (),
        ALL,
        'tlsCipherSuites',
    ),
    (
        'no such suite from TLS 1.0 on',
        {'tlsCipherSuites': [RSA_256], 'tlsMinVersion': 'VersionTLS10'},
        (),
        ALL,
        'tlsCipherSuites',
    ),
    ('no such suite, TLS 1.3 only', {'tlsCipherSuites': [RSA_256], 'tlsMinVersion': 'VersionTLS13'}, (), NONE, ''),
    ('no such suite and no server', {'tlsCipherSuites': [RSA_256], 'enableServer': False}, (), NONE, ''),
    ('a suite for RSA', {'tlsCipherSuites': [RSA_256, RSA_128]}, (), NONE, ''),
    ('a suite for ECDSA', {'tlsCipherSuites': [ECDSA_128]}, (), NONE, ''),
    ('an empty list of suites', {'tlsCipherSuites': []}, (), NONE, ''),
    ('a certificate without key', CERTIFICATE, (), BEFORE_36, 'tlsCertFile'),
    ('a key without certificate', KEY, (), BEFORE_36, 'tlsCertFile'),
    ('a certificate without key and no server', CERTIFICATE | {'enableServer': False}, (), NONE, ''),
    ('a certificate without key, and one to come', CERTIFICATE | BOOTSTRAP, API, BEFORE_36, 'tlsCertFile'),
    ('a certificate to come from nobody', BOOTSTRAP, (), NONE, ''),
    ('an address that is a name', {'address': 'localhost'}, (), ALL, 'address'),
    ('an address that is a name and no server', {'address': 'x', 'enableServer': False}, (), NONE, ''),
    ('an address with leading zeros', {'address': '127.000.000.001'}, (), NONE, ''),
    ('an empty address', {'address': ''}, (), NONE, ''),
    ('one port twice', {'readOnlyPort': 10250}, (), ALL, 'readOnlyPort'),
    ('one port twice and no server', {'readOnlyPort': 10250, 'enableServer': False}, (), NONE, ''),
    ('a negative sync frequency', {'syncFrequency': '-1s'}, (), ALL, 'syncFrequency'),
    ('a sync frequency of zero', {'syncFrequency': '0s'}, (), NONE, ''),
    ('contention without a lock file', {}, ('--exit-on-lock-contention',), ALL, '--exit-on-lock-contention'),
    ('contention with a lock file', {}, ('--exit-on-lock-contention', '--lock-file=/k/lock'), NONE, ''),
    ('levels of modules with JSON', {'logging': {'format': 'json'}}, ('--vmodule=a=1',), ALL, '--vmodule'),
    ('levels of modules with text', {}, ('--vmodule=a=1',), NONE, ''),
    ('no levels of modules with JSON', {'logging': {'format': 'json'}}, ('--vmodule=',), NONE, ''),
    ('NUMA nodes with a sign', numa(**{'max-allowable-numa-nodes': '+9'}), (), OLD, 'topologyManagerPolicyOptions'),
    ('no contention', {}, ('--exit-on-lock-contention=false',), NONE, ''),
    ('a provider once built in', {}, ('--cloud-provider=aws',), ALL, '--cloud-provider'),
    ('a provider that 1.30 has, off by its gate', {}, ('--cloud-provider=gce',), ALL, '--cloud-provider'),
    ('a provider that never was', {}, ('--cloud-provider=bogus',), ALL, '--cloud-provider'),
    ('a provider in capitals', {}, ('--cloud-provider=External',), ALL, '--cloud-provider'),
    ('an external provider', {}, ('--cloud-provider=external',), NONE, ''),
    ('no IP', {}, ('--node-ip=x',), NONE, ''),
    ('two IPv4', {}, ('--node-ip=10.0.0.1,10.0.0.2',), ALL, '--node-ip'),
    ('two IPv4, one of them inside IPv6', {}, ('--node-ip=10.0.0.1,::ffff:10.0.0.2',), ALL, '--node-ip'),
    ('three IPs', {}, ('--node-ip=10.0.0.1,::1,10.0.0.2',), ALL, '--node-ip'),
    ('one IP and none', {}, ('--node-ip=10.0.0.1,x',), NONE, ''),
    ('one of each kind', {}, ('--node-ip=10.0.0.1,fd00::1',), NONE, ''),
    ('any of one kind', {}, ('--node-ip=0.0.0.0,fd00::1',), ALL, '--node-ip'),
    ('one of each kind in a cloud', {}, ('--node-ip=10.0.0.1,fd00::1', '--cloud-provider=external'), NONE, ''),
    ('a blank hostname', {}, ('--hostname-override= ',), ALL, '--hostname-override'),
    ('an odd hostname', {}, ('--hostname-override=A_b!',), NONE, ''),
    ('an empty hostname', {}, ('--hostname-override=',), NONE, ''),
    ('an empty root folder', {}, ('--root-dir=',), ALL, '--root-dir'),
    ('a relative root folder', {}, ('--root-dir=rel',), ALL, '--root-dir'),
    ('an empty folder of certificates', {}, ('--cert-dir=',), NONE, ''),
    (
        'containers younger than nothing',
        {},
        ('--minimum-container-ttl-duration=-1s',),
        ALL,
        '--minimum-container-ttl-duration',
    ),
    (
        'credentials without their folder',
        {},
        ('--image-credential-provider-config=/k/c',),
        ALL,
        '--image-credential-provider-config',
    ),
    (
        'credentials without their file',
        {},
        ('--image-credential-provider-bin-dir=/k',),
        ALL,
        '--image-credential-provider-config',
    ),
    ('static memory with nothing reserved', memory('Static'), (), ALL, 'reservedMemory'),
    (
        'static memory as reserved',
        memory(
            'Static',
            reservedMemory=[{'numaNode': 0, 'limits': {'memory': '200Mi'}}],
            kubeReserved={'memory': '100Mi'},
            evictionHard={'memory.available': '100Mi'},
        ),
        (),
        NONE,
        '',
    ),
    ('best effort memory', memory('BestEffort'), (), ALL, 'memoryManagerPolicy'),
    ('static CPUs', STATIC, (), NONE, ''),
    ('whole cores', cpus('full-pcpus-only'), (), NONE, ''),
    (
        'whole cores without beta options',
        cpus('full-pcpus-only') | {'featureGates': {'CPUManagerPolicyBetaOptions': False}},
        (),
        OLD,
        'cpuManagerPolicyOptions',
    ),
    ('across NUMA nodes', cpus('distribute-cpus-across-numa'), (), OLD, 'cpuManagerPolicyOptions'),
    ('across NUMA nodes as alpha', cpus('distribute-cpus-across-numa') | ALPHA_CPU, (), NONE, ''),
    ('by socket', cpus('align-by-socket'), (), ALL, 'cpuManagerPolicyOptions'),
    ('by socket, set to false', cpus('align-by-socket', value='false'), (), ALL, 'cpuManagerPolicyOptions'),
    ('by socket as alpha', cpus('align-by-socket') | ALPHA_CPU, (), NONE, ''),
    (
        'by socket on a single NUMA node',
        cpus('align-by-socket') | ALPHA_CPU | {'topologyManagerPolicy': 'single-numa-node'},
        (),
        ALL,
        'cpuManagerPolicyOptions',
    ),
    ('an unknown option', cpus('bogus'), (), ALL, 'cpuManagerPolicyOptions'),
    ('strict reservation', cpus('strict-cpu-reservation'), (), OLD, 'cpuManagerPolicyOptions'),
    (
        'strict reservation that is no boolean',
        cpus('strict-cpu-reservation', value='yes') | ALPHA_CPU,
        (),
        ALL,
        'cpuManagerPolicyOptions',
    ),
    ('by cache', cpus('prefer-align-cpus-by-uncorecache'), (), BEFORE_36, 'cpuManagerPolicyOptions'),
    ('across cores', cpus('distribute-cpus-across-cores'), (), ALL, 'cpuManagerPolicyOptions'),
    ('across cores as alpha', cpus('distribute-cpus-across-cores') | ALPHA_CPU, (), OLD, 'cpuManagerPolicyOptions'),
    *(
        (f'{" and ".join(pair)}', cpus(*pair) | ALPHA_CPU, (), ALL, 'cpuManagerPolicyOptions')
        for pair in MANAGERS[0].exclusive
    ),
    ('close NUMA nodes', numa(prefer_closest_numa_nodes='true'), (), NONE, ''),
    (
        'close NUMA nodes without beta options',
        numa(prefer_closest_numa_nodes='true') | {'featureGates': {'TopologyManagerPolicyBetaOptions': False}},
        (),
        OLD,
        'topologyManagerPolicyOptions',
    ),
    (
        'close NUMA nodes that is no boolean',
        numa(prefer_closest_numa_nodes='yes'),
        (),
        ALL,
        'topologyManagerPolicyOptions',
    ),
    (
        'close NUMA nodes without the gate',
        numa(prefer_closest_numa_nodes='true') | {'featureGates': {'TopologyManagerPolicyOptions': False}},
        (),
        ALL,
        'topologyManagerPolicyOptions',
    ),
    (
        'close NUMA nodes without gate or policy',
        numa('none', prefer_closest_numa_nodes='true') | {'featureGates': {'TopologyManagerPolicyOptions': False}},
        (),
        ALL,
        'topologyManagerPolicyOptions',
    ),
    ('eight NUMA nodes', numa(max_allowable_numa_nodes='8'), (), OLD, 'topologyManagerPolicyOptions'),
    (
        'seven NUMA nodes',
        numa(max_allowable_numa_nodes='7') | ALPHA_NUMA,
        (),
        ALL,
        'topologyManagerPolicyOptions',
    ),
    ('x NUMA nodes', numa(max_allowable_numa_nodes='x') | ALPHA_NUMA, (), ALL, 'topologyManagerPolicyOptions'),
    ('an unknown option of topology', numa(bogus='true'), (), ALL, 'topologyManagerPolicyOptions'),
    ('an unknown option without a policy', numa('none', bogus='true'), (), NONE, ''),
    ('a static pod URL that is none', {'staticPodURL': ':'}, (), NONE, ''),
    ('a folder of static pods that is not there', {'staticPodPath': '/no/such'}, (), NONE, ''),
    ('a cluster DNS that is none', {'clusterDNS': ['x']}, (), NONE, ''),
    ('a pod CIDR that is none', {'podCIDR': 'x'}, (), NONE, ''),
]


def configuration_of(changes: Mapping[str, Any], arguments: tuple[str, ...], release: Release) -> Configuration:
    """The complete configuration of a main file with changes, by dotted path, and of flags."""
    tree: dict[str, Any] = {}
    for path, value in (BASE | changes).items():
        *parents, key = path.split('.')
        target = tree
        for parent in parents:
            target = target.setdefault(parent, {})
        target[key] = value
    configuration = decode_file(File('/k/config.yaml', json.dumps(tree).encode(), None), Source.CONFIG_FILE, release)
    set_defaults(configuration, release)
    apply_flags(configuration, parse_flags_again(arguments))
    return configuration


def refused(changes: Mapping[str, Any], arguments: tuple[str, ...] = (), minor: int = 36) -> set[str]:
    release = Release(minor)
    configuration = configuration_of(changes, arguments, release)
    return {problem.field for problem in startup_problems(configuration.values, parse_flags(arguments), release)}


@pytest.mark.parametrize('minor', sorted(ALL))
@pytest.mark.parametrize(
    ('changes', 'arguments', 'ended_in', 'field'), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_ended_a_real_kubelet_is_a_problem_and_nothing_else(
    changes: Changes, arguments: tuple[str, ...], ended_in: frozenset[int], field: str, minor: int
) -> None:
    assert refused(changes, arguments, minor) == ({field} if minor in ended_in else set())


SOURCES_SAY: list[tuple[str, Changes, tuple[str, ...], int, bool]] = [
    ('1.35 needs both of a pair', CERTIFICATE, (), 35, True),
    ('1.28 has gce', {}, ('--cloud-provider=gce',), 28, False),
    (
        '1.28 has gce, off by its gate',
        {'featureGates': {'DisableCloudProviders': True}},
        ('--cloud-provider=gce',),
        28,
        True,
    ),
    ('1.28 has no aws', {}, ('--cloud-provider=aws',), 28, True),
    (
        '1.30 has gce, on by its gate',
        {'featureGates': {'DisableCloudProviders': False}},
        ('--cloud-provider=gce',),
        30,
        False,
    ),
    ('1.28 has one address in a cloud', {}, ('--node-ip=10.0.0.1,fd00::1', '--cloud-provider=external'), 28, True),
    ('1.26 has one address in a cloud', {}, ('--node-ip=10.0.0.1,fd00::1', '--cloud-provider=external'), 26, True),
    ('1.27 needs a gate for options of topology', numa(prefer_closest_numa_nodes='true'), (), 27, True),
    (
        '1.27 needs a gate for alpha options too',
        numa(prefer_closest_numa_nodes='true') | {'featureGates': {'TopologyManagerPolicyOptions': True}},
        (),
        27,
        True,
    ),
    (
        '1.27 with all alpha',
        numa(prefer_closest_numa_nodes='true') | {'featureGates': {'AllAlpha': True}},
        (),
        27,
        False,
    ),
    ('1.30 without its memory manager', memory('Static', featureGates={'MemoryManager': False}), (), 30, False),
    ('an option that a newer release may have', cpus('bogus'), (), 38, False),
]


@pytest.mark.parametrize(
    ('changes', 'arguments', 'minor', 'is_refused'),
    [row[1:] for row in SOURCES_SAY],
    ids=[row[0] for row in SOURCES_SAY],
)
def test_other_releases_refuse_what_their_sources_say(
    changes: Changes, arguments: tuple[str, ...], minor: int, is_refused: bool
) -> None:
    assert bool(refused(changes, arguments, minor)) is is_refused


@pytest.mark.parametrize('path', sorted(CONFIGZ.glob('*.json')), ids=lambda path: path.stem)
def test_a_running_configuration_is_not_a_problem(path: Any) -> None:
    assert [*startup_problems(body(path), parse_flags(API), Release(36))] == []


def test_messages_are_short_and_quote_nothing() -> None:
    for _, changes, arguments, ended_in, _ in ROWS:
        for minor in ended_in:
            configuration = configuration_of(changes, arguments, Release(minor))
            for problem in startup_problems(configuration.values, parse_flags(arguments), Release(minor)):
                assert problem.message.isprintable() and len(problem.message) < 160
                assert 'bogus' not in problem.message.lower() and 'RBAC' not in problem.message


@pytest.mark.parametrize('value', [None, True, 0, -1, 1.5, 'x', [], ['x'], [None], {}, {'a': None}, {'memory': 1}])
def test_nothing_is_raised_whatever_a_field_holds(value: object) -> None:
    fields = {field for *_, field in ROWS if field and not field.startswith('--')} | {
        'tlsPrivateKeyFile', 'tlsMinVersion', 'port', 'enableServer', 'featureGates', CLIENT_CA_FIELD,
        'serverTLSBootstrap', 'cpuManagerPolicy', 'topologyManagerPolicy',
    }  # fmt: skip
    for field in fields:
        config: dict[str, Any] = {}
        *parents, key = field.split('.')
        target = config
        for parent in parents:
            target = target.setdefault(parent, {})
        target[key] = value
        for minor in ALL:
            list(startup_problems(config, parse_flags(()), Release(minor)))
            list(needed_files(config, parse_flags(()), Release(minor)))


def test_every_check_has_a_refused_row() -> None:
    release = Release(36)
    for check in STARTUP_CHECKS:
        assert any(
            list(check(configuration_of(changes, arguments, release).values, parse_flags(arguments), release))
            for _, changes, arguments, _, _ in ROWS
        ), check.__name__
