# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The clock of the machine is set between two collections: a verdict may become unknown, never green."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from tests.support.sent import BAD, CRITICAL, GOOD, OK, UNKNOWN, check_of, collect, show, wait_past_the_grain
from tests.support.standin import Standins

pytestmark = pytest.mark.same_for_every_user

HOUR = 3600.0
STEPS = {
    'forth': (HOUR,),
    'back': (-HOUR,),
    'forth-and-back': (HOUR, 0.0, HOUR),
    'back-and-forth': (-HOUR, 0.0, -HOUR, HOUR),
    'further-and-further': (HOUR, 2 * HOUR, 3 * HOUR),
}

SetClock = Callable[[float], None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the clock so many seconds ahead of what it is; the time since the boot goes on as it went."""
    real = time.time

    def set_ahead(seconds: float) -> None:
        monkeypatch.setattr(time, 'time', lambda: real() + seconds)

    return set_ahead


@pytest.mark.parametrize('steps', STEPS)
@pytest.mark.parametrize('seen_before', [False, True], ids=['changed-before-the-first-look', 'seen-to-change'])
def test_a_change_after_the_start_stays_one_however_the_clock_steps(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, set_clock: SetClock, steps: str, seen_before: bool
) -> None:
    config = tmp_path / 'c.yaml'
    config.write_text(BAD)
    check = check_of(show(tmp_path / 'proc', standins.launch(('kubelet', f'--config={config}'))))
    if seen_before:
        assert collect(check, aggregator).status() == CRITICAL
    wait_past_the_grain(config)
    config.write_text(GOOD)
    for seconds in (0.0, *STEPS[steps]):
        set_clock(seconds)
        sent = collect(check, aggregator)
        assert sent.green == set(), seconds
        assert sent.status() == UNKNOWN
        assert 'changed after the kubelet started, so its running value is unknown: restart the kubelet' in sent.says()


@pytest.mark.parametrize('steps', STEPS)
def test_a_file_that_did_not_change_is_compliant_or_unknown_however_the_clock_steps(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, set_clock: SetClock, steps: str
) -> None:
    config = tmp_path / 'c.yaml'
    config.write_text(GOOD)
    check = check_of(show(tmp_path / 'proc', standins.launch(('kubelet', f'--config={config}'))))
    assert collect(check, aggregator).status() == OK
    for seconds in STEPS[steps]:
        set_clock(seconds)
        assert collect(check, aggregator).status() in (OK, UNKNOWN), seconds


@pytest.mark.parametrize('steps', STEPS)
def test_what_is_not_compliant_stays_so_however_the_clock_steps(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, set_clock: SetClock, steps: str
) -> None:
    (tmp_path / 'c.yaml').write_text(BAD)
    check = check_of(show(tmp_path / 'proc', standins.launch(('kubelet', f'--config={tmp_path}/c.yaml'))))
    for seconds in (0.0, *STEPS[steps]):
        set_clock(seconds)
        assert collect(check, aggregator).status() == CRITICAL, seconds


@pytest.mark.parametrize('steps', STEPS)
def test_a_value_by_a_flag_does_not_depend_on_the_clock(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, set_clock: SetClock, steps: str
) -> None:
    (tmp_path / 'c.yaml').write_text(BAD)
    arguments = ('kubelet', f'--config={tmp_path}/c.yaml', '--make-iptables-util-chains')
    check = check_of(show(tmp_path / 'proc', standins.launch(arguments)))
    for seconds in (0.0, *STEPS[steps]):
        set_clock(seconds)
        assert collect(check, aggregator).status() == OK, seconds
