# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Every rule against every recorded launch, and against cases of its own where none is recorded.

The verdict must be what the kubelet then ran with, and each rule must have a case for each verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.model import (
    DropIns,
    Evidence,
    File,
    FileAspect,
    FileSet,
    FileStatus,
    Missing,
    Process,
    Rule,
    Source,
    Verdict,
)
from datadog_checks.kubelet_compliance.rules.all_rules import RULES, RULES_BY_KEY, SETTING_RULES
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.judge import judge
from datadog_checks.kubelet_compliance.rules.resolve import resolve, resolve_files
from tests.support.cases import CASES, Case
from tests.support.nodes import HEAD, declare, declare_on, made_up_host, read_evidence

pytestmark = pytest.mark.same_for_every_user

BENCHMARK = BENCHMARKS['cis-1.12']
COMPLIANT, NON_COMPLIANT = Verdict.COMPLIANT, Verdict.NON_COMPLIANT
STRONG = {
    'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305',
    'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305',
    'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
}


def has_certificate(ran: dict[str, Any]) -> bool:
    self_made = ran['tlsCertFile'] in {f'{folder}/kubelet.crt' for folder in ('{dir}/.cert', '{dir}/certs', 'x')}
    pair = ran['tlsCertFile'] != '' and ran['tlsPrivateKeyFile'] != '' and not self_made
    return pair or ran['serverTLSBootstrap']


# What each rule asks of the configuration that a kubelet ran with, written down once more without our own code.
ASKS: dict[str, Callable[[dict[str, Any]], bool]] = {
    'anonymous_auth': lambda ran: ran['authentication.anonymous.enabled'] is False,
    'authorization_mode': lambda ran: ran['authorization.mode'] != 'AlwaysAllow',
    'client_ca_file': lambda ran: ran['authentication.x509.clientCAFile'] != '',
    'read_only_port': lambda ran: ran['readOnlyPort'] == 0,
    'streaming_connection_idle_timeout': lambda ran: ran['streamingConnectionIdleTimeout'][0] not in '-0',
    'protect_kernel_defaults': lambda ran: ran['protectKernelDefaults'],
    'make_iptables_util_chains': lambda ran: ran['makeIPTablesUtilChains'],
    'event_qps': lambda ran: ran['eventRecordQPS'] >= 0,
    'tls_cert_file': has_certificate,
    'rotate_certificates': lambda ran: ran['rotateCertificates'],
    'rotate_kubelet_server_certificate': lambda ran: (
        (ran['featureGates'] or {}).get('RotateKubeletServerCertificate') is not False and has_certificate(ran)
    ),
    'tls_cipher_suites': lambda ran: ran['tlsCipherSuites'] and set(ran['tlsCipherSuites']) <= STRONG,
    'pod_max_pids': lambda ran: ran['podPidsLimit'] > 0,
    'seccomp_default': lambda ran: ran['seccompDefault'] or ran['--seccomp-default'],
}

NOT_RECORDED = {'hostname_override', 'static_pod_path'}
"""The recordings hold neither; these two have cases of their own below."""

IDLE_TIMEOUT = 'streaming_connection_idle_timeout'
ONE_DEFAULT = 'the default is the same on every kubelet, so it has one verdict only'
TWO_DEFAULTS = 'without a file the other default holds'
REFUSED = 'the kubelet refuses a negative value'
ZERO_IS_DEFAULT = 'a 0 in a file means the default; a negative one was not recorded and stands in OWN_CASES'
NOT_MADE = 'was not recorded and stands in OWN_CASES'

NO_SUCH_LAUNCH = {
    **{
        (key, f'default {world} a file', verdict): ONE_DEFAULT
        for world in ('with', 'without')
        for verdict, keys in {
            'compliant': (
                'client_ca_file', 'pod_max_pids', 'protect_kernel_defaults', 'rotate_certificates', 'seccomp_default',
                'rotate_kubelet_server_certificate', 'tls_cert_file', 'tls_cipher_suites',
            ),
            'non_compliant': ('event_qps', 'make_iptables_util_chains', 'streaming_connection_idle_timeout'),
        }.items()
        for key in keys
    },
    ('anonymous_auth', 'default without a file', 'compliant'): TWO_DEFAULTS,
    ('authorization_mode', 'default without a file', 'compliant'): TWO_DEFAULTS,
    ('read_only_port', 'default without a file', 'compliant'): TWO_DEFAULTS,
    ('event_qps', 'flag', 'non_compliant'): REFUSED,
    ('event_qps', 'config_file', 'non_compliant'): REFUSED,
    ('event_qps', 'drop_in', 'non_compliant'): REFUSED,
    ('streaming_connection_idle_timeout', 'config_file', 'non_compliant'): ZERO_IS_DEFAULT,
    ('client_ca_file', 'config_file', 'non_compliant'): NOT_MADE,
    ('tls_cipher_suites', 'drop_in', 'non_compliant'): NOT_MADE,
}  # fmt: skip
"""A rule, the place that decides, and a verdict that no recorded launch shows, with the reason."""

