# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check in one file: what Helm and the Agent ask of it, and that it judges as the package does."""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tokenize
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from datadog_checks.base import AgentCheck
from datadog_checks.base.stubs import aggregator
from datadog_checks.kubelet_compliance import KubeletComplianceCheck, __version__
from tests.support.cases import CASES, Case
from tests.support.nodes import write_process
from tests.support.paths import ROOT

pytestmark = pytest.mark.same_for_every_user

TOOL = ROOT / 'tools' / 'single_file.py'
PACKAGE = 'datadog_checks.kubelet_compliance'
EVERY = 40
"""Of so many recorded launches one is judged both ways."""


def load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp('single') / 'checks.d' / 'kubelet_compliance.py'
    subprocess.run([sys.executable, TOOL, output], check=True)
    return output


@pytest.fixture(scope='module')
def single(path: Path) -> ModuleType:
    return load('kubelet_compliance', path)


def classes_the_agent_finds(module: ModuleType) -> list[type]:
    """As the Agent's loader looks for the check: subclasses of AgentCheck that have no subclasses themselves."""
    named = [getattr(module, name) for name in dir(module)]
    return [
        each
        for each in named
        if isinstance(each, type)
        and issubclass(each, AgentCheck)
        and each is not AgentCheck
        and not each.__subclasses__()
    ]


def collect(check_class: type[AgentCheck], instance: dict[str, Any]) -> dict[str, Any]:
    """What one run sends, and what it fails with."""
    aggregator.reset()
    error = check_class('kubelet_compliance', {}, [instance]).run()
    return {
        'errors': [problem['message'] for problem in json.loads(error)] if error else [],
        'metrics': sorted(
            (name, sent.type, sent.value, sorted(sent.tags))
            for name in aggregator.metric_names
            for sent in aggregator.metrics(name)
        ),
        'service checks': sorted(
            (name, sent.status, sorted(sent.tags), sent.message)
            for name in aggregator.service_check_names
            for sent in aggregator.service_checks(name)
        ),
    }


def test_helm_leaves_it_as_it_is(path: Path) -> None:
    assert '{{' not in path.read_text()


def test_a_config_map_holds_it(path: Path) -> None:
    text = path.read_text()
    assert len(text.encode()) < 1024 * 1024
    assert yaml.safe_load(yaml.safe_dump({'kubelet_compliance.py': text})) == {'kubelet_compliance.py': text}


def test_it_is_the_same_every_time(path: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, TOOL, tmp_path / 'again.py'], check=True, env={**os.environ, 'PYTHONHASHSEED': '7'})
    assert (tmp_path / 'again.py').read_text() == path.read_text()


