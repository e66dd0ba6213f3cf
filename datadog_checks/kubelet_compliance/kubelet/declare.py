# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Evidence to the configuration that a kubelet would start with, as each release that it can be of would read it. Pure.

A kubelet that has run for a minute has accepted its command line, and its files too if they are older than its start
(DESIGN: the principle). Releases that refuse them are ruled out; where all do, this check lacks something and not the
node: the values count, and what was not expected is noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from datadog_checks.kubelet_compliance.model import (
    Declared,
    DropIns,
    Evidence,
    File,
    Missing,
    Objection,
    Origin,
    Source,
    Unknown,
    Unreadable,
)

from .command_lines import CommandLine, read_command_lines
from .config_values import Problem
from .decoding import Configuration
from .flags import Flags, iter_plain_flags
from .late_refusals import CLIENT_CA, NeededFile, late_problems, needed_files
from .layers import NotRead, ParsedOnce, Parser, Refused, apply_flags, flag_origin, read_layers
from .release import Release, iter_alike
from .tables.flags import FLAGS
from .validation import problems

CLOCK_GRAIN_SECONDS = 1.0
"""A file's time and a process's start come from clocks that differ by a tick or two."""

ACCEPTED_AFTER_SECONDS = 60.0
"""A kubelet that has run for so long has accepted what it was started with: one that refuses ends within seconds."""

CA_IS_LATE = 36
"""The release from which on the kubelet looks for its client CA only after it logged its configuration."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a kubelet is known to have accepted: by objections to it, and by what it runs with."""

    objections: frozenset[Objection] = frozenset()
    running: Configuration | None = None
    has_seen_its_files: bool = False
    """Whether its files were seen as they were when it started."""

    @property
    def can_tell_what_is_new(self) -> bool:
        return self.has_seen_its_files or self.running is not None

    def takes(self, objection: Objection, configuration: Configuration) -> bool:
        if replace(objection, place='') in self.objections:
            return True
        shown = self.running.get(objection.path) if self.running is not None else None
        return shown is not None and shown == configuration.get(objection.path)


def has_accepted_its_line(evidence: Evidence) -> bool:
    """Whether a kubelet has run for long enough to show that it took its command line, which is fixed since then."""
    if evidence.age_seconds is None or evidence.age_seconds < ACCEPTED_AFTER_SECONDS:
        return False
    launch = evidence.launch
    if launch is None:
        return True
    # The arguments of a kubelet inside another program stand in files, which may have changed since.
    return launch.doubt is None and all(is_older(evidence, file.changed_at) for file in launch.files)


def has_accepted_its_files(evidence: Evidence) -> bool:
    """Whether it has run for long enough with files that are as they were when it started."""
    if not has_accepted_its_line(evidence) or changed_file(evidence) is not None:
        return False
    drop_ins = evidence.drop_ins
    files = drop_ins.files if isinstance(drop_ins, DropIns) else ()
    seen = [file for file in (evidence.config, drop_ins, *files) if file is not None]
    return all(isinstance(file, File | DropIns) and is_older(evidence, file.changed_at) for file in seen)


def is_older(evidence: Evidence, changed_at: float | None) -> bool:
    started_at = evidence.process.started_at
    return None not in (started_at, changed_at) and not is_later(changed_at, started_at)


def is_later(changed_at: float | None, started_at: float | None) -> bool:
    """Whether a change is known to be later than a start."""
    if changed_at is None or started_at is None:
        return False
    return changed_at > started_at + CLOCK_GRAIN_SECONDS


def every_reading(evidence: Evidence, minors: Iterable[int]) -> tuple[Declared, ...]:
    """`read_configurations` where the command line has not been read before."""
    lines = read_command_lines(evidence.arguments, minors, accepted=has_accepted_its_line(evidence))
    return read_configurations(evidence, lines)


def read_configurations(
    evidence: Evidence, lines: Sequence[CommandLine], known: Known | None = None
) -> tuple[Declared, ...]:
    """What the kubelet would run with if it started now: one for each way in which that can differ. Raises nothing."""
    known = known or Known()
    parse = ParsedOnce()
    strict = list(iter_declared(evidence, lines, known, parse, accepted=False))
    if not has_accepted_its_files(evidence):
        return distinct(strict)
    taken = [declared for declared in strict if not is_refused(declared)]
    return distinct(taken or list(iter_declared(evidence, lines, known, parse, accepted=True)))


def is_refused(declared: Declared) -> bool:
    return declared.unknown is not None and declared.unknown.refused


