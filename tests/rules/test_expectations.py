# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a rule asks of the values of its fields. Each test makes its expectations anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.model import Benchmark, Expectation, FileModes, Value
from datadog_checks.kubelet_compliance.rules import expectations as expect
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS

BENCHMARK = BENCHMARKS['cis-1.12']
Make = Callable[[], Expectation]


def other_than_x() -> Expectation:
    return expect.other_than('X')


TRIED: tuple[Value, ...] = (
    True, False, None, '', ' ', 'true', 'false', 'X', 'x', 'Webhook', '/a', '0', '1', -1, 0, 1, 2, 0.5, (), ('/a',), {},
)  # fmt: skip
TEXTS = tuple(value for value in TRIED if isinstance(value, str) and value)

HOLDS: dict[Make, tuple[Value, ...]] = {
    expect.is_true: (True,),
    expect.is_false: (False,),
    expect.is_zero: (0,),
    expect.above_zero: (1, 2),
    expect.zero_or_more: (0, 1, 2),
    expect.names_a_file: TEXTS,
    expect.is_not_set: (None, ''),
    other_than_x: tuple(value for value in TEXTS if value != 'X'),
}
"""Expectations of one value, and all values that meet them among those that are tried."""


def same(one: Value, other: Value) -> bool:
    return type(one) is type(other) and one == other


@pytest.mark.parametrize('value', TRIED, ids=repr)
@pytest.mark.parametrize('make', HOLDS, ids=lambda make: make.__name__)
def test_one_value_is_compliant_or_not(make: Make, value: Value) -> None:
    is_good = any(same(value, good) for good in HOLDS[make])
    assert make().holds((value,), BENCHMARK) is is_good


@pytest.mark.parametrize('make', HOLDS, ids=lambda make: make.__name__)
def test_no_value_and_two_values_are_never_compliant(make: Make) -> None:
    good = HOLDS[make][0]
    assert make().holds((), BENCHMARK) is False
    assert make().holds((good, good), BENCHMARK) is False


@pytest.mark.parametrize(
    'make, text',
    [
        (expect.is_true, 'true'),
        (expect.any_true, 'true'),
        (expect.is_false, 'false'),
        (expect.is_zero, '0'),
        (expect.above_zero, 'above 0'),
        (expect.zero_or_more, '0 or more'),
        (expect.is_not_set, 'not set'),
        (other_than_x, 'other than X'),
    ],
    ids=lambda part: getattr(part, '__name__', None),
)
def test_a_message_says_what_is_expected(make: Make, text: str) -> None:
    assert make().text(BENCHMARK) == text


def test_the_bound_of_a_number_may_be_said_in_other_words() -> None:
    assert expect.above_zero('above 0s').text(BENCHMARK) == 'above 0s'


@pytest.mark.parametrize(
    'values, expected',
    [((True, False), True), ((None, True), True), ((False, None), False), (('true', 1), False), ((), False)],
)
def test_one_of_several_switches_is_enough(values: tuple[Value, ...], expected: bool) -> None:
    assert expect.any_true().holds(values, BENCHMARK) is expected


PAIR = ('/a.crt', '/a.key')
# Certificate, key and server bootstrap.
CERTIFICATES: list[tuple[tuple[Value, ...], bool]] = [
    ((*PAIR, False), True),
    ((*PAIR, None), True),
    (('', '', True), True),
    ((None, None, True), True),
    (('/a.crt', '', True), True),
    (('/a.crt', '', False), False),
    (('', '/a.key', False), False),
    (('/a.crt', None, False), False),
    (('', '', False), False),
    (('', '', None), False),
    (('', '', 'true'), False),
    (('', '', 1), False),
    ((True, True, False), False),
]


@pytest.mark.parametrize('values, expected', CERTIFICATES)
def test_a_certificate_is_a_pair_of_files_or_asked_for(values: tuple[Value, ...], expected: bool) -> None:
    assert expect.certificate_or_bootstrap().holds(values, BENCHMARK) is expected
    gated = expect.gate_and_certificate_or_bootstrap()
    assert gated.holds((True, None, *values), BENCHMARK) is expected
    assert gated.holds((False, None, *values), BENCHMARK) is False


def test_a_message_says_which_certificate_is_expected() -> None:
    plain, gated = expect.certificate_or_bootstrap(), expect.gate_and_certificate_or_bootstrap()
    assert re.fullmatch('a certificate.* serverTLSBootstrap', plain.text(BENCHMARK))
    assert re.fullmatch('the gate.* serverTLSBootstrap', gated.text(BENCHMARK))


@pytest.mark.parametrize('count', [2, 4])
def test_a_certificate_is_judged_by_all_its_values_and_no_other(count: int) -> None:
    with pytest.raises(ValueError):
        expect.certificate_or_bootstrap().holds((True,) * count, BENCHMARK)
    with pytest.raises(ValueError):
        expect.gate_and_certificate_or_bootstrap().holds((True,) * (count + 2), BENCHMARK)


