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
from datadog_checks.kubelet_compliance.kubelet.declare import (
    Known,
    distinct_readings,
    every_reading,
    is_refused,
    iter_needed,
    read_configurations,
)
from datadog_checks.kubelet_compliance.kubelet.decoding import DEFAULT_ORIGIN, Configuration
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.layers import Parser, read_layers
from datadog_checks.kubelet_compliance.kubelet.release import ALL, Release
from datadog_checks.kubelet_compliance.model import (
    Declared,
    DropIns,
    Evidence,
    Fault,
    File,
    Launch,
    Missing,
    Objection,
    Origin,
    Place,
    Process,
    Setting,
    Source,
    Unknown,
    Unreadable,
    Values,
    Verdict,
)
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.judge import holds, judge
from datadog_checks.kubelet_compliance.rules.resolve import FLAG_DECIDES, VERSION_DECIDES, agreed, resolve
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


def drop_ins(changed_at: float | None, folder_changed_at: float | None) -> DropIns:
    return DropIns('/d', (File('/d/a.conf', (HEAD + REFUSED).encode(), changed_at),), folder_changed_at)


BOGUS = 'featureGates: {Bogus: true}\n'
"""A gate of no release of upstream; a vendor's build may have it."""


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
        pytest.param(evidence(drop_ins=drop_ins(BEFORE, BEFORE)), COMPLIANT, False, True, id='in an old drop-in'),
        pytest.param(evidence(drop_ins=drop_ins(AFTER, BEFORE)), UNKNOWN, True, False, id='in one that changed'),
        pytest.param(evidence(drop_ins=drop_ins(None, BEFORE)), UNKNOWN, True, False, id='in one of unknown age'),
        pytest.param(evidence(drop_ins=drop_ins(BEFORE, AFTER)), UNKNOWN, True, False, id='their folder changed'),
        pytest.param(evidence(drop_ins=drop_ins(BEFORE, None)), UNKNOWN, True, False, id='a folder of unknown age'),
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
        gate = resolve(declared, ('featureGates.RotateKubeletServerCertificate',)).declared
        assert isinstance(gate, Unknown) and '--feature-gates' in gate.reason


@pytest.mark.parametrize(
    'flag, field',
    [('--register-with-taints=a=b:NoSchedule', 'registerWithTaints'), ('--vmodule=a=1', 'logging.vmodule')],
)
def test_a_field_is_unknown_if_a_flag_sets_it_in_another_form(flag: str, field: str) -> None:
    (declared,) = declare.every_reading(Evidence(Process(1, 1, (flag,))), {36})
    assert declared.undecided == {field: Unknown(f'could not interpret the value of {flag.partition("=")[0]}')}


def test_a_flag_without_a_field_has_its_value_whatever_its_type() -> None:
    arguments = ('--maximum-dead-containers=5', '--minimum-container-ttl-duration=1m', '--node-labels=a=b', '-v4')
    (declared,) = declare.every_reading(Evidence(Process(1, 1, arguments)), {36})
    assert declared.value('--maximum-dead-containers') == 5
    assert declared.value('--minimum-container-ttl-duration') == 60 * 10**9
    assert declared.value('--node-labels') == {'a': 'b'}
    assert declared.value('logging.verbosity') == 4


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
        pytest.param(
            [{}, {'declared': False, 'running': False}],
            (VERSION_DECIDES, VERSION_DECIDES, None, None),
            id='all otherwise',
        ),
        pytest.param(
            [{'changed': '/c'}, {'declared': False, 'doubt': FLAG_DECIDES}],
            (VERSION_DECIDES, True, '/c', FLAG_DECIDES),
            id='declared otherwise and changed, in doubt in one',
        ),
    ],
)
def test_a_value_counts_only_if_all_readings_agree(ways: list[dict[str, Any]], found: tuple[Any, ...]) -> None:
    def pair(value: Any) -> Any:
        return value if isinstance(value, Unknown) else (('f', value),)

    settings = [
        Setting(pair(way.get('declared', True)), DEFAULT_ORIGIN, pair(way.get('running', True)), way.get('changed'),
                doubt=way.get('doubt'))
        for way in ways
    ]  # fmt: skip
    for order in (settings, settings[::-1]):
        setting = agreed(order, lambda values: values[0][1], VERSION_DECIDES)
        declared, running, changed, doubt = found
        assert (setting.changed, setting.doubt) == (changed, doubt)
        assert setting.running == pair(running)
        assert isinstance(setting.declared, Unknown) is isinstance(declared, Unknown)
        assert (setting.origin is None) is isinstance(declared, Unknown)


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
    seen = evidence(launch=launch)
    assert verdict_of(seen) is verdict
    for declared in every_reading(seen, ALL):
        assert declared.line_accepted is (verdict is COMPLIANT)
        assert (declared.unknown is not None and declared.unknown.refused) is (verdict is UNKNOWN)


