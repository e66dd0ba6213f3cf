# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is true of a node where a fix does no harm: reads what the fixes of some rules depend on, for advice only."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml import DocumentError, DocumentTooLarge, Node
from datadog_checks.kubelet_compliance.kubelet.kernel_settings import (
    ALL_TO_BE_ADDED,
    EXPECTED,
    FOLDERS,
    differing_settings,
    files_in_order,
    place_for,
    sysctl_assignments,
    sysctl_settings,
    to_be_added,
)
from datadog_checks.kubelet_compliance.model import (
    Answer,
    Fact,
    File,
    FileStatus,
    Folder,
    Missing,
    Process,
    Unknown,
    Value,
    is_absent,
)
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.rules.access_rules import KUBEADM_CLIENT_CA

HOST_NAME = '/etc/hostname'
CLIENT_CERTIFICATES = ('client-certificate', 'client-certificate-data')
MOST_SYSCTL_FILES = 64
NOT_KNOWN = Answer()


@dataclass(frozen=True, slots=True)
class Asked:
    """A kubelet whose node is asked. `value`: of a field or flag, as the kubelet runs with it or would."""

    host: Host
    process: Process
    flags: Flags | Unknown
    value: Callable[[str], Value]

    def flag(self, name: str) -> str | None:
        """The text of a flag, '' where it is not given; None where the flags are not known."""
        return None if isinstance(self.flags, Unknown) else self.flags.text(name)


def read_facts(asked: Asked, wanted: Iterable[Fact]) -> dict[Fact, Answer]:
    """The answers that are wanted. What a captured node would have to be read for was kept with it."""
    return {fact: answer_to(asked, fact) for fact in wanted}


def answer_to(asked: Asked, fact: Fact) -> Answer:
    answer, kept = ANSWERS[fact](asked), asked.host.kept_answer(fact)
    return answer if kept is None or answer.holds is not None else kept


def verifies_certificates(asked: Asked) -> Answer:
    value = asked.value('authentication.x509.clientCAFile')
    return Answer(value != '' if isinstance(value, str) else None)


def accepts_tokens(asked: Asked) -> Answer:
    value = asked.value('authentication.webhook.enabled')
    return Answer(value if isinstance(value, bool) else None)


def has_api_server(asked: Asked) -> Answer:
    path = asked.flag('kubeconfig')
    return Answer(None if path is None else path != '')


def has_client_ca(asked: Asked) -> Answer:
    status = asked.host.file_status(asked.process, KUBEADM_CLIENT_CA)
    return Answer(True if isinstance(status, FileStatus) else False if isinstance(status, Missing) else None)


def has_client_certificate(asked: Asked) -> Answer:
    """Whether the kubelet keeps its credentials when it rotates them (pkg/kubelet/certificate/bootstrap)."""
    if asked.flag('bootstrap-kubeconfig'):
        return Answer(True)
    path = asked.flag('kubeconfig')
    found = asked.host.peek_file(asked.process, path) if path else None
    return Answer(names_certificate(found.data) if isinstance(found, File) else None)


def names_certificate(kubeconfig: bytes) -> bool | None:
    """Whether every user of a kubeconfig has a client certificate; None where that cannot be told."""
    try:
        root = parse_document(kubeconfig).root
    except (DocumentError, DocumentTooLarge):
        return None
    users = [member(row, 'user') for row in items(member(root, 'users'))]
    return bool(users) and all(map(has_certificate, users))


def has_certificate(user: Node | None) -> bool:
    given = [member(user, name) for name in CLIENT_CERTIFICATES]
    return any(each is not None and bool(each.value) for each in given)


def member(node: Node | None, name: str) -> Node | None:
    found = node.value.get(name) if node is not None and isinstance(node.value, dict) else None
    return found if isinstance(found, Node) else None


def items(node: Node | None) -> list[Node]:
    return list(node.value) if node is not None and isinstance(node.value, list) else []


