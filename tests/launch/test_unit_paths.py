# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.launch.unit_paths import (
    UNIT_FOLDERS,
    drop_in_folders,
    general_names,
    names_of,
    template_of,
    unit_paths,
)

PRECEDENCE = (
    '/etc/systemd/system.control',
    '/run/systemd/system.control',
    '/run/systemd/transient',
    '/run/systemd/generator.early',
    '/etc/systemd/system',
    '/etc/systemd/system.attached',
    '/run/systemd/system',
    '/run/systemd/system.attached',
    '/run/systemd/generator',
    '/usr/local/lib/systemd/system',
    '/usr/lib/systemd/system',
    '/lib/systemd/system',
    '/run/systemd/generator.late',
)


def test_a_unit_is_looked_for_in_the_order_of_the_manual() -> None:
    assert UNIT_FOLDERS == PRECEDENCE
    assert list(unit_paths('kubelet.service')) == [f'{folder}/kubelet.service' for folder in PRECEDENCE]


def test_of_an_instance_the_template_is_looked_for_after_the_instance_everywhere() -> None:
    expected = [f'{folder}/{name}' for name in ('k@a.service', 'k@.service') for folder in PRECEDENCE]
    assert list(unit_paths('k@a.service')) == expected


@pytest.mark.parametrize(
    'name, template',
    [
        ('k.service', None),
        ('k@.service', None),
        ('k@a.service', 'k@.service'),
        ('k@a@b.service', 'k@.service'),
        ('k@a.b.service', 'k@.service'),
        ('k-l@a-b.service', 'k-l@.service'),
    ],
)
def test_an_instance_has_a_template(name: str, template: str | None) -> None:
    assert template_of(name) == template


@pytest.mark.parametrize(
    'name, expected',
    [
        ('k.service', ['k.service']),
        ('a-b.service', ['a-b.service', 'a-.service']),
        ('a-b-c.service', ['a-b-c.service', 'a-b-.service', 'a-.service']),
        ('a-b-.service', ['a-b-.service', 'a-.service']),
        ('a--b.service', ['a--b.service', 'a--.service', 'a-.service']),
        ('a---b.service', ['a---b.service', 'a---.service', 'a--.service', 'a-.service']),
        ('a--.service', ['a--.service', 'a-.service']),
        ('a-.service', ['a-.service']),
        ('-a.service', ['-a.service']),
        ('a.b-c.service', ['a.b-c.service', 'a.b-.service']),
        ('k@a.service', ['k@a.service', 'k@.service']),
        ('k@a-b.service', ['k@a-b.service', 'k@.service']),
        ('a-b@c.service', ['a-b@c.service', 'a-b@.service', 'a-.service', 'a-@c.service', 'a-@.service']),
        ('a\\x2db-c.service', ['a\\x2db-c.service', 'a\\x2db-.service']),
    ],
)
def test_drop_ins_of_more_general_names_come_after(name: str, expected: list[str]) -> None:
    assert list(general_names(name)) == expected


def test_the_folders_of_one_name_come_before_those_of_the_next_and_those_of_all_services_last() -> None:
    folders = list(drop_in_folders(('k-a.service', 'b.service')))
    expected = [f'{folder}/{name}.d' for folder in PRECEDENCE for name in ('k-a.service', 'k-.service')]
    expected += [f'{folder}/b.service.d' for folder in PRECEDENCE]
    expected += [f'{folder}/service.d' for folder in PRECEDENCE]
    assert folders == expected


@pytest.mark.parametrize(
    'name, real_path, names',
    [
        ('k.service', '/etc/systemd/system/k.service', ('k.service',)),
        ('k.service', '/etc/systemd/system/b.service', ('k.service', 'b.service')),
        ('k.service', '/usr/lib/systemd/system/b.service', ('k.service', 'b.service')),
        ('k.service', '/opt/b.service', ('k.service',)),
        ('k.service', '/usr/lib/systemd/system/sub/b.service', ('k.service',)),
        ('k@a.service', '/etc/systemd/system/k@.service', ('k@a.service',)),
        ('k@a.service', '/etc/systemd/system/b@.service', ('k@a.service', 'b@.service')),
    ],
)
def test_a_link_to_a_unit_of_another_name_gives_it_that_name_too(
    name: str, real_path: str, names: tuple[str, ...]
) -> None:
    assert names_of(name, real_path) == names
