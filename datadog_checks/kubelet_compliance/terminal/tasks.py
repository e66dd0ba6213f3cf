# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""From the options of the command to what it does: which node it reads, which rules, and what it asks the kubelet."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from datadog_checks.kubelet_compliance.api.configz import MAX_CONFIGZ_BYTES, Connection
from datadog_checks.kubelet_compliance.api.kept_configz import CannotUse, read_kept_answer
from datadog_checks.kubelet_compliance.api.replay import answers
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.collection.image import Image
from datadog_checks.kubelet_compliance.kubelet.release import minor_of
from datadog_checks.kubelet_compliance.model import Exemption, KubeletReport, Rule, Target, Unknown
from datadog_checks.kubelet_compliance.node.captured import CONFIGZ, NODE_FACTS, Capture, parse_capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.cgroups import SERVICE_NAME
from datadog_checks.kubelet_compliance.node.change_stamps import Trace
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.patient_host import PatientHost
from datadog_checks.kubelet_compliance.node.process_root import CannotRead, NotThere, Root
from datadog_checks.kubelet_compliance.node.processes import Admission, parse_users
from datadog_checks.kubelet_compliance.reporting.output import Output
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.custom_rules import CustomRuleError, custom_rules
from datadog_checks.kubelet_compliance.rules.exemptions import apply_exemptions, exempted
from datadog_checks.kubelet_compliance.rules.selection import chooser, select
from datadog_checks.kubelet_compliance.rules.upgrades import TargetError, parse_target

from . import agent_files
from .as_the_agent import ConfigError, Configured, Settings, check_of
from .screen import CannotAnswer
from .started import how_started


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
    """The folder of a captured node."""
    procfs: str | None = None
    """The /proc of this machine. None for a captured node and for an image."""

    def run(self) -> Output:
        collection = self.collector.collect(self.connection)
        today = datetime.now(timezone.utc).date()
        by_rule = {exemption.rule: exemption for exemption in self.exemptions}

        def with_exemptions(report: KubeletReport) -> KubeletReport:
            findings = (exempted(finding, by_rule.get(finding.rule.key), today) for finding in report.findings)
            return replace(report, findings=tuple(findings))

        return Output(
            apply_exemptions(collection.node, self.exemptions, today),
            [with_exemptions(report) for report in collection.kubelets],
            collection.selection.benchmark,
            self.collector.host.is_captured,
            self.options_from,
            self.configz_from,
            self.image,
            self.name,
            str(self.collector.target or ''),
            how_started([kubelet.process.pid for kubelet in collection.kubelets], self.procfs) if self.procfs else {},
        )


def task_of(options: argparse.Namespace) -> Task:
    """Raises SelectionError, AdmissionError, CaptureError, ConfigError, OSError, CannotAnswer."""
    if options.root is not None:
        return task_of_image(options)
    if options.unit is not None:
        raise CannotAnswer('--unit names the service that starts the kubelet of an image: add --root')
    goes_by_the_agent = not options.no_conf and (options.node is None or options.conf)
    settings = agent_files.settings() if goes_by_the_agent else Settings({}, {})
    found = configured_of(options, settings)
    if found is not None:
        return task_as_the_agent(options, settings, *found, configz_of(options))
    host = host_of(options, settings)
    kept = configz_of(options)
    collector = collector_of(options, host)
    connection = answers({'/configz': kept}) if kept is not None else None
    procfs = (options.procfs or agent_files.procfs(settings)) if options.node is None else None
    return Task(collector, connection, configz_from=options.configz, kept=kept, name=options.node or '', procfs=procfs)


NOT_OF_AN_IMAGE = ('node', 'capture', 'procfs', 'host_root', 'conf', 'configz', 'nested', 'allowed_users')
"""Options for a running machine."""


def task_of_image(options: argparse.Namespace) -> Task:
    """The task for an image, without processes and without the Agent. Raises SelectionError, CannotAnswer."""
    given = [f'--{name.replace("_", "-").replace("users", "user")}' for name in NOT_OF_AN_IMAGE if vars(options)[name]]
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
    return Task(collector_of(options, host), None, image=options.root)


def collector_of(options: argparse.Namespace, host: Host) -> Collector:
    """A collector of the rules that the options select. Raises SelectionError, CustomRuleError, ConfigError."""
    custom = custom_rules(rows_of(options))
    selection = select(options.benchmark, options.rules, custom=custom)
    by_version = chooser(options.benchmark, options.rules, custom)
    return Collector(host, selection, by_version, version_of(options), target_of(options))


