# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The options of k3s and RKE2, and the arguments that they give to a kubelet."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from datadog_checks.kubelet_compliance.kubelet.tables.programs import K3S, RKE2, OptionFiles, Program
from datadog_checks.kubelet_compliance.launch.option_files import (
    Given,
    Options,
    config_path,
    contained_launch,
    given_by,
    read_options,
)
from datadog_checks.kubelet_compliance.model import (
    Argument,
    File,
    Launch,
    Missing,
    Origin,
    Place,
    Setting,
    Source,
    Unit,
    Unknown,
    Unreadable,
    Verdict,
)
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.judge import hinted, judge
from datadog_checks.kubelet_compliance.rules.resolve import NOT_ASKED
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support.made_up_node import here
from tests.support.standin import Standins

RULE = RULES_BY_KEY['make_iptables_util_chains']
BENCHMARK = select('cis-1.24', None).benchmark
MAIN = '/etc/rancher/k3s/config.yaml'
MORE = '/etc/rancher/k3s/config.yaml.d/10.yaml'


def way_of(program: Program) -> OptionFiles:
    assert isinstance(program.arguments, OptionFiles)
    return program.arguments


WAY, RKE2_WAY = way_of(K3S), way_of(RKE2)


def k3s_options(given: Given, files: Sequence[File | Missing | Unreadable] = (), way: OptionFiles = WAY) -> Options:
    return read_options(given, files, way)


def k3s_launch(given: Given, options: Options, *, with_drop_ins: bool) -> Launch:
    return contained_launch(K3S, WAY, given, options, with_drop_ins=with_drop_ins)


def file(path: str, text: str) -> File:
    return File(path, text.encode(), None)


@pytest.mark.parametrize(
    'files, arguments',
    [
        pytest.param({MAIN: 'kubelet-arg: v=2'}, ('--v=2',), id='a text'),
        pytest.param({MAIN: 'kubelet-arg:\n- v=2\n- seccomp-default'}, ('--v=2', '--seccomp-default=true'), id='list'),
        pytest.param({MAIN: 'kubelet-arg: [v=2]', MORE: 'kubelet-arg: [v=3]'}, ('--v=3',), id='a later file replaces'),
        pytest.param({MAIN: 'kubelet-arg: [v=2]', MORE: 'kubelet-arg+: [v=3]'}, ('--v=2', '--v=3'), id='one adds'),
        pytest.param({MORE: 'kubelet-arg+: v=3'}, ('--v=3',), id='there is nothing to add to'),
        pytest.param({MAIN: 'token: x'}, (), id='no arguments'),
    ],
)  # fmt: skip
def test_the_arguments_of_k3s_come_from_its_files(files: dict[str, str], arguments: tuple[str, ...]) -> None:
    assert tuple(k3s_options(Given(), [file(path, text) for path, text in files.items()]).arguments) == arguments


def test_the_command_line_of_k3s_adds_to_its_files() -> None:
    shown = ('--kubelet-arg=v=3', '--kubelet-arg', 'max-pods=9', '-d', '/data')
    k3s = k3s_options(Given(shown), [file(MAIN, 'kubelet-arg: v=2')])
    assert k3s.arguments == ['--v=2', '--v=3', '--max-pods=9']
    assert k3s.places == {'--v=2': Place(MAIN, 1)}
    assert k3s.drop_ins == '/data/agent/etc/kubelet.conf.d'


SERVICE = '/etc/systemd/system/k3s.service'


def unit(*words: str, **variables: str) -> Unit:
    command = tuple(Argument(word, Place(SERVICE, line)) for line, word in enumerate(words, 1))
    return Unit(
        'k3s.service', (SERVICE,), command, environment={key: Argument(variables[key], None) for key in variables}
    )


