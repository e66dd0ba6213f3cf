# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads the files that a kubelet's command line and its configuration name."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.needed_files import NeededFile
from datadog_checks.kubelet_compliance.model import DropIns, Evidence, File, Missing, Process, Unknown, Unreadable
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.process_root import CHANGED_MEANWHILE


def read(host: Host, evidence: Evidence, flags: Flags | Unknown, start: str = '') -> Evidence:
    """Add the files that the command line names, all as they were at one time.

    `start`: the working directory of a start to come; '' for that of the process.
    """
    if isinstance(flags, Unknown):
        return evidence
    process = evidence.process
    named = (flags.text('config'), flags.text('config-dir'))
    config, folder = (posixpath.join(start, path) if path else '' for path in named)
    seen = replace(
        evidence,
        config=host.read_file(process, config) if config else None,
        drop_ins=host.read_drop_ins(process, folder) if folder else None,
    )
    if not host.is_still_so(process):
        if isinstance(seen.config, File):
            seen = replace(seen, config=Unreadable(config, CHANGED_MEANWHILE))
        if isinstance(seen.drop_ins, DropIns):
            seen = replace(seen, drop_ins=Unreadable(folder, CHANGED_MEANWHILE))
    return seen


def iter_broken(host: Host, process: Process, needed: Iterable[NeededFile]) -> Iterator[tuple[str, str]]:
    """The files among those needed that the kubelet would not take, and why. What cannot be read tells nothing."""
    for file in dict.fromkeys(needed):
        if not host.shows(file.path):
            continue
        is_gone = isinstance(host.file_status(process, file.path), Missing)
        if is_gone and file.instead and not isinstance(host.file_status(process, file.instead), Missing):
            continue
        found = host.read_file(process, file.path) if file.is_read and not is_gone else None
        why = file.judge(None) if is_gone else file.judge(found.data) if isinstance(found, File) else None
        if isinstance(found, Missing):
            why = f'cannot be read: {found.why}'
        if why is not None:
            yield file.path, why