@pytest.mark.parametrize(
    'changed_at, started_at, accepted',
    [(BEFORE, START, True), (START, START, True), (AFTER, START, False), (None, START, False), (BEFORE, None, False)],
)
def test_a_line_in_a_file_is_accepted_only_where_the_file_is_known_to_be_older(
    changed_at: float | None, started_at: float | None, accepted: bool
) -> None:
    launch = Launch('MicroK8s', (ON,), '/args', files=(File('/args', b'', BEFORE), File('/more', b'', changed_at)))
    seen = replace(evidence(launch=launch), process=Process(1, 1, (), started_at))
    assert newest(seen).line_accepted is accepted
    assert newest(replace(seen, launch=replace(launch, doubt=Unknown('it passes more')))).line_accepted is False


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


OPEN = 'authentication: {webhook: {enabled: false}}\nauthorization: {mode: AlwaysAllow}\n'
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
    'shown, takes',
    [
        pytest.param({'maxPods': -1}, True, id='it runs with just that'),
        pytest.param({'maxPods': 110}, False, id='it runs with another value'),
        pytest.param({'port': -1}, False, id='another field'),
        pytest.param({}, False, id='it does not show the field'),
    ],
)
def test_what_a_kubelet_runs_with_it_takes_after_an_edit_too(shown: dict[str, Any], takes: bool) -> None:
    edited = evidence(config=REFUSED, changed_at=AFTER)
    lines = read_command_lines(edited.arguments, ALL, accepted=True)
    for declared in read_configurations(edited, lines, Known(running=Configuration(shown))):
        assert (declared.unknown is None) is takes
        assert bool(declared.objections) is takes


CA = 'authentication: {x509: {clientCAFile: /ca}}\n'
OWN_PAIR = 'tlsCertFile: /crt\ntlsPrivateKeyFile: /key\n'


@pytest.mark.parametrize(
    'config, broken, minor, age, changed_at, ends',
    [
        pytest.param(CA, '/ca', 35, YOUNG, BEFORE, True, id='it has just started and looks for its CA first'),
        pytest.param(CA, '/ca', 36, YOUNG, BEFORE, False, id='since 1.36 it looks later'),
        pytest.param(CA, '/ca', 35, OLD, BEFORE, False, id='it has run for a minute'),
        pytest.param(CA, '/ca', 35, YOUNG, AFTER, False, id='its file is newer than its start'),
        pytest.param(CA, '/other', 35, YOUNG, BEFORE, False, id='the CA is there'),
        pytest.param(OWN_PAIR, '/crt', 35, YOUNG, BEFORE, False, id='other files it looks for later'),
    ],
)
def test_a_missing_ca_ends_a_kubelet_that_has_just_started(
    config: str, broken: str, minor: int, age: float, changed_at: float, ends: bool
) -> None:
    seen = evidence(config=config, age_seconds=age, changed_at=changed_at, broken={broken: 'is not there'})
    (declared,) = every_reading(seen, {minor})
    assert (declared.unknown is not None and declared.unknown.refused) is ends
    if declared.unknown is not None:
        assert 'authentication.x509.clientCAFile: /ca is not there' in declared.unknown.reason


K3S = Launch('k3s', (OFF,), '/k')
IN_FILE = Place('/etc/k.env', 3, 'ARGS')


