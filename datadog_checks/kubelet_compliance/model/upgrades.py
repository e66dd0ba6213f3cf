# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What an upgrade of the kubelet would do to a node: what it affects in today's configuration, and the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from .evidence import Origin, Source, Unknown, Value


class Outcome(Enum):
    """Whether the kubelet of another release would start. `badness` orders them from best to worst."""

    STARTS = 'starts'
    STARTS_WITH_LOSSES = 'starts_with_losses'
    """It would start, but ignore a part of the configuration, or break a rule that holds today."""
    UNKNOWN = 'unknown'
    BLOCKED = 'blocked'
    """It would not start."""

    @property
    def badness(self) -> int:
        return list(Outcome).index(self)


class UpgradeSubject(Enum):
    """What an item of an upgrade is about. The member's value is its name in JSON."""

    FLAG = 'flag'
    GATE = 'feature_gate'
    FIELD = 'field'
    FILE = 'file'
    RULE = 'rule'


@dataclass(frozen=True, slots=True)
class Target:
    """The release that someone asks about: 37 is Kubernetes 1.37.

    `cgroup_version`: that of the machine, 1 or 2, if the evidence does not show it.
    """

    minor: int
    cgroup_version: int | None = None

    def __str__(self) -> str:
        return f'1.{self.minor}'


@dataclass(frozen=True, slots=True)
class UpgradeItem:
    """One flag, gate, field, file, or rule that an upgrade affects.

    `what`: its name (`--cloud-config`, `featureGates.X`, `failCgroupV1`). `why`: what the target release does with it.
    `remedy`: what to do, as text for a person.
    """

    subject: UpgradeSubject
    what: str
    why: str
    origin: Origin | None = None
    remedy: str = ''
    before: Value = None
    after: Value = None
    other_gate: str = ''
    """The feature gate that a gate is refused for, if another one causes that."""
    is_worse: bool = False
    """A rule holds today and would be broken."""

    @property
    def place(self) -> str:
        """Where it is set: a file and line, a flag without its value, or both."""
        if self.origin is None or self.origin.source is not Source.FLAG:
            return self.origin.place if self.origin is not None else ''
        flag = self.origin.place.partition(' ')[0].partition('=')[0]
        return ' in '.join(part for part in (flag, self.origin.where) if part and part != self.what)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What the kubelet of release `target` would make of a kubelet's configuration. Releases are texts such as 1.37.

    `today`: the release of the kubelet, '' if it is not known. `blockers`: what it would refuse. `ignored`: what it
    would ignore, although today's release does not. `changes`: what it would take differently. `to_verify`: what does
    not decide the result. `unknown`: why the result is not known, if there are no blockers.
    """

    target: str
    today: str = ''
    blockers: tuple[UpgradeItem, ...] = ()
    ignored: tuple[UpgradeItem, ...] = ()
    changes: tuple[UpgradeItem, ...] = ()
    to_verify: tuple[UpgradeItem, ...] = ()
    unknown: Unknown | None = None
    notes: tuple[str, ...] = field(default=())
    """What to know about the answer, such as a target that is not newer than the kubelet."""

    @property
    def outcome(self) -> Outcome:
        if self.blockers:
            return Outcome.BLOCKED
        if self.unknown is not None:
            return Outcome.UNKNOWN
        is_worse = any(change.is_worse for change in self.changes)
        return Outcome.STARTS_WITH_LOSSES if self.ignored or is_worse else Outcome.STARTS
