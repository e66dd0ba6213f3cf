# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Who runs the tests: root or anyone else. The stand-ins run as that user, and count as the node's own."""

from __future__ import annotations

import os

import pytest

from datadog_checks.kubelet_compliance.node.processes import Admission

OURS = Admission(frozenset({0, os.geteuid()}))
USERS = ('root', str(os.geteuid()))
"""The same as the option `allowed_users`."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason='this test is about what root can do, and needs to be root')
