# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""From evidence to the configuration that a kubelet would start with, as each possible release reads it.

Releases that refuse a configuration which the kubelet has accepted (`acceptance.py`) are ruled out. If all releases
refuse it, this check is wrong and not the node: the values count, and what was not expected is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from datadog_checks.kubelet_compliance.model import (
    Declared,
    Evidence,
    Objection,
    Origin,
    Source,
    Unknown,
    Unreadable,
)

from .acceptance import changed_file, has_accepted_its_files, has_accepted_its_line
from .command_lines import CommandLine, read_command_lines
from .config_values import Problem
from .decoding import Configuration
from .flags import Flags, iter_plain_flags, untyped_flags
from .layers import NotRead, ParsedOnce, Parser, Refused, apply_flags, flag_origin, read_layers
from .needed_files import CLIENT_CA_FIELD, NeededFile, needed_files
from .release import Release, iter_alike
from .startup_checks import startup_problems
from .tables.flags import FLAGS
from .validation import problems

CA_IS_LATE = 36
"""From this release on, the kubelet opens its client CA only after it logged its configuration."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a kubelet is known to have accepted: objections that did not stop it, and its running configuration."""

    objections: frozenset[Objection] = frozenset()
    running: Configuration | None = None
    has_seen_its_files: bool = False
    """Its files were read as they were when it started."""

    @property
    def can_tell_what_is_new(self) -> bool:
        return self.has_seen_its_files or self.running is not None

    def takes(self, objection: Objection, configuration: Configuration) -> bool:
        """Whether the kubelet is known to run with this in spite of the objection."""
        if replace(objection, place='') in self.objections:
            return True
        shown = self.running.get(objection.path) if self.running is not None else None
        return shown is not None and shown == configuration.get(objection.path)


def every_reading(evidence: Evidence, minors: Iterable[int]) -> tuple[Declared, ...]:
    """`read_configurations`, with the command line parsed first."""
    lines = read_command_lines(evidence.arguments, minors, accepted=has_accepted_its_line(evidence))
    return read_configurations(evidence, lines)


def read_configurations(
    evidence: Evidence, lines: Sequence[CommandLine], known: Known | None = None
) -> tuple[Declared, ...]:
    """What the kubelet would run with if it started now: one for each possible reading. Raises nothing."""
    accepted = has_accepted_its_files(evidence)
    readings = list(iter_line_readings(evidence, lines, known or Known(), accepted=accepted))
    # A release that would refuse what the kubelet has accepted is not the kubelet's release, if another fits.
    fitting = [reading for reading in readings if not reading.is_refused]
    return distinct_readings([reading.declared for reading in (accepted and fitting) or readings])


@dataclass(frozen=True, slots=True)
class Reading:
    """A declared configuration. `is_refused`: a kubelet of these releases would refuse it."""

    declared: Declared
    is_refused: bool


def is_refused(declared: Declared) -> bool:
    """Whether the kubelet would refuse to start with this configuration."""
    return declared.unknown is not None and declared.unknown.refused


def iter_line_readings(
    evidence: Evidence, lines: Sequence[CommandLine], known: Known, *, accepted: bool
) -> Iterator[Reading]:
    parse = ParsedOnce()
    for line in lines:
        work = partial(declare, evidence, line, accepted=accepted, known=known, parse=parse)
        for minors, reading in iter_alike(line.minors, work):
            yield replace(reading, declared=replace(reading.declared, minors=minors))


def distinct_readings(readings: Sequence[Declared]) -> tuple[Declared, ...]:
    """The readings, with equal ones merged into one that has the releases of all of them."""
    found: list[Declared] = []
    for declared in readings:
        same = next((number for number, other in enumerate(found) if other == declared), None)
        if same is None:
            found.append(declared)
        else:
            # The releases with the fewest objections fit best.
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
) -> Reading:
    """What a kubelet of that release would run with if it started now. Raises nothing.

    `accepted`: it runs with all of this, so every refusal that this check expects is only recorded.
    """
    launch, changed = evidence.launch, changed_file(evidence)
    over_files = line.flags if evidence.config is None and evidence.drop_ins is None else line.over_files
    if line.flags is None or not isinstance(over_files, Flags):
        unknown = over_files if line.flags is not None and isinstance(over_files, Unknown) else line.unknown
        declared = Declared({}, {}, unknown, flags_known=False, launch=launch)
        return Reading(declared, is_refused(declared))
    flags = line.flags
    check = Check(evidence, line, flags, release, known, accepted=accepted, changed=changed)
    configuration, unknown = Configuration(), None
    try:
        check_sources(flags, evidence)
        configuration = read_layers(evidence, over_files, release, parse)
        check.values(configuration)
        check.start(configuration)
    except Refused as error:
        check.is_refused = True
        # Values that cannot be decoded are unknown, even if the kubelet runs with them.
        unknown = Unknown(str(error), refused=not accepted)
    except NotRead as error:
        what = error.what
        unknown = Unknown(f'could not read {what.path}: {what.why}', what.remedy, fault=what.fault)
    if unknown is not None:
        configuration = Configuration()
        apply_flags(configuration, over_files)
    for name, given in iter_plain_flags(flags):
        configuration.set(name, given.value, flag_origin(given))
    if launch is not None or evidence.places:
        configuration.origins = {path: with_place(origin, evidence) for path, origin in configuration.origins.items()}
    declared = Declared(
        configuration.values,
        configuration.origins,
        unknown,
        line_accepted=line.is_accepted,
        undecided=dict(iter_undecided((*flags.undecided, *over_files.undecided, *untyped_flags(over_files)))),
        objections=(*(Objection('', str(error)) for error in flags.objections), *check.objections),
        passed=tuple(check.passed),
        changed=changed,
        launch=launch,
        beneath=configuration.beneath,
    )
    return Reading(declared, check.is_refused)


