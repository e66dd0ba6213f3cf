# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A systemd service to the command line of its next start, from the texts of its files. Pure.

Follows systemd's src/core/load-fragment.c (`config_parse_exec`, `config_parse_environ`, `config_parse_unit_env_file`)
and src/core/execute.c. What real systemds made of such units is in `tests/truth`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from datadog_checks.kubelet_compliance.kubelet.programs import MAX_ARGUMENTS
from datadog_checks.kubelet_compliance.model import Argument, File, Missing, Unreadable

from .environment_files import NAME, read_environment_file
from .systemd_text import (
    Assignment,
    Letters,
    UnitError,
    is_text,
    iter_assignments,
    text_again,
    text_of,
)
from .systemd_words import (
    BadWord,
    Escapes,
    UnknownVariable,
    expand_words,
    iter_values,
    placed,
    with_specifiers,
)
from .unit_commands import Command, iter_commands, simplified

Seen = File | Missing | Unreadable

MAX_UNIT_BYTES = 64 * 1024
"""All unit files, drop-ins and environment files of a service together."""

MAX_LETTERS = 1024 * 1024
"""What the specifiers, or the variables, of a service may come to."""

SERVICE = 'Service'
TYPES = frozenset({'simple', 'exec', 'forking', 'oneshot', 'dbus', 'notify', 'notify-reload', 'idle'})
OTHER_COMMANDS = frozenset({'ExecCondition', 'ExecStartPre', 'ExecStartPost', 'ExecReload', 'ExecStop', 'ExecStopPost'})
ANOTHER_ROOT = frozenset({'RootDirectory', 'RootImage'})
SET_BY_SYSTEMD = frozenset(
    {
        'PATH', 'LANG', 'LANGUAGE', 'USER', 'LOGNAME', 'HOME', 'SHELL', 'TERM', 'INVOCATION_ID', 'JOURNAL_STREAM',
        'NOTIFY_SOCKET', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'MAINPID', 'MANAGERPID', 'SYSTEMD_EXEC_PID',
        'WATCHDOG_PID', 'WATCHDOG_USEC', 'RUNTIME_DIRECTORY', 'STATE_DIRECTORY', 'CACHE_DIRECTORY', 'LOGS_DIRECTORY',
        'CONFIGURATION_DIRECTORY', 'CREDENTIALS_DIRECTORY', 'LOG_NAMESPACE', 'XDG_RUNTIME_DIR', 'XDG_SESSION_ID',
        'LC_CTYPE', 'LC_NUMERIC', 'LC_TIME', 'LC_COLLATE', 'LC_MONETARY', 'LC_MESSAGES', 'LC_PAPER', 'LC_NAME',
        'LC_ADDRESS', 'LC_TELEPHONE', 'LC_MEASUREMENT', 'LC_IDENTIFICATION', 'LC_ALL', 'REMOTE_ADDR', 'REMOTE_PORT',
        'MEMORY_PRESSURE_WATCH', 'MEMORY_PRESSURE_WRITE', 'PIDFILE', 'FDSTORE', 'MONITOR_SERVICE_RESULT',
        'MONITOR_EXIT_CODE', 'MONITOR_EXIT_STATUS', 'MONITOR_INVOCATION_ID', 'MONITOR_UNIT', 'TRIGGER_UNIT',
        'TRIGGER_PATH', 'TRIGGER_TIMER_REALTIME_USEC', 'TRIGGER_TIMER_MONOTONIC_USEC', 'SYSTEMD_NSS_DYNAMIC_BYPASS',
    }
)  # fmt: skip
"""Variables that systemd sets itself (systemd.exec, "Environment Variables in Spawned Processes")."""

OTHER_PATTERN = re.compile(r'\\|\[[\^\[]|\[[:.=]')
"""Patterns of paths that glob(3) does not take as this check does: escapes, classes, and `[^a]`."""
FOLDER_PATTERN = re.compile(r'/\.[^/*?\[]*+[*?\[]')

