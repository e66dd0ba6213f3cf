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

from .environment_files import NAME, read_environment_file
from .model import Argument, File, Missing, Unreadable
from .names import MAX_ARGUMENTS
from .systemd_text import WHITESPACE, Assignment, Letters, UnitError, iter_assignments, text_of
from .systemd_words import (
    BadWord,
    UnknownVariable,
    expand_words,
    iter_values,
    next_argument,
    placed,
    with_specifiers,
)

Seen = File | Missing | Unreadable

MAX_UNIT_BYTES = 64 * 1024
"""All unit files, drop-ins and environment files of a service together."""

MAX_LETTERS = 1024 * 1024
"""What the specifiers, or the variables, of a service may come to."""

SERVICE = 'Service'
TYPES = frozenset({'simple', 'exec', 'forking', 'oneshot', 'dbus', 'notify', 'notify-reload', 'idle'})
ANOTHER_ROOT = frozenset({'RootDirectory', 'RootImage'})
SET_BY_SYSTEMD = frozenset(
    {
        'PATH', 'LANG', 'LANGUAGE', 'USER', 'LOGNAME', 'HOME', 'SHELL', 'TERM', 'INVOCATION_ID', 'JOURNAL_STREAM',
        'NOTIFY_SOCKET', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'MAINPID', 'MANAGERPID', 'SYSTEMD_EXEC_PID',
        'WATCHDOG_PID', 'WATCHDOG_USEC', 'RUNTIME_DIRECTORY', 'STATE_DIRECTORY', 'CACHE_DIRECTORY', 'LOGS_DIRECTORY',
        'CONFIGURATION_DIRECTORY', 'CREDENTIALS_DIRECTORY', 'LOG_NAMESPACE', 'XDG_RUNTIME_DIR', 'XDG_SESSION_ID',
        'LC_CTYPE', 'LC_NUMERIC', 'LC_TIME', 'LC_COLLATE', 'LC_MONETARY', 'LC_MESSAGES', 'LC_PAPER', 'LC_NAME',
        'LC_ADDRESS', 'LC_TELEPHONE', 'LC_MEASUREMENT', 'LC_IDENTIFICATION', 'LC_ALL', 'REMOTE_ADDR', 'REMOTE_PORT',
        'MEMORY_PRESSURE_WATCH', 'MEMORY_PRESSURE_WRITE', 'PIDFILE', 'FDSTORE',
    }
)  # fmt: skip
"""Variables that systemd sets itself (systemd.exec, "Environment Variables in Spawned Processes")."""

ESCAPED = re.compile(r'\\x([0-9a-fA-F]{2})')


@dataclass(frozen=True, slots=True)
class EnvironmentFile:
    """One `EnvironmentFile=`: a path, or a pattern of paths. `optional`: it need not be there."""

    pattern: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Command:
    """One command of `ExecStart=` before its variables are replaced. `words`: argv, its first word included."""

    program: str
    words: list[Letters]
    replaces_variables: bool


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
    directory: str = ''
    """`WorkingDirectory=`; '' where it is not set, or not absolute."""


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
    known: dict[str, str | None] = dict.fromkeys('abBAcdfFglmMHkoqrRsvwWyYD')
    known.update(
        n=name, N=stem, p=prefix, P=unescaped(prefix), i=instance if at else '', I=unescaped(instance),
        j=prefix.rpartition('-')[2], J=unescaped(prefix.rpartition('-')[2]),
        t='/run', S='/var/lib', C='/var/cache', L='/var/log', E='/etc', T='/tmp', V='/var/tmp',
        u='root', U='0', g='root', G='0', h='/root',
    )  # fmt: skip
    return known


def unescaped(text: str) -> str | None:
    """A part of a unit's name without its escapes; None where one is invalid (unit-name.c, `unit_name_unescape`)."""
    text = text.replace('-', '/')
    plain = ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return None if '\\' in ESCAPED.sub('', text) or not plain.isascii() else plain


def assign(service: Service, assignment: Assignment, specifiers: Mapping[str, str | None]) -> None:
    """Take over one setting. Raises UnitError."""
    key, value = assignment.key, assignment.value
    match key:
        case 'ExecStart':
            if value:
                service.commands.extend(iter_commands(value, specifiers))
            else:
                service.commands.clear()
        case 'Environment':
            if not value:
                service.variables.clear()
            service.variables.update(iter_assigned(value, specifiers))
        case 'EnvironmentFile':
            add_environment_file(service, text_of(with_specifiers(value, specifiers)))
        case 'UnsetEnvironment' | 'PassEnvironment':
            names = service.unset if key == 'UnsetEnvironment' else service.passed
            if not value:
                names.clear()
            names.extend(text_of(word) for word in iter_until_bad(value, specifiers))
        case 'Type':
            # An unknown type is ignored.
            service.type = text_of(value) if text_of(value) in TYPES else service.type
        case 'WorkingDirectory':
            service.directory = text_of(with_specifiers(value, specifiers))
        case _ if key in ANOTHER_ROOT and value:
            raise UnitError(f'{value[0][1]} sets {key}, so the command runs in another root')


def iter_until_bad(value: Letters, specifiers: Mapping[str, str | None]) -> Iterator[Letters]:
    """The words up to the first that systemd ignores, with all behind it. Raises UnitError."""
    words = iter_values(value)
    while True:
        try:
            word = next(words, None)
        except BadWord:
            return
        if word is None:
            return
        yield with_specifiers(word, specifiers)


