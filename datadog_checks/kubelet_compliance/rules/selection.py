# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The options `benchmark` and `rules` to the benchmark and the rules that they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from datadog_checks.kubelet_compliance.model import Benchmark, Selection, Unknown

from .benchmark_table import BENCHMARK_OF_VERSION
from .benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from .setting_rules import RULES, RULES_BY_KEY

AUTO = 'auto'
GROUPS = {
    'settings': frozenset(rule.key for rule in RULES if rule.files is None),
    'files': frozenset(rule.key for rule in RULES if rule.files is not None),
}
"""Names of several rules: those on what the kubelet runs with, and those on the modes and owners of files."""
VERSION = re.compile(r'v?1\.([0-9]{1,3})(\D.*)?')


class SelectionError(Exception):
    """An option names what does not exist; the text lists what does."""


def select(benchmark_name: str | None, names: Sequence[str] | None, version: str | None = None) -> Selection:
    """The benchmark, and its rules in the order of the table. Raises SelectionError.

    `names`: keys of rules and names of groups; None: all that the benchmark has. `version`: the kubelet's (`v1.31.4`),
    by which `auto` picks; without it `auto` is the default.
    """
    name = benchmark_for(version) if benchmark_name == AUTO else benchmark_name or DEFAULT_BENCHMARK
    benchmark = BENCHMARKS.get(name)
    if benchmark is None:
        raise SelectionError(f'unknown benchmark {name!r}; known are: {AUTO}, {listed(BENCHMARKS)}')
    known = [rule.key for rule in RULES if rule.key in benchmark.controls]
    if names is not None and (benchmark_name != AUTO or version is None):
        # With `auto`, which benchmark it would be was not known when the rules were named.
        check_names(benchmark, names, known)
    wanted = frozenset(known) if names is None else keys_of(names)
    rules = tuple(RULES_BY_KEY[key] for key in known if key in wanted)
    if not rules:
        raise SelectionError(f'{name} has none of the rules {listed(names or ())}; {choice(known)}')
    return Selection(benchmark, rules)


def chooser(names: Sequence[str] | None) -> Callable[[str | None], Selection | Unknown]:
    """What picks the benchmark by the kubelet's version; Unknown where that has none of the rules."""

    def choose(version: str | None) -> Selection | Unknown:
        try:
            return select(AUTO, names, version)
        except SelectionError as error:
            return Unknown(str(error), 'name rules that each benchmark has in rules, or a benchmark')

    return choose


def keys_of(names: Iterable[str]) -> frozenset[str]:
    """The keys that the names stand for, of whatever benchmark."""
    return frozenset().union(*(GROUPS.get(name, {name}) for name in names))


def check_names(benchmark: Benchmark, names: Sequence[str], known: Sequence[str]) -> None:
    """Raise SelectionError for a rule that the benchmark does not have, or that it gives no value to judge by."""
    for name in names:
        if name in benchmark.unjudged:
            raise SelectionError(f'{benchmark.name} names {name} but no value to judge it by; {choice(known)}')
    wrong = [name for name in names if name not in known and name not in GROUPS]
    if wrong:
        raise SelectionError(f'unknown rules for {benchmark.name}: {listed(wrong)}; {choice(known)}')
    if not names:
        raise SelectionError(f'rules is empty: leave it out, or name some; {choice(known)}')


def choice(known: Iterable[str]) -> str:
    """What may be named, for a message."""
    return f'known are: {listed(known)}; groups: {listed(GROUPS)}'


def listed(names: Iterable[str]) -> str:
    return ', '.join(sorted(names))


def benchmark_for(version: str | None) -> str:
    """The benchmark that goes with a kubelet's version: releases outside the table go by its nearest end."""
    match = VERSION.fullmatch(version or '')
    if match is None:
        return DEFAULT_BENCHMARK
    minors = {int(name.partition('.')[2]): benchmark for name, benchmark in BENCHMARK_OF_VERSION.items()}
    return minors[min(max(int(match[1]), min(minors)), max(minors))]
