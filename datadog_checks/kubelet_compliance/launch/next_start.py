# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The arguments that the next start passes to a kubelet, according to its systemd service. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.acceptance import is_later
from datadog_checks.kubelet_compliance.kubelet.programs import (
    invocation_of,
    kubelet_arguments,
    program_named,
    wrapper_words,
)
from datadog_checks.kubelet_compliance.model import Argument, Evidence, File, NextStart, Place, Unit, Unknown

NO_UNIT = Unknown('no systemd service starts the kubelet')


def next_arguments(evidence: Evidence) -> tuple[str, ...] | Unknown:
    """The arguments of the kubelet's next start; Unknown if its service does not show them.

    An unchanged service can pass fewer arguments than the kubelet has. The others come from a source that is not
    visible here, such as `systemctl set-environment`. If it lacks some, the service was edited without a reload.
    """
    unit, process = evidence.unit, evidence.process
    if not isinstance(unit, Unit):
        return unit or NO_UNIT
    if isinstance(unit.command, Unknown):
        return unit.command
    arguments = given_arguments(unit.command)
    program = without_wrapper(unit.command)[0].text
    if arguments is None:
        return Unknown(f'{unit.name} starts {program}, which is not a kubelet')
    if process.program != program and not has_changed(unit, process.started_at):
        # The program that the service starts has replaced itself with another one.
        return Unknown(f'{unit.name} starts {program}, but the kubelet runs as {process.program}')
    own = evidence.arguments
    is_new = not isinstance(own, tuple) or not has_all(own, arguments)
    if arguments != own and not is_new and not may_be_edited(unit, process.started_at):
        return Unknown(f'the kubelet runs with arguments that {unit.name} does not pass')
    if arguments != own and unit.unset and not may_be_edited(unit, process.started_at):
        return Unknown(f'{unit.name} uses ${min(unit.unset)}, which none of its files sets')
    return arguments


def next_start_problem(evidence: Evidence) -> Unknown | None:
    """Why the next start is unknown after an edit of the service; None if it is known or nothing was edited."""
    unit, found = evidence.unit, next_arguments(evidence)
    if evidence.launch is not None or not isinstance(unit, Unit) or not isinstance(found, Unknown):
        return None
    if not may_be_edited(unit, evidence.process.started_at):
        return None
    return replace(found, reason=f'{unit.name} changed after the kubelet started: {found.reason}')


def is_as_given(evidence: Evidence) -> bool:
    """Whether the kubelet runs with the command line that its service passes."""
    unit = evidence.unit
    if not isinstance(unit, Unit) or isinstance(unit.command, Unknown):
        return False
    return given_arguments(unit.command) == evidence.arguments


def given_arguments(command: Sequence[Argument]) -> tuple[str, ...] | None:
    """The arguments that a command passes to the kubelet; None if it starts no kubelet."""
    return kubelet_arguments([word.text for word in without_wrapper(command)])


def has_all(own: Sequence[str], arguments: Sequence[str]) -> bool:
    """Whether `own` contains these arguments in this order. Of a repeated flag, the last one counts."""
    rest = iter(own)
    return all(argument in rest for argument in arguments)


def without_wrapper(command: Sequence[Argument]) -> Sequence[Argument]:
    return command[wrapper_words([word.text for word in command]) :]


def has_changed(unit: Unit, started_at: float | None) -> bool:
    """Whether a file of the service, or its list of drop-ins, changed after the process started."""
    times = [file.changed_at for file in unit.files if isinstance(file, File)]
    times += [folder.changed_at for folder in unit.folders]
    return unit.lacks_files or any(is_later(time, started_at) for time in times)


def may_be_edited(unit: Unit, started_at: float | None) -> bool:
    """Whether a file of the service changed, or may have been removed, after the process started."""
    return has_changed(unit, started_at) or is_later(unit.parents_changed_at, started_at)


def places_of(unit: Unit | Unknown | None) -> Mapping[str, Place]:
    """The file and line of each argument. Of a repeated argument, the last one counts."""
    if not isinstance(unit, Unit):
        return {}
    command = () if isinstance(unit.command, Unknown) else unit.command[1:]
    return {**unit.places, **{word.text: word.place for word in command if word.place is not None}}


def start_folder(evidence: Evidence) -> str:
    """The working directory of the next start, which relative paths start from. `/` if the unit sets none."""
    directory = evidence.unit.directory if isinstance(evidence.unit, Unit) else ''
    return '/root' if directory == '~' else directory.removeprefix('-') or '/'


def next_start_of(evidence: Evidence) -> NextStart:
    """The next start, as a person sees it in the output."""
    unit, launch, process = evidence.unit, evidence.launch, evidence.process
    name, found = unit.name if isinstance(unit, Unit) else '', next_arguments(evidence)
    by = f' ({name})' if name else ''
    words = without_wrapper(unit.command) if isinstance(unit, Unit) and isinstance(unit.command, tuple) else ()
    argv = tuple(word.text for word in words)
    own = evidence.arguments if isinstance(evidence.arguments, tuple) else ()
    places = launch.places if launch is not None else {}
    flags = tuple(iter_flags(Argument(text, places.get(text)) for text in own))
    if launch is not None and program_named(launch.program).contains_kubelet:
        # For a command that this check cannot parse, the place of a secret is unknown too.
        known = argv if argv and invocation_of(argv) is not None else None
        why = Unknown(f'{name} starts {argv[0]}') if argv else found if isinstance(found, Unknown) else NO_UNIT
        return NextStart(f'{launch.program} starts the kubelet that it contains{by}', known or why, flags, name)
    if isinstance(found, Unknown):
        found = process.unknown or found
        instead = '' if process.unit else FLAGS_OF_THE_PROCESS
        return NextStart(f'unknown: {found.reason}{instead}', found, flags, name)
    if process.unit:
        summary = f'{argv[0]} with {len(argv) - 1} argument{"" if len(argv) == 2 else "s"}'
    else:
        summary = 'as it runs now' if found == own else 'with different arguments'
    return NextStart(f'{summary}{by}', argv, tuple(iter_flags(words)), name)


FLAGS_OF_THE_PROCESS = '; the flags are those of the process'


def iter_flags(words: Iterable[Argument]) -> Iterator[Argument]:
    """The flags of a command line, each with the words after it that are not flags."""
    flag: Argument | None = None
    for word in words:
        if word.text.startswith('-'):
            if flag is not None:
                yield flag
            flag = word
        elif flag is not None:
            flag = replace(flag, text=f'{flag.text} {word.text}')
    if flag is not None:
        yield flag
