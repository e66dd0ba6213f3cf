# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st

from datadog_checks.kubelet_compliance.kubelet import flags
from datadog_checks.kubelet_compliance.kubelet.flag_tokens import FlagError, Terms, UnknownFlag
from datadog_checks.kubelet_compliance.kubelet.flags import Flags, iter_field_values
from datadog_checks.kubelet_compliance.kubelet.release import Release
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS

RULE = 'make-iptables-util-chains'


def parse_flags(arguments: Sequence[str]) -> Flags:
    """Parse as the newest release that has all of the flags, 1.36 at most."""
    known = [FLAGS.get(argument.partition('=')[0].lstrip('-').replace('_', '-')) for argument in arguments]
    minor = min([36, *(flag.until for flag in known if flag is not None and flag.until is not None)])
    return flags.parse_flags(arguments, Terms(Release(minor)))


def parse_flags_again(arguments: Sequence[str]) -> Flags:
    return flags.parse_flags_again(arguments, Terms(Release(36)))


def values(*arguments: str) -> dict[str, Any]:
    return {name: given.value for name, given in parse_flags(arguments).values.items()}


def values_again(*arguments: str) -> dict[str, Any]:
    return {name: given.value for name, given in parse_flags_again(arguments).values.items()}


@pytest.mark.parametrize(
    'argument, expected',
    [
        ('--make-iptables-util-chains', True),
        ('--make-iptables-util-chains=true', True),
        ('--make-iptables-util-chains=T', True),
        ('--make-iptables-util-chains=1', True),
        ('--make-iptables-util-chains=false', False),
        ('--make-iptables-util-chains=FALSE', False),
        ('--make-iptables-util-chains=f', False),
        ('--make-iptables-util-chains=0', False),
        ('--make_iptables_util_chains=false', False),
        ('--make-iptables_util-chains=false', False),
        ('--make_iptables_util_chains', True),
    ],
)
def test_a_boolean_flag_is_read(argument: str, expected: bool) -> None:
    assert values(argument) == {RULE: expected}


@pytest.mark.parametrize('text', ['', 'yes', 'no', 'on', 'off', 'tRUE', '2', ' false', '"false"', 'false '])
def test_a_boolean_flag_refuses_other_words(text: str) -> None:
    with pytest.raises(FlagError):
        parse_flags([f'--{RULE}={text}'])


@pytest.mark.parametrize('following', ['false', 'true', '0'])
def test_a_boolean_flag_never_takes_the_next_argument(following: str) -> None:
    with pytest.raises(FlagError, match='unexpected positional argument'):
        parse_flags([f'--{RULE}', following])


@pytest.mark.parametrize(
    'arguments, expected',
    [
        ((f'--{RULE}=true', f'--{RULE}=false'), False),
        ((f'--{RULE}=false', f'--{RULE}'), True),
        ((f'--{RULE}=false', '--make_iptables_util_chains=true'), True),
    ],
    ids=['false last', 'bare last', 'other spelling last'],
)
def test_the_last_of_a_repeated_flag_wins(arguments: tuple[str, ...], expected: bool) -> None:
    assert values(*arguments) == {RULE: expected}


def test_a_repeated_flag_is_refused_for_any_of_its_values() -> None:
    with pytest.raises(FlagError):
        parse_flags([f'--{RULE}=maybe', f'--{RULE}=true'])


@pytest.mark.parametrize(
    'swallowed', ['--', '-', '', '--make-iptables-util-chains=false', '--help', '--nosuchflag', 'x', '-v5']
)
def test_a_flag_with_a_value_takes_any_next_argument(swallowed: str) -> None:
    assert values('--hostname-override', swallowed) == {'hostname-override': swallowed}


def test_arguments_after_a_taken_value_are_read() -> None:
    assert values('--hostname-override', '--', f'--{RULE}=false') == {'hostname-override': '--', RULE: False}


@pytest.mark.parametrize(
    'argument, expected',
    [('--config=', ''), ('--config=a=b', 'a=b'), ('--config=--', '--'), ('--config= /x ', ' /x ')],
    ids=['empty', 'second equals sign', 'dashes', 'blanks'],
)
def test_a_value_is_all_after_the_first_equals_sign(argument: str, expected: str) -> None:
    assert values(argument) == {'config': expected}


