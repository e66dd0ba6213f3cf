# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the next start of a kubelet passes to it, by its systemd service, and what that does to the verdict."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.api.replay import answers
from datadog_checks.kubelet_compliance.collection.collect import Collection, Collector
from datadog_checks.kubelet_compliance.launch.next_start import next_arguments
from datadog_checks.kubelet_compliance.model import Unit, Unknown, Verdict
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.nodes import HEAD, PID, ticks_from_now
from tests.support.service_node import ARGUMENTS, CONFIG, DROP_IN, ENVIRONMENT, OFF, ON, UNIT, ServiceNode, usual_node
from tests.support.standin import Standin, Standins
from tests.support.ticks import until_later_than
from tests.support.users import OURS

COMPLIANT, NON_COMPLIANT = Verdict.COMPLIANT, Verdict.NON_COMPLIANT
IPTABLES = select('cis-1.24', ['make_iptables_util_chains'])
ADDED = '/etc/systemd/system/kubelet.service.d/50.conf'
START_WORD = 21
"""Where the start time stands in /proc/PID/stat."""
Change = Callable[[ServiceNode], object]


def drop_in(*arguments: str) -> str:
    return f'[Service]\nEnvironment="KUBELET_CONFIG_ARGS={" ".join((ARGUMENTS[0], *arguments))}"\n'


def command(text: str) -> str:
    return f'[Service]\nExecStart=\nExecStart={text}\n'


def added(text: str) -> Change:
    return lambda node: node.write(ADDED, text)


@dataclass(frozen=True)
class Story:
    """A kubelet that its service started with some flags, and what was then done to its files."""

    change: Change
    verdict: Verdict
    pending: bool | None
    says: str = ''
    flags: tuple[str, ...] = ()
    problem: str = ''
    """What is said of the kubelet: what runs is known, whatever is not known of its next start."""


def with_config(text: str) -> Change:
    return lambda node: node.write(CONFIG, f'{HEAD}{text}\n')


def both(*changes: Change) -> Change:
    return lambda node: [change(node) for change in changes]