@pytest.mark.parametrize(
    'flags, places, launch, origin',
    [
        pytest.param((OFF,), {}, None, (OFF,), id='where it stands is not known'),
        pytest.param((OFF,), {'--v=2': Place('/e', 1)}, None, (OFF,), id='only where another one stands'),
        pytest.param(
            (OFF,), {OFF: IN_FILE}, None,
            (f'{OFF} in /etc/k.env:3 (ARGS)', '/etc/k.env', '/etc/k.env:3 (ARGS)', 3), id='in a variable',
        ),
        pytest.param(
            (OFF,), {OFF: Place('/a: b/k.env', 3, 'A')}, None,
            (f'{OFF} in /a: b/k.env:3 (A)', '/a: b/k.env', '/a: b/k.env:3 (A)', 3), id='in a path with a space',
        ),
        pytest.param(
            (OFF,), {}, replace(K3S, places={OFF: Place('/k', 2)}), (f'{OFF} in /k:2', '/k', '/k:2', 2),
            id='in the file of k3s',
        ),
        pytest.param(
            (OFF,), {}, replace(K3S, places={OFF: Place('/k', 0)}), (f'{OFF} in /k', '/k', '/k', 0),
            id='in a file whose lines are not known',
        ),
        pytest.param((OFF,), {OFF: IN_FILE}, K3S, (f'{OFF} in k3s',), id='in k3s, which knows no place'),
    ],
)  # fmt: skip
def test_a_flag_is_named_with_the_file_and_line_that_it_stands_in(
    flags: tuple[str, ...], places: dict[str, Place], launch: Launch | None, origin: tuple[str, str, str, int]
) -> None:
    seen = evidence(*flags, config='maxPods: 5\n', places=places, launch=launch)
    origins = newest(seen).origins
    assert origins['makeIPTablesUtilChains'] == Origin(Source.FLAG, *origin)
    assert origins['maxPods'] == Origin(Source.CONFIG_FILE, '/c.yaml:3', '/c.yaml', line=3)


@pytest.mark.parametrize('arguments, key', [
    (('--hostname-override', 'n 1'), '--hostname-override'),
    (('--hostname-override=n 1',), '--hostname-override=n 1'),
])  # fmt: skip
def test_a_flag_and_its_value_that_are_two_words_are_found_by_the_first(arguments: tuple[str, ...], key: str) -> None:
    origin = newest(evidence(*arguments, places={key: Place('/e', 1)})).origins['--hostname-override']
    assert (origin.path, origin.where) == ('/e', '/e:1')
    assert origin.place == f'{" ".join(arguments)} in /e:1'


@pytest.mark.parametrize(
    'process, config, refused',
    [
        pytest.param(Process(1, 1, (), unit='kubelet.service'), WEBHOOK, True, id='a machine that does not run'),
        pytest.param(Process(1, 1, ()), WEBHOOK, False, id='a process that runs'),
        pytest.param(Process(1, 1, (), unit='kubelet.service'), OPEN, False, id='nothing ends it'),
    ],
)
def test_of_a_machine_that_does_not_run_all_is_new(process: Process, config: str, refused: bool) -> None:
    declared = newest(replace(evidence(config=config, age_seconds=None), process=process))
    assert (declared.unknown is not None and declared.unknown.refused) is refused


def test_a_release_that_refuses_what_runs_is_ruled_out() -> None:
    (declared,) = every_reading(evidence(config='runOnce: true\n'), {31, 32})
    assert (declared.unknown, declared.minors) == (None, frozenset({31}))


@pytest.mark.parametrize(
    'seen, refused, places',
    [
        pytest.param(
            evidence('--max-pods=-1', config='', changed_at=AFTER), False, [''], id='the flag of one that ran'
        ),
        pytest.param(evidence('--max-pods=-1', config='', age_seconds=YOUNG), True, [], id='of one that may yet end'),
        pytest.param(evidence(config=REFUSED), False, [' (/c.yaml:3)'], id='a file that it ran with'),
        pytest.param(evidence(config=BOGUS), False, [' (/c.yaml:3)'], id='a gate that only a build of its own has'),
        pytest.param(evidence(config=BOGUS, changed_at=AFTER), True, [], id='such a gate in a file that changed'),
        pytest.param(evidence(config=BOGUS, age_seconds=YOUNG), True, [], id='such a gate at its start'),
    ],
)
def test_what_is_not_refused_is_noted_with_its_place(seen: Evidence, refused: bool, places: list[str]) -> None:
    declared = newest(seen)
    assert (declared.unknown is not None and declared.unknown.refused) is refused
    assert [objection.place for objection in declared.objections] == places


def test_what_would_end_a_kubelet_on_its_way_is_noted_of_one_that_is_past_it() -> None:
    declared = newest(evidence('--root-dir=a', config=WEBHOOK))
    assert {(each.path, each.place) for each in declared.passed} == {
        ('authorization.mode', ' (/c.yaml:4)'),
        ('authentication.webhook.enabled', ' (/c.yaml:3)'),
        ('--root-dir', ''),
    }


