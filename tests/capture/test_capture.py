# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""`--capture`: what it writes, what it leaves out, and that the copy is judged as the machine was."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.capture.recorder import record
from datadog_checks.kubelet_compliance.capture.writer import write_node
from datadog_checks.kubelet_compliance.cli import main
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.model import NodeReport, Selection
from datadog_checks.kubelet_compliance.node.captured import CONFIGZ, NODE_FACTS, Capture, parse_capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.cases import CASES, Case
from tests.support.nodes import HEAD, write_process
from tests.support.standin import Standins
from tests.support.users import OURS

SELECTION = select('cis-1.24', None)
SECRET = 'S3CR3T'


class Only(LiveHost):
    """This machine, with one process on it (and process 1)."""

    def __init__(self, pid: int, folder: Path) -> None:
        procfs = folder / 'only'
        procfs.mkdir()
        for number in {1, pid}:
            (procfs / str(number)).symlink_to(f'/proc/{number}')
        super().__init__(str(procfs), admission=OURS)


def judged(host: Host) -> NodeReport:
    return Collector(host, SELECTION).collect().node


def judged_copy(folder: Path) -> NodeReport:
    capture = parse_capture((folder / 'node.json').read_bytes())
    return judged(CapturedHost(str(folder / 'proc'), str(folder), admission=OURS, capture=capture))


def verdicts(node: NodeReport, cwd: Path = Path('/')) -> dict[str, Any]:
    return {
        finding.rule.key: (finding.verdict, finding.set_by, describe(finding.message, cwd)) for finding in node.findings
    } | {'': (node.found, node.restart_pending, [problem.refused for problem in node.problems])}


def describe(message: str, cwd: Path) -> str:
    """A message as far as it says what was found, without the words of a refusal; relative paths become absolute.

    A capture keeps YAML as JSON. How long a path is decides on whether it is whole, and on whether there is room for
    what was expected.
    """
    if 'refuse' in message or '...' in message:
        return ''
    return re.sub(r'; expected [^.]*', '', message.replace(f'{cwd}/', '').replace('"', ''))


PLACE = re.compile(r' \([^()]*:\d+\)')


def as_far_as(shown: Any, row: Any) -> Any:
    """A row without what there was no room for in another: all of its message, or the place in it."""
    if shown[2] == '':
        return *row[:2], ''
    return row if shown == row else tuple(PLACE.sub('', each) if isinstance(each, str) else each for each in row)


def copy_of(host: Host, folder: Path) -> Path:
    image = record(host, SELECTION, None)
    write_node(str(folder), image.files, image.links, seal=NODE_FACTS)
    return folder


def some_cases() -> list[Case]:
    """Every third of the recorded launches."""
    return [case for case in CASES if '{dir}' not in ''.join(case.argv) or case.files][::3]


@pytest.mark.parametrize('case', some_cases(), ids=lambda case: case.id)
def test_a_captured_node_is_judged_as_the_live_one(standins: Standins, tmp_path: Path, case: Case) -> None:
    files = tmp_path / 'files'
    files.mkdir()
    case.lay_out(files)
    standin = standins.launch(('kubelet', *case.arguments(files)), cwd=files)
    host = Only(standin.pid, tmp_path)
    live = judged(host)
    copy = copy_of(host, tmp_path / 'copy')
    assert live.found == 1 or not case.effective
    again = judged_copy(copy)
    shown = verdicts(again, files)
    assert shown == {key: as_far_as(shown[key], row) for key, row in verdicts(live, files).items()}


