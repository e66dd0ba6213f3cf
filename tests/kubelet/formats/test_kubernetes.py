# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Quantities and percentages as amounts that compare."""

from __future__ import annotations

from fractions import Fraction

import pytest

from datadog_checks.kubelet_compliance.kubelet.formats.kubernetes import parse_percentage, parse_quantity


@pytest.mark.parametrize(
    'text, amount',
    [
        ('0', 0), ('52428800', 52428800), ('50Mi', 50 * 1024**2), ('1Gi', 1024**3), ('50M', 50 * 1000**2), ('1k', 1000),
        ('100m', Fraction(1, 10)), ('.5', Fraction(1, 2)), ('5.', 5), ('-1Ki', -1024), ('+1', 1), ('1e3', 1000),
        ('1E3', 1000), ('1E', 10**18), ('1Ei', 1024**6), ('5e-1', Fraction(1, 2)), ('3n', Fraction(3, 10**9)),
        ('3u', Fraction(3, 10**6)), ('1e099', Fraction(10) ** 99),
    ],
)  # fmt: skip
def test_a_quantity_is_an_exact_amount(text: str, amount: Fraction) -> None:
    assert parse_quantity(text) == amount


@pytest.mark.parametrize('text', ['', '50MB', '5%', '1KI', 'x', '1e', '1e1000', '1e-1000', '9' * 101])
def test_what_is_no_quantity_or_takes_long_to_evaluate_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_quantity(text)


@pytest.mark.parametrize('text, number', [('5%', 5), ('.5%', Fraction(1, 2)), ('1.5e1%', 15), ('100%', 100)])
def test_a_percentage_is_an_exact_number(text: str, number: Fraction) -> None:
    assert parse_percentage(text) == number


@pytest.mark.parametrize('text', ['', '%', '5', '5%%', 'x%', '1e1000%', f'{"9" * 101}%'])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_percentage(text)
