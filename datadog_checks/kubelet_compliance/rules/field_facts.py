# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the kubelet's tables say about the fields of a rule, so that no row has to repeat it. Pure."""

from __future__ import annotations

from itertools import product

from datadog_checks.kubelet_compliance.kubelet.decoding import zero_of
from datadog_checks.kubelet_compliance.kubelet.defaults import filled_in
from datadog_checks.kubelet_compliance.kubelet.tables.field_kinds import Field, Kind
from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.model import Benchmark, Rule, Value

FLAG_OF_FIELD = {row.field: f'--{name}' for name, row in FLAGS.items() if row.field is not None and row.until is None}
"""The flag that current kubelets have for each field."""


def is_flag(field: str) -> bool:
    """Whether a rule reads a flag that sets no field."""
    return field.startswith('--')


def parts_of_path(path: str) -> tuple[str, ...]:
    """The names in a dotted path. The key of a map is one name, even if it contains dots."""
    if is_flag(path):
        return (path,)
    row, names, rest = KUBELET_CONFIGURATION, [], path
    while row.fields is not None and rest:
        name, _, rest = rest.partition('.')
        names.append(name)
        row = row.fields.get(name, row)
    return (*names, rest) if rest else tuple(names)


def row_of(path: str) -> Field | None:
    """The table's row of a dotted path; None for a key of a map, such as a feature gate. Raises KeyError."""
    row = KUBELET_CONFIGURATION
    for name in path.split('.'):
        if row.kind is Kind.MAP:
            return None
        row = (row.fields or {})[name]
    return row


def flag_that_sets(field: str) -> str | None:
    """The flag that sets a field, or the map that the field is a key of; None if there is none."""
    return field if is_flag(field) else FLAG_OF_FIELD.get(field) or FLAG_OF_FIELD.get(field.partition('.')[0])


def value_if_left_out(field: str) -> Value:
    """What /configz means by leaving a field out: Go's zero value; None for what it never leaves out.

    encoding/json leaves out zero values only where the type has `omitempty`. A pointer that is not nil and a duration
    (a struct) are always written. A feature gate that is left out has its default, and /configz shows no flags.
    """
    row = None if is_flag(field) else row_of(field)
    return None if row is None or row.nullable or row.kind is Kind.DURATION else zero_of(row)


def default_values(field: str) -> tuple[Value, ...]:
    """The defaults of a field, with a config file and without one, in all releases."""
    row = None if is_flag(field) else row_of(field)
    if row is None:
        return (None,)
    return tuple(filled_in(each, None, legacy) for each in (row, *row.iter_older()) for legacy in (False, True))


def default_holds(rule: Rule, benchmark: Benchmark) -> bool:
    """Whether a rule on settings holds at every default of its fields, so that removing a flag is a fix."""
    return all(rule.expected.holds(values, benchmark) for values in product(*map(default_values, rule.fields)))
