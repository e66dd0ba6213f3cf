# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The releases for which an answer counts."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.release import ALL, Release, iter_alike, minor_of, within_tables


@pytest.mark.parametrize(
    'version, minor',
    [
        ('v1.31.4', 31),
        ('1.30', 30),
        ('v1.32.3+k3s1', 32),
        ('v1.33.1-eks-7c5ae', 33),
        ('v2.0.0', None),
        ('', None),
        ('v1.1234.0', None),
    ],
)
def test_the_minor_release_of_a_version(version: str, minor: int | None) -> None:
    assert minor_of(version) == minor


@pytest.mark.parametrize('minor, stands_for_it', [(11, 20), (20, 20), (31, 31), (38, 38), (41, 38)])
def test_a_release_outside_of_the_tables_is_read_as_the_nearest(minor: int, stands_for_it: int) -> None:
    assert within_tables(minor) == stands_for_it


@pytest.mark.parametrize(
    'minor, since, until, is_in',
    [(30, 30, None, True), (29, 30, None, False), (31, 25, 31, True), (32, 25, 31, False), (24, 25, 31, False)],
)
def test_both_ends_of_a_range_of_releases_are_in_it(minor: int, since: int, until: int | None, is_in: bool) -> None:
    assert Release(minor).is_in(since, until) is is_in


def test_releases_with_the_same_answers_are_read_once() -> None:
    read = []

    def work(release: Release) -> str:
        read.append(release.minor)
        return 'new' if release.at_least(33) else 'old'

    assert list(iter_alike(ALL, work)) == [(frozenset(range(33, 39)), 'new'), (frozenset(range(20, 33)), 'old')]
    assert read == [38, 32]


def test_each_release_gets_the_answer_that_it_would_give_itself() -> None:
    def work(release: Release) -> tuple[bool, bool]:
        is_new = release.at_least(32)
        return is_new, is_new and release.is_in(34, 35)

    answers = {minor: answer for alike, answer in iter_alike(ALL, work) for minor in alike}
    assert answers == {minor: work(Release(minor)) for minor in ALL}
