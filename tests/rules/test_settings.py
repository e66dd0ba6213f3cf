# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The setting of each rule on one kubelet, by what it runs with, by its files, and by its next start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datadog_checks.kubelet_compliance.kubelet.command_lines import read_command_lines
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.model import (
    Declared,
    Evidence,
    FileStatus,
    Launch,
    Missing,
    Origin,
    Process,
    Setting,
    Source,
    Unit,
    Unknown,
    Verdict,
)
from datadog_checks.kubelet_compliance.rules.judge import judge
from datadog_checks.kubelet_compliance.rules.resolve import FLAG_DECIDES, NOT_ASKED, VERSION_DECIDES
from datadog_checks.kubelet_compliance.rules.selection import select
from datadog_checks.kubelet_compliance.rules.serving_certificate import NO_CERTIFICATE, NO_ISSUER, certificate_path
from datadog_checks.kubelet_compliance.rules.settings import (
    certificate_to_examine,
    depends_on_version,
    is_broken,
    paths_to_examine,
    setting_with_defect,
    settings_by_rule,
    wanted_facts,
)

FIELD = 'makeIPTablesUtilChains'
IPTABLES = select('cis-1.24', ['make_iptables_util_chains'])
(RULE,) = IPTABLES.rules
BENCHMARK = IPTABLES.benchmark
COMPLIANT, NON_COMPLIANT, UNKNOWN = Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN

BARE = Evidence(Process(1, 1, ()))
REFUSED = Unknown('the kubelet would refuse this', refused=True)
UNREAD = Unknown('could not read /c.yaml: permission denied')
CHANGED = Unknown('/c.yaml changed after the kubelet started')
RUNS_ON, RUNS_OFF = Configuration({FIELD: True}), Configuration({FIELD: False})


def by_file(value: bool) -> Declared:
    return Declared({FIELD: value}, {FIELD: Origin(Source.CONFIG_FILE, '/c.yaml:3')})


def by_flag(value: bool) -> Declared:
    return Declared({FIELD: value}, {FIELD: Origin(Source.FLAG, '--make-iptables-util-chains')})


ON, OFF = by_file(True), by_file(False)
ON_NOW, OFF_NOW = replace(ON, changed='/c.yaml'), replace(OFF, changed='/c.yaml')
ON_REFUSED = replace(by_flag(True), unknown=REFUSED)
HIDDEN = Declared({}, {}, unknown=UNREAD)
OLD, NEW = replace(ON, minors=frozenset({30})), replace(OFF, minors=frozenset({31}))


