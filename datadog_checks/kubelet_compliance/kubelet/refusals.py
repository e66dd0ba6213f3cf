# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Everything that a kubelet of one release refuses or ignores in a kubelet's arguments and files. Pure.

`declare.py` stops at the first refusal, as a kubelet does. Here, one pass finds all of them, so that one round of
changes removes them. Nothing counts as accepted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from datadog_checks.kubelet_compliance.model import Evidence, Origin, Source, Unknown, UpgradeSubject

from .cgroup_checks import refused_on_v1, v1_problems
from .command_lines import ALPHA_DROP_INS, NOT_BELIEVED, CommandLine, read_accepted
from .config_values import Problem
from .declare import all_problems, check_sources, with_place
from .decoding import Configuration, DecodingError, Notes
from .feature_gates import GATE_PREFIX, GONE, LOCKED, STAGE_GATES, history
from .flag_tokens import FlagError
from .flags import Flags
from .formats.documents import parse_document
from .layers import NotRead, Parser, Refused, read_layers
from .needed_files import needed_files
from .release import Release
from .startup_checks import startup_problems
from .tables.flags import FLAGS

DROP_INS = 'config-dir'
VARIABLE = 'KUBELET_CONFIG_DROPIN_DIR_ALPHA'


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that a kubelet refuses. The same text for each release, so that releases can be compared.

    `is_only_upstream`: a vendor's build may accept it. `is_late`: the kubelet refuses it during startup, and not by its
    validation, which is other code. `other_gate`: the feature gate that causes the refusal, if another one does.
    """

    subject: UpgradeSubject
    what: str
    why: str
    origin: Origin | None = field(default=None, compare=False)
    is_only_upstream: bool = False
    is_late: bool = False
    other_gate: str = ''


@dataclass(frozen=True, slots=True)
class WholeReading:
    """What one release makes of one reading of a command line and its files.

    `configuration`: with all layers; None if a whole file is refused or could not be read. `ignored`: the fields that
    only other releases have. `unknown`: why there may be more refusals. `needs_cgroup_v2`: fields that a kubelet
    refuses on cgroup v1, if it is not known which version the node uses.
    """

    refusals: tuple[Refusal, ...] = ()
    configuration: Configuration | None = None
    flags: Flags | None = None
    ignored: tuple[tuple[str, Origin], ...] = ()
    unknown: Unknown | None = None
    needs_cgroup_v2: tuple[str, ...] = ()


def read_as(evidence: Evidence, release: Release, parse: Parser = parse_document) -> tuple[WholeReading, ...]:
    """What a kubelet of a release makes of the evidence: one reading for each meaning that an unknown flag can have.

    Raises nothing.
    """
    arguments = evidence.arguments
    if arguments is None or isinstance(arguments, Unknown):
        return (WholeReading(unknown=arguments or NOT_BELIEVED),)
    lines = read_accepted(arguments, release, only_upstream=True)
    return tuple(read_line(evidence, arguments, line, release, parse) for line in lines)


def read_line(
    evidence: Evidence, arguments: Sequence[str], line: CommandLine, release: Release, parse: Parser
) -> WholeReading:
    over_files = line.flags if evidence.config is None and evidence.drop_ins is None else line.over_files
    found = [*flag_refusals(line, over_files, arguments, release)]
    if line.flags is None or not isinstance(over_files, Flags):
        unknown = line.unknown if line.flags is None else over_files
        return finished(found, evidence, unknown=unknown if isinstance(unknown, Unknown) else None)
    flags, notes = line.flags, Notes()
    try:
        check_sources(flags, evidence)
        configuration = read_layers(evidence, over_files, release, parse, notes)
    except NotRead as error:
        what = error.what
        unknown = Unknown(f'could not read {what.path}: {what.why}', what.remedy, fault=what.fault)
        return finished([*found, *map(file_refusal, notes.refused)], evidence, unknown=unknown)
    except Refused as error:
        notes.refused.append(error)
        configuration = Configuration()
    found += map(file_refusal, notes.refused)
    if any(isinstance(error, Refused) for error in notes.refused):
        return finished(found, evidence)
    found += (with_flag(refusal, arguments) for refusal in value_refusals(configuration, flags, evidence, release))
    configuration.origins = {path: with_place(origin, evidence) for path, origin in configuration.origins.items()}
    is_open = evidence.process.uses_cgroup_v1 is None
    return replace(
        finished(found, evidence),
        configuration=configuration,
        flags=flags,
        ignored=tuple(notes.ignored.items()),
        needs_cgroup_v2=tuple(refused_on_v1(configuration.values, release)) if is_open else (),
    )


def finished(found: Sequence[Refusal], evidence: Evidence, *, unknown: Unknown | None = None) -> WholeReading:
    """The refusals, each once and with its place."""
    placed = (
        refusal if refusal.origin is None else replace(refusal, origin=with_place(refusal.origin, evidence))
        for refusal in found
    )
    return WholeReading(tuple(dict.fromkeys(placed)), unknown=unknown)


def flag_refusals(
    line: CommandLine, over_files: Flags | Unknown | None, arguments: Sequence[str], release: Release
) -> Iterator[Refusal]:
    """The flags that the kubelet refuses in either of its two parses."""
    errors = [line.refused] if line.refused is not None else []
    for flags in (line.flags, over_files):
        errors += flags.objections if isinstance(flags, Flags) else ()
    for error in errors:
        yield Refusal(
            UpgradeSubject.FLAG, name_of_flag(error, arguments), why_refused(error, release), typed(error, arguments)
        )
    has_drop_ins = line.flags is not None and line.flags.text(DROP_INS)
    if has_drop_ins and release.is_in(min(ALPHA_DROP_INS), max(ALPHA_DROP_INS)):
        why = f'Kubernetes 1.28 and 1.29 accept this flag only with the environment variable {VARIABLE}'
        yield Refusal(UpgradeSubject.FLAG, f'--{DROP_INS}', why, typed(FlagError('', DROP_INS), arguments))


def name_of_flag(error: FlagError, arguments: Sequence[str]) -> str:
    """The flag in an error, as it was typed."""
    if not error.flag:
        return 'command line'
    is_short = len(error.flag) == 1 and error.flag not in FLAGS and not typed_long(error, arguments)
    return f'-{error.flag}' if is_short else f'--{error.flag[:60]}'


def why_refused(error: FlagError, release: Release) -> str:
    """What is wrong with a flag, in the same words for each release."""
    flag = FLAGS.get(error.flag)
    if not error.flag:
        return str(error)
    if flag is None:
        return 'no known Kubernetes release has this flag'
    if not flag.is_upstream:
        return 'only builds of some vendors have this flag'
    if flag.until is not None and release.at_least(flag.until + 1):
        return f'Kubernetes 1.{flag.until + 1} removed this flag'
    if release.before(flag.since):
        return f'Kubernetes 1.{flag.since} introduced this flag'
    return str(error).removeprefix(f'--{error.flag} ').removeprefix(f'-{error.flag} ')


def typed(error: FlagError, arguments: Sequence[str]) -> Origin | None:
    """The last argument with the flag. It finds the place, and its value is not shown."""
    if not error.flag:
        return None
    own = typed_long(error, arguments)
    return Origin(Source.FLAG, own[-1] if own else name_of_flag(error, arguments))


def typed_long(error: FlagError, arguments: Sequence[str]) -> list[str]:
    """The arguments that have the flag with two dashes."""
    names = (argument.partition('=')[0].replace('_', '-') for argument in arguments)
    return [argument for argument, name in zip(arguments, names, strict=True) if name == f'--{error.flag}']


def with_flag(refusal: Refusal, arguments: Sequence[str]) -> Refusal:
    """The refusal of a flag that sets no field, with the argument that has the flag."""
    if refusal.subject is not UpgradeSubject.FLAG or refusal.origin is not None:
        return refusal
    return replace(refusal, origin=typed(FlagError('', refusal.what.lstrip('-')), arguments))


def file_refusal(error: Exception) -> Refusal:
    """A file that the kubelet refuses as a whole, or a field with a value of the wrong type."""
    if isinstance(error, DecodingError) and error.path:
        kind = str(error).rpartition(' is not ')[2]
        return Refusal(UpgradeSubject.FIELD, error.path, f'is not {kind}', error.origin)
    if not isinstance(error, Refused) or not error.path:
        return Refusal(UpgradeSubject.FILE, 'config file', str(error))
    place = f'{error.path}:{error.line}' if error.line else error.path
    origin = Origin(Source.CONFIG_FILE, place, error.path, line=error.line)
    return Refusal(UpgradeSubject.FILE, error.path, error.why or str(error), origin)


def value_refusals(
    configuration: Configuration, flags: Flags, evidence: Evidence, release: Release
) -> Iterator[Refusal]:
    """The values that the kubelet's validation and its startup refuse, and the files that it needs."""
    values = configuration.values
    for problem, origins in all_problems(configuration, release):
        yield value_refusal(problem, origins, release)
    if evidence.process.uses_cgroup_v1:
        for problem in v1_problems(values, release):
            yield value_refusal(problem, configuration.origins, release)
    for problem in startup_problems(values, flags, release):
        yield replace(value_refusal(problem, configuration.origins, release), is_late=True)
    for needed in needed_files(values, flags, release):
        if needed.path in evidence.broken:
            origin = configuration.origins.get(needed.field)
            yield Refusal(UpgradeSubject.FILE, needed.path, f'{needed.field}: {evidence.broken[needed.path]}', origin)


