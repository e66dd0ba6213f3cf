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
import yaml

from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.cli import parser
from datadog_checks.kubelet_compliance.rules.all_rules import RULES
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from tests.support.images import kubeadm, write
from tests.support.paths import ROOT
from tools.preview.queries import iter_metrics, parse_query

pytestmark = pytest.mark.same_for_every_user

README = (ROOT / 'README.md').read_text()
GENERATED = ('rules', 'design', 'scale')
MOST_WORDS = 25


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
    before = first_screen.partition('## Overview')[0]
    assert '`make run`' in before and '`make test`' in before
    assert 'apt-get install python3 python3-venv make gcc' in before
    assert len(before.split('\n\n')) == 3, 'the title, one line for developers, and nothing else'
    assert '$ kubelet-compliance ' in first_screen and '`make ' not in README.removeprefix(before)


def test_the_readme_has_what_is_published_and_no_more() -> None:
    assert re.findall('^## (.*)$', README, re.MULTILINE) == [
        'Overview',
        'Setup',
        'Data Collected',
        'Troubleshooting',
        'Support',
    ]
    assert '\n### Validation\n' in README
    assert len(re.sub(r'^\[\d+\]: .*$', '', README, flags=re.MULTILINE).split()) < 1000


def test_the_readme_is_latin_1_and_its_links_are_all_used_and_there() -> None:
    """A documentation site publishes the page alone, so a relative link would lead nowhere."""
    README.encode('latin-1')
    used = set(re.findall(r'\]\[(\d+)\]', README))
    given = dict(re.findall(r'^\[(\d+)\]: (\S+)$', README, re.MULTILINE))
    assert used == set(given) and '](' not in README
    own = [given.partition(PUBLISHED)[2] for given in given.values() if given.startswith(PUBLISHED)]
    assert len(own) > 10
    for target in own:
        assert leads_somewhere(ROOT / 'README.md', target), target
    assert all(target.startswith('https://') for target in given.values())


PUBLISHED = 'https://github.com/DataDog/integrations-extras/blob/master/kubelet_compliance/'


def leads_somewhere(page: Path, target: str) -> bool:
    """Whether a relative link of a page leads to a file, and to a heading of it."""
    path, _, anchor = target.partition('#')
    file = page.parent / path if path else page
    if not file.exists() or not anchor:
        return file.exists()
    headings = re.findall(r'^#+ (.*)$', file.read_text(), re.MULTILINE)
    return anchor in {re.sub(r'[^\w -]', '', heading).lower().replace(' ', '-') for heading in headings}


PAGES = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'deploy/README.md', 'examples/README.md')),
    *sorted((ROOT / 'docs').glob('*.md')),
]
WRITTEN = [page for page in PAGES if page.stem not in GENERATED]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_there_are_pages() -> None:
    assert len(PAGES) > 10


def test_the_list_of_tasks_has_every_page() -> None:
    listed = set(re.findall(r'\]\(([^)]+)\)', (ROOT / 'docs' / 'README.md').read_text()))
    pages = {page.name for page in (ROOT / 'docs').glob('*.md')} - {'README.md'}
    assert listed == pages | {'../deploy/README.md'}


@pytest.mark.parametrize('page', PAGES, ids=name_of)
def test_the_relative_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = re.findall(r'\]\((?!https?:)([^)\s]+)\)', page.read_text())
    assert [target for target in targets if not leads_somewhere(page, target)] == []


@pytest.mark.parametrize('page', WRITTEN, ids=name_of)
def test_a_sentence_of_a_page_is_short(page: Path) -> None:
    text = re.sub(r'^```.*?^ *```$', '', page.read_text(), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r'`[^`]*`', 'x', re.sub(r'\]\([^)]*\)', ']', text))
    lines = [line for line in text.splitlines() if not re.match(r'\[\d+\]: ', line)]
    sentences = [each for line in lines for cell in line.split(' | ') for each in re.split(r'(?<=[.!?])[)*]* ', cell)]
    assert [each for each in sentences if len(each.split()) > MOST_WORDS] == []


