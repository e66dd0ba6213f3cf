# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules on the mode and the owner of the kubelet's own files: a row each."""

from __future__ import annotations

from collections.abc import Iterator

from datadog_checks.kubelet_compliance.model import FileAspect, FileSubject, Rule

from .expect import allowed_mode, owned_by_root

# Which files, in words; what whoever can read them learns or whoever can write them does.
SUBJECTS = (
    (
        'service_file',
        FileSubject.SERVICE,
        'the systemd unit that the kubelet runs in, and its drop-ins',
        'Whoever can write to them decides with which arguments the kubelet runs, and so what it allows.',
    ),
    (
        'kubeconfig',
        FileSubject.KUBECONFIG,
        'the file of --kubeconfig',
        'It says how the kubelet proves to the API server which node it is: whoever reads it can act as the node.',
    ),
    (
        'client_ca',
        FileSubject.CLIENT_CA,
        'the CA of authentication.x509.clientCAFile or --client-ca-file',
        'Whoever can write to it can let in clients of their own making.',
    ),
    (
        'config_file',
        FileSubject.CONFIG,
        'the file of --config, and each drop-in of --config-dir',
        'Whoever can write to them sets what the kubelet allows from its next start on.',
    ),
    (
        'azure_json',
        FileSubject.AZURE_JSON,
        '/etc/kubernetes/azure.json',
        'It can hold credentials for the cloud: whoever reads it can act as the cluster.',
    ),
)

READ_BY_OTHERS = frozenset({FileSubject.CLIENT_CA, FileSubject.KUBECONFIG, FileSubject.AZURE_JSON})
"""Files that other programs than the kubelet read, such as the control plane, a CNI plugin or the Agent."""


def iter_rules() -> Iterator[Rule]:
    """Two rules for each subject: its mode and its owner."""
    for name, subject, files, why in SUBJECTS:
        yield Rule(
            key=f'{name}_permissions',
            title=f'{subject.value[0].upper()}{subject.value[1:]} should be closed to other users',
            files=subject,
            aspect=FileAspect.MODE,
            expected=allowed_mode(f'{name}_permissions'),
            default="set by who wrote the file",
            what=f'The mode of {files} is one that the benchmark allows. Links are followed.',
            why=why,
            impact='Programs that read the file as another user no longer can.',
            caution=(
                'programs that read it as another user than root no longer can' if subject in READ_BY_OTHERS else ''
            ),
            references=(),
        )
        yield Rule(
            key=f'{name}_ownership',
            title=f'{subject.value[0].upper()}{subject.value[1:]} should belong to root',
            files=subject,
            aspect=FileAspect.OWNER,
            expected=owned_by_root(),
            default='set by who wrote the file',
            what=f'The owner and the group of {files} are root. Links are followed.',
            why=why,
            impact='None for the kubelet, which runs as root.',
            references=(),
        )


FILE_RULES = tuple(iter_rules())
