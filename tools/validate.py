# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Run the validators of ddev on this checkout.

ddev expects a repository of integrations, so the script creates an empty one with a link to this checkout.
Some validators exit with status 0 even if they find a problem, or if they find nothing to validate. The output of each
validator must therefore also show that it validated something and found no problem.

With --generate, first generate the files that ddev makes from assets/configuration/spec.yaml.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = 'kubelet_compliance'
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

# ddev is strictest in a folder with this name.
STRICTEST = 'integrations-core'
# Where this integration belongs. `readmes` expects the images there.
OWN = 'integrations-extras'
WANTS_OWN = {'readmes'}

# `typos` of ddev 20.1.0 exits with 1 if it finds no typo and with 0 if it finds one.
STATUS_MEANS_NOTHING = {'typos'}

# Recorded launches of real kubelets and built files are not prose.
CODESPELL = """\
[codespell]
skip = */tests/truth/*,*/build/*
ignore-words-list = aks
"""


def expected_dashboards() -> str:
    """Return what `dashboards` prints after it reads all dashboards in the manifest."""
    count = len(json.loads((ROOT / 'manifest.json').read_text())['assets']['dashboards'])
    return rf'^.*for 1 checks\.\.\.\n{count} valid files\n$' if count else CONTENT['dashboards']


def make_repository(scratch: Path, name: str) -> Path:
    """Return a repository of integrations that contains only this one."""
    repository = scratch / name
    (repository / '.codespell').mkdir(parents=True)
    (repository / '.codespell' / 'setup.cfg').write_text(CODESPELL)
    (repository / NAME).symlink_to(ROOT)
    subprocess.run(['git', 'init', '--quiet', repository], env={**os.environ, 'HOME': str(scratch)}, check=True)
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


def main() -> int:
    for tool in ('git', DDEV_BIN / 'ddev', DDEV_BIN / 'codespell'):
        if not shutil.which(tool):
            sys.exit(f'could not find {tool}: install it')
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        env = make_environment(Path(scratch))
        strictest, own = (make_repository(Path(scratch), name) for name in (STRICTEST, OWN))
        if '--generate' in sys.argv[1:]:
            generate(strictest, env)
        repositories = [own if validator in WANTS_OWN else strictest for validator in CONTENT]
        complaints = list(pool.map(validate, CONTENT, repositories, repeat(env)))
    for validator, complaint in zip(CONTENT, complaints, strict=True):
        print(f'ddev validate {validator}: {"FAILED" if complaint else "passed"}')
        if complaint:
            print(complaint)
    failed = len([complaint for complaint in complaints if complaint])
    print(f'ddev: {len(complaints) - failed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
