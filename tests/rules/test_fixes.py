# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How to fix a rule: one round at the place that decides, only what is wrong, and nothing that harms the node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from datadog_checks.kubelet_compliance.model import (
    NOT_RUNNING,
    Answer,
    Change,
    Fact,
    Home,
    Origin,
    Rule,
    Setting,
    Source,
    Unknown,
    Value,
    Values,
)
from datadog_checks.kubelet_compliance.rules.all_rules import RULES, RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.expectations import is_not_set
from datadog_checks.kubelet_compliance.rules.fixes import (
    ChangeFlag,
    Fix,
    PutFlag,
    Run,
    SetEntry,
    SetField,
    Step,
    TakeOut,
    fix_of,
)

BENCHMARK = BENCHMARKS['cis-1.24']
NOT_ASKED = Unknown('not asked')
UNREAD = Unknown('the file could not be read')
FILE, DROP_IN, PLACE = '/var/lib/kubelet/config.yaml', '/etc/k.d/10-x.conf', '/etc/default/kubelet:1 (ARGS)'
DEFAULT = Origin(Source.DEFAULT, 'default')
BY_FILE = Origin(Source.CONFIG_FILE, f'{FILE}:4', FILE)
BY_DROP_IN = Origin(Source.DROP_IN, f'{DROP_IN}:4', DROP_IN)
BY_FLAG = Origin(Source.FLAG, '--x', where=PLACE)
SAFE = {fact: Answer(True) for fact in Fact}
HOME = Home(file=FILE, flags='the arguments', facts=SAFE)
ONLY_FLAGS = replace(HOME, file='')
GATE, ALL_BETA, BOOTSTRAP = 'featureGates.RotateKubeletServerCertificate', 'featureGates.AllBeta', 'serverTLSBootstrap'
CERTIFICATE, KEY = 'tlsCertFile', 'tlsPrivateKeyFile'


def fix(
    key: str,
    values: Mapping[str, Value] | Unknown,
    origins: Origin | Mapping[str, Origin] = DEFAULT,
    home: Home = HOME,
    beneath: Mapping[str, Value] | None = None,
    others: Mapping[str, Value] | None = None,
    running: Values | Unknown = NOT_ASKED,
) -> Fix:
    """The fix of a rule for some values, at one origin or at one for each field."""
    rule = RULES_BY_KEY[key]
    declared = values if isinstance(values, Unknown) else tuple((name, values.get(name)) for name in rule.fields)
    each = dict.fromkeys(rule.fields, origins) if isinstance(origins, Origin) else origins
    setting = Setting(declared, None, running, origins=each, home=home, beneath=beneath or {}, others=others or {})
    return fix_of(rule, setting, BENCHMARK)


IPTABLES, PORT, ANONYMOUS = 'makeIPTablesUtilChains', 'readOnlyPort', 'authentication.anonymous.enabled'


