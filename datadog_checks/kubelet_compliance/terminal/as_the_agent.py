# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check with the options and the credentials of the Agent on this machine, for the command.

Only the Agent knows its own connection to the kubelet. Outside the Agent, its settings give the same: the
environment (DD_...), datadog.yaml, or the defaults of the Agent in a pod.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from datadog_checks.kubelet_compliance.check import KubeletComplianceCheck

SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
HTTPS_PORT, HTTP_PORT = '10250', '10255'
OFF = frozenset({'false', '0', 'no', 'off', 'f', 'n'})


class ConfigError(Exception):
    """A config file of the Agent is not valid. The text holds none of its content."""


@dataclass(frozen=True, slots=True)
class Configured:
    """The first instance in a config file of the check, and the number of instances."""

    init_config: dict[str, Any]
    instance: dict[str, Any]
    instances: int


def read_configured(data: bytes) -> Configured:
    """Parse a config file of the check, such as conf.yaml. Raises ConfigError."""
    content = read_yaml(data)
    instances = content.get('instances')
    if not isinstance(instances, list) or not instances or not all(isinstance(each, dict) for each in instances):
        raise ConfigError('it has no instances')
    init_config = content.get('init_config') or {}
    if not isinstance(init_config, dict):
        raise ConfigError('its init_config is not a mapping')
    return Configured(init_config, instances[0], len(instances))


def read_yaml(data: bytes) -> dict[str, Any]:
    """Raises ConfigError."""
    content = load_yaml(data)
    if not isinstance(content, dict):
        raise ConfigError('it is not a mapping')
    return content


def load_yaml(data: bytes) -> Any:
    """What PyYAML makes of a file. Raises ConfigError."""
    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        # The constructors of PyYAML raise Python's own errors for invalid values.
        raise ConfigError('it is not valid YAML') from None


@dataclass(frozen=True, slots=True)
class Settings:
    """The Agent's settings for its connection to the kubelet. The environment overrides datadog.yaml."""

    environment: Mapping[str, str]
    datadog_yaml: Mapping[str, Any]

    def get(self, name: str) -> str:
        value = self.environment.get(f'DD_{name.upper()}', self.datadog_yaml.get(name))
        return '' if value is None else str(value)

    @property
    def token_path(self) -> str:
        return self.get('kubelet_auth_token_path') or f'{SERVICE_ACCOUNT}/token'

    @property
    def ca_path(self) -> str:
        return self.get('kubelet_client_ca') or f'{SERVICE_ACCOUNT}/ca.crt'


def connection_info(settings: Settings, token: str | None, *, has_ca: bool) -> dict[str, str] | None:
    """The same as `kubeutil.get_connection_info` in the Agent. None if no setting names the kubelet.

    `token`: the content of `token_path`. `has_ca`: whether `ca_path` exists. The base class sends the token over
    HTTPS only.
    """
    host = settings.get('kubernetes_kubelet_host')
    if not host:
        return None
    address = f'[{host}]' if ':' in host else host
    port = settings.get('kubernetes_https_kubelet_port') or HTTPS_PORT
    if port == '0':
        # What the chart sets on GKE Autopilot.
        return {'url': f'http://{address}:{settings.get("kubernetes_http_kubelet_port") or HTTP_PORT}'}
    info = {'url': f'https://{address}:{port}'}
    if settings.get('kubelet_tls_verify').lower() in OFF:
        info['verify_tls'] = 'false'
    elif has_ca:
        info['ca_cert'] = settings.ca_path
    certificate, key = settings.get('kubelet_client_crt'), settings.get('kubelet_client_key')
    if certificate and key:
        info |= {'client_crt': certificate, 'client_key': key}
    elif token:
        info['token'] = token
    return info


def check_of(configured: Configured, own: dict[str, str] | None) -> KubeletComplianceCheck:
    """The check as the Agent makes it, ready to collect. Raises ConfigError where its options make no sense."""
    # A large import, which only those need who ask as the Agent does.
    from datadog_checks.base import ConfigurationError
    from datadog_checks.kubelet_compliance.check import KubeletComplianceCheck

    check = KubeletComplianceCheck('kubelet_compliance', configured.init_config, [configured.instance])
    check.agents_own = lambda: own
    try:
        while check.check_initializations:
            check.check_initializations.popleft()()
    except ConfigurationError as error:
        raise ConfigError(' '.join(str(error).split())) from None
    return check
