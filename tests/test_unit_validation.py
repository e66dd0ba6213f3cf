# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.golang import parse_duration
from datadog_checks.kubelet_compliance.release import Release
from datadog_checks.kubelet_compliance.validation import RULES, problems
from datadog_checks.kubelet_compliance.validation_table import CIPHER_SUITES, ENUMS, RANGES

CONFIGZ = Path(__file__).parent / 'truth' / 'configz'
DURATION = re.compile(r'([0-9]+(\.[0-9]+)?(h|m|s|ms))+')
MS = 1_000_000
SECOND = 1000 * MS


def with_nanoseconds(value: Any) -> Any:
    """A /configz body with its duration strings as nanoseconds, as `problems` takes them."""
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


def refused(changes: dict[str, Any]) -> set[str]:
    return {problem.field for problem in problems(changed(changes), Release(36))}


def gates(**states: bool) -> dict[str, Any]:
    return {'featureGates': states}


STATIC = {'cpuManagerPolicy': 'static', 'kubeReserved': {'cpu': '100m'}}
POD_PRIORITY = [{'priority': 0, 'shutdownGracePeriodSeconds': 1}]
TAINT = {'key': 'example.com/a', 'value': 'b', 'effect': 'NoSchedule'}
MEMORY = {'numaNode': 0, 'limits': {'memory': '1Gi'}}

