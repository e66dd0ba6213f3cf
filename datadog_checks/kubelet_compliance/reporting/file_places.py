# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The file and line that decide a result, and their URI in the repository or on the machine."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import quote

from datadog_checks.kubelet_compliance.model import (
    FileSubject,
    Finding,
    KubeletReport,
    Place,
    Unknown,
    was_flag,
)
from datadog_checks.kubelet_compliance.rules.judge import decided

IN_FOLDER, ON_MACHINE = '%SRCROOT%', 'ROOT'
"""The bases of relative URIs: the folder in which the command runs, and the root of the machine."""

NO_BYTE = re.compile('[\ud800-\udc7f\udd00-\udfff]')
"""Surrogates that stand for no byte of a file name."""


@dataclass(frozen=True, slots=True)
class FileUri:
    """The URI of a file, relative to a base."""

    uri: str
    base: str


def file_uri(path: str, folder: str, current: str) -> FileUri:
    """The URI of a node's file.

    `folder`: the image or the captured node that contains it, as it was named; '' for this machine. `current`: the
    folder in which the command runs; '' if it is unknown. Code scanning finds only files below that folder.
    """
    named = f'{folder}/{cleaned(path)}' if folder else f'/{cleaned(path)}'
    whole, start = posixpath.normpath(posixpath.join(current, named)), f'{current.rstrip("/")}/'
    if folder and not whole.startswith('/') or folder and current and whole.startswith(start):
        return FileUri(percent_encoded(whole.removeprefix(start)), IN_FOLDER)
    return FileUri(percent_encoded(whole.lstrip('/')) or '.', ON_MACHINE)


def cleaned(path: str) -> str:
    """A path of the node below the node's root, without `..` and empty parts."""
    return posixpath.normpath(f'/{path}').lstrip('/')


def percent_encoded(path: str) -> str:
    """A path as a URI: the bytes of its name, even if they are not valid UTF-8."""
    return quote(NO_BYTE.sub('\ufffd', path).encode('utf-8', 'surrogateescape'), safe='/~')


def decided_at(finding: Finding, kubelet: KubeletReport) -> Place:
    """The file that decides a result, with its line: where the value is set.

    For a default, and for what is unknown, it is the file in which the setting would be set.
    """
    values, origin = decided(finding)
    if finding.rule.files is not None and not isinstance(values, Unknown) and values:
        return Place(values[0][0], 0)
    if origin is not None and origin.path:
        return Place(origin.path, origin.line)
    is_of_start = was_flag(origin) or finding.rule.files is FileSubject.SERVICE
    return Place(kubelet.start_path if is_of_start else kubelet.config_path or kubelet.start_path, 0)
