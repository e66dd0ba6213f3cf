# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Made-up nodes, the stand-ins of a real one, and what a user without rights finds on either."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datadog_checks.kubelet_compliance.model import File, Process, Scan, Unknown
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_host import LiveHost

from .apart import NOBODY
from .paths import ROOT
from .standin import DEADLINE_SECONDS, Standin
from .users import OURS

PID = 4711


def joined(words: Sequence[str]) -> bytes:
    """As the kernel shows a command line."""
    return b''.join(os.fsencode(word) + b'\0' for word in words)


@dataclass(frozen=True)
class Node:
    """A made-up node: a procfs folder whose processes have their root and working directory in another folder."""

    procfs: Path
    root: Path

    def add(
        self,
        pid: int = PID,
        *argv: str,
        comm: str = 'kubelet',
        line: bytes | None = None,
        state: str = 'S',
        flags: int = 0x00400100,
        ticks: int = 100,
        cwd: str = '/',
    ) -> Process:
        """A process, as it would be found."""
        folder = self.procfs / str(pid)
        folder.mkdir(exist_ok=True)
        words = argv or ('kubelet',)
        (folder / 'comm').write_text(f'{comm}\n')
        (folder / 'cmdline').write_bytes(joined(words) if line is None else line)
        (folder / 'stat').write_text(
            f'{pid} ({comm}) {state} 1 {pid} {pid} 0 -1 {flags} {"0 " * 12}{ticks} {"0 " * 30}\n'
        )
        for name, target in (('root', self.root), ('cwd', self.root / cwd.lstrip('/'))):
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(target)
        return Process(pid, ticks, tuple(words[1:]))

    def remove(self, pid: int = PID) -> None:
        shutil.rmtree(self.procfs / str(pid))

    def write(self, path: str, data: bytes = b'') -> Path:
        file = self.root / path.lstrip('/')
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def link(self, path: str, target: str) -> Path:
        (self.root / path.lstrip('/')).symlink_to(target)
        return self.root / path.lstrip('/')

    def host(self, root: Path | None = None) -> LiveHost:
        return LiveHost(str(self.procfs), None if root is None else str(root))


def make_node(folder: Path) -> Node:
    (folder / 'proc' / '1').mkdir(parents=True)
    (folder / 'proc' / '1' / 'comm').write_text('systemd\n')
    (folder / 'node').mkdir()
    return Node(folder / 'proc', folder / 'node')


def here(root: str | None = None) -> LiveHost:
    """This machine; our own stand-ins count as the node's, whoever runs the tests."""
    return LiveHost(root=root, admission=OURS)


def found(scan: Scan, *pids: int) -> tuple[Process, ...]:
    """Those of the processes found that a test started: others on this machine may be named kubelet too."""
    return tuple(process for process in scan.processes if process.pid in pids)


def doubts(scan: Scan, pid: int) -> tuple[Unknown, ...]:
    return tuple(doubt for doubt in scan.doubtful if f'process {pid} ' in doubt.reason)


def the_only(scan: Scan, pid: int = PID) -> Process:
    assert scan.doubtful == ()
    (process,) = scan.processes
    assert process.pid == pid
    return process


def real_process(standin: Standin, host: Host | None = None) -> Process:
    (process,) = found((host or here()).find_kubelets(), standin.pid)
    return process


PRELUDE = """
import functools, json, os, sys
from datadog_checks.kubelet_compliance.node import live_host
from datadog_checks.kubelet_compliance.model import DropIns, File, Process
from datadog_checks.kubelet_compliance.node.processes import Admission

Host = functools.partial(live_host.LiveHost, admission=Admission(frozenset({{0, os.geteuid()}})))

if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({nobody})
    os.setuid({nobody})

def described(value):
    if isinstance(value, (str, int, type(None))):
        return value
    names = [name for name in ('pid', 'reason', 'path', 'why', 'remedy') if hasattr(value, name)]
    return dict({{name: getattr(value, name) for name in names}}, kind=type(value).__name__)

said = []
def say(value):
    said.append(described(value))
"""


def unprivileged(code: str, *arguments: object) -> list[Any]:
    """Run code that says things, as a user without any rights, and return what it says."""
    script = PRELUDE.format(nobody=NOBODY) + code + '\nprint(json.dumps(said))'
    done = subprocess.run(
        [sys.executable, '-c', script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: list[Any] = json.loads(done.stdout)
    return said


def as_data(file: object) -> bytes:
    assert isinstance(file, File), file
    return file.data
