# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The values that pass between the modules: what was seen (`evidence.py`), what it means, what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from .evidence import (
    Argument as Argument,
    DropIns as DropIns,
    Evidence as Evidence,
    Fault as Fault,
    File as File,
    FileAspect as FileAspect,
    FileSet as FileSet,
    FileStatus as FileStatus,
    FileSubject as FileSubject,
    Folder as Folder,
    Launch as Launch,
    Missing as Missing,
    Origin as Origin,
    Process as Process,
    Scan as Scan,
    Source as Source,
    Unit as Unit,
    Unknown as Unknown,
    Unreadable as Unreadable,
    Value as Value,
    is_absent as is_absent,
    lookup as lookup,
)

LONGEST_MESSAGE = 500
"""Letters of what is sent with a service check."""


class Verdict(Enum):
    """What a rule says of a kubelet; its value is the tag `verdict`. Ordered from best to worst by `badness`."""

    COMPLIANT = 'compliant'
    EXEMPTED = 'exempted'
    UNKNOWN = 'unknown'
    NON_COMPLIANT = 'non_compliant'

    @property
    def badness(self) -> int:
        return list(Verdict).index(self)


@dataclass(frozen=True, slots=True)
class Objection:
    """What this check would have expected the kubelet to refuse, though it runs with it.

    `path`: of the field, '' for the command line. `place`: where it stands; it moves when other lines change.
    """

    path: str
    why: str
    place: str = ''

    def __str__(self) -> str:
        return f'{self.path}{self.place}: {self.why}' if self.path else self.why


@dataclass(frozen=True, slots=True)
class Declared:
    """The configuration that a kubelet would run with if it started now, or why that cannot be told.

    `values` is nested by the field names of KubeletConfiguration; a flag that writes no field stands there by its own
    name (`--hostname-override`). `origins` is by dotted path. `unknown` is set where a layer could not be read or
    would be refused: then `values` holds only what flags decide, and nothing if the flags themselves are not known.
    """

    values: Mapping[str, Value]
    origins: Mapping[str, Origin]
    unknown: Unknown | None = None
    flags_known: bool = True
    """False: the kubelet would refuse this command line, or it is not understood."""
    line_accepted: bool = False
    """Whether the kubelet has run for long enough to show that it took its command line."""
    undecided: Mapping[str, Unknown] = field(default_factory=dict)
    """The paths whose value cannot be told, of a configuration that is known otherwise."""
    objections: tuple[Objection, ...] = field(default=(), compare=False)
    passed: tuple[Objection, ...] = field(default=(), compare=False)
    """What would end a kubelet on its way to serving, of files that have not changed: this one is past that."""
    changed: str | None = None
    """What changed after the process started (a path); None: nothing that was read did."""
    launch: Launch | None = None
    minors: frozenset[int] = field(default=frozenset(), compare=False)
    """The releases that read it so."""

    def value(self, path: str) -> Value:
        """The value of a dotted path; None where nothing is set."""
        return lookup(self.values, path)


Values = tuple[tuple[str, Value], ...]
"""The settings that a rule looks at, each with its name (a field, a flag, a file)."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a person changes the settings of a kubelet, and how: texts for its own node, see `distributions.py`.

    `restart`: what restarts it. `apply`: what brings a change into force. `flags`: where flags are set. `file`: where
    fields are set; '' where only flags are.
    """

    restart: str = 'restart the kubelet'
    apply: str = 'restart the kubelet'
    flags: str = 'what starts the kubelet'
    file: str = ''
    is_rewritten: bool = False
    """Whether what the kubelet itself reads is written anew, so that a change there is lost."""
    lasting: str = ''
    """Where the node gets its settings from when it is made anew; '' where that is not known."""
    lacks: frozenset[str] = frozenset()
    """Files that a fix would name and that are not seen on the node."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a rule looks at on one kubelet: as declared, as it runs, and whether its files changed since the start."""

    declared: Values | Unknown
    origin: Origin | None
    running: Values | Unknown
    changed: str | None = None
    """The path that changed since the start and that the value depends on; None: no such."""
    doubt: Unknown | None = None
    """Why the declared value may not be the one in force: it can show what is wrong, never that all is well."""
    is_explicit: bool = False
    """Whether the next start passes just this value, whatever the doubt is."""
    home: Home = Home()


NOT_RUNNING = Unknown('the machine does not run')
"""What the kubelet of an image runs with: there is nothing to ask, and nothing to restart."""


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
    fix: tuple[tuple[str, str], ...] = ()
    """Fields and what to set them to, so that the rule holds."""
    default_holds: bool = False
    """Whether the default is compliant with and without a file, so that taking a flag out mends it."""
    files: FileSubject | None = None
    aspect: FileAspect | None = None
    note: str = ''
    """Where the benchmark's own audit and the kubelet's real behaviour differ."""
    tags: tuple[str, ...] = ()
    broken_for: frozenset[str] = frozenset()
    """Processes that do the work in another way, where `unless` does not run: the rule may be broken on purpose."""
    unless: str = ''


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


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's verdict on a kubelet, the sentence for a person, and the setting that it rests on."""

    rule: Rule
    verdict: Verdict
    message: str
    setting: Setting

    @property
    def set_by(self) -> Source:
        """Where the declared value was set; CONFIGZ where that is not known."""
        return self.setting.origin.source if self.setting.origin is not None else Source.CONFIGZ


@dataclass(frozen=True, slots=True)
class NextStart:
    """What starts a kubelet next. `command`: argv[0] first. `flags`: the kubelet's own, each with its file and line.

    Where the command is not known, the flags are those of the process, if there is one.
    """

    summary: str
    command: tuple[str, ...] | Unknown
    flags: tuple[Argument, ...] = ()
    unit: str = ''
    """The service that starts it; '' where none does, or none is known."""


@dataclass(frozen=True, slots=True)
class KubeletReport:
    """All that is said of one kubelet. `restart_pending`: None where it cannot be told.

    `name`: by which it is told from others, its `--hostname-override` or the id of its container.
    """

    process: Process
    findings: tuple[Finding, ...]
    problems: tuple[Unknown, ...] = ()
    restart_pending: bool | None = None
    name: str = ''
    next_start: NextStart | None = None


@dataclass(frozen=True, slots=True)
class NodeReport:
    """All that is said of a node: how many kubelets were found, and one finding for each rule.

    `problems`: what could not be seen of the kubelets; `doubts`: of the processes as a whole.
    """

    found: int
    findings: tuple[Finding, ...] = ()
    problems: tuple[Unknown, ...] = ()
    doubts: tuple[Unknown, ...] = ()
    lapsed: tuple[Unknown, ...] = ()
    """Exemptions that have run out."""
    restart_pending: bool | None = None
    none_found_because: str = ''
    """Why no kubelet was found, where that is known."""
    turned_away: tuple[Unknown, ...] = ()
    """Processes that only bear a kubelet's name, each with the options that would admit it, if any would."""
