# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A systemd service: its unit file and drop-ins as one, and the command line of its next start. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from datadog_checks.kubelet_compliance.kubelet.programs import MAX_ARGUMENTS
from datadog_checks.kubelet_compliance.model import Argument, File, Missing, Unreadable

from .environment_files import read_environment_file
from .systemd_text import Letters, UnitError, iter_assignments, text_again, text_of
from .systemd_words import UnknownVariable, expand_words
from .unit_settings import EnvironmentFile, Service as Service, assign, specifiers_of

Seen = File | Missing | Unreadable

MAX_UNIT_BYTES = 64 * 1024
"""The limit for all unit files and drop-ins of a service, and for all its environment files."""

MAX_LETTERS = 1024 * 1024
"""The limit for the text that specifiers, or variables, can expand to."""

SERVICE = 'Service'
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
"""Patterns that glob(3) matches differently from this check: escapes, classes, and `[^a]`."""
FOLDER_PATTERN = re.compile(r'/\.[^/*?\[]*+[*?\[]')


def read_service(name: str, files: Sequence[Seen]) -> Service:
    """Merge the unit file and its drop-ins, in order. Raises UnitError."""
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
            raise UnitError(f'the specifiers of {name} can expand to more than {MAX_LETTERS // 1024} KiB of text')
        if file is files[0] and not file.data:
            raise UnitError(f'{file.path} is empty, which masks {name}, so systemd does not start it', refused=True)
        try:
            for assignment in iter_assignments(file.path, file.data):
                if assignment.section == SERVICE:
                    assign(service, assignment, specifiers)
        except UnitError as error:
            # In a drop-in, the lines before an invalid line count.
            if not error.refused or file is files[0]:
                raise
    return service


def next_command(service: Service, variables: Mapping[str, Letters]) -> tuple[Argument, ...]:
    """The command line that the service starts with these variables, argv[0] first. Raises UnitError."""
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
            raise UnitError(f'{service.name} uses ${error}, whose value systemd sets') from None
    if not words:
        raise UnitError(f'{service.name} has an empty command line')
    if len(words) > MAX_ARGUMENTS:
        raise UnitError(f'{service.name} has more than {MAX_ARGUMENTS} arguments')
    return tuple(Argument(text_again(text_of(word)), word[0][1] if word else None) for word in words)


def refuse_bombs(service: Service, contents: Mapping[str, Sequence[Seen]]) -> None:
    """Raises UnitError if the variables of a command can expand to far more text than the files contain."""
    files = (file for found in contents.values() for file in found)
    lengths = [*map(len, service.variables.values()), *(len(file.data) for file in files if isinstance(file, File))]
    uses = sum(letter == '$' for command in service.commands for word in command.words for letter, _ in word)
    if uses * max(lengths, default=0) > MAX_LETTERS:
        raise UnitError(f'the variables of {service.name} can expand to more than {MAX_LETTERS // 1024} KiB of text')


USED_VARIABLE = re.compile(r'\$\{([A-Za-z_][A-Za-z0-9_]*)\}|^\$([A-Za-z_][A-Za-z0-9_]*)$')


def unset_variables(service: Service, variables: Mapping[str, Letters]) -> frozenset[str]:
    """The variables that the command uses, and that no file sets and the service does not unset."""
    words = [text_of(word) for command in service.commands[-1:] if command.replaces_variables for word in command.words]
    used = {match[1] or match[2] for text in words for match in USED_VARIABLE.finditer(text)}
    return frozenset(used - variables.keys() - set(service.unset))


def environment_of(service: Service, contents: Mapping[str, Sequence[Seen]]) -> dict[str, Letters]:
    """The variables of a service: those of its files override its own. Without those that it unsets.

    `contents`: the files that match each pattern of an `EnvironmentFile=`. Raises UnitError.
    """
    refuse_bombs(service, contents)
    variables = dict(service.variables)
    room = MAX_UNIT_BYTES
    for wanted in service.files:
        refuse_pattern(wanted)
        found = contents[wanted.pattern]
        if not found and not wanted.optional:
            raise UnitError(f'{wanted.pattern} does not exist, so systemd does not start {service.name}', refused=True)
        for file in found:
            if isinstance(file, Missing) or isinstance(file, Unreadable) and file.absent:
                if not wanted.optional:
                    raise UnitError(
                        f'{file.path} does not exist, so systemd does not start {service.name}', refused=True
                    )
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
    """Raises UnitError if glob(3) could find other files, or the folders `.` and `..` where a file is required."""
    pattern = wanted.pattern
    if OTHER_PATTERN.search(pattern) or not wanted.optional and FOLDER_PATTERN.search(pattern):
        raise UnitError(f'{pattern} is a pattern that this check does not support')


def variables_of(file: File, wanted: EnvironmentFile) -> dict[str, Letters]:
    """The variables of a file; none if it is optional and systemd cannot parse it. Raises UnitError."""
    try:
        return read_environment_file(file.path, file.data)
    except UnitError as error:
        if error.refused and wanted.optional:
            return {}
        raise
