# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The house rules that erode silently: who imports whom, who may touch the world, how long a module may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import datadog_checks.kubelet_compliance as package

HOUSE = Path(package.__file__).parent
MODULES = sorted(path.stem for path in HOUSE.glob('*.py'))

THE_WRITER = 'capture_write'

# Each module, and all that it may import of ours. What is not listed here is not in the house.
MAY_IMPORT: dict[str, set[str]] = {
    '__about__': set(),
    '__init__': {'__about__', 'agent_release', 'check'},
    'agent_release': set(),
    '__main__': {'cli'},
    'evidence': set(),
    'rows': {'evidence'},
    'model': {'evidence', 'rows'},
    'patterns': set(),
    'golang': {'patterns'},
    'kubernetes_text': {'golang'},
    'fields': {'release'},
    'flag_table': {'release'},
    'release': set(),
    'config_values': {'kubernetes_text'},
    'gate_table': set(),
    'gate_table_gone': set(),
    'gate_needs': set(),
    'feature_gates': {'config_values', 'gate_needs', 'gate_table', 'gate_table_gone', 'release'},
    'validation_table': {'release'},
    'validation': {
        'config_values', 'feature_gates', 'golang', 'kubernetes_text', 'release', 'validation_table',
    },
    'late_values': {'config_values', 'kubernetes_text', 'release', 'validation_table'},
    'flag_values': {'patterns', 'flag_table', 'golang', 'kubernetes_text', 'model', 'release'},
    'flags': {'flag_table', 'flag_values', 'kubernetes_text', 'model', 'release'},
    'command_lines': {'flags', 'model', 'release'},
    'goyaml_scanner': {'patterns'},
    'goyaml': {'golang', 'goyaml_scanner'},
    'certificates': {'patterns'},
    'late_table': set(),
    'late_refusals': {
        'certificates', 'config_values', 'flag_values', 'flags', 'golang', 'late_table', 'late_values', 'release',
    },
    'documents': {'patterns', 'goyaml'},
    'decoding': {'documents', 'fields', 'golang', 'goyaml', 'kubernetes_text', 'model', 'release'},
    'defaults': {'config_values', 'decoding', 'feature_gates', 'fields', 'golang', 'model', 'release'},
    'merging': {'decoding', 'documents', 'fields', 'golang', 'model'},
    'layers': {'decoding', 'defaults', 'documents', 'flags', 'goyaml', 'merging', 'model', 'release'},
    'declare': {
        'command_lines', 'config_values', 'decoding', 'flag_table', 'flags', 'late_refusals', 'layers', 'model',
        'release', 'validation',
    },
    'pending': {'decoding', 'defaults', 'fields', 'model', 'release'},
    'resolve': {'decoding', 'model', 'pending'},
    'expect': {'model'},
    'names': set(),
    'systemd_text': set(),
    'systemd_words': {'systemd_text'},
    'environment_files': {'systemd_text', 'systemd_words'},
    'unit_commands': {'systemd_text', 'systemd_words'},
    'units': {'environment_files', 'model', 'names', 'systemd_text', 'systemd_words', 'unit_commands'},
    'unit_paths': set(),
    'named_files': {'flags', 'host', 'late_refusals', 'model'},
    'services': {'embedded', 'host', 'model', 'rooted', 'systemd_text', 'unit_paths', 'units'},
    'next_start': {'declare', 'model', 'names'},
    'starts': {'at_rest', 'embedded', 'model', 'names', 'next_start'},
    'at_rest': {'embedded', 'model', 'resolve'},
    'embedded': {'documents', 'goyaml', 'model', 'names'},
    'launches': {'embedded', 'host', 'model', 'names'},
    'kernel_settings': set(),
    'rules': {'certificate_rules', 'expect', 'file_rules', 'kernel_settings', 'model', 'names'},
    'certificate_rules': {'expect', 'model'},
    'file_rules': {'expect', 'model'},
    'benchmark_table': set(),
    'benchmarks': {'benchmark_table', 'model'},
    'selection': {'benchmark_table', 'benchmarks', 'model', 'rules'},
    'distributions': {'model', 'names'},
    'fixes': {'model'},
    'wording': {'fixes', 'model'},
    'judge': {'fixes', 'model', 'wording'},
    'exemptions': {'model'},
    'explanation': {'benchmarks', 'distributions', 'fixes', 'model', 'wording'},
    'report': {'model'},
    'capture': {'model'},
    'stamps': set(),
    'rooted': {'stamps'},
    'identity': set(),
    'procfs': {'identity', 'rooted'},
    'processes': {'capture', 'identity', 'model', 'names', 'procfs', 'rooted', 'stamps'},
    'sockets': {'identity', 'model', 'processes'},
    'file_remedies': {'model'},
    'rights': {'file_remedies'},
    'host_mounts': {
        'capture', 'file_remedies', 'identity', 'model', 'processes', 'procfs', 'rights', 'rooted', 'sockets',
    },
    'host': {
        'capture', 'file_remedies', 'host_mounts', 'identity', 'model', 'processes', 'procfs', 'rooted', 'stamps',
    },
    'patient_host': {'host', 'model', 'patience', 'procfs', 'rooted'},
    'image': {'host', 'model', 'next_start', 'rooted', 'services', 'starts', 'unit_paths'},
    'memory': {'model'},
    'patience': set(),
    'ways': set(),
    'tls_failures': {'model', 'ways'},
    'failures': {'model', 'tls_failures', 'ways'},
    'peer_names': set(),
    'configz': {
        'decoding', 'documents', 'failures', 'goyaml', 'model', 'patience', 'peer_names', 'tls_failures', 'ways',
    },
    'asking': {'configz', 'decoding', 'host', 'kubelets', 'model', 'ownership', 'pending'},
    'kept_configz': {'configz', 'documents', 'goyaml'},
    'connection': {'configz', 'model'},
    'replay': {'configz'},
    'redact': {'embedded', 'fields', 'flag_table', 'names'},
    'redact_units': {'names', 'redact', 'systemd_text'},
    'recorded_units': {'embedded', 'capture', 'host', 'model', 'next_start', 'redact', 'redact_units', 'services'},
    'recorder': {
        'capture', 'collect', 'declare', 'host', 'kubelets', 'model', 'names', 'processes', 'recorded_units', 'redact',
        'release', 'rooted',
    },
    'capture_write': set(),
    'ownership': {'failures', 'model', 'ways'},
    'file_sets': {'flags', 'host', 'model'},
    'node_facts': {
        'documents', 'flags', 'goyaml', 'host', 'kernel_settings', 'model', 'procfs', 'rules', 'stamps',
    },
    'homes': {'distributions', 'flags', 'host', 'model', 'wording'},
    'kubelets': {
        'at_rest', 'command_lines', 'declare', 'decoding', 'file_sets', 'flags', 'homes', 'host', 'judge',
        'model', 'next_start', 'node_facts', 'pending', 'resolve', 'rules',
    },
    'collect': {
        'asking', 'command_lines', 'configz', 'declare', 'decoding', 'flags', 'host', 'judge', 'kubelets',
        'launches', 'memory', 'model', 'named_files', 'next_start', 'pending', 'release', 'report', 'services',
    },
    'check': {
        'collect', 'config_models', 'configz', 'connection', 'exemptions', 'model', 'ownership', 'patient_host',
        'processes', 'report', 'rules', 'selection', 'sending', 'trust',
    },
    'sending': {'exemptions', 'model', 'report'},
    'trust': set(),
    'as_the_agent': {'check'},
    'agent_files': {'as_the_agent', 'rooted'},
    'printing': {'__about__', 'explanation', 'model', 'redact', 'report', 'wording'},
    'cli': {
        '__about__', 'agent_files', 'as_the_agent', 'benchmarks', 'capture', 'capture_write', 'collect', 'configz',
        'exemptions', 'host', 'identity', 'image', 'kept_configz', 'model', 'patient_host', 'printing',
        'processes', 'recorder', 'release', 'replay', 'report', 'rooted', 'rules', 'selection',
    },
}  # fmt: skip

