# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The results for many nodes as text for a person: a summary, the rules, a table of nodes and rules, the problems."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from datadog_checks.kubelet_compliance.model import Verdict

from .layout import BOLD, DIM, INDENT, Style, word_of
from .output import COUNTED, FAILED, NotEvaluated, Output
from .report import printable
from .tally import RuleTally, SameResults, tally_problems, tally_rules, verdict_of, with_same_results

SYMBOLS: Final[Mapping[Verdict, str]] = {
    Verdict.NON_COMPLIANT: 'x',
    Verdict.UNKNOWN: '?',
    Verdict.EXEMPTED: 'e',
    Verdict.COMPLIANT: '.',
}
"""One character for each verdict, from the worst to the best."""
NO_RULE: Final = '-'
MOST_LINES: Final = 30
"""Lines of the table, and of the list of problems, without --verbose."""
COUNT_WIDTH: Final = 7
NARROWEST_NAMES: Final = 24

Row: TypeAlias = tuple[SameResults, Sequence[Verdict | None]]
"""Nodes with the same results, and their verdict for each column. None: the rule is not in their benchmark."""


def iter_many(nodes: Sequence[Output | NotEvaluated], style: Style) -> Iterator[str]:
    evaluated = [node for node in nodes if isinstance(node, Output)]
    yield from iter_summary(nodes, evaluated, style)
    tallies = [
        tally for tally in tally_rules(evaluated) if not style.only_failed or any(tally.counts[each] for each in FAILED)
    ]
    groups = [group for group in with_same_results(evaluated) if not style.only_failed or not group.is_compliant]
    if tallies:
        keys = [tally.rule.key for tally in tallies]
        rows = [(group, [group.verdicts.get(key) for key in keys]) for group in groups]
        yield from ('', *iter_legend(rows, style))
        yield from ('', *iter_rules(tallies, style))
        yield from ('', *iter_table(rows, len(keys), style))
    problems = tally_problems(nodes)
    if problems:
        yield from ('', *iter_node_problems(problems, style))


def iter_summary(nodes: Sequence[Output | NotEvaluated], evaluated: Sequence[Output], style: Style) -> Iterator[str]:
    """How many nodes have each result, such as `3 nodes: 1 compliant, 2 non-compliant`."""
    benchmarks = Counter(node.benchmark.name for node in evaluated)
    text = ', '.join(
        name if len(benchmarks) == 1 else f'{name} ({nodes_text(count)})' for name, count in benchmarks.most_common()
    )
    lines = style.wrapped(f'{nodes_text(len(nodes))}{f", evaluated against {text}" if text else ""}')
    yield from (style.paint(line, BOLD) for line in lines)
    counts = Counter(map(verdict_of, nodes))
    found = [verdict for verdict in COUNTED if counts[verdict]]
    yield ', '.join(style.verdict(verdict, f'{counts[verdict]:,} {word_of(verdict).lower()}') for verdict in found)


def nodes_text(count: int) -> str:
    return f'{count:,} node{"" if count == 1 else "s"}'


def iter_rules(tallies: Sequence[RuleTally], style: Style) -> Iterator[str]:
    """For each rule, the number of its column in the table, and how many nodes have each result."""
    number_width = max(len(number_text(tally)) for tally in tallies)
    key_width = max(len(tally.rule.key) for tally in tallies)
    head = ''.join(f'{symbol:>{COUNT_WIDTH}}' for symbol in SYMBOLS.values())
    yield style.paint(f'Rules{" ":{number_width + key_width + 4}}{head}{"x in %":>{COUNT_WIDTH}}', BOLD)
    for number, tally in enumerate(tallies, 1):
        counts = ''.join(
            style.verdict(verdict, text) if tally.counts[verdict] else style.paint(text, DIM)
            for verdict in SYMBOLS
            for text in (f'{tally.counts[verdict]:>{COUNT_WIDTH},}',)
        )
        yield (
            f'{number:>4}  {number_text(tally):<{number_width}}  {tally.rule.key:<{key_width}} '
            f'{counts}{percent(tally):>{COUNT_WIDTH}}'
        )


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


def name_lines(names: Sequence[str], style: Style, indent: int) -> list[str]:
    """As many names as fit in one line, at least one, and how many more there are. All of them with --verbose."""
    printed = [printable(name) for name in names]
    room = max(style.width - indent, NARROWEST_NAMES)
    if style.is_verbose:
        return textwrap.wrap(', '.join(printed), room, break_long_words=False, break_on_hyphens=False)
    candidates = (with_rest(printed, count) for count in range(min(len(printed), room), 0, -1))
    return [next((text for text in candidates if len(text) <= room), with_rest(printed, 1))]


def with_rest(names: Sequence[str], count: int) -> str:
    """The first names, and how many more there are."""
    rest = len(names) - count
    return f'{", ".join(names[:count])}{f" and {rest:,} more" if rest else ""}'


def iter_node_problems(problems: Sequence[tuple[str, list[str]]], style: Style) -> Iterator[str]:
    """Each problem once, with the nodes that have it."""
    yield style.paint('Problems', BOLD)
    shown = problems if style.is_verbose else problems[:MOST_LINES]
    for text, names in shown:
        yield from style.wrapped(text, f'{INDENT}{len(names):>{COUNT_WIDTH - 2},}  ')
        yield from (f'{"":{COUNT_WIDTH + 2}}{line}' for line in name_lines(names, style, COUNT_WIDTH + 2))
    yield from left_out(len(problems) - len(shown), 'problem')


def left_out(count: int, what: str) -> Iterator[str]:
    if count:
        yield f'{INDENT}and {count:,} more {what}{"" if count == 1 else "s"}: print them with --verbose'
