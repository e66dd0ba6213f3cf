# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One pass over a node: find the kubelets, read what each was told, and have it judged. No deciding here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from .configz import Connection, KubeletApi
from .decoding import Configuration
from .flags import FlagError, Flags, parse_flags
from .host import Host
from .judge import judge, judge_node, restart_pending
from .memory import Memory
from .model import (
    Declared,
    DropIns,
    Evidence,
    FileSet,
    FileStatus,
    FileSubject,
    KubeletReport,
    Missing,
    NodeReport,
    Process,
    Selection,
    Source,
    Unknown,
    Unreadable,
)
from .resolve import NOT_ASKED, declare, resolve, resolve_files, running_values

CLIENT_CA_FIELD = 'authentication.x509.clientCAFile'
AZURE_JSON = '/etc/kubernetes/azure.json'


@dataclass(frozen=True, slots=True)
class Kubelet:
    """One kubelet and all that is known of it before it is judged."""

    evidence: Evidence
    flags: Flags | None
    declared: Declared
    running: Configuration | Unknown = NOT_ASKED
    problems: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """What one pass over a node came to. `turned_away`: processes that only bear the name, in words."""

    node: NodeReport
    kubelets: tuple[KubeletReport, ...]
    turned_away: tuple[str, ...] = ()
    version: str | None = None


class Collector:
    """Makes passes over a node, and keeps what is the same from one to the next."""

    def __init__(self, host: Host, selection: Selection) -> None:
        self.host = host
        self.selection = selection
        self.memory = Memory()
        self.api = KubeletApi()

    def collect(self, connection: Connection | Unknown | None = None) -> Collection:
        """Judge the node. `connection`: how its kubelet is reached; None: it is not to be asked."""
        scan = self.host.find_kubelets()
        self.memory.forget_all_but(scan.processes)
        self.api.forget_all_but(scan.processes)
        kubelets = [self.look_at(process) for process in scan.processes]
        asked = self.ask([kubelet for kubelet in kubelets if kubelet is not None], connection)
        reports = []
        for kubelet in asked:
            report = report_on(self.host, kubelet, self.selection)
            if self.host.is_running(kubelet.evidence.process):
                reports.append(report)
        doubts = scan.doubtful or (unseen(self.host.procfs) if not asked and isinstance(connection, Connection) else ())
        version = self.version([kubelet.evidence.process for kubelet in asked], connection)
        return Collection(judge_node(reports, doubts), tuple(reports), scan.turned_away, version)

    def look_at(self, process: Process) -> Kubelet | None:
        """What a process was told; None for one that only prints its help or version."""
        flags = flags_of(process)
        if flags is not None and flags.exits:
            return None
        evidence = self.memory.settle(read(self.host, process, flags))
        return Kubelet(evidence, flags, declare(evidence))

    def ask(self, kubelets: list[Kubelet], connection: Connection | Unknown | None) -> list[Kubelet]:
        """Add what runs, for the one kubelet that the connection leads to."""
        if connection is None or not kubelets:
            return kubelets
        if isinstance(connection, Unknown):
            return [replace(kubelet, problems=(connection,)) for kubelet in kubelets]
        owner = self.owner_of(kubelets, connection.url)
        if isinstance(owner, Unknown):
            return [replace(kubelet, problems=(owner,)) for kubelet in kubelets]
        running = self.api.running(owner.evidence.process, connection)
        problems = (running,) if isinstance(running, Unknown) else ()
        answered = replace(owner, running=running, problems=problems)
        return [answered if kubelet is owner else kubelet for kubelet in kubelets]

    def owner_of(self, kubelets: list[Kubelet], url: str) -> Kubelet | Unknown:
        """The kubelet that an answer from the URL belongs to: the only one, or the only one that listens there."""
        if len(kubelets) == 1:
            return kubelets[0]
        host, port = address_of(url)
        declared = [kubelet for kubelet in kubelets if declares(kubelet.declared, host, port)]
        if len(declared) == 1:
            return declared[0]
        listening = [kubelet for kubelet in kubelets if self.host.listens(kubelet.evidence.process, port)]
        if len(listening) == 1:
            return listening[0]
        return Unknown(f'{len(kubelets)} kubelets run here, and which of them answers at port {port} cannot be told')

    def version(self, processes: list[Process], connection: Connection | Unknown | None) -> str | None:
        """The version of the kubelet, where there is one and it tells."""
        if len(processes) != 1 or not isinstance(connection, Connection):
            return None
        version = self.api.version(processes[0], connection)
        return None if isinstance(version, Unknown) else version


