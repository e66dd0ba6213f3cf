# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Steps and collections at random, from one seed, until a number of steps or a time has passed."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.support.clocks import SETTLED_SECONDS
from tests.support.kubelet_server import Certificates, serve
from tests.support.standin import Standins

from .node import Node
from .referee import PATHS, AnotherKubelet, Disagreement, LongLived, Referee, Server

CALM_AFTER, STORM_AFTER, HANG_AFTER = 120, 100, 150
STORM_STEPS = 300
LINES_KEPT = 40
AT_ONCE = (0, 1, 1, 1, 2, 4)
Step: TypeAlias = Callable[[Node], str]
AROUND_A_CALM: tuple[tuple[Step, Step], ...] = (
    (Node.write, Node.flip),
    (Node.write, Node.flip),
    (Node.drop_in, Node.flip_drop_in),
    (Node.write, Node.write),
    (Node.spoil, Node.write),
    (Node.drop_in, Node.remove_drop_in),
    (Node.clear_drop_ins, Node.drop_in),
    (Node.touch, Node.change_mode),
    (Node.restart, Node.change_mode),
    (Node.restart, Node.touch),
    (Node.restart, Node.write),
    (Node.touch, Node.restart),
    (Node.touch, Node.restart_with_other_flags),
    (Node.touch, Node.kill),
)
"""What happens before it, and what after it."""
STATUSES = (*((200, 200),) * 5, (403, 403), (401, 401), (0, 0), (200, 403), (403, 200), (404, 200), (200, 404))


class SoakError(Exception):
    """A disagreement, with all that is needed to repeat it."""


@dataclass
class Soak:
    """One node and the checks that watch it. `lines`: the last steps, in words."""

    seed: int
    node: Node
    referee: Referee
    checks: tuple[LongLived, ...]
    server: Server
    chance: random.Random
    steps: int = 0
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))

    @property
    def is_warm(self) -> bool:
        """Whether every check holds all that it is going to hold."""
        return all(checked.has_its_threads for checked in self.checks)

    def go(self, *, waits: bool = True) -> None:
        """Some steps, and then some collections. `waits`: now and then for seconds. Raises SoakError."""
        try:
            if waits:
                self.wait()
            self.happen(self.chance.choice(AT_ONCE))
            for checked in self.chance.sample(self.checks, self.chance.randint(1, len(self.checks))):
                self.collect(checked)
        except Disagreement as error:
            raise SoakError(self.described(error)) from None

    def wait(self) -> None:
        if self.chance.randrange(CALM_AFTER) == 0:
            self.be_calm()
        if self.chance.randrange(STORM_AFTER) == 0:
            self.be_stormy()
        if self.chance.randrange(HANG_AFTER) == 0:
            self.hang()

    def happen(self, steps: int) -> None:
        for _ in range(steps):
            if self.chance.random() < 0.05:
                self.server.statuses = dict(zip(PATHS, self.chance.choice(STATUSES), strict=True))
                self.note(f'the port answers {self.server.statuses}')
            self.note(self.node.step())

    def collect(self, checked: LongLived) -> None:
        self.lines.append(f'        collection of {checked.name}')
        self.hold(checked, Referee.collect)

    def hold(self, checked: LongLived, how: Callable[[Referee, LongLived], None]) -> None:
        """One collection. Where another kubelet runs, the check of the real /proc is left out from then on."""
        try:
            how(self.referee, checked)
        except AnotherKubelet:
            self.checks = tuple(each for each in self.checks if each is not checked)
            checked.check.cancel()
            self.referee.counts[f'another kubelet runs, left out: {checked.name}'] += 1

    def be_calm(self, around: tuple[Step, Step] | None = None) -> None:
        """Nothing happens until all stamps are old; then one thing does, and each check must see it at once."""
        before, after = around or self.chance.choice(AROUND_A_CALM)
        if self.node.kubelet is None:
            self.note(self.node.start())
        self.note(f'before a calm: {before(self.node)}')
        for checked in self.checks:
            self.collect(checked)
        until = time.monotonic() + SETTLED_SECONDS
        while time.monotonic() < until:
            for checked in self.checks:
                self.hold(checked, Referee.collect_the_same)
        self.note(f'after it: {after(self.node)}')
        for checked in self.checks:
            self.collect(checked)

    def hang(self) -> None:
        """A kubelet that takes questions and answers none. The next one does: what is asked again when is not known."""
        self.note(f'the port hangs: {self.node.restart()}')
        for checked in self.checks:
            if checked.server is not None:
                self.referee.collect_while_it_hangs(checked, checked.server)
        self.note(self.node.restart())

    def be_stormy(self, steps: int = STORM_STEPS) -> None:
        """Files change while the checks read them. What they saw is not known then, but a lie it may not be."""
        self.note(f'storm: {self.node.restart()}')
        for checked in self.checks:
            self.collect(checked)
        with ThreadPoolExecutor(1) as other:
            storm = other.submit(self.blow, steps)
            while not storm.done():
                for checked in self.checks:
                    self.referee.collect_in_a_storm(checked)
            storm.result()
        self.note(self.node.restart())
        for checked in self.checks:
            self.collect(checked)

    def blow(self, steps: int) -> None:
        for _ in range(steps):
            self.note(self.node.change_files())

    def note(self, what: str) -> None:
        self.steps += 1
        self.lines.append(f'{self.steps:7} {what}')

    def described(self, error: Disagreement) -> str:
        kubelet = self.node.kubelet
        now = time.time()
        runs = 'no kubelet runs' if kubelet is None else (
            f'the kubelet runs for {now - kubelet.started_at:.3f} s, started with {kubelet.values}; contents changed '
            f'{", ".join(f"{at - kubelet.started_at:.3f}" for at in self.node.changes)} s after its start'
        )  # fmt: skip
        return '\n'.join([f'seed {self.seed}, step {self.steps}: {error}', runs, *self.lines])


@contextmanager
def soaking(
    seed: int, folder: Path, standins: Standins, certificates: Certificates, ignored: frozenset[str] = frozenset()
) -> Iterator[Soak]:
    """A node with its kubelet's port, and three long-lived checks: one that also asks, and one of the real /proc."""
    chance = random.Random(seed)
    with serve(certificates) as api:
        node = Node(folder / 'node', standins, chance, certificates, api.handle)
        server = Server(api, dict.fromkeys(PATHS, 200))
        view = {'procfs_path': str(node.view)}
        asking = {**view, 'kubelet_url': api.url, 'tls_ca_cert': str(certificates.ca), 'timeout': 10}
        checks = (
            LongLived('view', {**view, 'use_configz': False}),
            LongLived('proc', {'use_configz': False}),
            LongLived('asking', asking, server),
        )
        soak = Soak(seed, node, Referee(node, ignored), checks, server, chance)
        soak.note(node.start())
        yield soak
