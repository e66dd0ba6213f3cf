# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Measure, print one table, and exit with 1 if a limit is exceeded: `python -m benchmarks [PART ...] [--write]`."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys

from .measure import Results
from .results import machine, markdown, write

PARTS = ('steady', 'finding', 'memory', 'worst_inputs', 'many_nodes')


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m benchmarks', description=__doc__)
    parser.add_argument('parts', nargs='*', metavar='PART', help=f'what to measure: {", ".join(PARTS)}; all if none')
    parser.add_argument('--write', action='store_true', help='write the results to README.md')
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f'unknown: {", ".join(sorted(unknown))}')
    results = [measured(part) for part in PARTS if not options.parts or part in options.parts]
    text = markdown(results)
    print(f'{machine()}\n\n{text}')
    if options.write:
        write(text)
    return 0 if all(limit.holds for result in results for limit in result.limits) else 1


def measured(part: str) -> Results:
    print(f'{part} ...', file=sys.stderr, flush=True)
    results: Results = importlib.import_module(f'{__package__}.{part}').results()
    return results


if __name__ == '__main__':
    # The base package warns that it runs outside an Agent.
    logging.disable(logging.WARNING)
    sys.exit(main())
