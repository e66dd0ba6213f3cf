# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Custom rules judged on a declared and a running configuration."""

from __future__ import annotations

from typing import Any

from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.model import NOT_ASKED, Declared, Evidence, Finding, Process, Rule, Unknown
from datadog_checks.kubelet_compliance.rules.custom_rules import custom_benchmark, custom_rules
from datadog_checks.kubelet_compliance.rules.judge import holds, judge
from datadog_checks.kubelet_compliance.rules.settings import setting_with_defect

EVIDENCE = Evidence(Process(1, 1, ()))


def row(setting: str, **expectation: Any) -> dict[str, Any]:
    """A row of the option `custom_rules`. A trailing underscore is only for Python: `is_`."""
    named = {name.removesuffix('_'): value for name, value in expectation.items()}
    return {'key': 'own', 'title': 'Own rule', 'setting': setting, **named}


def rule_with(setting: str, **expectation: Any) -> Rule:
    (rule,) = custom_rules([row(setting, **expectation)])
    return rule


def holds_for(rule: Rule, value: Any) -> bool:
    return holds(rule, ((rule.fields[0], value),), custom_benchmark([rule]))


def finding_of(rule: Rule, *readings: Declared, running: Configuration | Unknown = NOT_ASKED) -> Finding:
    """The rule judged on a kubelet whose configuration can be read in these ways."""
    benchmark = custom_benchmark([rule])
    kubelet = Kubelet(EVIDENCE, (), readings, running)
    return judge(rule, setting_with_defect(kubelet, rule, benchmark), benchmark)
