# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads a node once and keeps what was read, without secrets: what `--capture` writes."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.collection.kubelets import Kubelet, report_on
from datadog_checks.kubelet_compliance.kubelet.declare import every_reading
from datadog_checks.kubelet_compliance.kubelet.programs import COMMS, DATAPATHS, NoKubelet, Program, read_command_line
from datadog_checks.kubelet_compliance.kubelet.release import ALL
from datadog_checks.kubelet_compliance.model import (
    Answer,
    Declared,
    DropIns,
    Evidence,
    Fact,
    File,
    FileStatus,
    Folder,
    Missing,
    Process,
    Selection,
    Unit,
    Unreadable,
    Value,
)
from datadog_checks.kubelet_compliance.node.captured import (
    CONFIGZ,
    NODE_FACTS,
    CannotCapture as CannotCapture,
    Capture,
    FileFacts,
    capture_as_json,
)
from datadog_checks.kubelet_compliance.node.forwarding_host import ForwardingHost
from datadog_checks.kubelet_compliance.node.host import KUBELET_DROP_IN, Host
from datadog_checks.kubelet_compliance.node.proc_files import ProcSource
from datadog_checks.kubelet_compliance.reporting.redact import (
    LEFT_OUT,
    SECRET_FIELDS,
    redact_arguments,
    redact_configuration,
    redact_configz,
    redact_lines,
    redact_options,
    redact_program_options,
)

from .recorded_proc import RecordedProc
from .recorded_units import NOT_THERE, RecordedFiles, RedactedFiles, redacted_unit

OWN_NAMES = frozenset({'', 'proc', NODE_FACTS, CONFIGZ})
"""Names at the top of a captured node that do not belong to the node."""
PROC_FILES = ('comm', 'cmdline', 'stat', 'status', 'cgroup')
REDACTIONS = {
    Program.K3S: redact_program_options,
    Program.MICROK8S: redact_lines,
    Program.MICROSHIFT: redact_program_options,
}
"""The functions that leave the secrets out of a program's own files."""
STATUS_FIELDS = (b'Name:', b'Uid:', b'NSpid:')


@dataclass(slots=True)
class CapturedNode:
    """A captured node: files by their path below its folder, folders, and links with what they name."""

    files: dict[str, bytes] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)


class Recorder(ForwardingHost):
    """A host that keeps what is read of it."""

    def __init__(self, host: Host) -> None:
        sources: list[RecordedProc] = []

        def through(source: ProcSource) -> RecordedProc:
            sources.append(RecordedProc(source))
            return sources[-1]

        super().__init__(host.reread(through))
        (self.proc,) = sources
        self.contents: dict[str, File] = {}
        self.folders: dict[str, float | None] = {}
        self.modes: dict[str, FileStatus] = {}
        self.unseen: dict[str, Missing | Unreadable] = {}
        self.unseen_modes: dict[str, Missing | Unreadable] = {}
        self.listings: dict[str, Folder] = {}
        self.real_paths: dict[str, str] = {}

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        answer = super().read_file(process, path)
        self.keep(process, path, answer)
        return answer

    def read_drop_ins(self, process: Process, path: str) -> DropIns | Missing | Unreadable:
        return self.read_files(process, path, (KUBELET_DROP_IN,))

    def read_files(self, process: Process, path: str, endings: tuple[str, ...]) -> DropIns | Missing | Unreadable:
        answer = super().read_files(process, path, endings)
        if isinstance(answer, DropIns):
            self.folders[self.place(process, path)] = answer.changed_at
            for file in answer.files:
                self.keep(process, file.path, file, listed=True)
        else:
            self.keep(process, path, answer)
        return answer

    def list_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        answer = super().list_folder(process, path)
        if isinstance(answer, Folder):
            self.listings[path] = answer
        else:
            self.keep(process, path, answer)
        return answer

    def real_path(self, process: Process, path: str) -> str:
        found = super().real_path(process, path)
        if found != path:
            self.real_paths[path] = found
        return found

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        answer = super().file_status(process, path)
        if isinstance(answer, FileStatus):
            self.modes[self.place(process, path)] = answer
        elif self.is_to_keep(self.place(process, path), answer):
            self.unseen_modes[self.place(process, path)] = answer
        return answer

    def is_to_keep(self, place: str, answer: Missing | Unreadable) -> bool:
        """Whether an answer on the mode belongs to the file. In a captured node, the mode may only be missing."""
        lacks_mode = isinstance(answer, Unreadable) and not self.keeps_status(place)
        return not lacks_mode and place not in self.contents

    def keep(self, process: Process, path: str, answer: File | Missing | Unreadable, *, listed: bool = False) -> None:
        """Keep an answer. `listed`: a folder lists it, so it must exist even if it cannot be read."""
        place = self.place(process, path)
        if isinstance(answer, File):
            self.contents[place] = answer
            self.file_status(process, path)
        elif listed or not (isinstance(answer, Missing) and answer.why == NOT_THERE):
            self.unseen[place] = answer
            if listed:
                self.contents.setdefault(place, File(path, b'', None))

    def place(self, process: Process, path: str) -> str:
        """A path as it is in a captured node."""
        if path.startswith('/'):
            return path
        found = self.working_directory_of(process)
        if found is None:
            raise CannotCapture(f"{path} is relative, and the kubelet's working directory is unknown")
        # Below a folder the paths are cleaned.
        return f'{found.rstrip("/")}/{path}'


