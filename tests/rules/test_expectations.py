# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a rule asks of the values of its fields."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS


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
    ],
)
def test_the_gate_of_all_beta_features_turns_a_gate_off_that_is_not_named(
    gate: bool | None, all_beta: bool | None, expected: bool
) -> None:
    rule = RULES_BY_KEY['rotate_kubelet_server_certificate']
    assert rule.expected.holds((gate, all_beta, '', '', True), BENCHMARKS['cis-1.24']) is expected
