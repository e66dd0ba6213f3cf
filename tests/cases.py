# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The recorded launches, and laying out the files of one in a folder."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TRUTH = Path(__file__).parent / 'truth'


@dataclass(frozen=True)
class Case:
    id: str
    argv: tuple[str, ...]
    files: dict[str, Any]
    effective: dict[str, Any] | None
    """None: the kubelet refused to start."""

    def arguments(self, folder: Path) -> tuple[str, ...]:
        return tuple(argument.replace('{dir}', str(folder)) for argument in self.argv)

    def lay_out(self, folder: Path) -> None:
        """Write the case's files below the folder."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                path.write_bytes(content.replace('{dir}', str(folder)).encode())
            elif 'base64' in content:
                path.write_bytes(base64.b64decode(content['base64']))
            elif 'symlink' in content:
                path.symlink_to(content['symlink'].replace('{dir}', str(folder)))
            else:
                assert content == {'dir': True}
                path.mkdir(exist_ok=True)


def load() -> tuple[Case, ...]:
    lines = (TRUTH / 'cases.jsonl').read_text().splitlines()
    return tuple(
        Case(row['id'], tuple(row['argv']), row.get('files', {}), row['kubelet'].get('effective'))
        for row in map(json.loads, lines)
    )


CASES = load()
