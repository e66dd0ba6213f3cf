# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A kubelet's command line as each release would read it, and in each way in which unknown flags can be read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from datadog_checks.kubelet_compliance.model import Unknown

from .flags import FlagError, Flags, PositionalArgument, Terms, Undecided, UnknownFlag, parse_flags, parse_flags_again
from .release import Release, iter_alike

MAX_UNDECIDED = 3
"""Unknown flags that are read both ways: each doubles the readings."""

ALPHA_DROP_INS = frozenset({28, 29})
"""Releases that take `--config-dir` only with KUBELET_CONFIG_DROPIN_DIR_ALPHA in their environment (server.go)."""

NOT_BELIEVED = Unknown(
    'the command line of the kubelet was rewritten or cut off, or is larger than 256 KiB or 4096 arguments',
    'let the kubelet keep its command line as it was started',
)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One reading of a command line, and the releases for which it holds.

    `flags`: None where it is not known, with the reason in `unknown`. `over_files`: the second parse, for a kubelet
    that has a configuration file or drop-ins; Unknown where that one fails.
    """

    minors: frozenset[int]
    flags: Flags | None = None
    over_files: Flags | Unknown | None = None
    unknown: Unknown | None = None
    is_accepted: bool = False
    """Whether the kubelet has run for long enough to show that it took this command line."""


def read_command_lines(
    arguments: Sequence[str] | Unknown | None, minors: Iterable[int], *, accepted: bool
) -> tuple[CommandLine, ...]:
    """All readings of the arguments after argv[0]. Raises nothing.

    A release that refuses them, for it has no such flag, is not that of a kubelet that was started with them, if there
    is one that takes them. `accepted`: the kubelet has run for a minute with them; where all releases refuse them, they
    are then read as far as they are understood.
    """
    if arguments is None or isinstance(arguments, Unknown):
        return (CommandLine(frozenset(minors), unknown=arguments or NOT_BELIEVED, is_accepted=accepted),)
    found = [replace(line, minors=alike) for alike, line in iter_alike(minors, lambda at: read_strictly(arguments, at))]
    taken = [replace(line, minors=likely(line), is_accepted=accepted) for line in found if line.flags is not None]
    if taken or not accepted:
        return tuple(taken or found)
    lines = [
        replace(line, minors=alike, is_accepted=True)
        for alike, lines in iter_alike(minors, lambda at: read_accepted(arguments, at))
        for line in lines
    ]
    # The releases that have to object to the least fit best.
    least = min(map(objections, lines))
    return tuple(line for line in lines if objections(line) == least)


def read_next_lines(
    arguments: Sequence[str], minors: Iterable[int], own: Sequence[CommandLine]
) -> tuple[CommandLine, ...]:
    """All readings of the arguments of a next start. `own`: those of the command line that the kubelet runs with.

    What the kubelet has accepted once, it is taken to accept again. Raises nothing.
    """
    minors = frozenset(minors)
    strict = read_command_lines(arguments, minors, accepted=False)
    if any(line.flags is not None for line in strict):
        return strict
    taken = {str(error) for line in own if line.flags is not None for error in line.flags.objections}
    lenient = read_command_lines(arguments, minors, accepted=True)
    new = (str(error) for line in lenient if line.flags is not None for error in line.flags.objections)
    is_new = any(error not in taken for error in new) or any(line.flags is None for line in lenient)
    return strict if is_new else tuple(replace(line, is_accepted=False) for line in lenient)


def likely(line: CommandLine) -> frozenset[int]:
    """The releases of a reading, but for those that take it in an environment only that nobody has by default."""
    has_drop_ins = line.flags is not None and line.flags.text('config-dir')
    return line.minors - ALPHA_DROP_INS or line.minors if has_drop_ins else line.minors


def objections(line: CommandLine) -> int:
    """How much in a reading is not expected of its release. Flags that are unknown are so to all releases."""
    found = line.flags.objections if line.flags is not None else ()
    return sum(not isinstance(error, UnknownFlag) for error in found)


def read_strictly(arguments: Sequence[str], release: Release) -> CommandLine:
    """The command line as a kubelet of that release reads it, or refuses it."""
    return parse(arguments, Terms(release))


def read_accepted(arguments: Sequence[str], release: Release) -> tuple[CommandLine, ...]:
    """The command line of a kubelet that runs with it, in each way in which its unknown flags can be read."""
    lines = list(iter_readings(arguments, release, {}))
    # A stray argument ends every kubelet, so a reading that has none is the right one.
    without = [line for line in lines if not has_stray(line)]
    return tuple(without or lines)


def iter_readings(arguments: Sequence[str], release: Release, takes_value: Mapping[str, bool]) -> Iterator[CommandLine]:
    try:
        yield parse(arguments, Terms(release, accepted=True, takes_value=takes_value))
    except Undecided as undecided:
        if len(takes_value) == MAX_UNDECIDED:
            unknown = Unknown(f'the command line has more than {MAX_UNDECIDED} unknown kubelet flags')
            yield CommandLine(frozenset(), unknown=unknown)
            return
        for takes in (True, False):
            yield from iter_readings(arguments, release, {**takes_value, undecided.name: takes})


def has_stray(line: CommandLine) -> bool:
    return line.flags is not None and any(isinstance(error, PositionalArgument) for error in line.flags.objections)


def parse(arguments: Sequence[str], terms: Terms) -> CommandLine:
    """Both parses on the given terms. Raises Undecided."""
    try:
        flags = parse_flags(arguments, terms)
    except FlagError as error:
        return CommandLine(frozenset(), unknown=refusal(error))
    try:
        return CommandLine(frozenset(), flags, parse_flags_again(arguments, terms))
    except FlagError as error:
        return CommandLine(frozenset(), flags, refusal(error))


def refusal(error: FlagError) -> Unknown:
    if isinstance(error, UnknownFlag):
        return Unknown(f'{error}; its command line is not understood')
    return Unknown(f'the kubelet would refuse its command line: {error}', refused=True)


NAMING_FLAGS = ('config', 'config-dir', 'kubeconfig')
"""The flags that name the files that a kubelet reads."""


def flags_of(lines: Sequence[CommandLine]) -> Flags | Unknown:
    """The flags, as far as they name files to read; Unknown where they are refused, or name other files as well."""
    known = [line.flags for line in lines if line.flags is not None]
    if not known:
        return lines[0].unknown or NOT_BELIEVED
    if any(flags.text(name) != known[0].text(name) for flags in known for name in NAMING_FLAGS):
        return Unknown('an unknown kubelet flag decides which files the kubelet reads')
    return known[0]
