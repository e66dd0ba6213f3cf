# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The descriptions of rules for a page or a terminal: how to fix each, and its number in each benchmark. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from datadog_checks.kubelet_compliance.model import Benchmark, Change, FileAspect, Rule

from .benchmarks import BENCHMARKS
from .custom_rules import custom_benchmark
from .distributions import DISTRIBUTIONS, NO_DISTRIBUTION, Distribution
from .field_facts import default_holds, flag_that_sets, is_flag
from .fixes import SetField, flag_of, gate_of
from .wording import field_parts, sentence

FILE_FIXES = {
    FileAspect.MODE: '`chmod 600 FILE`, or the mode that the benchmark allows',
    FileAspect.OWNER: '`chown root:root FILE`',
}


def flags_for(rule: Rule) -> tuple[str, ...]:
    """The flags that set the fields of a rule, each once."""
    flags = (flag_that_sets(field) for field in rule.fields)
    return tuple(dict.fromkeys(flag for flag in flags if flag is not None))


def fixes_of(rule: Rule) -> Iterator[tuple[str, str]]:
    """How to fix a broken rule, in pairs: what the text is for, and the text. What the fix may break comes first."""
    before = rule.preparation or (f'{sentence(rule.caution)}.' if rule.caution else '')
    if before:
        yield 'before', before
    if rule.aspect is not None or rule.advice:
        yield 'fix', rule.advice if rule.aspect is None else FILE_FIXES[rule.aspect]
        return
    fields = [change for change in rule.fix if not is_flag(change.name)]
    if fields:
        yield 'in a file', f'set {" and ".join(map(field_on_a_page, fields))}'
    by_flag = [flag_on_a_page(rule, change) for change in rule.fix if flag_of(change)]
    if by_flag:
        yield 'by a flag', '; '.join(by_flag)
    yield 'then', HOW_TO_APPLY


def field_on_a_page(change: Change) -> str:
    assignment, under = field_parts(SetField(change.name, change.value))
    return f'`{assignment}`{f" under `{under}` (do not add a second block)" if under else ""}'


def flag_on_a_page(rule: Rule, change: Change) -> str:
    """What to do if a flag sets the value; a flag with feature gates may hold others."""
    gate, flag = gate_of(change), flag_of(change)
    if gate:
        return f'set `{gate}={change.value}` in `{flag}` where it is set (keep its other gates)'
    of_rule = [each for each in BENCHMARKS.values() if rule.key in each.controls] or [custom_benchmark((rule,))]
    is_enough = all(default_holds(rule, each) for each in of_rule)
    return f'remove `{flag}` where it is set{"" if is_enough else ", and set the field in the file"}'


HOW_TO_APPLY = (
    'restart the kubelet. The message of the check names the file, the line, and the service on the node. `systemctl '
    'status PID` with the process ID of the kubelet shows the service, and `systemctl cat UNIT` shows its flags'
)


def iter_distributions() -> Iterator[tuple[str, str, str, str, str]]:
    """For each distribution: its name, where to set flags and fields, how to apply a change, what outlives a node."""
    for row in (*DISTRIBUTIONS, NO_DISTRIBUTION):
        options = row.options or row.options_else.format(unit='UNIT')
        flags = row.flags.format(unit='UNIT', pid='PID', options=options)
        yield row.name, flags, row.file or file_of(row), (row.apply or row.restart).format(unit='UNIT'), row.lasting


def file_of(row: Distribution) -> str:
    """Where to set fields in the files that the kubelet reads."""
    return 'its drop-ins, or its flags' if row.options else 'the file of `--config`, or its flags'


def numbers_of(rule: Rule) -> Iterator[str]:
    """Texts such as `4.2.7 in cis-1.5, cis-1.6`, in the order of the benchmarks."""
    by_number: dict[str, list[str]] = {}
    for benchmark in BENCHMARKS.values():
        for number in {**benchmark.controls, **benchmark.unjudged}.get(rule.key, ()):
            by_number.setdefault(f'{number}{condition(rule, benchmark)}', []).append(benchmark.name)
    for number, names in by_number.items():
        yield f'{number} in {", ".join(names)}'


def condition(rule: Rule, benchmark: Benchmark) -> str:
    if rule.key in benchmark.unjudged:
        return ' (listed without a value, not evaluated)'
    modes = benchmark.modes.get(rule.key)
    return f' (mode {modes})' if modes is not None else ''
