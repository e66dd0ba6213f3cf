# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The values that pass between the modules: what was seen, what it means, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

Value = bool | int | float | str | tuple['Value', ...] | Mapping[str, 'Value'] | None
"""A value of the kubelet's configuration. Durations are nanoseconds; None: the kubelet was not told."""


def lookup(values: Mapping[str, Value], path: str) -> Value:
    """The value of a dotted path in nested mappings; None where there is none."""
    value: Value = values
    for name in path.split('.'):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


class Source(Enum):
    """Where a value was set; its value is the tag `set_by`."""

    FLAG = 'flag'
    CONFIG_FILE = 'config_file'
    DROP_IN = 'drop_in'
    DEFAULT = 'default'
    CONFIGZ = 'configz'


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
class Origin:
    """Where a value was set: the kind of place, and the place as a person finds it (`/etc/k.yaml:4`, `--flag=x`)."""

    source: Source
    place: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that cannot be told, and why. `remedy` is the one change that mends it."""

    reason: str
    remedy: str = ''
    refused: bool = False
    """True: the kubelet would refuse this configuration, so its next start fails."""


@dataclass(frozen=True, slots=True)
class Process:
    """One kubelet process. `arguments` follow argv[0]; None where the command line cannot be believed."""

    pid: int
    start_ticks: int
    arguments: tuple[str, ...] | None
    started_at: float | None = None
    """Seconds since the epoch; None where the machine's clock is not known."""

    @property
    def key(self) -> tuple[int, int]:
        """What tells this process from every other one: a pid alone is used again."""
        return self.pid, self.start_ticks


@dataclass(frozen=True, slots=True)
class File:
    """A file as the kubelet sees it. `changed_at`: the latest ctime of the file and of the links on the way to it."""

    path: str
    data: bytes
    changed_at: float | None


@dataclass(frozen=True, slots=True)
class Missing:
    """The kubelet itself would not find a file here, or not one that it can read: it refuses to start."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """We could not read what the kubelet may well read. `remedy` is the one change that mends it."""

    path: str
    why: str
    remedy: str = ''


@dataclass(frozen=True, slots=True)
class DropIns:
    """The files of `--config-dir` in the kubelet's own order. `changed_at`: the latest ctime of the folders."""

    path: str
    files: tuple[File | Missing | Unreadable, ...]
    changed_at: float | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was read of one kubelet. None: the command line does not name such a file or folder."""

    process: Process
    config: File | Missing | Unreadable | None = None
    drop_ins: DropIns | Missing | Unreadable | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """What a look through the processes found. `doubtful`: processes that may be a kubelet, with the reason."""

    processes: tuple[Process, ...] = ()
    doubtful: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """The configuration that a kubelet would run with if it started now, or why that cannot be told.

    `values` is nested by the field names of KubeletConfiguration; `origins` is by dotted path. `unknown` is set
    where a layer could not be read or would be refused: then only what a flag decides may still be known.
    """

    values: Mapping[str, Value]
    origins: Mapping[str, Origin]
    unknown: Unknown | None = None
    changed: str | None = None
    """What changed after the process started (a path); None: nothing that was read did."""

    def value(self, field: str) -> Value:
        """The value of a dotted path; None where nothing is set."""
        return lookup(self.values, field)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of one kubelet: declared, running, and whether the files behind it changed since the start."""

    declared: Value | Unknown
    origin: Origin | None
    running: Value | Unknown
    changed: str | None = None
    """The path that changed since the start and that the value depends on; None: no such."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a rule wants of a value: in words, and as a test."""

    text: str
    holds: Callable[[Value], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: which setting, what is expected of it, and all that a person needs to know to act on it."""

    key: str
    title: str
    field: str
    flag: str
    default: str
    expected: Expectation
    what: str
    why: str
    impact: str
    fix_in_file: str
    fix_by_flag: str
    after_fix: str
    references: tuple[str, ...]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: its name, the framework it belongs to, and the control numbers of each rule that it has."""

    name: str
    framework: str
    controls: Mapping[str, tuple[str, ...]]


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
class KubeletReport:
    """All that is said of one kubelet. `restart_pending`: None where it cannot be told."""

    process: Process
    findings: tuple[Finding, ...]
    problems: tuple[Unknown, ...] = ()
    restart_pending: bool | None = None


@dataclass(frozen=True, slots=True)
class NodeReport:
    """All that is said of a node: how many kubelets were found, and one finding for each rule.

    `problems`: what could not be seen of the kubelets; `doubts`: of the processes as a whole.
    """

    found: int
    findings: tuple[Finding, ...] = ()
    problems: tuple[Unknown, ...] = ()
    doubts: tuple[Unknown, ...] = ()
    restart_pending: bool | None = None
