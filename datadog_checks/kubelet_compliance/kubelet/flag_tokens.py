# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Split a kubelet's arguments into flags and their values, by the rules of spf13/pflag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .release import Release
from .tables.flag_kinds import BARE_KINDS, Flag
from .tables.flags import FLAGS, SHORTHANDS


class FlagError(Exception):
    """The kubelet would refuse these arguments. The text never contains a value. `flag`: its name, '' for none."""

    def __init__(self, text: str, flag: str = '') -> None:
        super().__init__(text)
        self.flag = flag


class UnknownFlag(FlagError):
    """A flag that no known release has. Only an unknown release or a vendor's build accepts it."""


class PositionalArgument(FlagError):
    """An argument that belongs to no flag. It stops every kubelet."""


POSITIONAL = 'unexpected positional argument (write the value of a boolean flag with =)'


class UndecidedFlag(Exception):
    """An unknown flag without `=`. Whether it takes the next argument as its value is not known."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(slots=True)
class Terms:
    """How to read a command line.

    `accepted`: a kubelet runs with it, so errors are recorded in `noted` and not raised. `takes_value`: the assumption
    about each unknown flag, by name. `only_upstream`: the flags of a vendor's build are errors, even on a running
    kubelet.
    """

    release: Release
    accepted: bool = False
    takes_value: Mapping[str, bool] = field(default_factory=dict)
    only_upstream: bool = False
    again: bool = False
    """The second parse, over the files. See `parse_flags_again`."""
    noted: list[FlagError] = field(default_factory=list)

    @property
    def refuses_vendors(self) -> bool:
        return self.only_upstream or not self.accepted

    def object(self, error: FlagError) -> None:
        """Raise the error, or record it if a running kubelet has shown that it accepts the arguments."""
        if not self.accepted:
            raise error
        self.noted.append(error)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One flag on the command line: its name, the text of its value, and the flag as it was typed."""

    name: str
    text: str
    typed: str


def tokenize(arguments: Sequence[str], terms: Terms) -> tuple[list[Occurrence], bool]:
    """The flags in order, and whether there are positional arguments (pflag `parseArgs`).

    Raises FlagError, UndecidedFlag.
    """
    occurrences: list[Occurrence] = []
    positional = False
    rest = list(reversed(arguments))
    while rest:
        argument = rest.pop()
        if not argument.startswith('-') or argument == '-':
            positional = True
        elif argument == '--':
            positional = positional or bool(rest)
            break
        elif argument.startswith('--'):
            occurrences.extend(read_long_flag(argument, rest, terms))
        else:
            occurrences.extend(read_short_flags(argument, rest, terms))
    return occurrences, positional


def read_long_flag(argument: str, rest: list[str], terms: Terms) -> list[Occurrence]:
    """`--name=value`, `--name value` or a bare `--name` (pflag `parseLongArg`)."""
    given, has_value, text = argument[2:].partition('=')
    if not given or given.startswith('-'):
        terms.object(FlagError('an argument has bad flag syntax'))
        return []
    name = given.replace('_', '-')
    flag = known_flag(name, terms)
    if flag is None:
        skip_unknown(name, rest, terms, is_whole=bool(has_value))
        return []
    if has_value:
        return [Occurrence(name, text, argument)]
    if is_bare(flag, terms):
        return [Occurrence(name, 'true', argument)]
    if not rest:
        terms.object(FlagError(f'--{name} needs a value', name))
        return []
    text = rest.pop()
    return [Occurrence(name, text, f'{argument} {text}')]


def skip_unknown(name: str, rest: list[str], terms: Terms, *, is_whole: bool) -> None:
    """Skip an unknown flag, and its value if it takes one. Raises UndecidedFlag if that is not known."""
    if is_whole or not rest:
        return
    if name not in terms.takes_value:
        raise UndecidedFlag(name)
    if terms.takes_value[name]:
        rest.pop()


def read_short_flags(argument: str, rest: list[str], terms: Terms) -> list[Occurrence]:
    """`-v5`, `-v=5`, `-v 5`, `-h` (pflag `parseSingleShortArg`)."""
    occurrences: list[Occurrence] = []
    letters = argument[1:]
    while letters:
        name = SHORTHANDS.get(letters[0])
        flag = known_flag(name, terms) if name is not None else None
        if name is None or flag is None:
            raise UnknownFlag(f'unknown kubelet flag -{letters[0]}', letters[0])
        if len(letters) > 2 and letters[1] == '=':
            return [*occurrences, Occurrence(name, letters[2:], argument)]
        if is_bare(flag, terms):
            occurrences.append(Occurrence(name, 'true', argument))
            letters = letters[1:]
            continue
        if len(letters) > 1:
            return [*occurrences, Occurrence(name, letters[1:], argument)]
        if not rest:
            terms.object(FlagError(f'-{letters[0]} needs a value', name))
            return occurrences
        text = rest.pop()
        return [*occurrences, Occurrence(name, text, f'{argument} {text}')]
    return occurrences


def known_flag(name: str, terms: Terms) -> Flag | None:
    """The flag of that name. None if only the running kubelet knows it. Raises FlagError."""
    flag = FLAGS.get(name)
    if flag is None:
        terms.object(UnknownFlag(f'unknown kubelet flag --{name[:60]}', name))
    elif flag.is_upstream and not flag.is_in(terms.release) or not flag.is_upstream and terms.refuses_vendors:
        # A vendor's flag on a running kubelet is not an error: the kubelet is that vendor's build.
        terms.object(FlagError(f'--{name} is not a kubelet flag in Kubernetes {terms.release}', name))
    elif terms.again and name == 'help':
        terms.object(FlagError('--help, even --help=false, stops a kubelet that has a config file', name))
    return flag


def is_bare(flag: Flag, terms: Terms) -> bool:
    """Whether the flag takes no value from the next argument."""
    return flag.kind in BARE_KINDS and not (terms.again and flag.library)
