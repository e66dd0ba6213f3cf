# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Run the validators of ddev on this checkout, as the repository of integrations that it belongs to does.

The script makes scratch repositories with a copy of the files of this checkout, and runs in them:
- git: `git add` must take each file, and change none
- the lint commands of `ddev test --lint`, with the programs of .venv
- the validators of ddev

Some validators exit with status 0 even if they find a problem, or if they find nothing to validate. The output of each
validator must therefore also show that it validated something and found no problem.

With --generate, first generate the files that ddev makes from assets/configuration/spec.yaml.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = 'kubelet_compliance'
BIN = ROOT / '.venv' / 'bin'
DDEV_BIN = ROOT / '.venv-ddev' / 'bin'

# Validator -> what it prints if it validated something and found no problem.
CONTENT = {
    'config': r'All 2 configuration files are valid!',
    'models': r'All 5 data model files are in sync!',
    'metadata': r'Passed: 1\n',
    'dashboards': r'for 1 checks\.\.\.\n',  # see expected_dashboards()
    'service-checks': r'1 valid files',
    'readmes': r'^All 1 READMEs are valid!\n$',  # a message about a misplaced image comes before
    'imports': r'for 1 checks .*\nValidation passed!',
    'http': r'Passed: 1\n',
    'package': r'1 valid files',
    'legacy-signature': rf'Check `{NAME}` uses the new agent signature\.',
    'integration-style': r'^Validating integration style for 1 integrations\.\.\.\n$',  # warnings come after
    'typos': r'All files are valid!',
}
OPTIONS = {'integration-style': ['--verbose']}  # silent without

# Where this integration belongs.
OWN = 'integrations-extras'
# Several validators are strictest in a repository with this name.
STRICTEST = 'integrations-core'
# What these two expect depends on the repository: the address of an image, and a license header.
ONLY_OWN = {'models', 'readmes'}

# What the root of the own repository ignores, and how it stores lines.
OWN_IGNORES = """\
*$py.class *,cover *.DS_Store *.egg *.egg-info/ *.fuse_hidden* *.iml *.jar* *.link *.log *.manifest *.mo *.pot *.py[cod]
*.so *.spec *.swp *.tmp *.tmp.conf *.whl *.zip **/.junit/** .Python .benchmarks/ .bundle/ .cache .coverage .coverage.*
.eggs/ .hypothesis/ .idea/ .installed.cfg .ipynb_checkpoints .kube .links/ .mypy_cache .pytest_cache .pytest_cache/
.python-version .rbenv-gemsets .ropeproject/ .ruby-version .tox/ .vscode/ .worktrees/ /env/ __pycache__/ build/
coverage.xml develop-eggs/ dist/ docs/_build/ downloads/ eggs/ embedded/ htmlcov/ lib/ lib64/ nosetests.xml parts/
pip-delete-this-directory.txt pip-log.txt sdist/ setuptools-*.zip target/ tmp var/ venv/ wheelhouse/
"""
OWN_ATTRIBUTES = '* text=auto eol=lf\n'

# `typos` of ddev 20.1.0 exits with 1 if it finds no typo and with 0 if it finds one.
STATUS_MEANS_NOTHING = {'typos'}

# Recorded launches of real kubelets, inputs of the fuzzer, and built files are not prose.
CODESPELL = """\
[codespell]
skip = */tests/truth/*,*/tests/fuzz/seeds/*,*/build/*
ignore-words-list = aks
"""


def expected_dashboards() -> str:
    """Return what `dashboards` prints after it reads all dashboards in the manifest."""
    count = len(json.loads((ROOT / 'manifest.json').read_text())['assets']['dashboards'])
    return rf'^.*for 1 checks\.\.\.\n{count} valid files\n$' if count else CONTENT['dashboards']


def files_of_checkout() -> list[str]:
    """Return the files that belong to this checkout: those that git does not ignore here."""
    command = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    names = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode().split('\0')
    return sorted({name for name in names if name and os.path.lexists(ROOT / name)})


def git(repository: Path, *arguments: str) -> str:
    """Run git without the settings of a user. Return its output."""
    env = {**os.environ, 'HOME': str(repository.parent), 'GIT_CONFIG_NOSYSTEM': '1'}
    run = subprocess.run(['git', *arguments], cwd=repository, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return run.stdout


def make_repository(scratch: Path, name: str, files: Iterable[str] = ()) -> Path:
    """Return a repository of integrations that contains only this one: a copy of `files`, or a link without them."""
    repository = scratch / name
    (repository / '.codespell').mkdir(parents=True)
    (repository / '.codespell' / 'setup.cfg').write_text(CODESPELL)
    (repository / '.gitignore').write_text('\n'.join(OWN_IGNORES.split()) + '\n')
    (repository / '.gitattributes').write_text(OWN_ATTRIBUTES)
    if not files:
        (repository / NAME).symlink_to(ROOT)
    for file in files:
        copy = repository / NAME / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, copy, follow_symlinks=False)
    git(repository, 'init', '--quiet')
    return repository


