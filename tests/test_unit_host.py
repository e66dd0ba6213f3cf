# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.capture import Capture
from datadog_checks.kubelet_compliance.host import MAX_DROP_IN_BYTES, MAX_DROP_INS, NO_PERMISSION, ROOT_REMEDY, Host
from datadog_checks.kubelet_compliance.model import DropIns, File, Missing, Process, Scan, Unknown, Unreadable
from datadog_checks.kubelet_compliance.names import MAX_ARGUMENTS, MAX_COMMAND_LINE_BYTES, split_command_line
from datadog_checks.kubelet_compliance.processes import Admission
from datadog_checks.kubelet_compliance.rooted import MAX_FILE_BYTES

from .sockets import make_socket
from .standin import Standin, Standins

DEADLINE_SECONDS = 20.0
NOBODY = 65534
PID = 4711
OURS = Admission(frozenset({0, os.geteuid()}))
KERNEL_THREAD, EXITING, FORKED_NO_EXEC = 0x00200000, 0x00000004, 0x00000040


pytestmark = pytest.mark.usefixtures('no_handle_is_left')


# ---------------------------------------------------------------------------------------------------------------------
# Made-up nodes


def joined(words: Sequence[str]) -> bytes:
    """As the kernel shows a command line."""
    return b''.join(os.fsencode(word) + b'\0' for word in words)


@dataclass(frozen=True)
class Node:
    """A made-up node: a procfs folder whose processes have their root and working directory in another folder."""

    procfs: Path
    root: Path

    def add(
        self,
        pid: int = PID,
        *argv: str,
        comm: str = 'kubelet',
        line: bytes | None = None,
        state: str = 'S',
        flags: int = 0x00400100,
        ticks: int = 100,
        cwd: str = '/',
    ) -> Process:
        """A process, as it would be found."""
        folder = self.procfs / str(pid)
        folder.mkdir(exist_ok=True)
        words = argv or ('kubelet',)
        (folder / 'comm').write_text(f'{comm}\n')
        (folder / 'cmdline').write_bytes(joined(words) if line is None else line)
        (folder / 'stat').write_text(
            f'{pid} ({comm}) {state} 1 {pid} {pid} 0 -1 {flags} {"0 " * 12}{ticks} {"0 " * 30}\n'
        )
        for name, target in (('root', self.root), ('cwd', self.root / cwd.lstrip('/'))):
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(target)
        return Process(pid, ticks, tuple(words[1:]))

    def remove(self, pid: int = PID) -> None:
        shutil.rmtree(self.procfs / str(pid))

    def write(self, path: str, data: bytes = b'') -> Path:
        file = self.root / path.lstrip('/')
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def link(self, path: str, target: str) -> Path:
        (self.root / path.lstrip('/')).symlink_to(target)
        return self.root / path.lstrip('/')

    def host(self, root: Path | None = None) -> Host:
        return Host(str(self.procfs), None if root is None else str(root))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, as pytest's own may not be."""
    folder = Path(tempfile.mkdtemp(prefix='kubelet-compliance-'))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def make_node(folder: Path) -> Node:
    (folder / 'proc' / '1').mkdir(parents=True)
    (folder / 'proc' / '1' / 'comm').write_text('systemd\n')
    (folder / 'node').mkdir()
    return Node(folder / 'proc', folder / 'node')


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return make_node(tmp_path)


@pytest.fixture
def open_node(open_folder: Path) -> Node:
    return make_node(open_folder)


def here(root: str | None = None) -> Host:
    """This machine; our own stand-ins count as the node's, whoever runs the tests."""
    return Host(root=root, admission=OURS)


def found(scan: Scan, *pids: int) -> tuple[Process, ...]:
    """Those of the processes found that a test started: others on this machine may be named kubelet too."""
    return tuple(process for process in scan.processes if process.pid in pids)


def doubts(scan: Scan, pid: int) -> tuple[Unknown, ...]:
    return tuple(doubt for doubt in scan.doubtful if f'process {pid} ' in doubt.reason)


def the_only(scan: Scan, pid: int = PID) -> Process:
    assert scan.doubtful == ()
    (process,) = scan.processes
    assert process.pid == pid
    return process


def real_process(standin: Standin, host: Host | None = None) -> Process:
    (process,) = found((host or here()).find_kubelets(), standin.pid)
    return process


# ---------------------------------------------------------------------------------------------------------------------
# Without privileges

PRELUDE = """
import functools, json, os, sys
from datadog_checks.kubelet_compliance import host
from datadog_checks.kubelet_compliance.model import DropIns, File, Process
from datadog_checks.kubelet_compliance.processes import Admission

Host = functools.partial(host.Host, admission=Admission(frozenset({{0, os.geteuid()}})))

if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({nobody})
    os.setuid({nobody})

def tell(value):
    if isinstance(value, (str, int, type(None))):
        return value
    names = [name for name in ('pid', 'reason', 'path', 'why', 'remedy') if hasattr(value, name)]
    return dict({{name: getattr(value, name) for name in names}}, kind=type(value).__name__)

said = []
def say(value):
    said.append(tell(value))
"""


