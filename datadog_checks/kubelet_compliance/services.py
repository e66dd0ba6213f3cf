# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads the systemd service that starts a kubelet: where it lies is in `unit_paths.py`, what it means in `units.py`."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from .host import Host, is_absent, is_masked
from .model import File, Folder, Missing, Process, Unit, Unknown, Unreadable
from .systemd_text import UnitError
from .unit_paths import DROP_IN_ENDING, drop_in_folders, names_of, unit_paths
from .units import Seen, Service, next_command, read_service

KUBELET_UNIT = 'kubelet.service'
MAX_UNIT_FILES = 64
MAX_LETTERS = 1024 * 1024
PATTERN = frozenset('*?[')
UNREAD = Unknown('its files have not been read')
OUTSIDE_OF_SYSTEMD = Unknown(
    'the cgroup of the kubelet names no systemd service, so which unit starts it is not known',
    'leave the rules on the service file out, where systemd does not start the kubelet',
)


def read_unit_of(host: Host, process: Process, kubelet_cgroups: Callable[[], str]) -> Unit | Unknown | None:
    """The unit that starts a process: by its cgroup, else the one whose program it is; None in a container.

    `kubelet_cgroups`: tells the cgroup that the kubelet is told to move to, which only its configuration says.
    """
    place = host.unit_name(process, '')
    if isinstance(place, Unknown):
        return place
    if place.unit is not None:
        return read_unit(host, process, place.unit)
    place = host.unit_name(process, kubelet_cgroups())
    if isinstance(place, Unknown):
        return place
    if place.has_moved:
        unit = read_unit(host, process, KUBELET_UNIT)
        if isinstance(unit, Unit) and not isinstance(unit.command, Unknown) and unit.command[0].text == process.program:
            return unit
    return None if process.container is not None else OUTSIDE_OF_SYSTEMD


def read_unit(host: Host, process: Process, name: str) -> Unit | Unknown:
    """A service of that name, and the command line of its next start."""
    fragment = next((file for path in unit_paths(name) if not is_gone(file := host.read_file(process, path))), None)
    if fragment is None:
        return Unknown(f'no unit file of {name} was found')
    found = read_drop_ins(host, process, names_of(name, host.real_path(process, fragment.path)))
    unread = tuple(found.unread)
    files: list[Seen] = [file for file in (fragment, *found.in_order()) if not is_masked(file)]
    unit = Unit(
        name,
        tuple(file.path for file in files),
        UNREAD,
        tuple(files),
        unread=unread,
        folders=tuple(found.folders),
    )
    try:
        if is_masked(fragment):
            raise UnitError(f'{fragment.path} is masked, so systemd does not start {name}')
        if unread:
            raise UnitError(f'{unread[0].path} could not be read: {unread[0].why}')
        if len(name) * sum(file.data.count(b'%') for file in files if isinstance(file, File)) > MAX_LETTERS:
            raise UnitError(f'the specifiers of {name} may bring more than {MAX_LETTERS // 1024} KiB of text')
        service = read_service(name, files)
        contents = {each.pattern: tuple(iter_matching(host, process, each.pattern)) for each in service.files}
        files.extend(file for found in contents.values() for file in found)
        unit = replace(unit, files=tuple(files), directory=service.directory)
        refuse_bombs(service, contents)
        return replace(unit, command=next_command(service, contents))
    except UnitError as error:
        return replace(unit, command=Unknown(str(error)))


def refuse_bombs(service: Service, contents: Mapping[str, Sequence[Seen]]) -> None:
    """Raises UnitError where the variables of a command could bring far more text than the files hold."""
    files = (file for found in contents.values() for file in found)
    lengths = [*map(len, service.variables.values()), *(len(file.data) for file in files if isinstance(file, File))]
    uses = sum(letter == '$' for command in service.commands for word in command.words for letter, _ in word)
    if uses * max(lengths, default=0) > MAX_LETTERS:
        raise UnitError(f'the variables of {service.name} may bring more than {MAX_LETTERS // 1024} KiB of text')


def is_gone(file: Seen) -> bool:
    """Whether nothing is there, not even a mask."""
    return is_absent(file) and not is_masked(file)


@dataclass(slots=True)
class UnitDropIns:
    """The drop-ins of a unit by their names, the folders that were listed, and those that could not be."""

    files: dict[str, Seen] = field(default_factory=dict)
    folders: list[Folder] = field(default_factory=list)
    unread: list[Unreadable] = field(default_factory=list)

    def in_order(self) -> list[Seen]:
        """As systemd reads them."""
        return [self.files[name] for name in sorted(self.files, key=lambda name: name.encode(errors='surrogateescape'))]


def read_drop_ins(host: Host, process: Process, names: tuple[str, ...]) -> UnitDropIns:
    """Of drop-ins with the same name the one in the first folder counts."""
    found = UnitDropIns()
    for path in drop_in_folders(names):
        folder = host.list_folder(process, path)
        if isinstance(folder, Unreadable) and not is_absent(folder):
            found.unread.append(folder)
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
