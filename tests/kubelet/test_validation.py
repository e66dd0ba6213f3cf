# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a kubelet refuses at once: accepted and refused values for each check, and its releases."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.config_values import Problem
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.defaults import set_defaults
from datadog_checks.kubelet_compliance.kubelet.feature_gates import gate_problems
from datadog_checks.kubelet_compliance.kubelet.formats.go import parse_duration
from datadog_checks.kubelet_compliance.kubelet.release import ALL, Release, iter_alike
from datadog_checks.kubelet_compliance.kubelet.tables.validation import (
    CIPHER_SUITES,
    NAMES,
    NEEDED_GATES,
    RANGES,
    Names,
    Range,
)
from datadog_checks.kubelet_compliance.kubelet.validation import VALIDATIONS, problems
from tests.support.paths import TESTS

CONFIGZ = TESTS / 'truth' / 'configz'
DURATION = re.compile(r'([0-9]+(\.[0-9]+)?(h|m|s|ms))+')
MS = 1_000_000
SECOND = 1000 * MS


def with_nanoseconds(value: Any) -> Any:
    """A /configz body with durations in nanoseconds, as `problems` expects."""
    if isinstance(value, dict):
        return {key: with_nanoseconds(entry) for key, entry in value.items()}
    return parse_duration(value) if isinstance(value, str) and DURATION.fullmatch(value) else value


def body(path: Path) -> dict[str, Any]:
    config: dict[str, Any] = with_nanoseconds(json.loads(path.read_text(encoding='utf-8'))['kubeletconfig'])
    return config


BASE = body(CONFIGZ / 'kubelet-1.36.json')


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    config = copy.deepcopy(BASE)
    for path, value in changes.items():
        *parents, key = path.split('.')
        target = config
        for parent in parents:
            target = target.setdefault(parent, {})
        target[key] = value
    return config


def refused(changes: dict[str, Any], minor: int = 36) -> set[str]:
    return {problem.field for problem in problems(changed(changes), Release(minor))}


def gates(**states: bool) -> dict[str, Any]:
    return {'featureGates': states}


POD_PRIORITY = [{'priority': 0, 'shutdownGracePeriodSeconds': 1}]
TAINT = {'key': 'example.com/a', 'value': 'b', 'effect': 'NoSchedule'}
MEMORY = {'numaNode': 0, 'limits': {'memory': '1Gi'}}
PRELOADED = 'preloadedImagesVerificationAllowlist'
PULLS = 'imagePullCredentialsVerificationPolicy'
RESTARTS = 'crashLoopBackOff.maxContainerRestartPeriod'

