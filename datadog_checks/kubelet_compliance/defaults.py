# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a kubelet puts in place of what its configuration leaves out, by release. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .decoding import DEFAULT_ORIGIN, Configuration, zero_of
from .fields import KUBELET_CONFIGURATION, SAME, Field, Kind
from .golang import Duration
from .release import Release

ZERO = (None, False, 0, 0.0, '')


def set_defaults(configuration: Configuration, release: Release, *, legacy: bool = False) -> None:
    """Fill in what is not set (`SetDefaults_KubeletConfiguration`; `legacy`: `applyLegacyDefaults` too)."""
    for path, spec in iter_fields(KUBELET_CONFIGURATION, ''):
        default: Any = spec.legacy_default if legacy and spec.legacy_default is not SAME else spec.default
        if default is None and not spec.nullable and spec.kind not in (Kind.LIST, Kind.MAP):
            default = zero_of(spec)
        value = configuration.get(path)
        if default is not None and (value is None or spec.zero_is_default and value in ZERO):
            default = Duration(default) if spec.kind is Kind.DURATION else default
            configuration.set(path, default, DEFAULT_ORIGIN)
    if configuration.get('serializeImagePulls') is None:
        pulls = configuration.get('maxParallelImagePulls')
        configuration.set('serializeImagePulls', not (isinstance(pulls, int) and pulls > 1), DEFAULT_ORIGIN)


def iter_fields(spec: Field, path: str) -> Iterator[tuple[str, Field]]:
    """Every field that kubelets still have, outside lists, maps and optional structs, by dotted path."""
    for name, inner in (spec.fields or {}).items():
        inner_path = f'{path}.{name}' if path else name
        if inner.until:
            continue
        if inner.kind is not Kind.STRUCT:
            yield inner_path, inner
        elif not inner.nullable:
            yield from iter_fields(inner, inner_path)
