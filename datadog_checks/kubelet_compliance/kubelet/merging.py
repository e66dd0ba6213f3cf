# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The merge of drop-ins over a configuration, as the kubelets of each release do it. Pure.

Up to 1.28 a kubelet lays whole configurations over each other, from 1.29 on it merges JSON: up to 1.31 that of its own
Go structs, since then that of the file's format (cmd/kubelet/app/server.go, `mergeKubeletConfigurations`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datadog_checks.kubelet_compliance.model import Origin

from .decoding import DEFAULT_ORIGIN, Configuration, Tree, joined, last_part, zero_of
from .formats.documents import JsonFloat
from .formats.go import format_duration
from .tables.fields import KUBELET_CONFIGURATION, Field, Kind

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
"""The fields of v1beta1 (config/v1beta1/types.go) that are no structs and have no `omitempty`."""

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
"""The fields of the kubelet's own struct (pkg/kubelet/apis/config/types.go) that are named in letters of their own."""

SHARED_STRUCTS = ('logging.', 'tracing.', 'registerWithTaints.')
"""What other packages define, with JSON names, and the kubelet's own struct holds as it is."""

GO_POINTERS = frozenset({'maxParallelImagePulls', 'memoryThrottlingFactor', 'tracing', 'userNamespaces'})
"""The fields of the kubelet's own struct that are pointers."""


def go_name(path: str) -> str:
    """The name of a field in the kubelet's own struct, which is its JSON name too, for it has no other."""
    name = last_part(path)
    if path.startswith(SHARED_STRUCTS):
        return name
    return GO_NAMES.get(name) or name[:1].upper() + name[1:]


def merge(base: Tree, patches: Iterable[Tree]) -> Tree:
    """RFC 7386 as evanphx/json-patch does it, patch after patch; `base` is used up by it.

    `null` takes a member away, mappings merge, all else replaces.
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
    """The members of all mappings by name, as encoding/json writes them: of two spellings the later one counts.

    Numbers are written anew, 110.0 as 110.
    """
    if isinstance(tree.value, dict):
        return Tree({key: in_order(member) for key, member in sorted(tree.value.items())}, tree.origin)
    if isinstance(tree.value, list):
        return Tree([in_order(item) for item in tree.value], tree.origin)
    if isinstance(tree.value, JsonFloat):
        return Tree(float(tree.value), tree.origin)
    return tree


def without_nulls(tree: Tree) -> Tree:
    """A patch member that replaces: its own nulls say nothing, but those that a list holds stay."""
    if isinstance(tree.value, dict):
        members = {key: without_nulls(member) for key, member in tree.value.items() if member.value is not None}
        return Tree(members, tree.origin)
    if isinstance(tree.value, list):
        return Tree([without_nulls(item) for item in tree.value], tree.origin)
    return tree


def encode(configuration: Configuration) -> Tree:
    """The configuration as a kubelet since 1.32 writes it to JSON: without what `omitempty` leaves out."""
    return Encoder(configuration.origins, is_go=False).struct(configuration.values, KUBELET_CONFIGURATION, '')


def encode_struct(configuration: Configuration) -> Tree:
    """The configuration as a kubelet of 1.29 to 1.31 writes its own struct to JSON: all fields, named as in Go."""
    return Encoder(configuration.origins, is_go=True).struct(configuration.values, KUBELET_CONFIGURATION, '')


class Encoder:
    """Typed values to a tree, as encoding/json writes the struct of v1beta1, or the kubelet's own (`is_go`)."""

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
            # The kubelet's own struct holds no fields of other releases, and no names of its own in `kind`.
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
    """Whether nothing is nil in the kubelet's own struct, and so `null` in its JSON."""
    return spec.kind in (Kind.LIST, Kind.MAP) or path in GO_POINTERS or path.startswith(SHARED_STRUCTS)


def override(lower: Configuration, upper: Configuration) -> Configuration:
    """One whole configuration over another as mergo does it: what is not empty in the upper one counts."""
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