@pytest.mark.parametrize(
    ('key', 'values', 'origins', 'home', 'beneath', 'step'),
    [
        pytest.param(
            'read_only_port', {PORT: 10255}, DEFAULT, HOME, {}, SetField(PORT, '0', FILE), id='nowhere: in the file'
        ),
        pytest.param(
            'read_only_port', {PORT: 10255}, BY_FILE, HOME, {}, SetField(PORT, '0', FILE), id='in the file: there'
        ),
        pytest.param(
            'read_only_port', {PORT: 10255}, BY_DROP_IN, HOME, {}, SetField(PORT, '0', DROP_IN), id='in a drop-in'
        ),
        pytest.param(
            'read_only_port', {PORT: 10255}, BY_DROP_IN, replace(HOME, made_anew=('/etc/k.d/10-*',)), {},
            SetField(PORT, '0', FILE), id='in a drop-in that is written anew: in the file',
        ),
        pytest.param(
            'read_only_port', {PORT: 10255}, BY_FILE, replace(HOME, file='spec.config', is_rewritten=True), {},
            SetField(PORT, '0', 'spec.config'), id='in a file that is written anew: where it comes from',
        ),
        pytest.param(
            'read_only_port', {PORT: 10255}, BY_FILE, replace(HOME, json_files=frozenset({FILE})), {},
            SetField(PORT, '0', FILE, is_json=True), id='in a JSON file: as JSON',
        ),
        pytest.param(
            'read_only_port', {PORT: 10255}, DEFAULT, ONLY_FLAGS, {}, PutFlag('--read-only-port=0', 'the arguments'),
            id='no file: by a flag',
        ),
        pytest.param(
            'read_only_port', {PORT: 10255}, BY_FLAG, HOME, {PORT: 0}, TakeOut('--read-only-port', PLACE),
            id='a flag that hides what is right: out',
        ),
        pytest.param(
            'read_only_port', {PORT: 10255}, BY_FLAG, HOME, {PORT: 10255}, ChangeFlag('--read-only-port=0', PLACE),
            id='a flag that hides what is wrong: changed',
        ),
        pytest.param(
            'read_only_port', {PORT: 10255}, BY_FLAG, HOME, {}, ChangeFlag('--read-only-port=0', PLACE),
            id='a flag that hides nobody knows what: changed',
        ),
        pytest.param(
            'make_iptables_util_chains', {IPTABLES: False}, BY_FLAG, HOME, {},
            TakeOut('--make-iptables-util-chains', PLACE), id='a flag over a default that is right: out',
        ),
        pytest.param(
            'make_iptables_util_chains', {IPTABLES: False}, BY_FLAG, HOME, {IPTABLES: False},
            ChangeFlag('--make-iptables-util-chains=true', PLACE), id='flag and file wrong: one round',
        ),
        pytest.param(
            'make_iptables_util_chains', {IPTABLES: False}, Origin(Source.FLAG, '--x'), HOME, {},
            TakeOut('--make-iptables-util-chains', 'the arguments'), id='a flag whose place is not known',
        ),
        pytest.param(
            'seccomp_default', {'seccompDefault': False, '--seccomp-default': False},
            {'seccompDefault': DEFAULT, '--seccomp-default': BY_FLAG}, ONLY_FLAGS, {},
            ChangeFlag('--seccomp-default=true', PLACE), id='no file and the flag is there: changed, no second one',
        ),
        pytest.param(
            'seccomp_default', {'seccompDefault': False, '--seccomp-default': False},
            {'seccompDefault': BY_FILE, '--seccomp-default': BY_FLAG}, HOME, {},
            SetField('seccompDefault', 'true', FILE), id='file and flag, where one of them is enough',
        ),
        pytest.param(
            'tls_cipher_suites', {'tlsCipherSuites': ()}, DEFAULT, ONLY_FLAGS, {},
            PutFlag(
                '--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
                'the arguments',
            ),
            id='a list by a flag',
        ),
    ],
)  # fmt: skip
def test_one_round_at_the_place_that_decides(
    key: str,
    values: dict[str, Value],
    origins: Origin | dict[str, Origin],
    home: Home,
    beneath: dict[str, Value],
    step: Step,
) -> None:
    assert fix(key, values, origins, home, beneath).steps == (step,)


OFF = {GATE: False, ALL_BETA: None, CERTIFICATE: '', KEY: '', BOOTSTRAP: False}
OWN = {CERTIFICATE: '/k.crt', KEY: '/k.key'}
SET_GATE, SET_BOOTSTRAP = SetField(GATE, 'true', FILE), SetField(BOOTSTRAP, 'true', FILE)
ROTATE = 'rotate_kubelet_server_certificate'


