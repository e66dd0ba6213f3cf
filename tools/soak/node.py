# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A node whose kubelet is a real stand-in process that is started, told otherwise and killed."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path

from tests.standin import Standin, Standins

from .files import Files, Kind

WRONG_FLAGS = ('--make-iptables-util-chains=maybe', '--no-such-flag', 'an-argument')
FLAGS = {None: ('',), True: ('', '=true', '=1'), False: ('=false', '=0', '=F')}


@dataclass(frozen=True)
class Told:
    """The command line. `value`: what its flag says of the setting."""

    value: bool | None
    config: bool
    drop_ins: bool
    refused: bool
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Running:
    """The kubelet as it was started. `value`: what it runs with; None: a real one would have refused to start."""

    standin: Standin
    number: int
    told: Told
    value: bool | None
    started_at: float


class Node(Files):
    """`view` is a `/proc` that shows nothing but its kubelet and process 1."""

    def __init__(self, folder: Path, standins: Standins, chance: random.Random, port: int) -> None:
        """`port`: the open socket that its kubelet holds."""
        super().__init__(folder, chance)
        self.standins = standins
        self.port = port
        self.view = folder / 'view'
        self.view.mkdir()
        (self.view / '1').symlink_to('/proc/1')
        self.kubelet: Running | None = None
        self.zombie: Standin | None = None
        self.number = 0
        self.quiet = 0
        """So many times it is spared: some live only for a moment, others long enough to be past the grain."""
        self.told = self.tell()

    def declared(self, told: Told) -> tuple[bool | None, bool]:
        """What a kubelet would start with now, and whether by a flag; None: it would not, or that cannot be told."""
        if told.refused:
            return None, False
        value = True
        for entry in self.layers(config=told.config, drop_ins=told.drop_ins):
            if entry.kind is Kind.REFUSED:
                return None, False
            if entry.kind is Kind.UNREADABLE:
                return told.value, told.value is not None
            value = value if entry.value is None else entry.value
        return (value, False) if told.value is None else (told.value, True)

    def start(self) -> str:
        if self.kubelet is not None:
            return self.restart()
        self.bury()
        started = self.standins.launch(('/usr/bin/kubelet', *self.told.arguments), handles=(self.port,))
        self.number += 1
        self.kubelet = Running(started, self.number, self.told, self.declared(self.told)[0], start_of(started.pid))
        self.changes.clear()
        self.quiet = 0 if self.told.refused else self.chance.choice((0, 0, 2, 8))
        (self.view / str(started.pid)).symlink_to(f'/proc/{started.pid}')
        return f'start {started.pid} {" ".join(self.told.arguments)}: {self.kubelet.value}'

    def kill(self) -> str:
        """It stays a zombie for a while, or is taken away at once."""
        if self.kubelet is None:
            return 'no kubelet to kill'
        self.kubelet.standin.kill(reap=False)
        self.zombie, self.kubelet = self.kubelet.standin, None
        if self.chance.random() < 0.7:
            self.bury()
        return 'kill'

    def bury(self) -> None:
        if self.zombie is None:
            return
        self.zombie.launcher.wait()
        self.standins.launched.remove(self.zombie.launcher)
        (self.view / str(self.zombie.pid)).unlink()
        self.zombie = None

    def restart(self) -> str:
        self.kill()
        return self.start()

    def restart_with_other_flags(self) -> str:
        self.told = self.tell()
        return self.restart()

    def tell(self) -> Told:
        """Another command line."""
        value = self.chance.choice((None, None, True, False))
        told = Told(value, self.chance.random() < 0.9, self.chance.random() < 0.7, self.chance.random() < 0.04, ())
        arguments = [f'--kubeconfig={self.kubeconfig}']
        arguments += [f'--config={self.config}'] if told.config else []
        arguments += [f'--config-dir={self.drop_ins}'] if told.drop_ins else []
        if value is not None:
            arguments.append(f'--make-iptables-util-chains{self.chance.choice(FLAGS[value])}')
        arguments += [self.chance.choice(WRONG_FLAGS)] if told.refused else []
        return replace(told, arguments=tuple(arguments))

    def step(self) -> str:
        """Something happens. Returns what."""
        if self.kubelet is None and self.chance.random() < 0.3:
            return self.start()
        if self.kubelet is None or self.chance.random() < 0.85:
            return self.change_files()
        if self.quiet:
            self.quiet -= 1
            return self.change_files()
        return self.chance.choices((Node.kill, Node.restart, Node.restart_with_other_flags), (1, 1, 2))[0](self)


def start_of(pid: int) -> float:
    """When a process started, in seconds since the epoch."""
    ticks = int(Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19])
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf('SC_CLK_TCK')
