# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A system that refuses: no permission, no descriptor, no disk. What was not seen is never green."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from tests.support.apart import run_apart
from tests.support.mounts import needs_mounts
from tests.support.nodes import IN_NO_SERVICE, write_process
from tests.support.sent import (
    BAD,
    CRITICAL,
    GOOD,
    OK,
    UNKNOWN,
    WARNING,
    Sent,
    check_of,
    collect,
    show,
)
from tests.support.standin import Standins
from tests.support.steps import CALLS, OF_HANDLES, steps

PID = 700
DENIED = 'permission denied'
REFUSING = [call for call in CALLS if call not in OF_HANDLES]


def lay_out(folder: Path) -> tuple[str, ...]:
    """A configuration whose last drop-in breaks the rule: whoever misses it would call the kubelet compliant."""
    (folder / 'd').mkdir(parents=True)
    (folder / 'c.yaml').write_text(GOOD)
    (folder / 'd' / '1.conf').write_text(GOOD)
    (folder / 'd' / '2.conf').write_text(BAD)
    return 'kubelet', f'--config={folder}/c.yaml', f'--config-dir={folder}/d'


def without_advice(sent: Sent) -> Sent:
    """What was sent, without how to mend it: that names the service only where it could be seen."""
    rules = {rule: (status, message.partition(' To fix it, ')[0]) for rule, (status, message) in sent.rules.items()}
    return replace(sent, rules=rules)


@pytest.mark.parametrize('error', [errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.EIO, errno.ENOMEM])
@pytest.mark.parametrize('lasting', [False, True], ids=['once', 'from-then-on'])
def test_an_error_of_the_system_at_any_step_is_unknown_and_never_green(
    tmp_path: Path, aggregator: AggregatorStub, error: int, lasting: bool
) -> None:
    write_process(tmp_path / 'proc', PID, lay_out(tmp_path / 'etc'), cgroup=IN_NO_SERVICE)
    whole = collect(check_of(tmp_path / 'proc'), aggregator)
    assert whole.status() == CRITICAL
    for nth in itertools.count(1):

        def refuse(number: int, nth: int = nth) -> None:
            if number == nth or lasting and number > nth:
                raise OSError(error, os.strerror(error))

        check = check_of(tmp_path / 'proc')
        with steps(refuse, REFUSING) as made:
            sent = collect(check, aggregator)
        if made.count < nth:
            assert sent == whole
            break
        assert sent.green == set(), nth
        assert without_advice(sent) == without_advice(whole) or sent.kubelet[0] != OK, nth
        assert {status for status, _ in sent.rules.values()} <= {UNKNOWN, CRITICAL}
        if error not in (errno.EACCES, errno.EPERM):
            assert collect(check, aggregator) == whole, nth
    assert nth > 20


@pytest.mark.parametrize('error', [errno.EIO, errno.ESTALE])
def test_no_handle_is_left_when_what_is_open_can_no_longer_be_examined(
    tmp_path: Path, aggregator: AggregatorStub, error: int
) -> None:
    """As on a network file system whose server has gone: `collect` sees to the handles."""
    write_process(tmp_path / 'proc', PID, lay_out(tmp_path / 'etc'), cgroup=IN_NO_SERVICE)
    for nth in itertools.count(1):

        def refuse(number: int, nth: int = nth) -> None:
            if number == nth:
                raise OSError(error, os.strerror(error))

        with steps(refuse, OF_HANDLES) as made:
            sent = collect(check_of(tmp_path / 'proc'), aggregator)
        assert sent.green == set(), nth
        if made.count < nth:
            break
    assert nth > 20


def run_without_rights(procfs: Path | str, wrapped_in: Sequence[str] = ()) -> Sent:
    (sent,) = run_apart(procfs, 'give_up_rights()\nreport(check)', wrapped_in=wrapped_in)
    return sent


@pytest.mark.parametrize('hidden', ['c.yaml', 'd', 'd/1.conf', 'd/2.conf', '.'])
def test_what_an_unprivileged_agent_may_not_read_is_unknown(open_folder: Path, hidden: str) -> None:
    """Its /proc is made up, so that it may look through `root`, as where only the files are closed to it."""
    folder = open_folder / 'etc'
    write_process(open_folder / 'proc', PID, lay_out(folder), cgroup=IN_NO_SERVICE)
    path = folder / hidden
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        sent = run_without_rights(open_folder / 'proc')
    finally:
        path.chmod(mode)
    assert (sent.found, sent.green, sent.status()) == (1, set(), UNKNOWN)
    assert 'could not read ' in sent.says() and f': {DENIED}' in sent.says()
    assert sent.kubelet[0] == CRITICAL
    assert 'give the Agent the capability CAP_DAC_READ_SEARCH' in sent.kubelet[1]


