# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The types of the rows in the tables: rules and their fixes, benchmarks, and exemptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from .evidence import FileAspect, FileSubject, Value


class Fact(Enum):
    """What has to be true of a node so that a fix does no harm."""

    CERTIFICATES_VERIFIED = 'the kubelet has a CA for client certificates'
    TOKENS_ACCEPTED = 'the kubelet authenticates bearer tokens (webhook)'
    API_SERVER = 'the kubelet has an API server'
    CLIENT_CA = 'the CA file that the fix names exists'
    CLIENT_CERTIFICATE = 'the kubeconfig names a client certificate, or the kubelet can bootstrap one'
    HOST_NAME = 'the host has the name that the flag sets'
    NO_STATIC_PODS = 'the static pod path holds no pod'
    KERNEL_SETTINGS = 'the sysctl files set what the kubelet expects'


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a fact is true of a node: None if that is not known. `detail`: what a person needs to know about it."""

    holds: bool | None = None
    detail: str = ''


@dataclass(frozen=True, slots=True)
class FileModes:
    """The modes that a benchmark allows: no bits beyond those of `at_most`, or exactly `one_of` several."""

    at_most: int | None = None
    one_of: tuple[int, ...] = ()

    def allow(self, mode: int) -> bool:
        return mode in self.one_of if self.at_most is None else not mode & ~self.at_most

    def __str__(self) -> str:
        if self.at_most is None:
            return ' or '.join(f'{mode:03o}' for mode in self.one_of)
        return f'{self.at_most:03o} or stricter'


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """What one benchmark states. Everything else is as in the benchmark that it is like."""

    name: str
    like: str = ''
    """The name of an earlier row; '' for a row that states everything itself."""
    framework: str = ''
    """The value of the tag `compliance_framework`."""
    minors: tuple[int, ...] = ()
    """The minor releases of Kubernetes that the benchmark is for. The option `benchmark: auto` goes by them."""
    without: tuple[str, ...] = ()
    """Rules of the earlier row that this benchmark does not have."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """The number of each rule, by rule key. A space separates several numbers of one rule."""
    unjudged: tuple[str, ...] = ()
    """Rules that the benchmark lists without a value to compare with."""
    modes: Mapping[str, FileModes] = field(default_factory=dict)
    """The modes that each rule on a file's mode allows, by rule key."""
    strong_cipher_suites: tuple[str, ...] | None = None
    """The suites that the rule `tls_cipher_suites` allows."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A whole benchmark: the numbers of its rules, by rule key, and the values in which benchmarks differ.

    `unjudged`: rules that it lists without a value to compare with. `modes`: for each rule on a file's mode.
    """

    name: str
    framework: str
    controls: Mapping[str, tuple[str, ...]]
    unjudged: Mapping[str, tuple[str, ...]]
    modes: Mapping[str, FileModes]
    strong_cipher_suites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a rule expects of its values: in words, and as a test. Both may depend on the benchmark."""

    text: Callable[[Benchmark], str]
    holds: Callable[[Sequence[Value], Benchmark], bool]
    holds_for_item: Callable[[Value, Benchmark], bool] | None = None
    """For a list: the test of one item."""
    unclear: Callable[[Value], str] | None = None
    """Why a value can't be compared with what is expected; '' if it can. None: every value can."""
    meaning: Callable[[Value], str] | None = None
    """What a value means, if that can't be seen from it, such as no limit; '' if it can."""
    is_stated_by: Callable[[Benchmark], bool] | None = None
    """Whether a benchmark states the value to compare with; None if the rule needs no value of the benchmark."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a fix: a field, or a flag that sets no field, and its new value as YAML spells it.

    `is_wrong`: whether this change is needed, given the values of all fields of the rule; None: always.
    `caution`: what the change may break.
    """

    name: str
    value: str
    caution: str = ''
    flag: str = ''
    """The flag that has the same effect as the field, if no flag sets the field itself."""
    is_wrong: Callable[[Mapping[str, Value]], bool] | None = None
    needs: tuple[Precondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must be true of a node before a fix. `{detail}` in its texts stands for what is known about the fact.

    `refusal`: replaces the fix if the fact is false. `caution`: precedes the fix if the fact is unknown, or if it is
    false and there is no refusal. Without a caution, an unknown fact is refused too.
    """

    fact: Fact
    caution: str = ''
    refusal: str = ''
    is_of_value: bool = False
    """Whether the fact is about the value that the fix writes, and about no other value."""
    unknown_detail: str = ''
    """What `{detail}` stands for if nothing is known."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it reads, what it expects, and everything that a person needs to know to act on it.

    A rule has either `fields` (dotted paths in KubeletConfiguration, or a flag that sets no field), or `files` and
    `aspect`. Flags, defaults, and what /configz leaves out are not stated here: the kubelet's tables know them.
    """

    key: str
    title: str
    expected: Expectation
    what: str
    why: str
    impact: str
    default: str
    references: tuple[str, ...]
    fields: tuple[str, ...] = ()
    fix: tuple[Change, ...] = ()
    beside: tuple[str, ...] = ()
    """Fields that the rule does not judge, but on which its fix depends."""
    caution: str = ''
    """What the fix may break, in short."""
    needs: tuple[Precondition, ...] = ()
    """What must be true of a node before its fix."""
    preparation: str = ''
    """What to do before the fix, how to verify it, and how to go back."""
    files: FileSubject | None = None
    aspect: FileAspect | None = None
    note: str = ''
    """Where the benchmark's own audit differs from what the kubelet does."""
    tags: tuple[str, ...] = ()
    broken_for: frozenset[str] = frozenset()
    """Processes that replace the program of `unless`: where they run without it, breaking the rule may be intended."""
    needs_certificate: bool = False
    """Whether the kubelet must have the serving certificate that its configuration asks for."""
    unless: str = ''
    is_fix_unproven: bool = False
    """Whether some kubelet may refuse the fix, so that it is tried on the configuration of the node first."""
    is_in_effect: bool = False
    """Judges what is in effect: a feature gate has its default, and what the kubelet's release lacks is unknown."""
    advice: str = ''
    """What to do, in words that replace the steps of a fix."""

    def preconditions(self, changes: Sequence[Change]) -> tuple[Precondition, ...]:
        """What must be true of a node before these changes."""
        return (*self.needs, *(each for change in changes for each in change.needs))


@dataclass(frozen=True, slots=True)
class Exemption:
    """A rule that may be broken, why, and until which day (the last one, UTC); None: no end."""

    rule: str
    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What is judged: the selected rules, in the order of reports. Each is judged for one benchmark."""

    benchmark: Benchmark
    """The chosen benchmark."""
    rules: tuple[Rule, ...]
    others: tuple[Benchmark, ...] = ()
    """Further benchmarks that some of the rules belong to."""

    def benchmark_of(self, rule: Rule) -> Benchmark:
        """The benchmark that a rule is judged for."""
        return next((each for each in self.others if rule.key in each.controls), self.benchmark)
