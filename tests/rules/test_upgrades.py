# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The upgrade of a kubelet with the rules that it affects, and what to do about each item, on the node as it is."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from datadog_checks.kubelet_compliance.model import (
    Evidence,
    Home,
    KubeletReport,
    Origin,
    Outcome,
    Place,
    Process,
    Source,
    Target,
    Unknown,
    Upgrade,
    UpgradeItem,
)
from datadog_checks.kubelet_compliance.reporting.upgrade_rows import upgrade_message
from datadog_checks.kubelet_compliance.rules.distributions import DISTRIBUTIONS
from datadog_checks.kubelet_compliance.rules.selection import select
from datadog_checks.kubelet_compliance.rules.upgrades import (
    NOT_EXAMINED,
    TargetError,
    judged_upgrade,
    parse_target,
    worst_upgrade,
)
from tests.kubelet.test_refusals import EVIDENCE, MINORS, WORDS, with_words
from tests.support.nodes import HEAD
from tests.support.upgrades import evidence_of, kubelet_of

pytestmark = pytest.mark.same_for_every_user

SELECTION = select(None, None)
HOME = Home(apply='restart it', flags='the unit', file='/k/c.yaml')
PAUSE = '--pod-infra-container-image=p'


def upgrade(evidence: Evidence, today: int | set[int], target: int, home: Home = HOME) -> Upgrade:
    return judged_upgrade(kubelet_of(evidence, today), Target(target), SELECTION, home)


def item(found: Upgrade, what: str) -> UpgradeItem:
    return next(each for each in (*found.blockers, *found.ignored, *found.changes) if each.what == what)


@pytest.mark.parametrize(
    ('version', 'minor'),
    [('1.37', 37), ('v1.30.4', 30), (' 1.25 ', 25), ('v1.31.4-eks-a1b2', 31), (1.37, 37), (None, None)],
)
def test_a_target_is_a_release_of_the_tables(version: str | float | None, minor: int | None) -> None:
    target = parse_target(version)
    assert (target.minor if target is not None else None) == minor


@pytest.mark.parametrize('version', ['1.38', '1.24', '1.99', '2.0', 'latest', '', '1', '1.', '1.3x', 1.3, 1.4, 137.0])
def test_any_other_target_is_refused_with_what_is_known(version: str | float) -> None:
    with pytest.raises(TargetError, match='this check knows Kubernetes 1.25 to 1.37'):
        parse_target(version)


def test_a_version_without_quotes_that_yaml_shortens_is_refused_with_the_reason() -> None:
    """YAML reads 1.30 as 1.3."""
    with pytest.raises(TargetError, match='write the version in quotes'):
        parse_target(1.30)


