# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which processes of a node are kubelets, and what is reported if one ends while it is read."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.kubelet.programs import MAX_ARGUMENTS, MAX_COMMAND_LINE_BYTES
from datadog_checks.kubelet_compliance.model import Process, Scan, Unknown
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.proc_files import Proc, ProcFolder
from datadog_checks.kubelet_compliance.node.processes import AdmissionError, parse_users
from tests.support.made_up_node import PID, Node, doubts, found, here, real_process, the_only, unprivileged
from tests.support.nodes import write_process
from tests.support.standin import DEADLINE_SECONDS, Standins
from tests.support.steps import void
from tests.support.users import OURS

pytestmark = pytest.mark.usefixtures('no_handle_is_left')

KERNEL_THREAD, EXITING, FORKED_NO_EXEC = 0x00200000, 0x00000004, 0x00000040


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


def test_an_exec_with_the_same_words_is_another_program(standins: Standins, tmp_path: Path) -> None:
    """Only the stack is placed anew: pid, start, name and words stay."""
    standin = standins.launch(('kubelet', '--same'), again=str(standins.program))
    host = Interrupted(only_these(tmp_path / 'proc', standin.pid), lambda: None, 0)
    (before,) = host.find_kubelets().processes
    stamps = host.trace.processes
    assert before.stack > 0 and host.processes.are_the_same(stamps)
    os.kill(standin.pid, signal.SIGUSR1)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while host.processes.are_the_same(stamps) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not host.processes.are_the_same(stamps)
    # In the middle of an exec a process has no command line.
    while not (scan := host.find_kubelets()).processes and time.monotonic() < deadline:
        time.sleep(0.01)
    (after,) = scan.processes
    assert (after.pid, after.start_ticks, after.arguments) == (before.pid, before.start_ticks, before.arguments)
    assert after.key != before.key


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


@pytest.mark.parametrize('name', ['self', 'thread-self', 'sys', '12a', '-1', '', 'kubelet'])
def test_what_is_no_pid_is_not_examined(node: Node, name: str) -> None:
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
    scan = LiveHost(str(procfs)).find_kubelets()
    assert scan.processes == ()
    (doubt,) = scan.doubtful
    assert (
        doubt.reason
        == {
            None: f'could not list the processes in {procfs}: no such file or directory',
            'file': f'could not list the processes in {procfs}: not a directory',
            'folder': f'{procfs} has no processes',
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
    stat = Proc(ProcFolder(str(node.procfs))).stat(PID)
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
    assert doubt['reason'] == f'could not read the names of 2 processes in {open_node.procfs}: permission denied'
    assert 'hidepid' in doubt['remedy']


def test_a_procfs_that_may_not_be_listed_is_a_doubt(open_node: Node) -> None:
    open_node.procfs.chmod(0o111)
    code = 'for value in Host(sys.argv[1]).find_kubelets().doubtful: say(value)'
    try:
        (doubt,) = unprivileged(code, open_node.procfs)
    finally:
        open_node.procfs.chmod(0o755)
    assert doubt['reason'] == f'could not list the processes in {open_node.procfs}: permission denied'


MOST_READS = 16
"""At least as many as a pass makes for one process: each of its reads is interrupted in turn."""


class InterruptedProc(ProcFolder):
    """A /proc in which something happens just before the n-th read of /proc/PID."""

    def __init__(self, procfs: str, happens: Callable[[], None], nth: int) -> None:
        super().__init__(procfs)
        self.happens = happens
        self.nth = nth
        self.reads = 0

    def read(self, pid: int, name: str, limit: int) -> bytes:
        self.reads += 1
        if self.reads == self.nth:
            self.happens()
        return super().read(pid, name, limit)


class Interrupted(LiveHost):
    """A host on which something happens just before the n-th read of /proc/PID."""

    def __init__(self, procfs: str, happens: Callable[[], None], nth: int) -> None:
        self.proc = InterruptedProc(procfs, happens, nth)
        super().__init__(source=self.proc, admission=OURS)

    @property
    def reads(self) -> int:
        return self.proc.reads

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


def test_a_node_with_a_renamed_process_is_never_silent(tmp_path: Path) -> None:
    write_process(tmp_path, 7, ('/opt/wrapper', '--v=2'))
    (doubt,) = LiveHost(str(tmp_path)).find_kubelets().doubtful
    assert 'could not be identified' in doubt.reason


@pytest.mark.parametrize(
    'names, uids',
    [(None, {0}), (['root'], {0}), (['root', '1000'], {0, 1000}), (['0'], {0}), ([], {0})],
)
def test_allowed_users_are_root_and_numbers(names: list[str] | None, uids: set[int]) -> None:
    assert parse_users(names) == uids


def test_other_allowed_users_are_an_error() -> None:
    with pytest.raises(AdmissionError, match="allowed_users has 'kubelet'; it accepts only root and numbers"):
        parse_users(['kubelet'])
