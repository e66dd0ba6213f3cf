# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What stops an upgrade, what it ignores, and what nobody can know. Each kind was reported for real nodes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datadog_checks.kubelet_compliance.kubelet.command_lines import read_command_lines
from datadog_checks.kubelet_compliance.kubelet.declare import Known, read_configurations
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.kubelet.upgrade import (
    CGROUPS_NOT_KNOWN,
    FLAG_MAY_TAKE_A_VALUE,
    JUST_STARTED,
    SET_CGROUPS,
    upgrade_of,
)
from datadog_checks.kubelet_compliance.model import (
    Evidence,
    File,
    Launch,
    Origin,
    Outcome,
    Place,
    Process,
    Source,
    Target,
    Unknown,
    Unreadable,
    Upgrade,
    UpgradeItem,
)
from tests.support.nodes import HEAD
from tests.support.upgrades import STARTED_AT, as_image, evidence_of, kubelet_of

pytestmark = pytest.mark.same_for_every_user

BLOCKED, STARTS, UNKNOWN = Outcome.BLOCKED, Outcome.STARTS, Outcome.UNKNOWN
DROP_IN = 'evictionMaxPodGracePeriod: 1\n'


def upgrade(evidence: Evidence, today: int, target: int, **known: int) -> Upgrade:
    return upgrade_of(kubelet_of(evidence, today), Target(target, **known))[0]


def named(items: tuple[UpgradeItem, ...]) -> dict[str, str]:
    return {item.what: item.why for item in items}


REPORTED = [
    pytest.param(
        evidence_of('--network-plugin=cni'), 23, 24 + 1, '--network-plugin', 'removed', id='kubespray, 1.24: dockershim'
    ),
    pytest.param(
        evidence_of('--container-runtime=remote'), 26, 27, '--container-runtime', 'removed', id='minikube, kOps: 1.27'
    ),
    pytest.param(
        evidence_of('--pod-infra-container-image=registry.k8s.io/pause:3.10'),
        34, 35, '--pod-infra-container-image', 'Kubernetes 1.35 removed this flag', id='kubeadm, 1.35: the pause image',
    ),
    pytest.param(evidence_of('--cloud-config=/c'), 33, 34, '--cloud-config', 'removed', id='1.34: --cloud-config'),
    pytest.param(evidence_of('--logtostderr'), 25, 26, '--logtostderr', 'removed', id='1.26: flags of klog'),
    pytest.param(evidence_of('--containerd=/c'), 36, 37, '--containerd', 'removed', id='1.37: flags of cAdvisor'),
    pytest.param(
        evidence_of('--cloud-provider=aws'), 26, 27, '--cloud-provider', 'must be external', id='EKS: in-tree provider'
    ),
    pytest.param(
        evidence_of(config='featureGates: {UserNamespacesPodSecurityStandards: true}\n'),
        34, 35, 'featureGates.UserNamespacesPodSecurityStandards', 'removed', id='Talos, 1.35: a removed gate',
    ),
    pytest.param(
        evidence_of('--feature-gates=InTreePluginGCEUnregister=true'),
        30, 31, 'featureGates.InTreePluginGCEUnregister', 'Kubernetes 1.31 removed this feature gate',
        id='1.31: a removed gate in a flag',
    ),
    pytest.param(
        evidence_of(config='featureGates: {KubeletCgroupDriverFromCRI: false}\n'),
        33, 34, 'featureGates.KubeletCgroupDriverFromCRI', 'locked this feature gate to true', id='1.34: a locked gate',
    ),
    pytest.param(
        evidence_of(config='featureGates: {CSIMigrationGCE: false}\n'),
        25 - 1, 25, 'featureGates.CSIMigrationGCE', 'locked', id='KKP, 1.25: a locked gate',
    ),
    pytest.param(
        evidence_of(config='featureGates: {DynamicResourceAllocation: false, DRAPrioritizedList: true}\n'),
        34, 35, 'featureGates.DRAPrioritizedList', 'requires the feature gate DynamicResourceAllocation',
        id='1.35: a gate without the one that it needs',
    ),
    pytest.param(
        evidence_of(config='runOnce: true\n'), 31, 32, 'runOnce', 'must be false', id='1.32: stricter validation'
    ),
    pytest.param(
        evidence_of(config='memorySwap: {swapBehavior: UnlimitedSwap}\nfeatureGates: {NodeSwap: true}\n'),
        29, 30, 'memorySwap.swapBehavior', 'must be one of NoSwap, LimitedSwap', id='1.30: a value that is gone',
    ),
    pytest.param(
        evidence_of(config='showHiddenMetricsForVersion: "1.32"\n'),
        33, 34, 'showHiddenMetricsForVersion', 'must be the minor version before', id='a value of one release only',
    ),
    pytest.param(
        evidence_of(config='crashLoopBackOff: {maxContainerRestartPeriod: 5}\n'),
        31, 32, 'crashLoopBackOff.maxContainerRestartPeriod', 'is not a duration', id='a new field of the wrong type',
    ),
    pytest.param(
        evidence_of(config='', drop_ins={'1.conf': f'kind: KubeletConfiguration\n{DROP_IN}'}),
        31, 32, '/k/d/1.conf', 'apiVersion is missing', id='1.32: a drop-in without apiVersion',
    ),
    pytest.param(
        evidence_of(config='', drop_ins={'1.conf': f'{HEAD}{DROP_IN}{DROP_IN}'}),
        28, 30, '/k/d/1.conf', 'duplicate key', id='1.29: a drop-in with a key twice',
    ),
    pytest.param(
        evidence_of(config='', uses_cgroup_v1=True),
        34, 35, 'failCgroupV1', 'the kubelet does not start on cgroup v1', id='k0s, minikube, 1.35: cgroup v1',
    ),
    pytest.param(
        evidence_of(config='failCgroupV1: false\nsingleProcessOOMKill: false\n', uses_cgroup_v1=True),
        31, 32, 'singleProcessOOMKill', 'the kubelet does not start on cgroup v1', id='1.32: OOM kills on cgroup v1',
    ),
]  # fmt: skip