@pytest.mark.parametrize(
    ('readings', 'running', 'following', 'verdict', 'changed', 'doubt'),
    [
        pytest.param([ON], NOT_ASKED, [ON], COMPLIANT, None, None, id='it started with the same value'),
        pytest.param([OFF], NOT_ASKED, [ON], NON_COMPLIANT, None, None, id='it started with what breaks the rule'),
        pytest.param([ON], NOT_ASKED, [OFF], NON_COMPLIANT, None, None, id='its next start breaks the rule'),
        pytest.param([ON_NOW], NOT_ASKED, [ON], UNKNOWN, '/c.yaml', None, id='its file changed to what is compliant'),
        pytest.param([OFF_NOW], NOT_ASKED, [ON], UNKNOWN, '/c.yaml', None, id='its file changed to what is not'),
        pytest.param([ON_NOW], NOT_ASKED, [OFF], NON_COMPLIANT, '/c.yaml', None, id='changed, and so is the next'),
        pytest.param([ON], NOT_ASKED, [ON_NOW], COMPLIANT, '/c.yaml', None, id='only a file of the next start changed'),
        pytest.param([ON, ON_NOW], NOT_ASKED, [ON], UNKNOWN, '/c.yaml', None, id='changed by one of two readings'),
        pytest.param([ON_REFUSED], NOT_ASKED, [ON], UNKNOWN, None, REFUSED, id='it may not have taken its flags'),
        pytest.param(
            [replace(ON_REFUSED, line_accepted=True)], NOT_ASKED, [ON], COMPLIANT, None, None, id='it took its flags'
        ),
        pytest.param([HIDDEN], NOT_ASKED, [ON], UNKNOWN, None, UNREAD, id='its file could not be read'),
        pytest.param([HIDDEN], NOT_ASKED, [ON_REFUSED], UNKNOWN, None, REFUSED, id='the doubt of the next start first'),
        pytest.param(
            [ON],
            NOT_ASKED,
            [ON_REFUSED],
            COMPLIANT,
            None,
            REFUSED,
            id='only the next start is in doubt, so what runs counts',
        ),
        pytest.param(
            [ON], NOT_ASKED, [HIDDEN], COMPLIANT, None, None, id='the next start is not known, so what runs counts'
        ),
        pytest.param([OLD, NEW], NOT_ASKED, [ON], UNKNOWN, None, VERSION_DECIDES, id='it started by either of two'),
        pytest.param([ON, OFF], NOT_ASKED, [ON], UNKNOWN, None, FLAG_DECIDES, id='its command line is unclear'),
        pytest.param(
            [ON],
            NOT_ASKED,
            [OLD, NEW],
            COMPLIANT,
            None,
            None,
            id='the next start is either of two, so what runs counts',
        ),
        pytest.param([ON_NOW], RUNS_ON, [ON], COMPLIANT, None, None, id='/configz counts, whatever changed'),
        pytest.param([ON], RUNS_OFF, [ON], NON_COMPLIANT, None, None, id='/configz shows what breaks the rule'),
        pytest.param([ON_REFUSED], RUNS_ON, [ON], COMPLIANT, None, None, id='/configz settles the doubt'),
        pytest.param([ON], RUNS_ON, [OFF], NON_COMPLIANT, None, None, id='the next start counts beside /configz'),
        pytest.param([ON], NOT_ASKED, None, COMPLIANT, None, None, id='the same command line'),
        pytest.param([ON_NOW], NOT_ASKED, None, UNKNOWN, '/c.yaml', None, id='the same command line, a file changed'),
    ],
)
def test_what_a_kubelet_started_with_counts_beside_its_next_start(
    readings: list[Declared],
    running: Configuration | Unknown,
    following: list[Declared] | None,
    verdict: Verdict,
    changed: str | None,
    doubt: Unknown | None,
) -> None:
    """`following`: the readings of its next start, None for the same command line."""
    after = None if following is None else tuple(following)
    setting = settings_by_rule(Kubelet(BARE, (), tuple(readings), running, next=after), IPTABLES)[RULE.key]
    assert judge(RULE, setting, BENCHMARK).verdict is verdict
    assert (setting.changed, setting.doubt) == (changed, doubt)


@pytest.mark.parametrize(
    ('own', 'found'),
    [
        pytest.param(ON, ((FIELD, True),), id='its own file'),
        pytest.param(ON_NOW, CHANGED, id='a file that changed'),
        pytest.param(ON_REFUSED, REFUSED, id='flags in doubt'),
        pytest.param(replace(ON_REFUSED, launch=None, changed='/c.yaml'), REFUSED, id='in doubt, and a file changed'),
        pytest.param(HIDDEN, UNREAD, id='a file that could not be read'),
    ],
)
def test_what_runs_is_what_it_started_with_as_far_as_that_is_known(own: Declared, found: object) -> None:
    setting = settings_by_rule(Kubelet(BARE, (), (own,), next=(ON,)), IPTABLES)[RULE.key]
    assert setting.running == found
    assert (setting.declared, setting.origin) == (((FIELD, True),), ON.origins[FIELD])


