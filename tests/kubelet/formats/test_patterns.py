# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Repeated groups that never backtrack."""

from __future__ import annotations

import re

import pytest

from datadog_checks.kubelet_compliance.kubelet.formats.patterns import CHUNK, repeated


@pytest.mark.parametrize('count', [0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
@pytest.mark.parametrize(
    'group, row, rest', [('_?[0-9]', '_1', '_'), ('a|:(?! )', ':', ': x'), ('[^"]++|""', '""', '"')]
)
def test_a_group_matches_all_its_repetitions_and_no_part(group: str, row: str, rest: str, count: int) -> None:
    for least in (0, 1):
        match = re.match(repeated(group, least), row * count + rest)
        if count < least:
            assert match is None
        else:
            assert match is not None and match.end() == len(row) * count


def test_a_repeated_group_does_not_backtrack() -> None:
    assert re.match(repeated('a') + 'a', 'a' * 3 * CHUNK) is None