def iter_assigned(value: Letters, specifiers: Mapping[str, str | None]) -> Iterator[tuple[str, Letters]]:
    """The variables that one `Environment=` sets. Raises UnitError."""
    for word in iter_until_bad(value, specifiers):
        text = text_of(word)
        name, equals, _ = text.partition('=')
        is_text = not any('\udc80' <= letter <= '\udcff' for letter in text)
        if equals and NAME.fullmatch(name) and is_text:
            yield name, placed(word[len(name) + 1 :], name)


def add_environment_file(service: Service, path: str) -> None:
    if not path:
        service.files.clear()
        return
    optional = path.startswith('-')
    pattern = path[1:] if optional else path
    if pattern.startswith('/'):
        service.files.append(EnvironmentFile(pattern, optional))


def iter_commands(value: Letters, specifiers: Mapping[str, str | None]) -> Iterator[Command]:
    """The commands of one `ExecStart=`, which a word `;` separates. Raises UnitError."""
    position = 0
    while True:
        try:
            first, position = next_argument(value, position)
        except BadWord:
            return
        if first is None:
            return
        if text_of(first) == ';':
            continue
        prefix, rest = split_prefix(first)
        try:
            words, position, goes_on = words_of_command(value, position, specifiers)
            yield command_of(prefix, with_specifiers(rest, specifiers), words)
        except BadWord:
            if '-' in prefix:
                return
            raise UnitError(
                f'{value[0][1]} is an invalid command line, so systemd does not load it', refused=True
            ) from None
        if not goes_on:
            return


def split_prefix(word: Letters) -> tuple[str, Letters]:
    """The special characters before a program, and the rest."""
    prefix = ''
    for letter, _ in word:
        once = letter in '-@:' and letter not in prefix
        privilege = letter == '+' and not set('+!') & set(prefix)
        twice = letter == '!' and '+' not in prefix and prefix.count('!') < 2
        if not (once or privilege or twice):
            break
        prefix += letter
    return prefix, word[len(prefix) :]


def command_of(prefix: str, program: Letters, words: list[Letters]) -> Command:
    """Raises BadWord."""
    path = text_of(program)
    words = words if '@' in prefix else [program, *words]
    if not path or path.endswith('/') or not words or not words[0] or not path.isprintable():
        raise BadWord
    if not path.startswith('/') and '/' in path:
        raise BadWord
    return Command(path, words, ':' not in prefix)


def words_of_command(
    value: Letters, position: int, specifiers: Mapping[str, str | None]
) -> tuple[list[Letters], int, bool]:
    """The words behind a program, where they end, and whether another command follows. Raises BadWord, UnitError."""
    words: list[Letters] = []
    while position < len(value):
        ahead = text_of(value[position : position + 3])
        if ahead[0] == ';' and ahead[1:2].strip(WHITESPACE) == '':
            return words, position + 1, True
        if ahead.startswith('\\;') and ahead[2:3].strip(WHITESPACE) == '':
            words.append([value[position + 1]])
            position += 2
            while position < len(value) and value[position][0] in WHITESPACE:
                position += 1
            continue
        word, position = next_argument(value, position)
        if word is not None:
            words.append(with_specifiers(word, specifiers))
    return words, position, False


def next_command(service: Service, contents: Mapping[str, Sequence[Seen]]) -> tuple[Argument, ...]:
    """The command line that a service would start with, argv[0] first.

    `contents`: the files that each pattern of an `EnvironmentFile=` matches. Raises UnitError.
    """
    if not service.commands:
        raise UnitError(f'{service.name} has no command that systemd would start', refused=True)
    if len(service.commands) > 1 and service.type != 'oneshot':
        raise UnitError(f'{service.name} has more than one ExecStart=, so systemd does not load it', refused=True)
    refuse_bombs(service, contents)
    command = service.commands[-1]
    words = command.words
    if command.replaces_variables:
        variables = environment_of(service, contents)
        hidden = (SET_BY_SYSTEMD | set(service.passed)) - set(variables)
        unset_names = {entry for entry in service.unset if '=' not in entry}
        try:
            words = expand_words(words, variables, hidden - unset_names)
        except UnknownVariable as error:
            raise UnitError(f'{service.name} uses ${error}, whose value comes from systemd itself') from None
    else:
        environment_of(service, contents)
    if not words:
        raise UnitError(f'{service.name} has an empty command line')
    if len(words) > MAX_ARGUMENTS:
        raise UnitError(f'{service.name} has more than {MAX_ARGUMENTS} arguments')
    return tuple(Argument(text_again(word), str(word[0][1]) if word else '') for word in words)


def text_again(word: Letters) -> str:
    """The text of a word; bytes that were written one by one may make up a character together."""
    return text_of(word).encode('utf-8', 'surrogateescape').decode('utf-8', 'surrogateescape')


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
    """The variables of a service: its files' over its own, without those that it unsets. Raises UnitError."""
    variables = dict(service.variables)
    room = MAX_UNIT_BYTES
    for wanted in service.files:
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
            variables.update(read_environment_file(file.path, file.data))
    for entry in service.unset:
        name, equals, value = entry.partition('=')
        if name in variables and (not equals or text_of(variables[name]) == value):
            del variables[name]
    return variables
