# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Simulated nodes: each state of a node is laid out as a captured node, and the real check judges it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.model import (
    DropIns,
    File,
    FileStatus,
    Folder,
    Missing,
    Process,
    Unreadable,
)
from datadog_checks.kubelet_compliance.node.captured import parse_capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.file_remedies import Rights, not_allowed
from datadog_checks.kubelet_compliance.node.host import Host
from tools.agent import Collection, collect

from .evaluation import (
    Points,
    Series,
    Store,
)

BOOTED_AT, STARTED_TICKS, BEFORE, AFTER = 1795000000, 2300, 1794000000, 1796000000
CONFIG, DROP_IN = '/var/lib/kubelet/config.yaml', '/etc/kubernetes/kubelet.conf.d/20-network.conf'
KUBECONFIG, CLIENT_CA, UNIT = '/etc/kubernetes/kubelet.conf', '/etc/kubernetes/pki/ca.crt', 'kubelet.service'
HEAD = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'

HARDENED = f"""{HEAD}authentication:
  anonymous:
    enabled: false
  webhook:
    enabled: true
  x509:
    clientCAFile: {CLIENT_CA}
authorization:
  mode: Webhook
cgroupDriver: systemd
clusterDomain: cluster.local
eventRecordQPS: 50
makeIPTablesUtilChains: true
rotateCertificates: true
serverTLSBootstrap: true
tlsCipherSuites:
- TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
- TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
"""


@dataclass(frozen=True, slots=True)
class State:
    """What a node looks like at one time; the default is one that meets every rule of cis-1.24."""

    kubelet: bool = True
    readable: bool = True
    iptables_flag: str = ''
    iptables_drop_in: str = ''
    protect_kernel_defaults: bool = True
    kubeconfig_mode: str = '600'
    changed_since_start: bool = False
    exempted: tuple[str, ...] = ()
    """Keys of rules that the instance exempts."""


GOOD = State()


class BlindHost(CapturedHost):
    """A node whose processes can be seen and whose files cannot be read."""

    def read_file(self, process: Process, path: str) -> File | Missing | Unreadable:
        return self.refused_file(path)

    def read_drop_ins(self, process: Process, path: str) -> DropIns | Missing | Unreadable:
        return self.refused_file(path)

    def file_status(self, process: Process, path: str) -> FileStatus | Missing | Unreadable:
        return self.refused_file(path)

    def list_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
        return self.refused_file(path)

    def refused_file(self, path: str) -> Unreadable:
        return Unreadable(path, 'permission denied', not_allowed(Rights()).remedy)


def check_of(host: Host, instance: Mapping[str, Any]) -> KubeletComplianceCheck:
    """The check, on another node."""
    check = KubeletComplianceCheck('kubelet_compliance', {}, [dict(instance)])

    def use_host() -> None:
        check.collector = Collector(host, check.collector.selection, check.collector.choose)

    check.check_initializations.append(use_host)
    return check


def write(folder: Path, path: str, content: str | bytes) -> None:
    target = folder / path.lstrip('/')
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content if isinstance(content, bytes) else content.encode())


def lay_out(state: State, folder: Path) -> Host:
    """Write the node into an empty folder, as a capture would."""
    arguments = ['/usr/bin/kubelet', f'--kubeconfig={KUBECONFIG}', f'--config={CONFIG}']
    arguments += [f'--config-dir={os.path.dirname(DROP_IN)}', '--node-ip=10.0.0.11']
    if state.iptables_flag:
        arguments.append(f'--make-iptables-util-chains={state.iptables_flag}')
    write(folder, 'proc/1/comm', 'systemd\n')
    if state.kubelet:
        write(folder, 'proc/1000/comm', 'kubelet\n')
        write(folder, 'proc/1000/cmdline', b''.join(argument.encode() + b'\0' for argument in arguments))
        write(folder, 'proc/1000/cgroup', f'0::/system.slice/{UNIT}\n')
        zeros = '0 ' * 30
        write(folder, 'proc/1000/stat', f'1000 (kubelet) S 1 1000 1000 {zeros[:30]}1 0 {STARTED_TICKS} {zeros}\n')
    protect = f'protectKernelDefaults: {str(state.protect_kernel_defaults).lower()}\n'
    files = {CONFIG: HARDENED + protect, KUBECONFIG: '', CLIENT_CA: '', f'/etc/systemd/system/{UNIT}': '[Service]\n'}
    (folder / os.path.dirname(DROP_IN).lstrip('/')).mkdir(parents=True)
    if state.iptables_drop_in:
        files[DROP_IN] = f'{HEAD}makeIPTablesUtilChains: {state.iptables_drop_in}\n'
    for path, content in files.items():
        write(folder, path, content)
    changed = AFTER if state.changed_since_start else BEFORE
    modes = {**dict.fromkeys(files, '600'), KUBECONFIG: state.kubeconfig_mode, os.path.dirname(DROP_IN): '755'}
    decides = DROP_IN if state.iptables_drop_in else CONFIG
    facts = {
        path: {'mode': mode, 'uid': 0, 'gid': 0, 'changed_at': changed if path == decides else BEFORE}
        for path, mode in modes.items()
    }
    capture = parse_capture(json.dumps({'booted_at': BOOTED_AT, 'files': facts}).encode())
    kind = CapturedHost if state.readable else BlindHost
    return kind(str(folder / 'proc'), str(folder), capture=capture)


def run_check(state: State, instance: Mapping[str, Any] | None = None) -> Collection:
    """Run the real check once on a node of this state, into the stub of the Agent's aggregator."""
    options = {'use_configz': False, **(instance or {})}
    if state.exempted:
        options['exemptions'] = [{'rule': rule, 'reason': 'set by the image'} for rule in state.exempted]
    with tempfile.TemporaryDirectory() as folder:
        collection = collect(check_of(lay_out(state, Path(folder) / 'node'), options))
    if collection.error:
        raise RuntimeError(collection.error)
    return collection


@cache
def collection_of(state: State) -> Collection:
    """What a node of this state sends with the default options."""
    return run_check(state)


@dataclass(frozen=True, slots=True)
class Node:
    """A node through time: its states, each from a step on; None: its Agent does not report."""

    name: str
    cluster: str
    pool: str
    states: tuple[tuple[int, State | None], ...] = ((0, GOOD),)

    def at(self, step: int) -> State | None:
        return next((state for start, state in reversed(self.states) if start <= step), None)

    @property
    def host_tags(self) -> tuple[str, ...]:
        return f'host:{self.name}', f'kube_cluster_name:{self.cluster}', f'node_pool:{self.pool}'


def store_of(nodes: Sequence[Node], length: int, step: int) -> Store:
    """The series that a fleet sends over time. `step`: the seconds between two points."""
    return Store(tuple(series for node in nodes for series in series_of(node, length)), length, step)


def series_of(node: Node, length: int) -> list[Series]:
    points: dict[tuple[str, tuple[str, ...]], list[float | None]] = {}
    for step in range(length):
        state = node.at(step)
        for sent in collection_of(state).metrics if state is not None else ():
            points.setdefault((sent.name, sent.tags), [None] * length)[step] = float(sent.value)
    return [
        Series(name, tags_by_key((*tags, *node.host_tags)), frozen(values)) for (name, tags), values in points.items()
    ]


def frozen(values: Sequence[float | None]) -> Points:
    return tuple(values)


def tags_by_key(tags: Sequence[str]) -> dict[str, tuple[str, ...]]:
    by_key: dict[str, tuple[str, ...]] = {}
    for tag in tags:
        key, _, value = tag.partition(':')
        by_key[key] = (*by_key.get(key, ()), value)
    return by_key
