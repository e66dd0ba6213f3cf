# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.decoding import DEFAULT_ORIGIN, Configuration
from datadog_checks.kubelet_compliance.kubelet.formats.go import Duration
from datadog_checks.kubelet_compliance.model import (
    Declared,
    DropIns,
    Evidence,
    Fault,
    File,
    FileAspect,
    FileSet,
    FileStatus,
    Launch,
    Missing,
    Origin,
    Process,
    Setting,
    Source,
    Unknown,
    Unreadable,
    Value,
    Verdict,
)
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.judge import holds, judge
from datadog_checks.kubelet_compliance.rules.resolve import (
    NO_FILE,
    NOT_ASKED,
    SELF_MADE_OR_NOT,
    resolve,
    resolve_files,
    running_values,
)
from tests.support.cases import CASES, Case
from tests.support.nodes import HEAD, declare, made_up_host, read_evidence

FIELD = 'makeIPTablesUtilChains'
START = 1_000_000.0

RULE, BENCHMARK = RULES_BY_KEY['make_iptables_util_chains'], BENCHMARKS['cis-1.24']


def spelled(value: Value) -> Any:
    """A value as the recordings spell it."""
    if isinstance(value, Duration):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def is_empty(value: Any) -> bool:
    return value in (None, False, 0, '', [], {})


@pytest.mark.slow
@pytest.mark.parametrize('case', CASES, ids=lambda case: case.id)
def test_declared_configuration_is_what_the_recorded_kubelet_ran_with(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / 'kubelet'
    folder.mkdir()
    case.lay_out(folder)
    declared = declare(read_evidence(*made_up_host(tmp_path, case.arguments(folder), folder)), case.minor)
    if case.effective is None:
        assert declared.unknown is not None
        assert {origin.source for origin in declared.origins.values()} <= {Source.FLAG}
        return
    assert declared.unknown is None
    for field, expected in case.effective.items():
        value = spelled(declared.value(field))
        expected = expected.replace('{dir}', str(folder)) if isinstance(expected, str) else expected
        if field in ('tlsCertFile', 'tlsPrivateKeyFile') and str(expected).startswith(f'{folder}/.cert/'):
            expected = None  # The pair that the kubelet made itself is nothing that was declared.
        assert value == expected or is_empty(value) and is_empty(expected), field


def test_the_recordings_are_all_there() -> None:
    assert len(CASES) == 597
    assert sum(case.effective is None for case in CASES) == 158
    assert len({case.id for case in CASES}) == 597


def evidence(
    *arguments: str,
    config: str | Missing | Unreadable | None = None,
    drop_ins: dict[str, str] | Missing | Unreadable | None = None,
    changed_at: float = START - 100,
) -> Evidence:
    process = Process(1, 1, arguments, START)
    if isinstance(config, str):
        config = File('/c.yaml', (HEAD + config).encode(), changed_at)  # type: ignore[assignment]
    if isinstance(drop_ins, dict):
        files = tuple(File(path, (HEAD + text).encode(), changed_at) for path, text in drop_ins.items())
        drop_ins = DropIns('/d', files, changed_at)  # type: ignore[assignment]
    return Evidence(process, config, drop_ins)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    'seen, value, source, place',
    [
        pytest.param(evidence(), True, Source.DEFAULT, 'default', id='nothing says anything'),
        pytest.param(evidence(config=''), True, Source.DEFAULT, 'default', id='a file that leaves it out'),
        pytest.param(
            evidence(config='maxPods: 5\nmakeIPTablesUtilChains: false\n'),
            False,
            Source.CONFIG_FILE,
            '/c.yaml:4',
            id='the file',
        ),
        pytest.param(evidence(config=f'{FIELD}: null\n'), True, Source.DEFAULT, 'default', id='null in the file'),
        pytest.param(
            evidence(
                config=f'{FIELD}: true\n',
                drop_ins={'/d/10-site.conf': 'a: 1\nmakeIPTablesUtilChains: off\n'},
            ),
            False,
            Source.DROP_IN,
            '/d/10-site.conf:4',
            id='a drop-in over the file',
        ),
        pytest.param(
            evidence(config=f'{FIELD}: false\n', drop_ins={'/d/a.conf': 'maxPods: 7\n'}),
            False,
            Source.CONFIG_FILE,
            '/c.yaml:3',
            id='the file, where the drop-in leaves it out',
        ),
        pytest.param(
            evidence(config=f'{FIELD}: false\n', drop_ins={'/d/a.conf': f'{FIELD}: null\n'}),
            True,
            Source.DEFAULT,
            'default',
            id='null in a drop-in puts the default back',
        ),
        pytest.param(
            evidence(drop_ins={'/d/a.conf': f'{FIELD}: true\n', '/d/b.conf': 'makeiptablesutilchains: n\n'}),
            False,
            Source.DROP_IN,
            '/d/b.conf:3',
            id='the last drop-in, in whatever case',
        ),
        pytest.param(
            evidence('--make-iptables-util-chains=false', config=f'{FIELD}: true\n'),
            False,
            Source.FLAG,
            '--make-iptables-util-chains=false',
            id='a flag over the file',
        ),
        pytest.param(
            evidence('--config', '/c.yaml', '--make_iptables_util_chains', config=f'{FIELD}: false\n'),
            True,
            Source.FLAG,
            '--make_iptables_util_chains',
            id='a bare flag as it was typed',
        ),
    ],
)
def test_a_value_is_named_with_the_place_that_decides(seen: Evidence, value: bool, source: Source, place: str) -> None:
    setting = resolve(declare(seen), (FIELD,))
    assert setting.declared == ((FIELD, value),)
    assert setting.origin is not None
    assert (setting.origin.source, setting.origin.place) == (source, place)


