# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import re

import pytest

from datadog_checks.kubelet_compliance.kubelet.programs import MAX_ARGUMENTS
from datadog_checks.kubelet_compliance.launch.systemd_text import UnitError, text_of
from datadog_checks.kubelet_compliance.launch.units import (
    MAX_LETTERS,
    MAX_UNIT_BYTES,
    SET_BY_SYSTEMD,
    EnvironmentFile,
    Seen,
    Service,
    environment_of,
    read_service,
    specifiers_of,
)
from datadog_checks.kubelet_compliance.model import Argument, File, Missing, Place, Unreadable
from tests.support.systemd_cases import command_of

NAME = 'kubelet.service'
UNIT = '/usr/lib/systemd/system/kubelet.service'
DROP_IN = '/etc/systemd/system/kubelet.service.d/10.conf'
ENVIRONMENT = '/etc/default/kubelet'
RUN = 'ExecStart=/usr/bin/kubelet'
PROGRAM = '/usr/bin/kubelet'


def file(path: str, text: str | bytes) -> File:
    return File(path, text.encode('utf-8', 'surrogateescape') if isinstance(text, str) else text, None)


def service_of(*texts: str, name: str = NAME) -> Service:
    """The first text is that of the unit, the others are those of its drop-ins; each is in its `[Service]`."""
    paths = (UNIT, DROP_IN, DROP_IN.replace('10', '20'), DROP_IN.replace('10', '30'))
    return read_service(name, [file(path, f'[Service]\n{text}\n') for path, text in zip(paths, texts, strict=False)])


def command(*texts: str, env: dict[str, str] | None = None, name: str = NAME) -> list[str]:
    return [argument.text for argument in arguments(*texts, env=env, name=name)]


def arguments(*texts: str, env: dict[str, str] | None = None, name: str = NAME) -> tuple[Argument, ...]:
    """`env`: the environment files, by the paths that they are named by."""
    service = service_of(*texts, name=name)
    return command_of(service, {path: [file(path, text)] for path, text in (env or {}).items()})


@pytest.mark.parametrize(
    'line, expected',
    [
        ('/k a "b c"', ['/k', 'a', 'b c']),
        ('kubelet a', ['kubelet', 'a']),
        ('"/k" a', ['/k', 'a']),
        ('-/k a', ['/k', 'a']),
        ('@/k zero a', ['zero', 'a']),
        ('-@/k zero', ['zero']),
        ('@/k "" a', ['', 'a']),
        ('/k\u00a0x', ['/k\u00a0x']),
        ('/k//./x', ['/k//./x']),
        ('+/k', ['/k']),
        ('!/k', ['/k']),
        ('!!/k', ['/k']),
        (':/k $A ${A} $$', ['/k', '$A', '${A}', '$$']),
        ('@:-/k zero $A', ['zero', '$A']),
        ('/k $$A ${A}x', ['/k', '$A', 'x']),
        ('/k %p %n', ['/k', 'kubelet', 'kubelet.service']),
        ('/usr/bin/%p', ['/usr/bin/kubelet']),
        ('/k \\; a', ['/k', ';', 'a']),
        ('/k \\;', ['/k', ';']),
        ('/k \\;a', ['/k', '\\;a']),
        ('/k a; b', ['/k', 'a;', 'b']),
        ('/k ";" a', ['/k', ';', 'a']),
        ('/k ;a', ['/k', ';a']),
        ('/k a\\qb', ['/k', 'a\\qb']),
        ('/k \\xc3\\xa9', ['/k', '\u00e9']),
        ('/k \\xff', ['/k', '\udcff']),
        ('/k "" a', ['/k', '', 'a']),
        ('/k \\\n a \\\n# c\n b', ['/k', 'a', 'b']),
    ],
)
def test_a_command_has_the_words_that_systemd_would_start(line: str, expected: list[str]) -> None:
    assert command(f'ExecStart={line}') == expected


