# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads the systemd service that starts a kubelet. Which files count, and what they say: `launch/service_files.py`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from datadog_checks.kubelet_compliance.launch.service_files import (
    MAX_UNIT_FILES as MAX_UNIT_FILES,
    ServiceFiles,
    choose_drop_ins,
    environment_patterns,
    folder_of,
    has_wildcards,
    matching_names,
    services_of,
    unit_from,
)
from datadog_checks.kubelet_compliance.launch.unit_paths import drop_in_folders, names_of, unit_paths
from datadog_checks.kubelet_compliance.launch.units import Seen
from datadog_checks.kubelet_compliance.model import Missing, Process, Unit, Unknown, Unreadable, is_absent
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.process_root import A_DEVICE

KUBELET_UNIT = 'kubelet.service'
OUTSIDE_OF_SYSTEMD = Unknown(
    'the cgroup of the kubelet belongs to no systemd service, so the unit that starts it is unknown',
    'if systemd does not start the kubelet, exempt the rules on the service file',
)


@dataclass(frozen=True, slots=True)
class Starter:
    """The unit that starts a process, and its name, which is known even if the unit can't be read."""

    unit: Unit | Unknown | None
    name: str = ''


def read_unit_of(host: Host, process: Process, kubelet_cgroups: str = '') -> Starter:
    """The unit that starts a process: by its cgroup, else the one that starts its program; None in a container.

    `kubelet_cgroups`: the cgroup that the configuration moves the kubelet to; '' if unknown.
    """
    place = host.unit_name(process, kubelet_cgroups)
    if isinstance(place, Unknown):
        return Starter(place)
    if place.unit is not None:
        return Starter(read_unit(host, process, place.unit), place.unit)
    if place.has_moved:
        unit = read_unit(host, process, KUBELET_UNIT)
        if isinstance(unit, Unit) and starts(unit, process):
            return Starter(unit, KUBELET_UNIT)
    return Starter(None if process.container is not None else OUTSIDE_OF_SYSTEMD)


def starts(unit: Unit, process: Process) -> bool:
    return not isinstance(unit.command, Unknown) and unit.command[0].text == process.program


def read_unit(host: Host, process: Process, name: str) -> Unit | Unknown:
    """The service of that name, with the command line of its next start."""
    files = read_service_files(host, process, name)
    if files is None:
        return Unknown(
            f'could not find a unit file of {name}', 'let the Agent read the systemd units of the host (host_root)'
        )
    services = services_of(files)
    patterns = () if isinstance(services, Unknown) else environment_patterns(services)
    contents = {pattern: read_environment_files(host, process, pattern) for pattern in patterns}
    return unit_from(files, services, contents, process.arguments or ())


def read_service_files(host: Host, process: Process, name: str) -> ServiceFiles | None:
    """The unit file of a service and its drop-ins; None if no folder has a unit file of that name."""
    unit_file = next((file for path in unit_paths(name) if not is_gone(file := host.read_file(process, path))), None)
    if unit_file is None:
        return None
    names = names_of(name, host.real_path(process, unit_file.path))
    chosen = choose_drop_ins([host.list_folder(process, path) for path in drop_in_folders(names)])
    drop_ins = tuple(host.read_file(process, path) for path in chosen.paths)
    is_hidden = is_masked(unit_file)
    # What the kubelet sees and the check does not matters only if everything else is known.
    is_whole = not chosen.missed or is_hidden or bool(chosen.unread) or host.shows_whole_root(process)
    return ServiceFiles(name, names, unit_file, chosen, drop_ins, is_hidden, is_whole)


def read_environment_files(host: Host, process: Process, pattern: str) -> tuple[Seen, ...]:
    """The files that a path or pattern of `EnvironmentFile=` matches, in the order of their names."""
    if not has_wildcards(pattern):
        return (host.read_file(process, pattern),)
    folder = folder_of(pattern)
    if isinstance(folder, Unreadable):
        return (folder,)
    listed = host.list_folder(process, folder)
    if isinstance(listed, Missing | Unreadable):
        return (listed,)
    names = matching_names(pattern, listed.names)
    files = tuple(host.read_file(process, f'{folder}/{name}') for name in names[:MAX_UNIT_FILES])
    if len(names) > MAX_UNIT_FILES:
        return (*files, Unreadable(pattern, f'the pattern matches more than {MAX_UNIT_FILES} files'))
    return files


def with_parent_times(host: Host, process: Process, unit: Unit) -> Unit:
    """The unit with the last change of the folders that one of its files may have been removed from."""
    times = [host.folder_changed_at(process, folder) for folder in unit.parents]
    return replace(unit, parents_changed_at=max((at for at in times if at is not None), default=None))


def is_masked(answer: object) -> bool:
    """Whether the path is a link to /dev/null, which masks a unit."""
    return isinstance(answer, Unreadable) and answer.absent and answer.why == A_DEVICE


def is_gone(file: Seen) -> bool:
    """Whether there is neither a file nor a mask."""
    return is_absent(file) and not is_masked(file)