ESCAPED = re.compile(r'\\x([0-9a-fA-F]{2})')


@dataclass(frozen=True, slots=True)
class EnvironmentFile:
    """One `EnvironmentFile=`: a path, or a pattern of paths. `optional`: it need not be there."""

    pattern: str
    optional: bool


@dataclass(slots=True)
class Service:
    """The settings of a service that decide its command line."""

    name: str
    type: str = ''
    commands: list[Command] = field(default_factory=list)
    variables: dict[str, Letters] = field(default_factory=dict)
    files: list[EnvironmentFile] = field(default_factory=list)
    unset: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    has_bus_name: bool = False
    directory: str = ''
    """`WorkingDirectory=`: a path, or `~` for the home of the user; '' where it is not set."""


def read_service(name: str, files: Sequence[Seen]) -> Service:
    """The unit file and its drop-ins, in order, as one. Raises UnitError."""
    service = Service(name)
    specifiers = specifiers_of(name)
    room, percents = MAX_UNIT_BYTES, 0
    for file in files:
        if not isinstance(file, File):
            raise UnitError(f'{file.path} could not be read: {file.why}')
        room -= len(file.data)
        if room < 0:
            raise UnitError(f'the files of {name} are larger than {MAX_UNIT_BYTES // 1024} KiB together')
        percents += file.data.count(b'%')
        if percents * len(name) > MAX_LETTERS:
            raise UnitError(f'the specifiers of {name} may bring more than {MAX_LETTERS // 1024} KiB of text')
        if file is files[0] and not file.data:
            raise UnitError(f'{file.path} is empty, which masks {name}, so systemd does not start it', refused=True)
        try:
            for assignment in iter_assignments(file.path, file.data):
                if assignment.section == SERVICE:
                    assign(service, assignment, specifiers)
        except UnitError as error:
            # Of a drop-in, systemd takes what comes before the line that it cannot read.
            if not error.refused or file is files[0]:
                raise
    return service


def specifiers_of(name: str) -> Mapping[str, str | None]:
    """The specifiers of a system service (systemd.unit, "Specifiers"); None where more than its name decides."""
    stem = name.rpartition('.')[0]
    prefix, at, instance = stem.partition('@')
    last = prefix.rpartition('-')[2]
    known: dict[str, str | None] = dict.fromkeys('abBAcdfFglmMHkoqrRsvwWyYD')
    known.update(
        n=name, N=stem, p=prefix, P=unescaped(prefix), i=instance if at else '', I=unescaped(instance),
        j=last, J=unescaped(last) if last else None,
        t='/run', S='/var/lib', C='/var/cache', L='/var/log', E='/etc', T='/tmp', V='/var/tmp',
        u='root', U='0', g='root', G='0', h='/root',
    )  # fmt: skip
    return known


def unescaped(text: str) -> str | None:
    """A part of a unit's name without its escapes; None where one is invalid (unit-name.c, `unit_name_unescape`)."""
    text = text.replace('-', '/')
    plain = ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return None if '\\' in ESCAPED.sub('', text) or not plain.isascii() or '\0' in plain else plain


def assign(service: Service, assignment: Assignment, specifiers: Mapping[str, str | None]) -> None:
    """Take over one setting. Raises UnitError."""
    key, value = assignment.key, assignment.value
    match key:
        case 'ExecStart':
            add_commands(service, value, specifiers)
        case _ if key in OTHER_COMMANDS:
            refuse_bad_commands(value, specifiers)
        case 'Environment':
            if not value:
                service.variables.clear()
            service.variables.update(iter_assigned(value, specifiers))
        case 'EnvironmentFile':
            add_environment_file(service, value, specifiers)
        case 'UnsetEnvironment':
            add_names(service.unset, value, specifiers, Escapes.C)
        case 'PassEnvironment':
            add_names(service.passed, value, specifiers, Escapes.DROPPED)
        case 'Type':
            # An unknown type is ignored.
            service.type = text_of(value) if text_of(value) in TYPES else service.type
        case 'BusName':
            service.has_bus_name = bool(value)
        case 'WorkingDirectory':
            set_directory(service, value, specifiers)
        case _ if key in ANOTHER_ROOT and value:
            raise UnitError(f'{value[0][1]} sets {key}, so the command runs in another root')