@pytest.mark.parametrize(
    'words, given',
    [
        (('/usr/local/bin/k3s', 'server', '--kubelet-arg=v=3'), ['--kubelet-arg=v=3']),
        (('k3s', 'agent'), []),
        (('/usr/local/bin/k3s', '--debug', 'server'), None),
        (('/usr/local/bin/k3s', 'kubectl'), None),
        (('/opt/start-k3s', 'server'), None),
        (('/usr/local/bin/k3s',), None),
    ],
)
def test_the_service_of_k3s_has_its_command_line_where_it_starts_k3s_itself(
    words: tuple[str, ...], given: list[str] | None
) -> None:
    assert given_by(unit(*words), WAY).words == given


def test_no_service_gives_nothing() -> None:
    assert given_by(None, WAY) == given_by(Unknown('x'), WAY) == Given()
    assert given_by(Unit('k3s.service', (), Unknown('x')), WAY).words is None


def test_what_the_service_sets_has_its_place_in_its_file() -> None:
    given = given_by(unit('/usr/local/bin/k3s', 'server', '--kubelet-arg=v=3', '--kubelet-arg', 'max-pods=9'), WAY)
    k3s = k3s_options(given, [file(MAIN, 'kubelet-arg: v=2')])
    assert k3s.arguments == ['--v=2', '--v=3', '--max-pods=9']
    assert k3s.places == {'--v=2': Place(MAIN, 1), '--v=3': Place(SERVICE, 3), '--max-pods=9': Place(SERVICE, 5)}
    assert k3s_launch(given, k3s, with_drop_ins=True).doubt == WAY.doubt


@pytest.mark.parametrize(
    'words, variables, config, data',
    [
        ((), {}, MAIN, '/var/lib/rancher/k3s'),
        (('--config=/c.yaml', '-d', '/d'), {}, '/c.yaml', '/d'),
        (('--config=/c.yaml', '-d', '/d'), {'K3S_CONFIG_FILE': '/e.yaml', 'K3S_DATA_DIR': '/e'}, '/e.yaml', '/d'),
        ((), {'K3S_DATA_DIR': '/e', 'RKE2_CONFIG_FILE': '/x'}, MAIN, '/e'),
    ],
)
def test_the_variables_of_a_service_say_where_k3s_has_its_files(
    words: tuple[str, ...], variables: dict[str, str], config: str, data: str
) -> None:
    given = given_by(unit('k3s', 'server', *words, **variables), WAY)
    assert (config_path(given, WAY), k3s_options(given, []).data) == (config, data)


def test_rke2_has_its_own_files() -> None:
    assert config_path(Given(), RKE2_WAY) == '/etc/rancher/rke2/config.yaml'
    assert config_path(given_by(unit('rke2', 'server', RKE2_CONFIG_FILE='/r.yaml'), RKE2_WAY), RKE2_WAY) == '/r.yaml'
    assert k3s_options(Given(), [], RKE2_WAY).drop_ins == '/var/lib/rancher/rke2/agent/etc/kubelet.conf.d'


def test_a_k3s_without_an_agent_has_no_kubelet() -> None:
    assert not k3s_options(Given(), [file(MAIN, 'disable-agent: true')]).has_kubelet
    assert k3s_options(Given(), [file(MAIN, 'disable-agent: false')]).has_kubelet


@pytest.mark.parametrize('hidden', [True, False])
def test_what_k3s_passes_is_never_taken_for_all_of_it(hidden: bool) -> None:
    arguments = None if hidden else ()
    launch = k3s_launch(
        Given(arguments), k3s_options(Given(arguments), [file(MAIN, 'kubelet-arg: v=2')]), with_drop_ins=True
    )
    assert launch.doubt is not None and 'configz' in launch.doubt.remedy
    assert launch.arguments[-1] == '--v=2'  # type: ignore[index]


def test_a_file_of_k3s_that_cannot_be_read_is_named() -> None:
    files = [Unreadable(MAIN, 'permission denied'), Missing(MORE, 'gone')]
    launch = k3s_launch(Given(), k3s_options(Given(), files), with_drop_ins=False)
    assert launch.doubt is not None and f'{MAIN} could not be read: permission denied' in launch.doubt.reason


