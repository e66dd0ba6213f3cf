# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import json
import re

import pytest

from datadog_checks.kubelet_compliance.benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from datadog_checks.kubelet_compliance.fields import KUBELET_CONFIGURATION
from datadog_checks.kubelet_compliance.flag_table import FLAGS
from datadog_checks.kubelet_compliance.model import Rule
from datadog_checks.kubelet_compliance.rules import RULES, RULES_BY_KEY
from datadog_checks.kubelet_compliance.selection import SelectionError, select

from .cases import TRUTH

EVERYTHING_SET = json.loads((TRUTH / 'configz' / 'kubelet-1.36-everything-set.json').read_text())['kubeletconfig']


def test_keys_are_unique_and_never_change_their_form() -> None:
    assert len(RULES_BY_KEY) == len(RULES)
    assert all(re.fullmatch(r'[a-z][a-z0-9_]+', key) for key in RULES_BY_KEY)


@pytest.mark.parametrize('rule', RULES, ids=lambda rule: rule.key)
def test_a_rule_names_a_real_field_and_the_flag_that_writes_it(rule: Rule) -> None:
    spec, value = KUBELET_CONFIGURATION, EVERYTHING_SET
    for name in rule.field.split('.'):
        assert spec.fields is not None
        spec, value = spec.fields[name], value[name]
    assert FLAGS[rule.flag.removeprefix('--')].field == rule.field


@pytest.mark.parametrize('rule', RULES, ids=lambda rule: rule.key)
def test_a_rule_carries_all_that_a_person_needs(rule: Rule) -> None:
    for text in (rule.title, rule.default, rule.what, rule.why, rule.impact, rule.fix_in_file, rule.fix_by_flag):
        assert text.strip() == text != ''
    assert all(reference.startswith('https://kubernetes.io/docs/') for reference in rule.references)
    # A colon between flag and value, which several benchmarks print, keeps a kubelet from starting.
    assert f'{rule.flag}:' not in rule.fix_by_flag + rule.fix_in_file + rule.what


def test_the_iptables_rule_is_control_4_2_7_of_the_default_benchmark() -> None:
    benchmark, rules = select(None, None)
    assert benchmark is BENCHMARKS[DEFAULT_BENCHMARK]
    assert (benchmark.name, benchmark.framework) == ('cis-1.24', 'cis-kubernetes')
    assert benchmark.controls['make_iptables_util_chains'] == ('4.2.7',)
    assert RULES_BY_KEY['make_iptables_util_chains'] in rules


@pytest.mark.parametrize('name', BENCHMARKS)
def test_a_benchmark_names_only_known_rules(name: str) -> None:
    assert BENCHMARKS[name].name == name
    assert set(BENCHMARKS[name].controls) <= set(RULES_BY_KEY)


@pytest.mark.parametrize(
    'name, keys, message',
    [
        ('cis-9', None, "unknown benchmark 'cis-9'; known are: .*cis-1.24"),
        ('cis-1.24', ['bogus'], 'unknown rules for cis-1.24: bogus; known are: .*make_iptables_util_chains'),
        ('cis-1.24', ['make_iptables_util_chains', 'x', 'y'], 'unknown rules for cis-1.24: x, y; known'),
        ('cis-1.24', [], 'rules is empty: leave it out, or name some of: .*make_iptables_util_chains'),
    ],
)
def test_a_wrong_selection_is_an_error_that_lists_what_is_known(
    name: str, keys: list[str] | None, message: str
) -> None:
    with pytest.raises(SelectionError, match=message):
        select(name, keys)
