# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Kubelets of known releases, to ask what another release would make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.acceptance import has_accepted_its_line
from datadog_checks.kubelet_compliance.kubelet.command_lines import read_command_lines
from datadog_checks.kubelet_compliance.kubelet.declare import read_configurations
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.model import DropIns, Evidence, File, Place, Process

from .nodes import HEAD

STARTED_AT, WROTE_AT, AN_HOUR = 1000.0, 500.0, 3600.0


def evidence_of(
    *flags: str,
    config: str | None = None,
    drop_ins: Mapping[str, str] | None = None,
    uses_cgroup_v1: bool | None = False,
    age: float | None = AN_HOUR,
    changed_at: float = WROTE_AT,
    unit: str = '',
    places: Mapping[str, Place] | None = None,
    has_api_server: bool = True,
) -> Evidence:
    """What is read of a kubelet with these flags and files. `config` and `drop_ins`: the text after the head."""
    arguments = [*flags, *(['--kubeconfig=/k/kubeconfig'] if has_api_server else [])]
    file = folder = None
    if config is not None:
        arguments.append('--config=/k/c.yaml')
        file = File('/k/c.yaml', (HEAD + config).encode(), changed_at)
    if drop_ins is not None:
        arguments.append('--config-dir=/k/d')
        files = tuple(File(f'/k/d/{name}', text.encode(), changed_at) for name, text in drop_ins.items())
        folder = DropIns('/k/d', files, changed_at)
    process = Process(
        7, 1, tuple(arguments), STARTED_AT, program='/usr/bin/kubelet', unit=unit, uses_cgroup_v1=uses_cgroup_v1
    )
    return Evidence(process, file, folder, age_seconds=age, places=places or {})


def kubelet_of(evidence: Evidence, minors: int | Iterable[int]) -> Kubelet:
    """The kubelet of that evidence, which may be of any of these releases."""
    possible = {minors} if isinstance(minors, int) else minors
    lines = read_command_lines(evidence.arguments, possible, accepted=has_accepted_its_line(evidence))
    return Kubelet(evidence, lines, read_configurations(evidence, lines))


def as_image(evidence: Evidence) -> Evidence:
    """The same on a machine that does not run."""
    process = replace(evidence.process, unit='kubelet.service', started_at=None)
    return replace(evidence, process=process, age_seconds=None)
