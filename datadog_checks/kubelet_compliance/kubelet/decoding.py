# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A document's tree to typed configuration values.

The kubelet decodes the whole file: one value of the wrong type anywhere makes it refuse the file. The main file is
decoded with names in their exact case (sigs.k8s.io/json), merged drop-ins in any case (encoding/json).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from datadog_checks.kubelet_compliance.model import Origin, Source, Value, lookup

from .formats.documents import JsonFloat
from .formats.go import parse_duration
from .formats.goyaml import Document, Node
from .formats.kubernetes import is_quantity
from .release import Release
from .tables.fields import KUBELET_CONFIGURATION, Field, Kind

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
    """Typed values nested by field name, and the origin of each by dotted path. Built up layer by layer.

    `beneath`: what flags were laid over, by the paths that they set.
    """

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    beneath: dict[str, Value] = field(default_factory=dict)

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

    Names are first read in any case, where the types must be right (apimachinery `SimpleMetaFactory.Interpret`); the
    main file's count so, a drop-in's only in their exact case (`Unstructured.GroupVersionKind`).
    """
    api_version, kind = identity(document, any_case=any_case)
    for name, found, wanted in (('apiVersion', api_version, API_VERSION), ('kind', kind, KIND)):
        if not found:
            raise DecodingError(f'it has no {name}; the kubelet wants {wanted}')
        if found != wanted:
            raise DecodingError(f'its {name} is not {wanted}')


def check_some_identity(document: Document) -> None:
    """Raise DecodingError unless a drop-in is one to kubelets of 1.29 to 1.31: any kind will do, and no apiVersion."""
    _, kind = identity(document, any_case=False)
    if not kind:
        raise DecodingError(f'it has no kind; the kubelet wants {KIND}')


def identity(document: Document, *, any_case: bool) -> tuple[str, str]:
    """The apiVersion and kind of a document, empty where there is none. Raises DecodingError for what is none."""
    if not isinstance(document.root.value, dict):
        raise DecodingError('it holds no mapping with apiVersion and kind')
    found = {'apiVersion': '', 'kind': ''}
    exact = dict(found)
    for key, last in document.root.value.items():
        name = next((name for name in found if folded(key) == folded(name)), '')
        for node in (*last.earlier, last) if name else ():
            if node.value is None:
                continue
            if not isinstance(node.value, str):
                raise DecodingError(f'{name} is not text')
            found[name] = node.value
            if key == name:
                exact[name] = node.value
    if found['apiVersion'].count('/') > 1:
        raise DecodingError('its apiVersion is none')
    return (found if any_case else exact)['apiVersion'], (found if any_case else exact)['kind']


def folded(name: str) -> str:
    """A name as encoding/json compares it without regard to case (`foldName`)."""
    return name.translate({0x17F: 's', 0x212A: 'k'}).lower()


class Decoder:
    """Decodes a tree into a Configuration. Every node's place is its layer's path and its own line.

    `over`: what is decoded into, as encoding/json decodes into a value that is there already. `spelled`: the JSON name
    of the field of a dotted path, where that is not its last part. `release`: whose kubelet decodes, if that is known.
    """

    def __init__(
        self,
        *,
        any_case: bool,
        release: Release | None = None,
        over: Configuration | None = None,
        spelled: Callable[[str], str] | None = None,
    ) -> None:
        self.any_case = any_case
        self.release = release
        self.over = over or Configuration()
        self.spelled = spelled or last_part
        self.origins: dict[str, Origin] = dict(self.over.origins)
        self.known: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
        """The fields of each struct by name, as they are spelled and folded; by the struct's path."""

    def decode(self, root: Tree) -> Configuration:
        values = self.value(root, KUBELET_CONFIGURATION, '', self.over.values)
        return Configuration(values, self.origins)

    def value(self, tree: Tree, spec: Field, path: str, old: Any = None) -> Any:
        """One value by its type, decoded over what was there; None for nothing. Raises DecodingError.

        What the same key said before counts as there only in structs: a map's value is decoded afresh.
        """
        value = tree.value
        if value is None:
            if spec.kind is Kind.DURATION and not spec.nullable:
                self.refuse(tree, spec, path)
            return None if spec.nullable or spec.kind in (Kind.LIST, Kind.MAP) else old
        if spec.kind is Kind.STRUCT and isinstance(value, dict):
            return self.struct(value, spec, path, old or {})
        if spec.kind is Kind.MAP and isinstance(value, dict):
            self.origins.update((f'{path}.{key}', item.origin) for key, item in value.items())
            return {**(old or {}), **{key: self.map_value(item, spec, path) for key, item in value.items()}}
        if spec.kind is Kind.LIST and isinstance(value, list):
            olds = (*(old or ()), *(None for _ in value))
            return tuple(self.element(item, spec, path, was) for item, was in zip(value, olds, strict=False))
        decoded = scalar(value, spec.kind)
        if decoded is None:
            self.refuse(tree, spec, path)
        return decoded

    def struct(self, members: dict[str, Tree], spec: Field, path: str, old: Mapping[str, Any]) -> dict[str, Any]:
        values = dict(old)
        for key, tree in members.items():
            name = self.name_of(key, spec, path)
            row = self.row_of(spec, name, tree)
            if name is None or row is None:
                continue
            inner = joined(path, name)
            for repeated in (*tree.earlier, tree):
                value = self.value(repeated, row, inner, values.get(name))
                if value is None:
                    values.pop(name, None)
                    self.origins.pop(inner, None)
                else:
                    values[name] = value
                    if repeated.value is not None:
                        self.origins[inner] = repeated.origin
        return values

    def name_of(self, key: str, spec: Field, path: str) -> str | None:
        """The field that a key means (encoding/json: the exact name first, then one in any case)."""
        if path not in self.known:
            names = {self.spelled(joined(path, name)): name for name in spec.fields or {}}
            # Of two names that fold to the same, the first counts.
            self.known[path] = names, {folded(spelled): names[spelled] for spelled in reversed(tuple(names))}
        exact, by_case = self.known[path]
        return exact.get(key) or (by_case.get(folded(key)) if self.any_case else None)

    def row_of(self, spec: Field, name: str | None, tree: Tree) -> Field | None:
        """A field as the kubelet has it; None for one that it does not know, for it passes over those.

        What it filled in itself it knows. Without a release, all fields that kubelets still have.
        """
        row = (spec.fields or {}).get(name or '')
        if row is None or self.release is None:
            return row if row is not None and row.until is None else None
        is_known = tree.origin.source is Source.DEFAULT or row.is_in(self.release)
        return row.row_in(self.release) if is_known else None

    def map_value(self, tree: Tree, spec: Field, path: str) -> Any:
        return [self.element(repeated, spec, path) for repeated in (*tree.earlier, tree)][-1]

    def element(self, tree: Tree, spec: Field, path: str, old: Any = None) -> Any:
        assert spec.items is not None
        value = self.value(tree, spec.items, path, old)
        return zero_of(spec.items) if value is None else value

    def refuse(self, tree: Tree, spec: Field, path: str) -> None:
        # The path holds names of fields only, never keys of maps, which are text of the file.
        raise DecodingError(f'{path} ({tree.origin.place}) is not {WANTED[spec.kind]}')


def joined(path: str, name: str) -> str:
    return f'{path}.{name}' if path else name


def last_part(path: str) -> str:
    return path.rpartition('.')[2]


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
    earlier: tuple[Tree, ...] = ()
    """What the same key said before, where it stands twice in JSON."""


MOST_LEVELS = 16
"""Deeper than any field: what lies below is not looked at."""


def tree_of(node: Node, source: Source, path: str, levels: int = MOST_LEVELS) -> Tree:
    """A document's node as a layer of the configuration, each value with its place (`path:line`)."""
    origin = Origin(source, f'{path}:{node.line}' if node.line else path, path)
    earlier = tuple(tree_of(item, source, path, levels) for item in node.earlier)
    if isinstance(node.value, dict):
        members = node.value if levels else {}
        inner = {key: tree_of(member, source, path, levels - 1) for key, member in members.items()}
        return Tree(inner, origin, earlier)
    if isinstance(node.value, list):
        items = node.value if levels else []
        return Tree([tree_of(item, source, path, levels - 1) for item in items], origin, earlier)
    return Tree(node.value, origin, earlier)


DEFAULT_ORIGIN = Origin(Source.DEFAULT, 'default')