def test_from_1_32_on_k3s_keeps_config_files_to_itself() -> None:
    k3s = k3s_options(Given(), [file(MAIN, 'kubelet-arg: [config=/a, config-dir=/b, v=2]')])
    new = k3s_launch(Given(), k3s, with_drop_ins=True).arguments
    old = k3s_launch(Given(), k3s, with_drop_ins=False).arguments
    assert isinstance(new, tuple) and isinstance(old, tuple)
    assert '--config=/a' in old and '--config=/a' not in new and '--config-dir=/b' not in new


def test_an_argument_that_k3s_adds_up_itself_is_not_guessed_at() -> None:
    k3s = k3s_options(Given(), [file(MAIN, 'kubelet-arg: feature-gates+=A=true')])
    assert isinstance(k3s_launch(Given(), k3s, with_drop_ins=True).arguments, Unknown)


def doubted(declared: bool, running: object = NOT_ASKED) -> Verdict:
    launch = k3s_launch(Given(), k3s_options(Given(), []), with_drop_ins=True)
    values = ((RULE.fields[0], declared),)
    seen = running if isinstance(running, Unknown) else ((RULE.fields[0], running),)
    setting = Setting(values, Origin(Source.DROP_IN, '/d:3'), seen, doubt=launch.doubt)  # type: ignore[arg-type]
    return judge(RULE, setting, BENCHMARK).verdict


@pytest.mark.parametrize(
    'declared, running, verdict',
    [
        (True, NOT_ASKED, Verdict.UNKNOWN),
        (False, NOT_ASKED, Verdict.NON_COMPLIANT),
        (True, True, Verdict.COMPLIANT),
        (True, False, Verdict.NON_COMPLIANT),
        (False, True, Verdict.COMPLIANT),
        (False, False, Verdict.NON_COMPLIANT),
    ],
)
def test_where_a_value_is_doubted_configz_decides(declared: bool, running: object, verdict: Verdict) -> None:
    assert doubted(declared, running) is verdict


@pytest.mark.parametrize(
    'names, hint',
    [
        ({'cilium-agent'}, True),
        ({'calico-node'}, True),
        ({'cilium-agent', 'kube-proxy'}, False),
        ({'kube-proxy'}, False),
        (set(), False),
    ],
)
def test_the_message_hints_at_an_exemption_only_where_nothing_needs_the_chains(names: set[str], hint: bool) -> None:
    setting = Setting(((RULE.fields[0], False),), Origin(Source.FLAG, '--make-iptables-util-chains=false'), NOT_ASKED)
    found = hinted(judge(RULE, setting, BENCHMARK), frozenset(names))
    assert ('exemptions' in found.message) is hint
    assert len(found.message) <= 500 and found.verdict is Verdict.NON_COMPLIANT
    good = hinted(judge(RULE, Setting(((RULE.fields[0], True),), None, NOT_ASKED), BENCHMARK), frozenset(names))
    assert 'exemptions' not in good.message


def test_another_rule_gets_no_hint() -> None:
    rule = RULES_BY_KEY['read_only_port']
    setting = Setting((('readOnlyPort', 10255),), None, NOT_ASKED)
    assert 'exemptions' not in hinted(judge(rule, setting, BENCHMARK), frozenset({'cilium-agent'})).message


def test_a_real_hyperkube_is_found_by_its_command(standins: Standins) -> None:
    program = standins.named('hyperkube')
    kubelet = standins.launch(('hyperkube', 'kubelet', '--v=1'), program=program)
    proxy = standins.launch(('hyperkube', 'proxy'), program=program)
    scan = here().find_kubelets()
    assert [process.arguments for process in scan.processes if process.pid == kubelet.pid] == [('--v=1',)]
    assert proxy.pid not in {process.pid for process in scan.processes}


def test_a_real_k3s_that_wrote_its_title_is_found(standins: Standins) -> None:
    program = standins.named('k3s-server')
    arguments = ('/usr/local/bin/k3s', 'server', '--kubelet-arg=make-iptables-util-chains=true')
    standin = standins.launch(arguments, program=program, title='/usr/local/bin/k3s server')
    found = {process.pid: process for process in here().find_kubelets().processes}[standin.pid]
    assert (found.inside, found.arguments) == ('k3s', None)
