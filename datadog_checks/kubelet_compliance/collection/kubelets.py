# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One kubelet: all that was read of it, what its rules look at, and the report that this comes to."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from datadog_checks.kubelet_compliance.kubelet.command_lines import NOT_BELIEVED, CommandLine
from datadog_checks.kubelet_compliance.kubelet.declare import is_refused
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.pending import SELF_MADE, restart_pending, runs_with
from datadog_checks.kubelet_compliance.launch.at_rest import of_image, setting_of_image
from datadog_checks.kubelet_compliance.launch.next_start import next_start_of, next_start_problem
from datadog_checks.kubelet_compliance.model import (
    Benchmark,
    Declared,
    Evidence,
    Fault,
    FileSet,
    FileStatus,
    FileSubject,
    Finding,
    KubeletReport,
    Missing,
    Process,
    Rule,
    Selection,
    Setting,
    Unknown,
    Value,
    Values,
    Verdict,
)
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.judge import hinted, holds, judge
from datadog_checks.kubelet_compliance.rules.resolve import (
    CERTIFICATES,
    FLAG_DECIDES,
    NOT_ASKED,
    VERSION_DECIDES,
    agreed,
    resolve,
    resolve_files,
    running_values,
)

from .file_sets import files_of
from .homes import NAMING_FLAGS, home_on
from .node_facts import Asked, kernel_problem, read_facts

NOT_SEEN_REMEDY = 'look at its files in /proc, and whether the Agent has file handles left'
CLIENT_CA_RULE = RULES_BY_KEY['client_ca_file']
NAMED_BY_FLAGS = frozenset({FileSubject.KUBECONFIG, FileSubject.CONFIG, FileSubject.CLIENT_CA})


@dataclass(frozen=True, slots=True)
class Kubelet:
    """One kubelet and all that is known of it before it is judged.

    `readings`: its configuration as each release that it can be of reads it, where that differs.
    """

    evidence: Evidence
    lines: tuple[CommandLine, ...]
    readings: tuple[Declared, ...]
    running: Configuration | Unknown = NOT_ASKED
    problems: tuple[Unknown, ...] = ()
    started: Declared | None = None
    """The configuration that it is known to have started with, as far as the fields of its own certificate go."""
    next: tuple[Declared, ...] | None = None
    """What its next start would run with, as each release reads it; None where that has the same command line."""
    coming: Evidence | None = None
    """What `next` was read from."""
    release: str | Unknown | None = None
    """Its version, or why that is not known; None: nothing was looked for yet."""

    @property
    def following(self) -> tuple[Declared, ...]:
        """What counts as the configuration of its next start."""
        return self.readings if self.next is None else self.next

    def value(self, path: str) -> Value:
        """What a field or flag would be at the next start, else what it is now; None where neither is known."""
        running = None if isinstance(self.running, Unknown) else self.running.get(path)
        return next((value for reading in self.following if (value := reading.value(path)) is not None), running)

    @property
    def refuses_kernel_settings(self) -> bool:
        """Whether its next start ends where the kernel's settings differ (`setupKernelTunables`)."""
        is_lenient = self.value('featureGates.KubeletInUserNamespace') is True or bool(self.evidence.process.unit)
        return not is_lenient and all(each.value('protectKernelDefaults') is True for each in self.following)


def flags_of(lines: Sequence[CommandLine]) -> Flags | Unknown:
    """The flags, as far as they say which files to read; Unknown where they are refused or can be read otherwise."""
    known = [line.flags for line in lines if line.flags is not None]
    if not known:
        return lines[0].unknown or NOT_BELIEVED
    if any(flags.text(name) != known[0].text(name) for flags in known for name in NAMING_FLAGS):
        return Unknown('an unknown kubelet flag decides which files the kubelet reads')
    return known[0]


