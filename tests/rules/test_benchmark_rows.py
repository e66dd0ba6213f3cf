# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The benchmarks that the rows come to, against the recorded ones; and the rows that are refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from datadog_checks.kubelet_compliance.model import Benchmark, BenchmarkRow, FileModes, Rule, Value
from datadog_checks.kubelet_compliance.rules.all_rules import RULES, RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmark_rows import BENCHMARK_ROWS
from datadog_checks.kubelet_compliance.rules.benchmarks import (
    BENCHMARK_OF_MINOR,
    BENCHMARKS,
    DEFAULT_BENCHMARK,
    NOTHING_STATED,
    BenchmarkError,
    benchmarks_of,
)
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.cases import TRUTH

ROWS = {row.name: row for row in BENCHMARK_ROWS}


def test_the_iptables_rule_is_control_4_2_7_of_the_default_benchmark() -> None:
    selection = select(None, None)
    assert selection.benchmark is BENCHMARKS[DEFAULT_BENCHMARK]
    assert (selection.benchmark.name, selection.benchmark.framework) == ('cis-1.24', 'cis-kubernetes')
    assert selection.benchmark.controls['make_iptables_util_chains'] == ('4.2.7',)
    assert RULES_BY_KEY['make_iptables_util_chains'] in selection.rules


RECORDED = json.loads((TRUTH / 'benchmarks.json').read_text())
STRONG_SUITES = {
    name: suites for names, suites in RECORDED['strong_tls_cipher_suites'].items() for name in names.split(', ')
}
"""By benchmark. One entry of the file can name several."""


def test_the_benchmarks_are_the_recorded_ones() -> None:
    assert set(BENCHMARKS) == set(RECORDED['benchmarks'])
    versions = {f'1.{minor}': name for minor, name in BENCHMARK_OF_MINOR.items()}
    assert versions == RECORDED['kubernetes_version_to_benchmark']


@pytest.mark.parametrize('name', BENCHMARKS)
def test_the_numbers_and_values_are_the_recorded_ones(name: str) -> None:
    benchmark, rules = BENCHMARKS[name], RECORDED['benchmarks'][name]
    assert benchmark.framework == RECORDED['compliance_framework'][name]
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
    if 'tls_cipher_suites' in benchmark.controls:
        suites = STRONG_SUITES.get(name) or STRONG_SUITES['every other benchmark that has the rule']
        assert set(benchmark.strong_cipher_suites) == set(suites)


def test_each_release_has_one_benchmark_and_none_is_left_out() -> None:
    minors = [minor for row in BENCHMARK_ROWS for minor in row.minors]
    assert sorted(minors) == list(range(min(minors), max(minors) + 1))


@pytest.mark.parametrize('row', [row for row in BENCHMARK_ROWS if row.like], ids=lambda row: row.name)
def test_a_row_states_only_what_differs(row: BenchmarkRow) -> None:
    like = BENCHMARKS[row.like]
    inherited = {**like.controls, **like.unjudged}
    assert all(tuple(number.split()) != inherited.get(key) for key, number in row.numbers.items())
    assert all(modes != like.modes.get(key) for key, modes in row.modes.items())
    assert row.framework != like.framework and row.strong_cipher_suites != like.strong_cipher_suites


VALUES: dict[str, tuple[Value, ...]] = {
    'tls_cipher_suites': (
        (), ('TLS_RSA_WITH_AES_128_GCM_SHA256',), ('TLS_RSA_WITH_AES_256_GCM_SHA384',),
        ('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',), ('TLS_RSA_WITH_RC4_128_SHA',),
    ),
}  # fmt: skip
MODES = tuple(f'{mode:03o}' for mode in range(0o10000))


def verdicts(rule: Rule, benchmark: Benchmark) -> list[bool]:
    values = MODES if rule.key.endswith('_permissions') else VALUES.get(rule.key, ())
    return [rule.expected.holds((value,), benchmark) for value in values]


@pytest.mark.parametrize('name', BENCHMARKS)
def test_a_benchmark_that_is_only_like_another_judges_as_that_one_does(name: str) -> None:
    copy = benchmarks_of([*BENCHMARK_ROWS, BenchmarkRow('new', like=name)])['new']
    assert replace(copy, name=name) == BENCHMARKS[name]
    for key in copy.controls:
        assert verdicts(RULES_BY_KEY[key], copy) == verdicts(RULES_BY_KEY[key], BENCHMARKS[name])


def test_cis_1_12_and_what_is_like_it_allow_no_suite_without_forward_secrecy() -> None:
    copy = benchmarks_of([*BENCHMARK_ROWS, BenchmarkRow('new', like='cis-1.12')])['new']
    rule = RULES_BY_KEY['tls_cipher_suites']
    assert verdicts(rule, copy) == [False, False, False, True, False]
    assert verdicts(rule, BENCHMARKS['cis-1.24']) == [False, True, True, True, False]


