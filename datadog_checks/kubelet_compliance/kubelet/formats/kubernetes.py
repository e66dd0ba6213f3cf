# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Do Kubernetes' own parsers accept a text, and what does it mean? Quantities, labels, thresholds, lists of CPUs.

Only parsers raise (`ValueError`), and each function runs in linear time.
"""

import math
import posixpath
import re
import struct
from fractions import Fraction

from .go import parse_duration

QUANTITY = re.compile(r'([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+|[KMGTPE]i|[numkMGTPE])?')
LABEL = re.compile(r'[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?')
DNS_LABEL = re.compile(r'[a-z0-9](?:[-a-z0-9]*[a-z0-9])?')
CPU_RANGE = re.compile(r'\+?([0-9]{1,18})(?:-\+?([0-9]{1,18}))?')
PERCENTAGE = re.compile(r'[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?')
UNUSUAL_FLOAT = re.compile(
    r'[+-]?(?:0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)p[+-]?[0-9]{1,6}|inf(?:inity)?)|nan', re.IGNORECASE
)
QOS_PERCENTAGE = re.compile(r'\+?0*(?:100|[0-9]{1,2})%+|-0+%+')
LONGEST_AMOUNT = 100
SUFFIXES = {
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate(['n', 'u', 'm', '', *'kMGTPE'], -3)},
    **{f'{letter}i': Fraction(1024) ** power for power, letter in enumerate('KMGTPE', 1)},
}
"""What the suffix of a quantity multiplies by (apimachinery resource/suffix.go)."""
SCHEME = re.compile(r'([A-Za-z][A-Za-z0-9+.-]*):')


def quantity_sign(text: str) -> int | None:
    """-1, 0, or 1. None if it is not a quantity (apimachinery resource.ParseQuantity). Never evaluates an exponent."""
    match = QUANTITY.fullmatch(text)
    if match is None:
        return None
    return 0 if not match[2].strip('0.') else -1 if match[1] == '-' else 1


def parse_quantity(text: str) -> Fraction:
    """The amount of a quantity. Raises ValueError, also for one that is far outside of what the kubelet can use."""
    match = QUANTITY.fullmatch(text)
    if match is None or len(text) > LONGEST_AMOUNT:
        raise ValueError('not a quantity')
    number = Fraction(f'{match[1]}{match[2]}')
    suffix = text[match.end(2) :]
    if suffix in SUFFIXES:
        return number * SUFFIXES[suffix]
    return number * power_of_ten(suffix[1:])


def parse_percentage(text: str) -> Fraction:
    """The number of a percentage such as `10%`. Raises ValueError."""
    match = PERCENTAGE.fullmatch(text.removesuffix('%'))
    if match is None or not text.endswith('%') or len(text) > LONGEST_AMOUNT:
        raise ValueError('not a percentage')
    number, _, exponent = match[0].lower().partition('e')
    return Fraction(number) * power_of_ten(exponent or '0')


def power_of_ten(exponent: str) -> Fraction:
    """Raises ValueError for an exponent that would take long to evaluate."""
    if len(exponent.lstrip('+-0')) > 2:
        raise ValueError('out of range')
    return Fraction(10) ** int(exponent)


def is_quantity(text: str) -> bool:
    return QUANTITY.fullmatch(text) is not None


def is_int64_quantity(text: str) -> bool:
    """Whether `Quantity.AsInt64` gives a number (apimachinery resource/quantity.go, ParseQuantity and its fast path).

    A number with too many digits or binary fractions has another form, and gives none, even if it is whole.
    """
    match = QUANTITY.fullmatch(text)
    if match is None:
        return False
    whole, _, fraction = match[2].partition('.')
    digits, suffix = len(whole.lstrip('0')) or 1, text[match.end(2) :]
    if suffix.endswith('i'):
        exponent = 10 * (1 + 'KMGTPE'.index(suffix[0]))
        return not fraction and digits + exponent * 3 // 10 <= 14
    exponent = DECIMAL_SUFFIXES[suffix] if suffix in DECIMAL_SUFFIXES else int(suffix[1:][:LONGEST_EXPONENT])
    scale = exponent - len(fraction)
    is_fast = digits + len(fraction) <= 18 and 0 <= scale <= 18
    return is_fast and int(whole + fraction) * 10**scale < 2**63


DECIMAL_SUFFIXES = {suffix: 3 * power for power, suffix in enumerate(['n', 'u', 'm', '', *'kMGTPE'], -3)}
LONGEST_EXPONENT = 5


def parse_share(text: str) -> float:
    """pkg/kubelet/eviction/helpers.go parsePercentage (strconv.ParseFloat to 32 bits), before it divides by 100.

    Raises ValueError.
    """
    bare = text.rstrip('%')
    try:
        if UNUSUAL_FLOAT.fullmatch(bare):
            value = float.fromhex(bare) if 'x' in bare.lower() else float(bare)
        elif PERCENTAGE.fullmatch(bare):
            value = float(bare)
        else:
            raise ValueError('not a number')
        if math.isinf(value) and 'inf' not in bare.lower():
            raise ValueError('out of range')
        return float(struct.unpack('<f', struct.pack('<f', value))[0])
    except OverflowError:
        raise ValueError('out of range') from None


def is_threshold(text: str) -> bool:
    """pkg/kubelet/eviction/helpers.go parseThresholdStatement, except its limit of 100%: see `is_over_whole`."""
    if not text.endswith('%'):
        return quantity_sign(text) == 1
    try:
        # Not a number is not negative.
        return not parse_share(text) < 0
    except ValueError:
        return False


def is_over_whole(text: str) -> bool:
    """Whether a threshold is more than 100%."""
    try:
        return text.endswith('%') and parse_share(text) > 100
    except ValueError:
        return False


def is_minimum_reclaim(text: str) -> bool:
    """pkg/kubelet/eviction/helpers.go parseMinimumReclaims."""
    if not text.endswith('%'):
        return quantity_sign(text) in (0, 1)
    try:
        return not parse_share(text) <= 0
    except ValueError:
        return False


def is_grace_period(text: str) -> bool:
    """pkg/kubelet/eviction/helpers.go parseGracePeriods."""
    try:
        return parse_duration(text) >= 0
    except ValueError:
        return False


def is_qos_percentage(text: str) -> bool:
    """pkg/kubelet/cm/container_manager.go parsePercentage."""
    return QOS_PERCENTAGE.fullmatch(text) is not None


def is_cpu_list(text: str) -> bool:
    """k8s.io/utils cpuset.Parse: `0-3,8`, or empty."""
    matches = [CPU_RANGE.fullmatch(part) for part in text.split(',')] if text else []
    return all(match is not None and int(match[1]) <= int(match[2] or match[1]) for match in matches)


def is_label(text: str) -> bool:
    """apimachinery validation.IsValidLabelValue, without the empty text."""
    return len(text) <= 63 and LABEL.fullmatch(text) is not None


def is_qualified_name(text: str) -> bool:
    """apimachinery validation.IsQualifiedName: `name` or `example.com/name`."""
    prefix, slash, name = text.rpartition('/')
    is_prefix = len(prefix) <= 253 and all(DNS_LABEL.fullmatch(part) for part in prefix.split('.'))
    return is_label(name) and (is_prefix or not slash)


def is_clean_path(text: str) -> bool:
    """An absolute path in ASCII that filepath.Clean does not change."""
    return text.isascii() and text[:1] == '/' and text[:2] != '//' and posixpath.normpath(text) == text


def scheme(url: str) -> str:
    """The scheme of a URL as net/url.Parse reads it. Empty if there is none."""
    match = SCHEME.match(url)
    return match[1].lower() if match else ''
