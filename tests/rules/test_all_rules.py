# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What every rule has: a key, the texts that a person needs, and a fix that the kubelet accepts."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import yaml

from datadog_checks.kubelet_compliance.model import Evidence, File, Process, Rule, Verdict
from datadog_checks.kubelet_compliance.rules.all_rules import RULES, RULES_BY_KEY, SETTING_RULES
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.judge import judge
from datadog_checks.kubelet_compliance.rules.resolve import resolve
from tests.support.nodes import declare


def test_keys_are_unique_and_never_change_their_form() -> None:
    assert len(RULES_BY_KEY) == len(RULES)
    assert all(re.fullmatch(r'[a-z][a-z0-9_]+', key) for key in RULES_BY_KEY)


@pytest.mark.parametrize('rule', RULES, ids=lambda rule: rule.key)
def test_a_rule_carries_all_that_a_person_needs(rule: Rule) -> None:
    for text in (rule.title, rule.default, rule.what, rule.why, rule.impact):
        assert text.strip() == text != ''
    assert (rule.files is None) == bool(rule.fields) == (rule.aspect is None)
    assert bool(rule.references) == bool(rule.fields)
    assert all(reference.startswith('https://kubernetes.io/docs/') for reference in rule.references)


EVERYTHING_WRONG: dict[str, Any] = {
    'authorization': {'mode': 'AlwaysAllow'},
    'authentication': {'anonymous': {'enabled': True}},
    'readOnlyPort': 10255,
    'makeIPTablesUtilChains': False,
    'staticPodPath': '/etc/kubernetes/manifests',
}


@pytest.mark.parametrize(
    'rule', [rule for rule in SETTING_RULES if rule.fix and rule.key != 'hostname_override'], ids=lambda rule: rule.key
)
def test_the_kubelet_accepts_the_fix_in_a_file_and_the_rule_then_holds(rule: Rule) -> None:
    configuration = {
        'apiVersion': 'kubelet.config.k8s.io/v1beta1',
        'kind': 'KubeletConfiguration',
        **copy.deepcopy(EVERYTHING_WRONG),
    }
    for change in rule.fix:
        *parents, name = change.name.split('.')
        values = configuration
        for parent in parents:
            values = values.setdefault(parent, {})
        values[name] = yaml.safe_load(change.value)
    config = File('/c.yaml', yaml.safe_dump(configuration).encode(), None)
    declared = declare(Evidence(Process(1, 1, ()), config))
    assert declared.unknown is None
    assert judge(rule, resolve(declared, rule.fields), BENCHMARKS['cis-1.12']).verdict is Verdict.COMPLIANT
