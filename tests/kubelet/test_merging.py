# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.decoding import DEFAULT_ORIGIN, Configuration, Decoder, Tree, tree_of
from datadog_checks.kubelet_compliance.kubelet.defaults import set_defaults
from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.merging import encode, encode_struct, go_name, merge, override
from datadog_checks.kubelet_compliance.kubelet.release import Release
from datadog_checks.kubelet_compliance.model import Origin, Source
from tests.support.paths import TESTS

CONFIGZ = TESTS / 'truth' / 'configz'
RULE = 'makeIPTablesUtilChains'


def tree(text: str, source: Source = Source.CONFIG_FILE, path: str = '/k.yaml') -> Tree:
    return tree_of(parse_document(text.encode()).root, source, path)


def decode(text: str) -> Configuration:
    return Decoder(any_case=False).decode(tree(text))


def merged(*layers: str) -> Any:
    return bare(merge(tree(layers[0]), [tree(layer, Source.DROP_IN, '/d/1.conf') for layer in layers[1:]]))


def bare(found: Tree) -> Any:
    if isinstance(found.value, dict):
        return {key: bare(member) for key, member in found.value.items()}
    return [bare(item) for item in found.value] if isinstance(found.value, list) else found.value


@pytest.mark.parametrize(
    'base, patch, expected',
    [
        ('a: 1', 'b: 2', {'a': 1, 'b': 2}),
        ('a: 1', 'a: 2', {'a': 2}),
        ('a: 1\nb: 2', 'a: ~', {'b': 2}),
        ('b: 2', 'a: ~', {'b': 2}),
        ('a: {b: 1, c: 2}', 'a: {b: ~, d: 3}', {'a': {'c': 2, 'd': 3}}),
        ('a: {b: 1}', 'a: [1]', {'a': [1]}),
        ('a: [1, 2]', 'a: [3]', {'a': [3]}),
        ('a: 1', 'a: {b: ~, c: 1}', {'a': {'c': 1}}),
        ('z: 1', 'a: {b: ~, c: {d: ~}}', {'a': {'c': {}}, 'z': 1}),
        ('z: 1', 'a: [1, ~, 2]', {'a': [1, None, 2], 'z': 1}),
        ('z: 1', 'a: [{b: ~, c: 1}]', {'a': [{'c': 1}], 'z': 1}),
        ('a: ~', 'a: {b: ~, c: 1}', {'a': {'c': 1}}),
        ('a: {b: {c: 1}}', 'a: {b: {c: ~}}', {'a': {'b': {}}}),
        ('b: 1', '{"a": 110.0}', {'a': 110.0, 'b': 1}),
        ('b: 1', '{}', {'b': 1}),
    ],
)
def test_a_drop_in_merges_as_a_json_patch(base: str, patch: str, expected: Any) -> None:
    assert merged(base, patch) == expected


def test_merged_names_are_in_sorted_order() -> None:
    assert list(merged('b: 1\nc: 2', 'a: 3\nB: 4')) == ['B', 'a', 'b', 'c']


def test_a_whole_json_float_counts_as_whole_after_a_merge() -> None:
    found = merge(tree('maxPods: 1'), [tree('{"maxPods": 110.0}', Source.DROP_IN, '/d/1.conf')])
    decoded = Decoder(any_case=True).decode(found)
    assert decoded.get('maxPods') == 110
    assert decoded.origins['maxPods'].source is Source.DROP_IN


@pytest.mark.parametrize('path', sorted(CONFIGZ.glob('*.json')), ids=lambda path: path.stem)
def test_what_a_kubelet_shows_survives_decoding_and_encoding(path: Path) -> None:
    body = json.loads(path.read_text())['kubeletconfig']
    assert bare(encode(decode(json.dumps(body)))) == body


def test_defaults_survive_encoding_and_decoding() -> None:
    found = Configuration()
    set_defaults(found, Release(36))
    again = Decoder(any_case=True).decode(encode(found))
    set_defaults(again, Release(36))
    assert again.values == found.values and again.origins[RULE] == found.origins[RULE]


@pytest.mark.parametrize(
    'text, name, expected',
    [
        ('syncFrequency: 90s', 'syncFrequency', '1m30s'),
        ('syncFrequency: 0s', 'syncFrequency', '0s'),
        ('readOnlyPort: 0', 'readOnlyPort', None),
        ('rotateCertificates: false', 'rotateCertificates', None),
        ('tlsCertFile: ""', 'tlsCertFile', None),
        ('enforceNodeAllocatable: []', 'enforceNodeAllocatable', None),
        ('evictionHard: {}', 'evictionHard', None),
        ('makeIPTablesUtilChains: false', RULE, False),
        ('eventRecordQPS: 0', 'eventRecordQPS', 0),
        ('resolvConf: ""', 'resolvConf', ''),
        ('containerRuntimeEndpoint: ""', 'containerRuntimeEndpoint', ''),
        ('reservedMemory: [{}]', 'reservedMemory', [{'limits': None, 'numaNode': 0}]),
        (
            'shutdownGracePeriodByPodPriority: [{}]',
            'shutdownGracePeriodByPodPriority',
            [{'priority': 0, 'shutdownGracePeriodSeconds': 0}],
        ),
    ],
)
def test_empty_values_are_written_only_as_the_kubelet_does(text: str, name: str, expected: Any) -> None:
    assert bare(encode(decode(text))).get(name) == expected