def unprivileged(code: str, *arguments: object) -> list[Any]:
    """Run code that says things, as a user without any rights, and return what it says."""
    script = PRELUDE.format(nobody=NOBODY) + code + '\nprint(json.dumps(said))'
    done = subprocess.run(
        [sys.executable, '-c', script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: list[Any] = json.loads(done.stdout)
    return said


# ---------------------------------------------------------------------------------------------------------------------
# Finding, in the real /proc


@pytest.mark.parametrize(
    'argv',
    [
        pytest.param(('/usr/bin/kubelet', '--v=2'), id='absolute-path'),
        pytest.param(('bin/kubelet', '--v=2'), id='relative-path'),
        pytest.param(('./kubelet',), id='dot-path'),
        pytest.param(('kubelet', '--config', '/etc/k.yaml'), id='bare-name'),
        pytest.param(('kubelet', '', '--v', '', ''), id='empty-arguments'),
        pytest.param(('kubelet', ''), id='one-empty-argument'),
        pytest.param(('kubelet', '--x=a b', 'c\nd', '--y="z"', '\tä'), id='spaces-newlines-quotes'),
        pytest.param(('kubelet', '--x=\udcff\udc80'), id='not-utf-8'),
        pytest.param(('kubelet', *(f'--v={number}' for number in range(500))), id='many'),
    ],
)
def test_a_real_kubelet_is_found_with_its_exact_arguments(standins: Standins, argv: tuple[str, ...]) -> None:
    standin = standins.launch(argv)
    scan = here().find_kubelets()
    (process,) = found(scan, standin.pid)
    assert process.arguments == argv[1:]
    assert doubts(scan, standin.pid) == ()


@pytest.mark.parametrize('program', ['./kubelet', 'bin/../kubelet', '../programs/kubelet'])
def test_a_kubelet_started_by_a_relative_path_is_found(standins: Standins, tmp_path: Path, program: str) -> None:
    folder = tmp_path / 'programs'
    (folder / 'bin').mkdir(parents=True)
    standins.named('kubelet', folder)
    standin = standins.launch((program, '--v=1'), program=program, cwd=folder)
    assert real_process(standin).arguments == ('--v=1',)


@pytest.mark.parametrize(
    'argv',
    [
        pytest.param(('grep', 'kubelet'), id='grep'),
        pytest.param(('vi', 'kubelet.conf'), id='vi'),
        pytest.param(('tail', '-f', '/var/log/kubelet.log'), id='tail'),
        pytest.param(('node-driver-registrar', '--kubelet-registration-path=/var/lib/kubelet'), id='registrar'),
        pytest.param(('kubelet-csr-approver', '--v=1'), id='csr-approver'),
        pytest.param(('bash', '/home/kubernetes/bin/health-monitor.sh', 'kubelet'), id='health-monitor'),
        pytest.param(('kubelet2',), id='longer-name'),
        pytest.param(('Kubelet',), id='other-case'),
        pytest.param(('kubele',), id='shorter-name'),
        pytest.param(('sudo', '/usr/bin/kubelet', '--v=1'), id='sudo'),
    ],
)
@pytest.mark.parametrize('says_kubelet', [False, True], ids=['own-argv0', 'argv0-says-kubelet'])
def test_a_word_in_the_command_line_makes_no_kubelet(
    standins: Standins, argv: tuple[str, ...], says_kubelet: bool
) -> None:
    argv0 = 'kubelet' if says_kubelet else argv[0]
    standin = standins.launch((argv0, *argv[1:]), program=standins.named(argv[0]))
    assert Path(f'/proc/{standin.pid}/comm').read_text() == argv[0][:15] + '\n'
    scan = here().find_kubelets()
    assert found(scan, standin.pid) == ()
    assert doubts(scan, standin.pid) == ()


def test_a_sudo_that_started_a_kubelet_is_none_and_the_kubelet_is_one(standins: Standins) -> None:
    standin = standins.launch(
        ('sudo', 'kubelet', '--v=3'), program=standins.named('sudo'), run=str(standins.named('kubelet'))
    )
    scan = here().find_kubelets()
    assert [process.arguments for process in found(scan, standin.pid)] == [('--v=3',)]
    assert found(scan, standin.launcher.pid) == ()
    assert doubts(scan, standin.launcher.pid) == ()


def test_a_shell_that_started_a_kubelet_is_none_and_the_kubelet_is_one(standins: Standins) -> None:
    kubelet = standins.named('kubelet')
    standin = standins.launch(('sh', '-c', f'{kubelet} --v=3; exit 0 # kubelet'), program='/bin/sh')
    scan = here().find_kubelets()
    assert standin.pid != standin.launcher.pid
    assert [process.arguments for process in found(scan, standin.pid)] == [('--v=3',)]
    assert found(scan, standin.launcher.pid) == ()
    assert doubts(scan, standin.launcher.pid) == ()


def test_a_zombie_is_no_kubelet(standins: Standins) -> None:
    standin = standins.launch(zombie='1')
    status = Path(f'/proc/{standin.pid}/stat').read_text()
    assert '(kubelet) Z' in status
    scan = here().find_kubelets()
    assert found(scan, standin.pid) == ()
    assert doubts(scan, standin.pid) == ()


@pytest.mark.parametrize(
    ('argv0', 'title'),
    [
        pytest.param('/opt/wrapper', '', id='other-argv0'),
        pytest.param('/kubelet/', '', id='argv0-ends-in-a-slash'),
        pytest.param('', '', id='empty-argv0'),
        pytest.param('-kubelet', '', id='login-shell-style'),
        pytest.param('kubelet', 'kubelet: serving', id='rewritten'),
        pytest.param('kubelet', 'kubelet: serving' * 200, id='rewritten-to-the-end'),
    ],
)
def test_a_process_that_only_the_kernel_calls_kubelet_is_doubtful(standins: Standins, argv0: str, title: str) -> None:
    standin = standins.launch((argv0, '--config=/secret'), title=title)
    scan = here().find_kubelets()
    assert found(scan, standin.pid) == ()
    (doubt,) = doubts(scan, standin.pid)
    assert 'could not be identified' in doubt.reason
    assert 'secret' not in doubt.reason + doubt.remedy
    assert doubt.remedy


def test_a_program_that_calls_itself_kubelet_by_prctl_is_doubtful(standins: Standins) -> None:
    standin = standins.launch(('worker',), program=standins.named('worker'), comm='kubelet')
    scan = here().find_kubelets()
    assert found(scan, standin.pid) == ()
    assert len(doubts(scan, standin.pid)) == 1


def test_a_kubelet_that_calls_itself_otherwise_by_prctl_is_none(standins: Standins) -> None:
    standin = standins.launch(('kubelet',), comm='kubelet: main')
    scan = here().find_kubelets()
    assert found(scan, standin.pid) == ()
    assert doubts(scan, standin.pid) == ()


def test_a_real_command_line_without_its_last_nul_is_not_believed(standins: Standins) -> None:
    """The kernel shows one page of a rewritten command line: here it ends in the middle, after `kubelet`."""
    title = '/' * (os.sysconf('SC_PAGE_SIZE') - len('kubelet')) + 'kubelet' + 'x' * 8192
    standin = standins.launch(('kubelet',), title=title)
    line = Path(f'/proc/{standin.pid}/cmdline').read_bytes()
    assert line.endswith(b'/kubelet')
    assert real_process(standin).arguments is None


def test_several_kubelets_are_found_in_the_order_of_their_pids(standins: Standins) -> None:
    pids = [standins.launch(('kubelet', f'--v={number}')).pid for number in range(3)]
    scan = here().find_kubelets()
    assert [process.pid for process in found(scan, *pids)] == sorted(pids)
    assert {process.arguments for process in found(scan, *pids)} == {('--v=0',), ('--v=1',), ('--v=2',)}


def test_a_kubelet_that_ended_is_found_no_more(standins: Standins) -> None:
    standin = standins.launch()
    host = here()
    process = real_process(standin, host)
    assert host.is_running(process)
    standin.kill()
    assert not host.is_running(process)
    assert found(host.find_kubelets(), standin.pid) == ()


def test_a_kubelet_that_ended_and_is_not_waited_for_is_not_running(standins: Standins) -> None:
    standin = standins.launch()
    host = here()
    process = real_process(standin, host)
    standin.kill(reap=False)
    assert Path(f'/proc/{standin.pid}/comm').read_text() == 'kubelet\n'
    assert not host.is_running(process)
    scan = host.find_kubelets()
    assert found(scan, standin.pid) == ()
    assert doubts(scan, standin.pid) == ()


def test_the_start_of_a_real_kubelet_is_known_to_the_second(standins: Standins) -> None:
    before = time.time()
    standin = standins.launch()
    after = time.time()
    started_at = real_process(standin).started_at
    assert started_at is not None
    assert before - 1.0 <= started_at <= after + 1.0


def test_the_start_of_a_kubelet_stays_the_same_from_one_look_to_the_next(standins: Standins) -> None:
    standin = standins.launch()
    host = here()
    first, second = real_process(standin, host), real_process(standin, host)
    assert first.key == second.key
    assert first.started_at == pytest.approx(second.started_at, abs=0.1)


# ---------------------------------------------------------------------------------------------------------------------
# Finding, in made-up nodes


def test_no_kubelet_is_an_empty_answer(node: Node) -> None:
    node.add(1, 'init', comm='systemd')
    assert node.host().find_kubelets() == Scan()


def test_a_kernel_thread_is_no_kubelet(node: Node) -> None:
    node.add(line=b'', flags=KERNEL_THREAD | FORKED_NO_EXEC)
    assert node.host().find_kubelets() == Scan()


def test_a_user_process_that_never_called_exec_may_be_a_kubelet(node: Node) -> None:
    expected = node.add(PID, 'kubelet', '--v=2', flags=FORKED_NO_EXEC)
    assert the_only(node.host().find_kubelets()).arguments == expected.arguments


@pytest.mark.parametrize('state', ['Z', 'X'])
def test_a_dead_process_is_no_kubelet(node: Node, state: str) -> None:
    node.add(line=b'', state=state)
    assert node.host().find_kubelets() == Scan()


def test_a_process_that_is_ending_is_no_kubelet_and_no_doubt(node: Node) -> None:
    """Its memory is gone, so its command line is empty, but the kernel does not call it a zombie yet."""
    node.add(line=b'', state='R', flags=EXITING)
    assert node.host().find_kubelets() == Scan()


@pytest.mark.parametrize('state', ['R', 'S', 'D', 'T', 't', 'I'])
def test_a_kubelet_is_found_in_every_state_of_the_living(node: Node, state: str) -> None:
    node.add(state=state)
    the_only(node.host().find_kubelets())


@pytest.mark.parametrize('comm', ['kubelet) Z 1 (', 'kube let', 'kubelet)', 'a) S 1 1 (kubelet', ''])
def test_a_name_that_plays_with_the_format_is_no_kubelet(node: Node, comm: str) -> None:
    node.add(PID, comm=comm)
    assert node.host().find_kubelets() == Scan()


@pytest.mark.parametrize(
    ('line', 'arguments'),
    [
        pytest.param(b'kubelet\0', (), id='none'),
        pytest.param(b'kubelet\0\0', ('',), id='one-empty'),
        pytest.param(b'kubelet\0\0\0', ('', ''), id='two-empty'),
        pytest.param(b'kubelet\0--v=2\0', ('--v=2',), id='one'),
        pytest.param(b'kubelet\0--v=2', None, id='no-last-nul'),
        pytest.param(b'kubelet', None, id='no-nul'),
        pytest.param(b'kubelet\0' + b'a\0' * (MAX_ARGUMENTS - 1), ('a',) * (MAX_ARGUMENTS - 1), id='4096-words'),
        pytest.param(b'kubelet\0' + b'a\0' * MAX_ARGUMENTS, None, id='4097-words'),
        pytest.param(b'kubelet\0' + b'\0' * (MAX_ARGUMENTS - 1), ('',) * (MAX_ARGUMENTS - 1), id='4096-with-empty'),
        pytest.param(b'kubelet\0' + b'\0' * MAX_ARGUMENTS, None, id='4097-with-empty'),
        pytest.param(
            b'kubelet\0' + b'a' * (MAX_COMMAND_LINE_BYTES - 9) + b'\0',
            ('a' * (MAX_COMMAND_LINE_BYTES - 9),),
            id='longest',
        ),
        pytest.param(b'kubelet\0' + b'a' * (MAX_COMMAND_LINE_BYTES - 8) + b'\0', None, id='too-long'),
        pytest.param(b'kubelet\0' + b'a' * (MAX_COMMAND_LINE_BYTES - 8) + b'\0b\0', None, id='cut-after-a-nul'),
    ],
)
def test_a_command_line_is_taken_whole_or_not_at_all(
    node: Node, line: bytes, arguments: tuple[str, ...] | None
) -> None:
    node.add(line=line)
    assert the_only(node.host().find_kubelets()).arguments == arguments


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        pytest.param(b'', None, id='nothing'),
        pytest.param(b'\0', ('',), id='one-empty'),
        pytest.param(b'a\0b\0', ('a', 'b'), id='two'),
        pytest.param(b'a\0\0b\0\0', ('a', '', 'b', ''), id='empty-ones'),
        pytest.param(b'a b\0', ('a b',), id='space'),
        pytest.param(b'a\0b', None, id='cut'),
        pytest.param(b'\xff\0', ('\udcff',), id='not-utf-8'),
    ],
)
def test_a_command_line_splits_at_each_nul(line: bytes, words: tuple[str, ...] | None) -> None:
    assert split_command_line(line) == words


