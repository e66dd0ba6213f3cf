# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a person does about each item of an upgrade, where on this node, and when. Pure.

A change that today's release takes as well comes before the upgrade, so that a restart can show that it works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from datadog_checks.kubelet_compliance.kubelet.cgroup_checks import FAIL_ON_V1, SINGLE_KILL, SWAP
from datadog_checks.kubelet_compliance.kubelet.decoding import DEFAULT_ORIGIN, Configuration
from datadog_checks.kubelet_compliance.kubelet.feature_gates import (
    GATE_PREFIX,
    LOCKED,
    gate_problems,
    history,
    is_locked_to,
    is_on,
)
from datadog_checks.kubelet_compliance.kubelet.release import Release
from datadog_checks.kubelet_compliance.kubelet.tables.flag_removals import CLOUD_PROVIDER, REMOVALS, Removal
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.kubelet.validation import problems
from datadog_checks.kubelet_compliance.model import (
    Home,
    Origin,
    Source,
    Unknown,
    UpgradeItem,
    UpgradeSubject,
    Value,
    lasting_text,
    was_flag,
)

from .field_facts import flag_that_sets
from .fixes import NEW_FILE
from .wording import shorten

MOST_FLAGS = 3
HIDDEN_METRICS = 'showHiddenMetricsForVersion'
CGROUP_V2 = 'move the node to cgroup v2'


@dataclass(frozen=True, slots=True)
class Now:
    """What a kubelet is before the upgrade.

    `today`, `target`: minor releases; None if it is not known. `gates`: those that it sets. `value`: gives the value of
    a field or a flag such as `--x`; None: not set.
    """

    today: int | None
    target: int
    gates: Mapping[str, Value]
    value: Callable[[str], Value]

    def takes_gate(self, gate: str, state: bool, minor: int | None) -> bool:
        """Whether a release accepts a gate with that state, next to the others as they are."""
        if minor is None:
            return False
        today = set(gate_problems({'featureGates': self.gates}, Release(minor)))
        return set(gate_problems({'featureGates': {**self.gates, gate: state}}, Release(minor))) <= today

    def takes_values(self, path: str, values: Sequence[str]) -> bool:
        """Whether today's release accepts each of these values of a field."""
        if self.today is None:
            return False
        for value in values:
            config = Configuration()
            config.set('featureGates', dict(self.gates), DEFAULT_ORIGIN)
            config.set(path, value, DEFAULT_ORIGIN)
            if any(problem.field == path for problem in problems(config.values, Release(self.today))):
                return False
        return True


def with_remedy(item: UpgradeItem, home: Home, now: Now) -> UpgradeItem:
    """The item with what to do about it."""
    match item.subject:
        case UpgradeSubject.FLAG:
            text = remedy_of_flag(item, home, now)
        case UpgradeSubject.GATE:
            text = remedy_of_gate(item, home, now)
        case UpgradeSubject.FILE:
            text = f'Before the upgrade, correct {shorten(item.what)}{applied(home)}{lasting(home)}'
        case _:
            text = remedy_of_field(item, home, now)
    return replace(item, remedy=text)


def remedy_of_flag(item: UpgradeItem, home: Home, now: Now) -> str:
    name = item.what.lstrip('-')
    place, flag = place_of_flag(item.origin, home), FLAGS.get(name)
    if name == 'cloud-provider':
        return f'{CLOUD_PROVIDER} ({place}){lasting(home)}'
    if flag is not None and flag.is_upstream and flag.is_in(Release(now.target)):
        return f'Before the upgrade, correct {item.what} in {place}{applied(home)}{lasting(home)}'
    if flag is None:
        return f'Remove {item.what} from {place}{lasting(home)}'
    row = REMOVALS.get(name, Removal())
    has_no_effect = row.idle_with is not None and now.value(f'--{row.idle_with[0] or name}') == row.idle_with[1]
    is_idle = has_no_effect or row.idle_since is not None and now.today is not None and now.today >= row.idle_since
    besides = f'; {row.instead}' if row.instead and not has_no_effect else ''
    if is_idle:
        return f'Before the upgrade, remove {item.what} from {place}{applied(home)}{besides}{lasting(home)}'
    return f'With the upgrade, remove {item.what} from {place}{besides}{lasting(home)}'


def remedy_of_gate(item: UpgradeItem, home: Home, now: Now) -> str:
    gate = item.what.removeprefix(GATE_PREFIX)
    where = place_of_gate(item.origin, home)
    if item.other_gate:
        return remedy_of_pair(gate, item.other_gate, where, home, now)
    others = {name: state for name, state in now.gates.items() if name != gate}
    without = is_on({'featureGates': others}, gate, Release(now.today)) if now.today is not None else None
    if without is not None and without is now.gates.get(gate):
        return f'Before the upgrade, remove {gate} from {where} (its default is the same){applied(home)}{lasting(home)}'
    state = final_state(gate)
    besides = '' if state in (None, now.gates.get(gate)) else f'; the feature is then always {"on" if state else "off"}'
    return f'With the upgrade, remove {gate} from {where}{besides}{lasting(home)}'


