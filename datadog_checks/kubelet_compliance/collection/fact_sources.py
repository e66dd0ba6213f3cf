# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads what the fixes of broken rules depend on. It serves advice only, and `rules/node_facts.py` evaluates it."""

from __future__ import annotations

from collections.abc import Collection

from datadog_checks.kubelet_compliance.kubelet.kernel_settings import EXPECTED, FOLDERS
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.model import (
    Answer,
    Fact,
    File,
    Missing,
    Process,
    Unreadable,
)
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.rules.access_rules import KUBEADM_CLIENT_CA
from datadog_checks.kubelet_compliance.rules.node_facts import (
    FactQuestion,
    FactSources,
    answer_facts,
    sysctl_paths,
)

HOST_NAME = '/etc/hostname'


def read_fact_sources(host: Host, process: Process, question: FactQuestion, wanted: Collection[Fact]) -> FactSources:
    """Everything that the answers to some facts depend on, and nothing else."""
    kubeconfig = question.kubeconfig if Fact.CLIENT_CERTIFICATE in wanted else ''
    pods_path = question.static_pod_path if Fact.NO_STATIC_PODS in wanted else ''
    pods = host.peek_folder(process, pods_path) if pods_path else None
    needs_kernel = Fact.KERNEL_SETTINGS in wanted
    kept = {fact: host.kept_answer(fact) for fact in wanted}
    return FactSources(
        client_ca=host.file_status(process, KUBEADM_CLIENT_CA) if Fact.CLIENT_CA in wanted else None,
        kubeconfig=host.peek_file(process, kubeconfig) if kubeconfig else None,
        host_name=host.peek_file(process, HOST_NAME) if Fact.HOST_NAME in wanted else None,
        static_pods=pods,
        static_pods_at=host.peek_status(process, pods_path) if isinstance(pods, Missing) else None,
        sysctl_files=read_sysctl_files(host, process) if needs_kernel else None,
        # A machine that does not run has no kernel settings: these belong to the machine that runs the check.
        kernel=host.peek_kernel(EXPECTED) if needs_kernel and not process.unit else {},
        kept={fact: answer for fact, answer in kept.items() if answer is not None},
    )


def read_facts(host: Host, kubelet: Kubelet, wanted: Collection[Fact]) -> dict[Fact, Answer]:
    """The answers to some facts, about the node of a kubelet."""
    question = FactQuestion(kubelet.flags, kubelet.value)
    return answer_facts(question, read_fact_sources(host, kubelet.process, question, wanted), wanted)


def read_sysctl_files(host: Host, process: Process) -> tuple[File | Missing | Unreadable, ...] | None:
    """The sysctl files that count, in order; None if not all are known, or there are too many."""
    paths = sysctl_paths([host.peek_folder(process, folder) for folder in FOLDERS])
    return None if paths is None else tuple(host.peek_file(process, path) for path in paths)
