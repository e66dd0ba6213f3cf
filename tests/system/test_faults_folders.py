# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Whole folders that give way to others while they are looked at: no mixture of the two is judged."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from tests.support.nodes import HEAD, IN_NO_SERVICE, write_process
from tests.support.sent import CRITICAL, IPTABLES, KERNEL, OK, UNKNOWN, check_of, collect
from tests.support.steps import at, steps

pytestmark = pytest.mark.same_for_every_user

PID = 700
PAIR = [IPTABLES, KERNEL]
FIELDS = ('makeIPTablesUtilChains', 'protectKernelDefaults')
PLACES = {
    'config-and-drop-in': ('c.yaml', 'd/1.conf'),
    'two-drop-ins': ('d/1.conf', 'd/2.conf'),
    'drop-ins-in-two-folders': ('d/1/x.conf', 'd/2/x.conf'),
}


def write_tree(folder: Path, places: tuple[str, str], values: tuple[bool, bool]) -> None:
    """A configuration in which each of the two settings stands in a file of its own."""
    for place in ('c.yaml', *places):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(HEAD)
    for place, field, value in zip(places, FIELDS, values, strict=True):
        with (folder / place).open('a') as file:
            file.write(f'{field}: {str(value).lower()}\n')


@pytest.mark.parametrize('places', PLACES)
@pytest.mark.parametrize('before', [(True, False), (False, True)], ids=['ok-bad', 'bad-ok'])
@pytest.mark.parametrize('way', ['renamed', 'linked'])
def test_a_folder_that_gives_way_to_another_at_any_step_is_never_mixed_with_it(
    tmp_path: Path, aggregator: AggregatorStub, places: str, before: tuple[bool, bool], way: str
) -> None:
    now, then, away = tmp_path / 'now', tmp_path / 'then', tmp_path / 'away'
    tree, other = tmp_path / 'tree', tmp_path / 'other'
    write_tree(tree, PLACES[places], before)
    write_tree(other, PLACES[places], (before[1], before[0]))

    def give_way() -> None:
        if way == 'linked':
            then.symlink_to(other)
            then.replace(now)
        else:
            now.rename(away)
            other.rename(now)

    def put_back() -> None:
        if way == 'linked':
            now.unlink(missing_ok=True)
            now.symlink_to(tree)
        elif away.exists():
            now.rename(other)
            away.rename(now)
        else:
            tree.rename(now)

    # The walk of the drop-ins does not enter a link, but the links on the way to it.
    write_process(
        tmp_path / 'proc', PID, ('kubelet', f'--config={now}/c.yaml', f'--config-dir={now}/d/'), cgroup=IN_NO_SERVICE
    )
    as_before, as_after = [(OK, CRITICAL) if value else (CRITICAL, OK) for value in (before[0], before[1])]
    for nth in itertools.count(1):
        put_back()
        check = check_of(tmp_path / 'proc', rules=PAIR)
        with steps(at(nth, give_way)) as made:
            sent = collect(check, aggregator)
        if made.count < nth:
            break
        assert tuple(sent.status(rule) for rule in PAIR) in (as_before, as_after, (UNKNOWN, UNKNOWN)), nth
        assert 'node' not in sent.green
    assert nth > 20
    assert os.path.exists(now)
