# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Root file systems of machines that do not run, made by hand as the distributions make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from .nodes import HEAD

UNITS = 'etc/systemd/system'


def write(root: Path, files: Mapping[str, str]) -> Path:
    """The files below the root, closed to other users as the rules want them."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
    return root


def kubeadm(root: Path) -> Path:
    """As the packages of pkgs.k8s.io and `kubeadm join` leave it."""
    return write(
        root,
        {
            'usr/lib/systemd/system/kubelet.service': '[Service]\nExecStart=/usr/bin/kubelet\nRestart=always\n',
            'usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf': """\
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/b.conf --kubeconfig=/etc/kubernetes/k.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
""",
            'var/lib/kubelet/kubeadm-flags.env': 'KUBELET_KUBEADM_ARGS="--node-ip=10.0.0.1 --v=2"\n',
            'etc/default/kubelet': 'KUBELET_EXTRA_ARGS=--max-pods=50\n',
            'etc/kubernetes/k.conf': 'a kubeconfig',
            'var/lib/kubelet/config.yaml': f'{HEAD}protectKernelDefaults: true\n',
        },
    )


def eks_al2(root: Path) -> Path:
    return write(
        root,
        {
            f'{UNITS}/kubelet.service': """\
[Service]
ExecStartPre=/sbin/iptables -P FORWARD ACCEPT -w 5
ExecStart=/usr/bin/kubelet \\
    --config /etc/kubernetes/kubelet/kubelet-config.json \\
    --kubeconfig /var/lib/kubelet/kubeconfig \\
    $KUBELET_ARGS \\
    $KUBELET_EXTRA_ARGS
""",
            f'{UNITS}/kubelet.service.d/10-kubelet-args.conf': (
                "[Service]\nEnvironment='KUBELET_ARGS=--node-ip=10.0.0.5 --v=2'\n"
            ),
            'etc/kubernetes/kubelet/kubelet-config.json': """\
{
  "kind": "KubeletConfiguration",
  "apiVersion": "kubelet.config.k8s.io/v1beta1",
  "protectKernelDefaults": true
}
""",
            'var/lib/kubelet/kubeconfig': 'a kubeconfig',
        },
    )


def eks_al2023(root: Path) -> Path:
    """Before `nodeadm` has run, which writes the file of the arguments at each boot."""
    return write(
        root,
        {
            f'{UNITS}/kubelet.service': """\
[Service]
EnvironmentFile=/etc/eks/kubelet/environment
ExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS
""",
        },
    )


def rke2(root: Path) -> Path:
    unit = '[Service]\nEnvironmentFile=-/etc/default/%N\nExecStart=/usr/local/bin/rke2 server\n'
    return write(root, {'usr/local/lib/systemd/system/rke2-server.service': unit})


def k0s(root: Path) -> Path:
    unit = '[Service]\nExecStart=/usr/local/bin/k0s worker --token-file=/etc/k0s/token\n'
    return write(root, {f'{UNITS}/k0sworker.service': unit})


def k3s(root: Path) -> Path:
    unit = (
        '[Service]\nType=notify\nEnvironmentFile=-/etc/default/%N\nExecStartPre=-/sbin/modprobe overlay\n'
        'ExecStart=/usr/local/bin/k3s \\\n    server \\\n\n'
    )
    return write(root, {f'{UNITS}/k3s.service': unit})


def microk8s(root: Path) -> Path:
    unit = '[Service]\nExecStart=/usr/bin/snap run microk8s.{}\nWorkingDirectory=/var/snap/microk8s/7731\n'
    write(
        root,
        {
            f'{UNITS}/snap.microk8s.daemon-kubelite.service': unit.format('daemon-kubelite'),
            f'{UNITS}/snap.microk8s.daemon-kubelet.service': unit.format('daemon-kubelet'),
            'var/snap/microk8s/7731/args/kubelet': '--kubeconfig=${SNAP_DATA}/kubelet.config\n--read-only-port=0\n',
            'var/snap/microk8s/7731/kubelet.config': 'a kubeconfig',
        },
    )
    (root / 'var/snap/microk8s/current').symlink_to('7731')
    return root


def microshift(root: Path) -> Path:
    unit = '[Service]\nWorkingDirectory=/usr/bin/\nExecStart=microshift run\nUser=root\n'
    return write(root, {'usr/lib/systemd/system/microshift.service': unit})


IMAGES: Mapping[str, Callable[[Path], Path]] = {
    'kubeadm': kubeadm, 'eks-al2': eks_al2, 'eks-al2023': eks_al2023, 'rke2': rke2, 'k0s': k0s, 'k3s': k3s,
    'microk8s': microk8s, 'microshift': microshift,
}  # fmt: skip
