# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads the systemd service that starts a kubelet: where it lies is in `unit_paths.py`, what it means in `units.py`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import groupby

from datadog_checks.kubelet_compliance.launch.option_files import OPTION_VARIABLES
from datadog_checks.kubelet_compliance.launch.systemd_text import WHITESPACE, Letters, UnitError, text_of
from datadog_checks.kubelet_compliance.launch.unit_paths import (
    DROP_IN_ENDING,
    UNIT_FOLDERS,
    drop_in_folders,
    names_of,
    unit_paths,
)
from datadog_checks.kubelet_compliance.launch.units import (
    Seen,
    environment_of,
    next_command,
    read_service,
    unset_variables,
)
from datadog_checks.kubelet_compliance.model import (
    Argument,
    Folder,
    Missing,
    Process,
    Unit,
    Unknown,
    Unreadable,
    is_absent,
)
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.process_root import A_DEVICE

KUBELET_UNIT = 'kubelet.service'
MAX_UNIT_FILES = 64
PATTERN = frozenset('*?[')
UNREAD = Unknown('its files have not been read')
OUTSIDE_OF_SYSTEMD = Unknown(
    'the cgroup of the kubelet names no systemd service, so which unit starts it is not known',
    'leave the rules on the service file out, where systemd does not start the kubelet',
)


@dataclass(frozen=True, slots=True)
class Starter:
    """The unit that starts a process, and its name, which is known also of one that cannot be read."""

    unit: Unit | Unknown | None
    name: str = ''


def read_unit_of(host: Host, process: Process, kubelet_cgroups: str = '') -> Starter:
    """The unit that starts a process: by its cgroup, else the one whose program it is; None in a container.

    `kubelet_cgroups`: the cgroup that the kubelet is told to move to, where that is known.
    """
    place = host.unit_name(process, kubelet_cgroups)
    if isinstance(place, Unknown):
        return Starter(place)
    if place.unit is not None:
        return Starter(read_unit(host, process, place.unit), place.unit)
    if place.has_moved:
        unit = read_unit(host, process, KUBELET_UNIT)
        if isinstance(unit, Unit) and not isinstance(unit.command, Unknown) and unit.command[0].text == process.program:
            return Starter(unit, KUBELET_UNIT)
    return Starter(None if process.container is not None else OUTSIDE_OF_SYSTEMD)


def read_unit(host: Host, process: Process, name: str) -> Unit | Unknown:
    """A service of that name, and the command line of its next start."""
    fragment = next((file for path in unit_paths(name) if not is_gone(file := host.read_file(process, path))), None)
    if fragment is None:
        return Unknown(f'no unit file of {name} was found')
    names = names_of(name, host.real_path(process, fragment.path))
    found = read_drop_ins(host, process, names)
    files: list[Seen] = [file for file in (fragment, *found.in_order()) if not is_absent(file)]
    unit = Unit(
        name,
        tuple(file.path for file in files),
        UNREAD,
        tuple(files),
        unread=tuple(found.unread),
        folders=tuple(found.folders),
        parents=tuple(folder for folder in UNIT_FOLDERS if not is_made_anew(folder)),
    )
    try:
        if is_masked(fragment):
            raise UnitError(f'{fragment.path} is masked, so systemd does not start {name}', refused=True)
        if unit.unread:
            raise UnitError(f'{unit.unread[0].path} could not be read: {unit.unread[0].why}')
        if found.missed and not host.shows_whole_root(process):
            raise UnitError(f'host_root does not hold all folders that systemd looks for {name} in')
        if len(names) > 1 and '@' in name:
            raise UnitError(
                f'{fragment.path} is a link to a unit of another name, which is not supported for templates'
            )
        services = [read_service(each, files) for each in names]
        patterns = dict.fromkeys(each.pattern for service in services for each in service.files)
        contents = {pattern: tuple(iter_matching(host, process, pattern)) for pattern in patterns}
        files.extend(file for found in contents.values() for file in found)
        parents = (*unit.parents, *dict.fromkeys(map(posixpath.dirname, patterns)))
        unit = replace(unit, files=tuple(files), directory=services[0].directory, parents=parents)
        variables, *other_variables = [environment_of(service, contents) for service in services]
        environment = {key: as_argument(variables[key]) for key in OPTION_VARIABLES & variables.keys()}
        unset = unset_variables(services[0], variables)
        unit = replace(unit, environment=environment, places=dict(iter_places(process, variables)), unset=unset)
        command = next_command(services[0], variables)
        if any(next_command(*other) != command for other in zip(services[1:], other_variables, strict=True)):
            raise UnitError(f'{name} and {names[-1]} are one unit, and its specifiers depend on the name')
        return replace(unit, command=command)
    except UnitError as error:
        return replace(unit, command=Unknown(str(error), refused=error.refused))


