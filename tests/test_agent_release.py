# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""An Agent that is too old says so in one sentence, in place of the first module that it lacks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.agent_release import OLDEST_BASE, refuse_older

ROOT = Path(__file__).resolve().parent.parent
SENTENCE = (
    'kubelet_compliance needs Agent 7.60 or later, with datadog-checks-base 37.0.0 or later: this Agent has 36.9.1'
)


@pytest.mark.parametrize('version', ['36.9.1', '9.0.0', '36.0.0rc1'])
def test_an_older_base_package_is_refused(version: str) -> None:
    with pytest.raises(ImportError, match=f'needs Agent 7.60 or later, .* this Agent has {version}'):
        refuse_older(version)


@pytest.mark.parametrize('version', ['37.0.0', '37.42.0', '38.7.0', '100.0.0', '38.0.0rc1', 'unknown', ''])
def test_a_newer_base_package_is_taken(version: str) -> None:
    refuse_older(version)


@pytest.mark.parametrize('kind', ['package', 'single file'])
def test_an_agent_that_is_too_old_says_so_and_nothing_else(tmp_path: Path, kind: str) -> None:
    """Of the base package there is only its version here: whatever else an old Agent lacks is not asked for before."""
    base = tmp_path / 'old' / 'datadog_checks' / 'base'
    base.mkdir(parents=True)
    (base / '__init__.py').write_text("__version__ = '36.9.1'\n")
    if kind == 'package':
        (base.parent / 'kubelet_compliance').symlink_to(ROOT / 'datadog_checks' / 'kubelet_compliance')
        code = 'import datadog_checks.kubelet_compliance'
    else:
        subprocess.run([sys.executable, ROOT / 'tools' / 'single_file.py', tmp_path / 'old' / 'one.py'], check=True)
        code = 'import one'
    command = [sys.executable, '-S', '-c', f'import sys; sys.path[:0] = [{str(tmp_path / "old")!r}]; {code}']
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f'ImportError: {SENTENCE}'


def test_the_oldest_agent_is_named_wherever_it_counts() -> None:
    release = '7.60'
    assert f'Agent {release} or later' in (ROOT / 'README.md').read_text()
    assert f'Agent {release}' in json.loads((ROOT / 'manifest.json').read_text())['tile']['description']
    assert f'"datadog-checks-base>={OLDEST_BASE}.0.0"' in (ROOT / 'pyproject.toml').read_text()
    service_checks = json.loads((ROOT / 'assets' / 'service_checks.json').read_text())
    assert {each['agent_version'] for each in service_checks} == {f'{release}.0'}
