# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a flag that sets no field means if it is not given.

The defaults are those of `kubelet --help`. A flag whose default differs between releases, or that no recent release
has, is not listed: then nothing is concluded from its absence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from datadog_checks.kubelet_compliance.kubelet.formats.go import MINUTE, SECOND, Duration

FLAG_DEFAULTS: Final[Mapping[str, bool | int | str]] = {
    'application-metrics-count-limit': 100,
    'boot-id-file': '/proc/sys/kernel/random/boot_id',
    'bootstrap-kubeconfig': '',
    'cert-dir': '/var/lib/kubelet/pki',
    'cloud-config': '',
    'cloud-provider': '',
    'config': '',
    'config-dir': '',
    'container-hints': '/etc/cadvisor/container_hints.json',
    'containerd': '/run/containerd/containerd.sock',
    'containerd-namespace': 'k8s.io',
    'enable-load-reader': False,
    'event-storage-age-limit': 'default=0',
    'event-storage-event-limit': 'default=0',
    'exit-on-lock-contention': False,
    'experimental-allocatable-ignore-eviction': False,
    'experimental-mounter-path': '',
    'global-housekeeping-interval': Duration(MINUTE),
    'hostname-override': '',
    'housekeeping-interval': Duration(10 * SECOND),
    'image-credential-provider-bin-dir': '',
    'image-credential-provider-config': '',
    'keep-terminated-pod-volumes': False,
    'kubeconfig': '',
    'lock-file': '',
    'log-cadvisor-usage': False,
    'machine-id-file': '/etc/machine-id,/var/lib/dbus/machine-id',
    'maximum-dead-containers': -1,
    'maximum-dead-containers-per-container': 1,
    'minimum-container-ttl-duration': Duration(0),
    'node-ip': '',
    'register-schedulable': True,
    'root-dir': '/var/lib/kubelet',
    'runtime-cgroups': '',
    'seccomp-default': False,
    'storage-driver-buffer-duration': Duration(MINUTE),
    'storage-driver-db': 'cadvisor',
    'storage-driver-host': 'localhost:8086',
    'storage-driver-secure': False,
    'storage-driver-table': 'stats',
    'storage-driver-user': 'root',
}
