# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A node with a real stand-in process as its kubelet. The soak test starts, reconfigures, and kills it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.kubelet_server import Certificates
from tests.support.standin import Standin, Standins

from .files import Files, Kind
from .settings import CLIENT_CA, KEY, MINORS, Values, configz, effective, pair_in, shown

WRONG_FLAGS = ('--make-iptables-util-chains=maybe', '--no-such-flag', 'an-argument')
FLAGS = {True: ('', '=true', '=1'), False: ('=false', '=0', '=F')}
YOUNG_SECONDS = 45.0
"""After a minute, a kubelet has accepted its configuration. That would require another oracle."""


@dataclass(frozen=True)
class CommandLine:
    """A command line. `flags` are the settings that it decides."""

    flags: Values
    config: bool
    drop_ins: bool
    refused: bool
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Running:
    """The kubelet as it started. `values` is what it runs with, or None if a real kubelet would refuse to start."""

    standin: Standin
    number: int
    command: CommandLine
    minor: int
    values: Mapping[str, Any] | None
    started_at: float


class Node(Files):
    """A node. `view` is a `/proc` that shows only its kubelet and process 1."""

    def __init__(
        self, folder: Path, standins: Standins, chance: random.Random, certificates: Certificates, port: int
    ) -> None:
        """`port` is the open socket that the kubelet holds."""
        super().__init__(folder, chance, certificates)
        self.standins = standins
        self.port = port
        self.view = folder / 'view'
        self.view.mkdir()
        (self.view / '1').symlink_to('/proc/1')
        self.kubelet: Running | None = None
        self.zombie: Standin | None = None
        self.number = 0
        self.quiet = 0
        """The number of steps that spare the kubelet, so that some kubelets run for longer than the clock grain."""
        self.command = self.choose_command_line()

    def broken(self, command: CommandLine) -> Kind | None:
        """Return why a kubelet would not start now, or why the check would not read a file. None if neither applies."""
        if command.refused:
            return Kind.REFUSED
        kinds = (entry.kind for entry in self.layers(config=command.config, drop_ins=command.drop_ins))
        return next((kind for kind in kinds if kind is not Kind.TEXT), None)

    def values(self, command: CommandLine, minor: int) -> dict[str, Any]:
        """Return what a kubelet of a release would run with if it started now. Requires that nothing is broken."""
        said = [entry.values for entry in self.layers(config=command.config, drop_ins=command.drop_ins)]
        main = said.pop(0) if command.config else None
        return effective(main, said, command.flags, minor)

    def declared_alike(self, kubelet: Running) -> bool:
        """Return whether a restart would change nothing."""
        return self.broken(kubelet.command) is None and self.values(kubelet.command, kubelet.minor) == kubelet.values

    def shown(self, values: Values) -> Values:
        """Return the values as /configz shows them."""
        return shown(values, self.own_pair)

    def is_own_pair(self, values: Values) -> bool:
        """Return whether /configz shows the pair that the kubelet created, or one configured at the same path."""
        return self.shown(values) == {**values, **pair_in(self.own_pair)}

    def configz(self) -> bytes:
        """Return the response of the kubelet. Empty if a real kubelet would have refused to start."""
        kubelet = self.kubelet
        if kubelet is None or kubelet.values is None:
            return b''
        return configz(kubelet.values, self.own_pair, kubelet.minor)

    def start(self) -> str:
        if self.kubelet is not None:
            return self.restart()
        self.bury()
        started = self.standins.launch(('/usr/bin/kubelet', *self.command.arguments), handles=(self.port,))
        self.number += 1
        minor = self.chance.choice(MINORS)
        values = self.values(self.command, minor) if self.broken(self.command) is None else None
        self.kubelet = Running(started, self.number, self.command, minor, values, start_of(started.pid))
        self.changes.clear()
        self.quiet = 0 if self.command.refused else self.chance.choice((0, 0, 2, 8))
        (self.view / str(started.pid)).symlink_to(f'/proc/{started.pid}')
        return f'start {started.pid} 1.{minor} {" ".join(self.command.arguments)}'

    def kill(self) -> str:
        """Kill the kubelet. It stays a zombie for a while, or is reaped at once."""
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
        self.command = self.choose_command_line()
        return self.restart()

    def choose_command_line(self) -> CommandLine:
        """Choose another command line."""
        config, drop_ins = self.chance.random() < 0.9, self.chance.random() < 0.7
        refused = self.chance.random() < 0.04
        flags: dict[str, Any] = {}
        arguments = [f'--kubeconfig={self.kubeconfig}', f'--cert-dir={self.own_pair}']
        arguments += [f'--config={self.config}'] if config else []
        arguments += [f'--config-dir={self.drop_ins}'] if drop_ins else []
        if (value := self.chance.choice((None, None, True, False))) is not None:
            flags[KEY] = value
            arguments.append(f'--make-iptables-util-chains{self.chance.choice(FLAGS[value])}')
        if (port := self.chance.choice((None, None, None, 0, 10255))) is not None:
            flags['readOnlyPort'] = port
            arguments.append(f'--read-only-port={port}')
        if self.chance.random() < 0.2:
            flags[CLIENT_CA] = str(self.client_ca)
            arguments.append(f'--client-ca-file={self.client_ca}')
        arguments += [self.chance.choice(WRONG_FLAGS)] if refused else []
        return CommandLine(flags, config, drop_ins, refused, tuple(arguments))

    def step(self) -> str:
        """Make a random change. Return its description."""
        if self.kubelet is None and self.chance.random() < 0.3:
            return self.start()
        if self.kubelet is not None and time.time() - self.kubelet.started_at > YOUNG_SECONDS:
            return self.restart()
        if self.kubelet is None or self.chance.random() < 0.85:
            return self.change_files()
        if self.quiet:
            self.quiet -= 1
            return self.change_files()
        return self.chance.choices((Node.kill, Node.restart, Node.restart_with_other_flags), (1, 1, 2))[0](self)


def start_of(pid: int) -> float:
    """Return the start time of a process, in seconds since the epoch."""
    ticks = int(Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19])
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf('SC_CLK_TCK')
