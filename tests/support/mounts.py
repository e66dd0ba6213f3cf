# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Tests that mount something run where the machine lets them."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def can(*command: str) -> bool:
    return shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0


MAY_MOUNT = can('unshare', '--mount', 'mount', '-t', 'proc', 'proc', '/mnt')
WHY_NOT = 'this machine does not let the tests mount anything' if os.geteuid() == 0 else 'only root may mount'
needs_mounts = pytest.mark.skipif(not MAY_MOUNT, reason=WHY_NOT)
