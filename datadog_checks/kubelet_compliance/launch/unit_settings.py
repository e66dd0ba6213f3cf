# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The settings of a systemd service that decide its command line, and what each assignment does to them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .environment_files import NAME
from .systemd_text import Assignment, Letters, UnitError, is_text, text_again, text_of
from .systemd_words import BadWord, Escapes, from_variable, iter_values, with_specifiers
from .unit_commands import Command, iter_commands, simplified

TYPES = frozenset({'simple', 'exec', 'forking', 'oneshot', 'dbus', 'notify', 'notify-reload', 'idle'})
OTHER_COMMANDS = frozenset({'ExecCondition', 'ExecStartPre', 'ExecStartPost', 'ExecReload', 'ExecStop', 'ExecStopPost'})
ANOTHER_ROOT = frozenset({'RootDirectory', 'RootImage'})

ESCAPED = re.compile(r'\\x([0-9a-fA-F]{2})')


@dataclass(frozen=True, slots=True)
class EnvironmentFile:
    """One `EnvironmentFile=`: a path, or a pattern of paths. `optional`: a missing file is not an error."""

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
    """`WorkingDirectory=`: a path, or `~` for the home of the user; '' if it is not set."""


def specifiers_of(name: str) -> Mapping[str, str | None]:
    """The values of specifiers (systemd.unit, "Specifiers"); None if a value depends on more than the unit's name."""
    stem = name.rpartition('.')[0]
    prefix, at, instance = stem.partition('@')
    last = prefix.rpartition('-')[2]
    known: dict[str, str | None] = dict.fromkeys('abBAcdfFglmMHkoqrRsvwWyYD')
    known.update(
        n=name, N=stem, p=prefix, P=without_escapes(prefix), i=instance if at else '', I=without_escapes(instance),
        j=last, J=without_escapes(last) if last else None,
        t='/run', S='/var/lib', C='/var/cache', L='/var/log', E='/etc', T='/tmp', V='/var/tmp',
        u='root', U='0', g='root', G='0', h='/root',
    )  # fmt: skip
    return known


def without_escapes(text: str) -> str | None:
    """A part of a unit's name without its escapes; None if one is invalid (unit-name.c, `unit_name_unescape`)."""
    text = text.replace('-', '/')
    plain = ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return None if '\\' in ESCAPED.sub('', text) or not plain.isascii() or '\0' in plain else plain


def assign(service: Service, assignment: Assignment, specifiers: Mapping[str, str | None]) -> None:
    """Apply one assignment. Raises UnitError."""
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
            raise UnitError(f'{value[0][1]} sets {key}, so the command runs in another root directory')


def add_commands(service: Service, value: Letters, specifiers: Mapping[str, str | None]) -> None:
    """Raises UnitError at the first invalid command. In a drop-in, the commands before it still count."""
    if not value:
        service.commands.clear()
    for command in iter_commands(value, specifiers):
        service.commands.append(command)


def add_names(names: list[str], value: Letters, specifiers: Mapping[str, str | None], escapes: Escapes) -> None:
    if not value:
        names.clear()
    names.extend(text_again(text_of(word)) for word in iter_resolved(value, specifiers, escapes))


def refuse_bad_commands(value: Letters, specifiers: Mapping[str, str | None]) -> None:
    """Check the commands of another setting. Raises UnitError if systemd does not load the unit because of them."""
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
    """The words with their specifiers replaced, without words that have an invalid one. Raises UnitError."""
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
            yield name, from_variable(word[len(name) + 1 :], name)


def add_environment_file(service: Service, value: Letters, specifiers: Mapping[str, str | None]) -> None:
    """Add a file. A path that is relative or contains `..` is ignored. Raises UnitError."""
    if not value:
        service.files.clear()
    try:
        text = text_of(with_specifiers(value, specifiers))
    except BadWord:
        return
    pattern = simplified(text.removeprefix('-'))
    if pattern:
        service.files.append(EnvironmentFile(pattern, text.startswith('-')))
