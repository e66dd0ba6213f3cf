# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
import yaml

from datadog_checks.kubelet_compliance.kubelet.decoding import zero_of
from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION, Kind
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.model import Evidence, File, Process, Rule, Verdict
from datadog_checks.kubelet_compliance.rules.benchmark_table import BENCHMARK_OF_VERSION
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from datadog_checks.kubelet_compliance.rules.judge import judge
from datadog_checks.kubelet_compliance.rules.resolve import resolve
from datadog_checks.kubelet_compliance.rules.selection import select
from datadog_checks.kubelet_compliance.rules.setting_rules import RULES, RULES_BY_KEY, SETTING_RULES
from tests.support.cases import TRUTH
from tests.support.nodes import declare

EVERYTHING_SET = json.loads((TRUTH / 'configz' / 'kubelet-1.36-everything-set.json').read_text())['kubeletconfig']


def test_keys_are_unique_and_never_change_their_form() -> None:
    assert len(RULES_BY_KEY) == len(RULES)
    assert all(re.fullmatch(r'[a-z][a-z0-9_]+', key) for key in RULES_BY_KEY)


@pytest.mark.parametrize('rule', SETTING_RULES, ids=lambda rule: rule.key)
def test_a_rule_names_real_fields_and_the_flags_that_write_them(rule: Rule) -> None:
    assert len(rule.fields) == len(rule.flags) == len(rule.when_absent)
    for field, flag, absent in zip(rule.fields, rule.flags, rule.when_absent, strict=True):
        row = FLAGS[flag.removeprefix('--')]
        if field == flag:
            assert row.field is None
            continue
        spec, value = KUBELET_CONFIGURATION, EVERYTHING_SET
        for name in field.split('.'):
            if spec.kind is Kind.MAP:
                assert spec.items is not None and isinstance(value, dict)
                spec = spec.items
                break
            assert spec.fields is not None
            spec, value = spec.fields[name], value[name]
        assert row.field in (field, field.split('.')[0]) or field in NOT_WRITTEN_BY_A_FLAG
        assert absent == (None if spec.nullable or field in ALWAYS_THERE else zero_of(spec))


NOT_WRITTEN_BY_A_FLAG = {'seccompDefault'}
"""--seccomp-default works beside the field, see the rule's note."""

ALWAYS_THERE = {'streamingConnectionIdleTimeout', 'featureGates.RotateKubeletServerCertificate', 'featureGates.AllBeta'}
"""Go writes a zero duration as 0s, and a gate that is not named is at its default."""


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
def test_the_fix_in_a_file_is_one_that_the_kubelet_takes_and_that_mends_the_rule(rule: Rule) -> None:
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


def test_the_iptables_rule_is_control_4_2_7_of_the_default_benchmark() -> None:
    selection = select(None, None)
    assert selection.benchmark is BENCHMARKS[DEFAULT_BENCHMARK]
    assert (selection.benchmark.name, selection.benchmark.framework) == ('cis-1.24', 'cis-kubernetes')
    assert selection.benchmark.controls['make_iptables_util_chains'] == ('4.2.7',)
    assert RULES_BY_KEY['make_iptables_util_chains'] in selection.rules


def test_the_numbers_are_those_of_the_benchmarks() -> None:
    recorded = json.loads((TRUTH / 'benchmarks.json').read_text())
    assert set(BENCHMARKS) == set(recorded['benchmarks'])
    for name, rules in recorded['benchmarks'].items():
        benchmark = BENCHMARKS[name]
        assert benchmark.framework == recorded['compliance_framework'][name]
        numbers = {key.replace('-', '_'): tuple(row['id'] for row in rows) for key, rows in rules.items()}
        assert {**benchmark.controls, **benchmark.unjudged} == numbers
        assert not set(benchmark.controls) & set(benchmark.unjudged)
        for key, rows in rules.items():
            key, expected = key.replace('-', '_'), rows[0].get('expected')
            is_file_rule = RULES_BY_KEY[key].files is not None
            assert (key in benchmark.unjudged) == (is_file_rule and expected is None)
            assert (key in benchmark.modes) == (key.endswith('_permissions') and expected is not None)
            if key in benchmark.modes:
                modes = benchmark.modes[key]
                one_of = tuple(int(mode, 8) for mode in expected.get('mode_one_of', ()))
                at_most = int(expected['mode_at_most'], 8) if 'mode_at_most' in expected else None
                assert (modes.one_of, modes.at_most) == (one_of, at_most)
        strong = recorded['strong_tls_cipher_suites']
        suites = strong.get(name) or strong['every other benchmark that has the rule']
        assert set(benchmark.strong_cipher_suites) == set(suites)
    assert BENCHMARK_OF_VERSION == recorded['kubernetes_version_to_benchmark']


@pytest.mark.parametrize(
    'mode, allowed',
    [
        (0o600, True), (0o400, True), (0o200, True), (0o000, True),
        (0o640, False), (0o644, False), (0o700, False), (0o4600, False),
        # Smaller numbers, with bits that 600 does not have.
        (0o577, False), (0o500, False), (0o444, False), (0o020, False), (0o007, False), (0o001, False),
    ],
)  # fmt: skip
def test_a_mode_of_at_most_600_has_no_other_bit(mode: int, allowed: bool) -> None:
    assert BENCHMARKS['cis-1.24'].modes['kubeconfig_permissions'].allow(mode) is allowed


def test_a_mode_that_must_be_one_of_a_few_is_no_other() -> None:
    modes = BENCHMARKS['rke2-cis-1.24'].modes['kubeconfig_permissions']
    assert (modes.allow(0o600), modes.allow(0o400)) == (True, False)


@pytest.mark.parametrize('name', BENCHMARKS)
def test_a_benchmark_names_only_known_rules(name: str) -> None:
    assert BENCHMARKS[name].name == name
    assert set(BENCHMARKS[name].controls) | set(BENCHMARKS[name].unjudged) <= set(RULES_BY_KEY)
    assert select(name, None).rules
