# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads what another program tells the kubelet inside it. What it means is decided in `embedded.py`."""

from __future__ import annotations

from .embedded import (
    RKE2_CONFIG,
    Seen,
    k3s_config,
    k3s_launch,
    microk8s_file,
    microk8s_launch,
    microshift_launch,
    read_k3s,
    rke2_launch,
)
from .host import Host, is_absent
from .model import DropIns, Launch, Process, Unreadable
from .names import RKE2, Program

K3S_ENDINGS = ('.yaml', '.yml')


def read_launch(host: Host, process: Process) -> Launch | None:
    """How the kubelet inside a program is started; None where it is none, or the program is told to run none."""
    if process.inside == RKE2:
        path = k3s_config(process.arguments, RKE2_CONFIG)
        rke2 = read_k3s(process.arguments, k3s_files(host, process, path))
        return rke2_launch(rke2) if rke2.has_kubelet else None
    match Program(process.inside):
        case Program.MICROK8S:
            path = microk8s_file(process.arguments)
            return microk8s_launch(path, host.read_file(process, path))
        case Program.MICROSHIFT:
            return microshift_launch()
        case Program.K3S:
            k3s = read_k3s(process.arguments, k3s_files(host, process, k3s_config(process.arguments)))
            if not k3s.has_kubelet:
                return None
            with_drop_ins = not is_absent(host.file_status(process, k3s.drop_ins))
            return k3s_launch(process.arguments, k3s, with_drop_ins=with_drop_ins)


def k3s_files(host: Host, process: Process, path: str) -> list[Seen]:
    """The configuration file, and the files of its `.d` folder in order; k3s does not look into folders below."""
    folder = f'{path}.d'
    found = host.read_files(process, folder, K3S_ENDINGS)
    if not isinstance(found, DropIns):
        more: list[Seen] = [found] if isinstance(found, Unreadable) else []
    else:
        more = [file for file in found.files if file.path.rpartition('/')[0] == folder]
    return [host.read_file(process, path), *more]
