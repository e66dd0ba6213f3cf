# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The options `benchmark` and `rules` to the benchmark and the rules that are meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .benchmark_table import BENCHMARK_OF_VERSION
from .benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from .model import Benchmark, Selection
from .rules import RULES

AUTO = 'auto'
VERSION = re.compile(r'v?1\.([0-9]{1,3})(\D.*)?')


class SelectionError(Exception):
    """An option names what does not exist; the text lists what does."""


def select(benchmark_name: str | None, keys: Sequence[str] | None, version: str | None = None) -> Selection:
    """The benchmark, and its rules in the order of the table; no keys: all that it has. Raises SelectionError.

    `version`: the kubelet's (`v1.31.4`), by which `auto` picks; without it `auto` is the default.
    """
    name = benchmark_for(version) if benchmark_name == AUTO else benchmark_name or DEFAULT_BENCHMARK
    benchmark = BENCHMARKS.get(name)
    if benchmark is None:
        raise SelectionError(f'unknown benchmark {name!r}; known are: {AUTO}, {listed(BENCHMARKS)}')
    known = [rule.key for rule in RULES if rule.key in benchmark.controls]
    if keys is not None and benchmark_name == AUTO and version is not None:
        # Which benchmark it would be was not known when the rules were named.
        keys = [key for key in keys if key in known]
    elif keys is not None:
        check_keys(benchmark, keys, known)
    return Selection(benchmark, tuple(rule for rule in RULES if rule.key in (known if keys is None else keys)))


def check_keys(benchmark: Benchmark, keys: Sequence[str], known: Sequence[str]) -> None:
    """Raise SelectionError for a rule that the benchmark does not have, or that it gives no value to judge by."""
    for key in keys:
        if key in benchmark.unjudged:
            raise SelectionError(
                f'{benchmark.name} names {key} but no value to judge it by; known are: {listed(known)}'
            )
    wrong = [key for key in keys if key not in known]
    if wrong:
        raise SelectionError(f'unknown rules for {benchmark.name}: {listed(wrong)}; known are: {listed(known)}')
    if not keys:
        raise SelectionError(f'rules is empty: leave it out, or name some of: {listed(known)}')


def listed(names: Iterable[str]) -> str:
    return ', '.join(sorted(names))


def benchmark_for(version: str | None) -> str:
    """The benchmark that goes with a kubelet's version: releases outside the table go by its nearest end."""
    match = VERSION.fullmatch(version or '')
    if match is None:
        return DEFAULT_BENCHMARK
    minors = {int(name.partition('.')[2]): benchmark for name, benchmark in BENCHMARK_OF_VERSION.items()}
    return minors[min(max(int(match[1]), min(minors)), max(minors))]