def remedy_of_pair(gate: str, needed: str, where: str, home: Home, now: Now) -> str:
    """What to do about a gate that is on while the one that it needs is off."""
    if now.gates.get(needed) is False and is_locked_to(needed, True, Release(now.target)):
        return f'Change {needed} as described for it, which resolves this as well'
    changes = [each for each in ((gate, False), (needed, True)) if now.takes_gate(*each, now.target)]
    changes = changes or [(needed, True)]
    early = [each for each in changes if now.takes_gate(*each, now.today)]
    late = [each for each in changes if each not in early]

    def spelled(which: Sequence[tuple[str, bool]]) -> str:
        return 'set ' + ', or '.join(f'{name} to {str(state).lower()}' for name, state in which)

    parts = [f'Before the upgrade, {spelled(early)}'] if early else []
    parts += [f'{"with it" if early else "With the upgrade"}, {spelled(late)}'] if late else []
    comma = ',' if len(changes) > 1 else ''
    return f'{", or ".join(parts)}{comma} in {where}{lasting(home)}'


def final_state(gate: str) -> bool | None:
    """Whether a feature is on once its gate is locked or removed. None if the tables do not show it."""
    return next((LOCKED[letter] for _, letter in history(gate) if letter in LOCKED), None)


def remedy_of_field(item: UpgradeItem, home: Home, now: Now) -> str:
    name = item.what
    if name == FAIL_ON_V1:
        return f'{CGROUP_V2}, or as long as Kubernetes supports cgroup v1, {set_to_false(item, home)}{lasting(home)}'
    if name == SINGLE_KILL or name == SWAP and 'cgroup v1' in item.why:
        return f'{CGROUP_V2}, or remove {name} from {place_of_field(item, home)}{lasting(home)}'
    if item.origin is None or item.origin.source is Source.DEFAULT:
        return f'Before the upgrade, set {name} to a value that Kubernetes accepts{lasting(home)}'
    place = f'{place_of_field(item, home)}{applied(home)}{lasting(home)}'
    if name == HIDDEN_METRICS:
        # Each release accepts another value, so none goes with both.
        return f'Before the upgrade, remove {name} from {place}'
    _, is_choice, offered = item.why.partition('must be one of ')
    is_accepted_today = not is_choice or now.takes_values(name, offered.split(', '))
    if is_accepted_today:
        return f'Before the upgrade, correct {name} in {place}'
    return f'With the upgrade, correct {name} in {place_of_field(item, home)}{lasting(home)}'


def set_to_false(item: UpgradeItem, home: Home) -> str:
    flag = flag_that_sets(item.what)
    if flag is not None and was_flag(item.origin):
        return f'set {flag}=false in {place_of_flag(item.origin, home)}'
    return f'set {item.what}: false in {place_of_field(item, home)}'


def place_of_flag(origin: Origin | None, home: Home) -> str:
    if origin is None or home.is_rewritten or not origin.where:
        return home.flags
    return shorten(origin.where)


def place_of_gate(origin: Origin | None, home: Home) -> str:
    if was_flag(origin):
        return f'--feature-gates in {place_of_flag(origin, home)}'
    return f'featureGates in {place_in_file(origin, home)}'


def place_of_field(item: UpgradeItem, home: Home) -> str:
    if was_flag(item.origin):
        return place_of_flag(item.origin, home)
    return place_in_file(item.origin, home)


def place_in_file(origin: Origin | None, home: Home) -> str:
    own = origin.place if origin is not None and origin.source in (Source.CONFIG_FILE, Source.DROP_IN) else ''
    if home.is_rewritten and home.file:
        return home.file
    return shorten(own) if own else home.file or home.unread or NEW_FILE


def applied(home: Home) -> str:
    return f', then {home.apply}'


def lasting(home: Home) -> str:
    return lasting_text(home.lasting)


def may_be_own(item: UpgradeItem, home: Home) -> bool:
    """Whether the distribution itself may pass a refused flag, so that its next release may drop it."""
    is_flag = item.subject is UpgradeSubject.FLAG and FLAGS.get(item.what.lstrip('-')) is not None
    is_placed = item.origin is not None and item.origin.where and not home.is_rewritten
    return home.passes_own_flags and is_flag and not is_placed


def own_flags(items: Sequence[UpgradeItem], home: Home) -> Unknown:
    """Why the result is not known if only such flags are refused."""
    names = ', '.join(item.what for item in items[:MOST_FLAGS])
    reason = f'the distribution may pass {names} itself, and drop it with its own release'
    return Unknown(reason, f'check that {home.flags} does not set it, and read the release notes of the distribution')
