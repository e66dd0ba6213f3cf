# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""No value leaves the node without its stamp: by where the system is called, and by who opens a reading."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import datadog_checks.kubelet_compliance as package
from datadog_checks.kubelet_compliance.node import open_paths

FOLDER = Path(package.__file__).parent
ROOM = Path(open_paths.__file__).parent
PACKAGE = sorted(FOLDER.rglob('*.py'))

CALLS = {'open', 'read', 'stat', 'lstat', 'fstat', 'readlink', 'listdir', 'scandir', 'realpath'}
CALLERS = {
    'change_stamps': {'open', 'stat'},  # compares stamps
    'mounts': {'realpath'},  # of host_root, which is a path of ours
    'open_paths': {'open', 'read', 'fstat', 'readlink', 'scandir'},
    'proc_files': {'open', 'read', 'readlink', 'listdir', 'realpath'},
    'procfs': {'open', 'read', 'stat'},
    'rights': {'open'},  # of this process itself
    'sockets': {'stat', 'readlink', 'listdir'},
}
"""Who calls the system, and with what. Only `open_paths` does for the files of a node."""


def calls(path: Path) -> set[str]:
    """The calls that read from the system: those of `os` and `os.path`, and `open` itself."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name) and function.id == 'open':
                found.add('open')
            if isinstance(function, ast.Attribute) and ast.unparse(function.value) in ('os', 'os.path'):
                found.add(function.attr)
    return found & CALLS


@pytest.mark.parametrize('path', sorted(ROOM.glob('*.py')), ids=lambda path: path.stem)
def test_the_system_is_called_only_where_a_stamp_is_taken(path: Path) -> None:
    assert calls(path) == CALLERS.get(path.stem, set())


@pytest.mark.parametrize('attribute', ['sealed', 'unstamped'])
def test_only_its_own_module_opens_what_is_sealed(attribute: str) -> None:
    users = {
        path.stem
        for path in PACKAGE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == attribute
    }
    assert users == {'change_stamps' if attribute == 'sealed' else 'open_paths'}