@pytest.mark.parametrize(
    ('key', 'values', 'others', 'steps'),
    [
        pytest.param(ROTATE, OFF, {}, (SET_GATE, SET_BOOTSTRAP), id='gate and certificate'),
        pytest.param(ROTATE, {**OFF, GATE: None}, {}, (SET_BOOTSTRAP,), id='only the certificate'),
        pytest.param(ROTATE, {**OFF, BOOTSTRAP: True}, {}, (SET_GATE,), id='only the gate'),
        pytest.param(ROTATE, {**OFF, **OWN}, {}, (SET_GATE,), id='a pair of files of its own needs the gate only'),
        pytest.param(
            ROTATE, {**OFF, GATE: None, ALL_BETA: False, BOOTSTRAP: True}, {}, (SET_GATE,), id='all beta gates are off'
        ),
        pytest.param(ROTATE, {**OFF, GATE: True, CERTIFICATE: '/k'}, {}, (SET_BOOTSTRAP,), id='a file without its key'),
        pytest.param('tls_cert_file', {}, {GATE: None}, (SET_BOOTSTRAP,), id='the gate is on'),
        pytest.param(
            'tls_cert_file', {}, {GATE: False}, (SET_GATE, SET_BOOTSTRAP), id='without the gate it would be refused'
        ),
    ],
)
def test_only_what_is_wrong_is_named(
    key: str, values: dict[str, Value], others: dict[str, Value], steps: tuple[Step, ...]
) -> None:
    assert fix(key, values, others=others).steps == steps


def test_a_gate_of_a_flag_is_set_beside_its_other_gates() -> None:
    origins = {GATE: BY_FLAG, BOOTSTRAP: DEFAULT}
    assert fix(ROTATE, OFF, origins).steps == (
        SetEntry('RotateKubeletServerCertificate=true', '--feature-gates', PLACE, 'gates'),
        SET_BOOTSTRAP,
    )


def test_without_a_file_a_gate_is_a_flag_with_its_name() -> None:
    assert fix(ROTATE, OFF, home=ONLY_FLAGS).steps == (
        PutFlag('--feature-gates=RotateKubeletServerCertificate=true', 'the arguments'),
        PutFlag('--rotate-server-certificates=true', 'the arguments'),
    )


# A fact that decides whether a fix does harm: the rule, values that break it, and whether it is refused (R), offered
# with a caution (C) or offered without one (-), where the fact holds, does not hold, or is not known.
DECIDED_BY = [
    ('rotate_certificates', {'rotateCertificates': False}, Fact.CLIENT_CERTIFICATE, '-RR'),
    ('static_pod_path', {'staticPodPath': '/m'}, Fact.NO_STATIC_PODS, '-RR'),
    ('hostname_override', {'--hostname-override': 'x'}, Fact.HOST_NAME, 'CRR'),
    ('client_ca_file', {'authentication.x509.clientCAFile': ''}, Fact.CLIENT_CA, 'CRR'),
    ('authorization_mode', {'authorization.mode': 'AlwaysAllow'}, Fact.API_SERVER, 'CRC'),
    ('authorization_mode', {'authorization.mode': 'AlwaysAllow'}, Fact.CERTIFICATES_VERIFIED, 'CCC'),
    ('anonymous_auth', {ANONYMOUS: True}, Fact.TOKENS_ACCEPTED, '-CC'),
    ('anonymous_auth', {ANONYMOUS: True}, Fact.CERTIFICATES_VERIFIED, '-CC'),
    ('protect_kernel_defaults', {'protectKernelDefaults': False}, Fact.KERNEL_SETTINGS, '-CC'),
    ('tls_cert_file', {}, Fact.API_SERVER, 'CRC'),
    (ROTATE, OFF, Fact.API_SERVER, 'CRC'),
]


@pytest.mark.parametrize(('key', 'values', 'fact', 'expected'), DECIDED_BY)
def test_a_fix_is_offered_only_where_it_does_no_harm(
    key: str, values: dict[str, Value], fact: Fact, expected: str
) -> None:
    found = ''
    for holds in (True, False, None):
        home = replace(HOME, facts={**SAFE, fact: Answer(holds)})
        offered = fix(key, values, home=home)
        assert bool(offered.refusal) is not bool(offered.steps)
        found += 'R' if offered.refusal else 'C' if offered.caution else '-'
    assert found == expected