@pytest.mark.parametrize(
    ('readings', 'running', 'following', 'depends'),
    [
        pytest.param([ON], NOT_ASKED, None, False, id='one reading'),
        pytest.param([OLD, NEW], NOT_ASKED, None, True, id='releases read another value'),
        pytest.param([OLD, NEW], RUNS_ON, None, True, id='the files say another value than what runs'),
        pytest.param([ON, OFF], NOT_ASKED, None, False, id='not the release: the command line is unclear'),
        pytest.param([OLD, replace(OLD, minors=frozenset({31}))], NOT_ASKED, None, False, id='both mean the same'),
        pytest.param([ON], NOT_ASKED, [OLD, NEW], True, id='only the next start'),
        pytest.param(
            [OLD, replace(HIDDEN, minors=frozenset({31}))], NOT_ASKED, None, True, id='one release could not read it'
        ),
        pytest.param(
            [OLD, replace(OLD, flags_known=False, minors=frozenset({31}))],
            NOT_ASKED, None, True, id='one release does not know the flags',
        ),
        pytest.param(
            [OLD, replace(OLD, changed='/c.yaml', minors=frozenset({31}))],
            NOT_ASKED, None, True, id='for one release a file changed',
        ),
        pytest.param(
            [ON], NOT_ASKED, [OLD, replace(HIDDEN, minors=frozenset({31}))], True, id='one can not read the next start'
        ),
    ],
)  # fmt: skip
def test_a_report_depends_on_the_release_where_the_possible_releases_differ(
    readings: list[Declared], running: Configuration | Unknown, following: list[Declared] | None, depends: bool
) -> None:
    after = None if following is None else tuple(following)
    assert depends_on_version(Kubelet(BARE, (), tuple(readings), running, next=after), IPTABLES) is depends


def test_the_owner_of_the_client_ca_depends_on_the_release_too() -> None:
    field = 'authentication.x509.clientCAFile'
    place = {field: Origin(Source.CONFIG_FILE, '/c.yaml:3')}
    set_by = Declared({'authentication': {'x509': {'clientCAFile': '/ca.crt'}}}, place, minors=frozenset({30}))
    kubelet = Kubelet(BARE, (), (set_by, replace(set_by, values={}, minors=frozenset({31}))))
    assert depends_on_version(kubelet, select('cis-1.24', ['client_ca_permissions']))
    assert not depends_on_version(kubelet, select('cis-1.24', ['kubeconfig_permissions']))


SUBJECTS = select(
    'cis-1.24',
    ['service_file_permissions', 'kubeconfig_permissions', 'config_file_permissions', 'client_ca_permissions'],
)
DOUBT = Unknown('k3s passes more')
UNIT = Unit('kubelet.service', ('/u',), ())


def with_kubeconfig(*, unit: Unit | Unknown = UNIT, launch: Launch | None = None) -> Kubelet:
    lines = read_command_lines(('--kubeconfig=/k',), {33}, accepted=True)
    status = {path: FileStatus(path, 0o600, 0, 0) for path in ('/k', '/u')}
    evidence = replace(BARE, statuses=status, unit=unit, launch=launch)
    return Kubelet(evidence, lines, (Declared({}, {}),))


def test_a_file_that_another_program_may_name_otherwise_is_in_doubt_but_the_unit_is_not() -> None:
    settings = settings_by_rule(with_kubeconfig(launch=Launch('k3s', (), '/a', doubt=DOUBT)), SUBJECTS)
    assert {key: setting.doubt for key, setting in settings.items()} == {
        'service_file_permissions': None,
        'kubeconfig_permissions': DOUBT,
        'config_file_permissions': DOUBT,
        'client_ca_permissions': DOUBT,
    }


def test_the_files_to_examine_are_those_of_the_selected_rules_once() -> None:
    assert paths_to_examine(with_kubeconfig(), SUBJECTS) == ('/u', '/k')
    both = select('cis-1.24', ['kubeconfig_permissions', 'kubeconfig_ownership'])
    assert paths_to_examine(with_kubeconfig(), both) == ('/k',)
    assert paths_to_examine(with_kubeconfig(), IPTABLES) == ()
    assert paths_to_examine(with_kubeconfig(unit=UNREAD), SUBJECTS) == ('/k',)


TLS = select('cis-1.24', ['tls_cert_file'])
ASKS = Declared({'serverTLSBootstrap': True}, {})
PEM = '/var/lib/kubelet/pki/kubelet-server-current.pem'
ABSENT = {PEM: Missing(PEM, 'no such file or directory')}


