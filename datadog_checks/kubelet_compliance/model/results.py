# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What evidence results in: declared configurations, settings, findings, and reports."""

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
    Benchmark,
    Exemption,
    Fact,
    Rule,
)
from .upgrades import Upgrade

LONGEST_MESSAGE = 500
"""The longest message of a service check, in characters."""


class Verdict(Enum):
    """The result of a rule. The member's value is the tag `verdict`. `badness` orders them from best to worst."""

    COMPLIANT = 'compliant'
    EXEMPTED = 'exempted'
    UNKNOWN = 'unknown'
    NON_COMPLIANT = 'non_compliant'

    @property
    def badness(self) -> int:
        return list(Verdict).index(self)


@dataclass(frozen=True, slots=True)
class Objection:
    """A part of the configuration that this check expected the kubelet to refuse, but that it runs with.

    `path`: the field, '' for the command line. `place`: where it is set, which changes when other lines change.
    """

    path: str
    why: str
    place: str = ''

    def __str__(self) -> str:
        return f'{self.path}{self.place}: {self.why}' if self.path else self.why


@dataclass(frozen=True, slots=True)
class Declared:
    """The configuration that a kubelet would run with if it started now, or why that is not known.

    `values`: nested by the field names of KubeletConfiguration. A flag that sets no field has its own name
    (`--hostname-override`). `origins`: by dotted path. `unknown`: set if a layer could not be read or would be refused.
    Then `values` has only the values that flags set, and none if the flags themselves are not known.
    """

    values: Mapping[str, Value]
    origins: Mapping[str, Origin]
    unknown: Unknown | None = None
    flags_known: bool = True
    """False: the kubelet would refuse this command line, or it could not be interpreted."""
    line_accepted: bool = False
    """The kubelet has run long enough to show that it accepted its command line."""
    undecided: Mapping[str, Unknown] = field(default_factory=dict)
    """Paths whose value is not known, although the rest of the configuration is."""
    objections: tuple[Objection, ...] = field(default=(), compare=False)
    passed: tuple[Objection, ...] = field(default=(), compare=False)
    """Problems in unchanged files that would stop a kubelet during startup. This one is past that point."""
    changed: str | None = None
    """The path of a file or folder that changed after the process started. None: none did."""
    launch: Launch | None = None
    beneath: Mapping[str, Value] = field(default_factory=dict, compare=False)
    """The values that the fields set by flags would have without the flags, if they are known."""
    minors: frozenset[int] = field(default=frozenset(), compare=False)
    """The releases that read the configuration this way."""

    def value(self, path: str) -> Value:
        """The value at a dotted path. None if it is not set."""
        return lookup(self.values, path)


