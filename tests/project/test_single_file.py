# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check in one file: what Helm and the Agent ask of it, and that it judges as the package does."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
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


def test_it_is_made_from_every_module(single: ModuleType) -> None:
    package = ROOT / 'datadog_checks' / 'kubelet_compliance'
    with_name_in_file = load('single_file', TOOL).with_name_in_file
    sources = {str(path.relative_to(package)): path.read_text() for path in package.rglob('*.py')}
    del sources['__main__.py']
    names = {
        name: f'{name.replace(".", "/")}.py'
        if name and name not in single._PACKAGES
        else str(Path(name.replace('.', '/'), '__init__.py'))
        for name in single._SOURCES
    }
    renamed = {name: with_name_in_file(source) for name, source in sources.items()}
    assert {names[name]: source for name, source in single._SOURCES.items()} == renamed


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
    assert 'kubelet_compliance.py/check.py", line ' in problem['traceback']
    assert 'raise ConfigurationError(' in problem['traceback']


def test_the_agent_does_not_run_the_terminal_command(path: Path) -> None:
    program = 'import sys, kubelet_compliance; print([name for name in sys.modules if name.endswith(".cli")])'
    assert run_alone(path, program) == '[]\n'


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
