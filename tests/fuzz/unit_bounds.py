# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The worst inputs that are files of the kubelet's systemd service; some come to a start that fails."""

from __future__ import annotations

from .file_bounds import JUDGED, REFUSED, K
from .laid_out import Bound, environment, unit, unit_drop_ins

RUN = b'[Service]\nExecStart=/usr/bin/kubelet'
MOST = 64 * K - 200
"""Of all files of a service together, so many bytes are read."""

UNITS = (
    Bound('a unit: the longest command', JUDGED, unit(lambda: RUN + b' --v=1' * (MOST // 6))),
    Bound('a unit: the most arguments', JUDGED, unit(lambda: RUN + b' -v=1' * 4000)),
    Bound('a unit: one long word', JUDGED, unit(lambda: RUN + b' --hostname-override=' + b'x' * MOST)),
    Bound('a unit: backslashes', REFUSED, unit(lambda: RUN + b' ' + b'\\' * MOST)),
    Bound('a unit: lines that go on', JUDGED, unit(lambda: RUN + b' \\\n' * (MOST // 3))),
    Bound('a unit: comments within', JUDGED, unit(lambda: RUN + b' \\\n' + b'#\n' * (MOST // 2))),
    Bound('a unit: quotes', REFUSED, unit(lambda: RUN + b' ' + b'"' * MOST)),
    Bound('a unit: escapes', REFUSED, unit(lambda: RUN + b' ' + b'\\x41' * (MOST // 4))),
    Bound('a unit: specifiers', REFUSED, unit(lambda: RUN + b' ' + b'%n' * (MOST // 2))),
    Bound('a unit: specifiers of a long name', JUDGED, unit(lambda: RUN + b' ' + b'%n' * (MOST // 2), name='k' * 240)),
    Bound('a unit: dollars', REFUSED, unit(lambda: RUN + b' ' + b'$' * MOST)),
    Bound('a unit: open braces', REFUSED, unit(lambda: RUN + b' ' + b'${' * (MOST // 2))),
    Bound('a unit: commands', JUDGED, unit(lambda: RUN + b' ;/a' * (MOST // 4))),
    Bound('a unit: empty lines', JUDGED, unit(lambda: RUN + b'\n' * MOST)),
    Bound('a unit: sections', JUDGED, unit(lambda: RUN + b'\n' + b'[A]\n' * (MOST // 4))),
    Bound('a unit: variables', JUDGED, unit(lambda: b'[Service]\nEnvironment=' + b'A=1 ' * (MOST // 4))),
    Bound(
        'a unit: a long variable again and again',
        JUDGED,
        unit(lambda: b'[Service]\nEnvironment=A=%s\nExecStart=/k %s\n' % (b'x' * (MOST // 2), b'${A}' * (MOST // 8))),
    ),
    Bound(
        'a unit: a variable of many words again and again',
        JUDGED,
        unit(lambda: b'[Service]\nEnvironment="A=%s"\nExecStart=/k %s\n' % (b'x ' * (MOST // 4), b'$A ' * (MOST // 6))),
    ),
    Bound('a unit: no UTF-8', JUDGED, unit(lambda: RUN + b' \xff' * (MOST // 2))),
    Bound('a unit: more than is read', JUDGED, unit(lambda: b'#' * (300 * K))),
    Bound('5,000 drop-ins of a unit', JUDGED, unit_drop_ins(5000, lambda: b'[Service]\n')),
    Bound('4,000 drop-ins of a unit', JUDGED, unit_drop_ins(4000, lambda: b'[Service]\n')),
    Bound('64 drop-ins of 255 KiB', JUDGED, unit_drop_ins(64, lambda: b'#' * 255 * K)),
    Bound('an environment file: one long value', REFUSED, environment(lambda: b'A=' + b'x' * MOST)),
    Bound('an environment file: the most words', JUDGED, environment(lambda: b'A=' + b'x ' * (MOST // 2))),
    Bound('an environment file: quotes', JUDGED, environment(lambda: b'A=' + b'"' * MOST)),
    Bound('an environment file: backslashes', REFUSED, environment(lambda: b'A=' + b'\\' * MOST)),
    Bound('an environment file: lines', REFUSED, environment(lambda: b'A=1\n' * (MOST // 4))),
    Bound('an environment file: comments', JUDGED, environment(lambda: b'#\\\n' * (MOST // 3))),
    Bound('an environment file: a long name', JUDGED, environment(lambda: b'A' * MOST)),
)