def test_a_flag_swallowed_by_a_library_flag_does_not_beat_the_file() -> None:
    """With a file the kubelet parses its arguments twice, and the second time --log-cadvisor-usage takes a value."""
    arguments = ('--log-cadvisor-usage', '--make-iptables-util-chains=true')
    assert resolve(declare(evidence(*arguments)), (FIELD,)).declared == ((FIELD, True),)
    with_file = declare(evidence(*arguments, config=f'{FIELD}: false\n'))
    assert resolve(with_file, (FIELD,)).declared == ((FIELD, False),)


SECRET = 'hunter2'


NOT_FOUND = 'no such file or directory'
NO_PERMISSION = 'permission denied'
WOULD_REFUSE = 'the kubelet would refuse'


@pytest.mark.parametrize(
    'seen, reason',
    [
        (evidence('--bogus=hunter2'), "could not interpret the kubelet's command line: unknown kubelet flag --bogus"),
        (
            evidence('--max-pods=hunter2'),
            f'{WOULD_REFUSE} its command line: --max-pods has an invalid value (expected type: int32)',
        ),
        (evidence('hunter2'), f'{WOULD_REFUSE} its command line: unexpected positional argument'),
        (evidence(config='maxPods: hunter2'), f'{WOULD_REFUSE} /c.yaml: maxPods (/c.yaml:3) is not a 32-bit integer'),
        (evidence(config='clusterDNS: hunter2'), f'{WOULD_REFUSE} /c.yaml: clusterDNS (/c.yaml:3) is not a list'),
        (evidence(config='maxPods: -1'), f'{WOULD_REFUSE} its configuration: maxPods (/c.yaml:3): '),
        (evidence(config='kind: hunter2'), f'{WOULD_REFUSE} /c.yaml: kind is not KubeletConfiguration'),
        (evidence(config='a: [hunter2\n'), f'{WOULD_REFUSE} /c.yaml: line 4: not valid YAML'),
        (evidence(config=Missing('/c.yaml', NOT_FOUND)), f'{WOULD_REFUSE} to start: /c.yaml: {NOT_FOUND}'),
        (evidence(drop_ins=Missing('/d', NOT_FOUND)), f'{WOULD_REFUSE} to start: --config-dir /d: {NOT_FOUND}'),
        (evidence(drop_ins={'/d/a.conf': 'x: 1\nx: hunter2'}), f'{WOULD_REFUSE} /d/a.conf:4: duplicate key'),
        (evidence(drop_ins={'/d/a.conf': 'port: hunter2'}), f'{WOULD_REFUSE} its drop-ins: port (/d/a.conf:3)'),
        (evidence(config='x: 1\n' * 30_000), 'could not read /c.yaml: it has more than 20000 values'),
        (evidence(config=Unreadable('/c.yaml', NO_PERMISSION)), f'could not read /c.yaml: {NO_PERMISSION}'),
        (evidence(drop_ins=Unreadable('/d', NO_PERMISSION)), f'could not read /d: {NO_PERMISSION}'),
        (Evidence(Process(1, 1, None)), "the kubelet's command line was overwritten or truncated"),
    ],
)
def test_what_is_not_known_is_unknown_with_the_reason_and_no_secret(seen: Evidence, reason: str) -> None:
    setting = resolve(declare(seen), (FIELD,))
    assert isinstance(setting.declared, Unknown)
    assert setting.declared.reason.startswith(reason)
    assert SECRET not in setting.declared.reason
    assert setting.origin is None


