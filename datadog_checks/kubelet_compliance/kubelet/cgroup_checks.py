# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The settings that a kubelet refuses on a node with cgroup v1 (validation_linux.go, `validateKubeletOSConfiguration`).

The field failCgroupV1 exists from 1.31 on, and is true by default from 1.35 on (KEP-4569, KEP-5573). Up to 1.37, a
kubelet with failCgroupV1 false still starts on cgroup v1. From 1.30 on, `run` (cmd/kubelet/app/server.go) refuses
LimitedSwap while the gate NodeSwap is on: "it is only supported with cgroupv2".
"""

from __future__ import annotations

from collections.abc import Iterator

from .config_values import Config, Problem, at
from .feature_gates import is_on
from .release import Release

FAIL_ON_V1 = 'failCgroupV1'
SINGLE_KILL = 'singleProcessOOMKill'
SWAP = 'memorySwap.swapBehavior'
SINCE = {FAIL_ON_V1: 31, SINGLE_KILL: 32, SWAP: 30}
REFUSED_ON_V1 = {FAIL_ON_V1: True, SINGLE_KILL: False, SWAP: 'LimitedSwap'}


def refused_on_v1(config: Config, release: Release) -> list[str]:
    """The fields whose value a kubelet refuses if its node uses cgroup v1."""
    wrong = [path for path, value in REFUSED_ON_V1.items() if at(config, path) == value]
    later = [path for path in wrong if release.at_least(SINCE[path])]
    return [path for path in later if path != SWAP or is_on(config, 'NodeSwap', release)]


def v1_problems(config: Config, release: Release) -> Iterator[Problem]:
    """What a kubelet of that release refuses on a node with cgroup v1."""
    for path in refused_on_v1(config, release):
        value = REFUSED_ON_V1[path]
        shown = str(value).lower() if isinstance(value, bool) else value
        yield Problem(path, f'is {shown}, so the kubelet does not start on cgroup v1, which the node uses')
