# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A service whose files are none, cannot be read or never answer: no exception, no delay, nothing green by mistake."""

from __future__ import annotations

import errno
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.kubelet_compliance.node import patient_host
from tests.support.hanging import CannotMount, hanging_file_system
from tests.support.sent import CRITICAL, IPTABLES, OK, check_of, collect
from tests.support.service_node import ARGUMENTS, DROP_IN, ENVIRONMENT, OFF, ON, UNIT, ServiceNode, usual_node
from tests.support.steps import steps
from tests.support.users import needs_root

pytestmark = pytest.mark.same_for_every_user

RULES = [IPTABLES, 'service_file_permissions']
SECONDS = 5.0
"""The longest that one collection may take."""

IN_ITS_PLACE: dict[str, Callable[[Path], object]] = {
    'a FIFO': os.mkfifo,
    'a folder': Path.mkdir,
    'a link to itself': lambda path: path.symlink_to(path.name),
    'a link to nothing': lambda path: path.symlink_to('/none'),
    'more than is read': lambda path: path.write_bytes(b'#' * (256 * 1024 + 1)),
    'no UTF-8': lambda path: path.write_bytes(b'[Service]\n\xff=\xff\nExecStart=\xff\n'),
    'NULs': lambda path: path.write_bytes(b'\0' * 1000),
    'nothing': lambda path: path.write_bytes(b''),
    'a file without a mode': lambda path: (path.write_bytes(b''), path.chmod(0)),
}
PLACES = {'the unit': UNIT, 'a drop-in': DROP_IN, 'an environment file': ENVIRONMENT}


def put(node: ServiceNode, path: str, make: Callable[[Path], object]) -> None:
    node.at(path).unlink()
    make(node.at(path))


@pytest.mark.parametrize('path', PLACES.values(), ids=PLACES)
@pytest.mark.parametrize('make', IN_ITS_PLACE.values(), ids=IN_ITS_PLACE)
@pytest.mark.parametrize('flag, status', [(ON, OK), (OFF, CRITICAL)])
def test_where_the_next_start_is_not_known_the_flags_of_the_process_count(
    tmp_path: Path, aggregator: AggregatorStub, path: str, make: Callable[[Path], object], flag: str, status: int
) -> None:
    node = usual_node(tmp_path)
    node.start(ARGUMENTS[0], flag, *ARGUMENTS[1:])
    put(node, path, make)
    began_at = time.monotonic()
    sent = collect(check_of(node.procfs, rules=RULES), aggregator)
    assert time.monotonic() - began_at < SECONDS
    assert sent.status() == status
    if status == CRITICAL:
        assert 'node' not in sent.green


@needs_root
@pytest.mark.parametrize('path', PLACES.values(), ids=PLACES)
def test_a_device_in_place_of_a_file_is_never_read(tmp_path: Path, aggregator: AggregatorStub, path: str) -> None:
    node = usual_node(tmp_path)
    node.start(ARGUMENTS[0], OFF, *ARGUMENTS[1:])
    put(node, path, lambda place: os.mknod(place, 0o20666, os.makedev(1, 5)))
    assert collect(check_of(node.procfs, rules=RULES), aggregator).status() == CRITICAL


@pytest.mark.parametrize('path', PLACES.values(), ids=PLACES)
def test_a_file_system_that_hangs_below_a_service_holds_nothing_up(
    tmp_path: Path, aggregator: AggregatorStub, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(patient_host, 'SECONDS_FOR_FILES', 0.5)
    node = usual_node(tmp_path)
    node.start(ARGUMENTS[0], OFF, *ARGUMENTS[1:])
    check = check_of(node.procfs, rules=RULES)
    assert collect(check, aggregator).status() == CRITICAL
    try:
        with hanging_file_system(node.at(path).parent):
            for _ in range(2):
                began_at = time.monotonic()
                sent = check.run()
                assert sent == ''
                assert time.monotonic() - began_at < SECONDS
    except CannotMount as error:
        pytest.skip(f'no file system that hangs: {error}')


@pytest.mark.parametrize('why', [errno.EIO, errno.EMFILE, errno.EACCES])
def test_an_error_at_any_step_to_a_service_that_mends_a_flag_makes_nothing_green(
    tmp_path: Path, aggregator: AggregatorStub, why: int
) -> None:
    """The kubelet runs with the wrong flag, and its next start has the right one: until then it is not compliant."""
    node = usual_node(tmp_path)
    node.start(ARGUMENTS[0], OFF, *ARGUMENTS[1:])
    node.write(ENVIRONMENT, f'KUBELET_EXTRA_ARGS="--v=2 {ON}"\n')

    def fail(number: int, nth: int) -> None:
        if number == nth:
            raise OSError(why, os.strerror(why))

    for nth in itertools.count(1):
        check = check_of(node.procfs)
        with steps(lambda number: fail(number, nth)) as made:  # noqa: B023
            sent = collect(check, aggregator)
        assert sent.green == set(), nth
        if made.count < nth:
            break
    assert nth > 100


@pytest.mark.parametrize('number', [65, 5000])
def test_more_drop_ins_than_are_read_are_reported_and_judged_by_the_process(
    tmp_path: Path, aggregator: AggregatorStub, number: int
) -> None:
    node = usual_node(tmp_path)
    folder = node.at(DROP_IN).parent
    for each in range(number):
        (folder / f'{each:05}.conf').write_text(f'[Service]\nEnvironment=KUBELET_CONFIG_ARGS={OFF}\n')
    sent = collect(check_of(node.procfs, rules=RULES), aggregator)
    assert sent.status() == OK
    assert 'holds more than' in sent.says('service_file_permissions') or 'has more than' in sent.says(
        'service_file_permissions'
    )
