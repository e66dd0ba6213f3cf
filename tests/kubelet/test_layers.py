# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Main file and drop-ins, by release. Each release's own `mergeKubeletConfigurations` gave the expected values."""

from __future__ import annotations

from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.flag_tokens import Terms
from datadog_checks.kubelet_compliance.kubelet.flags import parse_flags
from datadog_checks.kubelet_compliance.kubelet.layers import Refused, read_layers
from datadog_checks.kubelet_compliance.kubelet.release import Release
from datadog_checks.kubelet_compliance.model import DropIns, Evidence, File, Origin, Process, Source
from tests.support.nodes import HEAD

RULE = 'makeIPTablesUtilChains'
HOURS = 3600 * 1_000_000_000
REFUSED = 'refused'
MINORS = (28, 29, 30, 31, 32, 36)
KIND = 'kind: KubeletConfiguration\n'


def layers(minor: int, main: str | None, *drop_ins: str, argv: tuple[str, ...] = ()) -> Configuration:
    files = tuple(File(f'/d/{n}.conf', text.encode(), None) for n, text in enumerate(drop_ins))
    config = None if main is None else File('/k/c.yaml', main.encode(), None)
    evidence = Evidence(Process(1, 100, argv), config, DropIns('/d', files, None) if drop_ins else None)
    return read_layers(evidence, parse_flags(argv, Terms(Release(minor))), Release(minor))


def value(minor: int, path: str, main: str | None, *drop_ins: str) -> Any:
    try:
        return layers(minor, main, *drop_ins).get(path)
    except Refused:
        return REFUSED


# Field, main file, drop-ins, and the value in 1.28, in 1.29 to 1.31, and from 1.32 on.
MERGES: tuple[tuple[str, str | None, tuple[str, ...], Any, Any, Any], ...] = (
    (RULE, 'makeIPTablesUtilChains: true', ('makeIPTablesUtilChains: false',), True, False, False),
    (RULE, 'makeIPTablesUtilChains: false', ('makeIPTablesUtilChains: true',), True, True, True),
    (RULE, 'makeIPTablesUtilChains: false', ('maxPods: 5',), True, False, False),
    (RULE, 'makeIPTablesUtilChains: false', ('makeIPTablesUtilChains: null',), True, False, True),
    (RULE, 'makeIPTablesUtilChains: false', (f'{RULE}: true', f'{RULE}: null'), True, False, True),
    (RULE, 'makeIPTablesUtilChains: true', ('MakeIPTablesUtilChains: false',), True, False, True),
    (RULE, 'makeIPTablesUtilChains: true', ('MAKEIPTABLESUTILCHAINS: false',), True, True, True),
    (RULE, 'makeIPTablesUtilChains: true', ('makeiptablesutilchains: false',), True, False, False),
    ('readOnlyPort', '', ('ReadOnlyPort: 10255',), 0, 10255, 10255),
    ('readOnlyPort', '', ('READONLYPORT: 10255',), 0, 0, 10255),
    ('rotateCertificates', 'rotateCertificates: false', ('RotateCertificates: true',), False, True, True),
    ('protectKernelDefaults', '', ('PROTECTKERNELDEFAULTS: true',), False, False, True),
    ('tlsCertFile', '', ('TLSCertFile: /a',), '', '/a', '/a'),
    ('streamingConnectionIdleTimeout', '', ('streamingConnectionIdleTimeout: 0s',), 4 * HOURS, 0, 4 * HOURS),
    ('streamingConnectionIdleTimeout', '', ('streamingConnectionIdleTimeout: null',), REFUSED, 4 * HOURS, 4 * HOURS),
    ('authorization.mode', None, ('maxPods: 5',), 'Webhook', 'AlwaysAllow', 'AlwaysAllow'),
    ('authorization.mode', None, ('authorization: {mode: null}',), 'Webhook', 'AlwaysAllow', 'Webhook'),
    ('resolvConf', '', ('resolvConf: /a',), '/a', '/etc/resolv.conf', '/a'),
    ('resolvConf', '', ('ResolverConfig: /a',), '/etc/resolv.conf', '/a', '/etc/resolv.conf'),
    ('clusterDNS', 'clusterDNS: [a, b]', ('clusterDNS: [null, c]',), ('', 'c'), ('a', 'c'), ('', 'c')),
    ('clusterDNS', 'clusterDNS: [a, b]', ('clusterDNS: []',), ('a', 'b'), (), ()),
    ('tlsCipherSuites', '', ('tlsCipherSuites: [null]',), ('',), ('',), ('',)),
    ('enforceNodeAllocatable', 'enforceNodeAllocatable: []', ('maxPods: 5',), ('pods',), (), ('pods',)),
    ('featureGates', 'featureGates: {A: true}', ('featureGates: {A: null, B: true}',), {'A': False, 'B': True},
     {'A': True, 'B': True}, {'B': True}),
    (RULE, '', ('{"makeIPTablesUtilChains": false, "makeIPTablesUtilChains": true}',), REFUSED, REFUSED, REFUSED),
)  # fmt: skip