def iter_declared(
    evidence: Evidence, lines: Sequence[CommandLine], known: Known, parse: Parser, *, accepted: bool
) -> Iterator[Declared]:
    for line in lines:
        work = partial(declare, evidence, line, accepted=accepted, known=known, parse=parse)
        for minors, declared in iter_alike(line.minors, work):
            yield replace(declared, minors=minors)


def distinct(readings: Sequence[Declared]) -> tuple[Declared, ...]:
    """Equal readings are one, that of all their releases."""
    found: list[Declared] = []
    for declared in readings:
        same = next((number for number, other in enumerate(found) if other == declared), None)
        if same is None:
            found.append(declared)
        else:
            # The releases that have to object to the least fit best.
            least = min(found[same], declared, key=lambda reading: len(reading.objections))
            found[same] = replace(least, minors=found[same].minors | declared.minors)
    return tuple(found)


def declare(
    evidence: Evidence,
    line: CommandLine,
    release: Release,
    *,
    known: Known,
    parse: Parser,
    accepted: bool,
) -> Declared:
    """What a kubelet of that release would run with if it started now. Raises nothing.

    `accepted`: it runs with all of this, so what it would be expected to refuse is only noted.
    """
    launch, changed = evidence.launch, changed_file(evidence)
    over_files = line.flags if evidence.config is None and evidence.drop_ins is None else line.over_files
    if line.flags is None or not isinstance(over_files, Flags):
        unknown = over_files if line.flags is not None and isinstance(over_files, Unknown) else line.unknown
        return Declared({}, {}, unknown, flags_known=False, launch=launch)
    flags = line.flags
    check = Check(evidence, line, flags, release, known, accepted=accepted, changed=changed)
    configuration, unknown = Configuration(), None
    try:
        check_sources(flags, evidence)
        configuration = read_layers(evidence, over_files, release, parse)
        check.values(configuration)
        check.start(configuration)
    except Refused as error:
        # Whatever cannot be decoded stays unknown, also where the kubelet runs with it.
        unknown = Unknown(str(error), refused=not accepted)
    except NotRead as error:
        what = error.what
        unknown = Unknown(f'{what.path} could not be read: {what.why}', what.remedy, fault=what.fault)
    if unknown is not None:
        configuration = Configuration()
        apply_flags(configuration, over_files)
    for name, given in iter_plain_flags(flags):
        configuration.set(name, given.value, flag_origin(given))
    if launch is not None or evidence.places:
        configuration.origins = {path: placed(origin, evidence) for path, origin in configuration.origins.items()}
    return Declared(
        configuration.values,
        configuration.origins,
        unknown,
        line_accepted=line.is_accepted,
        undecided=dict(iter_undecided((*flags.undecided, *over_files.undecided))),
        objections=(*(Objection('', str(error)) for error in flags.objections), *check.objections),
        passed=tuple(check.passed),
        changed=changed,
        launch=launch,
        beneath=configuration.beneath,
    )


@dataclass(slots=True)
class Check:
    """What a kubelet of a release refuses: raised as Refused, or noted where it is known to take it."""

    evidence: Evidence
    line: CommandLine
    flags: Flags
    release: Release
    known: Known
    accepted: bool
    changed: str | None
    objections: list[Objection] = field(default_factory=list)
    passed: list[Objection] = field(default_factory=list)

    def values(self, configuration: Configuration) -> None:
        """What its validation turns down."""
        for problem in problems(configuration.values, self.release):
            objection = objection_to(problem, configuration)
            by_line = self.line.is_accepted and source_of(problem, configuration) is Source.FLAG
            # What a vendor's build takes says nothing of the release of one that runs.
            by_build = problem.is_only_upstream and has_accepted_its_files(self.evidence)
            if not (self.accepted or by_line or by_build or self.known.takes(objection, configuration)):
                raise Refused(f'the kubelet would refuse its configuration: {objection}')
            self.objections.append(objection)

    def start(self, configuration: Configuration) -> None:
        """What ends it on its way to serving: said only of what a file says that changed since the start."""
        for problem in late_problems(configuration.values, self.flags, self.release):
            objection = objection_to(problem, configuration)
            if self.may_be_new(problem, configuration) and not self.known.takes(objection, configuration):
                raise Refused(f'the kubelet would end on its way to serving: {objection}')
            self.passed.append(objection)
        for needed in needed_files(configuration.values, self.flags, self.release):
            if needed.path in self.evidence.broken and (
                self.is_early(needed) or self.may_be_new(needed, configuration)
            ):
                why = f'{needed.field}: {needed.path} {self.evidence.broken[needed.path]}'
                raise Refused(f'the kubelet would end on its way to serving: {why}')

    def is_early(self, needed: NeededFile) -> bool:
        """Whether a kubelet that has just started ends of it before it logs its configuration, as up to 1.35."""
        is_new = self.changed is None and not self.line.is_accepted
        return needed.field == CLIENT_CA and is_new and self.release.before(CA_IS_LATE)

    def may_be_new(self, problem: Problem | NeededFile, configuration: Configuration) -> bool:
        if self.evidence.process.unit:
            # Of a machine that does not run all is new.
            return True
        is_by_file = source_of(problem, configuration) in (Source.CONFIG_FILE, Source.DROP_IN)
        return self.changed is not None and is_by_file and self.known.can_tell_what_is_new


