# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Folders as JSON documents: each file of a folder by its path, in a form that can be reviewed. See `tools/pack.py`.

A file is one of these:
- a text, or a list of its lines or arguments with what ends each of them
- `{"json": value}`: JSON as the check writes it, indented by two
- `{"base64": text}`: bytes that are not UTF-8
- `{"link": target}`: a symbolic link
- `{"mode": "755", "file": ...}`: a file that can be executed
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

Packed = str | list[str] | dict[str, Any]

# After each line, and after each argument of a command line in /proc.
ENDS = re.compile(r'(?<=[\n\0])')
PLAIN_MODE = 0o644


class PackError(Exception):
    """A folder that can't be packed, or a document that can't be laid out."""


def as_json(value: object) -> str:
    """Return JSON as a capture holds it."""
    return json.dumps(value, indent=2) + '\n'


def pack_bytes(data: bytes) -> Packed:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {'base64': base64.b64encode(data).decode()}
    if text.startswith('{'):
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if value is not None and as_json(value) == text:
            return {'json': value}
    parts = [part for part in ENDS.split(text) if part]
    return parts if len(parts) > 1 else text


def unpack_bytes(packed: Packed) -> bytes:
    if isinstance(packed, str):
        return packed.encode()
    if isinstance(packed, list):
        return ''.join(packed).encode()
    if 'json' in packed:
        return as_json(packed['json']).encode()
    return base64.b64decode(packed['base64'], validate=True)


def pack_file(path: Path) -> Packed:
    """Return one file of a folder. Raises PackError for what is neither a regular file nor a symbolic link."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return {'link': os.readlink(path)}
    if not stat.S_ISREG(status.st_mode):
        raise PackError(f'{path} is not a regular file or a symbolic link')
    packed = pack_bytes(path.read_bytes())
    if status.st_mode & stat.S_IXUSR:
        return {'mode': f'{stat.S_IMODE(status.st_mode):o}', 'file': packed}
    return packed


def pack_folder(folder: Path) -> dict[str, Packed]:
    """Return the files of a folder by their paths in it. Raises PackError, also for an empty folder in it."""
    files: dict[str, Packed] = {}
    for path in sorted(folder.rglob('*')):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                raise PackError(f'{path} is empty: git does not keep an empty folder')
            continue
        files[path.relative_to(folder).as_posix()] = pack_file(path)
    return files


def lay_out(files: Mapping[str, Packed], folder: Path) -> Path:
    """Write the files to a folder. Return the folder. Raises PackError for a path outside of it."""
    links: dict[Path, str] = {}
    for name, packed in files.items():
        if PurePosixPath(name).is_absolute() or '..' in PurePosixPath(name).parts:
            raise PackError(f'the path {name!r} leads out of the folder')
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(packed, dict) and 'link' in packed:
            links[path] = packed['link']
            continue
        mode = PLAIN_MODE
        if isinstance(packed, dict) and 'mode' in packed:
            mode, packed = int(packed['mode'], 8), packed['file']
        path.write_bytes(unpack_bytes(packed))
        path.chmod(mode)
    # Last, so that no file is written through a link.
    for path, target in links.items():
        path.symlink_to(target)
    return folder
