# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a rule's row says to a person: how to fix it, and which number it has where. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from datadog_checks.kubelet_compliance.model import Benchmark, Change, FileAspect, Rule

from .benchmarks import BENCHMARKS
from .distributions import DISTRIBUTIONS, NOT_TOLD, Distribution
from .fixes import SetField, flag_of, gate_of
from .wording import field_parts, sentence

FILE_FIXES = {
    FileAspect.MODE: '`chmod 600 FILE`, or the mode that the benchmark allows',
    FileAspect.OWNER: '`chown root:root FILE`',
}


def fixes_of(rule: Rule) -> Iterator[tuple[str, str]]:
    """What to do where the rule is not met: what it is for, and how. What the fix may break comes first."""
    before = rule.preparation or (f'{sentence(rule.caution)}.' if rule.caution else '')
    if before:
        yield 'before', before
    if rule.aspect is not None:
        yield 'fix', FILE_FIXES[rule.aspect]
        return
    fields = [change for change in rule.fix if not change.name.startswith('-')]
    if fields:
        yield 'in a file', f'set {" and ".join(map(field_on_a_page, fields))}'
    yield 'by a flag', '; '.join(flag_on_a_page(rule, change) for change in rule.fix)
    yield 'then', HOW_TO_FIND_IT


def field_on_a_page(change: Change) -> str:
    assignment, under = field_parts(SetField(change.name, change.value))
    return f'`{assignment}`{f" under `{under}` (edit the block that is there)" if under else ""}'


def flag_on_a_page(rule: Rule, change: Change) -> str:
    """What to do where a flag sets what is changed; a flag with feature gates may hold others."""
    gate, flag = gate_of(change), flag_of(rule, change)
    if gate:
        return f'set `{gate}={change.value}` in `{flag}` where it is set (keep its other gates)'
    return f'remove `{flag}` where it is set{"" if rule.default_holds else ", and set the field in the file"}'


HOW_TO_FIND_IT = (
    'restart the kubelet; the message about a node names its file, line and service, `systemctl status PID` of the '
    "kubelet's process shows the service, and `systemctl cat UNIT` its flags"
)


def iter_distributions() -> Iterator[tuple[str, str, str, str, str]]:
    """Of each distribution: its name, where flags and fields are set, how a change comes into force, what lasts."""
    for row in (*DISTRIBUTIONS, NOT_TOLD):
        options = row.options or row.options_else.format(unit='UNIT')
        flags = row.flags.format(unit='UNIT', pid='PID', options=options)
        yield row.name, flags, row.file or file_of(row), (row.apply or row.restart).format(unit='UNIT'), row.lasting


def file_of(row: Distribution) -> str:
    """Where fields are set that stand in the files which the kubelet reads."""
    return 'its drop-ins, or its flags' if row.options else 'the file of `--config`, or its flags'


def numbers_of(rule: Rule) -> Iterator[str]:
    """`4.2.7 in cis-1.5, cis-1.6`, numbers in the order of the table."""
    by_number: dict[str, list[str]] = {}
    for benchmark in BENCHMARKS.values():
        for number in {**benchmark.controls, **benchmark.unjudged}.get(rule.key, ()):
            by_number.setdefault(f'{number}{condition(rule, benchmark)}', []).append(benchmark.name)
    for number, names in by_number.items():
        yield f'{number} in {", ".join(names)}'


def condition(rule: Rule, benchmark: Benchmark) -> str:
    if rule.key in benchmark.unjudged:
        return ' (named without a value, not judged)'
    modes = benchmark.modes.get(rule.key)
    return f' (mode {modes})' if modes is not None else ''
