# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Every expectation with every form of value: what holds, what is refused, and what can't be compared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from datadog_checks.kubelet_compliance.kubelet.formats.go import MINUTE, SECOND, Duration
from datadog_checks.kubelet_compliance.model import Declared, Origin, Source, Unknown, Verdict
from datadog_checks.kubelet_compliance.rules.custom_expectations import FORMS
from datadog_checks.kubelet_compliance.rules.custom_rules import CustomRuleError, custom_rules
from datadog_checks.kubelet_compliance.rules.custom_settings import iter_settings, named_setting
from datadog_checks.kubelet_compliance.rules.no_limits import NO_LIMITS
from tests.support.custom import finding_of, holds_for, row, rule_with

EXPECTATIONS = ('is', 'is_not', 'one_of', 'at_most', 'at_least', 'set', 'not_set')


@pytest.mark.parametrize(
    'setting, expectation, good, bad',
    [
        ('failSwapOn', {'is': True}, [True], [False, None, 1, 'true']),
        ('failSwapOn', {'is_not': True}, [False, None], [True]),
        ('maxPods', {'is': 110}, [110], [109, 111, None, True, '110']),
        ('maxPods', {'is_not': 110}, [1, None], [110]),
        ('maxPods', {'one_of': [110, 250]}, [110, 250], [111, None]),
        ('maxPods', {'at_most': 110}, [110, 0, -1], [111, None]),
        ('maxPods', {'at_least': 0}, [0, 5], [-1, None]),
        ('oomScoreAdj', {'is': -999}, [-999], [999]),
        ('memoryThrottlingFactor', {'at_least': 0.8}, [0.8, 0.9, 1], [0.7, None]),
        ('tlsMinVersion', {'is': 'VersionTLS12'}, ['VersionTLS12'], ['VersionTLS13', '', None]),
        ('tlsMinVersion', {'is_not': 'VersionTLS10'}, ['VersionTLS12', '', None], ['VersionTLS10']),
        ('tlsMinVersion', {'one_of': ['VersionTLS12', 'VersionTLS13']}, ['VersionTLS13'], ['VersionTLS11', '']),
        ('tlsMinVersion', {'set': True}, ['VersionTLS12'], ['', None]),
        ('tlsMinVersion', {'not_set': True}, ['', None], ['VersionTLS12']),
        ('streamingConnectionIdleTimeout', {'is': '5m'}, [Duration(5 * MINUTE)], [Duration(4 * MINUTE), None]),
        ('streamingConnectionIdleTimeout', {'at_least': '300s'}, [5 * MINUTE, 6 * MINUTE], [299 * SECOND, 0]),
        ('streamingConnectionIdleTimeout', {'at_most': '1h'}, [1, 60 * MINUTE], [61 * MINUTE]),
        ('evictionSoftGracePeriod.memory.available', {'at_least': '90s'}, ['1m30s', '2m'], ['1m', 'x', None]),
        ('containerLogMaxSize', {'is': '50Mi'}, ['50Mi', '52428800', '51200Ki'], ['50M', '', None]),
        ('containerLogMaxSize', {'is': 52428800}, ['50Mi'], ['51Mi']),
        ('containerLogMaxSize', {'at_most': '50Mi'}, ['50M', '1', '50e6'], ['51Mi', 'x', '1e999999999', '1%']),
        ('evictionHard.memory.available', {'at_least': '500Mi'}, ['0.5Gi', '1Gi'], ['499Mi', '50%', None]),
        ('evictionHard.memory.available', {'at_least': '5%'}, ['5%', '5.5%', '1e1%'], ['4%', '500Mi', None]),
        ('evictionHard.memory.available', {'set': True}, ['1Mi'], [None, '']),
        ('systemReserved.cpu', {'at_least': '500m'}, ['0.5', '1'], ['499m', None]),
        ('clusterDNS', {'is': ['a', 'b']}, [('a', 'b')], [('b', 'a'), ('a',), (), None]),
        ('clusterDNS', {'is_not': ['a']}, [('b',), (), None], [('a',)]),
        ('clusterDNS', {'not_set': True}, [(), None], [('a',)]),
        ('tlsCurvePreferences', {'is': [29]}, [(29,)], [(23,), None]),
        ('evictionHard', {'set': True}, [{'memory.available': '1%'}], [{}, None]),
        ('registerWithTaints', {'not_set': True}, [(), None], [({'key': 'a'},)]),
        ('--node-ip', {'is': '10.0.0.1'}, ['10.0.0.1'], ['10.0.0.2', None]),
        ('--cloud-provider', {'is_not': 'external'}, ['', None, 'gce'], ['external']),
        ('--exit-on-lock-contention', {'is': False}, [False, None], [True]),
        ('--register-schedulable', {'is': False}, [False], [True, None]),
        ('--pod-infra-container-image', {'is_not': 'a'}, ['b'], ['a', None]),
        ('--maximum-dead-containers', {'at_most': 0}, [0], [1, None]),
        ('--housekeeping-interval', {'at_least': '10s'}, [Duration(10 * SECOND), None], [Duration(SECOND)]),
        ('--node-labels', {'not_set': True}, [None, {}], [{'a': 'b'}]),
    ],
)
def test_an_expectation_holds_for_good_values_and_for_no_bad_one(
    setting: str, expectation: dict[str, Any], good: list[Any], bad: list[Any]
) -> None:
    rule = rule_with(setting, **expectation)
    assert [value for value in good if not holds_for(rule, value)] == []
    assert [value for value in bad if holds_for(rule, value)] == []


