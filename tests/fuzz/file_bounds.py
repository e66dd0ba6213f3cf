# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The worst files of a configuration, at and beyond our bounds, and what each comes to."""

from __future__ import annotations

from .laid_out import Bound, Outcome, document, drop_ins, yaml

K = 1024
FILE = 255 * K
"""What a file holds that is just small enough to be read; with its first two lines."""
JUDGED, REFUSED, UNKNOWN, NONE = Outcome.JUDGED, Outcome.REFUSED, Outcome.UNKNOWN, Outcome.NONE


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


FILES = (
    Bound('an alias bomb', REFUSED, yaml(lambda: bomb(9, 9))),
    Bound('aliases of a few large lists', UNKNOWN, yaml(lambda: bomb(1000, 4))),
    Bound('an alias of itself', REFUSED, yaml(lambda: b'a: &a [*a]\n')),
    Bound(
        'merges of 900 keys',
        JUDGED,
        yaml(lambda: b'a: &a {%s}\n' % numbered(b'a%d: y', 900) + numbered(b'b%d: {<<: *a}\n', 9, b'')),
    ),
    Bound(
        'aliases of a long quantity',
        UNKNOWN,
        yaml(lambda: b'evictionHard: {%s}\n' % with_aliases(b'a: &a "%s"' % (b'1' * 100 * K), b'b%d: *a', 6000)),
    ),
    Bound(
        'aliases of a long duration',
        UNKNOWN,
        yaml(
            lambda: b'evictionSoftGracePeriod: {%s}\n' % with_aliases(b'a: &a "%s"' % (b'1h' * 5 * K), b'b%d: *a', 6000)
        ),
    ),
    Bound(
        'aliases of a long file pattern',
        UNKNOWN,
        yaml(
            lambda: b'logging: {vmodule: [%s]}\n'
            % with_aliases(
                b'{filePattern: &a "%s", verbosity: 1}' % (b'x' * 100 * K), b'{filePattern: *a, verbosity: 1}', 3000
            )
        ),
    ),
    Bound(
        'aliases of a long time',
        UNKNOWN,
        yaml(
            lambda: b'registerWithTaints: [%s]\n'
            % with_aliases(
                b'{key: a, effect: NoExecute, timeAdded: &a "2020-01-01T00:00:00.%sZ"}' % (b'1' * 100 * K),
                b'{key: a, effect: NoExecute, timeAdded: *a}',
                1900,
            )
        ),
    ),
    Bound(
        'aliases of a long name',
        UNKNOWN,
        yaml(lambda: b'allowedUnsafeSysctls: [%s]\n' % with_aliases(b'&a "net.%s"' % (b'x' * 200 * K), b'*a', 9000)),
    ),
    Bound('lists nested 200 deep', REFUSED, yaml(lambda: b'clusterDNS: ' + b'[' * 200 + b']' * 200)),
    Bound(
        'mappings nested 200 deep',
        JUDGED,
        yaml(lambda: numbered(b'a%d: ', 0) + b''.join(b' ' * n + b'a:\n' for n in range(200))),
    ),
    Bound('lists nested 100,000 deep', REFUSED, yaml(lambda: b'clusterDNS: ' + b'[' * 100 * K)),
    Bound('mappings nested 600 deep', JUDGED, yaml(lambda: b''.join(b' ' * n + b'a:\n' for n in range(600)))),
    Bound('complex keys nested 200 deep', REFUSED, yaml(lambda: b'? ' * 200)),
    Bound(
        'JSON nested 200 deep',
        JUDGED,
        document(
            lambda: b'{"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","a":'
            + b'[' * 200
            + b']' * 200
            + b'}'
        ),
    ),
    Bound('JSON nested 100,000 deep', UNKNOWN, document(lambda: b'{"a":' + b'[' * 100 * K)),
    Bound('a megabyte of text', UNKNOWN, yaml(lambda: b'clusterDomain: ' + b'x' * K * K)),
    Bound('the longest text', JUDGED, yaml(lambda: b'clusterDomain: ' + b'x' * (FILE - 20))),
    Bound('the longest text of words', JUDGED, yaml(lambda: b'clusterDomain: ' + b'x ' * (FILE // 2 - 20))),
    Bound(
        'the longest text of lines', JUDGED, yaml(lambda: b'clusterDomain: "' + b'x\n\n' * (FILE // 3 - 20) + b'"\n')
    ),
    Bound('the longest block', JUDGED, yaml(lambda: b'a: |\n' + b' x\n' * (FILE // 3 - 20))),
    Bound(
        'the longest text of escapes', JUDGED, yaml(lambda: b'clusterDomain: "' + b'\\x41' * (FILE // 4 - 20) + b'"\n')
    ),
    Bound('the longest number for a text', JUDGED, yaml(lambda: b'clusterDomain: ' + b'1' * (FILE - 20))),
    Bound('the longest fraction', REFUSED, yaml(lambda: b'eventRecordQPS: 0.' + b'1' * (FILE - 20))),
    Bound(
        'the longest number with underscores', REFUSED, yaml(lambda: b'eventRecordQPS: 1' + b'_1' * (FILE // 2 - 20))
    ),
    Bound(
        'the longest percentage',
        JUDGED,
        yaml(lambda: b'evictionHard: {memory.available: "' + b'1' * (FILE - 60) + b'%"}\n'),
    ),
    Bound(
        'the longest list of CPUs', JUDGED, yaml(lambda: b'reservedSystemCPUs: "' + b'1,' * (FILE // 2 - 30) + b'1"\n')
    ),
    Bound('the longest comment', JUDGED, yaml(lambda: b'#' * FILE)),
    Bound('the most empty lines', JUDGED, yaml(lambda: b'\n' * FILE)),
    Bound('the longest tag', JUDGED, yaml(lambda: b'a: !' + b'x' * (FILE - 20) + b' b\n')),
    Bound('the longest tag of escapes', JUDGED, yaml(lambda: b'a: !<' + b'%41' * (FILE // 3 - 20) + b'> b\n')),
    Bound('the longest anchor', JUDGED, yaml(lambda: b'a: &' + b'x' * (FILE - 20) + b' b\n')),
    Bound('byte order marks', REFUSED, yaml(lambda: b'\n\xef\xbb\xbf' * (FILE // 4))),
    Bound('the most values in a line', JUDGED, yaml(lambda: b'kubeReserved: {%s}\n' % numbered(b'a%d: x', 9900))),
    Bound('the most values in lines', JUDGED, yaml(lambda: b'kubeReserved:\n' + numbered(b'  a%d: x\n', 9900, b''))),
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
    Bound(
        '256 drop-ins over the most values',
        JUDGED,
        drop_ins(
            *[lambda: b'kubeReserved: {b: x}\n'] * 256,
            base=lambda: b'kubeReserved: {%s}\n' % numbered(b'a%d: x', 9900),
        ),
    ),
    Bound(
        '256 drop-ins of many values',
        UNKNOWN,
        drop_ins(*[lambda: b'kubeReserved: {%s}\n' % numbered(b'a%d: x', 300)] * 256),
    ),
    Bound('a drop-in of unknown fields', UNKNOWN, drop_ins(lambda: numbered(b'k%d: 1\n', 9900, b''))),
    Bound('a drop-in of half as many', JUDGED, drop_ins(lambda: numbered(b'k%d: 1\n', 4900, b''))),
    Bound('drop-ins of unknown fields', UNKNOWN, drop_ins(*[lambda: numbered(b'k%d: 1\n', 9900, b'')] * 4)),
    Bound(
        'a drop-in that takes out all',
        UNKNOWN,
        drop_ins(
            lambda: b'kubeReserved: {%s}\n' % numbered(b'a%d: ', 9900),
            base=lambda: b'kubeReserved: {%s}\n' % numbered(b'a%d: x', 9900),
        ),
    ),
    Bound(
        'a drop-in that takes out half',
        JUDGED,
        drop_ins(
            lambda: b'kubeReserved: {%s}\n' % numbered(b'a%d: ', 4900),
            base=lambda: b'kubeReserved: {%s}\n' % numbered(b'a%d: x', 9900),
        ),
    ),
)
