# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""From the options `benchmark`, `rules`, and `custom_rules` to the rules that they select, each with its benchmark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from datadog_checks.kubelet_compliance.model import Benchmark, Rule, Selection

from .all_rules import RULES
from .benchmarks import BENCHMARK_OF_MINOR, BENCHMARKS, DEFAULT_BENCHMARK
from .custom_rules import CUSTOM, custom_benchmark

AUTO = 'auto'
RULE_GROUPS = {
    'settings': frozenset(rule.key for rule in RULES if rule.files is None),
    'files': frozenset(rule.key for rule in RULES if rule.files is not None),
}
"""Names for several rules: those on the kubelet's settings, and those on the mode and owner of its files.

The group of custom rules is not the same for everyone: see `groups_of`.
"""
RULE_NUMBER = re.compile(r'V-[0-9]+|[0-9]+(\.[0-9]+)+')
"""The number of a rule in a benchmark. No key looks like this."""
KUBELET_VERSION = re.compile(r'v?1\.([0-9]{1,3})(\D.*)?')


class SelectionError(Exception):
    """An option names something that does not exist. The text lists what does."""


def select(
    benchmark_name: str | None,
    names: Sequence[str] | None,
    version: str | None = None,
    custom: Sequence[Rule] = (),
) -> Selection:
    """The benchmark with its rules in the order of the table, and the custom rules. Raises SelectionError.

    `names`: keys or numbers of rules, and names of groups; None: all rules. `version`: the kubelet's (`v1.31.4`),
    which `auto` goes by; without a version, `auto` is the default benchmark.
    """
    is_auto = benchmark_name == AUTO
    name = benchmark_for(version) if is_auto else benchmark_name or DEFAULT_BENCHMARK
    benchmark = BENCHMARKS.get(name)
    if benchmark is None:
        raise SelectionError(f'unknown benchmark {name!r}; choose from: {AUTO}, {sorted_names(BENCHMARKS)}')
    others = (custom_benchmark(custom),) if custom else ()
    groups = groups_of(custom)
    if names is not None:
        names = without_numbers(benchmark, names, is_auto=is_auto)
        check_names(benchmark, names, custom, groups, is_auto=is_auto)
        if is_auto:
            others = (*others, *benchmarks_for({*names} - {*groups, *benchmark.controls}, version))
    wanted = None if names is None else keys_of(names, groups)
    known = {*benchmark.controls}.union(*(each.controls for each in others))
    rules = (rule for rule in (*RULES, *custom) if rule.key in known and (wanted is None or rule.key in wanted))
    return Selection(benchmark, tuple(rules), others)


def benchmarks_for(keys: Iterable[str], version: str | None) -> Iterator[Benchmark]:
    """For rules that the kubelet's benchmark does not have: those for the nearest releases that have them.

    Each has only the rules that it is needed for, so a rule that someone names is always evaluated.
    """
    found: dict[str, list[str]] = {}
    for key in keys:
        name = next((name for name in nearest_benchmarks(version) if key in BENCHMARKS[name].controls), None)
        if name is not None:
            found.setdefault(name, []).append(key)
    for name, own in found.items():
        yield replace(BENCHMARKS[name], controls={key: BENCHMARKS[name].controls[key] for key in own})


def nearest_benchmarks(version: str | None) -> list[str]:
    """The benchmarks of all releases, those for the nearest releases first."""
    minor = next(minor for minor, name in BENCHMARK_OF_MINOR.items() if name == benchmark_for(version))
    nearest = sorted(BENCHMARK_OF_MINOR, key=lambda each: abs(each - minor))
    return list(dict.fromkeys(BENCHMARK_OF_MINOR[each] for each in nearest))


def without_numbers(benchmark: Benchmark, names: Iterable[str], *, is_auto: bool) -> list[str]:
    """The names, with the key of each rule in place of its number. Raises SelectionError."""
    keys = {
        number: key for key, numbers in (*benchmark.unjudged.items(), *benchmark.controls.items()) for number in numbers
    }
    known = ', '.join(sorted(keys, key=lambda number: [int(part) for part in re.findall('[0-9]+', number)]))
    found = []
    for name in names:
        is_number = RULE_NUMBER.fullmatch(name) is not None
        if is_number and is_auto:
            raise SelectionError(
                f'{name} can be another rule in another benchmark: with {AUTO}, name the key of the rule'
            )
        if is_number and name not in keys:
            raise SelectionError(f'{benchmark.name} has no rule with the number {name}; choose from: {known}')
        found.append(keys[name] if is_number else name)
    return found


def groups_of(custom: Sequence[Rule]) -> dict[str, frozenset[str]]:
    """The names of all groups of rules, with the keys of their rules."""
    return {**RULE_GROUPS, CUSTOM: frozenset(rule.key for rule in custom)} if custom else RULE_GROUPS


def chooser(
    benchmark_name: str | None, names: Sequence[str] | None, custom: Sequence[Rule] = ()
) -> Callable[[str | None], Selection] | None:
    """A function that selects the rules by the kubelet's version. `select` must accept the arguments.

    None if the benchmark does not depend on the version.
    """
    return (lambda version: select(AUTO, names, version, custom)) if benchmark_name == AUTO else None


def keys_of(names: Iterable[str], groups: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The keys of the rules that the names stand for, in any benchmark."""
    return frozenset().union(*(groups.get(name, {name}) for name in names))


def check_names(
    benchmark: Benchmark,
    names: Sequence[str],
    custom: Sequence[Rule],
    groups: Mapping[str, frozenset[str]],
    *,
    is_auto: bool,
) -> None:
    """Raise SelectionError for a rule that the benchmark does not have, or lists without a value to compare with.

    `is_auto`: a rule that the benchmark for any release has is valid.
    """
    benchmarks = [BENCHMARKS[name] for name in BENCHMARK_OF_MINOR.values()] if is_auto else [benchmark]
    known = {key for each in benchmarks for key in each.controls} | {rule.key for rule in custom}
    label = AUTO if is_auto else benchmark.name
    for name in names:
        if name in benchmark.unjudged and name not in known:
            raise SelectionError(f'{label} lists {name} without a value to compare with; {choice(known, groups)}')
    wrong = [name for name in names if name not in known and name not in groups]
    if wrong:
        raise SelectionError(f'unknown rules for {label}: {sorted_names(wrong)}; {choice(known, groups)}')
    if not names:
        raise SelectionError(f'rules is empty: remove it, or name at least one rule; {choice(known, groups)}')
    if not keys_of(names, groups) & known:
        raise SelectionError(f'{label} has none of the rules: {sorted_names(names)}; {choice(known, groups)}')


def choice(known: Iterable[str], groups: Iterable[str]) -> str:
    """The names that the option `rules` accepts, for a message."""
    return f'choose from: {sorted_names(known)}; groups: {sorted_names(groups)}'


def sorted_names(names: Iterable[str]) -> str:
    return ', '.join(sorted(names))


def benchmark_for(version: str | None) -> str:
    """The benchmark for a kubelet's version. Releases outside the table get the nearest one in it."""
    match = KUBELET_VERSION.fullmatch(version or '')
    if match is None:
        return DEFAULT_BENCHMARK
    return BENCHMARK_OF_MINOR[min(max(int(match[1]), min(BENCHMARK_OF_MINOR)), max(BENCHMARK_OF_MINOR))]
