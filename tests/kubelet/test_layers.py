# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Main file and drop-ins, by release. Each release's own `mergeKubeletConfigurations` gave the expected values."""

from __future__ import annotations

import re
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.defaults import GATED
from datadog_checks.kubelet_compliance.kubelet.flag_tokens import Terms
from datadog_checks.kubelet_compliance.kubelet.flags import parse_flags
from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.layers import MAX_DROP_IN_VALUES, NotRead, Refused, read_layers
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
    # In its Go name, null takes the member out of the JSON, and what is decoded over keeps its value.
    (RULE, 'makeIPTablesUtilChains: false', ('MakeIPTablesUtilChains: null',), True, False, False),
    ('readOnlyPort', 'readOnlyPort: 10255', ('ReadOnlyPort: null',), 10255, 10255, 10255),
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
    # A field of later releases only.
    ('imageMaximumGCAge', '', ('imageMaximumGCAge: 5h',), 0, 5 * HOURS, 5 * HOURS),
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


@pytest.mark.parametrize(
    'text, place, says',
    [
        (KIND, '/d/0.conf:', 'apiVersion'),
        (f'{HEAD}maxPods: 5\nmaxPods: 5\n', '/d/0.conf:4:', 'twice|duplicate'),
        (
            '{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "a": 1, "a": 1}',
            '/d/0.conf:', 'twice|duplicate',
        ),
        (IDENTITIES['a number too large'][0], '/d/0.conf:', 'number'),
        ('', '/d/0.conf:', 'empty'),
        ('a: [', '/d/0.conf:', 'YAML'),
        (f'{HEAD}maxPods: x\n', 'maxPods (/d/0.conf:3)', 'integer'),
    ],
)  # fmt: skip
def test_a_drop_in_that_is_refused_is_named_with_the_reason(text: str, place: str, says: str) -> None:
    with pytest.raises(Refused) as raised:
        layers(36, HEAD, text)
    _, found, reason = str(raised.value).partition(f'{place} ')
    assert found and re.search(says, reason)


@pytest.mark.parametrize('minor', MINORS)
def test_without_drop_ins_all_releases_agree(minor: int) -> None:
    assert value(minor, RULE, f'{HEAD}makeIPTablesUtilChains: false\n') is False
    assert value(minor, 'authorization.mode', None) == 'AlwaysAllow'


@pytest.mark.parametrize('minor', MINORS)
def test_a_drop_in_that_decides_is_the_origin(minor: int) -> None:
    found = layers(minor, f'{HEAD}maxPods: 5\nreadOnlyPort: 1\n', f'{HEAD}maxPods: 6\n')
    assert found.origins['maxPods'] == Origin(Source.DROP_IN, '/d/0.conf:3', '/d/0.conf', line=3)
    assert found.origins['readOnlyPort'] == Origin(Source.CONFIG_FILE, '/k/c.yaml:4', '/k/c.yaml', line=4)


def test_a_path_in_a_drop_in_is_absolute_in_1_28_only() -> None:
    text = f'{HEAD}staticPodPath: a\n'
    assert [value(minor, 'staticPodPath', HEAD, text) for minor in MINORS] == ['/d/a', 'a', 'a', 'a', 'a', 'a']


