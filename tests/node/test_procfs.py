# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Where the Agent runs the check, only a procfs shows processes: what a pod wrote into a folder counts for nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.base.stubs.datadog_agent import DatadogAgentStub
from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.mount_table import procfs_mounts
from datadog_checks.kubelet_compliance.node.patient_host import PatientHost
from datadog_checks.kubelet_compliance.node.procfs import is_procfs
from tests.support.mounts import needs_mounts
from tests.support.nodes import write_process
from tests.support.sent import WARNING, check_of, collect

IS_NONE = (
    'is not a procfs, so the check ignores its processes: set procfs_path to where the /proc of the host is mounted'
)
TABLE = """\
22 1 254:0 / / rw,relatime - ext4 /dev/root rw
23 22 0:21 / /proc rw,nosuid shared:5 master:1 - proc proc rw
24 22 0:55 / /host/pr\\040oc ro,relatime master:7 - proc proc rw
25 22 0:56 /1 /host/part ro - proc proc rw
26 22 0:57 / /host/made\\040-\\040proc ro - tmpfs proc rw
27 22 0:58 / /host/like ro - procfs proc rw
28 22
"""


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    write_process(tmp_path / 'proc', 700, ('kubelet', '--make-iptables-util-chains=true'))
    return tmp_path / 'proc'


def agents_check(procfs: Path | str) -> KubeletComplianceCheck:
    check = check_of(procfs, use_configz=False)
    check.needs_procfs = True
    return check


def test_whole_procfs_are_found_in_a_table_of_mounts() -> None:
    assert procfs_mounts(TABLE) == {('/proc', '0:21'), ('/host/pr oc', '0:55')}


@pytest.mark.parametrize(
    ('path', 'is_one'),
    [
        pytest.param('/proc', True, id='the procfs of this machine'),
        pytest.param('/proc/self', False, id='a process'),
        pytest.param('/proc/sys', False, id='a folder in it'),
        pytest.param('/', False, id='another mount'),
        pytest.param('/proc/../proc', False, id='a path that is not clean'),
        pytest.param('made-up', False, id='a folder of files'),
        pytest.param('link', False, id='a link to the procfs, which somebody may change'),
    ],
)
def test_only_the_mount_point_itself_is_a_procfs(tmp_path: Path, made_up: Path, path: str, is_one: bool) -> None:
    (tmp_path / 'link').symlink_to('/proc')
    places = {'made-up': str(made_up), 'link': str(tmp_path / 'link')}
    assert is_procfs(places.get(path, path)) is is_one


@needs_mounts
@pytest.mark.parametrize(
    ('mount', 'is_one'),
    [
        pytest.param('mount -t proc proc {}', True, id='a second procfs'),
        pytest.param('mount --bind /proc {}', True, id='the host path in a container'),
        pytest.param('mount --bind /proc/1 {}', False, id='a part of a procfs'),
        pytest.param('mount -t tmpfs proc {}', False, id='another file system of that name'),
        pytest.param('mount --bind /proc {0} && mount -t tmpfs proc {0}', False, id='a procfs that is hidden'),
    ],
)
def test_the_file_system_that_is_mounted_there_counts(tmp_path: Path, mount: str, is_one: bool) -> None:
    code = f'from datadog_checks.kubelet_compliance.node.procfs import is_procfs; print(is_procfs({str(tmp_path)!r}))'
    script = f'{mount.format(tmp_path)} && exec "$0" -c "$1"'
    done = subprocess.run(
        ['unshare', '--mount', 'sh', '-c', script, sys.executable, code], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == (str(is_one), '')


def test_a_made_up_proc_is_refused_and_nothing_is_sent(made_up: Path, aggregator: AggregatorStub) -> None:
    check = agents_check(made_up)
    for _ in range(2):
        (error,) = json.loads(check.run())
        assert error['message'] == f'procfs_path: {made_up} {IS_NONE}'
    assert list(aggregator.metric_names) == list(aggregator.service_check_names) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, aggregator: AggregatorStub) -> None:
    (error,) = json.loads(agents_check(tmp_path / 'none').run())
    assert error['message'].startswith(f'procfs_path: could not list the processes in {tmp_path}/none: no such file')
    assert list(aggregator.service_check_names) == []


def test_a_real_procfs_is_examined(aggregator: AggregatorStub) -> None:
    """Whatever runs on this machine: something is sent, and nothing is said against its /proc."""
    assert 'procfs' not in collect(agents_check('/proc'), aggregator).kubelet[1]