# claim, what is changed, the field that is refused
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
    (
        'imageMaximumGCAge without its gate',
        {'imageMaximumGCAge': 130 * SECOND} | gates(ImageMaximumGCAge=False),
        'imageMaximumGCAge',
    ),
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
        'serverTLSBootstrap without beta gates',
        {'serverTLSBootstrap': True} | gates(AllBeta=False),
        'serverTLSBootstrap',
    ),
    (
        'swap behavior without its gate',
        {'memorySwap.swapBehavior': 'NoSwap'} | gates(NodeSwap=False),
        'memorySwap.swapBehavior',
    ),
    ('tracing without its gate', {'tracing': {}} | gates(KubeletTracing=False), 'tracing'),
    (
        'log queries without their gate',
        {'enableSystemLogQuery': True} | gates(NodeLogQuery=False),
        'enableSystemLogQuery',
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
        'shutdown without its gate',
        {'shutdownGracePeriod': SECOND} | gates(GracefulNodeShutdown=False),
        'shutdownGracePeriod',
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
    ('static CPUs without a reservation', {'cpuManagerPolicy': 'static'}, 'cpuManagerPolicy'),
    (
        'static CPUs with a reservation of zero',
        {'cpuManagerPolicy': 'static', 'kubeReserved': {'cpu': '0m'}},
        'cpuManagerPolicy',
    ),
    (
        'CPU options for policy none',
        {'cpuManagerPolicyOptions': {'full-pcpus-only': 'true'}},
        'cpuManagerPolicyOptions',
    ),
    (
        'CPU option that is no boolean',
        STATIC | {'cpuManagerPolicyOptions': {'full-pcpus-only': 'yes'}},
        'cpuManagerPolicyOptions',
    ),
    ('unknown reserved resource', {'kubeReserved': {'disk': '1Gi'}}, 'kubeReserved'),
    ('reserved resource that is no quantity', {'systemReserved': {'memory': '1GB'}}, 'systemReserved'),
    ('negative reserved resource', {'systemReserved': {'memory': '-1Mi'}}, 'systemReserved'),
    ('qosReserved over 100%', {'qosReserved': {'memory': '101%'}}, 'qosReserved'),
    ('qosReserved without %', {'qosReserved': {'memory': '50'}}, 'qosReserved'),
    ('qosReserved of cpu', {'qosReserved': {'cpu': '50%'}}, 'qosReserved'),
    ('reserved memory of cpu', {'reservedMemory': [{'numaNode': 0, 'limits': {'cpu': '1'}}]}, 'reservedMemory'),
    ('reserved memory of zero', {'reservedMemory': [{'numaNode': 0, 'limits': {'memory': '0Mi'}}]}, 'reservedMemory'),
    ('reserved memory of zero as a number', {'reservedMemory': [{'limits': {'memory': 0}}]}, 'reservedMemory'),
    ('reserved memory twice', {'reservedMemory': [MEMORY, MEMORY]}, 'reservedMemory'),
    ('unknown eviction signal', {'evictionHard': {'memory.free': '1Mi'}}, 'evictionHard'),
    ('eviction at a quantity of zero', {'evictionHard': {'memory.available': '0'}}, 'evictionHard'),
    ('eviction at a negative quantity', {'evictionHard': {'memory.available': '-1Mi'}}, 'evictionHard'),
    ('eviction at no quantity', {'evictionHard': {'memory.available': '1 Mi'}}, 'evictionHard'),
    ('eviction at a negative percentage', {'evictionHard': {'memory.available': '-1%'}}, 'evictionHard'),
    ('eviction at no percentage', {'evictionHard': {'memory.available': 'ten%'}}, 'evictionHard'),
    ('soft eviction without a grace period', {'evictionSoft': {'memory.available': '1Gi'}}, 'evictionSoftGracePeriod'),
    ('negative grace period', {'evictionSoftGracePeriod': {'memory.available': '-1s'}}, 'evictionSoftGracePeriod'),
    ('grace period without unit', {'evictionSoftGracePeriod': {'memory.available': '30'}}, 'evictionSoftGracePeriod'),
    ('minimum reclaim of 0%', {'evictionMinimumReclaim': {'memory.available': '0%'}}, 'evictionMinimumReclaim'),
    ('negative minimum reclaim', {'evictionMinimumReclaim': {'memory.available': '-1'}}, 'evictionMinimumReclaim'),
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
    ('containerLogMaxSize that is no quantity', {'containerLogMaxSize': '10MB'}, 'containerLogMaxSize'),
    ('empty containerLogMaxSize', {'containerLogMaxSize': ''}, 'containerLogMaxSize'),
    ('empty podLogsDir', {'podLogsDir': ''}, 'podLogsDir'),
    ('relative podLogsDir', {'podLogsDir': 'var/log/pods'}, 'podLogsDir'),
    ('podLogsDir with a slash at the end', {'podLogsDir': '/var/log/pods/'}, 'podLogsDir'),
    ('podLogsDir with two slashes first', {'podLogsDir': '//var/log/pods'}, 'podLogsDir'),
    ('podLogsDir with ..', {'podLogsDir': '/var/../log'}, 'podLogsDir'),
    ('podLogsDir that is not ASCII', {'podLogsDir': '/var/l\u00f6g'}, 'podLogsDir'),
    ('empty containerRuntimeEndpoint', {'containerRuntimeEndpoint': ''}, 'containerRuntimeEndpoint'),
    ('runtime over TCP', {'containerRuntimeEndpoint': 'tcp://localhost:1'}, 'containerRuntimeEndpoint'),
    ('images over TCP', {'imageServiceEndpoint': 'tcp://localhost:1'}, 'imageServiceEndpoint'),
    ('tracing over HTTP', {'tracing': {'endpoint': 'http://localhost:4317'}}, 'tracing.endpoint'),
    ('tracing with an empty scheme', {'tracing': {'endpoint': '//localhost'}}, 'tracing.endpoint'),
    ('sysctl that is not namespaced', {'allowedUnsafeSysctls': ['vm.swappiness']}, 'allowedUnsafeSysctls'),
    ('all sysctls', {'allowedUnsafeSysctls': ['*']}, 'allowedUnsafeSysctls'),
    ('hidden metrics of no minor version', {'showHiddenMetricsForVersion': 'v1.35'}, 'showHiddenMetricsForVersion'),
    ('unknown cipher suite', {'tlsCipherSuites': ['TLS_AES_128_GCM_SHA256', 'bogus']}, 'tlsCipherSuites'),
    ('cipher suite in lower case', {'tlsCipherSuites': ['tls_aes_128_gcm_sha256']}, 'tlsCipherSuites'),
    ('bare TLS version', {'tlsMinVersion': '1.2'}, 'tlsMinVersion'),
    ('removed swap behavior', {'memorySwap.swapBehavior': 'UnlimitedSwap'}, 'memorySwap.swapBehavior'),
    ('policy of the other manager', {'memoryManagerPolicy': 'none'}, 'memoryManagerPolicy'),
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
    ('no imageMaximumGCAge without its gate', gates(ImageMaximumGCAge=False)),
    ('imageMaximumGCAge over the minimum', {'imageMaximumGCAge': 120 * SECOND + 1}),
    ('low threshold under the high', {'imageGCLowThresholdPercent': 84}),
    ('parallel pulls', {'maxParallelImagePulls': 2, 'serializeImagePulls': False}),
    ('one pull in series', {'maxParallelImagePulls': 1}),
    ('memoryThrottlingFactor of 1', {'memoryThrottlingFactor': 1}),
    ('serverTLSBootstrap', {'serverTLSBootstrap': True}),
    (
        'serverTLSBootstrap in spite of AllBeta',
        {'serverTLSBootstrap': True} | gates(AllBeta=False, RotateKubeletServerCertificate=True),
    ),
    ('no serverTLSBootstrap and no gate', gates(RotateKubeletServerCertificate=False)),
    ('unknown gate, as recorded', gates(Bogus=True)),
    ('NodeSwap off, as 1.32 takes it', gates(NodeSwap=False)),
    ('a locked gate set to true', gates(TopologyManagerPolicyOptions=True)),
    ('authorization by AlwaysDeny, as recorded', {'authorization.mode': 'AlwaysDeny'}),
    ('shortest shutdown', {'shutdownGracePeriod': SECOND, 'shutdownGracePeriodCriticalPods': SECOND}),
    (
        'negative shutdown without the gate',
        {'shutdownGracePeriod': -SECOND, 'shutdownGracePeriodCriticalPods': -SECOND}
        | gates(GracefulNodeShutdown=False),
    ),
    ('shutdown by priority', {'shutdownGracePeriodByPodPriority': POD_PRIORITY}),
    ('systemCgroups in cgroupRoot', {'systemCgroups': '/system', 'cgroupRoot': '/'}),
    ('enforcing none without cgroupsPerQOS', {'enforceNodeAllocatable': ['none'], 'cgroupsPerQOS': False}),
    ('enforcing nothing without cgroupsPerQOS', {'enforceNodeAllocatable': [], 'cgroupsPerQOS': False}),
    ('enforcing twice, as 1.32 may take it', {'enforceNodeAllocatable': ['pods', 'pods']}),
    (
        'enforcing all with their cgroups',
        {
            'enforceNodeAllocatable': ['pods', 'kube-reserved', 'system-reserved-compressible'],
            'kubeReservedCgroup': '/k',
            'systemReservedCgroup': '/s',
        },
    ),
    ('CPUs and ranges', {'reservedSystemCPUs': '0,2-2,4-7'}),
    ('static CPUs with a reservation', STATIC),
    ('static CPUs with reserved CPUs', {'cpuManagerPolicy': 'static', 'reservedSystemCPUs': '0'}),
    (
        'options for static CPUs',
        STATIC | {'cpuManagerPolicyOptions': {'full-pcpus-only': 'T', 'of-a-later-release': '7'}},
    ),
    ('reserved CPUs in place of an invalid amount', {'reservedSystemCPUs': '0', 'kubeReserved': {'cpu': '-1'}}),
    (
        'all reserved resources',
        {'kubeReserved': {'cpu': '.5', 'memory': '1e3', 'ephemeral-storage': '1Gi', 'pid': '1k'}},
    ),
    ('reserved resource with an exponent out of bounds', {'kubeReserved': {'memory': '1e999999999'}}),
    ('qosReserved of 100%', {'qosReserved': {'memory': '100%'}}),
    ('reserved memory on two nodes', {'reservedMemory': [MEMORY, MEMORY | {'numaNode': 1}]}),
    ('reserved huge pages', {'reservedMemory': [{'numaNode': 0, 'limits': {'hugepages-2Mi': '2Mi', 'memory': 1}}]}),
    ('eviction at 0% and 100%', {'evictionHard': {'memory.available': '0%', 'nodefs.available': '100%'}}),
    ('eviction at a fraction of a percent', {'evictionHard': {'memory.available': '0.5%'}}),
    ('eviction over 100%, as older kubelets take it', {'evictionHard': {'memory.available': '150%'}}),
    (
        'soft eviction',
        {'evictionSoft': {'memory.available': '1Gi'}, 'evictionSoftGracePeriod': {'memory.available': '1m30s'}},
    ),
    ('soft eviction that is dropped', {'evictionSoft': {'memory.available': '0%'}}),
    ('minimum reclaim of zero', {'evictionMinimumReclaim': {'memory.available': '0', 'pid.available': '5%'}}),
    ('taints', {'registerWithTaints': [TAINT, {'key': 'a' * 63}, {'key': 'b', 'value': '', 'timeAdded': None}]}),
    ('shortest flush frequency', {'logging.flushFrequency': 1}),
    ('logs in JSON', {'logging.format': 'json'}),
    ('verbosity by module', {'logging.vmodule': [{'filePattern': 'a*', 'verbosity': 2**31 - 1}]}),
    ('split stream with alpha options', {'logging.options.json.splitStream': True} | gates(LoggingAlphaOptions=True)),
    ('split stream with all alpha gates', {'logging.options.json.splitStream': True} | gates(AllAlpha=True)),
    ('no rotation of logs', {'containerLogMaxSize': '-1'}),
    ('podLogsDir at the root', {'podLogsDir': '/'}),
    ('runtime by a bare path', {'containerRuntimeEndpoint': '/run/a.sock'}),
    ('runtime by a unix socket', {'containerRuntimeEndpoint': 'unix:///run/a.sock'}),
    ('tracing by host and port', {'tracing': {'endpoint': 'localhost:4317', 'samplingRatePerMillion': 1_000_000}}),
    ('tracing by DNS', {'tracing': {'endpoint': 'dns:///localhost:4317'}}),
    ('sysctls', {'allowedUnsafeSysctls': ['kernel.msg*', 'net/core/somaxconn', 'fs.mqueue.*']}),
    ('hidden metrics of the previous version', {'showHiddenMetricsForVersion': '1.35'}),
    ('log queries', {'enableSystemLogQuery': True}),
    ('all cipher suites', {'tlsCipherSuites': sorted(CIPHER_SUITES)}),
    ('no cipher suites', {'tlsCipherSuites': []}),
    ('podPidsLimit of any size', {'podPidsLimit': -2}),
    ('negative streaming timeout', {'streamingConnectionIdleTimeout': -SECOND}),
]


