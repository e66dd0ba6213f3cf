# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is held against each kubelet that is judged; and the dear checks, for some inputs only."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import yaml

from datadog_checks.kubelet_compliance.kubelet.formats import goyaml
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml_scanner import GoParser
from datadog_checks.kubelet_compliance.model import Declared, Evidence, KubeletReport, Process, Rule, Verdict
from tests.support.nodes import declare

from .kept import all_kept
from .promises import FEW, SETTING_RULES, check_reported, judged, promise

IPTABLES = 'make_iptables_util_chains'
KEPT = frozenset(zlib.crc32(data) for _, _, data in all_kept())
"""The kept inputs, which get all checks."""


def is_chosen(data: bytes, one_in: int) -> bool:
    """Whether this input is one of those that get the dear checks too; the same input always is."""
    number = zlib.crc32(data)
    return number % one_in == 0 or number in KEPT


def rules_for(data: bytes) -> Sequence[Rule]:
    return SETTING_RULES if is_chosen(data, 16) else FEW.rules


def check(data: bytes, evidence: Evidence, declared: Declared) -> None:
    """One kubelet judged and reported; and, of some inputs, that all this does not hang on anything else."""
    report = judged(evidence, declared, rules=rules_for(data))
    check_reported([report])
    if is_chosen(data, 16):
        promise(declare(evidence) == declare(evidence), 'the same evidence means two things')
        check_without_libyaml(evidence)
        check_last_flag_wins(evidence)


@contextmanager
def without_libyaml() -> Iterator[None]:
    """As on a machine where PyYAML has its own parser alone."""
    parser = goyaml.YAML_PARSER
    goyaml.YAML_PARSER = GoParser
    try:
        yield
    finally:
        goyaml.YAML_PARSER = parser


def check_without_libyaml(evidence: Evidence) -> None:
    """Without libyaml all means the same."""
    fast = declare(evidence)
    with without_libyaml():
        slow = declare(evidence)
    promise(
        (slow.unknown is None) is (fast.unknown is None), f'only with or without libyaml it is an error: {fast.unknown}'
    )
    promise(fast.values == slow.values, 'without libyaml it has other values')


def check_last_flag_wins(evidence: Evidence) -> None:
    """What comes after all other flags turns the rule red, wherever the value stood before."""
    arguments = evidence.arguments
    if not isinstance(arguments, tuple) or arguments and '=' not in arguments[-1] or evidence.launch is not None:
        return
    process = Process(1000, 100, (*arguments, '--make-iptables-util-chains=false'))
    changed = Evidence(process, evidence.config, evidence.drop_ins)
    promise(verdict_of(judged(changed, declare(changed))) is not Verdict.COMPLIANT, 'a last flag does not win')


def check_independently(data: bytes, declared: Declared) -> None:
    """A file that PyYAML reads as false is not green. A JSON file may be no YAML, and `<<` is read by other rules."""
    value = declared.value('makeIPTablesUtilChains')
    if value is not True or b'makeIPTablesUtilChains' not in data or b'<<' in data or data.lstrip()[:1] == b'{':
        return
    try:
        loaded = next(yaml.load_all(data, Loader=goyaml.YAML_PARSER))
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError, AttributeError):
        return
    if isinstance(loaded, dict):
        promise(loaded.get('makeIPTablesUtilChains') is not False, 'what PyYAML reads as false is taken for true')


def verdict_of(report: KubeletReport) -> Verdict:
    return next(finding.verdict for finding in report.findings if finding.rule.key == IPTABLES)
