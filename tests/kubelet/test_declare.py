# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A running kubelet has accepted its configuration, which limits its possible releases and decides its rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet import declare
from datadog_checks.kubelet_compliance.kubelet.command_lines import read_command_lines
from datadog_checks.kubelet_compliance.kubelet.declare import Known, every_reading, read_configurations
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.layers import Parser, read_layers
from datadog_checks.kubelet_compliance.kubelet.release import ALL, Release
from datadog_checks.kubelet_compliance.model import (
    Declared,
    DropIns,
    Evidence,
    File,
    Launch,
    Missing,
    Process,
    Setting,
    Unknown,
    Unreadable,
    Values,
    Verdict,
)
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.judge import holds, judge
from datadog_checks.kubelet_compliance.rules.resolve import VERSION_DECIDES, agreed, resolve
from tests.support.nodes import HEAD

START = 1000.0
BEFORE, AFTER = START - 100, START + 100
YOUNG, OLD = 10.0, 60.0
RULE, BENCHMARK = RULES_BY_KEY['make_iptables_util_chains'], BENCHMARKS['cis-1.24']
COMPLIANT, NON_COMPLIANT, UNKNOWN = Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN
ON, OFF = '--make-iptables-util-chains', '--make-iptables-util-chains=false'


def evidence(*arguments: str, config: str | None = None, changed_at: float | None = BEFORE, **more: Any) -> Evidence:
    file = File('/c.yaml', (HEAD + config).encode(), changed_at) if config is not None else None
    return Evidence(Process(1, 1, arguments, START), **{'config': file, 'age_seconds': OLD, **more})


def verdict_of(seen: Evidence, minors: frozenset[int] = ALL) -> Verdict:
    readings = every_reading(seen, minors)

    def meaning(values: Values) -> bool:
        return holds(RULE, values, BENCHMARK)

    setting = agreed([resolve(declared, RULE.fields) for declared in readings], meaning, VERSION_DECIDES)
    return judge(RULE, setting, BENCHMARK).verdict


def newest(seen: Evidence) -> Declared:
    (declared,) = every_reading(seen, frozenset({36}))
    return declared


REFUSED = 'maxPods: -1\n'
"""As far as this check knows, no release starts with this."""


@pytest.mark.parametrize(
    'seen, verdict, refused, objects',
    [
        pytest.param(evidence(config=REFUSED), COMPLIANT, False, True, id='it runs with it'),
        pytest.param(
            evidence(config=f'{REFUSED}makeIPTablesUtilChains: false'), NON_COMPLIANT, False, True, id='red as well'
        ),
        pytest.param(evidence(config=REFUSED, age_seconds=YOUNG), UNKNOWN, True, False, id='it has just started'),
        pytest.param(evidence(config=REFUSED, age_seconds=59.9), UNKNOWN, True, False, id='not yet a minute ago'),
        pytest.param(evidence(config=REFUSED, age_seconds=None), UNKNOWN, True, False, id='its age is not known'),
        pytest.param(evidence(config=REFUSED, changed_at=AFTER), UNKNOWN, True, False, id='its file changed since'),
        pytest.param(evidence(config=REFUSED, changed_at=None), UNKNOWN, True, False, id='that is not known'),
        pytest.param(evidence(OFF, config=REFUSED, changed_at=AFTER), NON_COMPLIANT, True, False, id='a flag is red'),
        pytest.param(
            evidence(OFF, config=REFUSED, age_seconds=YOUNG), NON_COMPLIANT, True, False, id='a flag is red at once'
        ),
        pytest.param(
            evidence(ON, config=REFUSED, changed_at=AFTER), COMPLIANT, True, False, id='the process runs with its flag'
        ),
        pytest.param(evidence(ON, config=REFUSED, age_seconds=YOUNG), UNKNOWN, True, False, id='it may yet end'),
        pytest.param(evidence(config='maxPods: many'), UNKNOWN, False, False, id='what cannot be decoded'),
        pytest.param(evidence(OFF, config='maxPods: many'), NON_COMPLIANT, False, False, id='but for the flags'),
        pytest.param(evidence(config='maxPods: many', changed_at=AFTER), UNKNOWN, True, False, id='decoded, changed'),
        pytest.param(evidence(OFF, '--max-pods=many'), NON_COMPLIANT, False, True, id='a flag of another type'),
        pytest.param(evidence(OFF, '--max-pods=many', age_seconds=YOUNG), UNKNOWN, True, False, id='just started'),
        pytest.param(
            evidence(drop_ins=DropIns('/d', (Missing('/d/a.conf', 'gone'),), BEFORE)), UNKNOWN, True, False,
            id='a file that is gone went after the start',
        ),
        pytest.param(
            evidence(OFF, config=None, drop_ins=Unreadable('/d', 'permission denied')), NON_COMPLIANT, False, False,
            id='unreadable drop-ins',
        ),
        pytest.param(
            evidence('--dynamic-config-dir=/d', config=''), UNKNOWN, False, False, id='a source that nobody reads'
        ),
        pytest.param(
            evidence('--dynamic-config-dir=/d', OFF, config=''), NON_COMPLIANT, False, False, id='flags win over it'
        ),
        pytest.param(evidence('--dynamic-config-dir=', config=''), COMPLIANT, False, False, id='no such source'),
    ],
)  # fmt: skip
def test_what_a_kubelet_has_shown_that_it_accepts(
    seen: Evidence, verdict: Verdict, refused: bool, objects: bool
) -> None:
    assert verdict_of(seen) is verdict
    for declared in every_reading(seen, ALL):
        assert (declared.unknown is not None and declared.unknown.refused) is refused
        assert bool(declared.objections) is objects


