# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Odd units, each the shortest that was found to separate two readings, come to what a real systemd 252 started."""

from __future__ import annotations

from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.model import Unknown
from tests.support.systemd_cases import UnitCase, load, unit_in, words_of

ODD = tuple(load('systemd-odd.jsonl'))


def test_no_odd_unit_is_left_out() -> None:
    assert (len(ODD), len({case.id for case in ODD})) == (103, 103)
    assert sum(case.argv is None for case in ODD) == 34


@pytest.mark.parametrize('case', ODD, ids=lambda case: case.id)
def test_an_odd_unit_starts_what_systemd_started(case: UnitCase, tmp_path: Path) -> None:
    words = words_of(unit_in(case.lay_out(tmp_path), case.unit))
    if case.argv is None:
        assert isinstance(words, Unknown)
    else:
        assert words == case.argv
