# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The inputs that fuzzing kept: a file for each target, with an input on each line."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path

SEEDS = Path(__file__).parent / 'seeds'


@cache
def kept_inputs(target: str) -> dict[str, bytes]:
    """The kept inputs of a target by their names. None, if no input was kept."""
    path = SEEDS / f'{target}.jsonl'
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(read_line(line) for line in lines)


def read_line(line: str) -> tuple[str, bytes]:
    kept = json.loads(line)
    text = kept.get('text')
    return kept['name'], text.encode() if text is not None else base64.b64decode(kept['base64'], validate=True)


def write_line(name: str, data: bytes) -> str:
    """One input as one line without its end. Only bytes that are not UTF-8 are written as base64."""
    try:
        content = {'text': data.decode()}
    except UnicodeDecodeError:
        content = {'base64': base64.b64encode(data).decode()}
    return json.dumps({'name': name, **content})


def all_kept() -> list[tuple[str, str, bytes]]:
    """The target, the name, and the bytes of each kept input."""
    targets = sorted(path.stem for path in SEEDS.glob('*.jsonl'))
    return [(target, name, data) for target in targets for name, data in kept_inputs(target).items()]
