# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from dataclasses import replace

import pytest

from datadog_checks.kubelet_compliance.kubelet.formats.go import Duration
from datadog_checks.kubelet_compliance.kubelet.pending import restart_pending
from datadog_checks.kubelet_compliance.model import (
    Answer,
    Declared,
    Fact,
    Finding,
    Home,
    KubeletReport,
    Origin,
    Process,
    Setting,
    Source,
    Unknown,
    Value,
    Values,
    Verdict,
)
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.judge import (
    LONGEST_FINDING,
    decided,
    deciding,
    fitted,
    hinted,
    judge,
    judge_node,
    origin_of,
    values_that_differ,
)
from datadog_checks.kubelet_compliance.rules.wording import LONGEST_VALUE, MOST_VALUES, shorten, show

RULE = RULES_BY_KEY['make_iptables_util_chains']
BENCHMARK = BENCHMARKS['cis-1.24']
FILE = Origin(Source.CONFIG_FILE, '/var/lib/kubelet/config.yaml:17', '/var/lib/kubelet/config.yaml')
FLAG = Origin(Source.FLAG, '--make-iptables-util-chains=false')
UNREAD = Unknown('/c.yaml could not be read: permission denied', 'let the Agent read it')
NOT_ASKED = Unknown('not asked')
CHANGED = '/var/lib/kubelet/config.yaml'
RESTART = 'run: systemctl daemon-reload && systemctl restart rke2-agent.service'
CONFIG = '/var/lib/kubelet/config.yaml'
HOME = Home(RESTART, RESTART, 'the arguments of rke2-agent.service (find it: systemctl cat rke2-agent.service)', CONFIG)
ONLY_FLAGS = replace(HOME, file='')

COMPLIANT, NON_COMPLIANT, UNKNOWN = Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN
PROCESS = Process(1, 1, (), 1000.0)


FIELD = 'makeIPTablesUtilChains'
FIX = f'To fix it, set {FIELD}: true in /var/lib/kubelet/config.yaml, then {RESTART}'


@pytest.mark.parametrize(
    'declared, running, changed, verdict, pending, says',
    [
        pytest.param(
            True, True, None, COMPLIANT, False, f'{FIELD} is true ({CHANGED}:17)',
            id='declared and running compliant',
        ),
        pytest.param(
            True, False, CHANGED, NON_COMPLIANT, True,
            f'running with {FIELD} is false; {CHANGED}:17 now says {FIELD} is true: restart the kubelet, {RESTART}',
            id='only declared compliant',
        ),
        pytest.param(
            True, NOT_ASKED, None, COMPLIANT, False, f'{FIELD} is true ({CHANGED}:17)',
            id='declared compliant, running unknown, nothing changed',
        ),
        pytest.param(
            True, NOT_ASKED, CHANGED, UNKNOWN, True,
            f'{FIELD} is true ({CHANGED}:17), but {CHANGED} changed after the kubelet started, '
            'so its running value is unknown: restart the kubelet, or let the Agent read /configz. '
            'A change of only the mode or owner looks the same',
            id='declared compliant, running unknown, file changed',
        ),
        pytest.param(
            False, True, CHANGED, NON_COMPLIANT, True,
            f'Running with {FIELD} is true, but the next restart applies: {FIELD} is false '
            f'({CHANGED}:17); expected true. {FIX}',
            id='only running compliant',
        ),
        pytest.param(
            False, False, None, NON_COMPLIANT, False, f'{FIELD} is false ({CHANGED}:17); expected true. {FIX}',
            id='neither compliant',
        ),
        pytest.param(
            False, NOT_ASKED, None, NON_COMPLIANT, False, f'{FIELD} is false ({CHANGED}:17); expected true. {FIX}',
            id='declared not compliant, running unknown',
        ),
        pytest.param(
            UNREAD, True, None, COMPLIANT, None, f'running with {FIELD} is true',
            id='declared unknown, running compliant',
        ),
        pytest.param(
            UNREAD, False, None, NON_COMPLIANT, None,
            f'running with {FIELD} is false; expected true. {FIX}. Could not find where it is set: '
            '/c.yaml could not be read: permission denied',
            id='declared unknown, running not compliant',
        ),
        pytest.param(
            UNREAD, NOT_ASKED, None, UNKNOWN, None,
            f'{FIELD} cannot be determined: /c.yaml could not be read: permission denied; let the Agent read it',
            id='both unknown',
        ),
    ],
)  # fmt: skip
def test_each_cell_of_the_table_of_verdicts(
    declared: Value | Unknown,
    running: Value | Unknown,
    changed: str | None,
    verdict: Verdict,
    pending: bool | None,
    says: str,
) -> None:
    unknown = declared if isinstance(declared, Unknown) else None
    origins = {} if unknown else {FIELD: FILE}
    setting = Setting(pair(declared), None if unknown else FILE, pair(running), changed, origins=origins, home=HOME)
    finding = judge(RULE, setting, BENCHMARK)
    assert finding.verdict is verdict
    assert finding.message == says
    by = Source.CONFIGZ if unknown else Source.CONFIG_FILE
    assert finding.set_by is (Source.UNKNOWN if verdict is Verdict.UNKNOWN else by)
    reading = Declared({}, {}, unknown, changed=changed)
    assert restart_pending(PROCESS, [reading], [setting], NOT_ASKED) is pending


