# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""From the options `benchmark` and `rules` to the benchmark and the rules that they select."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from datadog_checks.kubelet_compliance.model import Benchmark, Selection, Unknown

from .all_rules import RULES, RULES_BY_KEY
from .benchmarks import BENCHMARK_OF_MINOR, BENCHMARKS, DEFAULT_BENCHMARK

AUTO = 'auto'
RULE_GROUPS = {
    'settings': frozenset(rule.key for rule in RULES if rule.files is None),
    'files': frozenset(rule.key for rule in RULES if rule.files is not None),
}
"""Names for several rules: those on the kubelet's settings, and those on the mode and owner of its files."""
KUBELET_VERSION = re.compile(r'v?1\.([0-9]{1,3})(\D.*)?')


class SelectionError(Exception):
    """An option names something that does not exist. The text lists what does."""


def select(benchmark_name: str | None, names: Sequence[str] | None, version: str | None = None) -> Selection:
    """The benchmark, and its rules in the order of the table. Raises SelectionError.

    `names`: keys of rules and names of groups; None: all rules of the benchmark. `version`: the kubelet's (`v1.31.4`),
    which `auto` goes by; without a version, `auto` is the default benchmark.
    """
    name = benchmark_for(version) if benchmark_name == AUTO else benchmark_name or DEFAULT_BENCHMARK
    benchmark = BENCHMARKS.get(name)
    if benchmark is None:
        raise SelectionError(f'unknown benchmark {name!r}; choose from: {AUTO}, {sorted_names(BENCHMARKS)}')
    known = [rule.key for rule in RULES if rule.key in benchmark.controls]
    if names is not None and (benchmark_name != AUTO or version is None):
        # With `auto`, nobody knew which benchmark it would be when they named the rules.
        check_names(benchmark, names, known)
    wanted = frozenset(known) if names is None else keys_of(names)
    rules = tuple(RULES_BY_KEY[key] for key in known if key in wanted)
    if not rules:
        raise SelectionError(f'{name} has none of the rules {sorted_names(names or ())}; {choice(known)}')
    return Selection(benchmark, rules)


def chooser(names: Sequence[str] | None) -> Callable[[str | None], Selection | Unknown]:
    """A function that selects the benchmark by the kubelet's version; Unknown if that has none of the rules."""

    def choose(version: str | None) -> Selection | Unknown:
        try:
            return select(AUTO, names, version)
        except SelectionError as error:
            return Unknown(str(error), 'in rules, name rules that every benchmark has, or set benchmark')

    return choose


def keys_of(names: Iterable[str]) -> frozenset[str]:
    """The keys of the rules that the names stand for, in any benchmark."""
    return frozenset().union(*(RULE_GROUPS.get(name, {name}) for name in names))


def check_names(benchmark: Benchmark, names: Sequence[str], known: Sequence[str]) -> None:
    """Raise SelectionError for a rule that the benchmark does not have, or lists without a value to compare with."""
    for name in names:
        if name in benchmark.unjudged:
            raise SelectionError(f'{benchmark.name} lists {name} without a value to compare with; {choice(known)}')
    wrong = [name for name in names if name not in known and name not in RULE_GROUPS]
    if wrong:
        raise SelectionError(f'unknown rules for {benchmark.name}: {sorted_names(wrong)}; {choice(known)}')
    if not names:
        raise SelectionError(f'rules is empty: remove it, or name at least one rule; {choice(known)}')


def choice(known: Iterable[str]) -> str:
    """The names that the option `rules` accepts, for a message."""
    return f'choose from: {sorted_names(known)}; groups: {sorted_names(RULE_GROUPS)}'


def sorted_names(names: Iterable[str]) -> str:
    return ', '.join(sorted(names))


def benchmark_for(version: str | None) -> str:
    """The benchmark for a kubelet's version. Releases outside the table get the nearest one in it."""
    match = KUBELET_VERSION.fullmatch(version or '')
    if match is None:
        return DEFAULT_BENCHMARK
    return BENCHMARK_OF_MINOR[min(max(int(match[1]), min(BENCHMARK_OF_MINOR)), max(BENCHMARK_OF_MINOR))]
