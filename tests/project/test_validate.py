# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""`make validate` finds what the repository of integrations would leave out of this folder, or change in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools import validate

pytestmark = [
    pytest.mark.same_for_every_user,
    pytest.mark.skipif(shutil.which('git') is None, reason='git is not installed'),
]


@pytest.fixture
def changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is found of a checkout with such files, by the file."""
    checkout = tmp_path / 'checkout'
    files = {
        'node/var/config.yaml': b'a\n',
        'kept/var/config.yaml': b'a\n',
        'notes.log': b'a\n',
        'lines': b'a\r\n',
        'binary': b'\0\r\n',
        '.gitignore': b'!/kept/**\n',
    }
    for name, data in files.items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_bytes(data)
    (checkout / 'link').symlink_to('lines')
    monkeypatch.setattr(validate, 'ROOT', checkout)
    names = sorted([*files, 'link'])
    found = validate.iter_changes(validate.make_repository(tmp_path, validate.OWN, names), names)
    return {line.split()[-1]: line for line in found}


def test_a_file_that_is_ignored_or_changed_is_reported(changes: dict[str, str]) -> None:
    assert changes == {
        'lines': 'git add changes lines',
        'node/var/config.yaml': 'git add ignores node/var/config.yaml',
        'notes.log': 'git add ignores notes.log',
    }