@pytest.mark.parametrize(
    'line',
    [
        '/k "open', '@/k', 'a/b c', '/', '/k/', '""', '@', '+!/k', '!!!/k', '++/k', '::/k', '/k\\a',
        '/k "a\\', '/k\\\\x', '"/k\'"', '..', '.', f'/{"k" * 256}', '/k' * 2048, '/a ; b/c', '-/a ; b/c',
    ],
)  # fmt: skip
def test_an_invalid_command_line_is_refused(line: str) -> None:
    with pytest.raises(UnitError, match=f'^{re.escape(UNIT)}:2 is an invalid command line, so systemd') as raised:
        service_of(f'ExecStart={line}')
    assert raised.value.refused


@pytest.mark.parametrize(
    'line, expected',
    [
        ('-a/b c', []),
        ('-/k "open', []),
        ('-/k/', []),
        ('/a ; -b/c', ['/a']),
        ('-', []),
        ('--/k', []),
        ('-/a/ ; /b', []),
        ('/b ; -/a/ x ; /c', ['/b']),
    ],
)
def test_after_a_dash_an_invalid_command_line_is_left_out(line: str, expected: list[str]) -> None:
    assert [each.program for each in service_of(f'ExecStart={line}').commands] == expected


@pytest.mark.parametrize(
    'line, programs',
    [
        ('/a ; /b', ['/a', '/b']),
        ('/a x ; /b y ; /c', ['/a', '/b', '/c']),
        ('/a ;', ['/a']),
        ('; /a', ['/a']),
        ('/a ; ; /b', ['/a', '/b']),
    ],
)
def test_a_semicolon_parts_commands(line: str, programs: list[str]) -> None:
    assert [each.program for each in service_of(f'ExecStart={line}').commands] == programs


@pytest.mark.parametrize(
    'kind, expected',
    [
        ('', None),
        ('Type=simple\n', None),
        ('Type=notify\n', None),
        ('Type=oneshot\n', ['/b', '1']),
        ('Type=oneshot\nType=nonsense\n', ['/b', '1']),
        ('Type=oneshot\nType=\n', ['/b', '1']),
        ('Type=oneshot\nType=exec\n', None),
        ('Type= oneshot \n', ['/b', '1']),
    ],
)
def test_only_a_oneshot_has_more_than_one_command_and_its_last_one_stays(kind: str, expected: list[str] | None) -> None:
    text = f'{kind}ExecStart=/a\nExecStart=/b 1'
    if expected is not None:
        assert command(text) == expected
        return
    with pytest.raises(UnitError, match=f'^{NAME} has more than one ExecStart=') as raised:
        command(text)
    assert raised.value.refused


@pytest.mark.parametrize('text', ['', 'ExecStart=', f'{RUN}\nExecStart=', f'{RUN}\nExecStart= ', 'ExecStart=-/k/'])
def test_without_a_command_nothing_starts(text: str) -> None:
    with pytest.raises(UnitError, match=f'^{NAME} has no command that systemd would start$') as raised:
        command(text)
    assert raised.value.refused


def test_other_sections_do_not_count() -> None:
    service = read_service(NAME, [file(UNIT, f'[Unit]\n{RUN} a\n[Service]\n{RUN} b\n[X]\nExecStart=/x\n')])
    assert [each.program for each in service.commands] == [PROGRAM]


SETTINGS = [
    ('A=1', {'A': '1'}),
    ('A=1 B=2', {'A': '1', 'B': '2'}),
    ('"A=1 2" B=3', {'A': '1 2', 'B': '3'}),
    ("'A=1'", {'A': '1'}),
    ('A="1 2"', {'A': '1 2'}),
    ('A=', {'A': ''}),
    ('A=b=c', {'A': 'b=c'}),
    ('A=1 A=2', {'A': '2'}),
    ('A', {}),
    ('1A=1 B=2', {'B': '2'}),
    ('A-B=1 B=2', {'B': '2'}),
    ('=1 B=2', {'B': '2'}),
    ('A=%n', {'A': NAME}),
    ('A=%%', {'A': '%'}),
    ('A=$B', {'A': '$B'}),
    ('A=\\x41', {'A': 'A'}),
    ('A=\\xff B=2', {'B': '2'}),
    ('A=1 "B=2', {'A': '1'}),
    ('A=1 \\q B=2', {'A': '1'}),
    ('A=1;B=2', {'A': '1;B=2'}),
]


