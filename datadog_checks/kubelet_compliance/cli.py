# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The command `kubelet-compliance`: one collection on this machine, on a captured node, or on an image."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from .__about__ import __version__
from .api.configz import MAX_CONFIGZ_BYTES, Connection
from .api.kept_configz import CannotUse, read_kept_answer
from .api.replay import answers
from .capture.recorder import CannotCapture, record
from .capture.writer import write_node
from .collection.collect import Collector
from .collection.image import Image
from .kubelet.release import minor_of
from .model import Exemption, KubeletReport, Unknown
from .node.captured import CONFIGZ, NODE_FACTS, Capture, CaptureError, parse_capture
from .node.captured_host import CapturedHost
from .node.cgroups import SERVICE_NAME
from .node.change_stamps import Trace
from .node.host import Host
from .node.live_host import LINUX_ONLY, LiveHost
from .node.patient_host import PatientHost
from .node.process_root import CannotRead, NotThere, Root
from .node.processes import Admission, AdmissionError, parse_users
from .reporting.printing import (
    ALL_COMPLIANT,
    NOT_DETERMINED,
    Output,
    as_object,
    exit_status,
    iter_explanation,
    iter_lines,
)
from .reporting.report import printable
from .rules.all_rules import RULES_BY_KEY
from .rules.benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from .rules.exemptions import apply_exemptions, exempted
from .rules.selection import AUTO, SelectionError, chooser, select
from .terminal import agent_files
from .terminal.as_the_agent import ConfigError, Configured, Settings, check_of

EXIT_STATUS = (
    'exit status: 0 if all rules are compliant or exempted, 1 if a rule is non-compliant, 2 if a result is unknown, '
    'there is no kubelet, or an option is not valid'
)


class CannotAnswer(Exception):
    """The options don't go together, or the command can't read or write what they name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = parser().parse_args(arguments)
    try:
        text, status = run(options)
        write(text)
        return status
    except CannotAnswer as error:
        print(f'kubelet-compliance: {printable(str(error))}', file=sys.stderr)
        return NOT_DETERMINED


def write(text: str) -> None:
    """Raises CannotAnswer, so that a script does not take half the output for all of it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the terminal can't show must not end the command.
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        print(text, flush=True)
    except OSError as error:
        # Otherwise Python fails again when it flushes the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CannotAnswer(f'could not write the output: {error.strerror}') from None


def run(options: argparse.Namespace) -> tuple[str, int]:
    """The text to print, and the exit status. Raises CannotAnswer."""
    if options.explain:
        return '\n'.join(iter_explanation(RULES_BY_KEY[options.explain])), ALL_COMPLIANT
    if not sys.platform.startswith('linux'):
        raise CannotAnswer(LINUX_ONLY)
    try:
        task = task_of(options)
    except (SelectionError, AdmissionError, CaptureError, ConfigError, OSError) as error:
        raise CannotAnswer(str(error)) from None
    if options.capture:
        return capture(task, options), ALL_COMPLIANT
    found = task.run()
    text = json.dumps(as_object(found), indent=2) if options.json else '\n'.join(iter_lines(found))
    return text, exit_status(found.node)


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
    benchmark = options.benchmark or DEFAULT_BENCHMARK
    by_version = chooser(options.rules) if benchmark == AUTO else None
    collector = Collector(host, select(benchmark, options.rules), by_version, version_of(options))
    connection = answers({'/configz': kept}) if kept is not None else None
    return Task(collector, connection, configz_from=options.configz, kept=kept)


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
    version = version_of(options)
    benchmark = options.benchmark or DEFAULT_BENCHMARK
    by_version = chooser(options.rules) if benchmark == AUTO else None
    return Task(Collector(host, select(benchmark, options.rules), by_version, version), None, image=options.root)


