# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Writes a captured node into a new folder: the one module that writes, and only at a person's word.

It makes the folder itself, for nobody but the user; below it every name is new, and no link is ever followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def write_node(folder: str, files: Mapping[str, bytes], links: Mapping[str, str], seal: str) -> None:
    """Write files and links, by their paths below a folder that must not exist. Raises OSError.

    `seal`: the file that is made first and filled last, so that a copy that was cut off shows by it.
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
    """Open a folder below an open one, made where it is not there yet."""
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
    """The names on the way to a path below a folder. Raises ValueError for one that leads out of it."""
    names = path.split('/')
    if any(name in ('', '.', '..') for name in names):
        raise ValueError(f'{path} is no path below a folder')
    return names
