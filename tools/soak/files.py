# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The configuration files of a node, and everything that may happen to them: a step each.

They keep in mind what was written, so what a kubelet would make of that needs no look at a file.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

HEAD = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
KEY = 'akeIPTablesUtilChains'
NAMES = ('10-a.conf', '20-b.conf', '30-c.conf')
MODES = (0o600, 0o644)
MODES_OF_ROOT = (*MODES, 0o400, 0)
TOO_LARGE = '#' * (300 * 1024)
GARBAGE = ('', '{', HEAD + 'kind: [', 'makeIPTablesUtilChains: true\n', 'a\0b')
WRONG_VALUE = HEAD + 'makeIPTablesUtilChains: maybe\n'
"""Refused in the main file only: a later drop-in may put it right."""


class Kind(Enum):
    """What a kubelet, and the check, can do with what lies at a path."""

    TEXT = 'text'
    REFUSED = 'the kubelet would refuse it'
    UNREADABLE = 'the check would not read it'


@dataclass(frozen=True)
class Entry:
    """What lies at a path of the configuration. `value`: what it says of the setting; None: nothing."""

    kind: Kind
    value: bool | None = None


REFUSED = Entry(Kind.REFUSED)


class Files:
    """They lie in one folder."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.chance = chance
        self.config = folder / 'config.yaml'
        self.versions = (folder / 'one.yaml', folder / 'two.yaml')
        self.drop_ins = folder / 'kubelet.d'
        self.kubeconfig, self.client_ca = folder / 'kubelet.conf', folder / 'ca.crt'
        self.drop_ins.mkdir(parents=True)
        for path in (self.kubeconfig, self.client_ca):
            path.write_text('x\n')
        self.main = REFUSED
        self.added: dict[str, Entry] = {}
        self.changes: list[float] = []
        """When the content of the configuration changed, since the kubelet was started."""
        self.write()

    def layers(self, *, config: bool, drop_ins: bool) -> list[Entry]:
        """What a kubelet reads that is told to read these, in its order."""
        layers = [self.main] if config else []
        if drop_ins:
            layers += [self.added[name] for name in sorted(self.added)] if self.drop_ins.is_dir() else [REFUSED]
        return layers

    def text(self) -> tuple[str, Entry]:
        """A text that a kubelet takes; few enough of them that one comes back before long."""
        value = self.chance.choice((True, True, False, None, None))
        letter, said = ('#' if value is None else 'm'), ('true' if value else 'false')
        lines = [f'{letter}{KEY}: {said}', f'eventRecordQPS: {self.chance.choice((0, 50))}']
        if self.chance.random() < 0.5:
            lines.append(f'authentication: {{x509: {{clientCAFile: {self.client_ca}}}}}')
        return HEAD + '\n'.join(lines) + '\n', Entry(Kind.TEXT, value)

    def write(self) -> str:
        """In place, as a new file under the old name, or behind a link that is switched."""
        text, self.main = self.text()
        how = self.chance.choice(('in place', 'renamed', 'linked'))
        self.changes.append(time.time())
        if how == 'in place' and self.config.is_file():
            self.config.write_text(text)
            return f'config {how}: {self.main.value}'
        if how == 'linked':
            target = self.chance.choice(self.versions)
            renamed(target, text)
            link = self.config.with_name('link')
            link.symlink_to(self.chance.choice((target.name, str(target))))
            clear_folder(self.config)
            link.rename(self.config)
            return f'config {how}: {self.main.value}'
        clear_folder(self.config)
        renamed(self.config, text)
        return f'config renamed: {self.main.value}'

    def flip(self) -> str:
        """One byte of the file, with its size and its mtime as they were."""
        path, entry = self.config, self.main
        if entry.kind is not Kind.TEXT:
            return 'nothing to flip'
        self.main = self.changed_byte(path)
        return f'config flipped: {self.main.value}'

    def changed_byte(self, path: Path) -> Entry:
        before = path.stat()
        text = path.read_bytes()
        at = text.index(KEY.encode()) - 1
        was_on = text[at : at + 1] == b'm'
        with open(path, 'r+b') as file:
            file.seek(at)
            file.write(b'#' if was_on else b'm')
        self.changes.append(time.time())
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        return Entry(Kind.TEXT, None if was_on else f'{KEY}: true'.encode() in text)

    def flip_back(self) -> str:
        """A change that is undone at once."""
        return f'{self.flip()}, {self.flip()}'

    def spoil(self) -> str:
        self.changes.append(time.time())
        clear_folder(self.config)
        self.config.unlink(missing_ok=True)
        self.main, what = self.spoiled(self.config)
        return f'config: {what}'

    def spoiled(self, path: Path) -> tuple[Entry, str]:
        """Something at a free path that is no configuration."""
        what = self.chance.choice(('garbage', 'garbage', 'too large', 'FIFO', 'directory', 'missing', 'dangling'))
        if what == 'garbage':
            path.write_text(self.chance.choice((*GARBAGE, WRONG_VALUE)))
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
        text, entry = self.text()
        self.changes.append(time.time())
        if name in self.added and self.chance.random() < 0.5:
            (self.drop_ins / name).unlink()
        renamed(self.drop_ins / name, text)
        self.added[name] = entry
        return f'{name}: {entry.value}'

    def flip_drop_in(self) -> str:
        names = sorted(name for name, entry in self.added.items() if entry.kind is Kind.TEXT)
        if not names:
            return self.drop_in()
        name = self.chance.choice(names)
        self.added[name] = self.changed_byte(self.drop_ins / name)
        return f'{name} flipped: {self.added[name].value}'

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
        """Often it is the only way back to a configuration that a kubelet takes."""
        self.changes.append(time.time())
        shutil.rmtree(self.drop_ins, ignore_errors=True)
        self.added.clear()
        if self.chance.random() < 0.7:
            self.drop_ins.mkdir()
            return 'drop-ins cleared'
        return 'drop-ins gone with their folder'

    def other_file(self) -> str:
        """A file beside the drop-ins that is none."""
        if self.drop_ins.is_dir():
            (self.drop_ins / f'readme-{self.chance.randrange(3)}.txt').write_text('x')
        return 'a file that is no drop-in'

    def paths_of_drop_ins(self) -> list[Path]:
        return [self.drop_ins / name for name in sorted(self.added)]

    def touch(self) -> str:
        path = self.chance.choice((self.config, self.kubeconfig, *self.paths_of_drop_ins()))
        if path.exists():
            os.utime(path)
        return f'touch {path.name}'

    def change_mode(self) -> str:
        path = self.chance.choice((self.config, self.kubeconfig, self.client_ca, *self.paths_of_drop_ins()))
        mode = self.chance.choice(MODES_OF_ROOT if os.geteuid() == 0 else MODES)
        owner = self.chance.choice((0, 0, 65534))
        if path.exists() and not path.is_dir():
            path.chmod(mode)
            if os.geteuid() == 0:
                os.chown(path, owner, owner)
        return f'chmod {mode:o} {path.name}, owner {owner}'

    def change_files(self) -> str:
        """Something happens to its files, and nothing to its kubelet."""
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
    """Write a new file and give it the name."""
    new = path.with_name(f'{path.name}.new')
    new.write_text(text)
    new.rename(path)


def clear_folder(path: Path) -> None:
    """A folder is not replaced by a rename."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
