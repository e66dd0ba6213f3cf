# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Whether a fix could harm a node: the facts about the node that decide this. Pure.

`collection/fact_sources.py` reads what these functions ask for.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml import DocumentError, DocumentTooLarge, Node
from datadog_checks.kubelet_compliance.kubelet.kernel_settings import (
    ALL_TO_BE_ADDED,
    EXPECTED,
    differing_settings,
    files_in_order,
    place_for,
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
    Unknown,
    Unreadable,
    Value,
    is_absent,
)

CLIENT_CERTIFICATES = ('client-certificate', 'client-certificate-data')
MOST_SYSCTL_FILES = 64
NO_ANSWER = Answer()


@dataclass(frozen=True, slots=True)
class FactSources:
    """What was read of a node for some facts. None: it was not read, or nothing names the file.

    `static_pods_at`: what lies at the static pod path instead of a folder.
    """

    client_ca: FileStatus | Missing | Unreadable | None = None
    kubeconfig: File | Missing | Unreadable | None = None
    host_name: File | Missing | Unreadable | None = None
    static_pods: Folder | Missing | Unreadable | None = None
    static_pods_at: FileStatus | Missing | Unreadable | None = None
    sysctl_files: tuple[File | Missing | Unreadable, ...] | None = None
    """In the order in which sysctl applies them; None if not all could be sysctl_assignments, or there are too many."""
    kernel: Mapping[str, str | None] = field(default_factory=dict)
    """The kernel settings now; None for one that can't be read. Empty for a machine that does not run."""
    kept: Mapping[Fact, Answer] = field(default_factory=dict)
    """The answers that were kept with a captured node."""


@dataclass(frozen=True, slots=True)
class FactQuestion:
    """What the facts depend on besides files. `value`: the value of a field or flag at the next start, or now."""

    flags: Flags | Unknown
    value: Callable[[str], Value]

    def flag(self, name: str) -> str | None:
        """The text of a flag, '' where it is not given; None where the flags are not known."""
        return None if isinstance(self.flags, Unknown) else self.flags.text(name)

    @property
    def kubeconfig(self) -> str:
        """The kubeconfig to read; '' for none, as for a kubelet that can bootstrap its credentials."""
        return '' if self.can_bootstrap else self.flag('kubeconfig') or ''

    @property
    def can_bootstrap(self) -> bool:
        return bool(self.flag('bootstrap-kubeconfig'))

    @property
    def static_pod_path(self) -> str:
        return str(self.value('staticPodPath') or self.flag('pod-manifest-path') or '')


def answer_facts(question: FactQuestion, sources: FactSources, wanted: Iterable[Fact]) -> dict[Fact, Answer]:
    """The answers to the facts that are wanted. The answer in a capture counts if nothing else is known."""
    found = {fact: ANSWERS[fact](question, sources) for fact in wanted}
    return {fact: sources.kept.get(fact, answer) if answer.holds is None else answer for fact, answer in found.items()}


def verifies_certificates(question: FactQuestion, sources: FactSources) -> Answer:
    value = question.value('authentication.x509.clientCAFile')
    return Answer(value != '' if isinstance(value, str) else None)


def accepts_tokens(question: FactQuestion, sources: FactSources) -> Answer:
    value = question.value('authentication.webhook.enabled')
    return Answer(value if isinstance(value, bool) else None)


def has_api_server(question: FactQuestion, sources: FactSources) -> Answer:
    path = question.flag('kubeconfig')
    return Answer(None if path is None else path != '')


def has_client_ca(question: FactQuestion, sources: FactSources) -> Answer:
    status = sources.client_ca
    return Answer(True if isinstance(status, FileStatus) else False if isinstance(status, Missing) else None)


def has_client_certificate(question: FactQuestion, sources: FactSources) -> Answer:
    """Whether the kubelet keeps its credentials when it rotates them (pkg/kubelet/certificate/bootstrap)."""
    if question.can_bootstrap:
        return Answer(True)
    found = sources.kubeconfig
    return Answer(names_certificate(found.data) if isinstance(found, File) else None)


