# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""From the options of the command to what it does: which node it reads, which rules, and what it asks the kubelet."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from datadog_checks.kubelet_compliance.api.configz import MAX_CONFIGZ_BYTES, Connection
from datadog_checks.kubelet_compliance.api.kept_configz import CannotUse, read_kept_answer
from datadog_checks.kubelet_compliance.api.replay import answers
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.collection.image import Image
from datadog_checks.kubelet_compliance.kubelet.release import minor_of
from datadog_checks.kubelet_compliance.model import Exemption, KubeletReport, Rule, Target, Unknown
from datadog_checks.kubelet_compliance.node.cgroups import SERVICE_NAME
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.patient_host import PatientHost
from datadog_checks.kubelet_compliance.node.process_root import CannotRead
from datadog_checks.kubelet_compliance.node.processes import Admission, parse_users
from datadog_checks.kubelet_compliance.reporting.output import Output
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.custom_rules import CustomRuleError, custom_rules
from datadog_checks.kubelet_compliance.rules.exemptions import apply_exemptions, exempted
from datadog_checks.kubelet_compliance.rules.selection import RULE_NUMBER, SelectionError, chooser, select
from datadog_checks.kubelet_compliance.rules.upgrades import TargetError, parse_target

from . import agent_files
from .as_the_agent import ConfigError, Configured, Settings, check_of
from .screen import CannotAnswer
from .started import how_started

if TYPE_CHECKING:
    from datadog_checks.kubelet_compliance.check import KubeletComplianceCheck


@dataclass(frozen=True, slots=True)
class Task:
    """What to do: collect from a node, with a connection to its kubelet and exemptions."""

    collector: Collector
    connection: Connection | Unknown | None
    exemptions: Sequence[Exemption] = ()
    options_from: str | None = None
    configz_from: str | None = None
    kept: bytes | None = None
    """The saved response of /configz."""
    image: str | None = None
    """The root file system of a machine image."""
    name: str = ''
    """The name of a captured node."""
    folder: str = ''
    """The folder of a machine image or of a captured node."""
    procfs: str | None = None
    """The /proc of this machine. None for a captured node and for an image."""

    def run(self) -> Output:
        collection = self.collector.collect(self.connection)
        today = datetime.now(timezone.utc).date()
        by_rule = {exemption.rule: exemption for exemption in self.exemptions}

        def with_exemptions(report: KubeletReport) -> KubeletReport:
            findings = (exempted(finding, by_rule.get(finding.rule.key), today) for finding in report.findings)
            return replace(report, findings=tuple(findings))

        pids = [kubelet.process.pid for kubelet in collection.kubelets]
        return Output(
            node=apply_exemptions(collection.node, self.exemptions, today),
            kubelets=[with_exemptions(report) for report in collection.kubelets],
            benchmark=collection.selection.benchmark,
            captured=self.collector.host.is_captured,
            options_from=self.options_from,
            configz_from=self.configz_from,
            image=self.image,
            name=self.name,
            for_version=str(self.collector.target or ''),
            starts=how_started(pids, self.procfs) if self.procfs else {},
            folder=self.folder,
        )


def task_of(options: argparse.Namespace) -> Task:
    """The task for this machine, or for an image.

    Raises SelectionError, CustomRuleError, AdmissionError, ConfigError, OSError, CannotAnswer.
    """
    if options.root is not None:
        return task_of_image(options)
    refuse_unit(options)
    settings = Settings({}, {}) if options.no_conf else agent_files.settings()
    found = configured_of(options, settings)
    if found is not None:
        return task_as_the_agent(options, settings, *found, configz_of(options))
    host = host_of(options, settings)
    kept = configz_of(options)
    collector = collectors_of(options)(host)
    connection = answers({'/configz': kept}) if kept is not None else None
    procfs = options.procfs or agent_files.procfs(settings)
    return Task(collector, connection, configz_from=options.configz, kept=kept, procfs=procfs)


def refuse_unit(options: argparse.Namespace) -> None:
    """Raise CannotAnswer for `--unit` without `--root`."""
    if options.unit is not None:
        raise CannotAnswer('--unit names the service that starts the kubelet of an image: add --root')


NOT_OF_AN_IMAGE = {
    '--node': 'nodes',
    '--capture': 'capture',
    '--procfs': 'procfs',
    '--host-root': 'host_root',
    '--conf': 'conf',
    '--configz': 'configz',
    '--nested': 'nested',
    '--allowed-user': 'allowed_users',
}
"""Options for a running machine, and the names of their values."""


def task_of_image(options: argparse.Namespace) -> Task:
    """The task for an image, without processes and without the Agent. Raises SelectionError, CannotAnswer."""
    given = [option for option, name in NOT_OF_AN_IMAGE.items() if vars(options)[name]]
    if given:
        raise CannotAnswer(f"--root evaluates a machine that is not running, so you can't combine it with {given[0]}")
    unit: str | None = options.unit
    if unit is not None:
        unit = unit if unit.endswith('.service') else f'{unit}.service'
        if SERVICE_NAME.fullmatch(unit) is None:
            raise CannotAnswer(f'--unit {options.unit}: it is not the name of a service')
    try:
        host = Image(options.root, unit)
    except CannotRead as error:
        raise CannotAnswer(f'--root {options.root}: {error}') from None
    return Task(collectors_of(options)(host), None, image=options.root, folder=options.root)


def collectors_of(options: argparse.Namespace) -> Callable[[Host], Collector]:
    """What makes a collector of the rules that the options select, for any host.

    Raises SelectionError, CustomRuleError, ConfigError, CannotAnswer.
    """
    custom = custom_rules(rows_of(options))
    selection = select(options.benchmark, options.rules, custom=custom)
    choose, version, target = chooser(options.benchmark, options.rules, custom), version_of(options), target_of(options)
    return lambda host: Collector(host, selection, choose, version, target)