@pytest.mark.parametrize(
    'seen, expected',
    [
        (evidence('--make-iptables-util-chains=false', config=Unreadable('/c.yaml', 'permission denied')), False),
        (evidence('--make-iptables-util-chains', drop_ins=Unreadable('/d', 'permission denied')), True),
    ],
)
def test_a_flag_decides_where_a_file_below_it_could_not_be_read(seen: Evidence, expected: bool) -> None:
    declared = declare(seen)
    assert declared.unknown is not None
    assert resolve(declared, (FIELD,)).declared == ((FIELD, expected),)


@pytest.mark.parametrize('files', [{'config': 'maxPods: many'}, {'drop_ins': {'/d/a.conf': 'maxPods: many'}}])
@pytest.mark.parametrize('text, verdict', [('false', Verdict.NON_COMPLIANT), ('true', Verdict.UNKNOWN)])
def test_beside_a_file_that_is_refused_a_flag_shows_what_is_wrong_but_not_that_all_is_well(
    files: dict[str, Any], text: str, verdict: Verdict
) -> None:
    declared = declare(evidence(f'--make-iptables-util-chains={text}', **files))
    assert declared.unknown is not None and declared.unknown.refused
    assert judge(RULE, resolve(declared, (FIELD,)), BENCHMARK).verdict is verdict


@pytest.mark.parametrize(
    'changed_at, changed',
    [(START - 100, None), (START + 0.9, None), (START + 1.0, None), (START + 1.1, '/c.yaml'), (START + 9e9, '/c.yaml')],
)
def test_a_file_has_changed_when_its_time_is_over_a_second_past_the_start(
    changed_at: float, changed: str | None
) -> None:
    declared = declare(evidence(config='', changed_at=changed_at))
    assert declared.changed == changed
    assert resolve(declared, (FIELD,)).changed == changed


def test_each_drop_in_and_their_folder_can_have_changed() -> None:
    old, new = START - 100, START + 100
    text = HEAD.encode()
    for file_time, folder_time, changed in ((old, old, None), (new, old, '/d/a.conf'), (old, new, '/d')):
        drop_ins = DropIns('/d', (File('/d/a.conf', text, file_time),), folder_time)
        assert declare(Evidence(Process(1, 1, (), START), None, drop_ins)).changed == changed


def test_a_value_that_a_flag_decides_does_not_depend_on_files() -> None:
    declared = declare(evidence('--make-iptables-util-chains', config='', changed_at=START + 100))
    assert declared.changed == '/c.yaml'
    assert resolve(declared, (FIELD,)).changed is None


ON, OFF = '--make-iptables-util-chains', '--make-iptables-util-chains=false'
ARGUMENTS = '/var/snap/microk8s/current/args/kubelet'


