# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""All refusals of one release agree with the first one that `declare` stops at."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from datadog_checks.kubelet_compliance.kubelet.declare import every_reading, is_refused
from datadog_checks.kubelet_compliance.kubelet.feature_gates import FIRST_KNOWN, LAST_KNOWN
from datadog_checks.kubelet_compliance.kubelet.refusals import read_as
from datadog_checks.kubelet_compliance.kubelet.release import Release
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.kubelet.upgrade import upgrade_of
from datadog_checks.kubelet_compliance.model import Evidence, Origin, Outcome, Source, Target
from tests.support.nodes import HEAD
from tests.support.upgrades import as_image, evidence_of, kubelet_of

pytestmark = pytest.mark.same_for_every_user

MINORS = st.integers(FIRST_KNOWN, LAST_KNOWN)
LINES = (
    'maxPods: 1', 'maxPods: x', 'maxPods: null', 'runOnce: true', 'port: 70000', 'failCgroupV1: true',
    'failCgroupV1: 3',
    'featureGates: {AllAlpha: true}', 'featureGates: {NodeSwap: false}', 'featureGates: {Nobody: true}',
    'featureGates: null', 'featureGates: 1', 'enforceNodeAllocatable: [pods, pods]', 'evictionHard: {a: b}',
    'authorization: {mode: AlwaysAllow}', 'Authorization: {mode: x}', 'logging: {format: json, flushFrequency: 5s}',
    'crashLoopBackOff: {maxContainerRestartPeriod: 400s}', 'tracing: {samplingRatePerMillion: -1}',
    'tlsCipherSuites: [x]',
    'memorySwap: {swapBehavior: UnlimitedSwap}', '{', 'a: &a [*a]', '"x', 'readOnlyPort: 10250', '? x', '',
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(LINES), max_size=4).map(lambda lines: ''.join(f'{line}\n' for line in lines))
HEADS = st.sampled_from((HEAD, 'kind: KubeletConfiguration\n', 'apiVersion: v1\nkind: x\n', '', HEAD + HEAD))
WORDS = st.one_of(
    st.sampled_from([f'--{name}' for name in FLAGS]),
    st.sampled_from([f'--{name}=' for name in FLAGS]),
    st.sampled_from([f'--{name}={value}' for name in FLAGS for value in ('1', 'true', 'x', 'a=b', '1s')]),
    st.sampled_from(['--nobody', '--nobody=1', '-v', '-v=2', '-x', '--', '---', '-', 'word', '--help', '--version']),
    st.text(max_size=6),
)
EVIDENCE = st.builds(
    evidence_of,
    config=st.none() | TEXTS,
    drop_ins=st.none() | st.dictionaries(st.sampled_from(['1.conf', '2.conf']), st.builds(str.__add__, HEADS, TEXTS)),
    uses_cgroup_v1=st.sampled_from([True, False, None]),
    age=st.sampled_from([None, 1.0, 3600.0]),
    changed_at=st.sampled_from([500.0, 5000.0]),
    has_api_server=st.booleans(),
)


def with_words(evidence: Evidence, words: list[str]) -> Evidence:
    arguments = (*words, *(evidence.process.arguments or ()))
    return replace(evidence, process=replace(evidence.process, arguments=arguments))


@settings(max_examples=100, deadline=None)
@given(EVIDENCE, st.lists(WORDS, max_size=4), MINORS)
@example(evidence_of(config='featureGates: {NodeSwap: false}\n'), [], 36)
def test_an_image_that_the_target_refuses_is_never_called_not_blocked(
    evidence: Evidence, words: list[str], minor: int
) -> None:
    image = as_image(with_words(evidence, words))
    refused = [is_refused(declared) for declared in every_reading(image, {minor})]
    found, _ = upgrade_of(kubelet_of(image, {minor}), Target(minor))
    if any(refused):
        assert found.outcome in (Outcome.BLOCKED, Outcome.UNKNOWN)


@settings(max_examples=100, deadline=None)
@given(EVIDENCE, st.lists(WORDS, max_size=4), st.sets(MINORS, min_size=1, max_size=3), MINORS)
def test_an_upgrade_of_any_kubelet_has_an_answer(
    evidence: Evidence, words: list[str], today: set[int], minor: int
) -> None:
    found, declared = upgrade_of(kubelet_of(with_words(evidence, words), today), Target(minor))
    assert found.outcome in Outcome
    assert (declared is None) <= (found.outcome in (Outcome.BLOCKED, Outcome.UNKNOWN))
    for item in (*found.blockers, *found.ignored, *found.changes, *found.to_verify):
        assert item.what and item.why


