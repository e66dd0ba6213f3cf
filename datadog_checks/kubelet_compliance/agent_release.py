# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Refuses an Agent that is too old, before it imports a module that its Python can't read.

So this module works with the Python of any Agent.
"""

from __future__ import annotations

import re

from datadog_checks.base import __version__ as base_version

OLDEST_BASE = 37
"""The major version of datadog-checks-base in Agent 7.60."""


def refuse_older(version: str) -> None:
    """Raise ImportError for the base package of an older Agent."""
    major = re.match('[0-9]+', version)
    if major is not None and int(major.group()) < OLDEST_BASE:
        raise ImportError(
            f'kubelet_compliance needs Agent 7.60 or later, with datadog-checks-base {OLDEST_BASE}.0.0 or later: '
            f'this Agent has {version}'
        )


refuse_older(base_version)
