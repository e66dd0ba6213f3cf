# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The names of kubelets, and how their command lines are interpreted."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.programs import (
    Invocation,
    NoKubelet,
    read_command_line,
    split_command_line,
)

pytestmark = pytest.mark.usefixtures('no_handle_is_left')

OTHER, UNCLEAR = NoKubelet.OTHER, NoKubelet.UNCLEAR


@pytest.mark.parametrize(
    'comm, line, found',
    [
        ('kubelet', b'/usr/bin/kubelet\0--v=2\0', Invocation(('--v=2',))),
        ('kubelet', b'kubelet: a title', UNCLEAR),
        ('kubelet', b'/opt/wrapper\0--v=2\0', UNCLEAR),
        ('hyperkube', b'/hyperkube\0kubelet\0--v=2\0', Invocation(('--v=2',))),
        ('hyperkube', b'/hyperkube\0kube-apiserver\0--v=2\0', OTHER),
        ('hyperkube', b'/hyperkube\0--v=2\0kubelet\0', UNCLEAR),
        ('hyperkube', b'kubelet\0--v=2\0', UNCLEAR),
        ('hyperkube', b'hyperkube kubelet', UNCLEAR),
        ('k3s-server', b'/usr/local/bin/k3s server', Invocation(None, 'k3s')),
        ('k3s-server', b'/usr/local/bin/k3s server\0\0\0\0', Invocation(None, 'k3s')),
        ('k3s-agent', b'k3s agent\0', Invocation(None, 'k3s')),
        ('k3s-server', b'k3s\0server\0--kubelet-arg=v=2\0', Invocation(('--kubelet-arg=v=2',), 'k3s')),
        ('k3s', b'k3s server\0', Invocation(None, 'k3s')),
        ('k3s', b'k3s\0kubectl\0get\0', OTHER),
        ('k3s', b'k3s init\0', OTHER),
        ('k3s-server', b'something else\0', UNCLEAR),
        ('k3s-server', b'', UNCLEAR),
        ('kubelite', b'/snap/kubelite\0--kubelet-args-file=/x\0', Invocation(('--kubelet-args-file=/x',), 'MicroK8s')),
        ('k3s-server', b'k3s server\0-arg=v=2\0', Invocation(None, 'k3s')),
        ('microshift', b'microshift\0run\0', Invocation((), 'MicroShift')),
        ('microshift', b'microshift\0version\0', OTHER),
    ],
)  # fmt: skip
def test_a_command_line_shows_whether_a_kubelet_runs(comm: str, line: bytes, found: object) -> None:
    assert read_command_line(comm, line) == found


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        pytest.param(b'', None, id='nothing'),
        pytest.param(b'\0', ('',), id='one-empty'),
        pytest.param(b'a\0b\0', ('a', 'b'), id='two'),
        pytest.param(b'a\0\0b\0\0', ('a', '', 'b', ''), id='empty-ones'),
        pytest.param(b'a b\0', ('a b',), id='space'),
        pytest.param(b'a\0b', None, id='cut'),
        pytest.param(b'\xff\0', ('\udcff',), id='not-utf-8'),
        pytest.param(b'a\0' + b'b' * 4093 + b'\0', None, id='a-page-which-may-be-cut'),
        pytest.param(b'a\0' + b'b' * 4094 + b'\0', ('a', 'b' * 4094), id='more-than-a-page'),
    ],
)
def test_a_command_line_splits_at_each_nul(line: bytes, words: tuple[str, ...] | None) -> None:
    assert split_command_line(line) == words