@settings(max_examples=100, deadline=None)
@given(EVIDENCE, MINORS)
def test_the_refusals_of_an_image_hold_all_that_declare_objects_to(evidence: Evidence, minor: int) -> None:
    """`declare` raises the first refusal. It must be among all of them."""
    image = as_image(evidence)
    (declared,) = every_reading(image, {minor})
    (reading,) = read_as(image, Release(minor))
    assert bool(reading.refusals) >= is_refused(declared)
    if declared.unknown is None and reading.configuration is not None:
        fields = [path for path in declared.values if not path.startswith('--')]
        assert [declared.value(path) for path in fields] == [reading.configuration.get(path) for path in fields]


@pytest.mark.parametrize(
    ('flags', 'config', 'minor', 'what', 'why'),
    [
        pytest.param(('--v=x',), None, 33, '--v', 'has an invalid value (expected type: level)', id='wrong value'),
        pytest.param(('--v',), None, 33, '--v', 'needs a value', id='no value'),
        pytest.param(('-x',), None, 33, '-x', 'no known Kubernetes release has this flag', id='short flag'),
        pytest.param(('--x',), None, 33, '--x', 'no known Kubernetes release has this flag', id='one letter'),
        pytest.param(('word',), None, 33, 'command line', 'unexpected positional argument', id='positional argument'),
        pytest.param(('---',), None, 33, 'command line', 'an argument has bad flag syntax', id='syntax'),
        pytest.param(('--nobody=1',), None, 33, '--nobody', 'no known Kubernetes release', id='unknown flag'),
        pytest.param(
            ('--node-labels=kubernetes.io/x=1',), None, 33, '--node-labels', 'sets a kubernetes.io', id='a label'
        ),
        pytest.param(
            ('--config-dir=/d',), '', 28, '--config-dir', 'KUBELET_CONFIG_DROPIN_DIR_ALPHA', id='an alpha flag'
        ),
        pytest.param((), 'maxPods: x\n', 33, 'maxPods', 'is not a 32-bit integer', id='wrong type'),
        pytest.param((), '{', 33, '/k/c.yaml', 'not valid YAML', id='not YAML'),
        pytest.param((), 'port: 70000\n', 33, 'port', 'must be 1 to 65535', id='validation'),
        pytest.param((), 'qosReserved: {a: b}\n', 33, 'qosReserved', 'must contain only memory', id='startup'),
    ],
)  # fmt: skip
def test_a_refusal_names_what_and_why(
    flags: tuple[str, ...], config: str | None, minor: int, what: str, why: str
) -> None:
    readings = read_as(evidence_of(*flags, config=config, has_api_server=False), Release(minor))
    found = [refusal.why for reading in readings for refusal in reading.refusals if refusal.what == what]
    assert found
    assert why in found[0]


def test_a_default_that_needs_a_gate_has_the_place_of_the_gate() -> None:
    """The kubelet sets the gate of a flag before it reads a file, and checks the gate again after all layers."""
    gates = '--feature-gates=KubeletEnsureSecretPulledImages=false'
    evidence = evidence_of(config='featureGates: {KubeletEnsureSecretPulledImages: true}\n')
    (reading,) = read_as(with_words(evidence, [gates]), Release(36))
    (origin,) = [each.origin for each in reading.refusals if each.what == 'imagePullCredentialsVerificationPolicy']
    assert (origin, origin.source if origin else None) == (Origin(Source.FLAG, gates), Source.FLAG)


def refused(evidence: Evidence, minor: int) -> set[str]:
    (reading,) = read_as(evidence, Release(minor))
    return {refusal.what for refusal in reading.refusals}


NEEDED_OFF = 'featureGates: {ResourceHealthStatus: false}\n'
MESSAGE_OFF = 'featureGates: {ResourceHealthStatusMessage: false}\n'


