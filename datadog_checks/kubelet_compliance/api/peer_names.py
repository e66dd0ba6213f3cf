# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads the names in the certificate of a kubelet, for a message about a wrong name.

It sends no credentials, and trusts only certificates of a trusted CA.
"""

from __future__ import annotations

import os
import socket


def certificate_names(host: str, port: int, verify: bool | str, seconds: float) -> tuple[str, ...]:
    """The names and addresses in the certificate. `verify`: a file or folder of CAs, or True for those of the system.

    `seconds`: the limit for each step. Raises OSError and ValueError.
    """
    # A large module, which only this message needs.
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if isinstance(verify, str):
        path = os.path.expanduser(verify)
        context.load_verify_locations(**{'capath' if os.path.isdir(path) else 'cafile': path})
    else:
        context.load_default_certs()
    with (
        socket.create_connection((host, port), timeout=seconds) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        certificate = connection.getpeercert() or {}
    names = certificate.get('subjectAltName', ())
    return tuple(str(name[1]) for name in names if len(name) == 2)
