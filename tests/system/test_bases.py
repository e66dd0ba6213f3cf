# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The whole check with the base package that is installed; `make test-bases` runs it with the oldest and the newest."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import datadog_checks.base
from datadog_checks.base import AgentCheck
from datadog_checks.base.stubs.aggregator import AggregatorStub
from tests.support.kubelet_server import Certificates, KubeletServer
from tests.support.nodes import HEAD, write_process
from tests.support.paths import ROOT
from tests.support.sent import CRITICAL, IPTABLES, OK, Sent, check_of, collect, show
from tests.support.standin import Standins
from tests.support.users import USERS


def test_the_base_package_is_the_one_that_is_meant() -> None:
    """An environment of `make test-bases` must not fall back to what lies below it."""
    name = Path(sys.prefix).name.removeprefix('.venv-')
    if name in ('oldest', 'newest'):
        pinned = (ROOT / 'requirements' / f'{name}.txt').read_text()
        assert f'datadog-checks-base=={datadog_checks.base.__version__}\n' in pinned
        assert Path(datadog_checks.base.__file__).is_relative_to(sys.prefix)


def test_the_oldest_pinned_is_the_oldest_allowed() -> None:
    (allowed,) = re.findall(r'"datadog-checks-base>=([0-9.]+)"', (ROOT / 'pyproject.toml').read_text())
    assert f'\ndatadog-checks-base=={allowed}\n' in (ROOT / 'requirements' / 'oldest.txt').read_text()


@pytest.fixture(params=['package', 'single file'])
def check_class(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[AgentCheck]:
    if request.param == 'package':
        return type(check_of('/nonexistent'))
    subprocess.run([sys.executable, ROOT / 'tools' / 'single_file.py', tmp_path / 'one_of_all.py'], check=True)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'one_of_all', raising=False)
    import one_of_all  # type: ignore[import-not-found]

    found: type[AgentCheck] = one_of_all.KubeletComplianceCheck
    return found


@pytest.mark.parametrize('value, status', [('true', OK), ('false', CRITICAL)])
def test_a_node_is_judged_by_its_files_and_by_what_its_kubelet_answers(
    check_class: type[AgentCheck],
    standins: Standins,
    tmp_path: Path,
    api: KubeletServer,
    certificates: Certificates,
    aggregator: AggregatorStub,
    value: str,
    status: int,
) -> None:
    (tmp_path / 'config.yaml').write_text(f'{HEAD}makeIPTablesUtilChains: {value}\n')
    kubelet = standins.launch(('kubelet', f'--config={tmp_path}/config.yaml'), handles=(api.handle,))
    procfs = show(tmp_path / 'proc', kubelet)
    instance = {'procfs_path': str(procfs), 'allowed_users': [*USERS], 'rules': [IPTABLES], 'tags': ['team:x']}
    check: Any = check_class('kubelet_compliance', {}, [instance])
    check.agents_own = lambda: {'url': api.url, 'ca_cert': str(certificates.ca), 'token': 'of-the-agent'}
    sent: Sent = collect(check, aggregator)
    assert sent.status() == status
    assert set(api.paths()) == {'/configz'}
    assert sent.found == 1


def test_the_credentials_of_the_instance_are_taken(
    standins: Standins, tmp_path: Path, api: KubeletServer, certificates: Certificates, aggregator: AggregatorStub
) -> None:
    """Options of the base class that say a path, which newer ones hold back where an instance is not trusted."""
    procfs = show(tmp_path / 'proc', standins.launch(('kubelet',), handles=(api.handle,)))
    files = {
        'tls_ca_cert': certificates.ca,
        'tls_cert': certificates.client,
        'tls_private_key': certificates.client_key,
    }
    options = {name: str(path) for name, path in files.items()}
    sent = collect(check_of(procfs, kubelet_url=api.url, **options), aggregator)
    assert (sent.kubelet, sent.status()) == ((OK, ''), OK)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'rules': ['bogus']}, 'unknown rules for cis-1.24: bogus'),
        ({'metrics': 'some'}, "'full', 'summary' or 'none'"),
        ({'exemptions': [{'rule': IPTABLES}]}, 'exemptions -> 1 -> reason'),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], message: str) -> None:
    (error,) = json.loads(check_of('/nonexistent', **options).run())
    assert message in error['message']


def test_what_there_is_to_change_is_a_warning_and_a_diagnosis(tmp_path: Path, aggregator: AggregatorStub) -> None:
    write_process(tmp_path / 'proc', 700, ('kubelet', '--config=/nonexistent'))
    check = check_of(tmp_path / 'proc', use_configz=False)
    assert 'the next restart will fail' in collect(check, aggregator).kubelet[1]
    assert check.get_warnings() != []
    assert json.loads(check.get_diagnoses()) != []
