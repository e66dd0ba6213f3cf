# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The config files of a kubelet and the files of its program for a captured node, without secrets. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from datadog_checks.kubelet_compliance.kubelet.declare import every_reading
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.kubelet.programs import program_named
from datadog_checks.kubelet_compliance.kubelet.release import ALL
from datadog_checks.kubelet_compliance.model import (
    Declared,
    DropIns,
    Evidence,
    File,
    Missing,
    Process,
    Unit,
    Unreadable,
    Value,
)
from datadog_checks.kubelet_compliance.node.captured import CannotCapture
from datadog_checks.kubelet_compliance.reporting.redact import SECRET_FIELDS, redact_configuration
from datadog_checks.kubelet_compliance.reporting.redact_programs import redact_program_file

MaybeFile = TypeVar('MaybeFile', bound=File | Missing | Unreadable | None)


def redacted_files(
    contents: Mapping[str, File], place_of: Callable[[Process, str], str], kubelet: Kubelet
) -> dict[str, bytes | None]:
    """The files of one kubelet by path, without what no verdict needs. None: the file is not kept."""
    evidence = kubelet.evidence
    process = evidence.process
    found: dict[str, bytes | None] = {}
    readers = [each for each in (evidence, kubelet.coming) if each is not None]
    before = [comparable_readings(each) for each in readers]
    for file in (file for each in readers for file in configuration_files(each)):

        def is_same(data: bytes, path: str = file.path) -> bool:
            return [comparable_readings(with_data(each, path, data)) for each in readers] == before

        redacted = redact_configuration(file.data, is_same) if file.data else b''
        if redacted is None:
            raise CannotCapture(f'could not remove what may be secret from {file.path}')
        found[place_of(process, file.path)] = redacted
    for place, file in contents.items():
        if place not in found and process.inside and place not in paths_of_unit(evidence):
            found[place] = redact_program_file(program_named(process.inside), file.data)
    return found


def configuration_files(evidence: Evidence) -> list[File]:
    drop_ins = evidence.drop_ins
    files = drop_ins.files if isinstance(drop_ins, DropIns) else ()
    return [file for file in (evidence.config, *files) if isinstance(file, File)]


def paths_of_unit(evidence: Evidence) -> frozenset[str]:
    unit = evidence.unit
    return frozenset(file.path for file in unit.files) if isinstance(unit, Unit) else frozenset()


def with_data(evidence: Evidence, path: str, data: bytes) -> Evidence:
    """The evidence with other bytes in the file of a path."""

    def with_new_data(file: MaybeFile) -> MaybeFile:
        return replace(file, data=data) if isinstance(file, File) and file.path == path else file

    config, drop_ins = evidence.config, evidence.drop_ins
    if isinstance(drop_ins, DropIns):
        drop_ins = replace(drop_ins, files=tuple(map(with_new_data, drop_ins.files)))
    return replace(evidence, config=with_new_data(config), drop_ins=drop_ins)


def comparable_readings(evidence: Evidence) -> list[tuple[Value, ...]]:
    """How each release that the kubelet can be of reads its configuration."""
    return [comparable(declared) for declared in every_reading(evidence, ALL)]


def comparable(declared: Declared) -> tuple[Value, ...]:
    """What a verdict can depend on, without secrets."""
    values = {name: value for name, value in declared.values.items() if name.lower() not in SECRET_FIELDS}
    unknown = declared.unknown
    refused = unknown is not None and unknown.refused
    return values, unknown is None, refused, declared.flags_known
