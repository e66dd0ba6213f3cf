# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which needed files keep a kubelet from starting, by what was read of them."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.broken_files import NeededContent, broken_files
from datadog_checks.kubelet_compliance.kubelet.needed_files import NeededFile
from datadog_checks.kubelet_compliance.model import File, Missing, Unreadable

PATH = '/ca.crt'


def judge(data: bytes | None) -> str | None:
    return 'is missing' if data is None else None if data == b'good' else 'is bad'


FILE, OTHER = NeededFile('one', PATH, judge), NeededFile('other', PATH, lambda data: None)
GOOD, BAD = (NeededContent(True, File(PATH, data, None)) for data in (b'good', b'bad'))


@pytest.mark.parametrize(
    ('content', 'why'),
    [
        pytest.param(GOOD, None, id='good'),
        pytest.param(BAD, 'is bad', id='bad'),
        pytest.param(NeededContent(False), 'is missing', id='not there'),
        pytest.param(NeededContent(True), None, id='there, and its content does not matter'),
        pytest.param(NeededContent(True, Missing(PATH, 'a directory')), 'cannot be read: a directory', id='no file'),
        pytest.param(NeededContent(True, Unreadable(PATH, 'permission denied')), None, id='the check cannot read it'),
    ],
)
def test_a_file_is_broken_only_where_the_kubelet_would_not_take_it(content: NeededContent, why: str | None) -> None:
    assert broken_files({FILE: content}) == ({} if why is None else {PATH: why})


def test_a_file_that_serves_two_purposes_is_broken_where_it_is_for_one() -> None:
    assert broken_files({FILE: BAD, OTHER: BAD}) == broken_files({OTHER: BAD, FILE: BAD}) == {PATH: 'is bad'}