@pytest.mark.parametrize(
    'setting, expectation, value, means',
    [
        ('podPidsLimit', {'at_most': 4096}, -1, 'podPidsLimit is -1, which means no limit'),
        ('podPidsLimit', {'at_most': 4096}, 0, 'podPidsLimit is 0, which means no limit'),
        ('containerLogMaxSize', {'at_most': '50Mi'}, '-1', 'is -1, which means no rotation'),
        (
            'streamingConnectionIdleTimeout',
            {'at_most': '30m'},
            Duration(0),
            'is 0s, which means no limit',
        ),
        ('imageMaximumGCAge', {'at_most': '168h'}, Duration(0), 'is 0s, which means no limit'),
        ('eventRecordQPS', {'at_most': 50}, 0, 'eventRecordQPS is 0, which means no limit'),
        ('registryPullQPS', {'at_most': 5}, 0, 'registryPullQPS is 0, which means no limit'),
        ('kubeAPIQPS', {'at_most': 50}, -1, 'kubeAPIQPS is -1, which means no limit'),
        ('podsPerCore', {'at_most': 10}, 0, 'podsPerCore is 0, which means no limit'),
        (
            'nodeStatusMaxImages',
            {'at_most': 50},
            -1,
            'nodeStatusMaxImages is -1, which means no limit',
        ),
        ('evictionMaxPodGracePeriod', {'at_most': 30}, -1, 'is -1, which means no limit'),
        ('volumeStatsAggPeriod', {'at_most': '1m'}, Duration(-1), 'which means no measurement'),
        ('--maximum-dead-containers', {'at_most': 10}, -1, 'is -1, which means no limit (default); expected'),
        ('--maximum-dead-containers', {'at_most': 10}, None, 'is not set, which means no limit (default); expected'),
        (
            '--maximum-dead-containers-per-container',
            {'at_most': 2},
            -1,
            'is -1, which means no limit (default); expected',
        ),
        (
            'evictionHard.memory.available',
            {'at_least': '5%'},
            '100%',
            'is 100%, which means no threshold (default); expected',
        ),
        ('evictionHard.memory.available', {'set': True}, '0%', 'is 0%, which means no threshold (default); expected'),
        (
            'evictionSoft.memory.available',
            {'set': True},
            '100%',
            'is 100%, which means no threshold (default); expected',
        ),
    ],
)
def test_a_value_without_a_limit_never_meets_a_bound(
    setting: str, expectation: dict[str, Any], value: Any, means: str
) -> None:
    parent, _, key = setting.partition('.')
    declared = Declared({parent: {key: value} if key else value}, {}, minors=frozenset({36}))
    finding = finding_of(rule_with(setting, **expectation), declared)
    assert finding.verdict is Verdict.NON_COMPLIANT
    assert means in finding.message


@pytest.mark.parametrize(
    'setting, expectation, value',
    [
        ('podPidsLimit', {'at_most': 4096}, 1),
        ('podPidsLimit', {'is': -1}, -1),
        ('kubeAPIQPS', {'at_most': 50}, 0),
        ('maxPods', {'at_most': 110}, 0),
        ('nodeStatusMaxImages', {'at_most': 50}, 0),
        ('evictionHard.memory.available', {'at_most': '5%'}, '0%'),
        ('evictionMinimumReclaim.memory.available', {'at_least': '0%'}, '0%'),
    ],
)
def test_a_value_with_a_limit_or_that_is_named_is_compared(
    setting: str, expectation: dict[str, Any], value: Any
) -> None:
    assert holds_for(rule_with(setting, **expectation), value)


@pytest.mark.parametrize(
    'setting, expectation, message',
    [
        ('eventRecordQPS', {'at_most': 0}, 'at_most of eventRecordQPS needs another value: 0 means no limit'),
        ('evictionHard.memory.available', {'at_least': '0%'}, 'needs another value: 0% means no threshold'),
    ],
)
def test_a_bound_that_is_no_limit_is_refused(setting: str, expectation: dict[str, Any], message: str) -> None:
    with pytest.raises(CustomRuleError) as error:
        rule_with(setting, **expectation)
    assert message in str(error.value)


