# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The defaults that a kubelet of each release fills in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.defaults import merge_default_evictions, set_defaults
from datadog_checks.kubelet_compliance.kubelet.formats.go import parse_duration
from datadog_checks.kubelet_compliance.kubelet.release import Release
from datadog_checks.kubelet_compliance.model import Origin, Source, lookup
from tests.support.by_release import FIELDS_OF, FLAGS_OF, facts_of
from tests.support.cases import TRUTH

FILE = Origin(Source.CONFIG_FILE, '/c.yaml:1')


def defaults(minor: int, *, legacy: bool = False, **values: Any) -> Configuration:
    """A configuration that sets only those values, with the defaults of a release."""
    configuration = Configuration()
    for name, value in values.items():
        configuration.set(name, value, FILE)
    set_defaults(configuration, Release(minor), legacy=legacy)
    return configuration


def as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize('minor', FLAGS_OF)
def test_every_default_is_that_of_the_sources_of_the_release(minor: int) -> None:
    configuration = defaults(minor)
    facts = facts_of('defaults', minor)
    assert {path: as_json(configuration.get(path)) for path in facts} == facts


# Set in the launches behind the bodies, or by the kubelet after it read its configuration.
SET_BY_THE_LAUNCH = {
    'address',
    'enforceNodeAllocatable',
    'failCgroupV1',
    'failSwapOn',
    'healthzPort',
    'readOnlyPort',
    'tlsCertFile',
    'tlsPrivateKeyFile',
}


@pytest.mark.parametrize('minor', [28, 30, 32, 34, 36])
def test_every_default_is_what_a_running_kubelet_without_a_file_shows(minor: int) -> None:
    body = json.loads((TRUTH / 'configz' / f'kubelet-1.{minor}.json').read_text())['kubeletconfig']
    configuration = defaults(minor, legacy=True)
    paths = {path for path in facts_of('fields', minor) if '[]' not in path} - SET_BY_THE_LAUNCH
    wrong = {path: (shown(lookup(body, path)), configuration.get(path)) for path in paths}
    assert {path: pair for path, pair in wrong.items() if not alike(*pair)} == {}


def shown(value: Any) -> Any:
    """A value of a /configz body, with durations in nanoseconds."""
    try:
        return parse_duration(value) if isinstance(value, str) else value
    except ValueError:
        return value


def alike(running: Any, default: Any) -> bool:
    """A body omits zero values. The fields of structs are compared one by one."""
    if isinstance(default, dict) or running == as_json(default):
        return True
    return running in (None, 0, False, '', [], {}) and default in (None, 0, False, '', '0', (), {})


@pytest.mark.parametrize('minor', FLAGS_OF)
def test_a_field_without_a_default_has_gos_zero_value(minor: int) -> None:
    configuration = defaults(minor)
    of_none = set(facts_of('fields', minor)) - set(facts_of('defaults', minor)) - {'serializeImagePulls'}
    values = {path: configuration.get(path) for path in of_none if '[]' not in path}
    assert {
        path: value
        for path, value in values.items()
        if value not in (None, False, 0, '', '0', {}) and not isinstance(value, dict)
    } == {}


@pytest.mark.parametrize(
    'name, value, minor, expected',
    [
        ('eventRecordQPS', 0, 26, 0),
        ('eventRecordQPS', 7, 26, 7),
        ('eventBurst', 0, 26, 10),
        ('eventBurst', 0, 27, 100),
        ('resolvConf', '', 22, '/etc/resolv.conf'),
        ('resolvConf', '', 23, ''),
        ('failCgroupV1', False, 36, False),
        ('evictionHard', {}, 36, {}),
        ('memoryThrottlingFactor', 0.5, 37, 0.5),
    ],
)
def test_an_explicit_value_is_replaced_only_if_the_release_treats_it_as_missing(
    name: str, value: Any, minor: int, expected: Any
) -> None:
    assert defaults(minor, **{name: value}).get(name) == expected


@pytest.mark.parametrize('minor', FIELDS_OF)
def test_without_a_file_four_defaults_are_open_in_every_release(minor: int) -> None:
    with_file, without = defaults(minor), defaults(minor, legacy=True)
    changed = {path for path in facts_of('fields', minor) if with_file.get(path) != without.get(path)}
    assert {path for path in changed if not isinstance(without.get(path), dict)} == {
        'authentication.anonymous.enabled',
        'authentication.webhook.enabled',
        'authorization.mode',
        'readOnlyPort',
    }


def test_only_a_default_that_changed_asks_for_the_release() -> None:
    release = Release(36)
    configuration = Configuration()
    set_defaults(configuration, release)
    assert release.asked == {27, 30, 35, 37}
    for path in (
        'crashLoopBackOff.maxContainerRestartPeriod',
        'eventBurst',
        'eventRecordQPS',
        'evictionHard',
        'failCgroupV1',
        'imagePullCredentialsVerificationPolicy',
        'kubeAPIBurst',
        'kubeAPIQPS',
        'memoryThrottlingFactor',
    ):
        configuration.set(path, configuration.get(path), FILE)
    release = Release(36)
    set_defaults(configuration, release)
    assert release.asked == set()


@pytest.mark.parametrize(
    'given, limit',
    [pytest.param(-5, -1, id='any negative number is no limit'), pytest.param(0, 0, id='0 remains 0')],
)
def test_a_negative_limit_of_processes_is_no_limit(given: int, limit: int) -> None:
    configuration = Configuration({'podPidsLimit': given}, {'podPidsLimit': Origin(Source.CONFIG_FILE, '/c.yaml:3')})
    set_defaults(configuration, Release(36))
    assert configuration.get('podPidsLimit') == limit
    assert configuration.origins['podPidsLimit'].place == '/c.yaml:3'


@pytest.mark.parametrize(
    'values, signals',
    [
        pytest.param({'memory.available': '1Gi'}, {'memory.available'}, id='not asked for'),
        pytest.param(
            {'memory.available': '1Gi', 'merge': True},
            {'memory.available', 'nodefs.available', 'nodefs.inodesFree', 'imagefs.available', 'imagefs.inodesFree'},
            id='asked for',
        ),
    ],
)
def test_default_thresholds_are_added_to_those_of_a_file_that_asks_for_it(
    values: dict[str, Any], signals: set[str]
) -> None:
    thresholds = {signal: value for signal, value in values.items() if signal != 'merge'}
    configuration = Configuration({'evictionHard': thresholds, 'mergeDefaultEvictionSettings': values.get('merge')})
    merge_default_evictions(configuration)
    assert configuration.get('evictionHard.memory.available') == '1Gi'
    assert set(configuration.values['evictionHard']) == signals