@pytest.mark.parametrize('name', ['self', 'thread-self', 'sys', '12a', '-1', '', 'kubelet'])
def test_what_is_no_pid_is_not_looked_at(node: Node, name: str) -> None:
    node.add()
    if name:
        (node.procfs / str(PID)).rename(node.procfs / name)
        node.add(1, 'init', comm='init')
        assert node.host().find_kubelets() == Scan()


@pytest.mark.parametrize('make', [None, 'file', 'folder'])
def test_a_procfs_that_shows_no_process_is_a_doubt(tmp_path: Path, make: str | None) -> None:
    procfs = tmp_path / 'proc'
    if make == 'file':
        procfs.write_text('')
    elif make == 'folder':
        procfs.mkdir()
    scan = Host(str(procfs)).find_kubelets()
    assert scan.processes == ()
    (doubt,) = scan.doubtful
    assert (
        doubt.reason
        == {
            None: f'the processes in {procfs} cannot be listed: no such file or directory',
            'file': f'the processes in {procfs} cannot be listed: not a directory',
            'folder': f'{procfs} shows no process',
        }[make]
    )
    assert 'procfs_path' in doubt.remedy


@pytest.mark.parametrize(
    ('name', 'data'),
    [
        pytest.param('stat', b'', id='stat-empty'),
        pytest.param('stat', b'4711 (kubelet', id='stat-cut'),
        pytest.param('stat', b'4711 (kubelet) S 1 2 3', id='stat-short'),
        pytest.param('stat', b'4711 (kubelet) S ' + b'x ' * 40, id='stat-no-numbers'),
        pytest.param('stat', b'\xff' * 40, id='stat-binary'),
        pytest.param('comm', b'', id='comm-empty'),
        pytest.param('comm', b'\xff\n', id='comm-binary'),
    ],
)
def test_a_file_of_proc_that_makes_no_sense_is_no_kubelet(node: Node, name: str, data: bytes) -> None:
    node.add()
    (node.procfs / str(PID) / name).write_bytes(data)
    assert node.host().find_kubelets() == Scan()


@pytest.mark.parametrize('name', ['comm', 'stat', 'cmdline'])
def test_a_file_of_proc_that_is_missing_is_no_kubelet(node: Node, name: str) -> None:
    node.add()
    (node.procfs / str(PID) / name).unlink()
    assert node.host().find_kubelets() == Scan()


@pytest.mark.parametrize('name', ['comm', 'stat', 'cmdline'])
@pytest.mark.parametrize(
    'make',
    [
        pytest.param(lambda path: path.mkdir(), id='folder'),
        pytest.param(lambda path: path.symlink_to(path.name), id='loop'),
        pytest.param(lambda path: path.symlink_to('/dev/null/x'), id='below-a-file'),
    ],
)
def test_a_file_of_proc_that_cannot_be_read_is_a_doubt(node: Node, name: str, make: Callable[[Path], None]) -> None:
    node.add()
    (node.procfs / str(PID) / name).unlink()
    make(node.procfs / str(PID) / name)
    scan = node.host().find_kubelets()
    assert scan.processes == () and scan.doubtful != ()


@pytest.mark.parametrize('comm', ['kubelet', 'a) Z 1 (b', '((', '))', ') Z', 'a b'])
def test_the_fields_of_stat_are_counted_from_the_last_parenthesis(node: Node, comm: str) -> None:
    node.add(comm=comm, state='S', flags=FORKED_NO_EXEC, ticks=123)
    stat = node.host().stat(PID)
    assert (stat.state, stat.flags, stat.start_ticks) == ('S', FORKED_NO_EXEC, 123)