def pair(value: Value | Unknown) -> Values | Unknown:
    return value if isinstance(value, Unknown) else ((FIELD, value),)


def fix_of(key: str, values: Values, origin: Origin, home: Home) -> str:
    """What a message says of the fix."""
    origins = {name: origin for name, _ in values}
    message = judge(
        RULES_BY_KEY[key], Setting(values, origin, NOT_ASKED, origins=origins, home=home), BENCHMARK
    ).message
    assert len(message) <= 500
    return message.partition('. To fix it, ')[2]


PLACED = Origin(Source.FLAG, f'{FLAG.place} in /etc/k.env:3 (ARGS)', '/etc/k.env', '/etc/k.env:3 (ARGS)')
OWN = replace(HOME, flags='machine.extraArgs', file='machine.extraConfig', apply='run: apply', is_rewritten=True)


@pytest.mark.parametrize(
    'origin, home, fix',
    [
        (PLACED, HOME, f'remove --make-iptables-util-chains from /etc/k.env:3 (ARGS), then {RESTART}'),
        (FLAG, HOME, f'remove --make-iptables-util-chains from {HOME.flags}, then {RESTART}'),
        (PLACED, OWN, 'remove --make-iptables-util-chains from machine.extraArgs, then run: apply'),
        (FILE, HOME, f'set {FIELD}: true in {CONFIG}, then {RESTART}'),
        (FILE, OWN, f'set {FIELD}: true in machine.extraConfig, then run: apply'),
        (FILE, replace(HOME, lasting='the pool'), f'set {FIELD}: true in {CONFIG}, then {RESTART}. '
            'To make it last, also change the pool'),
    ],
)  # fmt: skip
def test_the_fix_is_at_the_place_that_decides(origin: Origin, home: Home, fix: str) -> None:
    assert fix_of(RULE.key, ((FIELD, False),), origin, home) == fix


def test_what_outlives_the_node_is_said_only_where_there_is_room() -> None:
    origin = replace(FILE, place=f'/{"x" * 110}:17')
    assert 'To make it last' not in fix_of(RULE.key, ((FIELD, False),), origin, replace(HOME, lasting='y' * 150))


SAFE = {fact: Answer(True) for fact in Fact}
ROTATE = Origin(Source.FLAG, '--rotate-certificates=0')
UNSET = Origin(Source.DEFAULT, 'default')


@pytest.mark.parametrize(
    'origin, home, fix',
    [
        (ROTATE, HOME, f'set --rotate-certificates=true in {HOME.flags}, then {RESTART}'),
        (ROTATE, ONLY_FLAGS, f'set --rotate-certificates=true in {HOME.flags}, then {RESTART}'),
        (UNSET, HOME, f'set rotateCertificates: true in {CONFIG}, then {RESTART}'),
        (UNSET, ONLY_FLAGS, f'add --rotate-certificates=true to {HOME.flags}, then {RESTART}'),
    ],
)
def test_where_the_default_is_not_compliant_the_file_or_a_flag_has_to_say_more(
    origin: Origin, home: Home, fix: str
) -> None:
    assert fix_of('rotate_certificates', (('rotateCertificates', False),), origin, replace(home, facts=SAFE)) == fix


