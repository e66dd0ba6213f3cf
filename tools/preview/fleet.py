# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Simulated nodes: each state of a node is laid out as a captured node, and the real check judges it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.node.captured import NODE_FACTS, parse_capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.host import Host
from tests.support import packed
from tests.support.nodes import HEAD
from tools.agent import Collection, collect
from tools.hardened_node import CONFIG, DROP_INS, FILES, PROCESS, arguments, lay_out as lay_out_files

from .evaluation import Series, Store

DROP_IN = f'{DROP_INS}/20-node.conf'
BEFORE, AFTER = 1794000000, 1796000000
"""The kubelet of the captured node starts between the two."""


@dataclass(frozen=True, slots=True)
class State:
    """What a node looks like at one time. The default meets every rule of the default benchmark."""

    kubelet: bool = True
    readable: bool = True
    drop_in: tuple[str, ...] = ()
    """The lines of a drop-in, which override the configuration file."""
    changed_since_start: bool = False
    exempted: tuple[str, ...] = ()
    """Keys of rules that the instance exempts."""
    target: str = ''
    """The release of a planned upgrade."""


GOOD = State()


def lay_out(state: State, folder: Path) -> Host:
    """Write the node into a new folder, as a capture would."""
    lay_out_files(folder)
    packed.lay_out({path: file for path, file in FILES.items() if path.startswith('proc/')}, folder)
    (folder / PROCESS / 'cmdline').write_text('\0'.join((*arguments(), '')))
    facts = json.loads(packed.unpack_bytes(FILES[NODE_FACTS]))
    paths = [*facts['files'], DROP_INS]
    if state.drop_in:
        (folder / DROP_IN[1:]).write_text(HEAD + '\n'.join(state.drop_in))
        paths.append(DROP_IN)
    facts['files'] = {path: {'mode': '600', 'uid': 0, 'gid': 0, 'changed_at': BEFORE} for path in paths}
    if state.changed_since_start:
        facts['files'][paths[-1] if state.drop_in else CONFIG]['changed_at'] = AFTER
    if not state.readable:
        facts['unseen'] = facts['unseen_modes'] = dict.fromkeys(paths, {'why': 'permission denied'})
        facts['files'] = {}
    if not state.kubelet:
        shutil.rmtree(folder / PROCESS)
    return CapturedHost(str(folder / 'proc'), str(folder), capture=parse_capture(json.dumps(facts).encode()))


def check_of(host: Host, instance: Mapping[str, Any]) -> KubeletComplianceCheck:
    """The check, on another node."""
    check = KubeletComplianceCheck('kubelet_compliance', {}, [dict(instance)])

    def use_host() -> None:
        own = check.collector
        check.collector = Collector(host, own.selection, own.choose, target=own.target)

    check.check_initializations.append(use_host)
    return check


def run_check(state: State, instance: Mapping[str, Any] | None = None) -> Collection:
    """Run the real check once on a node of this state, into the stub of the Agent's aggregator."""
    options = {'use_configz': False, **(instance or {})}
    if state.exempted:
        options['exemptions'] = [{'rule': rule, 'reason': 'set by the image'} for rule in state.exempted]
    if state.target:
        options['target_version'] = state.target
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
    """Empty if the Agent does not know its cluster. The host then has no cluster tag."""
    pool: str
    states: tuple[tuple[int, State | None], ...] = ((0, GOOD),)

    def at(self, step: int) -> State | None:
        return next((state for start, state in reversed(self.states) if start <= step), None)

    @property
    def host_tags(self) -> tuple[str, ...]:
        cluster = (f'kube_cluster_name:{self.cluster}',) if self.cluster else ()
        return f'host:{self.name}', *cluster, f'node_pool:{self.pool}'


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
        Series(name, tags_by_key((*tags, *node.host_tags)), tuple(values)) for (name, tags), values in points.items()
    ]


def tags_by_key(tags: Sequence[str]) -> dict[str, tuple[str, ...]]:
    by_key: dict[str, tuple[str, ...]] = {}
    for tag in tags:
        key, _, value = tag.partition(':')
        by_key[key] = (*by_key.get(key, ()), value)
    return by_key