@pytest.mark.parametrize('mode, refused', [('Webhook', False), ('AlwaysAllow', True)])
def test_what_a_kubelet_runs_with_did_not_end_it(mode: str, refused: bool) -> None:
    edited = evidence(config=WEBHOOK, changed_at=AFTER)
    lines = read_command_lines(edited.arguments, {36}, accepted=True)
    running = Configuration({'authorization': {'mode': mode}, 'authentication': {'webhook': {'enabled': True}}})
    (declared,) = read_configurations(edited, lines, Known(running=running))
    assert (declared.unknown is not None and declared.unknown.refused) is refused


@pytest.mark.parametrize('minor, refused', [(35, True), (36, False)])
def test_what_ends_a_kubelet_on_its_way_depends_on_its_release(minor: int, refused: bool) -> None:
    seen = replace(evidence(config=f'{OPEN}tlsCertFile: /a\n'), process=Process(1, 1, (), unit='kubelet.service'))
    (declared,) = every_reading(seen, {minor})
    assert (declared.unknown is not None and declared.unknown.refused) is refused


DROP_INS = DropIns('/d', (), BEFORE)


@pytest.mark.parametrize(
    'seen, says',
    [
        pytest.param(evidence('--config=/c.yaml', config=''), (), id='its file was read'),
        pytest.param(evidence('--config-dir=/d', drop_ins=DROP_INS), (), id='its drop-ins were read'),
        pytest.param(evidence('--config=/c.yaml', '--config-dir=/d', config='', drop_ins=DROP_INS), (), id='both'),
        pytest.param(evidence('--config=/c.yaml'), ('/c.yaml', 'unknown'), id='its file was not'),
        pytest.param(evidence('--config-dir=/d', config=''), ('/d', 'unknown'), id='its drop-ins were not'),
        pytest.param(evidence('--v=2', '--config=/c.yaml', '--config-dir=/d', config=''), ('/d',), id='the last one'),
        pytest.param(
            evidence('--v=2', '--dynamic-config-dir=/y', config=''), ('/y', '--dynamic-config-dir'), id='after others'
        ),
        pytest.param(evidence('--config=', '--config-dir='), (), id='none is named'),
    ],
)
def test_each_source_that_a_flag_names_has_to_be_read(seen: Evidence, says: tuple[str, ...]) -> None:
    unknown = newest(seen).unknown
    assert (unknown is None) is (says == ())
    if unknown is not None:
        assert f' {says[0]}: ' in unknown.reason and not unknown.refused
        assert all(text in unknown.reason for text in says)


def test_equal_readings_are_those_of_the_release_that_objects_to_the_least() -> None:
    objects = Declared({'a': 1}, {}, objections=(Objection('a', 'b'),), minors=frozenset({30, 31}))
    plain, other = Declared({'a': 1}, {}, minors=frozenset({32})), Declared({'a': 2}, {}, minors=frozenset({33}))
    for readings in ((objects, other, plain), (plain, other, objects)):
        first, second = distinct_readings(readings)
        assert (first.values, first.objections, first.minors) == ({'a': 1}, (), frozenset({30, 31, 32}))
        assert second is other


SWALLOWS = '--log-cadvisor-usage'


@pytest.mark.parametrize(
    'arguments, config, value, says',
    [
        pytest.param((SWALLOWS, OFF), None, False, '', id='read once, it takes no value'),
        pytest.param((SWALLOWS, OFF), '', True, '', id='read over a file, it takes the next flag'),
        pytest.param((SWALLOWS,), None, True, '', id='read once, it is whole'),
        pytest.param((SWALLOWS,), '', None, SWALLOWS, id='read over a file, it lacks a value'),
        pytest.param(('x',), None, None, 'argument', id='refused at once'),
        pytest.param(('x', SWALLOWS), '', None, 'argument', id='refused at once, before the file'),
    ],
)
def test_a_command_line_is_read_again_over_the_files(
    arguments: tuple[str, ...], config: str | None, value: bool | None, says: str
) -> None:
    launch = Launch('k3s', arguments, '/k')
    seen = evidence(config=config, age_seconds=YOUNG, launch=launch)
    declared = newest(seen)
    assert declared.value('makeIPTablesUtilChains') is value
    if value is None:
        assert declared == Declared({}, {}, declared.unknown, flags_known=False, launch=launch)
        assert declared.flags_known is False
        assert declared.unknown is not None and says in declared.unknown.reason