def check_sources(flags: Flags, evidence: Evidence) -> None:
    """Raise NotRead where a flag names a source of configuration that was not read."""
    read = {'config': evidence.config, 'config-dir': evidence.drop_ins}
    for name in flags.values:
        path = flags.text(name)
        if not path or not FLAGS[name].names_configuration:
            continue
        if name not in read:
            raise NotRead(Unreadable(path, f'this check does not support --{name}'))
        if read[name] is None:
            raise NotRead(Unreadable(path, 'an unknown kubelet flag decides whether the kubelet reads it'))


def iter_undecided(names: Sequence[str]) -> Iterator[tuple[str, Unknown]]:
    """The paths that flags write whose values are not understood."""
    for name in names:
        yield FLAGS[name].field or f'--{name}', Unknown(f'the value of --{name} is not understood')


def iter_needed(
    readings: Sequence[Declared], lines: Sequence[CommandLine], *, is_first_start: bool = False
) -> Iterator[NeededFile]:
    """The files that a kubelet must find which starts with files that changed since its last start.

    Of one that has just started, and whose release is known, the files that it looks for first. `is_first_start`: all
    files are new to it.
    """
    flags = next((line.flags for line in lines if line.flags is not None), None)
    if flags is None:
        return
    for declared in readings:
        if declared.unknown is None:
            for minor in declared.minors if declared.changed is not None or is_first_start else ():
                yield from needed_files(declared.values, flags, Release(minor))
            if declared.changed is None and not declared.line_accepted and len(declared.minors) == len(readings) == 1:
                (minor,) = declared.minors
                needed = needed_files(declared.values, flags, Release(minor))
                yield from (file for file in needed if file.field == CLIENT_CA and minor < CA_IS_LATE)


def objection_to(problem: Problem, configuration: Configuration) -> Objection:
    origin = configuration.origins.get(problem.field)
    place = f' ({origin.place})' if origin is not None and origin.source is not Source.FLAG else ''
    return Objection(problem.field, problem.message, place)


def source_of(problem: Problem | NeededFile, configuration: Configuration) -> Source | None:
    """Where what is wrong is set; None for a flag that writes no field."""
    origin = configuration.origins.get(problem.field)
    return origin.source if origin is not None else None


def placed(origin: Origin, evidence: Evidence) -> Origin:
    """The origin of a flag with the file and line that it stands in, where they are known."""
    if origin.source is not Source.FLAG:
        return origin
    launch = evidence.launch
    places = launch.places if launch is not None else evidence.places
    place = places.get(origin.place) or places.get(origin.place.partition(' ')[0])
    if place is None:
        return origin if launch is None else replace(origin, place=f'{origin.place} in {launch.program}')
    path = place.partition(' ')[0].rpartition(':')[0]
    return Origin(Source.FLAG, f'{origin.place} in {place}', path or None, place if path else '')


def changed_file(evidence: Evidence) -> str | None:
    """The first file or folder of the configuration that changed after the process started; None where none did.

    A file that is not there, of a kubelet that has run for a minute, went away after its start.
    """
    started_at, launch = evidence.process.started_at, evidence.launch
    if launch is not None and launch.doubt is not None:
        return None
    has_run = has_accepted_its_line(evidence)
    for path, changed_at in iter_times(evidence):
        if has_run and changed_at is None or is_later(changed_at, started_at):
            return path
    return None


def iter_times(evidence: Evidence) -> Iterator[tuple[str, float | None]]:
    """Every path of the configuration and when it changed last, where that is known; None where nothing is."""
    drop_ins = evidence.drop_ins
    files = drop_ins.files if isinstance(drop_ins, DropIns) else ()
    launched_by = evidence.launch.files if evidence.launch is not None else ()
    for file in (*launched_by, evidence.config, *files, drop_ins):
        if isinstance(file, File | DropIns) and file.changed_at is not None:
            yield file.path, file.changed_at
        elif isinstance(file, Missing):
            yield file.path, None