ROTATION, GATE = 'rotate_kubelet_server_certificate', 'RotateKubeletServerCertificate'
GATE_OFF, PAIR = f'featureGates: {{{GATE}: false}}\n', 'tlsCertFile: /a\ntlsPrivateKeyFile: /b\n'

# Rule, argv, main file, drop-in, verdict and the place that decides; None: there is no such file.
OWN_CASES: tuple[tuple[str, str, str | None, str | None, Verdict, Source], ...] = (
    ('client_ca_file', '', 'authentication: {x509: {clientCAFile: ""}}', None, NON_COMPLIANT, Source.CONFIG_FILE),
    ('tls_cipher_suites', '', '', 'tlsCipherSuites: [TLS_RSA_WITH_RC4_128_SHA]', NON_COMPLIANT, Source.DROP_IN),
    (IDLE_TIMEOUT, '', 'streamingConnectionIdleTimeout: -5s', None, NON_COMPLIANT, Source.CONFIG_FILE),
    (ROTATION, '--feature-gates=AllAlpha=false', f'{GATE_OFF}{PAIR}', None, NON_COMPLIANT, Source.CONFIG_FILE),
    (ROTATION, f'--feature-gates={GATE}=true', f'{GATE_OFF}{PAIR}', None, COMPLIANT, Source.FLAG),
    (ROTATION, f'--feature-gates={GATE}=false', PAIR, None, NON_COMPLIANT, Source.FLAG),
    ('hostname_override', '--hostname-override=n1', '', None, NON_COMPLIANT, Source.FLAG),
    ('hostname_override', '--hostname-override=', '', None, COMPLIANT, Source.FLAG),
    ('hostname_override', '', None, None, COMPLIANT, Source.DEFAULT),
    ('hostname_override', '', '', None, COMPLIANT, Source.DEFAULT),
    ('static_pod_path', '--pod-manifest-path=/m', None, None, NON_COMPLIANT, Source.FLAG),
    ('static_pod_path', '--pod-manifest-path=', 'staticPodPath: /m', None, COMPLIANT, Source.FLAG),
    ('static_pod_path', '', 'staticPodPath: /m', None, NON_COMPLIANT, Source.CONFIG_FILE),
    ('static_pod_path', '', 'staticPodPath: ""', None, COMPLIANT, Source.CONFIG_FILE),
    ('static_pod_path', '', '', 'staticPodPath: /m', NON_COMPLIANT, Source.DROP_IN),
    ('static_pod_path', '', 'staticPodPath: /m', 'staticPodPath: ""', COMPLIANT, Source.DROP_IN),
    ('static_pod_path', '', None, None, COMPLIANT, Source.DEFAULT),
    ('static_pod_path', '', '', None, COMPLIANT, Source.DEFAULT),
)  # fmt: skip


def findings(case: Case, tmp_path: Path) -> dict[str, tuple[Verdict, Source]]:
    folder = tmp_path / 'kubelet'
    folder.mkdir()
    case.lay_out(folder)
    host, process = made_up_host(tmp_path, case.arguments(folder), folder)
    declared = declare_on(host, read_evidence(host, process), case.minor)
    found = {rule.key: judge(rule, resolve(declared, rule.fields), BENCHMARK) for rule in SETTING_RULES}
    return {key: (finding.verdict, finding.set_by) for key, finding in found.items()}


def test_every_rule_on_a_setting_is_held_against_the_recordings() -> None:
    assert {rule.key for rule in SETTING_RULES} == set(ASKS) | NOT_RECORDED


@pytest.mark.slow
@pytest.mark.parametrize('case', CASES, ids=lambda case: case.id)
def test_all_verdicts_are_what_the_recorded_kubelet_would_confirm(case: Case, tmp_path: Path) -> None:
    for key, (verdict, source) in findings(case, tmp_path).items():
        if case.effective is None:
            # What the command line itself shows to be wrong stays wrong, whatever else is broken.
            assert verdict is Verdict.UNKNOWN or (verdict, source) == (Verdict.NON_COMPLIANT, Source.FLAG), key
        elif key in ASKS:
            assert verdict is (Verdict.COMPLIANT if ASKS[key](case.effective) else Verdict.NON_COMPLIANT), key


PLACES = ('flag', 'config_file', 'drop_in', 'default with a file', 'default without a file')


