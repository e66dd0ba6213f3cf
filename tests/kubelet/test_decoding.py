# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from datadog_checks.kubelet_compliance.kubelet.decoding import (
    Configuration,
    Decoder,
    DecodingError,
    Tree,
    tree_of,
)
from datadog_checks.kubelet_compliance.kubelet.defaults import set_defaults
from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml import DocumentError, DocumentTooLarge
from datadog_checks.kubelet_compliance.kubelet.merging import encode, merge
from datadog_checks.kubelet_compliance.kubelet.release import Release
from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION
from datadog_checks.kubelet_compliance.model import Origin, Source

RULE = 'makeIPTablesUtilChains'
SECOND = 1_000_000_000


def tree(text: str, source: Source = Source.CONFIG_FILE, path: str = '/k.yaml') -> Tree:
    return tree_of(parse_document(text.encode()).root, source, path)


def decode(text: str, *, any_case: bool = False) -> Configuration:
    return Decoder(any_case=any_case).decode(tree(text))


def value(text: str, path: str, *, any_case: bool = False) -> Any:
    return decode(text, any_case=any_case).get(path)


def refusal(text: str, *, any_case: bool = False) -> str:
    with pytest.raises(DecodingError) as caught:
        decode(text, any_case=any_case)
    return str(caught.value)


def defaults(text: str = '', *, legacy: bool = False) -> Configuration:
    configuration = decode(text or '{}')
    set_defaults(configuration, Release(36), legacy=legacy)
    return configuration


@pytest.mark.parametrize(
    'text, path, expected',
    [
        ('makeIPTablesUtilChains: no', RULE, False),
        ('makeIPTablesUtilChains: On', RULE, True),
        ('maxPods: 5', 'maxPods', 5),
        ('maxPods: 0x10', 'maxPods', 16),
        ('maxPods: 08', 'maxPods', 8),
        ('maxPods: 110.0', 'maxPods', 110),
        ('maxPods: 1e2', 'maxPods', 100),
        ('maxPods: -2147483648', 'maxPods', -2147483648),
        ('podPidsLimit: 9223372036854775807', 'podPidsLimit', 9223372036854775807),
        ('podPidsLimit: 1e18', 'podPidsLimit', 1_000_000_000_000_000_000),
        ('logging: {verbosity: 4294967295}', 'logging.verbosity', 4294967295),
        ('memoryThrottlingFactor: 0.5', 'memoryThrottlingFactor', 0.5),
        ('memoryThrottlingFactor: 1', 'memoryThrottlingFactor', 1.0),
        ('address: 1.2.3.4', 'address', '1.2.3.4'),
        ('address: "1"', 'address', '1'),
        ('address: 2001-01-01', 'address', '2001-01-01'),
        ('address: ""', 'address', ''),
        ('syncFrequency: 1m30s', 'syncFrequency', 90 * SECOND),
        ('syncFrequency: "0"', 'syncFrequency', 0),
        ('syncFrequency: -5s', 'syncFrequency', -5 * SECOND),
        ('logging: {flushFrequency: 5s}', 'logging.flushFrequency', 5 * SECOND),
        ('logging: {flushFrequency: 7}', 'logging.flushFrequency', 7),
        ('logging: {options: {json: {infoBufferSize: 1Gi}}}', 'logging.options.json.infoBufferSize', '1Gi'),
        ('logging: {options: {json: {infoBufferSize: 5}}}', 'logging.options.json.infoBufferSize', 5),
        ('clusterDNS: [10.0.0.10]', 'clusterDNS', ('10.0.0.10',)),
        ('clusterDNS: []', 'clusterDNS', ()),
        ('clusterDNS: [~]', 'clusterDNS', ('',)),
        ('featureGates: {A: yes}', 'featureGates', {'A': True}),
        ('featureGates: {A: ~}', 'featureGates', {'A': False}),
        ('featureGates: {}', 'featureGates', {}),
        ('kubeReserved: {cpu: 100m}', 'kubeReserved', {'cpu': '100m'}),
        ('staticPodURLHeader: {a: [b]}', 'staticPodURLHeader', {'a': ('b',)}),
        ('authentication: {anonymous: {enabled: n}}', 'authentication.anonymous.enabled', False),
        ('registerWithTaints: [{key: a, effect: b, timeAdded: "2001-01-01T00:00:00Z"}]', 'registerWithTaints',
         ({'key': 'a', 'effect': 'b', 'timeAdded': '2001-01-01T00:00:00Z'},)),
        ('reservedMemory: [{numaNode: 0, limits: {memory: 5}}]', 'reservedMemory',
         ({'numaNode': 0, 'limits': {'memory': 5}},)),
        ('{"maxPods": 5, "makeIPTablesUtilChains": false}', 'maxPods', 5),
    ],
)  # fmt: skip
def test_a_value_of_the_right_type_is_read(text: str, path: str, expected: Any) -> None:
    found = value(text, path)
    assert found == expected and isinstance(found, type(expected))


