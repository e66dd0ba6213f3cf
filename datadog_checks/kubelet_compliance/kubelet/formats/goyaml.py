# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Parse YAML into a tree of nodes with line numbers, as sigs.k8s.io/yaml (goyaml.v2) does for the kubelet.

goyaml.v2 is a port of libyaml. If a text has nothing that PyYAML's libyaml reads differently, the events come from
libyaml. Otherwise, or if libyaml is missing, they come from our own scanner. This module decides what keys and aliases
mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from .go import format_float32
from .goyaml_scalars import TAG, resolve_scalar
from .goyaml_scanner import READ_DIFFERENTLY, GoParser

MAX_YAML_DEPTH = 10_000
"""goyaml.v2 and encoding/json refuse deeper nesting (`max_flow_level`, `maxNestingDepth`)."""

MAX_NODES = 20_000
"""The limit on values, with aliases expanded. It bounds time and memory. Real files have far fewer."""

MAX_ALIASED_LETTERS = 256 * 1024
"""The limit on text from aliases: each alias can stand for a text as long as the file."""

MOST_ALIASED = 0.99
"""The highest share of values from aliases that goyaml.v2 accepts."""

YAML_PARSER = getattr(yaml, 'CSafeLoader', GoParser)


class DocumentError(Exception):
    """The kubelet would refuse this file. The text is short and never contains text of the file."""


class DocumentTooLarge(Exception):
    """The file exceeds one of our own limits, so it is not known how the kubelet reads it."""


@dataclass(slots=True)
class Node:
    """One value: None, bool, int, float, str, a list of nodes, or a dict of nodes. `line`: the line of its key."""

    value: Any
    line: int | None
    size: int = 1
    """The number of values, this one included, with aliases expanded."""
    letters: int = 0
    """The length of their text."""
    earlier: tuple[Node, ...] = ()
    """Earlier values of the same key, if JSON has it more than once. Each is decoded over the one before."""
    is_alias: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """The first document of a file. `duplicate`: a key that occurs twice in one mapping, and its line."""

    root: Node
    duplicate: tuple[str, int | None] | None = None
    has_endless_number: bool = False
    """A JSON number is too large for every Go type."""


