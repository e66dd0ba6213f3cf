# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from datetime import date
from typing import Any

from datadog_checks.base import ConfigurationError

from datadog_checks.kubelet_compliance.rules.custom_rules import CustomRuleError, custom_rules


def initialize_instance(values: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """YAML reads `until: 2027-03-31` as a day and not as text, which is what the model wants.

    Raises ConfigurationError for custom rules that the model does not accept, because its own message does not say
    which rule is wrong.
    """
    rows = values.get('custom_rules')
    if rows is not None and not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        try:
            custom_rules(rows)
        except CustomRuleError as error:
            raise ConfigurationError(str(error)) from None
    exemptions = values.get('exemptions')
    if not isinstance(exemptions, list):
        return values
    return {**values, 'exemptions': [with_text_dates(exemption) for exemption in exemptions]}


def with_text_dates(exemption: Any) -> Any:
    if not isinstance(exemption, dict):
        return exemption
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in exemption.items()}
