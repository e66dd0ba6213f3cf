# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the rows of the tables hold: rules, their fixes, benchmarks and exemptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from .evidence import FileAspect, FileSubject, Value


class Fact(Enum):
    """What is true of a node where a fix does no harm."""

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
    """Whether a fact holds on a node; None where that is not known. `detail`: what a person has to know of it."""

    holds: bool | None = None
    detail: str = ''


@dataclass(frozen=True, slots=True)
class FileModes:
    """The modes that a benchmark allows: none beyond the bits of `at_most`, or `one_of` a few."""

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
    """A benchmark: the numbers of each rule that it has, and the values in which benchmarks differ.

    `unjudged`: rules that it names without a value that could be judged. `modes`: of each rule on a file's mode.
    """

    name: str
    framework: str
    controls: Mapping[str, tuple[str, ...]]
    unjudged: Mapping[str, tuple[str, ...]]
    modes: Mapping[str, FileModes]
    strong_cipher_suites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a rule wants of its values: in words, and as a test. Both may depend on the benchmark."""

    text: Callable[[Benchmark], str]
    holds: Callable[[Sequence[Value], Benchmark], bool]
    holds_for_item: Callable[[Value, Benchmark], bool] | None = None
    """Of a list: the test of one item."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a fix, or a flag that writes none, and the value that it needs, as YAML spells it.

    `is_wrong`: whether it is what breaks the rule, by the values of all fields of the rule; None: nothing else can be.
    `caution`: what the change may break.
    """

    name: str
    value: str
    caution: str = ''
    flag: str = ''
    """The flag that sets it, where the rule does not look at it itself."""
    is_wrong: Callable[[Mapping[str, Value]], bool] | None = None
    needs: tuple[Precondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must be true of a node before a fix. `{detail}` in its texts stands for what is known of the fact.

    `refusal`: said in place of the fix where the fact does not hold. `caution`: said before the fix where it is not
    known, or where there is no refusal; without a caution, what is not known is refused too.
    """

    fact: Fact
    caution: str = ''
    refusal: str = ''
    is_of_value: bool = False
    """Whether the fact is one of the value that the fix writes, and of no other value."""
    unknown_detail: str = ''
    """What stands for `{detail}` where nothing is known."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it looks at, what is expected, and all that a person needs to know to act on it.

    Either `fields` (of KubeletConfiguration by dotted path, or a flag that writes none) or `files` with `aspect`.
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
    """The flags that write the fields; taking them out leaves the decision to the file."""
    when_absent: tuple[Value, ...] = ()
    """What each field is where /configz leaves it out: Go's zero value, or None where it is always there."""
    fix: tuple[Change, ...] = ()
    beside: tuple[str, ...] = ()
    """Fields that the rule does not look at and its fix depends on."""
    caution: str = ''
    """What the fix may break, in short."""
    needs: tuple[Precondition, ...] = ()
    """What must be true of a node before its fix."""
    preparation: str = ''
    """What to do before the fix, how to see that it worked, and how to go back."""
    default_holds: bool = False
    """Whether the default is compliant with and without a file, so that taking a flag out mends it."""
    files: FileSubject | None = None
    aspect: FileAspect | None = None
    note: str = ''
    """Where the benchmark's own audit and the kubelet's real behaviour differ."""
    tags: tuple[str, ...] = ()
    broken_for: frozenset[str] = frozenset()
    """Processes that do the work in another way, where `unless` does not run: the rule may be broken on purpose."""
    needs_certificate: bool = False
    """Whether the kubelet must have the serving certificate that its configuration asks for."""
    unless: str = ''

    def preconditions(self, changes: Sequence[Change]) -> tuple[Precondition, ...]:
        """What must be true of a node before some of its changes."""
        return (*self.needs, *(each for change in changes for each in change.needs))


@dataclass(frozen=True, slots=True)
class Exemption:
    """A rule that may be broken, why, and up to which day (the last one, UTC); None: for ever."""

    rule: str
    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What is judged: a benchmark, and the rules of it that were asked for, in the order of the table."""

    benchmark: Benchmark
    rules: tuple[Rule, ...]
