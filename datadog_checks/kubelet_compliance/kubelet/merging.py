# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Merge drop-ins over a configuration, as the kubelets of each release do.

Up to 1.28, a kubelet merges whole configurations. From 1.29 on, it merges JSON: up to 1.31 the JSON of its own Go
structs, later the JSON of the file's format (cmd/kubelet/app/server.go, `mergeKubeletConfigurations`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datadog_checks.kubelet_compliance.model import Origin

from .decoding import DEFAULT_ORIGIN, Configuration, Tree, joined, last_part, zero_of
from .formats.documents import JsonFloat
from .formats.go import format_duration
from .tables.field_kinds import Field, Kind
from .tables.fields import KUBELET_CONFIGURATION

EMPTY: tuple[Any, ...] = (None, False, 0, 0.0, '', (), {})

WRITTEN_WHEN_EMPTY = frozenset(
    {
        'containerRuntimeEndpoint',
        'logging.verbosity',
        'logging.vmodule.filePattern',
        'logging.vmodule.verbosity',
        'registerWithTaints.effect',
        'registerWithTaints.key',
        'reservedMemory.limits',
        'reservedMemory.numaNode',
        'shutdownGracePeriodByPodPriority.priority',
        'shutdownGracePeriodByPodPriority.shutdownGracePeriodSeconds',
    }
)
"""The fields of v1beta1 (config/v1beta1/types.go) that are not structs and have no `omitempty`."""

GO_NAMES = {
    'cpuCFSQuota': 'CPUCFSQuota',
    'cpuCFSQuotaPeriod': 'CPUCFSQuotaPeriod',
    'cpuManagerPolicy': 'CPUManagerPolicy',
    'cpuManagerPolicyOptions': 'CPUManagerPolicyOptions',
    'cpuManagerReconcilePeriod': 'CPUManagerReconcilePeriod',
    'httpCheckFrequency': 'HTTPCheckFrequency',
    'iptablesDropBit': 'IPTablesDropBit',
    'iptablesMasqueradeBit': 'IPTablesMasqueradeBit',
    'oomScoreAdj': 'OOMScoreAdj',
    'qosReserved': 'QOSReserved',
    'resolvConf': 'ResolverConfig',
    'tlsCertFile': 'TLSCertFile',
    'tlsCipherSuites': 'TLSCipherSuites',
    'tlsMinVersion': 'TLSMinVersion',
    'tlsPrivateKeyFile': 'TLSPrivateKeyFile',
}
"""The fields of the kubelet's own struct (pkg/kubelet/apis/config/types.go) with irregular names."""

SHARED_STRUCTS = ('logging.', 'tracing.', 'registerWithTaints.')
"""Structs of other packages, with JSON names, that the kubelet's own struct contains unchanged."""

GO_POINTERS = frozenset({'maxParallelImagePulls', 'memoryThrottlingFactor', 'tracing', 'userNamespaces'})
"""The fields of the kubelet's own struct that are pointers."""


def go_name(path: str) -> str:
    """The name of a field in the kubelet's own struct, and in its JSON: the struct defines no other name."""
    name = last_part(path)
    if path.startswith(SHARED_STRUCTS):
        return name
    return GO_NAMES.get(name) or name[:1].upper() + name[1:]


def merge(base: Tree, patches: Iterable[Tree]) -> Tree:
    """Apply patches one after the other by RFC 7386, as evanphx/json-patch does. Changes `base`.

    `null` removes a member, mappings merge, any other value replaces.
    """
    for patch in patches:
        base = merge_into(base, patch)
    return in_order(base)


def merge_into(base: Tree, patch: Tree) -> Tree:
    if not isinstance(base.value, dict):
        return without_nulls(patch)
    if not isinstance(patch.value, dict):
        return patch
    members = base.value
    for key, tree in patch.value.items():
        if tree.value is None:
            members.pop(key, None)
        else:
            members[key] = merge_into(members[key], tree) if key in members else without_nulls(tree)
    return Tree(members, patch.origin)


def in_order(tree: Tree) -> Tree:
    """The tree as encoding/json writes it: members sorted by name, so the later one of two spellings counts.

    Numbers get their shortest form: 110.0 becomes 110.
    """
    if isinstance(tree.value, dict):
        return Tree({key: in_order(member) for key, member in sorted(tree.value.items())}, tree.origin)
    if isinstance(tree.value, list):
        return Tree([in_order(item) for item in tree.value], tree.origin)
    if isinstance(tree.value, JsonFloat):
        return Tree(float(tree.value), tree.origin)
    return tree


