# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the systemd services of known distributions start: a kubelet, or a program that contains or starts one. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from posixpath import basename

from datadog_checks.kubelet_compliance.kubelet.programs import (
    invocation_of,
    kubelet_arguments,
    program_named,
    runs_kubelet,
)
from datadog_checks.kubelet_compliance.kubelet.tables.programs import PROGRAMS, WrittenAtStart
from datadog_checks.kubelet_compliance.model import Unit, Unknown

from .at_rest import of_image
from .next_start import without_wrapper

KNOWN_UNITS = tuple(unit for program in PROGRAMS for unit in (*program.units, *program.older_units))


@dataclass(frozen=True, slots=True)
class Start:
    """What a service starts. `arguments`, `inside`: as of `Process`. `unknown`: why the arguments are unknown."""

    arguments: tuple[str, ...] | None
    inside: str = ''
    program: str = ''
    unknown: Unknown | None = None


def start_of(unit: Unit) -> Start | None:
    """The kubelet that a service starts; None if it starts none."""
    if isinstance(unit.command, Unknown):
        return Start(None, unknown=unit.command)
    program, *words = [word.text for word in without_wrapper(unit.command)]
    arguments = kubelet_arguments([program, *words])
    if arguments is not None:
        return Start(arguments, program=program)
    # Options of the program itself can precede its command.
    argv = [program, *dropwhile(is_option, words)]
    snap = program_of_snap(argv)
    if snap is not None:
        return Start(None, snap, program)
    found = invocation_of(argv)
    if found is None:
        return Start(None, unknown=Unknown(f'{unit.name} starts {program}, which is not a kubelet'))
    if not found.inside:
        return Start(found.arguments, program=program)
    row = program_named(found.inside)
    if not runs_kubelet(row, argv):
        return None
    if isinstance(row.arguments, WrittenAtStart):
        # What it writes does not exist before it runs, or is of an earlier start.
        return Start(None, unknown=of_image(row.arguments.doubt))
    return Start(found.arguments, row.name, program)


def is_option(word: str) -> bool:
    return word.startswith('-')


def program_of_snap(argv: Sequence[str]) -> str | None:
    """The program that `snap run` starts. Its arguments are in a file, not in the unit."""
    if basename(argv[0]) != 'snap' or len(argv) != 3 or argv[1] != 'run':
        return None
    return next((program.name for program in PROGRAMS if program.snap and program.snap == argv[2]), None)


def without_older_units(names: Collection[str]) -> list[str]:
    """The units without those that start nothing beside a newer one."""
    older = {unit for row in PROGRAMS if set(row.units) & set(names) for unit in row.older_units}
    return [name for name in names if name not in older]


def without_aliases(units: Mapping[str, Unit], real_paths: Mapping[str, str]) -> list[str]:
    """The names of units, without those that lead to the unit file of another one.

    `real_paths`: the unit file of each name, links resolved. Of the names of one file, the name with all drop-ins of
    the others stays. Names that each have drop-ins of their own all stay.
    """
    order = {name: (name == basename(real_paths[name]), -position) for position, name in enumerate(units)}

    def is_alias_of(name: str, other: str) -> bool:
        own, others = (frozenset(units[each].paths[1:]) for each in (name, other))
        is_included = own < others or own == others and order[name] < order[other]
        return real_paths[name] == real_paths[other] and is_included

    return [name for name in units if not any(is_alias_of(name, other) for other in units if other != name)]
