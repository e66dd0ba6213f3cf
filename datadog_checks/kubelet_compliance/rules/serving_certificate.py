# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Whether a kubelet has the serving certificate that it requests from the cluster. Pure."""

from __future__ import annotations

import posixpath

from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.kubelet.pending import SELF_MADE
from datadog_checks.kubelet_compliance.model import Declared, Fault, FileStatus, Missing, Unknown

from .resolve import CERTIFICATES

NO_CERTIFICATE = Unknown(
    'the kubelet has no serving certificate yet, so kubectl logs and exec fail',
    'approve its request: kubectl get csr, then kubectl certificate approve NAME',
)
NO_ISSUER = Unknown(
    'the kubelet has no serving certificate, and no API server to ask for one',
    'set tlsCertFile and tlsPrivateKeyFile to files that you issue, and restart the kubelet',
)
OWN_CERTIFICATE = 'kubelet-server-current.pem'
"""The name of the certificate that the cluster issued (client-go certificate_store.go)."""


def certificate_path(kubelet: Kubelet) -> str:
    """The path of the certificate that the cluster issued; '' for a kubelet that requests none."""
    is_asking = all(map(serves_nothing_else, kubelet.readings))
    if not is_asking or kubelet.process.unit or kubelet.evidence.launch is not None:
        return ''
    return posixpath.join(str(kubelet.readings[0].value('--cert-dir') or CERTIFICATES), OWN_CERTIFICATE)


def missing_certificate(kubelet: Kubelet) -> Unknown | None:
    """Why a kubelet that requests its serving certificate can't serve; None if nothing shows that."""
    flags = kubelet.flags
    missing = NO_ISSUER if not isinstance(flags, Unknown) and not flags.text('kubeconfig') else NO_CERTIFICATE
    # The file shows an approval before the kubelet is asked again.
    match kubelet.evidence.statuses.get(certificate_path(kubelet)):
        case FileStatus():
            return None
        case Missing():
            return missing
    running = kubelet.running
    return missing if isinstance(running, Unknown) and running.fault is Fault.NO_CERTIFICATE else None


def serves_nothing_else(reading: Declared) -> bool:
    """Whether a kubelet requests its serving certificate, and has no other certificate to serve until then."""
    has_pair = all(map(reading.value, SELF_MADE))
    return reading.value('serverTLSBootstrap') is True and not has_pair
