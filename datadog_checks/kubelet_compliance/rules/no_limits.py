# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The values with which a kubelet has no limit, or with which it turns something off: no bound holds for them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

Amount = int | float | Fraction


@dataclass(frozen=True, slots=True)
class NoLimit:
    """The values of one setting that no bound holds for.

    `fits`: whether a value is one of them, by its unit and its amount. `means`: what such a value means.
    `against`: the expectations that it never meets.
    """

    fits: Callable[[str, Amount], bool]
    means: str = 'no limit'
    against: tuple[str, ...] = ('at_most',)


def zero_or_less(_: str, amount: Amount) -> bool:
    return amount <= 0


def negative(_: str, amount: Amount) -> bool:
    return amount < 0


def hundred(_: str, amount: Amount) -> bool:
    return amount == 100


def all_or_nothing(unit: str, amount: Amount) -> bool:
    return amount == 0 or unit == '%' and amount == 100


NO_THRESHOLD: Final = NoLimit(all_or_nothing, 'no threshold', ('at_least', 'set'))

NO_LIMITS: Final[Mapping[str, NoLimit]] = {
    # config/v1beta1/types.go
    'eventRecordQPS': NoLimit(zero_or_less),
    'imageMaximumGCAge': NoLimit(zero_or_less),
    'podsPerCore': NoLimit(zero_or_less),
    'registryPullQPS': NoLimit(zero_or_less),
    # pkg/kubelet/cm/pod_container_manager_linux.go EnsureExists
    'podPidsLimit': NoLimit(zero_or_less),
    # cmd/kubelet/app/options/options.go, and fs_resource_analyzer.go Start; a 0 in a file is the default
    'streamingConnectionIdleTimeout': NoLimit(zero_or_less),
    'volumeStatsAggPeriod': NoLimit(zero_or_less, 'no measurement'),
    'evictionMaxPodGracePeriod': NoLimit(negative),
    # client-go rest/config.go RESTClientForConfigAndClient
    'kubeAPIQPS': NoLimit(negative),
    # pkg/kubelet/nodestatus/setters.go Images
    'nodeStatusMaxImages': NoLimit(negative),
    # pkg/kubelet/logs/container_log_manager.go NewContainerLogManager
    'containerLogMaxSize': NoLimit(negative, 'no rotation'),
    # pkg/kubelet/kubelet.go StartGarbageCollection
    'imageGCHighThresholdPercent': NoLimit(hundred, 'no garbage collection by disk usage'),
    # pkg/kubelet/kuberuntime/kuberuntime_gc.go evictContainers
    '--maximum-dead-containers': NoLimit(negative),
    '--maximum-dead-containers-per-container': NoLimit(negative),
}
"""By field or flag, with the source of each."""

MAPS_OF_THRESHOLDS: Final = ('evictionHard', 'evictionSoft')
"""pkg/kubelet/eviction/helpers.go parseThresholdStatement ignores 0% and 100%. An amount of 0 is never reached."""


def no_limit_of(setting: str) -> NoLimit | None:
    """The row of a field, a flag, or a key of a map; None if each of its values is a limit."""
    parent, _, key = setting.partition('.')
    return NO_THRESHOLD if parent in MAPS_OF_THRESHOLDS and key else NO_LIMITS.get(setting)
