# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Settings that systemd ignores in part, or that keep it from loading a unit, and the paths in them."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.launch.systemd_text import UnitError
from datadog_checks.kubelet_compliance.launch.unit_commands import simplified
from datadog_checks.kubelet_compliance.launch.units import EnvironmentFile, Service, read_service, specifiers_of
from datadog_checks.kubelet_compliance.model import File
from tests.support.systemd_cases import command_of

NAME = 'kubelet.service'
UNIT = '/usr/lib/systemd/system/kubelet.service'
DROP_IN = '/etc/systemd/system/kubelet.service.d/10.conf'
ENVIRONMENT = '/etc/default/kubelet'
RUN = 'ExecStart=/k $A ${B}'


def service_of(text: str, drop_in: str = '') -> Service:
    texts = {UNIT: text, DROP_IN: drop_in}
    return read_service(NAME, [File(path, f'[Service]\n{each}\n'.encode(), None) for path, each in texts.items()])


def command(text: str, drop_in: str = '', environment: bytes = b'') -> list[str]:
    service = service_of(text, drop_in)
    contents = {each.pattern: [File(ENVIRONMENT, environment, None)] for each in service.files}
    return [argument.text for argument in command_of(service, contents)]


@pytest.mark.parametrize(
    'path, expected',
    [
        ('/a', '/a'),
        ('//a///b/', '/a/b'),
        ('/./a/././b/.', '/a/b'),
        ('/', '/'),
        ('/a/..b/...', '/a/..b/...'),
        ('/\u00e9 x', '/\u00e9 x'),
        ('/' + 'a' * 255, '/' + 'a' * 255),
        ('/' + 'a' * 256, ''),
        ('/' + '\u00e9' * 128, ''),
        ('/a' * 2047, '/a' * 2047),
        ('/a' * 2048, ''),
        ('', ''),
        ('a', ''),
        ('./a', ''),
        ('/..', ''),
        ('/a/../b', ''),
        ('/\udcff', ''),
        ('/\uffff', ''),
    ],
)
def test_a_path_loses_what_adds_nothing_and_an_invalid_one_is_none(path: str, expected: str) -> None:
    assert simplified(path) == expected


@pytest.mark.parametrize(
    'value, expected',
    [
        ('/a', [('/a', False)]),
        ('-/a', [('/a', True)]),
        ('/a//./b/', [('/a/b', False)]),
        ('/%p%%', [('/kubelet%', False)]),
        ('--/a', []),
        ('- /a', []),
        ('-', []),
        ('a', []),
        ('/a/../b', []),
        ('/%z', []),
        ('-/%z', []),
        ('/a\nEnvironmentFile=', []),
        ('/a\nEnvironmentFile=b', [('/a', False)]),
    ],
)
def test_an_environment_file_without_a_valid_path_is_ignored(value: str, expected: list[tuple[str, bool]]) -> None:
    assert service_of(f'EnvironmentFile={value}').files == [EnvironmentFile(*each) for each in expected]


@pytest.mark.parametrize(
    'setting, expected',
    [
        ('A=1 B=%z C=3', ['/k', '1', '']),
        ('%z A=1', ['/k', '1', '']),
        ('A=1 "B=2', ['/k', '1', '']),
        ('A=1 \\q B=2', ['/k', '1', '']),
        ('A=1 B=\\xc3\\xa9', ['/k', '1', '\u00e9']),
        ('A=1 B=\\xff', ['/k', '1', '']),
        ('A=1 B=\\ufffe', ['/k', '1', '']),
        ('A=1 B=\\ufffd', ['/k', '1', '\ufffd']),
    ],
)
def test_a_variable_that_is_none_is_ignored_by_itself(setting: str, expected: list[str]) -> None:
    assert command(f'Environment={setting}\n{RUN}') == expected


@pytest.mark.parametrize(
    'setting, expected',
    [
        ('UnsetEnvironment=%z A', ['/k', 'x']),
        ('UnsetEnvironment=A "B', ['/k', 'x']),
        ('UnsetEnvironment=B=\\xc3\\xa9', ['/k', '1', 'x']),
        ('UnsetEnvironment=B=x', ['/k', '1', '']),
        ('UnsetEnvironment=A=\\x31', ['/k', 'x']),
        ('UnsetEnvironment=A\\qB', ['/k', '1', 'x']),
        ('PassEnvironment=A B', ['/k', '1', 'x']),
    ],
)
def test_of_names_those_that_are_none_are_ignored(setting: str, expected: list[str]) -> None:
    assert command(f'Environment=A=1 B=x\n{setting}\n{RUN}') == expected


def test_a_variable_is_unset_by_its_value_however_that_is_written() -> None:
    assert command(f'Environment=A=\\xc3\\xa9 B=2\nUnsetEnvironment=A=\u00e9\n{RUN}') == ['/k', '2']


@pytest.mark.parametrize('names', ['A', '\\A', '"A"', 'Q\\ A A', '\\q A'])
def test_a_passed_variable_is_not_known_and_a_backslash_before_its_letters_is_left_out(names: str) -> None:
    with pytest.raises(UnitError, match='uses \\$A, whose value systemd sets'):
        command(f'PassEnvironment={names}\n{RUN}')


@pytest.mark.parametrize('names', ['"A', '\\x41', 'A\nPassEnvironment='])
def test_a_variable_that_is_not_passed_is_empty(names: str) -> None:
    assert command(f'PassEnvironment={names}\nEnvironment=B=2\n{RUN}') == ['/k', '2']


