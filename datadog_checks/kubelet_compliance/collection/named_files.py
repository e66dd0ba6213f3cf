# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads the files that the command line and the configuration of a kubelet name."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.broken_files import NeededContent
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.needed_files import NeededFile
from datadog_checks.kubelet_compliance.model import DropIns, Evidence, File, Missing, Process, Unknown, Unreadable
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.process_root import CHANGED_MEANWHILE


def read_named_files(host: Host, evidence: Evidence, flags: Flags | Unknown, start: str = '') -> Evidence:
    """The evidence with the files that the command line names, all as they were at one time.

    `start`: the working directory of the next start; '' for that of the process.
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


def read_needed_files(host: Host, process: Process, needed: Iterable[NeededFile]) -> dict[NeededFile, NeededContent]:
    """The files without which a kubelet would not start, except those that another file replaces."""
    return {
        file: content
        for file in dict.fromkeys(needed)
        # A capture has only some files of the node: one that is not in the capture may exist on the node.
        if host.shows(file.path) and (content := read_needed_file(host, process, file)) is not None
    }


def read_needed_file(host: Host, process: Process, file: NeededFile) -> NeededContent | None:
    """One of these files; None if it is missing and the file that may replace it exists."""
    if isinstance(host.file_status(process, file.path), Missing):
        has_other = file.instead and not isinstance(host.file_status(process, file.instead), Missing)
        return None if has_other else NeededContent(is_there=False)
    return NeededContent(is_there=True, content=host.read_file(process, file.path) if file.is_read else None)
