# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules on the mode and the owner of the kubelet's own files: one row for each kind of file, two rules from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import FileAspect, FileSubject, Rule

from .expectations import allowed_mode, owned_by_root


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of file. `name`: how the keys of its rules begin. `files`: which files, in words. `why`: the risk."""

    name: str
    subject: FileSubject
    files: str
    why: str
    is_read_by_others: bool = False
    """Whether programs other than the kubelet read it, such as the control plane, a CNI plugin, or the Agent."""


SUBJECTS = (
    Subject(
        'service_file',
        FileSubject.SERVICE,
        'the systemd unit of the kubelet, and its drop-ins',
        'Anyone who can write to them sets the arguments of the kubelet, and so what the kubelet allows.',
    ),
    Subject(
        'kubeconfig',
        FileSubject.KUBECONFIG,
        'the file of --kubeconfig',
        'It holds the credentials of the kubelet for the API server: anyone who can read it can act as the node.',
        is_read_by_others=True,
    ),
    Subject(
        'client_ca',
        FileSubject.CLIENT_CA,
        'the CA of authentication.x509.clientCAFile or --client-ca-file',
        'Anyone who can write to the CA file can admit their own clients.',
        is_read_by_others=True,
    ),
    Subject(
        'config_file',
        FileSubject.CONFIG,
        'the file of --config, and each drop-in of --config-dir',
        'Anyone who can write to them sets what the kubelet allows after its next start.',
    ),
    Subject(
        'azure_json',
        FileSubject.AZURE_JSON,
        '/etc/kubernetes/azure.json',
        'It can hold credentials for the cloud: anyone who can read it can act as the cluster.',
        is_read_by_others=True,
    ),
)


def iter_rules() -> Iterator[Rule]:
    """Two rules for each kind of file: its mode and its owner."""
    for row in SUBJECTS:
        title = f'{row.subject.value[0].upper()}{row.subject.value[1:]}'
        yield Rule(
            key=f'{row.name}_permissions',
            title=f'{title} should be closed to other users',
            files=row.subject,
            aspect=FileAspect.MODE,
            expected=allowed_mode(f'{row.name}_permissions'),
            default='the mode that its author gave it',
            what=f'The benchmark allows the mode of {row.files}. Links are followed.',
            why=row.why,
            impact='Programs that read the file as another user cannot read it anymore.',
            caution='programs that run as a user other than root cannot read it anymore'
            if row.is_read_by_others
            else '',
            references=(),
        )
        yield Rule(
            key=f'{row.name}_ownership',
            title=f'{title} should belong to root',
            files=row.subject,
            aspect=FileAspect.OWNER,
            expected=owned_by_root(),
            default='the owner that its author gave it',
            what=f'The owner and the group of {row.files} are root. Links are followed.',
            why=row.why,
            impact='None for the kubelet, which runs as root.',
            references=(),
        )


FILE_RULES = tuple(iter_rules())