DOORS = {
    'host', 'host_mounts', 'patient_host', 'processes', 'procfs', 'rights', 'rooted', 'sockets', 'stamps', 'recorder',
    'agent_files', THE_WRITER,
}  # fmt: skip
THE_HTTP_DOOR = {'configz', 'peer_names'}
THE_AGENT = {'agent_release', 'as_the_agent', 'check', 'connection'}
# The day comes from check.py; others may only name its type.
WORLD = {'os', 'io', 'pathlib', 'shutil', 'socket', 'subprocess', 'tempfile', 'time', 'datetime', 'random', 'glob'}
# Of urllib only the splitting of URLs is used.
HTTP = {'requests', 'urllib3', 'urllib', 'http', 'ssl'}


def imports(module: str) -> tuple[set[str], set[str]]:
    """What a module imports of ours, and of others (top-level names)."""
    ours: set[str] = set()
    others: set[str] = set()
    for node in ast.walk(ast.parse((HOUSE / f'{module}.py').read_text())):
        if isinstance(node, ast.Import):
            others.update(alias.name.split('.')[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            ours.update([node.module.split('.')[0]] if node.module else [alias.name for alias in node.names])
        elif isinstance(node, ast.ImportFrom) and node.module:
            others.add(node.module.split('.')[0])
    return ours, others


def test_every_module_has_its_place_in_the_house() -> None:
    assert set(MODULES) == set(MAY_IMPORT)


@pytest.mark.parametrize('module', MODULES)
def test_a_module_imports_only_what_the_table_allows(module: str) -> None:
    ours, others = imports(module)
    assert ours <= MAY_IMPORT[module]
    if module not in DOORS | THE_HTTP_DOOR | {'cli', '__main__'}:
        assert not others & WORLD - {'datetime'}
    assert module in THE_HTTP_DOOR or not others & HTTP - {'urllib'}
    assert module in THE_AGENT or not others & {'datadog_checks', 'datadog_agent'}


@pytest.mark.parametrize('module', sorted(set(MODULES) - DOORS))
def test_only_the_doors_open_files(module: str) -> None:
    # The command opens the one file that a person names.
    names = {
        node.id for node in ast.walk(ast.parse((HOUSE / f'{module}.py').read_text())) if isinstance(node, ast.Name)
    }
    assert not names & {'open', 'eval', 'exec', '__import__', 'print'} - (
        {'open', 'print'} if module == 'cli' else set()
    )


@pytest.mark.parametrize('module', MODULES)
def test_a_module_can_be_read_at_one_sitting(module: str) -> None:
    lines = (HOUSE / f'{module}.py').read_text().count('\n')
    assert lines <= (150 if module == "check" else 360)


@pytest.mark.parametrize('module', MODULES)
def test_no_function_swallows_an_error(module: str) -> None:
    for node in ast.walk(ast.parse((HOUSE / f'{module}.py').read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None
            assert not all(isinstance(step, ast.Pass) for step in node.body)
            catches_all = isinstance(node.type, ast.Name) and node.type.id in ('Exception', 'BaseException')
            # The worker hands on whatever its thread raised; whatever goes wrong inside the Agent is one value.
            assert (
                not catches_all
                or module in ('patience', 'connection')
                or any(isinstance(step, ast.Raise) for step in node.body)
            )
