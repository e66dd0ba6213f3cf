# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The values that pass between the modules: what was seen (`evidence.py`), the tables (`rows.py`), what it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from .evidence import (
    Argument,
    Launch,
    Origin,
    Process,
    Source,
    Unknown,
    Value,
    lookup,
)
from .rows import (
    Answer,
    Fact,
    Rule,
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
    beneath: Mapping[str, Value] = field(default_factory=dict, compare=False)
    """What the fields that flags set would be without these, as far as it is known."""
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
    unread: str = ''
    """The config file and the folder of drop-ins that the kubelet reads and this check could not, in words."""
    json_files: frozenset[str] = frozenset()
    """The config files that are written in JSON."""
    made_anew: tuple[str, ...] = ()
    """Patterns of files that the distribution writes anew, beside those that it leaves to its users."""
    fixed_flags: frozenset[str] = frozenset()
    """Flags that the distribution always passes, so that no one can take them out."""
    facts: Mapping[Fact, Answer] = field(default_factory=dict)


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
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Where each of the fields is set."""
    others: Mapping[str, Value] = field(default_factory=dict)
    """Fields beside those of the rule that its fix depends on, as far as they are known."""
    beneath: Mapping[str, Value] = field(default_factory=dict)
    """What each field would be without the flag that sets it, as far as it is known."""
    defect: Unknown | None = None
    """What breaks the rule though its values are as expected."""
    home: Home = Home()


NOT_ASKED = Unknown('the running configuration was not asked for')
"""What a kubelet runs with that was not asked."""
NOT_RUNNING = Unknown('the machine does not run')
"""What the kubelet of an image runs with: there is nothing to ask, and nothing to restart."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's verdict on a kubelet, the sentence for a person, and the setting that it rests on."""

    rule: Rule
    verdict: Verdict
    message: str
    setting: Setting

    @property
    def set_by(self) -> Source:
        """Where the declared value was set; CONFIGZ where only the running one is known, UNKNOWN for that verdict."""
        if self.verdict is Verdict.UNKNOWN:
            return Source.UNKNOWN
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
