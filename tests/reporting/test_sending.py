# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the check sends besides metrics and service checks."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.model import Cost
from datadog_checks.kubelet_compliance.reporting.sending import iter_metadata
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS

PERCENT, SLOWEST = 'collections.unchanged_percent', 'collections.slowest_full_ms'


@pytest.mark.parametrize(
    ('cost', 'expected'),
    [
        pytest.param(Cost(0, 1, 0.0094, 0.0094), {PERCENT: '0', SLOWEST: '9'}, id='the first run'),
        pytest.param(Cost(4, 2, 0.004, 0.0146), {PERCENT: '66', SLOWEST: '15'}, id='the slowest and not the last'),
        pytest.param(Cost(1999, 1, 2.5, 2.5), {PERCENT: '99', SLOWEST: '2500'}, id='never 100 while one run read all'),
    ],
)
def test_the_metadata_of_a_cost(cost: Cost, expected: dict[str, str]) -> None:
    benchmark = BENCHMARKS['cis-1.24']
    assert dict(iter_metadata(benchmark, None, cost)) == {'benchmark': 'cis-1.24', **expected}
    assert dict(iter_metadata(benchmark, 'v1.34.1', cost))['version'] == 'v1.34.1'