@pytest.mark.parametrize(
    'path, expected',
    [
        ('makeIPTablesUtilChains', 'MakeIPTablesUtilChains'),
        ('cpuCFSQuota', 'CPUCFSQuota'),
        ('cpuCFSQuotaPeriod', 'CPUCFSQuotaPeriod'),
        ('cpuManagerPolicy', 'CPUManagerPolicy'),
        ('cpuManagerPolicyOptions', 'CPUManagerPolicyOptions'),
        ('cpuManagerReconcilePeriod', 'CPUManagerReconcilePeriod'),
        ('httpCheckFrequency', 'HTTPCheckFrequency'),
        ('iptablesDropBit', 'IPTablesDropBit'),
        ('iptablesMasqueradeBit', 'IPTablesMasqueradeBit'),
        ('oomScoreAdj', 'OOMScoreAdj'),
        ('qosReserved', 'QOSReserved'),
        ('tlsCertFile', 'TLSCertFile'),
        ('tlsCipherSuites', 'TLSCipherSuites'),
        ('tlsMinVersion', 'TLSMinVersion'),
        ('tlsPrivateKeyFile', 'TLSPrivateKeyFile'),
        ('tracing.endpoint', 'endpoint'),
        ('resolvConf', 'ResolverConfig'),
        ('authentication.x509.clientCAFile', 'ClientCAFile'),
        ('logging', 'Logging'),
        ('logging.verbosity', 'verbosity'),
        ('registerWithTaints.key', 'key'),
    ],
)
def test_the_kubelets_own_struct_has_names_of_its_own(path: str, expected: str) -> None:
    assert go_name(path) == expected


def test_the_kubelets_own_struct_is_written_whole() -> None:
    found = bare(encode_struct(decode('maxPods: 5')))
    assert found['MaxPods'] == 5
    assert found['ReadOnlyPort'] == 0 and found['MakeIPTablesUtilChains'] is False
    assert found['TLSCipherSuites'] is None and found['Tracing'] is None
    assert found['MaxParallelImagePulls'] is None and found['MemoryThrottlingFactor'] is None
    assert found['UserNamespaces'] is None
    assert found['Authentication']['X509'] == {'ClientCAFile': ''}
    assert not found.keys() & {'kind', 'Kind', 'apiVersion', 'ApiVersion', 'APIVersion'}


@pytest.mark.parametrize(
    'lower, upper, path, expected',
    [
        ('maxPods: 5', 'maxPods: 6', 'maxPods', 6),
        ('maxPods: 5', 'maxPods: 0', 'maxPods', 5),
        ('rotateCertificates: true', 'rotateCertificates: false', 'rotateCertificates', True),
        ('clusterDNS: [a, b]', 'clusterDNS: [c]', 'clusterDNS', ('c',)),
        ('clusterDNS: [a]', 'clusterDNS: []', 'clusterDNS', ('a',)),
        ('featureGates: {A: true, B: true}', 'featureGates: {A: false}', 'featureGates', {'A': False, 'B': True}),
        ('maxPods: 5', 'featureGates: {A: true}', 'featureGates', {'A': True}),
        ('featureGates: {A: true}', 'maxPods: 5', 'featureGates', {'A': True}),
        ('maxPods: 5', 'tracing: {endpoint: a}', 'tracing.endpoint', 'a'),
        (
            'authentication: {anonymous: {enabled: true}}',
            'authentication: {}',
            'authentication.anonymous.enabled',
            True,
        ),
    ],
)
def test_non_empty_values_of_the_upper_configuration_count(lower: str, upper: str, path: str, expected: Any) -> None:
    assert override(decode(lower), decode(upper)).get(path) == expected


def test_each_value_is_written_with_its_place_or_that_of_what_it_stands_in() -> None:
    file, flag = Origin(Source.CONFIG_FILE, '/k.yaml:1'), Origin(Source.FLAG, '--feature-gates=A=true')
    found = decode('featureGates: {A: true, B: true}\nauthentication: {anonymous: {enabled: true}, x509: {}}')
    found.origins = {'featureGates': file, 'featureGates.A': flag, 'authentication': file}
    for written, gates, authentication, x509 in (
        (encode(found).value, 'featureGates', 'authentication', 'x509'),
        (encode_struct(found).value, 'FeatureGates', 'Authentication', 'X509'),
    ):
        assert written[gates].origin is file
        assert {name: gate.origin for name, gate in written[gates].value.items()} == {'A': flag, 'B': file}
        assert written[authentication].origin is file
        assert written[authentication].value[x509].origin is file
    assert encode_struct(found).value['MaxPods'].origin is DEFAULT_ORIGIN
    listed = decode('clusterDNS: [a]')
    listed.origins = {'clusterDNS': file}
    assert [item.origin for item in encode(listed).value['clusterDNS'].value] == [file]