@pytest.mark.parametrize('name', ['comm', 'stat', 'cmdline'])
def test_processes_whose_names_are_hidden_are_a_doubt(open_node: Node, name: str) -> None:
    for pid in (1, 2, 3):
        open_node.add(pid)
    for pid in (1, 3):
        (open_node.procfs / str(pid) / name).chmod(0)
    (process, doubt) = unprivileged(
        'scan = Host(sys.argv[1]).find_kubelets()\nfor value in (*scan.processes, *scan.doubtful): say(value)',
        open_node.procfs,
    )
    assert (process['kind'], process['pid']) == ('Process', 2)
    assert doubt['reason'] == f'the names of 2 processes in {open_node.procfs} may not be read'
    assert 'hidepid' in doubt['remedy']


def test_a_procfs_that_may_not_be_listed_is_a_doubt(open_node: Node) -> None:
    open_node.procfs.chmod(0o111)
    code = 'for value in Host(sys.argv[1]).find_kubelets().doubtful: say(value)'
    try:
        (doubt,) = unprivileged(code, open_node.procfs)
    finally:
        open_node.procfs.chmod(0o755)
    assert doubt['reason'] == f'the processes in {open_node.procfs} cannot be listed: permission denied'


# ---------------------------------------------------------------------------------------------------------------------
# Death and pid reuse between any two reads

MOST_READS = 16
"""At least as many as a pass makes for one process: each of its reads is interrupted in turn."""


class Interrupted(Host):
    """A host on which something happens just before the n-th read of /proc/PID."""

    def __init__(self, procfs: str, happens: Callable[[], None], nth: int) -> None:
        super().__init__(procfs, admission=OURS)
        self.happens = happens
        self.nth = nth
        self.reads = 0

    def read(self, pid: int, name: str, limit: int) -> bytes:
        self.reads += 1
        if self.reads == self.nth:
            self.happens()
        return super().read(pid, name, limit)

    def one_pass(self) -> tuple[list[Process], tuple[Unknown, ...]]:
        """As a collection goes: find, then see that those found still run."""
        scan = self.find_kubelets()
        return [process for process in scan.processes if self.is_running(process)], scan.doubtful


def only_these(folder: Path, *pids: int) -> str:
    """A procfs that shows only some of the real processes."""
    folder.mkdir()
    for pid in pids:
        (folder / str(pid)).symlink_to(f'/proc/{pid}')
    return str(folder)


def test_a_pass_makes_no_more_reads_than_are_interrupted_below(standins: Standins, tmp_path: Path) -> None:
    host = Interrupted(only_these(tmp_path / 'proc', standins.launch().pid), lambda: None, 0)
    running, doubtful = host.one_pass()
    assert (len(running), doubtful) == (1, ())
    assert 5 <= host.reads <= MOST_READS


@pytest.mark.parametrize('comm', ['bash', 'kubelet-csr-app', 'kubelet2'])
def test_of_a_process_with_another_name_nothing_but_the_name_is_read(node: Node, comm: str) -> None:
    node.add(PID, 'kubelet', comm=comm)
    host = Interrupted(str(node.procfs), lambda: None, 0)
    assert host.one_pass() == ([], ())
    # And that of process 1.
    assert host.reads == 2


@pytest.mark.parametrize('reap', [True, False], ids=['gone', 'zombie'])
@pytest.mark.parametrize('nth', range(1, MOST_READS + 1))
def test_a_real_kubelet_that_dies_between_any_two_reads_is_not_reported(
    standins: Standins, tmp_path: Path, nth: int, reap: bool
) -> None:
    standin = standins.launch()
    host = Interrupted(only_these(tmp_path / 'proc', standin.pid), lambda: standin.kill(reap=reap), nth)
    running, doubtful = host.one_pass()
    assert doubtful == ()
    assert [process.pid for process in running] == ([] if host.reads >= nth else [standin.pid])


@pytest.mark.parametrize('nth', range(1, MOST_READS + 1))
def test_a_real_kubelet_that_dies_during_the_search_is_not_found(standins: Standins, tmp_path: Path, nth: int) -> None:
    standin = standins.launch()
    host = Interrupted(only_these(tmp_path / 'proc', standin.pid), lambda: standin.kill(reap=False), nth)
    scan = host.find_kubelets()
    assert scan.doubtful == ()
    assert [process.pid for process in scan.processes] == ([] if host.reads >= nth else [standin.pid])


@pytest.mark.parametrize('nth', range(1, MOST_READS + 1))
@pytest.mark.parametrize(
    ('comm', 'argv'),
    [
        pytest.param('kubelet', ('kubelet', '--new'), id='by-a-kubelet'),
        pytest.param('kubelet', ('wrapper', '--new'), id='by-a-doubtful-one'),
        pytest.param('bash', ('bash', '--new'), id='by-another-program'),
        pytest.param('bash', ('kubelet', '--new'), id='by-another-program-with-this-argv'),
    ],
)
def test_a_pid_that_is_used_again_between_any_two_reads_never_mixes_two_processes(
    node: Node, nth: int, comm: str, argv: tuple[str, ...]
) -> None:
    node.add(PID, 'kubelet', '--old', ticks=100)
    host = Interrupted(str(node.procfs), lambda: void(node.add(PID, *argv, comm=comm, ticks=200)), nth)
    running, _ = host.one_pass()
    seen = [(process.start_ticks, process.arguments) for process in running]
    if host.reads < nth:
        assert seen == [(100, ('--old',))]
        return
    is_kubelet = (comm, argv[0]) == ('kubelet', 'kubelet')
    assert seen in ([], [(200, ('--new',))] if is_kubelet else [])
    again = Interrupted(str(node.procfs), lambda: None, 0).one_pass()[0]
    assert [process.start_ticks for process in again] == ([200] if is_kubelet else [])


@pytest.mark.parametrize('nth', range(1, MOST_READS + 1))
def test_a_made_up_process_that_goes_between_any_two_reads_is_not_reported(node: Node, nth: int) -> None:
    node.add()
    host = Interrupted(str(node.procfs), node.remove, nth)
    running, doubtful = host.one_pass()
    assert doubtful == ()
    assert len(running) == (0 if host.reads >= nth else 1)


@pytest.mark.parametrize('nth', range(1, MOST_READS + 1))
def test_a_process_that_comes_to_run_another_program_between_any_two_reads_is_not_reported(
    node: Node, nth: int
) -> None:
    """A program started by the kubelet is a copy of it until exec, under the same pid and with the same start."""
    node.add(PID, 'kubelet', '--old')
    host = Interrupted(str(node.procfs), lambda: void(node.add(PID, 'mount', comm='mount')), nth)
    running, doubtful = host.one_pass()
    assert doubtful == ()
    assert running == [] or nth >= host.reads, 'only the last read, of the start, cannot see it'


def void(_: object) -> None:
    """For a change whose answer is of no use."""


@pytest.mark.parametrize('what', ['config', 'drop-ins'])
@pytest.mark.parametrize('reap', [True, False], ids=['gone', 'zombie'])
def test_files_of_a_real_kubelet_that_has_died_are_unreadable(
    standins: Standins, tmp_path: Path, what: str, reap: bool
) -> None:
    (tmp_path / 'k.yaml').write_bytes(b'x')
    standin = standins.launch(cwd=tmp_path)
    host = here()
    process = real_process(standin, host)
    standin.kill(reap=reap)
    answer = host.read_file(process, 'k.yaml') if what == 'config' else host.read_drop_ins(process, '.')
    assert isinstance(answer, Unreadable)


