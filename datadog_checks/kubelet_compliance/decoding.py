# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A document's tree to typed configuration values and back, and the merge of drop-ins.

The kubelet decodes the whole file: one value of the wrong type anywhere makes it refuse the file. The main file is
decoded with names in their exact case (sigs.k8s.io/json), merged drop-ins in any case (encoding/json).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .documents import JsonFloat
from .fields import KUBELET_CONFIGURATION, Field, Kind
from .golang import format_duration, parse_duration
from .goyaml import Document, Node
from .kubernetes_text import is_quantity
from .model import Origin, Source, Value, lookup

API_VERSION = 'kubelet.config.k8s.io/v1beta1'
KIND = 'KubeletConfiguration'

INTEGERS = {
    Kind.INT32: (-(1 << 31), (1 << 31) - 1),
    Kind.INT64: (-(1 << 63), (1 << 63) - 1),
    Kind.UINT32: (0, (1 << 32) - 1),
}
RFC_3339 = re.compile(r'[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})')
WANTED = {
    Kind.BOOL: 'true or false',
    Kind.INT32: 'a whole number of 32 bits',
    Kind.INT64: 'a whole number of 64 bits',
    Kind.UINT32: 'a whole number from 0 up',
    Kind.FLOAT64: 'a number',
    Kind.STRING: 'text',
    Kind.DURATION: 'a duration such as 5m',
    Kind.TIME_OR_DURATION: 'a duration such as 5s',
    Kind.QUANTITY: 'a quantity such as 1Gi',
    Kind.TIME: 'a time',
    Kind.LIST: 'a list',
    Kind.MAP: 'a mapping',
    Kind.STRUCT: 'a mapping',
}


class DecodingError(Exception):
    """The kubelet would refuse the configuration. The text names the field, its place and what is wanted."""


@dataclass(slots=True)
class Configuration:
    """Typed values nested by field name, and the origin of each by dotted path. Built up layer by layer."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)

    def get(self, path: str) -> Value:
        """The value of a dotted path; None where nothing is set."""
        return lookup(self.values, path)

    def set(self, path: str, value: Value, origin: Origin) -> None:
        *parents, name = path.split('.')
        values = self.values
        for parent in parents:
            values = values.setdefault(parent, {})
        values[name] = value
        self.origins[path] = origin


def check_identity(document: Document, *, any_case: bool) -> None:
    """Raise DecodingError unless the document says that it is a KubeletConfiguration of v1beta1.

    The main file's names are first read in any case (apimachinery `SimpleMetaFactory.Interpret`).
    """
    if not isinstance(document.root.value, dict):
        raise DecodingError('it holds no mapping with apiVersion and kind')
    found = {'apiVersion': '', 'kind': ''}
    for key, node in document.root.value.items():
        name = next((name for name in found if key == name or any_case and folded(key) == folded(name)), None)
        if name is not None and node.value is not None:
            if not isinstance(node.value, str):
                raise DecodingError(f'{name} is not text')
            found[name] = node.value
    for name, wanted in (('apiVersion', API_VERSION), ('kind', KIND)):
        if not found[name]:
            raise DecodingError(f'it has no {name}; the kubelet wants {wanted}')
        if found[name] != wanted:
            raise DecodingError(f'its {name} is not {wanted}')


def folded(name: str) -> str:
    """A name as encoding/json compares it without regard to case (`foldName`)."""
    return name.translate({0x17F: 's', 0x212A: 'k'}).lower()


class Decoder:
    """Decodes a tree into a Configuration. Every node's place is its layer's path and its own line."""

    def __init__(self, *, any_case: bool) -> None:
        self.any_case = any_case
        self.origins: dict[str, Origin] = {}
        self.known: dict[int, dict[str, str]] = {}
        """The names of each struct's fields, folded; by the identity of its table."""

    def decode(self, root: Tree) -> Configuration:
        values = self.value(root, KUBELET_CONFIGURATION, '')
        return Configuration(values, self.origins)

    def value(self, tree: Tree, spec: Field, path: str) -> Any:
        """One value by its type; None for a `null`. Raises DecodingError."""
        value = tree.value
        if value is None:
            if spec.kind is Kind.DURATION and not spec.nullable:
                self.refuse(tree, spec, path)
            return None
        if spec.kind is Kind.STRUCT and isinstance(value, dict):
            return self.struct(value, spec, path)
        if spec.kind is Kind.MAP and isinstance(value, dict):
            self.origins.update((f'{path}.{key}', item.origin) for key, item in value.items())
            return {key: self.element(item, spec, path) for key, item in value.items()}
        if spec.kind is Kind.LIST and isinstance(value, list):
            return tuple(self.element(item, spec, path) for item in value)
        decoded = scalar(value, spec.kind)
        if decoded is None:
            self.refuse(tree, spec, path)
        return decoded

    def struct(self, members: dict[str, Tree], spec: Field, path: str) -> dict[str, Any]:
        names = spec.fields or {}
        values: dict[str, Any] = {}
        for key, tree in members.items():
            name = key if key in names else self.by_case(key, names)
            if name is None or names[name].until:
                continue
            inner = f'{path}.{name}' if path else name
            value = self.value(tree, names[name], inner)
            if value is not None:
                values[name] = combined(values.get(name), value)
                self.origins[inner] = tree.origin
        return values

    def by_case(self, key: str, names: Mapping[str, Field]) -> str | None:
        if not self.any_case:
            return None
        known = self.known.get(id(names))
        if known is None:
            # Of two names that fold to the same, the first counts.
            known = self.known[id(names)] = {folded(name): name for name in reversed(tuple(names))}
        return known.get(folded(key))

    def element(self, tree: Tree, spec: Field, path: str) -> Any:
        assert spec.items is not None
        value = self.value(tree, spec.items, path)
        return zero_of(spec.items) if value is None else value

    def refuse(self, tree: Tree, spec: Field, path: str) -> None:
        # The path holds names of fields only, never keys of maps, which are text of the file.
        raise DecodingError(f'{path} ({tree.origin.place}) is not {WANTED[spec.kind]}')