def test_without_a_file_a_field_is_set_by_the_flag_that_writes_it() -> None:
    values = (('tlsCipherSuites', None),)
    assert '--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA' in fix_of(
        'tls_cipher_suites', values, UNSET, ONLY_FLAGS
    )
    gate = tuple((field, None) for field in RULES_BY_KEY['rotate_kubelet_server_certificate'].fields)
    with_api_server = replace(ONLY_FLAGS, facts=SAFE)
    assert fix_of('rotate_kubelet_server_certificate', gate, UNSET, with_api_server).startswith(
        f'add --rotate-server-certificates=true to {HOME.flags}, then '
    )


@pytest.mark.parametrize('value', [None, 'true', 1, (), {}, 0.0, float('nan'), ('x',) * 999, {'a': {'b': None}}])
def test_anything_but_true_is_not_compliant_and_raises_nothing(value: Value) -> None:
    assert judge(RULE, Setting(pair(value), FILE, NOT_ASKED), BENCHMARK).verdict is NON_COMPLIANT


@pytest.mark.parametrize(
    'key, values, command',
    [
        ('config_file_permissions', (('/etc/a', '600'), ('/etc/b', '644')), 'chmod 600 /etc/b'),
        ('config_file_ownership', (('/etc/a', 'root:root'), ('/etc/b', '1000:root')), 'chown root:root /etc/b'),
    ],
)
def test_the_fix_for_a_file_names_the_one_that_is_wrong(key: str, values: Values, command: str) -> None:
    finding = judge(RULES_BY_KEY[key], Setting(values, Origin(Source.FLAG, ''), NOT_ASKED), BENCHMARK)
    assert finding.verdict is NON_COMPLIANT
    assert finding.message.endswith(f'. To fix it, run: {command}')


def test_no_file_in_use_is_nothing_to_hold_against_a_node() -> None:
    finding = judge(RULES_BY_KEY['kubeconfig_permissions'], Setting((), Origin(Source.FLAG, ''), NOT_ASKED), BENCHMARK)
    assert (finding.verdict, finding.message) == (COMPLIANT, 'no such file is in use')


@pytest.mark.parametrize(
    'value, text',
    [
        (True, 'true'),
        (False, 'false'),
        (None, 'not set'),
        ('', 'not set'),
        ((), 'not set'),
        (0, '0'),
        (Duration(5400 * 10**9), '1h30m0s'),
        (('a', 'b'), 'a,b'),
        ({'a': True}, 'a=true'),
        ('x' * 100, 'x' * 28 + '...' + 'x' * 28),
    ],
)
def test_a_value_is_shown_as_the_kubelet_spells_it(value: Value, text: str) -> None:
    assert show(value) == text


def test_a_long_path_keeps_its_beginning_and_its_end() -> None:
    assert shorten('/a' * 100 + '/end.yaml:17', 40) == '/a/a/a/a/a/a/a/a/a.../a/a/a/end.yaml:17'
    assert len(shorten('x' * 999)) <= 120


def test_a_captured_node_does_not_show_whether_a_restart_is_pending() -> None:
    setting = Setting(pair(True), FILE, NOT_ASKED)
    assert restart_pending(Process(1, 1, ()), [Declared({}, {})], [setting], NOT_ASKED) is None


def kubelet(verdict: Verdict, *, pending: bool | None = False, problem: Unknown | None = None) -> KubeletReport:
    finding = Finding(RULE, verdict, verdict.value, Setting(pair(True), FILE, NOT_ASKED), BENCHMARK)
    return KubeletReport(PROCESS, (finding,), (problem,) if problem else (), pending)


@pytest.mark.parametrize(
    'verdicts, worst',
    [
        ((COMPLIANT, COMPLIANT), COMPLIANT),
        ((COMPLIANT, UNKNOWN), UNKNOWN),
        ((UNKNOWN, NON_COMPLIANT), NON_COMPLIANT),
        ((NON_COMPLIANT, COMPLIANT, UNKNOWN), NON_COMPLIANT),
        ((COMPLIANT, Verdict.EXEMPTED), Verdict.EXEMPTED),
        ((UNKNOWN, Verdict.EXEMPTED), UNKNOWN),
    ],
)
def test_of_several_kubelets_the_worst_counts_and_the_message_says_so(
    verdicts: tuple[Verdict, ...], worst: Verdict
) -> None:
    node = judge_node([kubelet(verdict) for verdict in verdicts], [])
    assert node.found == len(verdicts)
    (finding,) = node.findings
    assert finding.verdict is worst
    assert finding.message == f'the worst of {len(verdicts)} kubelets: {worst.value}'


