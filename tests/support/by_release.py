# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The flags, fields, and defaults of each release of Kubernetes, according to its sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from .cases import TRUTH

FACTS: Final[Mapping[str, Mapping[str, list[list[Any]]]]] = json.loads((TRUTH / 'by-release.json').read_text())

FLAGS_OF: Final = (21, *range(23, 38))
"""The releases whose flags and defaults were read from their sources."""
FIELDS_OF: Final = tuple(range(20, 38))


def facts_of(what: str, minor: int) -> dict[str, Any]:
    """The flags, fields, or defaults of one release, by name."""
    return {name: fact for name, runs in FACTS[what].items() for first, last, fact in runs if first <= minor <= last}
