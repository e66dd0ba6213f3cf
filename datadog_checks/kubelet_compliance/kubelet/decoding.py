# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Decode the tree of a document into typed configuration values.

The kubelet decodes the whole file, and refuses it if one value anywhere has the wrong type. In the main file, names
count only in their exact case (sigs.k8s.io/json). In merged drop-ins, they count in any case (encoding/json).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from datadog_checks.kubelet_compliance.model import Origin, Place, Source, Value, lookup

from .config_values import Problem
from .formats.documents import JsonFloat
from .formats.go import parse_duration
from .formats.goyaml import Node
from .formats.kubernetes import is_quantity
from .release import Release
from .tables.field_kinds import Field, Kind
from .tables.fields import KUBELET_CONFIGURATION

INTEGERS = {
    Kind.INT32: (-(1 << 31), (1 << 31) - 1),
    Kind.INT64: (-(1 << 63), (1 << 63) - 1),
    Kind.UINT32: (0, (1 << 32) - 1),
}
RFC_3339 = re.compile(r'[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})')
KIND_IN_WORDS = {
    Kind.BOOL: 'true or false',
    Kind.INT32: 'a 32-bit integer',
    Kind.INT64: 'a 64-bit integer',
    Kind.UINT32: 'an unsigned 32-bit integer',
    Kind.FLOAT64: 'a number',
    Kind.STRING: 'a string',
    Kind.DURATION: 'a duration such as 5m',
    Kind.TIME_OR_DURATION: 'a duration such as 5s',
    Kind.QUANTITY: 'a quantity such as 1Gi',
    Kind.TIME: 'an RFC 3339 time',
    Kind.LIST: 'a list',
    Kind.MAP: 'a mapping',
    Kind.STRUCT: 'a mapping',
}


class DecodingError(Exception):
    """The kubelet would refuse the configuration. The text names the field, its place, and the expected type.

    `path`, `origin`: the field and its place, '' and None for a whole file.
    """

    def __init__(self, text: str, path: str = '', origin: Origin | None = None) -> None:
        super().__init__(text)
        self.path = path
        self.origin = origin


@dataclass(slots=True)
class Notes:
    """What a kubelet refuses or ignores in its files, if the whole list is wanted and not only the first refusal."""

    refused: list[Exception] = field(default_factory=list)
    ignored: dict[str, Origin] = field(default_factory=dict)
    """The fields that other releases know, with their places, by dotted path."""


@dataclass(slots=True)
class Configuration:
    """Typed values nested by field name, and the origin of each by dotted path. Built layer by layer.

    `beneath`: the values that flags replaced, by dotted path. `early`: what is refused before later layers change it,
    each with the origins of its layer.
    """

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    beneath: dict[str, Value] = field(default_factory=dict)
    early: list[tuple[Problem, Mapping[str, Origin]]] = field(default_factory=list)

    def get(self, path: str) -> Value:
        """The value at a dotted path. None if it is not set."""
        return lookup(self.values, path)

    def set(self, path: str, value: Value, origin: Origin) -> None:
        *parents, name = path.split('.')
        values = self.values
        for parent in parents:
            values = values.setdefault(parent, {})
        values[name] = value
        self.origins[path] = origin


def folded(name: str) -> str:
    """A name in the form in which encoding/json compares names in any case (`foldName`)."""
    return name.translate({0x17F: 's', 0x212A: 'k'}).lower()


@cache
def spelled_names(
    path: str, fields: tuple[str, ...], spelled: Callable[[str], str]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The fields of a struct by their exact names, and by their folded names. The tables have few structs."""
    names = {spelled(joined(path, name)): name for name in fields}
    # If two names fold to the same name, the first counts.
    return names, {folded(exact): names[exact] for exact in reversed(tuple(names))}


class Decoder:
    """Decodes a tree into a Configuration.

    `over`: the existing values to decode into, as encoding/json does. `spelled`: gives the JSON name for a dotted path,
    if that is not its last part. `release`: the kubelet's release, if it is known. `notes`: takes all refusals, so that
    none is raised.
    """

    def __init__(
        self,
        *,
        any_case: bool,
        release: Release | None = None,
        over: Configuration | None = None,
        spelled: Callable[[str], str] | None = None,
        notes: Notes | None = None,
    ) -> None:
        self.notes = notes
        self.any_case = any_case
        self.release = release
        self.over = over or Configuration()
        self.spelled = spelled or last_part
        self.origins: dict[str, Origin] = dict(self.over.origins)

    def decode(self, root: Tree) -> Configuration:
        values = self.value(root, KUBELET_CONFIGURATION, '', self.over.values)
        return Configuration(values, self.origins)

    def value(self, tree: Tree, spec: Field, path: str, old: Any = None) -> Any:
        """One value by its type, decoded over `old`. None for no value. Raises DecodingError.

        An earlier value of the same key is kept only in structs. The value of a map is decoded from scratch.
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
            if name is None:
                continue
            inner = joined(path, name)
            if row is None:
                self.note_ignored(tree, inner)
                continue
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
        """The field that a key stands for (encoding/json: the exact name first, then a name in any case)."""
        exact, by_case = spelled_names(path, tuple(spec.fields or ()), self.spelled)
        return exact.get(key) or (by_case.get(folded(key)) if self.any_case else None)

    def row_of(self, spec: Field, name: str | None, tree: Tree) -> Field | None:
        """A field as the kubelet's release has it. None for a field that it does not know and so ignores.

        The kubelet knows all fields that it filled in itself. Without a release: all fields of the newest release.
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
        # The path contains only names of fields, never keys of maps: those are text of the file.
        text = f'{path} ({tree.origin.place}) is not {KIND_IN_WORDS[spec.kind]}'
        error = DecodingError(text, path, tree.origin)
        if self.notes is None:
            raise error
        self.notes.refused.append(error)

    def note_ignored(self, tree: Tree, path: str) -> None:
        if self.notes is not None and tree.value is not None:
            self.notes.ignored[path] = tree.origin


def joined(path: str, name: str) -> str:
    return f'{path}.{name}' if path else name


def last_part(path: str) -> str:
    return path.rpartition('.')[2]


def scalar(value: Any, kind: Kind) -> Any:
    """A scalar as Go decodes it for that kind, durations in nanoseconds. None if Go refuses it."""
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
    """A whole number in its range. YAML's 110.0 and 1e2 count: Go converts them to the JSON 110 and 100."""
    if isinstance(value, float) and not isinstance(value, JsonFloat) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and lowest <= value <= highest else None


def zero_of(spec: Field) -> Any:
    """Go's zero value, which `null` stands for in a list or map."""
    zeros: dict[Kind, Any] = {Kind.BOOL: False, Kind.STRING: '', Kind.LIST: (), Kind.MAP: {}, Kind.STRUCT: {}}
    return zeros.get(spec.kind, 0)


@dataclass(slots=True)
class Tree:
    """One value of a configuration that is being merged, as JSON has it, and where it was set."""

    value: Any
    origin: Origin
    earlier: tuple[Tree, ...] = ()
    """Earlier values of the same key, if JSON has the key more than once."""


MOST_LEVELS = 16
"""Deeper than any field. Values below this level are ignored."""


def tree_of(node: Node, source: Source, path: str, levels: int = MOST_LEVELS) -> Tree:
    """A node of a document as a layer of the configuration, each value with its place (`path:line`)."""
    origin = Origin(source, str(Place(path, node.line or 0)), path, line=node.line or 0)
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