def test_an_unprivileged_agent_finds_the_kubelet_of_root_and_calls_nothing_green(
    standins: Standins, open_folder: Path
) -> None:
    kubelet = standins.launch(lay_out(open_folder / 'etc'), closed='1')
    sent = run_without_rights(show(open_folder / 'proc', kubelet))
    assert (sent.found, sent.green, sent.status()) == (1, set(), UNKNOWN)
    assert f'/c.yaml: {DENIED}' in sent.says()
    assert sent.kubelet[0] == CRITICAL
    assert 'set host_root: /' in sent.kubelet[1]


def test_an_unprivileged_agent_sees_what_the_flags_decide(standins: Standins, open_folder: Path) -> None:
    arguments = (*lay_out(open_folder / 'etc'), '--make-iptables-util-chains=true')
    sent = run_without_rights(show(open_folder / 'proc', standins.launch(arguments, closed='1')))
    assert sent.status() == OK
    assert sent.kubelet[0] == WARNING
    assert DENIED in sent.kubelet[1]


HIDING_MOUNT = 'mount -t proc -o hidepid="$0" proc "$1" && shift && exec "$@"'


@needs_mounts
@pytest.mark.parametrize('hidepid', ['noaccess', 'invisible', 'ptraceable'])
def test_with_hidepid_an_unprivileged_agent_finds_no_kubelet_and_calls_nothing_green(
    standins: Standins, open_folder: Path, hidepid: str
) -> None:
    standins.launch(lay_out(open_folder / 'etc'), closed='1')
    (open_folder / 'proc').mkdir()
    wrap = ('unshare', '--mount', 'sh', '-c', HIDING_MOUNT, hidepid, str(open_folder / 'proc'))
    sent = run_without_rights(open_folder / 'proc', wrap)
    assert (sent.found, sent.rules, sent.green) == (0, {}, set())
    if hidepid == 'noaccess':
        assert sent.kubelet[0] == WARNING
        assert 'permission denied: run the Agent as root, or mount /proc without hidepid' in sent.kubelet[1]
    else:
        # The kernel does not even say that there are other processes.
        assert sent.kubelet[0] == UNKNOWN
        assert 'it hides process 1 as well, so run the Agent as root, or mount /proc without hidepid' in sent.kubelet[1]


@needs_mounts
@pytest.mark.parametrize('hidepid', ['noaccess', 'invisible', 'ptraceable'])
def test_hidepid_hides_nothing_from_root(standins: Standins, open_folder: Path, hidepid: str) -> None:
    kubelet = standins.launch(lay_out(open_folder / 'etc'))
    (open_folder / 'proc').mkdir()
    wrap = ('unshare', '--mount', 'sh', '-c', HIDING_MOUNT, hidepid, str(open_folder / 'proc'))
    (sent,) = run_apart(open_folder / 'proc', wrapped_in=wrap)
    # Another kubelet may run on the machine that tests: the worst of all counts, and this one is as bad as it gets.
    assert kubelet.pid and sent.found >= 1
    assert sent.status() == CRITICAL


@pytest.mark.parametrize('name', ['comm', 'stat', 'cmdline', 'cgroup', 'status'])
def test_a_process_whose_files_are_hidden_is_reported_and_never_green(open_folder: Path, name: str) -> None:
    """As with hidepid=noaccess, made up: it runs wherever the tests do."""
    write_process(open_folder / 'proc', PID, ('kubelet',), cgroup=IN_NO_SERVICE)
    (open_folder / 'proc' / str(PID) / name).chmod(0)
    sent = run_without_rights(open_folder / 'proc')
    assert (sent.found, sent.rules, sent.green) == (0, {}, set())
    assert sent.kubelet[0] == WARNING
    assert 'permission denied' in sent.kubelet[1]


FEWER_AND_FEWER = """
report(check)
for free in range({most}, -1, -1):
    for again in (check, check_from(sys.argv[1])):
        again.load_configuration_models()
        report(again, descriptors=free)
        report(again)
"""
MOST = 12


@pytest.mark.parametrize('content', [GOOD, BAD], ids=['good', 'bad'])
def test_out_of_descriptors_is_unknown_and_over_when_there_are_some_again(
    standins: Standins, tmp_path: Path, content: str
) -> None:
    arguments = lay_out(tmp_path / 'etc')
    (tmp_path / 'etc' / 'd' / '2.conf').write_text(content)
    procfs = show(tmp_path / 'proc', standins.launch(arguments))
    whole, *others = run_apart(procfs, FEWER_AND_FEWER.format(most=MOST))
    assert whole.status() == (OK if content == GOOD else CRITICAL)
    poor, rich = others[0::2], others[1::2]
    assert len(poor) == len(rich) == 2 * (MOST + 1)
    assert all(sent == whole for sent in rich)
    assert poor[0] == whole
    for sent in poor:
        assert sent == whole or (sent.green == set() and sent.kubelet[0] != OK), sent
        assert sent == whole or 'too many open files' in sent.kubelet[1]
    assert poor[-1].found == 0
    assert {sent.found for sent in poor if sent != whole} == {0, 1}