@pytest.mark.parametrize('line, expected', SETTINGS)
def test_environment_sets_variables(line: str, expected: dict[str, str]) -> None:
    assert {name: text_of(value) for name, value in service_of(f'Environment={line}').variables.items()} == expected


@pytest.mark.parametrize(
    'texts, words',
    [
        (('Environment=A=1', 'Environment=A=2'), ['2']),
        (('Environment=A=1', 'Environment=B=2'), ['1']),
        (('Environment=A=1', 'Environment='), []),
        (('Environment=A=1', 'Environment=\nEnvironment=A=3'), ['3']),
        (('Environment=A=1\nUnsetEnvironment=A',), []),
        (('Environment=A=1\nUnsetEnvironment=A=1',), []),
        (('Environment=A=1\nUnsetEnvironment=A=2',), ['1']),
        (('Environment=A=1\nUnsetEnvironment=B A',), []),
        (('Environment=A=1\nUnsetEnvironment=A', 'UnsetEnvironment='), ['1']),
        (('Environment=A=1\nUnsetEnvironment=%N', 'UnsetEnvironment=B'), ['1']),
        (('Environment=A=1\nUnsetEnvironment=B "A',), ['1']),
        (('PassEnvironment=A\nEnvironment=A=1',), ['1']),
        (('PassEnvironment=A\nUnsetEnvironment=A',), []),
        (('PassEnvironment=A', 'PassEnvironment='), []),
    ],
)
def test_drop_ins_add_to_the_environment_and_an_empty_setting_clears_it(
    texts: tuple[str, ...], words: list[str]
) -> None:
    assert command(f'ExecStart=/k $A\n{texts[0]}', *texts[1:]) == ['/k', *words]


def test_environment_files_win_over_the_environment_wherever_they_stand() -> None:
    text = f'EnvironmentFile={ENVIRONMENT}\nEnvironment=A=1 B=1\n{RUN} $A $B'
    assert command(text, env={ENVIRONMENT: 'A=2\n'}) == [PROGRAM, '2', '1']


def test_a_later_environment_file_wins_over_an_earlier_one() -> None:
    text = f'EnvironmentFile=/1\nEnvironmentFile=/2\n{RUN} $A $B'
    assert command(text, env={'/1': 'A=1\nB=1\n', '/2': 'A=2\n'}) == [PROGRAM, '2', '1']


def test_what_unset_environment_names_goes_also_when_a_file_sets_it() -> None:
    text = f'EnvironmentFile=/1\nUnsetEnvironment=A\n{RUN} $A'
    assert command(text, env={'/1': 'A=1\n'}) == [PROGRAM]


@pytest.mark.parametrize(
    'text, expected',
    [
        ('EnvironmentFile=/a', [('/a', False)]),
        ('EnvironmentFile=-/a', [('/a', True)]),
        ('EnvironmentFile=/a\nEnvironmentFile=/b', [('/a', False), ('/b', False)]),
        ('EnvironmentFile=/a\nEnvironmentFile=', []),
        ('EnvironmentFile=/a\nEnvironmentFile=\nEnvironmentFile=-/b', [('/b', True)]),
        ('EnvironmentFile=a', []),
        ('EnvironmentFile=-', []),
        ('EnvironmentFile=-a', []),
        ('EnvironmentFile=--/a', []),
        ('EnvironmentFile="/a"', []),
        ('EnvironmentFile=/a b', [('/a b', False)]),
        ('EnvironmentFile=/etc/%p.env', [('/etc/kubelet.env', False)]),
        ('EnvironmentFile=/a\\ b', [('/a\\ b', False)]),
    ],
)
def test_environment_files_are_absolute_paths(text: str, expected: list[tuple[str, bool]]) -> None:
    assert service_of(text).files == [EnvironmentFile(*each) for each in expected]


