# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Would the kubelet of another release start on a node as it is, and what would it take differently? Pure.

The next start of the kubelet is read once as the target release reads it, and once as today's release does. What both
refuse is no matter of the upgrade if the kubelet is known to run with it: then the check is wrong, or the kubelet is a
vendor's build.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from datadog_checks.kubelet_compliance.model import (
    Declared,
    Evidence,
    Target,
    Unknown,
    Upgrade,
    UpgradeItem,
    UpgradeSubject,
    was_flag,
)

from .acceptance import ACCEPTED_AFTER_SECONDS, has_accepted_its_files, has_accepted_its_line
from .declare import with_place
from .decoding import Configuration
from .flags import Flags, iter_plain_flags
from .kubelets import Kubelet
from .layers import ParsedOnce, flag_origin
from .refusals import Refusal, WholeReading, read_as, value_refusals
from .release import Release, iter_alike
from .resolved_changes import changes_between, ignored_fields

JUST_STARTED = Unknown(
    'the kubelet has not run for a minute yet, so it has not shown that it accepts its configuration',
    'ask again in a minute',
)
FLAG_MAY_TAKE_A_VALUE = Unknown(
    'an unknown kubelet flag may take the next argument as its value, so the command line can be read in two ways',
    'write the value of that flag with =',
)
NOT_SURE = (
    'the kubelet runs with values that stop it during startup by the rules of this check, so others may not either'
)
CGROUPS_NOT_KNOWN = Unknown(
    'it is not known whether the node uses cgroup v1, on which this kubelet would not start',
    'run: stat -fc %T /sys/fs/cgroup (cgroup2fs means cgroup v2)',
)
SET_CGROUPS = 'set --cgroup-version to the cgroup version of its machines'


def upgrade_of(kubelet: Kubelet, target: Target) -> tuple[Upgrade, Declared | None]:
    """What the kubelet of the target release would make of a kubelet's next start, and its configuration then.

    The configuration is None if it is not known as a whole. Raises nothing.
    """
    kubelet, minor = with_cgroups(kubelet, target), target.minor
    evidence = kubelet.coming or kubelet.evidence
    parse = ParsedOnce()
    readings = read_as(evidence, Release(minor), parse)
    shared = shared_refusals(readings)
    today = minors_of(kubelet.following)
    taken = Taken.of(kubelet, shared, today)
    blockers = [refusal for refusal in shared if taken.is_blocker(refusal)]
    lenient = taken.ignores_gates
    ignored = [item_of(refusal) for refusal in blockers if lenient and refusal.is_only_upstream]
    blockers = [refusal for refusal in blockers if not (lenient and refusal.is_only_upstream)]
    unknown = why_unknown(kubelet, readings, shared, taken, minor)
    only = readings[0] if are_alike(readings) else None
    upgrade = Upgrade(
        str(target),
        f'1.{min(today)}' if len(today) == 1 else '',
        tuple(map(item_of, blockers)),
        (*ignored, *(ignored_fields(only, today) if only is not None else ())),
        changes_between(kubelet.following, only, minor) if only is not None else (),
        tuple(item_of(refusal) for refusal in shared if refusal in taken.accepted),
        unknown,
        notes_on(today, minor),
    )
    return upgrade, declared_by(only, evidence, minor) if only is not None else None


def with_cgroups(kubelet: Kubelet, target: Target) -> Kubelet:
    """The kubelet on a machine with the cgroup version that was given, if the machine does not show it."""
    if target.cgroup_version is None or kubelet.process.uses_cgroup_v1 is not None:
        return kubelet

    def known(evidence: Evidence) -> Evidence:
        return replace(evidence, process=replace(evidence.process, uses_cgroup_v1=target.cgroup_version == 1))

    coming = known(kubelet.coming) if kubelet.coming is not None else None
    return replace(kubelet, evidence=known(kubelet.evidence), coming=coming)


def declared_by(reading: WholeReading, evidence: Evidence, minor: int) -> Declared | None:
    """A reading as the configuration of a kubelet that starts with it."""
    if reading.configuration is None or reading.flags is None:
        return None
    configuration = reading.configuration
    for name, given in iter_plain_flags(reading.flags):
        configuration.set(name, given.value, with_place(flag_origin(given), evidence))
    return Declared(configuration.values, configuration.origins, launch=evidence.launch, minors=frozenset({minor}))


def are_alike(readings: Sequence[WholeReading]) -> bool:
    """Whether the kubelet would run with the same values, whatever an unknown flag means."""
    first, *others = readings
    return all((each.configuration, each.flags) == (first.configuration, first.flags) for each in others)


def shared_refusals(readings: Sequence[WholeReading]) -> list[Refusal]:
    """What is refused whatever an unknown flag means."""
    first, *others = readings
    return [refusal for refusal in first.refusals if all(refusal in other.refusals for other in others)]


def item_of(refusal: Refusal) -> UpgradeItem:
    return UpgradeItem(refusal.subject, refusal.what, refusal.why, refusal.origin, other_gate=refusal.other_gate)


