# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from datadog_checks.kubelet_compliance.kubelet.formats import goyaml
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml import (
    Document,
    DocumentError,
    DocumentTooLarge,
    Node,
    YamlTree,
)
from tests.support.trees import plain

# The results of the Go code, sigs.k8s.io/yaml with goyaml.v2, for each text.
SCALARS = [
    *[(word, True) for word in 'y Y yes Yes YES true True TRUE on On ON'.split()],
    *[(word, False) for word in 'n N no No NO false False FALSE off Off OFF'.split()],
    *[(word, None) for word in ('', '~', 'null', 'Null', 'NULL', '!!null ""', '# nothing')],
    *[
        (word, word)
        for word in 'tRUE oFF nULL yEs T F t f _1 0x 0b2 0o8 1e 1e400 1:30 1.2.3 - -- +x = .x 1#c'.split()
        if word != '-'
    ],
    ('0', 0),
    ('-0', 0),
    ('+1', 1),
    ('017', 15),
    ('08', 8.0),
    ('0o17', 15),
    ('0b11', 3),
    ('0B1', 1),
    ('0x1F', 31),
    ('0x_1f', 31),
    ('-0x10', -16),
    ('1_000', 1000),
    ('1__0', 10),
    ('1_', 1),
    ('1e1', 10.0),
    ('0.1e1_0', 1e9),
    ('1.', 1.0),
    ('.5', 0.5),
    ('.5_0', 0.5),
    ('-1.5', -1.5),
    ('9223372036854775807', 9223372036854775807),
    ('18446744073709551615', 18446744073709551615),
    ('18446744073709551616', 18446744073709551616.0),
    ('-9223372036854775809', -9223372036854775809.0),
    ('2001-01-01', '2001-01-01'),
    ('2001-01-01T00:00:00Z', '2001-01-01T00:00:00Z'),
    ('"true"', 'true'),
    ("'yes'", 'yes'),
    ('"0"', '0'),
    ('"\\x41\\u00e9"', 'A\u00e9'),
    ("'it''s'", "it's"),
    ('|\n  yes', 'yes\n'),
    ('>-\n  yes\n  no', 'yes no'),
    ('"a\n  b"', 'a b'),
    ('true # comment', True),
    ('true\t# comment', True),
    ('\ttrue', True),
    ('\U0001f600', '\U0001f600'),
    ('!!str 1', '1'),
    ('!!str', ''),
    ('!!bool "yes"', True),
    ('!!int "5"', 5),
    ('!!float 1', 1.0),
    ('!!timestamp 2001-01-01', '2001-01-01'),
    ('!!binary aGk=', 'hi'),
    ('!!merge x', 'x'),
    ('!foo yes', 'yes'),
    ('! yes', 'yes'),
    ('!!map {b: 1}', {'b': 1}),
    ('!!set {b}', {'b': None}),
    ('!!map [b]', ['b']),
    ('!!python/object:x {b: 1}', {'b': 1}),
]
KEYS = [
    ('a', 'a'),
    ('"a b"', 'a b'),
    ('yes', 'true'),
    ('off', 'false'),
    ('1', '1'),
    ('0x10', '16'),
    ('1_0', '10'),
    ('1.5', '1.5'),
    ('1.0', '1'),
    ('1e3', '1000'),
    ('1e6', '1e+06'),
    ('9223372036854775807', '9223372036854775807'),
    ('!!str 1', '1'),
    ('!!int "1"', '1'),
    ('"<<"', '<<'),
    ('? a\n', 'a'),
    ('.inf', '.inf'),
    ('-.inf', '-.inf'),
    ('.nan', '.nan'),
    ('918446744073709551615', '9.184467e+20'),
    ('10123456789012345678901234567890', '1.01234566e+31'),
    ('0.1', '0.1'),
    ('0.0001', '0.0001'),
    ('0.00001', '1e-05'),
    ('-123456.5', '-123456.5'),
]
DOCUMENTS: list[tuple[str, bytes, Any]] = [
    ('nothing', b'', None),
    ('words that end with a colon', b'a: [x:, http://b:]\n', {'a': ['x:', 'http://b:']}),
    ('a tag that ends at a comma', b'{a: 1, b: !,a: 2}\n', {'a': 1, 'b': '2'}),
    ('a tag with a comma', b'a: [!x,y , z]\n', {'a': ['', 'z']}),
    ('an infinity that is replaced', b'a: .inf\na: 1\n', {'a': 1}),
    ('an escaped single quote', b'a: "\\\'"\n', {'a': "'"}),
    ('a comment behind a sign of a text', b'a: |#b\n  c\n', {'a': 'c\n'}),
    ('a time without a zone', b'a: !!timestamp 2004-2-29 1:2:3\n', {'a': '2004-2-29 1:2:3'}),
    ('a time with a zone', b'a: !!timestamp 2001-01-01t01:02:03.5+01:00\n', {'a': '2001-01-01t01:02:03.5+01:00'}),
    ('an alias in a list as merge', b'a: &a {b: 1}\n<<: [*a]\n', {'a': {'b': 1}, 'b': 1}),
    ('blank line', b'\n', None),
    ('comment', b'# c\n', None),
    ('only a start', b'---\n', None),
    ('list', b'- a\n', ['a']),
    ('text', b'x\n', 'x'),
    ('flow mapping', b'# c\n{a: 1}\n', {'a': 1}),
    ('nested', b'a:\n  b:\n  - c: 1\n    d: [2, {e: 3}]\n', {'a': {'b': [{'c': 1, 'd': [2, {'e': 3}]}]}}),
    ('keys in sorted order', b'b: 1\na: 2\nB: 3\n', {'B': 3, 'a': 2, 'b': 1}),
    ('second document', b'a: 1\n---\na: 2\n', {'a': 1}),
    ('second document with an error', b'a: 1\n---\na: *x\n', {'a': 1}),
    ('garbage after the end', b'a: 1\n...\n{{{ [', {'a': 1}),
    ('version 1.1', b'%YAML 1.1\n---\na: 1\n', {'a': 1}),
    ('CRLF', b'a: 1\r\nb: yes\r\n', {'a': 1, 'b': True}),
    ('CR', b'a: 1\rb: yes\r', {'a': 1, 'b': True}),
    ('line separator', 'a:\u2028b: 1\n'.encode(), {'a': None, 'b': 1}),
    ('byte order mark', b'\xef\xbb\xbfa: 1\n', {'a': 1}),
    ('UTF-16 LE', b'\xff\xfe' + 'a: yes\n'.encode('utf-16-le'), {'a': True}),
    ('UTF-16 BE', b'\xfe\xff' + 'a: yes\n'.encode('utf-16-be'), {'a': True}),
    ('tab before a value', b'a:\t1\n', {'a': 1}),
    ('explicit key', b'? a\n: 1\n? b\n', {'a': 1, 'b': None}),
    ('duplicate', b'a: 1\na: 2\n', {'a': 2}),
    ('alias', b'a: &x 1\nb: *x\n', {'a': 1, 'b': 1}),
    ('anchor set twice', b'a: &x 1\nb: &x 2\nc: *x\n', {'a': 1, 'b': 2, 'c': 2}),
    ('alias of a mapping', b'a: &x {b: 1}\nc: *x\n', {'a': {'b': 1}, 'c': {'b': 1}}),
    ('key by alias', b'a: &x b\n*x : 1\n', {'a': 'b', 'b': 1}),
    ('merge first', b'm: &m {a: 1}\nx: {<<: *m, a: 9}\n', {'m': {'a': 1}, 'x': {'a': 9}}),
    ('merge last', b'm: &m {a: 1}\nx: {a: 9, <<: *m}\n', {'m': {'a': 1}, 'x': {'a': 1}}),
    ('merge in place', b'<<: {a: 1}\nb: 2\n', {'a': 1, 'b': 2}),
    ('list of merges', b'x: &x {a: 1}\nz: &z {a: 2, b: 3}\n<<: [*x, *z]\n',
     {'a': 1, 'b': 3, 'x': {'a': 1}, 'z': {'a': 2, 'b': 3}}),
    ('two merges', b'x: &x {a: 1}\nz: &z {a: 2}\n<<: *x\n<<: *z\n', {'a': 2, 'x': {'a': 1}, 'z': {'a': 2}}),
    ('quoted merge is a key', b'"<<": {a: 1}\n', {'<<': {'a': 1}}),
    ('tagged merge', b'!!merge <<: {a: 1}\n', {'a': 1}),
]  # fmt: skip
REFUSED = [
    ('alias without anchor', b'a: *x\n'),
    ('cycle in a list', b'a: &x [*x]\n'),
    ('cycle in a mapping', b'a: &x {b: *x}\n'),
    ('merge of a number', b'<<: 1\n'),
    ('merge of a list of numbers', b'<<: [1]\n'),
    ('merge of nothing', b'<<:\n'),
    ('null key', b'~: 1\n'),
    ('word null as key', b'null: 1\n'),
    ('empty key', b': 1\n'),
    ('list as key', b'[a]: 1\n'),
    ('explicit list as key', b'? [a]\n: 1\n'),
    ('mapping as key', b'{a: 1}: 1\n'),
    ('key beyond int64', b'9223372036854775808: a\n'),
    ('infinity', b'a: .inf\n'),
    ('negative infinity', b'a: -.INF\n'),
    ('not a number', b'a: .NaN\n'),
    ('text tagged int', b'a: !!int x\n'),
    ('int tagged bool', b'a: !!bool 1\n'),
    ('float tagged int', b'a: !!int 1.5\n'),
    ('text tagged null', b'a: !!null x\n'),
    ('text tagged float', b'a: !!float x\n'),
    ('text tagged timestamp', b'a: !!timestamp x\n'),
    ('bad base64', b'a: !!binary "?"\n'),
    ('version 1.2', b'%YAML 1.2\n---\na: 1\n'),
    ('tab as indentation', b'a:\n\tb: 1\n'),
    ('tab before a key', b'\ta: 1\n'),
    ('control character', b'a: \x01\n'),
    ('delete character', b'a: \x7f\n'),
    ('NUL', b'a: 1\n\x00'),
    ('control character close behind the end', b'a: 1\n...\n\x01'),
    ('invalid UTF-8', b'a: \xff\n'),
    ('surrogate in UTF-8', b'a: \xed\xa0\x80\n'),
    ('beyond Unicode', b'a: \xf4\x90\x80\x80\n'),
    ('surrogate escape', b'a: "\\ud800"\n'),
    ('open list', b'a: [1, 2\n'),
    ('open quote', b'a: "1\n'),
    ('two colons', b'a: b: c\n'),
    ('at sign', b'a: @b\n'),
    ('backtick', b'a: `b\n'),
    ('percent sign', b'a: %b\n'),
    ('list in a line', b'a: - b\n'),
    ('key after text', b'a\nb: 1\n'),
    ('bad indentation', b'a: 1\n  b: 2\n'),
    ('byte order mark that ends the file', b'a: 1\n\xef\xbb\xbf'),
    ('escaped slash', b'a: "\\/"\n'),
    ('alias of a list as merge', b'a: &a [{b: 1}]\n<<: *a\n'),
    ('question mark within brackets', b'a: [b?c]\n'),
    ('question mark within braces', b'a: {b?c: 1}\n'),
    ('tag before the end of a list', b'a: [!]\n'),
    ('tag with a comma before the end of a list', b'a: [!x,]\n'),
    ('unknown directive', b'%FOO\n---\na: 1\n'),
    ('version of many digits', b'%YAML 1.001\n---\na: 1\n'),
    ('tab as indentation of a text', b'a: |\n\tb\n'),
    ('tab in the indentation of a text', b'a: >\n  b\n \tc\n'),
    ('no such month', b'a: !!timestamp 2001-13-01\n'),
    ('no such day', b'a: !!timestamp 2001-02-29\n'),
    ('time without a zone', b'a: !!timestamp 2001-02-28T01:02:03\n'),
    ('zone behind a space', b'a: !!timestamp 2001-02-28 01:02:03Z\n'),
]
ALL_READ = [
    *[(f'scalar {text!r}', f'a: {text}\n'.encode(), {'a': expected}) for text, expected in SCALARS],
    *[(f'key {text!r}', f'{text}: v\n'.encode(), {expected: 'v'}) for text, expected in KEYS],
    *DOCUMENTS,
]


