# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which files a kubelet uses: the rules on modes and owners are about these. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.model import (
    DropIns,
    Evidence,
    FileSet,
    FileStatus,
    Missing,
    Setting,
    Source,
    Unit,
    Unknown,
    Unreadable,
)

AZURE_JSON = '/etc/kubernetes/azure.json'


@dataclass(frozen=True, slots=True)
class FilesInUse:
    """The files of one subject, by path, and what names them. `unread`: folders that may hold more of them."""

    paths: tuple[str, ...] = ()
    source: Source = Source.DEFAULT
    unread: tuple[Missing | Unreadable, ...] = ()
    is_optional: bool = False
    """Whether a missing file breaks no rule."""


def file_set_of(
    files: FilesInUse | Unknown, statuses: Mapping[str, FileStatus | Missing | Unreadable]
) -> FileSet | Unknown:
    """The files with their modes and owners."""
    if isinstance(files, Unknown):
        return files
    found = [statuses[path] for path in files.paths]
    if files.is_optional:
        found = [status for status in found if not isinstance(status, Missing)]
    return FileSet((*found, *files.unread), files.source)


def files_of_unit(unit: Unit | Unknown | None) -> FilesInUse | Unknown:
    """The unit that starts the kubelet and its drop-ins; no files if no unit does."""
    if isinstance(unit, Unknown):
        return unit
    return FilesInUse() if unit is None else FilesInUse(unit.paths, unread=unit.unread)


def azure_json() -> FilesInUse:
    return FilesInUse((AZURE_JSON,), is_optional=True)


def kubeconfig_files(flags: Flags | Unknown) -> FilesInUse | Unknown:
    """The file of --kubeconfig."""
    if isinstance(flags, Unknown):
        return flags
    path = flags.text('kubeconfig')
    return FilesInUse((path,) if path else (), Source.FLAG)


def client_ca_files(setting: Setting, flags: Flags | Unknown) -> FilesInUse | Unknown:
    """The client CA that the kubelet runs with, and the one that it would use after a restart."""
    if isinstance(flags, Unknown):
        return flags
    declared, running = setting.declared, setting.running
    if isinstance(running, Unknown):
        if isinstance(declared, Unknown):
            return declared
        if setting.changed is not None:
            return Unknown(
                f'{setting.changed} changed after the kubelet started, so the client CA that it uses is unknown',
                'restart the kubelet, or let the Agent read /configz',
            )
    named = [value for values in (running, declared) if not isinstance(values, Unknown) for _, value in values]
    paths = dict.fromkeys(str(value) for value in named if value)
    return FilesInUse(tuple(paths), setting.origin.source if setting.origin is not None else Source.DEFAULT)


def config_files(evidence: Evidence, flags: Flags | Unknown) -> FilesInUse | Unknown:
    """The config file and the drop-ins that were read."""
    if isinstance(flags, Unknown):
        return flags
    config, drop_ins = evidence.config, evidence.drop_ins
    # The kubelet makes this path absolute, and so cleans it, before it opens it.
    paths = [] if config is None else [posixpath.normpath(config.path)]
    if isinstance(drop_ins, DropIns):
        return FilesInUse((*paths, *(file.path for file in drop_ins.files)), Source.FLAG)
    return FilesInUse(tuple(paths), Source.FLAG, () if drop_ins is None else (drop_ins,))
