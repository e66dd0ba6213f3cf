# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""An instance that comes from a pod's annotations is refused; and what no option of any instance can do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.base.stubs.datadog_agent import DatadogAgentStub
from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.trust import DEFAULT_TRUSTED, reason_to_refuse
from tests.support.kubelet_server import Certificates, serve
from tests.support.nodes import write_process
from tests.support.paths import ROOT
from tests.support.sent import IPTABLES, collect

SPEC = ROOT / 'assets' / 'configuration' / 'spec.yaml'
FILE = 'file'
POD_ANNOTATIONS = 'kubernetes-container-allinone'
UNTRUSTED = (POD_ANNOTATIONS, 'cluster-checks', 'endpoints-checks', 'kube-services', 'file ', 'FILE', 'fil')


def own_options() -> dict[str, Any]:
    """The options of spec.yaml that are no template of the base package, with their examples."""
    (file,) = yaml.safe_load(SPEC.read_text())['files']
    (instances,) = [option for option in file['options'] if option['template'] == 'instances']
    return {option['name']: option['value'].get('example', 'x') for option in instances['options'] if 'name' in option}


def check_from(provider: str, **options: Any) -> KubeletComplianceCheck:
    check = KubeletComplianceCheck('kubelet_compliance', {}, [options])
    check.provider = provider
    return check


