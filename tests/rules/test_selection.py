# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which benchmark and which of its rules are judged."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.custom_rules import custom_rules
from datadog_checks.kubelet_compliance.rules.selection import RULE_GROUPS, SelectionError, chooser, select


@pytest.mark.parametrize(
    'version, name',
    [
        ('v1.24.17', 'cis-1.24'),
        ('v1.28.3-gke.100', 'cis-1.10'),
        ('1.31.0', 'cis-1.11'),
        ('v1.33.5', 'cis-1.12'),
        ('v1.34.1', 'cis-2.0'),
        ('v1.35.0', 'cis-2.0'),
        ('v1.36.0', 'cis-2.0'),
        ('v1.99.0', 'cis-2.0'),
        ('v1.2.0', 'cis-1.5'),
        ('v2.0.0', 'cis-1.24'),
        ('', 'cis-1.24'),
        (None, 'cis-1.24'),
    ],
)
def test_auto_goes_by_the_version_and_else_by_the_default(version: str | None, name: str) -> None:
    assert select('auto', None, version).benchmark.name == name


@pytest.mark.parametrize(
    'name, keys, message',
    [
        ('cis-9', None, "unknown benchmark 'cis-9'; choose from: auto, .*cis-1.24"),
        ('cis-1.24', ['bogus'], 'unknown rules for cis-1.24: bogus; choose from: .*make_iptables_util_chains'),
        ('cis-1.24', ['make_iptables_util_chains', 'x', 'y'], 'unknown rules for cis-1.24: x, y; choose'),
        ('cis-1.24', ['pod_max_pids'], 'unknown rules for cis-1.24: pod_max_pids; choose from: '),
        (
            'gke-1.0',
            ['kubeconfig_ownership'],
            'gke-1.0 lists kubeconfig_ownership without a value to compare with; choose',
        ),
        ('cis-1.24', ['4.2.99'], r'cis-1.24 has no rule with the number 4.2.99; choose from: .*4\.2\.9, 4\.2\.10'),
        ('cis-1.24', ['4.2'], 'cis-1.24 has no rule with the number 4.2; choose from: '),
        ('gke-1.0', ['4.1.6'], 'gke-1.0 lists kubeconfig_ownership without a value to compare with; choose'),
        ('auto', ['bogus'], 'unknown rules for auto: bogus; choose from: .*seccomp_default'),
        ('auto', ['read_only_port', 'azure_json_ownership'], 'unknown rules for auto: azure_json_ownership; choose'),
        ('auto', [], 'rules is empty: remove it, or name at least one rule; choose from: '),
        ('auto', ['4.2.7'], '4.2.7 can be another rule in another benchmark: with auto, name the key of the rule'),
        ('cis-1.24', ['setting'], 'unknown rules for cis-1.24: setting; choose from: .*; groups: files, settings$'),
        (
            'cis-1.24',
            [],
            'rules is empty: remove it, or name at least one rule; choose from: .*make_iptables_util_chains',
        ),
    ],
)
def test_a_wrong_selection_is_an_error_that_lists_what_is_known(
    name: str, keys: list[str] | None, message: str
) -> None:
    with pytest.raises(SelectionError, match=message):
        select(name, keys)


@pytest.mark.parametrize('name', ['auto', *BENCHMARKS])
def test_the_two_groups_share_out_the_rules_of_every_benchmark(name: str) -> None:
    version = 'v1.31.4' if name == 'auto' else None
    everything = select(name, None, version).rules
    for group, is_of_files in (('settings', False), ('files', True)):
        wanted = tuple(rule for rule in everything if (rule.aspect is not None) is is_of_files)
        if wanted:
            assert select(name, [group], version).rules == wanted
            continue
        with pytest.raises(SelectionError, match=f'has none of the rules: {group}; choose from: '):
            select(name, [group], version)
    assert select(name, ['files', 'settings'], version).rules == everything


def test_a_group_goes_with_a_key() -> None:
    rules = select('cis-1.24', ['files', 'anonymous_auth', 'anonymous_auth']).rules
    assert [rule.key for rule in rules if rule.files is None] == ['anonymous_auth']
    assert len(rules) > 1


def test_a_group_has_the_name_of_no_rule() -> None:
    assert set(RULE_GROUPS).isdisjoint(RULES_BY_KEY)


@pytest.mark.parametrize(
    ('version', 'names', 'benchmarks'),
    [
        pytest.param('v1.24.17', ['protect_kernel_defaults'], ['cis-1.24'], id='the benchmark of the release has it'),
        pytest.param('v1.36.0', ['protect_kernel_defaults'], ['cis-1.24'], id='only older benchmarks have it'),
        pytest.param('v1.20.1', ['seccomp_default'], ['cis-1.11'], id='only newer benchmarks have it'),
        pytest.param(None, ['seccomp_default'], ['cis-1.11'], id='no version'),
        pytest.param(
            'v1.36.0', ['read_only_port', 'protect_kernel_defaults'], ['cis-2.0', 'cis-1.24'], id='one of two'
        ),
        pytest.param('v1.36.0', ['files', 'pod_max_pids'], ['cis-2.0'], id='a group is that of the benchmark'),
    ],
)
def test_auto_evaluates_each_rule_that_is_named(version: str | None, names: list[str], benchmarks: list[str]) -> None:
    """A rule that its benchmark lacks must not vanish: a node would look compliant."""
    selection = select('auto', names, version)
    keys = {rule.key for rule in selection.rules}
    assert keys >= {*names} - {'files'}
    assert sorted({selection.benchmark_of(rule).name for rule in selection.rules}) == sorted(benchmarks)
    assert all(rule.key in selection.benchmark_of(rule).controls for rule in selection.rules)
    assert chooser('auto', names)(version) == selection  # type: ignore[misc]


def test_auto_goes_with_custom_rules() -> None:
    (own,) = custom_rules([{'key': 'max_pods', 'title': 'a', 'setting': 'maxPods', 'at_most': 110}])
    selection = select('auto', ['max_pods', 'protect_kernel_defaults'], 'v1.36.0', [own])
    assert {rule.key: selection.benchmark_of(rule).name for rule in selection.rules} == {
        'protect_kernel_defaults': 'cis-1.24',
        'max_pods': 'custom',
    }


@pytest.mark.parametrize('name', BENCHMARKS)
def test_each_number_of_a_benchmark_names_its_rule(name: str) -> None:
    for key, numbers in BENCHMARKS[name].controls.items():
        for number in numbers:
            assert [rule.key for rule in select(name, [number]).rules] == [key]


def test_numbers_keys_and_groups_go_together() -> None:
    selected = [rule.key for rule in select('cis-1.24', ['4.2.7', 'anonymous_auth', 'files']).rules]
    assert {'make_iptables_util_chains', 'anonymous_auth', 'kubeconfig_ownership'} < set(selected)
