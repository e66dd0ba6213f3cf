# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files of a systemd service to the unit that they make: which of them count, and what its next start runs. Pure.

The files are read by `collection/services.py`, in the order in which this module asks for them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import groupby

from datadog_checks.kubelet_compliance.model import (
    Argument,
    Folder,
    Missing,
    Place,
    Unit,
    Unknown,
    Unreadable,
    is_absent,
)

from .option_files import OPTION_VARIABLES
from .systemd_text import WHITESPACE, Letters, UnitError, text_of
from .unit_paths import DROP_IN_ENDING, UNIT_FOLDERS
from .units import Seen, Service, environment_of, next_command, read_service, unset_variables

MAX_UNIT_FILES = 64
WILDCARDS = frozenset('*?[')


@dataclass(frozen=True, slots=True)
class ChosenDropIns:
    """The drop-ins of a unit that count, in the order in which systemd reads them, and the folders they are from.

    `unread`: folders that could not be listed. `missed`: folders that are missing below host_root, and that the
    kubelet may still see.
    """

    paths: tuple[str, ...] = ()
    folders: tuple[Folder, ...] = ()
    unread: tuple[Unreadable, ...] = ()
    missed: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceFiles:
    """What was read of a service. `names`: all names that its unit file has. `drop_ins`: the files of `chosen`."""

    name: str
    names: tuple[str, ...]
    unit_file: Seen
    chosen: ChosenDropIns = field(default_factory=ChosenDropIns)
    drop_ins: tuple[Seen, ...] = ()
    is_masked: bool = False
    is_whole: bool = True
    """Whether a folder that is missing is known to be missing for systemd too."""

    @property
    def present(self) -> tuple[Seen, ...]:
        """The unit file and its drop-ins, without links that lead nowhere."""
        return tuple(file for file in (self.unit_file, *self.drop_ins) if not is_absent(file))


def choose_drop_ins(listings: Iterable[Folder | Missing | Unreadable]) -> ChosenDropIns:
    """Which drop-ins count. `listings`: of the folders, the first one first.

    Of drop-ins with the same name, the one in the first folder counts, even if it is a folder or leads nowhere.
    """
    paths: dict[str, str] = {}
    folders: list[Folder] = []
    unread: list[Unreadable] = []
    missed: list[Unreadable] = []
    for listing in listings:
        if isinstance(listing, Unreadable):
            (missed if is_absent(listing) else unread).append(listing)
        if isinstance(listing, Missing | Unreadable):
            continue
        folders.append(listing)
        new = [name for name in listing.names if is_drop_in(name) and name not in paths]
        room = MAX_UNIT_FILES - len(paths)
        paths.update((name, f'{listing.path}/{name}') for name in new[:room])
        if len(new) > room:
            unread.append(Unreadable(listing.path, f'the unit has more than {MAX_UNIT_FILES} drop-ins'))
            break
    ordered = sorted(paths, key=lambda name: name.encode(errors='surrogateescape'))
    return ChosenDropIns(tuple(paths[name] for name in ordered), tuple(folders), tuple(unread), tuple(missed))


def is_drop_in(name: str) -> bool:
    return name.endswith(DROP_IN_ENDING) and not name.startswith('.')


def services_of(files: ServiceFiles) -> tuple[Service, ...] | Unknown:
    """The settings of a service, once for each of its names; Unknown where systemd or this check would not load it."""
    try:
        return tuple(iter_services(files))
    except UnitError as error:
        return unknown(error)


def iter_services(files: ServiceFiles) -> Iterator[Service]:
    """Raises UnitError."""
    name, path, unread = files.name, files.unit_file.path, files.chosen.unread
    if files.is_masked:
        raise UnitError(f'{path} is masked, so systemd does not start {name}', refused=True)
    if unread:
        raise UnitError(f'could not read {unread[0].path}: {unread[0].why}')
    if not files.is_whole:
        raise UnitError(f'host_root does not show all folders that may contain files of {name}')
    if len(files.names) > 1 and '@' in name:
        raise UnitError(
            f'{path} is a link to a unit with another name, which this check does not support for templates'
        )
    for each in files.names:
        yield read_service(each, files.present)


