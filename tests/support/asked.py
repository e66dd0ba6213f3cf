# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How the tests reach the stand-in of a kubelet: as the check does, through the base class."""

from __future__ import annotations

from typing import Any

from datadog_checks.base import AgentCheck
from datadog_checks.kubelet_compliance.api.configz import Connection
from datadog_checks.kubelet_compliance.api.connection import connect
from datadog_checks.kubelet_compliance.model import Process

from .kubelet_server import Certificates, KubeletServer


def nobody_else() -> bool:
    """Nobody but the kubelet would answer."""
    return True


PROCESS = Process(100, 1, ())


def connection(url: str, agents_own: dict[str, Any] | None = None, **options: Any) -> Connection:
    """As the check makes one: through the base class's `self.http`."""
    check = AgentCheck('test', {}, [{'timeout': 2, **options}])
    made = connect(lambda: check.http, None if agents_own else url, lambda: agents_own)
    assert isinstance(made, Connection)
    return made


def trusting(api: KubeletServer, certificates: Certificates, **options: Any) -> Connection:
    return connection(api.url, tls_ca_cert=str(certificates.ca), **options)
