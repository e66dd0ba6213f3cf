# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Upgrades between releases whose real kubelets were recorded with the same launch, and of every known kind of node."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.cli import main
from datadog_checks.kubelet_compliance.kubelet.feature_gates import FIRST_KNOWN, LAST_KNOWN
from datadog_checks.kubelet_compliance.kubelet.upgrade import upgrade_of
from datadog_checks.kubelet_compliance.model import Evidence, Outcome, Target, Upgrade
from tests.support.captured_nodes import NAMES, expected, lay_out_node
from tests.support.cases import CASES, MORE_CASES, Case, case_of, rows_of
from tests.support.nodes import made_up_host, read_evidence
from tests.support.upgrades import AN_HOUR, as_image, kubelet_of
from tests.system.test_recordings import NOT_READ

pytestmark = pytest.mark.same_for_every_user

RECORDED = (30, 33, 36)
NO_API_SERVER = 'without --kubeconfig'
"""The recordings end when a kubelet has logged its configuration. These kubelets exit soon after that."""


def upgrades_of(row: dict[str, Any]) -> Iterator[tuple[Case, Case]]:
    """The upgrades from a release that ran with a launch: what it ran with, and the answer of the newer one."""
    answers = {minor: row['kubelet'][f'1.{minor}'] for minor in RECORDED if f'1.{minor}' in row['kubelet']}
    for today, ran in answers.items():
        for target, answer in answers.items():
            if target > today and ran['started']:
                yield case_of(row, ran, today), case_of(row, answer, target)


VARYING_UPGRADES = tuple(pair for row in rows_of('varying.jsonl') for pair in upgrades_of(dict(row)))


def evidence_of_case(case: Case, tmp_path: Path) -> Evidence:
    folder = tmp_path / 'kubelet'
    folder.mkdir()
    case.lay_out(folder)
    host, process = made_up_host(tmp_path, case.arguments(folder), folder)
    evidence = read_evidence(host, process)
    return replace(evidence, age_seconds=AN_HOUR, process=replace(process, uses_cgroup_v1=False))


def upgrade(case: Case, target: int, tmp_path: Path) -> Upgrade:
    return upgrade_of(kubelet_of(evidence_of_case(case, tmp_path), case.minor), Target(target))[0]


def name_of(case: Case) -> str:
    return f'{case.id.encode("ascii", "backslashreplace").decode()}-1.{case.minor}'


def is_about(path: str, changes: set[str]) -> bool:
    return any(f'{path}.'.startswith(f'{change}.') or f'{change}.'.startswith(f'{path}.') for change in changes)


def test_there_are_upgrades_of_every_kind() -> None:
    assert len(VARYING_UPGRADES) > 140
    assert {then.effective is None for _, then in VARYING_UPGRADES} == {True, False}


@pytest.mark.parametrize(('now', 'then'), VARYING_UPGRADES, ids=name_of)
def test_what_a_newer_kubelet_answered_is_foretold(now: Case, then: Case, tmp_path: Path) -> None:
    found = upgrade(now, then.minor, tmp_path)
    if then.effective is None:
        assert found.outcome is Outcome.BLOCKED
        return
    doubts = [*(blocker.why for blocker in found.blockers), *([found.unknown.reason] if found.unknown else [])]
    assert all(NO_API_SERVER in why for why in doubts)
    assert now.effective is not None
    changed = {path for path, value in now.effective.items() if then.effective.get(path) != value}
    named = {change.what for change in found.changes}
    assert {path for path in changed if not is_about(path, named)} == set()


@pytest.mark.parametrize(('now', 'then'), [pair for pair in VARYING_UPGRADES if pair[1].effective is None], ids=name_of)
def test_the_reason_is_a_word_of_the_launch(now: Case, then: Case, tmp_path: Path) -> None:
    """Each blocker is a flag, a field, a gate, or a file that the launch has, or a default that a gate of it rules."""
    found = upgrade(now, then.minor, tmp_path)
    given = ' '.join((*now.argv, *map(str, now.files.items())))
    for blocker in found.blockers:
        last = blocker.what.rpartition('.')[2].rpartition('/')[2].partition(':')[0].lstrip('-').lower()
        assert last.replace('-', '') in given.replace('-', '').lower() or 'which is off' in blocker.why