@pytest.mark.parametrize(
    'arguments',
    [('x',), ('',), ('-',), ('--', 'x'), ('--', f'--{RULE}'), (f'--{RULE}', ''), ('--config=a', '-')],
    ids=['word', 'empty', 'dash', 'after --', 'flag after --', 'empty after flag', 'dash after flag'],
)
def test_a_positional_argument_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(FlagError, match='unexpected positional argument'):
        parse_flags(arguments)


@pytest.mark.parametrize('arguments', [(), ('--',), (f'--{RULE}', '--')], ids=['none', '--', '-- last'])
def test_nothing_after_two_dashes_is_no_error(arguments: tuple[str, ...]) -> None:
    assert parse_flags(arguments).exits is False


@pytest.mark.parametrize(
    'argument',
    ['--nosuchflag', '--nosuchflag=1', '--Config=a', '--make-iptables-util-chain', '--no-make-iptables-util-chains']
    + ['-x', '-h=', '-makeiptables', '-c=a', '--config-', '--max--pods=1'],
)
def test_a_flag_of_no_kubelet_is_unknown(argument: str) -> None:
    with pytest.raises(UnknownFlag, match='unknown kubelet flag'):
        parse_flags([argument])


@pytest.mark.parametrize('argument', ['---config=a', '--=a', '---'])
def test_bad_flag_syntax_is_refused(argument: str) -> None:
    with pytest.raises(FlagError, match='bad flag syntax'):
        parse_flags([argument])


@pytest.mark.parametrize('argument', ['--config', '--max-pods', '--cluster_dns', '-v'])
def test_a_flag_without_its_value_is_refused(argument: str) -> None:
    with pytest.raises(FlagError, match='needs a value'):
        parse_flags([argument])


@pytest.mark.parametrize(
    'arguments',
    [('-v5',), ('-v=5',), ('-v', '5'), ('--v=5',), ('--v', '5')],
    ids=['-v5', '-v=5', '-v 5', '--v=5', '--v 5'],
)
def test_a_short_flag_takes_its_value_in_every_form(arguments: tuple[str, ...]) -> None:
    assert values(*arguments, f'--{RULE}=false') == {'v': 5, RULE: False}


@pytest.mark.parametrize('argument', ['-v=', '-vx', '-v=x', '-v5x', '-v=-1', '-h5', '-hx', '-v99999999999'])
def test_a_short_flag_refuses_a_wrong_value(argument: str) -> None:
    with pytest.raises(FlagError):
        parse_flags([argument])


@pytest.mark.parametrize(
    'arguments',
    [
        ('--help',),
        ('-h',),
        ('--help=true',),
        ('-h=1',),
        ('-hv3',),
        ('--version',),
        ('--version=raw',),
        ('--version=1',),
    ],
    ids=' '.join,
)
def test_help_and_version_end_the_kubelet(arguments: tuple[str, ...]) -> None:
    assert parse_flags([*arguments, f'--{RULE}']).exits is True


@pytest.mark.parametrize(
    'argument', ['--help=false', '-h=false', '--version=false', '--version=v1.36.2', f'--{RULE}', '--v=1']
)
def test_other_flags_do_not_end_the_kubelet(argument: str) -> None:
    assert parse_flags([argument]).exits is False


@pytest.mark.parametrize('argument', ['--version=', '--version=x', '--version=1.34'])
def test_version_refuses_other_words(argument: str) -> None:
    with pytest.raises(FlagError):
        parse_flags([argument])


@pytest.mark.parametrize('argument', ['--help=false', '--help', '-h', '-h=false'])
def test_help_in_any_form_ends_a_kubelet_with_a_file(argument: str) -> None:
    with pytest.raises(FlagError, match='--help'):
        parse_flags_again([argument])