@pytest.mark.parametrize(('evidence', 'today', 'target', 'what', 'why'), REPORTED)
def test_what_the_target_refuses_and_today_does_not_is_named(
    evidence: Evidence, today: int, target: int, what: str, why: str
) -> None:
    found = upgrade(evidence, today, target)
    assert found.outcome is BLOCKED
    assert why in named(found.blockers)[what]
    assert (found.today, found.target) == (f'1.{today}', f'1.{target}')


@pytest.mark.parametrize(('evidence', 'today', 'target', 'what', 'why'), REPORTED)
def test_an_image_with_the_same_is_blocked_too(
    evidence: Evidence, today: int, target: int, what: str, why: str
) -> None:
    found = upgrade(as_image(evidence), today, target)
    assert found.outcome is BLOCKED
    assert why in named(found.blockers)[what]


@pytest.mark.parametrize(('evidence', 'today', 'target', 'what', 'why'), REPORTED)
def test_today_is_no_blocker(evidence: Evidence, today: int, target: int, what: str, why: str) -> None:
    """The table above is about upgrades: the release that runs accepts all of it."""
    assert upgrade(evidence, max(today, 25), max(today, 25)).outcome is not BLOCKED


def test_all_blockers_are_named_and_not_only_the_first() -> None:
    evidence = evidence_of(
        '--pod-infra-container-image=p',
        '--cloud-config=c',
        config='runOnce: true\nfeatureGates: {NodeSwap: false}\ncrashLoopBackOff: {maxContainerRestartPeriod: 5}\n',
        drop_ins={'1.conf': 'kind: KubeletConfiguration\n', '2.conf': 'kind: x\napiVersion: v1\n'},
        uses_cgroup_v1=True,
    )
    found = upgrade(evidence, 31, 36)
    assert set(named(found.blockers)) == {
        '--pod-infra-container-image',
        '--cloud-config',
        'crashLoopBackOff.maxContainerRestartPeriod',
        '/k/d/1.conf',
        '/k/d/2.conf',
    }
    without_files = replace(
        evidence, drop_ins=None, process=replace(evidence.process, arguments=('--config=/k/c.yaml',))
    )
    assert set(named(upgrade(without_files, 31, 36).blockers)) == {
        'crashLoopBackOff.maxContainerRestartPeriod',
        'runOnce',
        'featureGates.NodeSwap',
        'failCgroupV1',
    }


