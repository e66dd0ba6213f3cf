# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The setting of each rule on one kubelet, from everything that was read of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.kubelet.pending import runs_with
from datadog_checks.kubelet_compliance.model import (
    NOT_ASKED,
    Benchmark,
    Declared,
    Fact,
    FileSubject,
    Rule,
    Selection,
    Setting,
    Unknown,
    Values,
)

from .all_rules import RULES_BY_KEY
from .file_sets import (
    FilesInUse,
    azure_json,
    client_ca_files,
    config_files,
    file_set_of,
    files_of_unit,
    kubeconfig_files,
)
from .homes import options_file, traits_of
from .in_effect import iter_in_effect
from .judge import holds
from .refused_changes import refusal_of_changes
from .resolve import FLAG_DECIDES, VERSION_DECIDES, agreed, resolve, resolve_files, running_values
from .serving_certificate import certificate_path, missing_certificate

CLIENT_CA_RULE = RULES_BY_KEY['client_ca_file']
NAMED_BY_FLAGS = frozenset({FileSubject.KUBECONFIG, FileSubject.CONFIG, FileSubject.CLIENT_CA})


def files_of(subject: FileSubject, kubelet: Kubelet) -> FilesInUse | Unknown:
    """The files of one subject that the kubelet uses, never a guess."""
    evidence, flags = kubelet.evidence, kubelet.flags
    match subject:
        case FileSubject.SERVICE:
            return files_of_unit(evidence.unit)
        case FileSubject.AZURE_JSON:
            return azure_json()
        case FileSubject.KUBECONFIG:
            return kubeconfig_files(flags)
        case FileSubject.CONFIG:
            return config_files(evidence, flags)
        case FileSubject.CLIENT_CA:
            return client_ca_files(setting_of(kubelet, CLIENT_CA_RULE, lambda values: values), flags)


def files_by_subject(kubelet: Kubelet, selection: Selection) -> dict[FileSubject, FilesInUse | Unknown]:
    """The files that the rules on files are about."""
    subjects = dict.fromkeys(rule.files for rule in selection.rules if rule.files is not None)
    return {subject: files_of(subject, kubelet) for subject in subjects}


def paths_to_examine(kubelet: Kubelet, selection: Selection) -> tuple[str, ...]:
    """The files whose mode and owner a rule is about, and the options file of the distribution."""
    in_use = files_by_subject(kubelet, selection).values()
    paths = [path for files in in_use if not isinstance(files, Unknown) for path in files.paths]
    options = options_file(traits_of(kubelet.evidence, kubelet.flags))
    return tuple(dict.fromkeys([*paths, *([options] if options else [])]))


def certificate_to_examine(kubelet: Kubelet, selection: Selection) -> str:
    """The serving certificate that a rule requires; '' for none."""
    return certificate_path(kubelet) if any(rule.needs_certificate for rule in selection.rules) else ''


def settings_by_rule(kubelet: Kubelet, selection: Selection) -> dict[str, Setting]:
    """The setting of each rule, by rule key. `evidence.statuses` has all of `paths_to_examine`."""
    evidence, statuses = kubelet.evidence, kubelet.evidence.statuses
    sets = {subject: file_set_of(files, statuses) for subject, files in files_by_subject(kubelet, selection).items()}
    settings: dict[str, Setting] = {}
    for rule in selection.rules:
        if rule.files is None or rule.aspect is None:
            settings[rule.key] = setting_with_defect(kubelet, rule, selection.benchmark_of(rule))
        else:
            launch = evidence.launch if rule.files in NAMED_BY_FLAGS else None
            settings[rule.key] = resolve_files(sets[rule.files], rule.aspect, launch)
    return settings


