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
from datadog_checks.kubelet_compliance.kubelet.declare import every_reading
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.kubelet.pending import is_drifted, is_same, restart_pending, runs_with
from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION
from datadog_checks.kubelet_compliance.model import (
    Declared,
    Evidence,
    File,
    Launch,
    Origin,
    Process,
    Setting,
    Source,
    Unknown,
    Value,
)
from datadog_checks.kubelet_compliance.rules.all_rules import SETTING_RULES
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.judge import holds
from datadog_checks.kubelet_compliance.rules.resolve import NOT_ASKED
from datadog_checks.kubelet_compliance.rules.settings import setting_of
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


@pytest.mark.slow
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


RUNNING: dict[str, Any] = json.loads(BODIES[-1].read_bytes())['kubeletconfig']
MINOR = frozenset({int(BODIES[-1].stem.split('.')[1].split('-')[0])})
LAUNCH = Launch('k3s', (), '/k')
PKI = '/var/lib/kubelet/pki'


def answered(change: dict[str, Any]) -> Configuration:
    return parse_configz(json.dumps({'kubeletconfig': {**RUNNING, **change}}).encode())


def declared_as_it_runs(**more: Any) -> Declared:
    """What a kubelet declares whose file says all that it runs with."""
    return replace(Declared(dict(answered({}).values), {}, changed='/c.yaml', minors=MINOR), **more)


@pytest.mark.parametrize(
    'declared, change, expected',
    [
        pytest.param(declared_as_it_runs(), {}, True, id='all is as declared'),
        pytest.param(declared_as_it_runs(), {'clusterDomain': 'other'}, False, id='a field is not'),
        pytest.param(declared_as_it_runs(unknown=Unknown('not read')), {}, False, id='what is declared is not known'),
        pytest.param(
            declared_as_it_runs(launch=replace(LAUNCH, doubt=Unknown('it passes more'))), {}, False, id='in doubt'
        ),
        pytest.param(declared_as_it_runs(launch=LAUNCH), {}, True, id='another program, without doubt'),
        pytest.param(
            declared_as_it_runs(), {'tlsCertFile': f'{PKI}/kubelet.crt', 'tlsPrivateKeyFile': f'{PKI}/kubelet.key'},
            True, id='with the pair that it made itself',
        ),
        pytest.param(declared_as_it_runs(), {'tlsCertFile': '/a.crt'}, False, id='with a pair of another name'),
        pytest.param(declared_as_it_runs(), {'clusterDomain': '/kubelet.crt'}, False, id='in a field of another kind'),
    ],
)  # fmt: skip
def test_what_runs_is_as_declared_only_where_all_fields_are(
    declared: Declared, change: dict[str, Any], expected: bool
) -> None:
    if 'tlsCertFile' in change:
        values = {**declared.values, 'tlsCertFile': '', 'tlsPrivateKeyFile': ''}
        declared = replace(declared, values=values)
    assert runs_with(declared, answered(change)) is expected


def test_a_pair_that_is_declared_is_not_the_one_that_the_kubelet_made_itself() -> None:
    declared = declared_as_it_runs()
    other = replace(declared, values={**declared.values, 'tlsCertFile': '/a.crt', 'tlsPrivateKeyFile': '/a.key'})
    assert not runs_with(other, answered({'tlsCertFile': f'{PKI}/kubelet.crt'}))


def test_what_runs_is_as_declared_only_where_it_was_asked_for() -> None:
    assert not runs_with(declared_as_it_runs(), NOT_ASKED)


FROM_FILE, FROM_DEFAULT = Origin(Source.CONFIG_FILE, '/c.yaml:3', '/c.yaml'), Origin(Source.DEFAULT, 'default')
DOUBT = Unknown('k3s passes more')


