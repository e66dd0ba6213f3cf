# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A kubelet that runs has accepted its configuration: what that says of the releases it can be of, and of its rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.command_lines import read_command_lines
from datadog_checks.kubelet_compliance.kubelet.declare import Known, every_reading, read_configurations
from datadog_checks.kubelet_compliance.kubelet.release import ALL
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
"""No release starts with this, as far as this check knows."""


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
def test_what_an_unknown_flag_may_swallow_makes_nothing_green(arguments: tuple[str, ...]) -> None:
    """Its files were not read, for what they are is not known; and a flag may be its value."""
    seen = evidence(*arguments, config='' if '--new' not in arguments[:1] else None)
    green = verdict_of(seen) is COMPLIANT
    assert green is (arguments[-1] == ON), 'without the flag the default is the same'


def test_part_of_a_mapping_is_not_known_where_the_flag_that_writes_it_is_not_understood() -> None:
    seen = evidence('--feature-gates=RotateKubeletServerCertificate=false,Bogus', config='serverTLSBootstrap: true\n')
    for declared in every_reading(seen, ALL):
        assert isinstance(resolve(declared, ('featureGates.RotateKubeletServerCertificate',)).declared, Unknown)


def test_an_unknown_gate_does_not_rule_a_release_out() -> None:
    """OpenShift's kubelet of 1.30 only warns of a gate that came with 1.35."""
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
def test_what_holds_in_one_reading_only_is_not_agreed_on(ways: list[dict[str, Any]], found: tuple[Any, ...]) -> None:
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


def test_a_file_that_is_gone_is_a_change_of_one_that_has_run() -> None:
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
def test_arguments_that_stand_in_a_file_are_accepted_only_as_long_as_it_is_older(
    launch: Launch, verdict: Verdict
) -> None:
    assert verdict_of(evidence(launch=launch)) is verdict


def test_what_was_accepted_before_an_edit_is_no_reason_to_refuse_after_it() -> None:
    """A build of one's own takes what upstream refuses; the edit of another line changes nothing of that."""
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
        (AFTER, ('--kubeconfig=/k',), {'/k': 'is not there'}, None),
        (AFTER, ('--kubeconfig=/k', '--client-ca-file=/ca'), {'/ca': 'is not there'}, None),
        (AFTER, ('--authorization-mode=Webhook',), {}, 'must be false without --kubeconfig'),
    ],
    ids=[
        'what did not change is past its start', 'a change that ends the next start', 'a sound one',
        'a file of the flags was there at the start', 'the CA of a flag as well', 'by a flag it was taken before',
    ],
)  # fmt: skip
def test_what_ends_a_kubelet_on_its_way_to_serving_counts_only_for_what_changed(
    changed_at: float, arguments: tuple[str, ...], broken: dict[str, str], reason: str | None
) -> None:
    seen = evidence(*arguments, config=WEBHOOK, changed_at=changed_at, broken=broken)
    lines = read_command_lines(arguments, frozenset(range(25, 39)), accepted=True)
    assert all(declared.unknown is None for declared in read_configurations(seen, lines)), 'it may be nothing new'
    for declared in read_configurations(seen, lines, Known(has_seen_its_files=True)):
        assert (declared.unknown is None) is (reason is None)
        assert reason is None or declared.unknown is not None and reason in declared.unknown.reason


def test_equal_readings_are_one_of_all_their_releases() -> None:
    (declared,) = every_reading(evidence(config='makeIPTablesUtilChains: false'), frozenset(range(31, 35)))
    assert declared.minors == frozenset(range(31, 35))
