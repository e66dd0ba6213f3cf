# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from datadog_checks.kubelet_compliance.launch.environment_files import read_environment_file
from datadog_checks.kubelet_compliance.launch.systemd_text import UnitError, text_of
from datadog_checks.kubelet_compliance.model import Place

PATH = '/etc/default/kubelet'
NO_TEXT = 'contains text that is not valid UTF-8, so systemd does not read it'
DIFFERS = 'has a comment that ends in a backslash, which systemd releases read differently'


def read(text: str | bytes) -> dict[str, str]:
    data = text.encode() if isinstance(text, str) else text
    return {name: text_of(value) for name, value in read_environment_file(PATH, data).items()}


@pytest.mark.parametrize(
    'text, expected',
    [
        ('', {}),
        ('A=1', {'A': '1'}),
        ('A=1\n', {'A': '1'}),
        ('A=1\nB=2\r\nC=3\rD=4', {'A': '1', 'B': '2', 'C': '3', 'D': '4'}),
        ('A=1\nA=2\n', {'A': '2'}),
        ('A=\n', {'A': ''}),
        ('A=', {'A': ''}),
        ('A\n', {}),
        ('A', {}),
        ('A\nB=1\n', {'B': '1'}),
        ('  A=1\n', {'A': '1'}),
        ('A =1\n', {'A': '1'}),
        ('A= 1 2 \t\n', {'A': '1 2'}),
        ('A=b=c', {'A': 'b=c'}),
        ('\n\n A=1', {'A': '1'}),
        ('#A=1\n;B=2\n  #C=3\nD=4', {'D': '4'}),
        ('A=1 # x', {'A': '1 # x'}),
        ('A=#x', {'A': '#x'}),
        ('A=1 ;x', {'A': '1 ;x'}),
    ],
)
def test_each_line_may_set_a_variable(text: str, expected: dict[str, str]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    'text, expected',
    [
        ('A="x y"', 'x y'),
        ("A='x y'", 'x y'),
        ('A=" x "', ' x '),
        ('A=""', ''),
        ('A="x"\n', 'x'),
        ('A="x"  \n', 'x'),
        ('A="x" y', 'xy'),
        ('A="x""y"', 'xy'),
        ('A="x"\'y\'', 'xy'),
        ('A="x" "y"', 'xy'),
        ('A=x"y"', 'x"y"'),
        ("A=x'y z'", "x'y z'"),
        ('A="x\ny"', 'x\ny'),
        ("A='x\ny'", 'x\ny'),
        ('A="x\r\ny"', 'x\r\ny'),
        ('A="it\'s"', "it's"),
        ("A='a\"b'", 'a"b'),
        ('A="x', 'x'),
        ("A='x", 'x'),
        ('A="x\n', 'x\n'),
        ('A="#x"', '#x'),
    ],
)
def test_quotes_at_the_start_of_a_value_go(text: str, expected: str) -> None:
    assert read(text) == {'A': expected}


@pytest.mark.parametrize(
    'text, expected',
    [
        ('A=x\\\ny', 'xy'),
        ('A=x \\\n  y', 'x   y'),
        ('A=x\\\r\ny', 'x'),
        ('A=\\\nx', 'x'),
        ('A=a\\bc', 'abc'),
        ('A=a\\\\b', 'a\\b'),
        ('A=\\"x\\"', '"x"'),
        ('A=x\\', 'x'),
        ('A=x\\ ', 'x '),
        ('A=x \\  ', 'x  '),
        ('A=x\\#', 'x#'),
        ('A=x \\\n', 'x '),
        ('A=x \\\n\nB=1', 'x '),
        ('A=x \\\n \t\nB=1', 'x '),
        ('A="a\\"b"', 'a"b'),
        ('A="a\\\\b"', 'a\\b'),
        ('A="a\\$b\\`c"', 'a$b`c'),
        ('A="a\\nb"', 'a\\nb'),
        ('A="a\\\'b"', "a\\'b"),
        ('A="a\\\nb"', 'ab'),
        ('A="a\\\rb"', 'a\\\rb'),
        ('A="a\\', 'a'),
        ("A='a\\nb'", 'a\\nb'),
        ("A='a\\'", 'a\\'),
        ("A='a\\\nb'", 'a\\\nb'),
    ],
)
def test_what_a_backslash_does_depends_on_the_quotes(text: str, expected: str) -> None:
    assert read(text)['A'] == expected