def setting_with_defect(kubelet: Kubelet, rule: Rule, benchmark: Benchmark) -> Setting:
    setting = setting_of(kubelet, rule, partial(holds, rule, benchmark=benchmark))
    defect = missing_certificate(kubelet) if rule.needs_certificate else None
    others = {name: kubelet.value(name) for name in rule.beside}
    refused = ''
    if rule.is_fix_unproven and is_broken(rule, setting, benchmark):
        uses_v1 = kubelet.process.uses_cgroup_v1
        refused = refusal_of_changes(rule, kubelet.following, benchmark, uses_cgroup_v1=uses_v1)
    return replace(setting, defect=defect, others=others, refused=refused) if others or defect or refused else setting


def setting_of(kubelet: Kubelet, rule: Rule, meaning: Callable[[Values], object]) -> Setting:
    """The setting of a rule, if all releases that the kubelet may be agree on it. `meaning`: see `agreed`."""

    def of(declared: Declared, shown: Configuration | Unknown) -> Setting:
        running = running_values(rule, shown, declared, kubelet.started, meaning=meaning)
        setting = resolve(declared, rule.fields, running, rule.beside)
        if isinstance(shown, Unknown) and shown not in (kubelet.running, NOT_ASKED):
            # The kubelet runs with a value that can't be judged, so it is not enough that the files are right.
            return replace(setting, doubt=setting.doubt or shown)
        return setting

    readings = [each for declared in kubelet.readings for each in iter_in_effect(rule, declared, kubelet.running)]
    own = agreed([of(*each) for each in readings], meaning, why_they_differ([declared for declared, _ in readings]))
    if kubelet.next is None:
        return own
    running = own.running if not isinstance(own.running, Unknown) else as_started(own)
    coming = [each for declared in kubelet.next for each, _ in iter_in_effect(rule, declared, NOT_ASKED)]
    following = [resolve(declared, rule.fields, running, rule.beside) for declared in coming]
    setting = agreed(following, meaning, why_they_differ(coming))
    if not isinstance(running, Unknown):
        return setting
    return replace(setting, changed=own.changed, doubt=setting.doubt or (None if own.changed else running))


def as_started(own: Setting) -> Values | Unknown:
    """What a kubelet runs with, by its own command line and files that did not change after the start."""
    if own.doubt is not None:
        return own.doubt
    if own.changed is not None:
        return Unknown(f'{own.changed} changed after the kubelet started')
    return own.declared


def why_they_differ(readings: Sequence[Declared]) -> Unknown:
    """Why there is more than one reading of a configuration."""
    return VERSION_DECIDES if len({declared.minors for declared in readings}) > 1 else FLAG_DECIDES


def depends_on_version(kubelet: Kubelet, selection: Selection) -> bool:
    """Whether the report depends on which of its possible releases the kubelet is."""
    for readings in filter(None, (kubelet.readings, kubelet.next)):
        unknown = {(declared.unknown, declared.flags_known) for declared in readings}
        behind = {declared.changed is not None and not runs_with(declared, kubelet.running) for declared in readings}
        if max(len(unknown), len(behind)) > 1 and why_they_differ(readings) is VERSION_DECIDES:
            return True
    judged = [rule for rule in selection.rules if rule.files is None]
    if any(rule.files is FileSubject.CLIENT_CA for rule in selection.rules):
        judged.append(CLIENT_CA_RULE)
    settings = (
        setting_of(kubelet, rule, partial(holds, rule, benchmark=selection.benchmark_of(rule))) for rule in judged
    )
    return any(VERSION_DECIDES in (setting.declared, setting.running) for setting in settings)


def is_broken(rule: Rule, setting: Setting, benchmark: Benchmark) -> bool:
    """Whether the declared or the running values break the rule."""
    return any(
        not isinstance(values, Unknown) and not holds(rule, values, benchmark)
        for values in (setting.declared, setting.running)
    )


def wanted_facts(settings: Mapping[str, Setting], selection: Selection) -> tuple[Fact, ...]:
    """The facts that the fixes of broken rules depend on. Nothing has to be read if no rule is broken."""
    broken = [rule for rule in selection.rules if is_broken(rule, settings[rule.key], selection.benchmark_of(rule))]
    return tuple(dict.fromkeys(each.fact for rule in broken for each in rule.preconditions(rule.fix)))