@dataclass(slots=True)
class Check:
    """The refusals of a kubelet of one release: raised as Refused, or recorded if it is known to run with them."""

    evidence: Evidence
    line: CommandLine
    flags: Flags
    release: Release
    known: Known
    accepted: bool
    changed: str | None
    objections: list[Objection] = field(default_factory=list)
    passed: list[Objection] = field(default_factory=list)
    is_refused: bool = False

    def values(self, configuration: Configuration) -> None:
        """The refusals of the kubelet's validation."""
        for problem, origins in all_problems(configuration, self.release):
            objection = objection_to(problem, origins)
            is_final = origins is configuration.origins
            by_line = self.line.is_accepted and source_of(problem, origins) is Source.FLAG
            # What a vendor's build accepts does not tell the release of a running kubelet.
            by_build = problem.is_only_upstream and has_accepted_its_files(self.evidence)
            is_shown = is_final and self.known.takes(objection, configuration)
            if not (by_line or by_build or is_shown):
                self.is_refused = True
                if not self.accepted:
                    raise Refused(f'the kubelet would refuse its configuration: {objection}')
            self.objections.append(objection)

    def start(self, configuration: Configuration) -> None:
        """The refusals during startup. They count only for files that changed after the start."""
        for problem in startup_problems(configuration.values, self.flags, self.release):
            objection = objection_to(problem, configuration.origins)
            if self.may_be_new(problem, configuration) and not self.known.takes(objection, configuration):
                raise Refused(f'the kubelet would exit during startup: {objection}')
            self.passed.append(objection)
        for needed in needed_files(configuration.values, self.flags, self.release):
            if needed.path in self.evidence.broken and (
                self.is_early(needed) or self.may_be_new(needed, configuration)
            ):
                why = f'{needed.field}: {needed.path} {self.evidence.broken[needed.path]}'
                raise Refused(f'the kubelet would exit during startup: {why}')

    def is_early(self, needed: NeededFile) -> bool:
        """Whether a kubelet that has just started exits before it logs its configuration, as up to 1.35."""
        is_new = self.changed is None and not self.line.is_accepted
        return needed.field == CLIENT_CA_FIELD and is_new and self.release.before(CA_IS_LATE)

    def may_be_new(self, problem: Problem | NeededFile, configuration: Configuration) -> bool:
        """Whether the kubelet may not have seen this yet."""
        if self.evidence.process.unit:
            # On a machine that is not running, everything is new.
            return True
        is_by_file = source_of(problem, configuration.origins) in (Source.CONFIG_FILE, Source.DROP_IN)
        return self.changed is not None and is_by_file and self.known.can_tell_what_is_new


def check_sources(flags: Flags, evidence: Evidence) -> None:
    """Raise NotRead if a flag names a source of configuration that was not read."""
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
    """The paths that flags set whose values could not be interpreted."""
    for name in names:
        yield FLAGS[name].field or f'--{name}', Unknown(f'could not interpret the value of --{name}')


def iter_needed(
    readings: Sequence[Declared], lines: Sequence[CommandLine], *, is_first_start: bool = False
) -> Iterator[NeededFile]:
    """The files that the kubelet must find when it starts with files that changed after its last start.

    For a kubelet that has just started, and whose release is known: the files that it opens first. `is_first_start`:
    all files are new to the kubelet.
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
                yield from (file for file in needed if file.field == CLIENT_CA_FIELD and minor < CA_IS_LATE)


def all_problems(configuration: Configuration, release: Release) -> Iterator[tuple[Problem, Mapping[str, Origin]]]:
    """What the kubelet's validation refuses, and what it refuses before all layers are in place, with the origins."""
    found = [*problems(configuration.values, release)]
    yield from ((problem, configuration.origins) for problem in found)
    yield from (each for each in configuration.early if each[0] not in found)


def objection_to(problem: Problem, origins: Mapping[str, Origin]) -> Objection:
    origin = origins.get(problem.field)
    place = f' ({origin.place})' if origin is not None and origin.source is not Source.FLAG else ''
    return Objection(problem.field, problem.message, place)


def source_of(problem: Problem | NeededFile, origins: Mapping[str, Origin]) -> Source | None:
    """Where the wrong value is set. None for a flag that sets no field."""
    origin = origins.get(problem.field)
    return origin.source if origin is not None else None


def with_place(origin: Origin, evidence: Evidence) -> Origin:
    """The origin of a flag, with the file and line of the flag if they are known."""
    if origin.source is not Source.FLAG:
        return origin
    launch = evidence.launch
    places = launch.places if launch is not None else evidence.places
    place = places.get(origin.place) or places.get(origin.place.partition(' ')[0])
    if place is None:
        return origin if launch is None else replace(origin, place=f'{origin.place} in {launch.program}')
    return Origin(Source.FLAG, f'{origin.place} in {place}', place.path, str(place), place.line)