REMEDIES = [
    pytest.param(
        evidence_of(PAUSE, places={PAUSE: Place('/etc/default/kubelet', 2)}), 34, 35, '--pod-infra-container-image',
        'Before the upgrade, remove --pod-infra-container-image from /etc/default/kubelet:2, then restart it; '
        'set the sandbox image in the container runtime',
        id='a flag without effect goes first',
    ),
    pytest.param(
        evidence_of(PAUSE), 29, 35, '--pod-infra-container-image',
        'With the upgrade, remove --pod-infra-container-image from the unit; '
        'set the sandbox image in the container runtime',
        id='the same flag while it has an effect',
    ),
    pytest.param(
        evidence_of('--register-schedulable=false'), 33, 34, '--register-schedulable',
        'With the upgrade, remove --register-schedulable from the unit; '
        'set registerWithTaints to node.kubernetes.io/unschedulable:NoSchedule',
        id='a flag with an effect goes with the upgrade, with what replaces it',
    ),
    pytest.param(
        evidence_of('--register-schedulable=true'), 33, 34, '--register-schedulable',
        'Before the upgrade, remove --register-schedulable from the unit, then restart it',
        id='a flag at its default, which nothing replaces',
    ),
    pytest.param(
        evidence_of('--network-plugin=cni', '--container-runtime=remote'), 23, 25, '--network-plugin',
        'Before the upgrade, remove --network-plugin from the unit, then restart it',
        id='a flag of dockershim on a node with a CRI runtime',
    ),
    pytest.param(
        evidence_of('--network-plugin=cni'), 23, 25, '--network-plugin',
        'With the upgrade, remove --network-plugin from the unit; '
        'Kubernetes 1.24 removed dockershim, so move the node to a CRI runtime',
        id='a flag of dockershim on a node with dockershim',
    ),
    pytest.param(
        evidence_of('--cloud-provider=aws'), 26, 27, '--cloud-provider',
        'With the upgrade, set --cloud-provider=external, and run the cloud controller manager of the provider '
        '(the unit)',
        id='a built-in provider',
    ),
    pytest.param(
        evidence_of('--topology-manager-policy-options=a=b,c'), 30, 31, '--topology-manager-policy-options',
        'Before the upgrade, correct --topology-manager-policy-options in the unit, then restart it',
        id='a value that is read in another way',
    ),
    pytest.param(
        evidence_of(config='featureGates: {AppArmor: true}\n'), 32, 33, 'featureGates.AppArmor',
        'Before the upgrade, remove AppArmor from featureGates in /k/c.yaml:3 (its default is the same), '
        'then restart it',
        id='a gate at its default goes first',
    ),
    pytest.param(
        evidence_of('--feature-gates=NodeSwap=false'), 33, 34, 'featureGates.NodeSwap',
        'With the upgrade, remove NodeSwap from --feature-gates in the unit; the feature is then always on',
        id='a gate that turns a feature off',
    ),
    pytest.param(
        evidence_of(config='featureGates: {DynamicResourceAllocation: false, DRAPrioritizedList: true}\n'),
        34, 35, 'featureGates.DRAPrioritizedList',
        'Change DynamicResourceAllocation as described for it, which resolves this as well',
        id='a gate that needs another, which cannot stay off',
    ),
    pytest.param(
        evidence_of(config='featureGates: {GracefulNodeShutdown: false}\n'),
        34, 35, 'featureGates.GracefulNodeShutdownBasedOnPodPriority',
        'Before the upgrade, set GracefulNodeShutdownBasedOnPodPriority to false, or GracefulNodeShutdown to true, '
        'in featureGates in /k/c.yaml:3',
        id='a gate that needs another',
    ),
    pytest.param(
        evidence_of(config='featureGates: {ResourceHealthStatus: false}\n'),
        33, 36, 'featureGates.ResourceHealthStatusMessage',
        'Before the upgrade, set ResourceHealthStatus to true, or with it, set ResourceHealthStatusMessage to false, '
        'in featureGates in /k/c.yaml:3',
        id='a gate that today does not have yet is set with the upgrade',
    ),
    pytest.param(
        evidence_of(config='featureGates: {AllBeta: false, AppArmor: true}\n'), 29, 36, 'featureGates.AppArmor',
        'With the upgrade, remove AppArmor from featureGates in /k/c.yaml:3',
        id='a gate that differs from its default because of AllBeta',
    ),
    pytest.param(
        evidence_of(config='showHiddenMetricsForVersion: "1.32"\n'), 33, 34, 'showHiddenMetricsForVersion',
        'Before the upgrade, remove showHiddenMetricsForVersion from /k/c.yaml:3, then restart it',
        id='a value that no two releases share',
    ),
    pytest.param(
        evidence_of(config='memorySwap: {swapBehavior: UnlimitedSwap}\nfeatureGates: {NodeSwap: true}\n'),
        29, 30, 'memorySwap.swapBehavior', 'With the upgrade, correct memorySwap.swapBehavior in /k/c.yaml:3',
        id='values that today does not accept yet',
    ),
    pytest.param(
        evidence_of(
            config='memorySwap: {swapBehavior: LimitedSwap}\nfeatureGates: {NodeSwap: true}\n', uses_cgroup_v1=True
        ),
        29, 30, 'memorySwap.swapBehavior',
        'move the node to cgroup v2, or remove memorySwap.swapBehavior from /k/c.yaml:3',
        id='cgroup v1: swap',
    ),
    pytest.param(
        evidence_of(config='runOnce: true\n'), 31, 32, 'runOnce',
        'Before the upgrade, correct runOnce in /k/c.yaml:3, then restart it', id='a field',
    ),
    pytest.param(
        evidence_of(config='', uses_cgroup_v1=True), 34, 35, 'failCgroupV1',
        'move the node to cgroup v2, or as long as Kubernetes supports cgroup v1, '
        'set failCgroupV1: false in /k/c.yaml',
        id='cgroup v1: the default',
    ),
    pytest.param(
        evidence_of('--fail-cgroupv1=true', config='', uses_cgroup_v1=True), 30, 35, 'failCgroupV1',
        'move the node to cgroup v2, or as long as Kubernetes supports cgroup v1, '
        'set --fail-cgroupv1=false in the unit',
        id='cgroup v1: the flag',
    ),
    pytest.param(
        evidence_of(config='', drop_ins={'1.conf': 'kind: KubeletConfiguration\n'}), 31, 32, '/k/d/1.conf',
        'Before the upgrade, correct /k/d/1.conf, then restart it', id='a file',
    ),
]  # fmt: skip


