# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The targets that are files of a systemd service."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datadog_checks.kubelet_compliance.launch.environment_files import read_environment_file
from datadog_checks.kubelet_compliance.launch.systemd_text import Letters, UnitError, text_of
from datadog_checks.kubelet_compliance.launch.unit_commands import Command
from datadog_checks.kubelet_compliance.launch.units import Service, read_service
from datadog_checks.kubelet_compliance.model import File
from tests.support.systemd_cases import command_of

from .checks import is_chosen
from .promises import promise

PART = b'\x1e'
UNIT, DROP_IN, ENVIRONMENT = '/etc/u.service', '/etc/u.service.d/1.conf', '/etc/default/u'
NAMES = ('kubelet.service', 'a-b@c\\x2dd-e.service')
VARIABLE = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)?')
SPECIAL, escape = re.compile(r'["\\`$]'), r'\\\g<0>'


def fuzz_units(data: bytes) -> None:
    """A unit, a drop-in, and the environment file that each `EnvironmentFile=` leads to."""
    unit, drop_in, environment = (data.split(PART, 2) + [b'', b''])[:3]
    files = {
        path: File(path, text, 1.0) for path, text in ((UNIT, unit), (DROP_IN, drop_in), (ENVIRONMENT, environment))
    }
    lines = {path: 1 + len(re.findall(rb'[\n\r\0]', file.data)) for path, file in files.items()}
    try:
        service = read_service(NAMES[is_chosen(data, 4)], [files[UNIT], files[DROP_IN]])
        for letters in letters_of(service):
            promise(all(1 <= place.line <= lines[place.path] for _, place in letters), 'a line is not there')
        command = command_of(service, {each.pattern: [files[ENVIRONMENT]] for each in service.files})
    except UnitError:
        return
    promise(bool(command), 'a command has no words')
    for argument in command:
        promise('\0' not in argument.text, 'a word holds a NUL')
        argument.text.encode('utf-8', 'surrogateescape')
        if argument.place is None:
            promise(argument.text == '', f'the word {argument.text!r} has no place')
            continue
        path, line, variable = argument.place
        is_there = 1 <= line <= lines[path] and VARIABLE.fullmatch(variable) is not None
        promise(is_there, f'the place {argument.place}')


def letters_of(service: Service) -> Iterator[Letters]:
    commands: list[Command] = service.commands
    yield from (word for command in commands for word in command.words)
    yield from service.variables.values()


def fuzz_environment_files(data: bytes) -> None:
    """An environment file, which says the same again when each value of it is quoted."""
    try:
        found = read_environment_file(ENVIRONMENT, data)
    except UnitError:
        return
    for name, value in found.items():
        promise(re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', name) is not None, f'the name {name!r}')
        for _, place in value:
            promise(1 <= place.line <= 1 + data.count(b'\n') and place.variable == name, f'the place {place}')
    values = {name: text_of(value) for name, value in found.items()}
    quoted = ''.join(f'{name}="{SPECIAL.sub(escape, text)}"\n' for name, text in values.items())
    again = read_environment_file(ENVIRONMENT, quoted.encode())
    promise({name: text_of(value) for name, value in again.items()} == values, 'the values in quotes are others')