@pytest.mark.parametrize(('changes', 'field'), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_what_every_kubelet_refuses_is_a_problem(changes: dict[str, Any], field: str) -> None:
    assert refused(changes) == {field}


@pytest.mark.parametrize('changes', [pytest.param(row[1], id=row[0]) for row in ACCEPTED])
def test_what_some_kubelet_takes_is_no_problem(changes: dict[str, Any]) -> None:
    assert refused(changes) == set()


@pytest.mark.parametrize(('path', 'low', 'high'), RANGES)
def test_numbers_are_refused_just_outside_their_range(path: str, low: int, high: int | None) -> None:
    around = {'imageGCLowThresholdPercent': 0, 'imageGCHighThresholdPercent': 100, 'serializeImagePulls': False}
    assert path in refused(around | {path: low - 1})
    assert high is None or path in refused(around | {path: high + 1})
    if not path.startswith('imageGC'):
        assert not refused(around | {path: low})
        assert high is None or not refused(around | {path: high})


@pytest.mark.parametrize('path', ENUMS)
def test_names_are_refused_unless_listed(path: str) -> None:
    reserve = {'kubeReserved': {'cpu': '1'}}
    assert refused({path: 'bogus'}) == {path}
    assert [name for name in ENUMS[path] if refused(reserve | {path: name})] == []


@pytest.mark.parametrize('path', sorted(CONFIGZ.glob('*.json')), ids=lambda path: path.stem)
def test_what_a_kubelet_runs_with_is_no_problem(path: Path) -> None:
    assert list(problems(body(path), Release(36))) == []


def test_an_empty_configuration_is_not_judged() -> None:
    assert list(problems({}, Release(36))) == []


def test_messages_are_short_and_quote_nothing() -> None:
    marker = 'x-secret-x'
    for _, changes, _ in REFUSED:
        for problem in problems(changed(changes), Release(36)):
            assert 0 < len(problem.message) <= 120 and problem.message.isprintable()
    strange = changed(dict.fromkeys(ENUMS, marker) | {'kubeReserved': {marker: marker}, 'tlsCipherSuites': [marker]})
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
    leaves = {path for _, changes, _ in REFUSED for path in changes} | {row[0] for row in RANGES} | ENUMS.keys()
    for path in sorted(leaves):
        top, _, rest = path.partition('.')
        for odd in (
            {rest: value} if rest else value,
            {'memory.available': value, 'cpu': value, 'text': {rest: value}},
            [value, {'key': value, 'limits': {'memory': value}, 'filePattern': value}],
        ):
            assert all(problem.message for problem in problems(BASE | {top: odd}, Release(36)))


def test_every_rule_has_a_refused_row() -> None:
    silent = [rule.__name__ for rule in RULES if not any(list(rule(changed(row[1]))) for row in REFUSED)]
    assert silent == []
