# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The captured nodes that a person names: one folder, several, or a folder of captures."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.node.captured import CONFIGZ, NODE_FACTS, Capture, CaptureError, parse_capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.change_stamps import Trace
from datadog_checks.kubelet_compliance.node.process_root import CannotRead, NotThere, Root, reason
from datadog_checks.kubelet_compliance.node.processes import Admission

from .screen import CannotAnswer

NO_PROC = 'it has no folder proc'


@dataclass(frozen=True, slots=True)
class Captures:
    """The folders of captured nodes. `are_many`: several were named, or a folder of them."""

    folders: Sequence[str]
    are_many: bool


def find_captures(paths: Sequence[str]) -> Captures:
    """What the option `--node` names. Whether a folder is complete shows when it is opened. Raises CannotAnswer.

    A folder without `proc` that holds captured nodes stands for all folders in it, one level deep, without hidden
    ones. A folder that was named twice counts once.
    """
    folders: dict[str, str] = {}
    are_many = len(paths) > 1
    for path in paths:
        inside = captures_in(path)
        are_many = are_many or bool(inside)
        for folder in inside or [path]:
            folders.setdefault(os.path.realpath(folder), folder)
    return Captures(list(folders.values()), are_many)


def captures_in(path: str) -> list[str]:
    """The folders in a folder of captured nodes, sorted by name. Empty if it is none. Raises CannotAnswer."""
    if not os.path.isdir(path) or problem_of(path) != NO_PROC:
        return []
    try:
        inside = sorted(iter_folders(path))
    except OSError as error:
        raise CannotAnswer(f'could not read {path}: {reason(error)}') from None
    return inside if any(problem_of(folder) != NO_PROC for folder in inside) else []


def iter_folders(path: str) -> Iterator[str]:
    """The paths of the folders in a folder, and of the links that lead nowhere. Raises OSError."""
    with os.scandir(path) as entries:
        for entry in entries:
            is_dead_link = entry.is_symlink() and not os.path.exists(entry.path)
            if not entry.name.startswith('.') and (is_dead_link or os.path.isdir(entry.path)):
                yield entry.path


def open_capture(folder: str, admission: Admission) -> CapturedHost:
    """Raises CaptureError, without the name of the folder in its text."""
    problem = problem_of(folder)
    if problem == NO_PROC:
        raise CaptureError(f'it is not a captured node: {problem}')
    if problem:
        raise CaptureError(f'could not read its folder proc: {problem}')
    facts = kept_file(folder, NODE_FACTS)
    capture = Capture() if facts is None else parse_capture(facts)
    return CapturedHost(os.path.join(folder, 'proc'), folder, admission=admission, capture=capture)


def problem_of(folder: str) -> str:
    """Why a folder is not a captured node. '' if it is one."""
    try:
        os.stat(folder)
    except OSError as error:
        return reason(error)
    try:
        # A link could lead to the processes of this machine.
        is_folder = stat.S_ISDIR(os.lstat(os.path.join(folder, 'proc')).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return NO_PROC
    except OSError as error:
        return reason(error)
    return '' if is_folder else NO_PROC


def kept_configz(folder: str) -> bytes | None:
    """The response of /configz that the capture keeps, if any. Raises CaptureError."""
    return kept_file(folder, CONFIGZ)


def kept_file(folder: str, name: str) -> bytes | None:
    """A file that the capture added to the node. None if it does not exist. Raises CaptureError."""
    try:
        with Root(folder, trace=Trace()) as root:
            return root.read(f'/{name}').data
    except NotThere:
        return None
    except CannotRead as error:
        raise CaptureError(f'{name}: {error}') from None
