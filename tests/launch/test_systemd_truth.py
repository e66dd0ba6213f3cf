# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The command line of a service's next start is the one that a real systemd 252 gave its process."""

from __future__ import annotations

from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.model import Unit, Unknown
from tests.support.systemd_cases import CASES, FOLDER, MORE_CASES, UnitCase, unit_in, words_of

RELEASES_DIFFER = 'a comment that ends in a backslash, which systemd releases read differently'
OTHERWISE: dict[str, str | tuple[str, ...]] = {
    '0387': RELEASES_DIFFER,
    '0235': ('/bin/sh', '-c', f'exec {FOLDER}/kubelet --sh $0 --make-iptables-util-chains=false'),
}
"""What is not known although the process ran, and what systemd started where the process became another program."""
TWO_NAMES = 'are one unit, and its specifiers depend on the name'
UNTOLD = {'0086': TWO_NAMES, '0140': TWO_NAMES}
"""systemd knows a unit by the name that was loaded first, which its files do not show."""


def test_no_recorded_unit_is_left_out() -> None:
    assert (len(CASES), len(MORE_CASES)) == (234, 150)
    assert sum(case.argv is None for case in CASES) == 21
    assert sum(case.argv is None for case in MORE_CASES) == 40
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.slow
@pytest.mark.parametrize('case', CASES, ids=lambda case: case.id)
def test_a_recorded_unit_starts_what_systemd_started(case: UnitCase, tmp_path: Path) -> None:
    unit = unit_in(case.lay_out(tmp_path), case.unit)
    words = words_of(unit)
    expected = OTHERWISE.get(case.id, case.argv)
    if isinstance(words, Unknown):
        assert expected is None or isinstance(expected, str) and expected in words.reason, words.reason
    else:
        assert words == expected


@pytest.mark.slow
@pytest.mark.parametrize('case', MORE_CASES, ids=lambda case: case.id)
def test_a_made_up_unit_starts_what_systemd_started(case: UnitCase, tmp_path: Path) -> None:
    unit = unit_in(case.lay_out(tmp_path), case.unit)
    words = words_of(unit)
    if isinstance(words, Unknown):
        assert case.argv is None or UNTOLD[case.id] in words.reason, words.reason
    else:
        assert words == case.argv


@pytest.mark.slow
@pytest.mark.parametrize('case', [case for case in CASES if case.argv is not None], ids=lambda case: case.id)
def test_each_word_of_a_recorded_unit_stands_in_a_file_of_it(case: UnitCase, tmp_path: Path) -> None:
    unit = unit_in(case.lay_out(tmp_path), case.unit)
    assert isinstance(unit, Unit)
    if isinstance(unit.command, Unknown):
        return
    for argument in unit.command:
        if argument.text:
            assert argument.place is not None and argument.place.line > 0
            assert argument.place.path in {file.path for file in unit.files}
