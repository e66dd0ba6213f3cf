# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads what another program tells the kubelet inside it. What it means is decided in `embedded_kubelets.py`."""

from __future__ import annotations

from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.programs import RKE2, Program
from datadog_checks.kubelet_compliance.launch.embedded_kubelets import (
    K3S_PROGRAM,
    RKE2_PROGRAM,
    K3s,
    Seen,
    k3s_config,
    k3s_launch,
    microk8s_file,
    microk8s_launch,
    microshift_launch,
    read_k3s,
    rke2_launch,
    told_by,
)
from datadog_checks.kubelet_compliance.model import DropIns, File, Launch, Process, Unit, Unknown, Unreadable, is_absent
from datadog_checks.kubelet_compliance.node.host import Host

K3S_ENDINGS = ('.yaml', '.yml')


RKE2_SERVICES = frozenset({'rke2-server.service', 'rke2-agent.service'})


def read_launch(host: Host, process: Process, unit: Unit | Unknown | None = None) -> Launch | None:
    """How the kubelet inside a program is started; None where it is none, or the program is told to run none.

    `unit`: the service of the program.
    """
    if process.inside == RKE2:
        rke2 = read_rke2(host, process, unit)
        return rke2_launch(rke2) if rke2.has_kubelet else None
    match Program(process.inside):
        case Program.MICROK8S:
            path = microk8s_file(process.arguments)
            return microk8s_launch(path, host.read_file(process, path))
        case Program.MICROSHIFT:
            return microshift_launch()
        case Program.K3S:
            told = told_by(unit, K3S_PROGRAM)
            if process.arguments is not None:
                told = replace(told, words=process.arguments)
            k3s = read_k3s(told, k3s_files(host, process, k3s_config(told)))
            if not k3s.has_kubelet:
                return None
            with_drop_ins = not is_absent(host.file_status(process, k3s.drop_ins))
            files = tuple(file for file in unit.files if isinstance(file, File)) if isinstance(unit, Unit) else ()
            return k3s_launch(told, k3s, with_drop_ins=with_drop_ins, files=files)


def read_rke2(host: Host, process: Process, unit: Unit | Unknown | None) -> K3s:
    """The options of RKE2, whose kubelet is a process of its own: where its arguments stand."""
    told = told_by(unit, RKE2_PROGRAM)
    return read_k3s(told, k3s_files(host, process, k3s_config(told, RKE2_PROGRAM)), RKE2_PROGRAM)


def k3s_files(host: Host, process: Process, path: str) -> list[Seen]:
    """The configuration file, and the files of its `.d` folder in order; k3s does not look into folders below."""
    if '://' in path:
        return [Unreadable(path, 'this check does not read options from the network')]
    folder = f'{path}.d'
    found = host.read_files(process, folder, K3S_ENDINGS)
    if not isinstance(found, DropIns):
        more: list[Seen] = [found] if isinstance(found, Unreadable) else []
    else:
        more = [file for file in found.files if file.path.rpartition('/')[0] == folder]
    return [host.read_file(process, path), *more]
