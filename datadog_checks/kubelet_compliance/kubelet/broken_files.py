# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which of the files that a kubelet needs would stop its next start, by what was read of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import File, Missing, Unreadable

from .needed_files import NeededFile


@dataclass(frozen=True, slots=True)
class NeededContent:
    """What was read of a needed file. `content` is None if only its existence matters."""

    is_there: bool
    content: File | Missing | Unreadable | None = None


def broken_files(contents: Mapping[NeededFile, NeededContent]) -> dict[str, str]:
    """The files that the kubelet would refuse, by path, and why. A file that the check can't read shows nothing."""
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