@pytest.mark.parametrize(
    'arguments, expected',
    [
        (('--cluster-dns=a', '--cluster-dns=b,c'), {'cluster-dns': ('a', 'b', 'c')}),
        (('--cluster-dns=',), {'cluster-dns': ()}),
        (('--cluster-dns=a', '--cluster-dns='), {'cluster-dns': ('a',)}),
        (('--cluster-dns="a,b",c',), {'cluster-dns': ('a,b', 'c')}),
        (('--cluster-dns="a""b"',), {'cluster-dns': ('a"b',)}),
        (('--cluster-dns=a,,b,',), {'cluster-dns': ('a', '', 'b', '')}),
        (('--cluster-dns= a ,b',), {'cluster-dns': (' a ', 'b')}),
        (('--cluster-dns=a\nb',), {'cluster-dns': ('a',)}),
        (('--cluster-dns=\na',), {'cluster-dns': ('a',)}),
        (('--cluster-dns=a\r',), {'cluster-dns': ('a',)}),
        (('--cluster-dns=a\r\nb',), {'cluster-dns': ('a',)}),
        (('--cluster-dns=a\rb',), {'cluster-dns': ('a\rb',)}),
        (('--cluster-dns="a\nb",c',), {'cluster-dns': ('a\nb', 'c')}),
        (('--feature-gates=A=true', '--feature-gates=B=false,A=f'), {'feature-gates': {'A': False, 'B': False}}),
        (('--feature-gates=',), {'feature-gates': {}}),
        (('--feature-gates=,A=1,',), {'feature-gates': {'A': True}}),
        (('--kube-reserved=cpu=1', '--kube-reserved= memory = 1Gi'), {'kube-reserved': {'cpu': '1', 'memory': '1Gi'}}),
        (('--kube-reserved=a=b=c',), {'kube-reserved': {'a': 'b=c'}}),
        (('--cpu-manager-policy-options=a=b,c',), {'cpu-manager-policy-options': {'a': 'b,c'}}),
        (
            ('--eviction-hard=memory.available<1Gi,nodefs.available<5%',),
            {'eviction-hard': {'memory.available': '1Gi', 'nodefs.available': '5%'}},
        ),
        (('--manifest-url-header=a:b',), {'manifest-url-header': {'a': 'b'}}),
        (('--node-labels=a=b', '--node-labels=c'), {'node-labels': {'a': 'b', 'c': ''}}),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, tuple) else '',
)
def test_list_and_map_flags_add_up(arguments: tuple[str, ...], expected: dict[str, Any]) -> None:
    assert values(*arguments) == expected


@pytest.mark.parametrize(
    'argument',
    [
        '--cluster-dns="a',
        '--cluster-dns=a"b',
        '--cluster-dns="a"b',
        '--cluster-dns=\n',
        '--feature-gates=A',
        '--feature-gates=A=',
        '--feature-gates=A=yes',
        '--feature-gates=A=yes,A=true',
        '--kube-reserved=cpu',
        '--cpu-manager-policy-options=',
        '--eviction-hard=memory.available=1Gi',
        '--max-pods=',
        '--max-pods=x',
        '--max-pods=1.0',
        '--max-pods=08',
        '--max-pods=2147483648',
        '--max-open-files=9223372036854775808',
        '--log-file-max-size=-1',
        '--sync-frequency=300',
        '--sync-frequency=',
        '--address=localhost',
        '--address=256.0.0.1',
        '--address=::1%eth0',
        '--address= 1.2.3.4',
        '--chaos-chance=x',
        '--register-with-taints=a=b',
        '--register-with-taints=a=b:Never',
        '--reserved-memory=x',
        '--log-json-info-buffer-size=x',
        '--stderrthreshold=loud',
        '--log-backtrace-at=x',
        '--vmodule=x',
    ],
)
def test_a_value_of_the_wrong_type_is_refused(argument: str) -> None:
    with pytest.raises(FlagError, match='has an invalid value'):
        parse_flags([argument])


