# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Every rule on a setting against launches whose kubelets' releases are known, one by one and where they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.model import Source, Verdict
from tests.support.cases import CASES, MORE_CASES, VARYING, Case
from tests.system.test_verdicts import ASKS, findings

pytestmark = pytest.mark.same_for_every_user

NOT_READ = {
    'n-deep-d-034': 'deeper than our bound',
    'n-json-084': 'deeper than our bound',
    'n-many-d-010': 'more values than our bound',
    'n-many-d-014': 'more values than our bound',
    'n-link-018': 'a link through /proc/self',
    'n-link-019': 'a link through /proc/self',
    'n-which-029': 'a path through /proc/thread-self',
    'n-which-030': 'a path through /proc/self',
}
"""Launches whose files the check does not read on purpose: unknown, and never green."""

NOT_CONFIRMED = {
    ('n-authz-015', 33): 'an empty mode ends the kubelet after it was recorded',
    ('n-authz-015', 36): 'an empty mode ends the kubelet after it was recorded',
    ('n-mix2-656', 30): 'an empty mode ends the kubelet after it was recorded',
    ('n-style-d-309', 30): 'the source of 1.30 takes this drop-in, and gates are no matter of it',
}

OLDER_ANSWERS = tuple(
    Case(case.id, case.argv, case.files, case.effective, minor) for case in CASES for minor in (32, 34)
)
"""These were recorded with all three."""


def differences(case: Case, tmp_path: Path) -> dict[str, tuple[Verdict, object]]:
    """The rules whose verdict is not the one that the recorded kubelet would confirm."""
    found = findings(case, tmp_path)
    return {
        key: (verdict, source)
        for key, (verdict, source) in found.items()
        if key in ASKS and not is_confirmed(case, key, verdict, source)
    }


def is_confirmed(case: Case, key: str, verdict: Verdict, source: Source) -> bool:
    if case.effective is None:
        # What the command line itself shows to be wrong stays wrong, whatever else is broken.
        return verdict is Verdict.UNKNOWN or (verdict, source) == (Verdict.NON_COMPLIANT, Source.FLAG)
    return verdict is (Verdict.COMPLIANT if ASKS[key](case.effective) else Verdict.NON_COMPLIANT)


def name_of(case: Case) -> str:
    return f'{case.id.encode("ascii", "backslashreplace").decode()}-1.{case.minor}'


@pytest.mark.parametrize('case', (*OLDER_ANSWERS, *MORE_CASES, *VARYING), ids=name_of)
def test_every_verdict_is_the_one_that_the_recorded_kubelet_would_confirm(case: Case, tmp_path: Path) -> None:
    found = differences(case, tmp_path)
    if case.id in NOT_READ:
        assert {verdict for verdict, _ in found.values()} == {Verdict.UNKNOWN}
    elif (case.id, case.minor) not in NOT_CONFIRMED:
        assert found == {}
