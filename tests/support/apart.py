# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Runs the check in a process of its own, which may be poorer than ours: without rights, descriptors, or a disk."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datadog_checks.base import AgentCheck
from datadog_checks.base.stubs import aggregator

from .handles import open_handles
from .paths import ROOT
from .sent import Sent, check_of, handles_left, run
from .standin import DEADLINE_SECONDS

HERE = ROOT
NOBODY = 65534


def run_apart(
    procfs: Path | str, code: str = 'report(check)', *, wrapped_in: Sequence[str] = (), **options: Any
) -> list[Sent]:
    """What a check in another process sent, one by one. `code` runs there, with the functions below and `check`.

    `wrapped_in`: a command that runs a command, such as `unshare`.
    """
    given = json.dumps({'procfs_path': str(procfs), **options})
    script = f'import sys\nfrom tests.support.apart import *\ncheck = check_from(sys.argv[1])\n{code}\n'
    done = subprocess.run(
        [*wrapped_in, sys.executable, '-c', script, given],
        capture_output=True,
        text=True,
        timeout=10 * DEADLINE_SECONDS,
        cwd=HERE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [from_json(line) for line in done.stdout.splitlines()]


@contextmanager
def open_to_all() -> Iterator[Path]:
    """A folder that every user may enter, as pytest's own may not be."""
    with tempfile.TemporaryDirectory(prefix='kubelet-compliance-') as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


AS_NOBODY = f"""
import os, sys
from datadog_checks.kubelet_compliance.cli import main
os.setuid({NOBODY})
sys.exit(main(sys.argv[1:]))
"""


def run_as_nobody(*options: str) -> subprocess.CompletedProcess[str]:
    """The command as a user without rights, who may not be able to read this Python: it starts as root."""
    command = [sys.executable, '-c', AS_NOBODY, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE)


def from_json(line: str) -> Sent:
    said = json.loads(line)
    said['rules'] = {rule: tuple(sent) for rule, sent in said['rules'].items()}
    return Sent(**{**said, 'kubelet': tuple(said['kubelet']), 'tags': frozenset(map(tuple, said['tags']))})


def check_from(given: str) -> AgentCheck:
    """The check, in a process that has run one before: nothing is left to be imported without rights."""
    options = json.loads(given)
    procfs = options.pop('procfs_path')
    check_of('/nonexistent', **options).run()
    return check_of(procfs, **options)


def report(check: AgentCheck, *, descriptors: int | None = None) -> None:
    """Collect once, and say what was sent. `descriptors`: so many files may be open besides those that are."""
    before = open_handles()
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(before) + 1 + descriptors, most))
    sent = run(check, aggregator)
    resource.setrlimit(resource.RLIMIT_NOFILE, (least, most))
    assert handles_left(before) == set()
    print(json.dumps({**vars(sent), 'tags': sorted(sent.tags)}), flush=True)


def give_up_rights() -> None:
    """Become a user without any rights, where we are root."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