@pytest.mark.parametrize(
    'text, field',
    [
        ('makeIPTablesUtilChains: "true"', RULE),
        ('makeIPTablesUtilChains: 1', RULE),
        ('makeIPTablesUtilChains: tRUE', RULE),
        ('makeIPTablesUtilChains: []', RULE),
        ('makeIPTablesUtilChains: {}', RULE),
        ('maxPods: "5"', 'maxPods'),
        ('maxPods: notanumber', 'maxPods'),
        ('maxPods: true', 'maxPods'),
        ('maxPods: 1.5', 'maxPods'),
        ('maxPods: [5]', 'maxPods'),
        ('maxPods: 2147483648', 'maxPods'),
        ('maxPods: -2147483649', 'maxPods'),
        ('podPidsLimit: 9223372036854775808', 'podPidsLimit'),
        ('podPidsLimit: 1e19', 'podPidsLimit'),
        ('logging: {verbosity: -1}', 'logging.verbosity'),
        ('logging: {verbosity: 4294967296}', 'logging.verbosity'),
        ('memoryThrottlingFactor: "0.5"', 'memoryThrottlingFactor'),
        ('memoryThrottlingFactor: true', 'memoryThrottlingFactor'),
        ('address: 5', 'address'),
        ('address: 1.5', 'address'),
        ('address: yes', 'address'),
        ('address: [a]', 'address'),
        ('syncFrequency: 300', 'syncFrequency'),
        ('syncFrequency: ""', 'syncFrequency'),
        ('syncFrequency: 5 m', 'syncFrequency'),
        ('syncFrequency: 0', 'syncFrequency'),
        ('syncFrequency: {}', 'syncFrequency'),
        ('logging: {flushFrequency: 1.5}', 'logging.flushFrequency'),
        ('logging: {flushFrequency: x}', 'logging.flushFrequency'),
        ('logging: {options: {json: {infoBufferSize: x}}}', 'logging.options.json.infoBufferSize'),
        ('logging: {options: {json: {infoBufferSize: true}}}', 'logging.options.json.infoBufferSize'),
        ('clusterDNS: 10.0.0.10', 'clusterDNS'),
        ('clusterDNS: [1]', 'clusterDNS'),
        ('clusterDNS: {}', 'clusterDNS'),
        ('featureGates: [A]', 'featureGates'),
        ('featureGates: {A: "true"}', 'featureGates'),
        ('featureGates: A=true', 'featureGates'),
        ('kubeReserved: {cpu: 1}', 'kubeReserved'),
        ('staticPodURLHeader: {a: b}', 'staticPodURLHeader'),
        ('authentication: yes', 'authentication'),
        ('authentication: {anonymous: false}', 'authentication.anonymous'),
        ('authentication: {anonymous: {enabled: 0}}', 'authentication.anonymous.enabled'),
        ('registerWithTaints: [a]', 'registerWithTaints'),
        ('registerWithTaints: [{key: 1}]', 'registerWithTaints.key'),
        ('registerWithTaints: [{timeAdded: now}]', 'registerWithTaints.timeAdded'),
        ('reservedMemory: [{limits: {memory: x}}]', 'reservedMemory.limits'),
        ('tracing: 1', 'tracing'),
        ('{"maxPods": 110.0}', 'maxPods'),
        ('{"maxPods": 1e2}', 'maxPods'),
        ('{"maxPods": true}', 'maxPods'),
        ('{"memoryThrottlingFactor": 1e400}', 'memoryThrottlingFactor'),
    ],
)
@pytest.mark.parametrize('any_case', [False, True], ids=['main file', 'drop-in'])
def test_a_value_of_the_wrong_type_is_refused(text: str, field: str, any_case: bool) -> None:
    assert refusal(text, any_case=any_case).startswith(f'{field} (/k.yaml:1) is not ')


@pytest.mark.parametrize(
    'text',
    ['makeIPTablesUtilChains: ~', 'maxPods:', 'address: null', 'clusterDNS: ~', 'featureGates: ~', 'authentication: ~']
    + ['cpuCFSQuotaPeriod: ~', 'logging: {flushFrequency: ~}', 'tracing: ~', 'memoryThrottlingFactor: ~']
    + ['authentication: {anonymous: ~}', 'logging: {options: {json: {infoBufferSize: ~}}}', '{"maxPods": null}'],
)
def test_null_is_the_same_as_no_value(text: str) -> None:
    found = defaults(text)
    assert found.values == defaults().values


