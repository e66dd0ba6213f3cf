# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The folders and names under which systemd finds a unit, in order (systemd.unit, "Unit File Load Path"). Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

UNIT_FOLDERS = (
    '/etc/systemd/system.control',
    '/run/systemd/system.control',
    '/run/systemd/transient',
    '/run/systemd/generator.early',
    '/etc/systemd/system',
    '/etc/systemd/system.attached',
    '/run/systemd/system',
    '/run/systemd/system.attached',
    '/run/systemd/generator',
    '/usr/local/lib/systemd/system',
    '/usr/lib/systemd/system',
    '/lib/systemd/system',
    '/run/systemd/generator.late',
)
DROP_IN_ENDING = '.conf'
ALL_SERVICES = 'service.d'
"""The folder with drop-ins for all services."""


def unit_paths(name: str) -> Iterator[str]:
    """The possible paths of a unit file. The first existing file counts. An instance can also have its template's."""
    for candidate in dict.fromkeys((name, template_of(name) or name)):
        yield from (f'{folder}/{candidate}' for folder in UNIT_FOLDERS)


def drop_in_folders(names: Iterable[str]) -> Iterator[str]:
    """The drop-in folders of a unit with these names. A file hides files of the same name in later folders.

    Follows `unit_file_find_dropin_paths` in systemd's src/shared/dropin.c.
    """
    for name in names:
        stems = tuple(dict.fromkeys(general_names(name)))
        yield from (f'{folder}/{stem}.d' for folder in UNIT_FOLDERS for stem in stems)
    yield from (f'{folder}/{ALL_SERVICES}' for folder in UNIT_FOLDERS)


def general_names(name: str) -> Iterator[str]:
    """The name of a unit, of its template, and each prefix of it that ends in a dash: `a-b.service`, `a-.service`.

    Follows `unit_file_find_dirs` in systemd's src/shared/dropin.c. A name can occur more than once.
    """
    yield name
    template = template_of(name)
    if template is not None:
        yield from general_names(template)
    stem, dot, ending = name.rpartition('.')
    prefix, at, instance = stem.partition('@')
    # One dash at the end is not part of the prefix.
    shorter = prefix.removesuffix('-').rpartition('-')
    if prefix.removesuffix('-') and shorter[1] and shorter[0]:
        yield from general_names(f'{shorter[0]}-{at if instance else ""}{instance}{dot}{ending}')


def template_of(name: str) -> str | None:
    """The template of an instance such as `a@b.service`; None for another unit."""
    stem, dot, ending = name.rpartition('.')
    prefix, at, instance = stem.partition('@')
    return f'{prefix}@{dot}{ending}' if instance else None


def names_of(name: str, real_path: str) -> tuple[str, ...]:
    """The names of a unit: its own, and that of the unit file that it links to."""
    folder, other = posixpath.split(real_path)
    return tuple(dict.fromkeys((name, other))) if folder in UNIT_FOLDERS and other != template_of(name) else (name,)
