# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The worst inputs, at and beyond our bounds: what each comes to, and what any of them may cost."""

from __future__ import annotations

from dataclasses import dataclass

from .laid_out import (
    Outcome,
    Prepare,
    capture,
    configz,
    document,
    drop_ins,
    flags,
    k3s,
    kubelets,
    metrics,
    microk8s,
    mountinfo,
    process,
    redacted,
    sockets,
    yaml,
)

MOST_SECONDS = 0.25
MOST_KIB = 64 * 1024

K = 1024
FILE = 255 * K
"""What a file holds that is just small enough to be read; with its first two lines."""
ANSWER = 4 * 1024 * K
JUDGED, REFUSED, UNKNOWN, NONE = Outcome.JUDGED, Outcome.REFUSED, Outcome.UNKNOWN, Outcome.NONE


@dataclass(frozen=True)
class Bound:
    name: str
    outcome: Outcome
    prepare: Prepare


def numbered(pattern: bytes, times: int, between: bytes = b',') -> bytes:
    return between.join(pattern % number for number in range(times))


def with_aliases(first: bytes, more: bytes, times: int) -> bytes:
    """A list or mapping in one line whose members repeat what the first one, `&a`, brings."""
    return first + b',' + (numbered(more, times) if b'%' in more else b','.join([more] * times))


def bomb(width: int, depth: int) -> bytes:
    """Each line is a list of aliases of the line before it."""
    lines = [b'a0: &a0 [%s]\n' % b','.join([b'x'] * width)]
    lines += [b'a%d: &a%d [%s]\n' % (n, n, b','.join([b'*a%d' % (n - 1)] * width)) for n in range(1, depth)]
    return b''.join(lines)


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

