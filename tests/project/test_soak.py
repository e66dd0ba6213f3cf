# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""That a soak finds what it is there to find: `make soak` is the soak itself."""

from __future__ import annotations

import operator
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.pending import SELF_MADE
from datadog_checks.kubelet_compliance.model import Declared, Setting, Unknown, Value
from datadog_checks.kubelet_compliance.rules.file_sets import FilesInUse, client_ca_files
from datadog_checks.kubelet_compliance.rules.resolve import NOT_ASKED
from tests.support.kubelet_server import Certificates
from tests.support.standin import Standins
from tools.soak.__main__ import watch
from tools.soak.leaks import MAX_GROWTH_BYTES, Holding, holding
from tools.soak.soak import SoakError, soaking

pytestmark = pytest.mark.same_for_every_user

LONGEST_STEPS = 3000


@pytest.fixture(autouse=True)
def is_silent(caplog: pytest.LogCaptureFixture) -> None:
    """What the checks log at every turn is no help."""
    caplog.set_level('CRITICAL')


@pytest.fixture
def folder() -> Iterator[Path]:
    """One with a short name: long paths are shortened in messages."""
    with tempfile.TemporaryDirectory(prefix='soak-') as name:
        yield Path(name)


def test_another_kubelet_on_this_machine_leaves_out_the_check_of_the_real_proc_and_no_other(
    standins: Standins, folder: Path, certificates: Certificates
) -> None:
    """The others go on, with nothing to complain of in a sound check, and leaks can be measured."""
    standins.launch()
    with soaking(2, folder, standins, certificates) as soak:
        while len(soak.checks) == 3 or not soak.is_warm:
            assert soak.steps < LONGEST_STEPS
            soak.go(waits=False)
        assert [checked.name for checked in soak.checks] == ['view', 'asking']


def test_a_soak_that_could_not_measure_leaks_fails(
    standins: Standins, folder: Path, certificates: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    with soaking(1, folder, standins, certificates) as soak:
        assert watch(soak, 0) == 1
    assert 'leaks were not measured' in capsys.readouterr().out


def first_for_ever(collector: Collector) -> object:
    return None


def pids_and_mtimes(collector: Collector) -> object:
    """What a careless cache would go by."""
    processes = collector.host.find_kubelets().processes
    stamps = []
    for process in processes:
        for argument in process.arguments or ():
            path = Path(argument.partition('=')[2])
            for each in (path, *sorted(path.glob('*'))):
                if each.exists():
                    stamps.append((str(each), each.stat().st_size, each.stat().st_mtime_ns))
    return [process.pid for process in processes], stamps


@pytest.mark.parametrize('state', [first_for_ever, pids_and_mtimes])
def test_a_check_that_keeps_what_is_no_longer_so_is_found_out(
    state: Any, standins: Standins, folder: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect, kept = Collector.collect, {}

    def stale(self: Collector, connection: Any = None) -> Any:
        now = state(self)
        if self not in kept or kept[self][0] != now:
            kept[self] = now, collect(self, connection)
        return kept[self][1]

    monkeypatch.setattr(Collector, 'collect', stale)
    with soaking(3, folder, standins, certificates) as soak, pytest.raises(SoakError, match='^seed 3, step [0-9]+: '):
        while soak.steps < LONGEST_STEPS:
            soak.go(waits=False)


def as_self_made(field: str, value: Value, declared: Declared, _: Declared | None) -> bool:
    """As if a change of any line showed that the certificate changed."""
    is_as_declared = declared.changed is None and declared.value(field) == value
    return field in SELF_MADE and str(value).endswith(f'/pki{SELF_MADE[field]}') and not is_as_declared


def ca_of_files(setting: Setting, flags: Flags | Unknown) -> FilesInUse | Unknown:
    return client_ca_files(replace(setting, running=NOT_ASKED), flags)


PACKAGE = 'datadog_checks.kubelet_compliance'
FAULTS = {
    'the files alone are believed': (3, 'kubelet.declare.changed_file', lambda _: None),
    'nothing is not empty': (3, 'kubelet.pending.is_same', operator.eq),
    'a configured certificate is self-made': (3, 'rules.resolve.is_self_made', as_self_made),
    'releases are one': (7, 'collection.reading.KubeletReader.minors_of', lambda *_: frozenset({36})),
    'the client CA is forgotten': (3, 'rules.settings.client_ca_files', ca_of_files),
}


@pytest.mark.parametrize('seed, what, fault', FAULTS.values(), ids=FAULTS)
def test_what_long_lived_and_fresh_checks_get_wrong_alike_is_found_out(
    seed: int,
    what: str,
    fault: Any,
    standins: Standins,
    folder: Path,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So only the oracle can show it. Which of its answers does so first depends on how busy the machine is."""
    monkeypatch.setattr(f'{PACKAGE}.{what}', fault)
    with soaking(seed, folder, standins, certificates) as soak, pytest.raises(SoakError, match='by what was written'):
        while soak.steps < LONGEST_STEPS:
            soak.go(waits=False)


@pytest.mark.parametrize(
    'now, left',
    [
        (Holding(7, 2, 100 + MAX_GROWTH_BYTES), []),
        (Holding(8, 2, 100), ['descriptors: 7 before, 8 now']),
        (Holding(7, 3, 100), ['threads: 2 before, 3 now']),
        (Holding(7, 2, 101 + MAX_GROWTH_BYTES), ['resident memory: 0.0 MiB before, 16.0 MiB now']),
    ],
)
def test_what_is_left_over_is_a_leak(now: Holding, left: list[str]) -> None:
    assert now.grown_since(Holding(7, 2, 100)) == left


def test_a_descriptor_that_stays_open_is_counted() -> None:
    before = holding()
    handle = os.open('/', os.O_RDONLY)
    try:
        assert holding().descriptors == before.descriptors + 1
    finally:
        os.close(handle)
