# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The options `benchmark` and `rules` to the benchmark and the rules that are meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from .model import Benchmark, Rule
from .rules import RULES


class SelectionError(Exception):
    """An option names what does not exist; the text lists what does."""


def select(benchmark_name: str | None, keys: Sequence[str] | None) -> tuple[Benchmark, tuple[Rule, ...]]:
    """The benchmark, and its rules in the order of the table; no keys: all that it has. Raises SelectionError."""
    benchmark = BENCHMARKS.get(benchmark_name or DEFAULT_BENCHMARK)
    if benchmark is None:
        raise SelectionError(f'unknown benchmark {benchmark_name!r}; known are: {listed(BENCHMARKS)}')
    rules = tuple(rule for rule in RULES if rule.key in benchmark.controls)
    if keys is None:
        return benchmark, rules
    known = {rule.key for rule in rules}
    wrong = [key for key in keys if key not in known]
    if wrong:
        raise SelectionError(f'unknown rules for {benchmark.name}: {listed(wrong)}; known are: {listed(known)}')
    if not keys:
        raise SelectionError(f'rules is empty: leave it out, or name some of: {listed(known)}')
    return benchmark, tuple(rule for rule in rules if rule.key in keys)


def listed(names: Iterable[str]) -> str:
    return ', '.join(sorted(names))
