# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The kubelet's arguments for a program that no file shows them for, such as MicroShift. Pure."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.kubelet.tables.programs import ASK_CONFIGZ, Program, WrittenAtStart
from datadog_checks.kubelet_compliance.model import Launch, Unknown


def launch_without_files(program: Program) -> Launch:
    """How a program starts its kubelet, as far as its row says."""
    if isinstance(program.arguments, WrittenAtStart):
        return Launch(program.name, program.arguments.arguments, '', doubt=program.arguments.doubt)
    unknown = Unknown(f'this check does not know what {program.name} passes to its kubelet', ASK_CONFIGZ)
    return Launch(program.name, unknown, '')
