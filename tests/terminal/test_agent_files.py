# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""In the Agent's pod, and on a host with an Agent, the command answers as the check beside it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.terminal.agent_files import configured, iter_conf_files, procfs, settings
from datadog_checks.kubelet_compliance.terminal.as_the_agent import ConfigError, Settings
from tests.support.kubelet_server import Certificates, KubeletServer
from tests.support.nodes import HEAD
from tests.support.paths import ROOT
from tests.support.sent import CRITICAL, OK, UNKNOWN, collect, show
from tests.support.standin import Standins
from tests.support.users import USERS

TOKEN = 'of-the-service-account'
BY_THE_CHART = 'kubelet_compliance.yaml'
BY_A_PACKAGE = 'kubelet_compliance.d/conf.yaml'
VERDICTS = {OK: 'compliant', CRITICAL: 'non_compliant', UNKNOWN: 'unknown'}


@pytest.fixture(scope='module')
def single_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp('agent') / 'checks.d' / 'kubelet_compliance.py'
    subprocess.run([sys.executable, ROOT / 'tools' / 'single_file.py', output], check=True)
    return output


@pytest.mark.parametrize('place', [BY_THE_CHART, BY_A_PACKAGE])
@pytest.mark.parametrize('kind', ['package', 'single file'])
@pytest.mark.parametrize(
    'options',
    [
        pytest.param({}, id='level 0, with only the response of the kubelet'),
        pytest.param({'host_root': '/'}, id='level 1, with the files too'),
        pytest.param({'use_configz': False, 'rules': ['settings']}, id='without asking'),
        pytest.param({'benchmark': 'auto'}, id='by the version that the kubelet reports'),
    ],
)
def test_the_command_answers_as_the_check_does(
    tmp_path: Path, single_file: Path, standins: Standins, api: KubeletServer, certificates: Certificates,
    aggregator: AggregatorStub, place: str, kind: str, options: dict[str, Any],
) -> None:  # fmt: skip
    """With the environment that the chart gives the container, and with nothing said on the command line."""
    api.token = TOKEN
    (tmp_path / 'config.yaml').write_text(f'{HEAD}makeIPTablesUtilChains: true\nreadOnlyPort: 10255\n')
    kubelet = standins.launch(('kubelet', f'--config={tmp_path}/config.yaml'), handles=(api.handle,))
    instance = {'allowed_users': [*USERS], **options}
    file = tmp_path / 'conf.d' / place
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump({'init_config': None, 'instances': [instance]}))
    (tmp_path / 'token').write_text(f'{TOKEN}\n')
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith('DD_')},
        'DD_CONFD_PATH': str(tmp_path / 'conf.d'),
        'DD_PROCFS_PATH': str(show(tmp_path / 'proc', kubelet)),
        'DD_KUBERNETES_KUBELET_HOST': '127.0.0.1',
        'DD_KUBERNETES_HTTPS_KUBELET_PORT': api.url.rpartition(':')[2],
        'DD_KUBELET_CLIENT_CA': str(certificates.ca),
        'DD_KUBELET_AUTH_TOKEN_PATH': str(tmp_path / 'token'),
    }
    program = [str(single_file)] if kind == 'single file' else ['-m', 'datadog_checks.kubelet_compliance']
    done = subprocess.run(
        [sys.executable, *program, '--json'], capture_output=True, text=True, check=False, env=environment, cwd=ROOT
    )
    said = json.loads(done.stdout)
    (judged,) = said['kubelets']
    check = KubeletComplianceCheck('kubelet_compliance', {}, [{**instance, 'procfs_path': str(tmp_path / 'proc')}])
    check.agents_own = lambda: {'url': api.url, 'ca_cert': str(certificates.ca), 'token': TOKEN}
    sent = collect(check, aggregator)
    assert {rule['rule']: rule['verdict'] for rule in judged['rules']} == {
        rule: VERDICTS[status] for rule, (status, _) in sent.rules.items()
    }
    assert {rule['rule']: rule['message'] for rule in judged['rules'] if rule['verdict'] != 'compliant'} == {
        rule: message for rule, (status, message) in sent.rules.items() if status != OK
    }
    assert said['options_from'] == str(file)
    assert said['configz_from'] == (None if options.get('use_configz') is False else api.url)


@pytest.mark.parametrize(
    ('names', 'expected'),
    [
        pytest.param((), [], id='no file'),
        pytest.param((BY_THE_CHART,), [BY_THE_CHART], id='as the chart lays it'),
        pytest.param(('kubelet_compliance.yml',), ['kubelet_compliance.yml'], id='the other ending'),
        pytest.param((BY_A_PACKAGE,), [BY_A_PACKAGE], id='as a package lays it'),
        pytest.param(
            (BY_THE_CHART, BY_A_PACKAGE, 'kubelet_compliance.d/a.yaml'),
            [BY_A_PACKAGE, 'kubelet_compliance.d/a.yaml', BY_THE_CHART],
            id='all of them, conf.yaml first',
        ),
        pytest.param(
            ('kubelet_compliance.d/conf.yaml.example', 'kubelet_compliance.d/auto_conf.yaml', 'kubelet.yaml'),
            [],
            id='what holds no instance of this machine',
        ),
        pytest.param(
            ('kubelet_compliance.d/conf.yaml.default',),
            ['kubelet_compliance.d/conf.yaml.default'],
            id='the default, where there is no other',
        ),
    ],
)
def test_the_files_are_those_that_the_agent_reads(tmp_path: Path, names: tuple[str, ...], expected: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('instances: [{}]\n')
    assert [str(Path(path).relative_to(tmp_path)) for path in iter_conf_files(str(tmp_path))] == expected


def test_the_first_instance_counts_and_all_files_are_counted(tmp_path: Path) -> None:
    (tmp_path / 'kubelet_compliance.d').mkdir()
    (tmp_path / BY_A_PACKAGE).write_text('instances: [{benchmark: cis-1.12}]\n')
    (tmp_path / BY_THE_CHART).write_text('instances: [{}, {}]\n')
    found = configured(Settings({}, {'confd_path': str(tmp_path)}))
    assert found is not None
    assert (found[0].instance, found[0].instances) == ({'benchmark': 'cis-1.12'}, 3)
    assert found[1] == str(tmp_path / BY_A_PACKAGE)


def test_a_file_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    (tmp_path / BY_THE_CHART).write_text('instances: []\n')
    with pytest.raises(ConfigError, match=f'^{tmp_path}/{BY_THE_CHART}: it has no instances$'):
        configured(Settings({'DD_CONFD_PATH': str(tmp_path)}, {}))


def test_the_agents_own_file_says_where_conf_d_and_proc_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('datadog_checks.kubelet_compliance.terminal.agent_files.AGENT_FOLDER', str(tmp_path))
    (tmp_path / 'datadog.yaml').write_text('confd_path: /somewhere\nprocfs_path: /elsewhere\n')
    found = settings()
    assert (found.get('confd_path'), procfs(found)) == ('/somewhere', '/elsewhere')