Recorded = TypeVar('Recorded', bound=File | Missing | Unreadable | None)


def record(host: Host, selection: Selection, configz: bytes | None) -> CapturedNode:
    """Read a node once and keep what was read. Raises CannotCapture."""
    recorder = Recorder(host)
    collector = Collector(recorder, selection)
    scan = recorder.find_kubelets()
    kubelets = [kubelet for process in scan.processes if (kubelet := collector.look_at(process)) is not None]
    facts: dict[Fact, Answer] = {}
    for kubelet in kubelets:
        # The rules on files read more than the configuration.
        report = report_on(recorder, kubelet, selection, scan.names)
        facts.update(*(finding.setting.home.facts for finding in report.findings[:1]))
    image = CapturedNode()
    contents = dict.fromkeys(recorder.contents, b'')
    for kubelet in kubelets:
        recorded = RecordedFiles(recorder.contents, recorder.listings, recorder.real_paths, recorder.unseen)
        contents.update(redacted_unit(RedactedFiles(recorder, recorded), kubelet.evidence))
        contents.update(redacted_files(recorder, kubelet))
    add_proc(image, recorder)
    for place, data in contents.items():
        image.files[below(place)] = data
    for place in recorder.folders:
        image.files.setdefault(f'{below(place)}/.keep', b'')
    image.files[NODE_FACTS] = as_text(replace(facts_of(recorder), facts=facts))
    if configz is not None:
        image.files[CONFIGZ] = redact_configz(configz)
    return image


def below(place: str) -> str:
    """The path below the folder of a captured node. Raises CannotCapture."""
    found = posixpath.normpath(place).lstrip('/')
    if found.split('/')[0] in OWN_NAMES:
        raise CannotCapture(f'{place} has a name that is reserved in a captured node')
    return found


def facts_of(recorder: Recorder) -> Capture:
    changed_at = {
        **{place: file.changed_at for place, file in recorder.contents.items()},
        **recorder.folders,
        **{path: folder.changed_at for path, folder in recorder.listings.items()},
    }
    files = {
        place: FileFacts(status.mode, status.uid, status.gid, changed_at.get(place))
        for place, status in recorder.modes.items()
    }
    for place, at in changed_at.items():
        files.setdefault(place, FileFacts(changed_at=at))
    listings = {path: folder.names for path, folder in recorder.listings.items()}
    times = recorder.times()
    return Capture(
        files,
        times.booted_at,
        times.read_at,
        times.ticks_per_second,
        listings,
        recorder.real_paths,
        recorder.unseen,
        recorder.unseen_modes,
    )


def as_text(capture: Capture) -> bytes:
    return (json.dumps(capture_as_json(capture), indent=2, sort_keys=True) + '\n').encode()