@pytest.mark.parametrize('age', [None, 10.0, 3600.0], ids=['age not known', 'just started', 'an hour old'])
@pytest.mark.parametrize(
    'flag, changed_at, verdict, changed',
    [
        pytest.param(ON, START - 100, Verdict.COMPLIANT, None, id='as old as the kubelet'),
        pytest.param(ON, START + 100, Verdict.UNKNOWN, ARGUMENTS, id='changed to what is compliant'),
        pytest.param(OFF, START - 100, Verdict.NON_COMPLIANT, None, id='not compliant'),
        pytest.param(OFF, START + 100, Verdict.NON_COMPLIANT, ARGUMENTS, id='changed to what is not'),
    ],
)
def test_the_flags_of_a_kubelet_inside_another_program_are_as_old_as_their_file(
    flag: str, changed_at: float, verdict: Verdict, changed: str | None, age: float | None
) -> None:
    """As of MicroK8s, whose kubelet reads its arguments from a file at its start."""
    launch = Launch('MicroK8s', (flag,), ARGUMENTS, files=(File(ARGUMENTS, b'', changed_at),))
    declared = declare(Evidence(Process(1, 1, (), START), launch=launch, age_seconds=age))
    setting = resolve(declared, (FIELD,))
    assert (declared.changed, setting.changed) == (changed, changed)
    assert judge(RULE, setting, BENCHMARK).verdict is verdict


def test_where_flags_may_be_overruled_what_is_not_set_is_unknown_and_an_explicit_one_counts() -> None:
    doubt = Unknown('k3s passes more')
    launch = Launch('k3s', (OFF,), '/k', doubt=doubt)
    declared = declare(Evidence(Process(1, 1, (), START), launch=launch))
    assert resolve(declared, ('readOnlyPort',)) == Setting(doubt, None, NOT_ASKED, doubt=doubt)
    known = resolve(declared, (FIELD,))
    assert (known.declared, known.doubt, known.is_explicit) == (((FIELD, False),), doubt, False)
    whole = resolve(replace(declared, launch=replace(launch, is_whole=True)), (FIELD,))
    assert (whole.doubt, whole.is_explicit) == (doubt, True)
    assert not resolve(replace(declared, launch=None), (FIELD,)).is_explicit


def test_of_several_fields_all_must_be_set_by_flags_to_depend_on_no_file() -> None:
    fields = ('tlsCertFile', 'tlsPrivateKeyFile')
    changed = {'config': 'tlsPrivateKeyFile: /b\n', 'changed_at': START + 100}
    assert resolve(declare(evidence('--tls-cert-file=/a', **changed)), fields).changed == '/c.yaml'  # type: ignore[arg-type]
    both = declare(evidence('--tls-cert-file=/a', '--tls-private-key-file=/b', **changed))  # type: ignore[arg-type]
    assert resolve(both, fields).changed is None


def test_what_is_unknown_keeps_what_runs_and_what_changed() -> None:
    running = ((FIELD, True),)
    unread = replace(declare(evidence(config=Unreadable('/c.yaml', NO_PERMISSION))), changed='/d')
    setting = resolve(unread, (FIELD,), running)
    assert isinstance(setting.declared, Unknown)
    assert (setting.running, setting.changed, setting.origin) == (running, '/d', None)
    undecided = replace(declare(evidence()), undecided={'featureGates': Unknown('not understood')})
    of_gate = resolve(undecided, ('featureGates.AllBeta',), running)
    assert (of_gate.declared, of_gate.running) == (Unknown('not understood'), running)
    assert resolve(undecided, (FIELD, 'featureGates'), running).declared == Unknown('not understood')
    assert resolve(undecided, ('featureGatesOfMine',), running).declared == (('featureGatesOfMine', None),)


def test_the_places_of_the_fields_are_kept_with_those_beside_them_and_the_values_beneath_flags() -> None:
    declared = declare(evidence(OFF, config=f'{FIELD}: true\nmaxPods: 7\nclusterDomain: x\n'))
    setting = resolve(declared, (FIELD,), beside=('maxPods', 'nodeIP'))
    assert {name: origin.place for name, origin in setting.origins.items()} == {FIELD: OFF, 'maxPods': '/c.yaml:4'}
    assert setting.beneath == {FIELD: True}
    assert setting.declared == ((FIELD, False),)


CERTIFICATE_RULE = RULES_BY_KEY['tls_cert_file']
FLAG = Origin(Source.FLAG, '--tls-cert-file=/x')
PAIR = ('tlsCertFile', 'tlsPrivateKeyFile')