# claim, changes, the field that 1.36 refuses
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        'containerLogMonitorInterval under 3s',
        {'containerLogMonitorInterval': 3 * SECOND - 1},
        'containerLogMonitorInterval',
    ),
    ('cpuCFSQuotaPeriod under 1ms', {'cpuCFSQuotaPeriod': MS - 1}, 'cpuCFSQuotaPeriod'),
    ('cpuCFSQuotaPeriod over 1s', {'cpuCFSQuotaPeriod': SECOND + 1}, 'cpuCFSQuotaPeriod'),
    (
        'cpuCFSQuotaPeriod without its gate',
        {'cpuCFSQuotaPeriod': 10 * MS} | gates(CustomCPUCFSQuotaPeriod=False),
        'cpuCFSQuotaPeriod',
    ),
    (
        'restart period under 1s',
        {'crashLoopBackOff.maxContainerRestartPeriod': SECOND - 1},
        'crashLoopBackOff.maxContainerRestartPeriod',
    ),
    (
        'restart period over 300s',
        {'crashLoopBackOff.maxContainerRestartPeriod': 300 * SECOND + MS},
        'crashLoopBackOff.maxContainerRestartPeriod',
    ),
    ('negative imageMaximumGCAge', {'imageMaximumGCAge': -1}, 'imageMaximumGCAge'),
    ('imageMaximumGCAge not over the minimum', {'imageMaximumGCAge': 120 * SECOND}, 'imageMaximumGCAge'),
    ('low threshold equal to the high', {'imageGCLowThresholdPercent': 85}, 'imageGCLowThresholdPercent'),
    ('parallel pulls in series', {'maxParallelImagePulls': 2}, 'maxParallelImagePulls'),
    ('memoryThrottlingFactor of 0', {'memoryThrottlingFactor': 0}, 'memoryThrottlingFactor'),
    ('memoryThrottlingFactor over 1', {'memoryThrottlingFactor': 1.01}, 'memoryThrottlingFactor'),
    (
        'serverTLSBootstrap without its gate',
        {'serverTLSBootstrap': True} | gates(RotateKubeletServerCertificate=False),
        'serverTLSBootstrap',
    ),
    (
        'log queries without the handler',
        {'enableSystemLogQuery': True, 'enableSystemLogHandler': False},
        'enableSystemLogQuery',
    ),
    (
        'a locked gate set to false',
        gates(TopologyManagerPolicyOptions=False),
        'featureGates.TopologyManagerPolicyOptions',
    ),
    ('shutdown under 1s', {'shutdownGracePeriod': SECOND - 1}, 'shutdownGracePeriod'),
    (
        'negative critical shutdown',
        {'shutdownGracePeriod': SECOND, 'shutdownGracePeriodCriticalPods': -SECOND},
        'shutdownGracePeriodCriticalPods',
    ),
    (
        'critical shutdown under 1s',
        {'shutdownGracePeriod': SECOND, 'shutdownGracePeriodCriticalPods': 1},
        'shutdownGracePeriodCriticalPods',
    ),
    (
        'critical shutdown over the total',
        {'shutdownGracePeriodCriticalPods': SECOND},
        'shutdownGracePeriodCriticalPods',
    ),
    (
        'both kinds of shutdown',
        {'shutdownGracePeriod': SECOND, 'shutdownGracePeriodByPodPriority': POD_PRIORITY},
        'shutdownGracePeriodByPodPriority',
    ),
    (
        'shutdown by priority without its gate',
        {'shutdownGracePeriodByPodPriority': POD_PRIORITY} | gates(GracefulNodeShutdownBasedOnPodPriority=False),
        'shutdownGracePeriodByPodPriority',
    ),
    ('systemCgroups without cgroupRoot', {'systemCgroups': '/system'}, 'cgroupRoot'),
    ('unknown enforcement', {'enforceNodeAllocatable': ['pod']}, 'enforceNodeAllocatable'),
    ('none beside pods', {'enforceNodeAllocatable': ['none', 'pods']}, 'enforceNodeAllocatable'),
    ('enforcing kube-reserved without its cgroup', {'enforceNodeAllocatable': ['kube-reserved']}, 'kubeReservedCgroup'),
    (
        'enforcing system-reserved without its cgroup',
        {'enforceNodeAllocatable': ['system-reserved']},
        'systemReservedCgroup',
    ),
    (
        'both of kube-reserved and its compressible part',
        {'enforceNodeAllocatable': ['kube-reserved', 'kube-reserved-compressible'], 'kubeReservedCgroup': '/k'},
        'enforceNodeAllocatable',
    ),
    ('enforcing without cgroupsPerQOS', {'enforceNodeAllocatable': ['pods'], 'cgroupsPerQOS': False}, 'cgroupsPerQOS'),
    ('backward CPU range', {'reservedSystemCPUs': '3-1'}, 'reservedSystemCPUs'),
    ('CPU list with a blank', {'reservedSystemCPUs': '0, 1'}, 'reservedSystemCPUs'),
    ('CPU list with an empty part', {'reservedSystemCPUs': '0,'}, 'reservedSystemCPUs'),
    ('CPU list in other digits', {'reservedSystemCPUs': '\u0661'}, 'reservedSystemCPUs'),
    (
        'reserved CPUs beside a reserved cgroup',
        {'reservedSystemCPUs': '0', 'kubeReservedCgroup': '/k'},
        'reservedSystemCPUs',
    ),
    ('reserved memory of cpu', {'reservedMemory': [{'numaNode': 0, 'limits': {'cpu': '1'}}]}, 'reservedMemory'),
    ('reserved memory of zero', {'reservedMemory': [{'numaNode': 0, 'limits': {'memory': '0Mi'}}]}, 'reservedMemory'),
    ('reserved memory of zero as a number', {'reservedMemory': [{'limits': {'memory': 0}}]}, 'reservedMemory'),
    ('reserved memory twice', {'reservedMemory': [MEMORY, MEMORY]}, 'reservedMemory'),
    ('taint without key', {'registerWithTaints': [{'effect': 'NoSchedule'}]}, 'registerWithTaints'),
    ('taint with an invalid prefix', {'registerWithTaints': [TAINT | {'key': 'Example/a'}]}, 'registerWithTaints'),
    ('taint with a key of 64', {'registerWithTaints': [TAINT | {'key': 'a' * 64}]}, 'registerWithTaints'),
    ('taint with an invalid value', {'registerWithTaints': [TAINT | {'value': '-b'}]}, 'registerWithTaints'),
    ('taint with an unknown effect', {'registerWithTaints': [TAINT | {'effect': 'NoRun'}]}, 'registerWithTaints'),
    (
        'taint with a time',
        {'registerWithTaints': [TAINT | {'timeAdded': '2026-01-01T00:00:00Z'}]},
        'registerWithTaints',
    ),
    ('flush frequency of zero', {'logging.flushFrequency': 0}, 'logging.flushFrequency'),
    (
        'verbosity by module in JSON',
        {'logging.format': 'json', 'logging.vmodule': [{'filePattern': 'a', 'verbosity': 1}]},
        'logging.vmodule',
    ),
    ('empty file pattern', {'logging.vmodule': [{'filePattern': '', 'verbosity': 1}]}, 'logging.vmodule'),
    ('file pattern with a comma', {'logging.vmodule': [{'filePattern': 'a,b', 'verbosity': 1}]}, 'logging.vmodule'),
    (
        'verbosity of a module over 2^31-1',
        {'logging.vmodule': [{'filePattern': 'a', 'verbosity': 2**31}]},
        'logging.vmodule',
    ),
    ('split stream without alpha options', {'logging.options.json.splitStream': True}, 'logging.options.json'),
    ('info buffer without alpha options', {'logging.options.text.infoBufferSize': '1Ki'}, 'logging.options.text'),
    ('empty podLogsDir', {'podLogsDir': ''}, 'podLogsDir'),
    ('relative podLogsDir', {'podLogsDir': 'var/log/pods'}, 'podLogsDir'),
    ('podLogsDir with a slash at the end', {'podLogsDir': '/var/log/pods/'}, 'podLogsDir'),
    ('podLogsDir with two slashes first', {'podLogsDir': '//var/log/pods'}, 'podLogsDir'),
    ('podLogsDir with ..', {'podLogsDir': '/var/../log'}, 'podLogsDir'),
    ('podLogsDir that is not ASCII', {'podLogsDir': '/var/l\u00f6g'}, 'podLogsDir'),
    ('empty containerRuntimeEndpoint', {'containerRuntimeEndpoint': ''}, 'containerRuntimeEndpoint'),
    ('tracing over HTTP', {'tracing': {'endpoint': 'http://localhost:4317'}}, 'tracing.endpoint'),
    ('tracing with an empty scheme', {'tracing': {'endpoint': '//localhost'}}, 'tracing.endpoint'),
    ('hidden metrics of no minor version', {'showHiddenMetricsForVersion': 'v1.35'}, 'showHiddenMetricsForVersion'),
    ('unknown cipher suite', {'tlsCipherSuites': ['TLS_AES_128_GCM_SHA256', 'bogus']}, 'tlsCipherSuites'),
    ('cipher suite in lower case', {'tlsCipherSuites': ['tls_aes_128_gcm_sha256']}, 'tlsCipherSuites'),
    ('bare TLS version', {'tlsMinVersion': '1.2'}, 'tlsMinVersion'),
    ('removed swap behavior', {'memorySwap.swapBehavior': 'UnlimitedSwap'}, 'memorySwap.swapBehavior'),
    ('a name twice', {'enforceNodeAllocatable': ['pods', 'pods']}, 'enforceNodeAllocatable'),
    ('none twice', {'enforceNodeAllocatable': ['none', 'none']}, 'enforceNodeAllocatable'),
    ('null as an enforcement', {'enforceNodeAllocatable': [None]}, 'enforceNodeAllocatable'),
    ('null as a cipher suite', {'tlsCipherSuites': [None]}, 'tlsCipherSuites'),
    ('unknown curve', {'tlsCurvePreferences': [8]}, 'tlsCurvePreferences'),
    ('null as a curve', {'tlsCurvePreferences': [None]}, 'tlsCurvePreferences'),
    ('curve twice', {'tlsCurvePreferences': [23, 23]}, 'tlsCurvePreferences'),
    ('too few IDs of users', {'userNamespaces': {'idsPerPod': 65535}}, 'userNamespaces.idsPerPod'),
    ('IDs of users that are no multiple', {'userNamespaces': {'idsPerPod': 65537}}, 'userNamespaces.idsPerPod'),
    ('too many IDs of users', {'userNamespaces': {'idsPerPod': 2**32}}, 'userNamespaces.idsPerPod'),
    ('images that no policy uses', {PRELOADED: ['a']}, PRELOADED),
    ('image pattern with a blank', {PRELOADED: ['a b'], PULLS: 'NeverVerifyAllowlistedImages'}, PRELOADED),
    *(
        (f'image pattern {name}', {PRELOADED: [name], PULLS: 'NeverVerifyAllowlistedImages'}, PRELOADED)
        for name in ('a.b/c:1', 'host:5000', 'a/b@sha256:0')
    ),
    ('no restart period though its gate is on', {RESTARTS: None} | gates(KubeletCrashLoopBackOffMax=True), RESTARTS),
    ('tiers without their gate', {'memoryReservationPolicy': 'TieredReservation'}, 'memoryReservationPolicy'),
    ('logs in JSON without their gate', {'logging.format': 'json'} | gates(LoggingBetaOptions=False), 'logging.format'),
]

ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ('shortest containerLogMonitorInterval', {'containerLogMonitorInterval': 3 * SECOND}),
    ('shortest cpuCFSQuotaPeriod', {'cpuCFSQuotaPeriod': MS}),
    ('longest cpuCFSQuotaPeriod', {'cpuCFSQuotaPeriod': SECOND}),
    ('default cpuCFSQuotaPeriod without its gate', gates(CustomCPUCFSQuotaPeriod=False)),
    ('shortest restart period', {'crashLoopBackOff.maxContainerRestartPeriod': SECOND}),
    (
        'longest restart period, in whole milliseconds',
        {'crashLoopBackOff.maxContainerRestartPeriod': 300 * SECOND + MS - 1},
    ),
    ('imageMaximumGCAge over the minimum', {'imageMaximumGCAge': 120 * SECOND + 1}),
    ('low threshold under the high', {'imageGCLowThresholdPercent': 84}),
    ('parallel pulls', {'maxParallelImagePulls': 2, 'serializeImagePulls': False}),
    ('one pull in series', {'maxParallelImagePulls': 1}),
    ('memoryThrottlingFactor of 1', {'memoryThrottlingFactor': 1}),
    ('serverTLSBootstrap', {'serverTLSBootstrap': True}),
    ('no serverTLSBootstrap and no gate', gates(RotateKubeletServerCertificate=False)),
    ('a locked gate set to true', gates(TopologyManagerPolicyOptions=True)),
    ('authorization by AlwaysDeny, as recorded', {'authorization.mode': 'AlwaysDeny'}),
    ('shortest shutdown', {'shutdownGracePeriod': SECOND, 'shutdownGracePeriodCriticalPods': SECOND}),
    ('shutdown by priority', {'shutdownGracePeriodByPodPriority': POD_PRIORITY}),
    ('systemCgroups in cgroupRoot', {'systemCgroups': '/system', 'cgroupRoot': '/'}),
    ('enforcing none without cgroupsPerQOS', {'enforceNodeAllocatable': ['none'], 'cgroupsPerQOS': False}),
    ('enforcing nothing without cgroupsPerQOS', {'enforceNodeAllocatable': [], 'cgroupsPerQOS': False}),
    (
        'enforcing all with their cgroups',
        {
            'enforceNodeAllocatable': ['pods', 'kube-reserved', 'system-reserved-compressible'],
            'kubeReservedCgroup': '/k',
            'systemReservedCgroup': '/s',
        },
    ),
    ('CPUs and ranges', {'reservedSystemCPUs': '0,2-2,4-7'}),
    ('reserved memory on two nodes', {'reservedMemory': [MEMORY, MEMORY | {'numaNode': 1}]}),
    ('reserved huge pages', {'reservedMemory': [{'numaNode': 0, 'limits': {'hugepages-2Mi': '2Mi', 'memory': 1}}]}),
    ('taints', {'registerWithTaints': [TAINT, {'key': 'a' * 63}, {'key': 'b', 'value': '', 'timeAdded': None}]}),
    ('shortest flush frequency', {'logging.flushFrequency': 1}),
    ('logs in JSON', {'logging.format': 'json'}),
    ('verbosity by module', {'logging.vmodule': [{'filePattern': 'a*', 'verbosity': 2**31 - 1}]}),
    ('split stream with alpha options', {'logging.options.json.splitStream': True} | gates(LoggingAlphaOptions=True)),
    ('split stream with all alpha gates', {'logging.options.json.splitStream': True} | gates(AllAlpha=True)),
    ('podLogsDir at the root', {'podLogsDir': '/'}),
    ('tracing by host and port', {'tracing': {'endpoint': 'localhost:4317', 'samplingRatePerMillion': 1_000_000}}),
    ('tracing by DNS', {'tracing': {'endpoint': 'dns:///localhost:4317'}}),
    ('hidden metrics of the previous version', {'showHiddenMetricsForVersion': '1.35'}),
    ('log queries', {'enableSystemLogQuery': True}),
    ('all cipher suites', {'tlsCipherSuites': sorted(CIPHER_SUITES)}),
    ('no cipher suites', {'tlsCipherSuites': []}),
    ('podPidsLimit of any size', {'podPidsLimit': -2}),
    ('negative streaming timeout', {'streamingConnectionIdleTimeout': -SECOND}),
    ('curves', {'tlsCurvePreferences': [4588, 29]}),
    ('IDs of users', {'userNamespaces': {'idsPerPod': 2**32 - 65536}}),
    ('image patterns', {PRELOADED: ['a.b/c', 'host:5000/a', 'a.b:1/*'], PULLS: 'NeverVerifyAllowlistedImages'}),
    ('tiers with their gate', {'memoryReservationPolicy': 'TieredReservation'} | gates(MemoryQoS=True)),
]