def typed(value: Any) -> Any:
    """A form in which 1, 1.0, and True differ, and so do mappings in another order."""
    if isinstance(value, dict):
        return [(key, typed(member)) for key, member in value.items()]
    return [typed(item) for item in value] if isinstance(value, list) else (type(value), value)


def read(data: bytes) -> Any:
    return plain(YamlTree(data).read().root)


def lines(node: Node) -> Any:
    """Key -> line of the key, or (line, lines within)."""
    if isinstance(node.value, dict) and node.value:
        return {k: (m.line, lines(m)) if isinstance(m.value, dict | list) else m.line for k, m in node.value.items()}
    return [(item.line, lines(item)) for item in node.value] if isinstance(node.value, list) else None


@pytest.mark.parametrize('data, expected', [row[1:] for row in ALL_READ], ids=[row[0] for row in ALL_READ])
def test_yaml_is_read_as_go_reads_it(data: bytes, expected: Any) -> None:
    assert typed(read(data)) == typed(expected)


@pytest.mark.parametrize('data', [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_yaml_that_go_refuses_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError):
        read(data)


@pytest.mark.parametrize('data, expected', [row[1:] for row in ALL_READ], ids=[row[0] for row in ALL_READ])
def test_without_libyaml_the_reading_is_the_same(data: bytes, expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goyaml, 'YAML_PARSER', goyaml.GoParser)
    assert typed(read(data)) == typed(expected)


@pytest.mark.parametrize('data', [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_without_libyaml_as_much_is_refused(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goyaml, 'YAML_PARSER', goyaml.GoParser)
    with pytest.raises(DocumentError):
        read(data)


def test_libyaml_is_used_where_it_is_there() -> None:
    assert goyaml.YAML_PARSER is getattr(yaml, 'CSafeLoader', goyaml.GoParser)


@pytest.mark.parametrize('end', ['\n', '\r\n', '\r', '\x85', '\u2028', '\u2029'], ids=ascii)
def test_a_later_byte_order_mark_hides_the_key_behind_it(end: str) -> None:
    data = f'a: 1{end}\ufeffmakeIPTablesUtilChains: true\n'.encode()
    assert 'makeIPTablesUtilChains' not in read(data) and len(read(data)) == 2


@pytest.mark.parametrize(
    'data, expected',
    [
        (b'a: 1\nb: 2\n', None),
        (b'a: 1\na: 2\n', ('a', 2)),
        (b'a: 1\nb: 1\nb: 2\na: 2\n', ('b', 3)),
        (b'x:\n  a: 1\n  a: 1\n', ('a', 3)),
        (b'x: {a: 1, a: 2}\n', ('a', 1)),
        (b'- a: 1\n  a: 2\n', ('a', 2)),
        (b'a: 1\n"a": 2\n', ('a', 2)),
        (b'm: &m {a: 1}\nx:\n  <<: *m\n  a: 2\n', ('a', 4)),
        (b'm: &m {a: 1}\nx:\n  a: 2\n  <<: *m\n', ('a', 4)),
        (b'a: 1\n---\na: 2\na: 3\n', None),
        (b'a: {b: 1}\nc: {b: 1}\n', None),
    ],
    ids=[
        'none',
        'two',
        'the first of several',
        'nested',
        'flow',
        'in a list',
        'quoted',
        'merge',
        'merged',
        'second',
        '-',
    ],
)
def test_a_duplicate_key_is_noted_with_its_line(data: bytes, expected: tuple[str, int] | None) -> None:
    assert YamlTree(data).read().duplicate == expected


@pytest.mark.parametrize(
    'data, expected',
    [
        (b'a: 1\nb: 2\n', {'a': 1, 'b': 2}),
        (b'\n# c\n---\na: 1\n', {'a': 4}),
        (b'a:\n  1\n', {'a': 1}),
        (b'a:\n  b:\n    c: 1\n', {'a': (1, {'b': (2, {'c': 3})})}),
        (b'a: {b: 1,\n    c: 2}\n', {'a': (1, {'b': 1, 'c': 2})}),
        (b'a:\n- b: 1\n- c: 2\n', {'a': (1, [(2, {'b': 2}), (3, {'c': 3})])}),
        (b'a: |\n  x\n  y\nb: 1\n', {'a': 1, 'b': 4}),
        (b'a: 1\na: 2\n', {'a': 2}),
        (b'a: &x {c: 1}\nb: *x\n', {'a': (1, {'c': 1}), 'b': (2, {'c': 1})}),
        (b'm: &m {c: 1}\nx:\n  <<: *m\n', {'m': (1, {'c': 1}), 'x': (2, {'c': 1})}),
        (b'a: 1\r\nb: 2\r\n', {'a': 1, 'b': 2}),
        (b'? a\n:\n  1\n', {'a': 1}),
    ],
    ids=[
        'two',
        'after a comment',
        'value below',
        'nested',
        'flow',
        'lists',
        'block text',
        'last',
        'alias',
        'merge',
        'CRLF',
    ]
    + ['explicit'],
)
def test_a_value_has_the_line_of_its_key(data: bytes, expected: Any) -> None:
    assert lines(YamlTree(data).read().root) == expected


@pytest.mark.parametrize(
    'data, line',
    [
        (b'a: 1\nb: [\n', 3),
        (b'a: 1\nb: *x\n', 2),
        (b'a: 1\n~: 2\n', 2),
        (b'a:\nb: .inf\n', 2),
        (b'\n\nb: !!int x\n', 3),
    ],
    ids=['syntax', 'alias', 'key', 'infinity', 'tag'],
)
def test_an_error_names_the_line(data: bytes, line: int) -> None:
    with pytest.raises(DocumentError, match=f'^line {line}: '):
        read(data)


@pytest.mark.parametrize(
    'data',
    [
        b'hunter2: [\n',
        b'a: "hunter2\n',
        b'a: *hunter2\n',
        b'a: &hunter2 [*hunter2]\n',
        b'a: !!int hunter2\n',
        b'[hunter2]: 1',
    ]
    + [b'a: hunter2: b\n', b'<<: hunter2\n', b'a: !hunter2! 1\n', b'a: !!binary "hunter2?"\n', b'hunter2: \x01\n'],
)
def test_an_error_never_contains_file_contents(data: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        read(data)
    assert 'hunter2' not in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.slow
@pytest.mark.parametrize('parser', [goyaml.YAML_PARSER, goyaml.GoParser])
@pytest.mark.parametrize('opening, closing', [(b'[', b']'), (b'{a: ', b'}')], ids=['list', 'mapping'])
def test_nesting_is_read_as_deep_as_go_reads_it(
    opening: bytes, closing: bytes, parser: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goyaml, 'YAML_PARSER', parser)
    assert YamlTree(opening * 9_000 + closing * 9_000).read().root.size >= 9_000
    with pytest.raises(DocumentError, match='10000 levels'):
        YamlTree(b'[' * 10_001).read()


def test_twenty_thousand_values_are_the_bound() -> None:
    assert len(read(b'a: [' + b'1, ' * 19_996 + b']')['a']) == 19_996
    with pytest.raises(DocumentTooLarge, match='20000 values'):
        read(b'a: [' + b'1, ' * 19_997 + b']')


@pytest.mark.parametrize('leaf', [b'x', b'{y: z}'], ids=['text', 'mappings'])
def test_an_alias_bomb_is_refused_or_too_large(leaf: bytes) -> None:
    rows = [b'a0: &a0 [' + b', '.join([leaf] * 10) + b']']
    rows += [b'a%d: &a%d [' % (n, n) + b', '.join([b'*a%d' % (n - 1)] * 10) + b']' for n in range(1, 30)]
    with pytest.raises((DocumentError, DocumentTooLarge)):
        read(b'\n'.join(rows))


def test_many_aliases_that_go_reads_are_read() -> None:
    data = b'a: &a [' + b'x, ' * 100 + b']\nb: [' + b'*a, ' * 100 + b']\n'
    assert read(data)['b'] == [['x'] * 100] * 100


def test_a_document_made_of_aliases_is_refused() -> None:
    with pytest.raises(DocumentError, match='aliases'):
        read(b'a: &a [' + b'x, ' * 110 + b']\nb: &b [' + b'*a, ' * 60 + b']\nc: [' + b'*b, ' * 2000 + b']\n')


def test_a_float_is_never_infinite() -> None:
    assert read(b'a: 1e400\n') == {'a': '1e400'} and math.isfinite(read(b'a: 1e308\n')['a'])


FRAGMENTS = [
    *(text.encode() for text, _ in SCALARS),
    *(data for _, data, _ in DOCUMENTS),
    *(data for _, data in REFUSED),
    *[
        b'&a ',
        b'*a',
        b'<<: ',
        b'- ',
        b'? ',
        b': ',
        b'\n',
        b'\n  ',
        b'{',
        b'}',
        b'[',
        b']',
        b',',
        b'"',
        b"'",
        b'|\n',
        b'#',
    ]
    + [b'\t', b'\r', b'---\n', b'...\n', b'%YAML 1.1\n', b'%TAG ! !x\n', b'!!', b'\xff\xfe', b'\xef\xbb\xbf', b'\x00'],
]


@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=4), max_size=12).map(b''.join) | st.binary(max_size=60))
def test_any_bytes_are_a_document_or_a_document_error(data: bytes) -> None:
    for parser in (goyaml.YAML_PARSER, goyaml.GoParser):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(goyaml, 'YAML_PARSER', parser)
            try:
                assert isinstance(YamlTree(data).read(), Document)
            except (DocumentError, DocumentTooLarge) as error:
                assert len(str(error)) < 200