def names_certificate(kubeconfig: bytes) -> bool | None:
    """Whether every user of a kubeconfig has a client certificate; None if the file is not understood."""
    try:
        root = parse_document(kubeconfig).root
    except (DocumentError, DocumentTooLarge):
        return None
    users = [member(row, 'user') for row in list_items(member(root, 'users'))]
    return bool(users) and all(map(has_certificate, users))


def has_certificate(user: Node | None) -> bool:
    given = [member(user, name) for name in CLIENT_CERTIFICATES]
    return any(each is not None and bool(each.value) for each in given)


def member(node: Node | None, name: str) -> Node | None:
    found = node.value.get(name) if node is not None and isinstance(node.value, dict) else None
    return found if isinstance(found, Node) else None


def list_items(node: Node | None) -> list[Node]:
    return list(node.value) if node is not None and isinstance(node.value, list) else []


def has_host_name(question: FactQuestion, sources: FactSources) -> Answer:
    """Whether the host has the name that the kubelet overrides it with (component-helpers `GetHostname`)."""
    found = sources.host_name
    override = str(question.value('--hostname-override') or '').strip().lower()
    name = found.data.decode('utf-8', 'replace').strip().lower() if isinstance(found, File) else ''
    return Answer(name == override if name and override else None)


def has_no_static_pods(question: FactQuestion, sources: FactSources) -> Answer:
    """Whether the folder of static pods holds no pod (pkg/kubelet/config/file_linux.go passes over dot files)."""
    found = sources.static_pods
    if isinstance(found, Missing):
        # The path may be one file, which is then a pod.
        return Answer(isinstance(sources.static_pods_at, Missing))
    if not isinstance(found, Folder):
        return NO_ANSWER
    pods = [name for name in found.names if not name.startswith('.')]
    return Answer(not pods, f' (it holds {counted(len(pods), "file")})' if pods else '')


def counted(number: int, what: str) -> str:
    return f'{number} {what}{"" if number == 1 else "s"}'


def has_kernel_settings(question: FactQuestion, sources: FactSources) -> Answer:
    """Whether the kernel and the sysctl files set what the kubelet expects. The detail says what to add, and where."""
    files = sources.sysctl_files
    if files is None or not all(isinstance(file, File) or is_absent(file) for file in files):
        return Answer(None, ALL_TO_BE_ADDED)
    contents = {file.path: file.data for file in files if isinstance(file, File)}
    at_boot = differing_settings(sysctl_settings(contents.values()))
    now = differing_settings(present_settings(sources.kernel))
    lacking = [name for name in EXPECTED if name in at_boot or name in now]
    return Answer(False, to_be_added(lacking, place_for(lacking, contents))) if lacking else Answer(True)


def present_settings(kernel: Mapping[str, str | None]) -> dict[str, str]:
    """The kernel settings; one that can't be read counts as what the kubelet expects."""
    return {name: expected if (value := kernel.get(name)) is None else value for name, expected in EXPECTED.items()}


def sysctl_paths(listings: Sequence[Folder | Missing | Unreadable]) -> list[str] | None:
    """The sysctl files that count, in order; None if not all are known, or there are too many.

    `listings`: of the folders, the strongest one first.
    """
    if not all(isinstance(listing, Folder) or is_absent(listing) for listing in listings):
        return None
    folders = [listing for listing in listings if isinstance(listing, Folder)]
    paths = [posixpath.join(folder.path, name) for folder in folders for name in folder.names]
    return None if len(paths) > MOST_SYSCTL_FILES else files_in_order(paths)


ANSWERS: Mapping[Fact, Callable[[FactQuestion, FactSources], Answer]] = {
    Fact.CERTIFICATES_VERIFIED: verifies_certificates,
    Fact.TOKENS_ACCEPTED: accepts_tokens,
    Fact.API_SERVER: has_api_server,
    Fact.CLIENT_CA: has_client_ca,
    Fact.CLIENT_CERTIFICATE: has_client_certificate,
    Fact.HOST_NAME: has_host_name,
    Fact.NO_STATIC_PODS: has_no_static_pods,
    Fact.KERNEL_SETTINGS: has_kernel_settings,
}
