# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from datadog_checks.kubelet_compliance.kubelet.formats.go import (
    format_duration,
    format_float32,
    parse_bool,
    parse_duration,
    parse_float,
    parse_int,
)

NS = 1
US = 1_000
MS = 1_000_000
S = 1_000_000_000
LONGEST_DURATION = (1 << 63) - 1


@pytest.mark.parametrize('text', ['1', 't', 'T', 'true', 'True', 'TRUE'])
def test_true_words_are_true(text: str) -> None:
    assert parse_bool(text) is True


@pytest.mark.parametrize('text', ['0', 'f', 'F', 'false', 'False', 'FALSE'])
def test_false_words_are_false(text: str) -> None:
    assert parse_bool(text) is False


@pytest.mark.parametrize(
    'text', ['', 'tRUE', 'fALSE', 'yes', 'no', 'on', 'off', 'y', 'n', '2', ' true', 'true\n', '01']
)
def test_other_words_are_no_boolean(text: str) -> None:
    with pytest.raises(ValueError):
        parse_bool(text)


@pytest.mark.parametrize(
    'text, expected',
    [
        ('0', 0),
        ('7', 7),
        ('-7', -7),
        ('+7', 7),
        ('-0', 0),
        ('010', 8),
        ('00', 0),
        ('0_7', 7),
        ('0o17', 15),
        ('0O17', 15),
        ('0o_17', 15),
        ('0x1F', 31),
        ('0X1f', 31),
        ('0x_1f', 31),
        ('-0x10', -16),
        ('0b101', 5),
        ('0B101', 5),
        ('1_000', 1000),
        ('9223372036854775807', 9223372036854775807),
        ('-9223372036854775808', -9223372036854775808),
        ('0' * 5000 + '17', 15),
    ],
)
def test_integers_have_go_literals_of_every_base(text: str, expected: int) -> None:
    assert parse_int(text) == expected


@pytest.mark.parametrize(
    'text',
    ['', '-', '+', ' 1', '1 ', '1\n', '08', '09', '1.0', '1e3', '0x', '0b', '0o', '0xg', '0b2', '0o8', '--1', 'x']
    + ['_1', '1_', '1__0', '0_', '0x1_', '1_000_', '\u0661', '9223372036854775808', '-9223372036854775809', '9' * 5000],
)
def test_other_text_is_no_integer(text: str) -> None:
    with pytest.raises(ValueError):
        parse_int(text)


@pytest.mark.parametrize(
    'text, bits, signed',
    [
        ('2147483648', 32, True),
        ('-2147483649', 32, True),
        ('0x80000000', 32, True),
        ('4294967296', 32, False),
        ('18446744073709551616', 64, False),
        ('-1', 64, False),
        ('+1', 64, False),
        ('-0', 64, False),
    ],
)
def test_an_integer_beyond_its_type_is_refused(text: str, bits: int, signed: bool) -> None:
    with pytest.raises(ValueError):
        parse_int(text, bits, signed=signed)


@pytest.mark.parametrize(
    'text, bits, signed, expected',
    [
        ('2147483647', 32, True, 2147483647),
        ('-2147483648', 32, True, -2147483648),
        ('4294967295', 32, False, 4294967295),
        ('18446744073709551615', 64, False, 18446744073709551615),
    ],
)
def test_the_last_integer_of_a_type_is_read(text: str, bits: int, signed: bool, expected: int) -> None:
    assert parse_int(text, bits, signed=signed) == expected


@pytest.mark.parametrize(
    'text, expected',
    [
        ('1', 1.0),
        ('1.', 1.0),
        ('.5', 0.5),
        ('-1.5', -1.5),
        ('+1.5', 1.5),
        ('1e3', 1000.0),
        ('1E+3', 1000.0),
        ('1e-3', 0.001),
        ('08', 8.0),
        ('1_000.5_0', 1000.5),
        ('1e1_0', 1e10),
        ('1e-400', 0.0),
        ('0.' + '0' * 70 + '1e71', 1.0),
    ],
)
def test_decimal_floats_are_read(text: str, expected: float) -> None:
    assert parse_float(text) == expected


