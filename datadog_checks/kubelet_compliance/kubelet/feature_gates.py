# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Feature gates: which ones a kubelet's release knows, which are on, and which settings the kubelet refuses.

Follows component-base featuregate/feature_gate.go `unsafeSetFromMap`. An upstream kubelet refuses an unknown gate, and
a locked gate set to the other value. From 1.35 on, it also refuses a gate that is on without the gates that it needs.
The tables have the gates of 1.25 to 1.37, so only these releases can show that a gate is unknown. For later releases,
1.37 stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from functools import cache
from typing import Final

from .config_values import Config, Problem, at, needs_gate
from .release import Release
from .tables.gate_dependencies import FIRST_WITH_NEEDS, NEEDS
from .tables.gates import GATES
from .tables.removed_gates import GONE_GATES

FIRST_KNOWN: Final = 25
LAST_KNOWN: Final = 37
STAGE_GATES: Final = {'AllAlpha': 'aA', 'AllBeta': 'bB'}
LOCKED: Final = {'+': True, '-': False}
GONE: Final = 'x'
GATE_PREFIX: Final = 'featureGates.'
"""Begins the dotted path of each gate."""

STAGE = re.compile(r'([0-9]+)([aAbBsSx+-])')


@cache
def history(gate: str) -> tuple[tuple[int, str], ...]:
    """The stages of a gate, newest first: the release that introduced the stage, and its letter."""
    row = GATES.get(gate) or GONE_GATES.get(gate, '')
    return tuple((int(since), letter) for since, letter in reversed(STAGE.findall(row)))


def stage(gate: str, release: Release) -> str | None:
    """The letter of a gate in a release. None if the tables do not have it."""
    return next((letter for since, letter in history(gate) if release.at_least(since)), None)


def is_on(config: Config, gate: str, release: Release) -> bool | None:
    """Whether a gate is on: by itself, by AllAlpha or AllBeta, or by default. None if unknown."""
    own = at(config, f'featureGates.{gate}')
    if isinstance(own, bool):
        return own
    letter = stage(gate, release)
    if letter is None or letter == GONE:
        return None
    for group, letters in STAGE_GATES.items():
        state = at(config, f'featureGates.{group}')
        if isinstance(state, bool) and letter in letters:
            return state
    return LOCKED.get(letter, letter.isupper())


def gate_problems(config: Config, release: Release) -> Iterator[Problem]:
    """The feature gates in a configuration that a kubelet of that release refuses."""
    given = at(config, 'featureGates')
    states = {gate: state for gate, state in given.items() if isinstance(gate, str)} if isinstance(given, dict) else {}
    for gate, state in states.items():
        if gate in STAGE_GATES:
            continue
        if not is_known(gate, release):
            yield Problem(f'featureGates.{gate}', f'is not a known feature gate in Kubernetes {release}', True)
        elif isinstance(state, bool) and is_locked_to(gate, not state, release):
            yield Problem(f'featureGates.{gate}', f'is locked to {str(not state).lower()}')
    if not TIED.isdisjoint(states):
        yield from needs(config, states.keys(), release)


def is_known(gate: str, release: Release) -> bool:
    """Whether the kubelet knows a gate, or has a release whose gates are not in the tables."""
    stages = history(gate)
    if not stages:
        return not release.is_in(FIRST_KNOWN, LAST_KNOWN)
    (last, letter), (first, _) = stages[0], stages[-1]
    is_missing = first > FIRST_KNOWN and release.is_in(FIRST_KNOWN, first - 1)
    return not (is_missing or (letter == GONE and release.is_in(last, LAST_KNOWN)))


def is_locked_to(gate: str, state: bool, release: Release) -> bool:
    """Whether the gate is locked to that state. Depends on the release only if some release locks it."""
    if not any(LOCKED.get(letter) is state for _, letter in history(gate)):
        return False
    return LOCKED.get(stage(gate, release) or '') is state


TIED: Final = frozenset(gate for gate, needed, *_ in NEEDS for gate in (gate, needed)) | STAGE_GATES.keys()


def needs(config: Config, given: Set[str], release: Release) -> Iterator[Problem]:
    """Gates that are on while a gate that they need is off. Their defaults never cause that."""
    if release.before(FIRST_WITH_NEEDS):
        return
    is_any = not given.isdisjoint(STAGE_GATES)
    for gate, needed, since, until in NEEDS:
        if (is_any or gate in given or needed in given) and is_on(config, needed, release) is False:
            if is_on(config, gate, release) and release.is_in(since, until):
                yield needs_gate(f'featureGates.{gate}', needed, 'is on, but ')