def add_commands(service: Service, value: Letters, specifiers: Mapping[str, str | None]) -> None:
    """Raises UnitError at the first one that is bad: those before it stay, which counts in a drop-in."""
    if not value:
        service.commands.clear()
    for command in iter_commands(value, specifiers):
        service.commands.append(command)


def add_names(names: list[str], value: Letters, specifiers: Mapping[str, str | None], escapes: Escapes) -> None:
    if not value:
        names.clear()
    names.extend(text_again(text_of(word)) for word in iter_resolved(value, specifiers, escapes))


def refuse_bad_commands(value: Letters, specifiers: Mapping[str, str | None]) -> None:
    """Of a setting whose commands matter only where systemd does not load a unit because of them."""
    try:
        for _ in iter_commands(value, specifiers):
            pass
    except UnitError as error:
        if error.refused:
            raise


def set_directory(service: Service, value: Letters, specifiers: Mapping[str, str | None]) -> None:
    """Raises UnitError."""
    optional = text_of(value[:1]) == '-'
    value = value[1:] if optional else value
    text = text_of(value)
    if text != '~' and (text or optional):
        try:
            text = simplified(text_of(with_specifiers(value, specifiers)))
        except BadWord:
            text = ''
        if not text and optional:
            return
        if not text:
            raise UnitError(f'{value[0][1]} sets no valid WorkingDirectory, so systemd does not load it', refused=True)
    service.directory = text


def iter_resolved(
    value: Letters, specifiers: Mapping[str, str | None], escapes: Escapes = Escapes.C
) -> Iterator[Letters]:
    """The words, without those whose specifiers are none. Raises UnitError."""
    for word in iter_values(value, escapes):
        try:
            yield with_specifiers(word, specifiers)
        except BadWord:
            continue


def iter_assigned(value: Letters, specifiers: Mapping[str, str | None]) -> Iterator[tuple[str, Letters]]:
    """The variables that one `Environment=` sets. Raises UnitError."""
    for word in iter_resolved(value, specifiers):
        text = text_of(word)
        name, equals, _ = text.partition('=')
        if equals and NAME.fullmatch(name) and is_text(text):
            yield name, placed(word[len(name) + 1 :], name)


def add_environment_file(service: Service, value: Letters, specifiers: Mapping[str, str | None]) -> None:
    """What names no absolute path, or one with `..`, is ignored. Raises UnitError."""
    if not value:
        service.files.clear()
    try:
        text = text_of(with_specifiers(value, specifiers))
    except BadWord:
        return
    pattern = simplified(text.removeprefix('-'))
    if pattern:
        service.files.append(EnvironmentFile(pattern, text.startswith('-')))


def next_command(service: Service, variables: Mapping[str, Letters]) -> tuple[Argument, ...]:
    """The command line that a service with these variables would start with, argv[0] first. Raises UnitError."""
    if not service.commands:
        raise UnitError(f'{service.name} has no command that systemd would start', refused=True)
    if len(service.commands) > 1 and service.type != 'oneshot':
        raise UnitError(f'{service.name} has more than one ExecStart=, so systemd does not load it', refused=True)
    if service.type == 'dbus' and not service.has_bus_name:
        raise UnitError(f'{service.name} has Type=dbus without BusName=, so systemd does not load it', refused=True)
    command = service.commands[-1]
    words = command.words
    if command.replaces_variables:
        hidden = (SET_BY_SYSTEMD | set(service.passed)) - set(variables)
        unset_names = {entry for entry in service.unset if '=' not in entry}
        try:
            words = expand_words(words, variables, hidden - unset_names)
        except UnknownVariable as error:
            raise UnitError(f'{service.name} uses ${error}, whose value comes from systemd itself') from None
    if not words:
        raise UnitError(f'{service.name} has an empty command line')
    if len(words) > MAX_ARGUMENTS:
        raise UnitError(f'{service.name} has more than {MAX_ARGUMENTS} arguments')
    return tuple(Argument(text_again(text_of(word)), str(word[0][1]) if word else '') for word in words)


