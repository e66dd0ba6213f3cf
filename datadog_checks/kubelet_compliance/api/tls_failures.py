# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Why a TLS handshake failed, and what to change. Pure: uses only the errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from datadog_checks.kubelet_compliance.model import Fault, Unknown

from .ways import Way

# X509_V_ERR_... of OpenSSL's x509_vfy.h.
WRONG_HOST_NAME = 62
NAME_CODES = frozenset({WRONG_HOST_NAME, 64})
NAME_ERROR = 'CertificateError'
"""The urllib3 error for a wrong name. It checks names itself where OpenSSL does not."""
NOT_YET_VALID = 9
EXPIRED = 10
INTERNAL_ERROR = 'ALERT_INTERNAL_ERROR'
"""The alert that Go's crypto/tls sends if it has no certificate. The OpenSSL name of the alert ends with this."""
NO_TLS = frozenset({'WRONG_VERSION_NUMBER', 'RECORD_LAYER_FAILURE', 'HTTP_REQUEST', 'PACKET_LENGTH_TOO_LONG'})
"""OpenSSL errors for an answer that is not TLS. Each OpenSSL version uses some of them."""

MOST_NAMES = 3
LONGEST_SHOWN_NAME = 60


def explain(error: BaseException, way: Way, names: Sequence[str] = ()) -> Unknown:
    """The failure and the remedy. `names`: the names in the certificate, if known."""
    causes = list(iter_causes(error))
    reasons = [str(getattr(cause, 'reason', '')) for cause in causes]
    if any(reason.endswith(INTERNAL_ERROR) for reason in reasons):
        return Unknown(
            'the kubelet has no serving certificate yet',
            'approve its request (kubectl get csr, then kubectl certificate approve NAME), '
            'or set tlsCertFile and tlsPrivateKeyFile for the kubelet',
            fault=Fault.NO_CERTIFICATE,
        )
    code = verify_code(error)
    if code is not None:
        return explain_certificate(code, way, names)
    if NO_TLS & set(reasons):
        return Unknown(
            f'the server at port {way.port} does not use TLS',
            f'correct {way.port_setting}',
            fault=Fault.NOT_THE_KUBELET,
        )
    why = next((reason for reason in reasons if reason.replace('_', '').isalnum() and reason.isupper()), 'no reason')
    return Unknown(
        f'the TLS handshake with the kubelet failed ({why})', 'check the log of the kubelet', fault=Fault.TLS_FAILED
    )


def explain_certificate(code: int, way: Way, names: Sequence[str]) -> Unknown:
    if code in NAME_CODES:
        known = ', '.join(map(legible, names[:MOST_NAMES]))
        more = f' and {len(names) - MOST_NAMES} more' if len(names) > MOST_NAMES else ''
        whose = f'the certificate of the kubelet is for {known}{more}' if known else 'the certificate of the kubelet is'
        return Unknown(
            f'{whose}, not for {way.host}' if known else f'{whose} for another name than {way.host}',
            f'set {way.address} to a name in the certificate, or {way.unverified}',
            fault=Fault.WRONG_NAME,
        )
    if code == EXPIRED:
        return Unknown(
            'the certificate of the kubelet has expired',
            'renew the serving certificate of the kubelet, or correct the clock of the node',
            fault=Fault.EXPIRED,
        )
    if code == NOT_YET_VALID:
        return Unknown(
            'the certificate of the kubelet is not valid yet', 'correct the clock of the node', fault=Fault.EXPIRED
        )
    remedy = (
        'remove tls_ca_cert: with it, tls_verify: false has no effect'
        if way.has_both
        else f'set {way.ca} to its CA, or {way.unverified}'
    )
    return Unknown('the certificate of the kubelet is signed by an unknown CA', remedy, fault=Fault.UNKNOWN_CA)


def is_for_another_name(error: BaseException) -> bool:
    """Whether only the name made the handshake fail."""
    return verify_code(error) in NAME_CODES


def verify_code(error: BaseException) -> int | None:
    """The OpenSSL error code for the certificate. None if the certificate is not the problem."""
    causes = list(iter_causes(error))
    codes = (getattr(cause, 'verify_code', None) for cause in causes)
    is_name = any(type(cause).__name__ == NAME_ERROR for cause in causes)
    return next((code for code in codes if isinstance(code, int)), WRONG_HOST_NAME if is_name else None)


def legible(name: str) -> str:
    """A name in a certificate, printable and short: its author can choose any text."""
    line = ''.join(letter if letter.isprintable() else '?' for letter in name[: LONGEST_SHOWN_NAME + 1])
    return line if len(line) <= LONGEST_SHOWN_NAME else f'{line[: LONGEST_SHOWN_NAME - 3]}...'


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
