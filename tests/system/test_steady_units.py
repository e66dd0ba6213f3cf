# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The steady state and the systemd service of the kubelet: whatever changes its command line is seen at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.collection.collect import Collection, Collector
from datadog_checks.kubelet_compliance.launch.unit_paths import UNIT_FOLDERS
from datadog_checks.kubelet_compliance.node import change_stamps as stamps
from tests.support.clocks import Ahead
from tests.support.service_node import ALL, DROP_IN, ENVIRONMENT, OFF, UNIT, ServiceNode, usual_node
from tests.support.steps import steps
from tests.support.ticks import rewrite, wait_for_the_next_tick
from tests.support.users import needs_root

pytestmark = pytest.mark.same_for_every_user

UNITS = '/etc/systemd/system'
Change = Callable[[ServiceNode], object]


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServiceNode:
    """All that lies there is old to the stamps. Drop-ins by a pattern, by a link, and one that is not there yet."""
    monkeypatch.setattr(stamps, 'time', Ahead(60.0))
    node = usual_node(tmp_path)
    node.write('/opt/linked.conf', '[Service]\nRestart=no\n')
    node.link(f'{UNITS}/kubelet.service.d/20-linked.conf', '../../../../opt/linked.conf')
    node.write(
        f'{UNITS}/kubelet.service.d/30.conf', '[Service]\nEnvironmentFile=-/etc/late\nEnvironmentFile=-/etc/env.d/*\n'
    )
    node.write('/etc/env.d/1', 'A=1\n')
    return node


def wrote(path: str, text: str) -> Change:
    return lambda node: node.write(path, text)


def of_a_unit(flag: str) -> str:
    return f'[Service]\nExecStart=\nExecStart=/usr/bin/kubelet {flag}\n'


FORMS = {
    'the unit': 'kubelet.service',
    'a drop-in': 'kubelet.service.d/99.conf',
    'one of all services': 'service.d/99.conf',
}
BEFORE_THE_UNIT = UNIT_FOLDERS[: UNIT_FOLDERS.index('/usr/lib/systemd/system')]
APPEARING = [
    pytest.param(folder, form, id=f'{name} in {folder}')
    for folder in UNIT_FOLDERS
    for name, form in FORMS.items()
    # Behind the unit that counts another one changes nothing, and is not looked for.
    if name != 'the unit' or folder in BEFORE_THE_UNIT
]


def assert_seen(node: ServiceNode, change: Change) -> Collection:
    """The change is seen at the next collection, by which alone nothing is kept of the one before."""
    collector = Collector(node.host(), ALL)
    before = collector.collect()
    assert collector.collect() is before
    wait_for_the_next_tick(node.folder)
    change(node)
    after = collector.collect()
    assert after is not before
    assert collector.collect() is after
    return after


@pytest.mark.parametrize('folder, form', APPEARING)
@pytest.mark.parametrize('lacking', [False, True], ids=['the folder is there', 'no folder yet'])
def test_what_appears_anywhere_on_the_search_path_counts_at_the_next_collection(
    node: ServiceNode, folder: str, form: str, lacking: bool
) -> None:
    shutil.rmtree(node.at(DROP_IN).parent)
    node.start()
    place = node.at(f'{folder}/{form}').parent
    if lacking and not any(place.iterdir()):
        place.rmdir()
    assert assert_seen(node, wrote(f'{folder}/{form}', of_a_unit(OFF))).node.restart_pending is True


CHANGES: dict[str, tuple[Change, bool | None]] = {
    'a byte of the unit': (lambda node: rewrite(node.at(UNIT), 'always', 'aLways'), False),
    'a byte of a drop-in': (
        lambda node: rewrite(node.at(DROP_IN), '/usr/bin/kubelet $K', '/usr/bin/kubelet $J'),
        True,
    ),
    'a byte of an environment file': (lambda node: rewrite(node.at(ENVIRONMENT), '--v=2', '--v=3'), True),
    'an environment file that was not there': (wrote('/etc/late', f'KUBELET_EXTRA_ARGS={OFF}\n'), True),
    'another match of a pattern': (wrote('/etc/env.d/2', f'KUBELET_EXTRA_ARGS={OFF}\n'), True),
    'a match that goes': (lambda node: node.at('/etc/env.d/1').unlink(), False),
    'a folder of a pattern that goes': (lambda node: shutil.rmtree(node.at('/etc/env.d/1').parent), False),
    'an environment file that goes': (lambda node: node.at(ENVIRONMENT).unlink(), True),
    'a drop-in that goes': (lambda node: node.at(DROP_IN).unlink(), True),
    'the folder of drop-ins that goes': (lambda node: shutil.rmtree(node.at(DROP_IN).parent), True),
    'a link that is turned': (
        lambda node: (
            node.write('/opt/2', of_a_unit(OFF)),
            node.link(f'{UNITS}/kubelet.service.d/20-linked.conf', '/opt/2'),
        ),
        True,
    ),
    'what a link leads to': (wrote('/opt/linked.conf', of_a_unit(OFF)), True),
    'a unit that is an alias': (
        lambda node: (
            node.write('/usr/lib/systemd/system/node.service', of_a_unit(OFF)),
            node.at(DROP_IN).unlink(),
            node.link(f'{UNITS}/kubelet.service', '/usr/lib/systemd/system/node.service'),
        ),
        True,
    ),
    'a FIFO in place of a drop-in': (lambda node: (node.at(DROP_IN).unlink(), os.mkfifo(node.at(DROP_IN))), None),
    'a mode': (lambda node: node.at(DROP_IN).chmod(0o666), False),
}
"""Each with whether the next start then has another command line; None: that is not looked at here."""


@pytest.mark.parametrize('change, pending', CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_service_is_seen_at_the_next_collection(
    node: ServiceNode, change: Change, pending: bool | None
) -> None:
    collection = assert_seen(node, change)
    assert pending is None or collection.node.restart_pending is pending


@needs_root
@pytest.mark.parametrize('path', [UNIT, DROP_IN, f'{UNITS}/kubelet.service'])
def test_a_mask_is_seen_at_the_next_collection(node: ServiceNode, path: str) -> None:
    os.mknod(node.at('/dev/null'), 0o20666, os.makedev(1, 3))
    assert_seen(node, lambda node: node.link(path, '/dev/null'))


@pytest.mark.parametrize(
    'path', [f'{folder}/{stem}.d/99.conf' for folder in UNIT_FOLDERS for stem in ('a-b-.service', 'a-.service')]
)
def test_a_drop_in_of_a_prefix_of_the_name_is_seen_at_the_next_collection(node: ServiceNode, path: str) -> None:
    node.at(UNIT).rename(node.at('/usr/lib/systemd/system/a-b-c.service'))
    node.at(DROP_IN).parent.rename(node.at(f'{UNITS}/a-b-c.service.d'))
    (node.procfs / '1000' / 'cgroup').write_text('0::/system.slice/a-b-c.service\n')
    assert assert_seen(node, wrote(path, of_a_unit(OFF))).node.restart_pending is True


def test_while_nothing_changes_nothing_of_the_service_is_read(node: ServiceNode) -> None:
    collector = Collector(node.host(), ALL)
    first = collector.collect()
    with steps(calls=('open', 'read', 'readlink', 'scandir', 'listdir')) as made:
        assert collector.collect() is first
    # What identifies the process, each opened, and the folders that its files are looked for below.
    assert made.count <= 12