def pair_in(folder: str) -> dict[str, Value]:
    """The pair of files that a kubelet makes itself, as it calls them in its folder."""
    return {'tlsCertFile': f'{folder}/kubelet.crt', 'tlsPrivateKeyFile': f'{folder}/kubelet.key'}


CONFIGURED, NONE, EITHER = 'configured', 'none', 'either'
NOTHING = Declared({}, {})
PKI, OWN = '/var/lib/kubelet/pki', '/own'
BY_FLAG = dict.fromkeys(PAIR, FLAG)
MICROK8S = Launch('MicroK8s', (), ARGUMENTS)


@pytest.mark.parametrize(
    'shown, declared, started, found',
    [
        pytest.param(PKI, NOTHING, NOTHING, NONE, id='its own folder, nothing configured'),
        pytest.param(PKI, NOTHING, None, EITHER, id='its own folder, how it started is not known'),
        pytest.param(PKI, Declared(pair_in(PKI), {}), None, EITHER, id='configured there by now'),
        pytest.param(PKI, Declared(pair_in(PKI), {}), NOTHING, NONE, id='configured there since its start'),
        pytest.param(PKI, NOTHING, Declared(pair_in(PKI), {}), CONFIGURED, id='configured there at its start'),
        pytest.param(PKI, NOTHING, Declared(pair_in('/x'), {}), NONE, id='another pair at its start'),
        pytest.param('/x', NOTHING, NOTHING, CONFIGURED, id='another folder'),
        pytest.param('/x', NOTHING, None, CONFIGURED, id='another folder, whatever it started with'),
        pytest.param(OWN, Declared({'--cert-dir': OWN}, {}), NOTHING, NONE, id='the folder of --cert-dir'),
        pytest.param(OWN, Declared({'--cert-dir': OWN}, {}), None, EITHER, id='that folder, the start is not known'),
        pytest.param(PKI, Declared({'--cert-dir': OWN}, {}), NOTHING, CONFIGURED, id='--cert-dir names another'),
        pytest.param(OWN, Declared({'--cert-dir': f'/{OWN}/'}, {}), NOTHING, NONE, id='--cert-dir with more slashes'),
        pytest.param('/X', Declared({'--cert-dir': '/X'}, {}), NOTHING, NONE, id='--cert-dir of one letter'),
        pytest.param(f'/w{OWN}', Declared({'--cert-dir': 'own'}, {}), NOTHING, NONE, id='--cert-dir is relative'),
        pytest.param(OWN, Declared({'--cert-dir': ''}, {}), NOTHING, CONFIGURED, id='--cert-dir is empty'),
        pytest.param(PKI, Declared({'--cert-dir': ''}, {}), NOTHING, NONE, id='empty, so the default folder'),
        pytest.param(OWN, Declared({}, {}, flags_known=False), None, EITHER, id='any folder where flags are not known'),
        pytest.param(OWN, Declared({}, {}, flags_known=False), NOTHING, NONE, id='any folder, nothing configured'),
        pytest.param(PKI, Declared(pair_in(PKI), BY_FLAG), None, CONFIGURED, id='by a flag of its own'),
        pytest.param(PKI, Declared(pair_in('/x'), BY_FLAG), None, NONE, id='a flag names another pair'),
        pytest.param(
            PKI,
            Declared(pair_in(PKI), BY_FLAG, launch=MICROK8S),
            None,
            EITHER,
            id='by a flag in a file that may be new',
        ),
        pytest.param(
            PKI, Declared(pair_in(PKI), BY_FLAG, launch=MICROK8S), NOTHING, NONE, id='by a flag that came to the file'
        ),
    ],
)
def test_a_pair_that_the_kubelet_made_itself_is_never_taken_for_a_configured_one(
    shown: str, declared: Declared, started: Declared | None, found: str
) -> None:
    running = Configuration(dict(pair_in(shown)))
    values = running_values(CERTIFICATE_RULE, running, declared, started)
    bootstrap = ('serverTLSBootstrap', False)
    if found == EITHER:
        assert values is SELF_MADE_OR_NOT
    else:
        files = pair_in(shown) if found == CONFIGURED else dict.fromkeys(PAIR, '')
        assert values == (*files.items(), bootstrap)
    verdict = judge(CERTIFICATE_RULE, Setting(Unknown('not read'), None, values), BENCHMARK).verdict
    assert verdict is {
        CONFIGURED: Verdict.COMPLIANT, NONE: Verdict.NON_COMPLIANT, EITHER: Verdict.UNKNOWN,
    }[found]  # fmt: skip