def minors_of(readings: Iterable[Declared]) -> frozenset[int]:
    return frozenset(minor for declared in readings for minor in declared.minors)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a running kubelet is known to take, although each release that it may be refuses it.

    `too_new`: what today's releases refuse as well, while the kubelet has not yet shown whether it takes it.
    `doubtful`: refusals during startup, if the kubelet runs with others of them.
    """

    accepted: frozenset[Refusal] = frozenset()
    too_new: frozenset[Refusal] = frozenset()
    doubtful: frozenset[Refusal] = frozenset()

    @classmethod
    def of(cls, kubelet: Kubelet, refusals: Sequence[Refusal], today: frozenset[int]) -> Taken:
        evidence = kubelet.evidence
        if not refusals or not today or evidence.process.unit:
            # On a machine that is not running, nothing has been accepted.
            return cls()
        always = refused_by_all(evidence, today)
        # A file that is gone now was there when the kubelet started.
        found = frozenset(refusal for refusal in refusals if refusal in always and refusal.what not in evidence.broken)
        proof = Proof.of(kubelet, today)
        accepted = frozenset(filter(proof.takes, found))
        age = evidence.age_seconds
        is_new = age is None or age < ACCEPTED_AFTER_SECONDS
        is_startup_wrong = any(refusal.is_late and proof.takes(refusal) for refusal in always)
        late = frozenset(refusal for refusal in refusals if refusal.is_late) if is_startup_wrong else frozenset()
        return cls(accepted, found - accepted if is_new else frozenset(), late - accepted)

    def is_blocker(self, refusal: Refusal) -> bool:
        return refusal not in self.accepted | self.too_new | self.doubtful

    @property
    def ignores_gates(self) -> bool:
        """Whether the kubelet runs with a gate that no such upstream release has, as OpenShift's build does."""
        return any(refusal.is_only_upstream for refusal in self.accepted)


def refused_by_all(evidence: Evidence, minors: frozenset[int]) -> frozenset[Refusal]:
    """What each of these releases refuses, in every reading."""
    parse = ParsedOnce()

    def refused(release: Release) -> frozenset[Refusal]:
        return frozenset(shared_refusals(read_as(evidence, release, parse)))

    common: frozenset[Refusal] | None = None
    for _, found in iter_alike(minors, refused):
        common = found if common is None else common & found
        if not common:
            break
    return common or frozenset()


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that a kubelet runs with something that its release seems to refuse.

    `while_running`: what its releases refuse in the whole configuration that it runs with.
    """

    kubelet: Kubelet
    while_running: frozenset[Refusal]

    @classmethod
    def of(cls, kubelet: Kubelet, minors: frozenset[int]) -> Proof:
        running, flags, evidence = kubelet.running, kubelet.flags, kubelet.evidence
        if not isinstance(running, Configuration) or not isinstance(flags, Flags):
            return cls(kubelet, frozenset())
        each = [frozenset(value_refusals(running, flags, evidence, Release(minor))) for minor in minors]
        return cls(kubelet, frozenset.intersection(*each))

    def takes(self, refusal: Refusal) -> bool:
        """Whether the kubelet is known to run with it. A value can be refused because of another one in a file."""
        evidence = self.kubelet.evidence
        if has_accepted_its_files(evidence):
            return True
        if has_accepted_its_line(evidence) and is_about_the_line_alone(refusal):
            return True
        if refusal not in self.while_running or not isinstance(self.kubelet.running, Configuration):
            return False
        shown = self.kubelet.running.get(refusal.what)
        return shown is not None and all(shown == declared.value(refusal.what) for declared in self.kubelet.following)


def is_about_the_line_alone(refusal: Refusal) -> bool:
    """Whether no file can change the refusal: a flag that is parsed, or a gate that a flag sets."""
    if refusal.subject is UpgradeSubject.GATE:
        return was_flag(refusal.origin) and not refusal.other_gate
    return refusal.subject is UpgradeSubject.FLAG and not refusal.is_late


def why_unknown(
    kubelet: Kubelet, readings: Sequence[WholeReading], shared: Sequence[Refusal], taken: Taken, minor: int
) -> Unknown | None:
    """Why it is not known whether the kubelet would start, if nothing shows that it would not."""
    launch = kubelet.evidence.launch
    unknown = next((reading.unknown for reading in readings if reading.unknown is not None), None)
    if unknown is not None:
        return unknown
    if launch is not None and launch.doubt is not None:
        return launch.doubt
    if not are_alike(readings) or any(set(reading.refusals) - set(shared) for reading in readings):
        return FLAG_MAY_TAKE_A_VALUE
    if taken.too_new:
        return JUST_STARTED
    if taken.doubtful:
        refusal = min(taken.doubtful, key=lambda refusal: refusal.what)
        return Unknown(f'{NOT_SURE}: {refusal.what} {refusal.why}')
    if any(reading.configuration is None for reading in readings):
        return Unknown(f'a file that the kubelet accepted could not be read as Kubernetes 1.{minor} reads it')
    if not any(reading.needs_cgroup_v2 for reading in readings):
        return None
    return replace(CGROUPS_NOT_KNOWN, remedy=SET_CGROUPS) if kubelet.process.unit else CGROUPS_NOT_KNOWN


def notes_on(today: frozenset[int], minor: int) -> tuple[str, ...]:
    """What to know about the answer because of the kubelet's own release."""
    if len(today) != 1:
        return (
            'the release of the kubelet is not known, so changes that depend on it are left out: let the Agent read '
            '/metrics of the kubelet, or set --kubelet-version',
        )
    (own,) = today
    if own == minor:
        return (f'the kubelet already is of release 1.{minor}',)
    return (f'the kubelet is of release 1.{own}, so 1.{minor} would be a downgrade',) if own > minor else ()
