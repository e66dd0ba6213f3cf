# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Change the deciding code in small ways with mutmut, and report the changes that no test detects: see `make mutate`.

`[tool.mutmut]` in pyproject.toml names the modules and the tests. Without arguments, all mutants run, in a new copy of
the project. With arguments, such as `'*.judge.*'`, only these run, in the last copy. The exit status is 1 if a mutant
survives that `surviving_mutants.txt` does not list.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files

ROOT = Path(__file__).resolve().parent.parent
ACCEPTED = ROOT / 'tools' / 'surviving_mutants.txt'
COPY = ROOT / 'build' / 'mutate'
PACKAGE = 'datadog_checks.kubelet_compliance.'
KILLED = {'killed', 'timeout'}
"""A change that makes a test run for ever is detected as well."""


def copy_project() -> None:
    """The package and its tests as they are now; what mutmut knows of the last run stays."""
    for name in ('datadog_checks', 'tests', 'mutants/tests'):
        shutil.rmtree(COPY / name, ignore_errors=True)
    for name in ('datadog_checks', 'tests'):
        shutil.copytree(ROOT / name, COPY / name, symlinks=True, ignore=shutil.ignore_patterns('__pycache__'))
    shutil.copy2(ROOT / 'pyproject.toml', COPY)


def function_of(mutant: str) -> str:
    """`rules.judge.judge` for `datadog_checks.kubelet_compliance.rules.judge.x_judge__mutmut_1`."""
    module, _, name = mutant.removeprefix(PACKAGE).rpartition('__mutmut_')[0].rpartition('.')
    return f'{module}.{name.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")}'


def changed_lines(mutant: str) -> str:
    """What the mutant changes, on one line."""
    lines = get_diff_for_mutant(mutant).splitlines()
    changed = [line for line in lines if line.startswith(('-', '+')) and not line.startswith(('---', '+++'))]
    return ' '.join(f'{line[0]} {line[1:].strip()}' for line in changed)


def accepted() -> set[str]:
    lines = ACCEPTED.read_text().splitlines()
    return {line for line in lines if line and not line.startswith('#')}


def report() -> int:
    """Print a table of the modules and the survivors that are not listed; the exit status."""
    listed, unlisted = accepted(), []
    print('\n| Module | Mutants | Killed | Survived |\n| --- | ---: | ---: | ---: |')
    total: Counter[str] = Counter()
    for path in sorted(walk_mutatable_files()):
        data = SourceFileMutationData(path=path)
        data.load()
        statuses = {mutant: status_by_exit_code[code] for mutant, code in data.exit_code_by_key.items()}
        killed = sum(status in KILLED for status in statuses.values())
        total.update(all=len(statuses), killed=killed)
        module = '/'.join(path.parts[2:])
        print(f'| `{module}` | {len(statuses)} | {killed} | {len(statuses) - killed} |')
        for mutant, status in statuses.items():
            line = f'{function_of(mutant)}: {changed_lines(mutant)}' if status not in KILLED else ''
            if line and line not in listed:
                unlisted.append(f'{status}: {line}')
    print(f'| All | {total["all"]} | {total["killed"]} | {total["all"] - total["killed"]} |')
    if unlisted:
        print(f'\nNot in {ACCEPTED.relative_to(ROOT)}:', *unlisted, sep='\n')
    return 1 if unlisted else 0


def main() -> int:
    mutants = sys.argv[1:]
    if not mutants:
        shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True, exist_ok=True)
    copy_project()
    os.chdir(COPY)
    # One test run at a time: some tests look at the processes of this machine.
    subprocess.run([sys.executable, '-m', 'mutmut', 'run', '--max-children', '1', *mutants], check=True)
    return report()


if __name__ == '__main__':
    sys.exit(main())
