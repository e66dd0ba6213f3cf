# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The benchmarks: which rules each has, under which numbers, and the few values in which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from datadog_checks.kubelet_compliance.model import Benchmark, FileModes

from .benchmark_table import (
    FILES,
    FILES_COLUMNS,
    FRAMEWORKS,
    MORE_FILES,
    MORE_FILES_COLUMNS,
    MORE_SETTINGS,
    MORE_SETTINGS_COLUMNS,
    OLDER_STRONG_CIPHER_SUITES,
    SETTINGS,
    SETTINGS_COLUMNS,
    STRONG_CIPHER_SUITES,
    WITHOUT_OLDER_CIPHER_SUITES,
)

DEFAULT_BENCHMARK = 'cis-1.24'
"""The newest whose number for the iptables rule is 4.2.7; later ones call another rule so."""

TABLES = (
    (SETTINGS_COLUMNS, SETTINGS),
    (MORE_SETTINGS_COLUMNS, MORE_SETTINGS),
    (FILES_COLUMNS, FILES),
    (MORE_FILES_COLUMNS, MORE_FILES),
)


def iter_benchmarks() -> Iterator[Benchmark]:
    """Read the table, line by line."""
    cells: dict[str, dict[str, str]] = {}
    for columns, table in TABLES:
        for line in table.split('\n')[1:-1]:
            name, *row = line.split()
            cells.setdefault(name, {}).update(zip(columns, row, strict=True))
    for line in FRAMEWORKS.split('\n')[1:-1]:
        name, framework = line.split()
        yield benchmark_of(name, framework, {rule: cell for rule, cell in cells[name].items() if cell != '-'})


def benchmark_of(name: str, framework: str, cells: Mapping[str, str]) -> Benchmark:
    numbers = {rule: tuple(cell.split(':')[0].split('=')[0].split('+')) for rule, cell in cells.items()}
    older = () if name in WITHOUT_OLDER_CIPHER_SUITES else OLDER_STRONG_CIPHER_SUITES
    return Benchmark(
        name=name,
        framework=framework,
        controls={rule: number for rule, number in numbers.items() if not cells[rule].endswith(':?')},
        unjudged={rule: number for rule, number in numbers.items() if cells[rule].endswith(':?')},
        modes={rule: modes for rule, cell in cells.items() if (modes := modes_of(cell)) is not None},
        strong_cipher_suites=(*STRONG_CIPHER_SUITES, *older),
    )


def modes_of(cell: str) -> FileModes | None:
    """The modes that a cell allows: `4.1.1:600` or `4.1.5=644,640`."""
    if '=' in cell:
        return FileModes(one_of=tuple(int(mode, 8) for mode in cell.partition('=')[2].split(',')))
    limit = cell.partition(':')[2]
    return FileModes(at_most=int(limit, 8)) if limit not in ('', '?') else None


BENCHMARKS = {benchmark.name: benchmark for benchmark in iter_benchmarks()}
