# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Draw the dashboard for the simulated week as one HTML page, and take its pictures for the README and the tile."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from .evaluation import (
    Points,
    Store,
)
from .fleet import Node, store_of
from .scopes import Tag
from .story import STEP, STEPS, simulated_nodes
from .widgets import (
    evaluate_columns,
    evaluate_request,
    iter_widgets,
    label,
    monitor_states,
    palette_of,
    ranked,
    requests_of,
    statuses_now,
)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DASHBOARD = ROOT / 'assets' / 'dashboards' / 'kubelet_compliance_overview.json'
MONITORS = ROOT / 'assets' / 'monitors'
WIDTH, HEIGHT = 1920, 1080
DAYS = STEPS * STEP // 86400


@dataclass(frozen=True, slots=True)
class Picture:
    """A screenshot of some groups of the dashboard, by their index."""

    name: str
    groups: tuple[int, ...]


PICTURES = (
    Picture('kubelet_compliance_overview', (0, 1, 2)),
    Picture('kubelet_compliance_rules', (3, 4)),
    Picture('kubelet_compliance_causes', (5, 6, 7, 8)),
)

# No lookups and no updates: the browser loads the page only.
BROWSER_OPTIONS = (
    '--headless',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--hide-scrollbars',
    '--force-device-scale-factor=1',
    '--virtual-time-budget=4000',
)


@dataclass(frozen=True, slots=True)
class Fleet:
    nodes: tuple[Node, ...]
    store: Store
    variables: Mapping[str, Tag | None]
    monitors: tuple[Mapping[str, Any], ...]


def draw(definition: Mapping[str, Any], fleet: Fleet) -> dict[str, Any]:
    """Return what a widget shows, as plain data for the page."""
    kind = definition['type']
    drawn: dict[str, Any] = {
        'type': kind,
        'title': definition.get('title', ''),
        'tip': definition.get('description', ''),
    }
    if kind == 'note':
        html = MarkdownIt().render(definition['content'])
        return {**drawn, 'html': html, 'color': definition['background_color']}
    if kind == 'group':
        inner = [{**draw(each['definition'], fleet), 'layout': each['layout']} for each in definition['widgets']]
        return {**drawn, 'widgets': inner, 'color': definition.get('background_color')}
    if kind == 'manage_status':
        return {**drawn, 'monitors': monitor_states(fleet.monitors, fleet.nodes, fleet.store)}
    if kind == 'check_status':
        counts = statuses_now(definition, fleet.nodes, STEPS - 1, fleet.variables)
        return {**drawn, 'counts': counts, 'of': ' and '.join(definition['group_by'])}
    if kind == 'timeseries':
        return {
            **drawn,
            'lines': lines(definition, fleet),
            'axis': definition.get('yaxis', {}),
            'markers': definition.get('markers', []),
        }
    if kind == 'hostmap':
        return {**drawn, 'clusters': hexagons(definition, fleet), 'style': definition['style']}
    return {**drawn, **numbers(definition, fleet)}


def numbers(definition: Mapping[str, Any], fleet: Fleet) -> dict[str, Any]:
    """Return a query value, a top list, or a table."""
    [request] = requests_of(definition)
    formulas = request['formulas']
    columns = evaluate_columns(definition, fleet.store, fleet.variables)
    if definition['type'] == 'query_value':
        [value] = columns[0].values()
        shown = f'{value:,.{definition["precision"]}f}'
        [series] = evaluate_request(request, fleet.store, fleet.variables)[0].values()
        palette = palette_of(request.get('conditional_formats', []), value)
        return {
            'value': shown,
            'unit': definition.get('custom_unit', ''),
            'palette': palette,
            'points': rounded(series),
        }
    formats = [formula.get('conditional_formats') or request.get('conditional_formats', []) for formula in formulas]
    rows = ranked(request, columns)
    drawn = [
        {
            'cells': [cell for _, cell in group],
            'label': label(group),
            'values': [
                {'value': value, 'palette': '' if value is None else palette_of(each, value)}
                for value, each in zip(values, formats, strict=True)
            ],
        }
        for group, values in rows
    ]
    return {'keys': [key for key, _ in rows[0][0]], 'aliases': [each['alias'] for each in formulas], 'rows': drawn}


