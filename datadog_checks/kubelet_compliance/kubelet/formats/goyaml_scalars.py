# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a YAML scalar means to goyaml.v2: its type and value."""

from __future__ import annotations

import base64
import binascii
import re

from .go import parse_float, parse_int

TAG = 'tag:yaml.org,2002:'
RESOLVABLE = frozenset(TAG + name for name in ('str', 'bool', 'int', 'float', 'null', 'timestamp'))
YAML_WORDS: dict[str, tuple[str, bool | None | float]] = {
    **dict.fromkeys('y Y yes Yes YES true True TRUE on On ON'.split(), ('bool', True)),
    **dict.fromkeys('n N no No NO false False FALSE off Off OFF'.split(), ('bool', False)),
    **dict.fromkeys(['', *'~ null Null NULL'.split()], ('null', None)),
    **dict.fromkeys('.inf .Inf .INF +.inf +.Inf +.INF'.split(), ('float', float('inf'))),
    **dict.fromkeys('-.inf -.Inf -.INF'.split(), ('float', -float('inf'))),
    **dict.fromkeys('.nan .NaN .NAN'.split(), ('float', float('nan'))),
}
YAML_FLOAT = re.compile(r'[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?')
TIMESTAMP = re.compile(
    r'([0-9]{4})-(1[0-2]|0?[1-9])-(0?[1-9]|[12][0-9]|3[01])'
    r'(?:[Tt ](?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:[.,][0-9]+)?(Z|[+-](?:[01][0-9]|2[0-4]):[0-5][0-9])?)?'
)


def resolve_scalar(tag: str, text: str) -> bool | int | float | str | None:
    """The value of a plain or tagged scalar (goyaml.v2 resolve.go, `resolve`). Raises ValueError for a wrong tag."""
    if tag == TAG + 'binary':
        try:
            return base64.b64decode(text.replace('\n', '').replace('\r', ''), validate=True).decode('utf-8', 'replace')
        except binascii.Error:
            raise ValueError('not base64') from None
    if tag == TAG + 'str' or tag and tag not in RESOLVABLE:
        return text
    kind, value = resolve_plain(text)
    if not tag or tag == TAG + kind:
        return value
    if tag == TAG + 'float' and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if tag == TAG + 'timestamp' and is_timestamp(text):
        return text
    raise ValueError('the tag does not match')


def is_timestamp(text: str) -> bool:
    """A date. A time after `T` has a zone, a time after a space has none (goyaml.v2 resolve.go, `parseTimestamp`)."""
    match = TIMESTAMP.fullmatch(text)
    if match is None or (match.end(3) < len(text)) and (text[match.end(3)] == ' ') is (match[4] is not None):
        return False
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    is_leap_year = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day <= (29 if month == 2 and is_leap_year else DAYS[month - 1])


DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def resolve_plain(text: str) -> tuple[str, bool | int | float | str | None]:
    """The type and the value of an unquoted scalar: the words of YAML 1.1, Go's numbers, or text."""
    if text in YAML_WORDS:
        return YAML_WORDS[text]
    if text[0] == '.':
        return as_float(text, text)
    if text[0] not in '+-0123456789':
        return 'str', text
    plain = text.replace('_', '')
    for signed in (True, False):
        try:
            return 'int', parse_int(plain, 64, signed=signed)
        except ValueError:
            continue
    return as_float(plain, text) if YAML_FLOAT.fullmatch(plain) else ('str', text)


def as_float(plain: str, text: str) -> tuple[str, float | str]:
    try:
        return 'float', parse_float(plain)
    except ValueError:
        return 'str', text
