# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One pass over a node: find the kubelets, read what each was told, and have it judged. No deciding here."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from datadog_checks.kubelet_compliance.api.configz import Connection, KubeletApi
from datadog_checks.kubelet_compliance.kubelet.acceptance import has_accepted_its_files, has_accepted_its_line
from datadog_checks.kubelet_compliance.kubelet.command_lines import (
    narrow_command_lines,
    read_command_lines,
    read_next_lines,
)
from datadog_checks.kubelet_compliance.kubelet.declare import Known, is_refused, iter_needed, read_configurations
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.pending import SELF_MADE
from datadog_checks.kubelet_compliance.kubelet.release import ALL, minor_of, within_tables
from datadog_checks.kubelet_compliance.launch.next_start import is_as_given, next_arguments, places_of, start_folder
from datadog_checks.kubelet_compliance.model import (
    Evidence,
    KubeletReport,
    NodeReport,
    Process,
    Scan,
    Selection,
    Unit,
    Unknown,
)
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.reporting.report import problem_text
from datadog_checks.kubelet_compliance.rules.judge import judge_node

from .asking import NO_VERSION, Asking
from .history import Memory
from .kubelets import Kubelet, depends_on_version, flags_of, not_seen, report_on
from .launches import read_launch, starter_options
from .named_files import iter_broken, read
from .services import read_unit_of, with_parent_times


@dataclass(frozen=True, slots=True)
class Collection:
    """What one pass over a node came to."""

    node: NodeReport
    kubelets: tuple[KubeletReport, ...]
    selection: Selection
    version: str | None = None


