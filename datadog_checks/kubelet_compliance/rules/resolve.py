# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The setting that a rule judges on one kubelet: its value and its place, as declared and as running. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

from datadog_checks.kubelet_compliance.kubelet.decoding import DEFAULT_ORIGIN, Configuration
from datadog_checks.kubelet_compliance.kubelet.pending import SELF_MADE, is_same
from datadog_checks.kubelet_compliance.model import (
    NOT_ASKED as NOT_ASKED,
    Declared,
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
    was_flag,
)

from .field_facts import is_flag, value_if_left_out


def resolve(
    declared: Declared, fields: Sequence[str], running: Values | Unknown = NOT_ASKED, beside: Sequence[str] = ()
) -> Setting:
    """The declared values of some fields with their places, the running values, and what changed since the start.

    `beside`: fields that are not judged, but whose places help to fix the others.
    """
    launch, unknown = declared.launch, declared.unknown
    origins = [declared.origins.get(field) for field in fields]
    by_flags = all(is_flag(field) or was_flag(origin) for field, origin in zip(fields, origins, strict=True))
    if unknown is not None and not (by_flags and declared.flags_known):
        return Setting(unknown, None, running, declared.changed)
    undecided = next((why for path, why in declared.undecided.items() for field in fields if is_at(field, path)), None)
    if undecided is not None:
        return Setting(undecided, None, running)
    values = tuple((field, declared.value(field)) for field in fields)
    origin = next((origin for origin in origins if origin is not None and origin.source is not Source.DEFAULT), None)
    doubt = launch.doubt if launch is not None else None
    if doubt is not None and origin is None:
        # A default shows only that nothing was found, and not everything was read.
        return Setting(doubt, None, running, doubt=doubt)
    if unknown is not None and unknown.refused and not declared.line_accepted:
        # The process has not yet run for long enough: its flags can prove a rule broken, never kept.
        doubt = unknown
    # The flags of a kubelet inside another program are in a file themselves.
    fixed = by_flags and launch is None
    changed = None if fixed else declared.changed
    is_explicit = launch is not None and launch.is_whole and by_flags
    return Setting(
        values,
        origin or DEFAULT_ORIGIN,
        running,
        changed,
        doubt,
        is_explicit,
        origins={field: declared.origins[field] for field in (*fields, *beside) if field in declared.origins},
        beneath={field: declared.beneath[field] for field in fields if field in declared.beneath},
    )


def is_at(field: str, path: str) -> bool:
    """Whether a field has the path, or a path below it."""
    return field == path or field.startswith(f'{path}.')


def agreed(settings: Sequence[Setting], meaning: Callable[[Values], object], otherwise: Unknown) -> Setting:
    """One setting from the possible readings of a configuration, as far as all of them mean the same.

    `meaning`: what counts about the values, such as whether they are compliant. `otherwise`: why readings may differ.
    A doubt or a change in one reading counts for all.
    """
    first = settings[0]
    if len(settings) == 1:
        return first
    declared = [each.declared for each in settings]
    changed = next((each.changed for each in settings if each.changed is not None), None)
    doubt = next((each.doubt for each in settings if each.doubt is not None), None)
    running = first.running if is_one([each.running for each in settings], meaning) else otherwise
    if is_one(declared, meaning) or all(isinstance(each, Unknown) for each in declared):
        return replace(first, running=running, changed=changed, doubt=doubt)
    return replace(first, declared=otherwise, origin=None, running=running, changed=changed, doubt=doubt)


def is_one(readings: Sequence[Values | Unknown], meaning: Callable[[Values], object]) -> bool:
    """Whether all readings mean the same."""
    return len({each if isinstance(each, Unknown) else meaning(each) for each in readings}) == 1


FLAG_DECIDES = Unknown(
    'an unknown kubelet flag may take the next argument as its value, so the command line can be read in two ways',
    'write the value of that flag with =',
)
VERSION_DECIDES = Unknown(
    'Kubernetes releases interpret this configuration differently, and the version of the kubelet is not known',
    'let the Agent read /metrics of the kubelet',
)


