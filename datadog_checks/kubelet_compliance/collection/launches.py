# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads how a program starts the kubelet that it contains. What the texts mean is decided in `launch/`."""

from __future__ import annotations

from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.programs import program_named
from datadog_checks.kubelet_compliance.kubelet.tables.programs import PROGRAMS, ArgumentsFile, OptionFiles, Program
from datadog_checks.kubelet_compliance.launch.arguments_file import arguments_path, file_launch
from datadog_checks.kubelet_compliance.launch.option_files import (
    Given,
    Options,
    config_path,
    contained_launch,
    given_by,
    read_options,
    separate_launch,
)
from datadog_checks.kubelet_compliance.launch.without_files import launch_without_files
from datadog_checks.kubelet_compliance.model import (
    DropIns,
    File,
    Launch,
    Missing,
    Process,
    Unit,
    Unknown,
    Unreadable,
    is_absent,
)
from datadog_checks.kubelet_compliance.node.host import Host

CONFIG_ENDINGS = ('.yaml', '.yml')


def read_launch(host: Host, process: Process, unit: Unit | Unknown | None = None) -> Launch | None:
    """How the program of a process starts its kubelet; None if the program is configured to run none.

    `unit`: the service of the program.
    """
    program = program_named(process.inside)
    match program.arguments:
        case OptionFiles() as way:
            return read_option_launch(host, process, unit, program, way)
        case ArgumentsFile() as way:
            path = arguments_path(way, process.arguments)
            return file_launch(program, path, host.read_file(process, path))
    return launch_without_files(program)


def read_option_launch(
    host: Host, process: Process, unit: Unit | Unknown | None, program: Program, way: OptionFiles
) -> Launch | None:
    given = given_by(unit, way)
    if program.contains_kubelet and process.arguments is not None:
        given = replace(given, words=process.arguments)
    options = read_config_files(host, process, given, way)
    if not options.has_kubelet:
        return None
    if not program.contains_kubelet:
        return separate_launch(program, way, options)
    with_drop_ins = not is_absent(host.file_status(process, options.drop_ins))
    files = tuple(file for file in unit.files if isinstance(file, File)) if isinstance(unit, Unit) else ()
    return contained_launch(program, way, given, options, with_drop_ins=with_drop_ins, files=files)


def starter_options(host: Host, process: Process, unit: Unit | Unknown | None, service: str) -> Options | None:
    """The options of the program that starts the kubelet as its own process; None if the service runs no such program.

    They show where the arguments of the kubelet are set.
    """
    for program in PROGRAMS:
        if isinstance(program.arguments, OptionFiles) and not program.contains_kubelet and service in program.units:
            return read_config_files(host, process, given_by(unit, program.arguments), program.arguments)
    return None


def read_config_files(host: Host, process: Process, given: Given, way: OptionFiles) -> Options:
    """Read the config file and the files of its `.d` folder. k3s ignores the folders below it."""
    path = config_path(given, way)
    if '://' in path:
        return read_options(given, [Unreadable(path, 'this check does not read options from the network')], way)
    folder = f'{path}.d'
    found = host.read_files(process, folder, CONFIG_ENDINGS)
    if not isinstance(found, DropIns):
        more: list[File | Missing | Unreadable] = [found] if isinstance(found, Unreadable) else []
    else:
        more = [file for file in found.files if file.path.rpartition('/')[0] == folder]
    return read_options(given, [host.read_file(process, path), *more], way)