MODE, OWNER, SUITES = 'config_file_permissions', 'config_file_ownership', 'tls_cipher_suites'
AT_MOST_600 = FileModes(at_most=0o600)


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        pytest.param(BenchmarkRow('cis-1.5', like='cis-1.12'), 'cis-1.5 has two rows', id='a name twice'),
        pytest.param(
            BenchmarkRow('new', like='cis-1.12', minors=(24,)),
            'new and cis-1.24 both name Kubernetes 1.24',
            id='a release of two benchmarks',
        ),
        pytest.param(
            BenchmarkRow('new', like='cis-1.12', numbers={'anonymous_auth': '4.2.2'}),
            'new gives 4.2.2 to two rules',
            id='a number of two rules',
        ),
        pytest.param(BenchmarkRow('new', like='later'), 'is like later, which is not an earlier row', id='like what'),
        pytest.param(BenchmarkRow('new', numbers={OWNER: '1.1'}), 'new has no framework', id='no framework'),
        pytest.param(
            BenchmarkRow('new', framework='x', numbers={MODE: '1.1'}),
            f'new states no value to judge {MODE} by', id='a mode rule without a mode',
        ),
        pytest.param(
            BenchmarkRow('new', framework='x', numbers={SUITES: '1.1'}),
            f'new states no value to judge {SUITES} by', id='the rule on cipher suites without suites',
        ),
        pytest.param(
            BenchmarkRow('new', like='cis-1.12', strong_cipher_suites=()),
            f'new states no value to judge {SUITES} by', id='no suites in place of the inherited ones',
        ),
        pytest.param(
            BenchmarkRow('new', like='gke-1.6.0', numbers={'kubeconfig_permissions': '3.1.1'}),
            'new states no value to judge kubeconfig_permissions by', id='a rule comes back without its value',
        ),
        pytest.param(BenchmarkRow('new', like='cis-1.12', numbers={OWNER: ''}), 'no number for', id='no number'),
        pytest.param(BenchmarkRow('new', like='cis-1.12', numbers={'x': '1'}), 'names x, which is no', id='no rule'),
        pytest.param(
            BenchmarkRow('new', like='gke-1.8.0', without=(SUITES,)),
            f'lists {SUITES} in `without`, but has a number for it or never inherited it', id='drops what it never had',
        ),
        pytest.param(
            BenchmarkRow('new', like='cis-1.12', without=(SUITES,), numbers={SUITES: '1.1'}),
            f'lists {SUITES} in `without`, but has a number for it or never inherited it', id='drops and has',
        ),
        pytest.param(
            BenchmarkRow('new', like='gke-1.8.0', modes={'client_ca_permissions': AT_MOST_600}),
            'has modes for client_ca_permissions, which it does not judge', id='a mode without its rule',
        ),
        pytest.param(
            BenchmarkRow('new', like='cis-1.6-k3s', modes={MODE: AT_MOST_600}),
            f'has modes for {MODE}, which it does not judge', id='a mode for a rule that is not judged',
        ),
        pytest.param(
            BenchmarkRow('new', like='gke-1.8.0', unjudged=(SUITES,)),
            f'cannot judge {SUITES}, but has no number for it', id='not judged and not there',
        ),
    ],
)  # fmt: skip
def test_a_row_that_contradicts_itself_or_leaves_a_value_open_is_refused(row: BenchmarkRow, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        benchmarks_of([*BENCHMARK_ROWS, row])


@pytest.mark.parametrize('rule', RULES, ids=lambda rule: rule.key)
def test_every_benchmark_that_has_a_rule_can_judge_by_it(rule: Rule) -> None:
    judging = [benchmark for benchmark in BENCHMARKS.values() if rule.key in benchmark.controls]
    values = ('600',) if rule.files is not None else (None,) * len(rule.fields)
    assert judging
    for benchmark in judging:
        assert rule.expected.text(benchmark)
        rule.expected.holds(values, benchmark)


def judged_by(rule: Rule, benchmark: Benchmark) -> object:
    try:
        return rule.expected.text(replace(benchmark, name='')), verdicts(rule, benchmark)
    except KeyError:
        return None


@pytest.mark.parametrize('rule', RULES, ids=lambda rule: rule.key)
def test_a_rule_whose_verdict_depends_on_the_benchmark_asks_for_its_value(rule: Rule) -> None:
    """Otherwise a benchmark that states no value would not be refused."""
    outcomes = [judged_by(rule, benchmark) for benchmark in (NOTHING_STATED, *BENCHMARKS.values())]
    depends = any(outcome != outcomes[0] for outcome in outcomes)
    assert (rule.expected.is_stated_by is not None) is depends


@pytest.mark.parametrize('name', BENCHMARKS)
def test_a_benchmark_has_rules_to_select(name: str) -> None:
    assert BENCHMARKS[name].name == name
    assert select(name, None).rules
