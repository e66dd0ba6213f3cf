# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Trees of documents as plain values."""

from __future__ import annotations

from typing import Any

from datadog_checks.kubelet_compliance.kubelet.formats.goyaml import Node


def plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: plain(member) for key, member in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value