GONE = Missing(ENVIRONMENT, 'no such file')
DEVICE = Unreadable(ENVIRONMENT, 'it is a device, not a file', absent=True)
SHUT = Unreadable(ENVIRONMENT, 'no permission')
START = f'systemd does not start {NAME}'


@pytest.mark.parametrize(
    'found, says, refused',
    [
        ([GONE], f'{ENVIRONMENT} does not exist, so {START}', True),
        ([DEVICE], f'{ENVIRONMENT} does not exist, so {START}', True),
        ([], f'{ENVIRONMENT} does not exist, so {START}', True),
        ([SHUT], f'{ENVIRONMENT} could not be read: no permission', False),
        ([file(ENVIRONMENT, 'A=1'), SHUT], f'{ENVIRONMENT} could not be read: no permission', False),
    ],
)
def test_an_environment_file_that_is_not_there_is_refused_and_one_that_is_not_read_is_not(
    found: list[Seen], says: str, refused: bool
) -> None:
    for line in (RUN, RUN.replace('=', '=:')):
        with pytest.raises(UnitError, match=f'^{re.escape(says)}$') as raised:
            command_of(service_of(f'EnvironmentFile={ENVIRONMENT}\n{line}'), {ENVIRONMENT: found})
        assert raised.value.refused is refused


@pytest.mark.parametrize('found', [[], [GONE], [DEVICE], [GONE, DEVICE]])
def test_an_optional_environment_file_need_not_be_there(found: list[Seen]) -> None:
    service = service_of(f'EnvironmentFile=-{ENVIRONMENT}\nEnvironment=A=1\n{RUN} $A')
    assert [each.text for each in command_of(service, {ENVIRONMENT: found})] == [PROGRAM, '1']


def test_an_optional_environment_file_that_is_not_read_is_an_error_all_the_same() -> None:
    with pytest.raises(UnitError, match='could not be read'):
        command_of(service_of(f'EnvironmentFile=-{ENVIRONMENT}\n{RUN}'), {ENVIRONMENT: [SHUT]})


@pytest.mark.parametrize(
    'texts, places',
    [
        ((f'{RUN} a b',), [f'{UNIT}:2'] * 3),
        ((f'{RUN} \\\n a \\\n# c\n b',), [f'{UNIT}:2', f'{UNIT}:3', f'{UNIT}:5']),
        ((f'{RUN} "a\\\nb"',), [f'{UNIT}:2', f'{UNIT}:2']),
        ((f'\n\n{RUN}', f'ExecStart=\n{RUN} a'), [f'{DROP_IN}:3', f'{DROP_IN}:3']),
        ((f'{RUN} $A', '\nEnvironment="A=x y"'), [f'{UNIT}:2', f'{DROP_IN}:3 (A)', f'{DROP_IN}:3 (A)']),
        ((f'{RUN} $A', 'Environment="A=x \\\n y"'), [f'{UNIT}:2', f'{DROP_IN}:2 (A)', f'{DROP_IN}:3 (A)']),
        ((f'{RUN} --a=${{A}}', 'Environment=A=x'), [f'{UNIT}:2', f'{UNIT}:2']),
        ((f'{RUN} ${{A}}b', 'Environment=A=x'), [f'{UNIT}:2', f'{DROP_IN}:2 (A)']),
        ((f'{RUN} ""',), [f'{UNIT}:2', '']),
        (('ExecStart=@/a zero one',), [f'{UNIT}:2', f'{UNIT}:2']),
        ((f'{RUN} \\; %n',), [f'{UNIT}:2'] * 3),
    ],
)
def test_each_word_has_its_place(texts: tuple[str, ...], places: list[str]) -> None:
    assert [str(argument.place or '') for argument in arguments(*texts)] == places


