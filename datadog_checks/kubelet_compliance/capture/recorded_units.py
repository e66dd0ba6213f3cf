# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files of a systemd service for a captured node. Their redaction must not change the resulting command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from datadog_checks.kubelet_compliance.collection.services import read_unit
from datadog_checks.kubelet_compliance.launch.next_start import next_arguments
from datadog_checks.kubelet_compliance.launch.option_files import OPTION_VARIABLES
from datadog_checks.kubelet_compliance.model import (
    Argument,
    Evidence,
    File,
    Folder,
    Missing,
    Process,
    Unit,
    Unknown,
    Unreadable,
)
from datadog_checks.kubelet_compliance.node.captured import CannotCapture
from datadog_checks.kubelet_compliance.node.forwarding_host import ForwardingHost
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.reporting.redact import LEFT_OUT, redact_arguments

from .redact_units import padded, redact_command, redact_environment, redact_unit, redaction_of, used_variables

NOT_THERE = 'no such file or directory'


@dataclass(frozen=True, slots=True)
class RecordedFiles:
    """What was read of a node, by the paths in a captured node."""

    contents: Mapping[str, File]
    listings: Mapping[str, Folder]
    real_paths: Mapping[str, str]
    unseen: Mapping[str, Missing | Unreadable]


class RedactedFiles(ForwardingHost):
    """A node that has the recorded files only, with other contents."""

    def __init__(self, host: Host, recorded: RecordedFiles) -> None:
        super().__init__(host)
        self.recorded = recorded
        self.contents: Mapping[str, bytes] = {}

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        file = self.recorded.contents.get(path)
        kept = Missing(path, NOT_THERE) if file is None else replace(file, data=self.contents.get(path, b''))
        return self.recorded.unseen.get(path, kept)

    def list_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        kept = self.recorded.listings.get(path, Missing(path, NOT_THERE))
        return self.recorded.unseen.get(path, kept)

    def real_path(self, process: Process, path: str) -> str:
        return self.recorded.real_paths.get(path, path)

    def shows_whole_root(self, process: Process) -> bool:
        return True


def redacted_unit(host: RedactedFiles, evidence: Evidence) -> dict[str, bytes]:
    """The files of the service that starts a kubelet, by path, without what no verdict needs.

    Raises CannotCapture if that changes the command line.
    """
    unit, process = evidence.unit, evidence.process
    if not isinstance(unit, Unit):
        return {}
    files = {file.path: file.data for file in unit.files if isinstance(file, File)}
    used = used_variables(files[path] for path in unit.paths if path in files) | OPTION_VARIABLES
    redact = redaction_of(() if isinstance(unit.command, Unknown) else [word.text for word in unit.command])
    redacted = {
        path: redact_unit(data, used, redact) if path in unit.paths else redact_environment(data, used, redact)
        for path, data in files.items()
    }
    wanted = unit.paths, unit.unread, redacted_words(unit.command)
    # The padded files are for a service that exceeds the size limit.
    for kept in (redacted, {path: padded(data, len(files[path])) for path, data in redacted.items()}):
        host.contents = kept
        again = read_unit(host, process, unit.name)
        if isinstance(again, Unit) and (again.paths, again.unread, without_places(again.command)) == wanted:
            break
    else:
        raise CannotCapture(f'could not remove what may be secret from the files of {unit.name}')
    own = None if process.arguments is None else redact_arguments(process.arguments)
    copied = replace(
        evidence, unit=replace(again, lacks_files=unit.lacks_files), process=replace(process, arguments=own)
    )
    if evidence.launch is None and is_drift(evidence) != is_drift(copied):
        raise CannotCapture(f'the arguments of the kubelet and {unit.name} differ only in what may be secret')
    return kept


def without_places(command: tuple[Argument, ...] | Unknown) -> object:
    """What must stay the same. The place of a word that is left out does not matter."""
    if isinstance(command, Unknown):
        return command.reason
    return tuple(replace(word, place=None) if word.text == LEFT_OUT else word for word in command)


def redacted_words(command: tuple[Argument, ...] | Unknown) -> object:
    if isinstance(command, Unknown):
        return command.reason
    words = redact_command([word.text for word in command])
    return without_places(tuple(replace(word, text=text) for word, text in zip(command, words, strict=True)))


def is_drift(evidence: Evidence) -> bool | None:
    """Whether the next start has a different command line; None if that is unknown."""
    arguments = next_arguments(evidence)
    return None if isinstance(arguments, Unknown) else arguments != evidence.arguments
