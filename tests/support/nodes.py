# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Made-up `/proc` folders: a kubelet's files in `/proc`, without a process."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.collection.history import History
from datadog_checks.kubelet_compliance.collection.named_files import read_named_files, read_needed_files
from datadog_checks.kubelet_compliance.kubelet.broken_files import broken_files
from datadog_checks.kubelet_compliance.kubelet.command_lines import flags_of, read_command_lines
from datadog_checks.kubelet_compliance.kubelet.declare import every_reading, iter_needed, read_configurations
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.release import ALL
from datadog_checks.kubelet_compliance.model import (
    Declared,
    Evidence,
    KubeletReport,
    NodeReport,
    Process,
    Selection,
    Unknown,
)
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_host import LiveHost

PID = 1000
HEAD = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
"""What every configuration file begins with."""


RECORDED_MINOR = 36
"""The release of the kubelets that most launches were recorded with."""


def declare(evidence: Evidence, minor: int = RECORDED_MINOR) -> Declared:
    """What a kubelet of 1.`minor` would run with if it started now."""
    (declared,) = every_reading(evidence, {minor})
    return declared


def declare_on(host: Host, evidence: Evidence, minor: int) -> Declared:
    """The same, with a look at the files that the configuration names."""
    lines = read_command_lines(evidence.arguments, {minor}, accepted=False)
    readings = read_configurations(evidence, lines)
    broken = broken_files(read_needed_files(host, evidence.process, iter_needed(readings, lines)))
    return declare(replace(evidence, broken=broken), minor)


def ticks_from_now(seconds: float) -> int:
    """A start time as /proc/PID/stat shows it: clock ticks since boot."""
    return int((time.clock_gettime(time.CLOCK_BOOTTIME) + seconds) * os.sysconf('SC_CLK_TCK'))


IN_A_SERVICE = '0::/system.slice/kubelet.service'
IN_NO_SERVICE = '0::/system.slice'
"""For tests that go through every step of a look: reading a service takes a hundred more."""


def write_process(
    procfs: Path,
    pid: int,
    argv: Sequence[str],
    *,
    comm: str = 'kubelet',
    root: Path = Path('/'),
    cwd: Path | None = None,
    cgroup: str = IN_A_SERVICE,
) -> None:
    """A process's folder as the kernel shows it; its links lead to real places of this machine. `cwd`: none is `root`.

    It starts a minute from now, so that no file that a test wrote before has changed since.
    """
    folder = procfs / str(pid)
    folder.mkdir(parents=True)
    (folder / 'comm').write_text(f'{comm}\n')
    (folder / 'cmdline').write_bytes(b''.join(os.fsencode(argument) + b'\0' for argument in argv))
    (folder / 'stat').write_text(
        f'{pid} ({comm}) S 1 {pid} {pid} 0 -1 4194560 {"0 " * 12}{ticks_from_now(60)} {"0 " * 30}\n'
    )
    (folder / 'status').write_text(f'Name:\t{comm}\nUid:\t0\t0\t0\t0\nNSpid:\t{pid}\n')
    (folder / 'cgroup').write_text(f'{cgroup}\n')
    if not (procfs / '1').exists():
        (procfs / '1').mkdir()
        (procfs / '1' / 'comm').write_text('systemd\n')
        (procfs / '1' / 'cgroup').write_text('0::/init.scope\n')
    (folder / 'root').symlink_to(root.absolute())
    (folder / 'cwd').symlink_to(cwd or root.absolute())


def made_up_host(tmp_path: Path, arguments: Sequence[str], cwd: Path) -> tuple[Host, Process]:
    """A node with one kubelet, and that kubelet as the node shows it."""
    procfs = tmp_path / 'proc'
    write_process(procfs, PID, ('/usr/bin/kubelet', *arguments), cwd=cwd)
    host = LiveHost(str(procfs))
    (process,) = host.find_kubelets().processes
    return host, process


def read_evidence(host: Host, process: Process) -> Evidence:
    evidence = Evidence(process)
    return read_named_files(host, evidence, flags_told(evidence))


def flags_told(evidence: Evidence) -> Flags | Unknown:
    """The flags of a kubelet that has not shown yet that it takes them."""
    return flags_of(read_command_lines(evidence.arguments, ALL, accepted=False))


def collect(
    host: Host, selection: Selection, history: History | None = None
) -> tuple[NodeReport, tuple[KubeletReport, ...]]:
    """One pass over a node by its processes and files alone."""
    collector = Collector(host, selection)
    collector.reader.history = history or collector.reader.history
    collection = collector.collect()
    return collection.node, collection.kubelets