def test_what_the_agent_itself_names_is_examined_too_and_said_to_be_none(
    made_up: Path, aggregator: AggregatorStub, datadog_agent: DatadogAgentStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an option of the instance the check goes on, so that it is seen on dashboards too."""
    monkeypatch.setattr(datadog_agent, '_config', {**datadog_agent._config, 'procfs_path': str(made_up)})
    check = KubeletComplianceCheck('kubelet_compliance', {}, [{'use_configz': False}])
    check.needs_procfs = True
    sent = collect(check, aggregator)
    assert (sent.found, sent.kubelet, sent.rules) == (0, (WARNING, f'{made_up} {IS_NONE}'), {})


def test_a_link_is_followed_once_so_that_it_leads_nowhere_else_later(
    tmp_path: Path, made_up: Path, aggregator: AggregatorStub
) -> None:
    link = tmp_path / 'link'
    link.symlink_to('/proc')
    check = agents_check(link)
    collect(check, aggregator)
    link.unlink()
    link.symlink_to(made_up)
    collect(check, aggregator)
    # Other kubelets may run on this machine meanwhile, so what was sent is not compared.
    assert check.collector.host.procfs == '/proc'
    assert 700 not in [process.pid for process in check.collector.search.known if process.program == 'kubelet']


def test_a_folder_that_takes_the_place_of_one_that_was_missing_is_refused(tmp_path: Path) -> None:
    """At each look and not only at the start."""
    host = PatientHost(LiveHost(str(tmp_path / 'proc'), needs_procfs=True))
    assert host.procfs_problem() is not None
    write_process(tmp_path / 'proc', 700, ('kubelet',))
    scan = host.find_kubelets()
    assert scan.processes == ()
    assert [each.reason for each in scan.doubtful] == [IS_NONE.join([f'{tmp_path}/proc ', '']).partition(':')[0]]


def test_where_the_table_of_mounts_cannot_be_read_no_process_counts(
    made_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('datadog_checks.kubelet_compliance.node.procfs.MAX_MOUNTINFO_BYTES', 10)
    host = PatientHost(LiveHost('/proc', needs_procfs=True))
    (doubt,) = host.find_kubelets().doubtful
    table = 'the mount table (/proc/PID/mountinfo) is larger than 0 MiB'
    assert doubt.reason == f"can't verify that /proc is a procfs: {table}"


STAND_INS = {
    'aggregator': 'GAUGE, RATE, COUNT, MONOTONIC_COUNT, COUNTER, HISTOGRAM, HISTORATE = range(7)\n'
    'def submit_metric(*a): print("sent", a[3:6])\ndef submit_service_check(*a): print("sent", a[2:4])\n',
    'datadog_agent': 'def get_config(name): return None\ndef get_hostname(): return "host"\n'
    'def log(*a): pass\ndef warn(*a): pass\n'
    'def tracemalloc_enabled(): return False\ndef get_version(): return "7.81.1"\n',
    '_util': 'subprocess_output = get_subprocess_output = None\nclass SubprocessOutputEmptyError(Exception): pass\n',
    'tagger': '',
    'containers': '',
    'util': '',
    'kubeutil': 'def get_connection_info(): return {}\n',
}


def run_in_an_agent(folder: Path, **instance: Any) -> str:
    """What a check in a process with the modules that only an Agent has prints of one run."""
    folder.mkdir()
    for name, text in STAND_INS.items():
        (folder / f'{name}.py').write_text(text)
    code = (
        f'import sys; sys.path.insert(0, {str(folder)!r})\n'
        'from datadog_checks.kubelet_compliance import KubeletComplianceCheck\n'
        f'print(KubeletComplianceCheck("kubelet_compliance", {{}}, [{instance!r}]).run())\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_in_an_agent_only_a_procfs_shows_processes(tmp_path: Path, made_up: Path) -> None:
    """With the Agent's own modules in place, which is how the base class knows that an Agent runs it."""
    options: dict[str, Any] = {'use_configz': False, 'rules': ['anonymous_auth']}
    said = run_in_an_agent(tmp_path / 'one', procfs_path=str(made_up), **options)
    assert 'sent' not in said
    assert IS_NONE in said
    assert "'kubelet_compliance.kubelet.found'" in run_in_an_agent(tmp_path / 'two', procfs_path='/proc', **options)
