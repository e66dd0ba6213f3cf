# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the next start of a kubelet passes to it, by the systemd service that starts it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.acceptance import is_later
from datadog_checks.kubelet_compliance.kubelet.programs import RKE2, arguments_of, invocation_of, wrapper_words
from datadog_checks.kubelet_compliance.model import Argument, Evidence, File, NextStart, Unit, Unknown

NO_UNIT = Unknown('no systemd service starts the kubelet')


def next_arguments(evidence: Evidence) -> tuple[str, ...] | Unknown:
    """The arguments of the kubelet's next start; Unknown where its service does not tell them.

    A kubelet with more words than its unchanged service gives it has them from what is not seen here, such as
    `systemctl set-environment`. Words that it lacks can only come from an edit that systemd had not reloaded.
    """
    unit, process = evidence.unit, evidence.process
    if not isinstance(unit, Unit):
        return unit or NO_UNIT
    if isinstance(unit.command, Unknown):
        return unit.command
    arguments = given_arguments(unit.command)
    program = without_wrapper(unit.command)[0].text
    if arguments is None:
        return Unknown(f'{unit.name} starts {program}, which is not a kubelet itself')
    if process.program != program and not has_changed(unit, process.started_at):
        # What it starts has put another command in its place.
        return Unknown(f'{unit.name} starts {program}, but the kubelet runs as {process.program}')
    own = evidence.arguments
    is_new = not isinstance(own, tuple) or not has_all(own, arguments)
    if arguments != own and not is_new and not may_be_edited(unit, process.started_at):
        return Unknown(f'the kubelet has arguments that {unit.name} does not give it')
    if arguments != own and unit.unset and not may_be_edited(unit, process.started_at):
        return Unknown(f'{unit.name} uses ${min(unit.unset)}, which no file of it sets')
    return arguments


def next_start_problem(evidence: Evidence) -> Unknown | None:
    """What an edit of the service after the start of the kubelet did to its next start, where that is not known."""
    unit, found = evidence.unit, next_arguments(evidence)
    if evidence.launch is not None or not isinstance(unit, Unit) or not isinstance(found, Unknown):
        return None
    if not may_be_edited(unit, evidence.process.started_at):
        return None
    return replace(found, reason=f'{unit.name} changed after the kubelet started: {found.reason}')


def is_as_given(evidence: Evidence) -> bool:
    """Whether the kubelet runs with the command line that its service gives it."""
    unit = evidence.unit
    if not isinstance(unit, Unit) or isinstance(unit.command, Unknown):
        return False
    return given_arguments(unit.command) == evidence.arguments


def given_arguments(command: Sequence[Argument]) -> tuple[str, ...] | None:
    """What a command gives to the kubelet that it starts; None where it starts none."""
    return arguments_of([word.text for word in without_wrapper(command)])


def has_all(own: Sequence[str], arguments: Sequence[str]) -> bool:
    """Whether these are arguments of its own in their order, which decides where one is given twice."""
    rest = iter(own)
    return all(argument in rest for argument in arguments)


def without_wrapper(command: Sequence[Argument]) -> Sequence[Argument]:
    return command[wrapper_words([word.text for word in command]) :]


def has_changed(unit: Unit, started_at: float | None) -> bool:
    """Whether a file of the service, or which drop-ins it has, changed after the process started."""
    times = [file.changed_at for file in unit.files if isinstance(file, File)]
    times += [folder.changed_at for folder in unit.folders]
    return unit.lacks_files or any(is_later(time, started_at) for time in times)


def may_be_edited(unit: Unit, started_at: float | None) -> bool:
    """Whether a file of the service changed, or may have been taken out, after the process started."""
    return has_changed(unit, started_at) or is_later(unit.parents_changed_at, started_at)


def places_of(unit: Unit | Unknown | None) -> Mapping[str, str]:
    """Where each argument stands, of the words that one place only has as the last."""
    if not isinstance(unit, Unit):
        return {}
    command = () if isinstance(unit.command, Unknown) else unit.command[1:]
    return {**unit.places, **{word.text: word.place for word in command if word.place}}


def start_folder(evidence: Evidence) -> str:
    """The working directory of the next start, from which relative paths are meant: `/` where the unit sets none."""
    directory = evidence.unit.directory if isinstance(evidence.unit, Unit) else ''
    return '/root' if directory == '~' else directory.removeprefix('-') or '/'


def next_start_of(evidence: Evidence) -> NextStart:
    """What a person is told of the next start."""
    unit, launch, process = evidence.unit, evidence.launch, evidence.process
    name, found = unit.name if isinstance(unit, Unit) else '', next_arguments(evidence)
    by = f' ({name})' if name else ''
    words = without_wrapper(unit.command) if isinstance(unit, Unit) and isinstance(unit.command, tuple) else ()
    argv = tuple(word.text for word in words)
    own = evidence.arguments if isinstance(evidence.arguments, tuple) else ()
    places = launch.places if launch is not None else {}
    flags = tuple(iter_flags(Argument(text, places.get(text, '')) for text in own))
    if launch is not None and launch.program != RKE2:
        # Of a command that is not understood, what may be a secret is not known either.
        known = argv if argv and invocation_of(argv) is not None else None
        why = Unknown(f'{name} starts {argv[0]}') if argv else found if isinstance(found, Unknown) else NO_UNIT
        return NextStart(f'{launch.program} starts the kubelet that is a part of it{by}', known or why, flags, name)
    if isinstance(found, Unknown):
        found = process.unknown or found
        instead = '' if process.unit else FLAGS_OF_THE_PROCESS
        return NextStart(f'not known: {found.reason}{instead}', found, flags, name)
    if process.unit:
        summary = f'{argv[0]} with {len(argv) - 1} argument{"" if len(argv) == 2 else "s"}'
    else:
        summary = 'as it runs now' if found == own else 'with other arguments than now'
    return NextStart(f'{summary}{by}', argv, tuple(iter_flags(words)), name)


FLAGS_OF_THE_PROCESS = '; flags are those of the process'


def iter_flags(words: Iterable[Argument]) -> Iterator[Argument]:
    """The flags of a command line, each with the words behind it that are none."""
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
