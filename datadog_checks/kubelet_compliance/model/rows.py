# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The types of the rows in the tables: rules and their fixes, benchmarks, and exemptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from .evidence import FileAspect, FileSubject, Value


class Fact(Enum):
    """A condition that must hold on a node before a fix is harmless."""

    CERTIFICATES_VERIFIED = 'the kubelet has a CA for client certificates'
    TOKENS_ACCEPTED = 'the kubelet authenticates bearer tokens (webhook)'
    API_SERVER = 'the kubelet has an API server'
    CLIENT_CA = 'the CA file that the fix names is there'
    CLIENT_CERTIFICATE = 'the kubeconfig names a client certificate, or the kubelet can bootstrap one'
    HOST_NAME = 'the host has the name that the flag sets'
    NO_STATIC_PODS = 'the static pod path holds no pod'
    KERNEL_SETTINGS = 'the sysctl files set what the kubelet expects'


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a fact holds on a node. None if that is not known. `detail`: what a person needs to know about it."""

    holds: bool | None = None
    detail: str = ''


@dataclass(frozen=True, slots=True)
class FileModes:
    """The modes that a benchmark allows: only bits of `at_most`, or exactly `one_of` the listed modes."""

    at_most: int | None = None
    one_of: tuple[int, ...] = ()

    def allow(self, mode: int) -> bool:
        return mode in self.one_of if self.at_most is None else not mode & ~self.at_most

    def __str__(self) -> str:
        if self.at_most is None:
            return ' or '.join(f'{mode:03o}' for mode in self.one_of)
        return f'{self.at_most:03o} or stricter'


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: the numbers of its rules, and the values in which benchmarks differ.

    `unjudged`: rules that it names without a value to judge. `modes`: for each rule on a file's mode.
    """

    name: str
    framework: str
    controls: Mapping[str, tuple[str, ...]]
    unjudged: Mapping[str, tuple[str, ...]]
    modes: Mapping[str, FileModes]
    strong_cipher_suites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a rule expects of its values: in words, and as a test. Both can depend on the benchmark."""

    text: Callable[[Benchmark], str]
    holds: Callable[[Sequence[Value], Benchmark], bool]
    holds_for_item: Callable[[Value, Benchmark], bool] | None = None
    """For a list: the test of one item."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a fix, or a flag that sets no field, and the value that it needs, in YAML.

    `is_wrong`: whether this field breaks the rule, given the values of all fields of the rule. None: no other field
    can. `caution`: what the change may break.
    """

    name: str
    value: str
    caution: str = ''
    flag: str = ''
    """The flag that sets the field, if the rule itself does not judge the field."""
    is_wrong: Callable[[Mapping[str, Value]], bool] | None = None
    needs: tuple[Precondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must be true of a node before a fix. `{detail}` in its texts stands for the detail of the fact.

    `refusal`: replaces the fix if the fact does not hold. `caution`: precedes the fix if that is not known, or if there
    is no refusal. Without a caution, an unknown fact also leads to the refusal.
    """

    fact: Fact
    caution: str = ''
    refusal: str = ''
    is_of_value: bool = False
    """The fact concerns only the value that the fix writes."""
    unknown_detail: str = ''
    """The text for `{detail}` if nothing is known."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it judges, what it expects, and everything that a person needs to know to act on it.

    Either `fields` (of KubeletConfiguration by dotted path, or a flag that sets no field) or `files` with `aspect`.
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
    flags: tuple[str, ...] = ()
    """The flags that set the fields. Without them, the file decides."""
    when_absent: tuple[Value, ...] = ()
    """The value of each field if /configz omits it: Go's zero value. None if /configz always has it."""
    fix: tuple[Change, ...] = ()
    beside: tuple[str, ...] = ()
    """Fields that the rule does not judge but its fix depends on."""
    caution: str = ''
    """What the fix may break, briefly."""
    needs: tuple[Precondition, ...] = ()
    """What must be true of a node before its fix."""
    preparation: str = ''
    """What to do before the fix, how to verify it, and how to roll back."""
    default_holds: bool = False
    """The default is compliant with and without a file, so removing a flag fixes the rule."""
    files: FileSubject | None = None
    aspect: FileAspect | None = None
    note: str = ''
    """How the benchmark's own audit and the kubelet's real behavior differ."""
    tags: tuple[str, ...] = ()
    broken_for: frozenset[str] = frozenset()
    """Processes that do the work in another way, unless `unless` runs: the rule may be broken on purpose."""
    needs_certificate: bool = False
    """The kubelet must have the serving certificate that its configuration requests."""
    unless: str = ''

    def preconditions(self, changes: Sequence[Change]) -> tuple[Precondition, ...]:
        """What must be true of a node before some of the changes."""
        return (*self.needs, *(each for change in changes for each in change.needs))


@dataclass(frozen=True, slots=True)
class Exemption:
    """A rule that may be broken, the reason, and the last day (UTC). None: no end."""

    rule: str
    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What to judge: a benchmark, and the selected rules in the order of the table."""

    benchmark: Benchmark
    rules: tuple[Rule, ...]
