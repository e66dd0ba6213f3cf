# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Has a running kubelet accepted its command line and files, and which file changed after it started?

A kubelet reads its arguments and files only when it starts. One that refuses them exits within seconds. So a kubelet
that has run for a minute has accepted them, unless they changed after the start.
"""

from __future__ import annotations

from collections.abc import Iterator

from datadog_checks.kubelet_compliance.model import DropIns, Evidence, File, Missing

CLOCK_GRAIN_SECONDS = 1.0
"""A file's timestamp and a process's start come from clocks that can differ by a tick or two."""

ACCEPTED_AFTER_SECONDS = 60.0
"""A kubelet that has run for so long has accepted its configuration."""


def has_accepted_its_line(evidence: Evidence) -> bool:
    """Whether the kubelet has run long enough to show that it accepted its command line."""
    if evidence.age_seconds is None or evidence.age_seconds < ACCEPTED_AFTER_SECONDS:
        return False
    launch = evidence.launch
    if launch is None:
        return True
    # The arguments of a kubelet inside another program are in files, which can change after the start.
    return launch.doubt is None and all(is_older(evidence, file.changed_at) for file in launch.files)


def has_accepted_its_files(evidence: Evidence) -> bool:
    """Whether the kubelet has run long enough with files that have not changed since it started."""
    if not has_accepted_its_line(evidence) or changed_file(evidence) is not None:
        return False
    drop_ins = evidence.drop_ins
    files = drop_ins.files if isinstance(drop_ins, DropIns) else ()
    seen = [file for file in (evidence.config, drop_ins, *files) if file is not None]
    return all(isinstance(file, File | DropIns) and is_older(evidence, file.changed_at) for file in seen)


def is_older(evidence: Evidence, changed_at: float | None) -> bool:
    """Whether a change is known to be older than the start of the process."""
    started_at = evidence.process.started_at
    return None not in (started_at, changed_at) and not is_later(changed_at, started_at)


def is_later(changed_at: float | None, started_at: float | None) -> bool:
    """Whether a change is known to be later than a start."""
    if changed_at is None or started_at is None:
        return False
    return changed_at > started_at + CLOCK_GRAIN_SECONDS


def changed_file(evidence: Evidence) -> str | None:
    """The first file or folder of the configuration that changed after the process started. None: none did.

    If the kubelet has run for a minute, a missing file was removed after the start.
    """
    started_at, launch = evidence.process.started_at, evidence.launch
    if launch is not None and launch.doubt is not None:
        return None
    has_run = has_accepted_its_line(evidence)
    for path, changed_at in iter_change_times(evidence):
        if has_run and changed_at is None or is_later(changed_at, started_at):
            return path
    return None


def iter_change_times(evidence: Evidence) -> Iterator[tuple[str, float | None]]:
    """The paths of the configuration, each with the time of its last change. None for a missing file.

    Leaves out paths whose time is not known.
    """
    drop_ins = evidence.drop_ins
    files = drop_ins.files if isinstance(drop_ins, DropIns) else ()
    launched_by = evidence.launch.files if evidence.launch is not None else ()
    for file in (*launched_by, evidence.config, *files, drop_ins):
        if isinstance(file, File | DropIns) and file.changed_at is not None:
            yield file.path, file.changed_at
        elif isinstance(file, Missing):
            yield file.path, None