@pytest.mark.parametrize(
    ('evidence', 'before', 'since', 'gate'),
    [
        pytest.param(
            evidence_of(
                config='featureGates: {AppArmor: true}\n', drop_ins={'1': f'{HEAD}featureGates: {{AppArmor: null}}\n'}
            ),
            None, 33, 'AppArmor', id='a removed gate that a drop-in takes out',
        ),
        pytest.param(
            evidence_of(
                config='featureGates: {AppArmor: true}\n', drop_ins={'1': f'{HEAD}featureGates: null\n'}
            ),
            None, 33, 'AppArmor', id='a removed gate in a map that a drop-in takes out',
        ),
        pytest.param(
            evidence_of(
                config='featureGates: {Nobody: true}\n', drop_ins={'1': f'{HEAD}featureGates: null\n'}
            ),
            None, 32, 'Nobody', id='an unknown gate: since 1.32, and by an older way of merging before',
        ),
        pytest.param(
            evidence_of(
                config='featureGates: {KubeletPSI: false}\n',
                drop_ins={'1': f'{HEAD}featureGates: {{KubeletPSI: true}}\n'},
            ),
            35, 36, 'KubeletPSI', id='a locked gate that a drop-in sets right',
        ),
        pytest.param(
            evidence_of('--feature-gates=KubeletPSI=true', config='featureGates: {KubeletPSI: false}\n'),
            35, 36, 'KubeletPSI', id='a locked gate that a flag sets right',
        ),
        pytest.param(
            evidence_of(
                '--feature-gates=PodSchedulingReadiness=true', config='featureGates: {PodSchedulingReadiness: false}\n'
            ),
            31, 32, 'PodSchedulingReadiness', id='up to 1.31, only the last layer counts',
        ),
        pytest.param(
            evidence_of(
                config=NEEDED_OFF, drop_ins={'1': HEAD + 'featureGates: {ResourceHealthStatus: true}\n'}
            ),
            35, 36, 'ResourceHealthStatusMessage', id='a gate whose needed gate only a drop-in turns on',
        ),
        pytest.param(
            evidence_of('--feature-gates=ResourceHealthStatus=false', config=MESSAGE_OFF),
            None, 36, 'ResourceHealthStatusMessage', id='a gate of the flags that only a file sets right',
        ),
    ],
)  # fmt: skip
def test_gates_of_a_layer_must_be_sound_before_later_layers_apply(
    evidence: Evidence, before: int | None, since: int, gate: str
) -> None:
    """Real kubelets of 1.33 and 1.36 panic, and one of 1.30 starts with what its last layer sets right."""
    what = f'featureGates.{gate}'
    assert what in refused(evidence, since)
    assert is_refused(every_reading(as_image(evidence), {since})[0])
    if before is not None:
        assert refused(evidence, before) == set()


@pytest.mark.parametrize(
    'evidence',
    [
        pytest.param(
            evidence_of(
                config='', drop_ins={'1': f'{HEAD}featureGates: {{Nobody: true}}\n', '2': f'{HEAD}featureGates: null\n'}
            ),
            id='drop-ins count only together',
        ),
        pytest.param(
            evidence_of('--feature-gates=ResourceHealthStatusMessage=false', config=NEEDED_OFF),
            id='the gates of the flags count with the file',
        ),
        pytest.param(
            evidence_of(config='', drop_ins={'1': HEAD + NEEDED_OFF, '2': HEAD + MESSAGE_OFF}),
            id='a pair in two drop-ins',
        ),
    ],
)  # fmt: skip
def test_layers_that_only_together_make_sound_gates_are_accepted(evidence: Evidence) -> None:
    """A real kubelet of 1.36 starts."""
    assert refused(evidence, 36) == set()


def test_a_gate_that_a_later_layer_corrects_is_shown_where_it_is_wrong() -> None:
    evidence = evidence_of('--feature-gates=KubeletPSI=true', config='featureGates: {KubeletPSI: false}\n')
    (reading,) = read_as(evidence, Release(36))
    (refusal,) = reading.refusals
    assert refusal.origin is not None
    assert refusal.origin.source is Source.CONFIG_FILE


def test_a_running_kubelet_whose_values_are_right_has_not_accepted_an_edited_file() -> None:
    evidence = evidence_of(
        '--feature-gates=KubeletPSI=true', config='featureGates: {KubeletPSI: false}\n', changed_at=5000.0
    )
    assert upgrade_of(kubelet_of(evidence, 36), Target(36))[0].outcome is Outcome.BLOCKED
