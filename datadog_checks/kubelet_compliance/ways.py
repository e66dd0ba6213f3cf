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
    is_verified: bool = True
    """Whether who answers must show a trusted certificate."""
    is_agents_own: bool = False
    """Whether the Agent's own settings lead there, and not those of the instance."""
    has_both: bool = False
    """Whether the instance has `tls_verify: false` beside a CA, where it has no effect."""

    @property
    def is_read_only(self) -> bool:
        """Whether it leads to the port where a kubelet answers without TLS and shows no configuration."""
        return not self.is_https or self.port == READ_ONLY_PORT

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
        verify = 'kubelet_tls_verify: false for the Agent' if self.is_agents_own else 'tls_verify: false'
        return f'set {verify} and trust_unverified_configz: true'
