# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A machine that does not run: a folder with its root file system, and the services that start a kubelet.

Each service stands for the process that it would start. Nothing in the folder is executed, and no link leads out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from datadog_checks.kubelet_compliance.launch.next_start import start_folder
from datadog_checks.kubelet_compliance.launch.starts import (
    KNOWN_UNITS,
    start_of,
    without_aliases,
    without_older_units,
)
from datadog_checks.kubelet_compliance.launch.unit_paths import unit_paths
from datadog_checks.kubelet_compliance.model import (
    Answer,
    Evidence,
    Fact,
    File,
    FileStatus,
    Folder,
    Missing,
    Process,
    Scan,
    Unit,
    Unknown,
    Unreadable,
)
from datadog_checks.kubelet_compliance.node.change_stamps import Trace
from datadog_checks.kubelet_compliance.node.file_host import FileHost
from datadog_checks.kubelet_compliance.node.file_reader import FileReader
from datadog_checks.kubelet_compliance.node.host import Host, UnitName
from datadog_checks.kubelet_compliance.node.proc_files import ProcSource
from datadog_checks.kubelet_compliance.node.process_facts import Times
from datadog_checks.kubelet_compliance.node.process_root import CannotRead, NotThere, Root

from .image_files import ImageWays
from .services import is_gone, is_masked, read_unit


class Image(FileHost):
    """A root file system below a folder. Raises CannotRead where there is no such folder."""

    procfs = '/proc'
    is_captured = False

    def __init__(self, root: str, unit: str | None = None) -> None:
        """`unit`: the service that starts the kubelet; None: look for those of known distributions."""
        refuse_undeployed(root)
        self.folder = root
        self.names = KNOWN_UNITS if unit is None else (unit,)
        self.is_named = unit is not None
        self.ways = ImageWays(root)
        self.files = FileReader(self.ways, Trace)

    def begin(self) -> bool:
        return False

    def give_up(self) -> None:
        """There is nothing to give up."""

    def expect(self, processes: Iterable[Process]) -> None:
        """Nothing is watched."""

    def find_kubelets(self) -> Scan:
        """Find the services that would start a kubelet, as one process each."""
        found: list[Process] = []
        units: dict[str, Unit] = {}
        unseen: list[Unreadable] = []
        without: list[str] = []
        for name in self.names:
            unit = read_unit(self, Process(0, 0, None, unit=name), name)
            if isinstance(unit, Unknown):
                continue
            first = unit.files[0] if unit.files else None
            if self.is_masked_unit(name):
                without.append(f'{name} is masked')
            elif isinstance(first, Unreadable) and not self.is_named:
                # A folder that cannot be read could hold any unit.
                unseen.append(first)
            else:
                process = self.process_of(unit)
                without.extend([] if process else [f'{name} starts no kubelet'])
                found.extend([process] if process else [])
                units.update({name: unit} if process else {})
        names = [process.unit for process in found]
        real_paths = {process.unit: self.real_path(process, units[process.unit].paths[0]) for process in found}
        counted = without_older_units(without_aliases(units, real_paths))
        found = [process for process in found if process.unit in counted]
        return Scan(
            tuple(found),
            tuple(could_not_see(unseen)),
            none_found_because='' if unseen else self.why_none_found(without, names),
        )

    def process_of(self, unit: Unit) -> Process | None:
        """The process that a service would start. It does not run yet, so it has no pid and no start time."""
        start = start_of(unit)
        if start is None:
            return None
        process = Process(
            0, 0, start.arguments, inside=start.inside, program=start.program, unit=unit.name, unknown=start.unknown
        )
        self.ways.started_in[unit.name] = start_folder(Evidence(process, unit=unit))
        return process

    def is_masked_unit(self, name: str) -> bool:
        """Whether the file of a unit leads to /dev/null, or is empty, which means the same to systemd."""
        probe = Process(0, 0, None, unit=name)
        files = (self.read_file(probe, path) for path in unit_paths(name))
        file = next((each for each in files if not is_gone(each)), None)
        return is_masked(file) or isinstance(file, File) and not file.data

    def why_none_found(self, without: list[str], names: list[str]) -> str:
        if without:
            return f'No kubelet would start in {self.folder}: {", ".join(without)}'
        if names:
            return f'No kubelet would start in {self.folder}: {", ".join(names)} starts none'
        if self.is_named:
            return f'{self.folder} has no unit {self.names[0]}'
        looked_for = ', '.join(self.names)
        return f'{self.folder} has no unit that starts a kubelet; looked for {looked_for} (name another with --unit)'

    def unit_name(self, process: Process, kubelet_cgroups: str) -> UnitName | Unknown:
        return UnitName(process.unit, has_moved=False)

    def is_running(self, process: Process) -> bool | None:
        # It will: its next start is judged.
        return True

    def shows_all_processes(self) -> bool:
        return False

    def age(self, process: Process) -> float | None:
        return None

    def times(self) -> Times:
        return Times(None, None, 0)

    def answers_at(self, process: Process, host: str, port: int) -> bool | None:
        return None

    def working_directory_of(self, process: Process) -> str | None:
        return None

    def shows_whole_root(self, process: Process) -> bool:
        return True

    def is_still_so(self, process: Process) -> bool:
        return True

    def shows(self, path: str) -> bool:
        # A missing file may still come before the first start, such as the client CA that a join writes.
        return not isinstance(self.file_status(Process(0, 0, None), path), Missing)

    def keeps_status(self, path: str) -> bool:
        return True

    def kernel_settings(self, names: Iterable[str]) -> Mapping[str, str | None]:
        return dict.fromkeys(names)

    def peek_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return self.read_file(process, path)

    def peek_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        return self.list_folder(process, path)

    def peek_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return self.file_status(process, path)

    def peek_kernel(self, names: Iterable[str]) -> Mapping[str, str | None]:
        return dict.fromkeys(names)

    def kept_answer(self, fact: Fact) -> Answer | None:
        return None

    def reread(self, through: Callable[[ProcSource], ProcSource]) -> Host:
        # It has no /proc.
        return self


def refuse_undeployed(folder: str) -> None:
    """Raises CannotRead for an OSTree commit: its configuration is elsewhere until it is deployed."""
    with Root(folder, trace=Trace()) as root:
        if not holds_folder(root, '/etc') and holds_folder(root, '/usr/etc'):
            raise CannotRead('it has usr/etc and no etc: name an OSTree deployment, not a commit')


def holds_folder(root: Root, path: str) -> bool:
    try:
        root.names(path)
    except NotThere:
        return False
    return True


def could_not_see(unseen: list[Unreadable]) -> list[Unknown]:
    """One reason for all units that could not be read."""
    if not unseen:
        return []
    more = f' (and {len(unseen) - 1} more)' if len(unseen) > 1 else ''
    first = unseen[0]
    return [Unknown(f"can't determine whether a kubelet starts: {first.path} could not be read: {first.why}{more}")]
