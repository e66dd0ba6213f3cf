# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Who may configure the check on a node: whoever runs the node, never a pod through its annotations."""

from __future__ import annotations

DEFAULT_TRUSTED = frozenset({'file', 'remote-config'})
"""The default of the Agent's setting `integration_trusted_providers`."""

WHERE_IT_BELONGS = (
    'put it in conf.d/kubelet_compliance.d/conf.yaml on the host, in datadog.confd of the Helm chart, '
    'or in extraConfd of the Operator'
)


def reason_to_refuse(provider: str | None, setting: object) -> str:
    """Why the check refuses an instance. '' if its provider is trusted, or if the Agent does not name the provider.

    `setting`: the Agent's `integration_trusted_providers`. None or '' if it is not set.
    """
    if not provider or provider in trusted_providers(setting):
        return ''
    return f'the configuration provider {provider} is not trusted to configure this check: {WHERE_IT_BELONGS}'


def trusted_providers(setting: object) -> frozenset[str]:
    if setting is None or setting == '':
        return DEFAULT_TRUSTED
    if isinstance(setting, str):
        # The Agent passes an environment variable unsplit.
        return frozenset(setting.replace(',', ' ').split())
    return frozenset(map(str, setting)) if isinstance(setting, list | tuple) else frozenset()