@pytest.mark.parametrize(
    'arguments',
    [('--new', '--config=/c.yaml'), ('--config=/c.yaml', '--new', '--config-dir=/d'), ('--new', OFF), ('--new', ON)],
)
def test_an_unknown_flag_that_may_take_a_value_makes_nothing_compliant(arguments: tuple[str, ...]) -> None:
    """The names of its files are not known, so they were not read. The next flag may be the value."""
    seen = evidence(*arguments, config='' if '--new' not in arguments[:1] else None)
    green = verdict_of(seen) is COMPLIANT
    assert green is (arguments[-1] == ON), 'without the flag the default is the same'


def test_a_mapping_is_not_known_if_its_flag_could_not_be_interpreted() -> None:
    seen = evidence('--feature-gates=RotateKubeletServerCertificate=false,Bogus', config='serverTLSBootstrap: true\n')
    for declared in every_reading(seen, ALL):
        assert isinstance(resolve(declared, ('featureGates.RotateKubeletServerCertificate',)).declared, Unknown)


def test_an_unknown_gate_does_not_rule_a_release_out() -> None:
    """OpenShift's kubelet of 1.30 only warns about a gate that 1.35 introduced."""
    (drop_in, null) = (
        File(f'/d/{name}.conf', (HEAD + text).encode(), BEFORE)
        for name, text in (('1', 'makeIPTablesUtilChains: true\n'), ('2', 'makeIPTablesUtilChains: null\n'))
    )
    config = 'makeIPTablesUtilChains: false\nfeatureGates: {MutablePodResourcesForSuspendedJobs: true}\n'
    seen = evidence(
        '--config=/c.yaml', '--config-dir=/d', config=config, drop_ins=DropIns('/d', (drop_in, null), BEFORE)
    )
    assert verdict_of(seen) is UNKNOWN


@pytest.mark.parametrize(
    'ways, found',
    [
        pytest.param([{}, {}], (True, True, None, None), id='all the same'),
        pytest.param([{}, {'changed': '/c.yaml'}], (True, True, '/c.yaml', None), id='changed in one'),
        pytest.param([{}, {'doubt': VERSION_DECIDES}], (True, True, None, VERSION_DECIDES), id='in doubt in one'),
        pytest.param([{}, {'running': False}], (True, VERSION_DECIDES, None, None), id='runs otherwise in one'),
        pytest.param([{}, {'running': VERSION_DECIDES}], (True, VERSION_DECIDES, None, None), id='unknown in one'),
        pytest.param([{}, {'declared': False}], (VERSION_DECIDES, True, None, None), id='declared otherwise in one'),
    ],
)
def test_a_value_counts_only_if_all_readings_agree(ways: list[dict[str, Any]], found: tuple[Any, ...]) -> None:
    def pair(value: Any) -> Any:
        return value if isinstance(value, Unknown) else (('f', value),)

    settings = [
        Setting(pair(way.get('declared', True)), None, pair(way.get('running', True)), way.get('changed'),
                doubt=way.get('doubt'))
        for way in ways
    ]  # fmt: skip
    for order in (settings, settings[::-1]):
        setting = agreed(order, lambda values: values[0][1], VERSION_DECIDES)
        declared, running, changed, doubt = found
        assert (setting.changed, setting.doubt) == (changed, doubt)
        assert setting.running == pair(running)
        assert isinstance(setting.declared, Unknown) is isinstance(declared, Unknown)


def test_a_missing_file_of_a_running_kubelet_is_a_change() -> None:
    assert newest(evidence(config=None, drop_ins=Missing('/d', 'gone'))).changed == '/d'
    assert newest(evidence(config=None, drop_ins=Missing('/d', 'gone'), age_seconds=YOUNG)).changed is None


