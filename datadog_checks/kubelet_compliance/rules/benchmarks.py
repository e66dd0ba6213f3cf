# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The benchmarks, each put together from its row and from the rows that it is like. Pure.

A benchmark without a value that one of its rules needs is an error on import. So no rule is ever judged by a value
that nobody stated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from datadog_checks.kubelet_compliance.model import Benchmark, BenchmarkRow

from .all_rules import RULES_BY_KEY
from .benchmark_rows import BENCHMARK_ROWS

DEFAULT_BENCHMARK = 'cis-1.24'
"""The newest benchmark in which the iptables rule has the number 4.2.7. Later ones give it to another rule."""


class BenchmarkError(Exception):
    """A row contradicts itself or the row that it is like, or leaves a value open. The text says which and where."""


def benchmarks_of(rows: Iterable[BenchmarkRow]) -> dict[str, Benchmark]:
    """The benchmarks by name, in the order of the rows. Raises BenchmarkError."""
    benchmarks: dict[str, Benchmark] = {}
    of_minor: dict[int, str] = {}
    for row in rows:
        if row.name in benchmarks:
            raise BenchmarkError(f'{row.name} has two rows')
        for minor in row.minors:
            if of_minor.setdefault(minor, row.name) != row.name:
                raise BenchmarkError(f'{row.name} and {of_minor[minor]} both name Kubernetes 1.{minor}')
        if row.like and row.like not in benchmarks:
            raise BenchmarkError(f'{row.name} is like {row.like}, which is not an earlier row')
        like = benchmarks[row.like] if row.like else NOTHING_STATED
        benchmark = benchmark_of(row, like)
        problems = [*iter_contradictions(row, like, benchmark), *iter_gaps(benchmark)]
        if problems:
            raise BenchmarkError(f'{row.name} {", and ".join(problems)}')
        benchmarks[row.name] = benchmark
    return benchmarks


NOTHING_STATED = Benchmark('', '', {}, {}, {}, ())


def benchmark_of(row: BenchmarkRow, like: Benchmark) -> Benchmark:
    """The row, with everything that it does not state taken from the benchmark that it is like."""
    inherited = {key: number for key, number in {**like.controls, **like.unjudged}.items() if key not in row.without}
    numbers = {**inherited, **{key: tuple(number.split()) for key, number in row.numbers.items()}}
    unjudged = {key: number for key, number in numbers.items() if key in like.unjudged or key in row.unjudged}
    controls = {key: number for key, number in numbers.items() if key not in unjudged}
    suites = row.strong_cipher_suites
    return Benchmark(
        name=row.name,
        framework=row.framework or like.framework,
        controls=controls,
        unjudged=unjudged,
        modes={key: modes for key, modes in {**like.modes, **row.modes}.items() if key in controls},
        strong_cipher_suites=like.strong_cipher_suites if suites is None else suites,
    )


def iter_contradictions(row: BenchmarkRow, like: Benchmark, benchmark: Benchmark) -> Iterator[str]:
    """What a row states that has no effect, or that no rule knows."""
    for key in row.without:
        if key in row.numbers or key not in {**like.controls, **like.unjudged}:
            yield f'lists {key} in `without`, but has a number for it or never inherited it'
    for key in (*row.numbers, *row.unjudged, *row.modes):
        if key not in RULES_BY_KEY:
            yield f'names {key}, which is not a rule'
    for key in row.unjudged:
        if key not in benchmark.unjudged:
            yield f'cannot judge {key}, but has no number for it'
    for key in row.modes:
        if key not in benchmark.modes:
            yield f'has modes for {key}, which it does not judge'


def iter_gaps(benchmark: Benchmark) -> Iterator[str]:
    """What a benchmark must have and does not."""
    if not benchmark.framework:
        yield 'has no framework'
    numbers = {**benchmark.controls, **benchmark.unjudged}
    for key, number in numbers.items():
        if not number:
            yield f'has no number for {key}'
    given = [number for several in numbers.values() for number in several]
    for each in dict.fromkeys(given):
        if given.count(each) > 1:
            yield f'gives {each} to two rules'
    for key in benchmark.controls:
        is_stated_by = RULES_BY_KEY[key].expected.is_stated_by if key in RULES_BY_KEY else None
        if is_stated_by is not None and not is_stated_by(benchmark):
            yield f'states no value to judge {key} by'


BENCHMARKS = benchmarks_of(BENCHMARK_ROWS)
BENCHMARK_OF_MINOR = {minor: row.name for row in BENCHMARK_ROWS for minor in row.minors}
"""The benchmark for each minor release of Kubernetes."""
