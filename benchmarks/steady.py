# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a collection costs if nothing changed, and what it costs after a change."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from datadog_checks.base.stubs import aggregator
from tools.agent import collect
from tools.hardened_node import CONFIG, hardened

from .baseline import SendsTheSame, all_sent
from .measure import Limit, Results, Work, measure, on_cores, rows_of
from .node import Node, made_up_node, real_node, run
from .results import figure

ROUNDS = 9
LIMIT_MICROSECONDS = 300
LIMIT_TIMES_THE_BASELINE = 1.5
KUBE_BENCH_SECONDS = 0.26
"""The CPU of one run of kube-bench over the same rules. README.md says how it was measured."""
LIMIT_TIMES_KUBE_BENCH = 300

OURS = 'collection, nothing changed'
ON_ONE_CORE = 'collection, nothing changed; both threads on one core'
ALONE = 'collection, nothing changed; alone, after a second of sleep'
RUN = '`run()`, nothing changed: the collection, and all data sent'
RUN_ON_ONE_CORE = '`run()`, nothing changed; both threads on one core'
BASELINE = 'baseline: `run()` of a check that only sends the same data'
MADE_UP = 'collection, nothing changed; simulated /proc, with a systemd unit'


def results() -> Results:
    with tempfile.TemporaryDirectory(prefix='bench-') as name:
        folder = Path(name)
        made_up = made_up_node(folder / 'made-up')
        with real_node(folder / 'real') as real:
            costs = measure((*steady_works(real), collecting(made_up, MADE_UP)), ROUNDS)
            # These come last: they change files, and a recent change makes each collection read everything.
            costs |= measure(full_collections(real), ROUNDS)
    limits = tuple(
        Limit(f'{what}, CPU, median', costs[what].median * 1e6, LIMIT_MICROSECONDS, 'µs') for what in (OURS, MADE_UP)
    )
    # Of the best rounds, because other load on the machine does not affect both alike.
    times = Limit(
        '`run()`, CPU, best, on one core, compared with the baseline',
        costs[RUN_ON_ONE_CORE].best / costs[BASELINE].best,
        LIMIT_TIMES_THE_BASELINE,
        'times',
    )
    kube_bench = Limit(
        'one run of kube-bench (260 ms, pinned), compared with a collection, nothing changed',
        KUBE_BENCH_SECONDS / costs[OURS].median,
        LIMIT_TIMES_KUBE_BENCH,
        'times',
        at_least=True,
    )
    note = (
        f'`run()` takes {figure(costs[RUN].best / costs[BASELINE].best)} times the baseline if the reading thread is '
        'on another core. The difference is the cost of waking that thread, and of cold caches.'
    )
    return Results(rows_of('steady', costs, OURS), (*limits, times, kube_bench), (note,))


def steady_works(node: Node) -> tuple[Work, ...]:
    check = node.check()
    sent_only = SendsTheSame(check.instances[0], all_sent(collect(check)))
    return (
        collecting(node),
        replace(collecting(node, ON_ONE_CORE), within=partial(on_cores, 1)),
        replace(collecting(node, ALONE, 3), before_each=partial(time.sleep, 1)),
        Work(RUN, check.run, 100, before=aggregator.reset, within=partial(on_cores, 2)),
        Work(RUN_ON_ONE_CORE, check.run, 100, before=aggregator.reset, within=partial(on_cores, 1)),
        Work(BASELINE, sent_only.run, 100, before=aggregator.reset),
    )


def full_collections(node: Node) -> tuple[Work, ...]:
    return (
        replace(collecting(node, 'full collection, after a change', 20), before_each=changes(node)),
        Work('`run()` of a new check: its first full collection', lambda: run(node.new_check()), 5),
    )


def collecting(node: Node, what: str = OURS, times: int = 200) -> Work:
    """Return collections that send nothing, by a separate check, with the reading thread on another core."""
    collector = node.check().collector
    return Work(what, lambda: collector.collect(None), times, within=partial(on_cores, 2))


def changes(node: Node) -> Callable[[], None]:
    """Return a function that changes one byte of the config file. The size stays the same."""
    path = node.root / CONFIG.lstrip('/')
    texts = [f'{hardened()}# {letter}\n' for letter in 'ab']

    def change() -> None:
        texts.reverse()
        path.write_text(texts[0])

    return change