@pytest.mark.parametrize(
    ('evidence', 'today', 'target'),
    [
        pytest.param(evidence_of(config=''), 30, 37, id='nothing set'),
        pytest.param(evidence_of('--v=2', '--node-ip=10.0.0.1'), 25, 37, id='flags that stay'),
        pytest.param(evidence_of(config='failCgroupV1: false\n', uses_cgroup_v1=True), 34, 37, id='cgroup v1 allowed'),
        pytest.param(evidence_of(config='', uses_cgroup_v1=True), 30, 34, id='cgroup v1 before 1.35'),
        pytest.param(evidence_of(config='featureGates: {NodeSwap: true}\n'), 33, 37, id='a gate at its locked value'),
    ],
)
def test_what_the_target_accepts_is_not_blocked(evidence: Evidence, today: int, target: int) -> None:
    found = upgrade(evidence, today, target)
    assert (found.outcome, found.blockers, found.unknown) == (STARTS, (), None)


def test_an_upgrade_is_about_the_next_start() -> None:
    kubelet = kubelet_of(evidence_of(config=''), 34)
    coming = evidence_of('--pod-infra-container-image=p', config='')
    lines = read_command_lines(coming.arguments, {34}, accepted=False)
    changed = replace(kubelet, coming=coming, next=read_configurations(coming, lines))
    assert upgrade_of(kubelet, Target(35))[0].outcome is STARTS
    assert upgrade_of(changed, Target(35))[0].outcome is BLOCKED


VENDOR = evidence_of('--pod-sysctls=net.core.somaxconn=1', config='')
GATE_OF_A_VENDOR = 'featureGates: {NewOLM: true}\n'


def test_what_a_running_kubelet_takes_against_the_rules_of_its_release_is_only_to_be_verified() -> None:
    found = upgrade(VENDOR, 33, 35)
    assert (found.outcome, found.blockers) == (STARTS, ())
    assert named(found.to_verify) == {'--pod-sysctls': 'only builds of some vendors have this flag'}


def test_on_a_machine_that_does_not_run_nothing_shows_that_a_vendor_built_it() -> None:
    assert upgrade(as_image(VENDOR), 33, 35).outcome is BLOCKED


@pytest.mark.parametrize('age', [pytest.param(10.0, id='just started'), pytest.param(None, id='age not known')])
def test_a_kubelet_that_has_not_shown_what_it_takes_is_not_known(age: float | None) -> None:
    found = upgrade(replace(VENDOR, age_seconds=age), 33, 35)
    assert (found.outcome, found.unknown) == (UNKNOWN, JUST_STARTED)


def test_a_file_that_changed_after_the_start_has_not_been_accepted() -> None:
    evidence = evidence_of(config='port: 70000\n', changed_at=STARTED_AT + 10)
    assert named(upgrade(evidence, 33, 34).blockers) == {'port': 'must be 1 to 65535'}