@pytest.fixture(params=[False, True], ids=['the-switch-is-off', 'the-switch-is-on'])
def switch(request: pytest.FixtureRequest, datadog_agent: DatadogAgentStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting that lets the base class hold back single options; the stub itself is one for all tests."""
    set_agent(monkeypatch, datadog_agent, integration_ignore_untrusted_file_params=request.param)


def set_agent(monkeypatch: pytest.MonkeyPatch, datadog_agent: DatadogAgentStub, **settings: Any) -> None:
    monkeypatch.setattr(datadog_agent, '_config', {**datadog_agent._config, **settings})


@pytest.mark.usefixtures('switch')
@pytest.mark.parametrize('provider', UNTRUSTED)
@pytest.mark.parametrize(
    'options',
    [
        pytest.param({}, id='the defaults'),
        pytest.param({'metrics': 'summary'}, id='an option that is harmless'),
        pytest.param({'use_configz': False, 'rules': [IPTABLES]}, id='a made-up proc'),
        pytest.param({'exemptions': [{'rule': IPTABLES, 'reason': 'because'}]}, id='an exemption'),
        pytest.param({'kubelet_url': 'https://127.0.0.1:1', 'tls_verify': False}, id='another kubelet'),
        pytest.param({'benchmark': 'bogus'}, id='a wrong option'),
    ],
)
def test_an_instance_of_an_untrusted_provider_is_refused_whole_and_sends_nothing(
    tmp_path: Path, aggregator: AggregatorStub, provider: str, options: dict[str, Any]
) -> None:
    write_process(tmp_path / 'proc', 700, ('kubelet',))
    check = check_from(provider, procfs_path=str(tmp_path / 'proc'), **options)
    for _ in range(2):
        (error,) = json.loads(check.run())
        assert error['message'] == (
            f'the configuration provider {provider} is not trusted to configure this check: put it in '
            'conf.d/kubelet_compliance.d/conf.yaml on the host, in datadog.confd of the Helm chart, '
            'or in extraConfd of the Operator'
        )
        assert 'ConfigurationError' in error['traceback']
    assert list(aggregator.metric_names) == list(aggregator.service_check_names) == []


@pytest.mark.usefixtures('switch')
@pytest.mark.parametrize('provider', [*DEFAULT_TRUSTED, ''])
@pytest.mark.parametrize('option', sorted(set(own_options()) - {'use_configz'}))
def test_who_runs_the_agent_may_set_every_option(
    tmp_path: Path, aggregator: AggregatorStub, provider: str, option: str
) -> None:
    write_process(tmp_path / 'proc', 700, ('kubelet',))
    options = {'procfs_path': str(tmp_path / 'proc'), 'use_configz': False, 'rules': [IPTABLES]}
    check = check_from(provider, **{option: own_options()[option], **options})
    assert collect(check, aggregator).found == 1


@pytest.mark.parametrize(
    ('setting', 'provider', 'is_trusted'),
    [
        pytest.param(None, 'file', True, id='the default trusts files'),
        pytest.param('', 'remote-config', True, id='the default trusts remote configuration'),
        pytest.param(None, POD_ANNOTATIONS, False, id='the default trusts no pod'),
        pytest.param(['file', POD_ANNOTATIONS], POD_ANNOTATIONS, True, id='the Agent trusts pods'),
        pytest.param(['consul'], 'file', False, id='the Agent does not trust files'),
        pytest.param([], 'file', False, id='the Agent trusts nobody'),
        pytest.param('file,consul', 'consul', True, id='a list as text'),
        pytest.param('file remote-config', 'fil', False, id='a part of a name'),
        pytest.param(7, 'file', False, id='a setting that is no list'),
        pytest.param([], '', True, id='the Agent does not name it'),
        pytest.param([], None, True, id='the base class does not know of providers'),
    ],
)
def test_the_providers_are_those_that_the_agent_trusts(setting: object, provider: str | None, is_trusted: bool) -> None:
    assert (reason_to_refuse(provider, setting) == '') is is_trusted


def test_the_agents_setting_is_asked_for(
    tmp_path: Path, aggregator: AggregatorStub, datadog_agent: DatadogAgentStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_process(tmp_path / 'proc', 700, ('kubelet',))
    set_agent(monkeypatch, datadog_agent, integration_trusted_providers=[POD_ANNOTATIONS])
    options = {'procfs_path': str(tmp_path / 'proc'), 'use_configz': False, 'rules': [IPTABLES]}
    assert collect(check_from(POD_ANNOTATIONS, **options), aggregator).found == 1
    assert 'the configuration provider file is not trusted' in check_from('file', **options).run()


def test_the_default_is_that_of_the_base_package() -> None:
    security = pytest.importorskip('datadog_checks.base.utils.models.validation.security')
    assert set(security.DEFAULT_TRUSTED_PROVIDERS) == DEFAULT_TRUSTED


@pytest.fixture
def procfs(tmp_path: Path, datadog_agent: DatadogAgentStub) -> Path:
    folder = tmp_path / 'proc'
    write_process(folder, 700, ('kubelet',))
    datadog_agent._config['procfs_path'] = str(folder)
    return folder


@pytest.mark.usefixtures('procfs')
@pytest.mark.filterwarnings('ignore:Unverified HTTPS request')
def test_no_option_turns_trust_off(
    aggregator: AggregatorStub, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the Agent goes by the authorities of the system it gives no CA of its own: its token must not leave."""
    with serve(certificates) as server:
        info = {'url': server.url, 'verify_tls': 'true', 'token': 'of-the-agent'}
        monkeypatch.setattr('datadog_checks.kubelet_compliance.check.get_connection_info', lambda: info)
        sent = collect(check_from(FILE, tls_verify=False, tls_ignore_warning=True), aggregator)
        assert server.requests == []
        assert 'the certificate of the kubelet is signed by an unknown CA' in sent.kubelet[1]


@pytest.mark.usefixtures('procfs')
@pytest.mark.parametrize(
    'options',
    [
        {'auth_type': 'aws', 'aws_host': 'thief.example', 'aws_region': 'x', 'aws_service': 'x'},
        {'kerberos_auth': 'required', 'kerberos_hostname': 'thief.example'},
        {'allow_redirects': True},
        {'skip_proxy': False},
    ],
    ids=['aws', 'kerberos', 'redirects', 'proxy-of-the-environment'],
)
def test_no_option_leads_the_agents_own_request_elsewhere(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """Over plain HTTP, where a proxy would see the request itself; it is asked, for the kubelet holds the socket."""
    monkeypatch.setattr(LiveHost, 'answers_at', lambda *_: True)
    with serve(None) as server, serve(None) as thief:
        server.status, server.location = 302, f'{thief.url}/configz'
        monkeypatch.setenv('http_proxy', thief.url)
        info = {'url': server.url, 'token': 'of-the-agent'}
        monkeypatch.setattr('datadog_checks.kubelet_compliance.check.get_connection_info', lambda: info)
        check = check_from(FILE, proxy={'http': thief.url, 'https': thief.url}, **options)
        check.run()
        assert server.requests != [] or 'auth_type' in options or 'kerberos_auth' in options
        assert thief.requests == []
