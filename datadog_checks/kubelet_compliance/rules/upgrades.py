# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The upgrade of one kubelet in whole: what the other release refuses and changes, the rules, and what to do. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.feature_gates import FIRST_KNOWN, LAST_KNOWN
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.kubelet.upgrade import upgrade_of
from datadog_checks.kubelet_compliance.model import (
    NOT_ASKED,
    Benchmark,
    Declared,
    Home,
    KubeletReport,
    Rule,
    Selection,
    Target,
    Unknown,
    Upgrade,
    UpgradeItem,
    UpgradeSubject,
    Value,
)

from .in_effect import iter_in_effect
from .judge import holds
from .resolve import resolve
from .upgrade_fixes import Now, may_be_own, own_flags, with_remedy
from .wording import UNSET_TEXT, describe, show

VERSION = re.compile(r'v?1\.([0-9]{1,3})(\.[0-9]+)?([-+][0-9A-Za-z.+-]+)?')
MOST_LETTERS = 40
MEANINGS: Mapping[str, str] = {
    'failCgroupV1': 'It matters only on a node with cgroup v1',
    'imagePullCredentialsVerificationPolicy': (
        'A pod can use an image that another pod pulled only if it has credentials for it'
    ),
    'memoryThrottlingFactor': 'It matters only while the feature gate MemoryQoS is on',
}
"""What the new values of some fields mean for a node."""
OPTION_NAME = 'target_version'
NOT_EXAMINED = Unknown('a kubelet of the node can no longer be examined')


def judged_upgrade(kubelet: Kubelet, target: Target, selection: Selection, home: Home) -> Upgrade:
    """What the kubelet of the target release would make of a kubelet's next start, with the rules that it affects.

    Raises nothing.
    """
    upgrade, declared = upgrade_of(kubelet, target)
    now = Now(minor_today(upgrade), target.minor, gates_set(declared, kubelet.following), kubelet.value)

    def remedied(items: Sequence[UpgradeItem]) -> tuple[UpgradeItem, ...]:
        return tuple(with_remedy(item, home, now) for item in items)

    own = tuple(item for item in upgrade.blockers if may_be_own(item, home))
    blockers = remedied([item for item in upgrade.blockers if item not in own])
    rules = iter_rule_changes(kubelet.following, declared, selection) if declared is not None else ()
    return replace(
        upgrade,
        blockers=blockers,
        ignored=remedied(upgrade.ignored),
        changes=(*rules, *(described(change) for change in upgrade.changes)),
        to_verify=(*own, *upgrade.to_verify),
        unknown=upgrade.unknown or (own_flags(own, home) if own else None),
    )


class TargetError(ValueError):
    """The release to judge is not one that this check knows. The text says which it knows."""


def parse_target(
    version: str | float | None, cgroup_version: int | None = None, *, option: str = OPTION_NAME
) -> Target | None:
    """The release that an option names; None: not set. Raises TargetError.

    YAML reads 1.30 without quotes as the number 1.3. `cgroup_version`: see `Target`.
    """
    if version is None:
        return None
    match = VERSION.fullmatch(str(version).strip())
    minor = int(match[1]) if match is not None else 0
    if not FIRST_KNOWN <= minor <= LAST_KNOWN:
        given = str(version)[:MOST_LETTERS]
        quotes = f'; write the version in quotes, such as "1.{LAST_KNOWN}"' if isinstance(version, float) else ''
        raise TargetError(f'{option} {given}: this check knows Kubernetes 1.{FIRST_KNOWN} to 1.{LAST_KNOWN}{quotes}')
    return Target(minor, cgroup_version)


def worst_upgrade(reports: Sequence[KubeletReport], target: Target | None) -> Upgrade | None:
    """The upgrade of a node: the worst of its kubelets. One that could not be examined is not known."""
    if target is None or not reports:
        return None
    found = [report.upgrade or Upgrade(str(target), unknown=NOT_EXAMINED) for report in reports]
    return max(found, key=lambda upgrade: upgrade.outcome.badness)


def minor_today(upgrade: Upgrade) -> int | None:
    return int(upgrade.today.partition('.')[2]) if upgrade.today else None


def gates_set(declared: Declared | None, readings: Sequence[Declared]) -> Mapping[str, Value]:
    """The feature gates that the configuration sets, as far as they are known."""
    for each in (declared, *readings):
        given = each.value('featureGates') if each is not None else None
        if isinstance(given, Mapping):
            return given
    return {}


def described(change: UpgradeItem) -> UpgradeItem:
    note = f'. {MEANINGS[change.what]}' if change.what in MEANINGS else ''
    return replace(change, why=f'{what_changes(change)}, because {change.why}{note}')


def what_changes(change: UpgradeItem) -> str:
    before, after = show(change.before), show(change.after)
    if UNSET_TEXT in (before, after):
        return f'{before} before the upgrade, {after} after it'
    return f'changes from {before} to {after}'


def iter_rule_changes(today: Sequence[Declared], then: Declared, selection: Selection) -> Iterator[UpgradeItem]:
    """The rules on settings whose result would change. Those that get worse come first."""
    found = [
        rule_change(rule, today, then, selection.benchmark_of(rule)) for rule in selection.rules if rule.aspect is None
    ]
    yield from sorted((item for item in found if item is not None), key=lambda item: not item.is_worse)


def rule_change(rule: Rule, today: Sequence[Declared], then: Declared, benchmark: Benchmark) -> UpgradeItem | None:
    """How the result of a rule would change. A rule that may hold today and would be broken gets worse."""
    now = {is_kept(rule, each, benchmark) for declared in today for each in each_in_effect(rule, declared)}
    (then,) = each_in_effect(rule, then)
    setting = resolve(then, rule.fields)
    kept = is_kept(rule, then, benchmark)
    if kept is None or now == {kept} or isinstance(setting.declared, Unknown):
        return None
    if kept and now != {False}:
        return None
    before = 'non-compliant' if kept else 'compliant' if now == {True} else 'unknown'
    after = 'compliant' if kept else 'non-compliant'
    why = f'changes from {before} to {after}: {describe(setting.declared)}'
    return UpgradeItem(UpgradeSubject.RULE, rule.key, why, setting.origin, is_worse=not kept)


def each_in_effect(rule: Rule, declared: Declared) -> list[Declared]:
    """The configuration once for each result that its possible releases may give. One release gives one."""
    return [each for each, _ in iter_in_effect(rule, declared, NOT_ASKED)]


def is_kept(rule: Rule, declared: Declared, benchmark: Benchmark) -> bool | None:
    """Whether the declared values keep a rule. None if they are not known."""
    values = resolve(declared, rule.fields).declared
    return None if isinstance(values, Unknown) else holds(rule, values, benchmark)