@pytest.mark.parametrize(
    'argument, expected',
    [
        ('--max-pods=0x10', 16),
        ('--max-pods=-1', -1),
        ('--max-pods=1_0', 10),
        ('--sync-frequency=1m30s', 90_000_000_000),
        ('--sync-frequency=0', 0),
        ('--address=010.0.0.1', '10.0.0.1'),
        ('--address=::1', '::1'),
        ('--address=', ''),
        ('--chaos-chance=.5', 0.5),
        ('--container-runtime=remote', 'remote'),
        ('--register-with-taints=a=b:NoSchedule,c:NoExecute', 'a=b:NoSchedule,c:NoExecute'),
        ('--reserved-memory=0:memory=1Gi', '0:memory=1Gi'),
        ('--log-json-info-buffer-size=1Ki', '1Ki'),
        ('--stderrthreshold=2', '2'),
        ('--log-backtrace-at=file.go:12', 'file.go:12'),
        ('--vmodule=a=1,b=2', 'a=1,b=2'),
    ],
)
def test_a_value_of_the_right_type_is_read(argument: str, expected: Any) -> None:
    assert list(values(argument).values()) == [expected]


def test_an_error_never_contains_a_value() -> None:
    with pytest.raises(FlagError) as caught:
        parse_flags(['--max-pods=hunter2'])
    assert 'hunter2' not in str(caught.value) and '--max-pods' in str(caught.value)


def test_an_unknown_flag_is_named_in_short_and_without_its_value() -> None:
    with pytest.raises(UnknownFlag) as caught:
        parse_flags(['--' + 'x' * 5000 + '=hunter2'])
    assert 'hunter2' not in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.parametrize(
    'arguments, expected',
    [
        ((f'--{RULE}=false',), f'--{RULE}=false'),
        (('--make_iptables_util_chains',), '--make_iptables_util_chains'),
        ((f'--{RULE}=true', '--make_iptables_util_chains=0'), '--make_iptables_util_chains=0'),
    ],
    ids=['with a value', 'bare', 'the last one'],
)
def test_a_flag_is_kept_as_it_was_typed(arguments: tuple[str, ...], expected: str) -> None:
    assert parse_flags(arguments).values[RULE].typed == expected


def test_a_flag_and_its_next_argument_are_kept_as_typed() -> None:
    assert parse_flags(['--max-pods', '5']).values['max-pods'].typed == '--max-pods 5'
    assert parse_flags(['-v', '5']).values['v'].typed == '-v 5'


