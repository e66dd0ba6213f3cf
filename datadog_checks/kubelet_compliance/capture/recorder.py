# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads a node once and keeps what was read, without secrets: what `--capture` writes."""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass, field, replace

from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.kubelet.programs import COMMS, DATAPATHS
from datadog_checks.kubelet_compliance.model import (
    Answer,
    DropIns,
    Fact,
    File,
    FileStatus,
    Folder,
    Missing,
    Process,
    Selection,
    Unreadable,
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
from datadog_checks.kubelet_compliance.reporting.redact import redact_configz

from .recorded_files import redacted_files
from .recorded_proc import RecordedProc
from .recorded_units import NOT_THERE, RecordedFiles, RedactedFiles, redacted_unit
from .redact_proc import redacted_proc

OWN_NAMES = frozenset({'', 'proc', NODE_FACTS, CONFIGZ})
"""Names at the top of a captured node that do not belong to the node."""
PROC_FILES = ('comm', 'cmdline', 'stat', 'status', 'cgroup')


@dataclass(slots=True)
class CapturedNode:
    """A captured node: its files by path below the folder, its folders, and its links with their targets."""

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


def record(host: Host, selection: Selection, configz: bytes | None) -> CapturedNode:
    """Make one pass over a node and keep what it read, without secrets. Raises CannotCapture."""
    recorder = Recorder(host)
    collector = Collector(recorder, selection)
    kubelets = collector.read(collector.search.find(), None)
    facts: dict[Fact, Answer] = {}
    for kubelet in kubelets:
        facts.update(collector.read_facts(kubelet, collector.resolve(kubelet)))
    image = CapturedNode()
    contents: dict[str, bytes | None] = dict.fromkeys(recorder.contents, b'')
    for kubelet in kubelets:
        recorded = RecordedFiles(recorder.contents, recorder.listings, recorder.real_paths, recorder.unseen)
        contents.update(redacted_unit(RedactedFiles(recorder, recorded), kubelet.evidence))
        contents.update(redacted_files(recorder.contents, recorder.place, kubelet))
    add_proc(image, recorder)
    for place, data in contents.items():
        if data is not None:
            image.files[below(place)] = data
    for place in recorder.folders:
        image.files.setdefault(f'{below(place)}/.keep', b'')
    image.files[NODE_FACTS] = as_text(replace(facts_of(recorder), facts=facts))
    if configz is not None:
        image.files[CONFIGZ] = redact_configz(configz)
    return image


def below(place: str) -> str:
    """The path of a file below the folder of a captured node. Raises CannotCapture."""
    found = posixpath.normpath(place).lstrip('/')
    if found.split('/')[0] in OWN_NAMES:
        raise CannotCapture(f'{place} has a name that the capture reserves for its own files')
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


def add_proc(image: CapturedNode, recorder: Recorder) -> None:
    """The files in `/proc` of the kubelets, of network agents, and of process 1, which the others are compared with."""
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