OTHER_CONFIG = both(
    lambda node: node.write('/etc/other.yaml', f'{HEAD}makeIPTablesUtilChains: false\n'),
    lambda node: node.write(ENVIRONMENT, 'KUBELET_EXTRA_ARGS=--v=2 --config=/etc/other.yaml\n'),
)
STORIES = {
    'nothing': Story(lambda node: None, COMPLIANT, False),
    'a drop-in adds a flag': Story(added(drop_in(OFF)), NON_COMPLIANT, True, f'{ADDED}:2'),
    'it is taken out again': Story(
        both(added(drop_in(OFF)), lambda node: node.at(ADDED).unlink()), COMPLIANT, False
    ),
    'a drop-in that gave the flag goes': Story(lambda node: node.at(ADDED).unlink(), NON_COMPLIANT, True, flags=(OFF,)),
    'a drop-in that made it right goes': Story(
        both(with_config('makeIPTablesUtilChains: false'), lambda node: node.at(ADDED).unlink()),
        NON_COMPLIANT, True, f'{CONFIG}:3', flags=(ON,),
    ),
    'the flag is set right': Story(added(drop_in(ON)), NON_COMPLIANT, True, 'restart', flags=(OFF,)),
    'the flag is set wrong': Story(added(drop_in(OFF)), NON_COMPLIANT, True, f'{ADDED}:2', flags=(ON,)),
    'another flag is added': Story(added(drop_in('--max-pods=50')), COMPLIANT, True),
    'an environment file adds the flag': Story(
        lambda node: node.write(ENVIRONMENT, f'KUBELET_EXTRA_ARGS={OFF}\n'), NON_COMPLIANT, True, f'{ENVIRONMENT}:1'
    ),
    'an optional environment file goes': Story(lambda node: node.at(ENVIRONMENT).unlink(), COMPLIANT, True),
    'one that must be there is not': Story(
        added('[Service]\nEnvironmentFile=/etc/none\n'), COMPLIANT, None, problem='/etc/none does not exist'
    ),
    'one that must be there is not, and the flags are wrong': Story(
        added('[Service]\nEnvironmentFile=/etc/none\n'), NON_COMPLIANT, None, OFF, flags=(OFF,),
        problem='/etc/none does not exist',
    ),
    'a shell starts it': Story(
        added(command(f"/bin/sh -c 'exec kubelet {OFF}'")), COMPLIANT, None, problem='not a kubelet'
    ),
    'the unit would not load': Story(added('[Service\n'), COMPLIANT, False),
    'the unit is gone': Story(lambda node: (node.at(UNIT).unlink()), COMPLIANT, False),
    'another configuration file': Story(OTHER_CONFIG, NON_COMPLIANT, True, '/etc/other.yaml:3'),
    'another configuration file that is not there': Story(
        lambda node: node.write(ENVIRONMENT, 'KUBELET_EXTRA_ARGS=--config=/etc/none\n'), COMPLIANT, True,
        problem='/etc/none',
    ),
    'no configuration file any more': Story(added(command('/usr/bin/kubelet --v=2')), COMPLIANT, True),
    'a flag that no kubelet has': Story(added(drop_in('--nonsense')), COMPLIANT, True, problem='nonsense'),
    'a value that no kubelet takes': Story(
        added(drop_in('--make-iptables-util-chains=x')), COMPLIANT, True, problem='would refuse'
    ),
    'its file changes at the same time': Story(
        both(with_config('makeIPTablesUtilChains: false'), added(drop_in('--max-pods=50'))),
        NON_COMPLIANT, True, f'{CONFIG}:3',
    ),
    'its file changes and the flag decides': Story(
        both(with_config('makeIPTablesUtilChains: false'), added(drop_in('--max-pods=50', ON))),
        COMPLIANT, True, flags=(ON,),
    ),
    'a mode': Story(lambda node: node.at(DROP_IN).chmod(0o666), COMPLIANT, False),
}  # fmt: skip


def started(folder: Path, flags: tuple[str, ...]) -> ServiceNode:
    node = usual_node(folder)
    if flags:
        node.write(ADDED, drop_in(*flags))
    node.start(ARGUMENTS[0], *flags, *ARGUMENTS[1:])
    return node


def running_with(flags: tuple[str, ...]) -> dict[str, bytes]:
    """The answer of a kubelet that was started so."""
    body = {'kubeletconfig': {'makeIPTablesUtilChains': OFF not in flags}}
    return {'/configz': json.dumps(body).encode()}


def result_of(collection: Collection) -> tuple[Verdict, bool | None, str]:
    (finding,) = collection.node.findings
    return finding.verdict, collection.node.restart_pending, finding.message


@pytest.mark.slow
@pytest.mark.parametrize('story', STORIES.values(), ids=STORIES)
def test_an_edit_of_the_service_shows_before_the_restart(tmp_path: Path, story: Story) -> None:
    node = started(tmp_path, story.flags)
    collector = Collector(node.host(), IPTABLES)
    before = result_of(collector.collect())
    assert before[:2] == (NON_COMPLIANT if OFF in story.flags else COMPLIANT, False)
    story.change(node)
    collection = collector.collect()
    verdict, pending, message = result_of(collection)
    assert (verdict, pending) == (story.verdict, story.pending), message
    assert story.says in message
    assert bool(collection.node.problems) is bool(story.problem)
    assert all(story.problem in problem.reason for problem in collection.node.problems)


@pytest.mark.slow
def test_a_file_that_changed_after_the_start_is_not_what_runs_whatever_the_next_start_passes(tmp_path: Path) -> None:
    node = started(tmp_path, ())
    assert result_of(Collector(node.host(), IPTABLES).collect())[:2] == (COMPLIANT, False)
    node.write(ADDED, drop_in('--max-pods=50'))
    node.write(CONFIG, f'{HEAD}makeIPTablesUtilChains: true\n')
    stat = node.procfs / str(PID) / 'stat'
    words = stat.read_text().split(' ')
    words[START_WORD] = str(ticks_from_now(-600))
    stat.write_text(' '.join(words))
    verdict, pending, message = result_of(Collector(node.host(), IPTABLES).collect())
    assert (verdict, pending) == (Verdict.UNKNOWN, True), message
    assert f'{CONFIG} changed after the kubelet started' in message