@pytest.mark.parametrize('minor', MINORS)
@pytest.mark.parametrize(
    'path, main, drop_ins, in_28, in_29, since_32', MERGES, ids=[f'{n}-{row[0]}' for n, row in enumerate(MERGES)]
)
def test_drop_ins_merge_as_in_each_release(
    path: str, main: str | None, drop_ins: tuple[str, ...], in_28: Any, in_29: Any, since_32: Any, minor: int
) -> None:
    expected = in_28 if minor == 28 else in_29 if minor < 32 else since_32
    texts = [text if text.startswith('{') else HEAD + text + '\n' for text in drop_ins]
    assert value(minor, path, None if main is None else HEAD + main + '\n', *texts) == expected


# A drop-in, and the releases that accept it.
IDENTITIES = {
    'both': (HEAD, MINORS),
    'no apiVersion': (KIND, (29, 30, 31)),
    'another apiVersion': (f'{KIND}apiVersion: v1\n', (29, 30, 31)),
    'another kind': ('kind: ConfigMap\n', (29, 30, 31)),
    'an apiVersion that is none': (f'{KIND}apiVersion: a/b/c\n', ()),
    'no kind': ('apiVersion: kubelet.config.k8s.io/v1beta1\n', ()),
    'kind in other letters': ('apiVersion: kubelet.config.k8s.io/v1beta1\nKind: KubeletConfiguration\n', (28,)),
    'a number beside it': (f'{HEAD}Kind: 5\n', ()),
    'a list beside it': (f'{HEAD}apiversion: []\n', ()),
    'another text beside it': (f'{HEAD}Kind: a\n', (28, 29, 30, 31, 32, 36)),
    'a key twice': (f'{HEAD}maxPods: 5\nmaxPods: 5\n', (28,)),
    'a number too large': (
        '{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "a": [1e999]}', (28,),
    ),
    'nothing': ('', ()),
    'a comment': ('# a\n', ()),
}  # fmt: skip


@pytest.mark.parametrize('minor', MINORS)
@pytest.mark.parametrize('text, takers', IDENTITIES.values(), ids=IDENTITIES)
def test_each_release_requires_its_own_identity_in_a_drop_in(text: str, takers: tuple[int, ...], minor: int) -> None:
    assert (value(minor, RULE, HEAD, text) != REFUSED) is (minor in takers)


@pytest.mark.parametrize('minor', MINORS)
def test_without_drop_ins_all_releases_agree(minor: int) -> None:
    assert value(minor, RULE, f'{HEAD}makeIPTablesUtilChains: false\n') is False
    assert value(minor, 'authorization.mode', None) == 'AlwaysAllow'


@pytest.mark.parametrize('minor', MINORS)
def test_a_drop_in_that_decides_is_the_origin(minor: int) -> None:
    found = layers(minor, f'{HEAD}maxPods: 5\nreadOnlyPort: 1\n', f'{HEAD}maxPods: 6\n')
    assert found.origins['maxPods'] == Origin(Source.DROP_IN, '/d/0.conf:3', '/d/0.conf')
    assert found.origins['readOnlyPort'] == Origin(Source.CONFIG_FILE, '/k/c.yaml:4', '/k/c.yaml')


def test_a_path_in_a_drop_in_is_absolute_in_1_28_only() -> None:
    text = f'{HEAD}staticPodPath: a\n'
    assert [value(minor, 'staticPodPath', HEAD, text) for minor in MINORS] == ['/d/a', 'a', 'a', 'a', 'a', 'a']


@pytest.mark.parametrize('kind', ['text', 'json'])
def test_flags_reset_a_field_that_a_file_sets(kind: str) -> None:
    field = f'logging.options.{kind}.splitStream'
    main = f'{HEAD}logging: {{options: {{{kind}: {{splitStream: true}}}}}}\n'
    assert layers(36, main).get(field) is False
    assert layers(36, main, argv=(f'--log-{kind}-split-stream',)).get(field) is True


JSON_HEAD = '{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", '


@pytest.mark.parametrize(
    'members, path, expected',
    [
        ('"makeIPTablesUtilChains": false, "makeIPTablesUtilChains": null', RULE, True),
        ('"makeIPTablesUtilChains": null, "makeIPTablesUtilChains": false', RULE, False),
        ('"readOnlyPort": 5, "readOnlyPort": null', 'readOnlyPort', 5),
        ('"clusterDNS": ["a", "b"], "clusterDNS": [null]', 'clusterDNS', ('a',)),
        ('"clusterDNS": ["a"], "clusterDNS": null', 'clusterDNS', None),
        ('"featureGates": {"A": true}, "featureGates": {"B": true}', 'featureGates', {'A': True, 'B': True}),
        ('"featureGates": {"A": true, "A": null}', 'featureGates', {'A': False}),
        ('"memorySwap": {"swapBehavior": "a"}, "memorySwap": null', 'memorySwap.swapBehavior', 'a'),
        ('"tlsCertFile": "a", "tlsCertFile": null', 'tlsCertFile', '/k/a'),
        ('"maxPods": "x", "maxPods": 5', 'maxPods', REFUSED),
        ('"maxPods": 5, "maxPods": 1.0', 'maxPods', REFUSED),
        ('"maxPods": 5, "a": 1e999', 'maxPods', 5),
    ],
)
def test_duplicate_json_keys_are_decoded_over_each_other(members: str, path: str, expected: Any) -> None:
    assert value(36, path, f'{JSON_HEAD}{members}}}') == expected
