# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Read single values of a complete configuration, whatever their type.

Nothing here raises. A value of the wrong type counts as missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .formats.kubernetes import quantity_sign

Config: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """A field that the kubelet refuses. `field`: its dotted path. `message`: what the kubelet requires."""

    field: str
    message: str
    is_only_upstream: bool = False
    """Vendor builds may accept it: OpenShift's kubelet only warns about an unknown feature gate."""
    gate: str = ''
    """The feature gate whose state causes the refusal, if `field` is not that gate itself."""


def needs_gate(field: str, gate: str, subject: str = '') -> Problem:
    """A field that the kubelet refuses because a feature gate is off. `subject`: what needs it, if not the field."""
    return Problem(field, f'{subject}requires the feature gate {gate}, which is off', gate=gate)


def at(value: object, path: str) -> object:
    """The value at a dotted path. None if there is no such value."""
    for key in path.split('.'):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def number_of(value: object) -> int | float | None:
    """The number, or None for any other type."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def string_of(value: object) -> str:
    """The string, or '' for any other type."""
    return value if isinstance(value, str) else ''


def items_of(value: object) -> Sequence[object]:
    """The items of a list, or none for any other type."""
    return value if isinstance(value, list | tuple) else ()


def strings_of(value: object) -> dict[str, str]:
    """The entries of a map whose key and value are strings."""
    entries = value.items() if isinstance(value, Mapping) else ()
    return {key: entry for key, entry in entries if isinstance(key, str) and isinstance(entry, str)}


def sign_of(quantity: object) -> int | None:
    """The sign of a quantity (-1, 0, or 1), which JSON may also give as a number. None if it is not a quantity."""
    value = number_of(quantity)
    return quantity_sign(string_of(quantity)) if value is None else (value > 0) - (value < 0)