def redacted_files(recorder: Recorder, kubelet: Kubelet) -> dict[str, bytes]:
    """The files of one kubelet, by their path, without what no result needs."""
    evidence = kubelet.evidence
    process, found = evidence.process, {}
    readers = [each for each in (evidence, kubelet.coming) if each is not None]
    before = [outcomes(each) for each in readers]
    for file in (file for each in readers for file in configuration_files(each)):

        def is_same(data: bytes, path: str = file.path) -> bool:
            return [outcomes(with_data(each, path, data)) for each in readers] == before

        redacted = redact_configuration(file.data, is_same) if file.data else b''
        if redacted is None:
            raise CannotCapture(f"{file.path} can't be captured without possible secrets")
        found[recorder.place(process, file.path)] = redacted
    for place, file in recorder.contents.items():
        if place not in found and process.inside and place not in paths_of_unit(evidence):
            found[place] = REDACTIONS[Program(process.inside)](file.data) if file.data else b''
    return found


def configuration_files(evidence: Evidence) -> list[File]:
    drop_ins = evidence.drop_ins
    files = drop_ins.files if isinstance(drop_ins, DropIns) else ()
    return [file for file in (evidence.config, *files) if isinstance(file, File)]


def paths_of_unit(evidence: Evidence) -> frozenset[str]:
    unit = evidence.unit
    return frozenset(file.path for file in unit.files) if isinstance(unit, Unit) else frozenset()


def with_data(evidence: Evidence, path: str, data: bytes) -> Evidence:
    """The evidence with other bytes in the file of a path."""

    def changed(file: Recorded) -> Recorded:
        return replace(file, data=data) if isinstance(file, File) and file.path == path else file

    config, drop_ins = evidence.config, evidence.drop_ins
    if isinstance(drop_ins, DropIns):
        drop_ins = replace(drop_ins, files=tuple(map(changed, drop_ins.files)))
    return replace(evidence, config=changed(config), drop_ins=drop_ins)


def outcomes(evidence: Evidence) -> list[tuple[Value, ...]]:
    """The values in each release that the kubelet may have."""
    return [values_that_count(declared) for declared in every_reading(evidence, ALL)]


def values_that_count(declared: Declared) -> tuple[Value, ...]:
    """The values that a result can depend on, without secrets."""
    values = {name: value for name, value in declared.values.items() if name.lower() not in SECRET_FIELDS}
    unknown = declared.unknown
    refused = unknown is not None and unknown.refused
    return values, unknown is None, refused, declared.flags_known


def add_proc(image: CapturedNode, recorder: Recorder) -> None:
    """The files of the processes that matter, and of process 1, whose cgroup the others are compared with."""
    named = {pid: data.rstrip(b'\n') for (pid, name), data in recorder.proc.files.items() if name == 'comm'}
    for pid, comm in named.items():
        if comm not in COMMS | DATAPATHS and pid != 1:
            continue
        for name in PROC_FILES if comm in COMMS else ('comm', 'cgroup'):
            data = recorder.proc.files.get((pid, name))
            if data is not None:
                image.files[f'proc/{pid}/{name}'] = redacted_proc(name, data, comm)
    for pid, folder in recorder.proc.working_directories.items():
        image.links[f'proc/{pid}/cwd'] = folder
    image.files.setdefault('proc/.keep', b'')


def redacted_proc(name: str, data: bytes, comm: bytes) -> bytes:
    if name == 'cmdline':
        return redacted_command_line(data, comm)
    if name == 'status':
        return b''.join(line for line in data.splitlines(True) if line.startswith(STATUS_FIELDS))
    if name == 'stat':
        head, _, tail = data.rpartition(b')')
        fields = tail.split()
        kept = {0, 6, 19}
        return head + b') ' + b' '.join(word if i in kept else b'0' for i, word in enumerate(fields)) + b'\n'
    return data


def redacted_command_line(line: bytes, comm: bytes) -> bytes:
    """The command line without secrets, by which the program is still recognized."""
    read = read_command_line(os.fsdecode(comm), line)
    first = line.split(b'\0', 1)[0]
    if isinstance(read, NoKubelet):
        return first.split(b' ')[0] + b'\0' + LEFT_OUT.encode() + b'\0'
    if read.arguments is None:
        return line if read.inside else first
    words = line[:-1].split(b'\0')
    count = len(words) - len(read.arguments)
    hide = redact_options if read.inside else redact_arguments
    kept: Sequence[str] = [*map(os.fsdecode, words[:count]), *hide(read.arguments)]
    return b''.join(os.fsencode(word) + b'\0' for word in kept)