@pytest.mark.parametrize(
    'arguments',
    [
        ('--enable-load-reader', f'--{RULE}=false'),
        ('--log_cadvisor_usage', f'--{RULE}=false'),
        ('--storage-driver-secure', f'--{RULE}=false'),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_bare_library_boolean_takes_the_next_argument_in_the_second_parse(arguments: tuple[str, ...]) -> None:
    assert values(*arguments)[RULE] is False
    assert values_again(*arguments) == {}


@pytest.mark.parametrize('arguments', [(f'--{RULE}=false', '--enable-load-reader'), ('--version',)], ids=' '.join)
def test_a_bare_library_boolean_at_the_end_is_refused_in_the_second_parse(arguments: tuple[str, ...]) -> None:
    with pytest.raises(FlagError, match='needs a value'):
        parse_flags_again(arguments)


def test_library_flags_have_no_effect_in_the_second_parse() -> None:
    assert values_again('--housekeeping-interval=x', '--version=x', f'--{RULE}=false') == {RULE: False}


def test_a_kubelet_boolean_remains_bare_in_the_second_parse() -> None:
    assert values_again(f'--{RULE}', '--max-pods=5') == {RULE: True, 'max-pods': 5}


@pytest.mark.parametrize(
    'labels',
    [
        '',
        'a=b',
        'a',
        'a=',
        'example.com/a=b',
        'kubernetes.io/hostname=n1',
        'kubernetes.io/os=linux',
        'kubernetes.io/arch=amd64',
        'topology.kubernetes.io/zone=z',
        'failure-domain.beta.kubernetes.io/region=r',
        'beta.kubernetes.io/instance-type=m',
        'node.kubernetes.io/anything=x',
        'kubelet.kubernetes.io/anything=x',
        'sub.node.kubernetes.io/x=y',
        'notkubernetes.io/x=y',
        f'a={"b" * 63}',
        'a=b,c=d',
        # The arguments of OpenShift's own kubelet, on every node.
        'node-role.kubernetes.io/worker,node.openshift.io/os_id=rhcos',
        'node-role.kubernetes.io/control-plane,node-role.kubernetes.io/master,node.openshift.io/os_id=rhcos',
    ],
)
def test_a_label_that_a_kubelet_may_set_is_accepted(labels: str) -> None:
    assert 'node-labels' in values(f'--node-labels={labels}')


@pytest.mark.parametrize(
    'labels',
    [
        'kubernetes.io/x=y',
        'k8s.io/x=y',
        'node-role.kubernetes.io/master=',
        'node-role.kubernetes.io/worker',
        'node-role.kubernetes.io/other,node.openshift.io/os_id=rhcos',
        'a.k8s.io/x=y',
        'beta.kubernetes.io/zone=z',
        'a b=c',
        '-a=b',
        '=b',
        '/a=b',
        'a/b/c=d',
        'UPPER.com/a=b',
        f'{"a" * 64}=b',
        f'a={"b" * 64}',
        'a=b c',
        'a=-b',
        'a=b=c',
        'ok=yes,k8s.io/x=y',
    ],
)
def test_a_label_that_a_kubelet_may_not_set_is_refused(labels: str) -> None:
    with pytest.raises(FlagError, match='--node-labels'):
        parse_flags([f'--node-labels={labels}'])


def test_a_kubelet_that_prints_its_help_does_not_check_labels() -> None:
    assert parse_flags(['--help', '--node-labels=k8s.io/x=y']).exits is True


def test_flags_set_fields() -> None:
    flags = parse_flags([f'--{RULE}=false', '--read-only-port=0', '--rotate-server-certificates', '--config=a'])
    assert {field: given.value for field, given in iter_field_values(flags)} == {
        'makeIPTablesUtilChains': False,
        'readOnlyPort': 0,
        'serverTLSBootstrap': True,
    }


@pytest.mark.parametrize(
    'argument', ['--vmodule=a=1', '--register-with-taints=a:NoExecute', '--manifest-url-header=a:b']
)
def test_flags_with_another_form_than_their_field_set_no_field(argument: str) -> None:
    assert iter_field_values(parse_flags([argument])) == []


@pytest.mark.parametrize(
    'arguments, expected',
    [((), ''), (('--config=a',), 'a'), (('--config=a', '--config='), ''), (('--config', '--x'), '--x')],
    ids=['not given', 'given', 'emptied', 'swallowed'],
)
def test_a_text_flag_is_available_by_name(arguments: tuple[str, ...], expected: str) -> None:
    assert parse_flags(arguments).text('config') == expected


def argument_texts() -> st.SearchStrategy[str]:
    """Text from /proc: any bytes, with invalid UTF-8 as surrogates."""
    raw = st.binary(max_size=40).map(lambda data: data.decode('utf-8', 'surrogateescape'))
    names = st.sampled_from(sorted(FLAGS))
    words = st.sampled_from(
        [
            'true',
            'false',
            '0',
            '1',
            '',
            '5m',
            'a=b',
            'a<b',
            'a:b',
            '"',
            'a,b',
            '1.2.3.4',
            '::1',
            'raw',
            'v1',
            'k8s.io/a=b',
        ]
    )
    texts = words | raw | st.text(max_size=20) | st.sampled_from(['x' * 100_000, '9' * 100_000, '"' * 100_001, '\0'])
    given_flags = st.builds('--{}={}'.format, names, texts)
    return given_flags | names.map('--{}'.format) | texts | texts.map('-{}'.format) | texts.map('--{}'.format)


@given(st.lists(argument_texts(), max_size=8))
def test_any_arguments_are_flags_or_a_flag_error(arguments: list[str]) -> None:
    for parse in (parse_flags, parse_flags_again):
        try:
            assert isinstance(parse(arguments), Flags)
        except FlagError as error:
            assert len(str(error)) < 200


def test_four_thousand_arguments_are_read() -> None:
    assert values(*[f'--cluster-dns={number}' for number in range(4096)])['cluster-dns'][4095] == '4095'