def test_the_words_of_an_environment_file_of_many_lines_have_their_lines_and_their_variable() -> None:
    text = 'B=1\nKUBELET_ARGS="--a=1 \\\n--b=2\n--c=3"\n'
    found = arguments(f'EnvironmentFile={ENVIRONMENT}\n{RUN} $KUBELET_ARGS', env={ENVIRONMENT: text})
    assert [(each.text, str(each.place)) for each in found[1:]] == [
        ('--a=1', f'{ENVIRONMENT}:2 (KUBELET_ARGS)'),
        ('--b=2', f'{ENVIRONMENT}:3 (KUBELET_ARGS)'),
        ('--c=3', f'{ENVIRONMENT}:4 (KUBELET_ARGS)'),
    ]


def test_the_place_of_a_word_reads_as_a_line_and_a_variable() -> None:
    (_, word) = arguments(f'{RUN} $KUBELET_ARGS', 'Environment="KUBELET_ARGS=--v=2"')
    assert word == Argument('--v=2', Place('/etc/systemd/system/kubelet.service.d/10.conf', 2, 'KUBELET_ARGS'))


@pytest.mark.parametrize(
    'name, expected',
    [
        ('kubelet.service', {'n': 'kubelet.service', 'N': 'kubelet', 'p': 'kubelet', 'P': 'kubelet', 'j': 'kubelet'}),
        ('kubelet.service', {'i': '', 'I': '', 'J': 'kubelet'}),
        ('a-b.service', {'p': 'a-b', 'P': 'a/b', 'j': 'b', 'J': 'b', 'N': 'a-b'}),
        ('a-b@c-d.service', {'p': 'a-b', 'P': 'a/b', 'i': 'c-d', 'I': 'c/d', 'j': 'b', 'N': 'a-b@c-d'}),
        ('a@b@c.service', {'p': 'a', 'i': 'b@c', 'N': 'a@b@c'}),
        ('a\\x2db.service', {'p': 'a\\x2db', 'P': 'a-b', 'J': 'a-b'}),
        ('a\\q.service', {'p': 'a\\q', 'P': None}),
        ('a\\xe9.service', {'P': None}),
        ('k@\\x.service', {'i': '\\x', 'I': None}),
        ('k@.service', {'i': '', 'I': ''}),
        ('k.service', {'t': '/run', 'S': '/var/lib', 'C': '/var/cache', 'L': '/var/log', 'E': '/etc', 'T': '/tmp'}),
        ('k.service', {'V': '/var/tmp', 'u': 'root', 'U': '0', 'g': 'root', 'G': '0', 'h': '/root'}),
        ('k.service', dict.fromkeys('abBAcdfFglmMHkoqrRsvwWyYD'.replace('g', ''))),
    ],
)
def test_specifiers_are_those_of_a_system_service(name: str, expected: dict[str, str | None]) -> None:
    known = specifiers_of(name)
    assert {letter: known[letter] for letter in expected} == expected


@pytest.mark.parametrize('letter', ['z', 'e', 'x', 'Q', '1', 'O'])
def test_other_letters_are_no_specifiers(letter: str) -> None:
    says = f'^{UNIT}:2 uses %{letter}, which is not a specifier, so systemd does not load it$'
    with pytest.raises(UnitError, match=says) as raised:
        service_of(f'{RUN} %{letter}')
    assert raised.value.refused


@pytest.mark.parametrize('letter', ['H', 'm', 'b', 'v', 'o'])
@pytest.mark.parametrize('setting', [f'{RUN} ', 'Environment=A=', 'EnvironmentFile=/', 'WorkingDirectory=/'])
def test_a_specifier_that_the_machine_decides_is_unknown_and_not_refused(setting: str, letter: str) -> None:
    with pytest.raises(UnitError, match=f'^{UNIT}:2 uses %{letter}, whose value this check does not know$') as raised:
        service_of(f'{setting}%{letter}')
    assert not raised.value.refused


