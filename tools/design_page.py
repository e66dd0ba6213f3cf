# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Write docs/design.md: its picture and its list of modules come from the imports and docstrings of the package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'datadog_checks' / 'kubelet_compliance'
FULL_NAME = 'datadog_checks.kubelet_compliance'
TEMPLATE = ROOT / 'tools' / 'design_page.md'
PAGE = ROOT / 'docs' / 'design.md'

EVERY_ROOM_IMPORTS = 'model'
NO_ROOMS = {'__init__', '__main__', '__about__', 'agent_release', 'config_models'}
"""Modules that the picture omits: the package's own files, and what ddev generates."""


def modules() -> dict[str, ast.Module]:
    """Return the modules by their dotted names below the package."""
    found = {}
    for path in sorted(PACKAGE.rglob('*.py')):
        name = '.'.join(path.relative_to(PACKAGE).with_suffix('').parts)
        if name.partition('.')[0] not in NO_ROOMS:
            found[name] = ast.parse(path.read_text())
    return found


def room_imports(sources: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Return each room, and the other rooms that its modules import."""
    found: dict[str, set[str]] = {}
    for name, source in sources.items():
        room = name.partition('.')[0]
        targets = found.setdefault(room, set())
        for node in ast.walk(source):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            if node.module.startswith(f'{FULL_NAME}.'):
                targets.add(node.module.removeprefix(f'{FULL_NAME}.').partition('.')[0])
            elif node.level and '.' not in name:
                targets.add(node.module.partition('.')[0])
    return {room: targets - NO_ROOMS - {room} for room, targets in found.items()}


def reachable(room: str, imports: Mapping[str, set[str]]) -> set[str]:
    """Return the rooms that a room imports, directly or indirectly."""
    return imports[room].union(*(reachable(target, imports) for target in imports[room]))


def iter_picture(imports: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield a Mermaid graph without the arrows that a longer path implies."""
    yield 'flowchart TD'
    for room, targets in imports.items():
        if room == EVERY_ROOM_IMPORTS:
            continue
        implied = set().union(*(reachable(target, imports) for target in targets))
        for target in sorted(targets - implied - {EVERY_ROOM_IMPORTS}):
            yield f'    {room} --> {target}'


def iter_modules(sources: Mapping[str, ast.Module]) -> Iterator[str]:
    """Yield a table for each folder, with the purpose of each module. A room follows the rooms that it imports."""
    imports = {room: sorted(targets) for room, targets in room_imports(sources).items()}
    order = [*TopologicalSorter(imports).static_order()]
    folders: dict[str, list[str]] = {}
    for name in sorted(sources, key=lambda name: (order.index(name.partition('.')[0]), name)):
        folders.setdefault(name.rpartition('.')[0].replace('.', '/'), []).append(name)
    for folder in sorted(folders, key=lambda folder: order.index(folder.partition('/')[0]) if folder else len(order)):
        yield f'\n### {f"{folder}/" if folder else "The package itself"}\n\n| Module | What it is for |\n|---|---|'
        for name in folders[folder]:
            if not name.endswith('__init__'):
                yield f'| `{name.rpartition(".")[2]}` | {first_sentence(sources[name])} |'


def first_sentence(source: ast.Module) -> str:
    text = ' '.join((ast.get_docstring(source) or '').partition('\n\n')[0].split())
    return re.split(r'(?<=[.?!]) (?=[A-Z])', text)[0].replace('|', '\\|')


def render() -> str:
    """Return the whole page."""
    sources = modules()
    text = TEMPLATE.read_text().replace('{picture}', '\n'.join(iter_picture(room_imports(sources))))
    return text.replace('{modules}', '\n'.join(iter_modules(sources)).strip('\n'))


if __name__ == '__main__':
    PAGE.write_text(render())