def test_one_kubelet_keeps_its_message() -> None:
    assert judge_node([kubelet(UNKNOWN)], []).findings[0].message == 'unknown'


@pytest.mark.parametrize(
    'each, node',
    [
        ((False,), False),
        ((False, True), True),
        ((None, True), True),
        ((False, None), None),
    ],
)
def test_a_restart_is_pending_on_the_node_when_it_is_for_one_kubelet(
    each: tuple[bool | None, ...], node: bool | None
) -> None:
    assert judge_node([kubelet(COMPLIANT, pending=pending) for pending in each], []).restart_pending is node


def test_no_kubelet_gives_no_finding() -> None:
    node = judge_node([], [NOT_ASKED])
    assert (node.found, node.findings, node.doubts, node.restart_pending) == (0, (), (NOT_ASKED,), None)


@pytest.mark.parametrize('is_explicit, verdict, pending', [(True, NON_COMPLIANT, True), (False, COMPLIANT, None)])
def test_what_the_next_start_passes_in_any_case_counts_beside_what_runs(
    is_explicit: bool, verdict: Verdict, pending: bool | None
) -> None:
    """As k3s does with a `kubelet-arg`, though what else it passes is in doubt."""
    wrong, right = ((FIELD, False),), ((FIELD, True),)
    setting = Setting(wrong, FLAG, right, doubt=UNREAD, is_explicit=is_explicit, home=HOME)
    assert judge(RULE, setting, BENCHMARK).verdict is verdict
    declared = Declared({}, {}, UNREAD)
    assert restart_pending(PROCESS, [declared], [setting], NOT_ASKED) is pending


BOOTSTRAP = RULES_BY_KEY['tls_cert_file']
REFUSED = 'Before a restart applies it: do not change this unless'
IN_FILE = Origin(Source.CONFIG_FILE, f'{CONFIG}:9', CONFIG)


@pytest.mark.parametrize(
    ('origins', 'place'),
    [
        pytest.param({'tlsCertFile': IN_FILE}, ' (default);', id='another value is set'),
        pytest.param({'tlsCertFile': IN_FILE, 'serverTLSBootstrap': FLAG}, f' ({FLAG.place});', id='by a flag'),
    ],
)
def test_the_place_is_that_of_the_value_that_breaks_the_rule(origins: dict[str, Origin], place: str) -> None:
    values = (('tlsCertFile', '/k.crt'), ('tlsPrivateKeyFile', ''), ('serverTLSBootstrap', False))
    setting = Setting(values, IN_FILE, NOT_ASKED, origins=origins, home=replace(HOME, facts=SAFE))
    message = judge(BOOTSTRAP, setting, BENCHMARK).message
    assert message.startswith(
        f'serverTLSBootstrap is false, tlsCertFile is /k.crt, tlsPrivateKeyFile is not set{place}'
    )


@pytest.mark.parametrize(
    ('key', 'field', 'now', 'then', 'facts', 'says'),
    [
        pytest.param('rotate_certificates', 'rotateCertificates', False, True, {}, REFUSED, id='refused'),
        pytest.param('static_pod_path', 'staticPodPath', '/m', '', {}, REFUSED, id='static pods'),
        pytest.param(
            'protect_kernel_defaults', 'protectKernelDefaults', False, True, {}, 'Caution: add vm.', id='with a caution'
        ),
        pytest.param('rotate_certificates', 'rotateCertificates', False, True, SAFE, None, id='without harm'),
    ],
)
def test_a_change_that_is_made_already_is_held_to_the_same_before_the_restart(
    key: str, field: str, now: Value, then: Value, facts: dict[Fact, Answer], says: str | None
) -> None:
    setting = Setting(((field, then),), FILE, ((field, now),), origins={field: FILE}, home=replace(HOME, facts=facts))
    finding = judge(RULES_BY_KEY[key], setting, BENCHMARK)
    assert finding.verdict is NON_COMPLIANT
    before, restart, _ = finding.message.partition('restart the kubelet')
    assert bool(restart) is (says != REFUSED)
    assert (says is None) is before.endswith(': ')
    assert says is None or f'. {says}' in before