CONFIGURATION = f"""\
# the password is {SECRET}
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
staticPodURL: https://user:{SECRET}@example.com/   # {SECRET}
staticPodURLHeader:
  Authorization:
  - Bearer {SECRET}
  - |
    {SECRET}
    and more
ownNotes:
  token: {SECRET}
  list: [{SECRET}, {{a: {SECRET}}}]
authentication:
  anonymous: {{enabled: true, why: {SECRET}}}
makeIPTablesUtilChains: false
text: "{SECRET}
  goes on"
readOnlyPort: 10255
---
more: {SECRET}
"""
ARGUMENTS = (
    '--config=/c.yaml', f'--manifest-url-header=Authorization:Bearer {SECRET}', '--manifest_url', f'https://x:{SECRET}@y',
    f'--storage-driver-password={SECRET}', '--cloud-config', f'/etc/{SECRET}', '--rotate-certificates',
    f'--pod-infra-container-image={SECRET}',
)  # fmt: skip


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A node with one kubelet and secrets in all its files."""
    folder = tmp_path / 'node'
    write_process(folder / 'proc', 1000, ('kubelet', *ARGUMENTS))
    (folder / 'c.yaml').write_text(CONFIGURATION)
    return folder


def host_of(node: Path) -> Host:
    return CapturedHost(str(node / 'proc'), str(node), capture=Capture(booted_at=0.0))


def test_no_secret_and_no_comment_is_captured(node: Path, tmp_path: Path) -> None:
    copy = copy_of(host_of(node), tmp_path / 'copy')
    for path in copy.rglob('*'):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
            assert b'and more' not in path.read_bytes() and b'goes on' not in path.read_bytes()


def test_what_is_left_out_changes_no_verdict_and_no_line(node: Path, tmp_path: Path) -> None:
    live = judged(host_of(node))
    copy = copy_of(host_of(node), tmp_path / 'copy')
    assert verdicts(judged_copy(copy)) == verdicts(live)
    messages = {finding.rule.key: finding.message for finding in live.findings}
    assert '/c.yaml:16' in messages['make_iptables_util_chains']
    lines = (copy / 'c.yaml').read_text().splitlines()
    assert lines[15] == 'makeIPTablesUtilChains: false' and lines[18] == 'readOnlyPort: 10255'


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(f'{HEAD}readOnlyPort: {SECRET}\n', id='a value of a wrong type'),
        pytest.param(f'{HEAD}a: [{SECRET}\n', id='broken YAML'),
        pytest.param(f'{{"kind": "{SECRET}"', id='broken JSON'),
        pytest.param(f'kind: {SECRET}\n', id='another kind'),
        pytest.param(SECRET, id='no mapping'),
        pytest.param('', id='empty'),
    ],
)
def test_a_file_that_the_kubelet_refuses_is_refused_in_the_copy(node: Path, tmp_path: Path, content: str) -> None:
    (node / 'c.yaml').write_text(content)
    live = judged(host_of(node))
    assert any(problem.refused for problem in live.problems)
    assert verdicts(judged_copy(copy_of(host_of(node), tmp_path / 'copy'))) == verdicts(live)


def test_the_command_captures_and_refuses_a_folder_that_exists(
    node: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / 'copy'
    assert main(['--node', str(node), '--capture', str(target)]) == 0
    assert 'Review them' in capsys.readouterr().out
    before = {path: path.read_bytes() for path in target.rglob('*') if path.is_file()}
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    assert main(['--node', str(node), '--capture', str(target)]) == 2
    assert 'exists: specify a new folder' in capsys.readouterr().err
    assert {path: path.read_bytes() for path in target.rglob('*') if path.is_file()} == before


def test_a_link_in_place_of_the_folder_is_refused(node: Path, tmp_path: Path) -> None:
    (tmp_path / 'link').symlink_to(tmp_path / 'elsewhere')
    assert main(['--node', str(node), '--capture', str(tmp_path / 'link')]) == 2
    assert not (tmp_path / 'elsewhere').exists()


@pytest.mark.parametrize('path', ['../x', 'a/../../x', '/x', 'a//x', ''])
def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match='not a path below'):
        write_node(str(tmp_path / 'copy'), {path: b'x', 'seal': b''}, {}, 'seal')
    assert [found.name for found in tmp_path.iterdir()] == ['copy']
    assert [found.name for found in (tmp_path / 'copy').iterdir()] == ['seal']
    assert (tmp_path / 'copy' / 'seal').read_bytes() == b''


def test_no_link_is_followed_while_writing(tmp_path: Path) -> None:
    outside = tmp_path / 'outside'
    outside.mkdir()
    write_node(str(tmp_path / 'first'), {'seal': b''}, {'a': str(outside)}, 'seal')
    with pytest.raises(OSError):
        files = {'b/x': b'', 'b/y/z': b'', 'seal': b''}
        write_node(str(tmp_path / 'copy'), files, {'b/y': str(outside), 'b/y/x': 'nowhere'}, 'seal')
    assert list(outside.iterdir()) == []


def test_the_answer_of_configz_is_captured_without_its_secrets(node: Path, tmp_path: Path) -> None:
    answer = {'kubeletconfig': {'makeIPTablesUtilChains': True, 'staticPodURLHeader': {'A': [SECRET]}}}
    (tmp_path / 'answer.json').write_text(json.dumps(answer))
    options = ['--node', str(node), '--configz', str(tmp_path / 'answer.json'), '--capture', str(tmp_path / 'copy')]
    assert main(options) == 0
    kept = json.loads((tmp_path / 'copy' / CONFIGZ).read_text())
    assert kept['kubeletconfig']['makeIPTablesUtilChains'] is True
    assert SECRET not in json.dumps(kept)


def selection_is_whole(selection: Selection) -> bool:
    return len(selection.rules) > 10


def test_the_selection_of_these_tests_has_rules_on_files() -> None:
    assert selection_is_whole(SELECTION) and any(rule.files for rule in SELECTION.rules)