def rows_of(options: argparse.Namespace) -> Sequence[Any] | None:
    """The custom rules in the file of `--rules`, as YAML has them. Raises ConfigError, CannotAnswer."""
    path = options.rules_file
    if path is None:
        return None
    rows = agent_files.custom_rows(path)
    try:
        custom_rules(rows)
    except CustomRuleError as error:
        raise CannotAnswer(f'{path}: {error}') from None
    return rows


def rule_to_explain(options: argparse.Namespace) -> Rule:
    """A built-in rule, or a custom one from the file or from the Agent's configuration. Raises CannotAnswer."""
    key = rule_key_of(options.explain, options.benchmark)
    if key in RULES_BY_KEY:
        return RULES_BY_KEY[key]
    try:
        rules = custom_rules(with_more_rows(rows_of_the_agent(options), rows_of(options)))
    except (ConfigError, CustomRuleError) as error:
        raise CannotAnswer(str(error)) from None
    found = next((rule for rule in rules if rule.key == key), None)
    if found is None:
        known = ', '.join([*RULES_BY_KEY, *(rule.key for rule in rules)])
        raise CannotAnswer(f'unknown rule {key!r}; choose from: {known}')
    return found


def with_more_rows(rows: object, more: Sequence[Any] | None) -> object:
    """The custom rules of the Agent with those of a file, which replace rules with the same key."""
    if more is None or not isinstance(rows, list):
        return rows if more is None else more
    replaced = [row.get('key') for row in more if isinstance(row, dict)]
    return [*(row for row in rows if not (isinstance(row, dict) and row.get('key') in replaced)), *more]


def rule_key_of(name: str, benchmark: str | None) -> str:
    """The key of a rule that is named by its key, or by its number in the benchmark. Raises CannotAnswer."""
    try:
        return name if RULE_NUMBER.fullmatch(name) is None else select(benchmark, [name]).rules[0].key
    except SelectionError as error:
        raise CannotAnswer(str(error)) from None


def rows_of_the_agent(options: argparse.Namespace) -> object:
    """The custom rules in the Agent's configuration. Raises ConfigError."""
    found = None if options.no_conf else configured_of(options, agent_files.settings())
    return None if found is None else found[0].instance.get('custom_rules')


def task_as_the_agent(
    options: argparse.Namespace, settings: Settings, configured: Configured, path: str, kept: bytes | None
) -> Task:
    """The task of the check that the Agent runs on this machine. Raises ConfigError, OSError."""
    check = check_with(options, settings, configured)
    connection = answers({'/configz': kept}) if kept is not None else check.connection()
    source = options.configz or (connection.url if isinstance(connection, Connection) else None)
    procfs = check.config.procfs_path
    options_from = where_configured(configured, path)
    return Task(check.collector, connection, check.exemptions, options_from, source, kept, procfs=procfs)


def check_with(options: argparse.Namespace, settings: Settings, configured: Configured) -> KubeletComplianceCheck:
    """The check as an instance configures it, with the options in place of those of the instance.

    Raises ConfigError, OSError, CannotAnswer.
    """
    given = {
        'benchmark': options.benchmark,
        'rules': options.rules,
        'custom_rules': with_more_rows(configured.instance.get('custom_rules'), rows_of(options)),
        'procfs_path': options.procfs or configured.instance.get('procfs_path') or agent_files.procfs(settings),
        'host_root': options.host_root,
        'allowed_users': options.allowed_users,
        'nested': options.nested or None,
    }
    instance = {**configured.instance, **{name: value for name, value in given.items() if value is not None}}
    check = check_of(replace(configured, instance=instance), agent_files.own_connection(settings))
    check.collector.version = version_of(options)
    check.collector.target = target_of(options)
    return check


def where_configured(configured: Configured, path: str) -> str:
    """Where the options come from, for a person."""
    return f'{path} (the first of {configured.instances} instances)' if configured.instances > 1 else path


def configured_of(options: argparse.Namespace, settings: Settings) -> tuple[Configured, str] | None:
    """The check's configuration of the Agent on this machine, and its path. Raises ConfigError."""
    if options.no_conf:
        return None
    return agent_files.configured_in(options.conf) if options.conf else agent_files.configured(settings)


def target_of(options: argparse.Namespace) -> Target | None:
    """Raises CannotAnswer."""
    if options.cgroup_version is not None and options.for_version is None:
        raise CannotAnswer('--cgroup-version is about an upgrade: add --for-version')
    try:
        return parse_target(options.for_version, options.cgroup_version, option='--for-version')
    except TargetError as error:
        raise CannotAnswer(str(error)) from None


def version_of(options: argparse.Namespace) -> str | None:
    """Raises CannotAnswer."""
    version: str | None = options.kubelet_version
    if version is not None and minor_of(version) is None:
        raise CannotAnswer(f'--kubelet-version {version}: specify a version such as 1.33 or v1.33.4')
    return version


def host_of(options: argparse.Namespace, settings: Settings) -> Host:
    """This machine. Raises OSError, AdmissionError."""
    admission = Admission(parse_users(options.allowed_users), options.nested)
    return PatientHost(LiveHost(options.procfs or agent_files.procfs(settings), options.host_root, admission=admission))


def configz_of(options: argparse.Namespace) -> bytes | None:
    """The saved response of /configz that the options name, if any. Raises CannotAnswer, ConfigError."""
    path = options.configz
    if not path:
        return None
    try:
        return read_kept_answer(agent_files.read_named(path, MAX_CONFIGZ_BYTES))
    except CannotUse as error:
        raise CannotAnswer(f'{path}: {error}') from None
