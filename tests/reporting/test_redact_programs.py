# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What stays of the command line and the files of a program that contains or starts a kubelet."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.tables.programs import (
    K0S,
    K3S,
    MICROK8S,
    MICROSHIFT,
    PROGRAMS,
    RKE2,
    KubeletCommand,
    Program,
)
from datadog_checks.kubelet_compliance.reporting.redact_programs import (
    redact_program_arguments,
    redact_program_file,
    without_secrets,
)

UNKNOWN = Program('x', file='x', commands=(KubeletCommand(('run',), comms=('x',)),))
KEY = b'-----BEGIN PRIVATE KEY-----\nS3CR3T\n-----END PRIVATE KEY-----\n'


@pytest.mark.parametrize(
    ('program', 'arguments', 'kept'),
    [
        pytest.param(K3S, '--token S -c /c --kubelet-arg v=2', '--token left-out -c /c --kubelet-arg v=2', id='k3s'),
        pytest.param(
            RKE2,
            '--token=S --kubelet-arg=manifest-url=S --data-dir=/d',
            '--token=left-out --kubelet-arg=manifest-url=left-out --data-dir=/d',
            id='RKE2',
        ),
        pytest.param(
            MICROK8S, '--kubelet-args-file=/a --token S', '--kubelet-args-file=/a --token left-out', id='MicroK8s'
        ),
        pytest.param(MICROSHIFT, '--config /c S', '--config left-out left-out', id='MicroShift'),
        pytest.param(K0S, '--token-file=/t S', '--token-file=left-out left-out', id='k0s'),
        pytest.param(UNKNOWN, '--name -tS S', 'left-out left-out left-out', id='a program that says nothing of it'),
    ],
)
def test_of_the_arguments_only_those_that_the_check_reads_stay(program: Program, arguments: str, kept: str) -> None:
    assert ' '.join(redact_program_arguments(program, arguments.split())) == kept


@pytest.mark.parametrize('program', [row for row in PROGRAMS if row.contains_kubelet], ids=lambda row: row.name)
def test_a_file_that_is_not_a_configuration_does_not_stay(program: Program) -> None:
    found = redact_program_file(program, KEY)
    assert found is not None and b'S3CR3T' not in found


def test_no_file_of_a_program_that_says_nothing_of_it_stays() -> None:
    assert redact_program_file(UNKNOWN, KEY) is None


@pytest.mark.parametrize(
    ('data', 'kept'),
    [
        pytest.param(b'token: S\nkubelet-arg: [v=2]\n', b'token: "left-out"\nkubelet-arg: [v=2]\n', id='options'),
        pytest.param(b'# S\n', b'', id='comments only'),
        pytest.param(b'a: [S', b'{\n', id='not YAML'),
        pytest.param(b'', b'', id='empty'),
    ],
)
def test_a_config_file_of_k3s_stays_what_it_is(data: bytes, kept: bytes) -> None:
    assert redact_program_file(K3S, data) == kept


@pytest.mark.parametrize(
    ('words', 'shown'),
    [
        pytest.param('/usr/bin/k3s server --token S', '/usr/bin/k3s server --token left-out', id='k3s'),
        pytest.param('rke2 agent --token=S', 'rke2 agent --token=left-out', id='RKE2'),
        pytest.param('kubelet --manifest-url=S --v=2', 'kubelet --manifest-url=left-out --v=2', id='a kubelet'),
        pytest.param('', '', id='nothing'),
    ],
)
def test_a_command_line_is_shown_without_secrets(words: str, shown: str) -> None:
    assert ' '.join(without_secrets(words.split())) == shown