@pytest.mark.parametrize(
    'path',
    [
        'staticPodPath', 'authentication.x509.clientCAFile', 'tlsCertFile', 'tlsPrivateKeyFile', 'resolvConf',
        'volumePluginDir', 'podLogsDir',
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    'text, expected', [('a', '/k/a'), ('./a/../b', '/k/b'), ('../a', '/a'), ('/a', '/a'), ('/a/../b', '/a/../b')]
)
def test_a_relative_path_in_the_main_file_is_meant_from_its_folder(path: str, text: str, expected: str) -> None:
    *parents, name = path.split('.')
    main = ''.join(f'{parent}: {{' for parent in parents) + f'{name}: {text}' + '}' * len(parents)
    found = layers(36, f'{HEAD}{main}\n')
    assert (found.get(path), found.origins[path].place) == (expected, '/k/c.yaml:3')


def test_no_path_is_made_of_one_that_is_empty_or_in_a_file_that_is_named_without_a_folder() -> None:
    assert layers(36, f'{HEAD}tlsCertFile: ""\n').get('tlsCertFile') == ''
    evidence = Evidence(Process(1, 100, ()), File('c.yaml', f'{HEAD}tlsCertFile: a\n'.encode(), None))
    assert read_layers(evidence, parse_flags((), Terms(Release(36))), Release(36)).get('tlsCertFile') == 'a'


@pytest.mark.parametrize('more, is_read', [(0, True), (1, False)])
def test_all_drop_ins_together_hold_a_bounded_number_of_values(more: int, is_read: bool) -> None:
    def drop_in(values: int) -> str:
        return f'{HEAD}a: [{", ".join("1" * values)}]\n'

    without = parse_document(drop_in(0).encode()).root.size
    texts = drop_in(MAX_DROP_IN_VALUES // 2 - without), drop_in(MAX_DROP_IN_VALUES // 2 - without + more)
    if is_read:
        assert layers(36, HEAD, *texts).get(RULE) is True
    else:
        with pytest.raises(NotRead) as raised:
            layers(36, HEAD, *texts)
        assert (raised.value.what.path, str(MAX_DROP_IN_VALUES) in raised.value.what.why) == ('/d', True)
        assert raised.value.what.remedy


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


@pytest.mark.parametrize('minor', MINORS)
@pytest.mark.parametrize(
    'argv, expected',
    [
        pytest.param((), {'A': False, 'B': True}, id='by the file alone'),
        pytest.param(('--feature-gates=C=true',), {'A': False, 'B': True, 'C': True}, id='another gate'),
        pytest.param(('--feature-gates=A=true',), {'A': True, 'B': True}, id='the same gate'),
        pytest.param(('--feature-gates=',), {'A': False, 'B': True}, id='no gate'),
    ],
)
def test_a_gate_of_a_flag_leaves_the_other_gates_of_the_file_as_they_are(
    argv: tuple[str, ...], expected: dict[str, bool], minor: int
) -> None:
    """A gate that a file turns off stays off behind a flag that sets another one."""
    found = layers(minor, f'{HEAD}featureGates: {{A: false, B: true}}\n', argv=argv)
    assert found.get('featureGates') == expected
    assert found.origins['featureGates.B'].source is Source.CONFIG_FILE
    assert found.origins['featureGates.A'].source is (Source.FLAG if 'A=' in ''.join(argv) else Source.CONFIG_FILE)


@pytest.mark.parametrize('minor', MINORS)
@pytest.mark.parametrize('main', [None, f'{HEAD}maxPods: 6\n'])
def test_beneath_a_flag_stays_what_it_was_laid_over(main: str | None, minor: int) -> None:
    found = layers(minor, main, argv=('--max-pods=5', '--make-iptables-util-chains=false'))
    assert found.get('maxPods') == 5
    assert found.beneath == {'maxPods': 110 if main is None else 6, RULE: True}


@pytest.mark.parametrize('minor', MINORS)
def test_of_the_mappings_only_gates_of_a_flag_are_added_to_those_of_the_file(minor: int) -> None:
    found = layers(minor, f'{HEAD}systemReserved: {{cpu: 1m}}\n', argv=('--system-reserved=memory=1Gi',))
    assert found.get('systemReserved') == {'memory': '1Gi'}


@pytest.mark.parametrize('minor', MINORS)
def test_a_drop_in_has_only_the_fields_of_its_release(minor: int) -> None:
    """`tlsCurvePreferences` came with 1.36: before, whatever it holds is passed over."""
    found = value(minor, 'tlsCurvePreferences', HEAD, f'{HEAD}tlsCurvePreferences: x\n')
    own_name = value(minor, 'tlsCurvePreferences', HEAD, f'{HEAD}TLSCurvePreferences: x\n')
    assert (found == REFUSED) is (own_name == REFUSED) is (minor == 36)


@pytest.mark.parametrize('drop_ins', [(), (f'{HEAD}maxPods: 5\n',)], ids=['a file', 'a drop-in'])
@pytest.mark.parametrize('path, gate', GATED.items())
def test_defaults_depend_on_the_gates_of_the_flags(path: str, gate: str, drop_ins: tuple[str, ...]) -> None:
    on, off = (layers(36, HEAD, *drop_ins, argv=(f'--feature-gates={gate}={state}',)) for state in ('true', 'false'))
    assert on.get(path) is not None
    assert off.get(path) is None
