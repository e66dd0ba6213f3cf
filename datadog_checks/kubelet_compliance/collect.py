# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One pass over a node: find the kubelets, read what each was told, and have it judged. No deciding here."""

from __future__ import annotations

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
from .resolve import declare, resolve, resolve_files

CLIENT_CA_FIELD = 'authentication.x509.clientCAFile'
AZURE_JSON = '/etc/kubernetes/azure.json'


def collect(host: Host, selection: Selection, memory: Memory) -> tuple[NodeReport, tuple[KubeletReport, ...]]:
    """Judge the node: one report for it, and the reports of its kubelets one by one."""
    scan = host.find_kubelets()
    memory.forget_all_but(scan.processes)
    reports = []
    for process in scan.processes:
        flags = flags_of(process)
        if flags is not None and flags.exits:
            continue
        report = report_on(host, memory.settle(read(host, process, flags)), flags, selection)
        if host.is_running(process):
            reports.append(report)
    return judge_node(reports, scan.doubtful), tuple(reports)


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


def report_on(host: Host, evidence: Evidence, flags: Flags | None, selection: Selection) -> KubeletReport:
    process, benchmark = evidence.process, selection.benchmark
    declared = declare(evidence)
    file_sets: dict[FileSubject, FileSet | Unknown] = {}
    settings = []
    for rule in selection.rules:
        if rule.files is None or rule.aspect is None:
            settings.append(resolve(declared, rule.fields))
            continue
        if rule.files not in file_sets:
            file_sets[rule.files] = files_of(rule.files, host, evidence, declared, flags)
        settings.append(resolve_files(file_sets[rule.files], rule.aspect))
    findings = tuple(judge(rule, each, benchmark) for rule, each in zip(selection.rules, settings, strict=True))
    problems = (declared.unknown,) if declared.unknown is not None else ()
    return KubeletReport(process, findings, problems, restart_pending(process, declared, settings))


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
