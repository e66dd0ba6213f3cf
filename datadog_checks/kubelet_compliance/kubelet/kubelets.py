# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One kubelet: what was read of it, and what each release makes of that. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import NOT_ASKED, Declared, Evidence, Process, Unknown, Value

from .command_lines import CommandLine, flags_of
from .decoding import Configuration
from .flags import Flags


@dataclass(frozen=True, slots=True)
class Kubelet:
    """One kubelet, and everything that is known of it before it is judged.

    `readings`: its configuration, once for each way in which the releases that it may be read it.
    """

    evidence: Evidence
    lines: tuple[CommandLine, ...]
    readings: tuple[Declared, ...] = ()
    running: Configuration | Unknown = NOT_ASKED
    problems: tuple[Unknown, ...] = ()
    started: Declared | None = None
    """The configuration that it started with, if known. Only the fields of its serving certificate count."""
    next: tuple[Declared, ...] | None = None
    """Like `readings`, for its next start; None if that has the same command line."""
    coming: Evidence | None = None
    """What `next` was read from."""
    release: str | Unknown | None = None
    """Its version, or why it is unknown; None: not determined yet."""

    @property
    def process(self) -> Process:
        return self.evidence.process

    @property
    def flags(self) -> Flags | Unknown:
        """Its flags; Unknown if it is not known which files they name."""
        return flags_of(self.lines)

    @property
    def only_prints(self) -> bool:
        """Whether it only prints its help or version, and exits, by each reading of its command line."""
        return all(line.flags is not None and line.flags.exits and not line.is_accepted for line in self.lines)

    @property
    def following(self) -> tuple[Declared, ...]:
        """The configuration of its next start."""
        return self.readings if self.next is None else self.next

    @property
    def minors(self) -> frozenset[int]:
        """The releases that it may be, by its command line."""
        return frozenset(minor for line in self.lines for minor in line.minors)

    @property
    def name(self) -> str:
        """Its name in the tag `kubelet`: the overridden host name, else the container; '' for none."""
        return str(self.readings[0].value('--hostname-override') or self.process.container or '')

    def value(self, path: str) -> Value:
        """The value of a field or flag at the next start, else the running one; None if neither is known."""
        running = None if isinstance(self.running, Unknown) else self.running.get(path)
        return next((value for reading in self.following if (value := reading.value(path)) is not None), running)

    @property
    def refuses_kernel_settings(self) -> bool:
        """Whether its next start fails if kernel settings differ from its own (`setupKernelTunables`)."""
        is_lenient = self.value('featureGates.KubeletInUserNamespace') is True or bool(self.process.unit)
        return not is_lenient and all(each.value('protectKernelDefaults') is True for each in self.following)