@pytest.mark.parametrize(
    'text',
    ['', '.', '1e', 'e1', '1.5.1', ' 1', '1 ', '1e400', '-1e400', 'inf', 'nan', '_1', '1_', '1_.5', '1__0', '1,5'],
)
def test_other_text_is_no_float(text: str) -> None:
    with pytest.raises(ValueError):
        parse_float(text)


@pytest.mark.parametrize(
    'text, expected',
    [
        ('0', 0),
        ('-0', 0),
        ('+0', 0),
        ('0s', 0),
        ('1ns', NS),
        ('1us', US),
        ('1\u00b5s', US),
        ('1\u03bcs', US),
        ('1ms', MS),
        ('1s', S),
        ('1m', 60 * S),
        ('1h', 3600 * S),
        ('4h0m0s', 4 * 3600 * S),
        ('1h30m', 5400 * S),
        ('1m30s', 90 * S),
        ('-5s', -5 * S),
        ('+5s', 5 * S),
        ('1.5h', 5400 * S),
        ('.5s', 500 * MS),
        ('1.s', S),
        ('5s1h', 3605 * S),
        ('1s1s', 2 * S),
        ('100000h', 100000 * 3600 * S),
        ('9223372036854775807ns', LONGEST_DURATION),
        ('-9223372036854775808ns', -LONGEST_DURATION - 1),
        ('0.' + '3' * 70 + 's', 333_333_333),
        ('0.' + '3' * 5000 + 's', 333_333_333),
        ('0' * 5000 + '1s', S),
    ],
)
def test_durations_are_read_as_nanoseconds(text: str, expected: int) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    'text',
    ['', '-', '+', '1', '300', '5 m', ' 5m', '5m ', 's', '.s', '-.s', '1d', '1w', '1S', '1.2.3s', '--1s', '1h-5m', '00']
    + ['1e3s', '\u0661s', '9223372036854775808ns', '-9223372036854775809ns', '10000000h', '9' * 5000 + 's'],
)
def test_other_text_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


@pytest.mark.parametrize(
    'nanoseconds, expected',
    [
        (0, '0s'),
        (1, '1ns'),
        (1_100, '1.1\u00b5s'),
        (2_200_000, '2.2ms'),
        (500 * MS, '500ms'),
        (S, '1s'),
        (3_300_000_000, '3.3s'),
        (60 * S, '1m0s'),
        (90 * S, '1m30s'),
        (4 * 3600 * S, '4h0m0s'),
        (245 * S + MS, '4m5.001s'),
        (18_367_001_000_000, '5h6m7.001s'),
        (100 * S, '1m40s'),
        (-S, '-1s'),
        (-1, '-1ns'),
        (LONGEST_DURATION, '2562047h47m16.854775807s'),
    ],
)
def test_durations_are_written_as_go_writes_them(nanoseconds: int, expected: str) -> None:
    assert format_duration(nanoseconds) == expected


@given(st.integers(-LONGEST_DURATION - 1, LONGEST_DURATION))
def test_a_duration_survives_being_written_and_read(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.sampled_from(['{}', '{:#x}', '{:#b}', '{:#o}', '{:_}', '{:#_x}']))
def test_an_integer_survives_being_written_and_read(value: int, form: str) -> None:
    assert parse_int(form.format(value)) == value


@given(st.text() | st.from_regex(re.compile(r'[-+]?[0-9a-fxob_.]*(?:h|m|s|ms|us|ns)?')))
def test_any_text_is_a_value_or_a_value_error(text: str) -> None:
    for parse in (parse_bool, parse_int, parse_float, parse_duration):
        try:
            parse(text)
        except ValueError:
            pass


@pytest.mark.parametrize(
    'value, expected',
    [
        (0.0, '0'),
        (-0.0, '-0'),
        (1.0, '1'),
        (0.1, '0.1'),
        (-123456.5, '-123456.5'),
        (1234567.0, '1.234567e+06'),
        (100000.0, '100000'),
        (0.0001, '0.0001'),
        (0.00001, '1e-05'),
        (1e38, '1e+38'),
        (1e39, '+Inf'),
        (-1e39, '-Inf'),
    ],
)
def test_a_float_of_32_bits_is_written_as_go_writes_it(value: float, expected: str) -> None:
    assert format_float32(value) == expected