# ---------------------------------------------------------------------------------------------------------------------
# Files of a real kubelet


def test_a_relative_path_is_read_from_the_working_directory_of_the_real_kubelet(
    standins: Standins, tmp_path: Path
) -> None:
    (tmp_path / 'inner').mkdir()
    (tmp_path / 'k.yaml').write_bytes(b'up')
    (tmp_path / 'inner' / 'k.yaml').write_bytes(b'here')
    host = here()
    process = real_process(standins.launch(cwd=tmp_path / 'inner'), host)
    assert [as_data(host.read_file(process, path)) for path in ('k.yaml', './k.yaml', '../k.yaml')] == [
        b'here',
        b'here',
        b'up',
    ]
    assert isinstance(host.read_drop_ins(process, '.'), DropIns)


def as_data(file: object) -> bytes:
    assert isinstance(file, File), file
    return file.data


@pytest.fixture
def jail(tmp_path: Path) -> Path:
    """A root for a kubelet; the same names outside it hold something else."""
    root = tmp_path / 'jail'
    for folder, data in ((root, b'inside'), (tmp_path, b'OUTSIDE')):
        (folder / 'etc' / 'k.d').mkdir(parents=True)
        (folder / 'etc' / 'real.yaml').write_bytes(data)
        (folder / 'etc' / 'k.d' / '1.conf').write_bytes(data)
    (root / 'etc' / 'absolute.yaml').symlink_to('/etc/real.yaml')
    (root / 'etc' / 'climbing.yaml').symlink_to('../../../../../../etc/real.yaml')
    (root / 'etc' / 'k.d' / '2.conf').symlink_to('/etc/real.yaml')
    (root / 'linked').symlink_to('/etc')
    return root


@pytest.mark.parametrize(
    'path',
    [
        '/etc/real.yaml',
        '/etc/absolute.yaml',
        '/etc/climbing.yaml',
        '/linked/real.yaml',
        '/linked/absolute.yaml',
        '../../../../etc/real.yaml',
        'real.yaml',
        'absolute.yaml',
    ],
)
def test_files_of_a_real_kubelet_in_another_root_resolve_inside_it(standins: Standins, jail: Path, path: str) -> None:
    host = here()
    process = real_process(standins.launch(root=str(jail), folder='/etc'), host)
    file = host.read_file(process, path)
    assert as_data(file) == b'inside'
    assert isinstance(file, File)
    assert file.path == path


def test_drop_ins_of_a_real_kubelet_in_another_root_resolve_inside_it(standins: Standins, jail: Path) -> None:
    host = here()
    process = real_process(standins.launch(root=str(jail), folder='/etc'), host)
    for path in ('/etc/k.d', 'k.d', '/linked/k.d'):
        drop_ins = host.read_drop_ins(process, path)
        assert isinstance(drop_ins, DropIns)
        assert [(as_data(file), named(file)) for file in drop_ins.files] == [
            (b'inside', f'{path}/1.conf'),
            (b'inside', f'{path}/2.conf'),
        ]


def named(file: File | Missing | Unreadable) -> str:
    return file.path


# ---------------------------------------------------------------------------------------------------------------------
# Files: bounds, and what is no file


@pytest.mark.parametrize('size', [0, MAX_FILE_BYTES])
def test_a_file_up_to_the_bound_is_read(node: Node, size: int) -> None:
    node.write('/k.yaml', b'x' * size)
    assert as_data(node.host().read_file(node.add(), '/k.yaml')) == b'x' * size


def test_a_file_of_one_byte_more_is_unreadable(node: Node) -> None:
    node.write('/k.yaml', b'x' * (MAX_FILE_BYTES + 1))
    assert node.host().read_file(node.add(), '/k.yaml') == Unreadable(
        '/k.yaml', 'it is larger than 256 KiB', ROOT_REMEDY
    )


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


ODD_FILES: tuple[Any, ...] = (
    pytest.param(os.mkfifo, Unreadable, 'it is a FIFO, not a file', id='fifo'),
    pytest.param(make_socket, Unreadable, 'it is a socket, not a file', id='socket'),
    pytest.param(lambda path: path.mkdir(), Missing, 'it is a directory', id='directory'),
    pytest.param(lambda path: path.symlink_to('.'), Missing, 'it is a directory', id='linked-directory'),
    pytest.param(lambda path: path.symlink_to('none'), Missing, 'no such file or directory', id='dangling'),
    pytest.param(make_loop, Missing, 'too many links on the way to it', id='loop'),
    pytest.param(lambda path: None, Missing, 'no such file or directory', id='missing'),
    pytest.param(
        lambda path: path.symlink_to('/proc/self/stat'),
        Unreadable,
        'it lies in /proc, which is not the same for each process',
        id='in-proc',
    ),
)


@pytest.mark.parametrize(('make', 'kind', 'why'), ODD_FILES)
def test_what_is_no_file_gets_a_clear_message_at_once(
    node: Node, make: Callable[[Path], None], kind: type[Missing | Unreadable], why: str
) -> None:
    make(node.root / 'k.yaml')
    answer = node.host().read_file(node.add(), '/k.yaml')
    assert isinstance(answer, kind)
    assert (answer.path, answer.why) == ('/k.yaml', why)


@pytest.mark.parametrize(
    ('make', 'kind', 'why'), [case for case in ODD_FILES if case.id not in ('directory', 'missing')]
)
def test_a_drop_in_that_is_no_file_says_so_and_the_others_are_read(
    node: Node, make: Callable[[Path], None], kind: type[Missing | Unreadable], why: str
) -> None:
    node.write('/k.d/1.conf', b'one')
    node.write('/k.d/3.conf', b'three')
    make(node.root / 'k.d' / '2.conf')
    drop_ins = node.host().read_drop_ins(node.add(), '/k.d')
    assert isinstance(drop_ins, DropIns)
    first, second, third = drop_ins.files
    assert (as_data(first), as_data(third)) == (b'one', b'three')
    assert isinstance(second, kind)
    assert (second.path, second.why) == ('/k.d/2.conf', why)


@pytest.mark.parametrize('device', ['/dev/zero', '/dev/null', '/dev/tty'])
def test_a_device_gets_a_clear_message_at_once(standins: Standins, device: str) -> None:
    host = here()
    process = real_process(standins.launch(), host)
    answer = host.read_file(process, device)
    assert isinstance(answer, Unreadable)
    assert answer.why == 'it is a device, not a file'
    drop_ins = host.read_drop_ins(process, device)
    assert isinstance(drop_ins, DropIns)
    assert drop_ins.files == ()


# ---------------------------------------------------------------------------------------------------------------------
# Drop-ins


def drop_in_paths(node: Node, path: str = '/k.d') -> list[str]:
    drop_ins = node.host().read_drop_ins(node.add(), path)
    assert isinstance(drop_ins, DropIns)
    return [named(file) for file in drop_ins.files]


def test_only_conf_files_are_drop_ins_and_hidden_ones_count(node: Node) -> None:
    for name in ('a.conf', '.conf', '.b.conf', 'c.CONF', 'd.conf~', 'e.conf.bak', 'f.yaml', 'conf', 'g.conf.conf'):
        node.write(f'/k.d/{name}')
    assert drop_in_paths(node) == [f'/k.d/{name}' for name in ('.b.conf', '.conf', 'a.conf', 'g.conf.conf')]


