# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The file from which MicroK8s takes the arguments of its kubelet."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.tables.programs import MICROK8S, ArgumentsFile
from datadog_checks.kubelet_compliance.launch.arguments_file import arguments_path, file_launch, with_snap_variables
from datadog_checks.kubelet_compliance.model import File, Unknown, Unreadable

ARGS = '/var/snap/microk8s/7731/args/kubelet'
WAY = ArgumentsFile('kubelet-args-file', '/default')


def file(path: str, text: str) -> File:
    return File(path, text.encode(), None)


@pytest.mark.parametrize(
    'text, arguments',
    [
        ('--v=2\n\n  # --v=3\n --v=4 \n', ('--v=2', '--v=4')),
        ('--eviction-hard="a<1,b<2"\n', ('--eviction-hard=a<1,b<2',)),
        ("--v '2'\n", ('--v', '2')),
        ('--v  2\n', ('--v', '', '2')),
        ('--cert-dir=${SNAP_DATA}/c\n', ('--cert-dir=/var/snap/microk8s/7731/c',)),
        ('--root-dir=$SNAP_COMMON/x\n', ('--root-dir=/var/snap/microk8s/common/x',)),
        ('', ()),
    ],
)
def test_the_file_of_microk8s_is_read_as_kubelite_reads_it(text: str, arguments: tuple[str, ...]) -> None:
    assert file_launch(MICROK8S, ARGS, file(ARGS, text)).arguments == arguments


@pytest.mark.parametrize('text', ['--v=$LEVEL\n', '--v=${SNAP_DATA2}\n', '--v=$SNAP_DATAX\n', '--v=$$\n'])
def test_a_variable_that_is_not_known_leaves_the_arguments_unknown(text: str) -> None:
    launch = file_launch(MICROK8S, ARGS, file(ARGS, text))
    assert isinstance(launch.arguments, Unknown) and f'{ARGS}:1' in launch.arguments.reason


def test_a_file_of_arguments_elsewhere_gives_no_variables() -> None:
    assert with_snap_variables('$SNAP_DATA/x', '/elsewhere/kubelet') == '$SNAP_DATA/x'
    assert arguments_path(WAY, ('--kubelet-args-file', '/a', '--kubelet-args-file=/b')) == '/b'
    assert isinstance(file_launch(MICROK8S, ARGS, Unreadable(ARGS, 'permission denied')).arguments, Unknown)
