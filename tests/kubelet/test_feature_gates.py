# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The feature gates that a kubelet knows, which are on, and which it refuses, compared with real kubelets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.defaults import set_defaults
from datadog_checks.kubelet_compliance.kubelet.feature_gates import STAGE, gate_problems, history, is_on
from datadog_checks.kubelet_compliance.kubelet.release import ALL, Release
from datadog_checks.kubelet_compliance.kubelet.tables.gate_dependencies import NEEDS
from datadog_checks.kubelet_compliance.kubelet.tables.gates import GATES
from datadog_checks.kubelet_compliance.kubelet.tables.removed_gates import GONE_GATES
from datadog_checks.kubelet_compliance.kubelet.validation import problems
from tests.support.paths import TESTS

TRUTH = TESTS / 'truth'
FACTS: dict[str, Any] = json.loads((TRUTH / 'feature-gates.json').read_text(encoding='utf-8'))
NEWEST: dict[str, Any] = json.loads((TRUTH / 'feature-gates-1.37.json').read_text(encoding='utf-8'))
RECORDED = [
    (int(version.removeprefix('1.')), gate, answer)
    for version, gates in FACTS['recorded'].items()
    for gate, answer in gates.items()
]
# The recorded facts lack this one, because its source has another spelling: known since 1.32, see NEWEST['about'].
LEFT_OUT = 'SystemdWatchdog'

UNKNOWN_GATE = 'is not a known feature gate'


def gates(**states: bool) -> dict[str, Any]:
    return {'featureGates': states}


def refused(config: dict[str, Any], minor: int) -> set[str]:
    return {problem.field.removeprefix('featureGates.') for problem in gate_problems(config, Release(minor))}


@pytest.mark.parametrize('row', RECORDED, ids=lambda row: f'{row[1]}-1.{row[0]}')
def test_a_gate_set_to_the_opposite_is_refused_as_recorded(row: tuple[int, str, str]) -> None:
    minor, gate, answer = row
    release, configuration = Release(minor), Configuration()
    set_defaults(configuration, release, legacy=True)
    opposite = not is_on({}, gate, release)
    found = [problem.message for problem in problems(configuration.values | gates(**{gate: opposite}), release)]
    assert bool(found) is (answer != 'settable')
    assert any(message.startswith('is locked to') for message in found) is (answer == 'locked')


@pytest.mark.parametrize('minor', range(25, 38))
def test_the_gates_that_a_release_knows_are_those_of_its_sources(minor: int) -> None:
    spans = {gate: [int(end.removeprefix('1.')) for end in ends] for gate, ends in FACTS['known'].items()}
    known = (
        {gate for gate, (first, last) in spans.items() if first <= minor <= last} if minor < 37 else {*NEWEST['gates']}
    )
    all_gates = GATES.keys() | GONE_GATES.keys() | NEWEST['gates'].keys() | {'Bogus'}
    # If a gate is set to its default, the only reason to refuse it is that it is unknown.
    unknown = {
        gate
        for gate in all_gates
        if any(
            'not a known feature gate' in problem.message
            for problem in gate_problems(gates(**{gate: True}), Release(minor))
        )
    }
    assert all_gates - unknown - {LEFT_OUT} == known - {LEFT_OUT}
    assert (LEFT_OUT in unknown) is (minor < 32)


def test_the_gates_of_1_37_are_locked_as_in_its_sources() -> None:
    release = Release(37)
    locked = {gate for gate in GATES if any(LOCK in history(gate)[0][1] for LOCK in '+-')}
    assert locked == {gate for gate, (kind, _) in NEWEST['gates'].items() if kind == 'locked'}
    assert {gate: is_on({}, gate, release) for gate in NEWEST['gates']} == {
        gate: on for gate, (_, on) in NEWEST['gates'].items()
    }


def test_the_dependencies_of_1_37_are_those_of_its_sources() -> None:
    needed = {(gate, needed) for gate, all_of in NEWEST['needs'].items() for needed in all_of if needed != 'Feature'}
    assert {(gate, needed) for gate, needed, _, until in NEEDS if until is None} == needed


@pytest.mark.parametrize('minor', sorted(ALL))
def test_an_unknown_gate_is_refused_only_by_releases_in_the_tables(minor: int) -> None:
    assert refused(gates(Bogus=True), minor) == ({'Bogus'} if 25 <= minor <= 37 else set())


@pytest.mark.parametrize(
    ('states', 'minor', 'found'),
    [
        ({'TopologyManagerPolicyOptions': False}, 35, set()),
        ({'TopologyManagerPolicyOptions': False}, 36, {'TopologyManagerPolicyOptions'}),
        ({'TopologyManagerPolicyOptions': False}, 38, {'TopologyManagerPolicyOptions'}),
        ({'TopologyManagerPolicyOptions': True}, 36, set()),
        ({'SeparateCacheWatchRPC': True}, 36, {'SeparateCacheWatchRPC'}),
        ({'SeparateCacheWatchRPC': False}, 36, set()),
        ({'GracefulNodeShutdown': False}, 34, set()),
        (
            {'GracefulNodeShutdown': False},
            36,
            {'GracefulNodeShutdownBasedOnPodPriority', 'WindowsGracefulNodeShutdown'},
        ),
        ({'AllBeta': False}, 36, set()),
        ({'AllAlpha': True, 'AllBeta': True}, 36, set()),
        ({'DynamicResourceAllocation': True}, 24, set()),
    ],
)
def test_locks_and_dependencies_apply_to_their_releases(states: dict[str, bool], minor: int, found: set[str]) -> None:
    assert refused(gates(**states), minor) == found


def test_a_gate_is_on_by_itself_then_by_its_stage_then_by_default() -> None:
    beta = 'RotateKubeletServerCertificate'
    assert is_on({}, beta, Release(36)) is True
    assert is_on(gates(AllBeta=False), beta, Release(36)) is False
    assert is_on(gates(AllBeta=False, **{beta: True}), beta, Release(36)) is True
    assert is_on(gates(AllAlpha=True), 'MemoryQoS', Release(36)) is True
    assert is_on(gates(AllAlpha=True), 'NodeSwap', Release(36)) is True
    assert is_on({}, 'Bogus', Release(36)) is None
    assert is_on({}, 'TopologyManager', Release(36)) is None


def test_every_row_can_be_read() -> None:
    for gate, row in (*GATES.items(), *GONE_GATES.items()):
        stages = [STAGE.fullmatch(part) for part in row.split()]
        assert all(stages), gate
        assert [since for since, _ in history(gate)] == sorted({since for since, _ in history(gate)}, reverse=True)
    assert not GATES.keys() & GONE_GATES.keys()


@pytest.mark.parametrize('states', [None, [], 'a', {'A': 'x'}, {1: True}, {'MemoryQoS': 1}])
def test_nothing_is_raised_whatever_the_gates_are(states: object) -> None:
    assert all(problem.message for problem in gate_problems({'featureGates': states}, Release(24)))
