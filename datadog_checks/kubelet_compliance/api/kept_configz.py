# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Answers of /configz in files, in all forms that people save. Pure.

The whole answer, or the object inside it (`jq .kubeletconfig`). Both also as YAML, with a byte order mark, or in
the UTF-16 of PowerShell.
"""

from __future__ import annotations

import codecs
import json
from typing import Any

from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml import DocumentError, DocumentTooLarge, Node

from .configz import AskError, parse_configz

ENCODINGS = (
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)
ALWAYS_SHOWN = frozenset({'enableServer', 'makeIPTablesUtilChains', 'cgroupsPerQOS', 'podPidsLimit'})
"""Fields in every response of a kubelet, whatever their values. A config file rarely has all of them."""
WANTED = 'provide the response of GET /configz, whole or without its outer object'


class CannotUse(Exception):
    """The file holds no response of /configz. The text says what it holds instead."""


def read_kept_answer(data: bytes) -> bytes:
    """The answer as the kubelet gives it. Raises CannotUse."""
    text = decoded(data).strip()
    if not text:
        raise CannotUse(f'it is empty: {WANTED}')
    if text.startswith('<'):
        raise CannotUse(f'it holds HTML or XML: {WANTED}')
    try:
        root = parse_document(text.encode()).root
    except (DocumentError, DocumentTooLarge) as error:
        raise CannotUse(f'it is truncated, or neither JSON nor YAML ({error}): {WANTED}') from None
    value = plain(root)
    if not isinstance(value, dict):
        raise CannotUse(f'it does not hold an object: {WANTED}')
    if 'kubeletconfig' not in value:
        check_inner(value)
        value = {'kubeletconfig': value}
    body = json.dumps(value).encode()
    try:
        parse_configz(body)
    except AskError as error:
        raise CannotUse(f'{error.why}: {WANTED}') from None
    return body


def decoded(data: bytes) -> str:
    """Raises CannotUse."""
    encoding = next((name for mark, name in ENCODINGS if data.startswith(mark)), 'utf-8')
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise CannotUse(f'it is not text in UTF-8 or UTF-16: {WANTED}') from None


def check_inner(value: dict[str, Any]) -> None:
    """Raise CannotUse unless this is the object inside an answer."""
    kind = value.get('kind')
    if kind == 'Status':
        raise CannotUse(f'it holds an error of the API server (kind: Status): {WANTED}')
    if value.keys() >= ALWAYS_SHOWN:
        return
    if kind == 'KubeletConfiguration':
        raise CannotUse(f'it holds a config file, without the defaults of the kubelet: {WANTED}')
    if isinstance(kind, str) and kind.isalnum():
        raise CannotUse(f'it holds an object of another kind ({kind[:40]}): {WANTED}')
    raise CannotUse(f'it does not hold the configuration of a kubelet: {WANTED}')


def plain(node: Node) -> Any:
    """A node's value without its lines."""
    if isinstance(node.value, dict):
        return {key: plain(member) for key, member in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value
