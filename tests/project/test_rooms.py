# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules of the rooms: who imports whom, who may touch the world, and how long a module may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import datadog_checks.kubelet_compliance as package

pytestmark = pytest.mark.same_for_every_user

PACKAGE = 'datadog_checks.kubelet_compliance'
FOLDER = Path(package.__file__).parent

MAY_IMPORT: dict[str, set[str]] = {
    'model': set(),
    'kubelet': {'model'},
    'rules': {'model', 'kubelet'},
    'node': {'model', 'kubelet'},
    'launch': {'model', 'kubelet', 'rules'},
    'api': {'model', 'kubelet', 'node'},
    'reporting': {'model', 'kubelet', 'rules', 'launch', '__about__'},
    'collection': {'model', 'kubelet', 'rules', 'node', 'launch', 'api', 'reporting'},
    'capture': {'model', 'kubelet', 'node', 'launch', 'reporting', 'collection'},
    'check': {'model', 'rules', 'node', 'api', 'reporting', 'collection', 'config_models', 'trust'},
    'terminal': {'model', 'kubelet', 'rules', 'node', 'api', 'reporting', 'collection', 'check', '__about__'},
    'cli': {'rules', 'node', 'reporting', 'capture', 'terminal'},
    '__main__': {'cli'},
    '__init__': {'__about__', 'agent_release', 'check'},
    '__about__': set(),
    'agent_release': set(),
    'trust': set(),
}  # fmt: skip
"""Each room, and the rooms that its modules may import. A room that is not listed here is not in the house."""

MODULES = sorted(
    '.'.join(path.relative_to(FOLDER).with_suffix('').parts)
    for path in FOLDER.rglob('*.py')
    if 'config_models' not in path.parts
)

THE_WRITER = 'capture.writer'
OPEN_FILES = {'capture.recorder', 'terminal.agent_files', 'terminal.captures', 'terminal.screen', THE_WRITER}
ASK_OVER_HTTP = {'api.configz', 'api.peer_names'}
KNOW_THE_AGENT = {'agent_release', 'terminal.as_the_agent', 'check', 'api.connection'}
# The day comes from check.py; others may only name its type.
WORLD = {'os', 'io', 'pathlib', 'shutil', 'socket', 'subprocess', 'tempfile', 'time', 'datetime', 'random', 'glob'}
# Of urllib only the splitting of URLs is used.
HTTP = {'requests', 'urllib3', 'urllib', 'http', 'ssl'}


def tree(module: str) -> ast.Module:
    return ast.parse((FOLDER / f'{module.replace(".", "/")}.py').read_text())


def room(module: str) -> str:
    return module.partition('.')[0]


def touches_the_node(module: str) -> bool:
    return room(module) == 'node' or module in OPEN_FILES


def imports(module: str) -> tuple[set[str], set[str]]:
    """What a module imports of ours (dotted, below the package), and of others (top-level names)."""
    ours: set[str] = set()
    others: set[str] = set()
    parent = module.rpartition('.')[0]
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            others.update(alias.name.split('.')[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
            if node.level:
                ours.update(f'{parent}.{name}'.strip('.') for name in names)
            elif f'{node.module}.'.startswith(f'{PACKAGE}.'):
                ours.add((node.module or '').removeprefix(PACKAGE).strip('.'))
            else:
                others.add((node.module or '').split('.')[0])
    return ours, others


def test_every_module_is_listed() -> None:
    """A listing that shrinks takes the cases of the tests below with it."""
    assert len(MODULES) > 100
    assert {room(module) for module in MODULES} == set(MAY_IMPORT)


@pytest.mark.parametrize('name', MAY_IMPORT)
def test_a_room_imports_all_that_the_table_allows_and_nothing_else(name: str) -> None:
    found = {room(target) for module in MODULES if room(module) == name for target in imports(module)[0]}
    assert found - {name} == MAY_IMPORT[name]


@pytest.mark.parametrize('module', MODULES)
def test_a_module_touches_only_what_its_room_may(module: str) -> None:
    _, others = imports(module)
    if not touches_the_node(module) and module not in ASK_OVER_HTTP | {'cli', '__main__'}:
        assert not others & WORLD - {'datetime'}
    assert module in ASK_OVER_HTTP or not others & HTTP - {'urllib'}
    assert module in KNOW_THE_AGENT or not others & {'datadog_checks', 'datadog_agent'}


@pytest.mark.parametrize('module', [module for module in MODULES if not touches_the_node(module)])
def test_only_the_doors_open_files(module: str) -> None:
    # The command opens the one file that a person names.
    names = {node.id for node in ast.walk(tree(module)) if isinstance(node, ast.Name)}
    allowed = {'open', 'print'} if module == 'cli' else set()
    assert not names & {'open', 'eval', 'exec', '__import__', 'print'} - allowed


@pytest.mark.parametrize('module', MODULES)
def test_a_module_can_be_read_at_one_sitting(module: str) -> None:
    lines = (FOLDER / f'{module.replace(".", "/")}.py').read_text().count('\n')
    assert lines <= (150 if module == 'check' else 360)


@pytest.mark.parametrize('module', MODULES)
def test_no_function_swallows_an_error(module: str) -> None:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None
            assert not all(isinstance(step, ast.Pass) for step in node.body)
            catches_all = isinstance(node.type, ast.Name) and node.type.id in ('Exception', 'BaseException')
            # The worker hands on whatever its thread raised; whatever goes wrong inside the Agent is one value.
            assert (
                not catches_all
                or module in ('node.worker', 'api.connection')
                or any(isinstance(step, ast.Raise) for step in node.body)
            )


def public_names(module: str) -> set[str]:
    """The functions, classes, and constants that a module defines."""
    found = set()
    for node in tree(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            found.add(ast.unparse(node.target))
        elif isinstance(node, ast.Assign):
            found.update(ast.unparse(target) for target in node.targets)
    return found


def test_no_name_means_two_things() -> None:
    defined_in: dict[str, list[str]] = {}
    for module in MODULES:
        for name in public_names(module):
            defined_in.setdefault(name, []).append(module)
    assert len(defined_in) > 1000
    assert {name: modules for name, modules in defined_in.items() if len(modules) > 1} == {}