@pytest.mark.parametrize('name', sorted(SET_BY_SYSTEMD))
def test_a_variable_that_systemd_sets_is_not_known_unless_the_unit_sets_or_unsets_it(name: str) -> None:
    with pytest.raises(UnitError, match=rf'^{NAME} uses \${name}, whose value systemd sets$') as raised:
        command(f'{RUN} ${name}')
    assert not raised.value.refused
    assert command(f'{RUN} ${name}\nEnvironment={name}=x') == [PROGRAM, 'x']
    assert command(f'{RUN} ${name}\nUnsetEnvironment={name}') == [PROGRAM]
    assert command(f'ExecStart=:/k ${name}') == ['/k', f'${name}']


def test_the_variables_of_the_manual_are_among_those_that_systemd_sets() -> None:
    manual = (
        'PATH LANG USER LOGNAME HOME SHELL INVOCATION_ID XDG_RUNTIME_DIR RUNTIME_DIRECTORY STATE_DIRECTORY '
        'CACHE_DIRECTORY LOGS_DIRECTORY CONFIGURATION_DIRECTORY CREDENTIALS_DIRECTORY MAINPID MANAGERPID LISTEN_FDS '
        'LISTEN_PID LISTEN_FDNAMES NOTIFY_SOCKET WATCHDOG_PID WATCHDOG_USEC SYSTEMD_EXEC_PID TERM LOG_NAMESPACE '
        'JOURNAL_STREAM REMOTE_ADDR REMOTE_PORT MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE PIDFILE FDSTORE'
    )
    assert set(manual.split()) <= SET_BY_SYSTEMD


def test_a_variable_that_is_passed_on_is_not_known() -> None:
    with pytest.raises(UnitError, match=r'uses \$A, whose value systemd sets'):
        command(f'{RUN} $A\nPassEnvironment=A')


@pytest.mark.parametrize('key', ['RootDirectory', 'RootImage'])
def test_a_command_in_another_root_is_unknown(key: str) -> None:
    with pytest.raises(
        UnitError, match=f'^{UNIT}:3 sets {key}, so the command runs in another root directory$'
    ) as raised:
        service_of(f'{RUN}\n{key}=/x')
    assert not raised.value.refused
    assert command(f'{RUN}\n{key}=') == [PROGRAM]


@pytest.mark.parametrize(
    'text, expected',
    [
        ('', ''),
        ('WorkingDirectory=/a', '/a'),
        ('WorkingDirectory=/var/%p', '/var/kubelet'),
        ('WorkingDirectory=/a\nWorkingDirectory=', ''),
        ('WorkingDirectory=-/a', '/a'),
        ('WorkingDirectory=//a/./b/', '/a/b'),
        ('WorkingDirectory=~', '~'),
        ('WorkingDirectory=-~', '~'),
        ('WorkingDirectory=/a\nWorkingDirectory=-b', '/a'),
        ('WorkingDirectory=/a\nWorkingDirectory=-/%z', '/a'),
        ('WorkingDirectory=/a\nWorkingDirectory=-', '/a'),
    ],
)
def test_the_working_directory_is_a_path_or_a_home(text: str, expected: str) -> None:
    assert service_of(text).directory == expected


def test_a_drop_in_that_is_broken_counts_up_to_the_line_that_is_broken() -> None:
    drop_in = f'[Service]\nExecStart=\n{RUN} a\n[Service\nExecStart=\n{RUN} b\n'
    service = read_service(NAME, [file(UNIT, f'[Service]\n{RUN}\n'), file(DROP_IN, drop_in)])
    assert [each.text for each in command_of(service, {})] == [PROGRAM, 'a']


def test_a_drop_in_after_a_broken_one_counts() -> None:
    texts = (RUN, '[Service', 'Environment=A=1')
    assert service_of(*texts).variables.keys() == {'A'}


