# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The recorded units of systemd, and a root file system below a folder that has been booted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datadog_checks.kubelet_compliance.collection.image import Image
from datadog_checks.kubelet_compliance.collection.image_files import unless_masked
from datadog_checks.kubelet_compliance.collection.services import read_unit
from datadog_checks.kubelet_compliance.launch.units import Service, environment_of, next_command
from datadog_checks.kubelet_compliance.model import Argument, File, Missing, Process, Unit, Unknown, Unreadable
from datadog_checks.kubelet_compliance.node.change_stamps import Trace
from datadog_checks.kubelet_compliance.node.file_reader import FileReader, View
from datadog_checks.kubelet_compliance.node.file_remedies import Rights
from datadog_checks.kubelet_compliance.node.live_files import LiveView
from datadog_checks.kubelet_compliance.node.process_root import Root

from .cases import rows_of
from .service_node import ServiceNode

FOLDER = '/opt/case'
PROCESS = Process(1000, 100, None)


def command_of(service: Service, contents: Mapping[str, Sequence[File | Missing | Unreadable]]) -> tuple[Argument, ...]:
    """What a service starts with these environment files, by the paths that it names them by. Raises UnitError."""
    return next_command(service, environment_of(service, contents))


class BootedView(LiveView):
    """A view in which a link to /dev/null is a mask, as in an image."""

    def as_file(self, found: File | Missing | Unreadable) -> File | Missing | Unreadable:
        return unless_masked(self.root, found)


class BootedWays:
    """A root in which `/run` holds what a boot has made. `is_its_own`: as of a `LiveView`."""

    def __init__(self, folder: str, *, is_its_own: bool) -> None:
        self.folder = folder
        self.is_its_own = is_its_own

    def openers(self) -> Sequence[Callable[[Process, str, Trace], View]]:
        return (self.below_folder,)

    def below_folder(self, process: Process, path: str, trace: Trace) -> View:
        return BootedView(Root(self.folder, trace=trace), path, Rights, self.is_its_own)

    def no_view(self, process: Process, path: str, why: str, trace: Trace) -> Unreadable:
        return Unreadable(path, why)


class Booted(Image):
    """A root in which `/run` holds what a boot has made."""

    is_its_own = True

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.files = FileReader(BootedWays(root, is_its_own=self.is_its_own), Trace)


@dataclass(frozen=True)
class UnitCase:
    """A service's files, and the command line that a real systemd started with them. None: it did not start it."""

    id: str
    unit: str
    files: Mapping[str, Any]
    argv: tuple[str, ...] | None

    def fill(self, text: str) -> str:
        kubelet = f'{FOLDER}/kubelet'
        return text.replace('{unit}', self.unit).replace('{kubelet}', kubelet).replace('{dir}', FOLDER)

    def lay_out(self, folder: Path) -> ServiceNode:
        """A lone surrogate stands for one raw byte."""
        node = root_below(folder)
        for path, content in self.files.items():
            if isinstance(content, str):
                node.write(self.fill(path), os.fsencode(self.fill(content)))
            elif 'symlink' in content:
                node.link(self.fill(path), self.fill(content['symlink']))
            else:
                assert content == {'dir': True}
                node.at(f'{self.fill(path)}/x')
        return node


def root_below(folder: Path) -> ServiceNode:
    """An empty Debian, whose `/lib` is a link."""
    node = ServiceNode(folder)
    node.at('/usr/lib/x')
    node.link('/lib', 'usr/lib')
    node.write('/etc/os-release', 'ID=debian\n')
    return node


def unit_in(node: ServiceNode, name: str = 'kubelet.service', process: Process = PROCESS) -> Unit | Unknown:
    return read_unit(Booted(str(node.root)), process, name)


def words_of(unit: Unit | Unknown) -> tuple[str, ...] | Unknown:
    """The command line, without the places of its words."""
    command = unit if isinstance(unit, Unknown) else unit.command
    return command if isinstance(command, Unknown) else tuple(argument.text for argument in command)


def load(name: str) -> Iterator[UnitCase]:
    for row in rows_of(name):
        case = UnitCase(row['id'], row.get('unit', f'case-{row["id"]}.service'), row['files'], None)
        argv = row['systemd']['argv'] if row['systemd']['started'] else None
        yield UnitCase(case.id, case.unit, case.files, None if argv is None else tuple(map(case.fill, argv)))


CASES = tuple(load('systemd.jsonl'))
MORE_CASES = tuple(load('systemd-more.jsonl'))
