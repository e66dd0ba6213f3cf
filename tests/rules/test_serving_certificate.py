# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A kubelet that asks the cluster for its serving certificate breaks the rule until it has one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.collection.file_statuses import with_statuses
from datadog_checks.kubelet_compliance.model import Fault, Finding, Unknown, Verdict
from datadog_checks.kubelet_compliance.node.captured import NODE_FACTS, parse_capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.rules.selection import select
from datadog_checks.kubelet_compliance.rules.serving_certificate import missing_certificate
from tests.support.captured_nodes import lay_out_node

PKI, OTHER = '/var/lib/kubelet/pki', '/var/lib/other'
ISSUED = 'kubelet-server-current.pem'
PAIR = 'tlsCertFile: /k.crt\ntlsPrivateKeyFile: /k.key\n'
ASKS = 'serverTLSBootstrap: true\n'
STATUS = {'mode': '600', 'uid': 0, 'gid': 0, 'changed_at': None}
NOT_THERE = {'missing': True, 'why': 'no such file or directory'}


def lay_out(folder: Path, config: str, flag: str = '') -> dict[str, Any]:
    """The node of kubeadm, with more in its file and on its command line; what was kept of it."""
    lay_out_node('kubeadm', folder)
    file = folder / 'var/lib/kubelet/config.yaml'
    file.write_text(f'{file.read_text()}{config}')
    line = folder / 'proc/1200/cmdline'
    line.write_text(f'{line.read_text()}{flag}\0' if flag else line.read_text())
    facts: dict[str, Any] = json.loads((folder / NODE_FACTS).read_text())
    return facts


def found(folder: Path, facts: dict[str, Any], rule: str) -> Finding:
    host = CapturedHost(str(folder / 'proc'), str(folder), capture=parse_capture(json.dumps(facts).encode()))
    (finding,) = Collector(host, select('cis-1.24', [rule]), None, '1.33').collect().node.findings
    return finding


@pytest.mark.parametrize(
    ('config', 'flag', 'folder', 'is_there', 'lacks'),
    [
        pytest.param(ASKS, '', PKI, False, True, id='asked for and not there'),
        pytest.param(ASKS, '', PKI, True, False, id='asked for and there'),
        pytest.param(ASKS, '', PKI, None, False, id='not kept with the node'),
        pytest.param(ASKS + PAIR, '', PKI, False, False, id='a pair of files is served until then'),
        pytest.param(f'{ASKS}tlsCertFile: /k.crt\n', '', PKI, False, True, id='half a pair is not'),
        pytest.param(PAIR, '', PKI, False, False, id='not asked for'),
        pytest.param('', '--rotate-server-certificates', PKI, False, True, id='asked for by a flag'),
        pytest.param(ASKS, f'--cert-dir={OTHER}', OTHER, False, True, id='in a folder of its own, not there'),
        pytest.param(ASKS, f'--cert-dir={OTHER}', OTHER, True, False, id='in a folder of its own'),
    ],
)
def test_a_kubelet_without_its_serving_certificate_is_not_compliant(
    config: str, flag: str, folder: str, is_there: bool | None, lacks: bool, tmp_path: Path
) -> None:
    facts = lay_out(tmp_path, config, flag)
    path = f'{folder}/{ISSUED}'
    if is_there:
        facts['files'][path] = STATUS
    elif is_there is False:
        facts['unseen_modes'] = {path: NOT_THERE}
    finding = found(tmp_path, facts, 'tls_cert_file')
    assert finding.verdict is (Verdict.NON_COMPLIANT if lacks else Verdict.COMPLIANT)
    assert ('kubectl certificate approve NAME' in finding.message) is lacks


@pytest.mark.parametrize(
    ('is_there', 'lacks'),
    [
        pytest.param(True, False, id='the file is there, and the kubelet was not asked again yet'),
        pytest.param(False, True, id='the file is not there'),
        pytest.param(None, True, id='the file cannot be seen'),
    ],
)
def test_a_certificate_that_has_come_counts_before_the_kubelet_is_asked_again(
    is_there: bool | None, lacks: bool, tmp_path: Path
) -> None:
    facts = lay_out(tmp_path, ASKS)
    path = f'{PKI}/{ISSUED}'
    if is_there:
        facts['files'][path] = STATUS
    elif is_there is False:
        facts['unseen_modes'] = {path: NOT_THERE}
    host = CapturedHost(str(tmp_path / 'proc'), str(tmp_path), capture=parse_capture(json.dumps(facts).encode()))
    (process,) = host.find_kubelets().processes
    selection = select('cis-1.24', ['tls_cert_file'])
    kubelet = Collector(host, selection).reader.read(process, '1.33')
    assert kubelet is not None
    failed = replace(kubelet, running=Unknown('no certificate', fault=Fault.NO_CERTIFICATE))
    assert (missing_certificate(with_statuses(host, failed, selection)) is not None) is lacks


def test_a_kubelet_without_an_api_server_has_no_request_to_approve(tmp_path: Path) -> None:
    facts = lay_out(tmp_path, ASKS)
    line = tmp_path / 'proc/1200/cmdline'
    words = [word for word in line.read_text().split('\0') if 'kubeconfig' not in word]
    line.write_text('\0'.join(words))
    facts['unseen_modes'] = {f'{PKI}/{ISSUED}': NOT_THERE}
    finding = found(tmp_path, facts, 'tls_cert_file')
    assert finding.verdict is Verdict.NON_COMPLIANT
    assert 'set tlsCertFile and tlsPrivateKeyFile' in finding.message and 'approve' not in finding.message
