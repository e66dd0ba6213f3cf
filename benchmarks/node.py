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
from tests.support.nodes import PID, write_process
from tests.support.standin import Standins, build

CONFIG, DROP_INS = '/var/lib/kubelet/config.yaml', '/etc/kubernetes/kubelet.conf.d'
ARGUMENTS = (
    '/usr/bin/kubelet',
    '--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf',
    '--kubeconfig=/etc/kubernetes/kubelet.conf',
    f'--config={CONFIG}',
    f'--config-dir={DROP_INS}',
    '--container-runtime-endpoint=unix:///run/containerd/containerd.sock',
    '--node-ip=10.0.0.11',
    '--node-labels=topology.example.com/rack=r1,example.com/pool=general',
    '--pod-infra-container-image=registry.k8s.io/pause:3.10',
)
FILES = {
    CONFIG: """apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
containerRuntimeEndpoint: ""
cpuManagerReconcilePeriod: 0s
eventRecordQPS: 50
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
httpCheckFrequency: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
  verbosity: 0
makeIPTablesUtilChains: true
memorySwap: {}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
protectKernelDefaults: true
rotateCertificates: true
runtimeRequestTimeout: 0s
serverTLSBootstrap: true
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
tlsCipherSuites:
- TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
- TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
volumeStatsAggPeriod: 0s
""",
    f'{DROP_INS}/20-pods.conf': """apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
maxPods: 200
""",
    '/etc/kubernetes/kubelet.conf': 'apiVersion: v1\nkind: Config\n',
    '/etc/kubernetes/pki/ca.crt': '-----BEGIN CERTIFICATE-----\n',
    '/usr/lib/systemd/system/kubelet.service': '[Service]\nExecStart=/usr/bin/kubelet\n',
    '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf': (
        '[Service]\n'
        f'Environment="KUBELET_KUBECONFIG_ARGS={ARGUMENTS[1]} {ARGUMENTS[2]}"\n'
        f'Environment="KUBELET_CONFIG_ARGS={ARGUMENTS[3]} {ARGUMENTS[4]}"\n'
        'EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\n'
        'EnvironmentFile=-/etc/default/kubelet\n'
        'ExecStart=\n'
        'ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS'
        ' $KUBELET_EXTRA_ARGS\n'
    ),
    '/var/lib/kubelet/kubeadm-flags.env': f'KUBELET_KUBEADM_ARGS="{" ".join(ARGUMENTS[5:])}"\n',
    **{
        # Folders that systemd reads and that every node has.
        f'{folder}/dbus.service': '[Service]\nExecStart=/usr/bin/dbus-daemon\n'
        for folder in ('/etc/systemd/system', '/run/systemd/system', '/run/systemd/generator', '/run/systemd/transient')
    },
}
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
    for path, text in FILES.items():
        file = root / path.lstrip('/')
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
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
        kubelet = standins.launch(ARGUMENTS, root=str(root), folder='/')
        (procfs / str(kubelet.pid)).symlink_to(f'/proc/{kubelet.pid}')
        for entry in Path('/proc').iterdir():
            if entry.name.isdecimal() and comm_of(entry) not in ('', 'kubelet'):
                (procfs / entry.name).symlink_to(entry)
        yield Node(root, procfs)


def made_up_node(folder: Path) -> Node:
    """Return a node with a simulated `/proc`, where the kubelet's cgroup is that of its systemd unit."""
    root, procfs = folder / 'root', folder / 'proc'
    lay_out(root)
    write_process(procfs, PID, ARGUMENTS)
    for name in ('root', 'cwd'):
        link = procfs / str(PID) / name
        link.unlink()
        link.symlink_to(root)
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
