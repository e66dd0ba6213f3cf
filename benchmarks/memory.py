# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The memory that the check adds to the Agent: for its import, and over a hundred thousand check runs."""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from datadog_checks.base.stubs import aggregator
from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from tests.support.cases import TRUTH
from tests.support.clocks import SETTLED_SECONDS
from tests.support.kubelet_server import make_certificates, serve
from tests.support.nodes import HEAD, write_process
from tools.agent import collect as collect_once
from tools.hardened_node import CONFIG, DROP_INS, arguments, hardened

from .baseline import all_sent
from .measure import Limit, Results
from .node import lay_out, made_up_node

COLLECTIONS = 100_000
WARM_UP = 30_000
BUSY, A_CHANGE_EVERY = 450, 3
CALM = 2_000
THROUGH_RUN_EVERY = 20
SEED = 7
LIMIT_GROWTH_KIB = 1024

SUBPROCESSES = 7
LIMIT_IMPORT_KIB = 5 * 1024
"""A part of the 12 MiB below."""
# Pydantic and the base package load with the first model. In an Agent, other checks have loaded them.
IMPORTS = """
import psutil, pydantic, yaml
import datadog_checks.base
class Model(pydantic.BaseModel):
    name: str
datadog_checks.base.AgentCheck
process = psutil.Process()
before = process.memory_info().rss
import datadog_checks.kubelet_compliance
print((process.memory_info().rss - before) // 1024)
"""


LIMIT_RESIDENT_MIB = 12
# Runs in a separate process. `has_http` loads the HTTP code of the base class, as any check with HTTP requests does.
RESIDENT = """
import json, sys
given = json.load(sys.stdin)
if given['instance'] is None:
    from benchmarks.baseline import SendsTheSame
    check = SendsTheSame({}, given)
else:
    from datadog_checks.kubelet_compliance import KubeletComplianceCheck
    check = KubeletComplianceCheck('kubelet_compliance', {}, [given['instance']])
if given['has_http']:
    check.http
for _ in range(3):
    error = check.run()
    assert not error, error
print(next(line for line in open('/proc/self/status') if line.startswith('VmRSS')).split()[1])
"""


def results() -> Results:
    imports = imports_kib()
    with tempfile.TemporaryDirectory(prefix='bench-') as name:
        silent, asking, http = resident_mib(Path(name))
    with tempfile.TemporaryDirectory(prefix='bench-') as name:
        node = Changing(Path(name))
        growth = growth_kib(node)
    return Results(
        limits=(
            Limit('import into a process with base, psutil, yaml and pydantic', imports, LIMIT_IMPORT_KIB, 'KiB'),
            Limit('resident memory, above the baseline', silent, LIMIT_RESIDENT_MIB, 'MiB'),
            Limit('the same, with HTTP loaded in both, and requests over TLS', asking, LIMIT_RESIDENT_MIB, 'MiB'),
            Limit(f'growth over {COLLECTIONS:,} collections', growth, LIMIT_GROWTH_KIB, 'KiB'),
        ),
        notes=(
            'Resident memory includes the modules with their tables, pydantic with the models of the options, and two '
            f'threads. The HTTP libraries of the base class (`requests`, `urllib3`, OpenSSL) take {http:.1f} MiB more. '
            'The first check of an Agent that uses HTTP loads them for all checks, and datadog-checks-base 37.0.0 '
            'loads them for every check. This check loads them only if it can request `/configz` from a kubelet.',
            f'Growth is the difference in private memory (USS) between {WARM_UP:,} collections and {COLLECTIONS:,} '
            f'more. Phases with {BUSY // A_CHANGE_EVERY} changes alternate with phases without changes. The changes '
            f'are to processes, flags, file contents and sizes, and drop-ins: {node.changes:,} in total.',
        ),
    )


def imports_kib() -> float:
    """Return the median of several processes. All modules are compiled, as in an installed wheel."""
    with tempfile.TemporaryDirectory(prefix='bench-') as cache:
        environment = {**os.environ, 'PYTHONPYCACHEPREFIX': cache, 'PYTHONDONTWRITEBYTECODE': ''}
        import_kib(environment)
        return statistics.median(import_kib(environment) for _ in range(SUBPROCESSES))


def import_kib(environment: Mapping[str, str]) -> float:
    command = [sys.executable, '-c', IMPORTS]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout)


