# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Writes a captured node to a new folder. This is the only module that writes, and only `--capture` uses it.

It creates the folder, which only the user can access. All names below the folder are new. It follows no link.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def write_node(folder: str, files: Mapping[str, bytes], links: Mapping[str, str], seal: str) -> None:
    """Write files and links, by their paths below a folder that must not exist. Raises OSError.

    `seal`: the file that is created first and filled last. An empty one shows that the copy is incomplete.
    """
    os.mkdir(folder, FOLDER_MODE)
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        write_file(root, seal, b'')
        for path, data in sorted(files.items()):
            if path != seal:
                write_file(root, path, data)
        for path, target in sorted(links.items()):
            *parents, name = path_names(path)
            parent = open_folder(root, parents)
            try:
                os.symlink(target, name, dir_fd=parent)
            finally:
                os.close(parent)
        write_file(root, seal, files[seal], os.O_WRONLY)
    finally:
        os.close(root)


def write_file(root: int, path: str, data: bytes, how: int = os.O_WRONLY | os.O_CREAT | os.O_EXCL) -> None:
    *parents, name = path_names(path)
    parent = open_folder(root, parents)
    try:
        flags = how | os.O_NOFOLLOW
        with open(os.open(name, flags, FILE_MODE, dir_fd=parent), 'wb') as file:
            file.write(data)
    finally:
        os.close(parent)


def open_folder(root: int, names: Iterable[str]) -> int:
    """Open a folder below an open one. Create it if it does not exist."""
    here = os.dup(root)
    for name in names:
        there = here
        try:
            if name not in os.listdir(there):
                os.mkdir(name, FOLDER_MODE, dir_fd=there)
            here = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=there)
        finally:
            os.close(there)
    return here


def path_names(path: str) -> list[str]:
    """Split a path below a folder into names. Raises ValueError for a path that leads out of the folder."""
    names = path.split('/')
    if any(name in ('', '.', '..') for name in names):
        raise ValueError(f'{path} is not a path below a folder')
    return names