def test_each_fact_decides_a_fix() -> None:
    asked = {each.fact for rule in RULES for each in rule.preconditions(rule.fix)}
    assert asked == set(Fact) == {fact for _, _, fact, _ in DECIDED_BY}


@pytest.mark.parametrize(
    ('fact', 'key', 'values', 'says'),
    [
        pytest.param(
            Fact.CERTIFICATES_VERIFIED, 'anonymous_auth', {ANONYMOUS: True}, 'fix client_ca_file first', id='client CA'
        ),
        pytest.param(
            Fact.KERNEL_SETTINGS, 'protect_kernel_defaults', {}, 'add D and run sysctl --system', id='what is lacking'
        ),
        pytest.param(
            Fact.NO_STATIC_PODS, 'static_pod_path', {'staticPodPath': '/m'}, 'emptyD: the', id='what is there'
        ),
    ],
)
def test_what_is_known_of_a_fact_is_said(fact: Fact, key: str, values: dict[str, Value], says: str) -> None:
    offered = fix(key, values, home=replace(HOME, facts={**SAFE, fact: Answer(False, 'D')}))
    assert says in f'{offered.caution}{offered.refusal}'


def test_all_settings_of_the_kernel_are_named_where_the_files_cannot_be_read() -> None:
    caution = fix('protect_kernel_defaults', {}, home=replace(HOME, facts={})).caution
    assert 'vm.overcommit_memory=1' in caution
    assert 'kernel.keys.root_maxbytes=25000000' in caution


def test_a_kubelet_without_an_api_server_needs_no_more_than_the_gate() -> None:
    home = replace(HOME, facts={**SAFE, Fact.API_SERVER: Answer(False)})
    assert fix(ROTATE, {**OFF, **OWN}, home=home) == Fix((SET_GATE,), '', home.apply)


@pytest.mark.parametrize(
    ('origin', 'is_rewritten', 'is_refused'),
    [
        pytest.param(Origin(Source.FLAG, '--x'), False, True, id='a flag without a place of its own'),
        pytest.param(BY_FLAG, True, True, id='a place that is written anew'),
        pytest.param(BY_FLAG, False, False, id='a line of the user'),
    ],
)
def test_a_flag_that_the_distribution_always_passes_is_not_taken_out(
    origin: Origin, is_rewritten: bool, is_refused: bool
) -> None:
    home = replace(HOME, fixed_flags=frozenset({'--hostname-override'}), is_rewritten=is_rewritten)
    offered = fix('hostname_override', {'--hostname-override': 'x'}, origin, home)
    assert offered.refusal.startswith('the distribution always passes') is is_refused
    assert bool(offered.steps) is not is_refused


SETTING_RULES = [rule for rule in RULES if rule.aspect is None]


@pytest.mark.parametrize('rule', SETTING_RULES, ids=lambda rule: rule.key)
@pytest.mark.parametrize(
    'home',
    [
        pytest.param(replace(HOME, file='', unread=FILE, facts={}), id='a file that cannot be read'),
        pytest.param(replace(ONLY_FLAGS, facts={}), id='no file'),
        pytest.param(ONLY_FLAGS, id='no file, and nothing to fear'),
        pytest.param(replace(HOME, file='', unread=FILE), id='a file that cannot be read, and nothing to fear'),
    ],
)
def test_a_red_rule_has_a_fix_where_only_what_runs_is_known(rule: Rule, home: Home) -> None:
    wrong = '/x' if rule.key in ('hostname_override', 'static_pod_path') else None
    offered = fix(rule.key, UNREAD, {}, home, running=tuple((name, wrong) for name in rule.fields))
    assert offered.steps or offered.refusal
    assert not any(isinstance(step, SetField) and step.path.startswith('-') for step in offered.steps)