def running_values(
    rule: Rule,
    running: Configuration | Unknown,
    declared: Declared,
    started: Declared | None = None,
    *,
    meaning: Callable[[Values], object] = lambda values: values,
) -> Values | Unknown:
    """The running values of a rule. `started`: the configuration with which the process is known to have started.

    /configz leaves out Go's zero values, and does not show a flag that sets no field: the process fixes those. If it
    may show a pair of files that the kubelet made itself, the values count only if both readings mean the same.
    """
    if isinstance(running, Unknown):
        return running
    possible = [possible_values(field, running, declared, started) for field in rule.fields]
    readings = [tuple(zip(rule.fields, values, strict=True)) for values in product(*possible)]
    if all(meaning(values) == meaning(readings[0]) for values in readings):
        return readings[0]
    return NOT_ASKED if any(is_flag(field) for field in rule.fields) else SELF_MADE_OR_NOT


SELF_MADE_OR_NOT = Unknown(
    'the serving certificate at the default path of the kubelet is either configured or self-signed, and the files '
    'that show which have changed or could not be read',
    'let the Agent read the files of the kubelet, and restart the kubelet if they changed',
)


def possible_values(
    field: str, running: Configuration, declared: Declared, started: Declared | None
) -> tuple[Value, ...]:
    """What a field or flag may be in the process: one value, or both if the evidence does not decide."""
    if is_flag(field):
        return (declared.value(field),) if declared.flags_known and declared.launch is None else (None, True)
    shown = running.get(field)
    value = value_if_left_out(field) if shown is None else shown
    match is_self_made(field, value, declared, started):
        case True:
            return ('',)
        case False:
            return (value,)
        case None:
            return ('', value)


CERTIFICATES = '/var/lib/kubelet/pki'


def is_self_made(field: str, value: Value, declared: Declared, started: Declared | None) -> bool | None:
    """Whether /configz shows a file here that the kubelet made itself; None if the evidence does not decide.

    It shows its own pair like a configured one (pkg/kubelet `InitializeTLS`), and that pair may also be configured.
    """
    if field not in SELF_MADE:
        return False
    # If the flags are unknown, any folder may be the kubelet's own.
    folder = posixpath.normpath(str(declared.value('--cert-dir') or CERTIFICATES)) if declared.flags_known else ''
    if not f'/{value}'.endswith(f'/{folder.strip("/")}{SELF_MADE[field]}' if folder else SELF_MADE[field]):
        return False
    if was_flag(declared.origins.get(field)) and declared.launch is None:
        return not is_same(declared.value(field), value)
    return None if started is None else not is_same(started.value(field), value)


NO_FILE = 'create the file, or correct the setting that names it'


def resolve_files(files: FileSet | Unknown, aspect: FileAspect, launch: Launch | None = None) -> Setting:
    """The mode or the owner of each file of a subject. `launch`: the evidence for which files they are."""
    if isinstance(files, Unknown):
        return Setting(files, None, NOT_ASKED)
    unseen = next((file for file in files.files if not isinstance(file, FileStatus)), None)
    if unseen is not None:
        remedy, fault = (unseen.remedy, unseen.fault) if isinstance(unseen, Unreadable) else (NO_FILE, None)
        why = Unknown(f'could not read the mode and owner of {unseen.path}: {unseen.why}', remedy, fault=fault)
        return Setting(why, None, NOT_ASKED)
    values = tuple((file.path, aspect_of(file, aspect)) for file in files.files if isinstance(file, FileStatus))
    doubt = launch.doubt if launch is not None else None
    return Setting(values, Origin(files.source, ''), NOT_ASKED, doubt=doubt)


def aspect_of(file: FileStatus, aspect: FileAspect) -> str:
    if aspect is FileAspect.MODE:
        return f'{file.mode:03o}'
    return ':'.join('root' if number == 0 else str(number) for number in (file.uid, file.gid))
