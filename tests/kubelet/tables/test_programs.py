# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rows of the programs that run a kubelet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from datadog_checks.kubelet_compliance.kubelet.tables.programs import K0S, PROGRAMS, RKE2, Program


@pytest.mark.parametrize(
    'values',
    [
        pytest.param(lambda row: [row.name], id='names'),
        pytest.param(lambda row: [row.file], id='files'),
        pytest.param(lambda row: [*row.units, *row.older_units], id='units'),
        pytest.param(lambda row: [row.snap] if row.snap else [], id='snaps'),
        pytest.param(lambda row: {comm for command in row.commands for comm in command.comms}, id='comms'),
    ],
)
def test_no_two_programs_share_what_shows_them(values: Callable[[Program], Iterable[str]]) -> None:
    assert max(Counter(value for row in PROGRAMS for value in values(row)).values()) == 1


@pytest.mark.parametrize('row', PROGRAMS, ids=lambda row: row.name)
def test_a_row_says_where_the_arguments_come_from(row: Program) -> None:
    assert row.arguments is not None and row.commands
    assert row.single_purpose <= {comm for command in row.commands for comm in command.comms}


@pytest.mark.parametrize('row', PROGRAMS, ids=lambda row: row.name)
def test_a_program_is_a_kubelet_contains_one_or_starts_one(row: Program) -> None:
    assert (row.is_kubelet, row.contains_kubelet) != (True, True)
    assert (not row.is_kubelet and not row.contains_kubelet) is (row in (RKE2, K0S))
