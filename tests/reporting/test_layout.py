# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.model import Verdict
from datadog_checks.kubelet_compliance.reporting.layout import COLOR_OF, Style, word_of

TEXT = 'set makeIPTablesUtilChains: true in /var/lib/kubelet/config.yaml, then run: systemctl restart kubelet.service'


@pytest.mark.parametrize('width', [50, 60, 80, 120])
def test_a_text_fits_the_width_and_stays_in_its_column(width: int) -> None:
    lines = Style(width).labelled('fix', TEXT)
    assert all(len(line) <= width for line in lines)
    assert lines[0].startswith('  fix         set ')
    assert all(line.startswith(' ' * 14) and line[14] != ' ' for line in lines[1:])
    assert ' '.join(' '.join(lines).split()) == f'fix {TEXT}'


def test_a_long_path_is_never_broken() -> None:
    path = f'/{"x" * 200}'
    assert Style(40).labelled('set by', path)[-1].strip().endswith(path)


def test_a_label_without_a_text_is_left_out() -> None:
    assert Style().labelled('fix', '') == []


def test_control_characters_of_a_text_do_not_reach_the_terminal() -> None:
    assert Style(has_colors=True).wrapped('a\x1b[2Jb\nc') == ['a?[2Jb?c']


@pytest.mark.parametrize('verdict', Verdict)
def test_each_verdict_has_a_color_of_its_own(verdict: Verdict) -> None:
    shown = Style(has_colors=True).verdict(verdict)
    assert shown == f'\x1b[{COLOR_OF[verdict]}m{word_of(verdict)}\x1b[0m'
    assert list(COLOR_OF.values()).count(COLOR_OF[verdict]) == 1
    assert Style().verdict(verdict) == word_of(verdict)


def test_only_the_label_is_dim() -> None:
    assert Style(has_colors=True).labelled('fix', 'fix it') == ['  \x1b[2mfix\x1b[0m         fix it']
