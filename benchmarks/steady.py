# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a collection costs where nothing changed, and what it costs where something did."""

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

from .floor import SendsTheSame, all_sent
from .measure import Limit, Results, Work, measure, on_cores, rows_of
from .node import Node, made_up_node, real_node, run
from .results import figure

ROUNDS = 9
LIMIT_MICROSECONDS = 300
LIMIT_TIMES_THE_FLOOR = 1.5
KUBE_BENCH_SECONDS = 0.26
"""The CPU of one run of kube-bench over the same rules. README.md says how it was measured."""
LIMIT_TIMES_KUBE_BENCH = 300

OURS = 'collection, nothing changed'
ON_ONE_CORE = 'collection, nothing changed; both of its threads on one core'
ALONE = 'collection, nothing changed; alone, after a second of sleep'
RUN = '`run()`, nothing changed: the collection and all that is sent'
RUN_ON_ONE_CORE = '`run()`, nothing changed; both of its threads on one core'
FLOOR = '`run()` of a check that only sends the same: the floor'
MADE_UP = 'collection, nothing changed; made-up /proc, with a systemd unit'


def results() -> Results:
    with tempfile.TemporaryDirectory(prefix='bench-') as name:
        folder = Path(name)
        made_up = made_up_node(folder / 'made-up')
        with real_node(folder / 'real') as real:
            costs = measure((*steady_works(real), collecting(made_up, MADE_UP)), ROUNDS)
            # Only now, for after them the files are young for a while.
            costs |= measure(full_looks(real), ROUNDS)
    limits = tuple(
        Limit(f'{what}, CPU, median', costs[what].median * 1e6, LIMIT_MICROSECONDS, 'µs') for what in (OURS, MADE_UP)
    )
    # Of the best rounds: what else the machine does meets the two unlike.
    times = Limit(
        '`run()`, CPU, best, on one core, against the floor',
        costs[RUN_ON_ONE_CORE].best / costs[FLOOR].best,
        LIMIT_TIMES_THE_FLOOR,
        'times',
    )
    kube_bench = Limit(
        'one run of kube-bench (260 ms, pinned), against a collection, nothing changed',
        KUBE_BENCH_SECONDS / costs[OURS].median,
        LIMIT_TIMES_KUBE_BENCH,
        'times',
        at_least=True,
    )
    note = (
        f'`run()` takes {figure(costs[RUN].best / costs[FLOOR].best)} times the floor where the system puts the thread '
        'that reads on another core: the rest is what waking it there and cold caches take.'
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
        Work(FLOOR, sent_only.run, 100, before=aggregator.reset),
    )


def full_looks(node: Node) -> tuple[Work, ...]:
    return (
        replace(collecting(node, 'collection after a change: a full look', 20), before_each=changes(node)),
        Work('`run()` of a new check: the first look', lambda: run(node.new_check()), 5),
    )


def collecting(node: Node, what: str = OURS, times: int = 200) -> Work:
    """Collections without the submission, by a check of its own, with the thread that reads on another core."""
    collector = node.check().collector
    return Work(what, lambda: collector.collect(None), times, within=partial(on_cores, 2))


def changes(node: Node) -> Callable[[], None]:
    """Each call changes one byte of the configuration file and keeps its size."""
    path = node.root / CONFIG.lstrip('/')
    texts = [f'{hardened()}# {letter}\n' for letter in 'ab']

    def change() -> None:
        texts.reverse()
        path.write_text(texts[0])

    return change