SAME = tuple(case for case in (*CASES, *MORE_CASES) if case.minor == RECORDED[-1])
"""Launches that 1.33 (1.34 for the first file) and 1.36 answer alike."""


@pytest.mark.slow
@pytest.mark.parametrize('case', [case for case in SAME if case.effective is not None], ids=name_of)
def test_what_both_releases_run_with_is_not_blocked(case: Case, tmp_path: Path) -> None:
    found = upgrade(replace(case, minor=34), 36, tmp_path)
    assert found.outcome is (Outcome.UNKNOWN if case.id in NOT_READ else Outcome.STARTS)


UNREAD = {'n-deep-042', 'n-deep-d-038', 'n-json-d-085', 'n-which-054'}
"""Launches whose files exceed a bound of this check."""


@pytest.mark.slow
@pytest.mark.parametrize('case', [case for case in SAME if case.effective is None], ids=name_of)
def test_an_image_with_what_a_release_refused_is_blocked(case: Case, tmp_path: Path) -> None:
    image = as_image(evidence_of_case(case, tmp_path))
    found, _ = upgrade_of(kubelet_of(image, 36), Target(36))
    assert found.outcome is (Outcome.UNKNOWN if case.id in UNREAD else Outcome.BLOCKED)


@pytest.fixture(scope='module')
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp('nodes')
    return cache(lambda name: lay_out_node(name, folder / name))


def answers(node: Path, target: int, options: list[str], capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    status = main(['--node', str(node), '--json', '--for-version', f'1.{target}', *options])
    shown = json.loads(capsys.readouterr().out)
    assert status == shown['exit_status']
    return [kubelet['upgrade'] for kubelet in shown['kubelets']]


@pytest.mark.parametrize('name', NAMES)
def test_every_node_has_an_answer_for_every_release(
    name: str, laid_out: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    options = expected(name)['options']
    for target in range(FIRST_KNOWN, LAST_KNOWN + 1):
        for found in answers(laid_out(name), target, options, capsys):
            assert (found['outcome'] == 'blocked') == bool(found['blockers'])
            assert (found['outcome'] == 'unknown') <= bool(found['unknown'])
            assert all(item['remedy'] for item in found['blockers'])


@pytest.mark.parametrize(
    ('name', 'target', 'outcome', 'part'),
    [
        pytest.param('kubeadm', 35, 'blocked', '/var/lib/kubelet/kubeadm-flags.env:1', id='kubeadm: the pause image'),
        pytest.param('kubeadm', 34, 'starts', '', id='kubeadm: the last release with the flag'),
        pytest.param('gke', 34, 'starts', '', id='GKE: a flag of its own build'),
        pytest.param('kops', 34, 'blocked', 'Before the upgrade, remove --register-schedulable', id='kOps: its flag'),
        pytest.param('eks-al2', 27, 'blocked', 'set --cloud-provider=external', id='EKS: the in-tree provider'),
        pytest.param('rke2', 37, 'unknown', 'the distribution may pass --containerd itself', id='RKE2: its own flag'),
        pytest.param('talos', 37, 'starts', '', id='Talos'),
        pytest.param('k3s-server', 35, 'unknown', 'the flags that k3s adds', id='k3s: flags that are not shown'),
        pytest.param('openshift', 35, 'unknown', 'the MachineConfig of its pool', id='OpenShift: a generated unit'),
    ],
)
def test_the_answer_for_a_kind_of_node(
    name: str,
    target: int,
    outcome: str,
    part: str,
    laid_out: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (found,) = answers(laid_out(name), target, expected(name)['options'], capsys)
    assert found['outcome'] == outcome
    assert part in json.dumps(found)
