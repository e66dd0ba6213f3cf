# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Fuzz one target, guided by the coverage of the package: `make fuzz TARGET=files RUNS=1000000`.

The fuzzer stops at the first input that breaks a promise, takes more than 250 ms of CPU, or adds more than 64 MiB to
the process. It prints where it keeps that input.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import atheris

with atheris.instrument_imports(include=['datadog_checks.kubelet_compliance']):
    from datadog_checks.kubelet_compliance.kubelet.tables.field_kinds import Field
    from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION
    from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
    from tests.fuzz.bounds import MOST_KIB, MOST_SECONDS
    from tests.fuzz.kept import kept_inputs
    from tests.fuzz.targets import TARGETS

LONGEST = {'argv': 512, 'files': 768, 'trees': 512, 'proc': 768, 'configz': 1024}
"""The maximum size of an input in bytes. Short inputs run faster, and `bounds.py` has a table of long inputs."""
LONGEST_OTHER = 1024

YAML_WORDS = ('---\\x0a', '\\x0a...\\x0a', '<<: *', '&a ', '*a', '!!binary ', '!!str ', '!!float ', '? ', '|-\\x0a')
JSON_WORDS = ('{\\"', '\\":', '\\\\u', '\\\\ud800', '1e309', 'null', 'true', 'false', '-0', '0x1f', '0o17', '1_000')
PROC_WORDS = (
    'NSpid:\\x09',
    'Uid:\\x09',
    '0::/kubepods',
    '/../',
    '.service',
    ') Z ',
    '0A',
    ':280A',
    'nested',
    'configz',
)
UNIT_WORDS = (
    '[Service]\\x0a',
    'ExecStart=/k ',
    '\\x0aEnvironment=A=',
    '\\x0aEnvironmentFile=-/e\\x0a',
    '\\x0aUnsetEnvironment=A',
    'Type=oneshot\\x0a',
    ' $A',
    '${A}',
    '$$',
    '%%',
    '%n',
    ' ; ',
    '\\\\;',
    '\\\\x41',
    '\\\\x0a',
    '\\x0a#',
)
PARTS = ('\\x00', '\\x1d', '\\x1e', '\\xef\\xbb\\xbf', '\\xed\\xa0\\x80', '\\xc2\\x85', '\\xe2\\x80\\xa8', '\\x1b[31m')


def iter_words() -> Iterator[str]:
    """Yield words that the parsers know, for the dictionary of the fuzzer."""
    yield from (*YAML_WORDS, *JSON_WORDS, *PROC_WORDS, *UNIT_WORDS, *PARTS)
    yield from (f'--{name}=' for name in FLAGS)
    yield from sorted(set(iter_names(KUBELET_CONFIGURATION)))


def iter_names(field: Field) -> Iterator[str]:
    for name, inner in (field.fields or {}).items():
        yield f'{name}: '
        yield from iter_names(inner)
    if field.items is not None:
        yield from iter_names(field.items)


class TooDear(Exception):
    """An input costs more than the limit."""


def measured(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Return the target, with the cost of each input compared with the limits."""

    def run(data: bytes) -> None:
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds = cost(target, data)
        if seconds > MOST_SECONDS:
            # Measure again: a garbage collection may have happened during this input.
            seconds = min(seconds, cost(target, data))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown
        if seconds > MOST_SECONDS or grown > MOST_KIB:
            raise TooDear(f'{seconds * 1000:.0f} ms of CPU, {grown / 1024:.0f} MiB more memory')

    return run


def cost(target: Callable[[bytes], None], data: bytes) -> float:
    begun = time.process_time()
    target(data)
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('target', choices=sorted(TARGETS))
    parser.add_argument('--runs', type=int, default=1_000_000)
    parser.add_argument(
        '--corpus', type=Path, help='folder of inputs to start from and to add to, besides the kept seeds'
    )
    options, rest = parser.parse_known_args()
    work = Path(tempfile.mkdtemp(prefix=f'fuzz-{options.target}-'))
    corpus = options.corpus or work / 'corpus'
    corpus.mkdir(parents=True, exist_ok=True)
    for name, data in kept_inputs(options.target).items():
        (corpus / name).write_bytes(data)
    dictionary = work / 'dictionary'
    dictionary.write_text(''.join(f'"{word}"\n' for word in iter_words()))
    print(f'Inputs that break a promise are kept in {work}', file=sys.stderr)
    arguments = [
        sys.argv[0],
        str(corpus),
        f'-runs={options.runs}',
        f'-max_len={LONGEST.get(options.target, LONGEST_OTHER)}',
        f'-dict={dictionary}',
        f'-artifact_prefix={work}/',
        '-timeout=30',
        '-rss_limit_mb=2048',
        '-print_final_stats=1',
        *rest,
    ]
    atheris.Setup(arguments, measured(TARGETS[options.target]))
    atheris.Fuzz()


if __name__ == '__main__':
    main()