@pytest.mark.parametrize(('evidence', 'today', 'target', 'what', 'remedy'), REMEDIES)
def test_a_remedy_says_when_and_where(evidence: Evidence, today: int, target: int, what: str, remedy: str) -> None:
    assert item(upgrade(evidence, today, target), what).remedy == remedy


def test_a_change_of_a_rewritten_file_is_made_where_it_lasts() -> None:
    home = replace(HOME, is_rewritten=True, file='the pool', flags='the MachineConfig', lasting='the image')
    evidence = evidence_of('--cloud-config=c', config='runOnce: true\n', places={'--cloud-config=c': Place('/u', 1)})
    found = upgrade(evidence, 31, 34, home)
    assert item(found, 'runOnce').remedy == (
        'Before the upgrade, correct runOnce in the pool, then restart it. To make it last, also change the image'
    )
    assert 'the MachineConfig' in item(found, '--cloud-config').remedy


def test_a_flag_that_the_distribution_may_pass_itself_is_not_known() -> None:
    home = replace(HOME, passes_own_flags=True)
    found = upgrade(evidence_of(PAUSE), 34, 35, home)
    assert (found.outcome, found.blockers) == (Outcome.UNKNOWN, ())
    assert [each.what for each in found.to_verify] == ['--pod-infra-container-image']
    placed = upgrade(evidence_of(PAUSE, places={PAUSE: Place('/etc/rancher/k3s/config.yaml', 3)}), 34, 35, home)
    assert placed.outcome is Outcome.BLOCKED
    assert upgrade(evidence_of(PAUSE, config='runOnce: true\n'), 31, 35, home).outcome is Outcome.BLOCKED
    assert upgrade(evidence_of('--not-a-flag=1'), 34, 35, home).outcome is Outcome.STARTS


def test_these_distributions_pass_flags_of_their_own() -> None:
    assert {row.name for row in DISTRIBUTIONS if row.passes_own_flags} == {
        'k3s', 'RKE2', 'MicroShift', 'k0s', 'Talos', 'OpenShift', 'Bottlerocket',
    }  # fmt: skip


def test_a_default_that_changes_is_shown_with_both_values_and_what_it_means() -> None:
    changes = {each.what: each.why for each in upgrade(evidence_of(config=''), 34, 35).changes}
    assert changes == {
        'failCgroupV1': (
            'changes from false to true, because the releases have different defaults. '
            'It matters only on a node with cgroup v1'
        ),
        'imagePullCredentialsVerificationPolicy': (
            'not set before the upgrade, NeverVerifyPreloadedImages after it, '
            'because the releases have different defaults. '
            'A pod can use an image that another pod pulled only if it has credentials for it'
        ),
    }


