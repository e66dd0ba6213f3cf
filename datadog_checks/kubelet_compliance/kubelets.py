# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One kubelet: all that was read of it, what its rules look at, and the report that this comes to."""

from __future__ import annotations

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
    Declared,
    DropIns,
    Evidence,
    Fault,
    File,
    FileSet,
    FileStatus,
    FileSubject,
    Finding,
    Home,
    KubeletReport,
    Process,
    Rule,
    Selection,
    Setting,
    Unknown,
    Values,
    Verdict,
)
from .next_start import next_start_of, next_start_problem
from .pending import restart_pending, runs_with
from .resolve import FLAG_DECIDES, NOT_ASKED, VERSION_DECIDES, agreed, resolve, resolve_files, running_values
from .rules import RULES_BY_KEY

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
    home = home_on(host, evidence, flags)
    file_sets: dict[FileSubject, FileSet | Unknown] = {}
    settings = []
    findings = []
    for rule in selection.rules:
        if rule.files is None or rule.aspect is None:
            setting = setting_of(kubelet, rule, partial(holds, rule, benchmark=benchmark))
            settings.append(setting)
        else:
            if rule.files not in file_sets:
                client_ca = setting_of(kubelet, CLIENT_CA_RULE, lambda values: values)
                file_sets[rule.files] = files_of(rule.files, host, evidence, client_ca, flags)
            launch = evidence.launch if rule.files in NAMED_BY_FLAGS else None
            setting = resolve_files(file_sets[rule.files], rule.aspect, launch)
            if isinstance(setting.declared, Unknown):
                file_sets[rule.files] = setting.declared
        setting = setting_of_image(setting) if process.unit else setting
        is_wrong = not isinstance(setting.declared, Unknown) and not holds(rule, setting.declared, benchmark)
        lacks = frozenset(iter_lacking(host, process, rule)) if is_wrong else frozenset()
        finding = judge(rule, replace(setting, home=replace(home, lacks=lacks)), benchmark)
        findings.append(hinted(finding, names if evidence.launch is None else frozenset()))
    unseen_files = dict.fromkeys(files for files in file_sets.values() if isinstance(files, Unknown))
    next_start = next_start_problem(evidence)
    at_next_start = () if next_start is None else (next_start,)
    unread = at_this_level((*problems_of(kubelet), *unseen_files), kubelet.problems)
    unasked = version_problem(kubelet, findings)
    problems = tuple(dict.fromkeys((*at_next_start, *kubelet.problems, *unread, *unasked)))
    problems = tuple(map(of_image, problems)) if process.unit else problems
    name = str(readings[0].value('--hostname-override') or process.container or '')
    pending = restart_pending(process, kubelet.following, settings, kubelet.running)
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
    return home_of(traits)


def iter_lacking(host: Host, process: Process, rule: Rule) -> Iterator[str]:
    """The files that the fix of a rule names and that are not seen on the node."""
    for _, value in rule.fix:
        if value.startswith('/') and not isinstance(host.file_status(process, value), FileStatus):
            yield value


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
        return resolve(declared, rule.fields, running)

    own = agreed([of(declared) for declared in kubelet.readings], meaning, why_they_differ(kubelet.readings))
    if kubelet.next is None:
        return own
    running = own.running if not isinstance(own.running, Unknown) else as_started(own)
    following = [resolve(declared, rule.fields, running) for declared in kubelet.next]
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
