# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The types that fields take, the row that describes one field, and short forms for such rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeAlias

from datadog_checks.kubelet_compliance.kubelet.release import OLDEST, Release


class Kind(Enum):
    """The JSON that a field takes. `null` is the same as no value, but not for DURATION."""

    BOOL = 'bool'
    INT32 = 'int32'  # whole numbers in that range; JSON's 110.0 and 1e2 are refused, YAML's become 110 and 100
    INT64 = 'int64'
    UINT32 = 'uint32'
    FLOAT64 = 'float64'  # whole numbers too
    STRING = 'string'  # never a bare number or boolean: `cpu: 1` in systemReserved is refused
    # A string for Go's time.ParseDuration, sign allowed: '1h30m', '-5s', and '0' without a unit, but not '' nor 300.
    # `null` is read as '' and so refused, unless the field is nullable.
    DURATION = 'duration'
    TIME_OR_DURATION = 'time or duration'  # a DURATION string, or whole nanoseconds
    QUANTITY = 'quantity'  # '1Gi', '0.5', or a bare number
    TIME = 'time'  # an RFC 3339 string
    LIST = 'list'
    MAP = 'map'  # keys are strings
    STRUCT = 'struct'


class Same(Enum):
    SAME = 'same'


SAME: Final = Same.SAME

Default: TypeAlias = bool | int | float | str | tuple[str, ...] | Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Field:
    """One field, or the elements of a list or map."""

    kind: Kind
    # The value if the file sets none. Durations are nanoseconds. None: Go's nil if nullable, else Go's zero value
    # (False, 0, '', 0s, empty).
    default: Default = None
    # The default without --config, if it is another one.
    legacy_default: Default | Same = SAME
    items: Field | None = None  # of a LIST or MAP
    fields: Mapping[str, Field] | None = None  # of a STRUCT, by JSON name
    nullable: bool = False  # a pointer in Go: an explicit zero value is not the same as no value
    zero_is_default: bool = False  # an explicit zero value (0, '', '0s') means the default too
    # First and last minor release with the field. 20 means 1.20 or older. None means that the newest still has it.
    since: int = OLDEST
    until: int | None = None
    # The last minor release in which the field was another, and that field.
    older: tuple[int, Field] | None = None
    # The value can be a password or a token: never shown, never captured.
    secret: bool = False

    def is_in(self, release: Release) -> bool:
        """Whether kubelets of that release know the field."""
        return release.is_in(self.since, self.until)

    def row_in(self, release: Release) -> Field:
        """The field as kubelets of that release have it."""
        row = self
        while row.older is not None and release.before(row.older[0] + 1):
            row = row.older[1]
        return row

    def iter_older(self) -> Iterator[Field]:
        """The field as older releases have it, newest first."""
        row = self
        while row.older is not None:
            row = row.older[1]
            yield row


def pointer(kind: Kind, default: Default = None, *, legacy: Default | Same = SAME) -> Field:
    """A field that takes its default only if it is `null` or absent. An explicit zero counts."""
    return Field(kind, default, legacy, nullable=True)


def filled(kind: Kind, default: Default, *, legacy: Default | Same = SAME) -> Field:
    """A field that takes its default even if the file sets it to zero."""
    return Field(kind, default, legacy, zero_is_default=True)


def list_of(items: Field, default: Default = None) -> Field:
    """A list. An explicit empty list counts. Only `null` or absence gives the default."""
    return Field(Kind.LIST, default, items=items)


def map_of(items: Field, default: Default = None) -> Field:
    """A map with string keys. An explicit empty map counts. Only `null` or absence gives the default."""
    return Field(Kind.MAP, default, items=items)


def struct(fields: dict[str, Field], *, nullable: bool = False) -> Field:
    """A struct. Its fields have their defaults even if it is `null` or absent (unless it is nullable)."""
    return Field(Kind.STRUCT, fields=MappingProxyType(fields), nullable=nullable)


def since(minor: int, field: Field) -> Field:
    """A field that release 1.`minor` introduced."""
    return replace(field, since=minor)


def until(minor: int, field: Field) -> Field:
    """A field that release 1.`minor` was the last to have."""
    return replace(field, until=minor)


def changed(minor: int, older: Field, newer: Field) -> Field:
    """A field that was another before release 1.`minor`."""
    return replace(newer, older=(minor - 1, older))


def secret(field: Field) -> Field:
    """A field whose value can be a password or a token."""
    return replace(field, secret=True)


def iter_secret_fields(field: Field, path: str = '') -> Iterator[str]:
    """The dotted paths of all secret fields in a struct, those in its lists and maps included."""
    for name, inner in (field.fields or {}).items():
        inner_path = f'{path}.{name}' if path else name
        if inner.secret:
            yield inner_path
        yield from iter_secret_fields(inner.items or inner, inner_path)
