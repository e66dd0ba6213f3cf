# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A node as one pass over it saw it, with secrets left out: what `--capture` writes."""

from __future__ import annotations

import json
import os
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
    as_json,
)
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.process_root import CannotRead
from datadog_checks.kubelet_compliance.node.processes import booted_at, now
from datadog_checks.kubelet_compliance.reporting.redact import redact_configz

from .recorded_files import redacted_files
from .recorded_units import Retold, redacted_unit
from .redact_proc import redacted_proc

OWN_NAMES = frozenset({'', 'proc', NODE_FACTS, CONFIGZ})
"""Names at the top of a captured node that are not the node's."""
PROC_FILES = ('comm', 'cmdline', 'stat', 'status', 'cgroup')
NOT_THERE = 'no such file or directory'


@dataclass(slots=True)
class Image:
    """A captured node: its files by path below the folder, its folders, and its links with their targets."""

    files: dict[str, bytes] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)


class Recorder(Host):
    """A host that remembers what was read of it."""

    def __init__(self, host: Host) -> None:
        super().__init__(host.procfs, host.root, admission=host.admission, capture=host.capture)
        self.proc: dict[tuple[int, str], bytes] = {}
        self.contents: dict[str, File] = {}
        self.folders: dict[str, float | None] = {}
        self.modes: dict[str, FileStatus] = {}
        self.unseen: dict[str, Missing | Unreadable] = {}
        self.unseen_modes: dict[str, Missing | Unreadable] = {}
        self.working_directories: dict[int, str] = {}
        self.listings: dict[str, Folder] = {}
        self.real_paths: dict[str, str] = {}

    def read(self, pid: int, name: str, limit: int) -> bytes:
        data = super().read(pid, name, limit)
        self.proc[pid, name] = data
        return data

    def working_directory(self, process: Process) -> str:
        found = super().working_directory(process)
        self.working_directories[process.pid] = found
        return found

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        answer = super().read_file(process, path)
        self.keep(process, path, answer)
        return answer

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
        """Whether an answer on the mode says something of the file: not where a captured node just lacks the mode."""
        lacks_mode = self.capture is not None and isinstance(answer, Unreadable) and place not in self.capture.unseen
        return not lacks_mode and place not in self.contents

    def keep(self, process: Process, path: str, answer: File | Missing | Unreadable, *, listed: bool = False) -> None:
        """Remember an answer. `listed`: a folder lists it, so that it must be there even if it cannot be read."""
        place = self.place(process, path)
        if isinstance(answer, File):
            self.contents[place] = answer
            self.file_status(process, path)
        elif listed or not (isinstance(answer, Missing) and answer.why == NOT_THERE):
            self.unseen[place] = answer
            if listed:
                self.contents.setdefault(place, File(path, b'', None))

    def place(self, process: Process, path: str) -> str:
        """A path as a captured node is asked for it."""
        if path.startswith('/'):
            return path
        try:
            found = self.working_directory(process)
        except CannotRead as error:
            raise CannotCapture(f'{path} is relative, and {error}') from error
        # Below a folder the paths are cleaned.
        return f'{found.rstrip("/")}/{path}'


def record(host: Host, selection: Selection, configz: bytes | None) -> Image:
    """Make one pass over a node and keep what it read, without secrets. Raises CannotCapture."""
    recorder = Recorder(host)
    collector = Collector(recorder, selection)
    kubelets = collector.read(collector.search.find(), None)
    facts: dict[Fact, Answer] = {}
    for kubelet in kubelets:
        facts.update(collector.read_facts(kubelet, collector.resolve(kubelet)))
    image = Image()
    contents: dict[str, bytes | None] = dict.fromkeys(recorder.contents, b'')
    for kubelet in kubelets:
        retold = Retold(recorder.procfs, recorder.contents, recorder.listings, recorder.real_paths, recorder.unseen)
        contents.update(redacted_unit(retold, kubelet.evidence))
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
    capture = recorder.capture
    times = {
        **{place: file.changed_at for place, file in recorder.contents.items()},
        **recorder.folders,
        **{path: folder.changed_at for path, folder in recorder.listings.items()},
    }
    files = {
        place: FileFacts(status.mode, status.uid, status.gid, times.get(place))
        for place, status in recorder.modes.items()
    }
    for place, changed_at in times.items():
        files.setdefault(place, FileFacts(changed_at=changed_at))
    ticks = capture.ticks_per_second if capture is not None else os.sysconf('SC_CLK_TCK')
    booted, captured = (capture.booted_at, capture.captured_at) if capture is not None else (booted_at(), now())
    listings = {path: folder.names for path, folder in recorder.listings.items()}
    return Capture(
        files, booted, captured, ticks, listings, recorder.real_paths, recorder.unseen, recorder.unseen_modes
    )


def as_text(capture: Capture) -> bytes:
    return (json.dumps(as_json(capture), indent=2, sort_keys=True) + '\n').encode()


def add_proc(image: Image, recorder: Recorder) -> None:
    """The files in `/proc` of the kubelets, of network agents, and of process 1, which the others are compared with."""
    named = {pid: data.rstrip(b'\n') for (pid, name), data in recorder.proc.items() if name == 'comm'}
    for pid, comm in named.items():
        if comm not in COMMS | DATAPATHS and pid != 1:
            continue
        for name in PROC_FILES if comm in COMMS else ('comm', 'cgroup'):
            data = recorder.proc.get((pid, name))
            if data is not None:
                image.files[f'proc/{pid}/{name}'] = redacted_proc(name, data, comm)
    for pid, folder in recorder.working_directories.items():
        image.links[f'proc/{pid}/cwd'] = folder
    image.files.setdefault('proc/.keep', b'')