@pytest.mark.parametrize('field', ['syncFrequency', 'streamingConnectionIdleTimeout', 'shutdownGracePeriod'])
@pytest.mark.parametrize('form', ['{}: ~', '{}:', '{{"{}": null}}'], ids=['tilde', 'empty', 'JSON'])
def test_null_is_not_a_duration(field: str, form: str) -> None:
    assert refusal(form.format(field)) == f'{field} (/k.yaml:1) is not a duration such as 5m'


@pytest.mark.parametrize(
    'text', ['unknownKnob: [1, {a: b}]', 'authentication: {x: 1}', 'a.b: 1', '"": 1', 'logging: {sanitization: 1}']
)
def test_an_unknown_field_is_ignored(text: str) -> None:
    assert decode(text).get(RULE) is None and list(decode(f'{text}\nmaxPods: 5').values)[-1:] == ['maxPods']


@pytest.mark.parametrize('name', ['makeiptablesutilchains', 'MakeIPTablesUtilChains', 'MAKEIPTABLESUTILCHAINS'])
def test_another_case_counts_in_a_drop_in_only(name: str) -> None:
    assert value(f'{name}: false', RULE) is None
    assert value(f'{name}: false', RULE, any_case=True) is False


def test_a_misspelled_field_may_have_any_type_in_the_main_file_only() -> None:
    assert value('MaxPods: x', 'maxPods') is None
    assert refusal('MaxPods: x', any_case=True).startswith('maxPods (/k.yaml:1)')


@pytest.mark.parametrize(
    'name', ['ma\u212aeIPTablesUtilChains', 'makeIPTable\u017fUtilChains'], ids=['kelvin', 'long s']
)
def test_case_folding_is_that_of_encoding_json(name: str) -> None:
    assert value(f'"{name}": false', RULE, any_case=True) is False


@pytest.mark.parametrize(
    'name', ['make\u0130PTablesUtilChains', 'make IPTablesUtilChains', 'make-iptables-util-chains']
)
def test_other_spellings_are_other_names(name: str) -> None:
    assert value(f'"{name}": false', RULE, any_case=True) is None


@pytest.mark.parametrize(
    'drop_in, expected',
    [
        ('makeiptablesutilchains: false', False),
        ('MakeIPTablesUtilChains: false', True),
        ('MAKEIPTABLESUTILCHAINS: false', True),
    ],
)
def test_of_two_spellings_in_a_drop_in_the_later_by_name_wins(drop_in: str, expected: bool) -> None:
    found = merge(tree('makeIPTablesUtilChains: true'), [tree(drop_in, Source.DROP_IN, '/d/1.conf')])
    assert Decoder(any_case=True).decode(found).get(RULE) is expected


def test_two_spellings_of_a_mapping_join() -> None:
    text = 'AUTHENTICATION: {anonymous: {enabled: true}}\nauthentication: {webhook: {enabled: false}}'
    assert value(text, 'authentication', any_case=True) == {
        'anonymous': {'enabled': True},
        'webhook': {'enabled': False},
    }


def test_an_origin_is_the_layer_and_the_line() -> None:
    text = 'maxPods: 5\nauthentication:\n  anonymous:\n    enabled: false\nfeatureGates:\n  A: true\n'
    found = merge(tree(text), [tree('\nmaxPods: 6', Source.DROP_IN, '/d/1.conf')])
    origins = Decoder(any_case=True).decode(found).origins
    assert origins['maxPods'] == Origin(Source.DROP_IN, '/d/1.conf:2', '/d/1.conf', line=2)
    assert origins['authentication.anonymous.enabled'] == Origin(Source.CONFIG_FILE, '/k.yaml:4', '/k.yaml', line=4)
    assert origins['featureGates.A'] == Origin(Source.CONFIG_FILE, '/k.yaml:6', '/k.yaml', line=6)


def test_a_value_without_a_line_has_its_path_only() -> None:
    found = decode('{"address": "\\ud800", "maxPods": 5}')
    assert found.origins['maxPods'] == Origin(Source.CONFIG_FILE, '/k.yaml', '/k.yaml')


@pytest.mark.parametrize(
    'path, by_file, by_flags',
    [
        ('authentication.anonymous.enabled', False, True),
        ('authentication.webhook.enabled', True, False),
        ('authorization.mode', 'Webhook', 'AlwaysAllow'),
        ('readOnlyPort', 0, 10255),
        (RULE, True, True),
        ('streamingConnectionIdleTimeout', 4 * 3600 * SECOND, 4 * 3600 * SECOND),
        ('podPidsLimit', -1, -1),
        ('serializeImagePulls', True, True),
        ('eventRecordQPS', 50, 50),
        ('maxPods', 110, 110),
        ('healthzPort', 10248, 10248),
    ],
)
def test_defaults_depend_on_whether_there_is_a_file(path: str, by_file: Any, by_flags: Any) -> None:
    assert (defaults().get(path) or 0) == by_file
    assert defaults(legacy=True).get(path) == by_flags


