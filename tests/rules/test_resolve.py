# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.decoding import DEFAULT_ORIGIN
from datadog_checks.kubelet_compliance.kubelet.formats.go import Duration
from datadog_checks.kubelet_compliance.model import (
    Declared,
    DropIns,
    Evidence,
    File,
    FileAspect,
    FileSet,
    FileStatus,
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
from datadog_checks.kubelet_compliance.rules.judge import judge
from datadog_checks.kubelet_compliance.rules.resolve import resolve, resolve_files
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
def test_what_cannot_be_told_is_unknown_with_the_reason_and_no_secret(seen: Evidence, reason: str) -> None:
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
    [(START - 100, None), (START + 0.9, None), (START + 1.1, '/c.yaml'), (START + 9e9, '/c.yaml')],
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


def test_a_captured_node_does_not_tell_what_changed() -> None:
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
def test_a_file_that_could_not_be_looked_at_makes_the_setting_unknown(files: FileSet | Unknown, reason: str) -> None:
    for aspect in FileAspect:
        declared = resolve_files(files, aspect).declared
        assert isinstance(declared, Unknown)
        assert declared.reason == reason