@pytest.mark.slow
@pytest.mark.parametrize('story', STORIES.values(), ids=STORIES)
def test_where_configz_shows_what_runs_the_next_start_counts_all_the_same(tmp_path: Path, story: Story) -> None:
    node = started(tmp_path, story.flags)
    collector = Collector(node.host(), IPTABLES)
    connection = answers(running_with(story.flags))
    assert result_of(collector.collect(connection))[0] is (NON_COMPLIANT if OFF in story.flags else COMPLIANT)
    story.change(node)
    verdict, pending, message = result_of(collector.collect(connection))
    assert verdict is story.verdict, message
    assert bool(pending) is bool(story.pending), message


@pytest.mark.slow
@pytest.mark.parametrize('story', STORIES.values(), ids=STORIES)
def test_after_the_restart_nothing_is_pending(tmp_path: Path, story: Story) -> None:
    """Where the next start is known and is one that a kubelet accepts, the kubelet is started as that says."""
    node = started(tmp_path, story.flags)
    story.change(node)
    arguments = next_arguments(node.evidence())
    if isinstance(arguments, Unknown) or story.problem:
        return
    node.start(*arguments)
    assert result_of(Collector(node.host(), IPTABLES).collect())[1] is False


UNCHANGED = {
    'the service gives it more': ((), (OFF,), NON_COMPLIANT, True),
    'the service gives it more, and all is well': ((), (ON,), COMPLIANT, True),
    'the process has more': ((OFF,), (), NON_COMPLIANT, False),
    'the process has more, and all is well': ((ON,), (), COMPLIANT, False),
    'each has another value': ((ON,), (OFF,), NON_COMPLIANT, True),
    'the process has the wrong one': ((OFF,), (ON,), NON_COMPLIANT, True),
    'the order': ((OFF, ON), (ON, OFF), NON_COMPLIANT, True),
}
"""Flags of the process and of its service, where no file is later than the start."""


@pytest.mark.parametrize('own, given, verdict, pending', UNCHANGED.values(), ids=UNCHANGED)
def test_words_that_only_the_service_has_are_drift_and_those_that_only_the_process_has_are_not(
    tmp_path: Path, own: tuple[str, ...], given: tuple[str, ...], verdict: Verdict, pending: bool
) -> None:
    """systemd had not reloaded an edit; the others come from what is not seen here."""
    node = usual_node(tmp_path)
    node.write(ADDED, drop_in(*given))
    node.start(ARGUMENTS[0], *own, *ARGUMENTS[1:])
    found, is_pending, message = result_of(Collector(node.host(), IPTABLES).collect())
    assert (found, is_pending) == (verdict, pending), message


def show(node: ServiceNode, standin: Standin) -> None:
    """Let `/proc` show a real process, in the cgroup of its service."""
    folder = node.procfs / str(standin.pid)
    folder.mkdir(parents=True)
    for name in os.listdir(f'/proc/{standin.pid}'):
        if name != 'cgroup':
            (folder / name).symlink_to(f'/proc/{standin.pid}/{name}')
    (folder / 'cgroup').write_text('0::/system.slice/kubelet.service\n')