def report_on(host: Host, kubelet: Kubelet, selection: Selection, names: frozenset[str]) -> KubeletReport:
    """Read what the rules ask for, then judge it. `names`: of processes that handle the traffic to services."""
    evidence, process, benchmark = kubelet.evidence, kubelet.evidence.process, selection.benchmark
    flags = flags_of(kubelet.lines)
    settings = settings_of(host, kubelet, selection, flags)
    broken = [rule for rule in selection.rules if is_broken(rule, settings[rule.key], benchmark)]
    wanted = dict.fromkeys(each.fact for rule in broken for each in rule.preconditions(rule.fix))
    facts = read_facts(Asked(host, process, flags, kubelet.value), wanted)
    home = replace(home_on(host, evidence, flags), facts=facts)
    kernel = kernel_problem(host) if kubelet.refuses_kernel_settings else None
    seen = names if evidence.launch is None else frozenset()
    findings = tuple(
        hinted(judge(rule, replace(settings[rule.key], home=home), benchmark), seen) for rule in selection.rules
    )
    next_start = next_start_problem(evidence)
    unseen_files = unread_files(selection, settings)
    unread = at_this_level((*problems_of(kubelet), *unseen_files), kubelet.problems)
    unasked = version_problem(kubelet, findings)
    problems = tuple(dict.fromkeys((*filter(None, (next_start, kernel)), *kubelet.problems, *unread, *unasked)))
    problems = tuple(map(of_image, problems)) if process.unit else problems
    name = str(kubelet.readings[0].value('--hostname-override') or process.container or '')
    of_fields = [settings[rule.key] for rule in selection.rules if rule.fields]
    pending = restart_pending(process, kubelet.following, of_fields, kubelet.running)
    if kubelet.next is not None:
        pending = True
    elif pending is False and next_start is not None:
        pending = None
    return KubeletReport(process, findings, problems, pending, name, next_start_of(evidence))


def settings_of(host: Host, kubelet: Kubelet, selection: Selection, flags: Flags | Unknown) -> dict[str, Setting]:
    """What each rule looks at, by its key."""
    evidence = kubelet.evidence
    file_sets: dict[FileSubject, FileSet | Unknown] = {}
    settings: dict[str, Setting] = {}
    for rule in selection.rules:
        if rule.files is None or rule.aspect is None:
            setting = setting_of(kubelet, rule, partial(holds, rule, benchmark=selection.benchmark))
            defect = missing_certificate(host, kubelet) if rule.needs_certificate else None
            others = {name: kubelet.value(name) for name in rule.beside}
            setting = replace(setting, defect=defect, others=others) if rule.beside or defect else setting
        else:
            if rule.files not in file_sets:
                client_ca = setting_of(kubelet, CLIENT_CA_RULE, lambda values: values)
                file_sets[rule.files] = files_of(rule.files, host, evidence, client_ca, flags)
            launch = evidence.launch if rule.files in NAMED_BY_FLAGS else None
            setting = resolve_files(file_sets[rule.files], rule.aspect, launch)
        settings[rule.key] = setting_of_image(setting) if evidence.process.unit else setting
    return settings


def unread_files(selection: Selection, settings: Mapping[str, Setting]) -> dict[Unknown, None]:
    """Why files could not be judged, each reason once."""
    declared = [settings[rule.key].declared for rule in selection.rules if rule.files is not None]
    return dict.fromkeys(each for each in declared if isinstance(each, Unknown))


def is_broken(rule: Rule, setting: Setting, benchmark: Benchmark) -> bool:
    """Whether the rule does not hold for what is declared, or for what runs."""
    return any(
        not isinstance(values, Unknown) and not holds(rule, values, benchmark)
        for values in (setting.declared, setting.running)
    )


NO_CERTIFICATE = Unknown(
    'the kubelet has no serving certificate yet, so kubectl logs and exec fail',
    'approve its request: kubectl get csr, then kubectl certificate approve NAME',
)
NO_ISSUER = Unknown(
    'the kubelet has no serving certificate, and no API server to ask for one',
    'set tlsCertFile and tlsPrivateKeyFile to files that you issue, and restart the kubelet',
)
OWN_CERTIFICATE = 'kubelet-server-current.pem'
"""What the certificate manager calls the certificate that the cluster issued (client-go certificate_store.go)."""


def missing_certificate(host: Host, kubelet: Kubelet) -> Unknown | None:
    """Why a kubelet that asks the cluster for its serving certificate cannot serve; None where that is not seen."""
    flags = flags_of(kubelet.lines)
    missing = NO_ISSUER if not isinstance(flags, Unknown) and not flags.text('kubeconfig') else NO_CERTIFICATE
    told = missing if isinstance(kubelet.running, Unknown) and kubelet.running.fault is Fault.NO_CERTIFICATE else None
    process = kubelet.evidence.process
    is_asking = all(map(serves_nothing_else, kubelet.readings))
    if not is_asking or process.unit or kubelet.evidence.launch is not None:
        return told
    folder = str(kubelet.readings[0].value('--cert-dir') or CERTIFICATES)
    path = posixpath.join(folder, OWN_CERTIFICATE)
    if not host.keeps_status(path):
        return told
    status = host.file_status(process, path)
    # The file tells of an approval before the kubelet is asked again.
    return None if isinstance(status, FileStatus) else missing if isinstance(status, Missing) else told


def serves_nothing_else(reading: Declared) -> bool:
    """Whether a kubelet asks the cluster for its serving certificate and has no pair of files to serve until then."""
    has_pair = all(map(reading.value, SELF_MADE))
    return reading.value('serverTLSBootstrap') is True and not has_pair