OTHERS = ('ExecCondition', 'ExecStartPre', 'ExecStartPost', 'ExecReload', 'ExecStop', 'ExecStopPost')
BAD = ('/a/', 'a/b', '/a "', '/a %z', '%z', '/a ; /b/', '/a\\\\b')


@pytest.mark.parametrize('value', BAD)
@pytest.mark.parametrize('key', [*OTHERS, 'ExecStart'])
def test_a_bad_command_of_any_kind_keeps_a_unit_from_being_loaded(key: str, value: str) -> None:
    with pytest.raises(UnitError, match=f'^{UNIT}:3 .*, so systemd does not load it$') as raised:
        service_of(f'ExecStart=/k\n{key}={value}')
    assert raised.value.refused


@pytest.mark.parametrize('value', ['', '/a', '-/a/', '-/a %z', '/a %H', '"', '/a ; /b'])
@pytest.mark.parametrize('key', OTHERS)
def test_other_commands_do_not_count(key: str, value: str) -> None:
    assert command(f'ExecStart=/k 1\n{key}={value}') == ['/k', '1']


@pytest.mark.parametrize('line', [*(f'{key}=/a/' for key in OTHERS), 'Foo=\ufffe', '["]', 'WorkingDirectory=a'])
def test_a_drop_in_ends_at_a_line_that_systemd_does_not_read(line: str) -> None:
    assert command('ExecStart=/k', f'ExecStart=\nExecStart=/k 1\n{line}\nExecStart=\nExecStart=/k 2') == ['/k', '1']


def test_of_a_bad_line_in_a_drop_in_the_commands_before_the_bad_one_count() -> None:
    assert command('ExecStart=/k', 'Type=oneshot\nExecStart=/k 1 ; /k 2 ; /k/ ; /k 3') == ['/k', '2']


@pytest.mark.parametrize('value', ['a', '/a/../b', '/%z', './a', '/' + 'a' * 256])
def test_a_working_directory_that_is_none_keeps_a_unit_from_being_loaded(value: str) -> None:
    with pytest.raises(UnitError, match=f'^{UNIT}:2 sets no valid WorkingDirectory, so systemd does not') as raised:
        service_of(f'WorkingDirectory={value}')
    assert raised.value.refused


@pytest.mark.parametrize('data', [b'A=1\0', b'A=1\nB=\xff', b'A=1\n\xff=1', b'A=1\nB=\xef\xbf\xbf'])
def test_an_environment_file_that_systemd_cannot_read_counts_as_one_that_is_not_there(data: bytes) -> None:
    assert command(f'EnvironmentFile=-{ENVIRONMENT}\nEnvironment=B=2\n{RUN}', environment=data) == ['/k', '2']
    with pytest.raises(UnitError, match='so systemd does not read it$') as raised:
        command(f'EnvironmentFile={ENVIRONMENT}\n{RUN}', environment=data)
    assert raised.value.refused


def test_an_optional_file_that_releases_read_differently_is_unknown() -> None:
    with pytest.raises(UnitError, match='which systemd releases read differently') as raised:
        command(f'EnvironmentFile=-{ENVIRONMENT}\n{RUN}', environment=b'#x\\\nA=1')
    assert not raised.value.refused


@pytest.mark.parametrize(
    'pattern', ['/e\\0', '/[^a]', '/[[:alpha:]]', '/a[b[=c=]]', '-/\\*', '/a/.*', '/a/.[ab]', '/.?', '/[a[.-.]]']
)
def test_a_pattern_that_glob_reads_otherwise_is_unknown(pattern: str) -> None:
    with pytest.raises(UnitError, match='is a pattern that this check does not support$') as raised:
        command(f'EnvironmentFile={pattern}\n{RUN}')
    assert not raised.value.refused


@pytest.mark.parametrize('pattern', ['/[!a]', '/e*', '/e?', '/.e', '-/.*', '/a.*', '/a]^'])
def test_other_patterns_are_read(pattern: str) -> None:
    assert command(f'EnvironmentFile={pattern}\n{RUN}', environment=b'A=1') == ['/k', '1', '']


@pytest.mark.parametrize('text', ['Type=dbus', 'Type=dbus\nBusName=a.b\nBusName='])
def test_a_service_of_the_bus_needs_a_name_there(text: str) -> None:
    with pytest.raises(UnitError, match='has Type=dbus without BusName=') as raised:
        command(f'{text}\nExecStart=/k')
    assert raised.value.refused
    assert command(f'{text}\nBusName=a.b\nExecStart=/k') == ['/k']


def test_an_empty_unit_file_is_a_mask_and_an_empty_drop_in_is_none() -> None:
    run = File(DROP_IN, b'[Service]\nExecStart=/k\n', None)
    with pytest.raises(UnitError, match=f'^{UNIT} is empty, which masks {NAME}') as raised:
        read_service(NAME, [File(UNIT, b'', None), run])
    assert raised.value.refused
    service = read_service(NAME, [File(UNIT, b'\n', None), File(f'{DROP_IN}/1', b'', None), run])
    assert [argument.text for argument in command_of(service, {})] == ['/k']


@pytest.mark.parametrize('name, letter', [('a-.service', 'J'), ('a@\\x00.service', 'I'), ('a\\x.service', 'P')])
def test_a_part_of_a_name_that_systemd_does_not_unescape_has_no_known_value(name: str, letter: str) -> None:
    assert specifiers_of(name)[letter] is None