class Life:
    """A real process in the root of a node, started and restarted as its service says."""

    def __init__(self, node: ServiceNode, standins: Standins) -> None:
        self.node = node
        self.standins = standins
        for entry in (node.procfs / '1000').iterdir():
            entry.unlink()
        (node.procfs / '1000').rmdir()
        self.process: Standin | None = None
        self.start(*ARGUMENTS)
        self.check = self.new_check()

    def new_check(self) -> Collector:
        return Collector(LiveHost(str(self.node.procfs), admission=OURS), IPTABLES)

    def start(self, *arguments: str) -> None:
        if self.process is not None:
            self.process.kill()
            (self.node.procfs / str(self.process.pid)).rename(self.node.folder / f'ended-{self.process.pid}')
        argv = ('/usr/bin/kubelet', *arguments)
        self.process = self.standins.launch(argv, root=str(self.node.root), folder='/')
        show(self.node, self.process)

    def result(self) -> tuple[Verdict, bool | None, str]:
        return result_of(self.check.collect())

    def started_at(self) -> float:
        (process,) = self.check.host.find_kubelets().processes
        assert process.started_at is not None
        return process.started_at


@pytest.fixture
def life(tmp_path: Path, standins: Standins) -> Life:
    return Life(usual_node(tmp_path), standins)


@pytest.mark.slow
def test_a_real_kubelet_through_an_edit_its_way_back_and_a_restart(life: Life) -> None:
    assert life.result()[:2] == (COMPLIANT, False)
    life.node.write(ADDED, drop_in(OFF))
    verdict, pending, message = life.result()
    assert (verdict, pending) == (NON_COMPLIANT, True)
    assert f'{ADDED}:2' in message
    life.node.at(ADDED).unlink()
    assert life.result()[:2] == (COMPLIANT, False)
    life.node.write(ADDED, drop_in(OFF))
    life.start(ARGUMENTS[0], OFF, *ARGUMENTS[1:])
    assert life.result()[:2] == (NON_COMPLIANT, False)
    life.node.at(ADDED).unlink()
    assert life.result()[:2] == (NON_COMPLIANT, True)
    life.start(*ARGUMENTS)
    assert life.result()[:2] == (COMPLIANT, False)


@pytest.mark.slow
def test_a_check_that_starts_after_a_flag_was_taken_out_sees_it_by_the_times(life: Life) -> None:
    """That the folder changed after the start shows that flags were removed from the service."""
    life.node.write(ADDED, drop_in(ON))
    life.node.write(CONFIG, f'{HEAD}makeIPTablesUtilChains: false\n')
    life.start(ARGUMENTS[0], ON, *ARGUMENTS[1:])
    life.check = life.new_check()
    assert life.result()[:2] == (COMPLIANT, False)
    life.node.at(ADDED).unlink()
    folder = life.node.at(ADDED).parent

    def touch() -> None:
        (folder / 'x').write_text('')
        (folder / 'x').unlink()

    until_later_than(life.started_at() + 1.5, touch, folder)
    life.check = life.new_check()
    assert life.result()[:2] == (NON_COMPLIANT, True)


@pytest.mark.slow
def test_a_mode_that_changes_makes_no_edit_of_what_only_the_process_has(life: Life) -> None:
    life.start(ARGUMENTS[0], OFF, *ARGUMENTS[1:])
    life.check = life.new_check()
    assert life.result()[:2] == (NON_COMPLIANT, False)
    drop_in_file = life.node.at(DROP_IN)
    until_later_than(life.started_at() + 1.5, lambda: drop_in_file.chmod(0o600), drop_in_file)
    verdict, pending, message = life.result()
    assert (verdict, pending) == (NON_COMPLIANT, False), message


def test_a_variable_that_no_file_sets_is_no_drift_of_an_unchanged_service(tmp_path: Path) -> None:
    """It may come from systemd's own environment, which is not seen."""
    node = started(tmp_path, ('--node-ip=10.0.0.1',))
    added(command('/usr/bin/kubelet --config=/etc/k.yaml --node-ip=${NODE_IP}'))(node)
    evidence = node.evidence()
    assert isinstance(evidence.unit, Unit)
    assert evidence.unit.unset == {'NODE_IP'}
    unchanged = replace(
        evidence,
        unit=replace(evidence.unit, files=(), folders=(), parents_changed_at=None, lacks_files=False),
    )
    arguments = next_arguments(unchanged)
    assert isinstance(arguments, Unknown)
    assert arguments.reason == 'kubelet.service uses $NODE_IP, which none of its files sets'
