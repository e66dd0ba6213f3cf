# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Parse the text of a flag's value, by the kind of the flag (spf13/pflag, component-base cli/flag).

Every parser raises `ValueError` for a text that the kubelet refuses, and runs in linear time.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum

from datadog_checks.kubelet_compliance.model import Value

from .formats.go import parse_bool, parse_duration, parse_float, parse_int
from .formats.kubernetes import is_label, is_qualified_name, is_quantity, quantity_sign
from .formats.patterns import repeated
from .release import Release
from .tables.flag_kinds import Flag, FlagKind

DECIMAL_DIGITS = re.compile(r'[0-9]+')
EFFECTS = frozenset({'NoSchedule', 'PreferNoSchedule', 'NoExecute'})
SEVERITY = re.compile(r'(?i:info|warning|error|fatal)')
OWN_VERSION = re.compile(r'v1\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]*)([-+][0-9A-Za-z.+-]+)?')
TRACE_LOCATION = re.compile(r'[^:][^:.]*+\.[^:]*+:[1-9][0-9]*')
NUMA_NODE = re.compile(r'[+-]?[0-9]{1,18}')

LEADING_ZEROS = re.compile(r'(?<![0-9])0+(?=[0-9])')
GROUP_ZEROS = re.compile(r'(?<![0-9A-Fa-f])0+(?=[0-9A-Fa-f])')
QUOTED = repeated('[^"]++|""')
ONE_FIELD = rf'(?:"{QUOTED}"|[^",\n]*+)'
CSV_RECORD = re.compile(rf'{ONE_FIELD}{repeated(f",{ONE_FIELD}")}(?=\n|\Z)')
CSV_FIELD = re.compile(rf'(?:\A|,)({ONE_FIELD})')


def parse_string_slice(text: str) -> tuple[str, ...]:
    """pflag `stringSliceValue`: the first record of encoding/csv."""
    if not text:
        return ()
    record = CSV_RECORD.match(text.replace('\r\n', '\n').removesuffix('\r').lstrip('\n'))
    if record is None or not record[0]:
        raise ValueError('not a list')
    fields = CSV_FIELD.findall(record[0])
    return tuple(field[1:-1].replace('""', '"') if field.startswith('"') else field for field in fields)


def parse_pairs(separator: str) -> Callable[[str], dict[str, str]]:
    """component-base cli/flag: `k=v,k=v`, with the separator in place of `=`."""

    def parse(text: str) -> dict[str, str]:
        return dict(iter_pairs(text, separator))

    return parse


def iter_pairs(text: str, separator: str) -> Iterator[tuple[str, str]]:
    for pair in text.split(','):
        if pair:
            key, has_value, value = pair.partition(separator)
            if not has_value:
                raise ValueError('not a pair')
            yield key.strip(), value.strip()


def parse_gates(text: str) -> dict[str, bool]:
    return {key: parse_bool(value) for key, value in iter_pairs(text, '=')}


def parse_one_pair(text: str) -> dict[str, str]:
    key, has_value, value = text.partition('=')
    if not has_value:
        raise ValueError('not a pair')
    return {key.strip(): value.strip()}


def parse_labels(text: str) -> dict[str, str]:
    """kubernetes pkg/util/flag `ConfigurationMap`: the value can be missing."""
    found = (pair.partition('=') for pair in text.split(',') if pair)
    return {key.strip(): value.strip() for key, _, value in found}


def parse_ip(text: str) -> str:
    """kubernetes pkg/util/flag `IPVar`: empty, or an address without a zone. Numbers can have leading zeros."""
    if '%' in text:
        raise ValueError('not an IP')
    bare = LEADING_ZEROS.sub('', text) if '.' in text else GROUP_ZEROS.sub('', text)
    return str(ipaddress.ip_address(bare)) if text else ''


def matching(fits: Callable[[str], object]) -> Callable[[str], str]:
    """A parser that only validates the text, for kinds whose value no rule needs."""

    def parse(text: str) -> str:
        if not fits(text):
            raise ValueError('not of that form')
        return text

    return parse


def parse_taints(text: str) -> str:
    """kubernetes pkg/util/taints `ParseTaints`: a taint to remove ends in -. No key and effect may occur twice."""
    added: set[tuple[str, str]] = set()
    for item in text.split(',') if text else ():
        key, effect = parse_taint(item.removesuffix('-'))
        if not item.endswith('-'):
            if not effect or (key, effect) in added:
                raise ValueError('not a taint to add')
            added.add((key, effect))
    return text


def parse_taints_to_add(text: str) -> str:
    """kubernetes pkg/util/taints `taintsVar`."""
    for item in text.split(',') if text else ():
        parse_taint(item)
    return text


def parse_taint(item: str) -> tuple[str, str]:
    """The key and effect of `key`, `key:Effect`, or `key=value:Effect` (kubernetes pkg/util/taints `parseTaint`)."""
    named, has_effect, effect = item.partition(':')
    key, _, value = named.partition('=') if has_effect else (named, '', '')
    if not is_qualified_name(key) or value and not is_label(value) or has_effect and effect not in EFFECTS:
        raise ValueError('not a taint')
    return key, effect