Values = tuple[tuple[str, Value], ...]
"""The settings that a rule judges, each with its name (a field, a flag, or a file)."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where and how a person changes the kubelet's settings: texts for its node, see `distributions.py`.

    `restart`: how to restart it. `apply`: how to apply a change. `flags`: where flags are set. `file`: where fields are
    set, '' if the node has only flags.
    """

    restart: str = 'restart the kubelet'
    apply: str = 'restart the kubelet'
    flags: str = 'what starts the kubelet'
    file: str = ''
    is_rewritten: bool = False
    """The distribution rewrites the files that the kubelet reads, so a change there is lost."""
    lasting: str = ''
    """The source of the node's settings when the node is replaced. '' if it is not known."""
    unread: str = ''
    """The config file and drop-in folder that the kubelet reads and this check could not read, in words."""
    json_files: frozenset[str] = frozenset()
    """The config files that are in JSON."""
    made_anew: tuple[str, ...] = ()
    """Patterns of files that the distribution rewrites. It leaves all others to its users."""
    fixed_flags: frozenset[str] = frozenset()
    """Flags that the distribution always passes, so nobody can remove them."""
    passes_own_flags: bool = False
    """The distribution passes flags of its own, and each of its releases passes other ones."""
    facts: Mapping[Fact, Answer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a rule judges on one kubelet: the declared and running values, and whether its files changed."""

    declared: Values | Unknown
    origin: Origin | None
    running: Values | Unknown
    changed: str | None = None
    """A path that the value depends on and that changed after the start. None: none did."""
    doubt: Unknown | None = None
    """Why the declared value may not apply. It can show that the rule is broken, but never that it holds."""
    is_explicit: bool = False
    """The next start passes exactly this value, whatever the doubt."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Where each field is set."""
    others: Mapping[str, Value] = field(default_factory=dict)
    """Other fields that the rule's fix depends on, if they are known."""
    beneath: Mapping[str, Value] = field(default_factory=dict)
    """The value that each field would have without the flag that sets it, if it is known."""
    defect: Unknown | None = None
    """Why the rule is broken although its values are as expected."""
    refused: str = ''
    """Why the kubelet would refuse what the rule's fix changes. '' if it would not, or if that is not known."""
    home: Home = Home()


NOT_ASKED = Unknown('the running configuration was not asked for')
"""The running values of a kubelet that the check did not ask."""
NOT_RUNNING = Unknown('the machine is not running')
"""The running values of a kubelet in an image: there is no process to ask or to restart."""


def lasting_text(source: str) -> str:
    """The end of a fix: what to change so that the fix outlives the node; '' for no such place."""
    return f'. To make it last, also change {source}' if source else ''


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about a result, in full: the message of a service check has no room for all of it.

    `caution`: what the fix may break, to read first. `steps`: what to do; '' if the message says it all.
    """

    caution: str = ''
    steps: str = ''
    note: str = ''
    """What else to know: why the value is in doubt, or a hint at exemptions."""
    apply: str = ''
    """How the steps take effect, such as a restart."""
    lasting: str = ''
    """What to change besides, so that the steps outlive the node."""

    @property
    def fix(self) -> str:
        """The steps, and everything after them."""
        fix = f'{self.steps}, then {self.apply}' if self.apply else self.steps
        return f'{fix}{lasting_text(self.lasting)}'


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's verdict on a kubelet, the message for a person, and the setting behind the verdict.

    `benchmark`: the one that the rule was judged for.
    """

    rule: Rule
    verdict: Verdict
    message: str
    setting: Setting
    benchmark: Benchmark
    remedy: Remedy = Remedy()
    exemption: Exemption | None = None
    """The exemption of a rule that is exempted."""

    @property
    def set_by(self) -> Source:
        """Where the declared value was set. CONFIGZ if only the running value is known, UNKNOWN for that verdict."""
        if self.verdict is Verdict.UNKNOWN:
            return Source.UNKNOWN
        return self.setting.origin.source if self.setting.origin is not None else Source.CONFIGZ


@dataclass(frozen=True, slots=True)
class NextStart:
    """The next start of a kubelet. `command`: argv[0] first. `flags`: the kubelet's own, with their files and lines.

    If the command is not known, the flags are those of the process, if there is one.
    """

    summary: str
    command: tuple[str, ...] | Unknown
    flags: tuple[Argument, ...] = ()
    unit: str = ''
    """The service that starts it. '' if none does, or none is known."""


@dataclass(frozen=True, slots=True)
class KubeletReport:
    """The full report on one kubelet. `restart_pending`: None if that is not known.

    `name`: distinguishes it from others. Its `--hostname-override`, or the ID of its container. `config_path`: its
    config file; '' for none. `start_path`: the file that decides how it starts: its options, unit, or program.
    """

    process: Process
    findings: tuple[Finding, ...]
    problems: tuple[Unknown, ...] = ()
    restart_pending: bool | None = None
    name: str = ''
    next_start: NextStart | None = None
    upgrade: Upgrade | None = None
    """None: nobody asked about another release."""
    config_path: str = ''
    start_path: str = ''


@dataclass(frozen=True, slots=True)
class NodeReport:
    """The full report on a node: the number of kubelets, and one finding for each rule.

    `problems`: what could not be read of the kubelets. `doubts`: what could not be read of the processes as a whole.
    """

    found: int
    findings: tuple[Finding, ...] = ()
    problems: tuple[Unknown, ...] = ()
    doubts: tuple[Unknown, ...] = ()
    lapsed: tuple[Unknown, ...] = ()
    """Exemptions that have expired."""
    restart_pending: bool | None = None
    none_found_because: str = ''
    """Why no kubelet was found, if that is known."""
    upgrade: Upgrade | None = None
    """The worst of its kubelets. None: nobody asked about another release."""
    turned_away: tuple[Unknown, ...] = ()
    """Processes that only have a kubelet's name, each with the options that would admit it, if there are any."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the check runs since the check started cost. Durations are in seconds, and only of full collections.

    `unchanged`: the runs that found nothing changed. `full`: those that read everything.
    """

    unchanged: int = 0
    full: int = 0
    last_seconds: float = 0.0
    slowest_seconds: float = 0.0

    def with_full(self, seconds: float) -> Cost:
        """The cost with one more full collection."""
        return Cost(self.unchanged, self.full + 1, seconds, max(seconds, self.slowest_seconds))