class Bare(ast.NodeTransformer):
    """Leaves out docstrings and annotations, and makes the names of imported modules absolute."""

    def __init__(self, name: str, is_package: bool) -> None:
        self.parents = [PACKAGE, *(name.split('.') if name else [])][: None if is_package else -1]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        base = self.parents[: len(self.parents) + 1 - node.level] if node.level else []
        module = '.'.join([*base, *([node.module] if node.module else [])])
        return ast.copy_location(ast.ImportFrom(module, node.names, 0), node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        return node if node.value is None else ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
        node.body = [each if each in fields else self.visit(each) for each in node.body]
        return self.bare_body(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        return self.bare_body(node)

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self.generic_visit(node)
        node.body = [each for each in node.body if not is_text(each)]
        return node

    def bare_body(self, node: Any) -> ast.AST:
        body = [each for each in node.body if not is_text(each)]
        node.body = body or [ast.copy_location(ast.Pass(), node.body[0])]
        return node


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(getattr(node.value, 'value', None), str)


def meaning_of(source: str, name: str, is_package: bool) -> tuple[str, list[int]]:
    """What a module does, and the line of each node."""
    tree = Bare(name, is_package).visit(ast.parse(source))
    return ast.dump(tree), [node.lineno for node in ast.walk(tree) if hasattr(node, 'lineno')]


def test_it_holds_every_module_with_the_same_lines(single: ModuleType) -> None:
    folder = ROOT / 'datadog_checks' / 'kubelet_compliance'
    expected = {}
    for path in folder.rglob('*.py'):
        is_package = path.name == '__init__.py'
        parts = path.relative_to(folder).with_suffix('').parts
        name = '.'.join(parts[:-1] if is_package else parts)
        expected[name] = meaning_of(path.read_text(), name, is_package)
    del expected['__main__']
    held = {name: meaning_of(text, name, name in single._PACKAGES) for name, text in single._SOURCES.items()}
    assert held == expected


def test_it_has_a_license_and_no_other_notes(path: Path, single: ModuleType) -> None:
    assert path.read_text().startswith('# (C) Datadog, Inc. 2026-present\n# All rights reserved\n# Licensed under')
    for source in single._SOURCES.values():
        kinds = {token.type for token in tokenize.generate_tokens(io.StringIO(source).readline)}
        assert tokenize.COMMENT not in kinds
        assert not any(is_text(node) for node in ast.walk(ast.parse(source)))


NOTES = [
    pytest.param('# a\nx = 1  # b\n', '\nx = 1\n', id='comments'),
    pytest.param("x = '# a'\ny = 'ä#'  # ä\n", "x = '# a'\ny = 'ä#'\n", id='a number sign in a string'),
    pytest.param('"""A."""\n\nx = 1\n"""B\nC"""\n', '\n\nx = 1\n\n\n', id='texts of a module'),
    pytest.param('class A:\n    """A."""\n', 'class A:\n  pass\n', id='a class that only has a docstring'),
    pytest.param('def f():\n    """A.\n\n    B.\n    """\n', 'def f():\n  pass\n\n\n\n', id='a function too'),
    pytest.param('def f():\n    """A."""\n    return 1\n', 'def f():\n\n  return 1\n', id='a function that does more'),
    pytest.param('def f(a: int, *, b: str = "") -> A:\n    g()\n', 'def f(a, *, b = ""):\n  g()\n', id='a function'),
    pytest.param('def f(\n    *a: B[\n        C\n    ],\n): ...\n', 'def f(\n  *a\n\n,\n): ...\n', id='over lines'),
    pytest.param('x: int = 1\na.b: C[d] = e\nf: g\n', 'x = 1\na.b = e\nf: g\n', id='variables'),
    pytest.param('class A:\n    b: int = 1\n    c: d\n', 'class A:\n  b: int = 1\n  c: d\n', id='fields of a class'),
    pytest.param('x = """\n    a  \n    """\n', 'x = """\n    a  \n    """\n', id='spaces in a string'),
    pytest.param('x = f"""\n    {a}\n    """\n', 'x = f"""\n    {a}\n    """\n', id='spaces in an f-string'),
]


@pytest.mark.parametrize('source, expected', NOTES)
def test_a_module_loses_its_notes_and_half_of_its_indentation(source: str, expected: str) -> None:
    assert load('single_file', TOOL).without_notes(source) == expected


def test_the_agent_finds_the_check_and_its_version(single: ModuleType) -> None:
    [found] = classes_the_agent_finds(single)
    assert found.__name__ == 'KubeletComplianceCheck' and found is not KubeletComplianceCheck
    assert single.__version__ == __version__


@pytest.mark.parametrize('case', CASES[::EVERY], ids=lambda case: case.id)
def test_it_judges_as_the_package_does(case: Case, single: ModuleType, tmp_path: Path) -> None:
    case.lay_out(tmp_path)
    write_process(tmp_path / 'proc', 1000, ('/usr/bin/kubelet', *case.arguments(tmp_path)), cwd=tmp_path)
    instance = {'procfs_path': str(tmp_path / 'proc'), 'benchmark': 'cis-1.12', 'tags': ['team:x']}
    sent = collect(single.KubeletComplianceCheck, instance)
    assert sent == collect(KubeletComplianceCheck, instance)
    assert sent['service checks'] and sent['metrics'] and not sent['errors']


@pytest.mark.parametrize(
    'instance',
    [
        {'benchmark': 'cis-0'},
        {'benchmark': 7},
        {'rules': ['no_such_rule']},
        {'exemptions': [{'rule': 'make_iptables_util_chains'}]},
        {'exemptions': [{'rule': 'no_such_rule', 'reason': 'x'}]},
        {'exemptions': [{'rule': 'make_iptables_util_chains', 'reason': 'x', 'until': 'never'}]},
        {'metrics': 'some'},
    ],
    ids=str,
)
def test_it_refuses_what_the_package_refuses(instance: dict[str, Any], single: ModuleType) -> None:
    sent = collect(single.KubeletComplianceCheck, instance)
    assert sent == collect(KubeletComplianceCheck, instance)
    assert sent['errors'] and not sent['metrics']


def run_alone(path: Path, program: str) -> str:
    """Run a program where the file is, and the package cannot be imported."""
    start = (
        f'import sys; sys.path.append({str(path.parent)!r}); sys.modules["datadog_checks.kubelet_compliance"] = None'
    )
    command = [sys.executable, '-I', '-c', f'{start}\n{program}']
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_it_needs_no_package_beside_it(path: Path, tmp_path: Path) -> None:
    write_process(tmp_path / 'proc', 1000, ('/usr/bin/kubelet', '--make-iptables-util-chains=false'))
    instance = {'procfs_path': str(tmp_path / 'proc'), 'rules': ['make_iptables_util_chains']}
    program = f"""
import kubelet_compliance
from datadog_checks.base.stubs import aggregator
error = kubelet_compliance.KubeletComplianceCheck('kubelet_compliance', {{}}, [{instance!r}]).run()
print([error, [sent.status for sent in aggregator.service_checks('kubelet_compliance.rule')]])
"""
    assert run_alone(path, program) == "['', [2]]\n"


def test_a_traceback_shows_the_lines(path: Path) -> None:
    program = """
import kubelet_compliance
print(kubelet_compliance.KubeletComplianceCheck('kubelet_compliance', {}, [{'benchmark': 'none'}]).run())
"""
    [problem] = json.loads(run_alone(path, program))
    raised = r'kubelet_compliance\.py/check\.py", line (\d+), in prepare\n +(raise ConfigurationError\(.*)\n'
    match = re.search(raised, problem['traceback'])
    assert match is not None
    lines = (ROOT / 'datadog_checks' / 'kubelet_compliance' / 'check.py').read_text().splitlines()
    assert lines[int(match[1]) - 1].strip() == match[2]


def test_the_agent_runs_nothing_that_only_the_command_needs(path: Path) -> None:
    program = 'import sys, kubelet_compliance; print(sorted(name for name in sys.modules if "_single_file" in name))'
    ran = {name.partition('_single_file.kubelet_compliance.')[2] for name in ast.literal_eval(run_alone(path, program))}
    assert {'check', 'collection.collect', 'rules.judge'} <= ran
    assert not {'cli', 'terminal.options', 'reporting.text', 'capture.writer', 'node.captured_host'} & ran


def test_it_is_the_terminal_command_too(path: Path) -> None:
    run = subprocess.run(
        [sys.executable, '-I', path, '--node', ROOT / 'examples' / 'kubeadm', '--json'], stdout=subprocess.PIPE
    )
    assert json.loads(run.stdout) and run.returncode in (0, 1, 2)


MODULES = {
    '__about__.py': "__version__ = '1.2.3'\n",
    '__init__.py': 'from .check import KubeletComplianceCheck\n',
    'check.py': 'class KubeletComplianceCheck:\n    value = 1\n',
    'cli.py': '',
}


@pytest.mark.parametrize(
    'modules, complaint',
    [
        ({'check.py': 'from .a import b\n', 'a.py': 'from .check import c\n'}, 'import each other'),
        ({'check.py': 'from .nowhere import b\n'}, 'there is no module nowhere'),
        ({'check.py': 'from . import KubeletComplianceCheck\n'}, 'there is no module KubeletComplianceCheck'),
        ({'check.py': 'from ..base import b\n'}, 'leads out of the package'),
        ({'check.py': 'from datadog_checks.kubelet_compliance.a import b\n'}, 'there is no module a'),
        ({'check.py': 'import datadog_checks.kubelet_compliance.a\n'}, 'use `from` to import from the package'),
        ({'check.py': 'from .cli import main\n'}, 'needs the terminal command'),
        ({'check.py': 'print(__doc__)\n'}, 'reads __doc__'),
        ({'check.py': 'import json\n\nprint(json.__doc__)\n'}, 'reads __doc__'),
        ({'check.py': f'A = {"x" * 1024 * 1024!r}\n'}, 'larger than'),
    ],
    ids=lambda value: value if isinstance(value, str) else '',
)
def test_what_one_file_cannot_hold_is_refused(modules: dict[str, str], complaint: str, tmp_path: Path) -> None:
    tool = load('single_file', TOOL)
    for name, source in {**MODULES, **modules}.items():
        (tmp_path / name).write_text(source)
    with pytest.raises(tool.CannotFlatten, match=complaint):
        tool.flatten(tmp_path)


@pytest.mark.parametrize(
    'source',
    [
        "X = f'{{{1}}} {{ }}'\nY = '{{{{'\n",
        'X = \'\'\'\'\\\'\'\'\'\nY = "\'\'\'"\n',
        "X = '\\\\ \\n'\nY = 'ä\\U0001f600😀'\n",
        "X = Y = 'no newline at the end\\''",
    ],
)
def test_every_source_comes_through(source: str, tmp_path: Path) -> None:
    """Braces, quotes, backslashes: the same names mean the same in two modules that both define them."""
    tool = load('single_file', TOOL)
    check = 'from . import one, two\n\n\nclass KubeletComplianceCheck:\n    values = one.X, one.Y, two.X\n'
    for name, text in {**MODULES, 'check.py': check, 'one.py': source, 'two.py': "X = 'two'\n"}.items():
        (tmp_path / name).write_text(text)
    text = tool.flatten(tmp_path)
    assert '{{' not in text
    (tmp_path / 'out.py').write_text(text)
    expected: dict[str, Any] = {}
    exec(source, expected)
    flat = load('flat', tmp_path / 'out.py')
    try:
        assert flat.KubeletComplianceCheck.values == (expected['X'], expected['Y'], 'two')
    finally:
        for name in [name for name in sys.modules if name.startswith('_kubelet_compliance_single_file')]:
            del sys.modules[name]
