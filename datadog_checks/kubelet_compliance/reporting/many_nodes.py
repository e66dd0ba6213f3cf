# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The results for many nodes as text for a person: a summary, the rules, a table of nodes and rules, the problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from datadog_checks.kubelet_compliance.model import Verdict

from .layout import BOLD, DIM, INDENT, Style, word_of
from .many_upgrades import iter_many_upgrades, outcomes_text
from .output import COUNTED, FAILED, NotEvaluated, Output, Results
from .shared_texts import COUNT_WIDTH, MOST_LINES, gathered, iter_shared, left_out, name_lines
from .tally import RuleTally, SameResults, problems_of, tally_rules, verdict_of, with_same_results

SYMBOLS: Final[Mapping[Verdict, str]] = {
    Verdict.NON_COMPLIANT: 'x',
    Verdict.UNKNOWN: '?',
    Verdict.EXEMPTED: 'e',
    Verdict.COMPLIANT: '.',
}
"""One character for each verdict, from the worst to the best."""
NO_RULE: Final = '-'
Row: TypeAlias = tuple[SameResults, Sequence[Verdict | None]]
"""Nodes with the same results, and their verdict for each column. None: the rule is not in their benchmark."""


def iter_many(results: Results, style: Style) -> Iterator[str]:
    nodes = results.nodes
    evaluated = [node for node in nodes if isinstance(node, Output)]
    target = next((node.for_version for node in evaluated if node.for_version), '')
    if target:
        yield style.paint(f'{nodes_text(len(nodes))}, upgrade to {target}', BOLD)
        yield outcomes_text(nodes, style)
        yield from iter_many_upgrades(evaluated, style)
    else:
        yield from iter_heading(nodes, evaluated, style)
        yield counts_text(nodes, style)
        yield from iter_rule_table(evaluated, style)
    yield from iter_shared('Problems', gathered((node.name, problems_of(node)) for node in nodes), style, 'problem')


def iter_rule_table(nodes: Sequence[Output], style: Style) -> Iterator[str]:
    """The rules with their counts, then the table of nodes and rules. Nothing if no node has results."""
    tallies = [
        tally for tally in tally_rules(nodes) if not style.only_failed or any(tally.counts[each] for each in FAILED)
    ]
    groups = [group for group in with_same_results(nodes) if not style.only_failed or not group.is_compliant]
    if tallies:
        keys = [tally.rule.key for tally in tallies]
        rows = [(group, [group.verdicts.get(key) for key in keys]) for group in groups]
        yield from ('', *iter_legend(rows, style))
        yield from ('', *iter_counts_of_rules(tallies, style))
        yield from ('', *iter_table(rows, len(keys), style))


def iter_heading(nodes: Sequence[Output | NotEvaluated], evaluated: Sequence[Output], style: Style) -> Iterator[str]:
    benchmarks = Counter(name for node in evaluated for name in benchmark_names(node))
    text = ', '.join(
        name if count == len(evaluated) else f'{name} ({nodes_text(count)})' for name, count in benchmarks.most_common()
    )
    lines = style.wrapped(f'{nodes_text(len(nodes))}{f", evaluated against {text}" if text else ""}')
    yield from (style.paint(line, BOLD) for line in lines)


def benchmark_names(node: Output) -> list[str]:
    return list(dict.fromkeys(finding.benchmark.name for finding in node.node.findings)) or [node.benchmark.name]


def counts_text(nodes: Sequence[Output | NotEvaluated], style: Style) -> str:
    """How many nodes have each result, such as `1 compliant, 2 non-compliant`."""
    counts = Counter(map(verdict_of, nodes))
    found = [verdict for verdict in COUNTED if counts[verdict]]
    return ', '.join(style.verdict(verdict, f'{counts[verdict]:,} {word_of(verdict).lower()}') for verdict in found)


def nodes_text(count: int) -> str:
    return f'{count:,} node{"" if count == 1 else "s"}'


def iter_counts_of_rules(tallies: Sequence[RuleTally], style: Style) -> Iterator[str]:
    """For each rule, the number of its column in the table, and how many nodes have each result."""
    number_width = max(len(number_text(tally)) for tally in tallies)
    key_width = max(len(tally.rule.key) for tally in tallies)
    width = 1 + max(len(f'{count:,}') for tally in tallies for count in (1000, *tally.counts.values()))
    head = ''.join(f'{symbol:>{width}}' for symbol in SYMBOLS.values())
    yield style.paint(f'Rules{"":{number_width + key_width + 2}}{head}  x in %', BOLD)
    for number, tally in enumerate(tallies, 1):
        counts = ''.join(count_text(tally.counts[verdict], verdict, width, style) for verdict in SYMBOLS)
        names = f'{number_text(tally):<{number_width}}  {tally.rule.key:<{key_width}}'
        yield f'{number:>3}  {names}{counts}{percent(tally):>8}'


def count_text(count: int, verdict: Verdict, width: int, style: Style) -> str:
    text = f'{count:>{width},}'
    return style.verdict(verdict, text) if count else style.paint(text, DIM)


def number_text(tally: RuleTally) -> str:
    """The number of the rule, if it has one number in all benchmarks of the nodes."""
    return tally.numbers[0] if len(tally.numbers) == 1 else ''


def percent(tally: RuleTally) -> str:
    """The share of non-compliant nodes. 0 and 100 only if it is exactly that."""
    share = 100 * tally.share
    return f'{share:.0f}' if share in (0, 100) else f'{min(max(share, 0.1), 99.9):.1f}'


def iter_legend(rows: Sequence[Row], style: Style) -> Iterator[str]:
    texts = [f'{symbol} {word_of(verdict).lower()}' for verdict, symbol in SYMBOLS.items()]
    if any(None in cells for _, cells in rows):
        texts.append(f'{NO_RULE} not in the benchmark of the node')
    yield from style.wrapped(', '.join(texts))


def iter_table(rows: Sequence[Row], columns: int, style: Style) -> Iterator[str]:
    """A column for each rule and a line for the nodes with the same results, the worst first."""
    yield style.paint('Nodes, with a column for each rule by its number in the list above', BOLD)
    yield from (f'{INDENT}{digits}' for digits in column_numbers(columns))
    shown = rows if style.is_verbose else rows[:MOST_LINES]
    for group, cells in shown:
        text = ''.join(NO_RULE if each is None else style.verdict(each, SYMBOLS[each]) for each in cells)
        indent = len(INDENT) + columns + COUNT_WIDTH + 2
        first, *rest = name_lines(group.names, style, indent)
        yield f'{INDENT}{text}{len(group.names):>{COUNT_WIDTH},}  {first}'
        yield from (f'{"":{indent}}{line}' for line in rest)
    yield from left_out(sum(len(group.names) for group, _ in rows[len(shown) :]), 'node')


def column_numbers(count: int) -> list[str]:
    """The numbers from 1, written downward, one line for each digit."""
    width = len(str(count))
    numbers = [f'{number:>{width}}' for number in range(1, count + 1)]
    return [''.join(number[at] for number in numbers) for at in range(width)]
