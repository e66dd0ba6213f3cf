# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The defaults that a kubelet fills in for fields that its configuration does not set, by release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from datadog_checks.kubelet_compliance.model import Value

from .config_values import at
from .decoding import DEFAULT_ORIGIN, Configuration, zero_of
from .feature_gates import STAGE_GATES, is_on
from .formats.go import Duration
from .release import Release
from .tables.field_kinds import SAME, Field, Kind
from .tables.fields import EVICTION_HARD, KUBELET_CONFIGURATION

GATED = {
    'crashLoopBackOff.maxContainerRestartPeriod': 'KubeletCrashLoopBackOffMax',
    'imagePullCredentialsVerificationPolicy': 'KubeletEnsureSecretPulledImages',
}
"""Fields whose default is filled in only while a feature gate is on, as far as the gates are known by then."""
DECIDING = frozenset(GATED.values()) | STAGE_GATES.keys()

NO_GATES: Mapping[str, object] = MappingProxyType({})

PROCESSES, NO_LIMIT = 'podPidsLimit', -1
"""The kubelet replaces any negative number of a file."""

ZERO = (None, False, 0, 0.0, '')


def set_defaults(
    configuration: Configuration, release: Release, *, legacy: bool = False, gates: Mapping[str, object] = NO_GATES
) -> None:
    """Fill in the fields that are not set (`SetDefaults_KubeletConfiguration`; `legacy`: `applyLegacyDefaults` too).

    `gates`: the feature gates of the flags, which the kubelet sets before it reads a file. Fields of later releases
    are filled in too: older kubelets ignore them.
    """
    own = at(configuration.values, 'featureGates')
    states = {**gates, **(own if isinstance(own, Mapping) else {})}
    for path, spec in iter_fields(KUBELET_CONFIGURATION, ''):
        value = configuration.get(path)
        if value is None or value in ZERO:
            default = filled_in(spec, value, legacy)
            if any(filled_in(age, value, legacy) != default for age in spec.iter_older()):
                default = filled_in(spec.row_in(release), value, legacy)
            if path in GATED and DECIDING & states.keys():
                is_filled = is_on({'featureGates': states}, GATED[path], release)
                default = filled_in(spec, value, legacy) if is_filled else None
            if default is not None:
                configuration.set(path, default, DEFAULT_ORIGIN)
    limit = configuration.get(PROCESSES)
    if isinstance(limit, int) and limit < NO_LIMIT:
        configuration.set(PROCESSES, NO_LIMIT, configuration.origins.get(PROCESSES, DEFAULT_ORIGIN))
    if configuration.get('serializeImagePulls') is None:
        pulls = configuration.get('maxParallelImagePulls')
        configuration.set('serializeImagePulls', not (isinstance(pulls, int) and pulls > 1), DEFAULT_ORIGIN)


def merge_default_evictions(configuration: Configuration) -> None:
    """Add the default thresholds that a config file leaves out, if it asks for them (server.go, `loadConfigFile`)."""
    own = configuration.get('evictionHard')
    if configuration.get('mergeDefaultEvictionSettings') is True and isinstance(own, Mapping):
        for signal, threshold in EVICTION_HARD.items():
            if signal not in own:
                configuration.values['evictionHard'][signal] = threshold
                configuration.origins[f'evictionHard.{signal}'] = DEFAULT_ORIGIN


def filled_in(spec: Field, value: Value, legacy: bool) -> Any:
    """The value that replaces no value, or a zero value. None if nothing replaces it.

    That is the default, or else Go's zero value. For pointers, lists, and maps, the zero value is nil.
    """
    if value is not None and not spec.zero_is_default:
        return None
    default: Any = spec.legacy_default if legacy and spec.legacy_default is not SAME else spec.default
    if default is None and not spec.nullable and spec.kind not in (Kind.LIST, Kind.MAP):
        default = zero_of(spec)
    return Duration(default) if spec.kind is Kind.DURATION and default is not None else default


def iter_fields(spec: Field, path: str, releases: Sequence[Release] = ()) -> Iterator[tuple[str, Field]]:
    """Every field that the newest release has, by dotted path, except those in lists, maps, and optional structs.

    `releases`: only the fields that all of these have.
    """
    for name, inner in (spec.fields or {}).items():
        inner_path = f'{path}.{name}' if path else name
        if inner.until is not None or not all(inner.is_in(release) for release in releases):
            continue
        if inner.kind is not Kind.STRUCT:
            yield inner_path, inner
        elif not inner.nullable:
            yield from iter_fields(inner, inner_path, releases)