@pytest.mark.parametrize('key', [rule.key for rule in RULES_BY_KEY.values() if rule.aspect is None])
def test_where_only_what_runs_is_known_the_fix_is_whole(key: str) -> None:
    rule = RULES_BY_KEY[key]
    wrong = '/x' if key in ('hostname_override', 'static_pod_path') else None
    unread = replace(HOME, file='', unread='/var/lib/kubelet/config.yaml', apply=RESTART)
    reason = Unknown('/var/lib/kubelet/config.yaml could not be read: permission denied')
    setting = Setting(reason, None, tuple((name, wrong) for name in rule.fields), home=unread)
    message = judge(rule, setting, BENCHMARK).message
    assert len(message) <= 500
    assert f', then {RESTART}' in message or 'xempt the rule' in message


SUITES_RULE = RULES_BY_KEY['tls_cipher_suites']
STRONG, WEAK = ('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',), ('TLS_RSA_WITH_RC4_128_SHA',)
OTHER = ('TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',)
DOUBT = Unknown('k3s passes more', 'ask k3s')


@pytest.mark.parametrize('is_explicit', [False, True], ids=['', 'explicit'])
@pytest.mark.parametrize(
    'declared, running, verdict, verdict_if_explicit, is_told',
    [
        pytest.param(STRONG, None, UNKNOWN, UNKNOWN, True, id='compliant, if nothing overrules it'),
        pytest.param(WEAK, None, NON_COMPLIANT, NON_COMPLIANT, True, id='not compliant'),
        pytest.param(STRONG, STRONG, COMPLIANT, COMPLIANT, False, id='it runs with just that'),
        pytest.param(WEAK, WEAK, NON_COMPLIANT, NON_COMPLIANT, False, id='it runs with just that, not compliant'),
        pytest.param(STRONG, OTHER, COMPLIANT, COMPLIANT, False, id='overruled by what is compliant as well'),
        pytest.param(STRONG, WEAK, NON_COMPLIANT, NON_COMPLIANT, True, id='overruled by what is not compliant'),
        pytest.param(WEAK, STRONG, COMPLIANT, NON_COMPLIANT, False, id='overruled by what is compliant'),
    ],
)
def test_a_value_that_something_may_overrule_shows_what_is_wrong_and_never_that_all_is_well(
    declared: Value, running: Value, verdict: Verdict, verdict_if_explicit: Verdict, is_told: bool, is_explicit: bool
) -> None:
    field = SUITES_RULE.fields[0]
    runs = NOT_ASKED if running is None else ((field, running),)
    origin = Origin(Source.FLAG, '--tls-cipher-suites=x')
    setting = Setting(
        ((field, declared),), origin, runs, doubt=DOUBT, is_explicit=is_explicit, origins={field: origin}, home=HOME
    )
    finding = judge(SUITES_RULE, setting, BENCHMARK)
    assert finding.verdict is (verdict_if_explicit if is_explicit else verdict)
    assert (DOUBT.reason in finding.message) is is_told
    assert (DOUBT.remedy in finding.message) is (finding.verdict is UNKNOWN)
    shown = declared if running is None or is_explicit and declared == WEAK else running
    assert isinstance(shown, tuple) and shown[0][:30] in finding.message
    if finding.verdict is NON_COMPLIANT:
        assert 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' in finding.message.partition('To fix it, ')[2]
    if finding.message.startswith('Running with'):
        # There is no room for more.
        return
    assert (f'{BENCHMARK.name} allows' in finding.message) is (finding.verdict is NON_COMPLIANT)
    assert (origin.place in finding.message) is (running in (None, declared))


def test_a_doubt_without_a_remedy_ends_with_its_reason() -> None:
    setting = Setting(pair(True), FLAG, NOT_ASKED, doubt=Unknown('k3s passes more'))
    assert judge(RULE, setting, BENCHMARK).message.endswith('k3s passes more')
    unknown = judge(RULE, Setting(Unknown('not read'), None, NOT_ASKED), BENCHMARK)
    assert unknown.message.endswith('not read')