def test_drop_ins_come_in_the_lexical_order_of_the_walk(node: Node) -> None:
    for name in ('10.conf', '9.conf', 'B.conf', 'a/z.conf', 'a-b.conf', 'a.conf/x.conf', 'a/b/c.conf', '.h/i.conf'):
        node.write(f'/k.d/{name}')
    assert drop_in_paths(node) == [
        f'/k.d/{name}'
        for name in (
            '.h/i.conf',
            '10.conf',
            '9.conf',
            'B.conf',
            'a/b/c.conf',
            'a/z.conf',
            'a-b.conf',
            'a.conf/x.conf',
        )  # fmt: skip
    ]


def test_a_linked_drop_in_is_read_and_a_linked_folder_not_entered(node: Node) -> None:
    node.write('/elsewhere/file', b'linked')
    node.write('/elsewhere/x.conf', b'never')
    node.write('/k.d/0.conf', b'plain')
    node.link('/k.d/1.conf', '/elsewhere/file')
    node.link('/k.d/folder', '/elsewhere')
    drop_ins = node.host().read_drop_ins(node.add(), '/k.d')
    assert isinstance(drop_ins, DropIns)
    assert [(named(file), as_data(file)) for file in drop_ins.files] == [
        ('/k.d/0.conf', b'plain'),
        ('/k.d/1.conf', b'linked'),
    ]


def test_a_linked_folder_whose_name_ends_in_conf_is_refused_as_a_directory(node: Node) -> None:
    node.write('/elsewhere/x.conf', b'never')
    (node.root / 'k.d').mkdir()
    node.link('/k.d/1.conf', '/elsewhere')
    drop_ins = node.host().read_drop_ins(node.add(), '/k.d')
    assert isinstance(drop_ins, DropIns)
    assert drop_ins.files == (Missing('/k.d/1.conf', 'it is a directory'),)


@pytest.mark.parametrize(
    ('path', 'expected'),
    [
        pytest.param('/linked', [], id='link-is-not-entered'),
        pytest.param('/linked/', ['/linked/x.conf'], id='link-with-slash-is'),
        pytest.param('/linked/.', ['/linked/x.conf'], id='link-with-dot-is'),
        pytest.param('/k.d/', ['/k.d/x.conf'], id='folder-with-slash'),
        pytest.param('/file.conf', ['/file.conf'], id='a-file-named-conf-is-the-drop-in'),
        pytest.param('/file', [], id='a-file-named-otherwise-is-none'),
        pytest.param('/link.conf', ['/link.conf'], id='a-link-named-conf-is-the-drop-in'),
    ],
)
def test_the_path_of_the_drop_ins_is_taken_as_filepath_walkdir_takes_it(
    node: Node, path: str, expected: list[str]
) -> None:
    node.write('/k.d/x.conf')
    node.write('/file.conf')
    node.write('/file')
    node.link('/linked', '/k.d')
    node.link('/link.conf', '/file')
    assert drop_in_paths(node, path) == expected


def test_a_link_named_conf_that_leads_to_a_folder_is_refused_as_a_directory(node: Node) -> None:
    node.write('/k.d/x.conf')
    node.link('/link.conf', '/k.d')
    drop_ins = node.host().read_drop_ins(node.add(), '/link.conf')
    assert isinstance(drop_ins, DropIns)
    assert drop_ins.files == (Missing('/link.conf', 'it is a directory'),)


@pytest.mark.parametrize('path', ['/none', '/k.conf/', '/k.conf/.'])
def test_a_folder_of_drop_ins_that_is_not_there_is_missing(node: Node, path: str) -> None:
    node.write('/k.conf')
    answer = node.host().read_drop_ins(node.add(), path)
    assert isinstance(answer, Missing)
    assert answer.path == path


@pytest.mark.parametrize('count', [MAX_DROP_INS, MAX_DROP_INS + 1])
def test_drop_ins_are_bounded_in_number(node: Node, count: int) -> None:
    for number in range(count):
        node.write(f'/k.d/{number:03}.conf')
    for number in range(300):
        node.write(f'/k.d/{number:03}.txt')
    answer = node.host().read_drop_ins(node.add(), '/k.d')
    if count <= MAX_DROP_INS:
        assert isinstance(answer, DropIns)
        assert len(answer.files) == count
    else:
        assert answer == Unreadable('/k.d', 'it holds more than 256 drop-ins')


@pytest.mark.parametrize('more', [0, 1])
def test_drop_ins_are_bounded_in_size_together(node: Node, more: int) -> None:
    parts = MAX_DROP_IN_BYTES // MAX_FILE_BYTES
    for number in range(parts):
        node.write(f'/k.d/{number}.conf', b'x' * MAX_FILE_BYTES)
    node.write('/k.d/9.conf', b'x' * more)
    node.write('/k.d/big.txt', b'x' * MAX_FILE_BYTES)
    answer = node.host().read_drop_ins(node.add(), '/k.d')
    if not more:
        assert isinstance(answer, DropIns)
        assert sum(len(as_data(file)) for file in answer.files) == MAX_DROP_IN_BYTES
    else:
        assert answer == Unreadable('/k.d', 'its drop-ins are larger than 1024 KiB together')


@pytest.mark.parametrize('levels', [256, 257])
def test_folders_of_drop_ins_are_bounded_in_depth(node: Node, levels: int) -> None:
    node.write('/k.d/' + 'd/' * (levels - 1) + 'x.conf', b'deep')
    answer = node.host().read_drop_ins(node.add(), '/k.d')
    if levels <= 256:
        assert isinstance(answer, DropIns)
        assert [as_data(file) for file in answer.files] == [b'deep']
    else:
        assert isinstance(answer, Unreadable)
        assert answer.why == 'its folders are nested more than 256 levels deep'


# ---------------------------------------------------------------------------------------------------------------------
# Paths as the kubelet reads them


@pytest.mark.parametrize(
    'path',
    ['/etc/k.yaml', '/etc//k.yaml', '/etc/k.yaml/', '/etc/k.yaml/.', '/none/../etc/k.yaml', '/etc/deep/../k.yaml'],
)
def test_the_path_of_a_file_is_cleaned_as_text_as_filepath_abs_does(node: Node, path: str) -> None:
    """`deep` is a link to a folder beside another k.yaml, and by the kernel's rules `deep/..` is where that one is."""
    node.write('/etc/k.yaml', b'right')
    node.write('/other/k.yaml', b'wrong')
    node.write('/other/deep/x')
    node.link('/etc/deep', '/other/deep')
    answer = node.host().read_file(node.add(), path)
    assert as_data(answer) == b'right'
    assert isinstance(answer, File)
    assert answer.path == path


# ---------------------------------------------------------------------------------------------------------------------
# Times