@pytest.mark.parametrize(
    ('flag', 'before', 'config', 'what'),
    [
        pytest.param(
            '--image-gc-low-threshold=80', '', 'imageGCHighThresholdPercent: 75\n', 'imageGCLowThresholdPercent',
            id='a number that must be below one in the file',
        ),
        pytest.param(
            '--reserved-cpus=0', '', 'systemReservedCgroup: /a\n', 'reservedSystemCPUs',
            id='a value that excludes another',
        ),
        pytest.param(
            '--tls-cert-file=/x', 'tlsPrivateKeyFile: /y\n', '', 'tlsCertFile', id='a certificate whose key is gone'
        ),
        pytest.param(
            '--cpu-manager-policy=static', 'kubeReserved: {cpu: "1"}\n', '', 'cpuManagerPolicy',
            id='a policy whose reservation is gone',
        ),
        pytest.param(
            '--feature-gates=DRAPrioritizedList=true', '', 'featureGates: {DynamicResourceAllocation: false}\n',
            'featureGates.DRAPrioritizedList', id='a gate that needs one in the file',
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize('is_shown', [False, True])
def test_a_flag_does_not_show_what_depends_on_a_file_that_changed(
    flag: str, before: str, config: str, what: str, is_shown: bool
) -> None:
    """The kubelet runs with the flag, but a real one exits at the next start. `is_shown`: it shows its values."""
    kubelet = kubelet_of(evidence_of(flag, config=config, changed_at=STARTED_AT + 10), 35)
    if is_shown:
        (started,) = kubelet_of(evidence_of(flag, config=before), 35).following
        kubelet = replace(kubelet, running=Configuration(dict(started.values), dict(started.origins)))
    found, _ = upgrade_of(kubelet, Target(35))
    assert found.outcome is BLOCKED
    assert what in named(found.blockers)


@pytest.mark.parametrize(
    ('flag', 'what'),
    [
        pytest.param('--pod-sysctls=net.core.somaxconn=1', '--pod-sysctls', id='a flag of a vendor'),
        pytest.param('--feature-gates=NewOLM=true', 'featureGates.NewOLM', id='a gate of a vendor'),
    ],
)
def test_a_flag_shows_what_no_file_can_change(flag: str, what: str) -> None:
    found = upgrade(evidence_of(flag, config='maxPods: 9\n', changed_at=STARTED_AT + 10), 33, 33)
    assert (found.outcome, found.blockers) == (STARTS, ())
    assert what in named(found.to_verify)


def test_a_running_configuration_shows_what_its_release_seems_to_refuse() -> None:
    evidence = evidence_of(config='maxPods: -5\n', changed_at=STARTED_AT + 10)
    kubelet = kubelet_of(evidence, 33)
    running = Configuration()
    running.set('maxPods', -5, Origin(Source.CONFIGZ, ''))
    readings = read_configurations(evidence, kubelet.lines, Known(running=running))
    assert upgrade_of(kubelet, Target(34))[0].outcome is BLOCKED
    assert upgrade_of(replace(kubelet, running=running, readings=readings), Target(34))[0].outcome is STARTS


def test_a_build_that_ignores_unknown_gates_ignores_removed_gates_too() -> None:
    evidence = evidence_of(config='featureGates: {NewOLM: true, AppArmor: true}\n')
    found = upgrade(evidence, 32, 33)
    assert (found.outcome, found.blockers) == (Outcome.STARTS_WITH_LOSSES, ())
    assert named(found.ignored) == {'featureGates.AppArmor': 'Kubernetes 1.33 removed this feature gate'}
    assert named(found.to_verify) == {'featureGates.NewOLM': 'no known Kubernetes release has this feature gate'}


def test_startup_rules_that_the_kubelet_disproves_stop_nothing() -> None:
    """Its API server is somewhere that this check does not know."""
    text = f'{HEAD}authorization: {{mode: Webhook}}\nauthentication: {{webhook: {{enabled: true}}}}\n'
    evidence = evidence_of(
        config='authorization: {mode: AlwaysAllow}\n', drop_ins={'1.conf': text}, has_api_server=False
    )
    found = upgrade(evidence, 30, 33)
    assert (found.outcome, found.blockers) == (STARTS, ())
    assert 'authorization.mode' in named(found.to_verify)


@pytest.mark.parametrize(
    ('evidence', 'why'),
    [
        pytest.param(
            replace(evidence_of(config=''), config=Unreadable('/k/c.yaml', 'permission denied')),
            'could not read /k/c.yaml: permission denied',
            id='a file that could not be read',
        ),
        pytest.param(Evidence(Process(7, 1, None)), "the kubelet's command line was overwritten", id='no command line'),
        pytest.param(
            Evidence(Process(7, 1, None), launch=Launch('k3s', Unknown('hidden'), '')), 'hidden', id='unknown launch'
        ),
        pytest.param(
            Evidence(Process(7, 1, ()), launch=Launch('k3s', (), '', doubt=Unknown('there may be more'))),
            'there may be more',
            id='flags of a program that contains the kubelet',
        ),
        pytest.param(
            evidence_of('--dynamic-config-dir=/d'), 'this check does not support --dynamic-config-dir', id='a source'
        ),
    ],
)
def test_what_could_not_be_read_is_not_known(evidence: Evidence, why: str) -> None:
    found = upgrade(evidence, 23 if 'dynamic' in why else 33, 37)
    assert found.unknown is not None
    assert why in found.unknown.reason
    assert found.outcome is (BLOCKED if found.blockers else UNKNOWN)


def test_a_flag_that_may_take_a_value_is_read_both_ways() -> None:
    evidence = evidence_of('--new-flag', '--cloud-config=c')
    assert upgrade(evidence, 33, 34).outcome is UNKNOWN
    assert upgrade(evidence, 33, 34).unknown == FLAG_MAY_TAKE_A_VALUE
    assert upgrade(evidence_of('--new-flag', '--cloud-config=c', '--cloud-config=c'), 33, 34).outcome is BLOCKED


@pytest.mark.parametrize(
    ('evidence', 'known', 'outcome'),
    [
        pytest.param(evidence_of(config='', uses_cgroup_v1=None), {}, UNKNOWN, id='not shown'),
        pytest.param(evidence_of(config='', uses_cgroup_v1=None), {'cgroup_version': 2}, STARTS, id='given: v2'),
        pytest.param(evidence_of(config='', uses_cgroup_v1=None), {'cgroup_version': 1}, BLOCKED, id='given: v1'),
        pytest.param(evidence_of(config='', uses_cgroup_v1=True), {'cgroup_version': 2}, BLOCKED, id='shown counts'),
        pytest.param(
            evidence_of(config='failCgroupV1: false\n', uses_cgroup_v1=None), {}, STARTS, id='allowed on either'
        ),
    ],
)
def test_the_cgroup_version_decides_from_1_35_on(evidence: Evidence, known: dict[str, int], outcome: Outcome) -> None:
    assert upgrade(evidence, 34, 34).outcome is STARTS
    found = upgrade(evidence, 34, 35, **known)
    assert found.outcome is outcome
    if outcome is UNKNOWN:
        assert found.unknown == CGROUPS_NOT_KNOWN
        assert upgrade(as_image(evidence), 34, 35).unknown == replace(CGROUPS_NOT_KNOWN, remedy=SET_CGROUPS)


LIMITED = 'memorySwap: {swapBehavior: LimitedSwap}\n'


@pytest.mark.parametrize(
    ('config', 'today', 'target', 'uses_cgroup_v1', 'outcome'),
    [
        pytest.param(f'{LIMITED}featureGates: {{NodeSwap: true}}\n', 29, 30, True, BLOCKED, id='1.30 refuses it on v1'),
        pytest.param(f'{LIMITED}featureGates: {{NodeSwap: true}}\n', 29, 36, True, BLOCKED, id='1.36 too'),
        pytest.param(LIMITED, 33, 34, True, STARTS, id='a kubelet that runs with it'),
        pytest.param(f'{LIMITED}featureGates: {{NodeSwap: true}}\n', 28, 29, True, STARTS, id='1.29 accepts it'),
        pytest.param(LIMITED, 33, 34, False, STARTS, id='v2'),
        pytest.param(LIMITED, 33, 34, None, UNKNOWN, id='not known'),
        pytest.param('memorySwap: {swapBehavior: NoSwap}\n', 33, 34, True, STARTS, id='no swap'),
    ],
)
def test_limited_swap_needs_cgroup_v2(
    config: str, today: int, target: int, uses_cgroup_v1: bool | None, outcome: Outcome
) -> None:
    """server.go: "swap feature is enabled and LimitedSwap but it is only supported with cgroupv2"."""
    assert upgrade(evidence_of(config=config, uses_cgroup_v1=uses_cgroup_v1), today, target).outcome is outcome


def test_a_release_that_is_not_known_leaves_out_what_depends_on_it() -> None:
    kubelet = kubelet_of(evidence_of('--pod-infra-container-image=p', config=''), range(28, 38))
    found, _ = upgrade_of(kubelet, Target(35))
    assert (found.outcome, found.today) == (BLOCKED, '')
    assert any('the release of the kubelet is not known' in note for note in found.notes)


@pytest.mark.parametrize(
    ('target', 'note'),
    [
        pytest.param(33, 'the kubelet already is of release 1.33', id='the same'),
        pytest.param(31, 'the kubelet is of release 1.33, so 1.31 would be a downgrade', id='older'),
        pytest.param(34, None, id='newer'),
    ],
)
def test_a_target_that_is_not_newer_is_answered_and_said(target: int, note: str | None) -> None:
    found = upgrade(evidence_of(config=''), 33, target)
    assert (found.outcome, found.notes) == (STARTS, (note,) if note else ())


def test_a_downgrade_names_what_the_older_release_does_not_have_yet() -> None:
    found = upgrade(evidence_of('--fail-cgroupv1=false', config='featureGates: {CRIListStreaming: true}\n'), 36, 30)
    assert named(found.blockers) == {
        '--fail-cgroupv1': 'Kubernetes 1.31 introduced this flag',
        'featureGates.CRIListStreaming': 'Kubernetes 1.36 introduced this feature gate',
    }


def test_a_file_that_the_kubelet_needs_and_that_is_gone_stops_it() -> None:
    evidence = evidence_of(config='authentication: {x509: {clientCAFile: /ca.crt}}\n')
    found = upgrade(replace(evidence, broken={'/ca.crt': 'does not exist'}), 33, 34)
    assert named(found.blockers) == {'/ca.crt': 'authentication.x509.clientCAFile: does not exist'}


def test_the_place_of_a_flag_shows_its_file_and_not_its_value() -> None:
    flag = '--storage-driver-password=secret'
    evidence = evidence_of(flag, places={flag: Place('/etc/default/kubelet', 2)})
    (blocker,) = upgrade(evidence, 36, 37).blockers
    assert (blocker.what, blocker.place) == ('--storage-driver-password', '/etc/default/kubelet:2')
    assert 'secret' not in blocker.why


def test_a_kubelet_without_a_config_file_has_its_flags_judged() -> None:
    kubelet: Kubelet = kubelet_of(evidence_of('--container-log-max-files=1'), 32)
    assert named(upgrade_of(kubelet, Target(33))[0].blockers) == {'containerLogMaxFiles': 'must be at least 2'}


def test_a_file_of_the_evidence_is_read_by_the_rules_of_the_target() -> None:
    """JSON is decoded like YAML, and the place is the line in the file."""
    evidence = evidence_of(config='')
    data = b'{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",\n "runOnce": true}'
    evidence = replace(evidence, config=File('/k/c.yaml', data, 500.0))
    (blocker,) = upgrade(evidence, 31, 32).blockers
    assert blocker.place == '/k/c.yaml:2'
