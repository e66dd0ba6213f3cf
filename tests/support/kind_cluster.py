# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The environment of the end-to-end test: a kind cluster, and an Agent in a container on the same machine.

A node of kind is a container, so its kubelet is a process of this machine, in a PID namespace of its own. To the Agent,
it is a nested kubelet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datadog_checks.dev import TempDir, run_command
from datadog_checks.dev._env import get_state, save_state
from datadog_checks.dev.kind import kind_run

from .paths import TESTS

CONFIG = TESTS / 'kind' / 'cluster.yaml'
NODE_STATE = 'kubelet_compliance_node'
PORT = 10250

IN_AGENT = '/etc/kubelet-compliance'
# The file in the Agent's container, and where kubeadm and the kubelet have it on the node.
CREDENTIALS = {
    'kubelet.crt': '/var/lib/kubelet/pki/kubelet.crt',
    'client.crt': '/etc/kubernetes/pki/apiserver-kubelet-client.crt',
    'client.key': '/etc/kubernetes/pki/apiserver-kubelet-client.key',
}


def output_of(*command: str) -> str:
    output: str = run_command(list(command), capture='out', check=True).stdout
    return output


def prepare(folder: Path) -> Callable[[], None]:
    """Return what to do once, after the cluster has started: copy the credentials, and remember the node."""

    def copy_and_remember() -> None:
        (node,) = json.loads(output_of('kubectl', 'get', 'nodes', '--output', 'json'))['items']
        name = node['metadata']['name']
        addresses = {address['type']: address['address'] for address in node['status']['addresses']}
        for file, source in CREDENTIALS.items():
            (folder / file).write_text(output_of('docker', 'exec', name, 'cat', source))
        save_state(NODE_STATE, [name, addresses['InternalIP']])

    return copy_and_remember


def instance_for(node: str) -> dict[str, Any]:
    """An instance that verifies the kubelet's own certificate, so that the running configuration counts."""
    return {
        'benchmark': 'cis-1.24',
        'nested': True,
        'procfs_path': '/host/proc',
        'kubelet_url': f'https://{node}:{PORT}',
        'tls_ca_cert': f'{IN_AGENT}/kubelet.crt',
        'tls_cert': f'{IN_AGENT}/client.crt',
        'tls_private_key': f'{IN_AGENT}/client.key',
    }


@contextmanager
def kind_environment() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The configuration of the check and the metadata of the Agent, while the cluster runs."""
    with TempDir('kubelet_compliance_credentials') as folder:
        with kind_run(conditions=[prepare(Path(folder))], kind_config=str(CONFIG)):
            name, address = get_state(NODE_STATE)
            metadata = {
                # The certificate has the node's name only.
                'custom_hosts': [(name, address)],
                'docker_volumes': [f'{folder}:{IN_AGENT}:ro'],
                # Without it, or with AppArmor, the check can't read the kubelet's files. The test does not need them.
                'cap_add': ['SYS_PTRACE'],
            }
            yield instance_for(name), metadata
