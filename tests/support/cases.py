# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The recorded launches, and a function that writes the files of one into a folder."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .paths import TESTS

TRUTH = TESTS / 'truth'


@dataclass(frozen=True)
class Case:
    id: str
    argv: tuple[str, ...]
    files: dict[str, Any]
    effective: dict[str, Any] | None
    """None: the kubelet refused to start."""
    minor: int = 36
    """The release of the kubelet behind this result."""
    refused_by: str = ''
    """The rough reason for the refusal."""

    @property
    def is_red_by_flag(self) -> bool:
        """Whether a valid command line turns the iptables rule off, decided without the code under test."""
        given = [argument for argument in self.argv if re.match('--make[-_]iptables[-_]util[-_]chains(=|$)', argument)]
        is_off = bool(given) and given[-1].partition('=')[2] in {'0', 'f', 'F', 'false', 'False', 'FALSE'}
        return is_off and self.refused_by not in ('flags', 'positional')

    def arguments(self, folder: Path) -> tuple[str, ...]:
        return tuple(argument.replace('{dir}', str(folder)) for argument in self.argv)

    def lay_out(self, folder: Path) -> None:
        """Write the case's files below the folder. A lone surrogate stands for one raw byte."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                path.write_bytes(os.fsencode(content.replace('{dir}', str(folder))))
            elif 'base64' in content:
                path.write_bytes(base64.b64decode(content['base64']))
            elif 'symlink' in content:
                path.symlink_to(content['symlink'].replace('{dir}', str(folder)))
            else:
                assert content == {'dir': True}
                path.mkdir(exist_ok=True)


def rows_of(name: str) -> Iterator[Mapping[str, Any]]:
    with (TRUTH / name).open() as lines:
        yield from map(json.loads, lines)


def ran_with(row: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The recorded configuration, and the one flag without a field that a rule judges. None if there is none."""
    effective = answer.get('effective')
    if effective is None:
        return None
    given = [argument for argument in row['argv'] if re.match('--seccomp[-_]default(=|$)', argument)]
    text = given[-1].partition('=')[2] if given else 'false'
    return {**effective, '--seccomp-default': text in {'', '1', 't', 'T', 'true', 'True', 'TRUE'}}


def case_of(row: Mapping[str, Any], answer: Mapping[str, Any], minor: int) -> Case:
    return Case(
        row['id'],
        tuple(row['argv']),
        row.get('files', {}),
        ran_with(row, answer),
        minor,
        answer.get('refused_by', ''),
    )


def load_varying() -> Iterator[Case]:
    """One case for each launch and each release with a recorded result."""
    for row in rows_of('varying.jsonl'):
        for version, answer in row['kubelet'].items():
            yield case_of(row, answer, int(version.removeprefix('1.')))


CASES = tuple(case_of(row, row['kubelet'], 36) for row in rows_of('cases.jsonl'))
# The results of 1.33 for feature gates are not recorded with upstream's behavior, so only its sources count.
MORE_CASES = tuple(
    case_of(row, row['kubelet'], minor)
    for row in rows_of('cases-2.jsonl')
    for minor in (33, 36)
    if minor == 36
    or not re.search('feature[-_]gates|featureGates', str((row['argv'], row.get('files'))), re.IGNORECASE)
)
VARYING = tuple(load_varying())
