# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""An instance that comes from a pod's annotations: it must not say what is read, judged, or asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.base.stubs.datadog_agent import DatadogAgentStub
from datadog_checks.base.utils.models.validation.security import DEFAULT_TRUSTED_PROVIDERS
from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.config_models.instance import InstanceConfig
from datadog_checks.kubelet_compliance.config_models.shared import SharedConfig
from datadog_checks.kubelet_compliance.host import Host

from .kubelet_server import Certificates, serve
from .nodes import write_process
from .sent import IPTABLES, collect

SPEC = Path(__file__).parent.parent / 'assets' / 'configuration' / 'spec.yaml'
POD_ANNOTATIONS = 'kubernetes-container-allinone'

MAY_BE_SET = {'metrics'}
"""Of the integration's own options: it says only how much is sent."""

SAY_NO_PATH_AND_NO_URL = {
    # How the kubelet is asked: as whom, with what, and how long is waited for it.
    'allow_redirects', 'auth_type', 'aws_region', 'aws_service', 'connect_timeout', 'extra_headers', 'headers',
    'kerberos_auth', 'kerberos_delegate', 'kerberos_force_initiate', 'kerberos_principal', 'log_requests',
    'ntlm_domain', 'password', 'persist_connections', 'read_timeout', 'request_size', 'skip_proxy', 'timeout',
    'tls_ciphers', 'tls_ignore_warning', 'tls_protocols_allowed', 'tls_use_host_header',
    'use_legacy_auth_encoding', 'username',
    # What every check has.
    'disable_generic_tags', 'empty_default_hostname', 'enable_legacy_tags_normalization', 'metric_patterns',
    'min_collection_interval', 'service', 'tags',
}  # fmt: skip
HAVE_NO_EFFECT = {'proxy', 'tls_verify', 'aws_host', 'kerberos_hostname'}
"""They name a host, or turn trust off, and are not refused: tests below show that nothing comes of it."""


def own_options() -> dict[str, Any]:
    """The options of spec.yaml that are no template of the base package, with their examples."""
    (file,) = yaml.safe_load(SPEC.read_text())['files']
    (instances,) = [option for option in file['options'] if option['template'] == 'instances']
    return {option['name']: option['value'].get('example', 'x') for option in instances['options'] if 'name' in option}


EXAMPLES: dict[str, Any] = {
    **own_options(),
    'auth_token': {'reader': {'type': 'file', 'path': '/etc/shadow'}, 'writer': {'type': 'header', 'name': 'X'}},
    **dict.fromkeys(('kerberos_cache', 'kerberos_keytab', 'tls_ca_cert', 'tls_cert', 'tls_private_key'), '/etc/shadow'),
}


@pytest.fixture(autouse=True)
def enforced(datadog_agent: DatadogAgentStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an Agent that holds options of pods back; the stub itself is one for all tests."""
    told = {
        'integration_ignore_untrusted_file_params': True,
        'integration_trusted_providers': list(DEFAULT_TRUSTED_PROVIDERS),
    }
    monkeypatch.setattr(datadog_agent, '_config', {**datadog_agent._config, **told})


def check_from(provider: str, **options: Any) -> KubeletComplianceCheck:
    check = KubeletComplianceCheck('kubelet_compliance', {}, [options])
    check.provider = provider
    return check


@pytest.mark.parametrize('option', sorted(set(EXAMPLES) - MAY_BE_SET))
def test_a_pods_annotations_cannot_set_an_option_that_says_what_is_read_judged_or_asked(
    aggregator: AggregatorStub, option: str
) -> None:
    (error,) = json.loads(check_from(POD_ANNOTATIONS, **{option: EXAMPLES[option]}).run())
    assert f"Field '{option}' is not allowed from untrusted provider '{POD_ANNOTATIONS}'" in error['message']
    assert 'ConfigurationError' in error['traceback']
    assert list(aggregator.metric_names) == list(aggregator.service_check_names) == []


@pytest.mark.parametrize('option', sorted(set(own_options()) - {'use_configz'}))
@pytest.mark.parametrize('provider', DEFAULT_TRUSTED_PROVIDERS)
def test_who_runs_the_agent_may_set_them(
    tmp_path: Path, aggregator: AggregatorStub, provider: str, option: str
) -> None:
    write_process(tmp_path / 'proc', 700, ('kubelet',))
    options = {'procfs_path': str(tmp_path / 'proc'), 'use_configz': False, 'rules': [IPTABLES]}
    check = check_from(provider, **{option: EXAMPLES[option], **options})
    assert collect(check, aggregator).found == 1


def test_each_option_is_one_that_is_refused_or_one_that_says_no_path_and_no_url() -> None:
    """So an option that is new in spec.yaml, or in a template of the base package, has to be placed."""
    told = set(EXAMPLES) | SAY_NO_PATH_AND_NO_URL | HAVE_NO_EFFECT
    assert set(InstanceConfig.model_fields) == told
    assert set(SharedConfig.model_fields) == {'proxy', 'service', 'skip_proxy', 'timeout'}
    assert not SAY_NO_PATH_AND_NO_URL & set(EXAMPLES)
    words = ('path', 'url', 'root', 'file', 'cert', 'key', 'cache', 'folder', 'dir')
    parts = {option: set(option.split('_')) for option in SAY_NO_PATH_AND_NO_URL | HAVE_NO_EFFECT}
    assert [option for option, names in parts.items() if names & set(words)] == []


def test_the_models_are_those_of_the_spec() -> None:
    assert set(own_options()) <= set(InstanceConfig.model_fields)


@pytest.fixture
def procfs(tmp_path: Path, datadog_agent: DatadogAgentStub) -> Path:
    folder = tmp_path / 'proc'
    write_process(folder, 700, ('kubelet',))
    datadog_agent._config['procfs_path'] = str(folder)
    return folder


@pytest.mark.usefixtures('procfs')
@pytest.mark.filterwarnings('ignore:Unverified HTTPS request')
def test_a_pods_annotations_cannot_turn_trust_off(
    aggregator: AggregatorStub, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the Agent goes by the authorities of the system it gives no CA of its own: its token must not leave."""
    with serve(certificates) as server:
        info = {'url': server.url, 'verify_tls': 'true', 'token': 'of-the-agent'}
        monkeypatch.setattr('datadog_checks.kubelet_compliance.check.get_connection_info', lambda: info)
        sent = collect(check_from(POD_ANNOTATIONS, tls_verify=False, tls_ignore_warning=True), aggregator)
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
    monkeypatch.setattr(Host, 'answers_at', lambda *_: True)
    with serve(None) as server, serve(None) as thief:
        server.status, server.location = 302, f'{thief.url}/configz'
        monkeypatch.setenv('http_proxy', thief.url)
        info = {'url': server.url, 'token': 'of-the-agent'}
        monkeypatch.setattr('datadog_checks.kubelet_compliance.check.get_connection_info', lambda: info)
        check = check_from(POD_ANNOTATIONS, proxy={'http': thief.url, 'https': thief.url}, **options)
        check.run()
        assert server.requests != [] or 'auth_type' in options or 'kerberos_auth' in options
        assert thief.requests == []
