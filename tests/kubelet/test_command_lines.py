# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Command lines as each release reads them, and of a running kubelet as far as they can be interpreted."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.command_lines import (
    CommandLine,
    narrow_command_lines,
    read_command_lines,
)
from datadog_checks.kubelet_compliance.kubelet.flag_tokens import Terms
from datadog_checks.kubelet_compliance.kubelet.flags import Flags, parse_flags_again
from datadog_checks.kubelet_compliance.kubelet.release import ALL, Release
from datadog_checks.kubelet_compliance.model import Unknown

RULE = 'make-iptables-util-chains'
OFF, ON = f'--{RULE}=false', f'--{RULE}'


def read(*arguments: str, accepted: bool) -> tuple[CommandLine, ...]:
    return read_command_lines(arguments, {36}, accepted=accepted)


def values(lines: tuple[CommandLine, ...]) -> list[object]:
    """The iptables flag in each reading: its value, None if it is not given, and '?' if it is not known."""
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
        pytest.param(['--new', '1', OFF], [False], id='a positional argument stops it, so the flag takes the value'),
        pytest.param(['--new', OFF], [None, False], id='it may take the next flag as its value'),
        pytest.param([OFF, '--new'], [False], id='at the end it takes no value'),
        pytest.param(['--new', '--other', OFF], [False, None, False], id='two of them'),
        pytest.param(['--new', '--new', OFF], [False, False], id='the same flag twice has one meaning'),
        pytest.param(['--max-pods=many', OFF], [False], id='a value of another type'),
        pytest.param([f'--{RULE}=maybe'], ['?'], id='the value itself is invalid'),
        pytest.param(['--node-labels=kubernetes.io/x=y', OFF], [False], id='a label that upstream forbids'),
        pytest.param(['stray', ON], [True], id='a positional argument'),
        pytest.param(['---x', OFF], [False], id='bad syntax'),
        pytest.param(['-x', OFF], ['?'], id='an unknown letter'),
    ],
)
def test_a_running_command_line_is_interpreted_as_far_as_possible(arguments: list[str], readings: list[object]) -> None:
    assert values(read(*arguments, accepted=False)) == ['?'], 'a kubelet that has just started may still refuse it'
    lines = read(*arguments, accepted=True)
    assert sorted(map(str, values(lines))) == sorted(map(str, readings))
    for line in lines:
        assert (line.flags is None) == (line.unknown is not None)
        assert line.flags is None or line.flags.objections, 'objections are recorded'


def test_too_many_unknown_flags_leave_a_reading_unknown() -> None:
    assert '?' in values(read('--a', '--b', '--c', '--d', '--e', OFF, accepted=True))


def test_known_flags_give_no_objections() -> None:
    (line,) = read(OFF, '--max-pods', '5', accepted=True)
    assert line.is_accepted and line.flags is not None and line.flags.objections == ()


@pytest.mark.parametrize('accepted', [True, False])
def test_an_untrusted_command_line_is_unknown(accepted: bool) -> None:
    unseen = Unknown('k3s hides it')
    assert [line.unknown for line in read_command_lines(unseen, ALL, accepted=accepted)] == [unseen]
    (line,) = read_command_lines(None, ALL, accepted=accepted)
    assert line.unknown is not None and line.unknown.reason.startswith("the kubelet's command line was overwritten")


def test_a_plain_command_line_is_read_once_for_all_releases() -> None:
    (line,) = read_command_lines([OFF, '--config=/c.yaml'], ALL, accepted=False)
    assert line.minors == ALL


LINES = [
    pytest.param([OFF, '--config=/c.yaml'], id='the same in all releases'),
    pytest.param(['--config-dir=/d', OFF], id='drop-ins'),
    pytest.param(['--v=-1', OFF], id='a value that old releases accept'),
    pytest.param(['--fail-cgroupv1', OFF], id='a flag of newer releases'),
    pytest.param(['--docker-only', OFF], id='a library flag of older releases'),
    pytest.param(['--topology-manager-policy-options=a=1,b=2'], id='a value with two meanings'),
    pytest.param(['--max-pods=many', OFF], id='an invalid value'),
    pytest.param(['--new', OFF], id='an unknown flag'),
    pytest.param(['--pod-sysctls=x', OFF], id='a flag of a vendor'),
    pytest.param(['stray', ON], id='a positional argument'),
]


@pytest.mark.parametrize('accepted', [True, False])
@pytest.mark.parametrize('arguments', LINES)
def test_a_command_line_narrowed_to_a_release_is_what_that_release_reads(arguments: list[str], accepted: bool) -> None:
    lines = read_command_lines(arguments, ALL, accepted=accepted)
    for minor in ALL:
        narrowed = narrow_command_lines(lines, arguments, frozenset({minor}), accepted=accepted)
        read_afresh = read_command_lines(arguments, {minor}, accepted=accepted)
        assert [described(line) for line in narrowed] == [described(line) for line in read_afresh]


def described(line: CommandLine) -> tuple[object, ...]:
    """A reading, with its objections as text."""
    over_files = line.over_files.values if isinstance(line.over_files, Flags) else line.over_files
    if line.flags is None:
        return line.minors, line.unknown, over_files, line.is_accepted
    return line.minors, line.flags.values, [*map(str, line.flags.objections)], over_files, line.is_accepted


@pytest.mark.parametrize('accepted', [True, False])
@pytest.mark.parametrize('arguments', LINES)
def test_a_command_line_is_parsed_a_second_time_only_if_the_result_can_differ(
    arguments: list[str], accepted: bool
) -> None:
    for line in read_command_lines(arguments, ALL, accepted=accepted):
        if line.flags is not None and line.over_files is line.flags:
            for minor in line.minors:
                ways = [
                    parse_flags_again(arguments, Terms(Release(minor), accepted=accepted, takes_value={'new': takes}))
                    for takes in (True, False)
                ]
                assert (line.flags.values, line.flags.undecided) in [(again.values, again.undecided) for again in ways]


@pytest.mark.parametrize(
    'argument', ['--docker-only', '--version=false', '--help=false', '-h=false', '--housekeeping-interval=1s']
)
def test_a_library_flag_or_help_is_parsed_a_second_time(argument: str) -> None:
    for line in read_command_lines([argument, OFF], {23}, accepted=False):
        assert line.over_files is not line.flags