# claim, the whole configuration, the refused field, the first and last release that refuse it
BY_RELEASE: list[tuple[str, dict[str, Any], str, int, int]] = [
    (
        'swap without limit',
        {'memorySwap': {'swapBehavior': 'UnlimitedSwap'}} | gates(NodeSwap=True),
        'memorySwap.swapBehavior',
        30,
        38,
    ),
    ('no swap', {'memorySwap': {'swapBehavior': 'NoSwap'}} | gates(NodeSwap=True), 'memorySwap.swapBehavior', 22, 29),
    ('swap without its gate', {'memorySwap': {'swapBehavior': 'LimitedSwap'}}, 'memorySwap.swapBehavior', 22, 29),
    ('runOnce', {'runOnce': True}, 'runOnce', 32, 38),
    ('IDs of users', {'userNamespaces': {'idsPerPod': 1}}, 'userNamespaces.idsPerPod', 33, 38),
    ('negative minimum age', {'imageMinimumGCAge': -SECOND}, 'imageMinimumGCAge', 36, 38),
    ('negative maximum age', {'imageMaximumGCAge': -1}, 'imageMaximumGCAge', 29, 38),
    ('maximum age without its gate', {'imageMaximumGCAge': SECOND}, 'imageMaximumGCAge', 29, 29),
    ('unknown reservation policy', {'memoryReservationPolicy': 'x'}, 'memoryReservationPolicy', 36, 38),
    ('unknown curve', {'tlsCurvePreferences': [8]}, 'tlsCurvePreferences', 36, 38),
    ('one log file', {'containerLogMaxFiles': 1}, 'containerLogMaxFiles', 33, 38),
    ('no log worker', {'containerLogMaxWorkers': 0}, 'containerLogMaxWorkers', 30, 38),
    ('log monitor', {'containerLogMonitorInterval': 1}, 'containerLogMonitorInterval', 30, 38),
    ('folder of logs', {'podLogsDir': 'x'}, 'podLogsDir', 30, 38),
    ('empty runtime', {'containerRuntimeEndpoint': ''}, 'containerRuntimeEndpoint', 27, 38),
    ('no parallel pull', {'maxParallelImagePulls': 0}, 'maxParallelImagePulls', 27, 38),
    (
        'log queries without handler',
        {'enableSystemLogQuery': True, 'enableSystemLogHandler': False},
        'enableSystemLogQuery',
        27,
        38,
    ),
    ('quota period without its gate', {'cpuCFSQuotaPeriod': 10 * MS}, 'cpuCFSQuotaPeriod', 20, 35),
    (
        'short quota period',
        {'cpuCFSQuotaPeriod': MS - 1} | gates(CustomCPUCFSQuotaPeriod=True),
        'cpuCFSQuotaPeriod',
        26,
        38,
    ),
    ('tracing without its gate', {'tracing': {}}, 'tracing', 25, 26),
    (
        'tracing over HTTP',
        {'tracing': {'endpoint': 'http://a'}} | gates(KubeletTracing=True),
        'tracing.endpoint',
        25,
        38,
    ),
    (
        'topology without its gate',
        {'topologyManagerPolicy': 'restricted'} | gates(TopologyManager=False),
        'topologyManagerPolicy',
        20,
        26,
    ),
    ('restart period without its gate', {'crashLoopBackOff': {'maxContainerRestartPeriod': SECOND}}, RESTARTS, 32, 34),
    ('restart period out of range', {'crashLoopBackOff': {'maxContainerRestartPeriod': 0}}, RESTARTS, 32, 38),
    ('pull policy without its gate', {PULLS: 'NeverVerify'}, PULLS, 33, 34),
    ('preloaded images', {PRELOADED: ['a']}, PRELOADED, 33, 38),
    ('name twice', {'enforceNodeAllocatable': ['pods', 'pods']}, 'enforceNodeAllocatable', 31, 38),
    (
        'compressible part',
        {'enforceNodeAllocatable': ['kube-reserved-compressible'], 'kubeReservedCgroup': '/k'},
        'enforceNodeAllocatable',
        20,
        31,
    ),
    ('none without cgroups', {'enforceNodeAllocatable': ['none'], 'cgroupsPerQOS': False}, 'cgroupsPerQOS', 20, 30),
    ('pods without cgroups', {'enforceNodeAllocatable': ['pods'], 'cgroupsPerQOS': False}, 'cgroupsPerQOS', 20, 38),
    ('reserved memory of zero', {'reservedMemory': [{'limits': {'memory': 0}}]}, 'reservedMemory', 21, 38),
    ('taint without key', {'registerWithTaints': [{'effect': 'NoSchedule'}]}, 'registerWithTaints', 23, 38),
    ('throttling of 0', {'memoryThrottlingFactor': 0}, 'memoryThrottlingFactor', 22, 38),
    (
        'throttling without its gate',
        {'memoryThrottlingFactor': 0.5} | gates(MemoryQoS=False),
        'memoryThrottlingFactor',
        37,
        38,
    ),
    ('sysctls without their gate', {'defaultPodSysctls': {'net.a': '1'}}, 'defaultPodSysctls', 37, 38),
    ('shutdown without its gate', {'shutdownGracePeriod': SECOND}, 'shutdownGracePeriod', 20, 20),
    (
        'shutdown by priority without its gate',
        {'shutdownGracePeriodByPodPriority': POD_PRIORITY},
        'shutdownGracePeriodByPodPriority',
        23,
        23,
    ),
    ('text in two streams', {'logging': {'options': {'text': {'splitStream': True}}}}, 'logging.options.text', 30, 38),
    ('JSON in two streams', {'logging': {'options': {'json': {'splitStream': True}}}}, 'logging.options.json', 25, 38),
    ('port of 0', {'port': 0}, 'port', 20, 38),
    ('unknown cipher suite', {'tlsCipherSuites': ['x']}, 'tlsCipherSuites', 20, 38),
]


