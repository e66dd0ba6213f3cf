# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The settings through which the check reaches a kubelet, for messages: whose they are, and their names. Pure."""

from __future__ import annotations

from dataclasses import dataclass

READ_ONLY_PORT = 10255
SERVING_PORT = 10250
"""The default ports of a kubelet."""


@dataclass(frozen=True, slots=True)
class Way:
    """The address of a kubelet, and the settings that lead there."""

    host: str
    port: int
    is_https: bool = True
    is_agents_own: bool = False
    """Whether these are settings of the Agent, rather than of the instance."""
    has_ca: bool = False
    """Whether a CA is set: with `tls_ca_cert` in an instance, `tls_verify: false` has no effect."""
    has_both: bool = False
    """Whether the instance has both of these."""

    @property
    def is_read_only(self) -> bool:
        """Whether this is the default read-only port, which has neither TLS nor the configuration."""
        return self.port == READ_ONLY_PORT

    @property
    def ca(self) -> str:
        return 'kubelet_client_ca of the Agent' if self.is_agents_own else 'tls_ca_cert'

    @property
    def address(self) -> str:
        return 'kubernetes_kubelet_host of the Agent' if self.is_agents_own else 'kubelet_url'

    @property
    def port_setting(self) -> str:
        return 'kubernetes_https_kubelet_port of the Agent' if self.is_agents_own else 'kubelet_url'

    @property
    def unverified(self) -> str:
        """What to set so that an answer counts without a trusted certificate."""
        if self.is_agents_own:
            verify = 'set kubelet_tls_verify: false for the Agent'
        else:
            verify = 'remove tls_ca_cert, set tls_verify: false' if self.has_ca else 'set tls_verify: false'
        return f'{verify} and trust_unverified_configz: true'
