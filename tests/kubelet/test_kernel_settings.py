# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The settings in sysctl files, as systemd-sysctl applies them."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.kernel_settings import (
    EXPECTED,
    KERNEL_SETTINGS_TEXT,
    OWN_FILE,
    differing_settings,
    files_in_order,
    place_for,
    sysctl_assignments,
    sysctl_settings,
    to_be_added,
)


@pytest.mark.parametrize(
    ('paths', 'in_order'),
    [
        pytest.param(
            ['/etc/sysctl.d/90-a.conf', '/usr/lib/sysctl.d/10-b.conf'],
            ['/usr/lib/sysctl.d/10-b.conf', '/etc/sysctl.d/90-a.conf'],
            id='by name, whatever the folder',
        ),
        pytest.param(
            ['/etc/sysctl.d/50-a.conf', '/run/sysctl.d/50-a.conf', '/usr/lib/sysctl.d/50-a.conf'],
            ['/etc/sysctl.d/50-a.conf'],
            id='of one name, that of the strongest folder',
        ),
        pytest.param(
            [
                '/etc/sysctl.d/README.sysctl',
                '/etc/sysctl.d/x.conf.bak',
                '/etc/sysctl.d/.x.conf',
                '/etc/sysctl.d/99-sysctl.conf',
            ],
            ['/etc/sysctl.d/99-sysctl.conf'],
            id='only names that end as those of settings do and are not hidden',
        ),
        pytest.param(
            [OWN_FILE, '/usr/lib/sysctl.d/99-z.conf', '/etc/sysctl.d/99-sysctl.conf'],
            ['/etc/sysctl.d/99-sysctl.conf', '/usr/lib/sysctl.d/99-z.conf', OWN_FILE],
            id='the file that the fix names is the last',
        ),
    ],
)
def test_files_count_in_the_order_in_which_they_are_applied(paths: list[str], in_order: list[str]) -> None:
    assert files_in_order(paths) == in_order


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        pytest.param('kernel.panic=10', '10', id='as the fix writes it'),
        pytest.param('  kernel.panic =  10 \r', '10', id='with spaces'),
        pytest.param('kernel/panic=10', '10', id='with a slash'),
        pytest.param('-kernel.panic=10', '10', id='errors passed over'),
        pytest.param('kernel.panic=0\nkernel.panic=10', '10', id='the last line wins'),
        pytest.param('#kernel.panic=10', None, id='a comment'),
        pytest.param('; kernel.panic=10', None, id='a comment of the other kind'),
        pytest.param('-kernel.panic', '', id='left as it is'),
        pytest.param('kernel.panic=10\n-kernel.panic', '', id='left as it is after all'),
        pytest.param('kernel.panic*=10', None, id='a pattern'),
        pytest.param('kernel.panic', None, id='no value'),
        pytest.param(
            'kernel.panic=10 vm.panic_on_oom=0', '10 vm.panic_on_oom=0', id='two settings on one line are one'
        ),
        pytest.param('kernel.panic_on_oops=1', None, id='another setting'),
    ],
)
def test_a_line_means_what_systemd_reads(text: str, value: str | None) -> None:
    assert sysctl_settings([text.encode()]).get('kernel.panic') == value


def test_a_later_file_overrides_an_earlier_one() -> None:
    assert sysctl_settings([b'kernel.panic=10', b'kernel.panic=0\n\xff\xfe=1'])['kernel.panic'] == '0'


@pytest.mark.parametrize(
    ('change', 'lacking'),
    [
        pytest.param({}, [], id='all as expected'),
        pytest.param({'kernel.panic': '0'}, ['kernel.panic'], id='another value'),
        pytest.param({'kernel.panic': '10 vm.panic_on_oom=0'}, ['kernel.panic'], id='two settings on one line'),
        pytest.param({'kernel.panic': '', 'vm.panic_on_oom': '1'}, ['vm.panic_on_oom', 'kernel.panic'], id='two'),
    ],
)
def test_what_differs_is_named(change: dict[str, str], lacking: list[str]) -> None:
    assert differing_settings({**EXPECTED, **change}) == lacking


def test_what_is_not_set_differs() -> None:
    assert sysctl_assignments(differing_settings({})) == KERNEL_SETTINGS_TEXT


def test_the_settings_of_the_fix_one_per_line_are_sufficient() -> None:
    assert differing_settings(sysctl_settings([KERNEL_SETTINGS_TEXT.replace(' ', '\n').encode()])) == []


LATER, LATEST = '/etc/sysctl.d/zzz.conf', '/usr/lib/sysctl.d/zzzz.conf'


@pytest.mark.parametrize(
    ('files', 'place'),
    [
        pytest.param({}, OWN_FILE, id='no file'),
        pytest.param({'/etc/sysctl.d/90-a.conf': b'kernel.panic=0'}, OWN_FILE, id='an earlier file has it'),
        pytest.param({LATER: b'vm.panic_on_oom=0'}, OWN_FILE, id='a later file has another setting'),
        pytest.param({LATER: b'kernel.panic=0'}, LATER, id='a later file has it'),
        pytest.param({LATER: b'kernel.panic=0', LATEST: b'kernel.panic=1'}, LATEST, id='two later files have it'),
    ],
)
def test_a_setting_is_added_to_the_file_that_counts(files: dict[str, bytes], place: str) -> None:
    assert place_for(['kernel.panic'], files) == place


@pytest.mark.parametrize(
    ('settings', 'text'),
    [
        pytest.param(['kernel.panic'], f'kernel.panic=10 to {OWN_FILE}', id='one'),
        pytest.param(
            ['kernel.panic', 'vm.panic_on_oom'],
            f'kernel.panic=10 vm.panic_on_oom=0 (one per line) to {OWN_FILE}',
            id='two are two lines',
        ),
    ],
)
def test_the_text_says_what_to_add_and_where(settings: list[str], text: str) -> None:
    assert to_be_added(settings) == text
