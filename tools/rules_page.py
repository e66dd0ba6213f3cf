# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Write docs/rules.md from the rows of the rules and the benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from datadog_checks.kubelet_compliance.model import FileAspect, Rule
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from datadog_checks.kubelet_compliance.rules.explanation import fixes_of, iter_distributions, numbers_of
from datadog_checks.kubelet_compliance.rules.setting_rules import RULES

FIX_TITLES = {
    'before': 'Before the fix',
    'fix': 'Fix',
    'in a file': 'Fix in a file',
    'by a flag': 'Fix for a flag',
    'then': 'Then',
}
PAGE = Path(__file__).resolve().parent.parent / 'docs' / 'rules.md'

HEAD = """\
# Rules

Made by `make docs` from the rows in `setting_rules.py`, `file_rules.py`, `distributions.py`, and `benchmark_table.py`:
change them, not this page.

A rule keeps its name for ever; its number is that of the benchmark that is chosen (`benchmark`, by default
`{default}`). A rule is judged by what the kubelet really has: its flags over its drop-ins over its file over its
defaults, and what it runs with where `/configz` can be asked. Where the text of a benchmark's audit says otherwise, a
note says so.
"""


def render() -> str:
    """The whole page."""
    return (
        '\n'.join(
            [*iter_head(), *(line for rule in RULES for line in iter_rule(rule)), *iter_places(), *iter_benchmarks()]
        )
        + '\n'
    )


def iter_head() -> Iterator[str]:
    yield HEAD.format(default=DEFAULT_BENCHMARK)
    yield '| rule | what it looks at |'
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
    yield f'*Judged.* {judged(rule)}\n'
    if rule.note:
        yield f'*Note.* {rule.note}\n'
    yield f'*Default.* {rule.default[0].upper()}{rule.default[1:]}.\n'
    yield from iter_fixes(rule)
    yield f'*Impact.* {rule.impact}\n'
    yield f'*Numbers.* {"; ".join(numbers_of(rule))}.\n'
    if rule.references:
        yield f'*See.* {" ".join(f"<{reference}>" for reference in rule.references)}\n'


def judged(rule: Rule) -> str:
    if rule.aspect is FileAspect.MODE:
        return 'The mode of each of these files must be one that the benchmark allows, see the numbers.'
    if rule.aspect is FileAspect.OWNER:
        return 'The owner and the group of each of these files must be root.'
    flags = ', '.join(f'`{flag}`' for flag in rule.flags)
    expected = rule.expected.text(BENCHMARKS[DEFAULT_BENCHMARK]).replace(f'that {DEFAULT_BENCHMARK} calls', 'that are')
    fields = ', '.join(f'`{field}`' for field in rule.fields)
    return f'{fields} (by flag: {flags}). Expected: {expected}.'


def iter_fixes(rule: Rule) -> Iterator[str]:
    for purpose, fix in fixes_of(rule):
        yield f'*{FIX_TITLES[purpose]}.* {fix[0].upper()}{fix[1:].removesuffix(".")}.\n'


def iter_places() -> Iterator[str]:
    yield '\n# Where settings are made\n'
    yield 'A message names the file, the line and the service of its own node. With `UNIT` for the service:\n'
    yield '| distribution | flags | fields | then | what outlives the node |'
    yield '|---|---|---|---|---|'
    for row in iter_distributions():
        yield f'| {" | ".join(row)} |'


def iter_benchmarks() -> Iterator[str]:
    yield '\n# Benchmarks\n'
    yield '| benchmark | compliance_framework | rules |'
    yield '|---|---|---|'
    for benchmark in BENCHMARKS.values():
        yield f'| `{benchmark.name}` | `{benchmark.framework}` | {len(benchmark.controls)} |'


if __name__ == '__main__':
    PAGE.write_text(render())