@pytest.mark.parametrize(
    ('evidence', 'today', 'target', 'what', 'why'),
    [
        pytest.param(
            evidence_of(config='failCgroupV1: true\n'), 30, 31, 'failCgroupV1',
            'changes from false to true, because Kubernetes 1.31 introduced this field; earlier releases ignore it',
            id='a field that today ignores',
        ),
        pytest.param(
            evidence_of(config='', drop_ins={'1.conf': f'{HEAD}EventRecordQPS: 7\n'}), 33, 31, 'eventRecordQPS',
            'changes from 50 to 7, because the releases merge drop-ins in different ways',
            id='a drop-in in the older form',
        ),
        pytest.param(
            evidence_of(config=''), 26, 27, 'eventRecordQPS',
            'changes from 5 to 50, because the releases have different defaults', id='a default',
        ),
        pytest.param(
            evidence_of(config='', drop_ins={'1.conf': f'{HEAD}EventRecordQPS: 7\n'}), 31, 33, 'eventRecordQPS',
            'changes from 7 to 50, because the kubelet would ignore the value that is set', id='a value that is lost',
        ),
    ],
)  # fmt: skip
def test_a_value_that_changes_is_named(evidence: Evidence, today: int, target: int, what: str, why: str) -> None:
    assert item(upgrade(evidence, today, target), what).why.startswith(why)


def test_a_rule_that_gets_worse_is_a_loss_and_one_that_gets_better_is_a_change() -> None:
    text = f'{HEAD}authorization: {{mode: AlwaysAllow}}\n'.replace('authorization', 'Authorization')
    evidence = evidence_of(config='', drop_ins={'1.conf': text})
    newer = upgrade(evidence, 30, 33)
    older = upgrade(evidence, 33, 30)
    assert newer.outcome is Outcome.STARTS
    assert item(newer, 'authorization_mode').why.startswith('changes from non-compliant to compliant: ')
    assert older.outcome is Outcome.STARTS_WITH_LOSSES
    assert item(older, 'authorization_mode').why.startswith('changes from compliant to non-compliant: ')
    assert item(older, 'authorization_mode').is_worse


def test_a_rule_that_cannot_be_known_today_and_is_broken_then_counts_as_worse() -> None:
    text = f'{HEAD}Authorization: {{mode: AlwaysAllow}}\n'
    found = upgrade(evidence_of(config='', drop_ins={'1.conf': text}), {30, 33}, 30)
    assert item(found, 'authorization_mode').why.startswith('changes from unknown to non-compliant: ')
    assert found.outcome is Outcome.STARTS_WITH_LOSSES


@settings(max_examples=100, deadline=None)
@given(EVIDENCE, st.lists(WORDS, max_size=4), st.sets(MINORS, min_size=1, max_size=3), MINORS, st.booleans())
def test_every_upgrade_has_remedies_and_places(
    evidence: Evidence, words: list[str], today: set[int], minor: int, is_managed: bool
) -> None:
    home = Home(is_rewritten=is_managed, passes_own_flags=is_managed, lasting='the image' if is_managed else '')
    found = upgrade(with_words(evidence, words), today, minor, home)
    assert all(each.remedy and '\n' not in each.remedy for each in (*found.blockers, *found.ignored))
    assert (found.outcome is Outcome.UNKNOWN) <= (found.unknown is not None)
    assert len(upgrade_message(found)) >= len(found.target)


def test_the_worst_of_the_kubelets_counts_for_the_node() -> None:
    starts, unknown = Upgrade('1.37'), Upgrade('1.37', unknown=Unknown('why'))
    blocked = upgrade(evidence_of(PAUSE), 34, 35)

    def report(found: Upgrade | None) -> KubeletReport:
        return KubeletReport(Process(7, 1, ()), (), upgrade=found)

    assert worst_upgrade([report(starts), report(blocked), report(unknown)], Target(35)) is blocked
    assert worst_upgrade([report(starts), report(unknown)], Target(37)) is unknown
    assert worst_upgrade([report(starts), report(None)], Target(37)) == Upgrade('1.37', unknown=NOT_EXAMINED)
    assert worst_upgrade([report(None)], None) is None
    assert worst_upgrade([], Target(37)) is None


def test_the_place_of_a_value_in_a_flag_hides_the_value() -> None:
    origin = Origin(Source.FLAG, '--x=secret in /f:1', '/f', '/f:1')
    (blocker,) = upgrade(evidence_of('--cloud-config=c'), 33, 34).blockers
    assert replace(blocker, what='y', origin=origin).place == '--x in /f:1'