@pytest.mark.parametrize('declared', [UNREAD, True], ids=['declared unknown', 'declared compliant'])
def test_what_runs_is_held_against_the_same_benchmark(declared: Value | Unknown) -> None:
    field = SUITES_RULE.fields[0]
    values = declared if isinstance(declared, Unknown) else ((field, STRONG),)
    for running, verdict in ((STRONG, COMPLIANT), (WEAK, NON_COMPLIANT)):
        setting = Setting(values, None, ((field, running),), home=HOME)
        finding = judge(SUITES_RULE, setting, BENCHMARK)
        assert finding.verdict is verdict
        assert running[0][:20] in finding.message


@pytest.mark.parametrize('declared', [True, False, UNREAD])
@pytest.mark.parametrize('running', [True, False, NOT_ASKED])
def test_a_defect_makes_any_value_non_compliant(declared: Value | Unknown, running: Value | Unknown) -> None:
    setting = Setting(pair(declared), None, pair(running), home=HOME)
    defect = Unknown('the kubelet has no certificate', 'approve it')
    finding = judge(RULE, replace(setting, defect=defect), BENCHMARK)
    plain = judge(RULE, setting, BENCHMARK)
    assert finding.verdict is NON_COMPLIANT
    if plain.verdict is NON_COMPLIANT:
        assert finding.message == plain.message
    else:
        assert all(text in finding.message for text in ('no certificate', 'expected true', 'approve it'))


def test_a_defect_says_what_its_benchmark_expects() -> None:
    setting = Setting(((SUITES_RULE.fields[0], STRONG),), None, NOT_ASKED, defect=Unknown('it is broken', 'mend it'))
    assert SUITES_RULE.expected.text(BENCHMARK) in judge(SUITES_RULE, setting, BENCHMARK).message


CILIUM = 'cilium-agent'


@pytest.mark.parametrize(
    'value, names, is_hinted',
    [
        (False, {CILIUM}, True),
        (False, {CILIUM, 'kube-proxy'}, False),
        (False, {'sshd'}, False),
        (False, set(), False),
        (True, {CILIUM}, False),
    ],
)
def test_a_rule_that_may_be_broken_on_purpose_says_how_to_exempt_it(
    value: bool, names: set[str], is_hinted: bool
) -> None:
    finding = judge(RULE, Setting(pair(value), FILE, NOT_ASKED), BENCHMARK)
    found = hinted(finding, frozenset(names))
    assert found.verdict is finding.verdict
    assert found.message.startswith(finding.message)
    assert (CILIUM in found.message and 'exemptions' in found.message) is is_hinted
    assert (found == finding) is not is_hinted


@pytest.mark.parametrize('count', [MOST_VALUES, MOST_VALUES + 1])
def test_of_many_values_only_those_that_differ_are_said(count: int) -> None:
    values = tuple((f'/{number}', '600') for number in range(count))
    others = ((f'/{0}', '644'), *values[1:])
    differing = values_that_differ(values, others)
    assert differing == (values if count <= MOST_VALUES else values[:1])


@pytest.mark.parametrize('restart, says', [('restart k3s', ': restart k3s'), ('run: x', 'restart the kubelet, run: x')])
def test_a_restart_is_called_one(restart: str, says: str) -> None:
    setting = Setting(pair(True), FILE, pair(False), home=replace(HOME, restart=restart))
    assert judge(RULE, setting, BENCHMARK).message.endswith(says)


def test_where_it_is_set_is_said_only_where_the_fix_does_not_say_it() -> None:
    setting = Setting(UNREAD, None, pair(False), home=HOME)
    unread = replace(setting, home=replace(HOME, file='', unread='the file of --config'))
    assert judge(RULE, setting, BENCHMARK).message.endswith(UNREAD.reason)
    assert judge(RULE, unread, BENCHMARK).message.endswith(f'then {RESTART}')


def test_what_could_not_be_seen_of_each_kubelet_and_of_the_node_is_kept() -> None:
    reports = [kubelet(COMPLIANT, problem=UNREAD), kubelet(COMPLIANT), kubelet(COMPLIANT, problem=DOUBT)]
    node = judge_node(reports, [NOT_ASKED])
    assert (node.problems, node.doubts, node.none_found_because) == ((UNREAD, DOUBT), (NOT_ASKED,), '')
    none = judge_node([], [NOT_ASKED], 'no process has the name')
    assert (none.found, none.doubts, none.none_found_because) == (0, (NOT_ASKED,), 'no process has the name')
    assert judge_node([], []).none_found_because == ''