def test_whether_it_made_them_itself_does_not_matter_where_the_values_mean_the_same() -> None:
    running = Configuration({**pair_in(PKI), 'serverTLSBootstrap': True})
    values = running_values(CERTIFICATE_RULE, running, NOTHING, meaning=lambda values: values[2][1])
    assert not isinstance(values, Unknown) and dict(values)['serverTLSBootstrap'] is True


def test_what_runs_is_unknown_with_the_reason_why_configz_was_not_read() -> None:
    why = Unknown('the kubelet did not answer')
    assert running_values(RULE, why, NOTHING) is why


def test_what_configz_leaves_out_is_the_zero_value_of_its_type() -> None:
    assert running_values(RULES_BY_KEY['read_only_port'], Configuration(), NOTHING) == (('readOnlyPort', 0),)
    assert running_values(RULE, Configuration(), NOTHING) == ((FIELD, None),)
    assert running_values(RULE, Configuration({FIELD: False}), NOTHING) == ((FIELD, False),)


@pytest.mark.parametrize('hidden', [Declared({}, {}, flags_known=False), Declared({}, {}, launch=MICROK8S)])
def test_a_flag_that_may_be_set_decides_the_rule_that_it_would_meet(hidden: Declared) -> None:
    rule = RULES_BY_KEY['seccomp_default']
    meaning = partial(holds, rule, benchmark=BENCHMARK)
    assert running_values(rule, Configuration(), hidden, meaning=meaning) is NOT_ASKED
    met = running_values(rule, Configuration({'seccompDefault': True}), hidden, meaning=meaning)
    assert not isinstance(met, Unknown) and dict(met)['seccompDefault'] is True


HOST_NAME = RULES_BY_KEY['hostname_override']


@pytest.mark.parametrize(
    'declared, known',
    [
        (Declared({'--hostname-override': 'n1'}, {}), True),
        (Declared({'--hostname-override': 'n1'}, {}, flags_known=False), False),
        (Declared({'--hostname-override': 'n1'}, {}, launch=MICROK8S), False),
    ],
    ids=['of the process', 'flags not known', 'in a file'],
)
def test_a_flag_that_writes_no_field_runs_as_long_as_its_process(declared: Declared, known: bool) -> None:
    values = running_values(HOST_NAME, Configuration(), declared)
    assert values == (('--hostname-override', 'n1'),) if known else values is NOT_ASKED


def test_a_captured_node_does_not_show_what_changed() -> None:
    seen = Evidence(Process(1, 1, ()), File('/c.yaml', HEAD.encode(), None))
    assert declare(seen) == Declared(declare(seen).values, declare(seen).origins)


def test_a_flag_without_a_field_is_known_where_a_file_could_not_be_read() -> None:
    declared = declare(evidence('--hostname-override=n1', config=Unreadable('/c.yaml', NO_PERMISSION)))
    setting = resolve(declared, ('--hostname-override',))
    assert setting.declared == (('--hostname-override', 'n1'),)
    assert setting.origin == Origin(Source.FLAG, '--hostname-override=n1')


def test_a_flag_without_a_field_depends_on_no_file() -> None:
    declared = declare(evidence(config='', changed_at=START + 100))
    assert resolve(declared, ('--hostname-override',)) == Setting(
        (('--hostname-override', None),), DEFAULT_ORIGIN, Unknown('the running configuration was not asked for')
    )


@pytest.mark.parametrize('broken', [evidence('--bogus'), evidence('x')])
def test_no_flag_is_known_of_a_kubelet_that_would_not_start(broken: Evidence) -> None:
    assert isinstance(resolve(declare(broken), ('--hostname-override',)).declared, Unknown)