def resident_mib(folder: Path) -> tuple[float, float, float]:
    """Return the memory above a check that only sends, without HTTP and with HTTP in both, and that of HTTP itself."""
    node = made_up_node(folder / 'node')
    instance = {'procfs_path': str(node.procfs), 'use_configz': False, 'allowed_users': ['root', str(os.getuid())]}
    rows = all_sent(collect_once(KubeletComplianceCheck('kubelet_compliance', {}, [instance])))
    (folder / 'certificates').mkdir()
    certificates = make_certificates(folder / 'certificates')
    with serve(certificates) as server:
        server.body = (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes()
        asks = {**instance, 'use_configz': True, 'kubelet_url': server.url, 'tls_ca_cert': str(certificates.ca)}
        sends = resident_kib({**rows, 'instance': None, 'has_http': False})
        sends_with_http = resident_kib({**rows, 'instance': None, 'has_http': True})
        silent = resident_kib({'instance': instance, 'has_http': False})
        asking = resident_kib({'instance': asks, 'has_http': True})
        if '/configz' not in server.paths():
            raise RuntimeError('the check did not request /configz')
    return (silent - sends) / 1024, (asking - sends_with_http) / 1024, (sends_with_http - sends) / 1024


def resident_kib(given: dict[str, object]) -> float:
    """Return the median of several processes."""
    command, text = [sys.executable, '-W', 'ignore', '-c', RESIDENT], json.dumps(given)
    runs = (
        subprocess.run(command, input=text, capture_output=True, text=True, check=True) for _ in range(SUBPROCESSES)
    )
    return statistics.median(float(done.stdout) for done in runs)


def growth_kib(node: Changing) -> float:
    check = KubeletComplianceCheck('kubelet_compliance', {}, [{'procfs_path': str(node.procfs), 'use_configz': False}])
    collect(check, node, WARM_UP)
    before = private_bytes()
    collect(check, node, COLLECTIONS)
    return (private_bytes() - before) / 1024


def collect(check: KubeletComplianceCheck, node: Changing, times: int) -> None:
    """Run the check `times` times. Alternates between many changes and none, until the check reads nothing again."""
    calm_since, calm, changing = 0.0, 0, BUSY
    for number in range(times):
        if changing:
            changing -= 1
            if number % A_CHANGE_EVERY == 0:
                node.change()
            calm_since, calm = time.monotonic(), CALM
        elif time.monotonic() - calm_since > SETTLED_SECONDS:
            calm -= 1
            changing = 0 if calm else BUSY
        if number % THROUGH_RUN_EVERY:
            check.collector.collect(None)
            continue
        error = check.run()
        aggregator.reset()
        if error:
            raise RuntimeError(error)


def private_bytes() -> int:
    gc.collect()
    uss: int = psutil.Process().memory_full_info().uss
    return uss


class Changing:
    """A node with a simulated `/proc`. Each `change` changes something at random."""

    def __init__(self, folder: Path) -> None:
        self.root, self.procfs = folder / 'root', folder / 'proc'
        self.random = random.Random(SEED)
        self.number = 1000
        self.changes = 0
        self.running: list[int] = []
        lay_out(self.root)
        self.start()

    def change(self) -> None:
        self.changes += 1
        self.random.choice((self.write, self.write, self.add_drop_in, self.remove_drop_in, self.restart, self.stop))()

    def write(self) -> None:
        """Write other content, sometimes up to 4 kB larger."""
        self.number += 1
        padding = '#' * self.random.choice((0, 0, 400, 4000))
        (self.root / CONFIG.lstrip('/')).write_text(f'{hardened()}maxPods: {self.number}\n{padding}\n')

    def add_drop_in(self) -> None:
        self.number += 1
        name = f'{self.random.randrange(5)}-{self.number % 50}.conf'
        (self.root / DROP_INS.lstrip('/') / name).write_text(f'{HEAD}maxPods: {self.number}\n')

    def remove_drop_in(self) -> None:
        for path in sorted((self.root / DROP_INS.lstrip('/')).iterdir())[:3]:
            path.unlink()

    def restart(self) -> None:
        """Restart with another process ID and another flag. Sometimes, two kubelets run."""
        if len(self.running) > 1 or self.random.random() < 0.8:
            self.stop()
        self.start()

    def stop(self) -> None:
        for pid in self.running:
            shutil.rmtree(self.procfs / str(pid))
        self.running.clear()
        if self.random.random() < 0.7:
            self.start()

    def start(self) -> None:
        self.number += 1
        write_process(self.procfs, self.number, (*arguments(), f'--max-pods={self.number}'), root=self.root)
        self.running.append(self.number)
