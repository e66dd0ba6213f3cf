# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The page on scale."""

from __future__ import annotations

import pytest

from tools import scale

pytestmark = pytest.mark.same_for_every_user


def test_scale_page_is_up_to_date() -> None:
    assert scale.is_same(scale.PAGE.read_text(), scale.page()), 'run `make docs`'


@pytest.mark.parametrize(
    'one, other, same',
    [
        ('| 2,797 | 100 kB |', '| 2,797 | 104 kB |', True),
        ('| 2,797 | 100 kB |', '| 2,797 | 110 kB |', False),
        ('| 2,797 | 100 kB |', '| 2,797 | 100 MB |', False),
        ('| 2,797 | 100 kB |', '| 2,798 | 100 kB |', False),
        ('28 series', '29 series', False),
    ],
)
def test_scale_pages_may_differ_in_sizes_only(one: str, other: str, same: bool) -> None:
    assert scale.is_same(one, other) is same
