# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How the values of flags are read."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.flag_table import FlagKind
from datadog_checks.kubelet_compliance.flag_values import PARSERS


def test_every_kind_has_a_parser() -> None:
    assert set(PARSERS) == set(FlagKind)