def refuse_bombs(service: Service, contents: Mapping[str, Sequence[Seen]]) -> None:
    """Raises UnitError where the variables of a command could bring far more text than the files hold."""
    files = (file for found in contents.values() for file in found)
    lengths = [*map(len, service.variables.values()), *(len(file.data) for file in files if isinstance(file, File))]
    uses = sum(letter == '$' for command in service.commands for word in command.words for letter, _ in word)
    if uses * max(lengths, default=0) > MAX_LETTERS:
        raise UnitError(f'the variables of {service.name} may bring more than {MAX_LETTERS // 1024} KiB of text')


USED = re.compile(r'\$\{([A-Za-z_][A-Za-z0-9_]*)\}|^\$([A-Za-z_][A-Za-z0-9_]*)$')


def unset_variables(service: Service, variables: Mapping[str, Letters]) -> frozenset[str]:
    """The variables that the command uses and that neither a file sets nor the service unsets."""
    words = [text_of(word) for command in service.commands[-1:] if command.replaces_variables for word in command.words]
    used = {match[1] or match[2] for text in words for match in USED.finditer(text)}
    return frozenset(used - variables.keys() - set(service.unset))


def environment_of(service: Service, contents: Mapping[str, Sequence[Seen]]) -> dict[str, Letters]:
    """The variables of a service: its files' over its own, without those that it unsets.

    `contents`: the files that each pattern of an `EnvironmentFile=` matches. Raises UnitError.
    """
    refuse_bombs(service, contents)
    variables = dict(service.variables)
    room = MAX_UNIT_BYTES
    for wanted in service.files:
        refuse_pattern(wanted)
        found = contents[wanted.pattern]
        if not found and not wanted.optional:
            raise UnitError(f'{wanted.pattern} is not there, so systemd does not start {service.name}', refused=True)
        for file in found:
            if isinstance(file, Missing) or isinstance(file, Unreadable) and file.absent:
                if not wanted.optional:
                    raise UnitError(f'{file.path} is not there, so systemd does not start {service.name}', refused=True)
                continue
            if isinstance(file, Unreadable):
                raise UnitError(f'{file.path} could not be read: {file.why}')
            room -= len(file.data)
            if room < 0:
                raise UnitError(f'the environment files of {service.name} are larger than {MAX_UNIT_BYTES // 1024} KiB')
            variables.update(variables_of(file, wanted))
    for entry in service.unset:
        name, equals, value = entry.partition('=')
        if name in variables and (not equals or text_again(text_of(variables[name])) == value):
            del variables[name]
    return variables


def refuse_pattern(wanted: EnvironmentFile) -> None:
    """Raises UnitError where glob(3) may find other files, or the folders `.` and `..`, which are no optional ones."""
    pattern = wanted.pattern
    if OTHER_PATTERN.search(pattern) or not wanted.optional and FOLDER_PATTERN.search(pattern):
        raise UnitError(f'{pattern} is a pattern that this check does not support')


def variables_of(file: File, wanted: EnvironmentFile) -> dict[str, Letters]:
    """None of an optional file that systemd cannot read. Raises UnitError."""
    try:
        return read_environment_file(file.path, file.data)
    except UnitError as error:
        if error.refused and wanted.optional:
            return {}
        raise
