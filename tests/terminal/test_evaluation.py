# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The command with many captured nodes: what counts for all of them, and what a broken one does to the others."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from datadog_checks.kubelet_compliance.cli import main
from tests.support.apart import open_to_all, run_as_nobody
from tests.support.captured_nodes import lay_out_node
from tests.support.nodes import write_process
from tests.support.paths import ROOT
from tests.support.users import needs_root

KUBEADM, EKS = (str(ROOT / 'examples' / name) for name in ('kubeadm', 'eks-al2023'))
IPTABLES, CIPHERS = 'make_iptables_util_chains', 'tls_cipher_suites'


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A folder of captures: one node that meets the iptables rule, one that does not."""
    shutil.copytree(KUBEADM, tmp_path / 'fleet' / 'kubeadm')
    shutil.copytree(EKS, tmp_path / 'fleet' / 'eks')
    return tmp_path / 'fleet'


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return ' '.join(capsys.readouterr().out.split())


def verdicts_in(text: str) -> dict[str, dict[str, str]]:
    """The verdicts of the rules by node, from JSON."""
    return {
        os.path.basename(node['node']): {
            rule['rule']: rule['verdict'] for kubelet in node['kubelets'] for rule in kubelet['rules']
        }
        for node in json.loads(text)['nodes']
        if 'error' not in node
    }


@pytest.mark.parametrize(
    ('nodes', 'status', 'head'),
    [
        pytest.param([EKS, KUBEADM], 1, '2 nodes, evaluated against cis-1.24 1 compliant, 1 non-compliant', id='two'),
        pytest.param([EKS, '/nowhere'], 2, '2 nodes, evaluated against cis-1.24 1 compliant, 1 unknown', id='a typo'),
        pytest.param([EKS, EKS], 0, '1 node, evaluated against cis-1.24 1 compliant', id='the same one twice'),
        pytest.param(
            [EKS, KUBEADM, '/nowhere'],
            1,
            '3 nodes, evaluated against cis-1.24 1 compliant, 1 non-compliant, 1 unknown',
            id='a broken one never hides one that is non-compliant',
        ),
        pytest.param(['/nowhere', '/elsewhere'], 2, '2 nodes 2 unknown', id='none that can be evaluated'),
    ],
)
def test_the_worst_node_decides(
    nodes: Sequence[str], status: int, head: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*(option for node in nodes for option in ('--node', node)), '--rule', IPTABLES]) == status
    assert printed(capsys).startswith(head)


def test_a_folder_of_captures_is_as_its_nodes_named_one_by_one(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for style in ('text', 'json'):
        assert main(['--node', str(fleet), '--format', style]) == 1
        whole = capsys.readouterr().out
        assert main(['--node', str(fleet / 'eks'), '--node', str(fleet / 'kubeadm'), '--format', style]) == 1
        assert capsys.readouterr().out == whole


def test_each_node_has_the_results_that_it_has_alone(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ('kops', 'microshift', 'talos', 'k3s-configz'):
        lay_out_node(name, fleet / name)
    main(['--node', str(fleet), '--json'])
    together = verdicts_in(capsys.readouterr().out)
    assert len(together) == 6
    for name, verdicts in together.items():
        main(['--node', str(fleet / name), '--json'])
        (kubelet,) = json.loads(capsys.readouterr().out)['kubelets']
        assert verdicts == {rule['rule']: rule['verdict'] for rule in kubelet['rules']}


def add_hostile(fleet: Path) -> None:
    """Folders that are hard to evaluate, among those that are not."""
    (fleet / 'loop').symlink_to('loop')
    (fleet / 'no-proc').mkdir()
    (fleet / 'empty/proc').mkdir(parents=True)
    write_process(fleet / 'no-kubelet/proc', 1, ('init',), comm='init')
    for name in ('bad-facts', 'bad-configz', 'fifo', 'escape\x1b[2J\nOK', b'\xff'.decode('utf-8', 'surrogateescape')):
        shutil.copytree(KUBEADM, fleet / name)
    (fleet / 'bad-facts/node.json').write_text('{"files": []}')
    (fleet / 'bad-configz/configz.json').write_text('<html>')
    (fleet / 'fifo/var/lib/kubelet/config.yaml').unlink()
    os.mkfifo(fleet / 'fifo/var/lib/kubelet/config.yaml')


def test_a_broken_capture_is_reported_and_the_others_are_evaluated(
    fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_hostile(fleet)
    assert main(['--node', str(fleet), '--rule', IPTABLES]) == 1
    text = capsys.readouterr().out
    assert '\x1b' not in text and text.replace('\n', '').isprintable()
    shown = ' '.join(text.split())
    assert shown.startswith('11 nodes, evaluated against cis-1.24 1 compliant, 3 non-compliant, 7 unknown ')
    for problem in (
        '1 node.json is not valid: capture the node again bad-facts',
        '1 configz.json: it holds HTML or XML: ',
        '1 it is not a captured node: it has no folder proc no-proc',
        '1 could not read its folder proc: too many levels of symbolic links loop',
        '1 No kubelet runs here no-kubelet',
        '1 could not read /var/lib/kubelet/config.yaml: it is a FIFO, not a file fifo',
    ):
        assert problem in shown
    assert ' x 3 escape?[2J?OK, kubeadm, ? ' in shown


@pytest.mark.parametrize('style', ['json', 'junit', 'sarif'])
def test_every_format_has_every_node(fleet: Path, style: str, capsys: pytest.CaptureFixture[str]) -> None:
    add_hostile(fleet)
    assert main(['--node', str(fleet), '--rule', IPTABLES, '--format', style]) == 1
    text = capsys.readouterr().out
    if style == 'junit':
        assert len({suite.get('hostname') for suite in ElementTree.fromstring(text).iter('testsuite')}) == 11
    elif style == 'json':
        assert len(json.loads(text)['nodes']) == 11
    else:
        results = json.loads(text)['runs'][0]['results']
        assert len({result['properties']['node'] for result in results}) == 11


@needs_root
def test_a_capture_that_the_user_may_not_read_is_unknown() -> None:
    with open_to_all() as folder:
        for name in ('a', 'b'):
            shutil.copytree(EKS, folder / 'fleet' / name)
        (folder / 'fleet/b').chmod(0)
        done = run_as_nobody('--node', str(folder / 'fleet'), '--rule', IPTABLES)
    assert (done.returncode, done.stderr) == (2, '')
    assert '1 could not read its folder proc: permission denied b' in ' '.join(done.stdout.split())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--configz', '/dev/null'], '--configz is the response of one kubelet: name one captured node with --node'),
        (['--capture', 'new'], '--capture writes one node: name one captured node with --node'),
        (['--root', '/'], "--root evaluates a machine that is not running, so you can't combine it with --node"),
        (['--unit', 'k'], '--unit names the service that starts the kubelet of an image: add --root'),
        (['--rule', '4.2.99'], 'cis-1.24 has no rule with the number 4.2.99; choose from: '),
        (['--kubelet-version', 'x'], '--kubelet-version x: specify a version such as 1.33 or v1.33.4'),
        (['--allowed-user', 'x'], 'allowed_users has '),
        (['--conf', '/nowhere'], '/nowhere: no such file or directory'),
    ],
)
def test_an_option_that_is_wrong_is_wrong_for_the_whole_run(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['--node', EKS, '--node', KUBEADM, *options]) == 2
    out, err = capsys.readouterr()
    assert out == '' and err.startswith(f'kubelet-compliance: {message}') and err.count('\n') == 1


def write_conf(path: Path, **instance: object) -> str:
    path.write_text(yaml.safe_dump({'init_config': {}, 'instances': [instance]}))
    return str(path)


def test_the_config_file_counts_for_each_captured_node(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also options that are about the machine of the Agent, and not about captured nodes."""
    exemption = {'rule': CIPHERS, 'reason': 'decided'}
    rules = [CIPHERS, IPTABLES]
    conf = write_conf(
        tmp_path / 'conf.yaml', exemptions=[exemption], rules=rules, procfs_path='/nowhere', use_configz=True
    )
    expected = {
        'eks': {CIPHERS: 'exempted', IPTABLES: 'compliant'},
        'kubeadm': {CIPHERS: 'exempted', IPTABLES: 'non_compliant'},
    }
    assert main(['--node', str(fleet), '--conf', conf, '--json']) == 1
    assert verdicts_in(capsys.readouterr().out) == expected
    for name, verdicts in expected.items():
        assert main(['--node', str(fleet / name), '--conf', conf, '--json']) == (name == 'kubeadm')
        alone = json.loads(capsys.readouterr().out)
        assert alone['captured'] is True and alone['options_from'] == conf
        assert {rule['rule']: rule['verdict'] for rule in alone['kubelets'][0]['rules']} == verdicts


def test_an_option_of_the_command_overrides_the_config_file(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conf = write_conf(tmp_path / 'conf.yaml', rules=[CIPHERS])
    assert main(['--node', str(fleet), '--conf', conf, '--json', '--rule', '4.2.7']) == 1
    assert {key for rules in verdicts_in(capsys.readouterr().out).values() for key in rules} == {IPTABLES}


def test_with_auto_a_saved_version_decides_for_each_node(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--node', str(fleet), '--benchmark', 'auto', '--kubelet-version', '1.33', '--rule', IPTABLES]) == 1
    assert printed(capsys).startswith('2 nodes, evaluated against cis-1.12 1 compliant, 1 non-compliant')
