# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""`--capture` of a kubelet inside another program: a new row in the table of programs needs no other change."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.capture.recorder import record
from datadog_checks.kubelet_compliance.capture.writer import write_node
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.kubelet import programs
from datadog_checks.kubelet_compliance.kubelet.tables.programs import (
    PROGRAMS,
    ArgumentsFile,
    KubeletCommand,
    OptionFiles,
    Program,
    WrittenAtStart,
)
from datadog_checks.kubelet_compliance.model import NodeReport, Unknown, Verdict
from datadog_checks.kubelet_compliance.node.captured import NODE_FACTS, Capture, parse_capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.nodes import write_process
from tests.support.users import OURS

ALL = select('cis-1.24', None)
IPTABLES = 'make_iptables_util_chains'
SECRET = 'S3CR3T'
OFF = 'make-iptables-util-chains=false'
UNIT = '/etc/systemd/system/holder.service'
DOUBT = Unknown('it may pass more')


def holder(arguments: OptionFiles | ArgumentsFile | WrittenAtStart | None) -> Program:
    return Program(
        'Holder', file='holder', commands=(KubeletCommand(('run',), comms=('holder',)),), arguments=arguments
    )


def know(monkeypatch: pytest.MonkeyPatch, program: Program) -> None:
    """Add a row to the table, in the modules that have already read it."""
    comms = programs.COMMS | {b'holder'}
    for module in list(sys.modules.values()):
        names = vars(module)
        if names.get('COMMS') is programs.COMMS and module is not programs:
            monkeypatch.setattr(module, 'COMMS', comms)
    monkeypatch.setattr(programs, 'COMMS', comms)
    monkeypatch.setattr(programs, 'PROGRAMS', (*PROGRAMS, program))


def node_of(folder: Path, *arguments: str) -> Host:
    root = folder / 'node'
    cgroup = '0::/system.slice/holder.service'
    write_process(root / 'proc', 1000, ('/opt/holder', 'run', *arguments), comm='holder', cgroup=cgroup)
    files = {
        UNIT: f'[Service]\nExecStart=/opt/holder run {" ".join(arguments)}\n',
        '/etc/rancher/holder/config.yaml': f'token: {SECRET}\nkubelet-arg: [{OFF}, manifest-url=https://{SECRET}]\n',
        '/etc/holder.args': f'--{OFF}\n--manifest-url=https://{SECRET}\n',
    }
    for path, text in files.items():
        place = root / path.lstrip('/')
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return CapturedHost(str(root / 'proc'), str(root), admission=OURS, capture=Capture(booted_at=0.0))


def copy_of(host: Host, folder: Path) -> Host:
    image = record(host, ALL, None)
    write_node(str(folder), image.files, image.links, seal=NODE_FACTS)
    capture = parse_capture((folder / NODE_FACTS).read_bytes())
    return CapturedHost(str(folder / 'proc'), str(folder), admission=OURS, capture=capture)


def judged(host: Host) -> NodeReport:
    return Collector(host, ALL).collect().node


@pytest.mark.parametrize(
    ('arguments', 'verdict'),
    [
        pytest.param(OptionFiles('holder', DOUBT), Verdict.NON_COMPLIANT, id='options as of k3s'),
        pytest.param(ArgumentsFile('args-file', '/etc/holder.args'), Verdict.NON_COMPLIANT, id='a file as of MicroK8s'),
        pytest.param(WrittenAtStart(DOUBT, (f'--{OFF}',)), Verdict.NON_COMPLIANT, id='written as by MicroShift'),
        pytest.param(None, Verdict.UNKNOWN, id='not known'),
    ],
)
def test_a_program_that_is_only_a_row_is_captured_without_secrets_and_judged_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: OptionFiles | ArgumentsFile | WrittenAtStart | None,
    verdict: Verdict,
) -> None:
    know(monkeypatch, holder(arguments))
    host = node_of(tmp_path, f'--token={SECRET}', '--password', SECRET, SECRET, '--args-file=/etc/holder.args')
    copy = copy_of(host, tmp_path / 'copy')
    for path in (tmp_path / 'copy').rglob('*'):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    live, again = judged(host), judged(copy)
    assert (live.found, again.found) == (1, 1)
    found = {finding.rule.key: (finding.verdict, finding.message) for finding in live.findings}
    assert found[IPTABLES][0] is verdict
    assert {finding.rule.key: (finding.verdict, finding.message) for finding in again.findings} == found


def test_of_a_program_whose_arguments_are_not_known_no_argument_is_captured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch, holder(None))
    copy_of(node_of(tmp_path, '--name', SECRET, f'-t{SECRET}'), tmp_path / 'copy')
    line = (tmp_path / 'copy/proc/1000/cmdline').read_bytes()
    assert line == b'/opt/holder\0run\0left-out\0left-out\0left-out\0'
    assert (tmp_path / f'copy{UNIT}').read_text() == '[Service]\nExecStart=/opt/holder run left-out left-out left-out\n'
