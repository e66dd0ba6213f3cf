# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The recorded launches, and laying out the files of one in a folder."""

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
    """The release of the kubelet that gave this answer."""
    refused_by: str = ''
    """Roughly what the kubelet refused."""

    @property
    def is_red_by_flag(self) -> bool:
        """Whether a command line that is sound by itself turns the iptables rule off, told without our own code."""
        given = [argument for argument in self.argv if re.match('--make[-_]iptables[-_]util[-_]chains(=|$)', argument)]
        is_off = bool(given) and given[-1].partition('=')[2] in {'0', 'f', 'F', 'false', 'False', 'FALSE'}
        return is_off and self.refused_by not in ('flags', 'positional')

    def arguments(self, folder: Path) -> tuple[str, ...]:
        return tuple(argument.replace('{dir}', str(folder)) for argument in self.argv)

    def lay_out(self, folder: Path) -> None:
        """Write the case's files below the folder; a lone surrogate stands for one raw byte."""
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
    """The recorded configuration, and the one switch beside it that a rule looks at; None where there is none."""
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
    """One case for each launch and each release whose answer is recorded."""
    for row in rows_of('varying.jsonl'):
        for version, answer in row['kubelet'].items():
            yield case_of(row, answer, int(version.removeprefix('1.')))


CASES = tuple(case_of(row, row['kubelet'], 36) for row in rows_of('cases.jsonl'))
# What 1.33 makes of feature gates was not recorded with upstream's behavior, so its sources alone say it.
MORE_CASES = tuple(
    case_of(row, row['kubelet'], minor)
    for row in rows_of('cases-2.jsonl')
    for minor in (33, 36)
    if minor == 36
    or not re.search('feature[-_]gates|featureGates', str((row['argv'], row.get('files'))), re.IGNORECASE)
)
VARYING = tuple(load_varying())