@pytest.mark.parametrize(
    'declared, running, more, expected',
    [
        pytest.param(5, 5, {}, False, id='the same'),
        pytest.param(5, 6, {}, True, id='another number'),
        pytest.param(5, 6, {'origin': None}, True, id='another number, the place is not known'),
        pytest.param(5, 6, {'origin': FROM_DEFAULT}, False, id='the default of another release'),
        pytest.param(5, 6, {'origin': FROM_DEFAULT, 'changed': '/c.yaml'}, True, id='the default, after a change'),
        pytest.param(True, False, {'origin': FROM_DEFAULT}, True, id='a switch is the same in all releases'),
        pytest.param('a', 'b', {'origin': FROM_DEFAULT}, True, id='text is the same in all releases'),
        pytest.param(5, 6, {'doubt': DOUBT}, False, id='what may be overruled'),
        pytest.param(5, 6, {'doubt': DOUBT, 'is_explicit': True}, True, id='what the next start passes in any case'),
        pytest.param(Unknown('not read'), 6, {}, False, id='what is declared is not known'),
        pytest.param(5, NOT_ASKED, {}, False, id='what runs is not known'),
    ],
)
def test_a_setting_has_drifted_where_what_runs_is_known_to_differ(
    declared: Any, running: Any, more: dict[str, Any], expected: bool
) -> None:
    def pair(value: Any) -> Any:
        return value if isinstance(value, Unknown) else (('same', 'x'), ('f', value))

    setting = Setting(pair(declared), FROM_FILE, pair(running))
    assert is_drifted(replace(setting, **more)) is expected


def test_all_values_of_a_setting_are_compared() -> None:
    values = (('a', 1), ('b', 2))
    for declared, running in ((values, values[:1]), (values[:1], values)):
        with pytest.raises(ValueError):
            is_drifted(Setting(declared, FROM_FILE, running))


@pytest.mark.parametrize(
    'declared, running, expected',
    [
        ('a', 'a', True),
        ('/a', '/a', True),
        ('a', '/k/a', True),
        ('./a', '/k/a', True),
        ('a/b', '/k/a/b', True),
        ('a', '/k/ba', False),
        ('/a', '/k/a', False),
        ('/a', '/k//a', False),
        ('a', 'b', False),
        ('', 'a', False),
        ('a', None, False),
        (None, '', True),
        ((), None, True),
        ({}, (), True),
        (0, None, False),
        (False, None, False),
        (('a',), ('a',), True),
        (('a',), ('b',), False),
    ],
)
def test_a_relative_path_is_shown_absolute_and_nothing_is_shown_as_nothing(
    declared: Value, running: Value, expected: bool
) -> None:
    assert is_same(declared, running) is expected


@pytest.mark.parametrize(
    'started_at, running, expected',
    [
        (START, NOT_ASKED, False),
        (None, NOT_ASKED, None),
        (None, (('f', 5),), False),
        (None, (('f', 6),), True),
    ],
    ids=['the start is known', 'nothing is known', 'what runs is known', 'what runs is something else'],
)
def test_nothing_is_pending_only_where_the_start_or_all_that_runs_is_known(
    started_at: float | None, running: Any, expected: bool | None
) -> None:
    setting = Setting((('f', 5),), FROM_FILE, running)
    process = Process(1, 1, (), started_at)
    assert restart_pending(process, [Declared({}, {})], [setting], NOT_ASKED) is expected
    # Where nothing is declared that can be believed, it is not known.
    unknown = None if expected is False else expected
    assert restart_pending(process, [Declared({}, {}, DOUBT)], [setting], NOT_ASKED) is unknown
    in_doubt = Declared({}, {}, launch=replace(LAUNCH, doubt=DOUBT))
    assert restart_pending(process, [in_doubt], [setting], NOT_ASKED) is unknown
    assert restart_pending(process, [Declared({}, {}), in_doubt], [setting], NOT_ASKED) is unknown


def test_what_one_release_reads_otherwise_is_pending_for_neither() -> None:
    behind, same = Declared({'maxPods': 7}, {}, changed='/c.yaml'), Declared({}, {})
    process = Process(1, 1, (), START)
    assert restart_pending(process, [behind], [], NOT_ASKED) is True
    assert restart_pending(process, [behind, same], [], NOT_ASKED) is None
    assert restart_pending(process, [same, same], [], NOT_ASKED) is False