def make_environment(scratch: Path) -> dict[str, str]:
    (scratch / 'ddev.toml').write_text('upgrade_check = false\n')
    return {
        'PATH': f'{DDEV_BIN}{os.pathsep}{os.environ["PATH"]}',
        'HOME': str(scratch),
        'LANG': 'C.UTF-8',
        'NO_COLOR': '1',
        'DDEV_CONFIG': str(scratch / 'ddev.toml'),
    }


def content_of(path: Path) -> bytes:
    return os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()


def iter_changes(repository: Path, files: Iterable[str]) -> Iterator[str]:
    """Add `files` to the repository as a person does. Yield what git leaves out or changes."""
    git(repository, 'add', NAME)
    lines = git(repository, 'ls-files', '--stage', '-z', NAME).split('\0')
    added = {line.partition('\t')[2]: line.split()[1] for line in lines if line}
    for file in files:
        content = content_of(repository / NAME / file)
        blob = hashlib.sha1(b'blob %d\0' % len(content) + content).hexdigest()
        name = f'{NAME}/{file}'
        if name not in added:
            yield f'git add ignores {file}'
        elif added[name] != blob:
            yield f'git add changes {file}'


def check_git_add(repository: Path, files: Iterable[str]) -> str:
    return '\n'.join(iter_changes(repository, files))


def check_lint(repository: Path, env: dict[str, str]) -> str:
    """Run what `ddev test --lint` runs, with the programs of .venv. Return the output of a failure."""
    folder = repository / NAME
    shown = subprocess.run(['hatch', 'env', 'show', '--json'], cwd=folder, env=env, stdout=subprocess.PIPE, check=True)
    env = {**env, 'PATH': f'{BIN}{os.pathsep}{env["PATH"]}', 'RUFF_NO_CACHE': 'true'}
    for command in json.loads(shown.stdout)['lint']['scripts']['all']:
        run = subprocess.run(
            command, shell=True, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if run.returncode:
            return f'{command}\n{run.stdout}'
    return ''


def validate(validator: str, repository: Path, env: dict[str, str]) -> str:
    """Run one validator. Return an empty string if it passes, or else its output."""
    command = [str(DDEV_BIN / 'ddev'), '--here', 'validate', validator, *OPTIONS.get(validator, []), NAME]
    run = subprocess.run(command, cwd=repository, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    content = expected_dashboards() if validator == 'dashboards' else CONTENT[validator]
    if re.search(content, run.stdout) and (run.returncode == 0 or validator in STATUS_MEANS_NOTHING):
        return ''
    return f'{run.stdout}(exit status {run.returncode}; expected output: {content})'


def generate(repository: Path, env: dict[str, str]) -> None:
    for validator in ('config', 'models'):
        subprocess.run([DDEV_BIN / 'ddev', '--here', 'validate', validator, '--sync', NAME], cwd=repository, env=env)


def run_all(scratch: Path) -> dict[str, str]:
    """Return what each check of this script found, by its title. Nothing found is an empty string."""
    env = make_environment(scratch)
    if '--generate' in sys.argv[1:]:
        generate(make_repository(scratch / 'linked', OWN), env)
    files = files_of_checkout()
    own, strictest = (make_repository(scratch, name, files) for name in (OWN, STRICTEST))
    checks: dict[str, Callable[[], str]] = {'ddev test --lint': lambda: check_lint(own, env)}
    for validator in CONTENT:
        for repository in (own,) if validator in ONLY_OWN else (own, strictest):
            title = f'ddev validate {validator} ({repository.name})'
            checks[title] = partial(validate, validator, repository, env)
    # The index of git belongs to one process at a time, and validators read it.
    complaints = {'git add': check_git_add(own, files)}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {title: pool.submit(check) for title, check in checks.items()}
        return complaints | {title: run.result() for title, run in runs.items()}


def main() -> int:
    for tool in ('git', DDEV_BIN / 'ddev', DDEV_BIN / 'codespell'):
        if not shutil.which(tool):
            sys.exit(f'could not find {tool}: install it')
    with tempfile.TemporaryDirectory() as scratch:
        complaints = run_all(Path(scratch))
    for title, complaint in complaints.items():
        print(f'{title}: {"FAILED" if complaint else "passed"}')
        if complaint:
            print(complaint)
    failed = len([complaint for complaint in complaints.values() if complaint])
    print(f'ddev: {len(complaints) - failed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
