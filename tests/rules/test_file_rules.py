# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which modes and owners of files the rules allow."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.model import (
    FileAspect,
    FileModes,
    FileSet,
    FileStatus,
    FileSubject,
    Rule,
    Verdict,
)
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.file_rules import FILE_RULES
from datadog_checks.kubelet_compliance.rules.judge import judge
from datadog_checks.kubelet_compliance.rules.resolve import resolve_files


def verdict(rule: Rule, mode: int, benchmark: str, uid: int = 0, gid: int = 0) -> Verdict:
    assert rule.aspect is not None
    setting = resolve_files(FileSet((FileStatus('/f', mode, uid, gid),)), rule.aspect)
    return judge(rule, setting, BENCHMARKS[benchmark]).verdict


@pytest.mark.parametrize(
    ('mode', 'is_allowed'),
    [
        pytest.param(0o600, True, id='the limit'),
        pytest.param(0o400, True, id='stricter'),
        pytest.param(0o000, True, id='closed to all'),
        pytest.param(0o577, False, id='a smaller number with more bits'),
        pytest.param(0o277, False, id='closed to its owner and open to all others'),
        pytest.param(0o477, False, id='read by its owner and open to all others'),
        pytest.param(0o640, False, id='read by its group'),
        pytest.param(0o604, False, id='read by others'),
        pytest.param(0o602, False, id='written by others'),
        pytest.param(0o700, False, id='executed by its owner'),
        pytest.param(0o4600, False, id='setuid'),
        pytest.param(0o2600, False, id='setgid'),
        pytest.param(0o1600, False, id='sticky'),
    ],
)
@pytest.mark.parametrize('key', ['service_file_permissions', 'kubeconfig_permissions', 'client_ca_permissions',
                                 'config_file_permissions'])  # fmt: skip
def test_at_most_600_allows_no_other_bit(key: str, mode: int, is_allowed: bool) -> None:
    expected = Verdict.COMPLIANT if is_allowed else Verdict.NON_COMPLIANT
    assert verdict(RULES_BY_KEY[key], mode, 'cis-1.24') is expected


@pytest.mark.parametrize(
    ('mode', 'is_allowed'),
    [
        pytest.param(0o644, True, id='the limit'),
        pytest.param(0o604, True, id='stricter'),
        pytest.param(0o577, False, id='a smaller number with more bits'),
        pytest.param(0o633, False, id='a smaller number, written by others'),
        pytest.param(0o645, False, id='executed by others'),
        pytest.param(0o664, False, id='written by its group'),
    ],
)
def test_at_most_644_allows_no_other_bit(mode: int, is_allowed: bool) -> None:
    expected = Verdict.COMPLIANT if is_allowed else Verdict.NON_COMPLIANT
    assert verdict(RULES_BY_KEY['config_file_permissions'], mode, 'cis-1.23') is expected


@pytest.mark.parametrize(
    ('mode', 'is_allowed'),
    [
        pytest.param(0o600, True, id='the one'),
        pytest.param(0o400, False, id='stricter is another mode'),
        pytest.param(0o577, False, id='a smaller number with more bits'),
        pytest.param(0o644, False, id='more open'),
    ],
)
def test_a_benchmark_that_names_one_mode_allows_no_other(mode: int, is_allowed: bool) -> None:
    expected = Verdict.COMPLIANT if is_allowed else Verdict.NON_COMPLIANT
    assert verdict(RULES_BY_KEY['kubeconfig_permissions'], mode, 'rke2-cis-1.24') is expected


def bits(mode: int) -> set[int]:
    return {bit for bit in range(12) if mode >> bit & 1}


@pytest.mark.parametrize('limit', [0o600, 0o644])
def test_of_all_modes_at_most_allows_those_whose_bits_the_limit_has(limit: int) -> None:
    modes = FileModes(at_most=limit)
    assert {mode for mode in range(0o10000) if modes.allow(mode)} == {
        mode for mode in range(0o10000) if bits(mode) <= bits(limit)
    }


@pytest.mark.parametrize(
    ('uid', 'gid', 'is_allowed'),
    [
        pytest.param(0, 0, True, id='root'),
        pytest.param(0, 1, False, id='another group'),
        pytest.param(1, 0, False, id='another owner'),
    ],
)
def test_owner_and_group_must_be_root(uid: int, gid: int, is_allowed: bool) -> None:
    expected = Verdict.COMPLIANT if is_allowed else Verdict.NON_COMPLIANT
    assert verdict(RULES_BY_KEY['kubeconfig_ownership'], 0o600, 'cis-1.24', uid, gid) is expected


def test_one_file_that_breaks_a_rule_is_enough() -> None:
    files = FileSet((FileStatus('/a', 0o600, 0, 0), FileStatus('/b', 0o577, 0, 0)))
    finding = judge(
        RULES_BY_KEY['config_file_permissions'], resolve_files(files, FileAspect.MODE), BENCHMARKS['cis-1.24']
    )
    assert finding.verdict is Verdict.NON_COMPLIANT
    assert finding.message.startswith('/b is 577')


@pytest.mark.parametrize('subject', FileSubject, ids=lambda subject: subject.value)
def test_each_kind_of_file_has_a_rule_on_its_mode_and_one_on_its_owner(subject: FileSubject) -> None:
    assert sorted(rule.aspect.value for rule in FILE_RULES if rule.files is subject and rule.aspect) == [
        'mode',
        'owner',
    ]
