# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The benchmarks: which rules each has, and under which numbers. A number means nothing without its benchmark."""

from __future__ import annotations

from .model import Benchmark

DEFAULT_BENCHMARK = 'cis-1.24'
"""The newest whose number for the iptables rule is 4.2.7; later ones call another rule so."""

BENCHMARKS = {
    benchmark.name: benchmark
    for benchmark in (Benchmark('cis-1.24', 'cis-kubernetes', {'make_iptables_util_chains': ('4.2.7',)}),)
}
