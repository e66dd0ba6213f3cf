# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One pass of an auditor made of a shell and `ps` over the same rules of the same node, beside a collection."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .measure import Limit, Results, Work, children_seconds, measure, rows_of
from .node import Node, real_node
from .steady import OURS, collecting

SCRIPT = Path(__file__).parent / 'auditor.sh'
ROUNDS = 7
RULES = 21
PROGRAMS = ('awk', 'cut', 'grep', 'head', 'ps', 'stat', 'tail')
LIMIT_TIMES = 300

ALL_RULES = 'shell and ps, all rules'
ONE_RULE = 'shell and ps, rule 4.2.7 alone'


def results() -> Results:
    with tempfile.TemporaryDirectory(prefix='bench-') as name, real_node(Path(name) / 'node') as node:
        works = (
            collecting(node),
            Work(ALL_RULES, lambda: audit(node, RULES), clock=children_seconds),
            Work(ONE_RULE, lambda: audit(node, 1, '4.2.7'), 3, clock=children_seconds),
        )
        costs = measure(works, ROUNDS)
        executed = [count_programs(node, Path(name) / 'all'), count_programs(node, Path(name) / 'one', '4.2.7')]
    times = costs[ALL_RULES].median / costs[OURS].median
    processes = sum(entry.isdecimal() for entry in os.listdir('/proc'))
    return Results(
        rows_of('auditor', costs, OURS),
        (Limit('a pass of shell and ps, CPU, against a collection', times, LIMIT_TIMES, 'times', at_least=True),),
        (
            f'The auditor (`auditor.sh`) executes {executed[0]} programs for {RULES} rules, and {executed[1]} for rule '
            '4.2.7 alone: counted by wrappers on its PATH, in a pass that is not timed. '
            f'{processes} processes ran on the machine.',
        ),
    )


def audit(node: Node, lines: int, *rule: str, path: str | None = None) -> None:
    """One pass. It must have a result for each rule, and no complaint."""
    environment = {'PATH': path or os.environ['PATH'], 'LC_ALL': 'C'}
    command = [shutil.which('bash') or 'bash', str(SCRIPT), str(node.root), *rule]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    if done.stderr or done.stdout.count('[') != lines:
        raise RuntimeError(f'the auditor fails: {done.stdout} {done.stderr}')


def count_programs(node: Node, folder: Path, *rule: str) -> int:
    """How many programs a pass executes, its shell included: each is a wrapper here that notes itself first."""
    folder.mkdir()
    notes = folder / 'notes'
    for name in PROGRAMS:
        wrapper = folder / name
        wrapper.write_text(f'#!/bin/sh\necho {name} >> {notes}\nexec {shutil.which(name)} "$@"\n')
        wrapper.chmod(0o755)
    audit(node, 1 if rule else RULES, *rule, path=str(folder))
    return 1 + len(notes.read_text().splitlines())
