# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest

from datadog_checks.kubelet_compliance.model import (
    Benchmark,
    Exemption,
    Finding,
    KubeletReport,
    NodeReport,
    Origin,
    Process,
    Remedy,
    Setting,
    Source,
    Unknown,
    Verdict,
)
from datadog_checks.kubelet_compliance.reporting.layout import Style
from datadog_checks.kubelet_compliance.reporting.output import Output, Results, Started
from datadog_checks.kubelet_compliance.reporting.text import duration_text, running_text, text_report
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS

BENCHMARK = BENCHMARKS['cis-1.24']
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=timezone.utc)
FILE = Origin(Source.CONFIG_FILE, '/c.yaml:4', '/c.yaml')
NOT_ASKED = Unknown('not asked')


def finding(key: str, verdict: Verdict, value: object = False) -> Finding:
    rule = RULES_BY_KEY[key]
    setting = Setting(((rule.fields[0], value),), FILE, NOT_ASKED, origins={rule.fields[0]: FILE})  # type: ignore[arg-type]
    remedy = Remedy('it may break', 'do this', 'in doubt') if verdict is Verdict.NON_COMPLIANT else Remedy()
    return Finding(rule, verdict, f'the message of {key}', setting, BENCHMARK, remedy)


FINDINGS = (
    finding('anonymous_auth', Verdict.COMPLIANT),
    finding('make_iptables_util_chains', Verdict.UNKNOWN),
    finding('protect_kernel_defaults', Verdict.NON_COMPLIANT),
    finding('rotate_certificates', Verdict.EXEMPTED),
    finding('read_only_port', Verdict.COMPLIANT, 0),
)


def results(*findings: Finding, **changes: object) -> Results:
    kubelet = KubeletReport(Process(7, 1, ()), findings)
    return Results([replace(Output(NodeReport(1, findings), [kubelet], BENCHMARK, False), **changes)], NOW)  # type: ignore[arg-type]


def lines(found: Results, **style: bool) -> list[str]:
    return text_report(found, Style(**style)).split('\n')  # type: ignore[arg-type]


def test_the_summary_comes_first_and_what_is_wrong_after_it_worst_first() -> None:
    assert lines(results(*FINDINGS)) == [
        'kubelet, process 7, evaluated against cis-1.24',
        '5 rules: 2 compliant, 1 non-compliant, 1 unknown, 1 exempted',
        '',
        'NON-COMPLIANT  4.2.6   Kubelet should refuse kernel settings that it does not',
        '                       expect',
        '  value       protectKernelDefaults is false',
        '  set by      /c.yaml:4 (config_file)',
        '  expected    true',
        '  caution     it may break',
        '  fix         do this',
        '  note        in doubt',
        '',
        'UNKNOWN  4.2.7   Kubelet should be able to manage changes to iptables',
        '  value       makeIPTablesUtilChains is false',
        '  set by      /c.yaml:4 (config_file)',
        '  expected    true',
        '  result      the message of make_iptables_util_chains',
        '',
        'EXEMPTED  4.2.11  Kubelet should rotate its client certificate',
        '  value       rotateCertificates is false',
        '  set by      /c.yaml:4 (config_file)',
        '  expected    true',
        '  result      the message of rotate_certificates',
        '',
        'COMPLIANT  4.2.1   Kubelet should not serve anonymous requests',
        'COMPLIANT  4.2.4   Kubelet should not open the read-only port',
    ]


def test_the_head_names_each_benchmark_and_a_rule_without_a_number_has_its_key() -> None:
    own = Benchmark('custom', 'custom', {'max_pods': ()}, {}, {}, ())
    custom = replace(
        FINDINGS[0], rule=replace(FINDINGS[0].rule, key='max_pods', title='At most 110 pods'), benchmark=own
    )
    shown = lines(results(FINDINGS[0], custom))
    assert shown[0] == 'kubelet, process 7, evaluated against cis-1.24 and custom'
    assert shown[-1] == 'COMPLIANT  max_pods  At most 110 pods'


def test_only_what_failed_is_shown_but_everything_is_counted() -> None:
    shown = lines(results(*FINDINGS), only_failed=True)
    assert shown[1] == '5 rules: 2 compliant, 1 non-compliant, 1 unknown, 1 exempted'
    assert [line.split()[0] for line in shown if line and not line.startswith(' ')][2:] == ['NON-COMPLIANT', 'UNKNOWN']