@pytest.mark.parametrize(
    'launch, verdict',
    [
        (Launch('MicroK8s', ('--max-pods=-1',), '/args', files=(File('/args', b'', BEFORE),)), COMPLIANT),
        (Launch('MicroK8s', ('--max-pods=-1',), '/args', files=(File('/args', b'', AFTER),)), UNKNOWN),
        (Launch('k3s', ('--max-pods=-1',), '/args', doubt=Unknown('k3s passes more')), UNKNOWN),
    ],
    ids=['its arguments are as old', 'they changed', 'they are not all known'],
)
def test_arguments_in_a_file_are_accepted_only_if_the_file_is_older(launch: Launch, verdict: Verdict) -> None:
    assert verdict_of(evidence(launch=launch)) is verdict


def test_a_setting_accepted_before_an_edit_is_not_refused_after_it() -> None:
    """A custom build accepts what upstream refuses. An edit of another line does not change that."""
    before = every_reading(evidence(config=REFUSED), ALL)
    known = frozenset(replace(each, place='') for declared in before for each in declared.objections)
    edited = evidence(config=f'clusterDomain: x\n{REFUSED}', changed_at=AFTER)
    lines = read_command_lines(edited.arguments, ALL, accepted=True)
    declared = read_configurations(edited, lines, Known(known))[0]
    assert declared.unknown is None and declared.changed == '/c.yaml'
    refused = read_configurations(edited, lines)[0]
    assert refused.unknown is not None and refused.unknown.refused
    worse = replace(edited, config=File('/c.yaml', (HEAD + 'maxPods: -1\nport: -1\n').encode(), AFTER))
    refused = read_configurations(worse, lines, Known(known))[0]
    assert refused.unknown is not None and 'port (/c.yaml:4)' in refused.unknown.reason


WEBHOOK = 'authentication: {webhook: {enabled: true}}\nauthorization: {mode: Webhook}\n'


@pytest.mark.parametrize(
    'changed_at, arguments, broken, reason',
    [
        (BEFORE, (), {}, None),
        (AFTER, (), {}, 'must not be Webhook without --kubeconfig'),
        (AFTER, ('--kubeconfig=/k',), {}, None),
        (AFTER, ('--kubeconfig=/k',), {'/k': 'does not exist'}, None),
        (AFTER, ('--kubeconfig=/k', '--client-ca-file=/ca'), {'/ca': 'does not exist'}, None),
        (AFTER, ('--authorization-mode=Webhook',), {}, 'must be false without --kubeconfig'),
    ],
    ids=[
        'what did not change is past its start', 'a change that ends the next start', 'a sound one',
        'a file of the flags was there at the start', 'the CA of a flag as well', 'by a flag it was taken before',
    ],
)  # fmt: skip
def test_startup_problems_count_only_for_changed_files(
    changed_at: float, arguments: tuple[str, ...], broken: dict[str, str], reason: str | None
) -> None:
    seen = evidence(*arguments, config=WEBHOOK, changed_at=changed_at, broken=broken)
    lines = read_command_lines(arguments, frozenset(range(25, 39)), accepted=True)
    assert all(declared.unknown is None for declared in read_configurations(seen, lines)), 'it may be nothing new'
    for declared in read_configurations(seen, lines, Known(has_seen_its_files=True)):
        assert (declared.unknown is None) is (reason is None)
        assert reason is None or declared.unknown is not None and reason in declared.unknown.reason


def test_equal_readings_are_merged() -> None:
    (declared,) = every_reading(evidence(config='makeIPTablesUtilChains: false'), frozenset(range(31, 35)))
    assert declared.minors == frozenset(range(31, 35))


@pytest.mark.parametrize(
    'config, accepted_before',
    [
        pytest.param('containerLogMaxFiles: 1', 33, id='its validation'),
        pytest.param('imageMaximumGCAge: x', 29, id='its decoder, which older releases do not apply to a later field'),
    ],
)
def test_releases_that_would_refuse_an_accepted_file_are_ruled_out(config: str, accepted_before: int) -> None:
    accepted = every_reading(evidence(config=config), ALL)
    assert {minor for declared in accepted for minor in declared.minors} == set(range(min(ALL), accepted_before))
    assert all(declared.unknown is None and not declared.objections for declared in accepted)
    just_started = every_reading(evidence(config=config, age_seconds=YOUNG), ALL)
    assert {minor for declared in just_started for minor in declared.minors} == ALL


def test_a_configuration_is_declared_once_for_each_release(monkeypatch: pytest.MonkeyPatch) -> None:
    releases = []

    def counted(seen: Evidence, flags: Flags, release: Release, parse: Parser) -> Configuration:
        releases.append(release.minor)
        return read_layers(seen, flags, release, parse)

    monkeypatch.setattr(declare, 'read_layers', counted)
    (declared,) = every_reading(evidence(config=REFUSED), {30})
    assert declared.objections and releases == [30]
