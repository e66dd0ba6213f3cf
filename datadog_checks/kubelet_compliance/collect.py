# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One pass over a node: find the kubelets, read what each was told, and have it judged. No deciding here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .flags import FlagError, Flags, parse_flags
from .host import Host
from .judge import NO_CONFIGZ, judge, judge_node, restart_pending
from .model import Declared, DropIns, Evidence, File, KubeletReport, NodeReport, Process, Rule, Unknown
from .resolve import declare, resolve


class Memory:
    """What was read of each kubelet before, so that a change of mode or owner does not look like one of content."""

    def __init__(self) -> None:
        self.seen: dict[tuple[int, int], dict[str, Seen]] = {}

    def forget_all_but(self, processes: Sequence[Process]) -> None:
        alive = {process.key for process in processes}
        self.seen = {key: seen for key, seen in self.seen.items() if key in alive}

    def settle(self, evidence: Evidence) -> Evidence:
        """The evidence with the time of each file's content instead of that of its last touch."""
        process = evidence.process
        before = self.seen.get(process.key, {})
        now: dict[str, Seen] = {}

        def settled(path: str, content: bytes, changed_at: float | None) -> float | None:
            if changed_at is None:
                return None
            digest = hashlib.sha256(content).digest()
            old = before.get(path)
            now[path] = Seen(digest, min(changed_at, old.changed_at) if old and old.digest == digest else changed_at)
            return now[path].changed_at

        def settled_file(file: object) -> object:
            if not isinstance(file, File):
                return file
            return replace(file, changed_at=settled(file.path, file.data, file.changed_at))

        config, drop_ins = settled_file(evidence.config), evidence.drop_ins
        if isinstance(drop_ins, DropIns):
            names = '\0'.join(file.path for file in drop_ins.files).encode('utf-8', 'surrogateescape')
            drop_ins = DropIns(
                drop_ins.path,
                tuple(settled_file(file) for file in drop_ins.files),  # type: ignore[misc]
                settled(f'{drop_ins.path}/', names, drop_ins.changed_at),
            )
        self.seen[process.key] = now
        return Evidence(process, config, drop_ins)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Seen:
    """A file's content, and since when it is known to have been that."""

    digest: bytes
    changed_at: float


def collect(host: Host, rules: Sequence[Rule], memory: Memory) -> tuple[NodeReport, tuple[KubeletReport, ...]]:
    """Judge the node: one report for it, and the reports of its kubelets one by one."""
    scan = host.find_kubelets()
    memory.forget_all_but(scan.processes)
    reports = []
    for process in scan.processes:
        flags = flags_of(process)
        if flags is not None and flags.exits:
            continue
        evidence = memory.settle(read(host, process, flags))
        if host.is_running(process):
            reports.append(report(evidence, rules))
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


def report(evidence: Evidence, rules: Sequence[Rule]) -> KubeletReport:
    declared = declare(evidence)
    process = evidence.process
    settings = [resolve(declared, rule.field, NO_CONFIGZ) for rule in rules]
    findings = tuple(judge(rule, setting) for rule, setting in zip(rules, settings, strict=True))
    return KubeletReport(process, findings, problems(declared), restart_pending(process, declared, settings))


def problems(declared: Declared) -> tuple[Unknown, ...]:
    return (declared.unknown,) if declared.unknown is not None else ()
