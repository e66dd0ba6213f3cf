# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Write docs/scale.md: the cost of the check, counted in check runs. With --check, only report if it is up to date."""

from __future__ import annotations

import json
import logging
import re
import sys
import tempfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from datadog_api_client.v1.model.service_check import ServiceCheck
from datadog_api_client.v1.model.service_check_status import ServiceCheckStatus
from datadog_api_client.v2.model.metric_intake_type import MetricIntakeType
from datadog_api_client.v2.model.metric_payload import MetricPayload
from datadog_api_client.v2.model.metric_point import MetricPoint
from datadog_api_client.v2.model.metric_resource import MetricResource
from datadog_api_client.v2.model.metric_series import MetricSeries

from benchmarks.results import table
from datadog_checks.base.stubs import aggregator
from datadog_checks.kubelet_compliance.api.configz import Connection
from datadog_checks.kubelet_compliance.api.replay import URL, KeptAnswer
from tools.agent import Collection
from tools.preview.fleet import GOOD, State, check_of, lay_out, run_check

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / 'docs' / 'scale.md'
TEMPLATE = ROOT / 'tools' / 'scale_page.md'
ANSWER = ROOT / 'tests' / 'truth' / 'configz' / 'kubelet-1.36.json'
FLEETS = (100, 1_000, 10_000)
DETAILS = ('full', 'summary', 'none')
HOST, TIME, SECONDS_A_DAY, INTERVAL = 'ip-10-0-101-123.eu-central-1.compute.internal', 1795000000, 86400, 60
COLLECTIONS = 100
MONITORED = 5_000
"""The nodes of the example of how many groups a monitor has."""
SIZE = r'\b([0-9.]+) ([kMG]?B)\b'

# The number of nodes in each state, out of a hundred.
MIX = (
    (94, GOOD),
    (3, State(drop_in=('makeIPTablesUtilChains: false',))),
    (2, State(readable=False)),
    (1, State(drop_in=('protectKernelDefaults: false',), exempted=('protect_kernel_defaults',))),
)


def count_requests() -> Counter[str]:
    """Count the requests to the kubelet in a hundred check runs, by path."""
    asked: Counter[str] = Counter()
    bodies = {'/configz': ANSWER.read_bytes(), '/metrics': b'kubernetes_build_info{git_version="v1.36.0"} 1\n'}

    def get(path: str) -> KeptAnswer:
        asked[path] += 1
        return KeptAnswer(200, bodies[path])

    with tempfile.TemporaryDirectory() as folder:
        check = check_of(lay_out(GOOD, Path(folder) / 'node'), {})

        def connect() -> None:
            setattr(check, 'connection', lambda: Connection(URL, get, 5.0, is_verified=True))  # noqa: B010

        check.check_initializations.append(connect)
        for _ in range(COLLECTIONS):
            error = check.run()
            if error:
                raise RuntimeError(error)
        aggregator.reset()
    return asked


def series_body(collection: Collection) -> bytes:
    """Return what one check run sends to the metrics intake, as JSON of /api/v2/series."""
    series = [
        MetricSeries(
            metric=sent.name,
            type=MetricIntakeType.GAUGE,
            points=[MetricPoint(timestamp=TIME, value=float(sent.value))],
            resources=[MetricResource(type='host', name=HOST)],
            tags=list(sent.tags),
        )
        for sent in collection.metrics
    ]
    return compact(MetricPayload(series=series).to_dict()) if series else b''


def checks_body(collection: Collection) -> bytes:
    """Return what one check run sends to the service check intake, as JSON of /api/v1/check_run."""
    checks = [
        ServiceCheck(
            check=sent.name,
            host_name=HOST,
            status=ServiceCheckStatus(int(sent.value)),
            tags=list(sent.tags),
            timestamp=TIME,
            message=sent.message,
        )
        for sent in collection.service_checks
    ]
    return compact([check.to_dict() for check in checks])


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(',', ':'), sort_keys=True).encode()


def row(detail: str, nodes: int) -> tuple[str, ...]:
    """Return the series, service checks, and payload of a fleet, summed over its nodes."""
    runs = [(share * nodes // 100, run_check(state, {'metrics': detail})) for share, state in MIX]
    series = sum(count * len(run.metrics) for count, run in runs)
    checks = sum(count * len(run.service_checks) for count, run in runs)
    bodies = [(count, (series_body(run), checks_body(run))) for count, run in runs]
    plain = sum(count * sum(map(len, both)) for count, both in bodies)
    packed = sum(count * sum(len(zlib.compress(body)) for body in both if body) for count, both in bodies)
    a_day = packed * (SECONDS_A_DAY // INTERVAL)
    return f'{nodes:,}', f'`{detail}`', f'{series:,}', f'{checks:,}', size(plain), size(packed), size(a_day)


def size(count: int) -> str:
    value, unit = float(count), 'B'
    for larger in ('kB', 'MB', 'GB'):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f'{value:.0f} {unit}' if unit == 'B' or value >= 100 else f'{value:.3g} {unit}'


def page() -> str:
    full, summary = (run_check(GOOD, {'metrics': detail}) for detail in ('full', 'summary'))
    one = run_check(GOOD, {'metrics': 'full', 'rules': ['make_iptables_util_chains']})
    rules = len([sent for sent in full.service_checks if sent.tags])
    asked = count_requests()
    if set(asked.values()) != {1}:
        raise RuntimeError(f'more than one request to the kubelet: {asked}')
    fleets = table(
        ('Nodes', '`metrics`', 'Series', 'Service checks', 'Payload', 'Compressed', 'Compressed, per day'),
        2,
        [row(detail, nodes) for nodes in FLEETS for detail in DETAILS],
    )
    return TEMPLATE.read_text().format(
        rules=rules,
        full=len(full.metrics),
        with_gauge=len(full.metrics) + rules,
        monitored=f'{MONITORED:,}',
        groups=f'{MONITORED * rules:,}',
        summary=len(summary.metrics),
        one=len(one.metrics),
        one_checks=len(one.service_checks),
        checks=len(full.service_checks),
        fleets=fleets,
        interval=INTERVAL,
        collections=COLLECTIONS,
        paths=' and '.join(f'`{path}`' for path in sorted(asked)),
        saved=f'{100 - 100 * len(summary.metrics) / len(full.metrics):.0f}',
        mix=', '.join(
            f'{share} {what}'
            for (share, _), what in zip(MIX, ('compliant', 'non-compliant', 'unreadable', 'exempted'), strict=True)
        ),
    )


def is_same(one: str, other: str) -> bool:
    """Return whether two pages are the same. Sizes may differ by 5%, because zlib versions differ."""
    ones, others = re.split(SIZE, one), re.split(SIZE, other)
    return len(ones) == len(others) and all(
        left == right or (at % 3 == 1 and ones[at + 1] == others[at + 1] and abs(float(left) / float(right) - 1) < 0.05)
        for at, (left, right) in enumerate(zip(ones, others, strict=True))
    )


def main() -> int:
    logging.disable(logging.WARNING)
    text = page()
    if '--check' in sys.argv[1:]:
        current = PAGE.exists() and is_same(PAGE.read_text(), text)
        print(f'{PAGE.relative_to(ROOT)} is {"" if current else "not "}up to date')
        return 0 if current else 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
