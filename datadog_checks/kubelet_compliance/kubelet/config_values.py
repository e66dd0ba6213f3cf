# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reading one value out of a complete configuration, whatever lies there, and saying what is wrong with it. Pure.

Nothing here raises: a value of another type than the one asked for is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .formats.kubernetes import quantity_sign

Config: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """A field that the kubelet refuses, by its dotted path, and what the kubelet wants there."""

    field: str
    message: str
    is_only_upstream: bool = False
    """Whether builds of vendors go on with it: OpenShift's kubelet only warns of an unknown feature gate."""


def at(value: object, path: str) -> object:
    """What lies at a dotted path, None where nothing does."""
    for key in path.split('.'):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def number(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def text(value: object) -> str:
    return value if isinstance(value, str) else ''


def items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def strings(value: object) -> dict[str, str]:
    """A map from strings to strings, without the entries that are none."""
    entries = value.items() if isinstance(value, Mapping) else ()
    return {key: entry for key, entry in entries if isinstance(key, str) and isinstance(entry, str)}


def sign(quantity: object) -> int | None:
    """-1, 0 or 1 of a quantity, which JSON may also give as a number; None if it is none."""
    value = number(quantity)
    return quantity_sign(text(quantity)) if value is None else (value > 0) - (value < 0)