def lines(definition: Mapping[str, Any], fleet: Fleet) -> list[dict[str, Any]]:
    drawn = []
    for request in requests_of(definition):
        results = evaluate_request(request, fleet.store, fleet.variables)
        for formula, result in zip(request['formulas'], results, strict=True):
            drawn += [
                {
                    'name': f'{formula["alias"]}: {label(group)}' if group else formula['alias'],
                    'points': rounded(points),
                    'display': request['display_type'],
                    'palette': request['style']['palette'],
                }
                for group, points in sorted(result.items())
            ]
    return drawn


def rounded(points: Points) -> list[float | None]:
    return [None if value is None else round(value, 2) for value in points]


def hexagons(definition: Mapping[str, Any], fleet: Fleet) -> list[dict[str, Any]]:
    """Return the newest value of each node, by cluster."""
    [request] = requests_of(definition)
    [result] = evaluate_request(request, fleet.store, fleet.variables)
    newest = {dict(group)['host']: points[-1] for group, points in result.items()}
    clusters: dict[str, list[dict[str, Any]]] = {}
    for node in fleet.nodes:
        clusters.setdefault(node.cluster, []).append({'name': node.name, 'value': newest.get(node.name)})
    return [{'name': name, 'nodes': nodes} for name, nodes in clusters.items()]


def page(library: str) -> str:
    """Return the whole page, including the charting library and the data."""
    dashboard = json.loads(DASHBOARD.read_text())
    nodes = simulated_nodes()
    variables = dict.fromkeys(variable['name'] for variable in dashboard['template_variables'])
    monitors = tuple(json.loads(path.read_text())['definition'] for path in sorted(MONITORS.glob('*.json')))
    fleet = Fleet(nodes, store_of(nodes, STEPS, STEP), variables, monitors)
    data = {
        'title': dashboard['title'],
        'about': dashboard['description'],
        'variables': [variable['name'] for variable in dashboard['template_variables']],
        'nodes': len(nodes),
        'days': DAYS,
        'step': STEP,
        'groups': [{**draw(each['definition'], fleet), 'layout': each['layout']} for each in dashboard['widgets']],
    }
    assert len(list(iter_widgets(dashboard['widgets']))) > len(data['groups'])
    parts = {
        'STYLE': (HERE / 'page.css').read_text(),
        'LIBRARY': library.replace('</script', '<\\/script'),
        'DATA': json.dumps(data, separators=(',', ':')).replace('</', '<\\/'),
        'SCRIPT': (HERE / 'page.js').read_text(),
    }
    text = (HERE / 'page.html').read_text()
    for name, part in parts.items():
        text = text.replace(f'/*{name}*/', part, 1)
    return text


def take_pictures(path: Path, folder: Path, browser: str) -> None:
    """Take the screenshots in a headless browser."""
    folder.mkdir(exist_ok=True)
    for picture in PICTURES:
        target = folder / f'{picture.name}.png'
        with tempfile.TemporaryDirectory() as profile:
            command = [browser, *BROWSER_OPTIONS, f'--user-data-dir={profile}', f'--screenshot={target}']
            command += ['--no-sandbox'] if os.geteuid() == 0 else []  # Chromium's sandbox refuses to start as root.
            command += [
                f'--window-size={WIDTH},{HEIGHT}',
                f'{path.as_uri()}?groups={numbers_of(picture.groups)}&height={HEIGHT}',
            ]
            target.unlink(missing_ok=True)
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=120)
        if not target.exists():
            sys.exit(f'{browser} did not write {target}')
        print(target)


def numbers_of(groups: Sequence[int]) -> str:
    return ','.join(map(str, groups))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('library', type=Path, help='echarts.min.js')
    parser.add_argument('output', type=Path, help='the HTML file to write')
    parser.add_argument('--pictures', type=Path, help='also take the pictures, and write them to this folder')
    parser.add_argument('--browser', default='chromium')
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(page(options.library.read_text()))
    print(options.output)
    if options.pictures is not None:
        if shutil.which(options.browser) is None:
            sys.exit(f'could not find {options.browser}: run apt-get install chromium')
        take_pictures(options.output.resolve(), options.pictures, options.browser)


if __name__ == '__main__':
    main()