def test_each_row_without_a_limit_is_of_a_setting_that_has_bounds() -> None:
    for setting, row_of_setting in NO_LIMITS.items():
        assert set(row_of_setting.against) < set(FORMS[named_setting(setting).form].expectations)


@pytest.mark.parametrize(
    'asked, verdict, message',
    [
        ({'at_most': '10s'}, Verdict.COMPLIANT, '--housekeeping-interval is not set, which means 10s'),
        ({'at_most': '5s'}, Verdict.NON_COMPLIANT, 'is not set, which means 10s (default); expected at most 5s'),
        ({'set': True}, Verdict.NON_COMPLIANT, 'is not set (default); expected a value'),
    ],
)
def test_a_flag_that_is_not_given_says_the_default_that_counts(
    asked: dict[str, Any], verdict: Verdict, message: str
) -> None:
    finding = finding_of(rule_with('--housekeeping-interval', **asked), Declared({}, {}, minors=frozenset({36})))
    assert finding.verdict is verdict
    assert message in finding.message


FITTING: dict[str, dict[str, Any]] = {
    'failSwapOn': {'is': True, 'is_not': True},
    'featureGates.NodeSwap': {'is': True, 'is_not': True},
    'maxPods': {'is': 1, 'is_not': 1, 'one_of': [1], 'at_most': 1, 'at_least': 1},
    'maxParallelImagePulls': {
        'is': 1, 'is_not': 1, 'one_of': [1], 'at_most': 1, 'at_least': 1, 'set': True, 'not_set': True,
    },
    'memoryThrottlingFactor': {
        'is': 0.5, 'is_not': 1, 'one_of': [0.5], 'at_most': 0.5, 'at_least': 0.5, 'set': True, 'not_set': True,
    },
    'clusterDomain': {'is': 'a', 'is_not': 'a', 'one_of': ['a'], 'set': True, 'not_set': True},
    'syncFrequency': {'is': '1m', 'is_not': '1m', 'one_of': ['1m'], 'at_most': '1m', 'at_least': '1m'},
    'containerLogMaxSize': {
        'is': '1Mi', 'is_not': 1, 'one_of': ['1Mi'], 'at_most': '1Mi', 'at_least': 1, 'set': True, 'not_set': True,
    },
    'evictionHard.pid.available': {
        'is': '1%', 'is_not': '1%', 'one_of': ['1%'], 'at_most': '1%', 'at_least': '1%', 'set': True, 'not_set': True,
    },
    'clusterDNS': {'is': ['a'], 'is_not': ['a'], 'set': True, 'not_set': True},
    'tlsCurvePreferences': {'is': [1], 'is_not': [1], 'set': True, 'not_set': True},
    'evictionHard': {'set': True, 'not_set': True},
    'reservedMemory': {'set': True, 'not_set': True},
    '--exit-on-lock-contention': {'is': True, 'is_not': True, 'set': True, 'not_set': True},
    '--node-ip': {'is': 'a', 'is_not': 'a', 'one_of': ['a'], 'set': True, 'not_set': True},
}  # fmt: skip
"""For a setting of each form: the expectations that it can have, each with a value of its type."""


@pytest.mark.parametrize('setting', FITTING)
@pytest.mark.parametrize('name', EXPECTATIONS)
def test_each_setting_takes_the_expectations_of_its_form_and_no_other(setting: str, name: str) -> None:
    fitting = FITTING[setting]
    if name in fitting:
        assert rule_with(setting, **{name: fitting[name]}).fields == (setting,)
        return
    with pytest.raises(CustomRuleError) as error:
        rule_with(setting, **{name: True})
    assert f'custom rule 1 (own): {name} does not fit {setting}, which is ' in str(error.value)
    assert str(error.value).endswith(f': use {" or ".join(name for name in EXPECTATIONS if name in fitting)}')