def test_what_could_not_be_read_says_what_to_change() -> None:
    unread = Unreadable('/c.yaml', 'permission denied', 'mount it', fault=Fault.FILES_NOT_MOUNTED)
    unknown = newest(replace(evidence(), config=unread)).unknown
    assert unknown is not None
    assert (unknown.remedy, unknown.fault, unknown.refused) == ('mount it', Fault.FILES_NOT_MOUNTED, False)
    assert all(text in unknown.reason for text in ('/c.yaml', 'permission denied'))


def test_a_flag_that_is_not_understood_is_noted_of_a_kubelet_that_took_it() -> None:
    (objection,) = newest(evidence('--max-pods=many')).objections
    assert (objection.path, objection.place) == ('', '')
    assert '--max-pods' in objection.why


FILES = f'{CA}{OWN_PAIR}'
ASKS = f'{FILES}serverTLSBootstrap: true\n'


@pytest.mark.parametrize(
    'seen, minors, is_first_start, needed',
    [
        pytest.param(evidence(config=FILES, changed_at=AFTER), {35}, False, ['/ca', '/crt', '/key'], id='changed'),
        pytest.param(
            evidence(config=ASKS, changed_at=AFTER), {35}, False, ['/ca', '/crt', '/key'], id='asks, up to 1.35'
        ),
        pytest.param(evidence(config=ASKS, changed_at=AFTER), {36}, False, ['/ca'], id='asks for a certificate'),
        pytest.param(evidence(config=ASKS, age_seconds=YOUNG), {35}, False, ['/ca'], id='asks, and has just started'),
        pytest.param(evidence(config=FILES), {35}, True, ['/ca', '/crt', '/key'], id='its first start'),
        pytest.param(evidence(config=FILES), {35}, False, [], id='it has run with them for long'),
        pytest.param(evidence(config=FILES, age_seconds=YOUNG), {35}, False, ['/ca'], id='it looks for its CA first'),
        pytest.param(evidence(config=FILES, age_seconds=YOUNG), {36}, False, [], id='since 1.36 it does not'),
        pytest.param(evidence(config=FILES, age_seconds=YOUNG), {34, 35}, False, [], id='one of two releases'),
        pytest.param(
            evidence(config='maxPods: many', changed_at=AFTER), {35}, True, [], id='what it names is not known'
        ),
        pytest.param(
            evidence('x', config=FILES, changed_at=AFTER, age_seconds=YOUNG), {35}, True, [], id='no flag is known'
        ),
        pytest.param(
            evidence('--kubeconfig=/k', config=CA, changed_at=AFTER), {35}, False, ['/ca', '/k'], id='one of a flag'
        ),
    ],
)
def test_the_files_that_a_next_start_must_find(
    seen: Evidence, minors: set[int], is_first_start: bool, needed: list[str]
) -> None:
    lines = read_command_lines(seen.arguments, minors, accepted=seen.age_seconds == OLD)
    readings = read_configurations(seen, lines)
    found = list(iter_needed(readings, lines, is_first_start=is_first_start))
    assert [file.path for file in found] == needed
    if not is_first_start:
        assert list(iter_needed(readings, lines)) == found


def test_of_two_readings_each_names_its_files() -> None:
    first, second = (Declared({'tlsCertFile': f'/{name}', 'tlsPrivateKeyFile': '/k'}, {}, changed='/c.yaml',
                              minors=frozenset({minor})) for name, minor in (('a', 35), ('b', 36)))  # fmt: skip
    refused = replace(first, unknown=Unknown('not read'))
    lines = read_command_lines((), {35, 36}, accepted=True)
    assert [file.path for file in iter_needed([first, refused, second], lines)] == ['/a', '/k', '/b', '/k']


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


@pytest.mark.parametrize(
    'unknown, expected', [(None, False), (Unknown('not read'), False), (Unknown('it would end', refused=True), True)]
)
def test_a_reading_is_refused_only_if_the_kubelet_would_refuse_it(unknown: Unknown | None, expected: bool) -> None:
    assert is_refused(Declared({}, {}, unknown)) is expected


def test_a_command_line_that_is_refused_is_a_reading_that_is_refused() -> None:
    seen = evidence('x', age_seconds=YOUNG)
    (line,) = read_command_lines(seen.arguments, {36}, accepted=False)
    reading = declare.declare(seen, line, Release(36), known=Known(), parse=parse_document, accepted=False)
    assert reading.is_refused is True
