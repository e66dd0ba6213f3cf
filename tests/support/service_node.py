# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Made-up nodes whose kubelet is started by a systemd service: its files lie below a root of their own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.launch.unit_paths import UNIT_FOLDERS
from datadog_checks.kubelet_compliance.model import Evidence, Unit
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.patient_host import PatientHost
from datadog_checks.kubelet_compliance.rules.selection import select

from .nodes import HEAD, PID, write_process
from .users import OURS

ALL = select('cis-1.24', None)
UNIT = '/usr/lib/systemd/system/kubelet.service'
DROP_IN = '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf'
ENVIRONMENT = '/etc/default/kubelet'
CONFIG = '/var/lib/kubelet/config.yaml'
OFF, ON = '--make-iptables-util-chains=false', '--make-iptables-util-chains=true'
USUAL = {
    UNIT: '[Unit]\nDescription=kubelet\n\n[Service]\nExecStart=/usr/bin/kubelet\nRestart=always\n',
    DROP_IN: (
        '[Service]\n'
        f'Environment="KUBELET_CONFIG_ARGS=--config={CONFIG}"\n'
        f'EnvironmentFile=-{ENVIRONMENT}\n'
        'ExecStart=\n'
        'ExecStart=/usr/bin/kubelet $KUBELET_CONFIG_ARGS $KUBELET_EXTRA_ARGS\n'
    ),
    ENVIRONMENT: 'KUBELET_EXTRA_ARGS=--v=2\n',
    CONFIG: HEAD,
}
"""As kubeadm's packages lay it out; the arguments of a kubelet that it starts are below."""
ARGUMENTS = (f'--config={CONFIG}', '--v=2')


@dataclass(frozen=True)
class ServiceNode:
    """A root, and a `/proc` with one kubelet in it."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / 'root'

    @property
    def procfs(self) -> Path:
        return self.folder / 'proc'

    def at(self, path: str) -> Path:
        """Where a path of the node lies; the folders on the way to it are there afterwards."""
        place = self.root / path.lstrip('/')
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def write(self, path: str, text: str | bytes) -> Path:
        place = self.at(path)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        return place

    def link(self, path: str, target: str) -> Path:
        place = self.at(path)
        place.unlink(missing_ok=True)
        place.symlink_to(target)
        return place

    def lay_out(self, files: Mapping[str, str | bytes]) -> None:
        for path, text in files.items():
            self.write(path, text)

    def start(self, *arguments: str, program: str = '/usr/bin/kubelet') -> None:
        """Show a kubelet that starts now, in place of any other one."""
        shutil.rmtree(self.procfs, ignore_errors=True)
        write_process(self.procfs, PID, (program, *arguments), root=self.root)

    def host(self) -> Host:
        return PatientHost(LiveHost(str(self.procfs), admission=OURS))

    def evidence(self, host: Host | None = None) -> Evidence:
        """What one look comes to."""
        collector = Collector(host or self.host(), ALL)
        (process,) = collector.host.find_kubelets().processes
        kubelet = collector.reader.read(process)
        assert kubelet is not None
        return kubelet.evidence

    def unit(self, host: Host | None = None) -> Unit:
        unit = self.evidence(host).unit
        assert isinstance(unit, Unit), unit
        return unit


def usual_node(folder: Path) -> ServiceNode:
    """The files of `USUAL`, a kubelet that its service has started, and all folders that systemd looks into."""
    node = ServiceNode(folder)
    for path in UNIT_FOLDERS:
        node.at(f'{path}/x')
    node.lay_out(USUAL)
    node.start(*ARGUMENTS)
    return node