@pytest.mark.parametrize(
    'setting, expectation, message',
    [
        ('failSwapOn', {'is': 'yes'}, 'is of failSwapOn needs true or false, such as true'),
        ('failSwapOn', {'is': 1}, 'is of failSwapOn needs true or false, such as true'),
        ('maxPods', {'is': '110'}, 'is of maxPods needs a whole number, such as 110'),
        ('maxPods', {'at_most': True}, 'at_most of maxPods needs a whole number, such as 110'),
        ('maxPods', {'at_most': 1.5}, 'at_most of maxPods needs a whole number, such as 110'),
        ('maxPods', {'one_of': 110}, 'one_of needs a list of 1 to 20 values, such as [110]'),
        ('maxPods', {'one_of': []}, 'one_of needs a list of 1 to 20 values, such as [110]'),
        ('maxPods', {'one_of': [1, 'a']}, 'one_of of maxPods needs a whole number, such as 110'),
        ('clusterDomain', {'is': True}, 'is of clusterDomain needs text, such as "some text" (in quotes, if YAML '),
        ('clusterDomain', {'is': ''}, 'is of clusterDomain needs text'),
        ('clusterDomain', {'is': 'a\nb'}, 'is of clusterDomain needs at most 100 printable characters'),
        ('clusterDomain', {'is': 'a' * 101}, 'is of clusterDomain needs at most 100 printable characters'),
        ('maxPods', {'is': 16**5000}, 'is of maxPods needs a whole number, such as 110'),
        ('containerLogMaxSize', {'at_most': 16**5000}, 'needs a quantity or a percentage, such as 50Mi'),
        ('tlsCurvePreferences', {'is': [16**5000]}, 'needs a list of whole numbers, such as [1, 2]'),
        ('memoryThrottlingFactor', {'at_most': float('nan')}, 'needs a number, such as 0.9'),
        ('memoryThrottlingFactor', {'is_not': float('inf')}, 'needs a number, such as 0.9'),
        ('memoryThrottlingFactor', {'is_not': 16**5000}, 'needs a number, such as 0.9'),
        ('syncFrequency', {'at_most': 300}, 'at_most of syncFrequency needs a duration, such as 5m'),
        ('syncFrequency', {'at_most': '300'}, 'at_most of syncFrequency needs a duration, such as 5m'),
        ('containerLogMaxSize', {'at_most': '50MB'}, 'needs a quantity or a percentage, such as 50Mi'),
        ('containerLogMaxSize', {'at_most': '1e99999'}, 'needs a quantity or a percentage, such as 50Mi'),
        ('clusterDNS', {'is': 'a'}, 'is of clusterDNS needs a list of text, such as [a, b]'),
        ('clusterDNS', {'is': []}, 'is of clusterDNS needs a list of text, such as [a, b]'),
        ('clusterDNS', {'is': ['a,b']}, 'is of clusterDNS needs a list of text, such as [a, b]'),
        ('clusterDNS', {'set': False}, 'set takes only true: for the opposite, use not_set'),
        ('clusterDNS', {'not_set': 'yes'}, 'not_set takes only true: for the opposite, use set'),
        ('evictionHard', {'is': {'memory.available': '1%'}}, 'add a dot and its key to the setting'),
        ('maxPods', {'set': True}, 'and it always has a value: use is or is_not or one_of or at_most or at_least'),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_type_and_an_example(
    setting: str, expectation: dict[str, Any], message: str
) -> None:
    with pytest.raises(CustomRuleError) as error:
        rule_with(setting, **expectation)
    assert message in str(error.value)


@pytest.mark.parametrize(
    'setting, expectation, value, message',
    [
        ('evictionHard.memory.available', {'at_least': '500Mi'}, '5%', "its value 5% can't be compared with 500Mi"),
        ('evictionHard.memory.available', {'is_not': '5%'}, '1Gi', "its value 1Gi can't be compared with 5%"),
        ('containerLogMaxSize', {'is_not': '5Mi'}, 'many', "its value many can't be compared with 5Mi"),
    ],
)
def test_values_of_different_units_are_unknown(
    setting: str, expectation: dict[str, Any], value: str, message: str
) -> None:
    rule = rule_with(setting, **expectation)
    parent, _, key = setting.partition('.')
    values = {parent: {key: value} if key else value}
    finding = finding_of(rule, Declared(values, {setting: Origin(Source.CONFIG_FILE, '/c.yaml:1')}))
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.message == f'{setting} cannot be determined: {message}'


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
SETTINGS = (
    *iter_settings(),
    'evictionHard.memory.available',
    'systemReserved.cpu',
    'evictionSoftGracePeriod.pid.available',
)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(
    setting=st.sampled_from(SETTINGS),
    name=st.sampled_from(EXPECTATIONS),
    expected=VALUES,
    value=VALUES,
)
def test_no_row_and_no_value_raises_anything_else_than_the_error_of_a_row(
    setting: str, name: str, expected: Any, value: Any
) -> None:
    try:
        (rule,) = custom_rules([row(setting, **{name: expected})])
    except CustomRuleError as error:
        assert len(str(error)) < 600
        return
    assert holds_for(rule, value) in (True, False)
    unknown = finding_of(rule, Declared({}, {}, Unknown('not read'), flags_known=False))
    assert unknown.verdict is Verdict.UNKNOWN
    known = finding_of(rule, Declared({setting: value}, {setting: Origin(Source.CONFIG_FILE, '/c.yaml:1')}))
    assert len(known.message) <= 500