def test_the_details_of_a_compliant_rule_are_there_on_request() -> None:
    shown = lines(results(FINDINGS[0]), is_verbose=True)
    assert shown[3:8] == [
        'COMPLIANT  4.2.1   Kubelet should not serve anonymous requests',
        '  rule        anonymous_auth',
        '  value       authentication.anonymous.enabled is false',
        '  set by      /c.yaml:4 (config_file)',
        '  expected    false',
    ]
    assert shown[8].startswith('  why ') and any(line.startswith('  impact ') for line in shown)


def test_a_compliant_rule_takes_one_line_however_long_its_title_is() -> None:
    compliant = finding('protect_kernel_defaults', Verdict.COMPLIANT, True)
    titled = replace(compliant, rule=replace(compliant.rule, title='x' * 100))
    shown = lines(results(titled))
    assert len(shown) == 4 and len(shown[3]) == 80 and shown[3].endswith('xxx...')


RESTART, SETTINGS = 'run: systemctl restart kubelet.service', 'the kubeadm settings'


def with_restart(key: str, lasting: str = SETTINGS) -> Finding:
    wrong = finding(key, Verdict.NON_COMPLIANT)
    return replace(wrong, remedy=Remedy(steps=f'fix {key}', apply=RESTART, lasting=lasting))


def test_one_fix_says_how_it_takes_effect() -> None:
    shown = ' '.join(' '.join(lines(results(with_restart('rotate_certificates')))).split())
    assert shown.endswith(f'fix fix rotate_certificates, then {RESTART}. To make it last, also change {SETTINGS}')


def test_what_follows_several_fixes_is_there_once_before_the_compliant_rules() -> None:
    wrong = [with_restart('rotate_certificates'), with_restart('make_iptables_util_chains')]
    shown = lines(results(*wrong, with_restart('protect_kernel_defaults', lasting=''), FINDINGS[0]))
    assert [line for line in shown if line.startswith('  fix ')] == [
        '  fix         fix rotate_certificates',
        '  fix         fix make_iptables_util_chains',
        '  fix         fix protect_kernel_defaults, then run: systemctl restart',
    ]
    assert shown[-6:] == [
        '',
        'AFTER THE CHANGES',
        f'  apply       {RESTART}',
        f'  keep        to make them last, also change {SETTINGS}',
        '',
        'COMPLIANT  4.2.1   Kubelet should not serve anonymous requests',
    ]


def test_an_exempted_rule_has_its_reason_and_its_last_day() -> None:
    exempted = replace(FINDINGS[3], exemption=Exemption('rotate_certificates', 'a lab', date(2027, 3, 31)))
    assert lines(results(exempted))[-1] == '  exempted    a lab (until 2027-03-31)'


def test_a_running_value_that_differs_is_shown() -> None:
    wrong = finding('make_iptables_util_chains', Verdict.NON_COMPLIANT)
    setting = replace(wrong.setting, running=(('makeIPTablesUtilChains', True),))
    assert '  running     makeIPTablesUtilChains is true' in lines(results(replace(wrong, setting=setting)))


def test_a_result_without_a_fix_has_its_message() -> None:
    wrong = replace(finding('make_iptables_util_chains', Verdict.NON_COMPLIANT), remedy=Remedy(note='beware'))
    assert lines(results(wrong))[-1] == '  result      the message of make_iptables_util_chains'


def test_the_head_says_how_the_kubelet_was_started() -> None:
    since = (NOW - timedelta(hours=2, minutes=5)).timestamp()
    shown = lines(results(*FINDINGS, starts={7: Started(since, 'root', 'systemd (process 1)')}))
    assert ' '.join(' '.join(shown[2:4]).split()) == (
        'running since 2026-11-28 09:55:00 UTC (2 h 5 min), as root, started by systemd (process 1)'
    )
    assert not any('running' in line for line in lines(results(*FINDINGS, starts={8: Started(since, 'root')})))


def test_a_parent_that_is_gone_is_left_out() -> None:
    assert running_text(Started(NOW.timestamp(), 'user 7'), NOW) == 'since 2026-11-28 12:00:00 UTC (0 s), as user 7'


@pytest.mark.parametrize(
    ('seconds', 'text'),
    [
        (-5, '0 s'),
        (0, '0 s'),
        (59, '59 s'),
        (60, '1 min 0 s'),
        (3599, '59 min 59 s'),
        (3600, '1 h 0 min'),
        (86399, '23 h 59 min'),
        (86400 * 40 + 3600 * 5, '40 d 5 h'),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: int, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text