def test_a_default_has_the_origin_of_a_default() -> None:
    assert defaults().origins[RULE].source is Source.DEFAULT


@pytest.mark.parametrize(
    'text, path, expected',
    [
        ('makeIPTablesUtilChains: false', RULE, False),
        ('authorization: {mode: AlwaysAllow}', 'authorization.mode', 'AlwaysAllow'),
        ('readOnlyPort: 5', 'readOnlyPort', 5),
        ('authentication: {anonymous: {enabled: true}}', 'authentication.anonymous.enabled', True),
    ],
)
@pytest.mark.parametrize('legacy', [False, True], ids=['file', 'legacy'])
def test_a_default_never_replaces_a_value(text: str, path: str, expected: Any, legacy: bool) -> None:
    found = defaults(text, legacy=legacy)
    assert found.get(path) == expected and found.origins[path].source is Source.CONFIG_FILE


@pytest.mark.parametrize(
    'text, path, expected',
    [
        ('maxPods: 0', 'maxPods', 110),
        ('address: ""', 'address', '0.0.0.0'),
        ('syncFrequency: 0s', 'syncFrequency', 60 * SECOND),
        ('authorization: {mode: ""}', 'authorization.mode', 'Webhook'),
        ('streamingConnectionIdleTimeout: "0"', 'streamingConnectionIdleTimeout', 4 * 3600 * SECOND),
        ('healthzPort: 0', 'healthzPort', 0),
        ('eventRecordQPS: 0', 'eventRecordQPS', 0),
        ('podPidsLimit: 0', 'podPidsLimit', 0),
        ('resolvConf: ""', 'resolvConf', ''),
        ('cpuCFSQuotaPeriod: 0s', 'cpuCFSQuotaPeriod', 0),
        ('enforceNodeAllocatable: []', 'enforceNodeAllocatable', ()),
        ('evictionHard: {}', 'evictionHard', {}),
        ('makeIPTablesUtilChains: false', RULE, False),
    ],
)
def test_an_explicit_zero_is_the_default_for_some_fields_only(text: str, path: str, expected: Any) -> None:
    assert defaults(text).get(path) == expected


@pytest.mark.parametrize(
    'text, expected',
    [
        ('', True),
        ('maxParallelImagePulls: 1', True),
        ('maxParallelImagePulls: 2', False),
        ('maxParallelImagePulls: 5\nserializeImagePulls: true', True),
        ('serializeImagePulls: false', False),
    ],
)
def test_image_pulls_are_serial_unless_several_are_allowed(text: str, expected: bool) -> None:
    assert defaults(text).get('serializeImagePulls') is expected


@pytest.mark.parametrize(
    'text',
    [
        'maxPods: hunter2',
        'featureGates: {hunter2: "x"}',
        'featureGates: {hunter2!: "x"}',
        'staticPodURLHeader: {hunter2: 1}',
        'kubeReserved: {"hunter2 x": 1}',
        'staticPodURLHeader: {"Authorization hunter2": [1]}',
        'staticPodURLHeader: {Authorization: [{hunter2: x}]}',
        'clusterDNS: [[hunter2]]',
        'syncFrequency: hunter2',
        'registerWithTaints: [{key: [hunter2]}]',
        'logging: {flushFrequency: hunter2}',
        'authentication: hunter2',
        '{"maxPods": "hunter2"}',
        'apiVersion: hunter2\nkind: [hunter2]',
    ],
)
def test_an_error_never_contains_file_contents(text: str) -> None:
    error = refusal(text)
    assert 'hunter2' not in error and len(error) < 200


NAMES = st.sampled_from([*(KUBELET_CONFIGURATION.fields or {}), 'MaxPods', 'x', 'enabled', 'anonymous', ''])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(['5m', '1Gi'])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.dictionaries(NAMES, VALUES, max_size=4), st.booleans())
def test_any_configuration_is_decoded_or_refused(base: Any, patch: Any, any_case: bool) -> None:
    try:
        layers = [tree(json.dumps(layer)) for layer in (base, patch)]
        configuration = Decoder(any_case=any_case).decode(layers[0])
        set_defaults(configuration, Release(36))
        Decoder(any_case=True).decode(merge(encode(configuration), layers[1:]))
    except (DocumentError, DocumentTooLarge, DecodingError) as error:
        assert len(str(error)) < 200
