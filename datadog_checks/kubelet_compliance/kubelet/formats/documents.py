# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Parse the bytes of a configuration file into a tree of nodes with line numbers, as the kubelet's decoders do.

The kubelet reads a text that looks like JSON as JSON, and any other as YAML (k8s.io/apimachinery
pkg/runtime/serializer).
"""

from __future__ import annotations

import json
import math
import re
from itertools import islice
from typing import Any

from .goyaml import MAX_NODES, Document, DocumentError, DocumentTooLarge, Node, YamlTree
from .patterns import repeated

JSON_LETTERS = r'[^"\\]++|\\.|\\\Z'
JSON_STRING = re.compile(rf'"{repeated(JSON_LETTERS)}(?:"|\Z)', re.DOTALL)
BRACKETS = re.compile(r'[\[\]{}]')
MAX_JSON_DEPTH = 256
"""The limit for Python's parser, which is recursive. Go's limit is higher."""


class JsonFloat(float):
    """A JSON number with a fraction or an exponent. Go never accepts it as an integer."""


def parse_document(data: bytes) -> Document:
    """Read a configuration file as the kubelet does. Only the first YAML document counts.

    Raises DocumentError if the kubelet refuses it, DocumentTooLarge if it exceeds our limits.
    """
    text = data.decode('utf-8', errors='replace')
    if text.lstrip().startswith('{'):
        return parse_json(text, data)
    return YamlTree(data).read()


def parse_json(text: str, data: bytes) -> Document:
    """Read JSON as encoding/json does. Line numbers come from a second parse as YAML, if that succeeds."""
    check_bounds(text)
    reader = JsonReader()
    try:
        value = reader.read(text)
    except json.JSONDecodeError as error:
        raise DocumentError(f'line {error.lineno}: starts with {{ but is not valid JSON') from None
    except ValueError:
        raise DocumentError('starts with { but is not valid JSON') from None
    try:
        lines: Node | None = YamlTree(data, for_lines=True).read().root
    except (DocumentError, DocumentTooLarge):
        lines = None
    root = node_of_json(value, lines, 1)
    if root.size > MAX_NODES:
        raise DocumentTooLarge(f'it has more than {MAX_NODES} values')
    return Document(root, (reader.duplicate, None) if reader.duplicate is not None else None, reader.has_endless_number)


class Repeated(list[Any]):
    """All values of a key that occurs more than once in one object, in order."""


class JsonReader:
    """Reads JSON, and keeps what matters to Go's decoders besides the values: duplicate keys and huge numbers."""

    def __init__(self) -> None:
        self.duplicate: str | None = None
        self.has_endless_number = False

    def read(self, text: str) -> Any:
        return json.loads(
            text,
            object_pairs_hook=self.collect,
            parse_float=self.real,
            parse_int=self.whole,
            parse_constant=refuse_constant,
        )

    def collect(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in pairs:
            if key in found:
                self.duplicate = key
                repeated = found.pop(key)
                repeated = repeated if isinstance(repeated, Repeated) else Repeated([repeated])
                repeated.append(item)
                item = repeated
            found[key] = item
        return found

    def real(self, digits: str) -> JsonFloat:
        number = JsonFloat(digits)
        self.has_endless_number |= math.isinf(number)
        return number

    def whole(self, digits: str) -> int | float:
        """An integer. A longer one than any Go integer is a float in Go too."""
        return int(digits) if len(digits) <= 20 else self.real(digits)


def check_bounds(text: str) -> None:
    """Raise DocumentTooLarge for JSON with too many values or levels, before the parser runs.

    It counts commas and brackets, so the count is never lower than the number of values.
    """
    bare = JSON_STRING.sub('', text)
    depth = 0
    for bracket in islice(BRACKETS.finditer(bare), 4 * MAX_NODES):
        depth += 1 if bracket[0] in '[{' else -1
        if depth > MAX_JSON_DEPTH:
            raise DocumentTooLarge(f'nested more than {MAX_JSON_DEPTH} levels deep')
    opening, closing = bare.count('[') + bare.count('{'), bare.count(']') + bare.count('}')
    if max(bare.count(',') + opening, closing) > 2 * MAX_NODES:
        raise DocumentTooLarge(f'it has more than {MAX_NODES} values')


def refuse_constant(name: str) -> float:
    raise ValueError(f'{name} is not JSON')


def node_of_json(value: Any, lines: Node | None, line: int | None) -> Node:
    """Convert a parsed JSON value into nodes. `lines`: the same tree, parsed as YAML."""
    if isinstance(value, Repeated):
        last = node_of_json(value[-1], lines, line)
        last.earlier = tuple(node_of_json(item, None, line) for item in value[:-1])
        last.size += sum(node.size for node in last.earlier)
        return last
    if isinstance(value, dict):
        known = lines.value if lines is not None and isinstance(lines.value, dict) else {}
        members = {
            key: node_of_json(item, known.get(key), known[key].line if key in known else None)
            for key, item in value.items()
        }
        return Node(members, line, 1 + sum(node.size for node in members.values()))
    if isinstance(value, list):
        items = [node_of_json(item, None, line) for item in value]
        return Node(items, line, 1 + sum(node.size for node in items))
    return Node(value, line)