def has_host_name(asked: Asked) -> Answer:
    """Whether the host has the name that the kubelet overrides it with (component-helpers `GetHostname`)."""
    found = asked.host.peek_file(asked.process, HOST_NAME)
    override = str(asked.value('--hostname-override') or '').strip().lower()
    name = found.data.decode('utf-8', 'replace').strip().lower() if isinstance(found, File) else ''
    return Answer(name == override if name and override else None)


def has_no_static_pods(asked: Asked) -> Answer:
    """Whether the folder of static pods holds no pod (pkg/kubelet/config/file_linux.go passes over dot files)."""
    path = asked.value('staticPodPath') or asked.flag('pod-manifest-path')
    found = asked.host.peek_folder(asked.process, str(path)) if path else None
    if isinstance(found, Missing):
        # It may be one file, and that is a pod then.
        return Answer(isinstance(asked.host.peek_status(asked.process, str(path)), Missing))
    if not isinstance(found, Folder):
        return NOT_KNOWN
    pods = [name for name in found.names if not name.startswith('.')]
    return Answer(not pods, f' (it holds {counted(len(pods), "file")})' if pods else '')


def counted(number: int, what: str) -> str:
    return f'{number} {what}{"" if number == 1 else "s"}'


def has_kernel_settings(asked: Asked) -> Answer:
    """Whether the kernel and sysctl's files set what the kubelet expects; the detail is what one of them does not."""
    paths: list[str] = []
    for folder in FOLDERS:
        listing = asked.host.peek_folder(asked.process, folder)
        if isinstance(listing, Folder):
            paths += [posixpath.join(folder, name) for name in listing.names]
        elif not is_absent(listing):
            return Answer(None, ALL_TO_BE_ADDED)
    files = [asked.host.peek_file(asked.process, path) for path in files_in_order(paths)[:MOST_SYSCTL_FILES]]
    if len(paths) > MOST_SYSCTL_FILES or not all(isinstance(file, File) or is_absent(file) for file in files):
        return Answer(None, ALL_TO_BE_ADDED)
    contents = {file.path: file.data for file in files if isinstance(file, File)}
    at_boot = differing_settings(sysctl_settings(contents.values()))
    # A machine that does not run has no present values: those here are of the machine that looks at it.
    now = [] if asked.process.unit else differing_settings(present_settings(asked.host.peek_kernel(EXPECTED)))
    lacking = [name for name in EXPECTED if name in at_boot or name in now]
    return Answer(False, to_be_added(lacking, place_for(lacking, contents))) if lacking else Answer(True)


def present_settings(values: Mapping[str, str | None]) -> dict[str, str]:
    """What the kernel has; a setting that is unknown counts as what the kubelet expects."""
    return {name: EXPECTED[name] if value is None else value for name, value in values.items()}


ANSWERS: Mapping[Fact, Callable[[Asked], Answer]] = {
    Fact.CERTIFICATES_VERIFIED: verifies_certificates,
    Fact.TOKENS_ACCEPTED: accepts_tokens,
    Fact.API_SERVER: has_api_server,
    Fact.CLIENT_CA: has_client_ca,
    Fact.CLIENT_CERTIFICATE: has_client_certificate,
    Fact.HOST_NAME: has_host_name,
    Fact.NO_STATIC_PODS: has_no_static_pods,
    Fact.KERNEL_SETTINGS: has_kernel_settings,
}


def kernel_problem(host: Host) -> Unknown | None:
    """Why a kubelet with protectKernelDefaults would not start now; None where nothing shows that."""
    values = present_settings(host.kernel_settings(EXPECTED))
    wrong = differing_settings(values)
    if not wrong:
        return None
    shown = ', '.join(f'{name} is {values[name]}' for name in wrong)
    return Unknown(
        f'protectKernelDefaults is true, and the kernel settings differ from what the kubelet expects: {shown}',
        f'set {sysctl_assignments(wrong)}',
        refused=True,
    )