def task_as_the_agent(
    options: argparse.Namespace, settings: Settings, configured: Configured, path: str, kept: bytes | None
) -> Task:
    """The task of the check that the Agent runs on this machine. Raises ConfigError, OSError."""
    given = {
        'benchmark': options.benchmark,
        'rules': options.rules,
        'procfs_path': options.procfs or configured.instance.get('procfs_path') or agent_files.procfs(settings),
        'host_root': options.host_root,
        'allowed_users': options.allowed_users,
        'nested': options.nested or None,
    }
    instance = {**configured.instance, **{name: value for name, value in given.items() if value is not None}}
    check = check_of(replace(configured, instance=instance), agent_files.own_connection(settings))
    check.collector.version = version_of(options)
    connection = answers({'/configz': kept}) if kept is not None else check.connection()
    count = f' (the first of {configured.instances} instances)' if configured.instances > 1 else ''
    source = options.configz or (connection.url if isinstance(connection, Connection) else None)
    return Task(check.collector, connection, check.exemptions, f'{path}{count}', source, kept)


def configured_of(options: argparse.Namespace, settings: Settings) -> tuple[Configured, str] | None:
    """The check's configuration of the Agent on this machine, and its path. Raises ConfigError."""
    if options.no_conf:
        return None
    if options.conf:
        return agent_files.configured_in(options.conf)
    return agent_files.configured(settings) if options.node is None else None


def version_of(options: argparse.Namespace) -> str | None:
    """Raises CannotAnswer."""
    version: str | None = options.kubelet_version
    if version is not None and minor_of(version) is None:
        raise CannotAnswer(f'--kubelet-version {version}: specify a version such as 1.33 or v1.33.4')
    return version


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='kubelet-compliance',
        description='Check the actual configuration of the kubelet on this machine against a CIS benchmark.',
        epilog=EXIT_STATUS,
    )
    parser.add_argument(
        '--root', metavar='DIR', help='evaluate an image: the root file system of a machine before it runs'
    )
    parser.add_argument(
        '--unit',
        metavar='NAME',
        help='the service that starts the kubelet in --root (default: the services of known distributions)',
    )
    parser.add_argument('--node', metavar='DIR', help='evaluate a captured node: a folder with proc/ and files')
    parser.add_argument('--capture', metavar='DIR', help='write this node to a new folder, without secrets, for --node')
    parser.add_argument('--configz', metavar='FILE', help='a saved response of /configz (kubectl get --raw ...)')
    parser.add_argument(
        '--conf',
        metavar='FILE',
        help="the config file of the check (default: the one in the Agent's conf.d, if any)",
    )
    parser.add_argument(
        '--no-conf', action='store_true', help="ignore the Agent's configuration, and don't request /configz"
    )
    parser.add_argument(
        '--kubelet-version',
        metavar='VERSION',
        help='the version of the kubelet, such as 1.33, if the kubelet does not report it',
    )
    parser.add_argument('--json', action='store_true', help='print JSON for machines')
    parser.add_argument('--benchmark', help=f'one of: {AUTO}, {", ".join(BENCHMARKS)} (default: {DEFAULT_BENCHMARK})')
    parser.add_argument(
        '--rule',
        action='append',
        dest='rules',
        metavar='RULE',
        help='evaluate only this rule, or the group settings or files; repeatable',
    )
    parser.add_argument(
        '--procfs',
        metavar='DIR',
        help="the /proc to use (default: the Agent's, which is /host/proc in its container)",
    )
    parser.add_argument('--host-root', metavar='DIR', help="where the host's root file system is mounted")
    parser.add_argument(
        '--nested', action='store_true', help='include kubelets in their own PID namespaces (kind, k3d)'
    )
    parser.add_argument(
        '--allowed-user',
        action='append',
        dest='allowed_users',
        metavar='USER',
        help='a user that may run the kubelet: root (default) or a numeric ID; repeatable',
    )
    parser.add_argument(
        '--explain', metavar='RULE', choices=RULES_BY_KEY, help='explain a rule: reason, impact, and fix'
    )
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    return parser


def capture(task: Task, options: argparse.Namespace) -> str:
    """Write this node, in its current state, to a new folder. Raises CannotAnswer."""
    try:
        image = record(task.collector.host, task.collector.selection, task.kept)
        write_node(options.capture, image.files, image.links, seal=NODE_FACTS)
    except FileExistsError:
        raise CannotAnswer(f'{options.capture} exists: specify a new folder') from None
    except (CannotCapture, OSError, ValueError) as error:
        raise CannotAnswer(str(error)) from None
    return f'{options.capture}: {len(image.files)} files. Review them before you share them.'


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
