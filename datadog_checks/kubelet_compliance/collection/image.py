# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The door to a machine that does not run: a folder with its root file system, and the services that start a kubelet.

Each service stands in for the process that it would start. Nothing in the folder is executed, and no link leads out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from datadog_checks.kubelet_compliance.launch.next_start import start_folder
from datadog_checks.kubelet_compliance.launch.starts import (
    KNOWN_UNITS,
    start_of,
    without_aliases,
    without_older_units,
)
from datadog_checks.kubelet_compliance.launch.unit_paths import unit_paths
from datadog_checks.kubelet_compliance.model import Evidence, File, Missing, Process, Scan, Unit, Unknown, Unreadable
from datadog_checks.kubelet_compliance.node.host import Host, Seen, UnitName, View
from datadog_checks.kubelet_compliance.node.process_root import A_DEVICE, CannotRead, NotThere, Root

from .services import is_gone, is_masked, read_unit

NULL = 'dev/null'
UNITS_OF_A_BOOT = '/run/systemd/'
MADE_AT_BOOT = 'it lies in /run, which is empty until the machine runs'


class Image(Host):
    """A root file system below a folder. Raises CannotRead where there is no such folder."""

    def __init__(self, root: str, unit: str | None = None) -> None:
        """`unit`: the service that starts the kubelet; None: look for those of known distributions."""
        super().__init__(root=root)
        self.refuse_undeployed()
        self.folder = root
        self.names = KNOWN_UNITS if unit is None else (unit,)
        self.is_named = unit is not None
        self.started_in: dict[str, str] = {}
        """The working directory of each service."""
        Root(root).close()

    def refuse_undeployed(self) -> None:
        """Raises CannotRead for what an OSTree commit holds: its configuration lies elsewhere until it is deployed."""
        assert self.root is not None
        with Root(self.root) as root:
            if not holds_folder(root, '/etc') and holds_folder(root, '/usr/etc'):
                raise CannotRead('it holds usr/etc and no etc: name an OSTree deployment, not a commit')

    def is_unchanged(self) -> bool:
        return False

    def find_kubelets(self) -> Scan:
        """One process for each service that would start a kubelet."""
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
                # A folder that may not be looked at could hold any unit.
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
        """The process that a service would start; there is none yet, so neither has it a number nor a time."""
        start = start_of(unit)
        if start is None:
            return None
        process = Process(
            0, 0, start.arguments, inside=start.inside, program=start.program, unit=unit.name, unknown=start.unknown
        )
        self.started_in[unit.name] = start_folder(Evidence(process, unit=unit))
        return process

    def is_masked_unit(self, name: str) -> bool:
        """Whether the file of a unit leads to /dev/null, or is empty, which systemd takes for the same."""
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
        return f'{self.folder} has no unit of a kubelet; looked for {", ".join(self.names)} (name another with --unit)'

    def unit_name(self, process: Process, kubelet_cgroups: str) -> UnitName | Unknown:
        return UnitName(process.unit, has_moved=False)

    def is_running(self, process: Process) -> bool | None:
        # It will: what is judged is its start to come.
        return True

    def age(self, process: Process) -> float | None:
        return None

    def shows_whole_root(self, process: Process) -> bool:
        return True

    def shows(self, path: str) -> bool:
        # What is not there yet may come before the first start, such as the client CA that a join writes.
        return not isinstance(self.file_status(Process(0, 0, None), path), Missing)

    def below_root(self, process: Process, path: str) -> View | None:
        path = posixpath.join(self.started_in.get(process.unit, '/'), path)
        return View(ImageRoot(self.folder, trace=self.trace), path, is_its_own=True)

    def through_process(self, process: Process, path: str) -> View | None:
        return None

    def look(self, view: View, path: str, read: Callable[[View, str], Seen]) -> Seen | Missing | Unreadable:
        if view.path.startswith(UNITS_OF_A_BOOT):
            # Only a boot makes units there, so in an image there are none.
            view.root.close()
            return Missing(path, MADE_AT_BOOT)
        return super().look(view, path, read)

    def read_one(self, view: View, path: str) -> File | Missing | Unreadable:
        found = super().read_one(view, path)
        if view.root.led_to == NULL:
            # Many images have no devices, so that a mask is a link to nothing, or to an empty file.
            return Unreadable(path, A_DEVICE, absent=True)
        return found

    def missing(self, view: View, path: str, why: str) -> Missing | Unreadable:
        if view.root.dangles:
            # Another file system is mounted there once the machine runs, most likely.
            return Unreadable(path, f'it is a link to /{view.root.led_to}, which is not in the image')
        return Missing(path, why)

    def remedy(self) -> str:
        return ''


class ImageRoot(Root):
    """A root in which what a boot makes is not there yet."""

    def refuse_others(self, anchor: str, place: str) -> None:
        if place == 'run':
            raise CannotRead(MADE_AT_BOOT)


def holds_folder(root: Root, path: str) -> bool:
    try:
        root.names(path)
    except NotThere:
        return False
    return True


def could_not_see(unseen: list[Unreadable]) -> list[Unknown]:
    """One doubt for all units that could not be looked at."""
    if not unseen:
        return []
    more = f' (and {len(unseen) - 1} more)' if len(unseen) > 1 else ''
    first = unseen[0]
    return [Unknown(f'whether a kubelet starts cannot be told: {first.path} could not be read: {first.why}{more}')]
