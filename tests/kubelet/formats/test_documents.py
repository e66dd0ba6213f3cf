# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from datadog_checks.kubelet_compliance.kubelet.formats.documents import JsonFloat, parse_document
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml import Document, DocumentError, DocumentTooLarge
from tests.support.trees import plain


def read(data: bytes) -> Any:
    return plain(parse_document(data).root)


@pytest.mark.parametrize(
    'data, expected',
    [
        (b'{}', {}),
        (b'{"a": 1}', {'a': 1}),
        (b' \r\n\t{"a": 1}\n', {'a': 1}),
        (b'{"a": [true, false, null, "x", {"b": -1}]}', {'a': [True, False, None, 'x', {'b': -1}]}),
        (b'{"a": "\\u0041\\n"}', {'a': 'A\n'}),
        ('{"a": "\u00e9"}'.encode(), {'a': '\u00e9'}),
        (b'{"a": 1.5}', {'a': 1.5}),
        (b'{"a": "yes"}', {'a': 'yes'}),
        (b'{"a": 18446744073709551615}', {'a': 18446744073709551615}),
        (b'{"a": 1e-400}', {'a': 0.0}),
        (b'{"b": 1, "a": 2}', {'b': 1, 'a': 2}),
        (b'{"": 1}', {'': 1}),
    ],
    ids=[
        'empty',
        'one',
        'blanks',
        'values',
        'escapes',
        'UTF-8',
        'fraction',
        'text',
        'large',
        'tiny',
        'order',
        'no name',
    ],
)
def test_json_is_read(data: bytes, expected: Any) -> None:
    assert read(data) == expected


@pytest.mark.parametrize(
    'data',
    [
        b'{a: 1}',
        b"{'a': 1}",
        b'{"a": yes}',
        b'{"a": True}',
        b'{"a": 1,}',
        b'{"a": [1,]}',
        b'{"a" 1}',
        b'{"a": 1',
        b'{',
        b'{"a": 1} x',
        b'{"a": 1}{}',
        b'{"a": 1}\n---\n{"b": 2}',
        b'{"a": 1}\n# comment',
        b'{"a": 1}\x00',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 01}',
        b'{"a": .5}',
        b'{"a": +1}',
        b'{"a": 0x10}',
        b'{"a": "\t"}',
        b'{"a": "\\x41"}',
        b'{"a": &x 1}',
        b'\x0b{"a": 1}',
        b'\xc2\xa0{"a": 1}',
        b'{"a": }',
        b'{1: 2}',
        b'{]}',
    ],
)
def test_what_begins_with_a_brace_must_be_json(data: bytes) -> None:
    with pytest.raises(DocumentError, match='starts with {'):
        read(data)


@pytest.mark.parametrize(
    'data, expected',
    [
        (b'a: {b: 1}', {'a': {'b': 1}}),
        (b'---\n{a: yes}', {'a': True}),
        (b'# {\n{a: 1}', {'a': 1}),
        (b'\xef\xbb\xbf{a: 1}', {'a': 1}),
        (b'\xff\xfe' + '{a: 1}'.encode('utf-16-le'), {'a': 1}),
        (b'["a", yes]', ['a', True]),
        (b'"{"', '{'),
        (b'', None),
    ],
    ids=['later brace', 'after ---', 'after a comment', 'after a mark', 'UTF-16', 'list', 'quoted', 'nothing'],
)
def test_all_else_is_yaml(data: bytes, expected: Any) -> None:
    assert read(data) == expected


@pytest.mark.parametrize('number', ['1.0', '1e2', '1E2', '-0.5', '110.0', '100000000000000000000000'])
def test_a_json_number_with_a_fraction_is_not_an_integer(number: str) -> None:
    assert type(read(f'{{"a": {number}}}'.encode())['a']) is JsonFloat


def test_a_json_number_without_a_fraction_is_an_integer() -> None:
    assert type(read(b'{"a": 110}')['a']) is int


@pytest.mark.parametrize(
    'data, expected, duplicate',
    [
        (b'{"a": 1, "b": 2}', {'a': 1, 'b': 2}, None),
        (b'{"a": true, "a": false}', {'a': False}, 'a'),
        (b'{"a": 1, "a": 2, "a": 3}', {'a': 3}, 'a'),
        (b'{"a": null, "a": 1}', {'a': 1}, 'a'),
        (b'{"a": ["x", "y"], "a": ["z"]}', {'a': ['z']}, 'a'),
        (b'{"a": {"b": 1}, "a": null}', {'a': None}, 'a'),
        (b'{"a": {"b": 1, "b": 2}}', {'a': {'b': 2}}, 'b'),
        (b'{"a": 1, "A": 2}', {'a': 1, 'A': 2}, None),
        (b'{"a": 1, "\\u0061": 2}', {'a': 2}, 'a'),
    ],
    ids=[
        'none',
        'two',
        'three',
        'null first',
        'lists',
        'null last',
        'nested',
        'case',
        'escape',
    ],
)
def test_the_last_of_duplicate_json_keys_counts_and_is_noted(data: bytes, expected: Any, duplicate: str | None) -> None:
    document = parse_document(data)
    assert plain(document.root) == expected
    assert document.duplicate == (None if duplicate is None else (duplicate, None))


def test_the_last_of_duplicate_json_keys_comes_last() -> None:
    assert list(read(b'{"a": 1, "b": 2, "a": 3}')) == ['b', 'a']


def test_the_earlier_values_of_a_repeated_json_key_are_kept_in_order() -> None:
    node = parse_document(b'{"a": 1, "a": null, "a": {"b": 2}}').root.value['a']
    assert [plain(earlier) for earlier in node.earlier] == [1, None]


