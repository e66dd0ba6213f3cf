# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The arguments that a program reads from the lines of a file, as MicroK8s does. Pure.

Follows canonical/microk8s, the patch `Kubelite-integration`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from datadog_checks.kubelet_compliance.kubelet.programs import MAX_ARGUMENTS
from datadog_checks.kubelet_compliance.kubelet.tables.programs import ArgumentsFile, Program
from datadog_checks.kubelet_compliance.model import File, Launch, Missing, Place, Unknown, Unreadable

from .option_files import iter_options


def arguments_path(way: ArgumentsFile, arguments: Sequence[str] | None) -> str:
    """The path of the file. `arguments`: those of the program; the last option that names a file counts."""
    named = [value for name, value, _ in iter_options(arguments or ()) if name == way.flag]
    return named[-1] if named else way.default


def file_launch(program: Program, path: str, file: File | Missing | Unreadable) -> Launch:
    """Parse the file: no quotes, split at single spaces, and `$` for the variables of a snap."""
    if not isinstance(file, File):
        remedy, fault = (file.remedy, file.fault) if isinstance(file, Unreadable) else ('', None)
        why = f'{path}, which contains the arguments of the kubelet, could not be read: {file.why}'
        return Launch(program.name, Unknown(why, remedy, fault=fault), path)
    arguments: list[str] = []
    places: dict[str, Place] = {}
    for number, line in enumerate(file.data.decode('utf-8', 'surrogateescape').split('\n'), 1):
        line = line.strip()
        if not line or line.startswith('#'):
            continue
        for part in line.replace('"', '').replace("'", '').split(' '):
            argument = with_snap_variables(part, path)
            if '$' in argument:
                unknown = Unknown(
                    f'{path}:{number} uses a variable with an unknown value', 'replace the variable with its value'
                )
                return Launch(program.name, unknown, path, files=(file,))
            arguments.append(argument)
            places[argument] = Place(path, number)
    if len(arguments) > MAX_ARGUMENTS:
        unknown = Unknown(f'{path} contains more than {MAX_ARGUMENTS} arguments', 'make it smaller')
        return Launch(program.name, unknown, path, files=(file,))
    return Launch(program.name, tuple(arguments), path, places, files=(file,))


SNAP_VARIABLE = re.compile(r'\$(?:\{(SNAP|SNAP_DATA|SNAP_COMMON)\}|(SNAP|SNAP_DATA|SNAP_COMMON)(?![A-Za-z0-9_]))')
SNAP_ARGUMENTS = re.compile(r'/var/snap/(?P<name>[^/]+)/(?P<revision>[^/]+)/args/kubelet')


def with_snap_variables(text: str, path: str) -> str:
    """Replace the variables of a snap. The path of its file gives their values (snapcraft, "Environment variables")."""
    match = SNAP_ARGUMENTS.fullmatch(path)
    if match is None:
        return text
    name, revision = match['name'], match['revision']
    known = {
        'SNAP': f'/snap/{name}/{revision}',
        'SNAP_DATA': f'/var/snap/{name}/{revision}',
        'SNAP_COMMON': f'/var/snap/{name}/common',
    }
    return SNAP_VARIABLE.sub(lambda found: known[found[1] or found[2]], text)
