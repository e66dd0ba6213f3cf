# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A kubelet's command line, as each release reads it and for each meaning that an unknown flag can have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from datadog_checks.kubelet_compliance.model import Unknown

from .flag_tokens import FlagError, PositionalArgument, Terms, UndecidedFlag, UnknownFlag
from .flags import Flags, parse_flags, parse_flags_again
from .release import Release, iter_alike
from .tables.programs import ASK_CONFIGZ

MAX_UNDECIDED = 3
"""Unknown flags that are read both ways, with and without a value. Each one doubles the number of readings."""

ALPHA_DROP_INS = frozenset({28, 29})
"""Releases that accept `--config-dir` only with KUBELET_CONFIG_DROPIN_DIR_ALPHA in their environment (server.go)."""

NOT_BELIEVED = Unknown(
    "the kubelet's command line was overwritten or truncated, or exceeds 256 KiB or 4096 arguments",
    'start the kubelet with a command line that nothing overwrites, within these limits',
)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One reading of a command line, and the releases that read it this way.

    `flags`: None if they are not known; `unknown` says why. `over_files`: the flags as the kubelet parses them a second
    time, if it has a config file or drop-ins. Unknown if that second parse fails.
    """

    minors: frozenset[int]
    flags: Flags | None = None
    over_files: Flags | Unknown | None = None
    unknown: Unknown | None = None
    refused: FlagError | None = field(default=None, compare=False)
    """What stops one of the two parses."""
    is_accepted: bool = False
    """The kubelet has run long enough to show that it accepted this command line."""


def read_command_lines(
    arguments: Sequence[str] | Unknown | None, minors: Iterable[int], *, accepted: bool
) -> tuple[CommandLine, ...]:
    """All readings of the arguments after argv[0]. Raises nothing.

    If one release accepts the arguments, the kubelet is not of a release that refuses them. `accepted`: the kubelet has
    run with them for a minute. Then, if all releases refuse them, every part that can be interpreted counts.
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
    # The releases with the fewest objections fit best.
    fewest = min(map(count_objections, lines))
    return tuple(line for line in lines if count_objections(line) == fewest)


def narrow_command_lines(
    lines: Sequence[CommandLine], arguments: Sequence[str] | Unknown | None, minors: frozenset[int], *, accepted: bool
) -> tuple[CommandLine, ...]:
    """The readings for fewer releases than `lines` were read for, without parsing again where the result is the same.

    A reading without objections is the same in each of its releases. The text of an objection names the release.
    """
    for line in lines:
        if minors <= line.minors and line.flags is not None and not line.flags.objections:
            return (replace(line, minors=minors),)
    return read_command_lines(arguments, minors, accepted=accepted)


def read_next_lines(
    arguments: Sequence[str], minors: Iterable[int], own: Sequence[CommandLine]
) -> tuple[CommandLine, ...]:
    """All readings of the arguments of the next start. Raises nothing.

    `own`: the readings of the command line that the kubelet runs with. What it accepted once, it accepts again.
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
    """The releases of a reading, without those that accept it only with an environment variable that nobody sets."""
    has_drop_ins = line.flags is not None and line.flags.text('config-dir')
    return line.minors - ALPHA_DROP_INS or line.minors if has_drop_ins else line.minors


def count_objections(line: CommandLine) -> int:
    """How many flags do not fit the release. Flags that no release knows do not count."""
    found = line.flags.objections if line.flags is not None else ()
    return sum(not isinstance(error, UnknownFlag) for error in found)


def read_strictly(arguments: Sequence[str], release: Release) -> CommandLine:
    """The command line as a kubelet of that release reads or refuses it."""
    return parse_both_times(arguments, Terms(release))


def read_accepted(
    arguments: Sequence[str], release: Release, *, only_upstream: bool = False
) -> tuple[CommandLine, ...]:
    """The command line of a running kubelet, for each meaning that its unknown flags can have.

    `only_upstream`: object to the flags of a vendor's build.
    """
    terms = Terms(release, accepted=True, only_upstream=only_upstream)
    lines = list(iter_readings(arguments, terms))
    # A positional argument stops every kubelet, so a reading without one is the right one.
    without = [line for line in lines if not has_positional_argument(line)]
    return tuple(without or lines)


def iter_readings(arguments: Sequence[str], terms: Terms) -> Iterator[CommandLine]:
    try:
        yield parse_both_times(arguments, replace(terms, noted=[]))
    except UndecidedFlag as undecided:
        if len(terms.takes_value) == MAX_UNDECIDED:
            unknown = Unknown(f'the command line has more than {MAX_UNDECIDED} unknown kubelet flags', ASK_CONFIGZ)
            yield CommandLine(frozenset(), unknown=unknown)
            return
        for takes in (True, False):
            yield from iter_readings(
                arguments, replace(terms, takes_value={**terms.takes_value, undecided.name: takes})
            )


def has_positional_argument(line: CommandLine) -> bool:
    return line.flags is not None and any(isinstance(error, PositionalArgument) for error in line.flags.objections)


def parse_both_times(arguments: Sequence[str], terms: Terms) -> CommandLine:
    """The command line as the kubelet parses it before and after it reads its files. Raises UndecidedFlag."""
    try:
        flags = parse_flags(arguments, terms)
    except FlagError as error:
        return CommandLine(frozenset(), unknown=line_refusal(error), refused=error)
    if flags.is_same_over_files:
        return CommandLine(frozenset(), flags, flags)
    try:
        return CommandLine(frozenset(), flags, parse_flags_again(arguments, terms))
    except FlagError as error:
        return CommandLine(frozenset(), flags, line_refusal(error), refused=error)


def line_refusal(error: FlagError) -> Unknown:
    if isinstance(error, UnknownFlag):
        return Unknown(f"could not interpret the kubelet's command line: {error}")
    return Unknown(f'the kubelet would refuse its command line: {error}', refused=True)


NAMING_FLAGS = ('config', 'config-dir', 'kubeconfig')
"""The flags that name the files that a kubelet reads."""


def flags_of(lines: Sequence[CommandLine]) -> Flags | Unknown:
    """The flags, as far as they name files to read; Unknown where they are refused, or name other files as well."""
    known = [line.flags for line in lines if line.flags is not None]
    if not known:
        return lines[0].unknown or NOT_BELIEVED
    if any(flags.text(name) != known[0].text(name) for flags in known for name in NAMING_FLAGS):
        return Unknown('an unknown kubelet flag decides which files the kubelet reads', ASK_CONFIGZ)
    return known[0]
