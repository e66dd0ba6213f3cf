# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Evidence to the configuration that a kubelet would start with, and to the value and origin of one setting.

The layers themselves are read in `layers.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .decoding import DEFAULT_ORIGIN, Configuration
from .flags import FlagError, UnknownFlag, iter_plain_flags, parse_flags, parse_flags_again
from .layers import NotRead, Refused, apply_flags, flag_origin, read_layers
from .model import (
    Declared,
    DropIns,
    Evidence,
    File,
    FileAspect,
    FileSet,
    FileStatus,
    Launch,
    Origin,
    Rule,
    Setting,
    Source,
    Unknown,
    Unreadable,
    Value,
    Values,
)
from .release import Release
from .validation import problems

CLOCK_GRAIN_SECONDS = 1.0
"""A file's time and a process's start come from clocks that differ by a tick or two."""

COMMAND_LINE_NOT_BELIEVED = Unknown(
    'the command line of the kubelet was rewritten or cut off, or is larger than 256 KiB or 4096 arguments',
    'let the kubelet keep its command line as it was started',
)


NOT_ASKED = Unknown('the running configuration was not asked for')


def declare(evidence: Evidence, release: Release) -> Declared:
    """What a kubelet of that release would run with if it started now. Raises nothing."""
    arguments, launch = evidence.arguments, evidence.launch
    if arguments is None or isinstance(arguments, Unknown):
        return Declared({}, {}, arguments or COMMAND_LINE_NOT_BELIEVED, flags_known=False, launch=launch)
    try:
        flags = parse_flags(arguments)
        overlay = flags if evidence.config is None and evidence.drop_ins is None else parse_flags_again(arguments)
    except UnknownFlag as error:
        unknown = Unknown(f'{error}; its command line is not understood')
        return Declared({}, {}, unknown, flags_known=False, launch=launch)
    except FlagError as error:
        refused = Unknown(f'the kubelet would refuse its command line: {error}', refused=True)
        return Declared({}, {}, refused, flags_known=False, launch=launch)
    try:
        configuration = read_layers(evidence, overlay, release)
        check_values(configuration, release)
        unread = None
    except Refused as error:
        refused = Unknown(str(error), refused=True)
        return Declared({}, {}, refused, flags_known=False, changed=changed_file(evidence), launch=launch)
    except NotRead as error:
        configuration = Configuration()
        unread = Unknown(f'{error.what.path} could not be read: {error.what.why}', error.what.remedy)
        apply_flags(configuration, overlay)
    for name, given in iter_plain_flags(flags):
        configuration.set(name, given.value, flag_origin(given))
    if launch is not None:
        configuration.origins = {path: launched(origin, launch) for path, origin in configuration.origins.items()}
    changed = changed_file(evidence)
    return Declared(configuration.values, configuration.origins, unread, changed=changed, launch=launch)


def launched(origin: Origin, launch: Launch) -> Origin:
    """The origin of a flag that a program passes to the kubelet inside it: the line that holds the flag, if known."""
    if origin.source is not Source.FLAG:
        return origin
    place = launch.places.get(origin.place) or launch.places.get(origin.place.partition(' ')[0])
    return Origin(Source.FLAG, f'{origin.place} of {place or launch.program}', place and place.rpartition(':')[0])


def check_values(configuration: Configuration, release: Release) -> None:
    """Raise Refused for a value that the kubelet's own validation turns down."""
    problem = next(problems(configuration.values, release), None)
    if problem is not None:
        origin = configuration.origins.get(problem.field)
        place = f' ({origin.place})' if origin is not None and origin.source is not Source.FLAG else ''
        raise Refused(f'the kubelet would refuse its configuration: {problem.field}{place}: {problem.message}')


def changed_file(evidence: Evidence) -> str | None:
    """The first file or folder of the configuration that changed after the process started; None where none did."""
    started_at = evidence.process.started_at
    if started_at is None or evidence.launch is not None and evidence.launch.doubt is not None:
        return None
    return next((path for path, at in iter_times(evidence) if at > started_at + CLOCK_GRAIN_SECONDS), None)


def iter_times(evidence: Evidence) -> Iterator[tuple[str, float]]:
    """Every path of the configuration and when it changed last, where that is known."""
    drop_ins = evidence.drop_ins
    files = drop_ins.files if isinstance(drop_ins, DropIns) else ()
    launched_by = evidence.launch.files if evidence.launch is not None else ()
    for file in (*launched_by, evidence.config, *files, drop_ins):
        if isinstance(file, File | DropIns) and file.changed_at is not None:
            yield file.path, file.changed_at


def resolve(declared: Declared, fields: Sequence[str], running: Values | Unknown = NOT_ASKED) -> Setting:
    """The values of some fields as declared and where they were set, as they run, and what changed since the start."""
    launch = declared.launch
    origins = [declared.origins.get(field) for field in fields]
    by_flags = all(is_flag(field) or was_flag(origin) for field, origin in zip(fields, origins, strict=True))
    if declared.unknown is not None and not (by_flags and declared.flags_known):
        return Setting(declared.unknown, None, running, declared.changed, launch)
    values = tuple((field, declared.value(field)) for field in fields)
    origin = next((origin for origin in origins if origin is not None and origin.source is not Source.DEFAULT), None)
    if launch is not None and launch.doubt is not None and origin is None:
        # A default shows only that nothing was found, and not all was looked at.
        return Setting(launch.doubt, None, running, launch=launch)
    # The flags of a kubelet inside another program stand in a file themselves.
    fixed = by_flags and launch is None
    return Setting(values, origin or DEFAULT_ORIGIN, running, None if fixed else declared.changed, launch)


def running_values(rule: Rule, running: Configuration | Unknown, declared: Declared) -> Values | Unknown:
    """The rule's values as they run. /configz leaves out Go's zero values, and shows no flag that writes no field."""
    if isinstance(running, Unknown) or any(is_flag(field) for field in rule.fields):
        return running if isinstance(running, Unknown) else NOT_ASKED
    return tuple(
        (field, running_value(field, absent, running, declared))
        for field, absent in zip(rule.fields, rule.when_absent, strict=True)
    )


def running_value(field: str, absent: Value, running: Configuration, declared: Declared) -> Value:
    value = running.get(field)
    if value is None:
        return absent
    # The pair that the kubelet makes itself is shown like a configured one (pkg/kubelet `InitializeTLS`).
    folder = str(declared.value('--cert-dir') or CERTIFICATES) if declared.flags_known else ''
    is_self_made = field in SELF_MADE and str(value).endswith(folder.rstrip('/') + SELF_MADE[field])
    is_configured = declared.value(field) == value and declared.changed is None
    return '' if is_self_made and not is_configured else value


CERTIFICATES = '/var/lib/kubelet/pki'
SELF_MADE = {'tlsCertFile': '/kubelet.crt', 'tlsPrivateKeyFile': '/kubelet.key'}


def is_flag(field: str) -> bool:
    """Whether a rule looks at a flag that writes no field."""
    return field.startswith('--')


def was_flag(origin: Origin | None) -> bool:
    return origin is not None and origin.source is Source.FLAG


def resolve_files(files: FileSet | Unknown, aspect: FileAspect, launch: Launch | None = None) -> Setting:
    """The mode or the owner of each file of a subject. `launch`: what tells which files they are."""
    if isinstance(files, Unknown):
        return Setting(files, None, NOT_ASKED)
    unseen = next((file for file in files.files if not isinstance(file, FileStatus)), None)
    if unseen is not None:
        remedy = unseen.remedy if isinstance(unseen, Unreadable) else ''
        return Setting(Unknown(f'{unseen.path} could not be looked at: {unseen.why}', remedy), None, NOT_ASKED)
    values = tuple((file.path, aspect_of(file, aspect)) for file in files.files if isinstance(file, FileStatus))
    return Setting(values, Origin(files.source, ''), NOT_ASKED, launch=launch)


def aspect_of(file: FileStatus, aspect: FileAspect) -> str:
    if aspect is FileAspect.MODE:
        return f'{file.mode:03o}'
    return ':'.join('root' if number == 0 else str(number) for number in (file.uid, file.gid))
