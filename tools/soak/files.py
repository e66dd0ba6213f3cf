# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The configuration files of a node, and every change that may happen to them, one step each.

The objects remember what they wrote, so that working out a kubelet's configuration reads no file.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from tests.support.kubelet_server import Certificates
from tests.support.nodes import HEAD

from .settings import KEY, Values, can_be_null, choices, written

NAMES = ('10-a.conf', '20-b.conf', '30-c.conf')
MODES = (0o600, 0o644)
MODES_OF_ROOT = (*MODES, 0o400, 0)
TOO_LARGE = '#' * (300 * 1024)
GARBAGE = ('{', HEAD + 'kind: [', 'a\0b')
REFUSED_IN_MAIN = (*GARBAGE, '', f'{KEY}: true\n', HEAD + f'{KEY}: maybe\n')
"""Content that some releases accept in a drop-in, or that a later drop-in may correct."""


class Kind(Enum):
    """What a kubelet and the check can do with the content of a path."""

    TEXT = 'text'
    REFUSED = 'the kubelet would refuse it'
    UNREADABLE = 'the check would not read it'


@dataclass(frozen=True)
class Entry:
    """The content of a configuration path. `said` is what its first line sets, if the line is active."""

    kind: Kind
    values: Values = field(default_factory=dict)
    said: bool | None = True

    def flipped(self) -> Entry:
        """Return the entry with its first line switched between active and inactive."""
        others = {path: value for path, value in self.values.items() if path != KEY}
        return replace(self, values=others if KEY in self.values else {KEY: self.said, **others})

    @property
    def text(self) -> str:
        others = {path: value for path, value in self.values.items() if path != KEY}
        first = f'{"m" if KEY in self.values else "#"}{KEY[1:]}: {json.dumps(self.said)}\n'
        return HEAD + first + written(others)

    def __str__(self) -> str:
        return json.dumps(self.values) if self.kind is Kind.TEXT else self.kind.value


REFUSED = Entry(Kind.REFUSED)


