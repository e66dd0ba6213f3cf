# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which of the files that a kubelet needs would keep it from starting, by what was read of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import File, Missing, Unreadable

from .late_refusals import NeededFile


@dataclass(frozen=True, slots=True)
class NeededContent:
    """What was read of a needed file: whether it is there, and its content. None: its content does not matter."""

    is_there: bool
    content: File | Missing | Unreadable | None = None


def broken_files(contents: Mapping[NeededFile, NeededContent]) -> dict[str, str]:
    """The files that the kubelet would not take, by path, and why. What can't be read shows nothing."""
    return {file.path: why for file, found in contents.items() if (why := why_broken(file, found)) is not None}


def why_broken(file: NeededFile, found: NeededContent) -> str | None:
    if not found.is_there:
        return file.judge(None)
    match found.content:
        case File():
            return file.judge(found.content.data)
        case Missing():
            return f'cannot be read: {found.content.why}'
    return None
