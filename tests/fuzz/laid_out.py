# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Lays out one large input, on disk where a node would have it there, and gives what is done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NoReturn

from datadog_checks.kubelet_compliance.api.configz import AskError, parse_configz, parse_version
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.model import Evidence, Finding, NodeReport, Process, Unknown, Verdict
from datadog_checks.kubelet_compliance.node.captured import CaptureError, parse_capture
from datadog_checks.kubelet_compliance.node.listeners import listeners_at
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.mount_table import mounts_of
from datadog_checks.kubelet_compliance.reporting.redact import redact_configz
from tests.support.nodes import HEAD, PID, declare, write_process

from .promises import SELECTION, check_reported, judged

CONFIG, DROP_INS = '/etc/kubelet.yaml', '/etc/kubelet.d'
UNIT = '/etc/systemd/system/kubelet.service'
HEADER = HEAD.encode()
IPTABLES = 'make_iptables_util_chains'


class Outcome(Enum):
    """What an input comes to."""

    JUDGED = 'judged: it was read to its end'
    REFUSED = 'unknown: the kubelet would not start with it'
    UNKNOWN = 'unknown: it was not read, or not believed'
    NONE = 'no kubelet was found'


Make = Callable[[], bytes]
Work = Callable[[], Outcome]
Prepare = Callable[[Path], Work]
"""Makes the input, below a folder where it needs files. The work that it gives can be done again and again."""


@dataclass(frozen=True)
class Bound:
    """An input at or beyond one of our bounds, and what it comes to."""

    name: str
    outcome: Outcome
    prepare: Prepare


def yaml(make: Make) -> Prepare:
    """The rest of a configuration file."""
    return lambda folder: on_node(folder, files={CONFIG: HEADER + make()})


def document(make: Make) -> Prepare:
    """A whole configuration file."""
    return lambda folder: on_node(folder, files={CONFIG: make()})


def drop_ins(*makes: Make, base: Make = bytes) -> Prepare:
    """The rest of each drop-in, and of the configuration file below them."""

    def prepare(folder: Path) -> Work:
        files = {f'{DROP_INS}/{number:05}.conf': HEADER + make() for number, make in enumerate(makes)}
        return on_node(folder, files={CONFIG: HEADER + base(), **files})

    return prepare


def flags(make: Callable[[], tuple[str, ...]]) -> Prepare:
    return lambda folder: on_node(folder, arguments=make())


def process(name: str, make: Make) -> Prepare:
    """A file of the kubelet's folder in /proc."""
    return lambda folder: on_node(folder, proc={name: make()})


def k3s(make: Make) -> Prepare:
    return lambda folder: on_node(
        folder, comm='k3s-server', program='k3s server', files={'/etc/rancher/k3s/config.yaml': make()}
    )


def microk8s(make: Make) -> Prepare:
    path = '/var/snap/microk8s/7/args/kubelet'
    return lambda folder: on_node(
        folder,
        comm='kubelite',
        program='/snap/microk8s/7/kubelite',
        arguments=(f'--kubelet-args-file={path}',),
        files={path: make()},
    )


def unit(make: Make, name: str = 'kubelet') -> Prepare:
    """The file of the systemd service."""
    cgroup = f'0::/system.slice/{name}.service\n'.encode()
    path = UNIT.replace('kubelet', name)
    return lambda folder: on_node(folder, files={path: make()}, proc={'cgroup': cgroup})


def unit_drop_ins(number: int, make: Make) -> Prepare:
    """So many drop-ins of the service, all the same."""
    service = {UNIT: b'[Service]\nExecStart=/usr/bin/kubelet\n'}
    return lambda folder: on_node(
        folder, files={**service, **{f'{UNIT}.d/{each:05}.conf': make() for each in range(number)}}
    )


def environment(make: Make) -> Prepare:
    """The environment file of the service, of which the kubelet gets `$A`."""
    service = b'[Service]\nEnvironmentFile=/etc/default/kubelet\nExecStart=/usr/bin/kubelet $A\n'
    return lambda folder: on_node(folder, files={UNIT: service, '/etc/default/kubelet': make()})