class Files:
    """The configuration files, in one folder."""

    def __init__(self, folder: Path, chance: random.Random, certificates: Certificates) -> None:
        self.chance = chance
        self.config = folder / 'config.yaml'
        self.versions = (folder / 'one.yaml', folder / 'two.yaml')
        self.drop_ins = folder / 'kubelet.d'
        self.kubeconfig, self.client_ca = folder / 'kubelet.conf', folder / 'ca.crt'
        self.own_pair = folder / 'pki'
        """Where the kubelet keeps the certificate that it created. A configured certificate may also be there."""
        self.drop_ins.mkdir(parents=True)
        self.kubeconfig.write_text('x\n')
        shutil.copy(certificates.ca, self.client_ca)
        for pair in (self.own_pair, folder / 'other'):
            pair.mkdir()
            shutil.copy(certificates.server, pair / 'kubelet.crt')
            shutil.copy(certificates.server_key, pair / 'kubelet.key')
        self.other_ca = folder / 'other' / 'ca.crt'
        shutil.copy(certificates.ca, self.other_ca)
        self.choices = choices((self.client_ca, self.other_ca), self.own_pair, folder / 'other')
        self.main = REFUSED
        self.added: dict[str, Entry] = {}
        self.changes: list[float] = []
        """The times when the configuration changed after the kubelet started."""
        self.write()

    def layers(self, *, config: bool, drop_ins: bool) -> list[Entry]:
        """Return what a kubelet with these flags reads, in its order."""
        layers = [self.main] if config else []
        if drop_ins:
            layers += [self.added[name] for name in sorted(self.added)] if self.drop_ins.is_dir() else [REFUSED]
        return layers

    def other(self, entry: Entry, *, is_main: bool) -> Entry:
        """Return another text that a kubelet accepts. It often differs in a single setting."""
        if entry.kind is not Kind.TEXT or self.chance.random() < 0.3:
            said = self.chance.choice((True, True, False) if is_main else (True, False, None))
            entry = Entry(Kind.TEXT, {KEY: said} if self.chance.random() < 0.6 else {}, said)
            for _ in range(self.chance.choice((0, 1, 2, 4))):
                entry = self.edited(entry, is_main=is_main)
        return self.edited(entry, is_main=is_main)

    def edited(self, entry: Entry, *, is_main: bool) -> Entry:
        """Return the entry with one setting changed, removed, or, in a drop-in, set to null."""
        values, choice = dict(entry.values), self.chance.choice(self.choices)
        if self.chance.random() < 0.3:
            values = {path: value for path, value in values.items() if path not in choice}
        elif not is_main and self.chance.random() < 0.25 and can_be_null(choice):
            values.update(dict.fromkeys(choice))
        else:
            values.update(choice)
        return replace(entry, values=values)

    def write(self) -> str:
        """Write the file in place, as a new file with the old name, or behind a link that is switched."""
        self.main = self.other(self.main, is_main=True)
        text = self.main.text
        how = self.chance.choice(('in place', 'renamed', 'linked'))
        self.changes.append(time.time())
        if how == 'in place' and self.config.is_file():
            self.config.write_text(text)
            return f'config {how}: {self.main}'
        if how == 'linked':
            target = self.chance.choice(self.versions)
            renamed(target, text)
            link = self.config.with_name('link')
            link.symlink_to(self.chance.choice((target.name, str(target))))
            clear_folder(self.config)
            link.rename(self.config)
            return f'config {how}: {self.main}'
        clear_folder(self.config)
        renamed(self.config, text)
        return f'config renamed: {self.main}'

    def flip(self) -> str:
        """Change one byte of the file, and keep its size and mtime."""
        path, entry = self.config, self.main
        if entry.kind is not Kind.TEXT:
            return 'nothing to flip'
        self.main = self.changed_byte(path, entry)
        return f'config flipped: {self.main}'

    def changed_byte(self, path: Path, entry: Entry) -> Entry:
        before = path.stat()
        at = path.read_bytes().index(KEY[1:].encode()) - 1
        with open(path, 'r+b') as file:
            file.seek(at)
            file.write(b'#' if KEY in entry.values else b'm')
        self.changes.append(time.time())
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        return entry.flipped()

    def flip_back(self) -> str:
        """Make a change and undo it at once."""
        return f'{self.flip()}, {self.flip()}'

    def spoil(self) -> str:
        self.changes.append(time.time())
        clear_folder(self.config)
        self.config.unlink(missing_ok=True)
        self.main, what = self.spoiled(self.config)
        return f'config: {what}'

    def spoiled(self, path: Path) -> tuple[Entry, str]:
        """Create something at a free path that is not a configuration."""
        what = self.chance.choice(('garbage', 'garbage', 'too large', 'FIFO', 'directory', 'missing', 'dangling'))
        if what == 'garbage':
            path.write_text(self.chance.choice(REFUSED_IN_MAIN))
        elif what == 'too large':
            path.write_text(HEAD + TOO_LARGE)
        elif what == 'FIFO':
            os.mkfifo(path)
        elif what == 'directory':
            path.mkdir()
        elif what == 'dangling':
            path.symlink_to('nowhere')
        return Entry(Kind.UNREADABLE if what in ('too large', 'FIFO') else Kind.REFUSED), what

    def drop_in(self) -> str:
        if not self.drop_ins.is_dir():
            self.drop_ins.mkdir()
        name = self.chance.choice(NAMES)
        entry = self.other(self.added.get(name, REFUSED), is_main=False)
        self.changes.append(time.time())
        if name in self.added and self.chance.random() < 0.5:
            (self.drop_ins / name).unlink()
        renamed(self.drop_ins / name, entry.text)
        self.added[name] = entry
        return f'{name}: {entry}'

    def flip_drop_in(self) -> str:
        names = sorted(name for name, entry in self.added.items() if entry.kind is Kind.TEXT)
        if not names:
            return self.drop_in()
        name = self.chance.choice(names)
        self.added[name] = self.changed_byte(self.drop_ins / name, self.added[name])
        return f'{name} flipped: {self.added[name]}'

    def remove_drop_in(self) -> str:
        if not self.added:
            return 'no drop-in to remove'
        name = self.chance.choice(sorted(self.added))
        self.changes.append(time.time())
        (self.drop_ins / name).unlink()
        del self.added[name]
        return f'{name} removed'

    def spoil_drop_in(self) -> str:
        if not self.drop_ins.is_dir():
            return self.drop_in()
        name = self.chance.choice(NAMES)
        path = self.drop_ins / name
        self.changes.append(time.time())
        path.unlink(missing_ok=True)
        what = self.chance.choice(('garbage', 'FIFO'))
        if what == 'FIFO':
            os.mkfifo(path)
        else:
            path.write_text(self.chance.choice(GARBAGE))
        self.added[name] = Entry(Kind.UNREADABLE if what == 'FIFO' else Kind.REFUSED)
        return f'{name}: {what}'

    def clear_drop_ins(self) -> str:
        """Remove all drop-ins. This is often the only way back to a configuration that a kubelet accepts."""
        self.changes.append(time.time())
        shutil.rmtree(self.drop_ins, ignore_errors=True)
        self.added.clear()
        if self.chance.random() < 0.7:
            self.drop_ins.mkdir()
            return 'drop-ins cleared'
        return 'drop-ins gone with their folder'

    def other_file(self) -> str:
        """Write a file that is not a drop-in next to the drop-ins."""
        if self.drop_ins.is_dir():
            (self.drop_ins / f'readme-{self.chance.randrange(3)}.txt').write_text('x')
        return 'a file that is not a drop-in'

    def paths_of_drop_ins(self) -> list[Path]:
        return [self.drop_ins / name for name in sorted(self.added)]

    def touch(self) -> str:
        path = self.chance.choice((self.config, self.kubeconfig, *self.paths_of_drop_ins()))
        if path.exists():
            os.utime(path)
        return f'touch {path.name}'

    def change_mode(self) -> str:
        path = self.chance.choice(
            (self.config, self.client_ca, self.client_ca, self.other_ca, *self.paths_of_drop_ins())
        )
        mode = self.chance.choice(MODES_OF_ROOT if os.geteuid() == 0 else MODES)
        owner = self.chance.choice((0, 0, 65534))
        if path.exists() and not path.is_dir():
            path.chmod(mode)
            if os.geteuid() == 0:
                os.chown(path, owner, owner)
        return f'chmod {mode:o} {path.relative_to(self.config.parent)}, owner {owner}'

    def change_files(self) -> str:
        """Change the files, but not the kubelet."""
        return self.chance.choices(STEPS, WEIGHTS)[0](self)


WEIGHED: dict[Callable[[Files], str], int] = {
    Files.write: 20,
    Files.flip: 15,
    Files.flip_back: 5,
    Files.spoil: 3,
    Files.drop_in: 8,
    Files.flip_drop_in: 8,
    Files.remove_drop_in: 6,
    Files.spoil_drop_in: 1,
    Files.clear_drop_ins: 6,
    Files.other_file: 2,
    Files.touch: 10,
    Files.change_mode: 12,
}
STEPS, WEIGHTS = tuple(WEIGHED), tuple(WEIGHED.values())


def renamed(path: Path, text: str) -> None:
    """Write a new file and rename it to the path."""
    new = path.with_name(f'{path.name}.new')
    new.write_text(text)
    new.rename(path)


def clear_folder(path: Path) -> None:
    """Remove a folder at the path, because a rename does not replace a folder."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
