# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads one kubelet: its command line, its config files, its service, and the files that these name.

Pure functions of `kubelet/` and `launch/` work out which files to read next from what was read before.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.acceptance import has_accepted_its_files, has_accepted_its_line
from datadog_checks.kubelet_compliance.kubelet.broken_files import broken_files
from datadog_checks.kubelet_compliance.kubelet.command_lines import (
    flags_of,
    narrow_command_lines,
    read_command_lines,
    read_next_lines,
)
from datadog_checks.kubelet_compliance.kubelet.declare import Known, is_refused, iter_needed, read_configurations
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.kubelet.pending import SELF_MADE
from datadog_checks.kubelet_compliance.kubelet.release import ALL, minor_of, within_tables
from datadog_checks.kubelet_compliance.launch.next_start import is_as_given, next_arguments, places_of, start_folder
from datadog_checks.kubelet_compliance.model import Evidence, Process, Unit, Unknown
from datadog_checks.kubelet_compliance.node.host import Host

from .history import History
from .launches import read_launch, starter_options
from .named_files import read_named_files, read_needed_files
from .services import read_unit_of, with_parent_times

CGROUP_FIELD = 'kubeletCgroups'


class KubeletReader:
    """Reads the kubelets of a node, and compares them with earlier collections."""

    def __init__(self, host: Host, history: History) -> None:
        self.host = host
        self.history = history

    def read(self, process: Process, version: str | None = None) -> Kubelet | None:
        """One kubelet; None for one that only prints its help or version, or for a program that runs no kubelet.

        `version`: the version of the kubelet, if it is known already.
        """
        evidence = self.evidence_of(process)
        if evidence is None:
            return None
        minors = self.minors_of(process, version)
        lines = read_command_lines(evidence.arguments, minors, accepted=has_accepted_its_line(evidence))
        kubelet = Kubelet(evidence, lines)
        if kubelet.only_prints:
            return None
        evidence = self.history.with_content_times(read_named_files(self.host, evidence, kubelet.flags))
        if evidence.launch is None:
            evidence = self.with_unit(evidence)
        return self.with_moved_unit(self.with_readings(replace(kubelet, evidence=evidence)))

    def evidence_of(self, process: Process) -> Evidence | None:
        """The process, and how a program starts the kubelet inside it; None if the program starts none."""
        evidence = Evidence(process, age_seconds=self.history.program_age(process, self.host.age(process)))
        if not process.inside:
            return evidence
        service = read_unit_of(self.host, process)
        launch = read_launch(self.host, process, service.unit)
        return None if launch is None else replace(evidence, launch=launch, unit=service.unit, service=service.name)

    def with_unit(self, evidence: Evidence, kubelet_cgroups: str = '') -> Evidence:
        """The evidence with the systemd service that starts the kubelet."""
        process = evidence.process
        service = read_unit_of(self.host, process, kubelet_cgroups)
        unit = service.unit
        if isinstance(unit, Unit):
            unit = self.history.unit_with_content_times(process, unit)
        evidence = replace(evidence, unit=unit, service=service.name, places=places_of(unit))
        if isinstance(unit, Unit) and not is_as_given(evidence):
            # A file may have been removed since the start, which only the time of its folder shows.
            if not isinstance(unit.command, Unknown) or unit.command.refused:
                evidence = replace(evidence, unit=with_parent_times(self.host, process, unit))
        options = starter_options(self.host, process, unit, service.name)
        if options is None:
            return evidence
        return replace(evidence, places={**evidence.places, **options.places}, options=options.path)

    def with_moved_unit(self, kubelet: Kubelet) -> Kubelet:
        """The kubelet with its service, if its own configuration moved it out of the cgroup of that service."""
        cgroups = kubelet.readings[0].value(CGROUP_FIELD)
        evidence = kubelet.evidence
        if isinstance(evidence.unit, Unit) or evidence.launch is not None or not cgroups:
            return kubelet
        # The values stay the same, but the service shows where the flags are set.
        return self.with_readings(replace(kubelet, evidence=self.with_unit(evidence, str(cgroups))))

    def with_readings(self, kubelet: Kubelet) -> Kubelet:
        """The kubelet with its configuration, as the releases of its command lines read it."""
        evidence, lines, process = kubelet.evidence, kubelet.lines, kubelet.process
        record = self.history.of(process)
        running = kubelet.running if isinstance(kubelet.running, Configuration) else None
        known = Known(record.accepted, running, record.files_seen_as_started)
        readings = read_configurations(evidence, lines, known)
        needed = iter_needed(readings, lines, is_first_start=bool(process.unit))
        broken = broken_files(read_needed_files(self.host, process, needed))
        if broken:
            evidence = replace(evidence, broken=broken)
            readings = read_configurations(evidence, lines, known)
        self.history.add_accepted(process, readings, has_run=has_accepted_its_files(evidence))
        if not has_accepted_its_line(evidence) and any(is_refused(each) or not each.flags_known for each in readings):
            # This changes with time: a kubelet that has run for a minute has accepted its configuration.
            self.host.give_up()
        started = self.history.started_with(process, readings, SELF_MADE)
        return self.with_next_start(replace(kubelet, evidence=evidence, readings=readings, started=started), known)

    def with_next_start(self, kubelet: Kubelet, known: Known) -> Kubelet:
        """The kubelet with the configuration of its next start, if its service will pass other arguments."""
        evidence, before = kubelet.evidence, kubelet.flags
        arguments = next_arguments(evidence)
        if evidence.launch is not None or isinstance(arguments, Unknown):
            return replace(kubelet, next=None, coming=None)
        has_moved = self.will_start_elsewhere(evidence, before)
        if arguments == evidence.arguments and not has_moved:
            return replace(kubelet, next=None, coming=None)
        lines = read_next_lines(arguments, kubelet.minors, kubelet.lines)
        flags = flags_of(lines)
        evidence = replace(evidence, age_seconds=None, broken={})
        if has_moved or names_other_files(before, flags):
            folder = start_folder(evidence)
            evidence = read_named_files(self.host, replace(evidence, config=None, drop_ins=None), flags, folder)
        objections = (each for declared in kubelet.readings for each in declared.objections)
        known = replace(known, objections=known.objections | {replace(each, place='') for each in objections})
        coming = replace(evidence, process=replace(evidence.process, arguments=arguments))
        return replace(kubelet, next=read_configurations(evidence, lines, known), coming=coming)

    def will_start_elsewhere(self, evidence: Evidence, flags: Flags | Unknown) -> bool:
        """Whether relative paths will name other files at the next start, if the working directory is known."""
        process = evidence.process
        if isinstance(flags, Unknown) or process.unit:
            return False
        named = (flags.text('config'), flags.text('config-dir'))
        if not any(path and not path.startswith('/') for path in named):
            return False
        now = self.host.working_directory_of(process)
        return now is not None and posixpath.normpath(now) != posixpath.normpath(start_folder(evidence))

    def with_version(self, kubelet: Kubelet, version: str | None) -> Kubelet:
        """The kubelet as its version reads it. A running configuration shows which values the kubelet accepts."""
        evidence = kubelet.evidence
        minors = self.minors_of(kubelet.process, version)
        if version is not None and any(line.minors != minors for line in kubelet.lines):
            accepted = has_accepted_its_line(evidence)
            lines = narrow_command_lines(kubelet.lines, evidence.arguments, minors, accepted=accepted)
            return self.with_readings(replace(kubelet, lines=lines))
        has_answered = isinstance(kubelet.running, Configuration)
        return self.with_readings(kubelet) if has_answered and any(map(is_refused, kubelet.readings)) else kubelet

    def minors_of(self, process: Process, version: str | None) -> frozenset[int]:
        """The releases that a kubelet may be, by its version, else by what it has accepted."""
        minor = minor_of(version) if version is not None else None
        return self.history.of(process).minors or ALL if minor is None else frozenset({within_tables(minor)})


def names_other_files(before: Flags | Unknown, after: Flags | Unknown) -> bool:
    """Whether a new command line names other config files, or may do so."""
    if isinstance(before, Unknown) or isinstance(after, Unknown):
        return True
    return any(before.text(name) != after.text(name) for name in ('config', 'config-dir'))
