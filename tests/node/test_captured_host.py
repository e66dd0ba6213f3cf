# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A captured node: what its folder does not hold is unknown, and never that of this machine."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.model import Answer, DropIns, Fact, File, FileStatus, Missing, Unreadable
from datadog_checks.kubelet_compliance.node.captured import Capture, FileFacts
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.process_facts import Times
from tests.support.made_up_node import PID, Node, as_data, the_only

pytestmark = pytest.mark.usefixtures('no_handle_is_left')


@pytest.fixture
def captured(node: Node) -> Host:
    return CapturedHost(str(node.procfs), str(node.root), capture=Capture())


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
        "could not read the kubelet's working directory: no such file or directory"
        if target is None
        else "the kubelet's working directory is not reachable"
    )
    assert answer.remedy == ''


def test_a_captured_node_has_the_times_and_modes_that_were_kept(node: Node) -> None:
    facts = FileFacts(0o640, 1, 2, 5.0)
    capture = Capture({'/k.yaml': facts}, booted_at=10.0, captured_at=30.0, ticks_per_second=100)
    host = CapturedHost(str(node.procfs), str(node.root), capture=capture)
    node.add(ticks=1000)
    node.write('/k.yaml', b'x')
    process = the_only(host.find_kubelets())
    assert (process.started_at, host.age(process), host.times()) == (20.0, 10.0, Times(10.0, 30.0, 100))
    assert host.read_file(process, '/k.yaml') == File('/k.yaml', b'x', 5.0)
    assert host.file_status(process, '/k.yaml') == FileStatus('/k.yaml', 0o640, 1, 2)
    assert (host.keeps_status('/k.yaml'), host.keeps_status('/other')) == (True, False)
    assert (host.shows('/k.yaml'), host.shows('/other')) == (True, False)


def test_what_was_found_in_place_of_a_file_stays_the_answer(node: Node) -> None:
    found = Unreadable('/k.yaml', 'permission denied')
    host = CapturedHost(str(node.procfs), str(node.root), capture=Capture(unseen={'/k.yaml': found}))
    node.write('/k.yaml', b'x')
    process = node.add()
    assert host.read_file(process, '/k.yaml') == found
    assert host.keeps_status('/k.yaml') and host.shows('/k.yaml')


def test_the_kernel_of_this_machine_is_not_that_of_a_captured_node(captured: Host) -> None:
    assert captured.kernel_settings(['vm.panic_on_oom']) == captured.peek_kernel(['vm.panic_on_oom'])
    assert captured.kernel_settings(['vm.panic_on_oom']) == {'vm.panic_on_oom': None}


def test_advice_rests_on_the_answers_that_were_kept(node: Node) -> None:
    capture = Capture(facts={Fact.HOST_NAME: Answer(True)})
    host = CapturedHost(str(node.procfs), str(node.root), capture=capture)
    node.write('/etc/hostname', b'vm')
    process = node.add()
    assert (host.kept_answer(Fact.HOST_NAME), host.kept_answer(Fact.CLIENT_CA)) == (Answer(True), None)
    assert isinstance(host.peek_file(process, '/etc/hostname'), Unreadable)
    assert isinstance(host.peek_folder(process, '/etc'), Unreadable)
