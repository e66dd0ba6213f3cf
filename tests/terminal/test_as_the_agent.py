# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The command beside the Agent: its instance, its way to the kubelet, and the answer that the check gives there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from datadog_checks.kubelet_compliance.cli import main
from datadog_checks.kubelet_compliance.terminal import agent_files, as_the_agent
from datadog_checks.kubelet_compliance.terminal.as_the_agent import (
    SERVICE_ACCOUNT,
    ConfigError,
    Settings,
    connection_info,
    read_configured,
)
from tests.support.cases import TRUTH
from tests.support.kubelet_server import Certificates, KubeletServer
from tests.support.nodes import HEAD, ticks_from_now
from tests.support.sent import show
from tests.support.standin import Standins

IPTABLES, ANONYMOUS = 'make_iptables_util_chains', 'anonymous_auth'
TOKEN = 'a-token'


def info(token: str | None = TOKEN, *, has_ca: bool = True, file: dict[str, Any] | None = None, **env: str) -> Any:
    return connection_info(
        Settings({f'DD_{name}': value for name, value in env.items()}, file or {}), token, has_ca=has_ca
    )


@pytest.mark.parametrize(
    'settings_found, expected',
    [
        pytest.param(info(), None, id='nothing names the kubelet'),
        pytest.param(
            info(KUBERNETES_KUBELET_HOST='10.0.0.5'),
            {'url': 'https://10.0.0.5:10250', 'ca_cert': f'{SERVICE_ACCOUNT}/ca.crt', 'token': TOKEN},
            id='as the chart has it',
        ),
        pytest.param(
            info(KUBERNETES_KUBELET_HOST='10.0.0.5', KUBERNETES_HTTPS_KUBELET_PORT='0'),
            {'url': 'http://10.0.0.5:10255'},
            id='as the chart has it on Autopilot, without a token in the clear',
        ),
        pytest.param(
            info(KUBERNETES_KUBELET_HOST='fd00::5', KUBELET_TLS_VERIFY='false'),
            {'url': 'https://[fd00::5]:10250', 'verify_tls': 'false', 'token': TOKEN},
            id='without verification',
        ),
        pytest.param(
            info(None, has_ca=False, file={'kubernetes_kubelet_host': 'node', 'kubernetes_https_kubelet_port': 10251}),
            {'url': 'https://node:10251'},
            id='by datadog.yaml',
        ),
        pytest.param(
            info(KUBERNETES_KUBELET_HOST='env', file={'kubernetes_kubelet_host': 'file', 'kubelet_tls_verify': False}),
            {'url': 'https://env:10250', 'verify_tls': 'false', 'token': TOKEN},
            id='the environment comes first',
        ),
        pytest.param(
            info(
                KUBERNETES_KUBELET_HOST='n', KUBELET_CLIENT_CRT='/c', KUBELET_CLIENT_KEY='/k', KUBELET_CLIENT_CA='/ca'
            ),
            {'url': 'https://n:10250', 'ca_cert': '/ca', 'client_crt': '/c', 'client_key': '/k'},
            id='a client certificate in place of the token',
        ),
    ],
)  # fmt: skip
def test_the_agents_settings_say_how_the_kubelet_is_reached(settings_found: Any, expected: Any) -> None:
    assert settings_found == expected


