# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Parse and format values as Go's standard library does: the kubelet reads its flags and files this way.

Every parser raises `ValueError` for a text that Go refuses.
"""

from __future__ import annotations

import math
import re
import struct

from .patterns import repeated

TRUE_WORDS = frozenset({'1', 't', 'T', 'TRUE', 'true', 'True'})
FALSE_WORDS = frozenset({'0', 'f', 'F', 'FALSE', 'false', 'False'})

OCTAL = repeated('_?[0-7]', 1)
INTEGER = re.compile(
    rf'(?P<sign>[+-]?)(?:0[xX](?P<hex>{repeated("_?[0-9a-fA-F]", 1)})|0[bB](?P<bin>{repeated("_?[01]", 1)})'
    rf'|0[oO](?P<oct>{OCTAL})|0(?P<old>{OCTAL})|(?P<dec>0|[1-9]{repeated("_?[0-9]")}))'
)
BASES = {'hex': 16, 'bin': 2, 'oct': 8, 'old': 8, 'dec': 10}

DIGIT_RUN = f'[0-9]{repeated("_?[0-9]")}'
FLOAT = re.compile(rf'[+-]?(?:{DIGIT_RUN}(?:\.(?:{DIGIT_RUN})?)?|\.{DIGIT_RUN})(?:[eE][+-]?{DIGIT_RUN})?')

NANOSECOND = 1
MILLISECOND = 1_000_000 * NANOSECOND
SECOND = 1000 * MILLISECOND
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DURATION_UNITS = {
    'ns': NANOSECOND,
    'us': 1_000 * NANOSECOND,
    '\u00b5s': 1_000 * NANOSECOND,
    '\u03bcs': 1_000 * NANOSECOND,
    'ms': MILLISECOND,
    's': SECOND,
    'm': MINUTE,
    'h': HOUR,
}
DURATION_PART = re.compile(r'([0-9]*)(?:\.([0-9]*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)')
MOST_DECIMALS = 18


class Duration(int):
    """Nanoseconds, as Go's time.Duration."""

    def __str__(self) -> str:
        return format_duration(self)


def parse_bool(text: str) -> bool:
    """Read a boolean as `strconv.ParseBool` does."""
    if text in TRUE_WORDS:
        return True
    if text in FALSE_WORDS:
        return False
    raise ValueError('not a boolean')


def parse_int(text: str, bits: int = 64, *, signed: bool = True) -> int:
    """Read an integer as `strconv.ParseInt` and `ParseUint` do with base 0: `0x10`, `0b1`, `010` (octal), `1_000`."""
    match = INTEGER.fullmatch(text)
    if match is None or match['sign'] and not signed:
        raise ValueError('not an integer')
    digits, base = next((match[name], base) for name, base in BASES.items() if match[name] is not None)
    value = int(digits.replace('_', ''), base)
    if match['sign'] == '-':
        value = -value
    lowest, highest = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if not lowest <= value <= highest:
        raise ValueError('out of range')
    return value


def parse_float(text: str) -> float:
    """Read a decimal float as `strconv.ParseFloat` does. Hexadecimal, infinite, and NaN forms are refused here."""
    if not FLOAT.fullmatch(text):
        raise ValueError('not a number')
    value = float(text)
    if math.isinf(value):
        raise ValueError('out of range')
    return value


def parse_duration(text: str) -> Duration:
    """Read a duration as `time.ParseDuration` does (`1h30m`, `.5h`, `-1s`, `0`), in nanoseconds."""
    sign = -1 if text[:1] == '-' else 1
    rest = text[1:] if text[:1] in ('-', '+') else text
    if rest == '0':
        return Duration(0)
    if not rest:
        raise ValueError('not a duration')
    total = position = 0
    while position < len(rest):
        match = DURATION_PART.match(rest, position)
        if match is None or not (match[1] or match[2]):
            raise ValueError('not a duration')
        unit = DURATION_UNITS[match[3]]
        fraction = (match[2] or '')[:MOST_DECIMALS]
        total += int(match[1].lstrip('0') or '0') * unit
        total += int(int(fraction or '0') * (unit / 10 ** len(fraction)))
        position = match.end()
    if total > (1 << 63) - (1 if sign > 0 else 0):
        raise ValueError('out of range')
    return Duration(sign * total)


def format_duration(nanoseconds: int) -> str:
    """Write a duration as Go does: `4h0m0s`, `1m30s`, `500ms`."""
    sign, rest = ('-', -nanoseconds) if nanoseconds < 0 else ('', nanoseconds)
    if rest == 0:
        return '0s'
    if rest < SECOND:
        unit = next(name for name in ('ms', '\u00b5s', 'ns') if rest >= DURATION_UNITS[name])
        return f'{sign}{decimal(rest, DURATION_UNITS[unit])}{unit}'
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds = f'{decimal(rest, SECOND)}s'
    if hours:
        return f'{sign}{hours}h{minutes}m{seconds}'
    return f'{sign}{minutes}m{seconds}' if minutes else f'{sign}{seconds}'


def decimal(amount: int, unit: int) -> str:
    """`amount / unit` as an exact decimal. `unit` is a power of ten."""
    whole, part = divmod(amount, unit)
    return f'{whole}.{part:0{len(str(unit)) - 1}d}'.rstrip('0') if part else str(whole)


MAX_FLOAT32 = struct.unpack('f', b'\xff\xff\x7f\x7f')[0]


def format_float32(value: float) -> str:
    """Write a number as `strconv.FormatFloat(value, 'g', -1, 32)` does: with the fewest digits for a 32-bit float."""
    if abs(value) > MAX_FLOAT32:
        return '+Inf' if value > 0 else '-Inf'
    wanted = struct.pack('f', value)
    (value,) = struct.unpack('f', wanted)
    written = next(text for digits in range(9) if struct.pack('f', float(text := f'{value:.{digits}e}')) == wanted)
    mantissa, _, exponent = written.partition('e')
    if not -4 <= int(exponent) < 6:
        return written
    digits = len(mantissa.partition('.')[2]) - int(exponent)
    return f'{float(written):.{max(digits, 0)}f}'
