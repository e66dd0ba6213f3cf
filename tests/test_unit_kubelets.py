# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is said of one kubelet beside its settings: the certificate that it serves, and the kernel that it starts on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.capture import NODE_FACTS, parse_capture
from datadog_checks.kubelet_compliance.collect import Collector
from datadog_checks.kubelet_compliance.host import Host
from datadog_checks.kubelet_compliance.kernel_settings import EXPECTED
from datadog_checks.kubelet_compliance.model import Finding, NodeReport, Verdict
from datadog_checks.kubelet_compliance.selection import select

from .test_unit_nodes import NODES

PKI, OTHER = '/var/lib/kubelet/pki', '/var/lib/other'
ISSUED = 'kubelet-server-current.pem'
PAIR = 'tlsCertFile: /k.crt\ntlsPrivateKeyFile: /k.key\n'
ASKS = 'serverTLSBootstrap: true\n'
STATUS = {'mode': '600', 'uid': 0, 'gid': 0, 'changed_at': None}
NOT_THERE = {'missing': True, 'why': 'no such file or directory'}


class OnKernel(Host):
    """A captured node whose kernel has some settings that differ from what a kubelet expects."""

    changes: dict[str, str] = {}

    def kernel_setting(self, name: str) -> str | None:
        return {**EXPECTED, **self.changes}[name]


def lay_out(folder: Path, config: str, flag: str = '') -> dict[str, Any]:
    """The node of kubeadm, with more in its file and on its command line; what was kept of it."""
    shutil.copytree(NODES / 'kubeadm', folder, symlinks=True, dirs_exist_ok=True)
    file = folder / 'var/lib/kubelet/config.yaml'
    file.write_text(f'{file.read_text()}{config}')
    line = folder / 'proc/1200/cmdline'
    line.write_text(f'{line.read_text()}{flag}\0' if flag else line.read_text())
    facts: dict[str, Any] = json.loads((folder / NODE_FACTS).read_text())
    return facts


def report(folder: Path, facts: dict[str, Any], rule: str, changes: dict[str, str] | None = None) -> NodeReport:
    host = OnKernel(str(folder / 'proc'), str(folder), capture=parse_capture(json.dumps(facts).encode()))
    host.changes = changes or {}
    return Collector(host, select('cis-1.24', [rule]), None, '1.33').collect().node


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
    finding = the_finding(report(tmp_path, facts, 'tls_cert_file'))
    assert finding.verdict is (Verdict.NON_COMPLIANT if lacks else Verdict.COMPLIANT)
    assert ('kubectl certificate approve NAME' in finding.message) is lacks


def the_finding(node: NodeReport) -> Finding:
    (finding,) = node.findings
    return finding


PROTECT = 'protectKernelDefaults: true\n'
WRONG = {'kernel.panic': '0'}


@pytest.mark.parametrize(
    ('config', 'changes', 'is_told'),
    [
        pytest.param(PROTECT, WRONG, True, id='protected, and another value'),
        pytest.param(PROTECT, {}, False, id='protected, and all as expected'),
        pytest.param('', WRONG, False, id='not protected'),
        pytest.param(
            f'{PROTECT}featureGates:\n  KubeletInUserNamespace: true\n',
            WRONG,
            False,
            id='it only warns in a user namespace',
        ),
    ],
)
def test_a_kernel_that_ends_the_next_start_is_a_problem_of_the_kubelet(
    config: str, changes: dict[str, str], is_told: bool, tmp_path: Path
) -> None:
    node = report(tmp_path, lay_out(tmp_path, config), 'protect_kernel_defaults', changes)
    told = [problem for problem in node.problems if 'kernel settings differ' in problem.reason]
    assert bool(told) is is_told
    assert all(problem.refused and problem.remedy == 'set kernel.panic=10' for problem in told)
    # What runs is compliant all the same.
    assert the_finding(node).verdict is (Verdict.COMPLIANT if config else Verdict.NON_COMPLIANT)