def without_nulls(tree: Tree) -> Tree:
    """A patch member that replaces another value. It loses its nulls, but lists keep theirs."""
    if isinstance(tree.value, dict):
        members = {key: without_nulls(member) for key, member in tree.value.items() if member.value is not None}
        return Tree(members, tree.origin)
    if isinstance(tree.value, list):
        return Tree([without_nulls(item) for item in tree.value], tree.origin)
    return tree


def encode(configuration: Configuration) -> Tree:
    """The configuration as JSON of a kubelet from 1.32 on, without the fields that `omitempty` omits."""
    return Encoder(configuration.origins, is_go=False).struct(configuration.values, KUBELET_CONFIGURATION, '')


def encode_struct(configuration: Configuration) -> Tree:
    """The configuration as JSON of a kubelet of 1.29 to 1.31: all fields of its own struct, named as in Go."""
    return Encoder(configuration.origins, is_go=True).struct(configuration.values, KUBELET_CONFIGURATION, '')


class Encoder:
    """Converts typed values into a tree, as encoding/json writes the v1beta1 struct, or the kubelet's own (`is_go`)."""

    def __init__(self, origins: Mapping[str, Origin], *, is_go: bool) -> None:
        self.origins = origins
        self.is_go = is_go

    def struct(self, values: Mapping[str, Any], spec: Field, path: str, origin: Origin = DEFAULT_ORIGIN) -> Tree:
        members = {}
        for name, inner in (spec.fields or {}).items():
            inner_path = joined(path, name)
            value = values.get(name)
            if self.is_left_out(value, inner, inner_path):
                continue
            if value is None and not is_null_in_go(inner, inner_path):
                value = zero_of(inner)
            members[go_name(inner_path) if self.is_go else name] = self.value(value, inner, inner_path, origin)
        return Tree(members, self.origins.get(path, origin))

    def is_left_out(self, value: Any, spec: Field, path: str) -> bool:
        if self.is_go:
            # The kubelet's own struct has no fields of other releases, and neither `kind` nor `apiVersion`.
            return spec.until is not None or path in ('kind', 'apiVersion')
        is_struct = spec.kind in (Kind.STRUCT, Kind.DURATION, Kind.TIME_OR_DURATION, Kind.QUANTITY)
        if path in WRITTEN_WHEN_EMPTY:
            return False
        return value is None or not (spec.nullable or is_struct or value not in EMPTY)

    def value(self, value: Any, spec: Field, path: str, origin: Origin) -> Tree:
        origin = self.origins.get(path, origin)
        if spec.kind is Kind.STRUCT and isinstance(value, Mapping):
            return self.struct(value, spec, path, origin)
        if isinstance(value, Mapping):
            assert spec.items is not None
            items = {key: self.value(item, spec.items, joined(path, key), origin) for key, item in value.items()}
            return Tree(items, origin)
        if isinstance(value, tuple):
            assert spec.items is not None
            return Tree([self.value(item, spec.items, path, origin) for item in value], origin)
        if value is not None and spec.kind in (Kind.DURATION, Kind.TIME_OR_DURATION):
            return Tree(format_duration(value), origin)
        return Tree(value, origin)


def is_null_in_go(spec: Field, path: str) -> bool:
    """Whether a missing value is nil in the kubelet's own struct, and so `null` in its JSON."""
    return spec.kind in (Kind.LIST, Kind.MAP) or path in GO_POINTERS or path.startswith(SHARED_STRUCTS)


def override(lower: Configuration, upper: Configuration) -> Configuration:
    """Merge one whole configuration over another as mergo does: non-empty values of the upper one count."""
    origins = {path: origin for path, origin in upper.origins.items() if upper.get(path) not in EMPTY}
    values = overridden(lower.values, upper.values, KUBELET_CONFIGURATION)
    return Configuration(values, {**lower.origins, **origins})


def overridden(lower: Any, upper: Any, spec: Field) -> Any:
    if spec.kind is Kind.STRUCT and isinstance(lower, Mapping) and isinstance(upper, Mapping):
        fields = spec.fields or {}
        return {**lower, **{name: overridden(lower.get(name), value, fields[name]) for name, value in upper.items()}}
    if spec.kind is Kind.MAP and isinstance(lower, Mapping) and isinstance(upper, Mapping):
        return {**lower, **upper}
    return lower if upper in EMPTY and lower is not None else upper