COMMANDS = [
    pytest.param(page, command, id=f'{name_of(page)}: {command}')
    for page in PAGES
    for command in re.findall(r'^\$ (kubelet-compliance .*)$', page.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize(('page', 'command'), COMMANDS)
def test_a_command_of_a_page_runs_and_prints_what_is_shown(page: Path, command: str) -> None:
    shown = page.read_text().partition(f'$ {command}\n')[2].partition('```')[0]
    program = Path(sys.executable).parent / 'kubelet-compliance'
    done = subprocess.run([program, *command.split()[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ''
    assert done.stdout.startswith(shown.rstrip('\n'))


OPTION = re.compile(r'(?<![\w/])--[a-z][a-z-]+')


def options_of(text: str) -> set[str]:
    """The options of `kubelet-compliance` and of its module in the blocks of a page."""
    blocks = re.findall(r'^```\w*\n(.*?)^```', text, re.MULTILINE | re.DOTALL)
    used = re.findall(r'(?:kubelet-compliance|datadog_checks\.kubelet_compliance) (--.*)', '\n'.join(blocks))
    return {option for line in used for option in OPTION.findall(line)}


@pytest.mark.parametrize('page', PAGES, ids=name_of)
def test_the_command_has_every_option_that_a_page_uses(page: Path) -> None:
    known = set(OPTION.findall(parser().format_help()))
    text = page.read_text()
    listed = set(re.findall(r'^\| `(--[a-z-]+)', text, re.MULTILINE)) if page.stem == 'command' else set()
    assert options_of(text) | listed <= known


def test_the_options_table_is_that_of_the_check() -> None:
    table = (ROOT / 'docs' / 'configuration.md').read_text().partition('## All options')[2]
    spec = yaml.safe_load((ROOT / 'assets' / 'configuration' / 'spec.yaml').read_text())
    (instances,) = [each for each in spec['files'][0]['options'] if each['template'] == 'instances']
    own = {option['name'] for option in instances['options'] if 'name' in option}
    assert set(re.findall(r'^\| `(\w+)` \|', table, re.MULTILINE)) == own


@pytest.mark.parametrize('page', ['configuration', 'custom-rules', 'exemptions'])
def test_the_check_accepts_the_examples_of_a_page(page: str) -> None:
    text = (ROOT / 'docs' / f'{page}.md').read_text()
    examples = [yaml.safe_load(each) for each in re.findall(r'^```yaml\n(.*?)^```', text, re.MULTILINE | re.DOTALL)]
    assert examples
    for example in examples:
        check = KubeletComplianceCheck('kubelet_compliance', {}, example['instances'])
        check.load_configuration_models()
        check.prepare()


@pytest.mark.parametrize(('flags', 'status'), [('--v=2', 0), ('--make-iptables-util-chains=false', 1)])
def test_the_pipeline_of_the_page_on_images_runs(tmp_path: Path, flags: str, status: int) -> None:
    page = (ROOT / 'docs' / 'images.md').read_text()
    (script,) = re.findall(r'^```sh\n(.*?)^```', page, re.MULTILINE | re.DOTALL)
    with tarfile.open(tmp_path / 'image.tar', 'w') as archive:
        archive.add(write(kubeadm(tmp_path / 'image'), {'etc/default/kubelet': f'KUBELET_EXTRA_ARGS={flags}'}), '.')
    path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
    done = subprocess.run(['sh', '-e', '-c', script], cwd=tmp_path, env={**os.environ, 'PATH': path}, check=False)
    assert done.returncode == status
    assert json.loads((tmp_path / 'compliance.json').read_text())['exit_status'] == status


PIPELINE = (ROOT / 'docs' / 'command.md').read_text().partition('## Use it in a pipeline')[2].partition('\n## ')[0]
ON_GITHUB, ON_GITLAB = map(yaml.safe_load, re.findall(r'^```yaml\n(.*?)^```', PIPELINE, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize(
    ('command', 'file'),
    [
        (ON_GITHUB['steps'][0]['run'], ON_GITHUB['steps'][1]['with']['sarif_file']),
        (*ON_GITLAB['kubelet-compliance']['script'], ON_GITLAB['kubelet-compliance']['artifacts']['reports']['junit']),
    ],
)
@pytest.mark.parametrize(('flags', 'status'), [('--v=2', '2'), ('--make-iptables-util-chains=false', '1')])
def test_a_pipeline_of_the_page_writes_the_file_that_it_uploads(
    command: str, file: str, flags: str, status: str, tmp_path: Path
) -> None:
    rule = 'make_iptables_util_chains'
    write(kubeadm(tmp_path / 'rootfs'), {'etc/default/kubelet': f'KUBELET_EXTRA_ARGS={flags}'})
    path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
    done = subprocess.run(['sh', '-c', command], cwd=tmp_path, env={**os.environ, 'PATH': path}, check=False)
    written = (tmp_path / file).read_text()
    assert done.returncode == 1
    is_found = f'name="{rule}" time="0">' in written or f'"ruleId": "{rule}"' in written
    assert is_found is (status == '1')
    assert 'rootfs/etc/default/kubelet' in written or file.endswith('.xml') or status != '1'


TARGETS = sorted(
    {target for page in WRITTEN for target in re.findall(r'(?:^|`)make ([a-z-]+)', page.read_text(), re.MULTILINE)}
)


@pytest.mark.parametrize('target', TARGETS)
def test_a_make_target_of_a_page_exists(target: str) -> None:
    done = subprocess.run(['make', '--dry-run', target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_datadog_accepts_the_queries_of_the_page_on_data() -> None:
    queries = re.findall(r'`((?:sum|avg|max):[^`]+)`', (ROOT / 'docs' / 'data-collected.md').read_text())
    assert len(queries) > 3
    for query in queries:
        for metric in iter_metrics(parse_query(query)):
            assert f'\n{metric.name},' in (ROOT / 'metadata.csv').read_text()


MESSAGES = frozenset(
    {'Unknown', 'Refused', 'AskError', 'FlagError', 'UnknownFlag', 'DocumentError', 'DocumentTooLarge', 'DecodingError',
     'CannotRead', 'NotThere', 'Unreadable', 'SelectionError', 'ExemptionError', 'AdmissionError', 'OutOfPatience',
     'not_admitted', 'CannotAnswer', 'CannotCapture', 'CannotUse', 'CaptureError', 'ConfigError',
     'CustomRuleError', 'SettingError', 'ExpectationError'}
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
