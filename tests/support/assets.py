# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The assets, and the simulated fleets that the tests hold them against."""

from __future__ import annotations

import json
from typing import Any

from tests.support.paths import ROOT
from tools.agent import Sent
from tools.preview.evaluation import Store
from tools.preview.fleet import GOOD, Node, State, store_of, tags_by_key
from tools.preview.queries import Expression, Metric, MetricAlert, iter_metrics, parse_monitor, parse_query
from tools.preview.widgets import iter_widgets, requests_of

MANIFEST = json.loads((ROOT / 'manifest.json').read_text())
SERVICE_CHECKS = {row['check']: row for row in json.loads((ROOT / 'assets' / 'service_checks.json').read_text())}
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(ROOT.glob('assets/dashboards/*.json'))}
MONITORS = {path.stem: json.loads(path.read_text()) for path in sorted(ROOT.glob('assets/monitors/*.json'))}
DASHBOARD = DASHBOARDS['kubelet_compliance_overview']
ALL: dict[str, None] = {variable['name']: None for variable in DASHBOARD['template_variables']}
WIDGETS = [each for each in iter_widgets(DASHBOARD['widgets']) if each['type'] not in ('group', 'note')]
ALERTS = {name: parse_monitor(monitor['definition']['query']) for name, monitor in MONITORS.items()}
METRIC_MONITORS = [name for name, alert in ALERTS.items() if isinstance(alert, MetricAlert)]
NUMBERS = [widget for widget in WIDGETS if widget['type'] in ('query_value', 'toplist', 'query_table')]
GRAPHS = [widget for widget in WIDGETS if widget['type'] in ('timeseries', 'hostmap')]
PREFIX = 'kubelet_compliance.'
REPOSITORY = 'https://github.com/DataDog/integrations-extras/blob/master/kubelet_compliance'

HOST_TAGS = {'host', 'kube_cluster_name', 'node_pool'}
"""Tags that the Agent adds by itself, and `node_pool`, which the dashboard says how to set."""

BLIND = State(readable=False)
BROKEN = State(drop_in=('makeIPTablesUtilChains: false',))
UPGRADABLE = State(target='1.34')
NOT_UPGRADABLE = State(target='1.34', drop_in=('featureGates: {NodeSwap: false}',))
RUNS = (
    GOOD,
    BLIND,
    BROKEN,
    State(changed_since_start=True),
    State(kubelet=False),
    UPGRADABLE,
    NOT_UPGRADABLE,
    State(drop_in=('protectKernelDefaults: false',), exempted=('protect_kernel_defaults',)),
)


def title_of(widget: dict[str, Any]) -> str:
    return f'{widget["type"]}: {widget["title"]}'


def queries() -> list[tuple[str, Expression]]:
    """Every query of the dashboard and of the monitors, with where it stands."""
    found = [
        (title_of(widget), parse_query(query['query']))
        for widget in WIDGETS
        for request in requests_of(widget)
        for query in request['queries']
    ]
    alerts = [(name, parse_monitor(monitor['definition']['query'])) for name, monitor in MONITORS.items()]
    return found + [(name, alert.expression) for name, alert in alerts if isinstance(alert, MetricAlert)]


def metrics_in_queries() -> list[tuple[str, Metric]]:
    return [(where, metric) for where, query in queries() for metric in iter_metrics(query)]


def tags_of(sent: tuple[Sent, ...]) -> dict[str, dict[str, set[str]]]:
    """Name -> key -> values of the tags that the check sent with it."""
    found: dict[str, dict[str, set[str]]] = {}
    for each in sent:
        keys = found.setdefault(each.name, {})
        for key, values in tags_by_key(each.tags).items():
            keys.setdefault(key, set()).update(values)
    return found


HOURS = 6


def fleet(before: State, after: State | None, good: int = 5, changing: int = 5) -> Store:
    """Nodes that stay good, and nodes that change half-way; a point every five minutes."""
    half = HOURS * 6
    steady = [Node(f'a{number}', 'one', 'pool', ((0, GOOD),)) for number in range(good)]
    moving = [Node(f'b{number}', 'one', 'pool', ((0, before), (half, after))) for number in range(changing)]
    return store_of([*steady, *moving], HOURS * 12, 300)