def setting_of(kubelet: Kubelet, rule: Rule, meaning: Callable[[Values], object]) -> Setting:
    """What the rule looks at, as far as all releases that the kubelet can be of agree. `meaning`: see `agreed`."""

    def of(declared: Declared) -> Setting:
        running = running_values(rule, kubelet.running, declared, kubelet.started, meaning=meaning)
        return resolve(declared, rule.fields, running, rule.beside)

    own = agreed([of(declared) for declared in kubelet.readings], meaning, why_they_differ(kubelet.readings))
    if kubelet.next is None:
        return own
    running = own.running if not isinstance(own.running, Unknown) else as_started(own)
    following = [resolve(declared, rule.fields, running, rule.beside) for declared in kubelet.next]
    setting = agreed(following, meaning, why_they_differ(kubelet.next))
    if not isinstance(running, Unknown):
        return setting
    return replace(setting, changed=own.changed, doubt=setting.doubt or (None if own.changed else running))


def depends_on_version(kubelet: Kubelet, selection: Selection) -> bool:
    """Whether the releases that a kubelet can be of read its configuration differently in what is said of it."""
    for readings in filter(None, (kubelet.readings, kubelet.next)):
        unknown = {(declared.unknown, declared.flags_known) for declared in readings}
        behind = {declared.changed is not None and not runs_with(declared, kubelet.running) for declared in readings}
        if max(len(unknown), len(behind)) > 1 and why_they_differ(readings) is VERSION_DECIDES:
            return True
    judged = [rule for rule in selection.rules if rule.files is None]
    if any(rule.files is FileSubject.CLIENT_CA for rule in selection.rules):
        judged.append(CLIENT_CA_RULE)
    settings = (setting_of(kubelet, rule, partial(holds, rule, benchmark=selection.benchmark)) for rule in judged)
    return any(VERSION_DECIDES in (setting.declared, setting.running) for setting in settings)


def as_started(own: Setting) -> Values | Unknown:
    """What a kubelet runs with by its own command line and the files that are as they were when it started."""
    if own.doubt is not None:
        return own.doubt
    if own.changed is not None:
        return Unknown(f'{own.changed} changed after the kubelet started')
    return own.declared


def why_they_differ(readings: Sequence[Declared]) -> Unknown:
    """Why a configuration can be read in more than one way."""
    return VERSION_DECIDES if len({declared.minors for declared in readings}) > 1 else FLAG_DECIDES


def at_this_level(unread: Sequence[Unknown], unanswered: Sequence[Unknown]) -> Iterator[Unknown]:
    """What of the files is worth a word: where there is no way to any of them, only that /configz gives no answer."""
    is_asked = any(problem.fault is not None for problem in unanswered)
    return (problem for problem in unread if not (is_asked and problem.fault is Fault.FILES_NOT_SHOWN))


def version_problem(kubelet: Kubelet, findings: Sequence[Finding]) -> Iterator[Unknown]:
    """Why the version is not known, where a rule is unknown without it."""
    if isinstance(kubelet.release, Unknown) and any(
        finding.verdict is Verdict.UNKNOWN and finding.setting.declared is VERSION_DECIDES for finding in findings
    ):
        yield kubelet.release


def problems_of(kubelet: Kubelet) -> Iterator[Unknown]:
    """What keeps the configuration from being known, and what was not expected of one that runs."""
    readings, launch = kubelet.following, kubelet.evidence.launch
    unknown = [declared.unknown for declared in readings]
    if all(unknown):
        yield from filter(None, unknown[:1])
    elif any(unknown):
        yield next(
            Unknown(f'kubelets of some releases: {each.reason}', each.remedy, fault=each.fault)
            for each in unknown
            if each is not None
        )
    elif launch is not None and launch.doubt is not None:
        yield launch.doubt
    objections = () if any(map(is_refused, readings)) else min((each.objections for each in readings), key=len)
    for objection in objections[:MAX_OBJECTIONS]:
        yield Unknown(f'{NOT_EXPECTED}: {objection}')


MAX_OBJECTIONS = 3
NOT_EXPECTED = 'the kubelet accepted its configuration, but this check expected it to be refused'


def not_seen(process: Process, selection: Selection) -> KubeletReport:
    """Of a kubelet that may still run but cannot be looked at: nothing of it is known."""
    why = Unknown(f'process {process.pid}, a kubelet, can no longer be looked at', NOT_SEEN_REMEDY)
    setting = Setting(why, None, NOT_ASKED)
    findings = tuple(judge(rule, setting, selection.benchmark) for rule in selection.rules)
    return KubeletReport(process, findings, (why,))
