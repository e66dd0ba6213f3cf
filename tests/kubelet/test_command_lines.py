# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Command lines as each release reads them, and as far as they are understood of a kubelet that runs with them."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.command_lines import CommandLine, read_command_lines
from datadog_checks.kubelet_compliance.kubelet.release import ALL
from datadog_checks.kubelet_compliance.model import Unknown

RULE = 'make-iptables-util-chains'
OFF, ON = f'--{RULE}=false', f'--{RULE}'


def read(*arguments: str, accepted: bool) -> tuple[CommandLine, ...]:
    return read_command_lines(arguments, {36}, accepted=accepted)


def values(lines: tuple[CommandLine, ...]) -> list[object]:
    """What each reading says of the iptables flag: its value, None where it is not given, and '?' where not known."""
    found: list[object] = []
    for line in lines:
        if line.flags is None or RULE in line.flags.undecided:
            found.append('?')
        else:
            given = line.flags.values.get(RULE)
            found.append(given.value if given is not None else None)
    return found


@pytest.mark.parametrize(
    'arguments, readings',
    [
        pytest.param(['--new=1', OFF], [False], id='an unknown flag with its value'),
        pytest.param(['--new', '1', OFF], [False], id='a stray argument would end it, so the flag takes the value'),
        pytest.param(['--new', OFF], [None, False], id='it may take the next flag for its value'),
        pytest.param([OFF, '--new'], [False], id='at the end it takes none'),
        pytest.param(['--new', '--other', OFF], [False, None, False], id='two of them'),
        pytest.param(['--new', '--new', OFF], [False, False], id='the same one twice is read in one way'),
        pytest.param(['--max-pods=many', OFF], [False], id='a value of another type'),
        pytest.param([f'--{RULE}=maybe'], ['?'], id='the very value is not understood'),
        pytest.param(['--node-labels=kubernetes.io/x=y', OFF], [False], id='a label that upstream forbids'),
        pytest.param(['stray', ON], [True], id='a stray argument after all'),
        pytest.param(['---x', OFF], [False], id='bad syntax'),
        pytest.param(['-x', OFF], ['?'], id='an unknown letter'),
    ],
)
def test_what_runs_is_read_as_far_as_it_is_understood(arguments: list[str], readings: list[object]) -> None:
    assert values(read(*arguments, accepted=False)) == ['?'], 'a kubelet that has just started may still refuse it'
    lines = read(*arguments, accepted=True)
    assert sorted(map(str, values(lines))) == sorted(map(str, readings))
    for line in lines:
        assert (line.flags is None) == (line.unknown is not None)
        assert line.flags is None or line.flags.objections, 'what was not expected is noted'


def test_where_too_many_flags_are_unknown_some_reading_is_unknown() -> None:
    assert '?' in values(read('--a', '--b', '--c', '--d', '--e', OFF, accepted=True))


def test_what_is_understood_raises_no_objection() -> None:
    (line,) = read(OFF, '--max-pods', '5', accepted=True)
    assert line.is_accepted and line.flags is not None and line.flags.objections == ()


@pytest.mark.parametrize('accepted', [True, False])
def test_a_command_line_that_is_not_believed_stays_unknown(accepted: bool) -> None:
    unseen = Unknown('k3s hides it')
    assert [line.unknown for line in read_command_lines(unseen, ALL, accepted=accepted)] == [unseen]
    (line,) = read_command_lines(None, ALL, accepted=accepted)
    assert line.unknown is not None and line.unknown.reason.startswith("the kubelet's command line was overwritten")


def test_a_plain_command_line_is_read_once_for_all_releases() -> None:
    (line,) = read_command_lines([OFF, '--config=/c.yaml'], ALL, accepted=False)
    assert line.minors == ALL
