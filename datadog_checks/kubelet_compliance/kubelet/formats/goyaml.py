# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""YAML to a tree of nodes with line numbers, as sigs.k8s.io/yaml (goyaml.v2) reads it for the kubelet.

goyaml.v2 was ported from libyaml. So where a text holds nothing that the libyaml behind PyYAML reads otherwise, its
events are taken as they are, else those of our own scanner, which also serves where libyaml is not. What scalars, keys
and aliases mean is decided here.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from .go import format_float32, parse_float, parse_int
from .goyaml_scanner import READ_OTHERWISE, GoParser

MAX_DEPTH = 10_000
"""Deeper nesting goyaml.v2 and encoding/json refuse (`max_flow_level`, `maxNestingDepth`)."""

MAX_NODES = 20_000
"""More values than a KubeletConfiguration can use by far; it bounds time and memory, aliases expanded."""

MAX_ALIASED_LETTERS = 256 * 1024
"""How much text aliases may bring: each of them may stand for a text as long as the file."""

MOST_ALIASED = 0.99


YAML_PARSER = getattr(yaml, 'CSafeLoader', GoParser)

TAG = 'tag:yaml.org,2002:'
RESOLVABLE = frozenset(TAG + name for name in ('str', 'bool', 'int', 'float', 'null', 'timestamp'))
WORDS: dict[str, tuple[str, bool | None | float]] = {
    **dict.fromkeys('y Y yes Yes YES true True TRUE on On ON'.split(), ('bool', True)),
    **dict.fromkeys('n N no No NO false False FALSE off Off OFF'.split(), ('bool', False)),
    **dict.fromkeys(['', *'~ null Null NULL'.split()], ('null', None)),
    **dict.fromkeys('.inf .Inf .INF +.inf +.Inf +.INF'.split(), ('float', float('inf'))),
    **dict.fromkeys('-.inf -.Inf -.INF'.split(), ('float', -float('inf'))),
    **dict.fromkeys('.nan .NaN .NAN'.split(), ('float', float('nan'))),
}
YAML_FLOAT = re.compile(r'[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?')
TIMESTAMP = re.compile(
    r'([0-9]{4})-(1[0-2]|0?[1-9])-(0?[1-9]|[12][0-9]|3[01])'
    r'(?:[Tt ](?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:[.,][0-9]+)?(Z|[+-](?:[01][0-9]|2[0-4]):[0-5][0-9])?)?'
)


class DocumentError(Exception):
    """The kubelet would refuse this file. The text is short and never holds what the file holds."""


class DocumentTooLarge(Exception):
    """The file passes one of our own bounds, so what the kubelet makes of it is not known."""


@dataclass(slots=True)
class Node:
    """One value: None, bool, int, float, str, a list of nodes or a dict of nodes; `line` is where its key stands."""

    value: Any
    line: int | None
    size: int = 1
    """How many values it holds, itself included, aliases expanded."""
    letters: int = 0
    """How much text these hold."""
    earlier: tuple[Node, ...] = ()
    """What the same key said before, where it stands twice in JSON: each value is decoded over the one before."""
    is_alias: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """The first document of a file. `duplicate`: a key that stands twice in one mapping, and its line."""

    root: Node
    duplicate: tuple[str, int | None] | None = None
    has_endless_number: bool = False
    """Whether a JSON number is too large for any type of Go's."""