def test_the_values_of_a_repeated_json_key_count() -> None:
    with pytest.raises(DocumentTooLarge):
        parse_document(b'{' + b'"a": 1,' * 20_000 + b'"a": 1}')


@pytest.mark.parametrize(
    'text, expected',
    [('{"a": [1, 1e999]}', True), ('{"a": 1e308}', False), ('{"a": ' + '9' * 400 + '}', True), ('a: 1e999', False)],
)
def test_a_json_number_that_is_too_large_is_noted(text: str, expected: bool) -> None:
    assert parse_document(text.encode()).has_endless_number is expected


@pytest.mark.parametrize(
    'data, expected',
    [
        (b'{"a": 1,\n "b": {\n  "c": 2\n }\n}', {'a': 1, 'b': 2, 'c': 3}),
        (b'\n\n{"a": 1,\n\n"b": {"c":\n2}}', {'a': 3, 'b': 5, 'c': 5}),
        (b'{"b": {}, "a": 1}', {'a': 1, 'b': 1, 'c': None}),
        (b'{"a": 1,\n"a": 2, "b": {}}', {'a': 2, 'b': 2, 'c': None}),
    ],
    ids=['nested', 'blank lines', 'one line', 'the last'],
)
def test_a_json_value_has_the_line_of_its_key(data: bytes, expected: dict[str, int | None]) -> None:
    members = parse_document(data).root.value
    inner = members['b'].value.get('c')
    found = {'a': members['a'].line, 'b': members['b'].line, 'c': None if inner is None else inner.line}
    assert found == expected


def test_json_that_is_no_yaml_has_no_lines() -> None:
    members = parse_document(b'{"a": "\\ud800",\n"b": true}').root.value
    assert (members['b'].value, members['b'].line) == (True, None)


@pytest.mark.parametrize('data', [b'{"\\ud800": 1}', b'{"a": "\\udfff"}', b'{"a": "\\ud800\\u0041"}'])
def test_lone_surrogates_are_read(data: bytes) -> None:
    assert len(read(data)) == 1


@pytest.mark.parametrize('data', [b'{"a": "\xff"}', b'{"\xff": 1}', b'{"a": "\xed\xa0\x80"}', b'{"a": "\x7f"}'])
def test_invalid_utf_8_within_json_text_is_read(data: bytes) -> None:
    assert len(read(data)) == 1


def test_an_error_names_the_line_of_json() -> None:
    with pytest.raises(DocumentError, match='^line 3: '):
        read(b'{"a": 1,\n"b": 2,\nhunter2: 3}')


@pytest.mark.parametrize('data', [b'{"a": hunter2}', b'{"a": 1} hunter2', b'a: [hunter2'])
def test_an_error_never_contains_file_contents(data: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        read(data)
    assert 'hunter2' not in str(caught.value)


@pytest.mark.parametrize(
    'data',
    [b'{"a":' * 255 + b'1' + b'}' * 255, b'{"a":' + b'[' * 255 + b']' * 255 + b'}', b'{"a": "' + b'[' * 9999 + b'"}'],
    ids=['objects', 'lists', 'brackets in text'],
)
def test_json_nesting_up_to_the_bound_is_read(data: bytes) -> None:
    assert list(read(data)) == ['a']


@pytest.mark.parametrize(
    'data',
    [b'{"a":' * 257, b'{"a":' + b'[' * 256, b'{"a":' * 200_000, b'{"\\"":' * 257],
    ids=['objects', 'lists', 'very deep', 'escaped quotes'],
)
def test_deeper_json_is_too_large(data: bytes) -> None:
    with pytest.raises(DocumentTooLarge, match='256 levels'):
        read(data)


def test_twenty_thousand_json_values_are_the_bound() -> None:
    assert len(read(b'{"a": [' + b'1, ' * 19_997 + b'1]}')['a']) == 19_998
    with pytest.raises(DocumentTooLarge, match='20000 values'):
        read(b'{"a": [' + b'1, ' * 19_998 + b'1]}')


@pytest.mark.parametrize(
    'data',
    [b'{"a": ' + b'9' * 200_000 + b'}', b'a: ' + b'9' * 200_000, b'a: 0x' + b'f' * 200_000],
    ids=['JSON', '-', 'hex'],
)
def test_a_very_long_number_is_read(data: bytes) -> None:
    assert list(read(data)) == ['a']


JSON_FRAGMENTS = [
    *[
        b'{',
        b'}',
        b'[',
        b']',
        b',',
        b':',
        b'"',
        b'\\',
        b'\\u',
        b'd800',
        b' ',
        b'\n',
        b'{"a": ',
        b'"a": ',
        b'"b"',
        b'null',
    ],
    *[
        b'true',
        b'1',
        b'-0',
        b'1.5',
        b'1e400',
        b'1e',
        b'NaN',
        b'"\\ud800"',
        b'"\xff"',
        b'\x00',
        b'---\n',
        b'&a ',
        b'*a',
        b'x',
    ],
    *[b'{"a": 1}', b'{"a": {"b": [1, null]}, "a": ', b'yes', b'\xef\xbb\xbf', b'\xff\xfe', b'#', b'<<: '],
]


@given(
    st.lists(st.sampled_from(JSON_FRAGMENTS), max_size=14).map(b''.join)
    | st.lists(st.sampled_from(JSON_FRAGMENTS), max_size=14).map(lambda parts: b'{' + b''.join(parts))
    | st.binary(max_size=60)
)
def test_any_bytes_are_a_document_or_a_document_error(data: bytes) -> None:
    try:
        assert isinstance(parse_document(data), Document)
    except (DocumentError, DocumentTooLarge) as error:
        assert len(str(error)) < 200