def unseen(procfs: str) -> tuple[Unknown, ...]:
    """The Agent knows of a kubelet here, and there is no process: most likely it is hidden from us."""
    return (
        Unknown(
            f'there is a kubelet on this node, but {procfs} shows no process of it',
            'set hostPID: true or mount the /proc of the host (a kubelet inside k3s or MicroK8s has no process)',
        ),
    )


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or '', parts.port or (443 if parts.scheme == 'https' else 80)


def declares(declared: Declared, host: str, port: int) -> bool:
    """Whether a kubelet is told to listen at an address."""
    address = declared.value('address')
    return declared.value('port') == port and (address in ('0.0.0.0', '::') or address == host)


def flags_of(process: Process) -> Flags | None:
    """The flags, as far as they say which files to read; None where the kubelet would refuse them."""
    try:
        return parse_flags(process.arguments or ())
    except FlagError:
        return None


def read(host: Host, process: Process, flags: Flags | None) -> Evidence:
    """The files that the command line names."""
    if flags is None:
        return Evidence(process)
    config, folder = flags.text('config'), flags.text('config-dir')
    return Evidence(
        process,
        host.read_file(process, config) if config else None,
        host.read_drop_ins(process, folder) if folder else None,
    )


def report_on(host: Host, kubelet: Kubelet, selection: Selection) -> KubeletReport:
    evidence, declared = kubelet.evidence, kubelet.declared
    process, benchmark = evidence.process, selection.benchmark
    file_sets: dict[FileSubject, FileSet | Unknown] = {}
    settings = []
    findings = []
    for rule in selection.rules:
        if rule.files is None or rule.aspect is None:
            setting = resolve(declared, rule.fields, running_values(rule, kubelet.running, declared))
            settings.append(setting)
        else:
            if rule.files not in file_sets:
                file_sets[rule.files] = files_of(rule.files, host, evidence, declared, kubelet.flags)
            setting = resolve_files(file_sets[rule.files], rule.aspect)
        findings.append(judge(rule, setting, benchmark))
    problems = ((declared.unknown,) if declared.unknown is not None else ()) + kubelet.problems
    name = str(declared.value('--hostname-override') or process.container or '')
    return KubeletReport(process, tuple(findings), problems, restart_pending(process, declared, settings), name)


def files_of(
    subject: FileSubject, host: Host, evidence: Evidence, declared: Declared, flags: Flags | None
) -> FileSet | Unknown:
    """Mode and owner of the files of a subject that are in use, never of guesses."""
    process = evidence.process
    if subject is FileSubject.SERVICE:
        return host.service_files(process)
    if subject is FileSubject.AZURE_JSON:
        status = host.file_status(process, AZURE_JSON)
        return FileSet(() if isinstance(status, Missing) else (status,))
    if flags is None:
        return declared.unknown or Unknown('the command line of the kubelet is not understood')
    if subject is FileSubject.KUBECONFIG:
        path = flags.text('kubeconfig')
        return FileSet((host.file_status(process, path),) if path else (), Source.FLAG)
    if subject is FileSubject.CONFIG:
        return config_files(host, evidence)
    setting = resolve(declared, (CLIENT_CA_FIELD,))
    if isinstance(setting.declared, Unknown):
        return setting.declared
    path = str(declared.value(CLIENT_CA_FIELD) or '')
    source = setting.origin.source if setting.origin is not None else Source.DEFAULT
    return FileSet((host.file_status(process, path),) if path else (), source)


def config_files(host: Host, evidence: Evidence) -> FileSet:
    """The configuration file and the drop-ins that were read."""
    found: list[FileStatus | Missing | Unreadable] = []
    if evidence.config is not None:
        found.append(host.file_status(evidence.process, evidence.config.path))
    drop_ins = evidence.drop_ins
    if isinstance(drop_ins, DropIns):
        found.extend(host.file_status(evidence.process, file.path) for file in drop_ins.files)
    elif drop_ins is not None:
        found.append(drop_ins)
    return FileSet(tuple(found), Source.FLAG)
