# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The bytes of a configuration file to a tree of nodes with line numbers, as the kubelet's own decoders read them.

What looks like JSON is JSON to the kubelet, everything else is YAML (k8s.io/apimachinery pkg/runtime/serializer).
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

from .goyaml import MAX_DEPTH, MAX_NODES, Document, DocumentError, DocumentTooLarge, Node, YamlTree

JSON_STRING = re.compile(r'"(?:[^"\\]++|\\.|\\\Z)*+(?:"|\Z)', re.DOTALL)
BRACKETS = re.compile(r'[\[\]{}]')


class JsonFloat(float):
    """A JSON number with a fraction or an exponent: no integer to Go, whatever its value is."""


def parse_document(data: bytes) -> Document:
    """Read a configuration file as the kubelet does; only the first YAML document counts.

    Raises DocumentError where the kubelet refuses it, DocumentTooLarge where it passes our bounds.
    """
    text = data.decode('utf-8', errors='replace')
    if text.lstrip().startswith('{'):
        return parse_json(text, data)
    return YamlTree(data).read()


def parse_json(text: str, data: bytes) -> Document:
    """Read JSON as encoding/json does; line numbers come from reading it once more as YAML, where that works."""
    check_bounds(text)
    duplicates: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in pairs:
            if key in found:
                duplicates.append(key)
                item = decoded_over(found.pop(key), item)
            found[key] = item
        return found

    try:
        value = json.loads(
            text, object_pairs_hook=collect, parse_float=JsonFloat, parse_int=json_int, parse_constant=refuse_constant
        )
    except json.JSONDecodeError as error:
        raise DocumentError(f'line {error.lineno}: it begins with {{ but is not valid JSON') from None
    except ValueError:
        raise DocumentError('it begins with { but is not valid JSON') from None
    try:
        lines: Node | None = YamlTree(data).read().root
    except (DocumentError, DocumentTooLarge):
        lines = None
    root = node_of_json(value, lines, 1)
    if root.size > MAX_NODES:
        raise DocumentTooLarge(f'it holds more than {MAX_NODES} values')
    return Document(root, (duplicates[0], None) if duplicates else None)


def decoded_over(old: Any, new: Any) -> Any:
    """The value of a key that stands twice: encoding/json decodes the later one over the earlier one."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, item in new.items():
            old[key] = decoded_over(old[key], item) if key in old else item
        return old
    holds_objects = isinstance(old, list) and any(isinstance(item, dict | list) for item in old)
    if old is not None and type(old) is not type(new) or holds_objects:
        raise DocumentError('a key stands twice, with values that do not go together')
    return new


def check_bounds(text: str) -> None:
    """Raise DocumentTooLarge for JSON of too many values or levels, before a parser builds or recurses.

    The count is of what parts values and of what opens and closes them, so at least as high as that of the values.
    """
    bare = JSON_STRING.sub('', text)
    depth = 0
    for bracket in islice(BRACKETS.finditer(bare), 4 * MAX_NODES):
        depth += 1 if bracket[0] in '[{' else -1
        if depth > MAX_DEPTH:
            raise DocumentTooLarge(f'it is nested more than {MAX_DEPTH} levels deep')
    opening, closing = bare.count('[') + bare.count('{'), bare.count(']') + bare.count('}')
    if max(bare.count(',') + opening, closing) > 2 * MAX_NODES:
        raise DocumentTooLarge(f'it holds more than {MAX_NODES} values')


def json_int(digits: str) -> int | float:
    """An integer; one that no Go integer can hold is a float to Go as well."""
    return int(digits) if len(digits) <= 20 else JsonFloat(digits)


def refuse_constant(name: str) -> float:
    raise ValueError(f'{name} is not JSON')


def node_of_json(value: Any, lines: Node | None, line: int | None) -> Node:
    """Wrap a parsed JSON value into nodes; `lines` is the same tree read as YAML."""
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