def parse_reserved_memory(text: str) -> str:
    """kubernetes pkg/util/flag `ReservedMemoryVar`: `0:memory=1Gi,hugepages-1Gi=1;1:memory=1Gi`.

    The validation refuses zero, and two limits for one resource on one node (validation_reserved_memory.go).
    """
    limited: set[tuple[int, str]] = set()
    for node in text.split(';') if text else ():
        number, *reservations = node.split(':')
        if len(reservations) != 1 or not NUMA_NODE.fullmatch(number):
            raise ValueError('not of that form')
        limits: dict[tuple[int, str], str] = {}
        for reservation in reservations[0].split(','):
            name, _, quantity = reservation.partition('=')
            is_memory = name == 'memory' or name.startswith('hugepages-')
            if not is_memory or not is_quantity(quantity):
                raise ValueError('not of that form')
            limits[int(number), name] = quantity
        if limits.keys() & limited or any(quantity_sign(quantity) == 0 for quantity in limits.values()):
            raise ValueError('not of that form')
        limited |= limits.keys()
    return text


def parse_reserved_memory_of_one_node(text: str) -> str:
    if ';' in text:
        raise ValueError('not of that form')
    return parse_reserved_memory(text)


def parse_level(text: str, *, signed: bool = False) -> int:
    if not is_level(text, signed=signed):
        raise ValueError('not a level')
    return int(text)


def is_level(text: str, *, signed: bool = False) -> bool:
    """strconv.ParseUint(v, 10, 31), or with `signed` strconv.ParseInt(v, 10, 32)."""
    is_negative = signed and text.startswith('-')
    digits = text[1:] if signed and text.startswith(('-', '+')) else text
    return (
        DECIMAL_DIGITS.fullmatch(digits) is not None and int(digits.lstrip('0')[:11] or '0') < (1 << 31) + is_negative
    )


def is_module_level(item: str) -> bool:
    """component-base logs/api/v1/pflags.go `vmoduleConfigurationPFlag`: `pattern=level`, or empty."""
    pattern, _, level = item.partition('=')
    return not item or bool(pattern) and is_level(level)


def parse_raw_or_bool(text: str) -> bool:
    """component-base version/verflag: `raw` counts as true."""
    return True if text == 'raw' else parse_bool(text)


def parse_version_flag(text: str) -> bool:
    """component-base version/verflag: a version such as `v1.34.2` counts as false."""
    if text.startswith('v'):
        if not OWN_VERSION.fullmatch(text):
            raise ValueError('not a version')
        return False
    return parse_raw_or_bool(text)


PARSERS: Mapping[FlagKind, Callable[[str], Value]] = {
    FlagKind.BOOL: parse_bool,
    FlagKind.STRING: str,
    FlagKind.INT: parse_int,
    FlagKind.INT32: lambda text: parse_int(text, 32),
    FlagKind.INT64: parse_int,
    FlagKind.UINT64: lambda text: parse_int(text, signed=False),
    FlagKind.FLOAT64: parse_float,
    FlagKind.DURATION: parse_duration,
    FlagKind.QUANTITY: matching(is_quantity),
    FlagKind.IP: parse_ip,
    FlagKind.STRING_SLICE: parse_string_slice,
    FlagKind.MAP_STRING_STRING: parse_pairs('='),
    FlagKind.MAP_STRING_STRING_ONE: parse_one_pair,
    FlagKind.MAP_STRING_BOOL: parse_gates,
    FlagKind.MULTIMAP: parse_pairs(':'),
    FlagKind.EVICTION: parse_pairs('<'),
    FlagKind.NODE_LABELS: parse_labels,
    FlagKind.TAINTS: parse_taints,
    FlagKind.TAINTS_TO_ADD: parse_taints_to_add,
    FlagKind.RESERVED_MEMORY: parse_reserved_memory,
    FlagKind.RESERVED_MEMORY_OF_ONE_NODE: parse_reserved_memory_of_one_node,
    FlagKind.VERSION: parse_version_flag,
    FlagKind.RAW_OR_BOOL: parse_raw_or_bool,
    FlagKind.LOG_LEVEL: parse_level,
    FlagKind.SIGNED_LOG_LEVEL: lambda text: parse_level(text, signed=True),
    FlagKind.SEVERITY: matching(lambda text: SEVERITY.fullmatch(text) or is_level(text, signed=True)),
    FlagKind.TRACE_LOCATION: matching(re.compile(f'({TRACE_LOCATION.pattern})?').fullmatch),
    FlagKind.VMODULE: matching(lambda text: all(map(is_module_level, text.split(',')))),
}


def parse_value(flag: Flag, text: str, release: Release) -> Value:
    """A flag's value as kubelets of that release read it. Depends on the release only if releases differ."""
    newer = parse_as(flag.kind, text)
    if flag.older is not None and parse_as(flag.older[1], text) != newer:
        newer = parse_as(flag.kind_in(release), text)
    own = OWN_VERSION.fullmatch(text) if flag.kind is FlagKind.VERSION else None
    if newer is Unparsed.UNPARSED or own is not None and not release.is_in(int(own[1]), int(own[1])):
        raise ValueError(f'not a {flag.kind.value}')
    return newer


class Unparsed(Enum):
    UNPARSED = 'unparsed'


def parse_as(kind: FlagKind, text: str) -> Value | Unparsed:
    """The result of one parser, with a refusal as a value, to compare it with the result of another."""
    try:
        return PARSERS[kind](text)
    except ValueError:
        return Unparsed.UNPARSED
