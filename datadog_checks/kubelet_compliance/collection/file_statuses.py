# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads what the rules need besides the configuration: modes and owners of files, and kernel settings."""

from __future__ import annotations

from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.kernel_settings import EXPECTED
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.model import Selection
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.rules.settings import certificate_to_examine, paths_to_examine


def with_statuses(host: Host, kubelet: Kubelet, selection: Selection) -> Kubelet:
    """The kubelet with everything that the rules need besides its configuration."""
    process = kubelet.process
    paths = [*paths_to_examine(kubelet, selection)]
    certificate = certificate_to_examine(kubelet, selection)
    if certificate and host.keeps_status(certificate):
        paths.append(certificate)
    statuses = {path: host.file_status(process, path) for path in paths}
    kernel = host.kernel_settings(EXPECTED) if kubelet.refuses_kernel_settings else None
    return replace(kubelet, evidence=replace(kubelet.evidence, statuses=statuses, kernel=kernel))
