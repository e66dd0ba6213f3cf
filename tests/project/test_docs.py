# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.rules.all_rules import RULES
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from tests.support.images import kubeadm, write
from tests.support.paths import ROOT

README = (ROOT / 'README.md').read_text()


@pytest.mark.parametrize('page', ['rules', 'design'])
def test_a_generated_page_is_up_to_date(page: str) -> None:
    assert (ROOT / 'docs' / f'{page}.md').read_text() == importlib.import_module(f'tools.{page}_page').render(), (
        'run `make docs`'
    )


@pytest.mark.parametrize('rule', RULES, ids=lambda rule: rule.key)
def test_the_page_has_a_section_with_every_number_of_a_rule(rule: object) -> None:
    page = (ROOT / 'docs' / 'rules.md').read_text()
    key = rule.key  # type: ignore[attr-defined]
    section = page.partition(f'\n## {key}\n')[2].partition('\n## ')[0]
    for benchmark in BENCHMARKS.values():
        for number in benchmark.controls.get(key, ()):
            assert re.search(rf'{re.escape(number)}( \([^)]*\))? in [^;]*{re.escape(benchmark.name)}\b', section)


def test_the_readme_begins_with_the_two_commands_and_shows_what_comes_out() -> None:
    first_screen = README[:3000]
    assert 'make run' in first_screen and 'make test' in first_screen
    assert 'apt-get install python3 python3-venv make gcc' in first_screen


def test_the_readme_is_latin_1_and_its_links_are_all_used_and_there() -> None:
    README.encode('latin-1')
    used = set(re.findall(r'\]\[(\d+)\]', README))
    given = set(re.findall(r'^\[(\d+)\]: ', README, re.MULTILINE))
    assert used == given
    for target in re.findall(r'^\[\d+\]: (?!http)(\S+)', README, re.MULTILINE):
        assert (ROOT / target.partition('#')[0]).exists(), target


@pytest.mark.parametrize('command', re.findall(r'^\$ (kubelet-compliance .*)$', README, re.MULTILINE))
def test_a_command_of_the_readme_runs_and_prints_what_is_shown(command: str) -> None:
    shown = README.partition(f'$ {command}\n')[2].partition('```')[0]
    program = Path(sys.executable).parent / 'kubelet-compliance'
    done = subprocess.run([program, *command.split()[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ''
    assert done.stdout.startswith(shown.rstrip('\n'))


@pytest.mark.parametrize(('flags', 'status'), [('--v=2', 0), ('--make-iptables-util-chains=false', 1)])
def test_the_pipeline_of_the_readme_runs(tmp_path: Path, flags: str, status: int) -> None:
    (script,) = re.findall(r'^```sh\n(.*?)^```', README, re.MULTILINE | re.DOTALL)
    with tarfile.open(tmp_path / 'image.tar', 'w') as archive:
        archive.add(write(kubeadm(tmp_path / 'image'), {'etc/default/kubelet': f'KUBELET_EXTRA_ARGS={flags}'}), '.')
    path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
    done = subprocess.run(['sh', '-e', '-c', script], cwd=tmp_path, env={**os.environ, 'PATH': path}, check=False)
    assert done.returncode == status
    assert json.loads((tmp_path / 'compliance.json').read_text())['exit_status'] == status


@pytest.mark.parametrize('target', sorted(set(re.findall(r'(?:^|`)make ([a-z-]+)', README, re.MULTILINE))))
def test_a_make_target_of_the_readme_exists(target: str) -> None:
    done = subprocess.run(['make', '--dry-run', target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


MESSAGES = frozenset(
    {'Unknown', 'Refused', 'AskError', 'FlagError', 'UnknownFlag', 'DocumentError', 'DocumentTooLarge', 'DecodingError',
     'CannotRead', 'NotThere', 'Unreadable', 'SelectionError', 'ExemptionError', 'AdmissionError', 'OutOfPatience',
     'not_admitted'}
)  # fmt: skip
"""What carries a message to a person; the text is the first argument, or the second after a path or a pid."""

INNER = {
    'the running configuration was not asked for', 'no systemd service starts the kubelet',
    'the machine is not running', ', which is not a kubelet',
    ', but the kubelet runs as', 'the kubelet runs with arguments that', ', which none of its files sets',
}  # fmt: skip
"""Are never shown: the first stands for an answer that nobody asked for, the others for an unknown next start."""


SOURCES = [ast.parse(path.read_text()) for path in (ROOT / 'datadog_checks' / 'kubelet_compliance').rglob('*.py')]
CONSTANTS = {
    target.id: statement.value
    for source in SOURCES
    for statement in source.body
    if isinstance(statement, ast.Assign)
    for target in statement.targets
    if isinstance(target, ast.Name)
}


def longest_fixed_part(argument: ast.expr) -> str:
    said = CONSTANTS.get(argument.id, argument) if isinstance(argument, ast.Name) else argument
    values = said.values if isinstance(said, ast.JoinedStr) else [said]
    texts = [value.value for value in values if isinstance(value, ast.Constant)]
    return max((str(text).strip(' :;(){}') for text in texts), key=len, default='')


TROUBLESHOOTING = (ROOT / 'docs' / 'troubleshooting.md').read_text()


def message_parts() -> set[str]:
    """The longest fixed part of every message in the package's sources."""
    parts: set[str] = set()
    for node in (node for source in SOURCES for node in ast.walk(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MESSAGES:
            texts = node.args[: 2 if node.func.id in ('Unreadable', 'not_admitted') else 1]
            parts |= {part for part in map(longest_fixed_part, texts) if len(part) > 8}
    return parts - INNER


def test_the_sources_hold_messages_to_look_for() -> None:
    assert len(message_parts()) > 60


@pytest.mark.parametrize('part', sorted(message_parts()))
def test_each_message_has_its_remedy_in_the_troubleshooting_page(part: str) -> None:
    assert part in TROUBLESHOOTING


RELIABILITY = (ROOT / 'docs' / 'reliability.md').read_text()


def named_tests() -> list[tuple[str, str]]:
    """The tests that the page names, each with its file; `::test` is one of the file named before it."""
    found = []
    module = ''
    for name, test in re.findall(r'`(tests/[\w/]+\.py)?(?:::(\w+))?`', RELIABILITY):
        module = name or module
        if test:
            found.append((module, test))
    return found


def test_the_page_on_reliability_names_tests() -> None:
    assert len(named_tests()) > 30


@pytest.mark.parametrize(('module', 'test'), named_tests())
def test_a_test_that_the_page_on_reliability_names_is_there(module: str, test: str) -> None:
    assert f'\ndef {test}(' in (ROOT / module).read_text()
