# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How a kubelet is reached, as far as advice depends on it: whose settings they are, and how they are called. Pure."""

from __future__ import annotations

from dataclasses import dataclass

READ_ONLY_PORT = 10255
SERVING_PORT = 10250
"""The ports of a kubelet that is told no other ones."""


@dataclass(frozen=True, slots=True)
class Way:
    """The address of a kubelet, and the settings that lead there."""

    host: str
    port: int
    is_https: bool = True
    is_agents_own: bool = False
    """Whether the Agent's own settings lead there, and not those of the instance."""
    has_ca: bool = False
    """Whether a CA is named: beside `tls_ca_cert` of an instance, `tls_verify: false` has no effect."""
    has_both: bool = False
    """Whether the instance has both of these."""

    @property
    def is_read_only(self) -> bool:
        """Whether it leads to the port that a kubelet serves without TLS and without its configuration, by default."""
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
        """What has an answer counted without a trusted certificate."""
        if self.is_agents_own:
            verify = 'set kubelet_tls_verify: false for the Agent'
        else:
            verify = 'remove tls_ca_cert, set tls_verify: false' if self.has_ca else 'set tls_verify: false'
        return f'{verify} and trust_unverified_configz: true'
