# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which answers of a live host a steady collection may keep: those that a stamp covers, and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.model import Process
from datadog_checks.kubelet_compliance.node import change_stamps as stamps
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.proc_files import ProcessGone, ProcFolder
from tests.support.clocks import Ahead
from tests.support.nodes import PID, write_process

Question = Callable[[LiveHost, Process], object]


class HiddenProc(ProcFolder):
    """A /proc in which some files, by their names, may not be read, and others are gone."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.hidden: set[str] = set()
        self.gone: set[str] = set()

    def read(self, pid: int, name: str, limit: int) -> bytes:
        if name in self.hidden:
            raise PermissionError(13, 'Permission denied')
        if name in self.gone:
            raise ProcessGone
        return super().read(pid, name, limit)

    def working_directory(self, pid: int) -> str:
        if 'cwd' in self.hidden:
            raise PermissionError(13, 'Permission denied')
        return super().working_directory(pid)


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HiddenProc:
    """A made-up kubelet, in the mount tables of this process; all its files are old to the stamps."""
    monkeypatch.setattr(stamps, 'time', Ahead(60.0))
    (tmp_path / 'k.yaml').write_text('k')
    write_process(tmp_path / 'proc', PID, ('kubelet',), cwd=tmp_path)
    write_process(tmp_path / 'proc', 2, ('kthreadd',), comm='kthreadd')
    for pid in (1, PID):
        table = tmp_path / 'proc' / str(pid) / 'mountinfo'
        table.write_text(Path('/proc/self/mountinfo').read_text())
    return HiddenProc(str(tmp_path / 'proc'))


def file_of(proc: HiddenProc) -> str:
    return str(Path(proc.path).parent / 'k.yaml')


@dataclass(frozen=True)
class Case:
    """A question, and whether the next collections may keep its answer. `hides`, `gone`: files of /proc/PID by then."""

    ask: Question
    is_kept: bool
    root: str | None = None
    hides: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def is_kept(proc: HiddenProc, case: Case) -> bool:
    host = LiveHost(source=proc, root=case.root)
    (process,) = host.find_kubelets().processes
    host.expect([process])
    assert host.trace.is_trusted()
    proc.hidden.update(case.hides)
    proc.gone.update(case.gone)
    case.ask(host, process)
    return host.trace.is_trusted()


def read(host: LiveHost, process: Process) -> object:
    assert isinstance(host.source, HiddenProc)
    return host.read_file(process, file_of(host.source))


def read_relative(host: LiveHost, process: Process) -> object:
    return host.read_file(process, 'k.yaml')


def read_what_may_not_be_seen(host: LiveHost, process: Process) -> object:
    host.ways.refused.add(process.key)
    return host.read_file(process, '/none')


def is_running(host: LiveHost, process: Process) -> object:
    return host.is_running(process)


def unit(host: LiveHost, process: Process) -> object:
    return host.unit_name(process, '')


def whole_root(host: LiveHost, process: Process) -> object:
    return host.shows_whole_root(process)


CASES = {
    'a-file': Case(read, True),
    'a-relative-file': Case(read_relative, True),
    'a-file-below-host-root': Case(read, True, '/'),
    'a-file-below-host-root-by-the-working-directory': Case(read_relative, False, '/'),
    'a-file-below-host-root-of-a-hidden-working-directory': Case(read_relative, False, '/', hides=('cwd',)),
    'a-file-below-host-root-with-hidden-mounts': Case(read, False, '/', hides=('mountinfo',)),
    'a-file-below-host-root-with-mounts-that-are-gone': Case(read, False, '/', gone=('mountinfo',)),
    'a-file-that-may-not-be-seen': Case(read_what_may_not_be_seen, True),
    'a-file-that-may-not-be-seen-with-hidden-mounts': Case(read_what_may_not_be_seen, False, hides=('mountinfo',)),
    'is-running': Case(is_running, True),
    'is-running-and-hidden': Case(is_running, False, hides=('comm',)),
    'unit': Case(unit, True),
    'unit-and-hidden': Case(unit, False, hides=('cgroup',)),
    'unit-and-gone': Case(unit, False, gone=('cgroup',)),
    'who-answers': Case(lambda host, process: host.answers_at(process, '127.0.0.1', 10250), False),
    'working-directory': Case(lambda host, process: host.working_directory_of(process), False),
    'all-processes': Case(lambda host, process: host.shows_all_processes(), False),
    'all-processes-and-hidden': Case(lambda host, process: host.shows_all_processes(), False, hides=('stat',)),
    'whole-root': Case(whole_root, True, '/'),
    'whole-root-with-hidden-mounts': Case(whole_root, False, '/', hides=('mountinfo',)),
    'kernel-settings': Case(lambda host, process: host.kernel_settings(['vm.panic_on_oom']), True),
    'a-peek': Case(lambda host, process: host.peek_file(process, 'k.yaml'), True, '/', hides=('mountinfo',)),
    'giving-up': Case(lambda host, process: host.give_up(), False),
}


@pytest.mark.parametrize('case', CASES.values(), ids=CASES)
def test_an_answer_is_kept_where_a_stamp_covers_it(proc: HiddenProc, case: Case) -> None:
    assert is_kept(proc, case) is case.is_kept


def test_files_that_were_swapped_during_a_collection_are_read_again(proc: HiddenProc) -> None:
    def swap(host: LiveHost, process: Process) -> None:
        read(host, process)
        Path(file_of(proc)).rename(Path(file_of(proc)).with_name('old'))
        assert not host.is_still_so(process)

    assert not is_kept(proc, Case(swap, False))


def test_files_that_are_still_the_same_are_kept(proc: HiddenProc) -> None:
    def compare(host: LiveHost, process: Process) -> None:
        read(host, process)
        assert host.is_still_so(process)

    assert is_kept(proc, Case(compare, True))