@pytest.fixture(scope='module')
def recorded(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str, str]]:
    """Each rule, the place that decided, and the verdict, over all recorded launches. They hold by the test above."""
    seen: set[tuple[str, str, str]] = set()
    for case in CASES:
        has_file = any(argument.startswith('--config') for argument in case.argv)
        for key, (verdict, source) in findings(case, tmp_path_factory.mktemp('case')).items():
            place = source.value
            if case.effective is None:
                place = 'refused'
            elif source is Source.DEFAULT:
                place = 'default with a file' if has_file else 'default without a file'
            seen.add((key, place, verdict.value))
    return seen


@pytest.mark.slow
def test_each_rule_passes_and_fails_by_each_place_or_it_is_said_why_not(recorded: set[tuple[str, str, str]]) -> None:
    """Over the recorded launches that started; the two rules that they do not record are held below."""
    missing = {
        (key, place, verdict)
        for key in ASKS
        for place in PLACES
        for verdict in ('compliant', 'non_compliant')
        if (key, place, verdict) not in recorded
    }
    assert missing == set(NO_SUCH_LAUNCH)


@pytest.mark.parametrize('key, argument, main, drop_in, verdict, source', OWN_CASES)
def test_what_the_recordings_leave_out(
    key: str, argument: str, main: str | None, drop_in: str | None, verdict: Verdict, source: Source
) -> None:
    arguments = (argument,) if argument else ()
    config = File('/c.yaml', (HEAD + main).encode(), None) if main is not None else None
    drop_ins = DropIns('/d', (File('/d/a.conf', (HEAD + drop_in).encode(), None),), None) if drop_in else None
    rule = RULES_BY_KEY[key]
    finding = judge(
        rule, resolve(declare(Evidence(Process(1, 1, arguments), config, drop_ins)), rule.fields), BENCHMARK
    )
    assert (finding.verdict, finding.set_by) == (verdict, source)


FILE_RULES = tuple(rule for rule in RULES if rule.files is not None)

FILE_CASES: dict[FileAspect, tuple[tuple[FileStatus | Missing, Verdict], ...]] = {
    FileAspect.MODE: (
        (FileStatus('/f', 0o600, 0, 0), COMPLIANT),
        (FileStatus('/f', 0o577, 0, 0), NON_COMPLIANT),
        (FileStatus('/f', 0o666, 0, 0), NON_COMPLIANT),
        (Missing('/f', 'it is gone'), Verdict.UNKNOWN),
    ),
    FileAspect.OWNER: (
        (FileStatus('/f', 0o600, 0, 0), COMPLIANT),
        (FileStatus('/f', 0o600, 1000, 0), NON_COMPLIANT),
        (FileStatus('/f', 0o600, 0, 1000), NON_COMPLIANT),
        (Missing('/f', 'it is gone'), Verdict.UNKNOWN),
    ),
}
"""A file, and the verdict of each rule on that aspect, in each benchmark that has the rule and allows 600."""


@pytest.mark.parametrize('rule', FILE_RULES, ids=lambda rule: rule.key)
def test_every_rule_on_a_file_is_held_against_good_and_bad_files(rule: Rule) -> None:
    aspect = rule.aspect
    assert aspect is not None
    benchmarks = [
        benchmark
        for benchmark in BENCHMARKS.values()
        if rule.key in benchmark.controls and (aspect is FileAspect.OWNER or benchmark.modes[rule.key].allow(0o600))
    ]
    assert benchmarks
    for benchmark in benchmarks:
        for file, verdict in FILE_CASES[aspect]:
            finding = judge(rule, resolve_files(FileSet((file,), Source.FLAG), aspect), benchmark)
            assert finding.verdict is verdict, (benchmark.name, file)


def verdicts_shown(rule: Rule, recorded: set[tuple[str, str, str]]) -> set[str]:
    """The verdicts that a rule has in the cases of this file, each of which is held to its verdict above."""
    if rule.aspect is not None:
        return {verdict.value for _, verdict in FILE_CASES[rule.aspect]}
    by_hand = {verdict.value for key, *_, verdict, _ in OWN_CASES if key == rule.key}
    # A recorded launch confirms the verdicts of the rules in ASKS; of the others it shows only what is unknown.
    of_launches = {verdict for key, _, verdict in recorded if key == rule.key and (key in ASKS or verdict == 'unknown')}
    return by_hand | of_launches


@pytest.mark.slow
@pytest.mark.parametrize('rule', RULES, ids=lambda rule: rule.key)
def test_every_rule_has_a_case_for_each_verdict(rule: Rule, recorded: set[tuple[str, str, str]]) -> None:
    """A rule that is always compliant must not get in: add to ASKS, OWN_CASES, or FILE_CASES."""
    assert verdicts_shown(rule, recorded) == {'compliant', 'non_compliant', 'unknown'}