@pytest.mark.parametrize('name', ['1A', 'A-B', 'A B', 'A.B', '\u00c4', '-', 'export A', '\ufeffA'])
def test_what_is_no_name_sets_nothing(name: str) -> None:
    assert read(f'{name}=1\nZ=2\n') == {'Z': '2'}


@pytest.mark.parametrize('name', ['A', '_', 'a1', 'KUBELET_ARGS'])
def test_letters_digits_and_underscores_are_a_name(name: str) -> None:
    assert read(f'{name}=1') == {name: '1'}


def test_a_line_without_an_equals_sign_leaves_the_next_one_alone() -> None:
    assert read('A B C\nD=1\n') == {'D': '1'}


@pytest.mark.parametrize(
    'data, says, refused',
    [
        (b'A=1\0\n', 'contains a NUL, so systemd does not read it', True),
        (b'#\0', 'contains a NUL, so systemd does not read it', True),
        (b'A=\xff', NO_TEXT, True),
        (b'\xff=1', NO_TEXT, True),
        (b'1=\xff\nA=1', NO_TEXT, True),
        (b'A=\xef\xbf\xbe', NO_TEXT, True),
        (b'#x\\\nA=1', DIFFERS, False),
        (b'#x\\\nA=\xff', DIFFERS, False),
        (b'#x\\\nA=1\nB=\xff', NO_TEXT, True),
    ],
)
def test_what_systemd_does_not_read_or_reads_differently_is_unknown(data: bytes, says: str, refused: bool) -> None:
    with pytest.raises(UnitError) as raised:
        read(data)
    assert (str(raised.value), raised.value.refused) == (f'{PATH} {says}', refused)


@pytest.mark.parametrize(
    'text, expected',
    [
        ('#x\\\n#y\nA=1', {'A': '1'}),
        ('#x\\\n\nA=1', {'A': '1'}),
        ('#x\\y\nA=1', {'A': '1'}),
        ('#x\\\\\nA=1', {'A': '1'}),
        ('A=1\n#x\\', {'A': '1'}),
        (';x\\\r\nA=1', {'A': '1'}),
    ],
)
def test_a_comment_with_a_backslash_that_all_releases_read_alike_is_one(text: str, expected: dict[str, str]) -> None:
    assert read(text) == expected


def test_bytes_that_are_no_text_in_a_comment_do_not_count() -> None:
    assert read(b'#\xff\nA=1') == {'A': '1'}


@pytest.mark.parametrize(
    'text, places',
    [
        ('A=xy', [('x', 1), ('y', 1)]),
        ('\n#\nA=x', [('x', 3)]),
        ('A=x\\\ny', [('x', 1), ('y', 2)]),
        ('A="x\ny"\n', [('x', 1), ('\n', 1), ('y', 2)]),
        ('B="1\n2"\nA=x', [('x', 3)]),
        ('A=1\nA=x', [('x', 2)]),
        ('A="\\x"', [('\\', 1), ('x', 1)]),
        ('\r\nA=x', [('x', 2)]),
    ],
)
def test_each_letter_of_a_value_knows_its_line_and_its_variable(text: str, places: list[tuple[str, int]]) -> None:
    assert read_environment_file(PATH, text.encode())['A'] == [
        (letter, Place(PATH, line, 'A')) for letter, line in places
    ]


# systemd takes a noncharacter of Unicode (category Cn, such as U+FDD0) for text that is not valid.
values = st.text(
    alphabet=st.characters(codec='utf-8', exclude_characters='\0', exclude_categories=('Cn',)), max_size=20
)


@given(values)
def test_a_value_in_double_quotes_with_its_escapes_comes_back(value: str) -> None:
    escaped = ''.join(f'\\{letter}' if letter in '"\\`$' else letter for letter in value)
    assert read(f'A="{escaped}"\nB=2\n') == {'A': value, 'B': '2'}


@given(values)
def test_a_value_in_single_quotes_comes_back(value: str) -> None:
    value = value.replace("'", '')
    assert read(f"A='{value}'\nB=2\n") == {'A': value, 'B': '2'}


@given(st.text(alphabet='A=1 \n\r"\'\\#;$', max_size=30))
def test_any_text_is_read_or_an_error_of_units(text: str) -> None:
    try:
        variables = read_environment_file(PATH, text.encode())
    except UnitError:
        return
    for name, value in variables.items():
        assert all(1 <= place.line <= text.count('\n') + 1 and place.variable == name for _, place in value)
