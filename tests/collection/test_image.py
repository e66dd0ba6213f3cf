# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Judging a machine that does not run: `kubelet-compliance --root DIR`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.cli import main
from datadog_checks.kubelet_compliance.launch.starts import KNOWN_UNITS
from datadog_checks.kubelet_compliance.rules.all_rules import RULES
from tests.support.images import IMAGES, UNITS, eks_al2, k3s, kubeadm, microk8s, rke2, write
from tests.support.nodes import HEAD
from tests.support.sockets import make_socket

pytestmark = pytest.mark.same_for_every_user

IPTABLES = 'make_iptables_util_chains'
OFF = '--make-iptables-util-chains=false'
KUBELET = f'{UNITS}/kubelet.service'
OF_A_PROCESS = re.compile(r'(?i:restart|running with|runs with)|process \d|Agent|/configz')


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / 'image'


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Judge the image; gives the exit status, and what is printed with each line break as one space."""

    def judge(*options: str, rule: str | None = IPTABLES) -> tuple[int, str]:
        root.mkdir(exist_ok=True)
        status = main(['--root', str(root), *(['--rule', rule] if rule else []), *options])
        return status, ' '.join(capsys.readouterr().out.split())

    return judge


@pytest.fixture
def answer(run: Callable[..., tuple[int, str]]) -> Callable[..., dict[str, Any]]:
    """The same as JSON."""

    def judge(*options: str, rule: str | None = IPTABLES) -> dict[str, Any]:
        status, shown = run('--json', *options, rule=rule)
        found: dict[str, Any] = json.loads(shown)
        assert found['exit_status'] == status
        return found

    return judge


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    (kubelet,) = found['kubelets']
    return {rule['rule']: rule['verdict'] for rule in kubelet['rules']}


@pytest.mark.parametrize(
    ('name', 'status', 'said'),
    [
        ('kubeadm', 0, 'next start /usr/bin/kubelet with 6 arguments (kubelet.service)'),
        ('eks-al2', 0, 'next start /usr/bin/kubelet with 6 arguments (kubelet.service)'),
        ('eks-al2023', 2, 'next start unknown: /etc/eks/kubelet/environment does not exist'),
        ('rke2', 2, 'RKE2 rewrites the command line and the drop-ins of its kubelet at each start'),
        ('k0s', 2, 'k0s rewrites the command line and the configuration of its kubelet at each start'),
        ('k3s', 2, 'the flags that k3s adds for its kubelet differ between k3s releases'),
        ('microk8s', 0, 'next start MicroK8s starts the kubelet that it contains'),
        ('microshift', 2, 'MicroShift rewrites the configuration of its kubelet at each start'),
    ],
)
def test_an_image_of_a_distribution(
    root: Path, run: Callable[..., tuple[int, str]], name: str, status: int, said: str
) -> None:
    IMAGES[name](root)
    found, shown = run()
    assert said in shown
    assert found == status
    assert re.match(rf'{re.escape(str(root))}, unit \S+\.service, evaluated against cis-1.24 ', shown)


@pytest.mark.parametrize('name', IMAGES)
@pytest.mark.parametrize('wrong', [False, True])
def test_nothing_is_said_of_a_process(
    root: Path, run: Callable[..., tuple[int, str]], answer: Callable[..., dict[str, Any]], name: str, wrong: bool
) -> None:
    IMAGES[name](root)
    if wrong:
        for config in (*root.rglob('config.yaml'), *root.rglob('kubelet-config.json')):
            config.write_text(config.read_text().replace('true', '7'))
        write(root, {'etc/default/kubelet': f'KUBELET_EXTRA_ARGS={OFF}\n'})
    shown = f'{run(rule=None)[1]} {json.dumps(answer(rule=None)["kubelets"])}'.replace('restart_pending', '')
    for rule in RULES:
        # The reason for a rule is in the message of any kubelet.
        shown = shown.replace(rule.why, '').replace(rule.impact, '')
    assert not OF_A_PROCESS.search(shown)


PLACES = {
    'the unit': (KUBELET, f'[Service]\nExecStart=/usr/bin/kubelet {OFF}\n', 2),
    'a continued line of the unit': (KUBELET, f'[Service]\nExecStart=/usr/bin/kubelet \\\n  --v=2 \\\n  {OFF}\n', 4),
    'a variable of the unit': (KUBELET, f'[Service]\nExecStart=/usr/bin/kubelet $A\nEnvironment=A={OFF}\n', 3),
    'a drop-in of the unit': (
        f'{KUBELET}.d/20-x.conf',
        f'[Service]\n\nExecStart=\nExecStart=/usr/bin/kubelet {OFF}\n',
        4,
    ),
    'a variable in a drop-in': (f'{KUBELET}.d/20-x.conf', f'[Service]\nEnvironment=KUBELET_NETWORK_ARGS={OFF}\n', 2),
    'the file that kubeadm writes': (
        'var/lib/kubelet/kubeadm-flags.env',
        f'# flags\nKUBELET_KUBEADM_ARGS="--v=2 {OFF}"\n',
        2,
    ),
    'the file for a person': ('etc/default/kubelet', f'\nKUBELET_EXTRA_ARGS={OFF}\n', 2),
}


@pytest.mark.parametrize('place', PLACES)
def test_a_bad_flag_is_shown_with_its_file_and_line(
    root: Path, answer: Callable[..., dict[str, Any]], place: str
) -> None:
    name, text, line = PLACES[place]
    unit = '[Service]\nExecStart=/usr/bin/kubelet $KUBELET_NETWORK_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS\n'
    files = 'EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\nEnvironmentFile=-/etc/default/kubelet\n'
    write(root, {KUBELET: unit + files})
    write(root, {name: text})
    found = answer()
    (kubelet,) = found['kubelets']
    assert found['exit_status'] == 1
    (flag,) = [each for each in kubelet['flags'] if each['flag'] == OFF]
    assert flag['place'].partition(' ')[0] == f'/{name}:{line}'
    assert kubelet['rules'][0]['place'].startswith(f'{OFF} in /{name}:{line}')


OF_DISTRIBUTIONS: list[tuple[Callable[[Path], Path], str, str, int]] = [
    (eks_al2, f'{KUBELET}.d/30-extra.conf', f"[Service]\nEnvironment='KUBELET_EXTRA_ARGS={OFF}'\n", 2),
    (k3s, 'etc/rancher/k3s/config.yaml', f'data-dir: /data\nkubelet-arg:\n- "{OFF[2:]}"\n', 3),
    (k3s, 'etc/rancher/k3s/config.yaml.d/a.yaml', f'kubelet-arg: {OFF[2:]}\n', 1),
    (k3s, f'{UNITS}/k3s.service', f'[Service]\nExecStart=/k3s server \\\n --kubelet-arg={OFF[2:]}\n', 3),
    (k3s, f'{UNITS}/k3s.service', f'[Service]\nExecStart=/k3s server --kubelet-arg \\\n {OFF[2:]}\n', 3),
    (rke2, 'etc/rancher/rke2/config.yaml', f'kubelet-arg:\n- {OFF[2:]}\n', 2),
    (microk8s, 'var/snap/microk8s/current/args/kubelet', f'--v=2\n{OFF}\n', 2),
]


@pytest.mark.parametrize(('image', 'name', 'text', 'line'), OF_DISTRIBUTIONS)
def test_a_bad_flag_of_a_distribution_is_shown_with_its_file_and_line(
    root: Path,
    answer: Callable[..., dict[str, Any]],
    image: Callable[[Path], Path],
    name: str,
    text: str,
    line: int,
) -> None:
    write(image(root), {name: text})
    found = answer()
    (kubelet,) = found['kubelets']
    assert found['exit_status'] == 1
    assert f'{OFF} in /{name}:{line}' in kubelet['rules'][0]['message']
    assert [flag['place'].partition(' ')[0] for flag in kubelet['flags'] if flag['flag'] == OFF] == [f'/{name}:{line}']


@pytest.mark.parametrize(
    ('image', 'name'),
    [(kubeadm, 'var/lib/kubelet/config.yaml'), (eks_al2, 'etc/kubernetes/kubelet/kubelet-config.json')],
)
def test_a_bad_field_is_shown_with_its_file_and_line(
    root: Path, answer: Callable[..., dict[str, Any]], image: Callable[[Path], Path], name: str
) -> None:
    path = image(root) / name
    text = path.read_text()
    path.write_text(text.replace('protectKernelDefaults', 'makeIPTablesUtilChains').replace('true', 'false'))
    line = text[: text.index('protectKernelDefaults')].count('\n') + 1
    found = answer()
    rule = found['kubelets'][0]['rules'][0]
    assert (rule['verdict'], rule['place'], found['exit_status']) == ('non_compliant', f'/{name}:{line}', 1)


def test_the_json_of_an_image(root: Path, answer: Callable[..., dict[str, Any]]) -> None:
    assert answer()['kubelets'] == []
    kubeadm(root)
    found = answer()
    assert (found['root'], found['captured']) == (str(root), False)
    (kubelet,) = found['kubelets']
    assert (kubelet['pid'], kubelet['unit'], kubelet['restart_pending']) == (None, 'kubelet.service', None)
    assert kubelet['arguments'] == [
        '/usr/bin/kubelet', '--bootstrap-kubeconfig=/etc/kubernetes/b.conf', '--kubeconfig=/etc/kubernetes/k.conf',
        '--config=/var/lib/kubelet/config.yaml', '--node-ip=10.0.0.1', '--v=2', '--max-pods=50',
    ]  # fmt: skip
    assert kubelet['arguments_unknown'] is None
    assert kubelet['flags'][-1] == {'flag': '--max-pods=50', 'place': '/etc/default/kubelet:1 (KUBELET_EXTRA_ARGS)'}
    assert kubelet['problems'] == []


def test_the_json_of_arguments_that_are_not_known(root: Path, answer: Callable[..., dict[str, Any]]) -> None:
    rke2(root)
    (kubelet,) = answer()['kubelets']
    assert kubelet['arguments'] is None
    assert kubelet['arguments_unknown'].startswith('rke2-server.service starts /usr/local/bin/rke2, which is not')


def test_a_flag_whose_value_is_a_word_of_its_own_is_one_flag(root: Path, answer: Callable[..., dict[str, Any]]) -> None:
    eks_al2(root)
    flags = answer()['kubelets'][0]['flags']
    assert flags[0] == {
        'flag': '--config /etc/kubernetes/kubelet/kubelet-config.json',
        'place': f'/{KUBELET}:4',
    }


def test_no_secret_is_shown(root: Path, answer: Callable[..., dict[str, Any]]) -> None:
    secrets = '--manifest-url-header=A:hunter2 --manifest-url hunter2 --v=2'
    write(kubeadm(root), {'etc/default/kubelet': f'KUBELET_EXTRA_ARGS={secrets}\n'})
    write(root, {f'{UNITS}/k3s.service': '[Service]\nExecStart=/k3s server --token hunter2 --kubelet-arg=v=2\n'})
    found = answer()
    assert 'hunter2' not in json.dumps(found)
    kubelet, inside = found['kubelets']
    assert kubelet['arguments'][-4:] == [
        '--manifest-url-header=left-out', '--manifest-url', 'left-out', '--v=2',
    ]  # fmt: skip
    assert [flag['flag'] for flag in kubelet['flags'][-2:]] == ['--manifest-url left-out', '--v=2']
    assert inside['arguments'] == ['/k3s', 'server', '--token', 'left-out', '--kubelet-arg=v=2']


def test_a_unit_that_cannot_be_read_is_no_unit_that_is_not_there(
    root: Path, run: Callable[..., tuple[int, str]]
) -> None:
    (root / UNITS).mkdir(parents=True)
    os.mkfifo(root / KUBELET)
    status, shown = run()
    assert status == 2
    assert shown.startswith("Could not find a kubelet. problem can't determine whether a kubelet starts: ")
    assert 'kubelet.service could not be read: it is a FIFO, not a file' in shown


def test_a_folder_without_a_unit_says_which_it_looked_for(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    status, shown = run()
    assert status == 2
    assert shown.startswith(f'{root} has no unit that starts a kubelet; looked for kubelet.service, ')
    assert all(name in shown for name in KNOWN_UNITS)


def test_a_unit_that_was_named_and_is_not_there(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    kubeadm(root)
    assert run('--unit', 'my-kubelet') == (2, f'{root} has no unit my-kubelet.service.')


def test_a_unit_of_another_name(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    write(root, {f'{UNITS}/my-kubelet@.service': f'[Service]\nExecStart=/opt/kubelet {OFF}\n'})
    status, shown = run('--unit', 'my-kubelet@a.service')
    assert (status, shown.split(', evaluated')[0]) == (1, f'{root}, unit my-kubelet@a.service')


@pytest.mark.parametrize('target', ['/dev/null', '../../../dev/null', '../../../../../../dev/null'])
@pytest.mark.parametrize('device', ['none', 'a file'])
def test_a_masked_unit_starts_no_kubelet(
    root: Path, run: Callable[..., tuple[int, str]], target: str, device: str
) -> None:
    # An image without devices, or with files in their place, as an archive that was unpacked by a user holds it.
    kubeadm(root)
    (root / UNITS).mkdir(parents=True)
    (root / KUBELET).symlink_to(target)
    if device == 'a file':
        write(root, {'dev/null': ''})
    assert run() == (2, f'No kubelet would start in {root}: kubelet.service is masked.')


def test_an_empty_unit_file_is_masked(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    write(kubeadm(root), {KUBELET: ''})
    assert run() == (2, f'No kubelet would start in {root}: kubelet.service is masked.')


def test_a_masked_drop_in_does_not_count(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    write(kubeadm(root), {'usr/lib/systemd/system/kubelet.service.d/20-x.conf': '[Service]\nExecStart=\n'})
    (root / f'{KUBELET}.d').mkdir(parents=True)
    (root / f'{KUBELET}.d/20-x.conf').symlink_to('/dev/null')
    assert run()[0] == 0


def test_of_several_units_each_is_judged(root: Path, answer: Callable[..., dict[str, Any]]) -> None:
    write(kubeadm(rke2(root)), {'etc/rancher/rke2/config.yaml': f'kubelet-arg: [{OFF[2:]}]\n'})
    found = answer()
    assert [kubelet['unit'] for kubelet in found['kubelets']] == ['kubelet.service', 'rke2-server.service']
    assert [kubelet['rules'][0]['verdict'] for kubelet in found['kubelets']] == ['compliant', 'non_compliant']
    assert found['exit_status'] == 1


def test_of_several_units_one_that_is_masked_is_left_out(root: Path, answer: Callable[..., dict[str, Any]]) -> None:
    kubeadm(rke2(root))
    (root / UNITS).mkdir(parents=True)
    (root / f'{UNITS}/rke2-server.service').symlink_to('/dev/null')
    assert [kubelet['unit'] for kubelet in answer()['kubelets']] == ['kubelet.service']


def test_the_old_unit_of_microk8s_counts_only_by_itself(root: Path, answer: Callable[..., dict[str, Any]]) -> None:
    microk8s(root)
    assert [each['unit'] for each in answer()['kubelets']] == ['snap.microk8s.daemon-kubelite.service']
    (root / f'{UNITS}/snap.microk8s.daemon-kubelite.service').unlink()
    (kubelet,) = answer()['kubelets']
    assert (kubelet['unit'], kubelet['arguments']) == ('snap.microk8s.daemon-kubelet.service', None)


@pytest.mark.parametrize(
    ('links', 'drop_ins', 'judged'),
    [
        pytest.param({'k3s-agent.service': 'k3s.service'}, [], ['k3s.service'], id='a link to the other unit'),
        pytest.param(
            {'k3s-agent.service': f'/{UNITS}/k3s.service'}, ['k3s.service.d'], ['k3s.service'], id='and its drop-ins'
        ),
        pytest.param(
            {'k3s-agent.service': 'k3s.service'}, ['k3s-agent.service.d'], ['k3s-agent.service'], id='its own drop-ins'
        ),
        pytest.param(
            {'k3s.service': '/opt/x', 'k3s-agent.service': '/opt/x'}, [], ['k3s.service'], id='both are links'
        ),
        pytest.param(
            {'k3s.service': '/opt/x', 'k3s-agent.service': '/opt/x'},
            ['k3s.service.d', 'k3s-agent.service.d'],
            ['k3s.service', 'k3s-agent.service'],
            id='both are links with drop-ins',
        ),
    ],
)
def test_a_unit_with_two_names_is_judged_once(
    root: Path, answer: Callable[..., dict[str, Any]], links: dict[str, str], drop_ins: list[str], judged: list[str]
) -> None:
    write(k3s(root), {f'{UNITS}/{name}/{name}.conf': '[Service]\nRestart=always\n' for name in drop_ins})
    if 'k3s.service' in links:
        write(root, {'opt/x': (root / UNITS / 'k3s.service').read_text()})
        (root / UNITS / 'k3s.service').unlink()
    for name, target in links.items():
        (root / UNITS / name).symlink_to(target)
    assert [kubelet['unit'] for kubelet in answer()['kubelets']] == judged


@pytest.mark.parametrize(
    ('command', 'status'),
    [
        ('k0s controller', None), ('k0s controller --enable-worker', 2), ('k0s controller --single', 2),
        ('k3s server --disable-agent=true', None), ('k3s agent', 2), ('k3s etcd-snapshot', 2),
        ('kubelet --version', None), ('bash -c "exec kubelet"', 2),
    ],
)  # fmt: skip
def test_a_unit_that_starts_no_kubelet(
    root: Path, run: Callable[..., tuple[int, str]], command: str, status: int | None
) -> None:
    write(root, {f'{UNITS}/x.service': f'[Service]\nExecStart=/usr/bin/{command}\n'})
    found, shown = run('--unit', 'x.service')
    assert found == 2
    assert (f'No kubelet would start in {root}: x.service starts no' in shown) == (status is None)


def test_modes_and_owners_are_those_in_the_folder(root: Path, answer: Callable[..., dict[str, Any]]) -> None:
    kubeadm(root)
    is_root = (os.geteuid(), os.getegid()) == (0, 0)
    rules = verdicts(answer(rule=None))
    modes = [verdict for key, verdict in rules.items() if key.endswith('_permissions')]
    owners = [verdict for key, verdict in rules.items() if key.endswith('_ownership') and key != 'client_ca_ownership']
    assert len(modes) >= 4 and set(modes) == {'compliant'}
    assert len(owners) >= 3 and set(owners) == {'compliant' if is_root else 'non_compliant'}


def test_a_file_that_is_open_to_all_is_shown(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    kubeadm(root)
    (root / 'var/lib/kubelet/config.yaml').chmod(0o666)
    (root / 'usr/lib/systemd/system/kubelet.service').chmod(0o644)
    status, shown = run(rule=None)
    assert status == 1
    assert ' fix run: chmod 600 /var/lib/kubelet/config.yaml' in shown
    assert '/usr/lib/systemd/system/kubelet.service is 644' in shown


def test_a_configuration_that_a_kubelet_would_refuse_is_unknown(
    root: Path, run: Callable[..., tuple[int, str]]
) -> None:
    write(kubeadm(root), {'var/lib/kubelet/config.yaml': f'{HEAD}makeIPTablesUtilChains: 1\n'})
    status, shown = run()
    assert status == 2
    assert 'the kubelet would refuse' in shown and 'accepted' not in shown


def test_a_command_line_that_a_kubelet_would_refuse_is_unknown(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    write(kubeadm(root), {'etc/default/kubelet': 'KUBELET_EXTRA_ARGS=--max-pods=many\n'})
    status, shown = run()
    assert (status, 'the kubelet would refuse its command line' in shown) == (2, True)


def test_what_would_end_a_kubelet_on_its_way_to_serving_is_unknown(
    root: Path, run: Callable[..., tuple[int, str]]
) -> None:
    # By default it asks the API server for authorization, which it cannot reach without a kubeconfig.
    write(root, {KUBELET: '[Service]\nExecStart=/usr/bin/kubelet --config=/k.yaml\n', 'k.yaml': HEAD})
    status, shown = run()
    assert (status, 'the kubelet would exit during startup' in shown) == (2, True)


@pytest.mark.parametrize(('content', 'status'), [(None, 0), ('not a certificate', 2)])
def test_a_client_ca_that_is_not_there_may_still_come_but_a_broken_one_ends_the_kubelet(
    root: Path, run: Callable[..., tuple[int, str]], content: str | None, status: int
) -> None:
    config = f'{HEAD}authentication: {{x509: {{clientCAFile: /etc/kubernetes/pki/ca.crt}}}}\n'
    write(kubeadm(root), {'var/lib/kubelet/config.yaml': config})
    if content is not None:
        write(root, {'etc/kubernetes/pki/ca.crt': content})
    found, shown = run()
    assert found == status
    assert ('the kubelet would exit during startup' in shown) == (status == 2)


def test_what_depends_on_the_version_is_unknown_without_it(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    write(kubeadm(root), {'etc/default/kubelet': 'KUBELET_EXTRA_ARGS=--config-dir=/etc/d\n'})
    write(root, {'etc/d/1.conf': f'{HEAD}makeIPTablesUtilChains: null\n', 'var/lib/kubelet/config.yaml': HEAD})
    config = root / 'var/lib/kubelet/config.yaml'
    config.write_text(f'{HEAD}makeIPTablesUtilChains: false\n')
    status, shown = run()
    assert status == 2 and 'set --kubelet-version' in shown
    assert run('--kubelet-version', '1.33')[0] != 2


def test_auto_says_that_the_version_is_not_known(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    kubeadm(root)
    reason = 'is used: the version of the kubelet is not known: set --kubelet-version'
    assert reason in run('--benchmark=auto')[1]


@pytest.mark.parametrize(
    ('folder', 'status'), [('', 2), ('WorkingDirectory=/opt/k\n', 1), ('WorkingDirectory=-/opt/k', 1)]
)
def test_relative_paths_are_meant_from_the_folder_of_the_unit(
    root: Path, run: Callable[..., tuple[int, str]], folder: str, status: int
) -> None:
    write(root, {KUBELET: f'[Service]\nExecStart=/usr/bin/kubelet --config=c/k.yaml --kubeconfig=k\n{folder}'})
    write(root, {'opt/k/c/k.yaml': f'{HEAD}makeIPTablesUtilChains: false\n'})
    assert run()[0] == status


def test_a_relative_folder_works(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubeadm(root)
    monkeypatch.chdir(root.parent)
    assert main(['--root', 'image', '--rule', IPTABLES]) == 0


def test_links_stay_inside_the_folder(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    bad = f'[Service]\nExecStart=/usr/bin/kubelet {OFF}\n'
    write(root.parent, {'outside/kubelet.service': bad, 'outside/k.yaml': f'{HEAD}makeIPTablesUtilChains: false\n'})
    kubeadm(root)
    (root / UNITS).mkdir(parents=True)
    (root / KUBELET).symlink_to(f'{"../" * 12}{str(root.parent)[1:]}/outside/kubelet.service')
    (root / f'{KUBELET}.d').symlink_to(root.parent / 'outside')
    config = root / 'var/lib/kubelet/config.yaml'
    config.unlink()
    config.symlink_to('/etc/k.yaml')
    write(root, {'etc/k.yaml': HEAD})
    status, text = run()
    assert status == 2
    assert 'which is not in the image' in ' '.join(text.split())
    assert OFF not in text


@pytest.mark.parametrize('link', [f'{KUBELET}.d', f'{KUBELET}.d/x.conf', 'etc/default/kubelet'])
def test_a_link_that_leads_out_of_the_image_is_unknown(
    root: Path, run: Callable[..., tuple[int, str]], link: str
) -> None:
    kubeadm(root)
    (root / link).unlink(missing_ok=True)
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to('/data/elsewhere')
    status, text = run()
    assert status == 2
    assert 'it is a link to /data/elsewhere, which is not in the image' in ' '.join(text.split())


def test_an_ostree_commit_is_no_image_that_can_be_judged(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(root, {'usr/etc/systemd/system/kubelet.service.d/1.conf': '', 'usr/lib/systemd/system/kubelet.service': ''})
    assert main(['--root', str(root)]) == 2
    assert 'name an OSTree deployment' in capsys.readouterr().err


def test_a_link_by_an_absolute_path_leads_to_the_file_in_the_folder(
    root: Path, run: Callable[..., tuple[int, str]]
) -> None:
    write(root, {'opt/units/kubelet.service': f'[Service]\nExecStart=/usr/bin/kubelet {OFF}\n'})
    (root / UNITS).mkdir(parents=True)
    (root / KUBELET).symlink_to('/opt/units/kubelet.service')
    assert run()[0] == 1


def test_what_lies_in_run_is_gone_when_the_machine_boots(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    kubeadm(root)
    write(root, {'run/systemd/system/kubelet.service.d/a.conf': f'[Service]\nExecStart=\nExecStart=/k/kubelet {OFF}\n'})
    assert run()[0] == 0
    write(root, {'etc/systemd/system/kubelet.service.d/a.conf': '[Service]\nEnvironmentFile=-/run/kubelet.env\n'})
    write(root, {'run/kubelet.env': 'KUBELET_EXTRA_ARGS=\n'})
    status, shown = run()
    assert (status, 'it is in /run, which is empty until the machine runs' in shown) == (2, True)


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_huge(path: Path) -> None:
    with path.open('wb') as file:
        file.truncate(1 << 40)


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 50)


HOSTILE = [make_fifo, make_socket, make_huge, make_loop, make_folder, make_noise]
TARGETS = [
    'usr/lib/systemd/system/kubelet.service',
    'usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf',
    'etc/default/kubelet',
    'var/lib/kubelet/kubeadm-flags.env',
    'var/lib/kubelet/config.yaml',
]


@pytest.mark.parametrize('target', TARGETS)
@pytest.mark.parametrize('make', HOSTILE)
def test_no_content_makes_it_hang_crash_or_pass(
    root: Path, run: Callable[..., tuple[int, str]], make: Callable[[Path], None], target: str
) -> None:
    kubeadm(root)
    path = root / target
    path.unlink()
    make(path)
    status, shown = run()
    # An optional file that systemd itself would pass over may be a loop or a folder: then the rest counts.
    is_passed_over = status == 0 and make in (make_loop, make_folder, make_noise) and 'unit kubelet.service' in shown
    assert status == 2 or is_passed_over


@pytest.mark.parametrize('make', HOSTILE)
def test_no_kubeconfig_makes_it_hang_or_crash(
    root: Path, answer: Callable[..., dict[str, Any]], make: Callable[[Path], None]
) -> None:
    kubeadm(root)
    path = root / 'etc/kubernetes/k.conf'
    path.unlink()
    make(path)
    assert answer(rule=None)['exit_status'] in (1, 2)


def test_a_whole_folder_of_loops(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    root.mkdir()
    for name in ('etc', 'usr', 'run', 'lib'):
        (root / name).symlink_to(name)
    assert run()[0] == 2


def test_nothing_is_written(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    kubeadm(root)

    def state() -> Iterator[tuple[str, int, int, int]]:
        for path in sorted(root.rglob('*')):
            status = path.lstat()
            yield str(path), status.st_mode, status.st_mtime_ns, status.st_ctime_ns

    before = list(state())
    run(rule=None)
    assert list(state()) == before


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read all')
def test_a_folder_that_may_not_be_read_is_unknown(root: Path, run: Callable[..., tuple[int, str]]) -> None:
    write(kubeadm(root), {KUBELET: '[Service]\n'})
    (root / UNITS).chmod(0)
    status, shown = run()
    (root / UNITS).chmod(0o700)
    assert (status, "can't determine whether a kubelet starts" in shown) == (2, True)


@pytest.mark.parametrize(
    'options',
    [
        ['--node', 'x'], ['--capture', 'x'], ['--procfs', 'x'], ['--host-root', 'x'], ['--conf', 'x'],
        ['--configz', 'x'], ['--nested'], ['--allowed-user', 'root'],
    ],
)  # fmt: skip
def test_what_means_a_machine_that_runs_does_not_go_with_an_image(
    root: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    kubeadm(root)
    assert main(['--root', str(root), *options]) == 2
    shown = capsys.readouterr()
    assert shown.out == ''
    assert shown.err == (
        'kubelet-compliance: --root evaluates a machine that is not running, '
        f"so you can't combine it with {options[0]}\n"
    )


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (['--unit', 'kubelet'], '--unit names the service that starts the kubelet of an image: add --root'),
        (['--root', '/nowhere/at/all'], '--root /nowhere/at/all: no such file or directory'),
        (['--root', '/etc/passwd'], '--root /etc/passwd: not a directory'),
        (['--root', '/', '--unit', '../x'], '--unit ../x: it is not the name of a service'),
    ],
)
def test_options_that_make_no_sense(capsys: pytest.CaptureFixture[str], options: list[str], said: str) -> None:
    assert main(options) == 2
    assert capsys.readouterr().err == f'kubelet-compliance: {said}\n'


def test_no_configuration_of_the_agent_counts(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., tuple[int, str]]
) -> None:
    write(tmp_path, {'conf.d/kubelet_compliance.d/conf.yaml': 'instances: [{}]\n'})
    monkeypatch.setenv('DD_CONFD_PATH', str(tmp_path / 'conf.d'))
    kubeadm(root)
    assert run()[1].startswith(f'{root}, unit kubelet.service')


@pytest.mark.parametrize(
    ('name', 'why'),
    [('eks-al2023', '/etc/eks/kubelet/environment does not exist'), ('k0s', 'k0s rewrites the command line'),
     ('microshift', 'MicroShift rewrites the configuration'), ('rke2', 'RKE2 rewrites the command line')],
)  # fmt: skip
def test_a_rule_says_why_the_command_line_is_not_known(
    root: Path, answer: Callable[..., dict[str, Any]], name: str, why: str
) -> None:
    IMAGES[name](root)
    (kubelet,) = answer()['kubelets']
    assert kubelet['rules'][0]['message'].startswith(f'makeIPTablesUtilChains cannot be determined: {why}')
