# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""All rules, in the order in which pages and reports list them."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.model import Rule

from .access_rules import ACCESS_RULES
from .certificate_rules import CERTIFICATE_RULES
from .file_rules import FILE_RULES
from .node_rules import NODE_RULES
from .pod_rules import POD_RULES

SETTING_RULES: tuple[Rule, ...] = (*ACCESS_RULES, *NODE_RULES, *CERTIFICATE_RULES, *POD_RULES)
RULES: tuple[Rule, ...] = (*SETTING_RULES, *FILE_RULES)
RULES_BY_KEY = {rule.key: rule for rule in RULES}