def value_refusal(problem: Problem, origins: Mapping[str, Origin], release: Release) -> Refusal:
    origin = origin_of_problem(problem, origins)
    if problem.field.startswith(GATE_PREFIX):
        gate = problem.field.removeprefix(GATE_PREFIX)
        why = problem.message if problem.gate else gate_refusal(gate, release) or problem.message
        return Refusal(
            UpgradeSubject.GATE, problem.field, why, origin, problem.is_only_upstream, other_gate=problem.gate
        )
    subject = UpgradeSubject.FLAG if problem.field.startswith('--') else UpgradeSubject.FIELD
    return Refusal(subject, problem.field, problem.message, origin, problem.is_only_upstream)


def origin_of_problem(problem: Problem, origins: Mapping[str, Origin]) -> Origin | None:
    """Where the refused value is set, or the gate that a value by default requires."""
    own = origins.get(problem.field)
    if not problem.gate or own is not None and own.source is not Source.DEFAULT:
        return own
    by_gate = (origins.get(f'{GATE_PREFIX}{name}') for name in (problem.gate, *STAGE_GATES))
    return next((origin for origin in by_gate if origin is not None), own)


def gate_refusal(gate: str, release: Release) -> str:
    """Why a release does not accept a gate or its value, in the same words for each release. '' if it does."""
    stages = history(gate)
    if not stages:
        return 'no known Kubernetes release has this feature gate'
    since, letter = next(((since, letter) for since, letter in stages if release.at_least(since)), (0, ''))
    if letter == GONE:
        return f'Kubernetes 1.{since} removed this feature gate'
    if not letter:
        return f'Kubernetes 1.{stages[-1][0]} introduced this feature gate'
    if letter in LOCKED:
        return f'Kubernetes 1.{since} locked this feature gate to {str(LOCKED[letter]).lower()}'
    return ''