@pytest.mark.parametrize(
    'text, says',
    [
        ('instances: []', 'it has no instances'),
        ('init_config: {}', 'it has no instances'),
        ('instances: [1]', 'it has no instances'),
        ('[]', 'it is not a mapping'),
        ('a: [', 'it is not valid YAML'),
        ('a: 2001-99-99', 'it is not valid YAML'),
        ('a: !!int "b"', 'it is not valid YAML'),
        ('a: !!bool zz', 'it is not valid YAML'),
        pytest.param('[' * 5000, 'it is not valid YAML', id='nested too deep'),
        ('{instances: [{}], init_config: x}', 'its init_config is not a mapping'),
    ],
)
def test_a_file_that_configures_no_check_says_why(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_configured(text.encode())


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The check's folder of an Agent on this machine."""
    folder = tmp_path / 'conf.d' / 'kubelet_compliance.d'
    folder.mkdir(parents=True)
    monkeypatch.setenv('DD_CONFD_PATH', str(tmp_path / 'conf.d'))
    monkeypatch.setattr(agent_files, 'AGENT_FOLDER', str(tmp_path / 'agent'))
    monkeypatch.setattr(as_the_agent, 'SERVICE_ACCOUNT', str(tmp_path / 'account'))
    return folder / 'conf.yaml'


def answer(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    status = main(['--json', *options])
    printed = capsys.readouterr()
    assert printed.err == ''
    found: dict[str, Any] = json.loads(printed.out)
    assert found['exit_status'] == status
    return found


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    (kubelet,) = found['kubelets']
    return {rule['rule']: rule['verdict'] for rule in kubelet['rules']}


def test_beside_the_agent_the_command_answers_as_the_check_does(
    conf: Path, standins: Standins, tmp_path: Path, api: KubeletServer, certificates: Certificates,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """At level 0: no file can be read, and /configz is asked with the Agent's token over verified TLS."""
    api.body, api.token = (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes(), TOKEN
    kubelet = standins.launch(('kubelet', '--config=/nonexistent/config.yaml'), handles=(api.handle,))
    show(tmp_path / 'proc', kubelet)
    instance = {
        'procfs_path': str(tmp_path / 'proc'),
        'rules': [IPTABLES, ANONYMOUS],
        'exemptions': [{'rule': ANONYMOUS, 'reason': 'a lab'}],
        'allowed_users': ['root', str(os.getuid())],
    }
    conf.write_text(yaml.safe_dump({'init_config': {}, 'instances': [instance, {}]}))
    (tmp_path / 'account').mkdir()
    (tmp_path / 'account' / 'token').write_text(f'{TOKEN}\n')
    (tmp_path / 'account' / 'ca.crt').write_bytes(certificates.ca.read_bytes())
    monkeypatch.setenv('DD_KUBERNETES_KUBELET_HOST', '127.0.0.1')
    monkeypatch.setenv('DD_KUBERNETES_HTTPS_KUBELET_PORT', api.url.rpartition(':')[2])
    found = answer(capsys)
    assert verdicts(found) == {IPTABLES: 'compliant', ANONYMOUS: 'exempted'}
    assert found['options_from'] == f'{conf} (the first of 2 instances)'
    assert found['configz_from'] == api.url
    assert verdicts(answer(capsys, '--rule', IPTABLES)) == {IPTABLES: 'compliant'}
    assert main(['--rule', IPTABLES]) == 0
    shown = ' '.join(capsys.readouterr().out.split())
    assert f' options {conf} (the first of 2 instances) /configz {api.url} ' in shown
    # Without it, the command knows the files alone.
    alone = answer(capsys, '--no-conf', '--procfs', str(tmp_path / 'proc'), '--rule', IPTABLES,
                   '--allowed-user', str(os.getuid()))  # fmt: skip
    assert (verdicts(alone), alone['options_from'], alone['configz_from']) == ({IPTABLES: 'unknown'}, None, None)


@pytest.mark.parametrize(
    'text, says',
    [
        ('instances: [{benchmark: nonsense}]', "unknown benchmark 'nonsense'"),
        ('instances: [{rules: 5}]', 'Detected 1 error'),
        ('instances: []', 'it has no instances'),
    ],
)
def test_a_configuration_that_makes_no_sense_is_an_error_in_one_line(
    conf: Path, text: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    conf.write_text(text)
    assert main([]) == 2
    printed = capsys.readouterr()
    assert printed.out == '' and printed.err.count('\n') == 1 and says in printed.err


def test_a_configuration_that_is_named_and_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--conf', '/nonexistent/conf.yaml']) == 2
    assert capsys.readouterr().err == 'kubelet-compliance: /nonexistent/conf.yaml: no such file or directory\n'


@pytest.mark.parametrize('processes, expected', [([], '/proc'), (['1'], None)])
def test_a_mounted_proc_that_shows_no_process_blinds_nobody(
    processes: list[str], expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_files, 'CONTAINER_PROCFS', str(tmp_path))
    for name in processes:
        (tmp_path / name).mkdir()
    assert agent_files.procfs(Settings({}, {})) == (expected or str(tmp_path))


@pytest.mark.parametrize('version', ['x', '2.0', ''])
def test_a_version_that_is_none_is_an_error(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--kubelet-version', version, '--no-conf']) == 2
    assert 'specify a version such as 1.33' in capsys.readouterr().err


def test_with_the_version_its_own_merge_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Kubelets before 1.32 leave the lower value alone where a drop-in has null."""
    node = tmp_path / 'node'
    (node / 'd').mkdir(parents=True)
    (node / 'c.yaml').write_text(f'{HEAD}protectKernelDefaults: true\n')
    (node / 'd' / '1.conf').write_text(f'{HEAD}protectKernelDefaults: null\n')
    folder = node / 'proc' / '7'
    folder.mkdir(parents=True)
    (folder / 'comm').write_text('kubelet\n')
    (folder / 'cmdline').write_bytes(b'kubelet\0--config=/c.yaml\0--config-dir=/d\0')
    (folder / 'stat').write_text(f'7 (kubelet) S {"0 " * 18}{ticks_from_now(0)} {"0 " * 30}')
    found = {}
    for options in ((), ('--kubelet-version', '1.31'), ('--kubelet-version', 'v1.32.4-eks-1')):
        shown = answer(capsys, '--node', str(node), '--rule', 'protect_kernel_defaults', *options)
        found[options[-1] if options else ''] = verdicts(shown)['protect_kernel_defaults']
    assert found == {'': 'unknown', '1.31': 'compliant', 'v1.32.4-eks-1': 'non_compliant'}