def test_a_unit_that_is_broken_is_refused() -> None:
    with pytest.raises(UnitError, match='is an invalid section header') as raised:
        read_service(NAME, [file(UNIT, f'[Service]\n{RUN}\n[Service\n'), file(DROP_IN, '')])
    assert raised.value.refused


def test_what_is_not_known_in_a_drop_in_is_an_error() -> None:
    with pytest.raises(UnitError, match='whose value this check does not know') as raised:
        service_of(RUN, f'ExecStart=\n{RUN} %H')
    assert not raised.value.refused


@pytest.mark.parametrize('seen', [SHUT, GONE], ids=['unreadable', 'missing'])
def test_a_file_that_is_not_read_is_an_error(seen: Seen) -> None:
    with pytest.raises(UnitError, match=f'^{seen.path} could not be read: {seen.why}$') as raised:  # type: ignore[union-attr]
        read_service(NAME, [file(UNIT, RUN), seen])
    assert not raised.value.refused


def test_the_files_of_a_unit_are_read_up_to_their_bound_together() -> None:
    half = b'#' * (MAX_UNIT_BYTES // 2)
    read_service(NAME, [file(UNIT, half), file(DROP_IN, half)])
    with pytest.raises(UnitError, match=f'^the files of {NAME} are larger than 64 KiB together$') as raised:
        read_service(NAME, [file(UNIT, half), file(DROP_IN, half + b'#')])
    assert not raised.value.refused


def test_the_environment_files_are_read_up_to_their_bound_together() -> None:
    half = b'#' * (MAX_UNIT_BYTES // 2)
    service = service_of(f'EnvironmentFile=/1\nEnvironmentFile=/2\n{RUN}')
    assert environment_of(service, {'/1': [file('/1', half)], '/2': [file('/2', half)]}) == {}
    with pytest.raises(UnitError, match=f'^the environment files of {NAME} are larger than 64 KiB$') as raised:
        environment_of(service, {'/1': [file('/1', half)], '/2': [file('/2', half + b'#')]})
    assert not raised.value.refused


@pytest.mark.slow
def test_specifiers_are_replaced_up_to_a_bound() -> None:
    name = 'k' * 247 + '.service'
    most = MAX_LETTERS // len(name)
    service_of(f'{RUN} {"%n" * most}', name=name)
    with pytest.raises(UnitError, match='^the specifiers of k+.service can expand to more than 1024 KiB of text$'):
        service_of(f'{RUN} {"%n" * most}', 'Environment=A=%n', name=name)


def test_variables_are_replaced_up_to_a_bound() -> None:
    value = 'x' * 1024
    most = MAX_LETTERS // len(value)
    assert len(command(f'{RUN} {"${A}" * most}\nEnvironment=A={value}')[1]) == MAX_LETTERS
    for texts, env in (
        ((f'{RUN} {"${A}" * (most + 1)}\nEnvironment=A={value}',), {}),
        ((f'{RUN} {"${A}" * most}\nEnvironmentFile=/e',), {'/e': f'A={value}'}),
    ):
        with pytest.raises(UnitError, match=f'^the variables of {NAME} can expand to more than 1024 KiB') as raised:
            command(*texts, env=env)
        assert not raised.value.refused


def test_a_command_line_has_a_bound_of_its_own() -> None:
    assert len(command(f'{RUN} {"a " * (MAX_ARGUMENTS - 1)}')) == MAX_ARGUMENTS
    with pytest.raises(UnitError, match=f'^{NAME} has more than {MAX_ARGUMENTS} arguments$') as raised:
        command(f'{RUN} {"a " * MAX_ARGUMENTS}')
    assert not raised.value.refused


def test_a_command_line_may_lose_all_of_its_words() -> None:
    with pytest.raises(UnitError, match=f'^{NAME} has an empty command line$') as raised:
        command('ExecStart=@/k $A')
    assert not raised.value.refused
