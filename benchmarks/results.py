# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Write the results as Markdown, also to the section of README.md that a run updates."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from .measure import Cost, Limit, Results, Row

README = Path(__file__).parent / 'README.md'
BEGIN, END = '<!-- measured: begin -->', '<!-- measured: end -->'
COSTS = ('part', 'what', 'CPU, best', 'CPU, median', 'wall, median', 'ratio')
LIMITS = ('limit', 'measured', 'allowed', 'holds')
MOST_SPREAD = 1.5


def markdown(results: Sequence[Results]) -> str:
    rows = [row for result in results for row in result.rows]
    limits = [limit for result in results for limit in result.limits]
    notes = [note for result in results for note in result.notes]
    notes += [warning(row) for row in rows if is_uneven(row.cost)]
    parts = []
    if rows:
        parts.append(table(COSTS, 2, [cost_line(row) for row in rows]))
    if limits:
        parts.append(table(LIMITS, 1, [limit_line(limit) for limit in limits]))
    if notes:
        parts.append('\n'.join(f'- {note}' for note in notes))
    return '\n\n'.join(parts)


def table(header: Sequence[str], words: int, lines: Sequence[Sequence[str]]) -> str:
    """Return a table whose first `words` columns contain text. The other columns contain figures."""
    rules = ['---' if at < words else '---:' for at in range(len(header))]
    return '\n'.join(f'| {" | ".join(line)} |' for line in (header, rules, *lines))


def cost_line(row: Row) -> tuple[str, ...]:
    cost = row.cost
    return row.part, row.what, *map(duration, (cost.best, cost.median, cost.wall_median)), figure(row.ratio)


def is_uneven(cost: Cost) -> bool:
    """Return whether the rounds differ by more than on an idle machine."""
    return cost.median > MOST_SPREAD * cost.best


def warning(row: Row) -> str:
    times = figure(row.cost.median / row.cost.best)
    why = 'the machine was busy or a core was idle. Measure again.'
    return f'{row.part}, {row.what}: median {times} times the best; {why}'


def limit_line(limit: Limit) -> tuple[str, ...]:
    word = 'at least' if limit.at_least else 'at most'
    unit = f' {limit.unit}'.rstrip()
    return (
        limit.what,
        f'{figure(limit.figure)}{unit}',
        f'{word} {limit.bound:g}{unit}',
        'yes' if limit.holds else '**no**',
    )


def duration(seconds: float) -> str:
    if seconds < 0.001:
        return f'{figure(seconds * 1e6)} µs'
    return f'{figure(seconds * 1e3)} ms' if seconds < 1 else f'{figure(seconds)} s'


def figure(value: float) -> str:
    """Return a figure with three significant digits."""
    return f'{value:.0f}' if abs(value) >= 100 else f'{value:.1f}' if abs(value) >= 10 else f'{value:.2f}'


def machine() -> str:
    """Return the date and the machine of the measurement."""
    cpus = os.cpu_count()
    python = f'{platform.python_implementation()} {platform.python_version()}'
    today = datetime.now(timezone.utc).date().isoformat()
    return f'Measured on {today}: {processor()}, {cpus} CPUs, Linux {platform.release()}, {python}.'


def processor() -> str:
    for line in Path('/proc/cpuinfo').read_text().splitlines():
        name, _, value = line.partition(':')
        if name.strip() == 'model name':
            return value.strip()
    return platform.machine()


def write(text: str) -> None:
    """Write the results between the two markers in README.md."""
    before, _, rest = README.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(f'{before}{BEGIN}\n\n{machine()}\n\n{text}\n\n{END}{after}')