@pytest.mark.parametrize(
    'gate, all_beta, expected',
    [
        (None, None, True),
        (None, True, True),
        (None, False, False),
        (True, False, True),
        (True, None, True),
        (False, None, False),
        (False, True, False),
        ('true', None, False),
    ],
)
def test_the_gate_of_all_beta_features_turns_a_gate_off_that_is_not_named(
    gate: Value, all_beta: Value, expected: bool
) -> None:
    for rule in (
        expect.gate_and_certificate_or_bootstrap(),
        RULES_BY_KEY['rotate_kubelet_server_certificate'].expected,
    ):
        assert rule.holds((gate, all_beta, '', '', True), BENCHMARK) is expected


def test_gates_that_are_not_named_at_all_are_on() -> None:
    assert expect.is_gate_off({}) is False


STRONG, CHACHA = 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305'
SUITES = replace(BENCHMARK, name='mine', strong_cipher_suites=(STRONG, CHACHA))


@pytest.mark.parametrize(
    'suites, expected',
    [
        ((STRONG,), True),
        ((CHACHA,), True),
        ((f'{CHACHA}_SHA256',), True),
        ((STRONG, f'{CHACHA}_SHA256'), True),
        ((STRONG, 'TLS_RSA_WITH_RC4_128_SHA'), False),
        (('TLS_RSA_WITH_RC4_128_SHA', STRONG), False),
        ((f'{STRONG}_SHA256',), False),
        (('',), False),
        ((), False),
        (None, False),
        (STRONG, False),
    ],
)
def test_each_cipher_suite_is_one_of_the_benchmark(suites: Value, expected: bool) -> None:
    expectation = expect.only_strong_ciphers()
    assert expectation.holds((suites,), SUITES) is expected
    assert 'mine' in expectation.text(SUITES)
    if isinstance(suites, tuple):
        assert expectation.holds_for_item is not None
        assert all(expectation.holds_for_item(suite, SUITES) is True for suite in suites if expected)
    assert expectation.holds_for_item is not None and not expectation.holds_for_item('x', SUITES)


def with_modes(modes: FileModes) -> Benchmark:
    return replace(BENCHMARK, modes={'key': modes})


AT_MOST_600, ONE_OF = with_modes(FileModes(at_most=0o600)), with_modes(FileModes(one_of=(0o644, 0o640)))


@pytest.mark.parametrize(
    'allowing, values, expected',
    [
        (AT_MOST_600, ('600',), True),
        (AT_MOST_600, ('600', '400'), True),
        (AT_MOST_600, ('600', '644'), False),
        (AT_MOST_600, ('577',), False),
        (AT_MOST_600, (600,), False),
        (AT_MOST_600, (None,), False),
        (AT_MOST_600, (), True),
        (ONE_OF, ('640', '644'), True),
        (ONE_OF, ('600',), False),
    ],
)
def test_each_mode_is_one_that_the_benchmark_allows(
    allowing: Benchmark, values: tuple[Value, ...], expected: bool
) -> None:
    expectation = expect.allowed_mode('key')
    assert expectation.holds(values, allowing) is expected
    assert str(allowing.modes['key']) in expectation.text(allowing)


@pytest.mark.parametrize(
    'modes, text', [(FileModes(at_most=0o600), '600 or stricter'), (FileModes(one_of=(0o644, 0o40)), '644 or 040')]
)
def test_modes_are_written_as_octal_text(modes: FileModes, text: str) -> None:
    assert str(modes) == text


@pytest.mark.parametrize(
    'values, expected',
    [
        (('root:root',), True),
        (('root:root', 'root:root'), True),
        (('root:root', '1000:root'), False),
        (('root:1000',), False),
        ((), True),
    ],
)
def test_each_file_belongs_to_root(values: tuple[Value, ...], expected: bool) -> None:
    expectation = expect.owned_by_root()
    assert expectation.holds(values, BENCHMARK) is expected
    assert expectation.text(BENCHMARK) == 'owner root:root'


def test_a_file_that_is_expected_is_called_so() -> None:
    made: Any = expect.names_a_file()
    assert made.text(BENCHMARK) == RULES_BY_KEY['client_ca_file'].expected.text(BENCHMARK) != ''


def test_what_depends_on_a_value_of_the_benchmark_says_whether_it_is_stated() -> None:
    suites, mode = expect.only_strong_ciphers(), expect.allowed_mode('key')
    assert suites.is_stated_by(SUITES) is True
    assert suites.is_stated_by(replace(SUITES, strong_cipher_suites=())) is False
    assert mode.is_stated_by(AT_MOST_600) is True
    assert mode.is_stated_by(replace(BENCHMARK, modes={'other': FileModes(at_most=0o600)})) is False
