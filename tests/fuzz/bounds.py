# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The worst inputs, at and beyond our bounds: what each comes to, and what any of them may cost.

Those that are files of the configuration are in `file_bounds.py`.
"""

from __future__ import annotations

from .file_bounds import DROP_INS, FILE, FILES, JUDGED, NONE, REFUSED, UNKNOWN, K, bomb, numbered, with_aliases
from .laid_out import (
    Bound,
    capture,
    configz,
    flags,
    k3s,
    kubelets,
    metrics,
    microk8s,
    mountinfo,
    process,
    redacted,
    sockets,
)
from .unit_bounds import UNITS

MOST_SECONDS = 0.75
MOST_KIB = 64 * 1024

ANSWER = 1024 * K
"""The longest answer of /configz that is read; of /metrics it is four times as much."""


def stat(started: bytes) -> bytes:
    return b'1000 (kubelet) S 1 1000 1000 0 -1 4194560 ' + b'0 ' * 12 + started + b' 0' * 30


def status(uid: bytes) -> bytes:
    return b'Uid:\t%s\t0\t0\t0\nNSpid:\t1000\n' % uid


def running(rest: bytes) -> bytes:
    return b'{"kubeletconfig":{"makeIPTablesUtilChains":true,' + rest + b'}}'


SOCKET = b'0: 00000000:280A 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1\n'
LABELS = ','.join(f'a{number}=b' for number in range(12_000))
GATES = ','.join(f'a{number}=1' for number in range(12_000))
GIBBERISH = 'zq\udc80\udcff'
"""Bytes that are no UTF-8, as a command line that is read shows them."""

COMMAND_LINES = (
    Bound('100,000 flags', UNKNOWN, flags(lambda: ('--v=1',) * 100_000)),
    Bound('4,095 flags', JUDGED, flags(lambda: ('--v=1',) * 4095)),
    Bound('a megabyte of one flag', UNKNOWN, flags(lambda: (f'--hostname-override={"x" * K * K}',))),
    Bound('the longest flag', JUDGED, flags(lambda: (f'--hostname-override={"x" * 250 * K}',))),
    Bound('a flag that is no UTF-8', JUDGED, flags(lambda: (f'--hostname-override={GIBBERISH}',))),
    Bound('a label that is no UTF-8', REFUSED, flags(lambda: (f'--node-labels={GIBBERISH}=a',))),
    Bound('a name of a flag that is no UTF-8', UNKNOWN, flags(lambda: (f'--{GIBBERISH}=1',))),
    Bound(
        'reserved memory of many forms', REFUSED, flags(lambda: (f'--reserved-memory={";".join(["0:a=a"] * 16)}\n',))
    ),
    Bound(
        'the longest reserved memory', REFUSED, flags(lambda: (f'--reserved-memory={";".join(["0:a=1"] * 40_000)};',))
    ),
    Bound('a fraction that is none', REFUSED, flags(lambda: (f'--chaos-chance={"1" * 250 * K}x',))),
    Bound(
        'the same feature gates again',
        UNKNOWN,
        flags(lambda: (f'--feature-gates={GATES}', *('--feature-gates=b=1',) * 4000)),
    ),
    Bound(
        'the same list again',
        REFUSED,
        flags(lambda: (f'--tls-cipher-suites={"," * 100_000}', *('--tls-cipher-suites=a',) * 4000)),
    ),
    Bound('a list of quotes', REFUSED, flags(lambda: (f'--tls-cipher-suites={chr(34) * 200_000}',))),
    Bound('the most labels', JUDGED, flags(lambda: (f'--node-labels={LABELS}',))),
    Bound('the most taints', REFUSED, flags(lambda: (f'--register-with-taints={"a:" * 100_000}',))),
    Bound('taints to take off', REFUSED, flags(lambda: (f'--register-with-taints={"a-" * 100_000}=',))),
    Bound('the longest duration', JUDGED, flags(lambda: (f'--sync-frequency={"1h" * 100_000}',))),
    Bound('the longest octal number', REFUSED, flags(lambda: (f'--max-pods=0{"7" * 200_000}',))),
    Bound('the longest quantity', JUDGED, flags(lambda: (f'--container-log-max-size={"1" * 200_000}x',))),
    Bound('an address of zeros', REFUSED, flags(lambda: (f'--address={"0" * 200_000}.x',))),
    Bound('the most patterns of files', REFUSED, flags(lambda: (f'--vmodule={"a=1," * 50_000}x',))),
)

PROGRAMS = (
    Bound(
        'k3s: aliases of a long text',
        UNKNOWN,
        k3s(lambda: b'kubelet-arg: [{%s}]\n' % with_aliases(b'a: &a "%s"' % (b'x' * 20 * K), b'b%d: *a', 6000)),
    ),
    Bound('k3s: an alias bomb', UNKNOWN, k3s(lambda: b'kubelet-arg: []\n' + bomb(9, 9))),
    Bound('k3s: the most arguments', UNKNOWN, k3s(lambda: b'kubelet-arg: [%s]\n' % numbered(b'v=%d', 15_000))),
    Bound(
        'MicroK8s: the same flag again', UNKNOWN, microk8s(lambda: numbered(b'--feature-gates=a%d=1\n', 10_000, b''))
    ),
    Bound('MicroK8s: the most arguments', UNKNOWN, microk8s(lambda: b'-v=1 ' * 50 * K)),
    Bound('MicroK8s: spaces', JUDGED, microk8s(lambda: b' ' * FILE)),
    Bound('MicroK8s: NULs and no UTF-8', UNKNOWN, microk8s(lambda: b'--v=\0\xff\n' * 20 * K)),
)

PROCESSES = (
    Bound('a start of 3,900 digits', NONE, process('stat', lambda: stat(b'1' * 3900))),
    Bound('a start beyond all clocks', JUDGED, process('stat', lambda: stat(b'1' * 20))),
    Bound('a user of 5,000 digits', NONE, process('status', lambda: status(b'1' * 5000))),
    Bound('a name of signs', JUDGED, process('stat', lambda: stat(b'100').replace(b'kubelet', b') Z (\n) Z'))),
    Bound('a cgroup of 64 KiB', JUDGED, process('cgroup', lambda: b'0::/' + b'a/' * 32 * K)),
    Bound('100 kubelets of one name', JUDGED, kubelets(100, f'--hostname-override={"a" * 100}')),
    Bound(
        'the most mounts',
        JUDGED,
        mountinfo(lambda: b'36 35 98:0 /mnt1 / rw,noatime master:1 - ext3 /dev/root rw\n' * 140_000),
    ),
    Bound('the most sockets', JUDGED, sockets(lambda: SOCKET * (2 * K * K // len(SOCKET)))),
    Bound('mounts of many fields', UNKNOWN, mountinfo(lambda: b'1 ' * 4 * ANSWER)),
)

ANSWERS = (
    Bound(
        '/configz: a list of numbers',
        UNKNOWN,
        configz(lambda: running(b'"a":[' + b','.join([b'0'] * (ANSWER // 2 - 100)) + b']')),
    ),
    Bound(
        '/configz: a list of lists',
        UNKNOWN,
        configz(lambda: running(b'"a":[' + b','.join([b'[]'] * (ANSWER // 3 - 100)) + b']')),
    ),
    Bound('/configz: objects', UNKNOWN, configz(lambda: running(numbered(b'"%x":{}', 90_000)))),
    Bound('/configz: the longest text', JUDGED, configz(lambda: running(b'"a":"' + b'x' * (ANSWER - 100) + b'"'))),
    Bound(
        '/configz: the most values',
        JUDGED,
        configz(lambda: running(b'"featureGates":{%s}' % numbered(b'"a%d":true', 9900))),
    ),
    Bound(
        '/configz: a list of the most values',
        JUDGED,
        configz(lambda: running(b'"allowedUnsafeSysctls":[%s]' % numbered(b'"net.a%d"', 19_000))),
    ),
    Bound('/configz: brackets', UNKNOWN, configz(lambda: b'{' + b'[]' * (ANSWER // 2 - 10))),
    Bound('/configz: quotes', UNKNOWN, configz(lambda: b'{' + b'"' * (ANSWER - 10))),
    Bound('/configz: escapes', UNKNOWN, configz(lambda: b'{"' + b'\\"' * (ANSWER // 2 - 10))),
    Bound('/configz: nested 100,000 deep', UNKNOWN, configz(lambda: b'{"kubeletconfig":' + b'[' * 100 * K)),
    Bound('/configz: the longest number', UNKNOWN, configz(lambda: running(b'"maxPods":' + b'1' * (ANSWER - 100)))),
    Bound('/configz: a lone surrogate', JUDGED, configz(lambda: running(b'"a":"\\ud800"'))),
    Bound('/configz: no UTF-8', UNKNOWN, configz(lambda: b'\xff' * ANSWER)),
    Bound(
        '/metrics: a line without an end',
        UNKNOWN,
        metrics(lambda: b'kubernetes_build_info{' + b'git_version="v1' * (4 * ANSWER // 15 - 10)),
    ),
    Bound('/metrics: lines', UNKNOWN, metrics(lambda: b'kubernetes_build_info{\n' * (4 * ANSWER // 23))),
    Bound('/configz kept: an escape beyond Unicode', UNKNOWN, redacted(lambda: b'a: "\\UFFFFFFFF"\n')),
    Bound(
        '/configz kept: a YAML version of 5,000 digits',
        UNKNOWN,
        redacted(lambda: b'%YAML ' + b'1' * 5000 + b'.1\n--- a'),
    ),
    Bound('a capture of no ticks', UNKNOWN, capture(lambda: b'{"ticks_per_second": 0}')),
    Bound('a capture of endless ticks', UNKNOWN, capture(lambda: b'{"ticks_per_second": 1e999}')),
    Bound('a capture without an end of its boot', UNKNOWN, capture(lambda: b'{"booted_at": 1e999}')),
    Bound('a capture of no time', UNKNOWN, capture(lambda: b'{"booted_at": NaN}')),
    Bound('a capture nested 100,000 deep', UNKNOWN, capture(lambda: b'{"files":' + b'[' * 100 * K)),
)

BOUNDS = (*FILES, *DROP_INS, *UNITS, *COMMAND_LINES, *PROGRAMS, *PROCESSES, *ANSWERS)