def until_later_than(moment: float, change: Callable[[], None], path: Path) -> float:
    """Make a change until its ctime is later than a moment, however coarse the clock of the file system is."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        change()
        if path.lstat().st_ctime > moment:
            return path.lstat().st_ctime
    raise TimeoutError(str(path))


def test_a_file_changed_when_its_ctime_says_so_whatever_its_mtime_says(node: Node) -> None:
    file = node.write('/k.yaml')
    os.utime(file, (0, 0))
    answer = node.host().read_file(node.add(), '/k.yaml')
    assert isinstance(answer, File)
    assert answer.changed_at == file.stat().st_ctime
    assert answer.changed_at > time.time() - 60


def test_a_file_changed_when_a_link_to_it_was_set_anew(node: Node) -> None:
    file = node.write('/real.yaml')
    link = node.root / 'k.yaml'

    def set_link() -> None:
        link.unlink(missing_ok=True)
        link.symlink_to('real.yaml')
        os.utime(link, (0, 0), follow_symlinks=False)

    expected = until_later_than(file.stat().st_ctime, set_link, link)
    answer = node.host().read_file(node.add(), '/k.yaml')
    assert isinstance(answer, File)
    assert answer.changed_at == expected


def test_drop_ins_changed_when_their_folder_did(node: Node) -> None:
    file = node.write('/k.d/inner/x.conf')
    folder = node.root / 'k.d'

    def remove_one() -> None:
        node.write('/k.d/gone.conf').unlink()
        os.utime(folder, (0, 0))

    expected = until_later_than(file.stat().st_ctime, remove_one, folder)
    answer = node.host().read_drop_ins(node.add(), '/k.d')
    assert isinstance(answer, DropIns)
    assert answer.changed_at == expected
    (drop_in,) = answer.files
    assert isinstance(drop_in, File)
    assert drop_in.changed_at == file.stat().st_ctime


def test_drop_ins_changed_when_their_folder_gave_way_to_a_file(node: Node) -> None:
    file = node.write('/k.d')
    answer = node.host().read_drop_ins(node.add(), '/k.d')
    assert answer == DropIns('/k.d', (), file.stat().st_ctime)


# ---------------------------------------------------------------------------------------------------------------------
# The root of the host


@pytest.fixture
def host_root(tmp_path: Path) -> Path:
    """Where the host's files are mounted; the process's own root holds other ones under the same names."""
    root = tmp_path / 'mounted'
    (root / 'etc').mkdir(parents=True)
    return root


@pytest.mark.parametrize(
    'path', ['/etc/k.yaml', '/etc/absolute', '/etc/climbing', '/../../etc/k.yaml', '/linked/k.yaml']
)
def test_below_host_root_everything_resolves_inside_it(node: Node, host_root: Path, path: str) -> None:
    (host_root / 'etc' / 'k.yaml').write_bytes(b'host')
    (host_root / 'etc' / 'absolute').symlink_to('/etc/k.yaml')
    (host_root / 'etc' / 'climbing').symlink_to('../../../../../etc/k.yaml')
    (host_root / 'linked').symlink_to('/etc')
    (host_root.parent / 'etc').mkdir()
    (host_root.parent / 'etc' / 'k.yaml').write_bytes(b'OUTSIDE')
    assert as_data(node.host(host_root).read_file(node.add(), path)) == b'host'


@pytest.mark.parametrize('odd', ['missing', 'dangling', 'directory', 'fifo', 'too-large', 'no-host-root'])
def test_what_host_root_does_not_show_is_read_through_the_process(node: Node, host_root: Path, odd: str) -> None:
    node.write('/etc/k.yaml', b'its own')
    file = host_root / 'etc' / 'k.yaml'
    if odd == 'dangling':
        file.symlink_to('/only/in/its/own/root')
    elif odd == 'directory':
        file.mkdir()
    elif odd == 'fifo':
        os.mkfifo(file)
    elif odd == 'too-large':
        file.write_bytes(b'x' * (MAX_FILE_BYTES + 1))
    elif odd == 'no-host-root':
        host_root = host_root / 'none'
    assert as_data(node.host(host_root).read_file(node.add(), '/etc/k.yaml')) == b'its own'


def test_a_folder_that_host_root_does_not_show_is_read_through_the_process(node: Node, host_root: Path) -> None:
    node.write('/k.d/x.conf', b'its own')
    answer = node.host(host_root).read_drop_ins(node.add(), '/k.d')
    assert isinstance(answer, DropIns)
    assert [as_data(file) for file in answer.files] == [b'its own']


def test_what_neither_shows_is_missing_to_the_kubelet(node: Node, host_root: Path) -> None:
    answer = node.host(host_root).read_file(node.add(), '/etc/k.yaml')
    assert answer == Missing('/etc/k.yaml', 'no such file or directory')


def test_what_only_host_root_could_show_and_does_not_may_be_there_for_the_kubelet(node: Node, host_root: Path) -> None:
    process = node.add()
    (node.procfs / str(PID) / 'root').unlink()
    answer = node.host(host_root).read_file(process, '/etc/k.yaml')
    assert isinstance(answer, Unreadable)
    assert answer.remedy == ROOT_REMEDY


@pytest.mark.parametrize('odd', ['dangling', 'linked-folder', 'loop'])
def test_a_drop_in_that_host_root_does_not_show_may_be_there_for_the_kubelet(
    node: Node, host_root: Path, odd: str
) -> None:
    """It may lead to what is mounted for the kubelet only: so the kubelet would not surely refuse it."""
    folder = host_root / 'etc' / 'k.d'
    folder.mkdir()
    (folder / '1.conf').symlink_to({'dangling': '/only/mounted/there', 'linked-folder': '/etc', 'loop': '1.conf'}[odd])
    answer = node.host(host_root).read_drop_ins(node.add(), '/etc/k.d')
    assert isinstance(answer, DropIns)
    (file,) = answer.files
    assert isinstance(file, Unreadable)
    assert file.path == '/etc/k.d/1.conf'
    assert 'host_root' in file.why


def test_below_host_root_a_relative_path_starts_where_the_kubelet_says_that_it_is(
    standins: Standins, tmp_path: Path
) -> None:
    cwd = tmp_path / 'cwd'
    cwd.mkdir()
    mounted = tmp_path / 'mounted'
    (mounted / str(cwd).lstrip('/')).mkdir(parents=True)
    (mounted / str(cwd).lstrip('/') / 'k.yaml').write_bytes(b'host')
    host = here(str(mounted))
    process = real_process(standins.launch(cwd=cwd), host)
    assert as_data(host.read_file(process, 'k.yaml')) == b'host'


def test_below_host_root_the_process_is_not_asked_for_what_is_there(node: Node, host_root: Path) -> None:
    """Each look through /proc/PID/root is an access like a debugger's, which AppArmor logs."""
    (host_root / 'etc' / 'k.yaml').write_bytes(b'host')
    node.write('/etc/k.yaml', b'its own')
    assert as_data(node.host(host_root).read_file(node.add(), '/etc/k.yaml')) == b'host'


# ---------------------------------------------------------------------------------------------------------------------
# A captured node


@pytest.fixture
def captured(node: Node) -> Host:
    return Host(str(node.procfs), str(node.root), capture=Capture())


def test_a_captured_node_without_facts_has_no_clock_and_no_file_times(node: Node, captured: Host) -> None:
    node.add()
    node.write('/k.yaml', b'x')
    node.write('/k.d/x.conf')
    process = the_only(captured.find_kubelets())
    assert process.started_at is None
    assert captured.read_file(process, '/k.yaml') == File('/k.yaml', b'x', None)
    assert captured.read_drop_ins(process, '/k.d') == DropIns('/k.d', (File('/k.d/x.conf', b'', None),), None)


def test_what_a_captured_node_does_not_hold_is_missing(node: Node, captured: Host) -> None:
    assert captured.read_file(node.add(), '/k.yaml') == Missing('/k.yaml', 'no such file or directory')