def rows_of(options: argparse.Namespace) -> object:
    """The custom rules in the file of `--rules`, as YAML has them; None without one. Raises ConfigError."""
    return None if options.rules_file is None else agent_files.custom_rows(options.rules_file)


def rule_to_explain(options: argparse.Namespace) -> Rule:
    """A built-in rule, or a custom one from the file or from the Agent's configuration. Raises CannotAnswer."""
    key = options.explain
    if key in RULES_BY_KEY:
        return RULES_BY_KEY[key]
    try:
        rules = custom_rules(rows_of(options) or rows_of_the_agent(options))
    except (ConfigError, CustomRuleError) as error:
        raise CannotAnswer(str(error)) from None
    found = next((rule for rule in rules if rule.key == key), None)
    if found is None:
        known = ', '.join([*RULES_BY_KEY, *(rule.key for rule in rules)])
        raise CannotAnswer(f'unknown rule {key!r}; choose from: {known}')
    return found


def rows_of_the_agent(options: argparse.Namespace) -> object:
    """The custom rules in the Agent's configuration. Raises ConfigError."""
    found = None if options.no_conf else configured_of(options, agent_files.settings())
    return None if found is None else found[0].instance.get('custom_rules')


def task_as_the_agent(
    options: argparse.Namespace, settings: Settings, configured: Configured, path: str, kept: bytes | None
) -> Task:
    """The task of the check that the Agent runs on this machine. Raises ConfigError, OSError."""
    given = {
        'benchmark': options.benchmark,
        'rules': options.rules,
        'custom_rules': rows_of(options),
        'procfs_path': options.procfs or configured.instance.get('procfs_path') or agent_files.procfs(settings),
        'host_root': options.host_root,
        'allowed_users': options.allowed_users,
        'nested': options.nested or None,
    }
    instance = {**configured.instance, **{name: value for name, value in given.items() if value is not None}}
    check = check_of(replace(configured, instance=instance), agent_files.own_connection(settings))
    check.collector.version = version_of(options)
    check.collector.target = target_of(options)
    connection = answers({'/configz': kept}) if kept is not None else check.connection()
    count = f' (the first of {configured.instances} instances)' if configured.instances > 1 else ''
    source = options.configz or (connection.url if isinstance(connection, Connection) else None)
    procfs = None if check.collector.host.is_captured else instance['procfs_path']
    return Task(
        check.collector,
        connection,
        check.exemptions,
        f'{path}{count}',
        source,
        kept,
        name=options.node or '',
        procfs=procfs,
    )


def configured_of(options: argparse.Namespace, settings: Settings) -> tuple[Configured, str] | None:
    """The check's configuration of the Agent on this machine, and its path. Raises ConfigError."""
    if options.no_conf:
        return None
    if options.conf:
        return agent_files.configured_in(options.conf)
    return agent_files.configured(settings) if options.node is None else None


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
    """The host that the options select. Raises OSError, AdmissionError, CannotAnswer, CaptureError."""
    admission = Admission(parse_users(options.allowed_users), options.nested)
    node = options.node
    if node is None:
        return PatientHost(
            LiveHost(options.procfs or agent_files.procfs(settings), options.host_root, admission=admission)
        )
    if not os.path.isdir(os.path.join(node, 'proc')):
        raise NotADirectoryError(f'{node} is not a captured node: it has no folder proc')
    facts = kept_file(node, NODE_FACTS)
    capture = Capture() if facts is None else parse_capture(facts)
    return CapturedHost(os.path.join(node, 'proc'), node, admission=admission, capture=capture)


def configz_of(options: argparse.Namespace) -> bytes | None:
    """A saved response of /configz: from a file, or from a captured node. Raises CannotAnswer, ConfigError."""
    path = options.configz
    if path:
        data = agent_files.read_named(path, MAX_CONFIGZ_BYTES)
    elif options.node is None or (kept := kept_file(options.node, CONFIGZ)) is None:
        return None
    else:
        path, data = os.path.join(options.node, CONFIGZ), kept
    try:
        return read_kept_answer(data)
    except CannotUse as error:
        raise CannotAnswer(f'{path}: {error}') from None


def kept_file(node: str, name: str) -> bytes | None:
    """A file that the capture added to the node. None if it does not exist. Raises CannotAnswer."""
    try:
        with Root(node, trace=Trace()) as root:
            return root.read(f'/{name}').data
    except NotThere:
        return None
    except CannotRead as error:
        raise CannotAnswer(f'{os.path.join(node, name)}: {error}') from None