class YamlTree:
    """Builds the node tree of the first YAML document from the parser's events, without recursion."""

    def __init__(self, data: bytes, *, for_lines: bool = False) -> None:
        """`for_lines`: only the line numbers matter, and the fast parser gives the same."""
        self.data = data
        self.for_lines = for_lines
        self.anchors: dict[str, Node | None] = {}
        self.stack: list[OpenCollection] = []
        self.root: Node | None = None
        self.duplicate: tuple[str, int | None] | None = None
        self.size = 1
        self.aliased = 0
        self.aliased_letters = 0
        self.has_no_number = False

    def read(self) -> Document:
        """Parse up to the end of the first document. Raises DocumentError and DocumentTooLarge."""
        try:
            for event in self.events():
                self.take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise DocumentError(f'line {mark.line + 1}: not valid YAML' if mark else 'not valid YAML') from None
        except (yaml.YAMLError, ValueError, OverflowError):
            # Without libyaml, PyYAML's own parser raises the last two for an invalid escape or version.
            raise DocumentError('not valid YAML text (UTF-8 without control characters)') from None
        root = self.root or Node(None, None)
        if self.has_no_number:
            refuse_no_numbers(root)
        return Document(root, self.duplicate)

    def events(self) -> Iterator[yaml.Event]:
        parser = GoParser if READ_DIFFERENTLY.search(self.data) and not self.for_lines else YAML_PARSER
        for event in yaml.parse(self.data, Loader=parser):
            if isinstance(event, yaml.DocumentEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent) and event.version not in (None, (1, 1)):
                raise DocumentError(f'line {line_of(event)}: the kubelet supports only YAML 1.1')
            yield event

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self.count(1, 0)
            node = scalar_node(event)
            node.letters = len(event.value)
            self.has_no_number |= isinstance(node.value, float) and not math.isfinite(node.value)
            self.add(node, event)
        elif isinstance(event, yaml.AliasEvent):
            self.add(self.alias_node(event), event)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(self.stack) >= MAX_YAML_DEPTH:
                raise DocumentError(f'line {line_of(event)}: nested more than {MAX_YAML_DEPTH} levels deep')
            self.count(1, 0)
            if event.anchor:
                self.anchors[event.anchor] = None
            self.stack.append(OpenCollection(event, isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self.stack.pop()
            self.add(self.mapping_node(done) if done.is_mapping else done.sequence_node(), done.start)

    def alias_node(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self.anchors:
            raise DocumentError(f'line {line_of(event)}: an alias refers to an undefined anchor')
        target = self.anchors[event.anchor]
        if target is None:
            raise DocumentError(f'line {line_of(event)}: an anchor contains an alias to itself')
        self.count(target.size + 1, target.size)
        self.aliased_letters += target.letters
        if self.aliased_letters > MAX_ALIASED_LETTERS:
            raise DocumentTooLarge(f'its aliases expand to more than {MAX_ALIASED_LETTERS // 1024} KiB of text')
        return Node(target.value, target.line, target.size + 1, target.letters, is_alias=True)

    def count(self, size: int, aliased: int) -> None:
        """Count all values, and those that come from an alias (goyaml.v2 decode.go, `unmarshal`)."""
        self.size += size
        self.aliased += aliased
        if self.size > 1000 and self.aliased / self.size > MOST_ALIASED:
            raise DocumentError('too many of its values come from aliases')
        if self.size > MAX_NODES:
            raise DocumentTooLarge(f'it has more than {MAX_NODES} values')

    def add(self, node: Node, event: yaml.NodeEvent) -> None:
        """Add a finished node to the open collection, or make it the root."""
        if event.anchor and not isinstance(event, yaml.AliasEvent):
            self.anchors[event.anchor] = node
        if self.stack:
            self.stack[-1].add(node, is_merge_key(event))
        else:
            self.root = node

    def mapping_node(self, done: OpenCollection) -> Node:
        """A mapping from its keys and values. A later key replaces an earlier one, and one from a merge.

        sigs.k8s.io/yaml converts it to JSON with sorted keys. The order matters if two keys differ only in case.
        """
        members: dict[Any, Node] = {}
        for key, is_merge, value in zip(done.nodes[::2], done.merges[::2], done.nodes[1::2], strict=True):
            if is_merge:
                for name, node in merged_members(value):
                    self.put(members, name, node, key.line)
            else:
                self.put(members, key_text(key), Node(value.value, key.line, value.size, value.letters), key.line)
        return done.node({name: members[name] for name in sorted(members)})

    def put(self, members: dict[Any, Node], name: str, node: Node, line: int | None) -> None:
        if name in members and self.duplicate is None:
            self.duplicate = (name, line)
        members[name] = node


class OpenCollection:
    """A mapping or sequence that the parser has not finished."""

    def __init__(self, start: yaml.CollectionStartEvent, is_mapping: bool) -> None:
        self.start = start
        self.is_mapping = is_mapping
        self.nodes: list[Node] = []
        self.merges: list[bool] = []
        self.size = 1
        self.letters = 0

    def add(self, node: Node, is_merge: bool) -> None:
        self.nodes.append(node)
        self.merges.append(is_merge)
        self.size += node.size
        self.letters += node.letters

    def node(self, value: Any) -> Node:
        return Node(value, line_of(self.start), self.size, self.letters)

    def sequence_node(self) -> Node:
        return self.node(self.nodes)


def is_merge_key(event: yaml.NodeEvent) -> bool:
    """goyaml.v2 decode.go, `isMerge`: an unquoted `<<` merges a mapping into this one."""
    return (
        isinstance(event, yaml.ScalarEvent)
        and event.value == '<<'
        and (event.implicit[0] or event.tag == TAG + 'merge')
    )


def merged_members(value: Node) -> list[tuple[str, Node]]:
    """The members that `<<` adds, in the order in which goyaml.v2 sets them: the first mapping of a list wins.

    An alias can stand for a mapping, but not for the list (goyaml.v2 decode.go, `merge`).
    """
    sources = list(reversed(value.value)) if isinstance(value.value, list) and not value.is_alias else [value]
    if not all(isinstance(source.value, dict) for source in sources):
        raise DocumentError(f'line {value.line}: a merge key (<<) needs a mapping or a list of mappings')
    return [item for source in sources for item in source.value.items()]


def scalar_node(event: yaml.ScalarEvent) -> Node:
    """A quoted scalar without a tag is text. Others are resolved (goyaml.v2 decode.go, `scalar`)."""
    line = line_of(event)
    if event.tag is None and not event.implicit[0]:
        return Node(event.value, line)
    try:
        value = resolve_scalar(event.tag or '', event.value)
    except ValueError:
        raise DocumentError(f'line {line}: a value does not match its tag') from None
    return Node(value, line)


def key_text(key: Node) -> str:
    """A mapping's key as sigs.k8s.io/yaml converts it to JSON: text, or a number or boolean as text."""
    value = key.value
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, int) and value < 1 << 63:
        return str(value)
    if isinstance(value, float):
        return NO_NUMBERS.get(str(value)) or format_float32(value)
    raise DocumentError(f'line {key.line}: a key must be a string, a number, or a boolean')


NO_NUMBERS = {'inf': '.inf', '-inf': '-.inf', 'nan': '.nan'}


def refuse_no_numbers(root: Node) -> None:
    """Raise DocumentError for a value that is infinity or NaN: JSON has no such values."""
    rest = [root]
    while rest:
        node = rest.pop()
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise DocumentError(f'line {node.line}: JSON has no infinity and no NaN')
        rest += (
            node.value.values() if isinstance(node.value, dict) else node.value if isinstance(node.value, list) else ()
        )


def line_of(event: yaml.Event) -> int:
    assert event.start_mark is not None
    return event.start_mark.line + 1