class YamlTree:
    """Builds the node tree of the first YAML document from the parser's events, without recursion."""

    def __init__(self, data: bytes, *, for_lines: bool = False) -> None:
        """`for_lines`: only the line numbers count, and those the fast parser knows as well."""
        self.data = data
        self.for_lines = for_lines
        self.anchors: dict[str, Node | None] = {}
        self.stack: list[Collection] = []
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
            raise DocumentError(f'line {mark.line + 1}: it is not valid YAML' if mark else 'not valid YAML') from None
        except (yaml.YAMLError, ValueError, OverflowError):
            # PyYAML's own parser, which serves where libyaml is not, lets go of these two for an escape or a version.
            raise DocumentError('it is not text that YAML allows (UTF-8 without control characters)') from None
        root = self.root or Node(None, None)
        if self.has_no_number:
            refuse_no_numbers(root)
        return Document(root, self.duplicate)

    def events(self) -> Iterator[yaml.Event]:
        parser = GoParser if READ_OTHERWISE.search(self.data) and not self.for_lines else YAML_PARSER
        for event in yaml.parse(self.data, Loader=parser):
            if isinstance(event, yaml.DocumentEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent) and event.version not in (None, (1, 1)):
                raise DocumentError(f'line {line_of(event)}: the kubelet reads only YAML 1.1')
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
            if len(self.stack) >= MAX_DEPTH:
                raise DocumentError(f'line {line_of(event)}: it is nested more than {MAX_DEPTH} levels deep')
            self.count(1, 0)
            if event.anchor:
                self.anchors[event.anchor] = None
            self.stack.append(Collection(event, isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self.stack.pop()
            self.add(self.mapping_node(done) if done.is_mapping else done.sequence_node(), done.start)

    def alias_node(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self.anchors:
            raise DocumentError(f'line {line_of(event)}: it uses an anchor that is not defined')
        target = self.anchors[event.anchor]
        if target is None:
            raise DocumentError(f'line {line_of(event)}: an anchor contains itself')
        self.count(target.size + 1, target.size)
        self.aliased_letters += target.letters
        if self.aliased_letters > MAX_ALIASED_LETTERS:
            raise DocumentTooLarge(f'its aliases bring more than {MAX_ALIASED_LETTERS // 1024} KiB of text')
        return Node(target.value, target.line, target.size + 1, target.letters, is_alias=True)

    def count(self, size: int, aliased: int) -> None:
        """Count values read so far, and those of them that an alias brought (goyaml.v2 decode.go, `unmarshal`)."""
        self.size += size
        self.aliased += aliased
        if self.size > 1000 and self.aliased / self.size > MOST_ALIASED:
            raise DocumentError('it uses so many aliases that the kubelet refuses it')
        if self.size > MAX_NODES:
            raise DocumentTooLarge(f'it holds more than {MAX_NODES} values')

    def add(self, node: Node, event: yaml.NodeEvent) -> None:
        """Put a finished node into the collection that is open, or make it the root."""
        if event.anchor and not isinstance(event, yaml.AliasEvent):
            self.anchors[event.anchor] = node
        if self.stack:
            self.stack[-1].add(node, is_merge_key(event))
        else:
            self.root = node

    def mapping_node(self, done: Collection) -> Node:
        """A mapping from its keys and values: a later key replaces an earlier one, merged ones included.

        sigs.k8s.io/yaml writes it to JSON by sorted keys, which counts where two keys differ by case only.
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


class Collection:
    """A mapping or sequence whose end has not come yet."""

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
    """The members that `<<` brings, in the order in which goyaml.v2 sets them: the first of a list wins.

    The list must stand there itself (goyaml.v2 decode.go, `merge`: an alias is one of a mapping).
    """
    sources = list(reversed(value.value)) if isinstance(value.value, list) and not value.is_alias else [value]
    if not all(isinstance(source.value, dict) for source in sources):
        raise DocumentError(f'line {value.line}: a merge key (<<) wants a mapping or a list of mappings')
    return [item for source in sources for item in source.value.items()]


def scalar_node(event: yaml.ScalarEvent) -> Node:
    """goyaml.v2 decode.go, `scalar`: a quoted scalar without a tag is text, others are resolved."""
    line = line_of(event)
    if event.tag is None and not event.implicit[0]:
        return Node(event.value, line)
    try:
        value = resolve_scalar(event.tag or '', event.value)
    except ValueError:
        raise DocumentError(f'line {line}: a value does not fit its tag') from None
    return Node(value, line)


def resolve_scalar(tag: str, text: str) -> bool | int | float | str | None:
    """What a plain or tagged scalar means (goyaml.v2 resolve.go, `resolve`). Raises ValueError for a wrong tag."""
    if tag == TAG + 'binary':
        try:
            return base64.b64decode(text.replace('\n', '').replace('\r', ''), validate=True).decode('utf-8', 'replace')
        except binascii.Error:
            raise ValueError('not base64') from None
    if tag == TAG + 'str' or tag and tag not in RESOLVABLE:
        return text
    kind, value = resolve_plain(text)
    if not tag or tag == TAG + kind:
        return value
    if tag == TAG + 'float' and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if tag == TAG + 'timestamp' and is_timestamp(text):
        return text
    raise ValueError('the tag does not fit')


def is_timestamp(text: str) -> bool:
    """goyaml.v2 resolve.go, `parseTimestamp`: a date, with a time that has a zone after `T` and none after a space."""
    match = TIMESTAMP.fullmatch(text)
    if match is None or (match.end(3) < len(text)) and (text[match.end(3)] == ' ') is (match[4] is not None):
        return False
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    is_leap_year = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day <= (29 if month == 2 and is_leap_year else DAYS[month - 1])


DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def resolve_plain(text: str) -> tuple[str, bool | int | float | str | None]:
    """The type and the value of an unquoted scalar: YAML 1.1's words and Go's numbers, nothing else."""
    if text in WORDS:
        return WORDS[text]
    if text[0] == '.':
        return as_float(text, text)
    if text[0] not in '+-0123456789':
        return 'str', text
    plain = text.replace('_', '')
    for signed in (True, False):
        try:
            return 'int', parse_int(plain, 64, signed=signed)
        except ValueError:
            continue
    return as_float(plain, text) if YAML_FLOAT.fullmatch(plain) else ('str', text)


def as_float(plain: str, text: str) -> tuple[str, float | str]:
    try:
        return 'float', parse_float(plain)
    except ValueError:
        return 'str', text


def key_text(key: Node) -> str:
    """A mapping's key as sigs.k8s.io/yaml turns it to JSON: text, or a number or boolean spelled out."""
    value = key.value
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, int) and value < 1 << 63:
        return str(value)
    if isinstance(value, float):
        return NO_NUMBERS.get(str(value)) or format_float32(value)
    raise DocumentError(f'line {key.line}: a key must be text, a number or a boolean')


NO_NUMBERS = {'inf': '.inf', '-inf': '-.inf', 'nan': '.nan'}


def refuse_no_numbers(root: Node) -> None:
    """Raise DocumentError for an infinity or NaN, which has no form in JSON unless it is a key."""
    rest = [root]
    while rest:
        node = rest.pop()
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise DocumentError(f'line {node.line}: infinity and NaN have no form in JSON')
        rest += (
            node.value.values() if isinstance(node.value, dict) else node.value if isinstance(node.value, list) else ()
        )


def line_of(event: yaml.Event) -> int:
    assert event.start_mark is not None
    return event.start_mark.line + 1
