# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What replaces a flag that a release removed, and since when the flag has had no effect.

`flags.py` has the release that removed it (`until`). A flag without a row here may still have an effect on the last
release with it, and nothing replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.model import Value


@dataclass(frozen=True, slots=True)
class Removal:
    """`idle_since`: the first minor release in which the flag has no effect. `instead`: what to use in its place.

    `idle_with`: a flag and its value with which the flag has no effect, and nothing has to replace it. `OWN`: the flag
    itself.
    """

    idle_since: int | None = None
    instead: str = ''
    idle_with: tuple[str, Value] | None = None


OWN: Final = ''


# KEP-2845 removed klog's flags in 1.26.
LOG_FILES: Final = Removal(instead='the kubelet logs to stderr only (kube-log-runner writes it to a file)')
DOCKERSHIM: Final = Removal(
    instead='Kubernetes 1.24 removed dockershim, so move the node to a CRI runtime',
    idle_with=('container-runtime', 'remote'),
)
RUNTIME_STORAGE: Final = Removal(idle_since=20)

CLOUD_PROVIDER: Final = (
    'With the upgrade, set --cloud-provider=external, and run the cloud controller manager of the provider'
)
"""Instead of a built-in provider that the release no longer has."""

REMOVALS: Final[Mapping[str, Removal]] = {
    **{name: LOG_FILES for name, flag in FLAGS.items() if flag.library and flag.until == 25},
    # Up to 1.23, the image garbage collector and dockershim use them.
    **{name: DOCKERSHIM for name, flag in FLAGS.items() if name.startswith(('cni-', 'docker', 'network-plugin'))},
    # The kubelet passes no storage driver to cAdvisor.
    **{name: RUNTIME_STORAGE for name in FLAGS if name.startswith('storage-driver-')},
    'azure-container-registry-config': Removal(instead='set --image-credential-provider-config to a credential plugin'),
    # The last built-in provider is gone since 1.31.
    'cloud-config': Removal(idle_since=31),
    # From 1.24 on, `remote` is the only value.
    'container-runtime': Removal(idle_since=24),
    'dynamic-config-dir': Removal(instead='set the fields in the file of --config'),
    'experimental-bootstrap-kubeconfig': Removal(instead='use --bootstrap-kubeconfig'),
    'experimental-kernel-memcg-notification': Removal(instead='set kernelMemcgNotification in the config file'),
    # IPTablesOwnershipCleanup is locked on since 1.28.
    'iptables-drop-bit': Removal(idle_since=28),
    'iptables-masquerade-bit': Removal(idle_since=28),
    # In the sources of 1.30, nothing uses the value: the runtime names the image that it pins.
    'pod-infra-container-image': Removal(30, 'set the sandbox image in the container runtime'),
    'register-schedulable': Removal(
        instead='set registerWithTaints to node.kubernetes.io/unschedulable:NoSchedule', idle_with=(OWN, True)
    ),
    'seccomp-profile-root': Removal(instead='profiles are in the folder seccomp of --root-dir'),
}