def test_of_a_captured_node_the_links_in_proc_are_names_within_it(node: Node, captured: Host) -> None:
    process = node.add()
    cwd = node.procfs / str(PID) / 'cwd'
    cwd.unlink()
    cwd.symlink_to('/var/lib')
    node.write('/var/lib/k.yaml', b'captured')
    assert as_data(captured.read_file(process, 'k.yaml')) == b'captured'


@pytest.mark.parametrize('target', [None, 'relative', '(unreachable)/x'])
def test_a_relative_path_needs_a_working_directory_that_is_known(
    node: Node, captured: Host, target: str | None
) -> None:
    process = node.add()
    cwd = node.procfs / str(PID) / 'cwd'
    cwd.unlink()
    if target is not None:
        cwd.symlink_to(target)
    answer = captured.read_file(process, 'k.yaml')
    assert isinstance(answer, Unreadable)
    assert answer.why == (
        'the working directory of the kubelet is not known: no such file or directory'
        if target is None
        else 'the working directory of the kubelet is not reachable'
    )
    assert answer.remedy == ''


# ---------------------------------------------------------------------------------------------------------------------
# Refusals


READ_FILES = """
host = Host(sys.argv[1], sys.argv[2] or None)
processes = [process for process in host.find_kubelets().processes if str(process.pid) == sys.argv[3]]
for process in processes:
    for path in sys.argv[4:]:
        say(host.read_drop_ins(process, path) if path.endswith('.d') else host.read_file(process, path))
"""


UNREADABLE = {'kind': 'Unreadable', 'why': 'permission denied', 'remedy': ROOT_REMEDY}


def test_a_file_that_may_not_be_read_says_so(open_node: Node) -> None:
    open_node.add()
    open_node.write('/k.yaml', b'secret').chmod(0)
    open_node.write('/closed/k.yaml')
    open_node.write('/k.d/x.conf')
    open_node.write('/half.d/x.conf').chmod(0)
    (open_node.root / 'closed').chmod(0)
    (open_node.root / 'k.d').chmod(0)
    paths = ('/k.yaml', '/closed/k.yaml', '/k.d')
    try:
        answers = unprivileged(READ_FILES, open_node.procfs, '', PID, *paths)
    finally:
        (open_node.root / 'closed').chmod(0o755)
        (open_node.root / 'k.d').chmod(0o755)
    assert answers == [UNREADABLE | {'path': path} for path in paths]


def test_a_drop_in_that_may_not_be_read_says_so(open_node: Node) -> None:
    open_node.add()
    open_node.write('/k.d/1.conf', b'one')
    open_node.write('/k.d/2.conf').chmod(0)
    first, second = unprivileged(
        'host = Host(sys.argv[1])\nfor file in host.read_drop_ins(Process(4711, 100, ()), "/k.d").files: say(file)',
        open_node.procfs,
    )
    assert (first['kind'], first['path']) == ('File', '/k.d/1.conf')
    assert (second['kind'], second['path'], second['why']) == ('Unreadable', '/k.d/2.conf', 'permission denied')


def test_without_privileges_a_real_kubelet_is_found_and_its_files_are_not_shown(
    standins: Standins, open_folder: Path
) -> None:
    (open_folder / 'k.yaml').write_bytes(b'x')
    standin = standins.launch(('kubelet', '--config=k.yaml'), cwd=open_folder, closed='1')
    paths = (str(open_folder / 'k.yaml'), 'k.yaml', '/etc/k.d')
    assert unprivileged(READ_FILES, '/proc', '', standin.pid, *paths) == [UNREADABLE | {'path': path} for path in paths]


def test_without_privileges_host_root_shows_the_files_of_a_real_kubelet(standins: Standins, open_folder: Path) -> None:
    (open_folder / 'k.yaml').write_bytes(b'x')
    (open_folder / 'k.d').mkdir()
    standin = standins.launch(closed='1')
    answers = unprivileged(READ_FILES, '/proc', open_folder, standin.pid, '/k.yaml', '/k.d', 'k.yaml', '/none')
    assert [answer['kind'] for answer in answers] == ['File', 'DropIns', 'Unreadable', 'Unreadable']


COUNT_ASKING = """
asked = []
real_open, real_readlink = os.open, os.readlink

def counting_open(path, *arguments, **options):
    if str(path).startswith(sys.argv[1]) and str(path).endswith(('/root', '/cwd')):
        asked.append(path)
    return real_open(path, *arguments, **options)

def counting_readlink(path, **options):
    if path:
        asked.append(path)
    return real_readlink(path, **options)

os.open, os.readlink = counting_open, counting_readlink
host = Host(sys.argv[1], sys.argv[2] or None)
for pid in sys.argv[3].split():
    for look in range(2):
        process = next(process for process in host.find_kubelets().processes if str(process.pid) == pid)
        for path in ('/k.yaml', 'k.yaml'):
            say(host.read_file(process, path).why)
            say(host.read_drop_ins(process, path).why)
        say(len(asked))
"""


@pytest.mark.parametrize('with_host_root', [False, True], ids=['alone', 'host-root'])
def test_after_a_refusal_the_same_process_is_not_asked_again_but_another_is(
    standins: Standins, open_folder: Path, with_host_root: bool
) -> None:
    pids = [standins.launch(closed='1').pid for _ in range(2)]
    root = open_folder if with_host_root else ''
    said = unprivileged(COUNT_ASKING, '/proc', root, ' '.join(map(str, pids)))
    assert [entry for entry in said if isinstance(entry, int)] == [1, 1, 2, 2]
    answers = {entry for entry in said if isinstance(entry, str)}
    if with_host_root:
        # What host_root showed stays the answer.
        answers.remove('no such file or directory below host_root')
        answers.remove(f'the working directory of the kubelet is not known: {NO_PERMISSION}')
    assert answers == (set() if with_host_root else {NO_PERMISSION})


def test_a_refusal_is_forgotten_with_its_process(node: Node) -> None:
    host = node.host()
    old, other = node.add(1, ticks=100), node.add(2)
    host.refused |= {old.key, other.key}
    node.add(1, ticks=200)
    host.find_kubelets()
    assert host.refused == {other.key}


def test_another_error_than_a_refusal_is_asked_again(node: Node) -> None:
    host, process = node.host(), node.add()
    node.write('/k.yaml', b'x')
    root = node.procfs / str(PID) / 'root'
    root.unlink()
    assert isinstance(host.read_file(process, '/k.yaml'), Unreadable)
    root.symlink_to(node.root)
    assert as_data(host.read_file(process, '/k.yaml')) == b'x'


@pytest.mark.parametrize('error', [errno.EMFILE, errno.EIO, errno.ESTALE, errno.ENOMEM])
def test_an_error_of_the_system_while_files_are_read_is_an_answer_not_an_exception(
    node: Node, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    host, process = node.host(), node.add()
    node.write('/k.d/x.conf')
    real = os.open
    reads: Sequence[Callable[[], object]] = (
        lambda: host.read_file(process, '/k.d/x.conf'),
        lambda: host.read_drop_ins(process, '/k.d'),
    )
    for nth in range(1, 12):
        for read in reads:
            count = 0

            def failing(*arguments: Any, nth: int = nth, **options: Any) -> int:
                nonlocal count
                count += 1
                if count == nth:
                    raise OSError(error, os.strerror(error))
                return real(*arguments, **options)

            with monkeypatch.context() as patch:
                patch.setattr(os, 'open', failing)
                answer = read()
            whole = isinstance(answer, File) or (
                isinstance(answer, DropIns) and all(isinstance(file, File) for file in answer.files)
            )
            assert whole is (count < nth)