def unknown(error: UnitError) -> Unknown:
    return Unknown(str(error), refused=error.refused)


def environment_patterns(services: Sequence[Service]) -> tuple[str, ...]:
    """The paths and patterns of all `EnvironmentFile=`, each once."""
    return tuple(dict.fromkeys(each.pattern for service in services for each in service.files))


def has_wildcards(pattern: str) -> bool:
    return bool(WILDCARDS & set(pattern))


def folder_of(pattern: str) -> str | Unreadable:
    """The folder in which the files lie that a pattern matches."""
    folder = posixpath.dirname(pattern)
    if has_wildcards(folder) or '\\' in pattern:
        return Unreadable(pattern, 'this check does not support a wildcard in the name of a folder')
    return folder


def matching_names(pattern: str, names: Iterable[str]) -> list[str]:
    """The names in its folder that a pattern matches, in the order given."""
    last = posixpath.basename(pattern)
    return [name for name in names if fnmatchcase(name, last) and name.startswith('.') == last.startswith('.')]


def unit_from(
    files: ServiceFiles,
    services: Sequence[Service] | Unknown,
    contents: Mapping[str, Sequence[Seen]],
    arguments: Sequence[str],
) -> Unit:
    """The unit that the files make.

    `contents`: the files of each pattern of `environment_patterns`. `arguments`: those of the running process.
    """
    directory, parents = '', tuple(folder for folder in UNIT_FOLDERS if not changes_by_itself(folder))
    variables: dict[str, Letters] = {}
    unset: frozenset[str] = frozenset()
    if isinstance(services, Unknown):
        command: tuple[Argument, ...] | Unknown = services
    else:
        directory = services[0].directory
        parents = (*parents, *dict.fromkeys(map(posixpath.dirname, contents)))
        environments = environments_of(services, contents)
        if isinstance(environments, Unknown):
            command = environments
        else:
            variables = environments[0]
            unset = unset_variables(services[0], variables)
            command = command_of(files, services, environments)
    return Unit(
        files.name,
        tuple(file.path for file in files.present),
        command,
        (*files.present, *(file for found in contents.values() for file in found)),
        {name: variable_of(variables[name]) for name in OPTION_VARIABLES & variables.keys()},
        dict(iter_places(frozenset(arguments), variables)),
        directory,
        files.chosen.unread,
        unset,
        files.chosen.folders,
        parents,
    )


def changes_by_itself(folder: str) -> bool:
    """Whether systemd changes a folder all the time, for other units."""
    return folder.startswith(('/run/systemd/transient', '/run/systemd/generator'))


def environments_of(
    services: Sequence[Service], contents: Mapping[str, Sequence[Seen]]
) -> list[dict[str, Letters]] | Unknown:
    """The variables of a service under each of its names."""
    try:
        return [environment_of(service, contents) for service in services]
    except UnitError as error:
        return unknown(error)


def command_of(
    files: ServiceFiles, services: Sequence[Service], environments: Sequence[Mapping[str, Letters]]
) -> tuple[Argument, ...] | Unknown:
    """The command line of the next start, where it is the same under each name of the service."""
    try:
        command, *others = map(next_command, services, environments)
        if any(other != command for other in others):
            names = files.names
            raise UnitError(f'{files.name} and {names[-1]} are one unit, and its specifiers depend on the name')
        return command
    except UnitError as error:
        return unknown(error)


def variable_of(value: Letters) -> Argument:
    return Argument(text_of(value), value[0][1] if value else None)


def iter_places(arguments: frozenset[str], variables: Mapping[str, Letters]) -> Iterator[tuple[str, Place]]:
    """Where an argument of the process stands as a word of a variable."""
    for value in variables.values():
        for is_space, letters in groupby(value, key=lambda letter: letter[0] in WHITESPACE):
            word = list(letters)
            text = text_of(word)
            if not is_space and text in arguments:
                yield text, word[0][1]