def with_parent_times(host: Host, process: Process, unit: Unit) -> Unit:
    """The unit with the last change of the folders that a file of it may have been taken out of."""
    times = [host.folder_changed_at(process, folder) for folder in unit.parents]
    return replace(unit, parents_changed_at=max((at for at in times if at is not None), default=None))


def is_made_anew(folder: str) -> bool:
    """Whether systemd itself changes a folder all the time, for other units."""
    return folder.startswith(('/run/systemd/transient', '/run/systemd/generator'))


def as_argument(value: Letters) -> Argument:
    return Argument(text_of(value), str(value[0][1]) if value else '')


def iter_places(process: Process, variables: Mapping[str, Letters]) -> Iterator[tuple[str, str]]:
    """Where an argument of the process stands as a word of a variable."""
    wanted = frozenset(process.arguments or ())
    for value in variables.values():
        for is_space, letters in groupby(value, key=lambda letter: letter[0] in WHITESPACE):
            word = list(letters)
            text = text_of(word)
            if not is_space and text in wanted:
                yield text, str(word[0][1])


def is_masked(answer: object) -> bool:
    """Whether a file is hidden by a link to /dev/null, as systemd's are masked."""
    return isinstance(answer, Unreadable) and answer.absent and answer.why == A_DEVICE


def is_gone(file: Seen) -> bool:
    """Whether nothing is there, not even a mask."""
    return is_absent(file) and not is_masked(file)


@dataclass(slots=True)
class UnitDropIns:
    """The drop-ins of a unit by their names, the folders that were listed, and those that could not be.

    `missed`: those that are missing below host_root, and that the kubelet may see all the same.
    """

    files: dict[str, Seen] = field(default_factory=dict)
    folders: list[Folder] = field(default_factory=list)
    unread: list[Unreadable] = field(default_factory=list)
    missed: list[Unreadable] = field(default_factory=list)

    def in_order(self) -> list[Seen]:
        """As systemd reads them."""
        return [self.files[name] for name in sorted(self.files, key=lambda name: name.encode(errors='surrogateescape'))]


def read_drop_ins(host: Host, process: Process, names: tuple[str, ...]) -> UnitDropIns:
    """Of drop-ins with the same name the one in the first folder counts, also where it is a folder or leads nowhere."""
    found = UnitDropIns()
    for path in drop_in_folders(names):
        folder = host.list_folder(process, path)
        if isinstance(folder, Unreadable):
            (found.missed if is_absent(folder) else found.unread).append(folder)
        if isinstance(folder, Missing | Unreadable):
            continue
        found.folders.append(folder)
        for name in folder.names:
            if name.endswith(DROP_IN_ENDING) and not name.startswith('.') and name not in found.files:
                if len(found.files) == MAX_UNIT_FILES:
                    found.unread.append(Unreadable(path, f'the unit has more than {MAX_UNIT_FILES} drop-ins'))
                    return found
                found.files[name] = host.read_file(process, f'{path}/{name}')
    return found


def iter_matching(host: Host, process: Process, pattern: str) -> Iterator[Seen]:
    """The files that a path or pattern of `EnvironmentFile=` leads to, in the order of their names."""
    if not PATTERN & set(pattern):
        yield host.read_file(process, pattern)
        return
    folder, last = posixpath.split(pattern)
    if PATTERN & set(folder) or '\\' in pattern:
        yield Unreadable(pattern, 'this check does not support a pattern in the name of a folder')
        return
    listed = host.list_folder(process, folder)
    if isinstance(listed, Missing | Unreadable):
        yield listed
        return
    matching = [
        name for name in listed.names if fnmatchcase(name, last) and name.startswith('.') == last.startswith('.')
    ]
    for name in matching[:MAX_UNIT_FILES]:
        yield host.read_file(process, f'{folder}/{name}')
    if len(matching) > MAX_UNIT_FILES:
        yield Unreadable(pattern, f'it matches more than {MAX_UNIT_FILES} files')
