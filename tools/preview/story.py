# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A week of 200 nodes with a bad roll-out in it: what the preview shows. The same at every run."""

from __future__ import annotations

import random
from dataclasses import replace

from .fleet import GOOD, Node, State

STEP = 1800
STEPS = 7 * 24 * 2
SEED = 427
EXEMPTED = State(drop_in=('protectKernelDefaults: false',), exempted=('protect_kernel_defaults',))
OFF, ON = 'makeIPTablesUtilChains: false', 'makeIPTablesUtilChains: true'

# Cluster, node pool, how many nodes.
POOLS = (
    ('prod-eu', 'system', 12),
    ('prod-eu', 'general', 88),
    ('prod-eu', 'batch', 40),
    ('prod-us', 'system', 12),
    ('prod-us', 'general', 48),
)

OLD_IMAGE_UNTIL = 30
ROLL_OUT, ROLL_BACK = 58, 66
BLIND_FROM, BLIND_UNTIL = 116, 127
KUBELET_STOPS = 158
TARGET, LOCKED_GATE = '1.34', 'featureGates: {NodeSwap: false}'
"""The release that the fleet is about to move to, and what stops the kubelet of that release."""
FIRST_WITH_GATE, FIRST_FIXED, GATE_REMOVED = 38, 43, 40


def hours(count: float) -> int:
    return int(count * 3600 / STEP)


def simulated_nodes() -> tuple[Node, ...]:
    """The nodes, each with its states."""
    chance = random.Random(SEED)
    nodes = []
    for cluster, pool, count in POOLS:
        for number in range(count):
            name = f'{cluster}-{pool}-{number + 1:02d}'
            nodes.append(Node(name, cluster, pool, tuple(sorted(states(cluster, pool, number, chance).items()))))
    return tuple(nodes)


def states(cluster: str, pool: str, number: int, chance: random.Random) -> dict[int, State | None]:
    usual = EXEMPTED if pool == 'batch' else GOOD
    timeline: dict[int, State | None] = {0: usual}
    if (cluster, pool) == ('prod-us', 'general'):
        old_image(timeline, number, chance)
        if number in (7, 23, 31):  # Someone tried something by hand, and left it.
            timeline[hours(97 + number)] = with_drop_in(usual, OFF)
    elif cluster == 'prod-eu' and pool != 'system':
        if chance.random() < 0.72:
            bad_roll_out(timeline, usual, chance)
    elif cluster == 'prod-us':
        agent_without_its_mount(timeline, usual, number, chance)
    if (cluster, pool) == ('prod-us', 'general') and number >= FIRST_WITH_GATE:
        timeline[0] = with_drop_in(usual, LOCKED_GATE)
        if number >= FIRST_FIXED:
            timeline[hours(GATE_REMOVED + number)] = usual
    if (cluster, pool, number) == ('prod-eu', 'system', 4):
        timeline[hours(KUBELET_STOPS)] = State(kubelet=False)
    return {step: None if state is None else replace(state, target=TARGET) for step, state in timeline.items()}


def with_drop_in(state: State, line: str, *, is_new: bool = False) -> State:
    """`is_new`: the kubelet was not restarted since."""
    return replace(state, drop_in=(*state.drop_in, line), changed_since_start=is_new)


def old_image(timeline: dict[int, State | None], number: int, chance: random.Random) -> None:
    """An old image opens the read-only port; the nodes are replaced one by one."""
    if number < 14:
        timeline[0] = State(drop_in=('readOnlyPort: 10255',))
        timeline[hours(8 + chance.random() * (OLD_IMAGE_UNTIL - 8))] = GOOD


def bad_roll_out(timeline: dict[int, State | None], usual: State, chance: random.Random) -> None:
    """A drop-in turns the iptables chains off; it is taken back, but not every kubelet is restarted then."""
    broken = hours(ROLL_OUT + chance.random() * 5)
    timeline[broken] = with_drop_in(usual, OFF, is_new=True)
    timeline[broken + 1 + chance.randrange(3)] = with_drop_in(usual, OFF)
    luck = chance.random()
    if luck < 0.07:  # Forgotten by the roll-back.
        return
    fixed = hours(ROLL_BACK + 2 + chance.random() * 9)
    timeline[fixed] = with_drop_in(usual, ON, is_new=True)
    if luck < 0.09:  # Fixed, but never restarted.
        return
    late = luck < 0.35
    timeline[fixed + (hours(10 + chance.random() * 30) if late else 1 + chance.randrange(2))] = with_drop_in(usual, ON)


def agent_without_its_mount(
    timeline: dict[int, State | None], usual: State, number: int, chance: random.Random
) -> None:
    """A new Agent comes without the mount of the node's files; on one node it stays so."""
    timeline[hours(BLIND_FROM + chance.random() * 2)] = replace(usual, readable=False)
    if number != 3:
        timeline[hours(BLIND_UNTIL + chance.random() * 3)] = usual
