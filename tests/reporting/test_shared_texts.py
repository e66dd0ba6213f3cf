# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Texts that several nodes share."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.reporting.layout import Style
from datadog_checks.kubelet_compliance.reporting.shared_texts import MOST_LINES, gathered, iter_shared, name_lines


def test_each_text_is_there_once_the_most_frequent_first() -> None:
    found = gathered([('a', ['one', 'one', 'two']), ('b', ['two']), ('c', [])])
    assert list(found) == [('two', ['a', 'b']), ('one', ['a'])]


@pytest.mark.parametrize(
    ('names', 'is_verbose', 'lines'),
    [
        pytest.param(['node-1', 'node-2'], False, ['node-1, node-2'], id='all fit'),
        pytest.param(['n' * 90], False, ['n' * 90], id='at least one'),
        pytest.param([f'node-{n}' for n in range(9)], False, ['node-0, node-1, node-2 and 6 more'], id='some fit'),
        pytest.param([f'{n}' for n in range(1200)], False, ['0, 1, 2, 3, 4, 5, 6 and 1,193 more'], id='a thousand'),
        pytest.param(
            [f'node-{n}' for n in range(6)], True, ['node-0, node-1, node-2, node-3,', 'node-4, node-5'], id='verbose'
        ),
        pytest.param(['a\nb\x1b[2J'], False, ['a?b?[2J'], id='printable'),
    ],
)
def test_as_many_names_as_fit_are_printed(names: list[str], is_verbose: bool, lines: list[str]) -> None:
    assert name_lines(names, Style(width=44, is_verbose=is_verbose), 10) == lines


def test_a_long_list_says_how_much_of_it_is_left_out() -> None:
    texts = [(f'text {number}', ['a']) for number in range(MOST_LINES + 1)]
    brief = list(iter_shared('Problems', texts, Style(), 'problem'))
    assert brief[:4] == ['', 'Problems', '      1  text 0', '         a']
    assert brief[-1] == '  and 1 more problem: print them with --verbose'
    assert f'text {MOST_LINES}' in '\n'.join(iter_shared('Problems', texts, Style(is_verbose=True), 'problem'))
    assert list(iter_shared('Problems', [], Style(), 'problem')) == []
