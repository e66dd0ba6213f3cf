# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which files are in use, and their mode and owner: what the rules on files look at."""

from __future__ import annotations

import posixpath

from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.model import (
    DropIns,
    Evidence,
    FileSet,
    FileStatus,
    FileSubject,
    Missing,
    Setting,
    Source,
    Unit,
    Unknown,
    Unreadable,
)
from datadog_checks.kubelet_compliance.node.host import Host

AZURE_JSON = '/etc/kubernetes/azure.json'


def files_of(
    subject: FileSubject, host: Host, evidence: Evidence, client_ca: Setting, flags: Flags | Unknown
) -> FileSet | Unknown:
    """Mode and owner of the files of a subject that are in use, never of guesses."""
    process = evidence.process
    if subject is FileSubject.SERVICE:
        return unit_files(host, evidence)
    if subject is FileSubject.AZURE_JSON:
        status = host.file_status(process, AZURE_JSON)
        return FileSet(() if isinstance(status, Missing) else (status,))
    if isinstance(flags, Unknown):
        return flags
    if subject is FileSubject.KUBECONFIG:
        path = flags.text('kubeconfig')
        return FileSet((host.file_status(process, path),) if path else (), Source.FLAG)
    if subject is FileSubject.CONFIG:
        return config_files(host, evidence)
    return client_ca_files(host, evidence, client_ca)


def unit_files(host: Host, evidence: Evidence) -> FileSet | Unknown:
    """The unit that starts the kubelet and the unit's drop-ins; none where no unit does."""
    unit = evidence.unit
    if not isinstance(unit, Unit):
        return unit if unit is not None else FileSet(())
    return FileSet((*(host.file_status(evidence.process, path) for path in unit.paths), *unit.unread))


def client_ca_files(host: Host, evidence: Evidence, setting: Setting) -> FileSet | Unknown:
    """The client CA that the kubelet runs with, and the one that a restart brings in where that is another."""
    declared, running = setting.declared, setting.running
    if isinstance(running, Unknown):
        if isinstance(declared, Unknown):
            return declared
        if setting.changed is not None:
            return Unknown(
                f'{setting.changed} changed after the kubelet started, so which client CA it uses is not known'
            )
    named = [value for values in (running, declared) if not isinstance(values, Unknown) for _, value in values]
    paths = dict.fromkeys(str(value) for value in named if value)
    source = setting.origin.source if setting.origin is not None else Source.DEFAULT
    return FileSet(tuple(host.file_status(evidence.process, path) for path in paths), source)


def config_files(host: Host, evidence: Evidence) -> FileSet:
    """The configuration file and the drop-ins that were read."""
    found: list[FileStatus | Missing | Unreadable] = []
    if evidence.config is not None:
        # The kubelet makes this path absolute, and so cleans it, before it opens it.
        found.append(host.file_status(evidence.process, posixpath.normpath(evidence.config.path)))
    drop_ins = evidence.drop_ins
    if isinstance(drop_ins, DropIns):
        found.extend(host.file_status(evidence.process, file.path) for file in drop_ins.files)
    elif drop_ins is not None:
        found.append(drop_ins)
    return FileSet(tuple(found), Source.FLAG)
