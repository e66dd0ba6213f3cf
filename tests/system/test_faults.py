# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Processes that go and files that change while they are looked at: the whole check, up to what is sent."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from tests.support.cases import TRUTH
from tests.support.kubelet_server import Certificates, serve
from tests.support.nodes import HEAD, IN_NO_SERVICE, write_process
from tests.support.sent import (
    CRITICAL,
    GOOD,
    IPTABLES,
    KERNEL,
    NONE_FOUND,
    OK,
    UNKNOWN,
    Sent,
    check_of,
    collect,
    show,
)
from tests.support.sockets import make_socket
from tests.support.standin import Standins
from tests.support.steps import at, steps

PID = 700
PAIR = [IPTABLES, KERNEL]
CONFIG_MODE = 'config_file_permissions'


def settings(iptables: bool, kernel: bool, padding: int = 0) -> str:
    """A configuration whose two settings stand at its two ends."""
    fill = '# fill\n' * (padding // 7)
    return (
        f'{HEAD}makeIPTablesUtilChains: {str(iptables).lower()}\n{fill}protectKernelDefaults: {str(kernel).lower()}\n'
    )


FIRST, SECOND = settings(False, True), settings(True, False)
"""Each breaks one rule; no mixture of the two may come to be, for it could break none."""
AS_FIRST, AS_SECOND, AS_UNKNOWN = (CRITICAL, OK), (OK, CRITICAL), (UNKNOWN, UNKNOWN)
AS_DEFAULTS = (OK, CRITICAL)


def pair_of(sent: Sent) -> tuple[int, ...]:
    return tuple(sent.status(rule) for rule in PAIR)


@pytest.mark.parametrize('reap', [True, False], ids=['gone', 'zombie'])
@pytest.mark.parametrize('seen_before', [False, True], ids=['first-look', 'seen-before'])
def test_a_kubelet_that_dies_at_any_step_of_a_collection_is_not_reported(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, reap: bool, seen_before: bool
) -> None:
    """Just before each call to the system in turn, those for its files included."""
    (tmp_path / 'c.yaml').write_text(GOOD)
    (tmp_path / 'd').mkdir()
    (tmp_path / 'd' / '1.conf').write_text(GOOD)
    for nth in itertools.count(1):
        kubelet = standins.launch(('kubelet', '--config=c.yaml', '--config-dir=d'), cwd=tmp_path)
        check = check_of(show(tmp_path / f'proc{nth}', kubelet), rules=[IPTABLES, CONFIG_MODE])
        if seen_before:
            assert collect(check, aggregator).found == 1
        with steps(at(nth, lambda: kubelet.kill(reap=reap))) as made:  # noqa: B023
            sent = collect(check, aggregator)
        if made.count < nth:
            assert sent.found == 1
            break
        assert sent == NONE_FOUND, nth
    assert nth > 10


@pytest.mark.parametrize('path', ['/configz', '/metrics'])
def test_a_kubelet_that_dies_while_it_is_asked_is_not_reported(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, certificates: Certificates, path: str
) -> None:
    with serve(certificates) as server:
        kubelet = standins.launch(handles=(server.handle,))

        class Killing(list[Any]):
            def append(self, request: tuple[str, dict[str, str]]) -> None:
                super().append(request)
                if request[0] == path:
                    kubelet.kill()

        server.body, server.requests = (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes(), Killing()
        options = {'kubelet_url': server.url, 'tls_ca_cert': str(certificates.ca), 'timeout': 5}
        sent = collect(check_of(show(tmp_path / 'proc', kubelet), benchmark='auto', **options), aggregator)
    assert path in server.paths()
    assert (sent.found, sent.rules, sent.green) == (0, {}, set())


LONG_AGO = -3600 * os.sysconf('SC_CLK_TCK')


def write_program(folder: Path, ticks: int, comm: str, *arguments: str) -> Path:
    """The folder of one program in /proc, to be shown in place of another; it starts in a minute and `ticks`."""
    write_process(folder, PID, ('kubelet', *arguments), comm=comm, cgroup=IN_NO_SERVICE)
    stat = folder / str(PID) / 'stat'
    head, _, tail = stat.read_text().rpartition(') ')
    words = tail.split()
    words[19] = str(int(words[19]) + ticks)
    stat.write_text(f'{head}) {" ".join(words)}\n')
    return folder / str(PID)


def point(link: Path, target: Path) -> None:
    """Let a link lead elsewhere, in one step."""
    new = link.with_name('new')
    new.symlink_to(target)
    new.replace(link)


@pytest.mark.parametrize('comm', ['kubelet', 'bash'])
@pytest.mark.parametrize('ticks', [LONG_AGO, 0], ids=['exec', 'pid-reuse'])
@pytest.mark.parametrize('seen_before', [False, True], ids=['first-look', 'seen-before'])
def test_a_pid_that_becomes_another_program_at_any_step_never_mixes_two(
    tmp_path: Path, aggregator: AggregatorStub, comm: str, ticks: int, seen_before: bool
) -> None:
    """The first started long before its file was written; with the start of the other it would be judged otherwise."""
    (tmp_path / 'first.yaml').write_text(FIRST)
    (tmp_path / 'second.yaml').write_text(SECOND)
    first = write_program(tmp_path / 'first', LONG_AGO, 'kubelet', f'--config={tmp_path}/first.yaml')
    second = write_program(tmp_path / 'second', ticks, comm, f'--config={tmp_path}/second.yaml')
    procfs = show(tmp_path / 'proc')
    point(procfs / str(PID), second)
    as_second = collect(check_of(procfs, rules=PAIR), aggregator)
    point(procfs / str(PID), first)
    as_first = collect(check_of(procfs, rules=PAIR), aggregator)
    for nth in itertools.count(1):
        point(procfs / str(PID), first)
        check = check_of(procfs, rules=PAIR)
        if seen_before:
            assert collect(check, aggregator) == as_first
        with steps(at(nth, lambda: point(procfs / str(PID), second))) as made:
            sent = collect(check, aggregator)
        if made.count < nth:
            assert sent == as_first
            break
        assert sent in (NONE_FOUND, as_first, as_second), nth
        assert collect(check, aggregator) == as_second, nth
    assert nth > 5


@pytest.mark.parametrize('ticks', [LONG_AGO, 0], ids=['exec', 'pid-reuse'])
def test_what_one_program_said_says_nothing_of_the_next_under_its_pid(
    tmp_path: Path, aggregator: AggregatorStub, certificates: Certificates, ticks: int
) -> None:
    first = write_program(tmp_path / 'first', LONG_AGO, 'kubelet')
    second = write_program(tmp_path / 'second', ticks, 'kubelet', f'--config={tmp_path}/none.yaml')
    (tmp_path / 'proc').mkdir()
    point(tmp_path / 'proc' / str(PID), first)
    with serve(certificates) as server:
        server.body = (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes()
        options = {'kubelet_url': server.url, 'tls_ca_cert': str(certificates.ca), 'timeout': 5}
        check = check_of(tmp_path / 'proc', **options)
        assert collect(check, aggregator).status() == OK
        server.status = 403
        point(tmp_path / 'proc' / str(PID), second)
        sent = collect(check, aggregator)
    assert (sent.green, sent.status()) == (set(), UNKNOWN)


def by_replacing(path: Path) -> None:
    new = path.with_name('new')
    new.write_text(SECOND)
    new.replace(path)


def by_writing(path: Path) -> None:
    path.write_text(SECOND)


def by_writing_in_place(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY)
    os.pwrite(handle, SECOND.ljust(len(FIRST)).encode(), 0)
    os.close(handle)


def by_growing(path: Path) -> None:
    with path.open('a') as file:
        file.write('# more\n' * 40_000)


def by_truncating(path: Path) -> None:
    os.truncate(path, 0)


def by_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES = {
    by_replacing: AS_SECOND,
    by_writing: AS_SECOND,
    by_writing_in_place: AS_SECOND,
    by_growing: AS_UNKNOWN,
    by_truncating: AS_UNKNOWN,
    by_a_fifo: AS_UNKNOWN,
    by_a_folder: AS_UNKNOWN,
    Path.unlink: AS_UNKNOWN,
}


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


@pytest.mark.parametrize('change', CHANGES)
@pytest.mark.parametrize('flag', ['--config={0}/1.conf', '--config-dir={0}'])
def test_a_file_that_changes_at_any_step_gives_one_of_its_contents_or_none(
    tmp_path: Path, aggregator: AggregatorStub, flag: str, change: Callable[[Path], None]
) -> None:
    folder = tmp_path / 'd'
    folder.mkdir()
    file = folder / '1.conf'
    then = AS_DEFAULTS if 'dir' in flag and change in (by_a_folder, Path.unlink) else CHANGES[change]
    write_process(tmp_path / 'proc', PID, ('kubelet', flag.format(folder)), cgroup=IN_NO_SERVICE)
    said: list[str] = []
    for nth in itertools.count(1):
        remove(file)
        file.write_text(FIRST)
        check = check_of(tmp_path / 'proc', rules=PAIR)
        with steps(at(nth, lambda: change(file))) as made:
            sent = collect(check, aggregator)
        if made.count < nth:
            assert pair_of(sent) == AS_FIRST
            break
        assert pair_of(sent) in (AS_FIRST, AS_UNKNOWN, then), nth
        said.append(sent.says())
    assert nth > 20
    if change is by_truncating:
        assert any('could not read ' in message and ': it changed while it was read' in message for message in said)


@pytest.mark.parametrize('change', CHANGES)
def test_a_file_that_changed_since_it_was_seen_is_never_what_the_kubelet_runs_with(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, change: Callable[[Path], None]
) -> None:
    """What the check saw change is not known to run, however small the step between start and change."""
    config = tmp_path / 'c.yaml'
    config.write_text(FIRST)
    check = check_of(show(tmp_path / 'proc', standins.launch(('kubelet', f'--config={config}'))), rules=PAIR)
    assert pair_of(collect(check, aggregator)) == AS_FIRST
    change(config)
    sent = collect(check, aggregator)
    assert sent.green == set()
    assert pair_of(sent) in (AS_UNKNOWN, (UNKNOWN, CRITICAL))


REWRITE = """
import os, sys
path, how, *contents = sys.argv[1:]
contents = [open(name).read() for name in contents]
print('ready', flush=True)
while True:
    for content in contents:
        if how == 'replaced':
            open(f'{path}.new', 'w').write(content)
            os.replace(f'{path}.new', path)
        elif how == 'written':
            open(path, 'w').write(content)
        else:
            handle = os.open(path, os.O_WRONLY)
            os.pwrite(handle, content.encode(), 0)
            os.close(handle)
"""
Rewrite = Callable[[Path, str, tuple[str, str]], None]
LARGE = settings(False, True, 200_000), settings(True, False, 200_000)


@pytest.fixture
def rewrite(tmp_path: Path) -> Iterator[Rewrite]:
    """Starts a program that writes contents to a file in turn, without pause, until the test ends."""
    started: list[subprocess.Popen[str]] = []

    def start(path: Path, how: str, contents: tuple[str, str]) -> None:
        for number, content in enumerate(contents):
            (tmp_path / f'content{number}').write_text(content)
        command = [sys.executable, '-c', REWRITE, path, how, tmp_path / 'content0', tmp_path / 'content1']
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None and process.stdout.readline() == 'ready\n'

    yield start
    for process in started:
        with process:
            process.kill()


@pytest.mark.parametrize('how', ['replaced', 'written'])
@pytest.mark.parametrize('contents', [(FIRST, SECOND), LARGE], ids=['small', 'large'])
def test_a_file_that_is_rewritten_without_pause_is_never_a_mixture(
    tmp_path: Path, aggregator: AggregatorStub, rewrite: Rewrite, how: str, contents: tuple[str, str]
) -> None:
    config = tmp_path / 'c.yaml'
    config.write_text(contents[0])
    write_process(tmp_path / 'proc', PID, ('kubelet', f'--config={config}'), cgroup=IN_NO_SERVICE)
    rewrite(config, how, contents)
    seen = set()
    for _ in range(150):
        sent = collect(check_of(tmp_path / 'proc', rules=PAIR), aggregator)
        assert 'node' not in sent.green
        seen.add(pair_of(sent))
    # What is cut off while it is written may lack the second setting, whose default breaks the rule.
    assert seen <= {AS_FIRST, AS_SECOND, AS_UNKNOWN, (CRITICAL, CRITICAL)}


def test_a_kubelet_whose_file_is_written_in_place_without_pause_is_never_green(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, rewrite: Rewrite
) -> None:
    """Half of a long write may be seen, as the kubelet itself would see it; but it changed after the start."""
    config = tmp_path / 'c.yaml'
    config.write_text(f'{HEAD}#\n')
    check = check_of(show(tmp_path / 'proc', standins.launch(('kubelet', f'--config={config}'))), rules=PAIR)
    collect(check, aggregator)
    config.write_text(LARGE[0])
    rewrite(config, 'in place', LARGE)
    for _ in range(100):
        assert collect(check, aggregator).green == set()


ODD = {
    'fifo': (os.mkfifo, 'it is a FIFO, not a file', 'it is not a regular file'),
    'socket': (make_socket, 'it is a socket, not a file', 'it is not a regular file'),
    'device': (lambda path: path.symlink_to('/dev/null'), 'it is a device, not a file', 'it is not a regular file'),
    'endless': (lambda path: path.symlink_to('/dev/zero'), 'it is a device, not a file', 'it is not a regular file'),
    'directory': (lambda path: path.symlink_to('.'), 'it is a directory', 'it is not a regular file'),
    'dangling': (lambda path: path.symlink_to('none'), 'no such file or directory', 'no such file or directory'),
    'loop': (lambda path: path.symlink_to(path.name), *['too many symbolic links on the way to it'] * 2),
    'missing': (lambda path: None, *['no such file or directory'] * 2),
}


@pytest.mark.parametrize(
    'flag, kind',
    [
        *(('--config={0}/1.conf', kind) for kind in ODD),
        *(('--config-dir={0}', kind) for kind in ODD if kind != 'missing'),
    ],
)
def test_a_configuration_that_is_no_file_leaves_the_rules_unknown_and_says_why(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, flag: str, kind: str
) -> None:
    make, why, _ = ODD[kind]
    folder = tmp_path / 'd'
    folder.mkdir()
    make(folder / '1.conf')
    kubelet = standins.launch(('kubelet', flag.format(folder)))
    sent = collect(check_of(show(tmp_path / 'proc', kubelet)), aggregator)
    assert sent.found == 1
    assert sent.green == set()
    assert sent.status() == UNKNOWN
    assert sent.says().startswith('makeIPTablesUtilChains cannot be determined: ')
    assert f'/1.conf: {why}' in sent.says()
    assert sent.kubelet[0] == CRITICAL
    assert sent.kubelet[1].startswith('no rule could be evaluated: ') and why in sent.kubelet[1]


@pytest.mark.parametrize('kind', ODD)
@pytest.mark.parametrize(
    'flag, rules',
    [
        ('--kubeconfig={0}', ['kubeconfig_permissions', 'kubeconfig_ownership']),
        ('--client-ca-file={0}', ['client_ca_permissions', 'client_ca_ownership']),
    ],
    ids=['kubeconfig', 'client-ca'],
)
def test_the_mode_of_what_is_no_file_is_unknown_and_says_why(
    standins: Standins, tmp_path: Path, aggregator: AggregatorStub, flag: str, rules: list[str], kind: str
) -> None:
    make, _, why = ODD[kind]
    make(tmp_path / 'x')
    kubelet = standins.launch(('kubelet', flag.format(tmp_path / 'x')))
    sent = collect(check_of(show(tmp_path / 'proc', kubelet), rules=rules), aggregator)
    assert sent.green == set()
    for rule in rules:
        assert sent.status(rule) == UNKNOWN
        assert f'could not read the mode and owner of {tmp_path}/x: {why}' in sent.says(rule)


@pytest.mark.parametrize(
    'content, expected',
    [
        (FIRST, AS_FIRST),
        (SECOND, AS_SECOND),
        (LARGE[0], AS_FIRST),
        (LARGE[1], AS_SECOND),
        (settings(True, True), (OK, OK)),
    ],
)
def test_the_contents_that_these_tests_use_can_be_red_and_green(
    tmp_path: Path, aggregator: AggregatorStub, content: str, expected: tuple[int, int]
) -> None:
    """Else what they find not to be green would show nothing."""
    (tmp_path / 'c.yaml').write_text(content)
    write_process(tmp_path / 'proc', PID, ('kubelet', f'--config={tmp_path}/c.yaml'), cgroup=IN_NO_SERVICE)
    sent = collect(check_of(tmp_path / 'proc', rules=PAIR), aggregator)
    assert pair_of(sent) == expected
    assert ('node' in sent.green) is (expected == (OK, OK))