@pytest.mark.parametrize(
    ('unread', 'is_json'),
    [
        pytest.param('/etc/kubelet-config.yaml', False, id='YAML'),
        pytest.param('/etc/kubernetes/kubelet/config.json', True, id='JSON by its name'),
        pytest.param('/etc/config.json or /etc/k.d', False, id='a file or a folder'),
    ],
)
def test_a_file_that_cannot_be_read_is_named_as_the_place(unread: str, is_json: bool) -> None:
    home = replace(ONLY_FLAGS, unread=unread)
    steps = fix('read_only_port', UNREAD, {}, home, running=((PORT, 10255),)).steps
    assert steps == (SetField(PORT, '0', '', is_json, unread),)


def test_an_image_needs_no_restart() -> None:
    assert fix('read_only_port', {PORT: 1}, running=NOT_RUNNING).apply == ''
    assert fix('read_only_port', {PORT: 1}).apply == HOME.apply


@pytest.mark.parametrize(
    ('key', 'files', 'command'),
    [
        pytest.param('service_file_permissions', {'/a': '644', '/b': '640', '/c': '600'}, 'chmod 600 /a /b', id='mode'),
        pytest.param('service_file_ownership', {'/a': '1:1', '/b': 'root:root'}, 'chown root:root /a', id='owner'),
        pytest.param('config_file_permissions', {"/it's": '777'}, """chmod 600 '/it'"'"'s'""", id='a name to quote'),
        pytest.param('config_file_permissions', UNREAD, 'chmod 600 FILE', id='not known which'),
        pytest.param(
            'config_file_permissions', {f'/{"x" * 100}{number}': '777' for number in range(4)},
            f'chmod 600 /{"x" * 100}0 /{"x" * 100}1 and 2 more files', id='more than there is room for',
        ),
    ],
)  # fmt: skip
def test_one_command_fixes_all_files_of_a_rule(key: str, files: dict[str, str] | Unknown, command: str) -> None:
    values = files if isinstance(files, Unknown) else tuple(files.items())
    benchmark = BENCHMARKS['cis-1.12']
    assert fix_of(RULES_BY_KEY[key], Setting(values, None, NOT_ASKED), benchmark).steps == (Run(command),)


@pytest.mark.parametrize(
    ('hidden', 'is_refused'),
    [
        pytest.param('/etc/own-ca.crt', False, id='the file names a CA: the flag goes'),
        pytest.param('', True, id='nothing names one: the fix would write a path that is not there'),
    ],
)
def test_a_ca_that_is_not_there_matters_only_where_the_fix_names_it(hidden: str, is_refused: bool) -> None:
    field = 'authentication.x509.clientCAFile'
    home = replace(HOME, facts={**SAFE, Fact.CLIENT_CA: Answer(False)})
    found = fix('client_ca_file', {field: ''}, BY_FLAG, home, {field: hidden})
    assert bool(found.refusal) is is_refused
    assert found.steps == (() if is_refused else (TakeOut('--client-ca-file', PLACE),))


SWAP = 'memorySwap.swapBehavior'


@pytest.mark.parametrize(
    ('home', 'place'),
    [
        pytest.param(HOME, FILE, id='in the file'),
        pytest.param(ONLY_FLAGS, 'a file that you name with --config', id='no file: in a new one'),
    ],
)
def test_a_field_without_a_flag_is_fixed_in_a_file(home: Home, place: str) -> None:
    read_only_port = RULES_BY_KEY['read_only_port']
    rule = replace(read_only_port, fields=(SWAP,), expected=is_not_set(), fix=(Change(SWAP, '""'),))
    setting = Setting(((SWAP, 'LimitedSwap'),), DEFAULT, NOT_ASKED, origins={SWAP: DEFAULT}, home=home)
    assert fix_of(rule, setting, BENCHMARK).steps == (SetField(SWAP, '""', place),)