def test_kubelets_that_are_not_judged_by_the_same_rules_are_no_node() -> None:
    one = kubelet(COMPLIANT)
    with pytest.raises(ValueError):
        judge_node([one, replace(one, findings=())], [])


@pytest.mark.parametrize(
    ('key', 'values', 'facts', 'is_said'),
    [
        pytest.param('rotate_certificates', (('rotateCertificates', False),), SAFE, True, id='a step in a file'),
        pytest.param('rotate_certificates', (('rotateCertificates', False),), {}, False, id='no step is offered'),
        pytest.param('config_file_permissions', (('/etc/a', '644'),), {}, False, id='the mode of a file'),
    ],
)
def test_what_makes_a_fix_last_goes_only_with_a_step_that_the_next_node_needs(
    key: str, values: Values, facts: dict[Fact, Answer], is_said: bool
) -> None:
    home = replace(HOME, lasting='the pool', facts=facts)
    message = judge(RULES_BY_KEY[key], Setting(values, FILE, NOT_ASKED, home=home), BENCHMARK).message
    assert ('the pool' in message) is is_said


def test_of_many_values_that_run_those_are_said_that_the_next_restart_changes() -> None:
    rule = RULES_BY_KEY['rotate_kubelet_server_certificate']
    good = dict(zip(rule.fields, (True, None, '/a.crt', '/a.key', False), strict=True))
    bad = {**good, rule.fields[0]: False}
    setting = Setting(tuple(bad.items()), FILE, tuple(good.items()), home=replace(HOME, facts=SAFE))
    finding = judge(rule, setting, BENCHMARK)
    assert finding.verdict is NON_COMPLIANT
    assert finding.message.startswith(f'Running with {rule.fields[0]} is true, but')
    back = judge(rule, replace(setting, declared=setting.running, running=setting.declared), BENCHMARK)
    assert back.verdict is NON_COMPLIANT
    now = back.message.partition('now says ')[2]
    assert now.startswith(f'{rule.fields[0]} is true') and '/a.crt' not in now


GATED = RULES_BY_KEY['rotate_kubelet_server_certificate']
GATE, BETA, CRT, KEY, ASKS = GATED.fields


@pytest.mark.parametrize(
    'key, values, decisive',
    [
        pytest.param(
            'tls_cipher_suites', (('tlsCipherSuites', (*STRONG, *WEAK)),), (('tlsCipherSuites[1]', *WEAK),),
            id='of a list only the items that are wrong',
        ),
        pytest.param(
            'tls_cipher_suites', (('tlsCipherSuites', ()),), (('tlsCipherSuites', ()),), id='of an empty list the list'
        ),
        pytest.param(
            'config_file_permissions', (('/a', '600'), ('/b', '644')), (('/b', '644'),), id='of files the wrong ones'
        ),
        pytest.param(
            'config_file_permissions', (('/a', '600'), ('/b', '600')), (('/a', '600'), ('/b', '600')), id='else all'
        ),
        pytest.param(
            'tls_cert_file', ((CRT, ''), (KEY, '/k'), (ASKS, False)), ((ASKS, False), (KEY, '/k'), (CRT, '')),
            id='what has to change first, what is not set last',
        ),
        pytest.param(
            GATED.key, ((GATE, False), (BETA, None), (CRT, '/c'), (KEY, ''), (ASKS, False)),
            ((GATE, False), (ASKS, False), (CRT, '/c')), id='of many not those that are not set',
        ),
        pytest.param(
            GATED.key, ((GATE, None), (BETA, False), (CRT, '/c'), (KEY, '/k'), (ASKS, False)),
            ((GATE, None), (BETA, False), (CRT, '/c'), (KEY, '/k'), (ASKS, False)), id='what is not set and wrong',
        ),
    ],
)  # fmt: skip
def test_the_values_that_are_said_are_those_that_break_the_rule(key: str, values: Values, decisive: Values) -> None:
    assert deciding(RULES_BY_KEY[key], values, BENCHMARK) == decisive