def combined(old: Any, new: Any) -> Any:
    """A second spelling of a name is decoded over the first (encoding/json): mappings join, all else replaces."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{name: combined(old.get(name), value) for name, value in new.items()}}


def scalar(value: Any, kind: Kind) -> Any:
    """A scalar as Go's decoder takes it for the kind, durations in nanoseconds; None where it refuses."""
    if kind is Kind.BOOL:
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or isinstance(value, dict | list):
        return None
    if kind in INTEGERS:
        return whole(value, *INTEGERS[kind])
    if kind is Kind.FLOAT64:
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
    if kind is Kind.QUANTITY:
        return value if is_quantity(str(value)) else None
    if kind is Kind.TIME_OR_DURATION and not isinstance(value, str):
        return whole(value, *INTEGERS[Kind.INT64])
    if not isinstance(value, str):
        return None
    if kind is Kind.TIME:
        return value if RFC_3339.fullmatch(value) else None
    if kind in (Kind.DURATION, Kind.TIME_OR_DURATION):
        try:
            return parse_duration(value)
        except ValueError:
            return None
    return value if kind is Kind.STRING else None


def whole(value: Any, lowest: int, highest: int) -> int | None:
    """A whole number in bounds. YAML's 110.0 and 1e2 are whole to Go, which writes them as 110 and 100 in between."""
    if isinstance(value, float) and not isinstance(value, JsonFloat) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and lowest <= value <= highest else None


def zero_of(spec: Field) -> Any:
    """Go's zero value, which a `null` in a list or map means."""
    zeros: dict[Kind, Any] = {Kind.BOOL: False, Kind.STRING: '', Kind.LIST: (), Kind.MAP: {}, Kind.STRUCT: {}}
    return zeros.get(spec.kind, 0)


@dataclass(slots=True)
class Tree:
    """A node of a configuration under merge: a value as JSON holds it, and where it was set."""

    value: Any
    origin: Origin


def tree_of(node: Node, source: Source, path: str) -> Tree:
    """A document's node as a layer of the configuration, each value with its place (`path:line`)."""
    origin = Origin(source, f'{path}:{node.line}' if node.line else path, path)
    if isinstance(node.value, dict):
        return Tree({key: tree_of(member, source, path) for key, member in node.value.items()}, origin)
    if isinstance(node.value, list):
        return Tree([tree_of(item, source, path) for item in node.value], origin)
    return Tree(node.value, origin)


def merge(base: Tree, patches: Iterable[Tree], *, null_keeps: bool = False) -> Tree:
    """RFC 7386 as evanphx/json-patch does it, patch after patch; `base` is used up by it.

    `null` takes a member away, mappings merge, all else replaces. `null_keeps`: as kubelets before 1.32 read it, which
    leave the lower value alone.
    """
    for patch in patches:
        base = merge_into(base, patch, null_keeps)
    return in_order(base)


def merge_into(base: Tree, patch: Tree, null_keeps: bool) -> Tree:
    if not isinstance(base.value, dict) or not isinstance(patch.value, dict):
        return without_nulls(patch)
    members = base.value
    for key, tree in patch.value.items():
        if tree.value is not None:
            members[key] = merge_into(members[key], tree, null_keeps) if key in members else without_nulls(tree)
        elif not null_keeps:
            members.pop(key, None)
    return Tree(members, patch.origin)


def in_order(tree: Tree) -> Tree:
    """The members of all mappings by name, as encoding/json writes them: of two spellings the later one counts."""
    if not isinstance(tree.value, dict):
        return tree
    return Tree({key: in_order(member) for key, member in sorted(tree.value.items())}, tree.origin)


def without_nulls(tree: Tree) -> Tree:
    """A patch member that replaces: its own nulls say nothing. Numbers are written anew, 110.0 as 110."""
    if isinstance(tree.value, dict):
        members = {key: without_nulls(member) for key, member in sorted(tree.value.items()) if member.value is not None}
        return Tree(members, tree.origin)
    if isinstance(tree.value, list):
        return Tree([without_nulls(item) for item in tree.value if item.value is not None], tree.origin)
    if isinstance(tree.value, JsonFloat):
        return Tree(float(tree.value), tree.origin)
    return tree


def encode(configuration: Configuration) -> Tree:
    """The configuration as the kubelet writes it to JSON before it merges drop-ins."""
    return encode_value(configuration.values, KUBELET_CONFIGURATION, '', configuration.origins, DEFAULT_ORIGIN)


DEFAULT_ORIGIN = Origin(Source.DEFAULT, 'default')


def encode_value(value: Any, spec: Field, path: str, origins: Mapping[str, Origin], origin: Origin) -> Tree:
    origin = origins.get(path, origin)
    if isinstance(value, Mapping):
        members = {}
        for key, item in value.items():
            inner = f'{path}.{key}' if path else key
            child = (spec.fields or {}).get(key) or spec.items
            assert child is not None
            members[key] = encode_value(item, child, inner, origins, origin)
        return Tree(members, origin)
    if isinstance(value, tuple):
        assert spec.items is not None
        return Tree([encode_value(item, spec.items, path, origins, origin) for item in value], origin)
    if spec.kind in (Kind.DURATION, Kind.TIME_OR_DURATION):
        return Tree(format_duration(value), origin)
    return Tree(value, origin)
