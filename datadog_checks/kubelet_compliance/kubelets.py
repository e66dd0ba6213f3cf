# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One kubelet: all that was read of it, what its rules look at, and the report that this comes to."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from .at_rest import of_image, setting_of_image
from .command_lines import NOT_BELIEVED, CommandLine
from .declare import is_refused
from .decoding import Configuration
from .distributions import Traits, distribution_of, home_of
from .file_sets import files_of
from .flags import Flags
from .host import Host
from .judge import hinted, holds, judge
from .model import (
    Benchmark,
    Declared,
    DropIns,
    Evidence,
    File,
    FileSet,
    FileStatus,
    FileSubject,
    Home,
    KubeletReport,
    Missing,
    Process,
    Rule,
    Selection,
    Setting,
    Unknown,
    Unreadable,
    Value,
    Values,
)
from .next_start import next_start_of, next_start_problem
from .node_facts import Asked, kernel_problem, read_facts
from .pending import restart_pending
from .resolve import (
    CERTIFICATES,
    FLAG_DECIDES,
    NOT_ASKED,
    VERSION_DECIDES,
    agreed,
    resolve,
    resolve_files,
    running_values,
)
from .rules import RULES_BY_KEY
from .wording import shorten

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
    """The configuration that it is known to have started with."""
    next: tuple[Declared, ...] | None = None
    """What its next start would run with, as each release reads it; None where that has the same command line."""
    coming: Evidence | None = None
    """What `next` was read from."""

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


NAMING_FLAGS = ('config', 'config-dir', 'kubeconfig')


def report_on(host: Host, kubelet: Kubelet, selection: Selection, names: frozenset[str]) -> KubeletReport:
    evidence, readings = kubelet.evidence, kubelet.readings
    process, benchmark = evidence.process, selection.benchmark
    flags = flags_of(kubelet.lines)
    file_sets: dict[FileSubject, FileSet | Unknown] = {}
    settings: dict[str, Setting] = {}
    for rule in selection.rules:
        if rule.files is None or rule.aspect is None:
            setting = setting_of(kubelet, rule, partial(holds, rule, benchmark=benchmark))
            defect = missing_certificate(host, kubelet) if rule.needs_certificate else None
            setting = replace(setting, defect=defect) if defect is not None else setting
        else:
            if rule.files not in file_sets:
                client_ca = setting_of(kubelet, CLIENT_CA_RULE, lambda values: values)
                file_sets[rule.files] = files_of(rule.files, host, evidence, client_ca, flags)
            launch = evidence.launch if rule.files in NAMED_BY_FLAGS else None
            setting = resolve_files(file_sets[rule.files], rule.aspect, launch)
            if isinstance(setting.declared, Unknown):
                file_sets[rule.files] = setting.declared
        settings[rule.key] = setting_of_image(setting) if process.unit else setting
    broken = [rule for rule in selection.rules if is_broken(rule, settings[rule.key], benchmark)]
    asked = Asked(host, process, flags, kubelet.value)
    wanted = dict.fromkeys(each.fact for rule in broken for each in rule.preconditions(rule.fix))
    home = replace(home_on(host, evidence, flags), facts=read_facts(asked, wanted))
    seen = names if evidence.launch is None else frozenset()
    findings = [
        hinted(judge(rule, replace(settings[rule.key], home=home), benchmark), seen) for rule in selection.rules
    ]
    unseen_files = dict.fromkeys(files for files in file_sets.values() if isinstance(files, Unknown))
    next_start = next_start_problem(evidence)
    kernel = kernel_problem(host) if kubelet.refuses_kernel_settings else None
    at_next_start = filter(None, (next_start, kernel))
    problems = tuple(dict.fromkeys((*at_next_start, *problems_of(kubelet), *kubelet.problems, *unseen_files)))
    problems = tuple(map(of_image, problems)) if process.unit else problems
    name = str(readings[0].value('--hostname-override') or process.container or '')
    of_fields = [settings[rule.key] for rule in selection.rules if rule.fields]
    pending = restart_pending(process, kubelet.following, of_fields, kubelet.running)
    if kubelet.next is not None:
        pending = True
    elif pending is False and next_start is not None:
        pending = None
    return KubeletReport(process, tuple(findings), problems, pending, name, next_start_of(evidence))


def home_on(host: Host, evidence: Evidence, flags: Flags | Unknown) -> Home:
    """Where the settings of a kubelet are changed on its node."""
    traits = traits_of(evidence, flags)
    path = distribution_of(traits).options
    if path and not traits.options and isinstance(host.file_status(evidence.process, path), FileStatus):
        traits = replace(traits, options=path)
    folder = evidence.drop_ins
    files = [evidence.config, *(folder.files if isinstance(folder, DropIns) else ())]
    unread = [file.path for file in (evidence.config, folder) if isinstance(file, Unreadable)]
    return replace(
        home_of(traits),
        unread=' or '.join(map(shorten, unread)),
        json_files=frozenset(file.path for file in files if isinstance(file, File) and is_json(file)),
    )


def is_json(file: File) -> bool:
    return file.data.lstrip().startswith(b'{')


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
OWN_CERTIFICATE = 'kubelet-server-current.pem'
"""What the certificate manager calls the certificate that the cluster issued (client-go certificate_store.go)."""


def missing_certificate(host: Host, kubelet: Kubelet) -> Unknown | None:
    """Why a kubelet that asks the cluster for its serving certificate cannot serve; None where that is not seen."""
    process = kubelet.evidence.process
    is_asking = all(map(serves_nothing_else, kubelet.readings))
    if not is_asking or process.unit or kubelet.evidence.launch is not None:
        return None
    folder = str(kubelet.readings[0].value('--cert-dir') or CERTIFICATES)
    path = posixpath.join(folder, OWN_CERTIFICATE)
    if host.capture is not None and host.capture.kept_status(path) is None:
        return None
    return NO_CERTIFICATE if isinstance(host.file_status(process, path), Missing) else None


def serves_nothing_else(reading: Declared) -> bool:
    """Whether a kubelet asks the cluster for its serving certificate and has no pair of files to serve until then."""
    has_pair = all(map(reading.value, ('tlsCertFile', 'tlsPrivateKeyFile')))
    return reading.value('serverTLSBootstrap') is True and not has_pair


def traits_of(evidence: Evidence, flags: Flags | Unknown) -> Traits:
    process, launch = evidence.process, evidence.launch
    config, config_dir, kubeconfig = ('', '', '') if isinstance(flags, Unknown) else map(flags.text, NAMING_FLAGS)
    has_drop_ins = isinstance(evidence.drop_ins, DropIns) and not config
    return Traits(
        unit=evidence.service,
        program=process.program,
        config=config,
        config_dir=config_dir,
        kubeconfig=kubeconfig,
        inside=process.inside,
        is_contained=process.container is not None,
        pid=process.pid,
        has_config=isinstance(evidence.config, File),
        drop_ins=launch.drop_ins if launch is not None else config_dir if has_drop_ins else '',
        options=launch.path if launch is not None else evidence.options,
    )


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


def problems_of(kubelet: Kubelet) -> Iterator[Unknown]:
    """What keeps the configuration from being known, and what was not expected of one that runs."""
    readings, launch = kubelet.following, kubelet.evidence.launch
    unknown = [declared.unknown for declared in readings]
    if all(unknown):
        yield from filter(None, unknown[:1])
    elif any(unknown):
        yield next(
            Unknown(f'kubelets of some releases: {each.reason}', each.remedy) for each in unknown if each is not None
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
