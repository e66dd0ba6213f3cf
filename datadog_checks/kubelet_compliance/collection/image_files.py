# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files of a machine that does not run."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import File, FileStatus, Folder, Missing, Process, Unreadable
from datadog_checks.kubelet_compliance.node.change_stamps import Trace
from datadog_checks.kubelet_compliance.node.file_reader import View, folder_in
from datadog_checks.kubelet_compliance.node.live_files import status_in
from datadog_checks.kubelet_compliance.node.process_root import A_DEVICE, Root

NULL = 'dev/null'
UNITS_OF_A_BOOT = '/run/systemd/'
MADE_AT_BOOT = 'it is in /run, which is empty until the machine runs'


@dataclass(frozen=True, slots=True)
class ImageView:
    """A path in the root file system of a machine that does not run."""

    root: Root
    path: str

    def kept(self, path: str) -> Missing | None:
        # Only a boot creates units there, so an image has none.
        return Missing(path, MADE_AT_BOOT) if path.startswith(UNITS_OF_A_BOOT) else None

    def missing(self, path: str, why: str) -> Missing | Unreadable:
        if self.root.dangles:
            # Most likely, another file system is mounted there when the machine runs.
            return Unreadable(path, f'it is a link to /{self.root.led_to}, which is not in the image')
        return Missing(path, why)

    def unreadable(self, path: str, why: str) -> Unreadable:
        return Unreadable(path, why)

    def as_file(self, found: File | Missing | Unreadable) -> File | Missing | Unreadable:
        return unless_masked(self.root, found)

    def changed_at(self, path: str, ctime: float) -> float | None:
        return ctime

    def names(self, path: str) -> Folder:
        return folder_in(self.root, path)

    def status(self, path: str) -> FileStatus | Unreadable:
        return status_in(self.root, path)


def unless_masked(root: Root, found: File | Missing | Unreadable) -> File | Missing | Unreadable:
    """What was read last in a root, or that it is a device.

    Many images have no devices, so that a mask is a link to nothing, or to an empty file.
    """
    return Unreadable(found.path, A_DEVICE, absent=True) if root.led_to == NULL else found


class ImageWays:
    """The one way to the files of an image. `started_in`: the working directory of each service."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.started_in: dict[str, str] = {}

    def openers(self) -> Sequence[Callable[[Process, str, Trace], View | None]]:
        return (self.below_folder,)

    def below_folder(self, process: Process, path: str, trace: Trace) -> View:
        """Raises CannotRead."""
        path = posixpath.join(self.started_in.get(process.unit, '/'), path)
        return ImageView(Root(self.folder, trace=trace, others={'/run': MADE_AT_BOOT}), path)

    def no_view(self, process: Process, path: str, why: str, trace: Trace) -> Unreadable:
        return Unreadable(path, why)