@pytest.mark.parametrize(
    ('readings', 'evidence', 'path'),
    [
        pytest.param([ASKS], BARE, PEM, id='requested'),
        pytest.param([ASKS, ON], BARE, '', id='requested by one of two readings'),
        pytest.param([ON], BARE, '', id='not requested'),
        pytest.param([ASKS], replace(BARE, process=Process(1, 1, (), unit='kubelet.service')), '', id='an image'),
        pytest.param([ASKS], replace(BARE, launch=Launch('k3s', (), '/a')), '', id='inside another program'),
        pytest.param(
            [replace(ASKS, values={**ASKS.values, '--cert-dir': '/own'})],
            BARE, '/own/kubelet-server-current.pem', id='in its own folder',
        ),
    ],
)  # fmt: skip
def test_the_certificate_to_examine_is_the_one_that_is_requested(
    readings: list[Declared], evidence: Evidence, path: str
) -> None:
    kubelet = Kubelet(evidence, (), tuple(readings))
    assert certificate_path(kubelet) == path
    assert certificate_to_examine(kubelet, TLS) == path
    assert certificate_to_examine(kubelet, IPTABLES) == ''


@pytest.mark.parametrize(
    ('arguments', 'defect'),
    [
        pytest.param(('--kubeconfig=/k',), NO_CERTIFICATE, id='an API server to ask'),
        pytest.param((), NO_ISSUER, id='no API server'),
        pytest.param(None, NO_CERTIFICATE, id='flags not known'),
    ],
)
def test_a_missing_certificate_breaks_only_the_rule_that_needs_one(
    arguments: tuple[str, ...] | None, defect: Unknown
) -> None:
    lines = read_command_lines(arguments, {33}, accepted=True)
    kubelet = Kubelet(replace(BARE, statuses=ABSENT), lines, (ASKS,))
    (tls,) = TLS.rules
    assert setting_with_defect(kubelet, tls, TLS.benchmark).defect == defect
    assert setting_with_defect(kubelet, RULE, BENCHMARK).defect is None


def test_a_rule_has_the_values_beside_its_own() -> None:
    (tls,) = TLS.rules
    gate = 'featureGates.RotateKubeletServerCertificate'
    lines = read_command_lines((), {33}, accepted=True)
    kubelet = Kubelet(BARE, lines, (Declared({'featureGates': {'RotateKubeletServerCertificate': False}}, {}),))
    others = setting_with_defect(kubelet, replace(tls, beside=(gate, FIELD)), TLS.benchmark).others
    assert others == {gate: False, FIELD: None}
    assert setting_with_defect(kubelet, RULE, BENCHMARK).others == {}


GOOD, BAD = ((FIELD, True),), ((FIELD, False),)


@pytest.mark.parametrize(
    ('declared', 'running', 'broken'),
    [
        (GOOD, GOOD, False),
        (BAD, GOOD, True),
        (GOOD, BAD, True),
        (BAD, UNREAD, True),
        (UNREAD, BAD, True),
        (GOOD, UNREAD, False),
        (UNREAD, UNREAD, False),
    ],
)
def test_a_rule_is_broken_by_its_declared_or_its_running_value(declared: object, running: object, broken: bool) -> None:
    setting = Setting(declared, None, running)  # type: ignore[arg-type]
    assert is_broken(RULE, setting, BENCHMARK) is broken


def test_facts_are_read_only_for_broken_rules_and_once() -> None:
    selection = select('cis-1.24', None)
    settings = {rule.key: Setting(UNREAD, None, UNREAD) for rule in selection.rules}
    assert wanted_facts(settings, selection) == ()
    protect = next(rule for rule in selection.rules if rule.fields == ('protectKernelDefaults',))
    settings[protect.key] = Setting((('protectKernelDefaults', False),), None, UNREAD)
    assert wanted_facts(settings, selection) == tuple(
        dict.fromkeys(each.fact for each in protect.preconditions(protect.fix))
    )
    assert wanted_facts(settings, selection)
