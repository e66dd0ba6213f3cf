# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Whether a restart is pending, compared with the /configz responses of real kubelets for the same launch."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.api.configz import parse_configz
from datadog_checks.kubelet_compliance.collection.kubelets import Kubelet, setting_of
from datadog_checks.kubelet_compliance.kubelet.declare import every_reading
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.pending import restart_pending
from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION
from datadog_checks.kubelet_compliance.model import Evidence, File, Process, Unknown
from datadog_checks.kubelet_compliance.rules.all_rules import SETTING_RULES
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.judge import holds
from datadog_checks.kubelet_compliance.rules.resolve import NOT_ASKED
from tests.support.cases import CASES, TRUTH, Case
from tests.support.nodes import made_up_host, read_evidence
from tests.system.test_verdicts import NOT_RECORDED

BENCHMARK = BENCHMARKS['cis-1.12']
STARTED = [case for case in CASES if case.effective is not None]
RULES = [rule for rule in SETTING_RULES if rule.key not in NOT_RECORDED]
BODIES = sorted((TRUTH / 'configz').glob('*.json'))
BEFORE, START, AFTER = 900.0, 1000.0, 1100.0


def body_of(effective: dict[str, Any], folder: Path) -> bytes:
    """The /configz response of a kubelet that runs with this, without the zero values that Go omits."""
    config: dict[str, Any] = {}
    for path, value in effective.items():
        *parents, name = path.split('.')
        spec, inside = KUBELET_CONFIGURATION, config
        if path.startswith('--'):
            continue
        for parent in (*parents, name):
            assert spec.fields is not None
            spec = spec.fields[parent]
        if value or spec.nullable:
            for parent in parents:
                inside = inside.setdefault(parent, {})
            inside[name] = value
    return json.dumps({'kubeletconfig': config}).replace('{dir}', str(folder)).encode()


def pending(evidence: Evidence, running: Configuration | Unknown, minors: frozenset[int]) -> bool | None:
    readings = every_reading(evidence, minors)
    started = readings[0] if readings[0].changed is None else None
    kubelet = Kubelet(evidence, (), readings, running, started=started)

    settings = [setting_of(kubelet, rule, partial(holds, rule, benchmark=BENCHMARK)) for rule in RULES]
    return restart_pending(evidence.process, readings, settings, running)


@pytest.mark.parametrize('case', STARTED, ids=lambda case: case.id)
def test_no_restart_is_pending_for_the_launch_that_made_an_answer(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / 'kubelet'
    folder.mkdir()
    case.lay_out(folder)
    assert case.effective is not None
    # Where the recorded kubelets kept their self-signed certificates.
    arguments = (f'--cert-dir={folder}/.cert', *case.arguments(folder))
    evidence = read_evidence(*made_up_host(tmp_path, arguments, folder))
    running = parse_configz(body_of(case.effective, folder))
    assert pending(evidence, running, frozenset({case.minor})) is False


@pytest.mark.parametrize('path', BODIES, ids=lambda path: path.stem)
@pytest.mark.parametrize('changed_at, change, is_pending', [
    pytest.param(BEFORE, None, False, id='nothing changed'),
    pytest.param(AFTER, None, False, id='only the times did'),
    pytest.param(AFTER, ('clusterDomain', 'other.local'), True, id='a field that no rule looks at'),
    pytest.param(AFTER, ('maxPods', 7), True, id='a number'),
    pytest.param(AFTER, ('featureGates', {'AllAlpha': True}), True, id='a mapping'),
    pytest.param(AFTER, ('enableSystemLogQuery', None), False, id='a field without a default that is shown as zero'),
    pytest.param(AFTER, ('readOnlyPort', 0), None, id='zero, which is what is there or not'),
])  # fmt: skip
def test_a_restart_is_pending_only_where_the_files_say_other_than_what_runs(
    path: Path, changed_at: float, change: tuple[str, object] | None, is_pending: bool | None
) -> None:
    body = path.read_bytes()
    config = json.loads(body)['kubeletconfig'] | {
        'apiVersion': 'kubelet.config.k8s.io/v1beta1',
        'kind': 'KubeletConfiguration',
        # Empty, so the response omits it.
        'enforceNodeAllocatable': [],
    }
    if change is not None:
        expected = config.get(change[0]) != change[1] if is_pending is None else is_pending
        expected = expected and bool(config.get(change[0]) or change[1])
        config[change[0]] = change[1]
    else:
        expected = bool(is_pending)
    file = File('/c.yaml', json.dumps(config).encode(), changed_at)
    evidence = Evidence(Process(1, 1, (), START), file, age_seconds=3600.0)
    minor = int(path.stem.split('.')[1].split('-')[0])
    assert pending(evidence, parse_configz(body), frozenset({minor})) is expected


def test_without_configz_files_that_changed_leave_a_restart_pending() -> None:
    file = File('/c.yaml', b'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n', AFTER)
    evidence = Evidence(Process(1, 1, (), START), file)
    assert pending(evidence, NOT_ASKED, frozenset({36})) is True
    older = replace(evidence, config=replace(file, changed_at=BEFORE))
    assert pending(older, NOT_ASKED, frozenset({36})) is False
