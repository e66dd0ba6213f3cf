# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Write docs/rules.md from the rule and benchmark rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from datadog_checks.kubelet_compliance.model import FileAspect, Rule
from datadog_checks.kubelet_compliance.rules.all_rules import RULES
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from datadog_checks.kubelet_compliance.rules.rule_descriptions import (
    fixes_of,
    flags_for,
    iter_distributions,
    numbers_of,
)

FIX_TITLES = {
    'before': 'Before the fix',
    'fix': 'Fix',
    'in a file': 'Fix in the config file',
    'by a flag': 'Fix for the flag',
    'then': 'Then',
}
PAGE = Path(__file__).resolve().parent.parent / 'docs' / 'rules.md'

HEAD = """\
<!-- Written by `make docs` from the rows in datadog_checks/kubelet_compliance/rules. Do not edit. -->

# Rules

The key of a rule never changes. Its number depends on the benchmark that you choose (`benchmark`, by default
`{default}`). The check evaluates a rule against the kubelet's effective configuration: flags override drop-ins,
drop-ins override the config file, and the config file overrides defaults. If the check can read `/configz`, it also
evaluates the running configuration. If the audit text of a benchmark says otherwise, the rule has a note.
"""


def render() -> str:
    """Return the whole page."""
    return (
        '\n'.join(
            [*iter_head(), *(line for rule in RULES for line in iter_rule(rule)), *iter_places(), *iter_benchmarks()]
        )
        + '\n'
    )


def iter_head() -> Iterator[str]:
    yield HEAD.format(default=DEFAULT_BENCHMARK)
    yield '| Rule | What it evaluates |'
    yield '|---|---|'
    for rule in RULES:
        yield f'| [`{rule.key}`](#{rule.key}) | {subject_of(rule)} |'


def subject_of(rule: Rule) -> str:
    if rule.files is not None and rule.aspect is not None:
        return f'{rule.aspect.value} of the {rule.files.value}'
    return ', '.join(f'`{field}`' for field in rule.fields)


def iter_rule(rule: Rule) -> Iterator[str]:
    yield f'\n## {rule.key}\n'
    yield f'**{rule.title}**\n'
    yield f'*What.* {rule.what}\n'
    yield f'*Why.* {rule.why}\n'
    if rule.aspect is None:
        yield f'*Setting.* {setting(rule)}.\n'
    yield f'*Expected.* {expectation(rule)}.\n'
    if rule.note:
        yield f'*Note.* {rule.note}\n'
    yield f'*Default.* {rule.default[0].upper()}{rule.default[1:]}.\n'
    yield from iter_fixes(rule)
    yield f'*Impact.* {rule.impact}\n'
    yield f'*Numbers.* {"; ".join(numbers_of(rule))}.\n'
    if rule.references:
        yield f'*See.* {" ".join(f"<{reference}>" for reference in rule.references)}\n'


def setting(rule: Rule) -> str:
    """The fields that a rule evaluates, and the flags that set them."""
    flags = [flag for flag in flags_for(rule) if flag not in rule.fields]
    fields = ', '.join(f'`{field}`' for field in rule.fields)
    by_flag = ', '.join(f'`{flag}`' for flag in flags)
    return f'{fields} (flag: {by_flag})' if flags else fields


def expectation(rule: Rule) -> str:
    if rule.aspect is FileAspect.MODE:
        return 'The mode of each of these files must be one that the benchmark allows. See the numbers'
    if rule.aspect is FileAspect.OWNER:
        return 'The owner and the group of each of these files must be root'
    expected = rule.expected.text(BENCHMARKS[DEFAULT_BENCHMARK]).replace(DEFAULT_BENCHMARK, 'the benchmark')
    return f'{expected[0].upper()}{expected[1:]}'


def iter_fixes(rule: Rule) -> Iterator[str]:
    for purpose, fix in fixes_of(rule):
        yield f'*{FIX_TITLES[purpose]}.* {fix[0].upper()}{fix[1:].removesuffix(".")}.\n'


def iter_places() -> Iterator[str]:
    yield '\n# Where to change settings\n'
    yield 'The message for a node names the file, the line, and the service. In this table, `UNIT` is the service:\n'
    yield '| Distribution | Flags | Fields | Then | For new nodes, also change |'
    yield '|---|---|---|---|---|'
    for row in iter_distributions():
        yield f'| {" | ".join(row)} |'


def iter_benchmarks() -> Iterator[str]:
    yield '\n# Benchmarks\n'
    yield '| Benchmark | `compliance_framework` | Rules |'
    yield '|---|---|---|'
    for benchmark in BENCHMARKS.values():
        yield f'| `{benchmark.name}` | `{benchmark.framework}` | {len(benchmark.controls)} |'


if __name__ == '__main__':
    PAGE.write_text(render())
