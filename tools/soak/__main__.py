# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Run the check beside a real stand-in kubelet that changes all the time: `python -m tools.soak [--minutes N]`.

Prints a line each minute and a summary; exits 1 at the first disagreement or leak, with what is needed to repeat it.
Where another process named kubelet runs, the check of the real /proc is left out, and the summary says so.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.support.kubelet_server import make_certificates
from tests.support.standin import Standins, build

from .leaks import holding, left_since
from .soak import Soak, SoakError, soaking

WARM_UP_SHARE, LONGEST_WARM_UP_SECONDS = 0.2, 300.0


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m tools.soak', description=__doc__)
    parser.add_argument('--minutes', type=float, default=60.0)
    parser.add_argument('--seed', type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument('--ignore', default='', metavar='NAMES', help='rules, restart_pending, kubelet, by commas')
    options = parser.parse_args()
    print(f'seed {options.seed}', flush=True)
    with tempfile.TemporaryDirectory(prefix='soak-') as name:
        folder = Path(name)
        with Standins(build(folder), folder) as standins:
            ignored = frozenset(options.ignore.split(','))
            with soaking(options.seed, folder, standins, make_certificates(folder), ignored) as soak:
                return watch(soak, options.minutes * 60)


def watch(soak: Soak, seconds: float) -> int:
    """Soak for a time. Returns the exit status."""
    begin = time.monotonic()
    warm_up = min(seconds * WARM_UP_SHARE, LONGEST_WARM_UP_SECONDS)
    before, next_line = None, 60.0
    try:
        while (passed := time.monotonic() - begin) < seconds:
            soak.go()
            if before is None and passed > warm_up and soak.is_warm:
                before = holding()
            if passed >= next_line:
                print(f'{passed / 60:4.0f} min: {summary(soak)}; {holding()}', flush=True)
                next_line += 60
    except SoakError as error:
        print(error)
        return 1
    print(f'{seconds / 60:g} min: {summary(soak)}; {holding()}')
    if before is None:
        print('leaks were not measured: soak for more minutes')
        return 1
    if left := left_since(before):
        print(f'seed {soak.seed}: a leak: {"; ".join(left)}')
        return 1
    print('no disagreement, no leak')
    return 0


def summary(soak: Soak) -> str:
    counts = ', '.join(f'{what} {count}' for what, count in sorted(soak.referee.counts.items()))
    return f'{soak.steps} steps, {soak.node.number} kubelets: {counts}'


if __name__ == '__main__':
    # The base package warns of what is missing here: the Agent itself.
    logging.disable(logging.ERROR)
    sys.exit(main())