@pytest.mark.parametrize(('changes', 'field'), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_what_a_kubelet_refuses_is_a_problem(changes: dict[str, Any], field: str) -> None:
    assert refused(changes) == {field}


@pytest.mark.parametrize('changes', [pytest.param(row[1], id=row[0]) for row in ACCEPTED])
def test_what_a_kubelet_takes_is_no_problem(changes: dict[str, Any]) -> None:
    assert refused(changes) == set()


@pytest.mark.parametrize('minor', sorted(ALL))
@pytest.mark.parametrize(
    ('config', 'field', 'first', 'last'), [pytest.param(*row[1:], id=row[0]) for row in BY_RELEASE]
)
def test_a_release_refuses_what_its_own_sources_refuse(
    config: dict[str, Any], field: str, first: int, last: int, minor: int
) -> None:
    found = {problem.field for problem in problems(config, Release(minor)) if 'featureGates' not in problem.field}
    assert found == ({field} if first <= minor <= last else set())


@pytest.mark.parametrize('row', RANGES, ids=lambda row: row.path)
def test_numbers_are_refused_just_outside_their_range(row: Range) -> None:
    around = {'imageGCLowThresholdPercent': 0, 'imageGCHighThresholdPercent': 100, 'serializeImagePulls': False}
    assert row.path in refused(around | {row.path: row.low - 1})
    assert row.high is None or row.path in refused(around | {row.path: row.high + 1})
    if not row.path.startswith('imageGC'):
        assert not refused(around | {row.path: row.low})
        assert row.high is None or not refused(around | {row.path: row.high})


@pytest.mark.parametrize('row', [row for row in NAMES if row.until is None], ids=lambda row: row.path)
def test_names_are_refused_unless_listed(row: Names) -> None:
    assert refused({row.path: 'bogus'}) == {row.path}
    assert [name for name in row.allowed if refused({row.path: name} | gates(MemoryQoS=True))] == []


@pytest.mark.parametrize('legacy', [False, True])
def test_an_ordinary_configuration_has_no_more_readings_for_being_validated(legacy: bool) -> None:
    def with_defaults(release: Release) -> dict[str, Any]:
        configuration = Configuration()
        set_defaults(configuration, release, legacy=legacy)
        return configuration.values

    def validated(release: Release) -> list[Problem]:
        return list(problems(with_defaults(release), release))

    readings = list(iter_alike(ALL, validated))
    assert [found for _, found in readings] == [[] for _ in iter_alike(ALL, with_defaults)]


@pytest.mark.parametrize('path', sorted(CONFIGZ.glob('*.json')), ids=lambda path: path.stem)
def test_a_running_configuration_is_not_a_problem(path: Path) -> None:
    assert list(problems(body(path), Release(36))) == []


def test_an_empty_configuration_is_not_judged() -> None:
    assert list(problems({}, Release(36))) == []


def test_messages_are_short_and_quote_nothing() -> None:
    marker = 'x-secret-x'
    for _, changes, _ in REFUSED:
        for problem in problems(changed(changes), Release(36)):
            assert 0 < len(problem.message) <= 120 and problem.message.isprintable()
    strange = changed(dict.fromkeys((row.path for row in NAMES), marker) | {'tlsCipherSuites': [marker]})
    assert not any(marker in problem.message for problem in problems(strange, Release(36)))


ODD_VALUES = [
    None, True, False, 0, -1, 10**5000, -(10**5000), 1.5, float('nan'), float('-inf'), '', '%', '-', ',', '9' * 5000,
    '\x00', '\ud800', [], [None], [[]], [{}], ['a', 1], {}, {'a': None}, {'a': 1}, {1: 'a'}, {'memory': None},
    [{'limits': {1: 2}}], [{'limits': []}], [{'numaNode': [], 'limits': {'memory': []}}], (), b'a', object(),
]  # fmt: skip


@pytest.mark.parametrize(
    'value', ODD_VALUES, ids=lambda value: repr(value)[:20] if not isinstance(value, int) else type(value).__name__
)
def test_nothing_is_raised_whatever_a_field_holds(value: object) -> None:
    leaves = {path for _, changes, _ in REFUSED for path in changes} | {
        row.path for row in (*RANGES, *NAMES, *NEEDED_GATES)
    }
    for path in sorted(leaves):
        top, _, rest = path.partition('.')
        for odd in (
            {rest: value} if rest else value,
            {'memory.available': value, 'cpu': value, 'text': {rest: value}},
            [value, {'key': value, 'limits': {'memory': value}, 'filePattern': value}],
        ):
            assert all(problem.message for problem in problems(BASE | {top: odd}, Release(36)))


def test_every_check_has_a_refused_row() -> None:
    release = Release(36)
    rules = [rule for rule in VALIDATIONS if rule is not gate_problems]
    silent = [rule.__name__ for rule in rules if not any(list(rule(changed(row[1]), release)) for row in REFUSED)]
    assert silent == []
