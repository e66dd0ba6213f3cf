# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.node.process_status import is_nested, real_uid


@pytest.mark.parametrize(
    'status, nested, uid',
    [
        ('Uid:\t0\t0\t0\t0\nNSpid:\t4711\n', False, 0),
        ('Name:\tkubelet\nUid:\t1000\t0\t0\t0\nNSpid:\t4711\t1\n', True, 1000),
        ('Uid:\t0\t0\t0\t0\nNSpid:\t4711\t20\t1\n', True, 0),
        ('', False, None),
        ('Uid:\tx\n', False, None),
    ],
)
def test_the_status_shows_the_namespace_and_the_user(status: str, nested: bool, uid: int | None) -> None:
    assert is_nested(status) is nested
    assert real_uid(status) == uid
