# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads what the fixes of broken rules depend on. It serves advice only, and `rules/node_facts.py` evaluates it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from datadog_checks.kubelet_compliance.kubelet.kernel_settings import EXPECTED, FOLDERS
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.model import (
    Answer,
    Fact,
    File,
    FileStatus,
    Folder,
    Missing,
    Process,
    Unreadable,
)
from datadog_checks.kubelet_compliance.node.change_stamps import Trace
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.procfs import kernel_setting
from datadog_checks.kubelet_compliance.rules.access_rules import KUBEADM_CLIENT_CA
from datadog_checks.kubelet_compliance.rules.node_facts import (
    FactQuestion,
    FactSources,
    answer_facts,
    sysctl_paths,
)

HOST_NAME = '/etc/hostname'
NOT_KEPT = 'the captured node does not keep its content'


def read_fact_sources(host: Host, process: Process, question: FactQuestion, wanted: Collection[Fact]) -> FactSources:
    """Everything that the answers to some facts depend on, and nothing else."""
    aside = Aside(host, process)
    kubeconfig = question.kubeconfig if Fact.CLIENT_CERTIFICATE in wanted else ''
    pods_path = question.static_pod_path if Fact.NO_STATIC_PODS in wanted else ''
    pods = aside.list_folder(pods_path) if pods_path else None
    needs_kernel = Fact.KERNEL_SETTINGS in wanted
    return FactSources(
        client_ca=host.file_status(process, KUBEADM_CLIENT_CA) if Fact.CLIENT_CA in wanted else None,
        kubeconfig=aside.read_file(kubeconfig) if kubeconfig else None,
        host_name=aside.read_file(HOST_NAME) if Fact.HOST_NAME in wanted else None,
        static_pods=pods,
        static_pods_at=aside.file_status(pods_path) if isinstance(pods, Missing) else None,
        sysctl_files=read_sysctl_files(aside) if needs_kernel else None,
        # A machine that does not run has no kernel settings: these belong to the machine that runs the check.
        kernel=read_kernel(host) if needs_kernel and not process.unit else {},
        kept=host.capture.facts if host.capture is not None else {},
    )


def read_facts(host: Host, kubelet: Kubelet, wanted: Collection[Fact]) -> dict[Fact, Answer]:
    """The answers to some facts, about the node of a kubelet."""
    question = FactQuestion(kubelet.flags, kubelet.value)
    return answer_facts(question, read_fact_sources(host, kubelet.process, question, wanted), wanted)


class Aside:
    """Reads files of a process without leaving a stamp, so that advice costs the next collections nothing."""

    def __init__(self, host: Host, process: Process) -> None:
        self.host = host
        self.process = process

    @contextmanager
    def without_stamps(self) -> Iterator[None]:
        trace, self.host.trace = self.host.trace, Trace()
        try:
            yield
        finally:
            self.host.trace = trace

    def read_file(self, path: str) -> File | Missing | Unreadable:
        if self.host.capture is not None:
            return Unreadable(path, NOT_KEPT)
        with self.without_stamps():
            return self.host.first_seen(self.process, path, self.host.read_one)

    def list_folder(self, path: str) -> Folder | Missing | Unreadable:
        if self.host.capture is not None:
            return Unreadable(path, NOT_KEPT)
        with self.without_stamps():
            return self.host.first_seen(self.process, path, self.host.names_in)

    def file_status(self, path: str) -> FileStatus | Missing | Unreadable:
        with self.without_stamps():
            return self.host.file_status(self.process, path)


def read_sysctl_files(aside: Aside) -> tuple[File | Missing | Unreadable, ...] | None:
    """The sysctl files that count, in order; None if not all are known, or there are too many."""
    paths = sysctl_paths([aside.list_folder(folder) for folder in FOLDERS])
    return None if paths is None else tuple(aside.read_file(path) for path in paths)


def read_kernel(host: Host) -> dict[str, str | None]:
    """The current kernel settings that a kubelet depends on; None for each that can't be read."""
    return {name: kernel_setting(host.procfs, name) if host.capture is None else None for name in EXPECTED}
