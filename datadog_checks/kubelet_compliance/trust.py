# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Who may configure what is judged on a node: only who runs it, never a pod by its annotations."""

from __future__ import annotations

DEFAULT_TRUSTED = frozenset({'file', 'remote-config'})
"""The default of the Agent's setting `integration_trusted_providers`."""

WHERE_IT_BELONGS = (
    'put it in conf.d/kubelet_compliance.d/conf.yaml on the host, in datadog.confd of the Helm chart, '
    'or in extraConfd of the Operator'
)


def refusal(provider: str | None, setting: object) -> str:
    """Why an instance of a provider is refused; '' for one that is trusted, or whose provider the Agent does not tell.

    `setting`: what the Agent has for `integration_trusted_providers`; None or '' where it has nothing.
    """
    if not provider or provider in trusted_providers(setting):
        return ''
    return f'the configuration provider {provider} is not trusted to configure this check: {WHERE_IT_BELONGS}'


def trusted_providers(setting: object) -> frozenset[str]:
    if setting is None or setting == '':
        return DEFAULT_TRUSTED
    if isinstance(setting, str):
        # An environment variable that the Agent did not split.
        return frozenset(setting.replace(',', ' ').split())
    return frozenset(map(str, setting)) if isinstance(setting, list | tuple) else frozenset()