def test_several_fields_are_one_setting_with_the_first_place_that_is_not_the_default() -> None:
    declared = declare(evidence('--tls-cert-file=/a.crt', config='tlsPrivateKeyFile: /a.key\n'))
    setting = resolve(declared, ('serverTLSBootstrap', 'tlsPrivateKeyFile', 'tlsCertFile'))
    assert setting.declared == (
        ('serverTLSBootstrap', False),
        ('tlsPrivateKeyFile', '/a.key'),
        ('tlsCertFile', '/a.crt'),
    )
    assert setting.origin is not None and setting.origin.place == '/c.yaml:3'


GOOD = FileStatus('/etc/a', 0o600, 0, 0)
WORSE = FileStatus('/etc/b', 0o4755, 1000, 0)


def test_the_mode_and_the_owner_of_each_file_are_a_setting() -> None:
    files = FileSet((GOOD, WORSE), Source.FLAG)
    assert resolve_files(files, FileAspect.MODE).declared == (('/etc/a', '600'), ('/etc/b', '4755'))
    assert resolve_files(files, FileAspect.OWNER).declared == (('/etc/a', 'root:root'), ('/etc/b', '1000:root'))
    assert resolve_files(FileSet(()), FileAspect.MODE).declared == ()


@pytest.mark.parametrize(
    'files, reason',
    [
        (Unknown('the cgroup could not be read'), 'the cgroup could not be read'),
        (FileSet((GOOD, Missing('/etc/b', NOT_FOUND))), f'could not read the mode and owner of /etc/b: {NOT_FOUND}'),
        (
            FileSet((Unreadable('/etc/b', NO_PERMISSION),)),
            f'could not read the mode and owner of /etc/b: {NO_PERMISSION}',
        ),
    ],
)
def test_a_file_that_could_not_be_examined_makes_the_setting_unknown(files: FileSet | Unknown, reason: str) -> None:
    for aspect in FileAspect:
        declared = resolve_files(files, aspect).declared
        assert isinstance(declared, Unknown)
        assert declared.reason == reason


def test_a_file_that_could_not_be_examined_says_what_to_change() -> None:
    unreadable = Unreadable('/etc/b', NO_PERMISSION, 'run as root', fault=Fault.NOT_ALLOWED_TO_READ)
    setting = resolve_files(FileSet((GOOD, unreadable)), FileAspect.MODE)
    assert isinstance(setting.declared, Unknown)
    assert (setting.declared.remedy, setting.declared.fault) == ('run as root', Fault.NOT_ALLOWED_TO_READ)
    assert (setting.origin, setting.running) == (None, NOT_ASKED)
    missing = resolve_files(FileSet((Missing('/etc/b', NOT_FOUND),)), FileAspect.MODE)
    assert isinstance(missing.declared, Unknown)
    assert (missing.declared.remedy, missing.declared.fault) == (NO_FILE, None)


def test_files_that_another_program_may_name_otherwise_are_in_doubt() -> None:
    doubt = Unknown('k3s passes more')
    files = FileSet((GOOD,), Source.FLAG)
    setting = resolve_files(files, FileAspect.MODE, Launch('k3s', (), '/k', doubt=doubt))
    assert (setting.doubt, setting.origin, setting.running) == (doubt, Origin(Source.FLAG, ''), NOT_ASKED)
    assert resolve_files(files, FileAspect.MODE, Launch('k3s', (), '/k')).doubt is None
    assert resolve_files(files, FileAspect.MODE).doubt is None
    rule = RULES_BY_KEY['kubeconfig_permissions']
    assert judge(rule, setting, BENCHMARK).verdict is Verdict.UNKNOWN
    assert judge(rule, replace(setting, doubt=None), BENCHMARK).verdict is Verdict.COMPLIANT


def test_an_owner_that_is_not_known_keeps_the_reason_of_its_files() -> None:
    why = Unknown('the cgroup could not be read', 'mount it')
    assert resolve_files(why, FileAspect.OWNER) == Setting(why, None, NOT_ASKED)