class Collector:
    """Makes passes over a node, and keeps what is the same from one to the next."""

    def __init__(
        self,
        host: Host,
        selection: Selection,
        choose: Callable[[str | None], Selection | Unknown] | None = None,
        version: str | None = None,
    ) -> None:
        """`choose`: what is judged goes by the kubelet's version (None: not known) instead, where that has it.

        `version`: that of the kubelet, where it does not tell it itself.
        """
        self.version = version
        self.host = host
        self.selection = self.default = selection
        self.choose = choose
        self.memory = Memory()
        self.known: tuple[Process, ...] = ()
        self.ended: int | None = None
        """The process of the last kubelet, as long as no other one has been seen since."""
        self.asking = Asking(host, KubeletApi())
        self.last: Collection | None = None
        self.last_asked: object = None

    @property
    def api(self) -> KubeletApi:
        return self.asking.api

    def collect(self, connection: Connection | Unknown | None = None) -> Collection:
        """Judge the node. `connection`: how its kubelet is reached; None: it is not to be asked.

        The very same object as last time means that nothing changed, and so that nothing was read nor judged anew.
        """
        asked = connection.url if isinstance(connection, Connection) else connection
        is_unchanged = self.host.begin() and asked == self.last_asked and not self.api.has_to_ask()
        if self.last is not None and is_unchanged:
            return self.last
        self.last = None
        self.last, self.last_asked = self.look(connection), asked
        return self.last

    def look(self, connection: Connection | Unknown | None) -> Collection:
        scan = self.host.find_kubelets()
        lost = self.lost(scan)
        before = [process for process in self.known if process not in lost]
        self.known = (*scan.processes, *lost)
        self.memory.forget_all_but(self.known)
        self.asking.forget_all_but(self.known)
        kubelets = [self.look_at(process) for process in scan.processes]
        asked = self.asking.ask([kubelet for kubelet in kubelets if kubelet is not None], connection)
        version = self.version_of(asked, connection)
        if isinstance(version, Unknown) and self.version is not None:
            version = self.version
        asked = [replace(each, release=version) for each in self.by_version(asked, version)]
        reports = []
        for kubelet in asked:
            report = report_on(self.host, kubelet, self.selection, scan.names)
            is_running = self.host.is_running(kubelet.evidence.process)
            if is_running is not False:
                reports.append(report if is_running else not_seen(report.process, self.selection))
        if reports:
            self.ended = None
        elif before:
            self.ended = before[-1].pid
        if reports:
            reports += [not_seen(process, self.selection) for process in lost]
        self.host.expect(report.process for report in reports)
        because = '' if reports else self.why_none(scan, connection)
        node = replace(judge_node(reports, scan.doubtful, because), turned_away=scan.turned_away)
        told = version if isinstance(version, str) else None
        return Collection(node, tuple(reports), self.selection, told)

    def why_none(self, scan: Scan, connection: Connection | Unknown | None) -> str:
        """Why no kubelet was found. One that was known and ended is no mount that is missing, nor one turned away."""
        likely = scan.none_found_because or first_of(scan.turned_away)
        if not likely and isinstance(connection, Connection):
            likely = NONE_RUNS if self.host.shows_all_processes() else unseen(self.host.procfs)
        if likely and self.ended is not None:
            return f'the kubelet, process {self.ended}, ended, and no other one runs'
        return likely

    def lost(self, scan: Scan) -> tuple[Process, ...]:
        """The kubelets of the last look that this one shows neither to run nor to have ended."""
        found = {process.key for process in scan.processes}
        if not scan.doubtful:
            return ()
        return tuple(
            process for process in self.known if process.key not in found and self.host.is_running(process) is not False
        )

    def look_at(self, process: Process) -> Kubelet | None:
        """What a process was told; None for one that only prints its help or version, or holds no kubelet."""
        evidence = Evidence(process, age_seconds=self.memory.age_of(process, self.host.age(process)))
        if process.inside:
            service = read_unit_of(self.host, process)
            launch = read_launch(self.host, process, service.unit)
            if launch is None:
                return None
            evidence = replace(evidence, launch=launch, unit=service.unit, service=service.name)
        minors = self.minors_of(process, self.api.known_version(process))
        lines = read_command_lines(evidence.arguments, minors, accepted=has_accepted_its_line(evidence))
        flags = flags_of(lines)
        if all(line.flags is not None and line.flags.exits and not line.is_accepted for line in lines):
            return None
        evidence = self.memory.settle(read(self.host, evidence, flags))
        if evidence.launch is None:
            evidence = self.with_unit(evidence)
        kubelet = self.with_readings(Kubelet(evidence, lines, ()))
        cgroups = kubelet.readings[0].value(CGROUP_FIELD)
        if isinstance(evidence.unit, Unit) or evidence.launch is not None or not cgroups:
            return kubelet
        return self.with_readings(replace(kubelet, evidence=self.with_unit(kubelet.evidence, str(cgroups))))

    def with_unit(self, evidence: Evidence, kubelet_cgroups: str = '') -> Evidence:
        """The evidence with the systemd service that starts the kubelet."""
        process = evidence.process
        service = read_unit_of(self.host, process, kubelet_cgroups)
        unit = service.unit
        if isinstance(unit, Unit):
            unit = self.memory.settle_unit(process, unit)
        evidence = replace(evidence, unit=unit, service=service.name, places=places_of(unit))
        if isinstance(unit, Unit) and not is_as_given(evidence):
            is_told = not isinstance(unit.command, Unknown) or unit.command.refused
            evidence = replace(evidence, unit=with_parent_times(self.host, process, unit)) if is_told else evidence
        options = starter_options(self.host, process, unit, service.name)
        if options is None:
            return evidence
        return replace(evidence, places={**evidence.places, **options.places}, options=options.path)

    def with_readings(self, kubelet: Kubelet) -> Kubelet:
        """The kubelet with its configuration as it is read by the releases of its command lines."""
        evidence, lines, process = kubelet.evidence, kubelet.lines, kubelet.evidence.process
        running = kubelet.running if isinstance(kubelet.running, Configuration) else None
        known = Known(self.memory.objections_to(process), running, self.memory.has_seen_the_files_of(process))
        readings = read_configurations(evidence, lines, known)
        needed = iter_needed(readings, lines, is_first_start=bool(process.unit))
        broken = dict(iter_broken(self.host, process, needed))
        if broken:
            evidence = replace(evidence, broken=broken)
            readings = read_configurations(evidence, lines, known)
        self.memory.learn(process, readings, accepted=has_accepted_its_files(evidence))
        if not has_accepted_its_line(evidence) and any(is_refused(each) or not each.flags_known for each in readings):
            # Once it has run for long enough, it has shown that it takes this.
            self.host.give_up()
        started = self.memory.started(process, readings, SELF_MADE)
        return self.with_next_start(replace(kubelet, evidence=evidence, readings=readings, started=started), known)

    def with_next_start(self, kubelet: Kubelet, known: Known) -> Kubelet:
        """The kubelet with what its next start would run with, where its service passes it other arguments by then."""
        evidence = kubelet.evidence
        arguments = next_arguments(evidence)
        before = flags_of(kubelet.lines)
        if evidence.launch is not None or isinstance(arguments, Unknown):
            return replace(kubelet, next=None, coming=None)
        has_moved = self.will_start_elsewhere(evidence, before)
        if arguments == evidence.arguments and not has_moved:
            return replace(kubelet, next=None, coming=None)
        minors = frozenset(minor for line in kubelet.lines for minor in line.minors)
        lines = read_next_lines(arguments, minors, kubelet.lines)
        flags = flags_of(lines)
        evidence = replace(evidence, age_seconds=None, broken={})
        if (
            has_moved
            or isinstance(before, Unknown)
            or isinstance(flags, Unknown)
            or any(before.text(name) != flags.text(name) for name in ('config', 'config-dir'))
        ):
            folder = start_folder(evidence)
            evidence = read(self.host, replace(evidence, config=None, drop_ins=None), flags, folder)
        objections = (each for declared in kubelet.readings for each in declared.objections)
        known = replace(known, objections=known.objections | {replace(each, place='') for each in objections})
        coming = replace(evidence, process=replace(evidence.process, arguments=arguments))
        return replace(kubelet, next=read_configurations(evidence, lines, known), coming=coming)

    def will_start_elsewhere(self, evidence: Evidence, flags: Flags | Unknown) -> bool:
        """Whether relative paths will lead to other files, as far as the working directory can be seen."""
        process = evidence.process
        if isinstance(flags, Unknown) or process.unit:
            return False
        named = (flags.text('config'), flags.text('config-dir'))
        if not any(path and not path.startswith('/') for path in named):
            return False
        now = self.host.working_directory_of(process)
        return now is not None and posixpath.normpath(now) != posixpath.normpath(start_folder(evidence))

    def minors_of(self, process: Process, version: str | None) -> frozenset[int]:
        """The releases that a kubelet can be of, by its version, else by what it has accepted."""
        minor = minor_of(version) if version is not None else None
        return self.memory.minors_of(process) or ALL if minor is None else frozenset({within_tables(minor)})

    def version_of(self, kubelets: list[Kubelet], connection: Connection | Unknown | None) -> str | Unknown:
        """The version of the only kubelet, asked for where anything depends on it: `/metrics` is long."""
        if len(kubelets) != 1:
            return NO_VERSION
        (kubelet,) = kubelets
        told = self.api.known_version(kubelet.evidence.process)
        if told is not None:
            return told
        if self.choose is None and not depends_on_version(kubelet, self.selection):
            return NO_VERSION
        return self.asking.version(kubelet, connection)

    def by_version(self, kubelets: list[Kubelet], version: str | Unknown) -> list[Kubelet]:
        """What depends on the version: the benchmark, if it is to be chosen, and how the configuration is read."""
        if self.choose is not None:
            chosen = self.choose(None if isinstance(version, Unknown) else version)
            self.selection = self.default if isinstance(chosen, Unknown) else chosen
            why = next((each for each in (version, chosen) if isinstance(each, Unknown)), None)
            if why is not None:
                reason = f'judged by {self.selection.benchmark.name}, the default: {why.reason}'
                doubt = Unknown(reason, why.remedy)
                kubelets = [replace(kubelet, problems=(*kubelet.problems, doubt)) for kubelet in kubelets]
        return [self.told(kubelet, None if isinstance(version, Unknown) else version) for kubelet in kubelets]

    def told(self, kubelet: Kubelet, version: str | None) -> Kubelet:
        """The kubelet as its version reads its command line and its files, and with what it shows that it takes."""
        evidence = kubelet.evidence
        minors = self.minors_of(evidence.process, version)
        if version is not None and any(line.minors != minors for line in kubelet.lines):
            accepted = has_accepted_its_line(evidence)
            lines = narrow_command_lines(kubelet.lines, evidence.arguments, minors, accepted=accepted)
            return self.with_readings(replace(kubelet, lines=lines))
        has_answered = isinstance(kubelet.running, Configuration)
        return self.with_readings(kubelet) if has_answered and any(map(is_refused, kubelet.readings)) else kubelet


CGROUP_FIELD = 'kubeletCgroups'


def first_of(turned_away: Sequence[Unknown]) -> str:
    """The first process that an option would admit; '' where there is none."""
    admissible = [each for each in turned_away if each.remedy]
    if not admissible:
        return ''
    more = f' (and {len(admissible) - 1} more)' if len(admissible) > 1 else ''
    return f'no kubelet runs on this host, but {problem_text(admissible[0])}{more}'


def unseen(procfs: str) -> str:
    """What is said where the Agent knows how to reach a kubelet and there is no process of one."""
    return (
        f'no kubelet runs on this host, or {procfs} does not show it: if there is one, '
        'set hostPID: true or mount the /proc of the host'
    )


NONE_RUNS = 'no kubelet runs on this host: start it, or look at the log of its service'
"""What is said where `/proc` shows all processes of the host."""
