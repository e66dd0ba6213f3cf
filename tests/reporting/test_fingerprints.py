# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from dataclasses import replace

import pytest

from datadog_checks.kubelet_compliance.model import KubeletReport, NodeReport, Place, Process
from datadog_checks.kubelet_compliance.reporting.fingerprints import (
    fingerprints_of,
    subject_of,
    subjects_of_kubelets,
)
from datadog_checks.kubelet_compliance.reporting.output import NotEvaluated, Output
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS

pytestmark = pytest.mark.same_for_every_user


def output_of(*kubelets: tuple[int, str, str], name: str = '', image: str | None = None) -> Output:
    """A node with kubelets, each by its process ID, its own name, and its unit."""
    reports = [KubeletReport(Process(pid, 1, (), unit=unit), (), name=own) for pid, own, unit in kubelets]
    return Output(NodeReport(len(reports)), reports, BENCHMARKS['cis-1.24'], False, name=name, image=image)


def test_a_fingerprint_changes_with_the_rule_the_file_and_the_subject_but_not_with_the_line() -> None:
    def print_of(rule: str, path: str, line: int, subject: str = '') -> str:
        return fingerprints_of(rule, Place(path, line), subject)['kubeletRule/v1']

    assert print_of('a', '/x', 3) == print_of('a', '/x', 9) == 'ac478b63d547b65b'
    others = {print_of('b', '/x', 3), print_of('a', '/y', 3), print_of('a', '/x', 3, 'n'), print_of('a', '/x', 3, 'm')}
    assert len(others | {print_of('a', '/x', 3)}) == 5
    assert fingerprints_of('a', Place('/\udcff\ud800', 0))['primaryLocationLineHash'].endswith(':1')


def test_the_hash_of_a_line_is_left_to_the_upload() -> None:
    assert 'primaryLocationLineHash' not in fingerprints_of('a', Place('/x', 3), 'n')
    prints = [fingerprints_of('a', Place('/x', 0), subject)['primaryLocationLineHash'] for subject in ('n', 'm')]
    assert len(set(prints)) == 2


@pytest.mark.parametrize(
    'node',
    [
        pytest.param(output_of((7, 'k', ''), name='tmp.x1'), id='a captured node'),
        pytest.param(output_of((7, 'k', ''), image='/tmp/x1'), id='an image'),
        pytest.param(output_of(image='/tmp/x1'), id='an image without a kubelet'),
        pytest.param(NotEvaluated('tmp.x1', 'why', '/tmp/x1'), id='a node that could not be evaluated'),
    ],
)
def test_a_single_node_is_named_by_nothing_of_the_machine_that_runs_the_command(node: Output | NotEvaluated) -> None:
    assert subject_of(node, are_many=False) == ''
    if isinstance(node, Output) and node.kubelets:
        assert subjects_of_kubelets(node, are_many=False) == ['']


def test_one_of_several_nodes_has_its_name() -> None:
    assert subject_of(NotEvaluated('n1', 'why'), are_many=True) == 'n1'
    assert subjects_of_kubelets(output_of((7, 'k', ''), name='n1'), are_many=True) == ['n1']


@pytest.mark.parametrize(
    'own',
    [
        pytest.param([('a', ''), ('b', '')], id='with names'),
        pytest.param([('a', ''), ('a', '')], id='with the same name'),
        pytest.param([('', ''), ('', '')], id='without names'),
        pytest.param([('', ''), ('b', '')], id='one without a name'),
        pytest.param([('', 'k.service'), ('', 'k@2.service')], id='of units'),
    ],
)
@pytest.mark.parametrize('are_many', [False, True])
def test_several_kubelets_differ_and_stay_the_same_after_a_restart(own: list[tuple[str, str]], are_many: bool) -> None:
    before = output_of(*((7 + number, *each) for number, each in enumerate(own)), name='n')
    after = output_of(*((900 + number, *each) for number, each in enumerate(own)), name='n')
    subjects = subjects_of_kubelets(before, are_many=are_many)
    assert subjects == subjects_of_kubelets(after, are_many=are_many)
    assert len(set(subjects)) == len(own)
    other = subjects_of_kubelets(replace(before, name='m'), are_many=are_many)
    assert bool(set(subjects) & set(other)) is not are_many
