# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The captured nodes, each one document: the files of its folder, and the results that the check must give for it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from .packed import lay_out
from .paths import TESTS

NODES = TESTS / 'nodes'
REPORTED = TESTS / 'reported'
NAMES = sorted(path.stem for path in NODES.glob('*.json'))


@cache
def document_of(name: str) -> dict[str, Any]:
    """A captured node, or one that was made after a public report. Nobody may change what this returns."""
    folder = NODES if name in NAMES else REPORTED
    document: dict[str, Any] = json.loads((folder / f'{name}.json').read_text())
    return document


def files_of(name: str) -> dict[str, Any]:
    """The files of a node by their paths, as `packed` describes them."""
    files: dict[str, Any] = document_of(name)['files']
    return files


def expected(name: str) -> dict[str, Any]:
    """The results that the check must give for a node."""
    found: dict[str, Any] = document_of(name)['expected']
    return found


def lay_out_node(name: str, folder: Path) -> Path:
    """Write a node to a folder, as `--capture` would. Return the folder."""
    return lay_out(files_of(name), folder)