def test_the_place_is_that_of_the_first_value_that_is_said() -> None:
    origins = {'a': FILE, 'b': FLAG}
    setting = Setting(UNREAD, FILE, NOT_ASKED, origins=origins)
    assert origin_of(setting, (('b', 1), ('a', 2))) is FLAG
    assert origin_of(setting, (('a[2]', 1),)) is FILE
    unset = origin_of(setting, (('c', 1),))
    assert unset is not None and unset.source is Source.DEFAULT
    assert origin_of(replace(setting, origins={}), (('c', 1),)) is FILE
    assert origin_of(replace(setting, origins={}), ()) is FILE


@pytest.mark.parametrize(
    'verdict, values, origin',
    [
        (Verdict.NON_COMPLIANT, ((ASKS, False), (KEY, '/k'), (CRT, '')), FLAG),
        (Verdict.EXEMPTED, ((ASKS, False), (KEY, '/k'), (CRT, '')), FLAG),
        (Verdict.UNKNOWN, ((CRT, ''), (KEY, '/k'), (ASKS, False)), FILE),
        (Verdict.COMPLIANT, ((CRT, ''), (KEY, '/k'), (ASKS, False)), FILE),
    ],
)
def test_a_rule_that_is_broken_or_exempted_is_shown_with_what_breaks_it(
    verdict: Verdict, values: Values, origin: Origin
) -> None:
    setting = Setting(((CRT, ''), (KEY, '/k'), (ASKS, False)), FILE, NOT_ASKED, origins={CRT: FILE, ASKS: FLAG})
    assert decided(Finding(RULES_BY_KEY['tls_cert_file'], verdict, '', setting, BENCHMARK)) == (values, origin)


@pytest.mark.parametrize('name, shown', [('cis-1.24', ('/b', '/c')), ('cis-1.5', ('/c',))])
def test_the_benchmark_decides_which_files_break_a_rule(name: str, shown: tuple[str, ...]) -> None:
    setting = Setting((('/a', '600'), ('/b', '644'), ('/c', '666')), FILE, NOT_ASKED)
    finding = Finding(RULES_BY_KEY['config_file_permissions'], Verdict.NON_COMPLIANT, '', setting, BENCHMARKS[name])
    values, _ = decided(finding)
    assert isinstance(values, tuple) and tuple(path for path, _ in values) == shown


def test_a_value_that_is_not_known_has_the_place_that_is_known() -> None:
    setting = Setting(UNREAD, FILE, NOT_ASKED)
    finding = Finding(RULES_BY_KEY['tls_cert_file'], Verdict.EXEMPTED, '', setting, BENCHMARK)
    assert decided(finding) == (UNREAD, FILE)


PLACE, EXPECTED, LASTING, AFTER = f' (/{"p" * 100})', '; expected e', '. To make it last, l', '. But a'
HINTED, BRIEF = 'do f (find it: c), then r', 'do f, then r'


def test_a_finding_keeps_all_that_there_is_room_for_and_the_fix_in_any_case() -> None:
    short = shorten(PLACE, LONGEST_VALUE)
    stages = [
        f'{PLACE}{EXPECTED}. {HINTED}{LASTING}{AFTER}',
        f'{PLACE}{EXPECTED}. {HINTED}{AFTER}',
        f'{PLACE}{EXPECTED}. {BRIEF}{AFTER}',
        f'{PLACE}{EXPECTED}. {BRIEF}',
        f'{PLACE}. {BRIEF}',
        f'{short}. {BRIEF}',
        f'. {BRIEF}',
    ]
    for stage, following in zip(stages, [*stages[1:], ''], strict=True):
        said = 's' * (LONGEST_FINDING - len(stage))
        assert fitted(said, PLACE, EXPECTED, HINTED, LASTING, AFTER) == f'{said}{stage}'
        if following:
            assert fitted(f'{said}s', PLACE, EXPECTED, HINTED, LASTING, AFTER) == f'{said}s{following}'
    cut = fitted('s' * 999, PLACE, EXPECTED, HINTED, LASTING, AFTER)
    assert LONGEST_FINDING - 1 <= len(cut) <= LONGEST_FINDING
    assert cut.startswith('sss') and cut.endswith(f's. {BRIEF}') and '...' in cut
    long = fitted('s' * 999, PLACE, EXPECTED, 'f' * 999, LASTING, AFTER)
    assert long == f'{shorten("s" * 999, LONGEST_VALUE)}. {"f" * 999}'