FILES = (
    Bound('an alias bomb', REFUSED, yaml(lambda: bomb(9, 9))),
    Bound('aliases of a few large lists', UNKNOWN, yaml(lambda: bomb(1000, 4))),
    Bound('an alias of itself', REFUSED, yaml(lambda: b'a: &a [*a]\n')),
    Bound('merges of 900 keys', JUDGED, yaml(lambda: b'a: &a {%s}\n' % numbered(b'a%d: y', 900) + numbered(b'b%d: {<<: *a}\n', 9, b''))),
    Bound('aliases of a long quantity', UNKNOWN, yaml(lambda: b'evictionHard: {%s}\n' % with_aliases(b'a: &a "%s"' % (b'1' * 100 * K), b'b%d: *a', 6000))),
    Bound('aliases of a long duration', UNKNOWN, yaml(lambda: b'evictionSoftGracePeriod: {%s}\n' % with_aliases(b'a: &a "%s"' % (b'1h' * 5 * K), b'b%d: *a', 6000))),
    Bound('aliases of a long file pattern', UNKNOWN, yaml(lambda: b'logging: {vmodule: [%s]}\n' % with_aliases(b'{filePattern: &a "%s", verbosity: 1}' % (b'x' * 100 * K), b'{filePattern: *a, verbosity: 1}', 3000))),
    Bound('aliases of a long time', UNKNOWN, yaml(lambda: b'registerWithTaints: [%s]\n' % with_aliases(b'{key: a, effect: NoExecute, timeAdded: &a "2020-01-01T00:00:00.%sZ"}' % (b'1' * 100 * K), b'{key: a, effect: NoExecute, timeAdded: *a}', 1900))),
    Bound('aliases of a long name', UNKNOWN, yaml(lambda: b'allowedUnsafeSysctls: [%s]\n' % with_aliases(b'&a "net.%s"' % (b'x' * 200 * K), b'*a', 9000))),
    Bound('lists nested 200 deep', REFUSED, yaml(lambda: b'clusterDNS: ' + b'[' * 200 + b']' * 200)),
    Bound('mappings nested 200 deep', JUDGED, yaml(lambda: numbered(b'a%d: ', 0) + b''.join(b' ' * n + b'a:\n' for n in range(200)))),
    Bound('lists nested 100,000 deep', UNKNOWN, yaml(lambda: b'clusterDNS: ' + b'[' * 100 * K)),
    Bound('mappings nested 600 deep', UNKNOWN, yaml(lambda: b''.join(b' ' * n + b'a:\n' for n in range(600)))),
    Bound('complex keys nested 200 deep', REFUSED, yaml(lambda: b'? ' * 200)),
    Bound('JSON nested 200 deep', JUDGED, document(lambda: b'{"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","a":' + b'[' * 200 + b']' * 200 + b'}')),
    Bound('JSON nested 100,000 deep', UNKNOWN, document(lambda: b'{"a":' + b'[' * 100 * K)),
    Bound('a megabyte of text', UNKNOWN, yaml(lambda: b'clusterDomain: ' + b'x' * K * K)),
    Bound('the longest text', JUDGED, yaml(lambda: b'clusterDomain: ' + b'x' * (FILE - 20))),
    Bound('the longest text of words', JUDGED, yaml(lambda: b'clusterDomain: ' + b'x ' * (FILE // 2 - 20))),
    Bound('the longest text of lines', JUDGED, yaml(lambda: b'clusterDomain: "' + b'x\n\n' * (FILE // 3 - 20) + b'"\n')),
    Bound('the longest block', JUDGED, yaml(lambda: b'a: |\n' + b' x\n' * (FILE // 3 - 20))),
    Bound('the longest text of escapes', JUDGED, yaml(lambda: b'clusterDomain: "' + b'\\x41' * (FILE // 4 - 20) + b'"\n')),
    Bound('the longest number for a text', JUDGED, yaml(lambda: b'clusterDomain: ' + b'1' * (FILE - 20))),
    Bound('the longest fraction', REFUSED, yaml(lambda: b'eventRecordQPS: 0.' + b'1' * (FILE - 20))),
    Bound('the longest number with underscores', REFUSED, yaml(lambda: b'eventRecordQPS: 1' + b'_1' * (FILE // 2 - 20))),
    Bound('the longest percentage', REFUSED, yaml(lambda: b'evictionHard: {memory.available: "' + b'1' * (FILE - 60) + b'%"}\n')),
    Bound('the longest list of CPUs', JUDGED, yaml(lambda: b'reservedSystemCPUs: "' + b'1,' * (FILE // 2 - 30) + b'1"\n')),
    Bound('the longest comment', JUDGED, yaml(lambda: b'#' * FILE)),
    Bound('the most empty lines', JUDGED, yaml(lambda: b'\n' * FILE)),
    Bound('the longest tag', JUDGED, yaml(lambda: b'a: !' + b'x' * (FILE - 20) + b' b\n')),
    Bound('the longest tag of escapes', JUDGED, yaml(lambda: b'a: !<' + b'%41' * (FILE // 3 - 20) + b'> b\n')),
    Bound('the longest anchor', JUDGED, yaml(lambda: b'a: &' + b'x' * (FILE - 20) + b' b\n')),
    Bound('byte order marks', REFUSED, yaml(lambda: b'\n\xef\xbb\xbf' * (FILE // 4))),
    Bound('the most values in a line', JUDGED, yaml(lambda: b'featureGates: {%s}\n' % numbered(b'a%d: y', 9900))),
    Bound('the most values in lines', JUDGED, yaml(lambda: b'featureGates:\n' + numbered(b'  a%d: y\n', 9900, b''))),
    Bound('a list of too many values', UNKNOWN, yaml(lambda: b'clusterDNS: [' + b'a,' * 120 * K + b']\n')),
    Bound('an escape beyond Unicode', REFUSED, yaml(lambda: b'clusterDomain: "\\UFFFFFFFF"\n')),
    Bound('an escape just beyond Unicode', REFUSED, yaml(lambda: b'clusterDomain: "\\U00110000"\n')),
    Bound('a YAML version of 5,000 digits', REFUSED, document(lambda: b'%YAML ' + b'1' * 5000 + b'.1\n--- a\n')),
    Bound('invalid UTF-8', REFUSED, yaml(lambda: b'clusterDomain: "\x80\xff\xfe"\n')),
    Bound('UTF-8 of a surrogate', REFUSED, yaml(lambda: b'clusterDomain: "\xed\xa0\x80"\n')),
    Bound('a lone surrogate escaped', REFUSED, yaml(lambda: b'clusterDomain: "\\ud800"\n')),
    Bound('a lone surrogate in JSON', REFUSED, document(lambda: b'{"kind":"\\ud800"}')),
    Bound('a NUL', REFUSED, yaml(lambda: b'clusterDomain: "\0"\n')),
    Bound('nothing but NULs', REFUSED, document(lambda: b'\0' * FILE)),
    Bound('UTF-16', REFUSED, document(lambda: ('\ufeff' + 'kind: KubeletConfiguration\n' * 100).encode('utf-16-le'))),
    Bound('JSON of escaped quotes', REFUSED, document(lambda: b'{"' + b'\\"' * (FILE // 2))),
    Bound('JSON of the longest number', REFUSED, document(lambda: b'{"a":' + b'1' * FILE + b'}')),
    Bound('JSON of too many numbers', UNKNOWN, document(lambda: b'{"a":[' + b'1,' * 120 * K + b'1]}')),
    Bound('JSON of one key, again and again', UNKNOWN, document(lambda: b'{' + b'"a":{},' * 30 * K + b'"b":1}')),
)

DROP_INS = (
    Bound('10,000 drop-ins', UNKNOWN, drop_ins(*[bytes] * 10_000)),
    Bound('256 drop-ins', JUDGED, drop_ins(*[lambda: b'maxPods: 10\n'] * 256)),
    Bound('256 drop-ins of many values', UNKNOWN, drop_ins(*[lambda: b'featureGates: {%s}\n' % numbered(b'a%d: y', 300)] * 256)),
    Bound('a drop-in of unknown fields', UNKNOWN, drop_ins(lambda: numbered(b'k%d: 1\n', 9900, b''))),
    Bound('a drop-in of half as many', JUDGED, drop_ins(lambda: numbered(b'k%d: 1\n', 4900, b''))),
    Bound('drop-ins of unknown fields', UNKNOWN, drop_ins(*[lambda: numbered(b'k%d: 1\n', 9900, b'')] * 4)),
    Bound('a drop-in that takes out all', UNKNOWN, drop_ins(lambda: b'featureGates: {%s}\n' % numbered(b'a%d: ', 9900), base=lambda: b'featureGates: {%s}\n' % numbered(b'a%d: y', 9900))),
    Bound('a drop-in that takes out half', JUDGED, drop_ins(lambda: b'featureGates: {%s}\n' % numbered(b'a%d: ', 4900), base=lambda: b'featureGates: {%s}\n' % numbered(b'a%d: y', 9900))),
)

COMMAND_LINES = (
    Bound('100,000 flags', UNKNOWN, flags(lambda: ('--v=1',) * 100_000)),
    Bound('4,095 flags', JUDGED, flags(lambda: ('--v=1',) * 4095)),
    Bound('a megabyte of one flag', UNKNOWN, flags(lambda: (f'--hostname-override={"x" * K * K}',))),
    Bound('the longest flag', JUDGED, flags(lambda: (f'--hostname-override={"x" * 250 * K}',))),
    Bound('a flag that is no UTF-8', JUDGED, flags(lambda: (f'--hostname-override={GIBBERISH}',))),
    Bound('a label that is no UTF-8', REFUSED, flags(lambda: (f'--node-labels={GIBBERISH}=a',))),
    Bound('a name of a flag that is no UTF-8', UNKNOWN, flags(lambda: (f'--{GIBBERISH}=1',))),
    Bound('reserved memory of many forms', REFUSED, flags(lambda: (f'--reserved-memory={";".join(["0:a=a"] * 16)}\n',))),
    Bound('the longest reserved memory', REFUSED, flags(lambda: (f'--reserved-memory={";".join(["0:a=1"] * 40_000)};',))),
    Bound('a fraction that is none', REFUSED, flags(lambda: (f'--chaos-chance={"1" * 250 * K}x',))),
    Bound('the same feature gates again', JUDGED, flags(lambda: (f'--feature-gates={GATES}', *('--feature-gates=b=1',) * 4000))),
    Bound('the same list again', REFUSED, flags(lambda: (f'--tls-cipher-suites={"," * 100_000}', *('--tls-cipher-suites=a',) * 4000))),
    Bound('a list of quotes', REFUSED, flags(lambda: (f'--tls-cipher-suites={chr(34) * 200_000}',))),
    Bound('the most labels', JUDGED, flags(lambda: (f'--node-labels={LABELS}',))),
    Bound('the most taints', REFUSED, flags(lambda: (f'--register-with-taints={"a:" * 100_000}',))),
    Bound('taints to take off', REFUSED, flags(lambda: (f'--register-with-taints={"a-" * 100_000}=',))),
    Bound('the longest duration', JUDGED, flags(lambda: (f'--sync-frequency={"1h" * 100_000}',))),
    Bound('the longest octal number', REFUSED, flags(lambda: (f'--max-pods=0{"7" * 200_000}',))),
    Bound('the longest quantity', REFUSED, flags(lambda: (f'--container-log-max-size={"1" * 200_000}x',))),
    Bound('an address of zeros', REFUSED, flags(lambda: (f'--address={"0" * 200_000}.x',))),
    Bound('the most patterns of files', REFUSED, flags(lambda: (f'--vmodule={"a=1," * 50_000}x',))),
)

PROGRAMS = (
    Bound('k3s: aliases of a long text', UNKNOWN, k3s(lambda: b'kubelet-arg: [{%s}]\n' % with_aliases(b'a: &a "%s"' % (b'x' * 20 * K), b'b%d: *a', 6000))),
    Bound('k3s: an alias bomb', UNKNOWN, k3s(lambda: b'kubelet-arg: []\n' + bomb(9, 9))),
    Bound('k3s: the most arguments', UNKNOWN, k3s(lambda: b'kubelet-arg: [%s]\n' % numbered(b'v=%d', 15_000))),
    Bound('MicroK8s: the same flag again', UNKNOWN, microk8s(lambda: numbered(b'--feature-gates=a%d=1\n', 10_000, b''))),
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
    Bound('the most mounts', JUDGED, mountinfo(lambda: b'36 35 98:0 /mnt1 / rw,noatime master:1 - ext3 /dev/root rw\n' * 140_000)),
    Bound('the most sockets', JUDGED, sockets(lambda: SOCKET * (2 * K * K // len(SOCKET)))),
    Bound('mounts of many fields', UNKNOWN, mountinfo(lambda: b'1 ' * ANSWER)),
)

ANSWERS = (
    Bound('/configz: a list of numbers', UNKNOWN, configz(lambda: running(b'"a":[' + b','.join([b'0'] * (ANSWER // 2 - 100)) + b']'))),
    Bound('/configz: a list of lists', UNKNOWN, configz(lambda: running(b'"a":[' + b','.join([b'[]'] * (ANSWER // 3 - 100)) + b']'))),
    Bound('/configz: objects', UNKNOWN, configz(lambda: running(numbered(b'"%x":{}', 370_000)))),
    Bound('/configz: the longest text', JUDGED, configz(lambda: running(b'"a":"' + b'x' * (ANSWER - 100) + b'"'))),
    Bound('/configz: brackets', UNKNOWN, configz(lambda: b'{' + b'[]' * (ANSWER // 2 - 10))),
    Bound('/configz: quotes', UNKNOWN, configz(lambda: b'{' + b'"' * (ANSWER - 10))),
    Bound('/configz: escapes', UNKNOWN, configz(lambda: b'{"' + b'\\"' * (ANSWER // 2 - 10))),
    Bound('/configz: nested 100,000 deep', UNKNOWN, configz(lambda: b'{"kubeletconfig":' + b'[' * 100 * K)),
    Bound('/configz: the longest number', UNKNOWN, configz(lambda: running(b'"maxPods":' + b'1' * (ANSWER - 100)))),
    Bound('/configz: a lone surrogate', JUDGED, configz(lambda: running(b'"a":"\\ud800"'))),
    Bound('/configz: no UTF-8', UNKNOWN, configz(lambda: b'\xff' * ANSWER)),
    Bound('/metrics: a line without an end', UNKNOWN, metrics(lambda: b'kubernetes_build_info{' + b'git_version="v1' * (ANSWER // 15 - 10))),
    Bound('/metrics: lines', UNKNOWN, metrics(lambda: b'kubernetes_build_info{\n' * (ANSWER // 23))),
    Bound('/configz kept: an escape beyond Unicode', UNKNOWN, redacted(lambda: b'a: "\\UFFFFFFFF"\n')),
    Bound('/configz kept: a YAML version of 5,000 digits', UNKNOWN, redacted(lambda: b'%YAML ' + b'1' * 5000 + b'.1\n--- a')),
    Bound('a capture of no ticks', UNKNOWN, capture(lambda: b'{"ticks_per_second": 0}')),
    Bound('a capture of endless ticks', UNKNOWN, capture(lambda: b'{"ticks_per_second": 1e999}')),
    Bound('a capture without an end of its boot', UNKNOWN, capture(lambda: b'{"booted_at": 1e999}')),
    Bound('a capture of no time', UNKNOWN, capture(lambda: b'{"booted_at": NaN}')),
    Bound('a capture nested 100,000 deep', UNKNOWN, capture(lambda: b'{"files":' + b'[' * 100 * K)),
)

BOUNDS = (*FILES, *DROP_INS, *COMMAND_LINES, *PROGRAMS, *PROCESSES, *ANSWERS)