def kubelets(number: int, *arguments: str) -> Prepare:
    """Many kubelets of one kind, each reported by its own name."""

    def prepare(folder: Path) -> Work:
        work = on_node(folder, arguments=arguments, is_nested=True)
        for more in range(1, number):
            lay_out(folder, PID + more, 'kubelet', ('/usr/bin/kubelet', *arguments))
        return work

    return prepare


def on_node(
    folder: Path,
    *,
    comm: str = 'kubelet',
    program: str = '/usr/bin/kubelet',
    arguments: tuple[str, ...] = (),
    files: Mapping[str, bytes] | None = None,
    proc: Mapping[str, bytes] | None = None,
    is_nested: bool = False,
) -> Work:
    """A node with a kubelet whose command line names the files, if they are its own."""
    root = folder / 'root'
    root.mkdir()
    for path, data in (files or {}).items():
        place = root / path.lstrip('/')
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    named = [f'--config={CONFIG}'] if (root / CONFIG.lstrip('/')).exists() else []
    named += [f'--config-dir={DROP_INS}'] if (root / DROP_INS.lstrip('/')).exists() else []
    lay_out(folder, PID, comm, (program, *named, *arguments))
    for name, data in (proc or {}).items():
        place = folder / 'proc' / str(PID) / name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)

    def work() -> Outcome:
        collection = Collector(LiveHost(str(folder / 'proc')), SELECTION).collect()
        check_reported(collection.kubelets, collection.node, nested=is_nested)
        return outcome_of(collection.node)

    return work


def lay_out(folder: Path, pid: int, comm: str, line: tuple[str, ...]) -> None:
    write_process(folder / 'proc', pid, line, comm=comm, root=folder / 'root')


def outcome_of(node: NodeReport) -> Outcome:
    if not node.found:
        return Outcome.NONE
    is_refused = any(problem.refused for problem in node.problems)
    return Outcome.REFUSED if is_refused else outcome_of_finding(node.findings)


def outcome_of_finding(findings: tuple[Finding, ...]) -> Outcome:
    verdict = next(finding.verdict for finding in findings if finding.rule.key == IPTABLES)
    return Outcome.UNKNOWN if verdict is Verdict.UNKNOWN else Outcome.JUDGED


def configz(make: Make) -> Prepare:
    """An answer of /configz: without it, the command line of this kubelet leaves all unknown."""

    def prepare(folder: Path) -> Work:
        body = make()

        def work() -> Outcome:
            evidence = Evidence(Process(PID, 100, None))
            running: Configuration | Unknown
            try:
                running = parse_configz(body)
            except AskError as error:
                running = Unknown(error.why)
            report = judged(evidence, declare(evidence), running)
            check_reported([report])
            return outcome_of_finding(report.findings)

        return work

    return prepare


def metrics(make: Make) -> Prepare:
    return tried(make, parse_version, AskError)


def capture(make: Make) -> Prepare:
    return tried(make, lambda data: parse_capture(data).started_at(100), CaptureError)


def mountinfo(make: Make) -> Prepare:
    return tried(make, lambda data: mounts_of(data.decode()).get('/') or refuse(), LookupError)


def sockets(make: Make) -> Prepare:
    return tried(make, lambda data: listeners_at(data.decode(), '127.0.0.1', 10250) or refuse(), LookupError)


def redacted(make: Make) -> Prepare:
    """An answer of /configz on its way into a capture; what is not understood is left out whole."""
    return tried(make, lambda data: redact_configz(data) != b'{\n' or refuse(), LookupError)


def refuse() -> NoReturn:
    raise LookupError


def tried(make: Make, read: Callable[[bytes], object], refusal: type[Exception]) -> Prepare:
    def prepare(folder: Path) -> Work:
        data = make()

        def work() -> Outcome:
            try:
                read(data)
            except refusal:
                return Outcome.UNKNOWN
            return Outcome.JUDGED

        return work

    return prepare
