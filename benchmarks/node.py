# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A kubeadm node as files in a folder, and its kubelet: a real process, or a process in a simulated `/proc`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datadog_checks.base.stubs import aggregator
from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from tests.support.clocks import SETTLED_SECONDS
from tests.support.nodes import HEAD, PID, write_process
from tests.support.standin import Standins, build
from tools import hardened_node
from tools.hardened_node import DROP_INS, arguments

FILES = {
    f'{DROP_INS}/20-pods.conf': f'{HEAD}maxPods: 200\n',
    '/etc/kubernetes/kubelet.conf': 'apiVersion: v1\nkind: Config\n',
    '/etc/kubernetes/pki/ca.crt': '-----BEGIN CERTIFICATE-----\n',
    **{
        # Folders that systemd reads and that every node has.
        f'{folder}/dbus.service': '[Service]\nExecStart=/usr/bin/dbus-daemon\n'
        for folder in ('/etc/systemd/system', '/run/systemd/system', '/run/systemd/generator', '/run/systemd/transient')
    },
}
"""Besides those of the captured node."""
MODE = 0o600


@dataclass(frozen=True)
class Node:
    """The node's root, and a `/proc` that shows its kubelet."""

    root: Path
    procfs: Path

    def check(self) -> KubeletComplianceCheck:
        """Return a check of this node after its first check runs, with files that have not changed for a while."""
        check = self.new_check()
        run(check)
        wait_until_settled(self.root, self.procfs)
        run(check)
        run(check)
        return check

    def new_check(self) -> KubeletComplianceCheck:
        users = ['root', str(os.getuid())]
        instance = {'procfs_path': str(self.procfs), 'use_configz': False, 'allowed_users': users}
        return KubeletComplianceCheck('kubelet_compliance', {}, [instance])


def lay_out(root: Path) -> None:
    """Write the node that meets every rule into a new folder."""
    hardened_node.lay_out(root)
    for path, text in FILES.items():
        file = root / path.lstrip('/')
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for file in root.rglob('*'):
        if file.is_file():
            file.chmod(MODE)
    (root / 'lib').symlink_to('usr/lib')


def run(check: KubeletComplianceCheck) -> None:
    """Run the check as the Agent does. It must find the one kubelet."""
    aggregator.reset()
    error = check.run()
    found = [sent.value for sent in aggregator.metrics('kubelet_compliance.kubelet.found')]
    aggregator.reset()
    if error or found != [1]:
        raise RuntimeError(f'the check did not find the kubelet: {found} {error}')


@contextmanager
def real_node(folder: Path) -> Iterator[Node]:
    """A node whose kubelet is a real process in its own root. Its `/proc` shows no other kubelet of this machine."""
    root, procfs, programs = folder / 'root', folder / 'proc', folder / 'programs'
    for each in (procfs, programs):
        each.mkdir(parents=True)
    lay_out(root)
    wait_until_settled(root)
    with Standins(build(programs), programs) as standins:
        kubelet = standins.launch(arguments(), root=str(root), folder='/')
        (procfs / str(kubelet.pid)).symlink_to(f'/proc/{kubelet.pid}')
        for entry in Path('/proc').iterdir():
            if entry.name.isdecimal() and comm_of(entry) not in ('', 'kubelet'):
                (procfs / entry.name).symlink_to(entry)
        yield Node(root, procfs)


def made_up_node(folder: Path) -> Node:
    """Return a node with a simulated `/proc`, where the kubelet's cgroup is that of its systemd unit."""
    root, procfs = folder / 'root', folder / 'proc'
    lay_out(root)
    write_process(procfs, PID, arguments(), root=root)
    return Node(root, procfs)


def comm_of(entry: Path) -> str:
    try:
        return (entry / 'comm').read_text().strip()
    except OSError:
        return ''


def wait_until_settled(*folders: Path) -> None:
    """Wait until the newest change in the folders is old enough for a stamp."""
    wait_for(lambda: time.time() - max(map(newest, folders)) > SETTLED_SECONDS)


def newest(folder: Path) -> float:
    """Return the latest ctime in a folder. Does not follow links."""
    return max(path.lstat().st_ctime for path in (folder, *folder.rglob('*')))


def wait_for(is_so: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)
