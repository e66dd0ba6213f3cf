# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is wrong with a TLS handshake that failed, and what to change. Pure: looks at the errors only."""

from __future__ import annotations

from collections.abc import Iterator

NO_CERTIFICATE = (
    'the kubelet has no serving certificate yet',
    'approve its request: kubectl get csr, then kubectl certificate approve NAME',
)
UNKNOWN_CA = (
    'the certificate of the kubelet is not trusted',
    'name its CA with kubelet_client_ca of the Agent, or tls_ca_cert of the instance',
)
OTHER_NAME = (
    'the certificate of the kubelet is for another name than the one in the URL',
    'use a name or address that the certificate has, in kubelet_url or kubernetes_kubelet_host of the Agent',
)
EXPIRED = ('the certificate of the kubelet has expired or is not valid yet', 'renew it, or set the clock of the node')
FAILED = ('the TLS handshake with the kubelet failed', 'look at the log of the kubelet')

# X509_V_ERR_... of OpenSSL's x509_vfy.h.
NAME_CODES = frozenset({62, 64})
TIME_CODES = frozenset({9, 10})
INTERNAL_ERROR = 'ALERT_INTERNAL_ERROR'
"""The alert of Go's crypto/tls where it has no certificate to show; the name that OpenSSL gives it ends so."""


def explain(error: BaseException) -> tuple[str, str]:
    """The failure in words, and the remedy."""
    for cause in iter_causes(error):
        if str(getattr(cause, 'reason', '')).endswith(INTERNAL_ERROR):
            return NO_CERTIFICATE
        code = getattr(cause, 'verify_code', None)
        if code is not None:
            return OTHER_NAME if code in NAME_CODES else EXPIRED if code in TIME_CODES else UNKNOWN_CA
    return FAILED


def iter_causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it wraps: as a cause, as an argument, or as `reason` (urllib3 `MaxRetryError`)."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [getattr(each, 'reason', None), each.__cause__, each.__context__, *each.args]
