# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Messages about an image, where they differ from those about a running machine. Pure."""

from __future__ import annotations

from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.tables.programs import ASK_CONFIGZ
from datadog_checks.kubelet_compliance.model import NOT_RUNNING, Setting, Unknown
from datadog_checks.kubelet_compliance.rules.resolve import VERSION_DECIDES

REMEDIES = {
    ASK_CONFIGZ: 'run this check on the machine once it runs',
    VERSION_DECIDES.remedy: 'set --kubelet-version',
}
"""No Agent runs in an image, so a remedy for the Agent does not apply."""


def of_image(unknown: Unknown) -> Unknown:
    """A reason as it applies to an image. An image has no restart that could fail, only a first start."""
    return replace(unknown, remedy=REMEDIES.get(unknown.remedy, unknown.remedy), refused=False)


def setting_of_image(setting: Setting) -> Setting:
    """A setting of an image, where no kubelet runs."""
    return replace(
        setting,
        declared=of_image(setting.declared) if isinstance(setting.declared, Unknown) else setting.declared,
        doubt=of_image(setting.doubt) if setting.doubt is not None else None,
        running=NOT_RUNNING,
    )
